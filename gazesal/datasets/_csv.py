"""CSV tables as text, whole or refused."""

import bz2
import csv
import gzip
import io
import lzma
import re
import stat
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._columns import number_column
from gazesal.datasets._names import clean_names
from gazesal.datasets.numpy_files import require_plain_members

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # how Excel names the delimiter
THOUSANDS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"
UNPACKERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# A compressed table must not fill the memory: at most this many bytes, or this many times the size
# of its file. Tables of gaze shrink about 3 to 20 times.
UNPACKED = 2**27
RATIO = 100
BYTE_ORDER_MARKS = (  # the longest first, since one begins another
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Layout of a CSV table; None if the file itself shows it.

    Attributes
    ----------
    delimiter : str, optional
        Character between two fields.
    encoding : str, optional
        Encoding of the text, as Python names it.
    """

    delimiter: str | None = None
    encoding: str | None = None


def read_csv_text(path: Path, dialect: Dialect | None = None) -> pd.DataFrame:
    """Return a CSV table, also compressed, with every value as text, indexed by line.

    The header is first, or second after a line such as ``sep=;``. UTF-8 is expected, or the
    encoding of the byte order mark; the delimiter is taken from the header. Blank lines are
    counted and left out, while a line of nothing but commas is a row whose values are missing. A
    line number is too small by the line breaks within quoted fields above it. A `dialect` is given
    by callers with arguments for it.
    """
    known = dialect or Dialect()
    try:
        text = _decoded(_read_bytes(path), known.encoding, dialect is not None)
        first_line, delimiter = 1, known.delimiter
        named = SEPARATOR_LINE.match(text)
        if named:
            text, first_line = text[named.end() :], 2
            delimiter = delimiter or named[1]
        delimiter = delimiter or _delimiter_of(text, dialect is not None)
        names, table = _parsed(text, delimiter)
        table = table.fillna("")  # the fields that a short line lacks
        blank = (table == "").all(axis=1).to_numpy()
        if blank.any():  # pandas does not tell blank lines from lines of commas
            blank = blank & _are_blank(text, delimiter, len(table))
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise ValueError(f"{path}: cannot be read as a CSV table: {error}") from error
    table.columns = pd.Index(clean_columns(names, path), dtype="object")
    first = first_line + 1  # below the header
    table.index = pd.RangeIndex(first, len(table) + first, name="line")
    return table.loc[~blank]


def clean_columns(names: list[str], path: Path) -> list[str]:
    """Return the names of columns without blanks around them, each there once."""
    try:
        cleaned = clean_names(names, what="names of columns")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    found = [cleaned[name] for name in names]
    twice = sorted({name for name in found if name and found.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: column {twice[0]!r} is there {found.count(twice[0])} times.")
    return [name or f"Unnamed: {place}" for place, name in enumerate(found)]


def require_columns(table: pd.DataFrame, names: list[str], path: Path, advice: str = "") -> None:
    """Raise unless the table has all these columns."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} "
            f"{'are' if len(missing) > 1 else 'is'} missing; the file has "
            f"{', '.join(map(repr, table.columns))}.{advice}"
        )


def first_true(rows: pd.Series) -> Any:
    """Line, or row, of the first value that is True."""
    return rows.idxmax()


def require_each(
    column: pd.Series, good: pd.Series, path: Path, rule: str, row: str = "line"
) -> None:
    """Raise unless every value of a column is good; the error names file, line and column."""
    if not good.all():
        line: Any = good.idxmin()
        raise ValueError(
            f"{path}, {row} {line}, column {column.name!r}: must be {rule}, got "
            f"{column.loc[line]!r}."
        )


def require_once(column: pd.Series, path: Path, fault: str, row: str = "line") -> None:
    """Raise if a value is there a second time; the error names both lines."""
    repeated = column.duplicated()
    if repeated.any():
        line = first_true(repeated)
        first = column.index[column == column.loc[line]][0]
        raise ValueError(
            f"{path}, {row} {line}, column {column.name!r}: {column.loc[line]} {fault}, after "
            f"{row} {first}."
        )


def require_different_rows(raw: pd.DataFrame, path: Path, row: str, advice: str = "") -> None:
    """Raise if a row repeats another in every column; the error names both."""
    repeated = raw.duplicated()
    if repeated.any():
        line = first_true(repeated)
        first = raw.index[(raw == raw.loc[line]).all(axis=1).to_numpy()][0]
        raise ValueError(
            f"{path}, {row} {line}: repeats {row} {first} in every column, as do "
            f"{int(repeated.sum())} rows in all{advice}."
        )


def parse_numbers(
    column: pd.Series,
    path: Path,
    row: str = "line",
    hint: Callable[[Any], str] = lambda _: "",
) -> pd.Series:
    """A column of text as finite float64; the error names file, line and column."""
    numbers = number_column(column, source=path, row=row, hint=hint)
    return pd.Series(numbers, index=column.index, dtype=np.float64)


def with_decimal_points(
    table: pd.DataFrame, columns: list[str], path: Path, decimal: str | None
) -> pd.DataFrame:
    """Return a table of text whose columns of numbers have a point as decimal sign.

    Without `decimal`, commas are decimal signs if no number has a point and some of them cannot
    separate thousands; if all could, a ValueError asks for `decimal`.
    """
    if decimal == ".":
        return table
    texts = pd.concat([table[name] for name in columns]).str.strip()
    commas = texts[texts.str.contains(r"\d?,\d")]
    if commas.empty and decimal is None:
        return table
    points = texts[texts.str.contains(r"\d\.|\.\d")]
    if decimal == "," and not points.empty:
        raise ValueError(
            f'{path}, {table.index.name} {points.index[0]}: got {points.iloc[0]!r} with decimal=","'
            ", where points can only separate thousands. Take them out."
        )
    if not points.empty:
        return table
    if decimal is None and commas.str.fullmatch(THOUSANDS).all():
        raise ValueError(
            f"{path}, {table.index.name} {commas.index[0]}: the comma in {commas.iloc[0]!r} may be "
            'a decimal sign or separate thousands. Say decimal="," for the first, or take it out.'
        )
    changed = {name: table[name].str.replace(",", ".", regex=False) for name in columns}
    return table.assign(**changed)


def parse_bools(column: pd.Series, path: Path) -> pd.Series:
    """A column of True and False as bool; the error names file, line and column."""
    require_each(column, column.isin(["True", "False"]), path, "True or False")
    return column == "True"


def _parsed(text: str, delimiter: str) -> tuple[list[str], pd.DataFrame]:
    """Return names in the header, and the rows below it as text."""
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter[:1]), [])
    if "\0" in text:
        raise ValueError("it holds NUL characters; is it text?")
    table: pd.DataFrame = pd.read_csv(
        io.StringIO(text),
        sep=r"\s+" if delimiter == " " else delimiter,
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
    )
    if not isinstance(table.index, pd.RangeIndex):  # what pandas makes of more fields than names
        raise ValueError(  # noqa: TRY004
            f"a row has more fields than the header, which has {table.shape[1]}; are decimals "
            "written with commas?"
        )
    if len(names) != table.shape[1]:
        names = [str(name) for name in table.columns]
    return names, table


def _delimiter_of(text: str, arguments: bool) -> str:
    """Return the delimiter that the header has; an error if it could be several."""
    header = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    counts = {each: header.count(each) for each in DELIMITERS if each in header}
    advice = "say which with `delimiter`" if arguments else "save it with commas"
    if not counts:
        if len(header.split()) > 2:
            raise ValueError(f"its header has blanks and no other delimiter; {advice}")
        return ","
    best = max(counts, key=lambda each: counts[each])
    if list(counts.values()).count(counts[best]) > 1 or (best != "," and "," in counts):
        shown = ", ".join(f"{DELIMITERS[each]} {n} times" for each, n in counts.items())
        raise ValueError(f"its delimiter is not clear, for the header has {shown}; {advice}")
    return best


def _decoded(data: bytes, encoding: str | None, arguments: bool) -> str:
    """Return the text of a table; an error names the encoding that the bytes look like."""
    for mark, named in BYTE_ORDER_MARKS:
        if encoding is None and data.startswith(mark):
            encoding = named
    advice = "; save it as UTF-8"
    if encoding is None and b"\0" in data[:2]:
        order = "be" if data[0] == 0 else "le"
        advice += f", or say encoding='utf-16-{order}'" if arguments else ""
        raise ValueError(f"it looks like UTF-16 without a byte order mark{advice}")
    try:
        text = data.decode(encoding or "utf-8")
    except LookupError:
        raise ValueError(f"`encoding` must be one that Python knows, got {encoding!r}") from None
    except UnicodeError as error:
        advice += ", or say its encoding, such as encoding='cp1252' (Windows)" if arguments else ""
        raise ValueError(f"its encoding is not {encoding or 'UTF-8'}: {error}{advice}") from None
    return text.removeprefix("\ufeff")


def _are_blank(text: str, delimiter: str, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the n rows below the header are lines with nothing in them, not even commas."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(rows)
    blank = np.array([not row for row in rows])
    if len(blank) != n:
        raise ValueError(f"it has {n} rows or {len(blank)}, depending on how quotes are read")
    return blank


def _read_bytes(path: Path) -> bytes:
    """Return the bytes of a table, unpacked by its suffix."""
    suffix = path.suffix.lower()
    found = path.stat()
    if stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode):  # /dev/zero has no end
        raise ValueError("it must be a file, got a device or a pipe")
    most = max(UNPACKED, RATIO * found.st_size)
    with ExitStack() as stack:
        file: Any
        if suffix == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise ValueError(f"the archive must hold one table, got {len(names)}")
            require_plain_members(archive)
            file = stack.enter_context(archive.open(names[0]))
        elif suffix in UNPACKERS:
            file = stack.enter_context(UNPACKERS[suffix](path))
        else:
            return path.read_bytes()
        data: bytes = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it unpacks to more than {RATIO} times its size; unpack it first")
    return data
