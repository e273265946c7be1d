"""Reading of what the caller gave: an array, a file, or a function that returns an array."""

from pathlib import Path
from typing import Any

import numpy as np

from gazesal._validation import as_map, require_finite
from gazesal.datasets.map_files import read_map
from gazesal.typing import FloatArray

__all__ = ["load_source", "read_source"]


def read_source(source: Any) -> Any:
    """Return the content of a source: read from its file, returned by its function, or as it is.

    Any error in here is one of the input, whatever its type; see `gazesal.evaluation.worker`.
    """
    if isinstance(source, Path):
        return read_map(source)
    return source() if callable(source) else source


def load_source(source: Any, *, name: str) -> FloatArray:
    """Return the map of a source as a finite array."""
    values = read_source(source)
    if isinstance(source, Path):
        return np.asarray(values)
    array = as_map(values, name=name)
    require_finite(array, name=name)
    return array
