"""Make a table as returned by `read_fixations` from columns in memory."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._clean_names import clean_names, name_as_text
from gazesal.datasets._columns import require_numbers
from gazesal.typing import Float64Array


def make_table(
    labels: dict[str, Sequence[Any]],
    numbers: dict[str, Float64Array],
    rows: Sequence[int],
    *,
    source: str,
    row: str,
) -> pd.DataFrame:
    """Check columns and make a table of them, with the positions `rows` in `source` as index."""
    index = pd.Index(rows, name=row, dtype=np.int64)
    if index.empty:
        raise ValueError(f"{source}: at least one fixation is needed, got none.")
    table = pd.DataFrame(index=index)
    for name, values in labels.items():
        texts = [name_as_text(value) for value in values]
        _refuse(np.array([not text.strip() for text in texts]), index, source, name, "is missing")
        try:
            cleaned = clean_names(dict.fromkeys(texts), what=f"names of {name}s")
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
        table[name] = pd.Series([cleaned[text] for text in texts], index=index, dtype="str")
    for name, array in numbers.items():
        _refuse(~np.isfinite(array), index, source, name, "is missing or infinite")
        table[name] = array
    _refuse(table["duration"].to_numpy() < 0, index, source, "duration", "is negative")
    table.attrs["source"] = source
    return table


def as_numbers(values: Any, name: str) -> Float64Array:
    """Return a column as float64, with NaN for missing values."""
    listed = list(values) if isinstance(values, Iterable) else [values]
    require_numbers(pd.Series(listed, name=name.strip(","), dtype=object), source="fixations")
    try:
        array = np.array([np.nan if value is None else value for value in listed], np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold one number per row: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must hold one number per row, got shape {array.shape}.")
    return array


def _refuse(
    bad: np.ndarray[Any, np.dtype[np.bool_]], index: pd.Index, source: str, name: str, what: str
) -> None:
    """Raise if a row is bad, with its position and the number of bad rows."""
    if bad.any():
        raise ValueError(
            f"{source}, {index.name} {index[int(np.argmax(bad))]}: {name} {what}, as in "
            f"{int(bad.sum())} of {len(index)} rows."
        )
