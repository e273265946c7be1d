"""CSV tables as text, whole or refused."""

import lzma
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError, ValueError)


def read_csv_text(path: Path) -> pd.DataFrame:
    """Return a CSV table, also compressed, with every value as text, indexed by line.

    UTF-8, header first.
    """
    try:
        with warnings.catch_warnings():
            # a row with more fields than the header has would lose them
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except FileNotFoundError:
        raise
    except (*UNREADABLE, pd.errors.ParserWarning) as error:
        raise ValueError(f"{path}: cannot be read as a CSV table: {error}") from error
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")  # the header is line 1
    return table.fillna("")  # the fields that a short line lacks


def require_columns(table: pd.DataFrame, names: list[str], path: Path, advice: str = "") -> None:
    """Raise unless the table has all these columns."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(map(repr, missing))} is missing; the file has "
            f"{', '.join(map(repr, table.columns))}.{advice}"
        )


def parse_numbers(column: pd.Series, path: Path, row: str = "line") -> pd.Series:
    """A column of text as finite float64; the error names file, line and column."""
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
    wrong = ~column.isin(["True", "False"])
    if wrong.any():
        line = column.index[int(np.argmax(wrong.to_numpy()))]
        raise ValueError(
            f"{path}, line {line}, column {column.name!r}: must be True or False, got "
            f"{column.loc[line]!r}."
        )
    return column == "True"
