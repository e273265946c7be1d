"""Find the data and reference outputs beside the project, or skip or fail without them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

REQUIRED = "GAZESAL_REQUIRE_SHARED"


def shared_or_skip(project: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder ``shared`` beside `project`. Without it, skip, or fail if required."""
    folder = project.parent / "shared"
    if folder.is_dir():
        return folder
    reason = "the folder ../shared with data and reference outputs is missing"
    if environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1 requires the reference data: {reason}", pytrace=False)
    pytest.skip(reason)
