"""Bilinear resizing of maps."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_map, as_shape, require_finite
from gazesal.kernels.bilinear import Neighbors, interpolate_grid
from gazesal.maps.constancy import is_constant
from gazesal.typing import Float64Array, FloatArray, IntArray, WeightArray

__all__ = ["resample"]

LARGEST = 1e300  # magnitude of a value; differences of larger ones may overflow float64


def resample(
    array: ArrayLike, shape: tuple[int, int], *, method: Literal["bilinear"] = "bilinear"
) -> Float64Array:
    r"""Resize a map to another pixel grid of the same image by bilinear interpolation.

    Metrics never resize maps themselves. Maps of different sizes are an error there, because the
    method of resizing changes the score.

    Parameters
    ----------
    array : array_like of float, shape (H, W)
        Map, finite.
    shape : tuple of int
        New (H, W).
    method : {"bilinear"}, default "bilinear"
        Interpolation between the four pixel centers around each new one.

    Returns
    -------
    numpy.ndarray of float64
        Map of the given shape, within the range of `array`, and constant if `array` is constant up
        to rounding. The sum is not preserved: divide by it if a density is needed.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or contains NaN, infinity or a value beyond 1e300, or
        `shape` is not at least (1, 1).
    TypeError
        If the map does not hold real numbers, or `shape` is not two integers.

    Notes
    -----
    Both grids span the same image, so the *outer edges* of the first and last pixels coincide. The
    center of new column :math:`j` lies at :math:`(j + \tfrac12) W / W' - \tfrac12` on the old grid
    ("half-pixel centers", as OpenCV's ``INTER_LINEAR`` and torch's ``align_corners=False``). Beyond
    the outermost centers the edge value is used. Maps are not smoothed before they are shrunk, so
    average a map first if it is shrunk to less than half its size.

    Examples
    --------
    >>> import gazesal
    >>> gazesal.resample([[0.0, 4.0]], (1, 4)).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    old = as_map(array, name="array")
    require_finite(old, name="array")
    height, width = as_shape(shape, name="shape")
    as_choice(method, ("bilinear",), name="method")
    if old.shape == (height, width):
        return old.astype(np.float64)
    lowest, highest = require_range(old, name="array")
    if is_constant(old, lowest, highest):  # otherwise its rounding would look like content
        return np.full((height, width), lowest)
    rows = (np.arange(height) + 0.5) * (old.shape[0] / height) - 0.5
    columns = (np.arange(width) + 0.5) * (old.shape[1] / width) - 0.5
    return interpolate(old, rows, columns)


def require_range(array: FloatArray, *, name: str) -> tuple[float, float]:
    """Return the extremes, and raise if values are too large to interpolate between them."""
    low, high = float(array.min()), float(array.max())
    if max(-low, high) > LARGEST:
        raise ValueError(
            f"`{name}` must have magnitudes up to {LARGEST:g} to be resized, got values from "
            f"{low:g} to {high:g}. Rescale it."
        )
    return low, high


def interpolate(values: WeightArray, rows: FloatArray, columns: FloatArray) -> Float64Array:
    """Interpolate values at all pairs of rows and columns.

    Rows and columns are positions in pixels of the old grid, centers at integers. Beyond the
    outermost centers the edge value is used.
    """
    out = np.empty((len(rows), len(columns)))
    down, across = _neighbors(rows, values.shape[0]), _neighbors(columns, values.shape[1])
    interpolate_grid(np.ascontiguousarray(values), down, across, out)
    return out


def _neighbors(places: FloatArray, length: int) -> Neighbors:
    """Return the pixels before and after each position, and the share of the way between them."""
    place = np.clip(places, 0.0, length - 1)
    before: IntArray = np.floor(place).astype(np.int64)
    after: IntArray = np.minimum(before + 1, length - 1)
    return Neighbors(before, after, (place - before).astype(np.float64))
