"""Values that differ only by the rounding of the arithmetic behind them."""

from typing import Any

import numpy as np

from gazesal.maps.constancy import SINGLE, fits_single
from gazesal.typing import Float64Array

__all__ = ["ROUNDING", "all_equal", "merge_ties", "resolution"]

# Relative to the largest score; some 5,000 units in the last place of float64, which covers sums
# over thousands of scores and differences that are small beside the scores.
ROUNDING = 1e-12


def resolution(dtype: Any, values: Float64Array) -> float:
    """Return the relative rounding error of differences of scores that came in `dtype`.

    Scores in float64 that all fit float32, and are not integers, were computed in float32.
    """
    stored = getattr(dtype, "numpy_dtype", dtype)  # pandas' nullable types
    if not (isinstance(stored, np.dtype) and stored.kind == "f"):
        return ROUNDING
    precision = float(np.finfo(stored).eps)
    defined = values[~np.isnan(values)]
    if precision < SINGLE and fits_single(defined) and (defined != np.rint(defined)).any():
        precision = SINGLE
    return max(ROUNDING, 2 * precision)


def merge_ties(values: Float64Array, slack: float) -> Float64Array:
    """Set values that differ by at most `slack` to one value, and those within it of zero to zero.

    Values that lie as close as that over a wider range are a dense sample and stay as they are.
    The input is returned unchanged if it has no such ties.
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
    """Return whether values differ by rounding only."""
    return bool(values.max() - values.min() <= ROUNDING * np.abs(values).max())
