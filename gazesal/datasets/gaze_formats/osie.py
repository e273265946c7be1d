"""Read the fixations of OSIE."""

from pathlib import Path

import numpy as np
import pandas as pd

from gazesal.datasets.gaze_formats._files import file_in
from gazesal.datasets.gaze_formats._matlab import numbers, read_mat, records, text
from gazesal.datasets.gaze_formats._rows import omit, reading, table_of

SIZE = (600, 800)  # (H, W) of every image


def read_osie(path: Path) -> pd.DataFrame:
    """Read ``fixations.mat`` of OSIE, or the folder that has it.

    Observers are numbered from 1, in the order of the file.
    """
    rows = []
    with reading(path, "OSIE's fixations.mat"):
        for image in records(read_mat(file_in(path, "fixations.mat"))["fixations"]):
            for number, observer in enumerate(records(image["subjects"]), 1):
                x, y, duration = (
                    numbers(observer[field]).ravel() for field in ("fix_x", "fix_y", "fix_duration")
                )
                rows.append(
                    {
                        "image": text(image["img"]),
                        "observer": str(number),
                        "x": x - 1,
                        "y": y - 1,
                        "duration": duration,
                        "order": np.arange(1, len(x) + 1),
                    }
                )
    return omit(table_of(rows, path, size=SIZE))
