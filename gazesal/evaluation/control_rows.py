"""Scores of the maps of one image against the gaze on other images.

Metrics that are linear in the gaze need one further score per map, against the mean of the gaze on
the other images. Other metrics are scored on a sample of other images.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gazesal.evaluation.case import (
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    OTHER_GAZE,
    Case,
)
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.metric_calls import MetricCalls, counted_fixations, takes_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.other_gaze import (
    LINEAR,
    WITH_BIAS_OF_GAZE,
    OtherGaze,
    features_in_frame,
    fixation_weights,
    kinds_of,
    other_fixations_of,
    truths_of,
)
from gazesal.evaluation.score_pairs import ExactKey, ScoredPair, exact_key, stream
from gazesal.evaluation.score_rows import Score
from gazesal.kernels.moments import centered_moments
from gazesal.maps.alignment import box_of, moved_map, moved_points
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.constancy import is_flat
from gazesal.maps.heatmap import off_image
from gazesal.maps.resampling import resample
from gazesal.metrics.auc import auc_borji, sauc
from gazesal.metrics.contributions import contributions
from gazesal.metrics.correlation import LARGEST, SMALLEST, ncc, ranks, to_unit_scale
from gazesal.metrics.metric import Metric
from gazesal.metrics.score import score
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ControlGaze", "ControlTask", "LinearControl", "control_rows", "tested_maps"]

AREAS = ("auc_borji", "sauc")


class ControlGaze(NamedTuple):
    """The gaze on other images for the scores of one image."""

    means: OtherGaze
    together: Sequence[Case]  # images left out of the means with this one, without maps
    mapped: Sequence[Case]  # images whose maps are left out of the mean maps with this one
    sampled: Sequence[Case]  # images for the metrics that are not linear in the gaze


class ControlTask(NamedTuple):
    """Facts for the controls of one image, beside arrays that processes share."""

    facts: dict[str, Any]
    n_arrays: int
    together: list[Case]
    mapped: list[Case]
    sampled: list[Case]


class _Tested(NamedTuple):
    """A map under test, as a pair with the mean gaze map of the other images."""

    pair: ScoredPair
    is_density: bool

    @property
    def method(self) -> str:
        return self.pair.method

    @property
    def saliency(self) -> FloatArray:
        return self.pair.saliency


def tested_maps(
    case: Case, pairs: Sequence[ScoredPair], mean: Float64Array | None
) -> list[_Tested]:
    """Return the maps of pairs once each, without the maps of further rows."""
    densities = {INTEROBSERVER, CENTER_BIAS, IN_SAMPLE_BIAS}
    truth = np.empty((0, 0)) if mean is None else mean
    found = {}
    for pair in pairs:
        if pair.method in densities or pair.method in case.maps:
            other = pair._replace(truth=truth, left_out=(OTHER_GAZE,))
            place = pair.method, pair.observer if pair.method == INTEROBSERVER else ""
            found[place] = _Tested(other, pair.method in densities)
    return list(found.values())


def control_rows(
    case: Case,
    maps: Sequence[_Tested],
    linear: "LinearControl",
    sampled: Sequence[Case],
    options: EvaluationOptions,
    calls: MetricCalls,
    exact: Mapping[ExactKey, float],
) -> list[Score]:
    """Return the score of each map against the gaze on other images, by method and metric.

    The maps of one observer each are averaged. The observer of these rows is `OTHER_GAZE`.
    """
    found = linear.scores(maps, exact) | _sampled_scores(case, maps, sampled, options, calls)
    rows = []
    for method in dict.fromkeys(one.method for one in maps):
        for metric in options.of_gaze:
            of_method = (k for k, one in enumerate(maps) if one.method == method)
            values = [found[k, metric.name] for k in of_method]
            defined = [value for value in values if value == value]  # noqa: PLR0124 (NaN)
            mean = float(np.mean(defined)) if defined else np.nan
            rows.append(Score(case.image, OTHER_GAZE, method, metric.name, mean))
    return rows


class LinearControl:
    """Scores by the metrics that are linear in the gaze, against means over other images."""

    def __init__(
        self,
        case: Case,
        own_maps: Sequence[Float64Array],
        negatives: Float64Array | None,
        bias: CenterBiasModel | None,
        control: ControlGaze,
        options: EvaluationOptions,
        calls: MetricCalls,
    ) -> None:
        self._metrics = [metric for metric in options.of_gaze if metric.name in LINEAR]
        self._negatives = negatives
        self._case, self._options, self._calls = case, options, calls
        self._baseline_bits: float | None = None
        self._means = _means_on(case, own_maps, negatives, bias, control, options)
        fixations = control.means.fixations
        out = [case.image, *(other.image for other in control.together)]
        self._shares = None if fixations is None else fixations.shares_on(case, out)
        self._others = _shares_of(calls.other_fixations, case.shape)

    @property
    def mean(self) -> Float64Array | None:
        """Mean gaze map of the other images, for metrics of areas."""
        return self._means.get("mean")

    def scores(
        self, maps: Sequence[_Tested], exact: Mapping[ExactKey, float]
    ) -> dict[tuple[int, str], float]:
        """Return the scores by the place of the map and the name of the metric.

        Areas were computed with the other areas of the map, unless the others are sampled.
        """
        found: dict[tuple[int, str], float] = {}
        mean = self.mean
        for place, one in enumerate(maps):
            for name in AREAS:
                if (key := exact_key(one.pair, name)) in exact:
                    found[place, name] = exact[key]
        names = [m.name for m in self._metrics if m.name in AREAS and (0, m.name) not in found]
        if names and mean is not None:
            saliencies = [one.saliency for one in maps]
            tolerance = self._options.tolerance
            areas = score(saliencies, [mean], self._negatives, names, tolerance=tolerance).values
            for place in range(len(maps)):
                found |= {(place, name): float(areas[place, 0, k]) for k, name in enumerate(names)}
        for place, one in enumerate(maps):
            flat = is_flat(one.saliency)
            for metric in self._metrics:
                if (place, metric.name) not in found:
                    found[place, metric.name] = self._score(metric, one, flat=flat)
        return found

    def _score(self, metric: Metric, one: _Tested, *, flat: bool) -> float:
        """Return the score of one map, which may be constant."""
        kind = LINEAR[metric.name]
        mean = self._shares if kind == "points" else self._means.get(kind)
        if mean is None or metric.name in AREAS:
            return np.nan
        if metric.name == "auc":
            return auc_borji(one.saliency, mean)
        if metric.name == "auc_shuffled":
            return np.nan if self._others is None else sauc(one.saliency, mean, self._others)
        if takes_distribution(metric):
            return self._information(metric, one, mean)
        return np.nan if flat else self._product(metric, one.saliency, mean)

    def _information(self, metric: Metric, one: _Tested, mean: Float64Array) -> float:
        """Return the mean log-likelihood of a density in bits, above the baseline on this image."""
        prepared = self._calls.prepared(metric, one.saliency, is_density=one.is_density)
        baseline = self._calls.baseline if metric.needs == "baseline" else None
        if one.method == self._options.negatives and baseline is not None:
            prepared = baseline  # as for the scores of the center bias
        if prepared is None:
            return np.nan
        bits = float(contributions("log_likelihood", prepared, mean).sum())
        return bits if baseline is None else bits - self._bits_of_baseline(baseline)

    def _bits_of_baseline(self, baseline: Float64Array) -> float:
        """Return the log-likelihood of the baseline under the gaze on this image."""
        if self._baseline_bits is None:
            weighted = fixation_weights(self._case, self._options)
            self._baseline_bits = np.nan
            if weighted is not None:
                own = other_fixations_of([(self._case, weighted)]).shares_on(self._case, ())
                if own is not None:
                    parts = contributions("log_likelihood", baseline, own)
                    self._baseline_bits = float(parts.sum())
        return self._baseline_bits

    def _product(self, metric: Metric, saliency: FloatArray, mean: Float64Array) -> float:
        """Return a score that is an inner product with the z-scores of the map or of its ranks."""
        shown = ranks(saliency) if metric.name == "spearman" else saliency
        value = _projection(shown, mean)
        if metric.name in {"nss", "snss", "residual_nss"}:
            less = {"snss": self._others, "residual_nss": self._negatives}.get(metric.name)
            return value if less is None else value - _projection(shown, less)
        value /= mean.size
        if metric.name == "sncc":
            assert self._negatives is not None, "refused without a center bias"  # noqa: S101 (for mypy)
            value -= ncc(saliency, self._negatives)
        return value


def _projection(saliency: FloatArray, mean: FloatArray) -> float:
    """Return the inner product of the z-scores of a map that is not constant with a mean."""
    x, y = saliency.ravel(), mean.ravel()
    squares, _, products = centered_moments(x, y)
    if not SMALLEST < squares < LARGEST:
        squares, _, products = centered_moments(to_unit_scale(x), y)
    return float(products / math.sqrt(squares / x.size))


def _means_on(
    case: Case,
    own_maps: Sequence[Float64Array],
    negatives: Float64Array | None,
    bias: CenterBiasModel | None,
    control: ControlGaze,
    options: EvaluationOptions,
) -> dict[str, Float64Array]:
    """Return the means over other images on the pixels of an image, by kind."""
    kinds = kinds_of(options.of_gaze)
    sums = dict(control.means.sums)
    frame = control.means.frame
    left_out: list[tuple[Case, Sequence[Float64Array], Float64Array | None]]
    left_out = [(case, own_maps, negatives)]
    for other in control.together:
        others_maps = gaze_maps(other, options)
        group = [each for each in (case, *control.together) if each.image != other.image]
        needs_bias = bool(set(kinds).intersection(WITH_BIAS_OF_GAZE))
        biases = biases_on_image(other, others_maps, bias, options, group) if needs_bias else {}
        left_out.append((other, others_maps, biases.get(options.negatives)))
    for one, maps, of_image in left_out:
        own = features_in_frame(one, truths_of(maps, options), of_image, kinds, frame)
        sums = {
            kind: each.plus(own[kind], -1.0) if kind in own else each for kind, each in sums.items()
        }
    means = {
        kind: each.on_image(case, frame, density=kind == "mean") for kind, each in sums.items()
    }
    return {kind: mean for kind, mean in means.items() if mean is not None}


def _shares_of(points: Float64Array | None, shape: tuple[int, int]) -> Float64Array | None:
    """Return the share of points at each pixel of an image."""
    if points is None or not len(points):
        return None
    columns, rows = np.floor(points + 0.5).astype(np.int64).T
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return np.asarray(counts / len(points)).reshape(shape)


def _sampled_scores(
    case: Case,
    maps: Sequence[_Tested],
    sampled: Sequence[Case],
    options: EvaluationOptions,
    calls: MetricCalls,
) -> dict[tuple[int, str], float]:
    """Return the mean scores on a sample of other images by the metrics that are not linear."""
    metrics = [metric for metric in options.of_gaze if metric.name not in LINEAR]
    found: dict[tuple[int, str], list[float]] = {
        (place, metric.name): [] for place in range(len(maps)) for metric in metrics
    }
    if not metrics:
        return {}
    for other in sampled:
        truth, points = _truth_on(case, other, metrics, options)
        if truth.size and not truth.sum() > 0:  # gaze outside this image
            continue
        for place, one in enumerate(maps):
            for metric in metrics:
                labels = (case.image, other.image, one.method, metric.name)
                value = calls.score(
                    metric,
                    one.saliency,
                    truth,
                    (),
                    is_density=one.is_density,
                    rng=stream(options, labels) if metric.random else None,
                    fixations=points,
                )
                if value == value:  # noqa: PLR0124 (NaN)
                    found[place, metric.name].append(value)
    return {key: float(np.mean(each)) if each else np.nan for key, each in found.items()}


def _truth_on(
    case: Case, other: Case, metrics: Sequence[Metric], options: EvaluationOptions
) -> tuple[Float64Array, Float64Array]:
    """Return a ground truth of another image on the pixels of an image: gaze map and fixations.

    The observer left out is sampled, so that the ground truth has as many as the one of the image.
    """
    names = list(other.gaze)
    out = None
    if options.ground_truth == "rest":
        out = int(stream(options, (case.image, other.image)).integers(len(names)))
    truth, points = np.empty((0, 0)), np.empty((0, 2))
    boxes = [box_of(each.shape, each.box) for each in (other, case)]
    if any(metric.ground_truth == "map" for metric in metrics):
        kept = [one for k, one in enumerate(gaze_maps(other, options)) if k != out]
        truth = np.asarray(np.mean(kept, axis=0))
        if case.box is not None:
            truth = moved_map(truth, boxes[0], case.shape, boxes[1])
        elif truth.shape != case.shape:
            truth = resample(truth, case.shape)
    if any(metric.ground_truth == "points" for metric in metrics):
        each = [
            counted_fixations(other, name, options.outside)
            for k, name in enumerate(names)
            if k != out
        ]
        points = moved_points(np.concatenate(each), *boxes)
        points = np.asarray(points[~off_image(points, case.shape)])
    return truth, points
