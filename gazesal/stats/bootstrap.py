"""Bootstrap resamples of units, the jackknife, and bounds of intervals from them."""

import math
from collections.abc import Iterator

import numpy as np

from gazesal.kernels.bootstrap import count_draws, resampled_ratios, weighted_sums
from gazesal.stats.rounding import ROUNDING, merge_ties
from gazesal.stats.score_cube import ScoreCube
from gazesal.typing import Float64Array, IntArray

__all__ = [
    "VALUES_AT_ONCE",
    "basic_bounds",
    "bca_bounds",
    "block_lengths",
    "estimates",
    "jackknife",
    "percentile_bounds",
    "replicates",
    "replicates_with_errors",
    "studentized_bounds",
]

# Values in a block of the matrix of resampling counts: 1 MiB, which fits in the L2 cache.
VALUES_AT_ONCE = 1 << 17
# Relative to the spread of the resamples. Rounding separates equal values by less than this.
TIE = 1e-12


def block_lengths(n: int, width: int, at_once: int) -> Iterator[int]:
    """Yield the lengths of blocks of `n` rows that hold at most `at_once` values."""
    rows = max(1, at_once // width)
    for start in range(0, n, rows):
        yield min(rows, n - start)


def estimates(cube: ScoreCube) -> Float64Array:
    """Compute the mean of each column, (C,), over cells or over scores by their weights."""
    size = float(np.prod(cube.shape)) if cube.sizes is None else _totals(cube.sizes)
    return np.asarray(_totals(cube.means) / size)


def _totals(cells: Float64Array) -> Float64Array:
    """Sum each column, with the same bits for any columns beside it."""
    columns = np.ascontiguousarray(cells.reshape(-1, cells.shape[-1]).T)
    return np.asarray(columns.sum(axis=1))


def replicates(
    cube: ScoreCube, n: int, generator: np.random.Generator, *, at_once: int = VALUES_AT_ONCE
) -> Float64Array:
    """Compute the means of `n` resamples, (n, C), with each kind of unit resampled on its own.

    A mean is NaN if its resample has no weight.
    """
    cells = cube.sums
    if cube.nested_sizes is not None:  # each nested unit has a count of its own
        cells = cells.reshape(-1, 1, 1, cells.shape[-1])
    tops, bottoms = [], []
    for counts in _counts(cube, n, generator, at_once):
        tops.append(_weighted(counts, cells))
        if cube.sizes is not None:
            bottoms.append(_weighted(counts, cube.sizes))
    if not bottoms:
        return np.asarray(np.concatenate(tops) / float(np.prod(cube.shape)))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.concatenate(tops) / np.concatenate(bottoms))


def _weighted(counts: tuple[IntArray, IntArray, IntArray], cells: Float64Array) -> Float64Array:
    """Sum the cells of each resample, (R, C)."""
    out = np.empty((counts[0].shape[0], cells.shape[-1]))
    weighted_sums(*counts, cells, out)
    return out


def replicates_with_errors(
    cube: ScoreCube, n: int, generator: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Compute the means of `n` resamples of one kind of unit and their standard errors, (n, C).

    An error is exactly zero if all units of the resample have the same score.
    """
    sizes = np.ones_like(cube.sums) if cube.sizes is None else cube.sizes
    sizes = sizes[:, 0, 0, :]
    # Ties are merged, because multiplying and dividing by a size is not exact.
    ratios = cube.sums[:, 0, 0, :] / sizes
    slack = ROUNDING * np.abs(ratios).max(axis=0)
    merged = [merge_ties(ratios[:, c], float(slack[c])) for c in range(ratios.shape[1])]
    columns = np.ascontiguousarray(merged), np.ascontiguousarray(sizes.T)
    means, errors = [], []
    for counts, _, _ in _counts(cube, n, generator, VALUES_AT_ONCE):
        mean, error = np.empty((2, counts.shape[0], sizes.shape[1]))
        resampled_ratios(counts, *columns, mean, error)
        means.append(mean)
        errors.append(error)
    return np.concatenate(means), np.concatenate(errors)


def _counts(
    cube: ScoreCube, n: int, generator: np.random.Generator, at_once: int
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield counts of the draws of each unit, (rows, units), for three kinds of units.

    A missing kind has counts of one. Each kind has a random stream of its own that continues from
    resample to resample, so that the counts do not depend on the length of the blocks.
    """
    shape, nested = cube.shape, cube.nested_sizes
    sources, n_sources = [generator], len(shape) + (nested is not None)
    if n_sources > 1:
        seeds = generator.integers(2**63, size=n_sources).tolist()
        sources = [np.random.default_rng(seed) for seed in seeds]
    width = sum(shape) if nested is None else cube.sums[..., 0].size
    for rows in block_lengths(n, width, at_once):
        drawn = [_draw(source, size, rows) for source, size in zip(sources, shape, strict=False)]
        ones = np.ones((rows, 1), np.int64)
        if nested is None:
            first, second, third = [*drawn, ones, ones][:3]
            yield first, second, third
        else:
            yield _nested_counts(drawn[0], nested, cube.sums.shape[1], sources[1]), ones, ones


def _draw(source: np.random.Generator, size: int, rows: int) -> IntArray:
    """Count the draws of each unit in `rows` samples of `size` of `size` units."""
    counts = np.empty((rows, size), np.int64)
    count_draws(source.integers(size, size=(rows, size)), counts)
    return counts


def _nested_counts(
    units: IntArray, nested: IntArray, most: int, source: np.random.Generator
) -> IntArray:
    """Count the draws of nested units: c times as many as a unit has, if it was drawn c times."""
    chances = (np.arange(most) < nested[:, None]) / nested[:, None]
    counts = source.multinomial(units * nested, chances)
    return np.ascontiguousarray(counts.reshape(units.shape[0], -1))


def jackknife(cube: ScoreCube) -> list[Float64Array]:
    """Compute the means without each unit in turn, (I, C), for each kind of unit.

    Each kind must have several units.
    """
    if cube.sums.shape[-1] > 1:  # one by one, for the same bits as alone
        alone = [jackknife(each) for each in cube.split()]
        return [np.concatenate(columns, axis=1) for columns in zip(*alone, strict=True)]
    top = cube.means
    bottom = np.ones_like(top) if cube.sizes is None else cube.sizes
    left_out = []
    for axis in range(len(cube.shape)):
        others = tuple(other for other in range(3) if other != axis)
        tops, bottoms = top.sum(axis=others), bottom.sum(axis=others)
        with np.errstate(divide="ignore", invalid="ignore"):
            left_out.append((tops.sum(axis=0) - tops) / (bottoms.sum(axis=0) - bottoms))
    return left_out


def percentile_bounds(resampled: Float64Array, confidence_level: float) -> tuple[float, float]:
    """Return quantiles of the resampled values."""
    low, high = np.quantile(resampled, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return float(low), float(high)


def basic_bounds(
    estimate: float, resampled: Float64Array, confidence_level: float
) -> tuple[float, float]:
    """Return the quantiles of the resampled values, mirrored at the estimate."""
    low, high = percentile_bounds(resampled, confidence_level)
    return 2 * estimate - high, 2 * estimate - low


def studentized_bounds(
    estimate: float,
    error: float,
    resampled: Float64Array,
    errors: Float64Array,
    confidence_level: float,
) -> tuple[float, float]:
    """Subtract the quantiles of (resampled - estimate) / errors, times `error`, from the estimate.

    The bounds are NaN if the share of resamples without a spread exceeds half of the level's
    error. The pivots of these resamples are infinite or undefined, and so are the quantiles.
    """
    tails = [(1 - confidence_level) / 2, (1 + confidence_level) / 2]
    if np.mean(errors == 0) > tails[0]:
        return math.nan, math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        pivots = (resampled - estimate) / errors
    pivots[np.isnan(pivots)] = math.inf
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(pivots, tails)
    if not (math.isfinite(low) and math.isfinite(high)):
        return math.nan, math.nan
    return float(estimate - high * error), float(estimate - low * error)


def bca_bounds(
    estimate: float, resampled: Float64Array, left_out: list[Float64Array], confidence_level: float
) -> tuple[float, float]:
    """Return quantiles that are shifted by the bias of the resamples and by the acceleration.

    The bounds are NaN if all resamples lie on one side of the estimate, or if the correction
    passes its pole.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  (slow to import)

    slack = TIE * float(np.ptp(resampled[np.isfinite(resampled)]))
    below = np.count_nonzero(resampled < estimate - slack)
    tied = np.count_nonzero(np.abs(resampled - estimate) <= slack)
    bias = float(ndtri((below + tied / 2) / resampled.size))
    quantiles = ndtri(np.array([(1 - confidence_level) / 2, (1 + confidence_level) / 2]))
    shrink = 1 - _acceleration(left_out) * (bias + quantiles)
    if not math.isfinite(bias) or not np.all(shrink > 0):
        return math.nan, math.nan
    low, high = np.quantile(resampled, ndtr(bias + (bias + quantiles) / shrink))
    return float(low), float(high)


def _acceleration(left_out: list[Float64Array]) -> float:
    """Compute a sixth of the skewness of the jackknife's influences of all kinds of units."""
    cubes = squares = 0.0
    for values in left_out:
        influence = (values.size - 1) / values.size * (values.mean() - values)
        cubes += float((influence**3).sum())
        squares += float((influence**2).sum())
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0
