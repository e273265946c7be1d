"""Read the gaze of MIT1003, and detect its fixations."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal.datasets._image_sizes import Sizes, sizes_by_image
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._matlab import numbers, points, read_mat, records, text
from gazesal.datasets.gaze_formats._rows import (
    beside_image,
    omit,
    reading,
    table_of,
)
from gazesal.datasets.gaze_formats._saccades import fixations_between_saccades

RATE = 240.0  # samples per second
EXTRACTED = re.compile(r"(.+\.jpe?g)_(.+)", re.IGNORECASE)  # name of such a file: image, observer
OTHER = {"shuff_stimnames", "CalibrationData"}  # files beside the gaze in each observer's folder


def read_mit1003(
    path: Path,
    *,
    outside: Literal["drop", "keep"] = "drop",
    sizes: Sizes | None = None,
    first: Literal["keep", "drop"] = "keep",
) -> pd.DataFrame:
    """Read the gaze of MIT1003, a folder ``DATA/<observer>/<image>.mat`` of samples.

    Fixations are detected as in the code of the database. A folder that has files
    ``extracted/<image>_<observer>.mat`` of detected fixations is read from them.

    Blinks have negative positions. They, and with `sizes` all positions beside the image, are
    omitted and counted unless ``outside="keep"``. ``first="drop"`` omits the first fixation of each
    observer on each image, which is where the observer looked before the image.
    """
    as_choice(outside, ("drop", "keep"), name="outside")
    as_choice(first, ("keep", "drop"), name="first")
    size_of = sizes_by_image(sizes) or (lambda _: None)
    table = table_of([_row(*found) for found in _recordings(path)], path)
    reasons = {}
    if outside == "drop":
        reasons["beside the image"] = beside_image(table, size_of)
    unwanted = (table["order"] == 1).to_numpy() & (first == "drop")
    return omit(table, reasons, unwanted=unwanted)


def _recordings(path: Path) -> Iterator[tuple[str, str, Any, Any, Any]]:
    """Return image, observer, positions, first samples and numbers of samples per recording."""
    for file in _files(path):
        with reading(file, "a recording of MIT1003"):
            content = read_mat(file)
            named = EXTRACTED.fullmatch(file.stem)
            if named and "fixations" in content:
                starts, durations = (
                    numbers(content[name]).ravel() for name in ("starts", "durations")
                )
                found = points(content["fixations"]), starts, durations
                yield named[1], named[2], *found
            else:
                # MATLAB cuts names of variables to 63 letters, so the image is named by a field
                (trial,) = (value for name, value in content.items() if name[:2] != "__")
                (recording,) = records(trial)
                (data,) = records(recording["DATA"])
                found = fixations_between_saccades(points(data["eyeData"]), rate=RATE)
                yield text(recording["imgName"]), file.parent.name, *found


def _files(path: Path) -> list[Path]:
    """Return the files of detected fixations, or of samples if there are no others."""
    files = [file for file in files_in(path, "*.mat") if file.stem not in OTHER]
    return [file for file in files if EXTRACTED.fullmatch(file.stem)] or files


def _row(
    image: str, observer: str, places: Any, starts: Any, durations: Any
) -> dict[str, str | np.ndarray]:
    """Return the columns of a recording, with positions counted from 0."""
    return {
        "image": image,
        "observer": observer,
        "x": places[:, 0] - 1,
        "y": places[:, 1] - 1,
        "duration": durations,
        "start_sample": starts,
        "order": np.arange(1, len(places) + 1),
    }
