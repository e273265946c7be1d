"""The fixations of the EGD-CXR release."""

import re
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal.datasets._arguments import as_path
from gazesal.datasets._columns import name_column
from gazesal.datasets._csv import (
    first_true,
    parse_numbers,
    read_csv_text,
    require_columns,
    require_each,
)
from gazesal.datasets.fixation_table import ONE_OBSERVER, ORIGINS, Origin
from gazesal.exceptions import SkippedDataWarning

__all__ = ["read_egd_fixations"]

ID_LENGTH = 44  # characters of a DICOM id of MIMIC-CXR, five groups of eight
CUT_ID = re.compile(r"[0-9a-z]{8}(-[0-9a-z]{8})+(-[0-9a-z]{0,7})?", re.ASCII)
COLUMNS = ["DICOM_ID", "FPOGD", "FPOGID", "FPOGV", "X_ORIGINAL", "Y_ORIGINAL"]


def read_egd_fixations(
    path: str | Path,
    *,
    origin: Origin = "center",
    duplicates: Literal["raise", "longest"] = "raise",
) -> pd.DataFrame:
    """Read the table of fixations of EGD-CXR, one radiologist's on chest X-rays.

    Parameters
    ----------
    path : str or path
        ``fixations.csv`` of the release, also compressed.
    origin : {"center", "corner", "matlab"}, default "center"
        Where ``X_ORIGINAL`` and ``Y_ORIGINAL`` begin, as in `read_fixations`. The release's are
        measured from the outer corner of the image and then *cut* to whole numbers, which makes
        them the column and the row of the pixel looked at, and half a pixel too small on
        average: as they stand, they are pixel centers at integers. Say ``"corner"`` for a table
        whose places were mapped onto the image anew and not cut.
    duplicates : {"raise", "longest"}, default "raise"
        What to do where one fixation (``FPOGID``, of one ``SESSION_ID`` where the file has that
        column) has several valid rows on an image: refuse the file, or take the row of the
        longest duration, the first of equals. In ``eye_gaze.csv`` every fixation has a row for
        each sample, and its duration grows from one to the next.

    Returns
    -------
    pandas.DataFrame
        Columns image (the DICOM id), observer (the same for all), x, y (image pixels, pixel
        centers at integers) and duration (seconds), as of `read_fixations`; the index is the
        line of the file. In ``attrs``: ``n_invalid`` rows the tracker gave no fixation for
        (``FPOGV`` 0), ``n_off_image`` rows without a place on the image, and ``images_lost``,
        the images of which no row is left.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file cannot be read, a column is missing, no fixation is left, or a row has a
        missing or bad value; the message names file, line and column.
    TypeError
        If the path is not one.

    Warns
    -----
    SkippedDataWarning
        If rows were left out, with their numbers.
    UserWarning
        If ids of images are shorter than those of MIMIC-CXR, as some of the release are.

    See Also
    --------
    read_fixations : The same from any table.

    Notes
    -----
    The release :footcite:p:`egdcxr2020` is described in :footcite:t:`karargyris2021`. Its code
    does not keep where gaze beside the image went: it writes one negative place for all of it,
    -1 in screen pixels scaled to the image. Drawn, these would be a spurious spot at the upper
    left corner, so rows with a negative place are left out and counted. A place can still lie one
    pixel past the right or lower border, since that code pads images whose sides are odd; choose
    with ``outside``, as for any fixations.

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
    ...         "DICOM_ID,FPOGD,FPOGID,FPOGV,X_ORIGINAL,Y_ORIGINAL\\n0a-1b,0.25,7,1,812,640\\n"
    ...     )
    ...     table = gazesal.datasets.read_egd_fixations(path)
    >>> table.loc[2].to_dict()
    {'image': '0a-1b', 'observer': '1', 'x': 812.0, 'y': 640.0, 'duration': 0.25}
    """
    path = as_path(path, name="path")
    as_choice(origin, tuple(ORIGINS), name="origin")
    as_choice(duplicates, ("raise", "longest"), name="duplicates")
    raw = read_csv_text(path)
    require_columns(raw, COLUMNS, path)
    if raw.empty:
        raise ValueError(f"{path}: there are no fixations in the table.")
    require_each(raw["DICOM_ID"], raw["DICOM_ID"].str.strip() != "", path, "the image's id")
    raw.attrs["source"] = str(path)  # for messages
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
            f"{path}, line {line}, column 'FPOGID': {valid.loc[line, 'FPOGID']!r} has a row before "
            f"it on image {table.loc[line, 'image']}, as have {int(repeated.sum())} rows in all; "
            'is this the table of samples? duplicates="longest" takes the longest row of each '
            "fixation."
        )
    if repeated.any():
        longest = table.sort_values("duration", ascending=False, kind="stable").index
        table = table.loc[sorted(valid.loc[longest].drop_duplicates(keys).index)]
    if table.empty:
        raise ValueError(f"{path}: no valid fixation lies on an image.")
    cut = sorted(name for name in set(images) if CUT_ID.fullmatch(name) and len(name) < ID_LENGTH)
    if cut:
        warnings.warn(
            f"{path}: {len(cut)} ids of images are cut off, for they have fewer than {ID_LENGTH} "
            f"characters, such as {cut[0]!r}. Complete them, or maps will not be found by them.",
            UserWarning,
            stacklevel=2,
        )
    lost = sorted(set(images) - set(table["image"]))
    n_invalid, n_off_image = int((flag == 0).sum()), int((~on_image).sum())
    if n_invalid or n_off_image:
        warnings.warn(
            f"{path}: left out {n_invalid} of {len(raw)} rows that the tracker marks invalid and "
            f"{n_off_image} without a place on the image; {len(lost)} images have no other.",
            SkippedDataWarning,
            stacklevel=2,
        )
    table[["x", "y"]] -= ORIGINS[origin]
    table.attrs = {
        "source": str(path),
        "n_invalid": n_invalid,
        "n_off_image": n_off_image,
        "images_lost": lost,
    }
    return table
