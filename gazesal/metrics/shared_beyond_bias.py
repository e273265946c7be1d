"""Correlations with the gaze beyond the center bias, from inner products of maps.

With the centered inner products of saliency map S, gaze map G and center bias C, and with G and C
divided by their sums,

* <S, G - C> = <S, G> - <S, C>, and
* <G - C, G - C> = <G, G> - 2 <G, C> + <C, C>,

so that no difference of maps is computed. If G and C are so similar that these sums would lose
digits, the difference is computed once for all saliency maps.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gazesal._validation import weight_sums
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import ROUNDING_STEPS, SINGLE
from gazesal.metrics.bias_corrected import excess_map, rest_map
from gazesal.metrics.correlation import LARGEST, SMALLEST, correlation, z_scores
from gazesal.metrics.score_job import Job
from gazesal.typing import Float64Array

__all__ = ["BEYOND_BIAS", "set_beyond_bias"]

RESIDUALS = ("residual_ncc", "residual_nss")
BEYOND_BIAS = (*RESIDUALS, "semipartial_ncc")
# Share of the squares of gaze and center bias that the square of their difference must have. The
# sums of products then lose two of some fifteen digits.
LEAST_SHARE = 0.01
# Deviation of the difference in units of the largest value. Less may be rounding of the maps.
LEAST_DEVIATION = 1e-4


def set_beyond_bias(
    job: Job, products: Float64Array, r: Float64Array, values: Float64Array
) -> None:
    """Set the scores of the gaze beyond the center bias.

    `products` and `r` are the centered products and the correlations of pairs of maps, by their
    positions in the job.
    """
    names = [name for name in job.metrics if name in BEYOND_BIAS]
    flat = [i for i in range(job.n_tested) if job.constant[i] and job.is_asked(i)]
    job.warn_constant(names, flat)
    found = {name: values[:, :, k] for k, name in enumerate(job.metrics) if name in BEYOND_BIAS}
    equal, fitted = [], []
    bias_sum = math.nan
    if set(names) & set(RESIDUALS):
        bias_sum = weight_sums(job.maps[-1], name=job.labels[-1])[1]
    for j in np.flatnonzero(job.asked.any(axis=0)).tolist():
        if set(names) & set(RESIDUALS) and not _set_residuals(job, products, j, bias_sum, found):
            equal.append(j)
        if "semipartial_ncc" in names and not _set_semipartial(job, r, j, found["semipartial_ncc"]):
            fitted.append(j)
    if "residual_ncc" in names:
        _warn_undefined(job, "residual_ncc", "equal the center bias", equal)
    how = "or the center bias are constant, or one is the other times a factor plus a constant"
    _warn_undefined(job, "semipartial_ncc", how, fitted)


def _set_residuals(
    job: Job, products: Float64Array, j: int, bias_sum: float, found: dict[str, Float64Array]
) -> bool:
    """Set the residual scores against one gaze map. Return False if it equals the center bias."""
    k, n_pixels = job.n_tested + j, job.maps[0].size
    gaze_sum = weight_sums(job.maps[k], name=job.labels[k])[1]
    squares = np.diag(products)
    rows = _rows(job, j)
    spread = _spread_of_difference(job, products, k, gaze_sum, bias_sum)
    if spread is not None:
        scaled = (squares[: job.n_tested] > SMALLEST) & (squares[: job.n_tested] < LARGEST)
        summed = np.flatnonzero(rows & scaled)
        product = products[summed, k] / gaze_sum - products[summed, -1] / bias_sum
        own = squares[summed]
        if "residual_ncc" in found:
            found["residual_ncc"][summed, j] = np.clip(product / np.sqrt(own * spread), -1.0, 1.0)
        if "residual_nss" in found:
            found["residual_nss"][summed, j] = product / np.sqrt(own / n_pixels)
        rows &= ~scaled
        if not rows.any():
            return True
    excess = excess_map(job.maps[k], job.maps[-1])
    for i in np.flatnonzero(rows).tolist():
        if "residual_ncc" in found and excess is not None:
            found["residual_ncc"][i, j] = _correlation(job, i, excess)
        if "residual_nss" in found:
            nss = 0.0 if excess is None else float(np.vdot(z_scores(job.maps[i]), excess))
            found["residual_nss"][i, j] = nss
    return excess is not None


def _spread_of_difference(
    job: Job, products: Float64Array, k: int, gaze_sum: float, bias_sum: float
) -> float | None:
    """Return the sum of squares of gaze minus center bias, or None if it would lose digits."""
    gaze, both, bias = products[k, k], products[k, -1], products[-1, -1]
    if job.constant[k] or job.constant[-1]:
        return None
    if not all(SMALLEST < square < LARGEST for square in (gaze, bias)):
        return None
    parts = gaze / gaze_sum / gaze_sum, bias / bias_sum / bias_sum
    spread = float(parts[0] - 2.0 * both / gaze_sum / bias_sum + parts[1])
    largest = max(job.ranges[k][1] / gaze_sum, job.ranges[-1][1] / bias_sum)
    smallest = max(LEAST_SHARE * sum(parts), job.maps[0].size * (LEAST_DEVIATION * largest) ** 2)
    return spread if spread > smallest else None


def _set_semipartial(job: Job, r: Float64Array, j: int, found: Float64Array) -> bool:
    """Set the semi-partial NCC with one gaze map. Return False if it is undefined for all maps."""
    k = job.n_tested + j
    rows = np.flatnonzero(_rows(job, j))
    left = 1.0 - r[k, -1] ** 2  # nan if one of the two maps is constant
    if left > max(LEAST_SHARE, job.maps[0].size * (ROUNDING_STEPS * SINGLE) ** 2):
        scores = (r[rows, k] - r[rows, -1] * r[k, -1]) / math.sqrt(left)
        found[rows, j] = np.clip(scores, -1.0, 1.0)
        return True
    rest = rest_map(job.maps[k], job.maps[-1])
    if rest is not None:
        found[rows, j] = [_correlation(job, i, rest) for i in rows.tolist()]
    return rest is not None


def _rows(job: Job, j: int) -> NDArray[np.bool_]:
    """Return which saliency maps to score against a gaze map, except constant ones."""
    return np.asarray(job.asked[:, j] & ~np.array(job.constant[: job.n_tested]))


def _correlation(job: Job, i: int, difference: Float64Array) -> float:
    """Return the correlation of a saliency map with a difference of two maps."""
    return correlation(job.maps[i], difference, names=(job.labels[i], "difference"))


def _warn_undefined(job: Job, metric: str, how: str, positions: list[int]) -> None:
    """Warn once that a metric is undefined for some gaze maps."""
    if positions:
        listed = ", ".join(f"`{job.labels[job.n_tested + j]}`" for j in positions)
        warn(
            f"{metric} cannot be computed for gaze maps that {how}: {listed}.",
            UndefinedMetricWarning,
        )
