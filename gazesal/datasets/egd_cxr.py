"""Read the fixations of the EGD-CXR release."""

import re
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path
from gazesal.datasets._columns import name_column
from gazesal.datasets._csv import (
    first_true,
    parse_numbers,
    read_csv_text,
    require_columns,
    require_each,
)
from gazesal.datasets.gaze_formats.read_table import ONE_OBSERVER
from gazesal.datasets.screens import IMAGE_ORIGINS, Origin
from gazesal.exceptions import SkippedDataWarning

__all__ = ["read_egd_fixations"]

ID_LENGTH = 44  # characters of a DICOM id of MIMIC-CXR, five groups of eight
CUT_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{8})+(-[0-9a-z]{0,7})?", re.ASCII)
COLUMNS = ["DICOM_ID", "FPOGD", "FPOGID", "FPOGV", "X_ORIGINAL", "Y_ORIGINAL"]


def read_egd_fixations(
    path: str | Path,
    *,
    origin: Origin = "pixel_center",
    duplicates: Literal["raise", "longest"] = "raise",
) -> pd.DataFrame:
    r"""Read the fixations of EGD-CXR, of one radiologist on chest X-rays.

    Parameters
    ----------
    path : str or path
        ``fixations.csv`` of the release, also compressed.
    origin : {"pixel_center", "pixel_corner", "one_based"}, default "pixel_center"
        Origin of ``X_ORIGINAL`` and ``Y_ORIGINAL``, as in `read_fixations`. In the release, they
        are measured from the outer corner of the image and then *truncated* to whole numbers. They
        are therefore the column and the row of the fixated pixel, which is pixel centers at
        integers. Use ``"pixel_corner"`` for a table whose positions were computed again without
        truncation.
    duplicates : {"raise", "longest"}, default "raise"
        Handling of several valid rows of one fixation on an image: refuse the file, or take the row
        with the longest duration, the first if equal. A fixation is a ``FPOGID``, within a
        ``SESSION_ID`` if the file has this column. In ``eye_gaze.csv``, every fixation has a row
        for each sample, and its duration increases from row to row.

    Returns
    -------
    pandas.DataFrame
        Columns image (the DICOM id), observer (the same for all), x, y (image pixels, pixel
        centers at integers) and duration (seconds), as from `read_fixations`. The index is the
        line of the file. Its ``attrs`` are ``n_invalid``, the number of rows without a fixation
        (``FPOGV`` 0), ``n_off_image``, the number of rows without a position on the image, and
        ``images_lost``, the images of which no row is left.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file cannot be read, a column is missing, no fixation is left, or a row has a
        missing or invalid value. The message names file, line and column.
    TypeError
        If `path` is not a path.

    Warns
    -----
    SkippedDataWarning
        If rows were omitted, with their numbers.
    UserWarning
        If ids of images are shorter than in MIMIC-CXR, as some ids of the release are.

    See Also
    --------
    read_fixations : Read other tables of fixations.

    Notes
    -----
    The release :footcite:p:`egdcxr2020` is described in :footcite:t:`karargyris2021`. Its code
    gives gaze outside the image the same negative position, -1 in screen pixels scaled to the
    image. In a map, these rows would be a spurious spot at the upper left corner, so they are
    omitted and counted. A position can be one pixel beyond the right or lower border, because the
    code pads images with odd sides. The option ``outside`` handles it, as for other fixations.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "fixations.csv")
    ...     _ = path.write_text(
    ...         "DICOM_ID,FPOGD,FPOGID,FPOGV,X_ORIGINAL,Y_ORIGINAL\n0a-1b,0.25,7,1,812,640\n"
    ...     )
    ...     table = gazesal.datasets.read_egd_fixations(path)
    >>> table.loc[2].to_dict()
    {'image': '0a-1b', 'observer': '1', 'x': 812.0, 'y': 640.0, 'duration': 0.25}
    """
    path = as_path(path, name="path")
    as_choice(origin, tuple(IMAGE_ORIGINS), name="origin")
    as_choice(duplicates, ("raise", "longest"), name="duplicates")
    raw = read_csv_text(path)
    require_columns(raw, COLUMNS, path)
    if raw.empty:
        raise ValueError(f"{path}: must have at least one fixation, got none.")
    require_each(raw["DICOM_ID"], raw["DICOM_ID"].str.strip() != "", path, "the image's id")
    raw.attrs["source"] = str(path)  # for error messages
    codes, ids = name_column(raw, "DICOM_ID", what="names of images")
    images = pd.Series(np.array(ids, dtype=object)[codes], index=raw.index, dtype="str")
    flag = parse_numbers(raw["FPOGV"], path)
    require_each(raw["FPOGV"], flag.isin([0, 1]), path, "0 or 1")
    valid = raw[flag == 1]
    table = pd.DataFrame(
        {
            "image": images[valid.index],
            "observer": ONE_OBSERVER,
            "x": parse_numbers(valid["X_ORIGINAL"], path),
            "y": parse_numbers(valid["Y_ORIGINAL"], path),
            "duration": parse_numbers(valid["FPOGD"], path),
        }
    )
    require_each(valid["FPOGD"], table["duration"] >= 0, path, "a non-negative duration")
    on_image = (table[["x", "y"]] >= 0).all(axis=1)
    keys = [name for name in ("DICOM_ID", "SESSION_ID", "FPOGID") if name in raw]
    table, valid = table[on_image], valid[on_image]
    repeated = valid.duplicated(keys)
    if repeated.any() and duplicates == "raise":
        line = first_true(repeated)
        raise ValueError(
            f"{path}, line {line}, column 'FPOGID': must have one row per image, got another of "
            f"{valid.loc[line, 'FPOGID']!r} on {table.loc[line, 'image']}, one of "
            f'{int(repeated.sum())} such rows. Use duplicates="longest" for a table of samples.'
        )
    if repeated.any():
        longest = table.sort_values("duration", ascending=False, kind="stable").index
        table = table.loc[sorted(valid.loc[longest].drop_duplicates(keys).index)]
    if table.empty:
        raise ValueError(f"{path}: must hold at least one valid fixation on an image, got none.")
    cut = sorted(name for name in set(images) if CUT_ID.fullmatch(name) and len(name) < ID_LENGTH)
    if cut:
        warn(
            f"{path}: {len(cut)} ids of images have fewer than {ID_LENGTH} characters and are "
            f"probably cut off, such as {cut[0]!r}. Complete them to match the names of maps.",
            UserWarning,
        )
    lost = sorted(set(images) - set(table["image"]))
    n_invalid, n_off_image = int((flag == 0).sum()), int((~on_image).sum())
    if n_invalid or n_off_image:
        warn(
            f"{path}: omitted {n_invalid} of {len(raw)} rows that the tracker marks as invalid and "
            f"{n_off_image} without a position on the image. No row is left of {len(lost)} images.",
            SkippedDataWarning,
        )
    table[["x", "y"]] -= IMAGE_ORIGINS[origin]
    table.attrs = {
        "source": str(path),
        "n_invalid": n_invalid,
        "n_off_image": n_off_image,
        "images_lost": lost,
    }
    return table
