"""Sums, means and centered second moments of maps, each map read once from memory.

Two rules make these loops fast with a fixed order of addition:

* A sum runs in `LANES` independent lanes, element ``i`` in lane ``i % LANES``, which the compiler
  converts to vector instructions. `fold` then adds the lanes pairwise.
* An inner loop runs over ``range(view.size)`` of a sliced view, because an index that may be
  negative prevents vectorization.
"""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, FloatArray, WeightArray

LANES = 512  # partial sums in parallel; 4 KiB of float64, which stay in the L1 cache
BLOCK = 32 * LANES  # values; two blocks in float32 are 128 KiB and stay in the L2 cache


@kernel
def add_lanes(lanes: Float64Array, row: WeightArray, shift: float) -> None:
    """Add `row` minus `shift`, at most `LANES` values, to the lanes."""
    for j in range(row.size):
        lanes[j] += row[j] - shift


@kernel
def fold(lanes: Float64Array) -> float:
    """Add the lanes pairwise, overwriting them, and return the sum."""
    width = lanes.size
    while width > 1:
        width //= 2
        for j in range(width):
            lanes[j] += lanes[width + j]
    return float(lanes[0])


@kernel
def total(values: WeightArray) -> float:
    """Sum a 1-D array in float64, in lanes within blocks, so that rounding errors stay small."""
    lanes = np.empty(LANES)
    result = 0.0
    for start in range(0, values.size, BLOCK):
        stop = min(start + BLOCK, values.size)
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            add_lanes(lanes, values[row : min(row + LANES, stop)], 0.0)
        result += fold(lanes)
    return result


@kernel
def block_totals(values: FloatArray, size: int) -> tuple[Float64Array, float]:
    """Return sums of consecutive blocks of `size` values, a multiple of 64, and the smallest value.

    A NaN makes the sum of its block NaN, so the caller detects it without another pass.
    """
    n_blocks = (values.size + size - 1) // size
    sums = np.empty(n_blocks)
    lanes = np.empty(64)
    lowest = np.full(64, np.inf)
    for block in range(n_blocks):
        stop = min((block + 1) * size, values.size)
        lanes[:] = 0.0
        for row in range(block * size, stop, 64):
            chunk = values[row : min(row + 64, stop)]
            for j in range(chunk.size):
                lanes[j] += chunk[j]
                lowest[j] = min(lowest[j], chunk[j])
        sums[block] = fold(lanes)
    return sums, lowest.min()


@kernel
def _add_centered_products(
    xx: Float64Array,
    yy: Float64Array,
    xy: Float64Array,
    x: FloatArray,
    y: FloatArray,
    x_shift: float,
    y_shift: float,
    x_mean: float,
    y_mean: float,
) -> None:
    """Add centered squares and products, at most `LANES` of each, to three rows of lanes."""
    for j in range(x.size):
        dx = (x[j] - x_shift) - x_mean
        dy = (y[j] - y_shift) - y_mean
        xx[j] += dx * dx
        yy[j] += dy * dy
        xy[j] += dx * dy


@kernel
def centered_moments(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Return the sums of squares and products about the means: (S_xx, S_yy, S_xy).

    Each block is centered on its own means while it is in cache, and the blocks are merged by the
    pairwise update of Chan, Golub and LeVeque (doi:10.1080/00031305.1983.10483115). The first value
    is subtracted beforehand, which is exact if the contrast is small compared with the offset. The
    block means are then as precise as the contrast allows.
    """
    x_shift = np.float64(x[0])
    y_shift = np.float64(y[0])
    xx = np.empty(LANES)
    yy = np.empty(LANES)
    xy = np.empty(LANES)
    mean_x = mean_y = s_xx = s_yy = s_xy = 0.0
    done = 0
    for start in range(0, x.size, BLOCK):
        stop = min(start + BLOCK, x.size)
        size = stop - start
        xx[:] = 0.0
        yy[:] = 0.0
        for row in range(start, stop, LANES):
            end = min(row + LANES, stop)
            add_lanes(xx, x[row:end], x_shift)
            add_lanes(yy, y[row:end], y_shift)
        block_x = fold(xx) / size
        block_y = fold(yy) / size
        xx[:] = 0.0
        yy[:] = 0.0
        xy[:] = 0.0
        for row in range(start, stop, LANES):
            end = min(row + LANES, stop)
            _add_centered_products(
                xx, yy, xy, x[row:end], y[row:end], x_shift, y_shift, block_x, block_y
            )
        step_x = block_x - mean_x
        step_y = block_y - mean_y
        seen = done + size
        weight = done / seen * size
        s_xx += fold(xx) + step_x * step_x * weight
        s_yy += fold(yy) + step_y * step_y * weight
        s_xy += fold(xy) + step_x * step_y * weight
        mean_x += step_x * (size / seen)
        mean_y += step_y * (size / seen)
        done = seen
    return s_xx, s_yy, s_xy


@kernel
def _add_centered_squares(lanes: Float64Array, row: FloatArray, shift: float, mean: float) -> None:
    """Add centered squares, at most `LANES`, to the lanes."""
    for j in range(row.size):
        step = (row[j] - shift) - mean
        lanes[j] += step * step


@kernel
def centered_spread(x: FloatArray) -> tuple[float, float]:
    """Return the mean minus the first value, and the sum of squares about the mean.

    It is `centered_moments` for one array. The sum is exactly 0 for a constant.
    """
    shift = np.float64(x[0])
    lanes = np.empty(LANES)
    mean = s_xx = 0.0
    done = 0
    for start in range(0, x.size, BLOCK):
        stop = min(start + BLOCK, x.size)
        size = stop - start
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            add_lanes(lanes, x[row : min(row + LANES, stop)], shift)
        block_mean = fold(lanes) / size
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            _add_centered_squares(lanes, x[row : min(row + LANES, stop)], shift, block_mean)
        step = block_mean - mean
        seen = done + size
        s_xx += fold(lanes) + step * step * (done / seen * size)
        mean += step * (size / seen)
        done = seen
    return mean, s_xx


@kernel
def _add_common(
    lanes: Float64Array, x: FloatArray, y: FloatArray, x_total: float, y_total: float
) -> None:
    """Add the smaller of two shares, at most `LANES` times, to the lanes."""
    for j in range(x.size):
        lanes[j] += min(x[j] / x_total, y[j] / y_total)


@kernel
def common_mass(x: FloatArray, y: FloatArray, x_total: float, y_total: float) -> float:
    """Sum the smaller of two arrays, each divided by its own total."""
    lanes = np.empty(LANES)
    result = 0.0
    for start in range(0, x.size, BLOCK):
        stop = min(start + BLOCK, x.size)
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            end = min(row + LANES, stop)
            _add_common(lanes, x[row:end], y[row:end], x_total, y_total)
        result += fold(lanes)
    return result


@kernel
def add_exactly(high: Float64Array, low: Float64Array, terms: FloatArray, factor: float) -> None:
    """Add `factor` (1 or -1) times `terms` to a double-double sum, in place.

    Knuth's two-sum (The Art of Computer Programming 2, 4.2.2) adds the rounding error of the high
    part to the low part, exactly.
    """
    for i in range(high.size):
        term = factor * terms[i]
        rounded = high[i] + term
        shadow = rounded - high[i]
        low[i] += (high[i] - (rounded - shadow)) + (term - shadow)
        high[i] = rounded


@kernel
def add_shares(
    high: Float64Array, low: Float64Array, terms: FloatArray, mass: float, factor: float
) -> None:
    """Add `factor` (1 or -1) times the shares of `terms` in `mass`, as `add_exactly` adds them."""
    for i in range(high.size):
        term = factor * (np.float64(terms[i]) / mass)  # double precision also if not compiled
        rounded = high[i] + term
        shadow = rounded - high[i]
        low[i] += (high[i] - (rounded - shadow)) + (term - shadow)
        high[i] = rounded


@kernel
def sum_without(
    high: Float64Array, low: Float64Array, terms: FloatArray, out: Float64Array
) -> None:
    """Set `out` to a double-double sum minus some terms, as `add_exactly` subtracts them."""
    for i in range(out.size):
        term = -np.float64(terms[i])
        rounded = high[i] + term
        shadow = rounded - high[i]
        out[i] = rounded + (low[i] + ((high[i] - (rounded - shadow)) + (term - shadow)))
