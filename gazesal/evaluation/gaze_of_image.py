"""Gaze of one image: its gaze maps, its contribution to the center bias, and its center bias."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from gazesal._validation import as_points
from gazesal._warnings import muted
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, Case
from gazesal.evaluation.gaze_sources import Gaze, is_gaze_map
from gazesal.evaluation.options import EvaluationOptions
from gazesal.exceptions import InputWarning, OffImageWarning
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.center_bias_model import CenterBiasModel, ImageGaze, LeaveOutCenterBias
from gazesal.maps.gaussian_bias import GaussianCenterBias
from gazesal.maps.heatmap import gaze_heatmap, inside_area, off_image
from gazesal.maps.kde_bias import KdeCenterBias
from gazesal.maps.reference_frame import ReferenceFrame
from gazesal.maps.registered_bias import RegisteredCenterBias
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array

__all__ = ["OWN_MODELS", "AnyCenterBias", "biases_on_image", "center_bias_of", "gaze_maps"]

AnyCenterBias: TypeAlias = CenterBias | RegisteredCenterBias
OWN_MODELS = (CenterBias, RegisteredCenterBias, GaussianCenterBias, KdeCenterBias)


def gaze_maps(
    case: Case,
    options: EvaluationOptions,
    unblurred: list[str] | None = None,
    dropped: list[int] | None = None,
) -> list[Float64Array]:
    """Return the gaze map of each observer, each summing to 1.

    The only gaze map is the one of all observers together if the image has one. Observers whose
    function returned a map, and not fixations, are appended to `unblurred`, and numbers of
    fixations outside the image's area to `dropped`. Maps are 0 outside the area.
    """
    case = case.with_loaded_area()
    if case.gaze_map is not None:
        return [case.load_gaze_map(options.resize, options.two_valued)]
    return [_gaze_map(case, observer, options, unblurred, dropped) for observer in case.gaze]


def _gaze_map(
    case: Case,
    observer: str,
    options: EvaluationOptions,
    unblurred: list[str] | None,
    dropped: list[int] | None,
) -> Float64Array:
    gaze = case.load_gaze(observer, options.resize, options.two_valued)
    if not isinstance(gaze, Gaze):
        if unblurred is not None and not is_gaze_map(case.gaze[observer]):
            unblurred.append(observer)
        return gaze
    if gaze.sigma is not None and options.sigma is not None:
        raise ValueError(
            f"image {case.image}, observer {observer}: `sigma` must not be given if fixations have "
            "their own."
        )
    sigma = options.sigma if gaze.sigma is None else gaze.sigma
    if sigma is None:
        raise ValueError(
            f"image {case.image}, observer {observer}: `sigma` must be given, got None."
        )
    area = case.load_area()
    if area is not None and dropped is not None:
        points = as_points(gaze.points, name=f"points of image {case.image}, observer {observer}")
        outside = ~inside_area(points, area) & ~off_image(points, case.shape)
        dropped.append(int(outside.sum()))
    try:
        with muted(OffImageWarning, InputWarning):  # `evaluate` has warned once about all images
            return gaze_heatmap(
                gaze.points,
                case.shape,
                sigma=sigma,
                weights=gaze.durations,
                visible=gaze.visible,
                outside=options.outside,
                area=area,
            )
    except ValueError as error:
        raise ValueError(f"image {case.image}, observer {observer}: {error}") from error


def center_bias_of(cases: list[Case], options: EvaluationOptions) -> AnyCenterBias:
    """Return the center bias of some images, in the common frame."""
    framed = (
        framed_map
        for case in cases
        for framed_map in _framed(case, gaze_maps(case, options), options)
    )
    if isinstance(options.frame, ReferenceFrame):
        return RegisteredCenterBias(options.frame, framed)
    return CenterBias(framed)


def _framed(case: Case, own_maps: list[Float64Array], options: EvaluationOptions) -> Iterator[Any]:
    """Yield gaze maps as the center bias takes them: with their box, or in the common size."""
    if isinstance(options.frame, ReferenceFrame):
        return ((gaze_map, case.box) for gaze_map in own_maps)
    frame = options.frame
    assert frame is not None, "called only if a center bias of all images is used"  # noqa: S101 (for mypy)
    if case.shape != frame and options.resize is None:  # found by `misfits`, so not averaged
        raise ValueError(f"image {case.image} must have the size of the others without `resize`.")
    return (
        gaze_map if gaze_map.shape == frame else resample(gaze_map, frame) for gaze_map in own_maps
    )


def biases_on_image(
    case: Case,
    own_maps: list[Float64Array],
    bias: CenterBiasModel | None,
    options: EvaluationOptions,
    together: Sequence[Case] = (),
) -> dict[str, Float64Array]:
    """Return the center bias on the pixels of an image, by row of the table of scores.

    The row ``"center_bias"`` leaves out the gaze on the image and on the images of `together`, or
    is a center bias used as given. An image's own center bias replaces it. The row
    ``"center_bias_in_sample"`` leaves out nothing.
    """
    biases: dict[str, Float64Array] = {}
    rows = options.center_bias_rows
    if rows is None:
        return biases
    if case.center_bias is not None:
        biases[CENTER_BIAS] = case.load_center_bias(options.resize)
    elif rows == "given":
        biases[CENTER_BIAS] = _on_image(bias, case, options)
    elif rows != "in_sample":
        images = [ImageGaze(case.image, own_maps, case.box)]
        images += [ImageGaze(o.image, _maps_when_read(o, options), o.box) for o in together]
        others: CenterBiasModel | None = None
        if bias is not None:  # `_on_image` raises for an evaluation saved without it
            assert isinstance(bias, LeaveOutCenterBias), "checked in `evaluate`"  # noqa: S101 (for mypy)
            others = bias.without_images(images)
        biases[CENTER_BIAS] = _on_image(others, case, options)
    if rows in {"in_sample", "both"}:
        biases[IN_SAMPLE_BIAS] = _on_image(bias, case, options)
    return biases


def _maps_when_read(case: Case, options: EvaluationOptions) -> Iterator[Float64Array]:
    """Yield the gaze maps of an image, which are drawn only if the center bias reads them."""
    yield from gaze_maps(case, options)


def _on_image(bias: CenterBiasModel | None, case: Case, options: EvaluationOptions) -> Float64Array:
    """Return a center bias on the pixels of an image, summing to 1."""
    if bias is None:
        raise ValueError(
            f"`center_bias` of image {case.image} must be available, got an evaluation saved "
            f"without it: {options.center_bias}."
        )
    if isinstance(bias, RegisteredCenterBias) and case.box is None:
        raise ValueError(f"image {case.image} must have a box to be registered by, got none.")
    if isinstance(bias, CenterBias) and bias.shape != case.shape and options.resize is None:
        raise ValueError(
            f"image {case.image} must have the size of the center bias, {bias.shape[1]} x "
            f"{bias.shape[0]} pixels, got {case.shape[1]} x {case.shape[0]}. Give "
            'resize="bilinear" (--resize bilinear) to resize the center bias.'
        )
    found = bias.on_image(case.shape, case.box)
    if isinstance(bias, OWN_MODELS):
        return found
    return replace(case, center_bias=np.asarray(found)).load_center_bias()  # checks and normalizes
