"""Checks of the gaze on all images, which raise or warn of input that is probably a mistake."""

from collections.abc import Iterator

import numpy as np

from gazesal._validation import as_points
from gazesal._warnings import warn
from gazesal.evaluation.case import Case, Gaze, is_gaze_map, load_source
from gazesal.exceptions import InputWarning, OffImageWarning
from gazesal.maps.heatmap import SHARES_REMEDY, SMALLEST_SIDE, are_shares, off_image
from gazesal.typing import Float64Array

__all__ = [
    "count_gaze_maps",
    "report_maps",
    "report_off_image",
    "report_unblurred",
    "require_pixel_places",
]

NAMED = 3  # images that a message names


def report_maps(cases: list[Case], sigma: tuple[float, float] | None) -> None:
    """Warn if sigma is applied to some gaze only, or if a gaze map looks like fixated pixels."""
    sources = [(case, name) for case in cases for name in case.gaze]
    maps = [(case, name) for case, name in sources if is_gaze_map(case.gaze[name])]
    if not maps:
        return
    if sigma is not None:
        warn(
            f"`sigma` is used only by the fixations of {len(sources) - len(maps)} readings. The "
            f"gaze maps of the other {len(maps)} are used as they are.",
            InputWarning,
        )
    # Gaze maps of one set are usually of one kind, so only the first is read beforehand.
    case, observer = maps[0]
    values = _two_values(case, observer)
    if values is not None:
        warn(
            f"`gaze` of image {case.image!r}, observer {observer!r}, is a map of the two values "
            f"{values[0]:g} and {values[1]:g} and is used without a blur. If it marks fixated "
            "pixels, give them as fixations, with `sigma`.",
            InputWarning,
        )


def report_unblurred(n_readings: int) -> None:
    """Warn that sigma was not used by gaze maps that functions returned."""
    warn(
        f"`sigma` was not used by {n_readings} readings, because functions returned gaze maps for "
        "them. These are used as they are.",
        InputWarning,
    )


def _two_values(case: Case, observer: str) -> tuple[float, float] | None:
    """Return the two values of a gaze map that has exactly two, else None."""
    source = case.gaze[observer]
    if isinstance(source, Gaze):
        return None
    try:
        array = load_source(source, name="gaze")
    except Exception:  # noqa: BLE001 (scoring the image raises it again and names the map)
        return None
    low, high = float(array.min()), float(array.max())
    both = np.count_nonzero(array == low) + np.count_nonzero(array == high) == array.size
    tiny = min(array.shape) < SMALLEST_SIDE
    return (low, high) if both and low < high and not tiny else None


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


def count_gaze_maps(cases: list[Case]) -> tuple[int, int]:
    """Return the number of gaze maps and the number of readings.

    Only the first function is called, because all of them usually return the same kind.
    """
    readings = [gaze for case in cases for gaze in case.gaze.values()]
    n_maps = sum(map(is_gaze_map, readings))
    functions = [gaze for gaze in readings if callable(gaze) and not is_gaze_map(gaze)]
    if functions:
        try:
            returned = functions[0]()
        except Exception:  # noqa: BLE001 (it was not saved, or its image is invalid)
            return n_maps, len(readings)
        if not isinstance(returned, Gaze):
            n_maps += len(functions)
    return n_maps, len(readings)


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
