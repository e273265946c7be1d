"""Rules by which the places and durations of fixations are implausible.

Fixations in reading, search and scenes last 180 to 330 ms on average (Rayner, 2009,
doi:10.1080/17470210902816461), and single ones seldom less than 50 ms or more than 2 s. Units are
a thousand apart, so that generous limits suffice to distinguish them.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gazesal.typing import Float64Array

__all__ = ["UNITS", "DurationUnit", "in_one_corner", "misfit_durations", "unit_of"]

DurationUnit = Literal["s", "ms", "us"]
UNITS: dict[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6}  # units per second
MEDIAN = (0.05, 1.5)  # seconds; the median fixation of a set lies far inside
UNIT_FACTOR = 250.0  # units are 1000 apart, and a stray sample of 1 ms is 200 times shorter
FEWEST_POINTS = 100  # fixations; fewer may lie in a corner by chance
FEWEST_IMAGES = 5
MOST = 0.55  # share of both sides; gaze of an image of twice the size ends at one half
NEARLY_ALL = 0.99


def unit_of(median: float) -> DurationUnit | None:
    """Return the unit in which a median duration of fixations is plausible, or None."""
    for unit, per_second in UNITS.items():
        if MEDIAN[0] <= median / per_second <= MEDIAN[1]:
            return unit  # type: ignore[return-value]
    return None


def misfit_durations(durations: Float64Array) -> NDArray[np.bool_]:
    """Mark durations in a reading that differ from the others as different units do.

    Only a mixture of two plausible units is marked, because durations may be weights of any kind.
    """
    marks = np.zeros(len(durations), np.bool_)
    positive = durations[durations > 0]
    if len(positive) < 3 or positive.max() <= UNIT_FACTOR * positive.min():
        return marks
    middle = float(np.median(positive))
    usual = unit_of(middle)
    if usual is None:
        return marks
    far = (durations > UNIT_FACTOR * middle) | (durations * UNIT_FACTOR < middle)
    far &= durations > 0
    other = unit_of(float(np.median(durations[far]))) if far.any() else None
    return np.asarray(far) if other not in {None, usual} else marks


def in_one_corner(sides: Float64Array, n_images: int) -> str:
    """Return the corner that holds nearly all gaze of many images, empty if it is spread.

    `sides` holds all points as shares of the sides of their images.
    """
    if len(sides) < FEWEST_POINTS or n_images < FEWEST_IMAGES:
        return ""
    for vertical, rows in (("upper", sides[:, 1] <= MOST), ("lower", sides[:, 1] >= 1 - MOST)):
        for across, columns in (("left", sides[:, 0] <= MOST), ("right", sides[:, 0] >= 1 - MOST)):
            if (rows & columns).mean() >= NEARLY_ALL:
                return f"{vertical} {across}"
    return ""
