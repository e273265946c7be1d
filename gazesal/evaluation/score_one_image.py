"""The work on one image: gaze maps, its own center bias, every score."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from gazesal._warnings import muted
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, Case, Gaze
from gazesal.evaluation.gaze_checks import is_gaze_map
from gazesal.evaluation.map_checks import TRANSPOSE, looks_transposed
from gazesal.evaluation.metric_calls import AllFixations, MetricCalls, require_distribution
from gazesal.evaluation.score_rows import Noticed
from gazesal.exceptions import InputWarning, OffImageWarning, UndefinedMetricWarning
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.geometry import ReferenceFrame
from gazesal.maps.heatmap import Outside, gaze_heatmap
from gazesal.maps.observers import one_vs_rest
from gazesal.maps.registered_bias import RegisteredCenterBias
from gazesal.maps.resampling import require_range, resample
from gazesal.metrics.densities import DensityMethod
from gazesal.metrics.registry import METRICS, STUDY_METRICS
from gazesal.metrics.score import score
from gazesal.typing import Float64Array, FloatArray

Score = tuple[str, str, str, str, float]  # image, observer, method, metric, score
AnyCenterBias: TypeAlias = CenterBias | RegisteredCenterBias


CenterBiasRows = Literal["left_out", "in_sample", "both", "none"]
GroundTruth = Literal["rest", "all"]
ALL_OBSERVERS = "all"  # in the table, where no observer is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What all images are scored with; see `evaluate`."""

    sigma: tuple[float, float] | None
    metrics: tuple[str, ...]
    frame: tuple[int, int] | ReferenceFrame | None  # None: no center bias is made of all images
    resize: Literal["bilinear"] | None
    outside: Outside
    ground_truth: GroundTruth
    center_bias: CenterBiasRows
    n_samples: int | None
    tolerance: float | None
    seed: int
    density: DensityMethod | None = None
    shrink: int | None = None
    leave_out: str | None = None  # column of the groups whose images are left out together

    @property
    def negatives(self) -> str:
        """Row whose center bias the shuffled metrics compare with."""
        return IN_SAMPLE_BIAS if self.center_bias == "in_sample" else CENTER_BIAS

    @property
    def leaves_out(self) -> bool:
        """Return whether the center bias of all images is made without each of them."""
        return self.frame is not None and self.center_bias != "in_sample"


class Comparison(NamedTuple):
    """A map under test and what it is scored against."""

    method: str
    observer: str  # the one left out of the ground truth
    saliency: FloatArray
    truth: Float64Array
    truth_name: tuple[str, ...]  # the observer left out, or nobody
    turned: bool = False  # whether the map has the proportions of the image transposed


def gaze_maps(
    case: Case, options: Options, unblurred: list[str] | None = None
) -> list[Float64Array]:
    """Return the gaze map of each observer, each summing to 1.

    Observers whose function returned a map, and not fixations, are appended to `unblurred`.
    """
    return [_gaze_map(case, observer, options, unblurred) for observer in case.gaze]


def _gaze_map(
    case: Case, observer: str, options: Options, unblurred: list[str] | None
) -> Float64Array:
    gaze = case.load_gaze(observer, options.resize)
    if not isinstance(gaze, Gaze):
        if unblurred is not None and not is_gaze_map(case.gaze[observer]):
            unblurred.append(observer)
        return gaze
    if gaze.sigma is not None and options.sigma is not None:
        raise ValueError(
            f"image {case.image}, observer {observer}: `sigma` must not be given where fixations "
            "have their own."
        )
    sigma = options.sigma if gaze.sigma is None else gaze.sigma
    if sigma is None:
        raise ValueError(f"image {case.image}, observer {observer}: no `sigma` was given.")
    try:
        with muted(OffImageWarning, InputWarning):  # `evaluate` has warned once of all
            return gaze_heatmap(
                gaze.points,
                case.shape,
                sigma=sigma,
                weights=gaze.durations,
                visible=gaze.visible,
                outside=options.outside,
            )
    except ValueError as error:
        raise ValueError(f"image {case.image}, observer {observer}: {error}") from error


def center_bias_of(cases: list[Case], options: Options) -> AnyCenterBias:
    """The center bias of some images, in the common frame."""
    framed = (
        framed_map
        for case in cases
        for framed_map in _framed(case, gaze_maps(case, options), options)
    )
    if isinstance(options.frame, ReferenceFrame):
        return RegisteredCenterBias(options.frame, framed)
    return CenterBias(framed)


def _framed(case: Case, own_maps: list[Float64Array], options: Options) -> Iterator[Any]:
    """Gaze maps of an image as the center bias takes them: with its box, or on the common size."""
    if isinstance(options.frame, ReferenceFrame):
        return ((gaze_map, case.box) for gaze_map in own_maps)
    frame = options.frame
    assert frame is not None, "only where a center bias is made of all images"  # noqa: S101
    if case.shape != frame and options.resize is None:  # in `misfits`, and not in the average
        raise ValueError(f"image {case.image} must have the size of the others without `resize`.")
    return (
        gaze_map if gaze_map.shape == frame else resample(gaze_map, frame) for gaze_map in own_maps
    )


def checked_map(case: Case, method: str, options: Options) -> FloatArray:
    """The map of a method: of the image's size or such that it can be brought there, and what the
    metrics can take.
    """
    values, name = case.load_map(method), f"{method} map of image {case.image}"
    if values.shape != case.shape:
        require_range(values, name=name)
    if values.shape != case.shape and options.resize is None:
        source = case.maps[method]
        height, width = values.shape
        advice = '; resize="bilinear" (--resize bilinear) brings the map onto the image\'s pixels.'
        if looks_transposed(values.shape, case.shape):
            advice = f", as of a map that is transposed. {TRANSPOSE}"
        elif callable(source):
            advice += " If `preprocess` crops or pads, have it return its InputGeometry instead."
        raise ValueError(
            f"{source if isinstance(source, Path) else method}: the map of image {case.image} "
            f"is {width} x {height} pixels, but the image is {case.shape[1]} x "
            f"{case.shape[0]}{advice}"
        )
    require_distribution(values, case.shape, name, options.metrics, options.density)
    return values


def own_biases(
    case: Case,
    own_maps: list[Float64Array],
    bias: AnyCenterBias | None,
    options: Options,
    together: Sequence[Case] = (),
) -> dict[str, Float64Array]:
    """Return the center bias on the pixels of an image by row: without its own gaze, with it, or
    both.

    In place of the first is the image's own one, where it has one. The images of `together` are
    left out with it.
    """
    biases: dict[str, Float64Array] = {}
    if options.center_bias == "none":
        return biases
    if case.center_bias is not None:
        biases[CENTER_BIAS] = case.load_center_bias(options.resize)
    elif options.center_bias != "in_sample":
        assert bias is not None, "made unless every image has its own"  # noqa: S101
        framed = chain(
            _framed(case, own_maps, options),
            *(_framed(other, gaze_maps(other, options), options) for other in together),
        )
        biases[CENTER_BIAS] = _on_image(bias.without(framed), case)
    if options.center_bias != "left_out":
        assert bias is not None, "made for this row"  # noqa: S101
        biases[IN_SAMPLE_BIAS] = _on_image(bias, case)
    return biases


def _on_image(bias: AnyCenterBias, case: Case) -> Float64Array:
    if isinstance(bias, RegisteredCenterBias):
        if case.box is None:
            raise ValueError(f"image {case.image} must have a box to be registered by.")
        return bias.warp(case.box, case.shape)
    density = bias.density()
    if density.shape != case.shape:
        density = resample(density, case.shape)
    return np.asarray(density / density.sum())


def comparisons(
    case: Case,
    own_maps: list[Float64Array],
    biases: Mapping[str, Float64Array],
    options: Options,
) -> Iterator[Comparison]:
    """Yield what is scored against what on one image, in the order of the results table.

    With one observer alone there is nobody to compare with, so no interobserver row.
    """
    rests = [rest for _, rest in one_vs_rest(own_maps)] if len(own_maps) > 1 else []
    for observer, own, rest in zip(case.gaze, own_maps, rests, strict=False):
        yield Comparison(INTEROBSERVER, observer, own, rest, (observer,))
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
        for observer, truth, truth_name in truths:
            yield Comparison(method, observer, saliency, truth, truth_name, turned)


def score_image(
    case: Case,
    bias: AnyCenterBias | None,
    options: Options,
    fixations: AllFixations | None = None,
    together: Sequence[Case] = (),
) -> tuple[list[Score], Noticed]:
    """Return every score of one image, and what was noticed of its maps.

    The scores are rows of the table, observers left out, metrics. `fixations` are those on all
    images, if a metric takes those on the others. The images of `together` are left out of the
    center bias with this one.
    """
    unblurred: list[str] = []
    own_maps = gaze_maps(case, options, unblurred)
    biases = own_biases(case, own_maps, bias, options, together)
    pairs = list(comparisons(case, own_maps, biases, options))
    negatives = biases.get(options.negatives)
    calls = MetricCalls(
        case, negatives, fixations, density=options.density, options={"shrink": options.shrink}
    )
    # undefined scores stay in the table as nan and are counted in the summary
    with muted(UndefinedMetricWarning, InputWarning):
        exact = _exact_scores(pairs, negatives, options)
        rows = [
            (*labels, _score(pair, negatives, options, labels, exact, calls))
            for pair in pairs
            for name in options.metrics
            for labels in [(case.image, pair.observer, pair.method, name)]
        ]
    turned = tuple(dict.fromkeys(pair.method for pair in pairs if pair.turned))
    return rows, Noticed(turned, len(unblurred))


def _exact_scores(
    pairs: list[Comparison], negatives: Float64Array | None, options: Options
) -> dict[tuple[str, str, str], float]:
    """Scores that are not drawn, by method, observer and metric, as far as they share work."""
    names = [
        name for name in options.metrics if name in STUDY_METRICS and not _is_drawn(name, options)
    ]
    if not names:
        return {}
    # an observer's own map is another for each, a method's is one for all
    saliencies = {_row(pair): pair.saliency for pair in pairs}
    truths = {pair.truth_name: pair.truth for pair in pairs}
    columns = {name: j for j, name in enumerate(truths)}
    asked = np.zeros((len(saliencies), len(truths)), np.bool_)
    rows = {row: i for i, row in enumerate(saliencies)}
    for pair in pairs:
        asked[rows[_row(pair)], columns[pair.truth_name]] = True
    found = score(
        saliencies, truths, negatives, names, pairs=asked, tolerance=options.tolerance
    ).values
    return {
        (pair.method, pair.observer, name): float(
            found[rows[_row(pair)], columns[pair.truth_name], k]
        )
        for pair in pairs
        for k, name in enumerate(names)
    }


def _row(pair: Comparison) -> tuple[str, str]:
    return pair.method, pair.observer if pair.method == INTEROBSERVER else ""


def _is_drawn(name: str, options: Options) -> bool:
    return METRICS[name].can_sample and options.n_samples is not None


def _score(
    pair: Comparison,
    negatives: Float64Array | None,
    options: Options,
    labels: tuple[str, str, str, str],
    exact: dict[tuple[str, str, str], float],
    calls: MetricCalls,
) -> float:
    metric = METRICS[labels[-1]]
    if (pair.method, pair.observer, metric.name) in exact:
        return exact[pair.method, pair.observer, metric.name]
    if not _is_drawn(metric.name, options):
        is_density = pair.method in {INTEROBSERVER, CENTER_BIAS, IN_SAMPLE_BIAS}
        return calls.score(
            metric, pair.saliency, pair.truth, pair.truth_name, is_density=is_density
        )
    maps: tuple[FloatArray, ...] = (pair.saliency, pair.truth)
    if metric.needs_center_bias:
        assert negatives is not None, "refused with center_bias='none'"  # noqa: S101
        maps = (*maps, negatives)
    # a stream of its own for each score: the same draws whatever else is scored, and where
    keys = [zlib.crc32(label.encode()) for label in labels]
    rng = np.random.default_rng([options.seed, *keys])
    return metric.function(*maps, n_samples=options.n_samples, rng=rng)
