"""Rows of an evaluation that bound the score of a perfect map, from the gaze of the observers.

A perfect map is the expected gaze of infinitely many observers, in the form that the metric rewards
most. Its score is known from the agreement of the observers for correlations. For other metrics it
is bounded by the scores of maps that are made of the observers.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gazesal.evaluation.case import (
    ALL_OBSERVERS,
    ALL_PREDICT_ONE,
    ATTAINABLE,
    REST_PREDICTS_ONE,
    Case,
)
from gazesal.evaluation.gaze_sources import Gaze, kind_of
from gazesal.evaluation.metric_calls import MetricCalls
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_pairs import ScoredPair, score_pairs
from gazesal.evaluation.score_rows import Score
from gazesal.maps.resampling import resample
from gazesal.metrics.maps_for_metric import LINEAR_METRICS, maps_for_metric
from gazesal.metrics.metric import Metric
from gazesal.stats.noise_ceiling import covariance_matrix
from gazesal.stats.observers_as_maps import MIXED, ObserversAsMaps
from gazesal.typing import Float64Array

__all__ = ["ceiling_rows", "ceiling_scores", "require_ceilings"]

# metrics whose best attainable score follows from the agreement of the observers
CORRELATIONS = ("ncc", "sncc", "residual_ncc", "semipartial_ncc")
# areas of gaze maps, which need a sort of every map of observers
AREAS = ("auc_borji", "sauc")
# Maps of observers are sampled at this fraction of sigma, and by at least so many pixels. More
# samples change the areas by less than .0005.
STEPS_PER_SIGMA = 3
LEAST_SAMPLES = 5_000
# not linear in the gaze, so that only the rest predicting one is a bound
ONE_SIDED = ("sim", "kl_divergence", "emd")


def ceiling_rows(metric: Metric) -> tuple[str, ...]:
    """Return the rows that bound the score of a perfect map by a metric."""
    if metric.name in CORRELATIONS:
        return (ATTAINABLE,)
    if metric.name in LINEAR_METRICS:
        return REST_PREDICTS_ONE, ALL_PREDICT_ONE
    return (REST_PREDICTS_ONE,) if metric.name in ONE_SIDED else ()


def require_ceilings(options: EvaluationOptions) -> None:
    """Raise if no metric has one of the rows of ceilings that are asked for."""
    rows = {row for metric in options.of_gaze for row in ceiling_rows(metric)}
    if options.ceilings and not rows & set(options.ceilings):
        raise ValueError(
            "`ceilings` (--ceilings) must be a row of some metric in `metrics`, got "
            f"{', '.join(options.ceilings)} with {', '.join(options.metrics)}. Remove it, or add "
            "a metric with a known score of a perfect map, such as 'ncc' or 'auc_borji'."
        )


def ceiling_scores(
    case: Case,
    own_maps: Sequence[Float64Array],
    bias: Float64Array | None,
    options: EvaluationOptions,
    calls: MetricCalls,
) -> list[Score]:
    """Return the scores of the rows of ceilings on one image, which needs several observers."""
    if not options.ceilings or len(own_maps) < 2:
        return []
    rows: list[Score] = []
    wanted = {
        metric: [row for row in ceiling_rows(metric) if row in options.ceilings]
        for metric in options.of_gaze
    }
    step = _step(case, options)
    coarse = [_every(gaze_map, step) for gaze_map in own_maps]
    coarse_bias = None if bias is None else _every(bias, step)
    for metric, names in wanted.items():
        if ATTAINABLE not in names:
            maps, with_bias = (own_maps, bias)
            if metric.name in AREAS:
                maps, with_bias = coarse, coarse_bias
            pairs = list(_pairs(names, case, maps, metric, with_bias, calls))
            rows += (
                score_pairs(case.image, pairs, [metric], with_bias, options, calls) if pairs else []
            )
    names = [metric.name for metric, found in wanted.items() if ATTAINABLE in found]
    n_truth = len(own_maps) - (options.ground_truth == "rest")
    found = _attainable(own_maps, bias, names, n_truth) if names else {}
    return rows + [Score(case.image, ALL_OBSERVERS, ATTAINABLE, *each) for each in found.items()]


def _step(case: Case, options: EvaluationOptions) -> int:
    """Return the distance in pixels of the samples of gaze maps that areas are computed from.

    The maps of these rows are sums of Gaussians, so that a third of their standard deviation is
    enough. Finished gaze maps may have any detail, and every pixel of them is used.
    """
    smallest = math.inf
    for gaze in case.gaze.values():
        if case.gaze_map is not None or kind_of(gaze) not in {"fixations", "fixation_map"}:
            return 1
        own = gaze.sigma if isinstance(gaze, Gaze) and gaze.sigma is not None else options.sigma
        assert own is not None, "refused without sigma"  # noqa: S101 (for mypy)
        smallest = float(np.min(own, initial=smallest))
    if not math.isfinite(smallest):
        return 1
    largest = math.sqrt(case.shape[0] * case.shape[1] / LEAST_SAMPLES)
    return max(1, int(min(smallest / STEPS_PER_SIGMA, largest)))


def _every(values: Float64Array, step: int) -> Float64Array:
    """Return samples of a map at a mean distance of about `step` pixels along x and y."""
    if step == 1:
        return values
    height, width = values.shape
    return resample(values, (round(height / step), round(width / step)))


def _pairs(
    rows: Sequence[str],
    case: Case,
    own_maps: Sequence[Float64Array],
    metric: Metric,
    bias: Float64Array | None,
    calls: MetricCalls,
) -> Iterator[ScoredPair]:
    """Yield the maps of observers with the gaze of one of them, whose name is the label."""
    if metric.needs is not None and bias is None:  # sNSS with center_bias="none"
        return
    names = list(case.gaze)
    best = _best_maps(names, own_maps, metric, bias, calls)
    everyone = range(len(names))
    for row in rows:
        whole = best(everyone, None) if row == ALL_PREDICT_ONE else None
        for place, observer in enumerate(names):
            rest = [each for each in everyone if each != place]
            saliency = best(rest, place) if whole is None else whole
            others = tuple(names[each] for each in rest)
            yield ScoredPair(row, observer, saliency, own_maps[place], others)


def _best_maps(
    names: Sequence[str],
    own_maps: Sequence[Float64Array],
    metric: Metric,
    bias: Float64Array | None,
    calls: MetricCalls,
) -> Callable[[Sequence[int], int | None], Float64Array]:
    """Return a function that makes the best map by a metric of some observers, for another one."""
    if metric.name not in MIXED:
        return lambda members, _: maps_for_metric(
            np.mean([own_maps[each] for each in members], axis=0), metric, bias
        )
    points = None
    if metric.ground_truth == "points":
        points = [
            calls.points_without(tuple(each for each in names if each != name)) for name in names
        ]
        if not all(map(len, points)):  # shares of the mixture cannot be fitted to no fixation
            return lambda _, __: np.full_like(own_maps[0], np.nan)
    baseline = calls.baseline if metric.needs == "baseline" else bias
    mixed = ObserversAsMaps(metric, own_maps, baseline, points, None, None)
    return mixed.map_of


def _attainable(
    own_maps: Sequence[Float64Array],
    bias: Float64Array | None,
    names: Sequence[str],
    n_truth: int,
) -> dict[str, float]:
    """Return the best attainable correlations with the mean gaze map of `n_truth` observers.

    The covariances of gaze maps minus the center bias, or minus their linear fit to it, follow from
    the covariances of the maps.
    """
    n = len(own_maps)
    maps = list(own_maps) if bias is None else [*own_maps, bias]
    covariances, constant = covariance_matrix(maps)
    own, with_bias = covariances[:n, :n], covariances[:n, n:].sum(axis=1)
    of_bias = float(covariances[n:, n:].sum())
    found = dict.fromkeys(names, math.nan)
    plain = _best(own, n_truth)
    for name in names:
        if name == "ncc":
            found[name] = plain
        elif name == "residual_ncc":
            found[name] = _best(own - with_bias - with_bias[:, None] + of_bias, n_truth)
        elif n not in constant:
            if name == "semipartial_ncc":
                explained = np.outer(with_bias, with_bias) / of_bias
                found[name] = _best(own - explained, n_truth)
            else:
                # The best map z(p) sqrt(alpha) - z(c) has its own length as its score.
                square = 1 + plain**2 - 2 * _truth_with_bias(own, with_bias, of_bias, n_truth)
                found[name] = math.sqrt(max(square, 0.0))
    return found


def _best(covariances: Float64Array, n_truth: int) -> float:
    """Return the NCC of a perfect map with the mean of some observers, by Spearman-Brown."""
    n = len(covariances)
    variance = float(np.trace(covariances)) / n
    common = (float(covariances.sum()) - n * variance) / (n * (n - 1))
    if not (common >= 0 and variance > 0):  # the observers do not agree, or all maps are constant
        return math.nan
    return math.sqrt(common / (variance / n_truth + (1 - 1 / n_truth) * common))


def _truth_with_bias(
    own: Float64Array, with_bias: Float64Array, of_bias: float, n_truth: int
) -> float:
    """Return the mean NCC of the ground truths with the center bias."""
    sums, products = own.sum(), with_bias.sum()
    if n_truth == len(own):
        return float(products / math.sqrt(sums * of_bias))
    rests = sums - 2 * own.sum(axis=1) + np.diag(own)
    return float(np.mean((products - with_bias) / np.sqrt(rests * of_bias)))
