"""Bounds of an interval from resampled values, one method a function."""

import math

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["basic", "bca", "percentile", "studentized"]

TIE = 1e-12  # of the spread: nearer to the estimate than this is a tie parted by rounding


def percentile(resampled: Float64Array, confidence_level: float) -> tuple[float, float]:
    """Quantiles of the resampled values."""
    low, high = np.quantile(resampled, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return float(low), float(high)


def basic(estimate: float, resampled: Float64Array, confidence_level: float) -> tuple[float, float]:
    """The quantiles mirrored at the estimate."""
    low, high = percentile(resampled, confidence_level)
    return 2 * estimate - high, 2 * estimate - low


def studentized(
    estimate: float,
    error: float,
    resampled: Float64Array,
    errors: Float64Array,
    confidence_level: float,
) -> tuple[float, float]:
    """Subtract the quantiles of (resampled - estimate) / error, times the error, from the estimate.

    NaN if more than half of the level's error are resamples without a spread of their own: their
    pivots are infinite or undefined, and so is a quantile of all.
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


def bca(
    estimate: float, resampled: Float64Array, left_out: list[Float64Array], confidence_level: float
) -> tuple[float, float]:
    """Quantiles moved by the bias of the resamples and the acceleration of the jackknife.

    NaN where all resamples lie on one side of the estimate, or the correction passes its pole.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  (slow to import)

    slack = TIE * float(np.ptp(resampled[np.isfinite(resampled)]))
    below = np.count_nonzero(resampled < estimate - slack)
    tied = np.count_nonzero(np.abs(resampled - estimate) <= slack)
    bias = float(ndtri((below + tied / 2) / resampled.size))
    quantiles = ndtri(np.array([(1 - confidence_level) / 2, (1 + confidence_level) / 2]))
    shrink = 1 - acceleration(left_out) * (bias + quantiles)
    if not math.isfinite(bias) or not np.all(shrink > 0):
        return math.nan, math.nan
    low, high = np.quantile(resampled, ndtr(bias + (bias + quantiles) / shrink))
    return float(low), float(high)


def acceleration(left_out: list[Float64Array]) -> float:
    """Skewness of the jackknife's influences, over six; several kinds of units add up."""
    cubes = squares = 0.0
    for values in left_out:
        influence = (values.size - 1) / values.size * (values.mean() - values)
        cubes += float((influence**3).sum())
        squares += float((influence**2).sum())
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0
