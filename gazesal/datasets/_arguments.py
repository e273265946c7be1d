"""Check arguments of the readers, and the sizes that files claim."""

import math
import numbers
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gazesal._validation import as_iterable

MOST_PIXELS = 65535  # on a side of an image, the limit of JPEG and DICOM
MOST_NAMES = 2**22  # texts in an array, such as the names of the images of a stack
MOST_VALUES = 2**28  # of a map or picture, 2 GiB as float64; a damaged header claims any number


def as_path(value: Any, *, name: str) -> Path:
    """Return a path given as text or as a path."""
    if isinstance(value, bytes) or not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"`{name}` must be a path, as str or pathlib.Path, got {value!r}.")
    return Path(value)


def as_text(value: Any, *, name: str) -> str:
    """Return `value` if it is text."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a str, got {value!r}.")
    return value


def as_phases(value: Any) -> list[int]:
    """Return the phases of REFLACX without repetitions."""
    phases = list(as_iterable(value, name="phases", of="int"))
    for phase in phases:
        if isinstance(phase, (bool, np.bool_)) or not isinstance(phase, numbers.Integral):
            raise TypeError(f"`phases` must be integers, got {phase!r}.")
    if not phases or not set(phases) <= {1, 2, 3}:
        raise ValueError(f"`phases` must be among 1, 2 and 3, got {tuple(phases)}.")
    return list(dict.fromkeys(int(phase) for phase in phases))


def require_sane_shape(shape: Sequence[int], *, most: int = MOST_VALUES) -> None:
    """Raise if a file claims more values than a map or picture can have."""
    if math.prod(shape) > most:
        raise ValueError(f"it must have at most {most} values, got {' x '.join(map(str, shape))}")


def require_sane_bytes(shape: Sequence[int], size: int) -> None:
    """Raise if values of `size` bytes each, such as long texts, exceed the memory limit."""
    if math.prod(shape) * size > 8 * MOST_VALUES:
        raise ValueError(
            f"it must have at most {8 * MOST_VALUES} bytes, got {math.prod(shape)} values of "
            f"{size} bytes"
        )
