"""Scores of pairs of a map and a ground truth on one image, by every metric."""

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gazesal.evaluation.case import (
    CEILINGS,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    REST_PREDICTS_ONE,
)
from gazesal.evaluation.metric_calls import MetricCalls, takes_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_rows import Score
from gazesal.metrics.metric import Metric
from gazesal.metrics.score import SHARED_METRICS, score
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ExactKey", "ScoredPair", "exact_key", "score_pairs", "stream"]

ExactKey = tuple[str, str, tuple[str, ...], str]

BY_OBSERVER = (INTEROBSERVER, REST_PREDICTS_ONE)  # rows with another map for each ground truth
OF_GAZE = (INTEROBSERVER, CENTER_BIAS, IN_SAMPLE_BIAS, *CEILINGS)  # rows whose maps are densities


class ScoredPair(NamedTuple):
    """A map under test and the ground truth that it is scored against."""

    method: str
    observer: str  # the observer left out of the ground truth
    saliency: FloatArray
    truth: Float64Array
    left_out: tuple[str, ...]  # the observer left out, or empty
    turned: bool = False  # the map has the proportions of the image transposed
    density: FloatArray | None = None  # the map for metrics of distributions, if it is another


def score_pairs(
    image: str,
    pairs: Sequence[ScoredPair],
    metrics: Sequence[Metric],
    negatives: Float64Array | None,
    options: EvaluationOptions,
    calls: MetricCalls,
    more: Sequence[ScoredPair] = (),
    exact: dict[ExactKey, float] | None = None,
) -> list[Score]:
    """Return the scores of pairs on an image, in their order and the order of the metrics.

    Scores that share work are added to `exact`, also the ones of the pairs of `more`, which have no
    rows.
    """
    exact = {} if exact is None else exact
    exact |= _exact_scores([*pairs, *more], metrics, negatives, options, calls)
    return [
        Score(*labels, _score(metric, pair, negatives, options, labels, exact, calls))
        for pair in pairs
        for metric in metrics
        for labels in [(image, pair.observer, pair.method, metric.name)]
    ]


def _exact_scores(
    pairs: Sequence[ScoredPair],
    metrics: Sequence[Metric],
    negatives: Float64Array | None,
    options: EvaluationOptions,
    calls: MetricCalls,
) -> dict[ExactKey, float]:
    """Return the exact scores that share work, by `exact_key`.

    They share sorted maps and inner products.
    """
    names = [
        metric.name
        for metric in metrics
        if metric.name in SHARED_METRICS and not _is_sampled(metric, options)
    ]
    if not names:
        return {}
    # A method has one map for all ground truths, and an observer left out has their own.
    saliencies = {_row(pair): pair.saliency for pair in pairs}
    truths = {pair.left_out: pair.truth for pair in pairs}
    columns = {name: j for j, name in enumerate(truths)}
    asked = np.zeros((len(saliencies), len(truths)), np.bool_)
    rows = {row: i for i, row in enumerate(saliencies)}
    for pair in pairs:
        asked[rows[_row(pair)], columns[pair.left_out]] = True
    found = score(
        saliencies,
        truths,
        negatives,
        names,
        pairs=asked,
        tolerance=options.tolerance,
        area=calls.area,
    ).values
    return {
        exact_key(pair, name): float(found[rows[_row(pair)], columns[pair.left_out], k])
        for pair in pairs
        for k, name in enumerate(names)
    }


def exact_key(pair: ScoredPair, metric: str) -> ExactKey:
    """Return the key of the score of a pair by a metric: map, ground truth and metric."""
    return *_row(pair), pair.left_out, metric


def _row(pair: ScoredPair) -> tuple[str, str]:
    """Return the key of the saliency map of a pair."""
    return pair.method, pair.observer if pair.method in BY_OBSERVER else ""


def _is_sampled(metric: Metric, options: EvaluationOptions) -> bool:
    """Return whether a metric is estimated from random samples."""
    return metric.can_sample and options.n_samples is not None


def _score(
    metric: Metric,
    pair: ScoredPair,
    negatives: Float64Array | None,
    options: EvaluationOptions,
    labels: tuple[str, str, str, str],
    exact: Mapping[ExactKey, float],
    calls: MetricCalls,
) -> float:
    """Return one score: from the exact ones, by a call of its metric, or from samples."""
    if (key := exact_key(pair, metric.name)) in exact:
        return exact[key]
    if not _is_sampled(metric, options):
        is_density = pair.method in OF_GAZE
        rng = stream(options, labels) if metric.random else None
        saliency = pair.saliency
        if pair.method == options.negatives and "baseline" in metric.densities:
            assert calls.baseline is not None, "refused without a center bias"  # noqa: S101 (for mypy)
            saliency = calls.baseline  # the row of the center bias is the baseline, and scores 0
        if pair.density is not None and takes_distribution(metric):
            saliency, is_density = pair.density, True
        return calls.score(
            metric, saliency, pair.truth, pair.left_out, is_density=is_density, rng=rng
        )
    maps: tuple[FloatArray, ...] = (pair.saliency, pair.truth)
    if metric.needs_center_bias:
        assert negatives is not None, "refused without a center bias"  # noqa: S101 (for mypy)
        maps = (*maps, negatives)
    on_area = {} if calls.area is None else {"area": calls.area}
    return metric(*maps, n_samples=options.n_samples, rng=stream(options, labels), **on_area)


def stream(options: EvaluationOptions, labels: tuple[str, ...]) -> np.random.Generator:
    """Return the random numbers of one score, which do not depend on other scores."""
    return np.random.default_rng([options.seed, *(zlib.crc32(each.encode()) for each in labels)])
