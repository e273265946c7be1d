"""Decoded and resized images on disk, so that each file is decoded once and not in every epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazesal._digests import digest_of_texts
from gazesal._files import atomic_path, written
from gazesal.cxr.images import Bytes

__all__ = ["GIB", "PictureCache"]

GIB = 2**30


@dataclass(frozen=True, slots=True)
class PictureCache:
    """A folder with one 8-bit array per image and way of resizing it.

    Several processes and machines may share the folder, because files are written atomically. An
    unreadable file is made again.

    Attributes
    ----------
    folder : pathlib.Path
        The folder.
    """

    folder: Path

    def get(self, source: Path, way: str, make: Callable[[], Bytes]) -> Bytes:
        """Return the array of an image file, from the folder if it is there.

        Parameters
        ----------
        source : pathlib.Path
            Image file. If its size or time of modification changes, the array is made again.
        way : str
            Names how `make` resizes the image.
        make : callable
            Return the array.

        Returns
        -------
        numpy.ndarray of uint8
            The array.
        """
        key = digest_of_texts([str(source.resolve()), written(source), way])
        path = self.folder / key[:2] / f"{key}.npy"
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
