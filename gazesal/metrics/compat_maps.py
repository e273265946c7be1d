"""Maps and fixations as other code takes and scales them."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, weight_sums
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import constant
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["as_float_map", "map_and_fixated", "to_range", "to_shares", "to_sum", "undefined"]

LARGEST = 1e150  # the sum or the range of a map of larger values may not be finite


def as_float_map(value: ArrayLike, *, name: str) -> Float64Array:
    """Return a copy in float64 whose range and sum are finite."""
    array = as_map(value, name=name)
    require_finite(array, name=name)
    largest = float(np.abs(array).max())
    if largest > LARGEST:
        raise ValueError(f"`{name}` must lie within {LARGEST:g}, got values up to {largest:g}.")
    return array.astype(np.float64)


def map_and_fixated(
    saliency_map: ArrayLike, fixations: ArrayLike, outside: OutsidePoints
) -> tuple[Float64Array, IntArray]:
    """Return the input of the Matlab code: a map, and the distinct fixated pixels."""
    saliency = as_float_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    return saliency, np.unique(pixels)


def to_range(array: Float64Array) -> Float64Array:
    """Scale a map that is not constant to [0, 1]."""
    lowest = array.min()
    return np.asarray((array - lowest) / (array.max() - lowest))


def undefined(label: str, why: FloatArray | str, *, name: str = "saliency_map") -> float:
    """Warn that a metric is undefined, for a constant map or a reason in words; return `nan`."""
    words = why if isinstance(why, str) else f"`{name}` is {constant(why)}"
    warn(f"{label} is undefined: {words}.", UndefinedMetricWarning)
    return math.nan


def to_shares(array: Float64Array, *, name: str) -> Float64Array:
    """Return a non-negative map divided by its sum, or a map of zeros unchanged."""
    if not array.any():
        return array
    _, total = weight_sums(array, name=name)
    return np.asarray(array / total)


def to_sum(array: Float64Array) -> Float64Array:
    """Divide a map by its sum."""
    return np.asarray(array / array.sum())
