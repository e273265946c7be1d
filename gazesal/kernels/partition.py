"""The pixels of a map in the order of their values, part by part, in little memory.

Pixels fall into cells by the leading bits of their keys (see `gazesal.kernels.cells`), neighbouring
cells into buckets, and runs of buckets into *slabs* of so many pixels at most. A slab is written
out and put in order before the next one, for which the map is read again: so the workspace is that
of a slab, whatever the size of the map.

Two kinds of buckets are too large for that. One of one value, as the zeros of many maps, needs no
order and is a part by itself. One of several values is a single cell: its pixels agree in their
leading bits, as most do in a map with an outlier, and are told apart by the next bits of their
keys, in cells of their own.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gazesal.kernels._jit import kernel
from gazesal.kernels.cells import key_of
from gazesal.kernels.moments import LANES, fold
from gazesal.typing import FloatArray, IntArray, Unsigned, UnsignedArray, WeightArray

BUCKET = 1 << 15  # pixels that a bucket of several cells may hold
STREAMS = 256  # buckets written to at once; more of them, and address translation costs more
TOO_LARGE = 16  # buckets of more than the pixels divided by this are parted further
MOSTLY = 4  # and those of one value with more than the pixels divided by this are not written out


class Slab(NamedTuple):
    """A run of buckets that is written out at once; buckets are those of its cells."""

    lowest: Unsigned  # key that cells are counted from
    shift: int  # low bits of a key that a cell drops
    last_cell: int  # pixels in cells beyond belong to other parts
    bucket_of_cell: UnsignedArray
    starts: IntArray  # of buckets first to last, and the end; from 0
    first: int
    last: int
    below: int  # pixels of smaller values

    def places(self) -> tuple[UnsignedArray, UnsignedArray]:
        """Where the next pixel of each bucket goes, and by how much that moves.

        Pixels of all other buckets go to one place after the last: always writing costs less than
        deciding.
        """
        n_buckets = int(self.bucket_of_cell.max()) + 1
        place = np.full(n_buckets + 1, self.size, np.uint32)
        step = np.zeros(n_buckets + 1, np.uint32)
        held = np.diff(self.starts) > 0
        place[self.first : self.last][held] = self.starts[:-1][held]
        step[self.first : self.last][held] = 1
        return place, step

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(self.starts[-1])


class Tie(NamedTuple):
    """Many pixels of one value."""

    example: int  # index of one of them
    size: int
    below: int


Part: TypeAlias = Slab | Tie


@kernel
def cell_of(key: Unsigned, lowest: Unsigned, drop: Unsigned, beyond: Unsigned) -> Unsigned:
    """Cell of a key; those before the first cell and after the last have one beyond it."""
    return min((key - lowest) >> drop, beyond) if key >= lowest else beyond


@kernel
def count_cells(
    bits: UnsignedArray, lowest: Unsigned, shift: int, last_cell: int, counts: IntArray
) -> None:
    """Count the pixels of each cell, onto `counts`; those of cells beyond in the one after it."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    drop = bits.dtype.type(shift)
    beyond = bits.dtype.type(last_cell + 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        counts[cell_of(key, lowest, drop, beyond)] += 1


@kernel
def assign_buckets(counts: IntArray, bucket_of_cell: UnsignedArray) -> IntArray:
    """Join neighbouring cells into buckets; return where each bucket starts, and the end."""
    largest = max(BUCKET, counts.sum() // STREAMS)
    starts = np.zeros(counts.size + 1, np.int64)
    n_buckets = 0
    filled = seen = 0
    for cell in range(counts.size):
        if filled > 0 and counts[cell] > 0 and filled + counts[cell] > largest:
            n_buckets += 1
            starts[n_buckets] = seen
            filled = 0
        bucket_of_cell[cell] = n_buckets
        filled += counts[cell]
        seen += counts[cell]
    starts[n_buckets + 1] = seen
    return starts[: n_buckets + 2].copy()


@kernel
def find_ties(
    bits: UnsignedArray,
    lowest: Unsigned,
    shift: int,
    last_cell: int,
    bucket_of_cell: UnsignedArray,
    example: IntArray,
    same: NDArray[np.bool_],
) -> None:
    """Set an index of a pixel of each bucket, and whether all its pixels have one key."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    drop = bits.dtype.type(shift)
    beyond = bits.dtype.type(last_cell + 1)
    keys = np.zeros(example.size, bits.dtype)
    example[:] = -1
    same[:] = True
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        bucket = bucket_of_cell[cell_of(key, lowest, drop, beyond)]
        if example[bucket] < 0:
            example[bucket] = i
            keys[bucket] = key
        elif keys[bucket] != key:
            same[bucket] = False


@kernel
def sum_where(values: FloatArray, value: float, weights: WeightArray) -> float:
    """Sum of the weights of all pixels of a value."""
    lanes = np.zeros(LANES)
    for row in range(0, values.size, LANES):
        here = values[row : row + LANES]
        weighed = weights[row : row + LANES]
        for j in range(here.size):
            lanes[j] += np.float64(weighed[j]) if here[j] == value else 0.0
    return fold(lanes)


def parts_of(values: FloatArray, extremes: tuple[float, float], room: int) -> Iterator[Part]:
    """The parts of a map in the order of its values, each slab of about `room` pixels at most."""
    bits = values.view(f"u{values.itemsize}")
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    patterns = np.array(extremes, values.dtype).view(bits.dtype)
    mask = (1 << 8 * bits.itemsize) - 1
    lowest, highest = (int(key_of(pattern, sign)) & mask for pattern in patterns)
    if bits.size <= min(BUCKET, room):  # one bucket, whose cells need not be counted
        shift = max(0, (highest - lowest).bit_length() - 1)
        buckets = np.array([0, 0, 1], np.uint32)
        whole = np.array([0, bits.size])
        yield Slab(bits.dtype.type(lowest), shift, 1, buckets, whole, 0, 1, 0)
        return
    yield from _parts(bits, lowest, highest - lowest, room, 0)


def _parts(bits: UnsignedArray, low: int, spread: int, room: int, below: int) -> Iterator[Part]:
    """Parts of the pixels whose keys are from `low` to `low` plus `spread`."""
    lowest = bits.dtype.type(low)
    shift = max(0, spread.bit_length() - 16)
    last_cell = spread >> shift
    counts = np.zeros(last_cell + 2, np.int64)
    count_cells(bits, lowest, shift, last_cell, counts)
    counts = counts[:-1]
    bucket_of_cell = np.empty(last_cell + 2, np.uint32)
    starts = assign_buckets(counts, bucket_of_cell[:-1])
    bucket_of_cell[-1] = starts.size - 1
    sizes = np.diff(starts)
    apart: dict[int, int] = {}  # large buckets, each with a pixel if all have one value, else -1
    too_large = np.flatnonzero(sizes > max(BUCKET, bits.size // TOO_LARGE))
    if too_large.size:
        example, same = np.empty(starts.size, np.int64), np.empty(starts.size, np.bool_)
        find_ties(bits, lowest, shift, last_cell, bucket_of_cell, example, same)
        for b in too_large.tolist():
            if not same[b]:
                apart[b] = -1
            elif sizes[b] > bits.size // MOSTLY:
                apart[b] = int(example[b])

    def slabs(first: int, last: int) -> Iterator[Slab]:
        held = starts[first : last + 1] - starts[first]
        wanted = max(1, -(-int(held[-1]) // room))
        for a, b in slabs_of(held, wanted):
            if held[b] > held[a]:
                yield Slab(
                    lowest,
                    shift,
                    last_cell,
                    bucket_of_cell,
                    held[a : b + 1] - held[a],
                    first + a,
                    first + b,
                    below + int(starts[first + a]),
                )

    done = 0
    for b, pixel in sorted(apart.items()):
        if b > done:
            yield from slabs(done, b)
        before = below + int(starts[b])
        if pixel >= 0:
            yield Tie(pixel, int(sizes[b]), before)
        else:  # one cell, and maybe empty ones beside it
            (cell,) = np.flatnonzero((bucket_of_cell[:-1] == b) & (counts > 0)).tolist()
            yield from _parts(bits, low + (cell << shift), (1 << shift) - 1, room, before)
        done = b + 1
    if done < sizes.size:
        yield from slabs(done, sizes.size)


def slabs_of(starts: IntArray, wanted: int) -> list[tuple[int, int]]:
    """Runs of buckets (first, last) of about the same number of pixels."""
    limits = starts[-1] * np.arange(1, wanted) // wanted
    edges = [0, *np.searchsorted(starts, limits).tolist(), starts.size - 1]
    return [(a, b) for a, b in pairwise(edges) if a < b]
