"""Facts about the values of one map, collected while it is in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazesal._digests import digest_of_bytes
from gazesal.auditing.upsampling import stretched_grid
from gazesal.evaluation.case import Case
from gazesal.maps.constancy import is_flat
from gazesal.typing import FloatArray

__all__ = ["MapFacts", "facts_of"]

SAMPLED = 2**16  # pixels of which values are counted; more would take longer than reading
STEPS = 256  # values of 8 bits
LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif", ".webp"}


@dataclass(frozen=True, slots=True)
class MapFacts:
    """Facts about one map.

    Attributes
    ----------
    method, image : str
        Method and image of the map.
    shape, image_shape : tuple of int
        (H, W) of the map and of the image.
    low, high : float
        Extremes.
    at_low, at_high : float
        Shares of pixels with the extremes.
    n_values : int
        Number of different values in a sample of pixels.
    most_tied : float
        Share of the most frequent value in the sample.
    is_constant : bool
        True if the map is constant up to rounding.
    has_steps : bool
        True if the values are on at most 256 equal steps.
    digest : str
        Fingerprint of shape and values.
    grid : int
        Cells along a side if the map is a small grid that was stretched to the edges, else 0.
    is_lossy : bool
        True if the file has a lossy format.
    """

    method: str
    image: str
    shape: tuple[int, int]
    image_shape: tuple[int, int]
    low: float
    high: float
    at_low: float
    at_high: float
    n_values: int
    most_tied: float
    is_constant: bool
    has_steps: bool
    digest: str
    grid: int
    is_lossy: bool


def facts_of(case: Case, method: str, values: FloatArray, *, with_grid: bool) -> MapFacts:
    """Collect the facts about a map. The search for a stretched grid is slower than the others."""
    low, high = float(values.min()), float(values.max())
    flat = values.ravel()
    sample = flat[:: -(-flat.size // SAMPLED)]
    kinds, counts = np.unique(sample, return_counts=True)
    constant = is_flat(values)
    steps = not constant and _on_steps(kinds, low, high)
    return MapFacts(
        method=method,
        image=case.image,
        shape=values.shape,
        image_shape=case.shape,
        low=low,
        high=high,
        at_low=float((values == low).mean()),
        at_high=float((values == high).mean()),
        n_values=len(kinds),
        most_tied=float(counts.max() / counts.sum()),
        is_constant=constant,
        has_steps=steps,
        digest=digest_of_bytes(str(values.shape).encode(), np.ascontiguousarray(values).tobytes()),
        grid=stretched_grid(values, in_steps=steps) if with_grid and not constant else 0,
        is_lossy=_is_lossy(case.maps[method]),
    )


def _on_steps(kinds: np.ndarray[Any, Any], low: float, high: float) -> bool:
    """Check whether many values lie on at most 256 equal steps between the extremes."""
    if not 2 < len(kinds) <= STEPS:
        return False
    steps = (kinds.astype(np.float64) - low) / (high - low) * (STEPS - 1)
    whole = bool((kinds == np.rint(kinds)).all() and high - low < STEPS)
    return whole or bool(np.abs(steps - np.rint(steps)).max() < 1e-3)


def _is_lossy(source: object) -> bool:
    path = source if isinstance(source, Path) else getattr(source, "path", None)
    return isinstance(path, Path) and path.suffix.lower() in LOSSY
