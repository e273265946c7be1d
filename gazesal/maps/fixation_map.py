"""Fixations from a map of fixated pixels, as benchmarks publish them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._fixation_counts import LARGEST_COUNT, fixation_counts
from gazesal._validation import as_map, as_number, as_shape, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import InputWarning
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["fixations_from_map"]

MOST_FIXATIONS = 10_000_000  # of one map, 160 MB of points
FEWEST_PIXELS = 64  # a smaller map may have fixations on most of its pixels


def fixations_from_map(fixation_map: ArrayLike, *, threshold: float | None = None) -> Float64Array:
    """Convert a map of fixated pixels to fixations, each pixel as often as its count.

    Parameters
    ----------
    fixation_map : array_like of bool, int or float, shape (H, W)
        Map of fixated pixels, also a sparse matrix of scipy. The values are

        - booleans, or 0 and one other value that is 1, above 9 or not whole, such as 255. They
          mark the fixated pixels, each of which counts once.
        - the number of fixations of each pixel, at most 127.
    threshold : float, optional
        Pixels with a larger value are fixated and count once. Required for pictures with gray
        levels. A lossy file, such as the ``_fixPts.jpg`` of MIT1003, has small values around each
        white pixel, and ``threshold=127`` separates them.

    Returns
    -------
    numpy.ndarray of float64, shape (N, 2)
        Columns x and y in pixels of the map, pixel centers at integers, in the order of the rows of
        the map. N is 0 for a map of zeros.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN, infinity or negative values. If it has
        several positive values that are no counts, as a continuous map or a picture with gray
        levels has, or more than ten million fixations. If `threshold` is negative or not finite.
    TypeError
        If the map does not hold real numbers, or `threshold` is not a number.

    Warns
    -----
    InputWarning
        If more than half of the pixels are fixated, as in a continuous map or an inverted picture.
        If no value exceeds `threshold`, but some are positive.

    See Also
    --------
    read_map : Read the map from a file.
    FixationMap : Give the map to a `Case`.
    gaze_heatmap : Draw a gaze map from the fixations.

    Notes
    -----
    A map has no durations, and its fixations lie at pixel centers. If the original fixations do so
    too, metrics of points and `gaze_heatmap` return the same number for both, to the bit.

    Examples
    --------
    >>> import gazesal
    >>> gazesal.fixations_from_map([[0, 0, 2], [1, 0, 0]]).tolist()
    [[2.0, 0.0], [2.0, 0.0], [0.0, 1.0]]
    >>> gazesal.fixations_from_map([[0, 0, 255], [255, 0, 0]]).tolist()
    [[2.0, 0.0], [0.0, 1.0]]
    """
    values = as_map(_dense(fixation_map), name="fixation_map")
    require_finite(values, name="fixation_map")
    lowest = float(values.min())
    if lowest < 0:
        raise ValueError(f"`fixation_map` must be non-negative, got {lowest:g}.")
    rows, columns = np.nonzero(values)
    fixated = values[rows, columns]
    times = _times(fixated) if threshold is None else _above(fixated, threshold)
    total = int(times.sum())
    if total > MOST_FIXATIONS:
        raise ValueError(
            f"`fixation_map` must have at most {MOST_FIXATIONS} fixations, got {total}. Reduce the "
            "counts."
        )
    n_fixated = int(np.count_nonzero(times))
    if n_fixated > values.size / 2 and values.size >= FEWEST_PIXELS:
        warn(
            f"`fixation_map` marks {n_fixated} of {values.size} pixels as fixated. It may be a "
            "continuous map, which is given as a gaze map, or an inverted picture.",
            InputWarning,
        )
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    return np.repeat(points, times, axis=0)


def _dense(value: Any) -> Any:
    """Return a sparse matrix as an array, after a check of its size, and any other value as is."""
    if not hasattr(value, "toarray"):
        return value
    as_shape(value.shape, name="shape of `fixation_map`")
    return value.toarray()


def _times(values: FloatArray) -> IntArray:
    """Return how often each positive value counts, or raise if the values are no counts."""
    counts = fixation_counts(values)
    if counts is None:
        raise ValueError(
            "`fixation_map` must mark pixels by one positive value or count fixations up to "
            f"{LARGEST_COUNT}, got several positive values up to {float(values.max()):g}. Give "
            "threshold=127 for a picture with gray levels, or give a continuous map as a gaze map."
        )
    return counts


def _above(values: FloatArray, threshold: float) -> IntArray:
    """Return 1 for each value above the threshold, and 0 for the others."""
    limit = as_number(threshold, name="threshold", low=0.0, high=np.inf)
    fixated = values > limit
    if values.size and not fixated.any():
        warn(
            f"`threshold` must be below the values of fixated pixels, got {limit:g} for a map with "
            f"a largest value of {float(values.max()):g}, which has no fixation.",
            InputWarning,
        )
    return fixated.astype(np.int64)
