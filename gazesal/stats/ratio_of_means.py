"""Bounds of a normalized score, which is a ratio of differences of means."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from gazesal.stats import bootstrap
from gazesal.stats.interval_methods import IntervalOptions, standard_errors, t_quantiles
from gazesal.stats.rounding import ROUNDING
from gazesal.stats.score_cube import ScoreCube
from gazesal.typing import Float64Array

__all__ = ["fieller_bounds", "ratios", "resampled_bounds", "residual_of_ratio"]

DOUBLINGS = 200  # of the step from the estimate toward a bound, to a factor of 1e60
HALVINGS = 60  # of the bracket around a bound, to the last bits of a float64


def ratios(means: Float64Array) -> Float64Array:
    """Compute the normalized scores of means (..., 3): method, floor, ceiling."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((means[..., 0] - means[..., 1]) / (means[..., 2] - means[..., 1]))


def fieller_bounds(cube: ScoreCube, interval: str, confidence_level: float) -> tuple[float, float]:
    """Compute Fieller's bounds of the normalized score of a cube (method, floor, ceiling).

    The bounds are NaN if the interval is unbounded.
    """
    if len(cube.shape) == 1:
        return _quadratic_bounds(cube, interval, confidence_level)
    return _inverted_bounds(cube, interval, confidence_level)


def residual_of_ratio(cube: ScoreCube, ratio: float) -> ScoreCube:
    """Compute (m - f) - r (c - f), with a mean of zero if `ratio` r is the normalized score."""
    weights = np.array([1.0, ratio - 1.0, -ratio])
    if cube.sizes is None:
        sums = cube.sums @ weights
    else:  # the mean of each column has weights of its own
        centered = cube.sums - bootstrap.estimates(cube) * cube.sizes
        sums = (centered / cube.sizes.sum(axis=(0, 1, 2))) @ weights
    return cube._replace(
        sums=np.ascontiguousarray(sums[..., None]),
        sizes=None,
        pooled=cube.pooled[:1],
        n_dropped=cube.n_dropped[:1],
    )


def _quantile(interval: str, confidence_level: float, degrees: float) -> float:
    """Return the normal or t quantile of a two-sided interval."""
    upper = 0.5 + confidence_level / 2
    if interval == "normal":
        return NormalDist().inv_cdf(upper)
    return float(t_quantiles(upper, np.array(degrees)))


def _quadratic_bounds(
    cube: ScoreCube, interval: str, confidence_level: float
) -> tuple[float, float]:
    """Find the bounds as roots of a quadratic equation, with one kind of unit."""
    k = cube.shape[0]
    means = bootstrap.estimates(cube)
    sizes = np.ones_like(cube.means) if cube.sizes is None else cube.sizes
    influences = (cube.means - means * sizes)[:, 0, 0, :] / sizes.sum(axis=(0, 1, 2))
    contrasts = np.array([[1.0, -1.0, 0.0], [0.0, -1.0, 1.0]])  # m - f and c - f
    own = influences @ contrasts.T
    a, g = contrasts @ means
    error = _quantile(interval, confidence_level, k - 1) ** 2 * (own.T @ own) * k / (k - 1)
    first, middle, last = g**2 - error[1, 1], a * g - error[0, 1], a**2 - error[0, 0]
    if not first > 0:
        return math.nan, math.nan
    root = math.sqrt(max(middle**2 - first * last, 0.0))
    return float((middle - root) / first), float((middle + root) / first)


def _inverted_bounds(
    cube: ScoreCube, interval: str, confidence_level: float
) -> tuple[float, float]:
    """Find the ratios nearest to the estimate that the test by variance components rejects."""

    def excess(contrast: ScoreCube) -> float:
        """Return the distance of the mean from zero beyond the half-width of its interval."""
        (error,), (degrees,) = standard_errors(contrast)
        distance = abs(float(contrast.sums.mean()))
        return distance - _quantile(interval, confidence_level, float(degrees)) * float(error)

    means = bootstrap.estimates(cube)
    estimate, gap = float(ratios(means)), float(means[2] - means[1])
    gaps = cube._replace(sums=np.ascontiguousarray(cube.sums[..., 2:] - cube.sums[..., 1:2]))
    if not excess(gaps) > 0:
        return math.nan, math.nan
    step = -excess(residual_of_ratio(cube, estimate)) / abs(gap)
    if step <= 0:
        return estimate, estimate
    found = []
    for side in (-1.0, 1.0):
        inside, outside = estimate, estimate + side * step
        for _ in range(DOUBLINGS):
            if excess(residual_of_ratio(cube, outside)) > 0:
                break
            inside, outside = outside, estimate + 2 * (outside - estimate)
        else:
            return math.nan, math.nan
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if excess(residual_of_ratio(cube, middle)) > 0:
                outside = middle
            else:
                inside = middle
        found.append(inside)
    return found[0], found[1]


def resampled_bounds(cube: ScoreCube, options: IntervalOptions) -> tuple[tuple[float, float], str]:
    """Compute bounds from resampled ratios, and return the reason if they are NaN."""
    generator = options.generator
    assert generator is not None  # noqa: S101  (made with the options)
    confidence_level = options.confidence_level
    center = bootstrap.estimates(cube)
    means = bootstrap.replicates(cube, options.n_resamples, generator)
    left_out = bootstrap.jackknife(cube) if options.interval == "bca" else []
    gap = center[2] - center[1]
    crossed = (means[:, 2] - means[:, 1]) * gap <= 0
    if np.mean(crossed) > (1 - confidence_level) / 2 or any(
        ((each[:, 2] - each[:, 1]) * gap <= 0).any() for each in left_out
    ):
        why = (
            "the ceiling is not better than the floor in too many resamples. Use the default, "
            'interval="t", which does not resample.'
        )
        return (math.nan, math.nan), why
    estimate, values = float(ratios(center)), ratios(means)
    # If floor and ceiling have crossed, the ratio has passed infinity on the side of its numerator.
    side = (means[:, 0] - means[:, 1])[crossed] * gap
    values[crossed] = np.where(side >= 0, math.inf, -math.inf)
    if (np.abs(values - estimate) <= ROUNDING * (1 + abs(estimate))).all():
        return (estimate, estimate), ""
    with np.errstate(invalid="ignore"):
        if options.interval == "bootstrap":
            pair = bootstrap.percentile_bounds(values, confidence_level)
        elif options.interval == "basic":
            pair = bootstrap.basic_bounds(estimate, values, confidence_level)
        else:
            pair = bootstrap.bca_bounds(
                estimate, values, [ratios(each) for each in left_out], confidence_level
            )
    if np.isfinite(pair).all():
        return pair, ""
    why = "all resamples lie on one side of the estimate, or the units are too few."
    return (math.nan, math.nan), why
