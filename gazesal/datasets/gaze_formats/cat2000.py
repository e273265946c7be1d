"""Read the fixations of CAT2000."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._fixation_counts import fixation_counts
from gazesal._validation import as_choice, as_flag
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._matlab import numbers, points, read_mat, records, text
from gazesal.datasets.gaze_formats._rows import beside_image, omit, reading, table_of

SIZE = (1080, 1920)  # (H, W) of every image
POOLED = "all"  # name of the observer if gaze of all observers is in one map


def read_cat2000(
    path: Path,
    *,
    outside: Literal["drop", "keep"] = "drop",
    duplicates: Literal["drop", "keep"] = "drop",
    suffix: bool = True,
) -> pd.DataFrame:
    """Read ``allFixData.mat`` of CAT2000, or its folder ``FIXATIONLOCS`` of pooled fixations.

    A folder that has ``allFixData.mat`` is read from it. The file has positions off the image, and
    thousands of fixations twice in a row. Both are omitted and counted unless they are kept. Images
    are named ``Action/001.jpg``, because numbers repeat in each category; ``suffix=False`` omits
    the suffix.
    """
    for name, value in (("outside", outside), ("duplicates", duplicates)):
        as_choice(value, ("drop", "keep"), name=name)
    as_flag(suffix, name="suffix")
    whole = [path] if path.is_file() else sorted(path.rglob("allFixData.mat"))
    rows = _pooled(path) if path.is_dir() and not whole else _by_observer(whole[0])
    if not suffix:
        rows = [row | {"image": str(row["image"]).rpartition(".")[0]} for row in rows]
    table = table_of(rows, path, size=SIZE, stems=False)
    reasons = {}
    if outside == "drop":
        reasons["beside the image"] = beside_image(table, lambda _: SIZE)
    if duplicates == "drop" and "order" in table:
        change = table.groupby(["image", "observer"], sort=False)[["x", "y", "order"]].diff()
        reasons["equal to the fixation before"] = (change == [0, 0, 1]).all(axis=1).to_numpy()
    return omit(table, reasons)


def _by_observer(path: Path) -> list[dict[str, object]]:
    """Return the fixations of each observer, whose initials are the third part of a name."""
    rows: list[dict[str, object]] = []
    with reading(path, "CAT2000's allFixData.mat"):
        for image, people in read_mat(path, objects=True)["allData"].items():
            for person in records(people):
                places = points(person["data"]) - 1
                observer = text(person["name"]).rpartition(".")[0].split("-")[2]
                row = {"image": str(image), "observer": observer, "x": places[:, 0]}
                rows.append(row | {"y": places[:, 1], "order": np.arange(1, len(places) + 1)})
    return rows


def _pooled(path: Path) -> list[dict[str, object]]:
    """Return the fixations of all observers from ``<category>/<number>.mat``, with counts."""
    rows: list[dict[str, object]] = []
    for file in files_in(path, "*.mat"):
        with reading(file, "a map of fixations of CAT2000"):
            marks = numbers(read_mat(file)["fixLocs"])
            y, x = np.nonzero(marks > 0)
            times = fixation_counts(marks[y, x])
            if times is None:
                raise ValueError(
                    "its values must be counts of fixations, or 0 and one other value, got a "
                    f"continuous map up to {marks.max():g}"
                )
            x, y = np.repeat(x, times), np.repeat(y, times)
        rows.append({"image": f"{file.parent.name}/{file.stem}.jpg", "observer": POOLED})
        rows[-1] |= {"x": x.astype(np.float64), "y": y.astype(np.float64)}
    return rows
