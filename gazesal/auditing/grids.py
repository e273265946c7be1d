"""Maps and pictures on one small grid, on which all images are comparable."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from gazesal.auditing.area_means import on_grid
from gazesal.typing import Float64Array

__all__ = ["SIDE", "contrast_grid", "map_grid"]

SIDE = 32  # cells along each side, whatever the proportions of the image
BLUR = 1.0  # cells; the standard deviation of the error that is allowed between map and gaze


def map_grid(values: np.ndarray) -> Float64Array | None:
    """Return the ranks of a map in each cell, with mean 0 and variance 1, None if constant.

    Ranks give maps with few high peaks the same weight as others.
    """
    cells = gaussian_filter(on_grid(values, SIDE), BLUR, mode="nearest")
    return _standardized(rankdata(cells))


def contrast_grid(picture: np.ndarray) -> Float64Array | None:
    """Return the local contrast of a picture as if it were a saliency map."""
    gray = np.asarray(picture[..., :3] if picture.ndim == 3 else picture, np.float64)
    gray = gray.mean(axis=2) if gray.ndim == 3 else gray
    mean, square = on_grid(gray, SIDE), on_grid(gray * gray, SIDE)
    contrast = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return _standardized(rankdata(gaussian_filter(contrast, BLUR, mode="nearest")))


def _standardized(ranks: Float64Array) -> Float64Array | None:
    deviation = ranks.std()
    return None if deviation == 0 else np.asarray((ranks - ranks.mean()) / deviation)
