"""Rows of a table of scores, checked and sorted by their labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal._validation import as_column, as_real_array
from gazesal.stats.design import Design
from gazesal.stats.rounding import resolution
from gazesal.stats.unit_codes import codes_of_column
from gazesal.typing import Float64Array, IntArray

__all__ = [
    "LARGEST",
    "SortedRows",
    "require_columns",
    "require_contrast",
    "require_value",
    "run_starts",
    "sorted_rows",
]

LARGEST = 1e150  # largest absolute score, so that squares of scores are finite


class SortedRows(NamedTuple):
    """Rows of a table in ascending order of their labels."""

    columns: tuple[str, ...]  # K columns of labels: the groups first, then the design's keys
    codes: IntArray  # (K, N): index of each label among the labels of its column
    labels: tuple[np.ndarray[Any, Any], ...]  # sorted distinct labels of each column
    scores: Float64Array  # (N,)
    weights: Float64Array | None  # (N,)
    resolution: float  # relative rounding error of the scores as stored in the table

    def take(self, at: slice | IntArray) -> SortedRows:
        """Select rows."""
        return self._replace(
            codes=self.codes[:, at],
            scores=self.scores[at],
            weights=None if self.weights is None else self.weights[at],
        )

    def keys(self, design: Design) -> IntArray:
        """Select the codes of the design's keys, (number of keys, N)."""
        return self.codes[-len(design.keys) :]

    def groups(self, n_columns: int) -> Iterator[tuple[tuple[Any, ...], SortedRows]]:
        """Yield the label and the rows of each group by the first `n_columns` columns."""
        for first, last in pairwise(run_starts(self.codes[:n_columns])):
            key = tuple(self.labels[i][self.codes[i, first]] for i in range(n_columns))
            yield key, self.take(slice(first, last))


def sorted_rows(table: pd.DataFrame, design: Design, *, by: Sequence[str]) -> SortedRows:
    """Check a table and sort its rows by the columns `by` and the keys of the design.

    Sums over the sorted rows have the same bits for any order of the rows in the table.
    """
    columns = (*by, *design.keys)
    values = [design.score, *([design.weights] if design.weights else [])]
    require_columns(table, [*columns, *values])
    twice = sorted({column for column in by if [*columns, *values].count(column) > 1})
    if twice:
        raise ValueError(f"Each column must have one role, got {', '.join(twice)} with two.")
    scores = _numbers_of(table, design.score, missing=True)
    weights = _numbers_of(table, design.weights, missing=False) if design.weights else None
    if weights is not None and weights.min() < 0:
        raise ValueError(f"`{design.weights}` must be non-negative, got {weights.min():g}.")
    coded = [codes_of_column(table[column], name=column) for column in columns]
    codes = np.stack([code for code, _ in coded])
    rows = SortedRows(
        columns=columns,
        codes=codes,
        labels=tuple(labels for _, labels in coded),
        scores=scores,
        weights=weights,
        resolution=resolution(table[design.score].dtype, scores),
    ).take(np.lexsort(codes[::-1]))
    _refuse_duplicates(rows, len(by))
    n_undefined = int(np.count_nonzero(np.isnan(scores)))
    if n_undefined and design.missing == "raise":
        raise ValueError(
            f"`{design.score}` must be finite, got {n_undefined} of {scores.size} values NaN. "
            'Use missing="drop" in the design to omit and count them.'
        )
    return rows


def run_starts(codes: IntArray) -> list[int]:
    """Return the starts of runs of equal columns of `codes` (K, N), followed by N."""
    differ = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
    return [0, *(np.flatnonzero(differ) + 1).tolist(), codes.shape[1]]


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise unless `table` is a non-empty frame that has each of the columns once."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"`table` must be a pandas DataFrame, got {type(table).__name__}.")
    names = list(table.columns)
    if any(names.count(column) != 1 for column in columns):
        raise ValueError(
            f"`table` must have each of the columns {', '.join(columns)} once, got "
            f"{', '.join(map(str, names))}."
        )
    if table.empty:
        raise ValueError("`table` must hold at least one score, got an empty table.")


def require_contrast(table: pd.DataFrame, contrast: str) -> None:
    """Raise unless the contrast is the name of a column of a frame."""
    as_column(contrast, name="contrast")
    if not isinstance(table, pd.DataFrame) or contrast not in table:
        raise ValueError(f"`table` must be a frame with the column {contrast}.")


def require_value(table: pd.DataFrame, column: str, value: object, *, name: str) -> None:
    """Raise unless the argument `name` is a value of a column."""
    if not isinstance(value, Hashable):
        raise TypeError(f"`{name}` must be one value of {column}, got {value!r}.")
    if value not in table[column].dropna().unique().tolist():
        # `gazesal.evaluate` has this row only for images with several observers
        why = " Images with one observer have no such score." if value == "interobserver" else ""
        raise ValueError(f"`{name}` must be a value of the column {column}, got {value!r}.{why}")


def _numbers_of(table: pd.DataFrame, column: str, *, missing: bool) -> Float64Array:
    """Convert a column to float64, with NaN for missing values if `missing` allows them."""
    values = table[column]
    if isinstance(values.dtype, pd.api.extensions.ExtensionDtype) and values.dtype.kind in "fiub":
        found: Any = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        found = np.asarray(values)
    array = as_real_array(found, name=column, booleans=True).astype(np.float64)
    n_invalid = int(np.count_nonzero(np.isinf(array) if missing else ~np.isfinite(array)))
    if n_invalid:
        raise ValueError(
            f"`{column}` must be finite, got {n_invalid} of {array.size} values "
            f"{'infinite' if missing else 'NaN or infinite'}."
        )
    largest = np.nanmax(np.abs(array), initial=0.0)
    if largest > LARGEST:
        raise ValueError(f"`{column}` must lie within {LARGEST:g}, got {largest:g}.")
    return array


def _refuse_duplicates(rows: SortedRows, n_by: int) -> None:
    """Raise if two rows have the same labels."""
    same = np.flatnonzero((rows.codes[:, 1:] == rows.codes[:, :-1]).all(axis=0))
    if same.size:
        first = ", ".join(
            f"{column} {labels[rows.codes[i, same[0]]]}"
            for i, (column, labels) in enumerate(zip(rows.columns, rows.labels, strict=True))
        )
        by, keys = rows.columns[:n_by], rows.columns[n_by:]
        raise ValueError(
            f"Each score must be identified by {', '.join(keys)}"
            + (f" within {', '.join(by)}" if by else "")
            + f", got {same.size} rows with the labels of another, the first with {first}. Name "
            "the column that differs (in `averaged`, or to split the table by), or select rows."
        )
