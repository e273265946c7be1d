"""Read arrays of MATLAB files (.mat): versions 4 and 5 through SciPy, and 7.3 through HDF5."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._arguments import MOST_VALUES, require_sane_bytes, require_sane_shape
from gazesal.datasets.hdf5_files import Hdf5, Hdf5Array, open_hdf5

__all__ = ["open_matlab"]

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_AT = 512  # bytes of text before the HDF5 part of version 7.3
VERSION_5_AT = 128  # bytes of text before the first variable of version 5
COMPRESSED = 15  # type of an element of version 5
STEP = 2**20  # bytes that are unpacked at once
NUMBERS = {
    *("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32"),
    *("int64", "uint64", "logical"),
}
SPARSE = "sparse"
TEXT = "char"
MATLAB_CLASS, MATLAB_SPARSE, MATLAB_EMPTY = "MATLAB_class", "MATLAB_sparse", "MATLAB_empty"


@contextmanager
def open_matlab(path: Path) -> Iterator[Matlab | MatlabHdf5]:
    """Open a MATLAB file of any version for reading."""
    with path.open("rb") as file:
        start = file.read(HDF5_AT + len(HDF5))
    if HDF5 in (start[:8], start[HDF5_AT:]):
        with open_hdf5(path) as opened:
            yield MatlabHdf5(opened)
    else:
        _require_sane_elements(path)
        yield Matlab(path)


@dataclass(frozen=True, slots=True)
class Matlab:
    """Variables of a file of version 4 or 5. Structures, cells and objects are not among them."""

    path: Path

    def arrays(self) -> Iterator[tuple[str, MatlabArray]]:
        """Return every array with its name, in the order of the file."""
        from scipy.io import whosmat  # noqa: PLC0415 (slow to import, and seldom needed)

        found = whosmat(str(self.path), appendmat=False)
        names = [name for name, _, _ in found]
        if len(set(names)) < len(names):
            raise ValueError("its variables must have different names")
        for name, shape, kind in found:
            # MATLAB stores a single number as an array of 1 x 1
            if kind in {*NUMBERS, SPARSE, TEXT} and shape != (1, 1):
                yield name, MatlabArray(self.path, name, tuple(map(int, shape)), kind)
        others = {kind for _, _, kind in found} - {*NUMBERS, SPARSE, TEXT}
        if others and len(others) == len({kind for _, _, kind in found}):
            raise ValueError(
                f"it must have arrays of numbers, got only {' and '.join(sorted(others))} "
                "variables. Save the array itself"
            )

    def array(self, key: str) -> MatlabArray:
        """Return the array with this name, and raise a KeyError if it is absent."""
        return dict(self.arrays())[key]


@dataclass(frozen=True, slots=True)
class MatlabArray:
    """Variable of a file of version 4 or 5."""

    path: Path
    name: str
    stored_shape: tuple[int, ...]
    kind: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array. Text has one value per row."""
        return self.stored_shape[:1] if self.is_text else self.stored_shape

    @property
    def is_text(self) -> bool:
        """True for text, False for numbers."""
        return self.kind == TEXT

    @property
    def labels(self) -> list[str] | None:
        """Return None, because MATLAB stores no attributes."""
        return None

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        from scipy.io import loadmat  # noqa: PLC0415 (see above)
        from scipy.sparse import issparse  # noqa: PLC0415 (see above)

        require_sane_shape(self.stored_shape)
        found = loadmat(str(self.path), appendmat=False, variable_names=[self.name])
        values = found[self.name]
        # whosmat calls a sparse matrix of booleans "logical"
        values = _dense(values) if issparse(values) else np.asarray(values)
        return values if row is None else values[row]


@dataclass(frozen=True, slots=True)
class MatlabHdf5:
    """Variables of a file of version 7.3, which stores the last axis first."""

    opened: Hdf5

    def arrays(self) -> Iterator[tuple[str, MatlabHdf5Array | SparseHdf5]]:
        """Return every array of numbers with its name, in the order of the file."""
        found, others = [], []
        for name in self.opened.file:
            array = None if name.startswith("#") else self._array(name)
            if array is not None and array.shape != (1, 1):
                found.append((name, array))
            elif array is None:
                others.append(name)
        if others and not found:
            raise ValueError(
                "it must have arrays of numbers, got only structures, cells, text or objects. Save "
                "the array itself"
            )
        return iter(found)

    def array(self, key: str) -> MatlabHdf5Array | SparseHdf5:
        """Return the array with this name, and raise a KeyError if it is absent."""
        found = self._array(key) if "/" not in key else None
        if found is None:
            raise KeyError(key)
        return found

    def _array(self, name: str) -> MatlabHdf5Array | SparseHdf5 | None:
        """Return a variable of numbers, or None for another kind of variable."""
        link = self.opened.file.get(name, getlink=True)
        if not isinstance(link, self.opened.h5py.HardLink):
            return None
        item = self.opened.file[name]
        kind = item.attrs.get(MATLAB_CLASS, b"")
        if (kind.decode() if isinstance(kind, bytes) else str(kind)) not in NUMBERS:
            return None
        if isinstance(item, self.opened.h5py.Dataset):
            return MatlabHdf5Array(self.opened.array(name))
        if MATLAB_SPARSE not in item.attrs or "jc" not in item:
            return None
        parts = {
            key: self.opened.array(f"{name}/{key}") for key in ("data", "ir", "jc") if key in item
        }
        return SparseHdf5(parts, int(item.attrs[MATLAB_SPARSE]))


@dataclass(frozen=True, slots=True)
class MatlabHdf5Array:
    """Variable of a file of version 7.3."""

    stored: Hdf5Array
    is_text = False
    labels = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array in MATLAB."""
        return self.stored.shape[::-1]

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        if self.stored.dataset.attrs.get(MATLAB_EMPTY, 0):
            raise ValueError("it must not be empty")
        values = self.stored.read(transposed=True)
        return values if row is None else values[row]


@dataclass(frozen=True, slots=True)
class SparseHdf5:
    """Sparse variable of a file of version 7.3."""

    parts: dict[str, Hdf5Array]
    rows: int
    is_text = False
    labels = None

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix."""
        return (self.rows, self.parts["jc"].shape[0] - 1)

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        from scipy.sparse import csc_array  # noqa: PLC0415 (see above)

        require_sane_shape(self.shape)
        parts = {key: part.read(transposed=True) for key, part in self.parts.items()}
        none = np.zeros(0)  # without a value other than 0, the file has no data and no rows
        indices = parts.get("ir", none).astype(np.int64)
        starts = parts["jc"].astype(np.int64)
        matrix = csc_array((parts.get("data", none), indices, starts), shape=self.shape)
        values = _dense(matrix)
        return values if row is None else values[row]


def _dense(matrix: Any) -> np.ndarray[Any, Any]:
    """Return the values of a sparse matrix, whose indices are checked first.

    SciPy writes outside its memory for indices beyond the shape.
    """
    require_sane_shape(matrix.shape)
    if matrix.format == "csc":
        matrix.check_format(full_check=True)
    require_sane_bytes(matrix.shape, matrix.dtype.itemsize)
    return np.asarray(matrix.toarray())


def _require_sane_elements(path: Path) -> None:
    """Raise if a compressed variable of version 5 is damaged or unpacks to too many bytes.

    SciPy checks neither. Each variable is unpacked here in small steps and not kept.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(VERSION_5_AT)
        if len(head) < VERSION_5_AT or 0 in head[:4]:  # version 4, which has no compression
            return
        order = {b"IM": "little", b"MI": "big"}.get(head[126:128])
        if order is None:
            raise ValueError("it must be a file of MATLAB")
        while tag := file.read(8):
            kind = int.from_bytes(tag[:4], order)  # type: ignore[arg-type]
            length = int.from_bytes(tag[4:], order)  # type: ignore[arg-type]
            start = file.tell()
            if len(tag) < 8 or start + length > size:
                raise ValueError("the file is truncated")
            if kind == COMPRESSED:
                _require_sane_stream(file, length)
            file.seek(start + length)


def _require_sane_stream(file: io.BufferedReader, length: int) -> None:
    """Raise unless some compressed bytes are whole and unpack to few enough bytes."""
    stream, done = zlib.decompressobj(), 0
    while not stream.eof:
        data = stream.unconsumed_tail
        if not data:
            data = file.read(min(STEP, length))
            length -= len(data)
            if not data:
                raise ValueError("a compressed variable is truncated")
        done += len(stream.decompress(data, STEP))
        if done > 8 * MOST_VALUES:
            raise ValueError(f"a variable must have at most {8 * MOST_VALUES} bytes")
