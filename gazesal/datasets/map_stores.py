"""Read one saliency map from a file of many: .npz, HDF5, zarr, .mat or .pt."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gazesal._digests import digest_of_bytes
from gazesal._files import written
from gazesal._validation import as_map, require_finite
from gazesal.datasets.hdf5_files import open_hdf5
from gazesal.datasets.matlab_files import open_matlab
from gazesal.datasets.numpy_files import Header, NpzMember, open_npz
from gazesal.datasets.torch_files import open_torch
from gazesal.datasets.zarr_files import files_of_zarr, open_zarr
from gazesal.typing import FloatArray

__all__ = ["STORES", "StoredArray", "StoredMap", "open_store", "without_channels"]


class StoredArray(Protocol):
    """Array in a store, with properties that are known before its values are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, () if it has no values."""

    @property
    def is_text(self) -> bool:
        """True for text, False for numbers."""

    @property
    def labels(self) -> list[str] | None:
        """Names of its rows in its attribute ``images``, None without it."""

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""


class Store(Protocol):
    """Open file of arrays."""

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        """Return every array with its name, in the order of the file."""

    def array(self, key: str) -> StoredArray:
        """Return the array with this name, and raise a KeyError if it is absent."""


@dataclass(frozen=True, slots=True)
class StoredMap:
    """Map of one image in an archive or store, read when it is called.

    It has no open file, so it can be sent to another process, which opens the file itself.

    Attributes
    ----------
    path : pathlib.Path
        The ``.npz``, ``.h5``, ``.hdf5``, ``.zarr``, ``.mat``, ``.pt`` or ``.pth``.
    key : str
        Name of the array in it.
    row : int, optional
        Position in the array, if the array is a stack of the maps of many images.
    """

    path: Path
    key: str
    row: int | None = None

    def __call__(self) -> FloatArray:
        """Return the map, shape (H, W), with the values as stored."""
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: no such file of maps.")
        try:
            with open_store(self.path) as store:
                values = without_channels(store.array(self.key).read(self.row))
        except KeyError:
            raise ValueError(f"{self}: the file has no such array.") from None
        except ImportError:
            raise
        except Exception as error:  # the formats raise errors of any type for a damaged store
            raise ValueError(f"{self}: cannot be read: {error}") from error
        try:
            array = as_map(values, name="map")
            require_finite(array, name="map")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self}: {error}") from error
        return array

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the map: its file, its position in it, and the time of modification.

        For a zarr store, which is a folder, the files are the chunks of the map and the description
        of its array.
        """
        if not self.path.is_dir():
            return f"{self}, {written(self.path)}"
        files = files_of_zarr(self.path, self.key, self.row)
        facts = "\n".join(f"{file.name} {written(file)}" for file in files)
        known = digest_of_bytes(facts.encode())
        return f"{self}, {len(files)} files, {known}"

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.path}, {self.key or 'the array'!r}{row}"


def without_channels(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a map without axes of length 1 before or after it, as in a batch (1, 1, H, W)."""
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    while values.ndim > 2 and values.shape[-1] == 1:
        values = values[..., 0]
    return values


def open_store(path: Path) -> AbstractContextManager[Store]:
    """Open a file of maps according to its suffix."""
    return _OPENERS[path.suffix.lower()](path)


@contextmanager
def _open_npz(path: Path) -> Iterator[Store]:
    """Open an archive of numpy for reading."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it must be an archive, as np.savez writes")
    with open_npz(path) as members:
        yield _Npz(members)


@dataclass(frozen=True, slots=True)
class _Npz:
    """Open archive of numpy."""

    members: Mapping[str, NpzMember]

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        return ((key, _NpzArray(member)) for key, member in self.members.items())

    def array(self, key: str) -> StoredArray:
        return _NpzArray(self.members[key])


class _NpzArray:
    """Array of an archive, whose header is read when it is first needed."""

    labels = None

    def __init__(self, member: NpzMember) -> None:
        self._member = member

    @cached_property
    def _header(self) -> Header:
        return self._member.header()

    @property
    def shape(self) -> tuple[int, ...]:
        return self._header[0]

    @property
    def is_text(self) -> bool:
        return self._header[2].kind in "US"

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        return self._member.read(row)


_OPENERS: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    ".npz": _open_npz,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".zarr": open_zarr,
    ".mat": open_matlab,
    ".pt": open_torch,
    ".pth": open_torch,
}
STORES = tuple(_OPENERS)
