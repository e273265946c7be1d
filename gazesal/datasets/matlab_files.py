"""Read arrays of MATLAB files (.mat) of versions 4, 5 and 7.3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gazesal.datasets._arguments import require_sane_shape
from gazesal.datasets.hdf5_files import Hdf5, Hdf5Array, open_hdf5
from gazesal.datasets.matlab5_files import (
    NUMBERS,
    SPARSE,
    TEXT,
    dense,
    is_version_5,
    variables_of,
)

__all__ = ["open_matlab"]

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_AT = 512  # bytes of text before the HDF5 part of version 7.3
LOGICAL = "logical"
MATLAB_CLASS, MATLAB_SPARSE, MATLAB_EMPTY = "MATLAB_class", "MATLAB_sparse", "MATLAB_empty"


class Variable(Protocol):
    """Variable of a file of any version."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """Its class in MATLAB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape in MATLAB."""

    def read(self) -> np.ndarray[Any, Any]:
        """Return its values."""


@contextmanager
def open_matlab(path: Path) -> Iterator[Matlab]:
    """Open a MATLAB file of any version for reading."""
    with path.open("rb") as file:
        head = file.read(HDF5_AT + len(HDF5))
    if HDF5 in (head[:8], head[HDF5_AT:]):
        with open_hdf5(path) as opened:
            yield Matlab(list(_variables_of_hdf5(opened)))
    elif is_version_5(head):
        yield Matlab(list(variables_of(path)))
    elif 0 in head[:4]:  # as in every file of version 4, so that SciPy reads it as no other
        yield Matlab(list(_variables_of_version_4(path)))
    else:
        raise ValueError("it must be a file of MATLAB")


@dataclass(frozen=True, slots=True)
class Matlab:
    """Open file, of whose variables the arrays of numbers and of text are available."""

    variables: list[Any]

    def arrays(self) -> Iterator[tuple[str, MatlabArray]]:
        """Return every array with its name, in the order of the file.

        Single numbers and vectors are not among them, which MATLAB stores as arrays of 1 x 1 and
        1 x N, unless the file has no other arrays.
        """
        usable = {*NUMBERS, SPARSE, TEXT, LOGICAL}
        kinds = {each.kind for each in self.variables}
        if kinds and not kinds & usable:
            raise ValueError(
                f"it must have arrays of numbers, got only variables of class "
                f"{' and '.join(sorted(kinds))}. Save the array itself"
            )
        found = [
            each
            for each in self.variables
            if each.kind in usable and each.name and each.shape != (1, 1)
        ]
        planes = [each for each in found if each.kind == TEXT or sum(n > 1 for n in each.shape) > 1]
        if any(each.kind != TEXT for each in planes):
            found = planes
        if len({each.name for each in found}) < len(found):
            raise ValueError("its variables must have different names")
        return ((each.name, MatlabArray(each)) for each in found)

    def array(self, key: str) -> MatlabArray:
        """Return the array with this name, and raise a KeyError if it is absent."""
        return dict(self.arrays())[key]


@dataclass(frozen=True, slots=True)
class MatlabArray:
    """Array of an open file."""

    variable: Variable
    labels = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array. Text has one value per row."""
        return self.variable.shape[:1] if self.is_text else self.variable.shape

    @property
    def is_text(self) -> bool:
        """True for text, False for numbers."""
        return self.variable.kind == TEXT

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        values = self.variable.read()
        return values if row is None else values[row]


@dataclass(frozen=True, slots=True)
class Variable4:
    """Variable of a file of version 4, which SciPy reads in Python."""

    path: Path
    name: str
    shape: tuple[int, ...]
    kind: str

    def read(self) -> np.ndarray[Any, Any]:
        """Return the values, or the text of each row."""
        from scipy.io import loadmat  # noqa: PLC0415 (slow to import, and seldom needed)

        require_sane_shape(self.shape)
        found = loadmat(str(self.path), appendmat=False, variable_names=[self.name])[self.name]
        if self.kind == SPARSE:
            require_sane_shape(found.shape)
            found = found.toarray()
        return np.asarray(found)


def _variables_of_version_4(path: Path) -> Iterator[Variable4]:
    from scipy.io import whosmat  # noqa: PLC0415 (see above)

    for name, shape, kind in whosmat(str(path), appendmat=False):
        yield Variable4(path, name, tuple(map(int, shape)), kind)


@dataclass(frozen=True, slots=True)
class Variable73:
    """Variable of a file of version 7.3, which stores the last axis first."""

    name: str
    kind: str
    parts: dict[str, Hdf5Array]  # the array itself, or the parts of a sparse matrix
    rows: int | None = None  # of a sparse matrix

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape in MATLAB."""
        if self.rows is not None:
            return (self.rows, self.parts["jc"].shape[0] - 1)
        return self.parts[""].shape[::-1] if self.parts else ()

    def read(self) -> np.ndarray[Any, Any]:
        """Return its values."""
        values = {key: part.read(transposed=True) for key, part in self.parts.items()}
        if self.rows is None:
            if self.parts[""].dataset.attrs.get(MATLAB_EMPTY, 0):
                raise ValueError("it must not be empty")
            return values[""]
        none = np.zeros(0)  # a matrix of zeros has no values and no rows of values
        return dense(values.get("data", none), values.get("ir", none), values["jc"], self.shape)


def _variables_of_hdf5(opened: Hdf5) -> Iterator[Variable73]:
    """Yield the variables of a file of version 7.3, without what they refer to."""
    file, h5py = opened.file, opened.h5py
    for name in file:
        link = file.get(name, getlink=True)
        if name.startswith("#") or not isinstance(link, h5py.HardLink):
            continue
        item = file[name]
        kind = item.attrs.get(MATLAB_CLASS, b"struct")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        numbers = kind in NUMBERS or kind == LOGICAL
        if numbers and isinstance(item, h5py.Dataset):
            yield Variable73(name, kind, {"": opened.array(name)})
        elif numbers and MATLAB_SPARSE in item.attrs and "jc" in item:
            keys = [key for key in ("data", "ir", "jc") if key in item]
            parts = {key: opened.array(f"{name}/{key}") for key in keys}
            yield Variable73(name, SPARSE, parts, int(item.attrs[MATLAB_SPARSE]))
        else:
            yield Variable73(name, "cell" if numbers or kind == TEXT else kind, {})
