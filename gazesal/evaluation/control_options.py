"""The option `controls` of `evaluate`, and the checks that the images allow it."""

from collections.abc import Sequence

from gazesal.evaluation.case import MEAN_MAP, OTHER_GAZE, Case
from gazesal.evaluation.mean_maps import ODD
from gazesal.evaluation.options import EvaluationOptions, Frame, common_size
from gazesal.evaluation.other_gaze import LINEAR, frame_without_rounding
from gazesal.maps.reference_frame import ReferenceFrame

__all__ = ["control_frame", "require_controls"]


def require_controls(cases: Sequence[Case], options: EvaluationOptions) -> None:
    """Raise if a control cannot be computed from the images, or has no use."""
    scored = [case for case in cases if case.scored]
    if options.control_images is not None and not _samples(options):
        raise ValueError(
            "`control_images` (--control-images) is used only by the control 'other_gaze' with "
            f"metrics that are not linear in the gaze, got {options.control_images}. Remove it."
        )
    if not options.controls:
        return
    if len(scored) < 2:
        raise ValueError(
            f"`controls` must be empty for fewer than two scored images, got {options.controls}."
        )
    if not options.of_gaze:
        raise ValueError(
            "`controls` (--controls) must be empty without a metric of gaze in `metrics`, got "
            f"{', '.join(options.metrics)}. Remove it."
        )
    if "inverse" in options.controls and ODD not in options.metrics:
        raise ValueError(
            f"`controls` (--controls) must not hold 'inverse' without {ODD!r} in `metrics`, got "
            f"{', '.join(options.metrics)}. Remove it, or add {ODD!r}."
        )
    for case in scored:
        if OTHER_GAZE in case.gaze:
            raise ValueError(
                f"`gaze` of image {case.image!r} must not name an observer {OTHER_GAZE!r} with "
                "`controls`. Rename the observer."
            )
        taken = [method for method in case.maps if MEAN_MAP.format(method) in case.maps]
        if taken and "mean_map" in options.controls:
            raise ValueError(
                f"`maps` must not name a method {MEAN_MAP.format(taken[0])!r} with the control "
                f"'mean_map', which is the name of the mean map of {taken[0]!r}. Rename it."
            )


def control_frame(cases: Sequence[Case], options: EvaluationOptions) -> Frame:
    """Return the frame in which the gaze and the maps of other images are averaged."""
    if options.frame is not None:
        return frame_without_rounding(options.frame)
    boxes = [case.box for case in cases if case.box is not None]
    if boxes:
        return ReferenceFrame.from_boxes(boxes, [case.shape for case in cases])
    sizes = sorted({case.shape for case in cases})
    if len(sizes) > 1 and options.resize is None:
        (height, width), (rows, columns) = sizes[:2]
        raise ValueError(
            f"`controls` need images of one size, got {width} x {height} and {columns} x {rows}. "
            'Give resize="bilinear" (--resize bilinear) to resize the gaze on other images.'
        )
    return common_size(cases)


def _samples(options: EvaluationOptions) -> bool:
    """Return whether some metric is scored on a sample of other images."""
    names = {metric.name for metric in options.of_gaze}
    return "other_gaze" in options.controls and not names <= set(LINEAR)
