"""Hypothesis profiles, the one fixture for the data beside the project, and torch in tests."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.extras import REQUIRED, import_or
from tests.shared_data import shared_or_skip

# no deadline: the first example of a test may compile a kernel
settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=500)
settings.load_profile(
    os.environ.get("GAZESAL_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "default")
)


ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    """Skip or fail without optional libraries; leave examples that need torch alone without it.

    With torch, give it one thread.
    """
    pytest.importorskip = import_or(pytest.importorskip, os.environ)  # in every test module
    if find_spec("torch") is None:
        if os.environ.get(REQUIRED) == "1":
            raise pytest.UsageError(f"torch is absent, and {REQUIRED}=1 asks for it")
        # pytest imports a module for its examples, so one that imports torch would be an error
        modules = [*(ROOT / "gazesal").rglob("*.py"), *(ROOT / "tests").rglob("[!t]*.py")]
        needing = [path for path in modules if imports_torch(path)]  # tests themselves skip
        needing.append(ROOT / "docs" / "concepts" / "grad_cam.md")
        config.option.ignore = [*(config.option.ignore or []), *map(str, needing)]
    else:
        import torch

        torch.set_num_threads(1)  # the networks of the tests are too small to share between threads


def imports_torch(path):
    """Whether a module imports torch, or a library made on it, when it is imported itself."""
    return bool(
        re.search(r"^(import|from) (torch|lightning)", path.read_text("utf-8"), re.MULTILINE)
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data and of other people's outputs; see `tests.shared_data`."""
    return shared_or_skip(ROOT, os.environ)
