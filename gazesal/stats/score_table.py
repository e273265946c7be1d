"""Rows of a table of scores, checked and in the order of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal._validation import as_real_array
from gazesal.stats.design import Design
from gazesal.stats.labels import codes_of_column
from gazesal.stats.rounding import resolution
from gazesal.typing import Float64Array, IntArray

__all__ = ["Rows", "changes", "codes_of", "refuse_undefined", "require_columns", "sorted_rows"]

LARGEST = 1e150  # squares of scores must be finite


class Rows(NamedTuple):
    """Rows of a table in the order of their labels, which are numbered in ascending order."""

    columns: tuple[str, ...]
    codes: IntArray  # (K, N): a row of numbers for each column
    labels: tuple[np.ndarray[Any, Any], ...]  # what the numbers of each column stand for
    scores: Float64Array  # (N,)
    weights: Float64Array | None  # (N,)
    resolution: float  # relative rounding error of the scores as they were stored


def sorted_rows(table: pd.DataFrame, design: Design, *, parts: Sequence[str]) -> Rows:
    """Check a table and put its rows in order of the columns `parts` and those of the design.

    The rows may come in any order: sums over them have the same bits.
    """
    columns = (*parts, *design.keys)
    weight_columns = [design.weights] if design.weights else []
    require_columns(table, [*columns, design.score, *weight_columns])
    twice = sorted({c for c in parts if [*columns, design.score, *weight_columns].count(c) > 1})
    if twice:
        raise ValueError(f"Each column must have one role, got {', '.join(twice)} with two.")
    scores = numbers_of(table, design.score, missing=True)
    weights = numbers_of(table, design.weights, missing=False) if design.weights else None
    if weights is not None and weights.min() < 0:
        raise ValueError(f"`{design.weights}` must be non-negative, got {weights.min():g}.")
    coded = [codes_of(table, column) for column in columns]
    codes = np.stack([code for code, _ in coded])
    order = np.lexsort(codes[::-1])
    rows = Rows(
        columns=columns,
        codes=codes[:, order],
        labels=tuple(labels for _, labels in coded),
        scores=scores[order],
        weights=None if weights is None else weights[order],
        resolution=resolution(table[design.score].dtype, scores),
    )
    _refuse_duplicates(rows, len(parts))
    refuse_undefined(design, np.isnan(scores))
    return rows


def refuse_undefined(design: Design, undefined: np.ndarray[Any, Any]) -> None:
    """Raise if a score is NaN and the design does not say to drop it."""
    if undefined.any() and design.missing == "raise":
        raise ValueError(
            f"`{design.score}` must be finite, got {int(undefined.sum())} of {undefined.size} "
            'values NaN; missing="drop" leaves them out and counts them.'
        )


def changes(codes: IntArray) -> list[int]:
    """Where runs of equal columns of `codes` (K, N) start, and N."""
    differ = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
    return [0, *(np.flatnonzero(differ) + 1).tolist(), codes.shape[1]]


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise unless `table` is a non-empty frame that holds each of the columns once."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"`table` must be a pandas DataFrame, got {type(table).__name__}.")
    names = list(table.columns)
    lacking = [column for column in columns if names.count(column) != 1]
    if lacking:
        raise ValueError(
            f"`table` must have each of the columns {', '.join(columns)} once, got "
            f"{', '.join(map(str, names))}."
        )
    if table.empty:
        raise ValueError("`table` must hold at least one score, got an empty one.")


def numbers_of(table: pd.DataFrame, column: str, *, missing: bool) -> Float64Array:
    """Values of a column as float64, NaN for a missing one where `missing` allows it."""
    values = table[column]
    if isinstance(values.dtype, pd.api.extensions.ExtensionDtype) and values.dtype.kind in "fiub":
        found: Any = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        found = np.asarray(values)
    array = as_real_array(found, name=column, booleans=True).astype(np.float64)
    bad = int(np.count_nonzero(np.isinf(array) if missing else ~np.isfinite(array)))
    if bad:
        raise ValueError(
            f"`{column}` must be finite, got {bad} of {array.size} values "
            f"{'infinite' if missing else 'NaN or infinite'}."
        )
    largest = np.nanmax(np.abs(array), initial=0.0)
    if largest > LARGEST:
        raise ValueError(f"`{column}` must lie within {LARGEST:g}, got {largest:g}.")
    return array


def codes_of(table: pd.DataFrame, column: str) -> tuple[IntArray, np.ndarray[Any, Any]]:
    """Number of each row's label among the labels in ascending order, and those labels."""
    return codes_of_column(table[column], name=column)


def _refuse_duplicates(rows: Rows, n_parts: int) -> None:
    same = np.flatnonzero((rows.codes[:, 1:] == rows.codes[:, :-1]).all(axis=0))
    if same.size:
        at = ", ".join(
            f"{column} {labels[rows.codes[i, same[0]]]}"
            for i, (column, labels) in enumerate(zip(rows.columns, rows.labels, strict=True))
        )
        parts, keys = rows.columns[:n_parts], rows.columns[n_parts:]
        raise ValueError(
            f"Each score must be told apart by {', '.join(keys)}"
            + (f" within {', '.join(parts)}" if parts else "")
            + f", got {same.size} rows that are not, the first with {at}; name the column that "
            "differs (in `averaged`, or to part the table by), or select rows."
        )
