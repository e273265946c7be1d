"""Make the table of fixations of a format, and count the rows that are omitted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.datasets._clean_names import clean_names, picture_stems
from gazesal.datasets._image_sizes import SizeOf
from gazesal.exceptions import SkippedDataWarning

BoolArray: TypeAlias = NDArray[np.bool_]
FIRST = ("image", "observer", "x", "y", "duration")


@contextmanager
def reading(path: Path, title: str) -> Iterator[None]:
    """Name the file in errors that the content of a damaged or other file causes."""
    try:
        yield
    except (ImportError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # the libraries raise errors of any type for a damaged file
        detail = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(
            f"{path}: cannot be read as {title}: {detail}. Check `format` and the file."
        ) from error


def table_of(
    rows: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    stems: bool = True,
) -> pd.DataFrame:
    """Join the columns of one observer on one image each to a table of fixations.

    Each part has the names image and observer and the arrays x and y. Without the array duration,
    every fixation has the duration 1. Names of images lose the suffix of a picture and the folders
    before it, because maps are named so, unless `stems` is False or two images would have the same
    name. Further arrays and constants become columns. Give the table to `omit` at the end, which
    omits fixations without a position.

    The attributes are ``source``, the path, ``durations``, False if the format has no durations,
    and ``size``, the (H, W) of all images if it is the same.
    """
    for row in rows:
        lengths = {len(value) for value in row.values() if isinstance(value, np.ndarray)}
        if len(lengths) > 1:
            raise ValueError(
                f"{path}: positions and durations of observer {row['observer']} on image "
                f"{row['image']} must be the same number, got {sorted(lengths)}. Mend the file."
            )
    rows = [row for row in rows if len(row["x"])]
    if not rows:
        raise ValueError(f"{path}: must have at least one fixation, got none.")
    durations = all("duration" in row for row in rows)
    columns = dict.fromkeys([*FIRST, *(name for row in rows for name in row)])
    # one column at a time, because large sets have a hundred thousand parts
    table = pd.DataFrame({name: _column(rows, name) for name in columns})
    for column in ("image", "observer"):
        names = clean_names(table[column].unique(), what=f"{path}: names of {column}s")
        if column == "image" and stems:
            named = [name for name in names if name]  # it is empty if no image was shown
            short = dict(zip(named, picture_stems([names[name] for name in named]), strict=True))
            names = names | short
        table[column] = table[column].map(names).astype("str")
    table = table.astype({"x": np.float64, "y": np.float64, "duration": np.float64})
    table.attrs = {"source": str(path), "durations": durations}
    if size is not None:
        table.attrs["size"] = size
    return table


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[Any]:
    """Return a column, with constants repeated for each fixation."""
    absent = 1.0 if name == "duration" else None
    values = [row.get(name, absent) for row in rows]
    lengths = [len(row["x"]) for row in rows]
    if not any(isinstance(value, np.ndarray) for value in values):
        return np.repeat(np.array(pd.Series(values, dtype=object).infer_objects()), lengths)
    return np.concatenate(
        [
            value if isinstance(value, np.ndarray) else np.full(length, value)
            for value, length in zip(values, lengths, strict=True)
        ]
    )


def omit(
    table: pd.DataFrame,
    reasons: Mapping[str, BoolArray] | None = None,
    *,
    unwanted: BoolArray | None = None,
) -> pd.DataFrame:
    """Return the fixations with a position and without a reason to omit them, and count the others.

    Fixations that an option excludes are `unwanted` and not counted. A row is counted for the first
    reason only. The index numbers the rows that are left from 1.
    """
    kept = np.ones(len(table), np.bool_)
    if unwanted is not None:
        kept[unwanted] = False
    total = int(kept.sum())
    counts: dict[str, int] = {}
    placed = np.isfinite(table[["x", "y", "duration"]].to_numpy(np.float64)).all(axis=1)
    unplaced = {"without a position or a duration": np.logical_not(placed)}
    for reason, rows in {**unplaced, **(reasons or {})}.items():
        counts[reason] = int((rows & kept).sum())
        kept[rows] = False
    source = table.attrs["source"]
    if not kept.any():
        raise ValueError(f"{source}: must have at least one fixation on an image, got none.")
    lost = {reason: number for reason, number in counts.items() if number}
    if lost:
        listed = ", ".join(f"{number} {reason}" for reason, number in lost.items())
        warn(
            f"{source}: omitted {sum(lost.values())} of {total} fixations: {listed}.",
            SkippedDataWarning,
        )
    left = table[kept]
    return left.set_axis(pd.RangeIndex(1, len(left) + 1, name="row"))


def beside_image(table: pd.DataFrame, size_of: SizeOf) -> BoolArray:
    """Return which fixations lie off the image. Without its size, negative positions do."""
    sizes = {image: size_of(image) or (np.inf, np.inf) for image in table["image"].unique()}
    limits = np.array([sizes[image] for image in table["image"]], np.float64)
    high = limits[:, ::-1] - 0.5
    places = table[["x", "y"]].to_numpy()
    beside = np.logical_not(((places >= -0.5) & (places < high)).all(axis=1))
    return np.asarray(beside, np.bool_)
