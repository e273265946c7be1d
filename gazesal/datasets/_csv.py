"""CSV tables as text, whole or refused."""

import lzma
import warnings
import zlib
from pathlib import Path

import pandas as pd

UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError, ValueError)


def read_csv_text(path: Path) -> pd.DataFrame:
    """Return a CSV table, also compressed, with every value as text; UTF-8, header first."""
    try:
        with warnings.catch_warnings():
            # a row with more fields than the header has would lose them
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except FileNotFoundError:
        raise
    except (*UNREADABLE, pd.errors.ParserWarning) as error:
        raise ValueError(f"{path}: cannot be read as a CSV table: {error}") from error


def require_columns(table: pd.DataFrame, names: list[str], path: Path, advice: str = "") -> None:
    """Raise unless the table has all these columns."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(map(repr, missing))} is missing; the file has "
            f"{', '.join(map(repr, table.columns))}.{advice}"
        )
