"""Read arrays from .npy and .npz files, which are checked before memory is allocated."""

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

CHUNK = 2**20  # bytes that are skipped at once, and the memory that this takes
SUFFIX = ".npy"  # of the members of an archive
LONGEST_HEADER = 10_000  # bytes, the limit of numpy for files that are not trusted
HEADERS = {  # by version, the bytes of the length of a header and its parser
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
Header = tuple[tuple[int, ...], bool, "np.dtype[Any]"]  # shape, Fortran order and dtype


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Return the array of a ``.npy`` file, or raise a ValueError with the file."""
    try:
        with path.open("rb") as file:
            archive = file.read(2) == b"PK"
            file.seek(0)
            if not archive:
                return _read_array(file)
    except FileNotFoundError:
        raise
    except Exception as error:  # numpy raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as a .npy array: {error}") from error
    raise ValueError(f"{path}: must have one array, got an archive. Rename it to .npz.")


def read_header(file: IO[bytes]) -> Header:
    """Read the shape, Fortran order and dtype of an array, up to the beginning of its values."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"it must be of version 1.0 or 2.0, got {version[0]}.{version[1]}")
    width, parse = HEADERS[version]
    length = file.read(width)
    header = file.read(min(int.from_bytes(length, "little"), LONGEST_HEADER))
    if b"\\" in header:  # Python would warn of an invalid escape, without naming the file
        raise ValueError("its header must not have a backslash")
    shape, fortran, dtype = parse(io.BytesIO(length + header))
    if any(side < 0 for side in shape):
        raise ValueError(f"its shape must not be negative, got {shape}")
    return shape, fortran, dtype


def _read_array(file: IO[bytes], row: int | None = None) -> np.ndarray[Any, Any]:
    """Return the array of an open file, or a row of it, if its length fits its header."""
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded: they are pickled")
    if row is not None and fortran:  # in which the values of a row are not contiguous
        raise ValueError("a stack must be stored in C order. Use np.ascontiguousarray(stack)")
    if row is not None:
        if not 0 <= row < shape[0]:
            raise ValueError(f"its row must be from 0 to {shape[0] - 1}, got {row}")
        shape, n_rows = shape[1:], shape[0]
    require_sane_shape(shape)
    size = math.prod(shape) * dtype.itemsize
    if row is not None:
        _skip(file, row * size)
    data = file.read(size)
    # read to the end, at which zipfile compares the checksum
    rest = _skip(file, None)
    wanted = 0 if row is None else (n_rows - 1 - row) * size
    if len(data) != size or rest != wanted:
        raise ValueError(f"its length must fit {dtype} of shape {shape}, but it does not")
    array = np.frombuffer(bytearray(data), dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _skip(file: IO[bytes], size: int | None) -> int:
    """Skip a number of bytes, or the rest of the file, and return the number skipped."""
    done = 0
    while size is None or done < size:
        step = len(file.read(CHUNK if size is None else min(CHUNK, size - done)))
        if not step:
            break
        done += step
    return done


def require_plain_members(archive: zipfile.ZipFile) -> None:
    """Raise if a member is compressed by another method than deflate."""
    for member in archive.infolist():
        # zipfile unpacks other methods, which compress zeros a million times, without any limit
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError(
                f"its member {member.filename!r:.60} must be stored or deflated, got zip method "
                f"{member.compress_type}. Write the archive again"
            )


@contextmanager
def open_npz(path: Path) -> Iterator[dict[str, NpzMember]]:
    """Open a ``.npz`` archive and return its arrays by name."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        require_plain_members(archive)
        members = {name.removesuffix(SUFFIX): NpzMember(archive, name) for name in names}
        if len(members) < len(names):
            raise ValueError("its arrays must have different names")
        yield members


class NpzMember:
    """Array of an open archive."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name

    def header(self) -> Header:
        """Return its shape, Fortran order and dtype."""
        with self._archive.open(self._name) as file:
            return read_header(file)

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return its values, or the values of one row."""
        with self._archive.open(self._name) as file:
            return _read_array(file, row)
