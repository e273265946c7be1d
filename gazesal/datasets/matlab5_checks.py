"""Check MATLAB files of version 5 before SciPy or mat-io reads their structs and cells.

Both libraries (SciPy 1.17, mat-io 1.0) take the number of a type from the file as an index into
memory, reserve memory for any number of cells that a file claims, and unpack any number of zeros.
So a damaged file can end Python. These checks compare each part with the part that contains it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from gazesal.datasets._arguments import MOST_NAMES, require_sane_shape
from gazesal.datasets.matlab5_files import (
    CLASSES,
    COMPLEX,
    COMPRESSED,
    ENCODINGS,
    HEADER,
    MATRIX,
    MOST_DIMENSIONS,
    ORDERS,
    SPARSE,
    TEXT,
    Element,
    dense,
    element_at,
    sparse_parts,
)

__all__ = ["require_intact"]

Order = Literal["<", ">"]
DEEPEST = 64  # structs within structs; the libraries call themselves for each
SMALLEST = 8  # bytes of a part
OPAQUE, FUNCTION = 17, 16  # classes without dimensions, or with one part
UNPACKED = 2**27  # bytes that a variable may have
RATIO = 100  # or how many times its compressed size


def require_intact(path: Path) -> None:
    """Raise a ValueError if a part of a file does not fit into the part that contains it."""
    data = memoryview(path.read_bytes())
    order = ORDERS[bytes(data[126:HEADER])]
    for outer, content in _elements(data[HEADER:], order):
        inner = _elements(_unpacked(content), order) if outer == COMPRESSED else [(outer, content)]
        for kind, variable in inner:
            _require(kind == MATRIX, f"an element has type {kind}")
            _check(variable, order, 0)


def _require(good: bool, fault: str) -> None:
    if not good:
        raise ValueError(f"the file is damaged: {fault}")


def _elements(data: memoryview, order: Order) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the bytes of each element, whose length need not be padded."""
    at = 0
    while at < len(data):
        tag = Element(6, data[at : at + 8], order).values()
        if len(tag) < 2 or at + 8 + int(tag[1]) > len(data):
            raise ValueError("the file is truncated")
        yield int(tag[0]), data[at + 8 : at + 8 + int(tag[1])]
        at += 8 + int(tag[1])


def _unpacked(packed: memoryview) -> memoryview:
    most = max(UNPACKED, RATIO * len(packed))
    stream = zlib.decompressobj()
    data = stream.decompress(packed, most)
    if not stream.eof:
        raise ValueError(f"a variable is truncated, or unpacks to more than {most} bytes")
    return memoryview(data)


def _check(data: memoryview, order: Order, depth: int) -> None:
    """Check a variable, or a part of a cell or struct."""
    if not len(data):  # an empty array
        return
    _require(depth < DEEPEST, f"its structs are nested {DEEPEST} times")
    flags, at = element_at(data, 0, order)
    word = int(flags.values("u4")[0])
    code, is_complex = word & 0xFF, bool(word & COMPLEX)
    kind = CLASSES.get(code, "")
    _require(bool(kind), f"a variable has class {code}")
    if code == OPAQUE:
        for _ in range(3):  # the names of the variable, its system of types and its class
            _, at = element_at(data, at, order)
        _check_parts(data, at, order, 1, depth)
        return
    dimensions, at = element_at(data, at, order)
    shape = tuple(map(int, dimensions.values()))
    _require(1 <= len(shape) <= MOST_DIMENSIONS and min(shape) >= 0, f"a shape is {shape[:9]}")
    require_sane_shape(shape, most=MOST_NAMES if kind == TEXT else 2**28)
    count = math.prod(shape)
    name, at = element_at(data, at, order)
    if kind == "cell":
        _check_parts(data, at, order, count, depth)
    elif kind in {"struct", "object"}:
        if kind == "object":
            _, at = element_at(data, at, order)
        fields, at = _number_of_fields(data, at, order)
        _check_parts(data, at, order, count * fields, depth)
    elif code == FUNCTION:
        _check_parts(data, at, order, int(at < len(data)), depth)
    elif kind == TEXT:
        part, _ = element_at(data, at, order)
        _require(part.kind in ENCODINGS or not len(part.data), f"a text has type {part.kind}")
    elif kind == SPARSE:
        dense(*sparse_parts(data, at, order, word), shape)
    else:
        values, at = element_at(data, at, order)
        values.values()
        if is_complex:
            element_at(data, at, order)[0].values()
        if depth == 0 and not len(name.data) and kind == "uint8":
            _check_objects(values.data)


def _number_of_fields(data: memoryview, at: int, order: Order) -> tuple[int, int]:
    """Return the number of fields of a struct, and the place after their names."""
    width, at = element_at(data, at, order)
    names, at = element_at(data, at, order)
    size = int(width.values("i4")[0])
    _require(size > 0 and len(names.data) % size == 0, "names of fields have no length")
    n = len(names.data) // size
    ends = [bytes(names.data[size * k : size * (k + 1)]) for k in range(n)]
    _require(all(b"\0" in each for each in ends), "the name of a field has no end")
    return n, at


def _check_parts(data: memoryview, at: int, order: Order, count: int, depth: int) -> None:
    """Check a number of variables within another."""
    _require(count <= len(data) // SMALLEST, f"{count} parts are in {len(data)} bytes")
    for _ in range(count):
        part, at = element_at(data, at, order)
        _require(part.kind == MATRIX, f"a part has type {part.kind}")
        _check(memoryview(part.data), order, depth + 1)


def _check_objects(data: bytes | memoryview) -> None:
    """Check the variables of the objects in a file, which are bytes of a file without a header."""
    order = ORDERS.get(bytes(data[2:4]))
    if order is not None:
        for kind, content in _elements(memoryview(data)[8:], order):
            if kind == MATRIX:
                _check(content, order, 1)
