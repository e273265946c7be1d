"""Read the fixations of EGD-CXR with durations in ms."""

from pathlib import Path
from typing import Literal

import pandas as pd

from gazesal.datasets.egd_cxr import read_egd_fixations
from gazesal.datasets.gaze_formats._files import file_in


def read_egd_cxr(path: Path, *, duplicates: Literal["raise", "longest"] = "raise") -> pd.DataFrame:
    """Read ``fixations.csv`` of EGD-CXR, also in the folder of the release."""
    table = read_egd_fixations(file_in(path, "fixations.csv"), duplicates=duplicates)
    table["duration"] *= 1000
    table.attrs["durations"] = True
    return table
