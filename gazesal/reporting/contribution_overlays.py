"""Draw the contributions of pixels to the score of one image of an evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gazesal._warnings import muted
from gazesal.evaluation.case import Case
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.groups import left_out_with
from gazesal.evaluation.metric_calls import takes_distribution
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.resampling import resample
from gazesal.metrics.contributions import ON_BASELINE, contributions, has_contributions
from gazesal.metrics.densities import to_density
from gazesal.metrics.names import metric_named
from gazesal.reporting.contributions import draw_contributions
from gazesal.reporting.overlays import figure_jpeg, map_of, reduced
from gazesal.typing import Float64Array, FloatArray

__all__ = [
    "bias_for",
    "contributions_jpeg",
    "contributions_of",
    "draws_contributions",
    "require_drawable",
]


def draws_contributions(metric: str) -> bool:
    """Return whether the contributions to a metric can be drawn.

    Information gain is left out, because an evaluation does not keep its fitted baseline.
    """
    return has_contributions(metric) and metric not in ON_BASELINE


def require_drawable(metric: str) -> None:
    """Raise if the contributions to a metric cannot be drawn."""
    if not draws_contributions(metric):
        raise ValueError(
            f"`metric` must have contributions per pixel to show them, got {metric!r}. Choose "
            "another metric, or show='map'."
        )


def contributions_of(
    evaluation: Evaluation,
    case: Case,
    method: str,
    metric: str,
    gaze: FloatArray,
    bias: FloatArray | None,
) -> Float64Array | None:
    """Return the contributions to the score of a map against a gaze map, or None if undefined.

    The maps are reduced to the drawing size, so that the sum is approximately the score. The center
    bias comes from `bias_for`.
    """
    if case.area is not None:
        raise ValueError(
            f"image {case.image} must have no `area` for contributions of pixels, which count all "
            "pixels. Show the map instead."
        )
    facts = metric_named(metric)
    saliency = map_of(evaluation, case, method)
    if saliency.shape != gaze.shape:
        saliency = resample(saliency, (gaze.shape[0], gaze.shape[1]))
    if takes_distribution(facts) and method in case.maps:
        saliency = to_density(saliency, evaluation.options.density or "sum")
    elif takes_distribution(facts):
        saliency = saliency / np.float64(saliency.sum())
    with muted(UndefinedMetricWarning):  # the table of scores counts undefined scores
        parts = contributions(metric, saliency, gaze, bias)
    return parts if np.isfinite(parts).all() else None


def bias_for(evaluation: Evaluation, case: Case, metric: str) -> FloatArray | None:
    """Return the center bias of an image for drawn contributions, if the metric takes it."""
    if not (draws_contributions(metric) and metric_named(metric).needs_center_bias):
        return None
    options = evaluation.options
    bad = set(evaluation.bad_images["image"])
    together = left_out_with(case, evaluation.cases, options, bad)
    biases = biases_on_image(
        case, gaze_maps(case, options), evaluation.center_bias, options, together
    )
    return reduced(biases[options.negatives])


def contributions_jpeg(
    parts: Float64Array, picture: np.ndarray[Any, Any] | None, shape: tuple[int, int]
) -> tuple[bytes, tuple[int, int]]:
    """Return contributions over a picture as JPEG, and the (H, W) of the JPEG."""
    return figure_jpeg(lambda ax: draw_contributions(ax, parts, picture, shape), shape)
