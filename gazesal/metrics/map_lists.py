"""Checks of lists of maps and of the pairs to score."""

import numbers
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import as_iterable, as_map
from gazesal.typing import FloatArray

__all__ = ["Maps", "as_maps", "as_pairs", "labels_of"]

Maps: TypeAlias = Mapping[Any, ArrayLike] | Iterable[ArrayLike]


def as_maps(maps: Maps, *, name: str) -> dict[Any, FloatArray]:
    """Return maps by name, or by position if they have no names."""
    if _is_one_map(maps):
        raise TypeError(f"`{name}` must be a list or a mapping of maps, got one map. Write [it].")
    if not isinstance(maps, Mapping):
        maps = dict(enumerate(as_iterable(maps, name=name, of="maps")))
    if not maps:
        raise ValueError(f"`{name}` must hold at least one map, got none.")
    return {key: as_map(value, name=f"{name}[{key!r}]") for key, value in maps.items()}


def _is_one_map(maps: Any) -> bool:
    """Return whether a value is one map: an array of two dimensions or a list of lists."""
    if isinstance(maps, (list, tuple)) and maps and isinstance(maps[0], (list, tuple)):
        return bool(maps[0]) and isinstance(maps[0][0], numbers.Real)
    return getattr(maps, "ndim", None) == 2


def labels_of(maps: dict[Any, FloatArray], name: str) -> list[str]:
    """Return the names of maps in messages."""
    return [f"{name}[{key!r}]" for key in maps]


def as_pairs(pairs: ArrayLike | None, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the requested pairs, at least one."""
    if pairs is None:
        return np.ones(shape, np.bool_)
    try:
        asked = np.array(pairs)
    except ValueError as error:  # lists of different lengths
        raise ValueError(f"`pairs` must be a regular array of booleans: {error}") from error
    if asked.dtype != np.bool_:
        raise TypeError(f"`pairs` must be boolean, got dtype {asked.dtype}.")
    if asked.shape != shape:
        raise ValueError(
            f"`pairs` must have a row for each saliency map and a column for each gaze map, "
            f"{shape}, got shape {asked.shape}."
        )
    if not asked.any():
        raise ValueError("`pairs` must hold at least one True, got none.")
    return asked
