"""Scores of one image: every pair of a map and a ground truth, by every metric."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gazesal._warnings import muted
from gazesal.evaluation.case import ALL_OBSERVERS, CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, Case
from gazesal.evaluation.fitted_baseline import Kernel, fitted_baseline
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.map_checks import TRANSPOSE, looks_transposed
from gazesal.evaluation.metric_calls import AllFixations, MetricCalls, require_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_rows import Noticed
from gazesal.exceptions import InputWarning, UndefinedMetricWarning
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.observers import one_vs_rest
from gazesal.maps.resampling import require_range, resample
from gazesal.metrics.metric import Metric
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.metrics.score import score
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ScoredPair", "checked_map", "score_image", "scored_pairs"]

Score = tuple[str, str, str, str, float]  # image, observer, method, metric, score


class ScoredPair(NamedTuple):
    """A map under test and the ground truth that it is scored against."""

    method: str
    observer: str  # the observer left out of the ground truth
    saliency: FloatArray
    truth: Float64Array
    left_out: tuple[str, ...]  # the observer left out, or empty
    turned: bool = False  # the map has the proportions of the image transposed


def checked_map(case: Case, method: str, options: EvaluationOptions) -> FloatArray:
    """Load a method's map and check that it can be resized to the image and scored."""
    values, name = case.load_map(method), f"{method} map of image {case.image}"
    if values.shape != case.shape:
        require_range(values, name=name)
    if values.shape != case.shape and options.resize is None:
        source = case.maps[method]
        height, width = values.shape
        advice = '. Give resize="bilinear" (--resize bilinear) to resize it.'
        if looks_transposed(values.shape, case.shape):
            advice = f", as if it were transposed. {TRANSPOSE}"
        elif callable(source):
            advice += " If `preprocess` crops or pads, have it return its InputGeometry instead."
        raise ValueError(
            f"{source if isinstance(source, Path) else method}: the map of image {case.image} must "
            f"have the image's size, {case.shape[1]} x {case.shape[0]} pixels, got {width} x "
            f"{height}{advice}"
        )
    require_distribution(values, case.shape, name, options.chosen, options.density)
    return values


def scored_pairs(
    case: Case,
    own_maps: list[Float64Array],
    biases: Mapping[str, Float64Array],
    options: EvaluationOptions,
) -> Iterator[ScoredPair]:
    """Yield the pairs of a map and a ground truth on one image, in the order of the table.

    With a single observer there is no interobserver row.
    """
    rests = [rest for _, rest in one_vs_rest(own_maps)] if len(own_maps) > 1 else []
    for observer, own, rest in zip(case.gaze, own_maps, rests, strict=False):
        yield ScoredPair(INTEROBSERVER, observer, own, rest, (observer,))
    truths: list[tuple[str, Float64Array, tuple[str, ...]]]
    truths = [(name, rest, (name,)) for name, rest in zip(case.gaze, rests, strict=False)]
    if options.ground_truth == "all":
        truths = [(ALL_OBSERVERS, np.asarray(np.mean(own_maps, axis=0)), ())]
    for method in (*biases, *case.maps):
        turned = False
        if method in biases:
            saliency: FloatArray = biases[method]
        else:
            values = checked_map(case, method, options)
            turned = looks_transposed(values.shape, case.shape)
            saliency = values if values.shape == case.shape else resample(values, case.shape)
        for observer, truth, left_out in truths:
            yield ScoredPair(method, observer, saliency, truth, left_out, turned)


def score_image(
    case: Case,
    bias: CenterBiasModel | None,
    options: EvaluationOptions,
    fixations: AllFixations | None = None,
    together: Sequence[Case] = (),
    kernel: Kernel | None = None,
) -> tuple[list[Score], Noticed]:
    """Return every score of one image, and the facts noticed about its maps.

    The order of the scores is by method, observer left out and metric. `fixations` holds the
    fixations on all images, if a metric takes them. The images of `together` are left out of the
    center bias with this one. With a `kernel`, the baseline of information gain is fitted.
    """
    unblurred: list[str] = []
    own_maps = gaze_maps(case, options, unblurred)
    biases = biases_on_image(case, own_maps, bias, options, together)
    pairs = list(scored_pairs(case, own_maps, biases, options))
    negatives = biases.get(options.negatives)
    baseline = None
    if kernel is not None and fixations is not None and case.center_bias is None:
        in_sample = options.center_bias_rows == "in_sample"
        baseline = fitted_baseline(case, fixations, kernel, in_sample=in_sample)
    calls = MetricCalls(
        case,
        negatives,
        fixations,
        density=options.density,
        options={"shrink": options.shrink},
        outside=options.outside,
        baseline=baseline,
    )
    # Undefined scores stay in the table as nan, and the summary counts them.
    with muted(UndefinedMetricWarning, InputWarning):
        exact = _exact_scores(pairs, negatives, options)
        rows = [
            (*labels, _score(metric, pair, negatives, options, labels, exact, calls))
            for pair in pairs
            for metric in options.chosen
            for labels in [(case.image, pair.observer, pair.method, metric.name)]
        ]
    turned = tuple(dict.fromkeys(pair.method for pair in pairs if pair.turned))
    return rows, Noticed(turned, len(unblurred))


def _exact_scores(
    pairs: list[ScoredPair], negatives: Float64Array | None, options: EvaluationOptions
) -> dict[tuple[str, str, str], float]:
    """Return the exact scores by the study's metrics, by method, observer and metric.

    They are computed together, because they share sorted maps and moments.
    """
    names = [
        metric.name
        for metric in options.chosen
        if metric.name in STUDY_METRICS and not _is_sampled(metric, options)
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
        saliencies, truths, negatives, names, pairs=asked, tolerance=options.tolerance
    ).values
    return {
        (pair.method, pair.observer, name): float(
            found[rows[_row(pair)], columns[pair.left_out], k]
        )
        for pair in pairs
        for k, name in enumerate(names)
    }


def _row(pair: ScoredPair) -> tuple[str, str]:
    """Return the key of the saliency map of a pair."""
    return pair.method, pair.observer if pair.method == INTEROBSERVER else ""


def _is_sampled(metric: Metric, options: EvaluationOptions) -> bool:
    """Return whether a metric is estimated from random samples."""
    return metric.can_sample and options.n_samples is not None


def _score(
    metric: Metric,
    pair: ScoredPair,
    negatives: Float64Array | None,
    options: EvaluationOptions,
    labels: tuple[str, str, str, str],
    exact: dict[tuple[str, str, str], float],
    calls: MetricCalls,
) -> float:
    """Return one score: from the exact ones, by a call of its metric, or from samples."""
    if (pair.method, pair.observer, metric.name) in exact:
        return exact[pair.method, pair.observer, metric.name]
    if not _is_sampled(metric, options):
        is_density = pair.method in {INTEROBSERVER, CENTER_BIAS, IN_SAMPLE_BIAS}
        rng = _stream(options, labels) if metric.random else None
        saliency = pair.saliency
        if pair.method == options.negatives and "baseline" in metric.densities:
            assert calls.baseline is not None, "refused without a center bias"  # noqa: S101 (for mypy)
            saliency = calls.baseline  # the row of the center bias is the baseline, and scores 0
        return calls.score(
            metric, saliency, pair.truth, pair.left_out, is_density=is_density, rng=rng
        )
    maps: tuple[FloatArray, ...] = (pair.saliency, pair.truth)
    if metric.needs_center_bias:
        assert negatives is not None, "refused without a center bias"  # noqa: S101 (for mypy)
        maps = (*maps, negatives)
    return metric(*maps, n_samples=options.n_samples, rng=_stream(options, labels))


def _stream(options: EvaluationOptions, labels: tuple[str, ...]) -> np.random.Generator:
    """Return the random numbers of one score, which do not depend on other scores."""
    return np.random.default_rng([options.seed, *(zlib.crc32(each.encode()) for each in labels)])
