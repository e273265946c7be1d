"""Sums of separable Gaussians, called bumps, on a grid."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array

TOGETHER = 4  # bumps added to two rows at once, so that a loaded value is used eight times
ROWS = 64  # rows whose factors are transposed together, so that they are read in memory order
TILE = 512  # columns; their bumps stay in cache for all rows


@kernel
def _add_bumps(
    upper: Float64Array, lower: Float64Array, factors: Float64Array, bumps: Float64Array
) -> None:
    """Add four bumps, times their factors, to two neighboring rows."""
    a, b, c, d = factors[0, 0], factors[0, 1], factors[0, 2], factors[0, 3]
    e, f, g, h = factors[1, 0], factors[1, 1], factors[1, 2], factors[1, 3]
    bump_0, bump_1, bump_2, bump_3 = bumps[0], bumps[1], bumps[2], bumps[3]
    for j in range(upper.size):
        x, y, z, w = bump_0[j], bump_1[j], bump_2[j], bump_3[j]
        upper[j] += (a * x + b * y) + (c * z + d * w)
        lower[j] += (e * x + f * y) + (g * z + h * w)


@kernel
def _copy(target: Float64Array, source: Float64Array) -> None:
    """Copy one array into another of the same size."""
    for j in range(target.size):
        target[j] = source[j]


@kernel
def sum_of_outer_products(along_y: Float64Array, along_x: Float64Array, out: Float64Array) -> None:
    """Set `out` to ``along_y.T @ along_x`` of (N, H) and (N, W), N a multiple of `TOGETHER`.

    The matrix product is written out instead of using BLAS, whose last bits depend on its vendor
    and its number of threads. A gaze map must be the same, bit for bit, for any number of workers.
    """
    n, height = along_y.shape
    width = along_x.shape[1]
    bumps = np.zeros((n, TILE))
    upper = np.empty(TILE)
    lower = np.empty(TILE)
    factors = np.zeros((2, TOGETHER))
    turned = np.empty((ROWS, n))
    for left in range(0, width, TILE):
        right = min(left + TILE, width)
        for i in range(n):
            _copy(bumps[i, : right - left], along_x[i, left:right])
        for row in range(0, height, 2):
            if row % ROWS == 0:
                last = min(row + ROWS, height)
                for i in range(n):
                    turned[: last - row, i] = along_y[i, row:last]
            upper[:] = 0.0
            lower[:] = 0.0
            for first in range(0, n, TOGETHER):
                factors[0] = turned[row % ROWS, first : first + TOGETHER]
                if row + 1 < height:
                    factors[1] = turned[row % ROWS + 1, first : first + TOGETHER]
                if factors.any():
                    _add_bumps(upper, lower, factors, bumps[first : first + TOGETHER])
            _copy(out[row, left:right], upper[: right - left])
            if row + 1 < height:
                _copy(out[row + 1, left:right], lower[: right - left])
