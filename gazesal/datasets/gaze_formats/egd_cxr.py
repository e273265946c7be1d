"""Read the fixations of EGD-CXR with durations in ms."""

from pathlib import Path
from typing import Literal

import pandas as pd

from gazesal.datasets.egd_cxr import read_egd_fixations


def read_egd_cxr(path: Path, *, duplicates: Literal["raise", "longest"] = "raise") -> pd.DataFrame:
    """Read ``fixations.csv`` of EGD-CXR, also in the folder of the release."""
    file = path / "fixations.csv" if path.is_dir() else path
    table = read_egd_fixations(file, duplicates=duplicates)
    table["duration"] *= 1000
    table.attrs["durations"] = True
    return table
