"""The work on one image: gaze maps, its own centre bias, every score."""

import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gazesal.evaluation.cases import CENTER_BIAS, INTEROBSERVER, Case
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.heatmap import Outside, gaze_heatmap
from gazesal.maps.observers import one_vs_rest
from gazesal.maps.resampling import require_range, resample
from gazesal.metrics.registry import METRICS
from gazesal.typing import Float64Array, FloatArray

Score = tuple[str, str, str, str, float]  # image, observer, method, metric, score


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What all images are scored with; see `evaluate`."""

    sigma: tuple[float, float]
    metrics: tuple[str, ...]
    frame: tuple[int, int]
    resize: Literal["bilinear"] | None
    outside: Outside
    n_samples: int | None
    seed: int


def gaze_maps(case: Case, options: Options) -> list[Float64Array]:
    """Gaze map of each observer, each summing to 1."""
    outside: Outside = "keep" if options.outside == "keep" else "raise"
    maps = []
    for observer, gaze in case.gaze.items():
        try:
            gaze_map = gaze_heatmap(
                gaze.points,
                case.shape,
                sigma=options.sigma,
                weights=gaze.durations,
                outside=outside,
            )
        except ValueError as error:
            raise ValueError(f"image {case.image}, observer {observer}: {error}") from error
        maps.append(gaze_map)
    return maps


def center_bias_of(cases: list[Case], options: Options) -> CenterBias:
    """The centre bias of some images, in the common frame."""
    return CenterBias(
        resample(gaze_map, options.frame) for case in cases for gaze_map in gaze_maps(case, options)
    )


def find_fault(case: Case, options: Options) -> str | None:
    """Read every map of an image; say what is wrong with the first bad one, or nothing."""
    for method, source in case.maps.items():
        try:
            values = case.load_map(method)
            if values.shape != case.shape:
                require_range(values, name=f"{method} map of image {case.image}")
        except (ValueError, TypeError, OSError, ImportError) as error:
            return str(error)
        if values.shape != case.shape and options.resize is None:
            height, width = values.shape
            return (
                f"{source if isinstance(source, Path) else method}: the map of image {case.image} "
                f"is {width} x {height} pixels, but the image is {case.shape[1]} x "
                f'{case.shape[0]}; resize="bilinear" (--resize bilinear) brings the map onto the '
                "image's pixels."
            )
    return None


def maps_under_test(
    case: Case, own_maps: list[Float64Array], bias: Float64Array
) -> Iterator[tuple[str, Sequence[FloatArray]]]:
    """Each row of the results table: its name, and the map that each observer left out meets."""
    n = len(own_maps)
    yield INTEROBSERVER, own_maps
    yield CENTER_BIAS, [bias] * n
    for method in case.maps:
        yield method, [resample(case.load_map(method), case.shape)] * n


def left_out_bias(
    case: Case, own_maps: list[Float64Array], bias: CenterBias, options: Options
) -> Float64Array:
    """The centre bias without this image, on its pixels."""
    framed = (resample(gaze_map, options.frame) for gaze_map in own_maps)
    density = resample(bias.without(framed).density(), case.shape)
    return np.asarray(density / density.sum())


def score_image(case: Case, bias: CenterBias, options: Options) -> list[Score]:
    """Every score of one image: rows of the table, observers left out, metrics."""
    own_maps = gaze_maps(case, options)
    own_bias = left_out_bias(case, own_maps, bias, options)
    splits = one_vs_rest(own_maps)
    scores: list[Score] = []
    with warnings.catch_warnings():
        # undefined scores stay in the table as nan and are counted in the summary
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        for method, tested in maps_under_test(case, own_maps, own_bias):
            for observer, saliency, (_, rest) in zip(case.gaze, tested, splits, strict=True):
                for name in options.metrics:
                    labels = (case.image, observer, method, name)
                    score = _score(saliency, rest, own_bias, options, labels)
                    scores.append((*labels, score))
    return scores


def _score(
    saliency: FloatArray,
    rest: Float64Array,
    bias: Float64Array,
    options: Options,
    labels: tuple[str, str, str, str],
) -> float:
    metric = METRICS[labels[-1]]
    maps = (saliency, rest, bias) if metric.needs_center_bias else (saliency, rest)
    if metric.can_sample and options.n_samples is not None:
        # a stream of its own for each score: the same draws whatever else is scored, and where
        keys = [zlib.crc32(label.encode()) for label in labels]
        rng = np.random.default_rng([options.seed, *keys])
        return metric.function(*maps, n_samples=options.n_samples, rng=rng)
    return metric.function(*maps)
