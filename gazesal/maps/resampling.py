"""Maps from one pixel grid to another."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from gazesal._validation import as_choice, as_map, as_shape, require_finite
from gazesal.typing import Float64Array

__all__ = ["resample"]


def resample(
    array: ArrayLike, shape: tuple[int, int], *, method: Literal["bilinear"] = "bilinear"
) -> Float64Array:
    r"""Bring a map onto another pixel grid of the same image, bilinearly.

    Metrics never resample by themselves: maps of different sizes are an error there, because the
    way they are brought together changes the score.

    Parameters
    ----------
    array : array_like of float, shape (H, W)
        Map, finite.
    shape : tuple of int
        (H, W) wanted.
    method : {"bilinear"}, default "bilinear"
        Interpolation between the four pixel centres around each new one.

    Returns
    -------
    numpy.ndarray of float64
        Map of the given shape, within the range of `array`. Values are interpolated, not mass:
        divide by the sum where a density is wanted.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity, or `shape` is not at least
        (1, 1).
    TypeError
        If the map does not hold real numbers, or `shape` is not two integers.

    Notes
    -----
    Both grids span the same image, so the *outer edges* of the first and last pixels coincide and
    the centre of new column :math:`j` lies at :math:`(j + \tfrac12) W / W' - \tfrac12` of the old
    one ("half-pixel centres", as OpenCV's ``INTER_LINEAR`` and torch's
    ``align_corners=False``). Beyond the outermost centres the edge value is kept. There is no
    smoothing before shrinking, so a map shrunk by much is better averaged first.

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
    zoom = (height / old.shape[0], width / old.shape[1])
    new = ndimage.zoom(
        old, zoom, output=np.float64, order=1, mode="nearest", grid_mode=True, prefilter=False
    )
    if new.shape != (height, width):  # scipy rounds size times zoom
        raise AssertionError(f"resampled to {new.shape}, wanted {(height, width)}")
    return np.asarray(new)
