"""Arguments of the readers: paths, names and numbers of phases."""

import math
import numbers
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gazesal._validation import as_iterable

MOST_PIXELS = 65535  # on a side of an image, of which JPEG and DICOM hold no more
MOST_NAMES = 2**22  # of the images of a stack
MOST_VALUES = 2**28  # of a map or picture, 2 GiB as float64; a header may claim any number


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


def as_phases(value: Any, *, name: str) -> list[int]:
    """Return numbers of phases of REFLACX, each once."""
    phases = list(as_iterable(value, name=name, of="int"))
    for phase in phases:
        if isinstance(phase, (bool, np.bool_)) or not isinstance(phase, numbers.Integral):
            raise TypeError(f"`{name}` must hold integers, got {phase!r}.")
    if not phases or not set(phases) <= {1, 2, 3}:
        raise ValueError(f"`{name}` must be among 1, 2 and 3, got {tuple(phases)}.")
    return list(dict.fromkeys(int(phase) for phase in phases))


def require_sane_shape(shape: Sequence[int], *, most: int = MOST_VALUES) -> None:
    """Raise if a file claims more values than a map or picture can have."""
    if math.prod(shape) > most:
        raise ValueError(
            f"it claims {' x '.join(map(str, shape))} values, and at most {most} are read"
        )


def require_sane_bytes(shape: Sequence[int], size: int) -> None:
    """Raise if values of `size` bytes each, such as long texts, would fill the memory."""
    if math.prod(shape) * size > 8 * MOST_VALUES:
        raise ValueError(
            f"it claims {math.prod(shape)} values of {size} bytes, and at most {8 * MOST_VALUES} "
            "bytes are read"
        )
