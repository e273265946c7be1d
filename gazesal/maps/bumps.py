"""Sums of separable Gaussians on the pixels of an image, in bounded memory."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.exceptions import SkippedDataWarning
from gazesal.kernels.gaussians import TOGETHER, sum_of_outer_products
from gazesal.typing import Float64Array, IntArray

GROUP = 1024  # Gaussians drawn together; each takes 16 KB at 1000 x 1000 pixels
TILE = 32  # pixels; smaller tiles give tighter windows and take longer to loop over
DROPPED = 54 * math.log(2.0)  # log of 2**54; terms smaller by this factor do not change a sum
NARROW = 0.25  # pixels; wider Gaussians have nearly the same mass at any position on the grid
MISSED = 0.01  # share of a Gaussian's mass; below it on the pixels, the Gaussian counts as lost


def gaussians(
    centers: Float64Array, sigmas: Float64Array, shown: IntArray, first: int, last: int
) -> Float64Array:
    """Return unnormalized Gaussians at pixels `first` to `last` - 1, one in each row.

    A Gaussian is zero outside its shown pixels [start, stop). Rows of zeros are appended until the
    number of rows is a multiple of `TOGETHER`.
    """
    n = len(centers)
    bumps = np.zeros((-(-n // TOGETHER) * TOGETHER, last - first))
    drawn = bumps[:n]
    with np.errstate(over="ignore", under="ignore"):
        np.subtract(np.arange(first, last), centers[:, None], out=drawn)
        drawn /= sigmas[:, None]
        np.multiply(drawn, drawn, out=drawn)
        drawn *= -0.5
        np.exp(drawn, out=drawn)
    for bump, (start, stop) in zip(drawn, np.clip(shown - first, 0, last - first), strict=True):
        bump[:start] = 0.0
        bump[stop:] = 0.0
    return bumps


def density_of_bumps(
    points: Float64Array,
    sigmas: Float64Array,
    peaks: Float64Array,
    shown: IntArray,
    shape: tuple[int, int],
    group: int = GROUP,
    tile: int = TILE,
) -> Float64Array | None:
    """Return the sum of Gaussians divided by its own sum, or None if no pixel has any mass.

    Points and sigmas (N, 2) are x and y. Peaks (N,) are the logarithms of the heights, at most 0.
    Shown (N, 4) are the pixels [first column, first row, last column, last row) of each Gaussian.
    """
    if len(points) <= group:
        return _few(points, sigmas, peaks, shown, shape)
    return _many(points, sigmas, peaks, shown, shape, group, tile)


def _few(
    points: Float64Array,
    sigmas: Float64Array,
    peaks: Float64Array,
    shown: IntArray,
    shape: tuple[int, int],
) -> Float64Array | None:
    """Draw all Gaussians at once, as one matrix product."""
    n, (height, width) = len(points), shape
    along_x = gaussians(points[:, 0], sigmas[:, 0], shown[:, 0::2], 0, width)
    along_y = gaussians(points[:, 1], sigmas[:, 1], shown[:, 1::2], 0, height)
    heights = np.exp(peaks)
    # The mass of a separable Gaussian is the product of its two sums, so the map is divided by its
    # sum without reading it again.
    shares = heights * along_x[:n].sum(axis=1) * along_y[:n].sum(axis=1)
    mass = float(shares.sum())
    if not (mass > 0 and math.isfinite(1.0 / mass)):
        return None
    along_y[:n] *= (heights / mass)[:, None]
    density = np.empty(shape)
    sum_of_outer_products(along_y, along_x, density)
    return density


def _many(
    points: Float64Array,
    sigmas: Float64Array,
    peaks: Float64Array,
    shown: IntArray,
    shape: tuple[int, int],
    group_size: int,
    tile: int,
) -> Float64Array | None:
    """Draw groups of neighbors one after another, each on the window where it changes the sum.

    A Gaussian is omitted from a tile if it is too small there. All Gaussians omitted at a pixel
    add up to less than 2**-54 of its value, also far from all fixations.
    """
    density = np.zeros(shape)
    edges = _edges(shape[0], tile), _edges(shape[1], tile)
    groups = list(_neighbors(points, group_size))
    floor = np.full((len(edges[0]) - 1, len(edges[1]) - 1), -np.inf)
    for group in groups:
        _raise_floor(floor, edges, points[group], sigmas[group], peaks[group], shown[group])
    floor -= DROPPED + math.log(len(points))
    for group in groups:
        first, last = shown[group, :2].min(axis=0), shown[group, 2:].max(axis=0)
        rows, columns = _window(floor, edges, points[group], sigmas[group], peaks[group])
        top, bottom = max(rows[0], int(first[1])), min(rows[1], int(last[1]))
        left, right = max(columns[0], int(first[0])), min(columns[1], int(last[0]))
        if top >= bottom or left >= right:
            continue
        along_x = gaussians(points[group, 0], sigmas[group, 0], shown[group, 0::2], left, right)
        along_y = gaussians(points[group, 1], sigmas[group, 1], shown[group, 1::2], top, bottom)
        along_y[: len(group)] *= np.exp(peaks[group])[:, None]
        part = np.empty((bottom - top, right - left))
        sum_of_outer_products(along_y, along_x, part)
        density[top:bottom, left:right] += part
    mass = float(density.sum())
    if not (mass > 0 and math.isfinite(1.0 / mass)):
        return None
    density /= mass
    return density


def _edges(length: int, tile: int) -> IntArray:
    """Return the first pixel of each tile along an axis, and the end of the last."""
    return np.append(np.arange(0, length, tile), length).astype(np.int64)


def _neighbors(points: Float64Array, most: int) -> Iterator[IntArray]:
    """Split the points into groups of at most `most`, halving along the longer side."""
    pending = [np.arange(len(points))]
    while pending:
        group = pending.pop()
        if len(group) <= most:
            yield np.sort(group)
            continue
        here = points[group]
        axis = int(np.argmax(np.ptp(here, axis=0)))
        # a stable sort gives the same groups on every machine
        order = np.argsort(here[:, axis], kind="stable")
        half = len(group) // 2
        pending += [group[order[half:]], group[order[:half]]]


def _raise_floor(
    floor: Float64Array,
    edges: tuple[IntArray, IntArray],
    points: Float64Array,
    sigmas: Float64Array,
    peaks: Float64Array,
    shown: IntArray,
) -> None:
    """Update the lower bound of the log of the sum in each tile by the highest Gaussian there."""
    down, across = (
        _at_farthest(edges[k], points[:, axis], sigmas[:, axis], shown[:, axis::2])
        for k, axis in enumerate((1, 0))
    )
    for row, below in enumerate(down):
        np.maximum(floor[row], (peaks + below + across).max(axis=1), out=floor[row])


def _at_farthest(
    edges: IntArray, centers: Float64Array, sigmas: Float64Array, shown: IntArray
) -> Float64Array:
    """Return the exponent of each Gaussian at the farthest pixel of each tile along one axis."""
    first, last = edges[:-1, None], edges[1:, None] - 1
    with np.errstate(over="ignore"):
        steps = np.maximum(np.abs(first - centers), np.abs(last - centers)) / sigmas
        exponents = -0.5 * steps * steps
    exponents[(first < shown[:, 0]) | (last >= shown[:, 1])] = -np.inf
    return np.asarray(exponents)


def _window(
    floor: Float64Array,
    edges: tuple[IntArray, IntArray],
    points: Float64Array,
    sigmas: Float64Array,
    peaks: Float64Array,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return rows and columns of the tiles where a group may rise above the floor."""
    widest, lowest, highest = sigmas.max(axis=0), points.min(axis=0), points.max(axis=0)
    exponents = []
    for k, axis in enumerate((1, 0)):
        first, last = edges[k][:-1], edges[k][1:] - 1
        gap = np.maximum(np.maximum(first - highest[axis], lowest[axis] - last), 0.0)
        with np.errstate(over="ignore"):
            exponents.append(-0.5 * (gap / widest[axis]) ** 2)
    # A tile in which no Gaussian has a lower bound has a floor of minus infinity and is drawn.
    needed = peaks.max() + exponents[0][:, None] + exponents[1] >= floor
    rows, columns = np.flatnonzero(needed.any(axis=1)), np.flatnonzero(needed.any(axis=0))
    if not rows.size:
        return (0, 0), (0, 0)
    return (
        (int(edges[0][rows[0]]), int(edges[0][rows[-1] + 1])),
        (int(edges[1][columns[0]]), int(edges[1][columns[-1] + 1])),
    )


def warn_of_missed(
    points: Float64Array,
    sigmas: Float64Array,
    on_pixel: NDArray[np.bool_],
    *,
    name: str,
) -> None:
    """Warn if some Gaussians are lost between the pixel centers and others are not.

    `on_pixel` marks Gaussians centered on a pixel that is drawn.
    """
    if sigmas.min() >= NARROW or np.count_nonzero(on_pixel) < 2:
        return
    share = np.ones(np.count_nonzero(on_pixel))
    for axis in (0, 1):
        place, sigma = points[on_pixel, axis], sigmas[on_pixel, axis]
        with np.errstate(over="ignore", under="ignore"):
            steps = (place - np.floor(place))[:, None] - np.arange(-1, 3)
            sums = np.exp(-0.5 * (steps / sigma[:, None]) ** 2).sum(axis=1)
        share *= np.where(sigma < NARROW, sums / (sigma * math.sqrt(2 * math.pi)), 1.0)
    missed = int(np.count_nonzero(share < MISSED * share.max()))
    if missed:
        warn(
            f"`{name}` must be about half a pixel or more to draw all fixations, got "
            f"{sigmas.min():g} pixels: {missed} of {len(points)} fixations lie between pixel "
            f"centers and have nearly no weight in the map. Check the unit of `{name}`.",
            SkippedDataWarning,
        )
