"""One saliency map out of an archive of many: .npz, HDF5 and zarr."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gazesal._files import written
from gazesal._validation import as_map, require_finite
from gazesal.typing import FloatArray

__all__ = ["STORES", "StoredArray", "StoredMap", "open_store"]


class StoredArray(Protocol):
    """What an array in a store says of itself before it is read."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def is_text(self) -> bool: ...

    @property
    def labels(self) -> list[str] | None:
        """Names of its rows, where an attribute ``images`` has them."""

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """The values, of one row where one is given."""


class Store(Protocol):
    """An open file of arrays."""

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        """Every array with its name, in the order of the file."""

    def array(self, key: str) -> StoredArray:
        """One of them; a KeyError where there is none."""


@dataclass(frozen=True, slots=True)
class StoredMap:
    """The map of one image in an archive or store, read when it is called.

    It holds no open file, so that another process can be sent it and opens the file itself.

    Attributes
    ----------
    path : pathlib.Path
        The ``.npz``, ``.h5``, ``.hdf5`` or ``.zarr``.
    key : str
        Name of the array in it.
    row : int, optional
        Position in the array, where that is a stack of the maps of many images.
    """

    path: Path
    key: str
    row: int | None = None

    def __call__(self) -> FloatArray:
        """Return the map, shape (H, W), with the values as stored."""
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path}: there is no such file of maps.")
        try:
            with open_store(self.path) as store:
                values = store.array(self.key).read(self.row)
        except KeyError:
            raise ValueError(f"{self}: there is no such array.") from None
        except ImportError:
            raise
        except Exception as error:  # a broken store fails in as many ways as it has parts
            raise ValueError(f"{self}: cannot be read: {error}") from error
        try:
            array = as_map(values, name="map")
            require_finite(array, name="map")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self}: {error}") from error
        return array

    @property
    def fingerprint(self) -> str:
        """What the map is known by: file and place in it, and when the file was written.

        Of a zarr store, which is a folder, the files are those of the chunks that the map lies in
        and the description of its array.
        """
        if not self.path.is_dir():
            return f"{self}, {written(self.path)}"
        files = _files_of_zarr(self.path / self.key, self.row)
        facts = "\n".join(f"{file.name} {written(file)}" for file in files)
        known = hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()
        return f"{self}, {len(files)} files, {known}"

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.path}, {self.key or 'the array'!r}{row}"


def _files_of_zarr(folder: Path, row: int | None) -> list[Path]:
    """The files that an array of zarr, or one row of it, lies in, and its description.

    Named and not listed, since a stack of many images may have a file for each; all that lie in
    the folder where the description is none that is known here.
    """
    try:
        described = folder / "zarr.json"
        if described.is_file():
            facts = json.loads(described.read_text("utf-8"))
            chunks = facts["chunk_grid"]["configuration"]["chunk_shape"]
            encoding = facts["chunk_key_encoding"]
            prefix = {"default": ("c",), "v2": ()}[encoding["name"]]
            usual = "/" if prefix else "."
            separator = encoding.get("configuration", {}).get("separator", usual)
        else:
            described = folder / ".zarray"
            facts = json.loads(described.read_text("utf-8"))
            chunks, prefix = facts["chunks"], ()
            separator = facts.get("dimension_separator", ".")
        grid = [range(-(-n // size)) for n, size in zip(facts["shape"], chunks, strict=True)]
        if row is not None:
            grid[0] = range(row // chunks[0], row // chunks[0] + 1)
    except (OSError, ValueError, KeyError, IndexError, TypeError, ZeroDivisionError):
        return sorted(path for path in folder.rglob("*") if path.is_file())
    names = (separator.join([*prefix, *map(str, place)]) for place in product(*grid))
    return [described, *(folder / name for name in names)]


def open_store(path: Path) -> AbstractContextManager[Store]:
    """Open a file of maps by its suffix, to be read and closed again."""
    return _OPENERS[path.suffix.lower()](path)


@contextmanager
def _open_npz(path: Path) -> Iterator[Store]:
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise ValueError("it holds one array without a name, as a .npy file does")  # noqa: TRY004
    with archive:
        yield _Npz(archive)


@dataclass(frozen=True, slots=True)
class _Npz:
    file: Any

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        return ((key, _NpzArray(self.file, key)) for key in self.file.files)

    def array(self, key: str) -> StoredArray:
        if key not in self.file.files:
            raise KeyError(key)
        return _NpzArray(self.file, key)


@dataclass(frozen=True, slots=True)
class _NpzArray:
    """An array of an archive, whose shape is known only to who reads it: taken for a map."""

    file: Any
    key: str
    shape: tuple[int, ...] = (-1, -1)
    is_text: bool = False
    labels: None = None

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        values = self.file[self.key]
        if not isinstance(values, np.ndarray):
            raise ValueError("it is no array")  # noqa: TRY004
        return values if row is None else np.asarray(values[row])


@contextmanager
def _open_hdf5(path: Path) -> Iterator[Store]:
    try:
        import h5py  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            f"{path}: reading HDF5 needs h5py: pip install 'gazesal[hdf5]'."
        ) from error
    with h5py.File(path, "r") as file:
        yield _Hdf5(file, h5py)


@dataclass(frozen=True, slots=True)
class _Hdf5:
    file: Any
    h5py: Any

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        found: list[tuple[str, StoredArray]] = []

        def keep(name: str, item: Any) -> None:
            if isinstance(item, self.h5py.Dataset):
                found.append((name, _Hdf5Array(item, self.h5py)))

        self.file.visititems(keep)  # which follows no link to another file
        return iter(found)

    def array(self, key: str) -> StoredArray:
        parent = self.file
        for name in key.split("/"):  # a link may stand anywhere on the way
            if isinstance(parent.get(name, getlink=True), self.h5py.ExternalLink):
                raise ValueError(  # noqa: TRY004
                    "it is a link to another file, which is not followed"
                )
            parent = parent[name]
        if not isinstance(parent, self.h5py.Dataset):
            raise KeyError(key)
        return _Hdf5Array(parent, self.h5py)


@dataclass(frozen=True, slots=True)
class _Hdf5Array:
    dataset: Any
    h5py: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return self.dataset.shape or ()

    @property
    def is_text(self) -> bool:
        return self.h5py.check_string_dtype(self.dataset.dtype) is not None

    @property
    def labels(self) -> list[str] | None:
        return _labels(self.dataset.attrs.get(LABELS))

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        if self.dataset.external or self.dataset.is_virtual:
            raise ValueError("its values lie in other files, which are not read")
        source = self.dataset.asstr() if self.is_text else self.dataset
        return np.asarray(source[() if row is None else row])


@contextmanager
def _open_zarr(path: Path) -> Iterator[Store]:
    try:
        import zarr  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            f"{path}: reading zarr needs zarr: pip install 'gazesal[zarr]'."
        ) from error
    root = zarr.open(str(path), mode="r")
    yield _Zarr(root, zarr)


@dataclass(frozen=True, slots=True)
class _Zarr:
    root: Any
    zarr: Any

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        if isinstance(self.root, self.zarr.Array):
            return iter([("", _ZarrArray(self.root))])
        members = sorted(self.root.members(max_depth=None))  # which come in the order of the disk
        return (
            (key, _ZarrArray(item)) for key, item in members if isinstance(item, self.zarr.Array)
        )

    def array(self, key: str) -> StoredArray:
        item = self.root if key == "" else self.root[key]
        if not isinstance(item, self.zarr.Array):
            raise KeyError(key)
        return _ZarrArray(item)


@dataclass(frozen=True, slots=True)
class _ZarrArray:
    item: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.item.shape)

    @property
    def is_text(self) -> bool:
        return self.item.dtype.kind in "UST"

    @property
    def labels(self) -> list[str] | None:
        return _labels(self.item.attrs.get(LABELS))

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self.item[... if row is None else row])


def _labels(value: Any) -> list[str] | None:
    if value is None:
        return None
    return [each.decode() if isinstance(each, bytes) else str(each) for each in value]


LABELS = "images"  # attribute of a stack that names the images of its rows
_OPENERS: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    ".npz": _open_npz,
    ".h5": _open_hdf5,
    ".hdf5": _open_hdf5,
    ".zarr": _open_zarr,
}
STORES = tuple(_OPENERS)
