"""Tables of fixations from CSV and Parquet files."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal.datasets._arguments import as_path, as_text
from gazesal.datasets._columns import name_column
from gazesal.datasets._csv import (
    Dialect,
    clean_columns,
    first_true,
    parse_numbers,
    read_csv_text,
    require_columns,
    require_different_rows,
    require_each,
    with_decimal_points,
)
from gazesal.exceptions import SkippedDataWarning

__all__ = ["FIXATION_COLUMNS", "read_fixations"]

Origin = Literal["center", "corner", "matlab"]
FIXATION_COLUMNS = ("image", "observer", "x", "y", "duration")
MOST_ROWS = 2**23  # of a Parquet file that has fewer bytes; equal rows take none
ONE_OBSERVER = "1"  # who made all fixations of a table that does not say
# How tables mark a missing number, in lower case.
MISSING = ("", ".", "-", "--", "*", "n/a", "#n/a", "na", "nan", "<na>", "null", "none", "nil")
ORIGINS = {"center": 0.0, "corner": 0.5, "matlab": 1.0}


def read_fixations(
    path: str | Path,
    *,
    origin: Origin = "center",
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
    missing: Literal["raise", "drop"] = "raise",
    delimiter: str | None = None,
    decimal: Literal[".", ","] | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a table of fixations, one a row, and check every row.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed (.gz, .bz2, .xz, .zip), or a Parquet file (.parquet, .pq; extra
        ``parquet``).
    origin : {"center", "corner", "matlab"}, default "center"
        Where the file's coordinates begin: (0, 0) is the center of the first pixel, (0, 0) is the
        outer corner of the image, as most trackers have it, or (1, 1) is the center of the first
        pixel. Read places that are shares of the image with ``"center"``, and subtract 0.5 after
        making them pixels.
    columns : mapping of str to str, optional
        What a column is called in the file, where it is not ``image``, ``observer``, ``x``,
        ``y`` or ``duration``: ``{"duration": "duration_ms"}``. Naming ``duration`` as ``""``
        says that there is none, and every fixation counts alike; naming ``observer`` as ``""``,
        that one observer, called 1, made them all.
    duplicates : {"raise", "drop", "keep"}, default "raise"
        What to do with rows that repeat another in every column of the file.
    missing : {"raise", "drop"}, default "raise"
        What to do with rows without a place or a duration: empty, ``.``, ``-``, ``n/a``, ``nan``
        and the like.
    delimiter : str, optional
        Character between the fields of a CSV file; ``" "`` for any blanks. By default a comma,
        semicolon, tab or bar, whichever the header has, or as its line ``sep=`` says.
    decimal : {".", ","}, optional
        Decimal sign of a CSV file. By default a comma if numbers have one and can be nothing else.
    encoding : str, optional
        Encoding of a CSV file, such as ``"cp1252"``. By default UTF-8, or as its byte order mark
        says.

    Returns
    -------
    pandas.DataFrame
        Columns image and observer (str), x, y (image pixels, pixel centers at integers) and
        duration (non-negative, unit as in the file), in the order of the file. The index is the
        line of a CSV file, where the header is line 1, or the 1-based row of a Parquet file.

    Raises
    ------
    ValueError
        If the file cannot be read, a column is missing, there is no row, or a row has a missing
        or bad value; the message names file, line and column. If delimiter, decimal sign or
        encoding cannot be told from the file.
    TypeError
        If the path is not one, or `columns` is not a mapping.
    ImportError
        If a Parquet file is given and the extra is not installed.

    Warns
    -----
    SkippedDataWarning
        If rows were left out under ``missing="drop"``.

    Notes
    -----
    Names are taken without blanks around them and with their letters composed (Unicode's NFC).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "fixations.csv")
    ...     _ = path.write_text("image,observer,x,y,duration\\n7,ann,1.5,0.5,230\\n")
    ...     table = gazesal.read_fixations(path, origin="corner")
    >>> table.loc[2].to_dict()
    {'image': '7', 'observer': 'ann', 'x': 1.0, 'y': 0.0, 'duration': 230.0}
    """
    path = as_path(path, name="path")
    names = _names_in_file(columns)
    if any(not name and column in {"image", "x", "y"} for column, name in names.items()):
        raise ValueError(
            "`columns` must name every column in the file; only observer and duration may be none."
        )
    as_choice(missing, ("raise", "drop"), name="missing")
    if decimal is not None:
        as_choice(decimal, (".", ","), name="decimal")
    for name, value in (("delimiter", delimiter), ("encoding", encoding)):
        if value is not None and not as_text(value, name=name):
            raise ValueError(f"`{name}` must not be empty.")
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"`delimiter` must be one character, got {delimiter!r}.")
    layout = _Layout(Dialect(delimiter=delimiter, encoding=encoding), decimal, missing)
    return _checked(path, names, origin, duplicates, layout, observer=ONE_OBSERVER)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Layout of the numbers in a file; without a dialect if the caller asks for none."""

    dialect: Dialect | None = None
    decimal: str | None = None
    missing: str = "raise"


def read_reading(
    path: Path,
    *,
    image: str,
    observer: str,
    origin: Origin = "center",
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
) -> pd.DataFrame:
    """Read a table of the fixations of one observer on one image, as `read_fixations` does.

    The columns image and observer need not be there; where they are, they must say the same.
    """
    names = _names_in_file(columns)
    there, _ = _read_any(path, None)
    for column in ("image", "observer"):
        if names[column] not in there.columns:
            names[column] = ""
    table = _checked(path, names, origin, duplicates, _Layout(), image=image, observer=observer)
    for column, wanted in (("image", image), ("observer", observer)):
        good = table[column] == wanted
        row = str(table.index.name)
        require_each(table[column], good, path, f"{wanted!r}, whose file this is", row)
    return table


def _names_in_file(columns: Mapping[str, str] | None) -> dict[str, str]:
    """What each column is called in a file."""
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(
            f"`columns` must be a mapping from a name to the file's, got {type(columns).__name__}."
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
    layout: _Layout,
    **constant: str,
) -> pd.DataFrame:
    """The table of a file; columns without a name in it hold a constant."""
    as_choice(origin, tuple(ORIGINS), name="origin")
    as_choice(duplicates, ("raise", "drop", "keep"), name="duplicates")
    raw, row = _read_raw(path, names, layout)
    if duplicates == "raise":
        advice = '; duplicates="drop" takes each once, "keep" takes all'
        require_different_rows(raw, path, row, advice)
    elif duplicates == "drop":
        raw = raw.drop_duplicates()
    raw.attrs["source"] = str(path)  # for later messages
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
                f"{path}, {row} {line}, column {names['duration']!r}: a duration must be "
                f"non-negative, got {raw.loc[line, names['duration']]!r}."
            )
        table["duration"] = durations
    else:
        table["duration"] = 1.0
    table.attrs["source"] = str(path)
    return table


def _read_raw(path: Path, names: Mapping[str, str], layout: _Layout) -> tuple[pd.DataFrame, str]:
    """The file as strings (CSV) or as stored (Parquet), indexed by line or row."""
    raw, row = _read_any(path, layout.dialect)
    advice = (
        " Say what it is called there with `columns` (--column NAME=THEIRS), or with an empty name "
        "that there are no durations (--column duration=)."
    )
    require_columns(raw, [name for name in names.values() if name], path, advice)
    numbers = [names[column] for column in ("x", "y", "duration") if names[column]]
    if row == "line":
        raw = with_decimal_points(raw, numbers, path, layout.decimal)
    elif layout.dialect not in {None, Dialect()} or layout.decimal is not None:
        raise ValueError(f"{path}: `delimiter`, `decimal` and `encoding` go with CSV files.")
    if layout.missing == "drop":
        raw = _with_places(raw, numbers, path)
    if raw.empty:
        raise ValueError(f"{path}: there are no fixations in the table.")
    return raw, row


def _with_places(raw: pd.DataFrame, numbers: list[str], path: Path) -> pd.DataFrame:
    """Return the rows whose place and duration are there."""
    lost = np.zeros(len(raw), np.bool_)
    for name in numbers:
        texts = raw[name].astype(str).str.strip().str.casefold()
        lost |= (raw[name].isna() | texts.isin(MISSING)).to_numpy(np.bool_)
    if lost.any():
        warnings.warn(
            f"{path}: left out {int(lost.sum())} of {len(raw)} rows whose place or duration is "
            "missing.",
            SkippedDataWarning,
            stacklevel=5,
        )
    return raw.loc[~lost]


def _hint(value: Any, *, arguments: bool) -> str:
    """Return what a text that is not a number is likely to be, and the argument for it."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    if "," in text and arguments:
        return '; if its decimal sign is a comma, say decimal=","'
    if text in MISSING or value is None or value != value:  # noqa: PLR0124 (NaN)
        return (
            ', which is a mark for no gaze; missing="drop" leaves out such rows'
            if arguments
            else ", which is a mark for missing values; leave out such rows"
        )
    return ""


def _read_any(path: Path, dialect: Dialect | None) -> tuple[pd.DataFrame, str]:
    if path.suffix.lower() in {".parquet", ".pq"}:
        return read_parquet(path), "row"
    return read_csv_text(path, dialect), "line"


def read_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet table as stored, indexed by 1-based row; nested values as text."""
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            f"{path}: reading Parquet needs pyarrow: pip install 'gazesal[parquet]'."
        ) from error
    try:
        with path.open("rb") as file:
            opened = pq.ParquetFile(file)
            n = opened.metadata.num_rows
            if n > max(MOST_ROWS, path.stat().st_size):
                raise ValueError(  # noqa: TRY301
                    f"it claims {n} rows, more than {MOST_ROWS} and than its bytes"
                )
            table = opened.read()
        table.validate(full=True)
        for place, field in enumerate(table.schema):
            if pa.types.is_nested(field.type):  # its values cannot be compared nor hashed
                texts = [None if each is None else repr(each) for each in table[place].to_pylist()]
                table = table.set_column(place, field.name, pa.array(texts, pa.string()))
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file fails in as many ways as it has parts
        raise ValueError(f"{path}: cannot be read as a Parquet table: {error}") from error
    frame.columns = pd.Index(clean_columns([str(name) for name in frame.columns], path))
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame
