"""Read arrays of MATLAB files of version 5, the default of MATLAB and of SciPy.

SciPy's reader (1.17) is not used, because it crashes on damaged files: it takes the number of a
type from the file as an index into memory.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gazesal.datasets._arguments import require_sane_shape

__all__ = [
    "NUMBERS",
    "SPARSE",
    "TEXT",
    "Element",
    "Variable5",
    "dense",
    "element_at",
    "is_version_5",
    "sparse_parts",
    "variables_of",
]

HEADER = 128  # bytes before the first variable
ORDERS: dict[bytes, Literal["<", ">"]] = {b"IM": "<", b"MI": ">"}
COMPRESSED, MATRIX = 15, 14  # types of the elements of a file
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
NAMES_LAST = {16, 17}  # classes of functions and objects, which have no dimensions
CLASSES = {
    1: "cell",
    2: "struct",
    3: "object",
    4: "char",
    5: "sparse",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
    16: "function",
    17: "object",
}
SPARSE, TEXT = "sparse", "char"
NUMBERS = {name for code, name in CLASSES.items() if 6 <= code <= 15}
COMPLEX, LOGICAL = 0x800, 0x200  # flags of an array
PREFIX = 4096  # bytes that hold the class, the dimensions and the name of a variable
MOST_DIMENSIONS = 32


@dataclass(frozen=True, slots=True)
class Variable5:
    """Variable of a file, with its place in it.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    order : {"<", ">"}
        Byte order of the file.
    start, length : int
        Place of the variable in the file, in bytes.
    compressed : bool
        True if it is compressed.
    name, kind : str
        Its name, and its class in MATLAB.
    shape : tuple of int
        Its shape.
    """

    path: Path
    order: Literal["<", ">"]
    start: int
    length: int
    compressed: bool
    name: str
    kind: str
    shape: tuple[int, ...]

    def read(self) -> np.ndarray[Any, Any]:
        """Return the values, or the text of each row."""
        require_sane_shape(self.shape)
        count = math.prod(self.shape)
        # a complex value has 16 bytes, and a sparse one 20, with the number of its row
        most = PREFIX + 20 * count + 8 * sum(self.shape)
        with self.path.open("rb") as file:
            file.seek(self.start)
            data = file.read(min(self.length, most) if not self.compressed else self.length)
        if self.compressed:
            stream = zlib.decompressobj()
            data = stream.decompress(data, most)
            if not stream.eof:
                raise ValueError("it is truncated or larger than its values")
            data = data[8:]  # the type and the length of the element in the compressed one
        flags, at = element_at(data, 0, self.order)
        _, at = element_at(data, at, self.order)
        _, at = element_at(data, at, self.order)
        if int(flags.values("u4")[0]) & COMPLEX:
            raise ValueError("it must be of real numbers, got complex ones")
        if self.kind == SPARSE:
            word = int(flags.values("u4")[0])
            return dense(*sparse_parts(data, at, self.order, word), self.shape)
        part, _ = element_at(data, at, self.order)
        if self.kind == TEXT:
            return self._rows(part)
        values = part.values()
        if len(values) != count:
            raise ValueError(f"it must have {count} values, got {len(values)}")
        return values.reshape(self.shape, order="F")

    def _rows(self, part: Element) -> np.ndarray[Any, Any]:
        encoding = ENCODINGS.get(part.kind, "")
        if not encoding:
            raise ValueError(f"its text must have a known encoding, got type {part.kind}")
        if encoding in {"utf-16", "utf-32"}:
            encoding += "-le" if self.order == "<" else "-be"
        letters = list(bytes(part.data).decode(encoding))
        if len(letters) != math.prod(self.shape) or len(self.shape) != 2:
            raise ValueError(f"its text must have the shape {self.shape}")
        lines = np.reshape(np.array(letters, dtype="U1"), self.shape, order="F")
        return np.array(["".join(line) for line in lines.tolist()])


def is_version_5(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is of version 5."""
    return len(head) >= HEADER and 0 not in head[:4] and head[126:128] in ORDERS


def variables_of(path: Path) -> Iterator[Variable5]:
    """Yield the variables of a file, without their values."""
    size = path.stat().st_size
    with path.open("rb") as file:
        order = ORDERS[file.read(HEADER)[126:]]
        at = HEADER
        while at < size:
            file.seek(at)
            tag = np.frombuffer(file.read(8), f"{order}u4")
            if len(tag) < 2 or at + 8 + int(tag[1]) > size:
                raise ValueError("the file is truncated")
            kind, length = map(int, tag)
            head = file.read(min(length, PREFIX))
            if kind == COMPRESSED:
                head = zlib.decompressobj().decompress(head, PREFIX)
                kind = int(np.frombuffer(head[:4], f"{order}u4")[0]) if len(head) >= 8 else 0
                head = head[8:]
                compressed = True
            else:
                compressed = False
            if kind != MATRIX:
                raise ValueError(f"the file is damaged: an element has type {kind}")
            yield _described(path, order, at + 8, length, compressed, head)
            at += 8 + length


def _described(
    path: Path,
    order: Literal["<", ">"],
    start: int,
    length: int,
    compressed: bool,
    head: bytes,
) -> Variable5:
    """Return a variable from its first bytes."""
    flags, at = element_at(head, 0, order)
    code = int(flags.values("u4")[0]) & 0xFF
    kind = CLASSES.get(code)
    if kind is None:
        raise ValueError(f"the file is damaged: a variable has class {code}")
    if code in NAMES_LAST:
        return Variable5(path, order, start, length, compressed, "", kind, ())
    dimensions, at = element_at(head, at, order)
    shape = tuple(map(int, dimensions.values("i4")))
    name, _ = element_at(head, at, order)
    if not 2 <= len(shape) <= MOST_DIMENSIONS or min(shape) < 0:
        raise ValueError(f"the file is damaged: a variable has shape {shape[:9]}")
    return Variable5(
        path, order, start, length, compressed, bytes(name.data).decode("latin-1"), kind, shape
    )


@dataclass(frozen=True, slots=True)
class Element:
    """Part of a variable: its type and its bytes."""

    kind: int
    data: bytes | memoryview
    order: Literal["<", ">"]

    def values(self, dtype: str | None = None) -> np.ndarray[Any, Any]:
        """Return its numbers, which must be of a type if one is given."""
        found = TYPES.get(self.kind)
        if found is None or (dtype is not None and found != dtype) or (not self.data and dtype):
            raise ValueError(f"the file is damaged: a part has type {self.kind}")
        return np.frombuffer(self.data, f"{self.order}{found}")


def element_at(data: bytes | memoryview, at: int, order: Literal["<", ">"]) -> tuple[Element, int]:
    """Return the element at a place, and the place after it."""
    if len(data) < at + 8:
        raise ValueError("a variable is truncated")
    first, length = struct.unpack_from(f"{order}II", data, at)
    if first >> 16:  # up to four bytes are stored in the tag
        kind, length, start, end = first & 0xFFFF, first >> 16, at + 4, at + 8
    else:
        kind, start = first, at + 8
        end = start + length + (-length) % 8
    if start + length > len(data) or (first >> 16 and length > 4):
        raise ValueError("a variable is truncated")
    return Element(kind, data[start : start + length], order), end


def sparse_parts(
    data: bytes | memoryview, at: int, order: Literal["<", ">"], flags: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the values of a sparse matrix, the row of each and the start of each column."""
    rows, at = element_at(data, at, order)
    starts, at = element_at(data, at, order)
    part, _ = element_at(data, at, order)
    columns = starts.values().astype(np.int64)
    n = int(columns[-1]) if len(columns) else -1  # beyond it, MATLAB may have reserved room
    # MATLAB stores logical values as bytes, but gives the type of doubles
    as_bytes = flags & LOGICAL and len(part.data) == n
    values = np.frombuffer(part.data, np.bool_) if as_bytes else part.values()
    if not 0 <= n <= min(len(rows.values()), len(values)):
        raise ValueError("its sparse matrix is damaged")
    return values[:n], rows.values()[:n], columns


def dense(
    values: np.ndarray[Any, Any],
    rows: np.ndarray[Any, Any],
    starts: np.ndarray[Any, Any],
    shape: tuple[int, ...],
) -> np.ndarray[Any, Any]:
    """Return a sparse matrix of MATLAB, with the row of each value and the start of each column.

    Indices are checked, because SciPy writes outside its memory for indices beyond the shape.
    """
    from scipy.sparse import csc_array  # noqa: PLC0415 (slow to import, and seldom needed)

    require_sane_shape(shape)
    if len(shape) != 2:
        raise ValueError(f"a sparse matrix must have two dimensions, got {shape}")
    parts = (np.asarray(values), rows.astype(np.int64), starts.astype(np.int64))
    matrix = csc_array(parts, shape=(shape[0], shape[1]))
    matrix.check_format(full_check=True)
    return np.asarray(matrix.toarray())
