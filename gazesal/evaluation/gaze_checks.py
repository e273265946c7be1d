"""Checks of the gaze on all images: what is certainly, or probably, not what the caller means."""

from collections.abc import Iterator

import numpy as np

from gazesal._validation import as_points, as_real_array, require_pixels
from gazesal._warnings import warn
from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.case import Case, Gaze
from gazesal.evaluation.sources import load_source
from gazesal.exceptions import InputWarning, OffImageWarning
from gazesal.maps.heatmap import SHARES_REMEDY, SMALLEST_SIDE, are_shares, off_image
from gazesal.typing import Float64Array

__all__ = [
    "as_sigma",
    "count_gaze_maps",
    "is_gaze_map",
    "report_maps",
    "report_off_image",
    "report_unblurred",
    "require_pixel_places",
]

NAMED = 3  # images that a message names


def is_gaze_map(source: object) -> bool:
    """Check whether a source of gaze is known to be a map; a function may return fixations."""
    if isinstance(source, Gaze):
        return False
    was_array = getattr(source, "was_array", False)  # of a saved evaluation
    return not callable(source) or isinstance(source, StoredMap) or was_array


def as_sigma(
    sigma: float | tuple[float, float] | None, cases: list[Case]
) -> tuple[float, float] | None:
    """Return sigma along x and y; raise if it is missing, or if nothing uses it."""
    readings = [gaze for case in cases for gaze in case.gaze.values()]
    # fixations that a function returns are checked when it is called
    own = [gaze.sigma is not None for gaze in readings if isinstance(gaze, Gaze)]
    if sigma is None:
        if not all(own):
            raise ValueError(
                "`sigma` must be given unless all fixations have their own, got None and "
                f"{own.count(False)} of {len(own)} readings without."
            )
        return None
    if any(own):
        raise ValueError(
            f"`sigma` must not be given where fixations have their own, got {sigma!r} and "
            f"{own.count(True)} readings with theirs."
        )
    require_pixels(sigma, name="sigma")
    array = as_real_array(sigma, name="sigma").astype(np.float64)
    if array.shape not in {(), (2,)} or not (np.isfinite(array).all() and array.min() > 0):
        raise ValueError(f"`sigma` must be a positive number or two (x, y), got {sigma!r}.")
    if readings and all(map(is_gaze_map, readings)):
        raise ValueError(
            f"`sigma` must be left out (--sigma) if all gaze is given as maps, which are not "
            f"blurred, got {sigma!r}. Give fixations instead if they are to be drawn with it."
        )
    along_x, along_y = np.broadcast_to(array, 2).tolist()
    return along_x, along_y


def report_maps(cases: list[Case], sigma: tuple[float, float] | None) -> None:
    """Warn if sigma is applied to some gaze only, or if a gaze map looks like fixated pixels."""
    sources = [(case, name) for case in cases for name in case.gaze]
    maps = [(case, name) for case, name in sources if is_gaze_map(case.gaze[name])]
    if not maps:
        return
    if sigma is not None:
        warn(
            f"`sigma` is used by the fixations of {len(sources) - len(maps)} readings only. The "
            f"gaze maps of the other {len(maps)} are used as they are.",
            InputWarning,
            stacklevel=3,
        )
    # of one kind in a set, as a rule: the first tells, and others need not be read beforehand
    case, observer = maps[0]
    values = _two_values(case, observer)
    if values is not None:
        warn(
            f"`gaze` of image {case.image!r}, observer {observer!r}, is a map of the two values "
            f"{values[0]:g} and {values[1]:g} and is used as it is, without a blur. If it marks "
            "fixated pixels, give these as fixations, with `sigma`.",
            InputWarning,
            stacklevel=3,
        )


def report_unblurred(n_readings: int) -> None:
    """Warn that sigma was not used by gaze maps that functions returned."""
    warn(
        f"`sigma` was not used by {n_readings} readings, of which functions returned gaze maps. "
        "These are used as they are.",
        InputWarning,
        stacklevel=4,
    )


def _two_values(case: Case, observer: str) -> tuple[float, float] | None:
    """Return the two values of a gaze map that has no others."""
    source = case.gaze[observer]
    if isinstance(source, Gaze):
        return None
    try:
        array = load_source(source, name="gaze")
    except Exception:  # noqa: BLE001 (it fails again, by name, when the image is scored)
        return None
    low, high = float(array.min()), float(array.max())
    both = np.count_nonzero(array == low) + np.count_nonzero(array == high) == array.size
    tiny = min(array.shape) < SMALLEST_SIDE
    return (low, high) if both and low < high and not tiny else None


def require_pixel_places(cases: list[Case]) -> None:
    """Raise if all fixations look like shares of their images' sides; warn if those of some do."""
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
            stacklevel=3,
        )


def report_off_image(cases: list[Case]) -> None:
    """Warn of fixations outside their image, which are left out."""
    n = off = 0
    for case, _, points in _places(cases):
        n += len(points)
        off += int(off_image(points, case.shape).sum())
    if off:
        warn(
            f"{off} of {n} fixations lie outside their image and were dropped.",
            OffImageWarning,
            stacklevel=3,
        )


def count_gaze_maps(cases: list[Case]) -> tuple[int, int]:
    """Return how many readings are gaze maps, and how many readings there are.

    Of functions the first is called, since all make the same kind as a rule.
    """
    readings = [gaze for case in cases for gaze in case.gaze.values()]
    n_maps = sum(map(is_gaze_map, readings))
    functions = [gaze for gaze in readings if callable(gaze) and not is_gaze_map(gaze)]
    if functions:
        try:
            returned = functions[0]()
        except Exception:  # noqa: BLE001 (a function that was not saved, or of an invalid image)
            return n_maps, len(readings)
        if not isinstance(returned, Gaze):
            n_maps += len(functions)
    return n_maps, len(readings)


def _places(cases: list[Case]) -> Iterator[tuple[Case, str, Float64Array]]:
    """Yield the fixations of each reading that are at hand: image, observer, points."""
    for case in cases:
        for observer, gaze in case.gaze.items():
            if isinstance(gaze, Gaze):
                try:
                    points = as_points(gaze.points, name="points")
                except (ValueError, TypeError):
                    continue  # reported with the image when they are drawn
                yield case, observer, points
