"""Bilinear interpolation from one pixel grid to another."""

from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray, WeightArray


class Neighbors(NamedTuple):
    """The pixels before and after each place along one axis, and the share of the way between."""

    before: IntArray
    after: IntArray
    share: Float64Array


@kernel
def _between(low: float, high: float, share: float) -> float:
    """Interpolate between two values, without leaving their range.

    Equal values are returned bit for bit, so that a constant map stays constant. Otherwise its
    correlation would be a correlation with rounding errors.
    """
    value = low + share * (high - low)
    return min(max(value, min(low, high)), max(low, high))


@kernel
def _across(row: WeightArray, columns: Neighbors, out: Float64Array) -> None:
    """Set `out` to the values between the pixels of one row."""
    before, after, share = columns
    for j in range(out.size):
        out[j] = _between(np.float64(row[before[j]]), np.float64(row[after[j]]), share[j])


@kernel
def _down(low: Float64Array, high: Float64Array, share: float, out: Float64Array) -> None:
    """Set `out` to the values between two rows."""
    for j in range(out.size):
        out[j] = _between(low[j], high[j], share)


@kernel
def interpolate_grid(
    values: WeightArray,
    rows: Neighbors,
    columns: Neighbors,
    out: Float64Array,
) -> None:
    """Set `out` to the values at all pairs of rows and columns.

    Consecutive rows of `out` use the same rows of the old grid. A row interpolated along x is
    therefore kept for the next, and the map is read once.
    """
    row_before, row_after, row_share = rows
    low = np.empty(out.shape[1])
    high = np.empty(out.shape[1])
    low_row = high_row = -1
    for i in range(out.shape[0]):
        if row_before[i] != low_row:
            if row_before[i] == high_row:
                low, high = high, low
                low_row, high_row = high_row, low_row
            else:
                low_row = row_before[i]
                _across(values[low_row], columns, low)
        if row_after[i] != high_row:
            high_row = row_after[i]
            _across(values[high_row], columns, high)
        _down(low, high, row_share[i], out[i])


@kernel
def sum_of_parts(high: Float64Array, low: Float64Array, least: float, out: Float64Array) -> None:
    """Set `out` to the sum of two arrays, with values below `least` set to 0."""
    for i in range(out.size):
        value = high[i] + low[i]
        out[i] = value if value >= least else 0.0
