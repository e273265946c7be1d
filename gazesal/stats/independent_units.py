"""Differences of methods some of whose units have no partner: trainings of two networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.anova import anova
from gazesal.stats.design import Design
from gazesal.stats.interval_methods import Options, symmetric_bounds
from gazesal.stats.pairing import Pair, pairs_of
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import merge_ties
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import sample_of
from gazesal.stats.score_table import changes, sorted_rows
from gazesal.typing import Float64Array

__all__ = ["Halves", "as_independent", "halves_of", "independent_intervals", "paired_parts"]


class Halves(NamedTuple):
    """Scores of two methods at the same places, each with independent units of its own."""

    first: Sample
    second: Sample
    n_alone: int  # scores without a partner, left out
    resolution: float  # relative rounding error of the scores as they were stored


def as_independent(independent: str | None, design: Design, interval: str) -> str | None:
    """Return the column whose units are independent between methods, checked."""
    if independent is None:
        return None
    if not isinstance(independent, str):
        raise TypeError(f"`independent` must be the name of a column, got {independent!r}.")
    columns = (*design.units, *design.averaged)
    if independent not in columns:
        raise ValueError(f"`independent` must be one of {', '.join(columns)}, got {independent!r}.")
    if design.nested is not None or design.weights is not None:
        raise ValueError("`independent` must be left out with `nested` and with `weights`.")
    if design.units == (independent,):
        raise ValueError(
            f"`independent` must leave a column of units that are paired, got {independent!r}, "
            "the only one."
        )
    if independent in design.units and interval not in {"t", "normal"}:
        raise ValueError(
            f'`interval` must be "t" or "normal" if {independent} is independent, got {interval!r}.'
        )
    return independent


def halves_of(
    table: pd.DataFrame,
    design: Design,
    contrast: str,
    reference: object,
    groups: tuple[str, ...],
    independent: str | None,
) -> dict[Pair, Halves]:
    """Scores of each two methods, paired where all columns but `independent` agree."""
    rows = sorted_rows(table, design, parts=(*groups, contrast))
    n_parts = len(groups) + 1
    names = rows.labels[n_parts - 1].tolist()
    paired = [n_parts + i for i, key in enumerate(design.keys) if key != independent]
    found: dict[Pair, Halves] = {}
    for first, last in pairwise(changes(rows.codes[: len(groups)])):
        codes, scores = rows.codes[:, first:last], rows.scores[first:last]
        group = tuple(rows.labels[i][codes[i, 0]] for i in range(len(groups)))
        which, defined = codes[n_parts - 1], ~np.isnan(scores)
        _, place = np.unique(codes[paired], axis=1, return_inverse=True)
        place = place.ravel()
        present = np.zeros((len(names), int(place.max()) + 1), bool)
        present[which[defined], place[defined]] = True
        for method, other in pairs_of(names, reference, contrast):
            a, b = names.index(method), names.index(other)
            if not ((which == a).any() and (which == b).any()):
                continue  # a metric that one of them does not have
            shared = present[a] & present[b]
            either = (which == a) | (which == b)
            n_alone = int(np.count_nonzero(either & defined & ~shared[place]))
            if n_alone and design.missing == "raise":
                raise ValueError(
                    f"Each score of {method} must have a partner of {other}, got {n_alone} "
                    'without; missing="drop" leaves them out and counts them.'
                )
            if not shared.any():
                raise ValueError(f"{method} and {other} must share a unit, got none.")
            sides = []
            for number in (a, b):
                own = np.flatnonzero((which == number) & defined & shared[place])
                dropped = int(np.count_nonzero((which == number) & ~defined))
                weights = None if rows.weights is None else rows.weights[first:last][own]
                cells = codes[n_parts:, own], rows.labels[n_parts:], scores[own], weights
                slack = rows.resolution * float(np.abs(scores[own]).max())
                sides.append(sample_of(design, *cells, dropped, slack=slack))
            found[Pair(group, method, other)] = Halves(sides[0], sides[1], n_alone, rows.resolution)
    if not found:
        raise ValueError(f"`{contrast}` must hold two values to compare, got {names!r}.")
    return found


def paired_parts(
    halves: Mapping[Pair, Halves], design: Design, independent: str
) -> dict[Pair, Sample]:
    """Differences of the two methods' means over their own independent units."""
    return {pair: _paired_part(each, design, independent) for pair, each in halves.items()}


def _paired_part(halves: Halves, design: Design, independent: str) -> Sample:
    first, second = halves.first, halves.second
    labels, tops = first.labels, [first.sums, second.sums]
    if independent in design.units:
        axis = design.units.index(independent)
        labels = tuple(each for i, each in enumerate(labels) if i != axis)
        # the axes that are left come first, as they do in every sample
        tops = [np.moveaxis(top.mean(axis=axis, keepdims=True), axis, 2) for top in tops]
    slack = halves.resolution * max(float(np.abs(top).max()) for top in tops)
    return Sample(
        labels=labels,
        sums=np.ascontiguousarray(merge_ties(tops[0] - tops[1], slack)),
        sizes=None,
        nested_sizes=None,
        pooled=(np.concatenate([*first.pooled, *second.pooled]),),
        n_dropped=(first.n_dropped[0] + second.n_dropped[0],),
    )


def independent_intervals(
    halves: Mapping[Pair, Halves],
    parts: Mapping[Pair, Sample],
    options: Options,
    design: Design,
    independent: str,
) -> dict[Pair, ConfidenceInterval]:
    """Interval of each difference, whose error has a part of each method's own units."""
    axis = design.units.index(independent)
    found = {}
    for pair, each in halves.items():
        part = parts[pair]
        variance, degrees = _error_of_difference(each, part, axis)
        error = math.sqrt(variance)
        sizes = [min(n) for n in zip(each.first.shape, each.second.shape, strict=True)]
        estimate = float(part.sums.mean())
        bounds = symmetric_bounds(
            options.interval, estimate, error, degrees, options.confidence_level
        )
        found[pair] = ConfidenceInterval(
            estimate=estimate,
            low=bounds[0],
            high=bounds[1],
            confidence_level=options.confidence_level,
            interval=options.interval,
            n_scores=part.pooled[0].size,
            n_clusters=min(sizes),
            units=tuple(zip(design.units, sizes, strict=True)),
            standard_error=error,
            degrees_of_freedom=degrees,
            n_dropped=part.n_dropped[0],
        )
    if any(math.isnan(interval.low) for interval in found.values()):
        warn(
            "The interval is undefined: a method has one unit of a kind, whose spread is unknown.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return found


def _error_of_difference(halves: Halves, part: Sample, axis: int) -> tuple[float, float]:
    """Variance of a mean difference and its Satterthwaite degrees of freedom."""
    if min(*part.shape, *halves.first.shape, *halves.second.shape) == 1:
        return math.nan, math.nan
    variances, degrees = anova(part.sums.reshape(*part.shape, 1)).error_of_mean()
    variance = float(variances[0])
    shares = variance**2 / float(degrees[0]) if variance > 0 else 0.0
    for sample in (halves.first, halves.second):
        terms, own_degrees = _own_part(sample, axis)
        if terms.sum() > 0:
            variance += float(terms.sum())
            shares += float((terms**2 / own_degrees).sum())
    return variance, variance**2 / shares if shares > 0 else math.nan


def _own_part(sample: Sample, axis: int) -> tuple[Float64Array, Float64Array]:
    """Mean squares, with signs, whose sum is the share of one kind of units in a mean's variance.

    What such a unit and an image have in common varies from image to image, and is in the paired
    part already.
    """
    table = anova(sample.sums.reshape(*sample.shape, 1))
    inside = [row for row, effect in enumerate(table.effects) if axis in effect]
    signs = np.array([(-1.0) ** (len(table.effects[row]) - 1) for row in inside])
    terms = signs * table.mean_squares[inside, 0] / float(np.prod(sample.shape))
    return terms, table.degrees[inside]
