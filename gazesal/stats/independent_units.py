"""Differences of methods with independent units, such as the trained models of two networks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.anova import anova
from gazesal.stats.design import Design
from gazesal.stats.interval_methods import IntervalOptions, symmetric_bounds
from gazesal.stats.pairing import Pair
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import merge_ties
from gazesal.stats.score_cube import ScoreCube
from gazesal.typing import Float64Array

__all__ = ["as_independent", "independent_intervals", "mean_difference"]


def as_independent(independent: str | None, design: Design, interval: str) -> str | None:
    """Check and return the column whose units are not paired between methods."""
    if independent is None:
        return None
    if not isinstance(independent, str):
        raise TypeError(f"`independent` must be the name of a column, got {independent!r}.")
    columns = (*design.units, *design.averaged)
    if independent not in columns:
        raise ValueError(f"`independent` must be one of {', '.join(columns)}, got {independent!r}.")
    if design.nested is not None or design.weights is not None:
        raise ValueError(
            "`independent` must be omitted with `nested` or `weights`. Omit one of them."
        )
    if design.units == (independent,):
        raise ValueError(
            f"`independent` must not be the only column of units, got {independent!r}. Other units "
            "must remain that are paired."
        )
    if independent in design.units and interval not in {"t", "normal"}:
        raise ValueError(
            f'`interval` must be "t" or "normal" if {independent} is independent, got {interval!r}.'
        )
    return independent


def mean_difference(
    cubes: tuple[ScoreCube, ScoreCube], resolution: float, design: Design, independent: str
) -> ScoreCube:
    """Average each method over its own independent units and subtract."""
    first, second = cubes
    labels, means = first.labels, [first.sums, second.sums]
    if independent in design.units:
        axis = design.units.index(independent)
        labels = tuple(each for i, each in enumerate(labels) if i != axis)
        # a cube has its axes of length one last
        means = [np.moveaxis(each.mean(axis=axis, keepdims=True), axis, 2) for each in means]
    slack = resolution * max(float(np.abs(each).max()) for each in means)
    return ScoreCube(
        labels=labels,
        sums=np.ascontiguousarray(merge_ties(means[0] - means[1], slack)),
        sizes=None,
        nested_sizes=None,
        pooled=(np.concatenate([*first.pooled, *second.pooled]),),
        n_dropped=(first.n_dropped[0] + second.n_dropped[0],),
    )


def independent_intervals(
    cubes: Mapping[Pair, tuple[ScoreCube, ScoreCube]],
    differences: Mapping[Pair, ScoreCube],
    options: IntervalOptions,
    design: Design,
    independent: str,
) -> dict[Pair, ConfidenceInterval]:
    """Compute the interval of each mean difference, with the error of each method's own units."""
    axis = design.units.index(independent)
    found = {}
    for pair, both in cubes.items():
        cube = differences[pair]
        variance, degrees = _error_of_difference(both, cube, axis)
        sizes = [min(n) for n in zip(both[0].shape, both[1].shape, strict=True)]
        estimate, error = float(cube.sums.mean()), math.sqrt(variance)
        low, high = symmetric_bounds(
            options.interval, estimate, error, degrees, options.confidence_level
        )
        found[pair] = ConfidenceInterval(
            estimate=estimate,
            low=low,
            high=high,
            confidence_level=options.confidence_level,
            interval=options.interval,
            n_scores=cube.pooled[0].size,
            n_clusters=min(sizes),
            units=tuple(zip(design.units, sizes, strict=True)),
            standard_error=error,
            degrees_of_freedom=degrees,
            n_dropped=cube.n_dropped[0],
        )
    if any(math.isnan(interval.low) for interval in found.values()):
        warn(
            "The interval is undefined: a method has one unit of a kind, whose spread is unknown. "
            "Use more units.",
            UndefinedMetricWarning,
        )
    return found


def _error_of_difference(
    cubes: tuple[ScoreCube, ScoreCube], difference: ScoreCube, axis: int
) -> tuple[float, float]:
    """Return the variance of a mean difference and its Satterthwaite degrees of freedom."""
    if min(*difference.shape, *cubes[0].shape, *cubes[1].shape) == 1:
        return math.nan, math.nan
    (variance,), (degrees,) = anova(difference.sums.reshape(*difference.shape, 1)).error_of_mean()
    variance = float(variance)
    shares = variance**2 / float(degrees) if variance > 0 else 0.0
    for cube in cubes:
        terms, own_degrees = _own_terms(cube, axis)
        if terms.sum() > 0:
            variance += float(terms.sum())
            shares += float((terms**2 / own_degrees).sum())
    return variance, variance**2 / shares if shares > 0 else math.nan


def _own_terms(cube: ScoreCube, axis: int) -> tuple[Float64Array, Float64Array]:
    """Return signed mean squares and their degrees of freedom, for one kind of units.

    The sum of the mean squares is the share of these units in the variance of a mean. The joint
    effect of such a unit and an image varies between images, so the paired difference contains it.
    """
    table = anova(cube.sums.reshape(*cube.shape, 1))
    inside = [row for row, effect in enumerate(table.effects) if axis in effect]
    signs = np.array([(-1.0) ** (len(table.effects[row]) - 1) for row in inside])
    terms = signs * table.mean_squares[inside, 0] / float(np.prod(cube.shape))
    return terms, table.degrees[inside]
