"""Decoded and shrunk images on disk, so that a file is decoded once and not once an epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazesal._files import atomic_path

__all__ = ["PictureCache"]

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureCache:
    """A folder of arrays of 8 bits, one file an image and way of shrinking it.

    Which images may be kept is decided by who asks, from sizes alone, so that workers and machines
    that share the folder need not agree on anything. Files are written whole or not at all, and
    what cannot be read is made again.
    """

    folder: Path

    def get(self, source: Path, way: str, make: Callable[[], Bytes]) -> Bytes:
        """Return the array of a file, from the folder where it is there."""
        path = self.folder / f"{self._key(source, way)}.npy"
        try:
            found = np.load(path, allow_pickle=False)
            if found.dtype == np.uint8:
                return np.asarray(found)
        except (OSError, ValueError, EOFError):
            pass
        made = make()
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        return made

    @staticmethod
    def _key(source: Path, way: str) -> str:
        """A name that changes with the file: its path, its size, when it was written."""
        facts = source.stat()
        text = f"{source.resolve()} {facts.st_size} {facts.st_mtime_ns} {way}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{digest[:2]}/{digest}"
