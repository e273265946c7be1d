"""Arrays of numpy's own files, checked before any memory is taken for them."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from gazesal.datasets._arguments import require_sane_shape

__all__ = ["Header", "open_npz", "read_header", "read_npy", "require_plain_members"]

CHUNK = 2**20  # bytes that are skipped at once
SUFFIX = ".npy"  # of the members of an archive
LONGEST_HEADER = 10_000  # bytes; numpy reads no longer ones of files that it does not trust
HEADERS = {  # bytes of the length of a header, and how it is read, by version
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
Header = tuple[tuple[int, ...], bool, "np.dtype[Any]"]  # shape, Fortran order and dtype


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Return the array of a ``.npy`` file; a ValueError names the file."""
    try:
        with path.open("rb") as file:
            archive = file.read(2) == b"PK"
            file.seek(0)
            if not archive:
                return _read_array(file)
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file fails in as many ways as it has parts
        raise ValueError(f"{path}: cannot be read as a .npy array: {error}") from error
    raise ValueError(f"{path}: must hold one array, got an archive of several.")


def read_header(file: IO[bytes]) -> Header:
    """Return shape, Fortran order and dtype of an array, whose values the file holds next."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"it is of version {version[0]}.{version[1]}, which no plain array has")
    width, parse = HEADERS[version]
    length = file.read(width)
    header = file.read(min(int.from_bytes(length, "little"), LONGEST_HEADER))
    if b"\\" in header:  # Python would warn of escapes, without a word of the file
        raise ValueError("its header has a backslash")
    shape, fortran, dtype = parse(io.BytesIO(length + header))
    if any(side < 0 for side in shape):
        raise ValueError(f"its shape must not be negative, got {shape}")
    return shape, fortran, dtype


def _read_array(file: IO[bytes], row: int | None = None) -> np.ndarray[Any, Any]:
    """Return the array of an open file, or a row of it, if the file holds what it claims."""
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded: they are pickled")
    if row is not None and fortran:  # whose rows lie scattered
        raise ValueError("a stack must be stored in C order: np.ascontiguousarray(stack)")
    if row is not None:
        if not 0 <= row < shape[0]:
            raise ValueError(f"it has no row {row}, but {shape[0]} rows")
        shape, n_rows = shape[1:], shape[0]
    require_sane_shape(shape)
    size = math.prod(shape) * dtype.itemsize
    if row is not None:
        _skip(file, row * size)
    data = file.read(size)
    # to the end, where an archive compares its checksum
    rest = _skip(file, None)
    wanted = 0 if row is None else (n_rows - 1 - row) * size
    if len(data) != size or rest != wanted:
        raise ValueError(f"its length does not fit {dtype} of shape {shape}")
    array = np.frombuffer(bytearray(data), dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _skip(file: IO[bytes], size: int | None) -> int:
    """Read on without keeping anything, to the end of the file or by some bytes."""
    done = 0
    while size is None or done < size:
        step = len(file.read(CHUNK if size is None else min(CHUNK, size - done)))
        if not step:
            break
        done += step
    return done


def require_plain_members(archive: zipfile.ZipFile) -> None:
    """Raise if a member is packed in another way than by deflate, as numpy and pandas write it."""
    for member in archive.infolist():
        # zipfile unpacks the others, which shrink zeros a million times, without any limit
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError(
                f"its member {member.filename!r:.60} must be stored or deflated, got zip method "
                f"{member.compress_type}; write the archive again"
            )


@contextmanager
def open_npz(path: Path) -> Iterator[dict[str, NpzMember]]:
    """Open a ``.npz`` archive; its arrays by name."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        require_plain_members(archive)
        members = {name.removesuffix(SUFFIX): NpzMember(archive, name) for name in names}
        if len(members) < len(names):
            raise ValueError("it has two arrays of one name")
        yield members


class NpzMember:
    """An array of an open archive."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name

    def header(self) -> Header:
        """Return its shape, Fortran order and dtype."""
        with self._archive.open(self._name) as file:
            return read_header(file)

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return its values, or those of one row."""
        with self._archive.open(self._name) as file:
            return _read_array(file, row)
