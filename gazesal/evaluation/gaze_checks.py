"""Checks of the gaze on all images, which raise or warn of input that is probably a mistake."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from gazesal._validation import as_points
from gazesal._warnings import warn
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import Gaze, kind_of, read_source
from gazesal.exceptions import InputWarning, OffImageWarning
from gazesal.maps.heatmap import SHARES_REMEDY, are_shares, off_image
from gazesal.maps.plausible_gaze import in_one_corner, misfit_durations
from gazesal.typing import Float64Array

__all__ = [
    "count_kinds",
    "functions_return_maps",
    "report_dropped",
    "report_implausible",
    "report_off_image",
    "report_unblurred",
    "report_unused_sigma",
    "require_pixel_places",
]

NAMED = 3  # images that a message names


def report_unused_sigma(cases: list[Case], sigma: tuple[float, float] | None) -> None:
    """Warn if sigma is applied to some of the gaze only."""
    counts = count_kinds(cases)
    maps = counts["gaze_map"] + counts["common_map"]
    if sigma is None or not maps:
        return
    blurred = counts["fixations"] + counts["fixation_map"] + counts["function"]
    warn(
        f"`sigma` is used only by the fixations of {blurred} readings. The gaze maps of the other "
        f"{maps} are used as they are.",
        InputWarning,
    )


def count_kinds(cases: list[Case]) -> Counter[str]:
    """Return the number of gaze maps of the cases by the kind of gaze that they are made of.

    A kind is one of `GazeKind`, or ``"common_map"`` for a gaze map of all observers together.
    """
    counts: Counter[str] = Counter(
        kind_of(gaze) for case in cases if case.gaze_map is None for gaze in case.gaze.values()
    )
    counts["common_map"] = sum(case.gaze_map is not None for case in cases)
    return counts


def report_dropped(n_fixations: int) -> None:
    """Warn that fixations were dropped because they lie outside the area of their image."""
    warn(
        f"{n_fixations} fixations lie outside the `area` of their image and were dropped.",
        OffImageWarning,
    )


def report_unblurred(n_readings: int) -> None:
    """Warn that sigma was not used by gaze maps that functions returned."""
    warn(
        f"`sigma` was not used by {n_readings} readings, because functions returned gaze maps for "
        "them. These are used as they are.",
        InputWarning,
    )


def require_pixel_places(cases: list[Case]) -> None:
    """Raise if all fixations look like shares of the sides, and warn if some readings do."""
    found = list(_places(cases))
    if not found:
        return
    everything = np.concatenate([points for _, _, points in found])
    smallest = min(min(case.shape) for case, _, _ in found)
    if are_shares(everything, (smallest, smallest)):
        raise ValueError(
            f"`cases` must have fixations in pixels, but all {len(everything)} of {len(found)} "
            "readings lie within about one pixel of the corner, as shares of the sides from 0 to 1 "
            f"do. {SHARES_REMEDY}"
        )
    shares = [
        f"{case.image!r} by {observer!r}"
        for case, observer, points in found
        if are_shares(points, case.shape)
    ]
    if shares:
        more = f" and {len(shares) - NAMED} more" if len(shares) > NAMED else ""
        warn(
            f"`cases` must have fixations in pixels, but on {', '.join(shares[:NAMED])}{more} all "
            "lie within about one pixel of the corner, so they may be shares of the sides. "
            f"{SHARES_REMEDY}",
            InputWarning,
        )


def report_implausible(cases: list[Case]) -> None:
    """Warn if all gaze lies in one corner of the images, or if units of durations look mixed."""
    found = list(_places(cases))
    if not found:
        return
    sides = [(points + 0.5) / case.shape[::-1] for case, _, points in found]
    images = len({case.image for case, _, _ in found})
    corner = in_one_corner(np.concatenate(sides), images)
    if corner:
        warn(
            f"`cases` must have fixations in pixels of the images, but nearly all fixations on "
            f"{images} images lie in the {corner} quarter. Check the size of the images and the "
            "unit and origin of the coordinates, for instance with `audit` (gazesal audit).",
            InputWarning,
        )
    mixed = [
        f"{case.image!r} by {observer!r}"
        for case, observer, _ in found
        if misfit_durations(_durations(case.gaze[observer])).any()
    ]
    if mixed:
        more = f" and {len(mixed) - NAMED} more" if len(mixed) > NAMED else ""
        warn(
            "`durations` must have one unit, but in the readings of "
            f"{', '.join(mixed[:NAMED])}{more} some seem to have another unit than the "
            "others, such as seconds among milliseconds. Convert them.",
            InputWarning,
        )


def _durations(gaze: Any) -> Float64Array:
    """Return the durations of a reading, or no durations if they are not numbers."""
    try:
        return np.asarray(gaze.durations, np.float64).ravel()
    except (ValueError, TypeError):
        return np.empty(0)  # reported when the gaze map of the image is computed


def report_off_image(cases: list[Case]) -> None:
    """Warn that fixations outside their image were dropped."""
    n = off = 0
    for case, _, points in _places(cases):
        n += len(points)
        off += int(off_image(points, case.shape).sum())
    if off:
        warn(
            f"{off} of {n} fixations lie outside their image and were dropped.",
            OffImageWarning,
        )


def functions_return_maps(cases: list[Case]) -> bool:
    """Return whether functions return gaze maps, and not fixations.

    Only the first is called, because all of them usually return the same kind.
    """
    for case in cases:
        for gaze in case.gaze.values():
            if kind_of(gaze) == "function" and case.gaze_map is None:
                try:
                    return not isinstance(read_source(gaze), Gaze)
                except Exception:  # noqa: BLE001 (it was not saved, or its image is invalid)
                    return False
    return False


def _places(cases: list[Case]) -> Iterator[tuple[Case, str, Float64Array]]:
    """Yield image, observer and points of each reading that is not a map, file or function."""
    for case in cases:
        for observer, gaze in case.gaze.items():
            if isinstance(gaze, Gaze):
                try:
                    points = as_points(gaze.points, name="points")
                except (ValueError, TypeError):
                    continue  # reported when the gaze map of the image is computed
                yield case, observer, points
