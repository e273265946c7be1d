"""Kernel density estimates of fixations on one image, from counts in cells.

`KdeCenterBias` sums a kernel for each pair of a fixation and a pixel, which takes minutes per image
for 100,000 fixations and half a million pixels. Counts in cells take less than a millisecond.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gazesal.maps.kde_bias import BANDWIDTHS, MIXINGS
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array, IntArray

__all__ = ["UNIFORM", "Kernel", "cross_validated_kernel", "kernel_density"]

CELLS = 128  # along the longer side; the narrowest bandwidth, 0.01 of the width, is then 1.3 cells

Parts = tuple[Float64Array, Float64Array, tuple[int, int]]  # own points, other points, (H, W)


class Kernel(NamedTuple):
    """Bandwidth of a kernel density estimate in widths of the image, and share of the uniform."""

    bandwidth: float
    mixing: float


UNIFORM = Kernel(BANDWIDTHS[-1], 1.0)


def cross_validated_kernel(images: Iterable[Parts]) -> Kernel:
    """Choose the bandwidth and mixing of the highest likelihood of points under other points.

    Each image has its own points (N, 2), the points of the images that predict it, moved to its
    pixels, and its shape. Of equal scores, the widest bandwidth and then the smallest mixing are
    chosen. Without any image that has both kinds of points, the density is uniform.
    """
    scores = np.zeros((len(BANDWIDTHS), len(MIXINGS)))
    shares = np.array(MIXINGS)[:, None]
    n_predicted = 0
    for own, others, shape in images:
        if not len(own) or not len(others):
            continue
        n_predicted += len(own)
        counts, cells = _counts(others, shape), _cells(own, shape)
        for k, bandwidth in enumerate(BANDWIDTHS):
            density = _density_of_counts(counts, shape, bandwidth)
            gains = density.ravel()[cells] * density.size
            scores[k] += np.log2((1.0 - shares) * gains + shares).sum(axis=1)
    if n_predicted == 0:
        return UNIFORM
    widest = int(np.flatnonzero((scores == scores.max()).any(axis=1))[-1])
    return Kernel(BANDWIDTHS[widest], MIXINGS[int(np.argmax(scores[widest]))])


def kernel_density(
    points: Float64Array, shape: tuple[int, int], bandwidth: float, mixing: float
) -> Float64Array:
    """Return the kernel density of points mixed with the uniform density, summing to 1.

    Without points, it is the uniform density.
    """
    uniform = 1.0 / (shape[0] * shape[1])
    if len(points) == 0 or mixing == 1.0:
        return np.full(shape, uniform)
    density = _density_of_counts(_counts(points, shape), shape, bandwidth)
    if density.shape != shape:
        density = resample(density, shape)
        density /= density.sum()
    return np.asarray((1.0 - mixing) * density + mixing * uniform)


def _grid(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the (H, W) in cells of an image: its pixels, or `CELLS` along the longer side."""
    factor = CELLS / max(shape)
    if factor >= 1:
        return shape
    return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


def _cells(points: Float64Array, shape: tuple[int, int]) -> IntArray:
    """Return the flat cell of each point (N, 2) on an image of some (H, W)."""
    rows, columns = _grid(shape)
    places = (points + 0.5) / np.array([shape[1], shape[0]]) * np.array([columns, rows])
    x, y = np.clip(np.floor(places).astype(np.int64), 0, np.array([columns, rows]) - 1).T
    return np.asarray(y * columns + x)


def _counts(points: Float64Array, shape: tuple[int, int]) -> Float64Array:
    """Return the number of points (N, 2) in each cell of an image, as a map of cells."""
    rows, columns = _grid(shape)
    counts = np.bincount(_cells(points, shape), minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.float64)


def _density_of_counts(
    counts: Float64Array, shape: tuple[int, int], bandwidth: float
) -> Float64Array:
    """Return the kernel density of counts over the cells, summing to 1.

    The bandwidth is a fraction of the width of the image, and the kernel is round in pixels. The
    kernels are cut off at the border. The counts must have a positive sum.
    """
    rows, columns = counts.shape
    down = _kernel(rows, bandwidth * shape[1] * rows / shape[0])
    across = _kernel(columns, bandwidth * columns)
    found = down @ counts @ across
    return np.asarray(found / found.sum())


@lru_cache(maxsize=64)
def _kernel(n: int, sigma: float) -> Float64Array:
    """Return the values of a Gaussian for each pair of n cells, as a symmetric matrix."""
    distances = np.arange(n)
    values = np.exp(-0.5 * ((distances[:, None] - distances) / sigma) ** 2)
    values.flags.writeable = False
    return values
