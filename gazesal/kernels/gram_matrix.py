"""Centered products of pairs of maps: a Gram matrix, or some of its entries.

Each map is read once. As in `gazesal.kernels.moments.centered_moments`, the first value is
subtracted, each block is centered on its own mean, and blocks are merged by pairwise updates.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.moments import LANES, add_lanes, fold
from gazesal.typing import Float64Array, FloatArray, IntArray

BLOCK = 16 * LANES  # pixels; the blocks of a dozen maps in float64 stay in the L2 cache
PART = 64 * BLOCK  # pixels that one thread sums; the number of threads does not change the sums


@kernel
def center(values: FloatArray, shift: float, out: Float64Array) -> float:
    """Set `out` to the shifted values minus their mean, and return that mean."""
    lanes = np.zeros(LANES)
    for row in range(0, values.size, LANES):
        add_lanes(lanes, values[row : row + LANES], shift)
    mean = fold(lanes) / values.size
    for j in range(values.size):
        out[j] = (values[j] - shift) - mean
    return mean


@kernel
def add_products(lanes: Float64Array, x: Float64Array, y: Float64Array) -> None:
    """Add the products of two arrays, at most `LANES` values, to the lanes."""
    for j in range(x.size):
        lanes[j] += x[j] * y[j]


class Products(NamedTuple):
    """Centered products of pairs of maps over some pixels, and the means of the maps there."""

    products: Float64Array
    means: Float64Array
    n_pixels: int


@kernel
def merge(done: Products, more: Products, pairs: IntArray) -> None:
    """Update the products and means of some pixels by the products and means of others."""
    products, means, n_done = done
    more_products, more_means, size = more
    seen = n_done + size
    weight = n_done / seen * size
    for k in range(pairs.shape[0]):
        i, j = pairs[k]
        step = (more_means[i] - means[i]) * (more_means[j] - means[j])
        products[k] += more_products[k] + step * weight
    for i in range(means.size):
        means[i] += (more_means[i] - means[i]) * (size / seen)


@kernel
def block_products(rows: Float64Array, pairs: IntArray, out: Float64Array) -> None:
    """Set `out` to the sums of products of pairs of rows."""
    lanes = np.empty(LANES)
    for k in range(pairs.shape[0]):
        x, y = rows[pairs[k, 0]], rows[pairs[k, 1]]
        lanes[:] = 0.0
        for row in range(0, x.size, LANES):
            add_products(lanes, x[row : row + LANES], y[row : row + LANES])
        out[k] = fold(lanes)


def part_products(
    maps: Sequence[FloatArray], pairs: IntArray, start: int, part: int = PART, block: int = BLOCK
) -> Products:
    """Return the products of pairs of maps over the `part` pixels from `start`, or fewer."""
    stop = min(start + part, maps[0].size)
    rows = np.empty((len(maps), block))
    products, means = np.zeros(len(pairs)), np.zeros(len(maps))
    more, more_means = np.empty(len(pairs)), np.empty(len(maps))
    for first in range(start, stop, block):
        size = min(block, stop - first)
        for i, values in enumerate(maps):
            shift = np.float64(values[0])
            more_means[i] = center(values[first : first + size], shift, rows[i])
        block_products(rows[:, :size], pairs, more)
        done = Products(products, means, first - start)
        merge(done, Products(more, more_means, size), pairs)
    return Products(products, means, stop - start)


def merged(parts: Sequence[Products], pairs: IntArray) -> Float64Array:
    """Return the products over all parts, merged in their order."""
    done = parts[0]
    for more in parts[1:]:
        merge(done, more, pairs)
        done = done._replace(n_pixels=done.n_pixels + more.n_pixels)
    return done.products
