"""Summaries of an evaluation: means with intervals, and comparisons of two methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Protocol

import numpy as np
import pandas as pd

from gazesal.evaluation.case import ALL_OBSERVERS, ATTAINABLE, CEILINGS, INTEROBSERVER, Case
from gazesal.evaluation.ceiling_shares import shares_of_attainable
from gazesal.evaluation.observer_counts import observer_sentence
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.region_sources import UNION
from gazesal.evaluation.score_rows import COLUMNS, REGION
from gazesal.metrics.names import name_among
from gazesal.stats.caveats import words_of
from gazesal.stats.comparisons import compare
from gazesal.stats.design import Design, as_columns
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalKind, IntervalOptions
from gazesal.stats.results import Comparisons
from gazesal.stats.score_cube import cubes_of
from gazesal.stats.table_intervals import caveats_by_key, intervals_by_key

__all__ = ["compare_methods", "summarize"]


class Scored(Protocol):
    """The parts of an `Evaluation` that are summarized here."""

    @property
    def scores(self) -> pd.DataFrame:
        """The table of scores."""

    @property
    def cases(self) -> list[Case]:
        """All images."""

    @property
    def options(self) -> EvaluationOptions:
        """The options of the evaluation."""

    @property
    def methods(self) -> list[str]:
        """The rows of the results table, in their order."""


def summarize(
    evaluation: Scored,
    *,
    by: Sequence[str] | str = (),
    unit: str = "image",
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
) -> pd.DataFrame:
    """Return the table of `Evaluation.summary`, with its caveats but without the warning."""
    groups = _groups(evaluation, by)
    averaged = [REGION] if REGION in evaluation.scores and REGION not in groups else []
    design = _design(evaluation, unit, "observer", *averaged)
    options = IntervalOptions.checked(
        interval=interval,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        rng=evaluation.options.seed,
    )
    columns = [*groups, "method", "metric"]
    scores = _of_regions(evaluation.scores, groups).dropna(subset=list(groups))
    pairs = scores[["method", "metric"]].drop_duplicates()
    measured = set(pairs.itertuples(index=False, name=None))
    defined = scores[scores["score"].notna()]
    cubes = cubes_of(defined, design, by=columns) if len(defined) else {}
    units = tuple(design.units)
    found = intervals_by_key(cubes, options, names=units)
    counts = scores.groupby(columns)["score"].agg(["count", "size"])
    n_images = defined.groupby(columns)["image"].nunique()
    keys = scores[list(groups)].drop_duplicates().sort_values(list(groups)) if groups else None
    rows = []
    for key in [()] if keys is None else keys.itertuples(index=False, name=None):
        for cell in product([key], evaluation.methods, evaluation.options.metrics):
            place = (*cell[0], *cell[1:])
            if cell[1:] not in measured:  # such as gaze by a metric of gaze
                continue
            row: dict[str, object] = dict(zip(columns, place, strict=True))
            mean = found.get(place)
            for name in ("estimate", "low", "high"):
                row[name] = np.nan if mean is None else getattr(mean, name)
            n_defined, n_all = counts.loc[place] if place in counts.index else (0, 0)
            row |= {
                "n_images": int(n_images.get(place, 0)),
                "n_scores": int(n_defined),
                "n_undefined": int(n_all - n_defined),
                "interval": interval,
                "confidence_level": confidence_level,
            }
            if unit != "image":
                row[f"n_{unit}"] = 0 if mean is None else mean.n_clusters
            rows.append(row)
    made = pd.DataFrame(rows)
    if ATTAINABLE in evaluation.methods:
        truth = evaluation.options.ground_truth
        made = made.join(shares_of_attainable(made, scores, design, options, ground_truth=truth))
    caveats = caveats_by_key(cubes, options, names=units)
    made.attrs["caveats"] = words_of(caveats, len(cubes), options, command="--interval")
    made.attrs["observers"] = observer_sentence(evaluation)
    return made


def compare_methods(
    evaluation: Scored,
    a: str,
    b: str,
    metric: Sequence[str] | str | None,
    *,
    by: Sequence[str] | str,
    unit: str,
    **options: Any,
) -> Comparisons:
    """Return the comparisons of `Evaluation.compare`, with further options of `compare`."""
    groups = _groups(evaluation, by)
    names = list(as_columns(metric, name="metric")) if metric is not None else []
    computed = list(evaluation.options.metrics)
    wanted = [name_among(computed, name) for name in names] or computed
    for value, known, argument in (
        *((name, evaluation.methods, "a` and `b") for name in (a, b)),
        *((name, computed, "metric") for name in wanted),
    ):
        if value not in known:
            of_observers = value in {INTEROBSERVER, *CEILINGS}
            why = f" {observer_sentence(evaluation)}" if of_observers else ""
            raise ValueError(
                f"`{argument}` must be of {', '.join(map(repr, known))}, got {value!r}.{why}"
            )
    if a == b:
        raise ValueError(f"`a` and `b` must be two methods, got {a!r} twice.")
    scores = _of_regions(evaluation.scores, groups)
    scores = scores[scores["metric"].isin(wanted)]
    images_of = [set(scores.loc[scores["method"] == name, "image"]) for name in (a, b)]
    scores = scores.dropna(subset="score")
    halves = [scores[scores["method"] == name] for name in (a, b)]
    # Scores against the mean of all observers have no observer to pair by.
    pooled = [_pooled_metrics(half) for half in halves]
    design = replace(_design(evaluation, unit), missing="drop")
    images = list(dict.fromkeys(["image", "metric", *groups, *design.units]))
    keys = [*images, "observer", *([REGION] if REGION in scores and REGION not in images else [])]
    halves = [
        half.assign(observer=half["observer"].mask(half["metric"].isin(other), ALL_OBSERVERS))
        for half, other in zip(halves, reversed(pooled), strict=True)
    ]
    halved = [half.groupby(keys, sort=False, as_index=False)["score"].mean() for half in halves]
    pairs = halved[0].merge(halved[1], on=keys, suffixes=("_a", "_b"))
    of_image = pairs.groupby(images, sort=False, as_index=False)[["score_a", "score_b"]].mean()
    if of_image.empty:
        raise ValueError(f"`a` and `b` must have scores of the same images, got {a!r}, {b!r}.")
    table = pd.concat(
        of_image[images].assign(method=name, score=of_image[column])
        for name, column in ((a, "score_a"), (b, "score_b"))
    )
    # `compare` counts the images that have a row of only one of the methods, such as an image with
    # one observer, which has no interobserver score.
    lone = pd.concat(halves)[lambda rows: ~rows["image"].isin(images_of[0] & images_of[1])]
    lone = lone.merge(of_image[["metric", *groups]].drop_duplicates())
    if len(lone):
        means = lone.groupby([*images, "method"], sort=False, as_index=False)["score"].mean()
        table = pd.concat([table, means])
    return compare(
        table,
        design,
        reference=b,
        by=("metric", *groups),
        rng=evaluation.options.seed,
        **options,
    )


def _of_regions(scores: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return the scores that are summarized by groups.

    By region, scores against gaze are left out, which have no region. Otherwise all regions
    together are left out if each is scored too, because they would enter the mean twice.
    """
    if REGION not in scores:
        return scores
    if REGION in groups:
        return scores[scores[REGION] != ""]
    labels = set(scores[REGION].unique()) - {"", UNION}
    return scores[scores[REGION] != UNION] if labels else scores


def _pooled_metrics(scores: pd.DataFrame) -> set[str]:
    """Return the metrics whose scores leave out no observer."""
    left_out = scores.loc[scores["observer"] != ALL_OBSERVERS, "metric"]
    return set(scores["metric"]) - set(left_out)


def _groups(evaluation: Scored, by: Sequence[str] | str, *, name: str = "by") -> tuple[str, ...]:
    """Return the names of groups, each of which must be a column of the scores."""
    own = [str(name) for name in evaluation.scores.columns[len(COLUMNS) :]]
    columns = as_columns(by, name=name)
    for column in columns:
        if column not in own:
            raise ValueError(
                f"`{name}` must name groups of the images, of which there are "
                f"{', '.join(map(repr, own)) or 'none'}, got {column!r}."
            )
    return columns


def _design(evaluation: Scored, unit: str, *averaged: str) -> Design:
    """Return the design of the scores if the unit is the image or a group of images."""
    if unit != "image":
        if unit == REGION:
            raise ValueError(
                f"`unit` must be the image or a group of images, got {unit!r}. Regions of an image "
                'are not independent. Give by="region".'
            )
        (unit,) = _groups(evaluation, unit, name="unit")
        averaged = ("image", *averaged)
    return Design(unit, averaged=averaged, unbalanced="average")
