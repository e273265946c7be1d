"""Tables in memory, of any library, as pandas.DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

__all__ = ["as_table", "is_table"]


def as_table(value: Any, *, name: str) -> pd.DataFrame:
    """Return a table of any library as a pandas.DataFrame, without a copy if it is one.

    Names in the index become columns. The table may be one of pandas, polars (also lazy), Arrow or
    another library that narwhals reads, a dict of columns, a list of records or a record array.

    Raises
    ------
    TypeError
        If it is not a table and cannot be converted.
    """
    if isinstance(value, pd.DataFrame):
        return _with_index_as_columns(value)
    records = isinstance(value, (list, tuple)) and all(isinstance(row, Mapping) for row in value)
    structured = isinstance(value, np.ndarray) and value.dtype.names is not None
    try:
        if isinstance(value, Mapping):
            return pd.DataFrame(dict(value))
        if records or structured:
            return pd.DataFrame(value)
        frame = _as_narwhals(value)
        if frame is not None:
            return pd.DataFrame({column: _as_series(frame[column]) for column in frame.columns})
    except Exception as error:  # other libraries raise errors of any type
        raise TypeError(
            f"`{name}` must be a table that pandas can represent, got a {type(value).__name__}: "
            f"{error}. Convert it to a pandas.DataFrame."
        ) from error
    raise TypeError(
        f"`{name}` must be a table, such as a pandas.DataFrame, a polars or Arrow table or a "
        f"dict of columns, got {type(value).__name__}. Convert it, such as with `.to_pandas()`."
    )


def is_table(value: Any) -> bool:
    """Return whether a value may be a table in memory, and not a path."""
    return not isinstance(value, (str, bytes)) and not hasattr(value, "__fspath__")


def _with_index_as_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose named index levels are columns, unless columns have their names."""
    names = [name for name in table.index.names if name is not None]
    levels = [name for name in names if name not in table.columns]
    if not levels or table.index.name in {"line", "row"}:  # as `read_fixations` numbers rows
        return table
    return table.reset_index(level=levels)


def _as_narwhals(value: Any) -> nw.DataFrame[Any] | None:
    """Return a table as one of narwhals, or None for another object."""
    frame: Any = nw.from_native(value, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        return frame.collect()
    if isinstance(frame, nw.DataFrame):
        return frame
    if hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__"):
        import pyarrow as pa

        read: nw.DataFrame[Any] = nw.from_native(pa.table(value), eager_only=True)
        return read
    return None


def _as_series(column: nw.Series[Any]) -> pd.Series:
    """Return a column of narwhals as one of pandas."""
    if column.dtype == nw.Duration:
        return pd.Series(column.dt.total_nanoseconds().to_list(), dtype="Int64").astype(
            "timedelta64[ns]"
        )
    if column.dtype.is_numeric() and not column.dtype.is_decimal() and not column.null_count():
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list(), dtype=object)
