"""Means of maps over the cells of a small grid."""

from functools import lru_cache

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["on_grid"]


def on_grid(values: np.ndarray, side: int) -> Float64Array:
    """Return the means of a map over the cells of a square grid of the whole image."""
    height, width = values.shape
    down, across = _means(height, side), _means(width, side)
    return np.asarray(down @ np.asarray(values, np.float64) @ across.T)


@lru_cache(maxsize=64)
def _means(length: int, side: int) -> Float64Array:
    """Return the matrix (side, length) that averages pixels over cells, also of parts of pixels."""
    edges = np.linspace(0.0, length, side + 1)
    pixels = np.arange(length)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares = np.clip(covered, 0.0, None)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
