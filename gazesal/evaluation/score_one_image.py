"""Scores of one image: every pair of a map and a ground truth, by every metric."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gazesal._warnings import muted
from gazesal.evaluation.case import ALL_OBSERVERS, INTEROBSERVER, Case
from gazesal.evaluation.ceilings import ceiling_scores
from gazesal.evaluation.control_rows import ControlGaze, LinearControl, control_rows
from gazesal.evaluation.control_rows import tested_maps as control_maps
from gazesal.evaluation.fitted_baseline import Kernel, fitted_baseline
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.map_checks import TRANSPOSE, looks_transposed
from gazesal.evaluation.mean_maps import inverse_rows, mean_map_pairs
from gazesal.evaluation.metric_calls import AllFixations, MetricCalls, require_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.region_scores import region_scores
from gazesal.evaluation.score_pairs import ExactKey, ScoredPair, score_pairs
from gazesal.evaluation.score_rows import Noticed, Score
from gazesal.evaluation.several_maps import averaged, with_single_maps, without_several_maps
from gazesal.exceptions import InputWarning, UndefinedMetricWarning
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.observers import one_vs_rest
from gazesal.maps.resampling import require_range, resample
from gazesal.typing import Float64Array, FloatArray

__all__ = ["checked_map", "map_on_image", "score_image", "scored_pairs", "tested_maps"]


def checked_map(case: Case, method: str, options: EvaluationOptions) -> FloatArray:
    """Load a method's map and check that it can be resized to the image and scored."""
    case = case.with_loaded_area()
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
    area = case.load_area()
    counted = values if area is None else area.cover(_on_image(values, case))
    require_distribution(counted, case.shape, name, options.chosen, options.density)
    return values


def map_on_image(case: Case, method: str, options: EvaluationOptions) -> FloatArray:
    """Load a method's map, checked, and resize it to the image."""
    return _on_image(checked_map(case, method, options), case)


def _on_image(values: FloatArray, case: Case) -> FloatArray:
    return values if values.shape == case.shape else resample(values, case.shape)


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
    for method, saliency, turned in tested_maps(case, biases, options):
        for observer, truth, left_out in truths:
            yield ScoredPair(method, observer, saliency, truth, left_out, turned)


def tested_maps(
    case: Case, biases: Mapping[str, Float64Array], options: EvaluationOptions
) -> Iterator[tuple[str, FloatArray, bool]]:
    """Yield each center bias and each method's map on the pixels of the image, with its name.

    The flag says if a map has the proportions of the image transposed.
    """
    yield from ((name, bias, False) for name, bias in biases.items())
    for method in case.maps:
        values = checked_map(case, method, options)
        turned = looks_transposed(values.shape, case.shape)
        yield method, _on_image(values, case), turned


def score_image(
    case: Case,
    bias: CenterBiasModel | None,
    options: EvaluationOptions,
    fixations: AllFixations | None = None,
    together: Sequence[Case] = (),
    kernel: Kernel | None = None,
    control: ControlGaze | None = None,
) -> tuple[list[Score], Noticed]:
    """Return every score of one image, and the facts noticed about its maps.

    The order of the scores is by method, observer left out and metric. `fixations` holds the
    fixations on all images, if a metric takes them. The images of `together` are left out of the
    center bias with this one. With a `kernel`, the baseline of information gain is fitted. With
    `control`, the scores against the gaze on other images follow, and rows of further controls.
    """
    case = case.with_loaded_area()
    of_means = without_several_maps(case)
    case, method_of = with_single_maps(case)
    unblurred: list[str] = []
    dropped: list[int] = []
    own_maps = gaze_maps(case, options, unblurred, dropped)
    biases = biases_on_image(case, own_maps, bias, options, together)
    if options.of_gaze:
        pairs = list(scored_pairs(case, own_maps, biases, options))
        tested = {pair.method: (pair.saliency, pair.turned) for pair in pairs}
        tested.pop(INTEROBSERVER, None)
    else:
        pairs = []
        found = tested_maps(case, biases, options)
        tested = {method: (saliency, turned) for method, saliency, turned in found}
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
        if control is not None and "mean_map" in options.controls:
            mapped = [
                (other, {method: map_on_image(other, method, options) for method in other.maps})
                for other in map(without_several_maps, control.mapped)
            ]
            pairs += mean_map_pairs(of_means, pairs, control.means, mapped, options)
        exact: dict[ExactKey, float] = {}
        linear, others = None, []
        if control is not None and "other_gaze" in options.controls:
            linear = LinearControl(case, own_maps, negatives, bias, control, options, calls)
            others = control_maps(case, pairs, linear.mean)
        more = (
            [one.pair for one in others] if linear is not None and linear.mean is not None else []
        )
        rows = score_pairs(
            case.image, pairs, options.of_gaze, negatives, options, calls, more, exact
        )
        rows += ceiling_scores(case, own_maps, negatives, options, calls)
        maps = ((method, saliency) for method, (saliency, _) in tested.items())
        rows += region_scores(
            case, own_maps, maps, options.of_regions, options.region_options, options.region_rows
        )
        if "inverse" in options.controls:
            rows += inverse_rows(rows, options.negatives)
        if control is not None and linear is not None:
            rows += control_rows(case, others, linear, control.sampled, options, calls, exact)
    turned = tuple(method for method, (_, looks_turned) in tested.items() if looks_turned)
    return averaged(rows, method_of), Noticed(turned, len(unblurred), sum(dropped))
