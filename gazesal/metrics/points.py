"""Conversion of fixations to pixels of a map, for the metrics of fixations."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_points, as_real_array, require_x_y
from gazesal._warnings import warn
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import off_image, refuse_off_image, report_shares
from gazesal.typing import Float64Array, FloatArray, IntArray

OutsidePoints = Literal["raise", "drop"]
OUTSIDE_POINTS = get_args(OutsidePoints)


def fixated_pixels(
    fixations: ArrayLike,
    shape: tuple[int, int],
    *,
    name: str,
    outside: OutsidePoints,
) -> IntArray:
    """Return the index in reading order of the pixel under each fixation, with repetitions."""
    as_choice(outside, OUTSIDE_POINTS, name="outside")
    require_x_y(fixations, name=name)
    array = as_real_array(fixations, name=name, booleans=True)
    if array.ndim == 2 and array.shape[1] != 2 and array.shape[0] != 2:
        raise ValueError(
            f"`{name}` must be points, shape (N, 2) with columns x and y, got shape "
            f"{array.shape}, which looks like a map. Give `fixations_from_map` of it for a map "
            "of fixated pixels, or use `ncc`, `auc_borji`, `sim`, `kl_divergence` or `emd` for "
            "a gaze map."
        )
    points = as_points(fixations, name=name)
    report_shares(points, shape, name=name)
    off = off_image(points, shape)
    if off.any():
        n, n_off = len(points), int(off.sum())
        if outside == "raise" or n_off == n:
            remedy = 'Write outside="drop" to leave them out, if others remain.'
            refuse_off_image(points, off, shape, name=name, remedy=remedy)
        warn(
            f"{n_off} of {n} `{name}` lie outside the image and were dropped.",
            OffImageWarning,
        )
        points = points[~off]
    column, row = _nearest(points).T
    return np.asarray(row * shape[1] + column)


def _nearest(points: Float64Array) -> IntArray:
    """Return the nearest pixel center, with halves rounded up.

    Adding 0.5 before rounding down could itself round up.
    """
    below = np.floor(points)
    return np.asarray(below + (points - below >= 0.5), dtype=np.int64)


def values_at(array: FloatArray, pixels: IntArray) -> Float64Array:
    """Return the values of an array at pixels given by their index in reading order."""
    return array.ravel()[pixels].astype(np.float64)
