"""Maps and pictures on one small grid, on which all images are comparable."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from gazesal.auditing.area_means import on_grid
from gazesal.typing import Float64Array

__all__ = ["SIDE", "contrast_grid", "map_grid"]

SIDE = 32  # cells along each side, whatever the proportions of the image
# Cells; the standard deviations of the error that is allowed between map and gaze. Details show a
# small error of the place, and coarse structure is seldom missed by few fixations.
BLURS = (0.5, 3.0)


def map_grid(values: np.ndarray) -> Float64Array | None:
    """Return the ranks of a map in each cell, with mean 0 and variance 1, None if constant.

    Ranks give maps with few high peaks the same weight as others.
    """
    return _ranks(on_grid(values, SIDE))


def contrast_grid(picture: np.ndarray) -> Float64Array | None:
    """Return the local contrast of a picture as if it were a saliency map."""
    gray = np.asarray(picture[..., :3] if picture.ndim == 3 else picture, np.float64)
    gray = gray.mean(axis=2) if gray.ndim == 3 else gray
    mean, square = on_grid(gray, SIDE), on_grid(gray * gray, SIDE)
    return _ranks(np.sqrt(np.maximum(square - mean * mean, 0.0)))


def _ranks(cells: Float64Array) -> Float64Array | None:
    """Return the mean of the ranks of cells that are blurred little and much."""
    blurred = [_standardized(rankdata(gaussian_filter(cells, b, mode="nearest"))) for b in BLURS]
    every = [ranks for ranks in blurred if ranks is not None]
    return _standardized(np.sum(every, axis=0)) if every else None


def _standardized(ranks: Float64Array) -> Float64Array | None:
    deviation = ranks.std()
    return None if deviation == 0 else np.asarray((ranks - ranks.mean()) / deviation)
