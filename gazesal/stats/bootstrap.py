"""Resamples of units and what the mean becomes in each: bootstrap, jackknife, sign flips."""

from collections.abc import Iterator

import numpy as np

from gazesal.kernels.bootstrap import count_draws, resampled_ratios, weighted_sums
from gazesal.stats.rounding import ROUNDING, merge_ties
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array, IntArray

__all__ = ["estimates", "jackknife", "replicates", "sign_flips", "studentized"]

VALUES_AT_ONCE = 1 << 17  # of the matrix of resampling counts, 1 MiB, which stays in cache


def streams(generator: np.random.Generator, n: int) -> list[np.random.Generator]:
    """One generator for each kind of unit; a single kind draws from the generator itself."""
    if n == 1:
        return [generator]
    return [np.random.default_rng(seed) for seed in generator.integers(2**63, size=n).tolist()]


def block_lengths(n: int, width: int) -> Iterator[int]:
    """Lengths of blocks of rows that hold at most `VALUES_AT_ONCE` values."""
    at_once = max(1, VALUES_AT_ONCE // width)
    for start in range(0, n, at_once):
        yield min(at_once, n - start)


def estimates(sample: Sample) -> Float64Array:
    """Mean of each column, (C,): over cells, or over all scores by their weights."""
    return np.asarray(_totals(sample.means) / _total_size(sample))


def _total_size(sample: Sample) -> Float64Array | float:
    return float(np.prod(sample.shape)) if sample.sizes is None else _totals(sample.sizes)


def _totals(cells: Float64Array) -> Float64Array:
    """Sum of each column, with the same bits whatever columns stand beside it."""
    columns = np.ascontiguousarray(cells.reshape(-1, cells.shape[-1]).T)
    return np.asarray(columns.sum(axis=1))


def replicates(sample: Sample, n: int, generator: np.random.Generator) -> Float64Array:
    """Means of `n` resamples, (n, C); each kind of unit is drawn on its own, with replacement.

    NaN where a resample holds no weight.
    """
    cells = sample.sums
    if sample.nested_sizes is not None:  # each nested unit has a count of its own
        cells = cells.reshape(-1, 1, 1, cells.shape[-1])
    sums = [_sums(counts, cells, sample.sizes) for counts in _counts(sample, n, generator)]
    means = np.concatenate([top for top, _ in sums])
    if sample.sizes is None:
        return np.asarray(means / float(np.prod(sample.shape)))
    with np.errstate(invalid="ignore"):
        return np.asarray(means / np.concatenate([bottom for _, bottom in sums]))


def studentized(
    sample: Sample, n: int, generator: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Return means of `n` resamples of one kind of unit and their standard errors, both (n, C).

    An error is exactly zero if all drawn units have the same score.
    """
    sizes = np.ones_like(sample.sums) if sample.sizes is None else sample.sizes
    sizes = sizes[:, 0, 0, :]
    # ties stay ties: a size that was multiplied in is not divided out exactly
    ratios = _without_ties(sample.sums[:, 0, 0, :] / sizes)
    columns = np.ascontiguousarray(ratios.T), np.ascontiguousarray(sizes.T)
    means, errors = [], []
    for counts, _, _ in _counts(sample, n, generator):
        mean, error = np.empty((2, counts.shape[0], sizes.shape[1]))
        resampled_ratios(counts, *columns, mean, error)
        means.append(mean)
        errors.append(error)
    return np.concatenate(means), np.concatenate(errors)


def _without_ties(values: Float64Array) -> Float64Array:
    """Merge the values of each column that differ by rounding."""
    slack = ROUNDING * np.abs(values).max(axis=0)
    columns = [merge_ties(values[:, c], float(slack[c])) for c in range(values.shape[1])]
    return np.stack(columns, axis=1)


def _sums(
    counts: tuple[IntArray, IntArray, IntArray], top: Float64Array, bottom: Float64Array | None
) -> tuple[Float64Array, Float64Array]:
    out = np.empty((counts[0].shape[0], top.shape[-1]))
    weighted_sums(*counts, top, out)
    if bottom is None:
        return out, np.empty(0)
    sizes = np.empty_like(out)
    weighted_sums(*counts, bottom, sizes)
    return out, sizes


def _counts(
    sample: Sample, n: int, generator: np.random.Generator
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """How often each unit is drawn: rows of counts for three kinds, ones where there are fewer.

    Each kind has a stream of its own that runs from resample to resample, so that blocks of any
    length hold the same counts.
    """
    shape = sample.shape
    nested = sample.nested_sizes
    sources = streams(generator, len(shape) + (nested is not None))
    width = sum(shape) if nested is None else sample.sums[..., 0].size
    for rows in block_lengths(n, width):
        drawn = [_draw(source, size, rows) for source, size in zip(sources, shape, strict=False)]
        ones = np.ones((rows, 1), np.int64)
        if nested is None:
            first, second, third = [*drawn, ones, ones][:3]
            yield first, second, third
        else:
            yield _nested_counts(drawn[0], nested, sample.sums.shape[1], sources[1]), ones, ones


def _draw(source: np.random.Generator, size: int, rows: int) -> IntArray:
    """Rows of counts of `size` draws of `size` units."""
    counts = np.empty((rows, size), np.int64)
    count_draws(source.integers(size, size=(rows, size)), counts)
    return counts


def _nested_counts(
    units: IntArray, nested: IntArray, most: int, source: np.random.Generator
) -> IntArray:
    """Counts of the nested units: a unit drawn c times holds c draws of as many as it has."""
    chances = (np.arange(most) < nested[:, None]) / nested[:, None]
    counts = source.multinomial(units * nested, chances)
    return np.ascontiguousarray(counts.reshape(units.shape[0], -1))


def jackknife(sample: Sample) -> list[Float64Array]:
    """Means without each unit in turn, (I, C), for each kind of unit; each has several."""
    if sample.sums.shape[-1] > 1:  # one by one, for the same bits as alone
        alone = [jackknife(each) for each in sample.columns()]
        return [np.concatenate(columns, axis=1) for columns in zip(*alone, strict=True)]
    top = sample.means
    bottom = np.ones_like(top) if sample.sizes is None else sample.sizes
    left_out = []
    for axis in range(len(sample.shape)):
        others = tuple(other for other in range(3) if other != axis)
        tops, bottoms = top.sum(axis=others), bottom.sum(axis=others)
        with np.errstate(divide="ignore", invalid="ignore"):
            left_out.append((tops.sum(axis=0) - tops) / (bottoms.sum(axis=0) - bottoms))
    return left_out


def sign_flips(
    values: Float64Array, n: int, generator: np.random.Generator | None
) -> tuple[Float64Array, bool]:
    """Shares of sign patterns whose sum is as far from zero as that of `values`, (C,).

    All patterns if there are no more than `n`; else `n` at random, and the observed one counts as
    one of them, so that a share is never zero.

    Parameters
    ----------
    values : numpy.ndarray, shape (K, C)
        One value of each unit.
    n : int
        Largest number of patterns.
    generator : numpy.random.Generator or None
        Source of patterns.

    Returns
    -------
    tuple of numpy.ndarray and bool
        The shares, and whether all patterns were seen.
    """
    k = values.shape[0]
    cells = np.ascontiguousarray(values[:, None, None, :])
    # relative to the terms: a sum that cancels is as far from zero as its rounding
    reach = np.abs(values.sum(axis=0)) - ROUNDING * np.abs(values).sum(axis=0)
    exact = k < n.bit_length() and 2**k <= n
    total = 2 ** (k - 1) if exact else n
    as_far = np.zeros(values.shape[1], np.int64)
    start = 0
    for rows in block_lengths(total, k):
        if exact:  # the first sign stays: the other half is the mirror image
            numbers = np.arange(start, start + rows)
            bits = (numbers[:, None] >> np.arange(k)) & 1
        else:
            assert generator is not None  # noqa: S101  (the caller has one where there are many)
            bits = generator.integers(0, 2, size=(rows, k))
        ones = np.ones((rows, 1), np.int64)
        sums, _ = _sums((1 - 2 * bits, ones, ones), cells, None)
        as_far += np.count_nonzero(np.abs(sums) >= reach, axis=0)
        start += rows
    shares = as_far / total if exact else (as_far + 1) / (total + 1)
    return shares, exact


def permuted_labels(codes: IntArray, n: int, generator: np.random.Generator) -> Iterator[IntArray]:
    """Blocks of `n` random orders of group labels, (rows, K)."""
    for rows in block_lengths(n, codes.size):
        yield generator.permuted(np.broadcast_to(codes, (rows, codes.size)).copy(), axis=1)
