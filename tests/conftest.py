"""Configure hypothesis, the reference data, and optional libraries for all tests."""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.extras import REQUIRED, import_or
from tests.shared_data import shared_or_skip

# The common tests repeat each property for every metric, so that 25 examples are about 500 in all.
# Runs differ, because the examples are random. The full check, `.ci/run`, uses fixed examples.
EXAMPLES = {"fast": 10, "default": 25, "ci": 25, "nightly": 500}
for profile, number in EXAMPLES.items():
    settings.register_profile(
        profile,
        deadline=None,  # the first example of a test may compile a kernel
        derandomize=profile in {"fast", "ci"},
        max_examples=number,
    )
settings.load_profile(
    os.environ.get("GAZESAL_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "default")
)


ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    """Set the behavior for missing optional libraries.

    Without torch, modules and pages that need it are not collected.
    """
    # Replaced here because the test modules call it as `pytest.importorskip`.
    pytest.importorskip = import_or(pytest.importorskip, os.environ)
    if find_spec("torch") is None:
        if os.environ.get(REQUIRED) == "1":
            raise pytest.UsageError(
                f"{REQUIRED}=1 requires torch, which is not installed. Run `make test`."
            )
        # pytest imports each module to run its examples, so importing torch would be an error.
        modules = [*(ROOT / "gazesal").rglob("*.py"), *(ROOT / "tests").rglob("[!t]*.py")]
        needing = [path for path in modules if imports_torch(path)]  # tests themselves skip
        needing.append(ROOT / "docs" / "concepts" / "grad_cam.md")
        config.option.ignore = [*(config.option.ignore or []), *map(str, needing)]


def pytest_collection_finish():
    """Give torch one thread, because the networks of the tests are too small for several.

    Torch is not imported for this, which would take longer than many runs of a few tests.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def imports_torch(path):
    """Return whether importing a module also imports torch or lightning."""
    return bool(
        re.search(r"^(import|from) (torch|lightning)", path.read_text("utf-8"), re.MULTILINE)
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data and reference outputs, see `tests.shared_data`."""
    return shared_or_skip(ROOT, os.environ)
