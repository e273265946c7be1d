"""Read arrays of a zarr store, whose descriptions are checked before zarr reads them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from gazesal.datasets._arguments import (
    MOST_NAMES,
    MOST_VALUES,
    require_sane_bytes,
    require_sane_shape,
)
from gazesal.datasets._json import parse_json
from gazesal.datasets._stored_values import LABELS, as_labels, require_plain_values
from gazesal.datasets.zarr_descriptions import ZarrLayout, layout_of_array

__all__ = ["files_of_zarr", "open_zarr"]

DESCRIPTIONS = ("zarr.json", ".zarray", ".zgroup")
MOST_CHUNKS = 2**17  # of one map; a damaged description claims any number
# Header of a Blosc chunk: flags, decoded bytes and bytes of the chunk. The flag marks bytes that
# are copied without compression.
BLOSC_HEADER = struct.Struct("<2xBxI4xI")
BLOSC_COPIED = 2
LONGEST = 2**24  # bytes of a description, whose attributes may name the images of a stack


@contextmanager
def open_zarr(path: Path) -> Iterator[Zarr]:
    """Open a zarr store, a folder, for reading."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"{path}: reading zarr needs zarr: pip install 'gazesal[zarr]'."
        ) from error
    if not path.is_dir():
        raise ValueError("it must be a folder, got a file")
    yield Zarr(path, zarr)


@dataclass(frozen=True, slots=True)
class Zarr:
    """Open store of arrays."""

    root: Path
    zarr: Any

    def arrays(self) -> Iterator[tuple[str, ZarrArray]]:
        """Return every array with its name, sorted."""
        described = _describe(self.root, self.root)
        if described is None:
            raise ValueError(f"it must have one of {', '.join(DESCRIPTIONS)}")
        return self._arrays_in(self.root, "", described)

    def _arrays_in(
        self, folder: Path, key: str, described: _Description
    ) -> Iterator[tuple[str, ZarrArray]]:
        if described.layout is not None:
            yield key, ZarrArray(self.root, folder, described, self.zarr)
            return
        for child in sorted(folder.iterdir()):
            if child.name.startswith(".") or not child.is_dir() or not _inside(self.root, child):
                continue
            inner = _describe(self.root, child)
            if inner is not None:
                yield from self._arrays_in(child, f"{key}/{child.name}".lstrip("/"), inner)

    def array(self, key: str) -> ZarrArray:
        """Return the array with this name, and raise a KeyError if it is absent."""
        folder = _folder_of(self.root, key)
        described = _describe(self.root, folder)
        if described is None or described.layout is None:
            raise KeyError(key)
        return ZarrArray(self.root, folder, described, self.zarr)


@dataclass(frozen=True, slots=True)
class _Description:
    """Description of a node, whose layout is None for a group."""

    file: Path
    layout: ZarrLayout | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ZarrArray:
    """Array of an open store."""

    root: Path
    folder: Path
    described: _Description
    zarr: Any

    @property
    def _layout(self) -> ZarrLayout:
        assert self.described.layout is not None  # noqa: S101  (for the types)
        return self.described.layout

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self._layout.shape

    @property
    def is_text(self) -> bool:
        """True for text, False for numbers."""
        return self._layout.is_text

    @property
    def labels(self) -> list[str] | None:
        """Names of its rows in its attribute ``images``, None without it."""
        return as_labels(self.described.attributes.get(LABELS))

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        layout = self._layout
        most = MOST_NAMES if layout.is_text else MOST_VALUES
        shape = layout.shape if row is None else layout.shape[1:]
        require_sane_shape(shape, most=most)
        for file in _chunks(self.folder, layout, row):
            if not _inside(self.root, file):
                raise ValueError(f"{file} must be in the store, got a link to another folder")
            if not layout.has_fill and not file.is_file():
                raise ValueError(f"{file} is missing, and the array has no fill value")
            if layout.is_blosc and file.is_file():
                _require_sound_blosc(file)
        store = self.zarr.storage.LocalStore(self.folder, read_only=True)
        item = self.zarr.open_array(store=store, mode="r", zarr_format=layout.version)
        for claimed in (shape, layout.chunks):
            require_sane_bytes(claimed, item.dtype.itemsize)
        values = np.asarray(item[... if row is None else row])
        require_plain_values(values, self.described.attributes)
        return values


def _require_sound_blosc(file: Path) -> None:
    """Raise unless the header of a Blosc chunk fits its file, beyond which Blosc would read."""
    size = file.stat().st_size
    with file.open("rb") as chunk:
        header = chunk.read(BLOSC_HEADER.size)
    if len(header) < BLOSC_HEADER.size:
        raise ValueError(f"{file} is truncated")
    flags, plain, packed = BLOSC_HEADER.unpack(header)
    require_sane_shape((plain,))
    if packed != size or (flags & BLOSC_COPIED and plain + BLOSC_HEADER.size != packed):
        raise ValueError(f"{file} is damaged: its header does not fit its {size} bytes")


def files_of_zarr(root: Path, key: str, row: int | None) -> list[Path]:
    """Return the files of the chunks of an array, or of one row of it, and of its description.

    They are computed instead of listed, because a stack may have a file for each of many images.
    All files of the folder are returned if its description cannot be read.
    """
    try:
        folder = _folder_of(root, key)
        described = _describe(root, folder)
        if described is None or described.layout is None:
            raise KeyError(key)  # noqa: TRY301 (as a missing array)
        return [described.file, *_chunks(folder, described.layout, row)]
    except (OSError, ValueError, KeyError, IndexError):
        return sorted(path for path in (root / key).rglob("*") if path.is_file())


def _folder_of(root: Path, key: str) -> Path:
    """Return the folder of a node, and raise a KeyError for a path that leaves the root."""
    if not key:
        return root
    parts = key.removeprefix("/").split("/")
    outside = any(part in {"", ".", ".."} for part in parts) or PureWindowsPath(key).drive
    if outside or "\\" in key or "\0" in key:
        raise KeyError(key)
    folder = root.joinpath(*parts)
    if not folder.is_dir():
        raise KeyError(key)
    if not _inside(root, folder):
        raise ValueError("it must be in the store, got a link to another folder")
    return folder


def _inside(root: Path, path: Path) -> bool:
    """Return whether a path is below the root after links are followed."""
    return path.resolve().is_relative_to(root.resolve())


def _describe(root: Path, folder: Path) -> _Description | None:
    """Return the description of a node, or None without one.

    Only the files of the node itself are read, and zarr opens only the array. Consolidated metadata
    of a group, which may differ, are never used.
    """
    there = [folder / name for name in DESCRIPTIONS if (folder / name).exists()]
    if not there:
        return None
    if len(there) > 1:
        raise ValueError(
            f"{folder} must have one description, got {' and '.join(each.name for each in there)}"
        )
    described = _read_json(root, there[0])
    if there[0].name == "zarr.json":
        attributes = described.get("attributes", {})
        if described.get("node_type") == "group":
            return _Description(there[0], None, {})
    elif there[0].name == ".zgroup":
        return _Description(there[0], None, {})
    else:
        attributes = _read_json(root, folder / ".zattrs") if (folder / ".zattrs").exists() else {}
    if not isinstance(attributes, dict):
        raise ValueError(f"{there[0]}: its attributes must be an object")  # noqa: TRY004 (the content of a file)
    version = 3 if there[0].name == "zarr.json" else 2
    try:
        layout = layout_of_array(described, version)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{there[0]} is not a description of zarr: {error!r}") from error
    except ValueError as error:
        raise ValueError(f"{there[0]}: {error}") from error
    return _Description(there[0], layout, attributes)


def _read_json(root: Path, file: Path) -> dict[str, Any]:
    if not _inside(root, file):
        raise ValueError(f"{file} must be in the store, got a link to another folder")
    if file.stat().st_size > LONGEST:
        raise ValueError(f"{file} must have at most {LONGEST} bytes, got {file.stat().st_size}")
    try:
        found = parse_json(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not a description of zarr: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} is not a description of zarr")  # noqa: TRY004 (the content of a file)
    return found


def _chunks(folder: Path, layout: ZarrLayout, row: int | None) -> Iterator[Path]:
    """Yield the files of the chunks of an array, or of one row of it."""
    sizes = layout.chunks
    grid = [range(-(-n // size)) for n, size in zip(layout.shape, sizes, strict=True)]
    if row is not None:
        if not 0 <= row < layout.shape[0]:
            raise IndexError(f"its row must be from 0 to {layout.shape[0] - 1}, got {row}")
        grid[0] = range(row // sizes[0], row // sizes[0] + 1)
    if math.prod(map(len, grid)) > MOST_CHUNKS:
        raise ValueError(f"it must have at most {MOST_CHUNKS} chunks for one map, got more")
    for place in product(*grid):
        yield folder / layout.separator.join([*layout.prefix, *map(str, place or (0,))])
