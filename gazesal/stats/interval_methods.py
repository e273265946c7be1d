"""How an interval is made of a sample: errors and quantiles, or resamples and their bounds."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from gazesal._validation import MOST_RESAMPLES, as_choice, as_count, as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats import bootstrap, bounds
from gazesal.stats.anova import anova, clustered_error_of_mean
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import ROUNDING, all_equal
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array, RandomState

__all__ = [
    "METHODS",
    "RESAMPLED",
    "BoundsAt",
    "Method",
    "Options",
    "bounds_of",
    "intervals_of",
    "standard_errors",
    "symmetric_bounds",
    "t_quantiles",
]

Method = Literal["normal", "t", "bootstrap", "basic", "bca", "studentized", "study"]
METHODS: tuple[str, ...] = get_args(Method)
BoundsAt = Callable[[float], tuple[float, float]]
"""From a level to the bounds of an interval."""
RESAMPLED = ("bootstrap", "basic", "bca", "studentized")
HIGHEST_LEVEL = 1 - 1e-12
STUDY_QUANTILE = 1.96  # as printed; the normal quantile is 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an interval is made, checked."""

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
    ) -> Options:
        """Check the options of an interval as a caller gives them."""
        as_choice(interval, METHODS, name="interval")
        if (
            not isinstance(confidence_level, numbers.Real)
            or not 0 < confidence_level <= HIGHEST_LEVEL
        ):
            raise ValueError(
                f"`confidence_level` must be a number between 0 and 1, got {confidence_level!r}."
            )
        if interval == "study" and float(confidence_level) != 0.95:
            raise ValueError(
                f'`confidence_level` must be 0.95 with interval="study", got {confidence_level!r}.'
            )
        count, generator = 0, None
        if interval in RESAMPLED:
            count = as_count(n_resamples, name="n_resamples", most=MOST_RESAMPLES)
            generator = as_generator(rng, name="rng", why=f'with interval="{interval}"')
        return cls(
            interval=interval,
            confidence_level=float(confidence_level),
            n_resamples=count,
            generator=generator,
        )


def intervals_of(
    sample: Sample, options: Options, *, names: tuple[str, ...] = (), stacklevel: int = 2
) -> list[ConfidenceInterval]:
    """Intervals of all columns of a sample, from the same resamples."""
    _refuse_interval(sample, options.interval)
    centers = (
        np.array([scores.mean() for scores in sample.pooled])
        if options.interval == "study"
        else bootstrap.estimates(sample)
    )
    errors, degrees = standard_errors(sample)
    few = min(sample.shape) == 1
    if few:
        warn(
            f"The interval is undefined: there is one {_name_of_single(sample, names)}, whose "
            "spread is unknown.",
            UndefinedMetricWarning,
            stacklevel=stacklevel,
        )
        pairs = [(math.nan, math.nan)] * centers.size
    else:
        pairs = [bounds_at(options.confidence_level) for bounds_at in bounds_of(sample, options)]
    if not few and any(math.isnan(low) for low, _ in pairs):
        warn(
            f"The {options.interval} interval is undefined: {_why_undefined(options.interval)}",
            UndefinedMetricWarning,
            stacklevel=stacklevel,
        )
    shown = options.interval != "study"
    return [
        ConfidenceInterval(
            estimate=float(centers[c]),
            low=float(low),
            high=float(high),
            confidence_level=options.confidence_level,
            interval=options.interval,
            n_scores=sample.pooled[c].size,
            n_clusters=min(sample.shape),
            units=tuple(zip(names, sample.shape, strict=True)) if names else (),
            standard_error=float(errors[c]) if shown else math.nan,
            degrees_of_freedom=float(degrees[c]) if shown else math.nan,
            n_dropped=sample.n_dropped[c],
        )
        for c, (low, high) in enumerate(pairs)
    ]


def _refuse_interval(sample: Sample, interval: str) -> None:
    if interval in {"t", "normal"} and sample.sizes is not None and len(sample.shape) > 2:
        raise ValueError(
            '`interval` must be "bootstrap", "basic" or "bca" with weights of three crossed kinds '
            f"of units, got {interval!r}."
        )
    if interval == "studentized" and (len(sample.shape) > 1 or sample.nested_sizes is not None):
        raise ValueError(
            '`interval` must not be "studentized" with crossed or nested units, whose resamples '
            'have no standard error of their own; "t" and "bca" do with them.'
        )
    if interval == "study" and sample.sizes is not None:
        raise ValueError('`weights` must be left out with interval="study", got weights.')


def _name_of_single(sample: Sample, names: tuple[str, ...]) -> str:
    return names[sample.shape.index(1)] if names else "cluster"


def _why_undefined(interval: str) -> str:
    return {
        "bca": "all resamples lie on one side of the estimate, or the units are too few.",
        "studentized": "too many resamples hold tied scores only and have no spread.",
    }.get(interval, "resamples hold no weight.")


def standard_errors(sample: Sample) -> tuple[Float64Array, Float64Array]:
    """Standard errors of the means, (C,), and their degrees of freedom; NaN where undefined."""
    n_columns = sample.sums.shape[-1]
    if n_columns > 1:  # one by one: numpy adds strided columns in another order
        errors, freedom = zip(*map(standard_errors, sample.columns()), strict=True)
        return np.concatenate(errors), np.concatenate(freedom)
    unknown = np.full(n_columns, math.nan)
    k = sample.shape[0]
    if min(sample.shape) == 1 or (sample.sizes is not None and len(sample.shape) > 2):
        return unknown, unknown
    if sample.sizes is not None and len(sample.shape) == 2:
        variance, degrees = clustered_error_of_mean(sample.sums[:, :, 0], sample.sizes[:, :, 0])
        return np.sqrt(variance), degrees
    if sample.sizes is not None:  # a ratio of sums, linearised
        residuals = sample.sums - bootstrap.estimates(sample) * sample.sizes
        spread = (residuals**2).sum(axis=(0, 1, 2)) * k / (k - 1)
        rounding = ROUNDING * np.abs(sample.sums).max(axis=(0, 1, 2))
        spread = np.where(np.abs(residuals).max(axis=(0, 1, 2)) <= rounding, 0.0, spread)
        return np.sqrt(spread) / sample.sizes.sum(axis=(0, 1, 2)), np.full(n_columns, k - 1.0)
    cells = sample.means.reshape(*sample.shape, n_columns)
    variance, degrees = anova(cells).error_of_mean()
    return np.sqrt(variance), degrees


def bounds_of(sample: Sample, options: Options) -> list[BoundsAt]:
    """For each column of a sample, a function from a level to the bounds of its interval.

    Bounds of resamples are quantiles of the same ones at every level. A level below zero gives two
    one-sided bounds that have passed each other.
    """
    if options.interval in RESAMPLED:
        return _resampled_bounds(sample, options)
    if options.interval == "study":
        spread = np.array([scores.std(ddof=1) for scores in sample.pooled])
        halves = (STUDY_QUANTILE * spread / math.sqrt(sample.shape[0])).tolist()
        means = [float(scores.mean()) for scores in sample.pooled]
        return [partial(_around, mean, half) for mean, half in zip(means, halves, strict=True)]
    errors, degrees = standard_errors(sample)
    parts = (bootstrap.estimates(sample).tolist(), errors.tolist(), degrees.tolist())
    return [partial(symmetric_bounds, options.interval, *each) for each in zip(*parts, strict=True)]


def _around(center: float, half: float, _level: float) -> tuple[float, float]:
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
    """Quantiles of Student's t; finite where the degrees are unknown because nothing varies."""
    from scipy.special import stdtrit  # noqa: PLC0415  (slow to import)

    return np.asarray(stdtrit(np.where(np.isnan(degrees), 1.0, degrees), probability))


def _resampled_bounds(sample: Sample, options: Options) -> list[BoundsAt]:
    generator = options.generator
    assert generator is not None  # noqa: S101  (checked with the options)
    n, interval = options.n_resamples, options.interval
    centers, own_errors = bootstrap.estimates(sample), np.empty(0)
    if interval == "studentized":
        means, own_errors = bootstrap.studentized(sample, n, generator)
        errors, _ = standard_errors(sample)
    else:
        means = bootstrap.replicates(sample, n, generator)
    left_out = bootstrap.jackknife(sample) if interval == "bca" else []
    found: list[BoundsAt] = []
    for c, center in enumerate(centers.tolist()):
        column = np.ascontiguousarray(means[:, c])
        if np.isnan(column).any():
            found.append(partial(_around, math.nan, math.nan))
        elif _nothing_varies(sample, c):
            found.append(partial(_around, center, 0.0))
        elif interval == "bootstrap":
            found.append(partial(bounds.percentile, column))
        elif interval == "basic":
            found.append(partial(bounds.basic, center, column))
        elif interval == "bca":
            found.append(partial(bounds.bca, center, column, [each[:, c] for each in left_out]))
        else:
            own = own_errors[:, c]
            found.append(partial(bounds.studentized, center, float(errors[c]), column, own))
    return found


def _nothing_varies(sample: Sample, column: int) -> bool:
    """Whether all cells are equal, so that every resample is the estimate up to rounding."""
    cells = sample.means[..., column]
    if sample.sizes is not None:
        with np.errstate(invalid="ignore"):
            cells = cells / sample.sizes[..., column]
        cells = cells[~np.isnan(cells)]
    elif sample.nested_sizes is not None:
        within = sample.sums[..., 0, column] * sample.nested_sizes[:, None]
        cells = within[np.arange(within.shape[1]) < sample.nested_sizes[:, None]]
    return all_equal(cells)
