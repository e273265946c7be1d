"""Read CSV tables as text, completely or not at all, and check their columns."""

import bz2
import csv
import gzip
import io
import lzma
import stat
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.datasets._clean_names import clean_names
from gazesal.datasets._columns import number_column
from gazesal.datasets._dialects import (
    SEPARATOR_LINE,
    Dialect,
    decoded,
    delimiter_of,
    without_comments,
)
from gazesal.datasets.numpy_files import require_plain_members
from gazesal.exceptions import InputWarning

UNPACKERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# A small compressed file can unpack to more than the memory. At most UNPACKED bytes are read, or
# RATIO times the size of the file. Tables of gaze are compressed by a factor of 3 to 20.
UNPACKED = 2**27
RATIO = 100


def read_csv_text(path: Path, dialect: Dialect | None = None) -> pd.DataFrame:
    """Read a CSV table, also compressed, with every value as text, indexed by line.

    The header is the first line below comments and a line such as ``sep=;``. The encoding is
    UTF-8, unless there is a byte order mark, and the delimiter is detected. Blank lines and
    comments are counted in the index and omitted. A line with only delimiters is a row whose values
    are missing. Line breaks within quoted fields are not counted in the index. Callers that offer
    arguments for the layout pass a `dialect`.
    """
    known = dialect or Dialect()
    try:
        arguments = dialect is not None
        text, doubt = decoded(_read_bytes(path), known.encoding, arguments=arguments)
        first_line, delimiter = 1, known.delimiter
        named = SEPARATOR_LINE.match(text)
        if named:
            text, first_line = text[named.end() :], 2
            delimiter = delimiter or named[1]
        text, n_before = without_comments(text)
        first_line += n_before
        delimiter = delimiter or delimiter_of(text, arguments=arguments)
        names, table = _parsed(text, delimiter)
        table = table.fillna("")  # fields that are missing at the end of a short line
        blank = (table == "").all(axis=1).to_numpy()
        if blank.any():  # pandas does not distinguish blank lines from lines with only commas
            blank = blank & _are_blank(text, delimiter, len(table))
    except FileNotFoundError:
        raise
    except Exception as error:  # the parsers raise errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as a CSV table: {error}") from error
    if doubt:
        warn(f"{path}: {doubt}", InputWarning)
    table.columns = pd.Index(clean_columns(names, path), dtype="object")
    first = first_line + 1  # below the header
    table.index = pd.RangeIndex(first, len(table) + first, name="line")
    return table.loc[~blank]


def clean_columns(names: list[str], path: Path) -> list[str]:
    """Return the names of columns without blanks around them, and raise if one is repeated."""
    try:
        cleaned = clean_names(names, what="names of columns")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    found = [cleaned[name] for name in names]
    twice = sorted({name for name in found if name and found.count(name) > 1})
    if twice:
        raise ValueError(
            f"{path}: columns must have different names, got {twice[0]!r} {found.count(twice[0])} "
            "times."
        )
    return [name or f"Unnamed: {place}" for place, name in enumerate(found)]


def require_columns(table: pd.DataFrame, names: list[str], path: Path, advice: str = "") -> None:
    """Raise unless the table has all of the columns."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} "
            f"{'are' if len(missing) > 1 else 'is'} missing, got "
            f"{', '.join(map(repr, table.columns))}.{advice}"
        )


def first_true(rows: pd.Series) -> Any:
    """Return the line or row of the first value that is True."""
    return rows.idxmax()


def require_each(
    column: pd.Series, good: pd.Series, path: Path, rule: str, row: str = "line"
) -> None:
    """Raise with file, line and column unless every value of a column is good."""
    if not good.all():
        line: Any = good.idxmin()
        raise ValueError(
            f"{path}, {row} {line}, column {column.name!r}: must be {rule}, got "
            f"{column.loc[line]!r}."
        )


def require_once(column: pd.Series, path: Path, fault: str, row: str = "line") -> None:
    """Raise with both lines if a value is repeated."""
    repeated = column.duplicated()
    if repeated.any():
        line = first_true(repeated)
        first = column.index[column == column.loc[line]][0]
        raise ValueError(
            f"{path}, {row} {line}, column {column.name!r}: {column.loc[line]} {fault}, after "
            f"{row} {first}."
        )


def require_different_rows(raw: pd.DataFrame, path: Path | str, row: str, advice: str = "") -> None:
    """Raise with both rows if a row repeats another in every column."""
    repeated = raw.duplicated()
    if repeated.any():
        line = first_true(repeated)
        first = raw.index[(raw == raw.loc[line]).all(axis=1).to_numpy()][0]
        raise ValueError(
            f"{path}, {row} {line}: repeats {row} {first} in every column, one of "
            f"{int(repeated.sum())} such rows.{advice}"
        )


def parse_numbers(
    column: pd.Series,
    path: Path,
    row: str = "line",
    hint: Callable[[Any], str] = lambda _: "",
) -> pd.Series:
    """Parse a column of text as finite float64, or raise with file, line and column."""
    numbers = number_column(column, source=path, row=row, hint=hint)
    return pd.Series(numbers, index=column.index, dtype=np.float64)


def parse_bools(column: pd.Series, path: Path) -> pd.Series:
    """Parse a column of True and False as bool, or raise with file, line and column."""
    require_each(column, column.isin(["True", "False"]), path, "True or False")
    return column == "True"


def _parsed(text: str, delimiter: str) -> tuple[list[str], pd.DataFrame]:
    """Return the names in the header, and the rows below it as text."""
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter[:1]), [])
    if "\0" in text:
        raise ValueError("it must be text, got NUL characters")
    table: pd.DataFrame = pd.read_csv(
        io.StringIO(text),
        sep=r"\s+" if delimiter == " " else delimiter,
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
    )
    if not isinstance(table.index, pd.RangeIndex):  # pandas makes one of fields without a name
        if delimiter != " " and _lines_end_with_delimiter(text, delimiter, len(names)):
            return _parsed(text.replace("\n", f"{delimiter}\n", 1), delimiter)
        raise ValueError(
            f"rows must have at most the {table.shape[1]} fields of the header, got more. Check if "
            "numbers have commas as decimal signs"
        )
    if len(names) != table.shape[1]:
        names = [str(name) for name in table.columns]
    return names, table


def _lines_end_with_delimiter(text: str, delimiter: str, n: int) -> bool:
    """Return whether each line below a header of n names has an empty field more at its end."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(rows)
    return all(len(row) == n + 1 and not row[-1] for row in rows if row)


def _are_blank(text: str, delimiter: str, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mark the rows of the n below the header that are empty lines, without any delimiter."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(rows)
    blank = np.array([not row for row in rows])
    if len(blank) != n:
        raise ValueError(f"its quotes are not clear, got {n} or {len(blank)} rows")
    return blank


def _read_bytes(path: Path, unpacked: int = UNPACKED) -> bytes:
    """Return the bytes of a table, decompressed according to its suffix.

    A compressed table may have `unpacked` bytes, or more if the file is large.
    """
    suffix = path.suffix.lower()
    found = path.stat()
    if stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode):  # /dev/zero has no end
        raise ValueError("it must be a regular file, got a device or a pipe")
    most = max(unpacked, RATIO * found.st_size)
    with ExitStack() as stack:
        file: Any
        if suffix == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = [
                name
                for name in archive.namelist()
                if not name.endswith("/") and not name.startswith("__MACOSX/")
            ]
            if len(names) != 1:
                raise ValueError(f"the archive must have one table, got {len(names)}")
            require_plain_members(archive)
            file = stack.enter_context(archive.open(names[0]))
        elif suffix in UNPACKERS:
            file = stack.enter_context(UNPACKERS[suffix](path))
        else:
            return path.read_bytes()
        data: bytes = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it unpacks to more than {RATIO} times its size. Unpack it first")
    return data
