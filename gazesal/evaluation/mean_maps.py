"""The mean map of a method over other images: what the method shows on every image."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gazesal.evaluation.case import (
    CENTER_BIAS,
    INVERSE_BIAS,
    INVERSE_SEGMENTATION,
    MEAN_MAP,
    SEGMENTATION,
    Case,
)
from gazesal.evaluation.metric_calls import takes_distribution
from gazesal.evaluation.options import EvaluationOptions, Frame
from gazesal.evaluation.other_gaze import FramedSum, OtherGaze, in_frame
from gazesal.evaluation.score_pairs import ScoredPair
from gazesal.evaluation.score_rows import Score
from gazesal.maps.constancy import is_flat
from gazesal.metrics.correlation import z_scores
from gazesal.metrics.densities import to_density
from gazesal.typing import FloatArray

__all__ = ["ODD", "inverse_rows", "mean_map_pairs", "sums_of_maps"]

INVERSE = {CENTER_BIAS: INVERSE_BIAS, SEGMENTATION: INVERSE_SEGMENTATION}
ODD = "sncc"  # the score of an inverted map is minus the score of the map


def _forms(saliency: FloatArray, options: EvaluationOptions) -> Iterator[tuple[str, FloatArray]]:
    """Yield a map in the forms that are averaged: z-scores, and a density if a metric needs one."""
    if is_flat(saliency):
        return
    yield "z", z_scores(saliency).reshape(saliency.shape)
    if any(takes_distribution(metric) for metric in options.of_gaze):
        yield "density", to_density(saliency, options.density or "sum")


def sums_of_maps(
    case: Case,
    saliencies: Mapping[str, FloatArray],
    frame: Frame,
    options: EvaluationOptions,
) -> dict[tuple[str, str], FramedSum]:
    """Return the maps of an image on the frame, by method and form. A constant map is left out."""
    return {
        (method, form): in_frame(values, case, frame, density=form == "density")
        for method, saliency in saliencies.items()
        for form, values in _forms(saliency, options)
    }


def mean_map_pairs(
    case: Case,
    pairs: Sequence[ScoredPair],
    means: OtherGaze,
    left_out: Sequence[tuple[Case, Mapping[str, FloatArray]]],
    options: EvaluationOptions,
) -> list[ScoredPair]:
    """Return pairs of the mean map of each method over other images and the ground truths.

    The maps of the images of `left_out` are not in the mean.
    """
    own = {pair.method: pair.saliency for pair in pairs if pair.method in case.maps}
    sums = dict(means.maps)
    for one, saliencies in ((case, own), *left_out):
        for key, part in sums_of_maps(one, saliencies, means.frame, options).items():
            sums[key] = sums[key].plus(part, -1.0)
    found = []
    for method in own:
        of_method = {
            form: one.on_image(case, means.frame, density=form == "density")
            for (name, form), one in sums.items()
            if name == method
        }
        shown = of_method.get("z")
        if shown is None:
            shown = np.zeros(case.shape)  # a constant map, so that scores of ranks are at chance
        for pair in pairs:
            if pair.method == method:
                name = MEAN_MAP.format(method)
                density = of_method.get("density")
                found.append(pair._replace(method=name, saliency=shown, density=density))
    return found


def inverse_rows(rows: Sequence[Score], biased: str) -> list[Score]:
    """Return the scores of the inverse of the floor by sNCC, which need no further computation.

    `biased` is the row of the center bias. The inverse of a map has minus its sNCC.
    """
    names = INVERSE | {biased: INVERSE[CENTER_BIAS]}
    return [
        row._replace(method=names[row.method], score=0.0 - row.score)
        for row in rows
        if row.metric == ODD
        and row.method in names
        and (row.method != CENTER_BIAS or row.method == biased)
    ]
