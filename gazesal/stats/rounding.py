"""Values that differ only by the rounding of the arithmetic behind them."""

from typing import Any

import numpy as np

from gazesal.maps.constancy import SINGLE, fits_single
from gazesal.typing import Float64Array

__all__ = ["ROUNDING", "all_equal", "merge_ties", "resolution"]

# Relative to the largest score. This is about 5,000 units in the last place of float64 and covers
# sums over thousands of scores, and differences that are small compared with the scores.
ROUNDING = 1e-12


def resolution(dtype: Any, values: Float64Array) -> float:
    """Return the relative rounding error of differences of scores stored as `dtype`.

    Scores in float64 are assumed to be computed in float32 if all of them are float32 numbers and
    not all are integers.
    """
    stored = getattr(dtype, "numpy_dtype", dtype)  # nullable types of pandas
    if not (isinstance(stored, np.dtype) and stored.kind == "f"):
        return ROUNDING
    precision = float(np.finfo(stored).eps)
    defined = values[~np.isnan(values)]
    if precision < SINGLE and fits_single(defined) and (defined != np.rint(defined)).any():
        precision = SINGLE
    return max(ROUNDING, 2 * precision)


def merge_ties(values: Float64Array, slack: float) -> Float64Array:
    """Set values that differ by at most `slack` to one value, and values within `slack` of 0 to 0.

    A run of close values that is wider than `slack` is a dense sample and is not changed. The input
    itself is returned if it has no ties.
    """
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    gaps = np.diff(ordered)
    if not (((gaps > 0) & (gaps <= slack)).any() or ((flat != 0) & (abs(flat) <= slack)).any()):
        return values
    run = np.concatenate([[0], np.cumsum(gaps > slack)])
    starts = np.flatnonzero(np.concatenate([[True], gaps > slack]))
    ends = np.append(starts[1:], ordered.size) - 1
    first = ordered[starts]
    narrow = ordered[ends] - first <= slack
    merged = np.where(narrow[run], first[run], ordered)
    merged[abs(merged) <= slack] = 0.0
    found = np.empty_like(flat)
    found[order] = merged
    return found.reshape(values.shape)


def all_equal(values: Float64Array) -> bool:
    """Return whether the values are equal up to rounding."""
    return bool(values.max() - values.min() <= ROUNDING * np.abs(values).max())
