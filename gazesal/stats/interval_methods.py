"""Kinds of confidence intervals of the mean of a score cube."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from gazesal._validation import MOST_RESAMPLES, as_choice, as_count, as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats import bootstrap
from gazesal.stats.anova import anova, clustered_error_of_mean
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import ROUNDING, all_equal
from gazesal.stats.score_cube import ScoreCube
from gazesal.typing import Float64Array, RandomState

__all__ = [
    "DEFAULT_INTERVAL",
    "INTERVALS",
    "RESAMPLED",
    "BoundsAt",
    "IntervalKind",
    "IntervalOptions",
    "as_confidence_level",
    "bounds_of",
    "intervals_of",
    "standard_errors",
    "symmetric_bounds",
    "t_quantiles",
]

IntervalKind = Literal["normal", "t", "bootstrap", "basic", "bca", "studentized", "study"]
INTERVALS: tuple[str, ...] = get_args(IntervalKind)
DEFAULT_INTERVAL: IntervalKind = "t"
"""The default of every function. `docs/concepts/intervals.md` has its measured coverage."""
BoundsAt = Callable[[float], tuple[float, float]]
"""Function from a confidence level to the bounds of an interval."""
RESAMPLED = ("bootstrap", "basic", "bca", "studentized")
HIGHEST_LEVEL = 1 - 1e-12  # above this, rounding determines the quantile
STUDY_QUANTILE = 1.96  # as printed by the study; the normal quantile is 1.959964


def as_confidence_level(value: float) -> float:
    """Check and return a confidence level."""
    if not isinstance(value, numbers.Real) or not 0 < value <= HIGHEST_LEVEL:
        raise ValueError(f"`confidence_level` must be a number between 0 and 1, got {value!r}.")
    return float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalOptions:
    """Checked options of an interval."""

    interval: str
    confidence_level: float
    n_resamples: int
    generator: np.random.Generator | None

    @classmethod
    def checked(
        cls,
        *,
        interval: str,
        confidence_level: float,
        n_resamples: int,
        rng: RandomState | None,
    ) -> IntervalOptions:
        """Check the options of an interval that a caller passes."""
        as_choice(interval, INTERVALS, name="interval")
        level = as_confidence_level(confidence_level)
        if interval == "study" and level != 0.95:
            raise ValueError(
                f'`confidence_level` must be 0.95 with interval="study", got {confidence_level!r}.'
            )
        count, generator = 0, None
        if interval in RESAMPLED:
            count = as_count(n_resamples, name="n_resamples", most=MOST_RESAMPLES)
            generator = as_generator(rng, why=f'with interval="{interval}"')
        return cls(
            interval=interval,
            confidence_level=level,
            n_resamples=count,
            generator=generator,
        )

    def restarted(self) -> IntervalOptions:
        """Copy the options with a generator of the same state, for another set of resamples."""
        return replace(self, generator=copy.deepcopy(self.generator))


def intervals_of(
    cube: ScoreCube, options: IntervalOptions, *, names: Sequence[str] = ()
) -> list[ConfidenceInterval]:
    """Compute the intervals of all columns of a cube, from the same resamples.

    `names` are the names of the units.
    """
    _refuse_interval(cube, options.interval)
    centers = (
        np.array([scores.mean() for scores in cube.pooled])
        if options.interval == "study"
        else bootstrap.estimates(cube)
    )
    errors, degrees = standard_errors(cube)
    few = min(cube.shape) == 1
    if few:
        single = names[cube.shape.index(1)] if names else "cluster"
        warn(
            f"The interval is undefined: there is one {single}, whose spread is unknown. Use more "
            "units.",
            UndefinedMetricWarning,
        )
        pairs = [(math.nan, math.nan)] * centers.size
    else:
        pairs = [bounds_at(options.confidence_level) for bounds_at in bounds_of(cube, options)]
    if not few and any(math.isnan(low) for low, _ in pairs):
        warn(
            f"The {options.interval} interval is undefined: {_why_undefined(options.interval)}",
            UndefinedMetricWarning,
        )
    shown = options.interval != "study"
    return [
        ConfidenceInterval(
            estimate=float(centers[c]),
            low=float(low),
            high=float(high),
            confidence_level=options.confidence_level,
            interval=options.interval,
            n_scores=cube.pooled[c].size,
            n_clusters=min(cube.shape),
            units=tuple(zip(names, cube.shape, strict=True)) if names else (),
            standard_error=float(errors[c]) if shown else math.nan,
            degrees_of_freedom=float(degrees[c]) if shown else math.nan,
            n_dropped=cube.n_dropped[c],
        )
        for c, (low, high) in enumerate(pairs)
    ]


def _refuse_interval(cube: ScoreCube, interval: str) -> None:
    """Raise if a kind of interval is not defined for the units and weights of a cube."""
    if interval in {"t", "normal"} and cube.sizes is not None and len(cube.shape) > 2:
        raise ValueError(
            '`interval` must be "bootstrap", "basic" or "bca" with weights of three crossed kinds '
            f"of units, got {interval!r}."
        )
    if interval == "studentized" and (len(cube.shape) > 1 or cube.nested_sizes is not None):
        raise ValueError(
            '`interval` must not be "studentized" with crossed or nested units, whose resamples '
            'have no standard error of their own. Use "t" or "bca".'
        )
    if interval == "study" and cube.sizes is not None:
        raise ValueError('`weights` must be omitted with interval="study", got weights.')


def _why_undefined(interval: str) -> str:
    """Return the reason why the bounds of resamples are NaN."""
    return {
        "bca": "all resamples lie on one side of the estimate, or the units are too few.",
        "studentized": "too many resamples have only tied scores and no spread.",
    }.get(interval, "resamples have no weight.")


def standard_errors(cube: ScoreCube) -> tuple[Float64Array, Float64Array]:
    """Compute the standard errors of the means and their degrees of freedom, (C,).

    Both are NaN if there is one unit of a kind, or weights of three kinds.
    """
    n_columns = cube.sums.shape[-1]
    if n_columns > 1:  # one by one, because NumPy adds strided columns in another order
        errors, freedom = zip(*map(standard_errors, cube.split()), strict=True)
        return np.concatenate(errors), np.concatenate(freedom)
    unknown = np.full(n_columns, math.nan)
    k = cube.shape[0]
    if min(cube.shape) == 1 or (cube.sizes is not None and len(cube.shape) > 2):
        return unknown, unknown
    if cube.sizes is not None and len(cube.shape) == 2:
        variance, degrees = clustered_error_of_mean(cube.sums[:, :, 0], cube.sizes[:, :, 0])
        return np.sqrt(variance), degrees
    if cube.sizes is not None:  # a ratio of sums, linearized
        residuals = cube.sums - bootstrap.estimates(cube) * cube.sizes
        spread = (residuals**2).sum(axis=(0, 1, 2)) * k / (k - 1)
        rounding = ROUNDING * np.abs(cube.sums).max(axis=(0, 1, 2))
        spread = np.where(np.abs(residuals).max(axis=(0, 1, 2)) <= rounding, 0.0, spread)
        return np.sqrt(spread) / cube.sizes.sum(axis=(0, 1, 2)), np.full(n_columns, k - 1.0)
    cells = cube.means.reshape(*cube.shape, n_columns)
    variance, degrees = anova(cells).error_of_mean()
    return np.sqrt(variance), degrees


def bounds_of(cube: ScoreCube, options: IntervalOptions) -> list[BoundsAt]:
    """Return a function from a level to the bounds of the interval, for each column of a cube.

    All levels use the same resamples. With a level below zero, the lower bound is above the upper
    one, as two one-sided bounds with an error above 0.5 are.
    """
    if options.interval in RESAMPLED:
        return _resampled_bounds(cube, options)
    if options.interval == "study":
        spread = np.array([scores.std(ddof=1) for scores in cube.pooled])
        halves = (STUDY_QUANTILE * spread / math.sqrt(cube.shape[0])).tolist()
        means = [float(scores.mean()) for scores in cube.pooled]
        return [partial(_around, mean, half) for mean, half in zip(means, halves, strict=True)]
    errors, degrees = standard_errors(cube)
    parts = (bootstrap.estimates(cube).tolist(), errors.tolist(), degrees.tolist())
    return [partial(symmetric_bounds, options.interval, *each) for each in zip(*parts, strict=True)]


def _around(center: float, half: float, _level: float) -> tuple[float, float]:
    """Return bounds that do not depend on the level."""
    return center - half, center + half


def symmetric_bounds(
    interval: str, center: float, error: float, degrees: float, confidence_level: float
) -> tuple[float, float]:
    """Return bounds of a normal or t interval of a given standard error."""
    upper = 0.5 + confidence_level / 2
    if interval == "normal":
        half = NormalDist().inv_cdf(upper) * error
    else:
        half = float(t_quantiles(upper, np.array(degrees))) * error
    return center - half, center + half


def t_quantiles(probability: float, degrees: Float64Array) -> Float64Array:
    """Compute quantiles of Student's t, with one degree of freedom for NaN.

    The degrees are NaN if the scores do not vary. The error is then zero, and a finite quantile
    gives an interval of zero width.
    """
    from scipy.special import stdtrit  # noqa: PLC0415  (slow to import)

    return np.asarray(stdtrit(np.where(np.isnan(degrees), 1.0, degrees), probability))


def _resampled_bounds(cube: ScoreCube, options: IntervalOptions) -> list[BoundsAt]:
    """Resample a cube and return the bounds of each column."""
    generator = options.generator
    assert generator is not None  # noqa: S101  (made with the options)
    n, interval = options.n_resamples, options.interval
    centers, own_errors = bootstrap.estimates(cube), np.empty(0)
    if interval == "studentized":
        means, own_errors = bootstrap.replicates_with_errors(cube, n, generator)
        errors, _ = standard_errors(cube)
    else:
        means = bootstrap.replicates(cube, n, generator)
    left_out = bootstrap.jackknife(cube) if interval == "bca" else []
    found: list[BoundsAt] = []
    for c, center in enumerate(centers.tolist()):
        column = np.ascontiguousarray(means[:, c])
        if np.isnan(column).any():
            found.append(partial(_around, math.nan, math.nan))
        elif _is_constant(cube, c):
            found.append(partial(_around, center, 0.0))
        elif interval == "bootstrap":
            found.append(partial(bootstrap.percentile_bounds, column))
        elif interval == "basic":
            found.append(partial(bootstrap.basic_bounds, center, column))
        elif interval == "bca":
            own = [each[:, c] for each in left_out]
            found.append(partial(bootstrap.bca_bounds, center, column, own))
        else:
            pivots = float(errors[c]), column, own_errors[:, c]
            found.append(partial(bootstrap.studentized_bounds, center, *pivots))
    return found


def _is_constant(cube: ScoreCube, column: int) -> bool:
    """Return whether all cells are equal, so that every resample has the same mean."""
    cells = cube.means[..., column]
    if cube.sizes is not None:
        with np.errstate(invalid="ignore"):
            cells = cells / cube.sizes[..., column]
        cells = cells[~np.isnan(cells)]
    elif cube.nested_sizes is not None:
        within = cube.sums[..., 0, column] * cube.nested_sizes[:, None]
        cells = within[np.arange(within.shape[1]) < cube.nested_sizes[:, None]]
    return all_equal(cells)
