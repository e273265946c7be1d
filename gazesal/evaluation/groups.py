"""Groups of images, such as all images of a patient, that leave the center bias together."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

import numpy as np

from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_of_image import center_bias_of, gaze_maps
from gazesal.evaluation.options import EvaluationOptions

__all__ = ["left_out_together", "left_out_with", "require_groups"]


def left_out_together(
    cases: Sequence[Case], options: EvaluationOptions, *, with_maps: bool = False
) -> dict[str, list[Case]]:
    """Return the other images of each image's group, by default without their maps, by image.

    The mapping is empty unless `leave_out` names a group.
    """
    if options.leave_out is None:
        return {}
    groups: dict[Hashable, list[Case]] = defaultdict(list)
    for case in cases:
        # These are sent to workers, which need only the gaze.
        gaze_only = replace(case, maps={}, center_bias=None, picture=None)
        kept = replace(case, picture=None) if with_maps else gaze_only
        groups[case.groups[options.leave_out]].append(kept)
    return {
        case.image: [other for other in group if other.image != case.image]
        for group in groups.values()
        for case in group
    }


def left_out_with(
    case: Case, cases: Sequence[Case], options: EvaluationOptions, bad_images: Collection[str]
) -> list[Case]:
    """Return the images of a finished evaluation that leave its center bias with this one."""
    others = left_out_together(cases, options).get(case.image, [])
    # An image that could not be scored is in the center bias if its gaze is valid.
    return [other for other in others if other.image not in bad_images or _has_gaze(other, options)]


def _has_gaze(case: Case, options: EvaluationOptions) -> bool:
    """Return whether an image contributed to the center bias."""
    try:
        if options.frame is None:
            gaze_maps(case, options)
        else:
            center_bias_of([case], options)
    except Exception:  # noqa: BLE001 (the same error left it out of the center bias)
        return False
    return True


def require_groups(cases: Sequence[Case], options: EvaluationOptions) -> None:
    """Raise unless `leave_out` names a group of all images, and changes a score."""
    column = options.leave_out
    if column is None:
        return
    for case in cases:
        if column not in case.groups:
            known = ", ".join(map(repr, case.groups)) or "none"
            raise ValueError(
                f"`leave_out` (--leave-out) must name a group that every image has, got "
                f"{column!r} and image {case.image!r} with {known}."
            )
        value = case.groups[column]
        if not isinstance(value, (str, int, float, np.number)) or value != value:  # noqa: PLR0124 (NaN)
            raise ValueError(
                f"`leave_out` must name a group of text or numbers, got {column!r} and image "
                f"{case.image!r} with {value!r}."
            )
    if len({case.groups[column] for case in cases}) < 2:
        raise ValueError(
            f"`leave_out` must name a group of at least two values, got {column!r} with one, which "
            "would leave no image for the center bias."
        )
    if not (options.leaves_out or options.takes_others or options.controls):
        raise ValueError(
            "`leave_out` must be None if no center bias leaves out images and no metric or control "
            f"uses the gaze on other images, got {column!r}. Remove it."
        )
