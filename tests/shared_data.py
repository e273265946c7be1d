"""Where the data and reference outputs beside the project are, and what to do without them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

REQUIRED = "GAZESAL_REQUIRE_SHARED"


def shared_or_skip(project: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder ``shared`` beside `project`; skip without it, or fail if it must be."""
    folder = project.parent / "shared"
    if folder.is_dir():
        return folder
    reason = "the folder ../shared with data and reference outputs is absent"
    if environ.get(REQUIRED) == "1":
        pytest.fail(f"{reason}, and {REQUIRED}=1 asks for it", pytrace=False)
    pytest.skip(reason)
