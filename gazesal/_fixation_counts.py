"""Count the fixations of pixels in a map of fixated pixels."""

import numpy as np

from gazesal.typing import FloatArray, IntArray

__all__ = ["LARGEST_COUNT", "fixation_counts"]

EQUAL_COUNT = 9  # fixations of every fixated pixel alike; larger equal values are marks
LARGEST_COUNT = 127  # fixations of one pixel; larger values are the white or gray of a picture


def fixation_counts(values: FloatArray) -> IntArray | None:
    """Return how often each positive value counts, or None if the values are no counts."""
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=0.0))
    if low == high and (high == 1 or high > EQUAL_COUNT or high != int(high)):
        return np.ones(len(values), np.int64)
    if high > LARGEST_COUNT or not np.array_equal(values, np.floor(values)):
        return None
    return values.astype(np.int64)
