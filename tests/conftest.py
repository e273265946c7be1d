"""Hypothesis profiles and the one fixture for the data beside the project."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.shared_data import shared_or_skip

# no deadline: the first example of a test may compile a kernel
settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=500)
settings.load_profile(
    os.environ.get("GAZESAL_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "default")
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data and of other people's outputs; see `tests.shared_data`."""
    return shared_or_skip(Path(__file__).resolve().parents[1], os.environ)
