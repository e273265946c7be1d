"""Find maps that were enlarged from a small grid whose outer cells were put on the edges.

A network returns, for instance, 7 x 7 values, each for a cell of the image. Bilinear enlargement
with ``align_corners=True`` (torch) puts the centers of the outer cells on the outer pixels, so that
the map is up to half a cell too far outside. A map that was enlarged so lies in the space of such
maps up to rounding, and a map with half-pixel centers (`gazesal.resample`) lies in another space.
"""

from functools import lru_cache

import numpy as np

from gazesal.typing import Float64Array, FloatArray

__all__ = ["stretched_grid"]

SIDES = range(3, 33)  # cells along a side of usual networks
FEWEST_PIXELS = 3  # pixels for each cell; with fewer, all smooth maps would lie near the space
LINES = 64  # rows and columns that are compared
EXACT = 1e-4  # relative residual of an enlargement in float32, with a margin
STEP = 0.45  # rms of rounding to whole steps is 0.29 steps


def stretched_grid(values: FloatArray, *, in_steps: bool) -> int:
    """Return the cells along the width if a map is such an enlargement, else 0.

    `in_steps` allows for the rounding to 8 bits.
    """
    height, width = values.shape
    rows = values[_some(height)].astype(np.float64)
    columns = values[:, _some(width)].T.astype(np.float64)
    step = float(values.max() - values.min()) / 255.0 if in_steps else 0.0
    across = _smallest(rows, step)
    return across if across and _smallest(columns, step) else 0


def _smallest(lines: Float64Array, step: float) -> int:
    """Return the smallest number of cells of which lines are an enlargement to the edges."""
    spread = float(lines.std())
    allowed = max(EXACT * spread, STEP * step)
    if spread <= 4 * allowed:
        return 0
    length = lines.shape[1]
    for cells in SIDES:
        if cells * FEWEST_PIXELS > length:
            return 0
        if _residual(lines, length, cells, edges=False) <= allowed:
            return 0
        if _residual(lines, length, cells, edges=True) <= allowed:
            return cells
    return 0


def _residual(lines: Float64Array, length: int, cells: int, *, edges: bool) -> float:
    """Return the rms distance of lines from the enlargements of a number of cells."""
    basis = _basis(length, cells, edges)
    return float(np.sqrt(np.mean((lines - (lines @ basis) @ basis.T) ** 2)))


@lru_cache(maxsize=256)
def _basis(length: int, cells: int, edges: bool) -> Float64Array:
    """Return an orthonormal basis of the bilinear enlargements of `cells` values."""
    pixels = np.arange(length)
    places = pixels * (cells - 1) / (length - 1) if edges else (pixels + 0.5) * cells / length - 0.5
    hats = np.maximum(1 - np.abs(np.clip(places, 0, cells - 1)[:, None] - np.arange(cells)), 0)
    return np.linalg.qr(hats)[0]


def _some(length: int) -> np.ndarray:
    return np.unique(np.linspace(0, length - 1, LINES).astype(np.int64))
