"""Read columns of tables in memory as numbers and names, with the row in each error."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._clean_names import clean_names, name_as_text
from gazesal.typing import Float64Array, IntArray

# Types that numpy and pandas would convert to numbers without a warning, by kind of dtype.
NOT_NUMBERS = {
    "b": (bool, np.bool_),
    "c": (complex, np.complexfloating),
    "m": (dt.timedelta, np.timedelta64),
    "M": (dt.date, dt.time, np.datetime64, pd.Period),
}
REMEDIES = {
    "b": "Turn True and False into numbers first: column.astype(float)",
    "c": "Take the real part or the absolute value first",
    "m": "Turn it into seconds first: column.dt.total_seconds()",
    "M": "Subtract the start first, because a date is not a number",
}


def require_table_columns(table: pd.DataFrame, names: tuple[str, ...], *, name: str) -> None:
    """Raise unless a table has each of the columns exactly once."""
    missing = [column for column in names if column not in table.columns]
    if missing:
        raise ValueError(
            f"`{name}` must have the columns {', '.join(missing)}, got "
            f"{', '.join(map(repr, list(table.columns)[:12]))}. Rename its columns."
        )
    twice = [column for column in names if list(table.columns).count(column) > 1]
    if twice:
        raise ValueError(f"`{name}` must have one column {twice[0]!r}, got several with this name.")


def place_of(table: pd.DataFrame, position: int) -> str:
    """Return the file and line of a row, if the table has them, for error messages."""
    source = table.attrs.get("source", "fixations")
    return f"{source}, {table.index.name or 'row'} {table.index[position]}"


def number_column(
    column: pd.Series, *, source: Any, row: str, hint: Callable[[Any], str] = lambda _: ""
) -> Float64Array:
    """Return a column as finite float64, or raise with source, row and column.

    `hint` returns a clause to add to the message about a value that is not a number.
    """
    require_numbers(column, source=source)
    if column.dtype.kind in "fiu":
        values = column.to_numpy(np.float64, na_value=np.nan)
    else:
        codes, listed = _distinct(column)
        try:
            parsed = pd.to_numeric(listed, errors="coerce").to_numpy(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{source}, column {column.name!r}: must be numbers, got {column.dtype}: {error}."
            ) from error
        # Python's float rounds text to the nearest double, which pandas does not always do
        good = np.isfinite(parsed)
        values = np.full(len(parsed), np.nan)
        values[good] = [float(value) for value in listed[good]]
        values = values[codes]
    finite = np.isfinite(values)
    if not finite.all():
        at = int(np.argmin(finite))
        found = column.iloc[at]
        found = found.item() if isinstance(found, np.generic) else found
        raise ValueError(
            f"{source}, {row} {column.index[at]}, column {column.name!r}: must be a finite number, "
            f"got {found!r}{hint(found)}."
        )
    return np.asarray(values, np.float64)


def _distinct(column: pd.Series) -> tuple[Any, pd.Series]:
    """Return the position of each value among different ones, and these, to parse a text once."""
    if not isinstance(column.dtype, pd.StringDtype):
        return slice(None), pd.Series(np.asarray(column, dtype=object))
    codes, values = pd.factorize(column)
    return codes, pd.Series([*values, None], dtype=object)  # -1 is missing


def duration_column(
    column: pd.Series, *, source: Any, row: str, hint: Callable[[Any], str] = lambda _: ""
) -> Float64Array:
    """Return a column of durations as `number_column` does, and differences of times in ms."""
    kind = column.dtype.kind
    if kind == "m" or (
        kind == "O"
        and len(column)
        and not isinstance(column.dtype, pd.StringDtype)
        and all(isinstance(each, dt.timedelta) for each in column)
    ):
        column = pd.to_timedelta(column) / pd.Timedelta(1, "ms")
    return number_column(column, source=source, row=row, hint=hint)


def require_numbers(column: pd.Series, *, source: Any) -> None:
    """Raise if a column has a type whose conversion to numbers would change its meaning."""
    kind, what = getattr(column.dtype, "kind", "O"), str(column.dtype)
    if kind == "O" and not isinstance(column.dtype, pd.StringDtype):
        for each in set(map(type, column)):
            for letter, types in NOT_NUMBERS.items():
                if issubclass(each, types):
                    kind, what = letter, each.__name__
    if kind in REMEDIES:
        raise ValueError(
            f"{source}, column {column.name!r}: must be numbers, got {what}. {REMEDIES[kind]}."
        )


def name_column(table: pd.DataFrame, name: str, *, what: str) -> tuple[IntArray, list[str]]:
    """Return the names of a column, clean and sorted, and the position of each row's name in them.

    Raises
    ------
    ValueError
        If a value is missing or a name has invisible characters. The message names the row.
    """
    column = table[name]
    try:
        codes, values = pd.factorize(column)
    except TypeError as error:
        raise ValueError(
            f"{place_of(table, 0)}, column {name!r}: must be names, got {column.dtype}: {error}."
        ) from error
    texts = [name_as_text(value) for value in values.tolist()]
    empty = np.array([*(not text.strip() for text in texts), True])[codes]  # -1 is missing
    if empty.any():
        raise ValueError(
            f"{place_of(table, int(np.argmax(empty)))}, column {name!r}: the value is missing."
        )
    try:
        cleaned = clean_names(texts, what=what)
    except ValueError as error:
        source = table.attrs.get("source", "fixations")
        raise ValueError(f"{source}, column {name!r}: {error}") from None
    names = sorted(set(cleaned.values()))
    position = {each: at for at, each in enumerate(names)}
    return np.array([position[cleaned[text]] for text in texts], np.int64)[codes], names
