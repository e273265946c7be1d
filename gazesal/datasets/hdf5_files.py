"""Read arrays of an HDF5 file, without other files and plugins that it refers to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._arguments import (
    MOST_NAMES,
    MOST_VALUES,
    require_sane_bytes,
    require_sane_shape,
)
from gazesal.datasets._stored_values import LABELS, as_labels, require_plain_values

__all__ = ["open_hdf5"]

# Filters within the HDF5 library and h5py: deflate, shuffle, fletcher32, szip, nbit, scaleoffset
# and lzf. For other filters, HDF5 would load a plugin, which is a program, from system folders.
FILTERS = {1, 2, 3, 4, 5, 6, 32000}


@contextmanager
def open_hdf5(path: Path) -> Iterator[Hdf5]:
    """Open an HDF5 file for reading."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"{path}: reading HDF5 needs h5py: pip install 'gazesal[hdf5]'."
        ) from error
    with h5py.File(path, "r") as file:
        yield Hdf5(file, h5py)


@dataclass(frozen=True, slots=True)
class Hdf5:
    """Open file of arrays."""

    file: Any
    h5py: Any

    def arrays(self) -> Iterator[tuple[str, Hdf5Array]]:
        """Return every array with its name, in the order of the file."""
        found: list[tuple[str, Hdf5Array]] = []

        def keep(name: str, item: Any) -> None:
            if isinstance(item, self.h5py.Dataset):
                found.append((name, Hdf5Array(item, self.h5py)))

        self.file.visititems(keep)  # follows only hard links
        return iter(found)

    def array(self, key: str) -> Hdf5Array:
        """Return the array with this name, and raise a KeyError if it is absent."""
        item = self.file
        for name in key.removeprefix("/").split("/"):
            if name in {"", ".", ".."} or not isinstance(item, self.h5py.Group):
                raise KeyError(key)
            link = item.get(name, getlink=True)
            if link is None:
                raise KeyError(key)
            # a soft link can lead to an external link
            if not isinstance(link, self.h5py.HardLink):
                raise ValueError(  # noqa: TRY004 (the content of a file)
                    f"{name!r} must not be a soft or external link, which can lead to another file"
                )
            item = item[name]
        if not isinstance(item, self.h5py.Dataset):
            raise KeyError(key)
        return Hdf5Array(item, self.h5py)


@dataclass(frozen=True, slots=True)
class Hdf5Array:
    """Array of an open file."""

    dataset: Any
    h5py: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, () if it has no values."""
        return self.dataset.shape or ()

    @property
    def is_text(self) -> bool:
        """True for text, False for numbers."""
        return self.h5py.check_string_dtype(self.dataset.dtype) is not None

    @property
    def labels(self) -> list[str] | None:
        """Names of its rows in its attribute ``images``, None without it."""
        return as_labels(self.dataset.attrs.get(LABELS))

    def read(self, row: int | None = None, *, transposed: bool = False) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row.

        With `transposed`, the axes are reversed, as in files of MATLAB.
        """
        self._require_own_values()
        dtype = self.dataset.dtype
        enum = self.h5py.check_enum_dtype(dtype)  # None for h5py's own booleans
        if enum or (dtype.kind not in "fiub" and not self.is_text):
            raise ValueError(f"it must be of real numbers, got {'an enum' if enum else dtype}")
        most = MOST_NAMES if self.is_text else MOST_VALUES
        shape = self.shape if row is None else self.shape[1:]
        require_sane_shape(shape, most=most)
        require_sane_bytes(shape, dtype.itemsize)
        source = self.dataset.asstr() if self.is_text else self.dataset
        values = np.asarray(source[() if row is None else row])
        require_plain_values(values, self.dataset.attrs, transposed=transposed)
        return values.T if transposed else values

    def _require_own_values(self) -> None:
        """Raise if the values are in other files or need a plugin."""
        layout = self.dataset.id.get_create_plist()
        if self.dataset.is_virtual or layout.get_external_count():
            raise ValueError("its values must be in the file itself, got references to others")
        for place in range(layout.get_nfilters()):
            number = layout.get_filter(place)[0]
            if number not in FILTERS:
                raise ValueError(
                    f"its filters must not be plugins of HDF5, got filter {number}. Write it with "
                    "gzip or lzf"
                )
