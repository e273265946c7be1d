"""Read tables of fixations from CSV and Parquet files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path, as_text
from gazesal.datasets._columns import name_column
from gazesal.datasets._csv import (
    Dialect,
    first_true,
    parse_numbers,
    read_csv_text,
    require_columns,
    require_different_rows,
    require_each,
    with_decimal_points,
)
from gazesal.datasets._parquet import read_parquet
from gazesal.exceptions import SkippedDataWarning

__all__ = ["FIXATION_COLUMNS", "read_fixations"]

Origin = Literal["pixel_center", "pixel_corner", "one_based"]
FIXATION_COLUMNS = ("image", "observer", "x", "y", "duration")
ONE_OBSERVER = "1"  # name of the observer if a table has no column of observers
# Marks of a missing number in tables, in lower case.
MISSING = ("", ".", "-", "--", "*", "n/a", "#n/a", "na", "nan", "<na>", "null", "none", "nil")
ORIGINS = {"pixel_center": 0.0, "pixel_corner": 0.5, "one_based": 1.0}


def read_fixations(
    path: str | Path,
    *,
    origin: Origin = "pixel_center",
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
    missing: Literal["raise", "drop"] = "raise",
    delimiter: str | None = None,
    decimal: Literal[".", ","] | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    r"""Read a table of fixations, one per row, and check every row.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed (.gz, .bz2, .xz, .zip), or a Parquet file (.parquet, .pq; extra
        ``parquet``).
    origin : {"pixel_center", "pixel_corner", "one_based"}, default "pixel_center"
        Origin of the coordinates in the file. ``"pixel_center"``: (0, 0) is the center of the first
        pixel. ``"pixel_corner"``: (0, 0) is the outer corner of the image, as for most
        trackers. ``"one_based"``: (1, 1) is the center of the first pixel. Read positions relative
        to the size of the image with ``"pixel_center"``, and subtract 0.5 after converting them to
        pixels.
    columns : mapping of str to str, optional
        Names in the file of the columns ``image``, ``observer``, ``x``, ``y`` and ``duration``, if
        they differ, such as ``{"duration": "duration_ms"}``. With an empty name for ``duration``,
        every fixation has the same weight. With an empty name for ``observer``, all fixations
        belong to one observer, named 1.
    duplicates : {"raise", "drop", "keep"}, default "raise"
        Handling of rows that repeat another row in every column of the file.
    missing : {"raise", "drop"}, default "raise"
        Handling of rows without a position or a duration: empty, ``.``, ``-``, ``n/a``, ``nan`` and
        similar marks.
    delimiter : str, optional
        Character between the fields of a CSV file, or ``" "`` for any number of blanks. By default,
        the comma, semicolon, tab or bar of the header, or the character of its line ``sep=``.
    decimal : {".", ","}, optional
        Decimal sign of a CSV file. By default, a comma if numbers have commas that cannot be
        anything else.
    encoding : str, optional
        Encoding of a CSV file, such as ``"cp1252"``. By default, UTF-8 or the encoding of its byte
        order mark.

    Returns
    -------
    pandas.DataFrame
        Columns image and observer (str), x, y (image pixels, pixel centers at integers) and
        duration (non-negative, unit as in the file), in the order of the file. The index is the
        line of a CSV file, where the header is line 1, or the 1-based row of a Parquet file.

    Raises
    ------
    ValueError
        If the file cannot be read, a column is missing, there is no row, or a row has a missing or
        invalid value. The message names file, line and column. If delimiter, decimal sign or
        encoding are not clear from the file.
    TypeError
        If `path` is not a path, or `columns` is not a mapping.
    ImportError
        If a Parquet file is given and the extra is not installed.

    Warns
    -----
    SkippedDataWarning
        If rows were omitted by ``missing="drop"``.

    Notes
    -----
    Blanks around names are removed, and their letters are composed (Unicode NFC).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "fixations.csv")
    ...     _ = path.write_text("image,observer,x,y,duration\n7,ann,1.5,0.5,230\n")
    ...     table = gazesal.read_fixations(path, origin="pixel_corner")
    >>> table.loc[2].to_dict()
    {'image': '7', 'observer': 'ann', 'x': 1.0, 'y': 0.0, 'duration': 230.0}
    """
    path = as_path(path, name="path")
    names = _names_in_file(columns)
    if any(not name and column in {"image", "x", "y"} for column, name in names.items()):
        raise ValueError(
            "`columns` must have a name for image, x and y, got an empty one. Only observer and "
            "duration may be empty."
        )
    as_choice(missing, ("raise", "drop"), name="missing")
    if decimal is not None:
        as_choice(decimal, (".", ","), name="decimal")
    for name, value in (("delimiter", delimiter), ("encoding", encoding)):
        if value is not None and not as_text(value, name=name):
            raise ValueError(f"`{name}` must not be empty, got {value!r}.")
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"`delimiter` must be one character, got {delimiter!r}.")
    layout = _NumberLayout(Dialect(delimiter=delimiter, encoding=encoding), decimal, missing)
    return _checked(path, names, origin, duplicates, layout, observer=ONE_OBSERVER)


@dataclass(frozen=True, slots=True)
class _NumberLayout:
    """Layout of the numbers in a file, without a dialect if the caller has no arguments for it."""

    dialect: Dialect | None = None
    decimal: str | None = None
    missing: str = "raise"


def read_reading(
    path: Path,
    *,
    image: str,
    observer: str,
    origin: Origin = "pixel_center",
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
) -> pd.DataFrame:
    """Read a table of the fixations of one observer on one image, as `read_fixations` does.

    The columns image and observer are optional. If present, they must have the same names.
    """
    names = _names_in_file(columns)
    there, _ = _read_any(path, None)
    for column in ("image", "observer"):
        if names[column] not in there.columns:
            names[column] = ""
    table = _checked(
        path, names, origin, duplicates, _NumberLayout(), image=image, observer=observer
    )
    for column, wanted in (("image", image), ("observer", observer)):
        good = table[column] == wanted
        row = str(table.index.name)
        require_each(table[column], good, path, f"{wanted!r}, whose file this is", row)
    return table


def _names_in_file(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the name of each column in a file."""
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(
            f"`columns` must be a mapping to the names in the file, got {type(columns).__name__}."
        )
    names = {column: column for column in FIXATION_COLUMNS} | dict(columns or {})
    unknown = sorted(set(names) - set(FIXATION_COLUMNS))
    if unknown:
        raise ValueError(
            f"`columns` must rename {', '.join(FIXATION_COLUMNS)}, got {', '.join(unknown)}."
        )
    theirs = [name for name in names.values() if name]
    if len(set(theirs)) < len(theirs):
        raise ValueError(f"`columns` must name different columns of the file, got {names}.")
    return names


def _checked(
    path: Path,
    names: Mapping[str, str],
    origin: str,
    duplicates: str,
    layout: _NumberLayout,
    **constant: str,
) -> pd.DataFrame:
    """Read and check the table of a file, with constants for columns without a name in it."""
    as_choice(origin, tuple(ORIGINS), name="origin")
    as_choice(duplicates, ("raise", "drop", "keep"), name="duplicates")
    raw, row = _read_raw(path, names, layout)
    if duplicates == "raise":
        advice = ' Use duplicates="drop" to take each row once, or "keep" to take all.'
        require_different_rows(raw, path, row, advice)
    elif duplicates == "drop":
        raw = raw.drop_duplicates()
    raw.attrs["source"] = str(path)  # for later error messages
    table = pd.DataFrame(index=raw.index.rename(row))
    hint = partial(_hint, arguments=layout.dialect is not None)
    for column in ("image", "observer"):
        if names[column]:
            codes, labels = name_column(raw, names[column], what=f"names of {column}s")
            table[column] = np.array(labels, dtype=object)[codes]
        else:
            table[column] = constant[column]
        table[column] = table[column].astype("str")
    for column in ("x", "y"):
        table[column] = parse_numbers(raw[names[column]], path, row, hint) - ORIGINS[origin]
    if names["duration"]:
        durations = parse_numbers(raw[names["duration"]], path, row, hint)
        if (durations < 0).any():
            line = first_true(durations < 0)
            raise ValueError(
                f"{path}, {row} {line}, column {names['duration']!r}: must be non-negative, got "
                f"{raw.loc[line, names['duration']]!r}."
            )
        table["duration"] = durations
    else:
        table["duration"] = 1.0
    table.attrs["source"] = str(path)
    return table


def _read_raw(
    path: Path, names: Mapping[str, str], layout: _NumberLayout
) -> tuple[pd.DataFrame, str]:
    """Read the file as text (CSV) or as stored (Parquet), indexed by line or row."""
    raw, row = _read_any(path, layout.dialect)
    advice = (
        " Give the names in the file with `columns` (--column NAME=THEIRS), or an empty name if "
        "there are no durations (--column duration=)."
    )
    require_columns(raw, [name for name in names.values() if name], path, advice)
    numbers = [names[column] for column in ("x", "y", "duration") if names[column]]
    if row == "line":
        raw = with_decimal_points(raw, numbers, path, layout.decimal)
    elif layout.dialect not in {None, Dialect()} or layout.decimal is not None:
        raise ValueError(
            f"{path}: `delimiter`, `decimal` and `encoding` must be used with a CSV file, got a "
            "Parquet file. Omit them."
        )
    if layout.missing == "drop":
        raw = _with_places(raw, numbers, path)
    if raw.empty:
        raise ValueError(f"{path}: must have at least one fixation, got none.")
    return raw, row


def _with_places(raw: pd.DataFrame, numbers: list[str], path: Path) -> pd.DataFrame:
    """Return the rows that have a position and a duration."""
    lost = np.zeros(len(raw), np.bool_)
    for name in numbers:
        texts = raw[name].astype(str).str.strip().str.casefold()
        lost |= (raw[name].isna() | texts.isin(MISSING)).to_numpy(np.bool_)
    if lost.any():
        warn(
            f"{path}: omitted {int(lost.sum())} of {len(raw)} rows without a position or a "
            "duration.",
            SkippedDataWarning,
        )
    return raw.loc[~lost]


def _hint(value: Any, *, arguments: bool) -> str:
    """Return a clause about the probable meaning of a value that is not a number."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    if "," in text and arguments:
        return '. Use decimal="," if its decimal sign is a comma'
    if text in MISSING or value is None or value != value:  # noqa: PLR0124 (NaN)
        return (
            ', which marks a missing value. Use missing="drop" to omit such rows'
            if arguments
            else ", which marks a missing value. Remove such rows"
        )
    return ""


def _read_any(path: Path, dialect: Dialect | None) -> tuple[pd.DataFrame, str]:
    """Read a file by its suffix, and return its table and the unit of its index."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return read_parquet(path), "row"
    return read_csv_text(path, dialect), "line"
