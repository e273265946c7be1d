"""CSV tables as text, whole or refused."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd


def read_csv_text(path: Path) -> pd.DataFrame:
    """Return a CSV table, also compressed, with every value as text, indexed by line.

    UTF-8, header first; blank lines are counted and left out, while a line of nothing but commas
    is a row whose values are missing. A line number is too small by the line breaks within quoted
    fields above it.
    """
    layout: Any = {"dtype": str, "keep_default_na": False, "skip_blank_lines": False}
    header: pd.DataFrame
    table: pd.DataFrame
    try:
        header = pd.read_csv(path, header=None, nrows=1, encoding="utf-8-sig", **layout)
        table = pd.read_csv(path, encoding="utf-8-sig", **layout)
        # pandas takes the first fields as an index if rows have more than the header
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("its rows have more fields than its header")  # noqa: TRY301, TRY004
        table = table.fillna("")  # the fields that a short line lacks
        blank = (table == "").all(axis=1).to_numpy()
        if blank.any():  # pandas does not tell blank lines from lines of commas
            blank = blank & _are_blank(path, len(table))
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise ValueError(f"{path}: cannot be read as a CSV table: {error}") from error
    names = header.iloc[0].fillna("").tolist()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: column {twice[0]!r} is there {names.count(twice[0])} times.")
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")  # the header is line 1
    return table.loc[~blank]


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


def parse_numbers(column: pd.Series, path: Path, row: str = "line") -> pd.Series:
    """A column of text as finite float64; the error names file, line and column."""
    if getattr(column.dtype, "kind", "O") in "mM":
        raise ValueError(f"{path}, column {column.name!r}: must hold numbers, got {column.dtype}.")
    finite = np.isfinite(pd.to_numeric(column, errors="coerce").to_numpy(np.float64))
    if not finite.all():
        line = column.index[int(np.argmin(finite))]
        raise ValueError(
            f"{path}, {row} {line}, column {column.name!r}: must be a finite number, got "
            f"{column.loc[line]!r}."
        )
    # text through Python's float, which rounds to the nearest double where pandas may not
    return pd.Series([float(value) for value in column], index=column.index, dtype=np.float64)


def parse_bools(column: pd.Series, path: Path) -> pd.Series:
    """A column of True and False as bool; the error names file, line and column."""
    require_each(column, column.isin(["True", "False"]), path, "True or False")
    return column == "True"


def _are_blank(path: Path, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the n rows below the header are lines with nothing in them, not even commas."""
    with _open_text(path) as file:
        rows = csv.reader(file)
        next(rows)
        blank = np.array([not row for row in rows])
    if len(blank) != n:
        raise ValueError(f"it has {n} rows or {len(blank)}, depending on how quotes are read")
    return blank


def _open_text(path: Path) -> IO[str]:
    """Open a table as pandas does, which takes the compression from the name."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:  # an open member keeps the file open
            member = archive.open(archive.namelist()[0])
        return io.TextIOWrapper(member, encoding="utf-8-sig", newline="")
    if suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    if suffix == ".bz2":
        return bz2.open(path, "rt", encoding="utf-8-sig", newline="")
    if suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
