"""Tests by permutation: of the signs of differences, and of the labels of groups.

``scipy.stats.permutation_test`` is not used. Its tolerance for ties is relative to the observed
statistic, so it would compare sums that cancel by their rounding errors. It also would not count
an order of the labels that leaves a group without spread, because its statistic is undefined.
"""

import math

import numpy as np

from gazesal.kernels.bootstrap import weighted_sums
from gazesal.stats.bootstrap import VALUES_AT_ONCE, block_lengths
from gazesal.stats.rounding import ROUNDING
from gazesal.typing import Float64Array, IntArray

__all__ = ["least_order_p", "least_sign_flip_p", "order_test", "sign_flips", "welch_statistics"]


def sign_flips(
    values: Float64Array,
    n: int,
    generator: np.random.Generator | None,
    *,
    at_once: int = VALUES_AT_ONCE,
) -> tuple[Float64Array, bool]:
    """Compute the share of sign patterns with a sum at least as far from zero as the sum of values.

    Parameters
    ----------
    values : numpy.ndarray, shape (K, C)
        One value of each unit.
    n : int
        Largest number of patterns. All patterns are used if there are no more than `n`. Otherwise
        `n` are random, and the observed pattern is added, so that a share is never zero.
    generator : numpy.random.Generator or None
        Source of random patterns.
    at_once : int
        Largest number of signs in memory.

    Returns
    -------
    tuple of numpy.ndarray and bool
        The shares, (C,), and whether all patterns were used.
    """
    k = values.shape[0]
    cells = np.ascontiguousarray(values[:, None, None, :])
    # The rounding of the terms is subtracted, so that a sum that cancels is not counted as far.
    reach = np.abs(values.sum(axis=0)) - ROUNDING * np.abs(values).sum(axis=0)
    exact = k < n.bit_length() and 2**k <= n
    total = 2 ** (k - 1) if exact else n
    as_far = np.zeros(values.shape[1], np.int64)
    start = 0
    for rows in block_lengths(total, k, at_once):
        if exact:  # the first sign is constant, as the other half is the mirror image
            numbers = np.arange(start, start + rows)
            bits = (numbers[:, None] >> np.arange(k)) & 1
        else:
            assert generator is not None  # noqa: S101  (callers pass one if there are many units)
            bits = generator.integers(0, 2, size=(rows, k))
        ones, sums = np.ones((rows, 1), np.int64), np.empty((rows, values.shape[1]))
        weighted_sums(1 - 2 * bits, ones, ones, cells, sums)
        as_far += np.count_nonzero(np.abs(sums) >= reach, axis=0)
        start += rows
    shares = as_far / total if exact else (as_far + 1) / (total + 1)
    return shares, exact


def least_sign_flip_p(n_units: int, n: int, *, exact: bool) -> float:
    """Return the least p-value of a sign-flip test, of all patterns or of `n` random ones."""
    return 2.0 ** (1 - n_units) if exact else 1 / (n + 1)


def order_test(
    values: Float64Array,
    codes: IntArray,
    n: int,
    generator: np.random.Generator,
    *,
    at_once: int = VALUES_AT_ONCE,
) -> tuple[float, float]:
    """Return the statistic of groups and its p-value under `n` random orders of their labels."""
    observed = float(welch_statistics(values, codes[None])[0])
    if math.isnan(observed):
        return math.nan, math.nan
    as_far = 0
    for rows in block_lengths(n, codes.size, at_once):
        orders = generator.permuted(np.broadcast_to(codes, (rows, codes.size)).copy(), axis=1)
        # An order that leaves a group without spread has no statistic and counts as far.
        statistics = welch_statistics(values, orders)
        # The same statistic may differ by rounding, also near zero.
        as_far += int(np.count_nonzero(~(statistics < observed - ROUNDING * (1 + observed))))
    return observed, (as_far + 1) / (n + 1)


def least_order_p(sizes: list[int], n: int) -> float:
    """Return the least p-value of a test of `n` random orders of the labels of groups."""
    orders = math.factorial(sum(sizes)) // math.prod(map(math.factorial, sizes))
    # groups of equal size have the same statistic if they are exchanged
    alike = math.prod(math.factorial(sizes.count(size)) for size in set(sizes))
    return max(alike / orders, 1 / (n + 1))


def welch_statistics(values: Float64Array, codes: IntArray) -> Float64Array:
    """Compute Welch's statistic of each row of group codes (R, N), NaN without a spread."""
    centered = values - values.mean()
    rounding = ROUNDING * np.abs(values).max()
    top = bottom = squares = np.zeros(codes.shape[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        for code in range(int(codes.max()) + 1):
            inside = codes == code
            size = float(np.count_nonzero(codes[0] == code))
            mean = np.where(inside, centered, 0.0).sum(axis=1) / size
            residuals = np.where(inside, centered - mean[:, None], 0.0)
            squares_within = (residuals**2).sum(axis=1)
            squares_within[np.abs(residuals).max(axis=1) <= rounding] = 0.0
            weight = size / (squares_within / (size - 1))
            top, bottom = top + weight * mean, bottom + weight
            squares = squares + weight * mean**2
        found = squares - top**2 / bottom
    return np.where(np.isfinite(found), np.maximum(found, 0.0), math.nan)
