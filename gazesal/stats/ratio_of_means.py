"""Intervals of a ratio of means: Fieller's, by the inversion of a t test, and bootstrap ones."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from gazesal.stats import bootstrap, bounds
from gazesal.stats.interval_methods import Options, standard_errors, t_quantiles
from gazesal.stats.rounding import ROUNDING
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array

__all__ = ["fieller_bounds", "ratios", "resampled_bounds", "residual_of_ratio"]

DOUBLINGS, HALVINGS = 200, 60  # of a step toward a bound, and of the bracket around it


def ratios(means: Float64Array) -> Float64Array:
    """Compute the normalized scores of means (..., 3): method, floor, ceiling."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((means[..., 0] - means[..., 1]) / (means[..., 2] - means[..., 1]))


def fieller_bounds(sample: Sample, interval: str, confidence_level: float) -> tuple[float, float]:
    """Return the bounds of the normalized score of a sample (method, floor, ceiling).

    NaN if the interval is unbounded.
    """
    if len(sample.shape) == 1:
        return _quadratic_bounds(sample, interval, confidence_level)
    return _inverted_bounds(sample, interval, confidence_level)


def residual_of_ratio(sample: Sample, ratio: float) -> Sample:
    """Return the sample whose mean is zero if `ratio` is the normalized score: (m-f) - r (c-f)."""
    weights = np.array([1.0, ratio - 1.0, -ratio])
    if sample.sizes is None:
        sums = sample.sums @ weights
    else:  # about each mean, which has weights of its own
        centered = sample.sums - bootstrap.estimates(sample) * sample.sizes
        sums = (centered / sample.sizes.sum(axis=(0, 1, 2))) @ weights
    return sample._replace(
        sums=np.ascontiguousarray(sums[..., None]),
        sizes=None,
        pooled=sample.pooled[:1],
        n_dropped=sample.n_dropped[:1],
    )


def _quantile(interval: str, confidence_level: float, degrees: float) -> float:
    upper = 0.5 + confidence_level / 2
    if interval == "normal":
        return NormalDist().inv_cdf(upper)
    return float(t_quantiles(upper, np.array(degrees)))


def _quadratic_bounds(
    sample: Sample, interval: str, confidence_level: float
) -> tuple[float, float]:
    """Return roots of the quadratic equation of one kind of units."""
    k = sample.shape[0]
    means = bootstrap.estimates(sample)
    sizes = np.ones_like(sample.means) if sample.sizes is None else sample.sizes
    influences = (sample.means - means * sizes)[:, 0, 0, :] / sizes.sum(axis=(0, 1, 2))
    contrasts = np.array([[1.0, -1.0, 0.0], [0.0, -1.0, 1.0]])  # m - f and c - f
    own = influences @ contrasts.T
    a, g = contrasts @ means
    error = _quantile(interval, confidence_level, k - 1) ** 2 * (own.T @ own) * k / (k - 1)
    first, middle, last = g**2 - error[1, 1], a * g - error[0, 1], a**2 - error[0, 0]
    if not first > 0:
        return math.nan, math.nan
    root = math.sqrt(max(middle**2 - first * last, 0.0))
    return float((middle - root) / first), float((middle + root) / first)


def _inverted_bounds(sample: Sample, interval: str, confidence_level: float) -> tuple[float, float]:
    """Find the ratios nearest to the estimate that the test over variance components rejects."""

    def excess(contrast: Sample) -> float:
        (error,), (degrees,) = standard_errors(contrast)
        distance = abs(float(contrast.sums.mean()))
        return distance - _quantile(interval, confidence_level, float(degrees)) * float(error)

    means = bootstrap.estimates(sample)
    estimate, gap = float(ratios(means)), float(means[2] - means[1])
    gaps = sample._replace(sums=np.ascontiguousarray(sample.sums[..., 2:] - sample.sums[..., 1:2]))
    if not excess(gaps) > 0:
        return math.nan, math.nan
    step = -excess(residual_of_ratio(sample, estimate)) / abs(gap)
    if step <= 0:
        return estimate, estimate
    found = []
    for side in (-1.0, 1.0):
        inside, outside = estimate, estimate + side * step
        for _ in range(DOUBLINGS):
            if excess(residual_of_ratio(sample, outside)) > 0:
                break
            inside, outside = outside, estimate + 2 * (outside - estimate)
        else:
            return math.nan, math.nan
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if excess(residual_of_ratio(sample, middle)) > 0:
                outside = middle
            else:
                inside = middle
        found.append(inside)
    return found[0], found[1]


def resampled_bounds(sample: Sample, options: Options) -> tuple[tuple[float, float], str]:
    """Return the bounds of the resampled ratios, and why they are NaN if they are."""
    generator = options.generator
    assert generator is not None  # noqa: S101  (checked with the options)
    confidence_level = options.confidence_level
    center = bootstrap.estimates(sample)
    means = bootstrap.replicates(sample, options.n_resamples, generator)
    left_out = bootstrap.jackknife(sample) if options.interval == "bca" else []
    gap = center[2] - center[1]
    crossed = (means[:, 2] - means[:, 1]) * gap <= 0
    if np.mean(crossed) > (1 - confidence_level) / 2 or any(
        ((each[:, 2] - each[:, 1]) * gap <= 0).any() for each in left_out
    ):
        why = (
            "the ceiling is not better than the floor in too many resamples. The default, "
            'interval="t", does not depend on resamples.'
        )
        return (math.nan, math.nan), why
    estimate, values = float(ratios(center)), ratios(means)
    # beyond its pole the ratio has passed infinity, on the side of its numerator
    side = (means[:, 0] - means[:, 1])[crossed] * gap
    values[crossed] = np.where(side >= 0, math.inf, -math.inf)
    if (np.abs(values - estimate) <= ROUNDING * (1 + abs(estimate))).all():
        return (estimate, estimate), ""
    with np.errstate(invalid="ignore"):
        if options.interval == "bootstrap":
            pair = bounds.percentile(values, confidence_level)
        elif options.interval == "basic":
            pair = bounds.basic(estimate, values, confidence_level)
        else:
            pair = bounds.bca(
                estimate, values, [ratios(each) for each in left_out], confidence_level
            )
    if np.isfinite(pair).all():
        return pair, ""
    why = "all resamples lie on one side of the estimate, or the units are few."
    return (math.nan, math.nan), why
