"""Partition of the pixels of a map into buckets of ascending values, in little memory.

Pixels fall into cells by the leading bits of their keys (see `gazesal.kernels.auc.cells`). A cell
with too many pixels is divided by the next bits, between its smallest and its largest key. This is
repeated as often as necessary, because the pixels of a map with an outlier agree in most of their
bits. All large cells are divided in one pass. A large cell of one value, such as the zeros of many
maps, is a *tie*. It needs no sorting, and its weights are summed in place.

Neighboring cells are joined into buckets, and consecutive buckets into *slabs* of limited size. A
slab is written out and sorted before the next one, for which the map is read again. The workspace
is therefore the size of a slab, whatever the size of the map.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import CELLS, bits_to_drop, extreme_keys, key_of, pattern_of
from gazesal.kernels.moments import BLOCK, LANES, fold
from gazesal.typing import (
    Float64Array,
    FloatArray,
    IntArray,
    Unsigned,
    UnsignedArray,
    WeightArray,
)

TOO_LARGE = 16  # a cell with more than 1 / 16 of the pixels is divided, or is a tie
FINER_CELLS = 1 << 12  # cells into which a large cell is divided
NODE = np.uint32(1 << 31)  # entries of the table from this value on are nodes, smaller are buckets


class Sizes(NamedTuple):
    """Sizes on which speed and memory depend, and the AUC does not."""

    bucket: int = 1 << 15  # pixels in a bucket of several cells, so that it fits in the L2 cache
    streams: int = 256  # buckets written to at once; with more, address translation becomes slow
    slab: int = 1 << 17  # pixels; a slab has at least this size, whatever the size of the map


SIZES = Sizes()


class Tree(NamedTuple):
    """Tree of cells in one table, whose entries are buckets or nodes with entries of their own.

    The entries of node k begin at ``first[k]``. The entry of a key is the difference to
    ``lowest[k]`` without its last ``drop[k]`` bits. The root is node 0.
    """

    table: UnsignedArray
    first: IntArray
    lowest: UnsignedArray
    drop: UnsignedArray


class Targets(NamedTuple):
    """The place where the next pixel of each bucket is written, and the step to the one after."""

    place: UnsignedArray
    step: UnsignedArray


class Slab(NamedTuple):
    """Consecutive buckets, `first` to `last` - 1, that are written out together."""

    first: int
    last: int
    starts: IntArray  # first place of each bucket in the slab, and the end; ties take no places
    n_buckets: int  # number of buckets of the map

    def targets(self) -> Targets:
        """Return the place where each bucket of the map begins in the slab.

        Pixels of all other buckets are written to one place after the last, because writing is
        faster than a condition.
        """
        place = np.full(self.n_buckets, self.size, np.uint32)
        step = np.zeros(self.n_buckets, np.uint32)
        held = np.diff(self.starts) > 0
        place[self.first : self.last][held] = self.starts[:-1][held]
        step[self.first : self.last][held] = 1
        return Targets(place, step)

    @property
    def size(self) -> int:
        """Number of pixels in the slab, without ties."""
        return int(self.starts[-1])


@dataclass(frozen=True)
class Partition:
    """The buckets of a map, by ascending values."""

    tree: Tree
    sizes: IntArray  # number of pixels of each bucket
    tied: IntArray  # indices of buckets that are a large cell of one value
    tied_values: FloatArray  # value of each of these buckets

    @cached_property
    def below(self) -> IntArray:
        """Number of pixels in lower buckets, for each bucket."""
        return np.cumsum(self.sizes) - self.sizes

    def slabs(self, room: int) -> list[Slab]:
        """Split all buckets into slabs of about `room` pixels at most, without ties."""
        written = self.sizes.copy()
        written[self.tied] = 0
        starts = np.concatenate([[0], np.cumsum(written)])
        wanted = max(1, -(-int(starts[-1]) // room))
        return [
            Slab(a, b, starts[a : b + 1] - starts[a], self.sizes.size)
            for a, b in runs(starts, wanted)
        ]

    def tied_sums(self, values: FloatArray, weights: WeightArray) -> Float64Array:
        """Return the sum of the weights of each bucket that is a tie, and 0 for the others."""
        sums = np.zeros(self.sizes.size)
        if self.tied.size:
            found = np.zeros(self.tied.size)
            add_where(values, self.tied_values, weights, found)
            sums[self.tied] = found
        return sums


@kernel
def cell_of(key: Unsigned, tree: Tree) -> int:
    """Return the place in the table of the cell that contains a key."""
    table, first, lowest, drop = tree
    place = np.int64((key - lowest[0]) >> drop[0])
    entry = table[place]
    while entry >= NODE:
        node = entry - NODE
        place = first[node] + np.int64((key - lowest[node]) >> drop[node])
        entry = table[place]
    return int(place)


@kernel
def count_cells(bits: UnsignedArray, tree: Tree, start: int, counts: IntArray) -> None:
    """Add the number of pixels of each cell from place `start` of the table to `counts[1:]`."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        counts[max(cell_of(key, tree) - start, -1) + 1] += 1


@kernel
def find_spans(
    bits: UnsignedArray, tree: Tree, smallest: UnsignedArray, largest: UnsignedArray
) -> None:
    """Find the smallest and largest key by table entry, in arrays that the caller initialized."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        entry = tree.table[cell_of(key, tree)]
        smallest[entry] = min(smallest[entry], key)
        largest[entry] = max(largest[entry], key)


@kernel
def next_place(key: Unsigned, tree: Tree, targets: Targets) -> Unsigned:
    """Return the place of a pixel in the slab, which is after the last if it is in another slab."""
    bucket = tree.table[cell_of(key, tree)]
    to: Unsigned = targets.place[bucket]
    targets.place[bucket] = to + targets.step[bucket]
    return to


@kernel
def assign_buckets(counts: IntArray, largest: int, bucket_of_cell: UnsignedArray) -> IntArray:
    """Join neighboring cells into buckets, and return the number of pixels of each bucket.

    A bucket of more than `largest` pixels is a single cell.
    """
    sizes = np.zeros(counts.size, np.int64)
    bucket = 0
    for cell in range(counts.size):
        if sizes[bucket] > 0 and counts[cell] > 0 and sizes[bucket] + counts[cell] > largest:
            bucket += 1
        bucket_of_cell[cell] = bucket
        sizes[bucket] += counts[cell]
    return sizes[: bucket + 1].copy()


@kernel
def _add_equal(lanes: Float64Array, here: FloatArray, value: float, weights: WeightArray) -> None:
    """Add the weights of pixels equal to a value, at most `LANES` pixels, to the lanes."""
    for j in range(here.size):
        lanes[j] += np.float64(weights[j]) if here[j] == value else 0.0


@kernel
def add_where(
    values: FloatArray, wanted: FloatArray, weights: WeightArray, sums: Float64Array
) -> None:
    """Add the weights of pixels equal to each wanted value to `sums`, in lanes within blocks."""
    lanes = np.empty(LANES)
    for start in range(0, values.size, BLOCK):
        stop = min(start + BLOCK, values.size)
        for k in range(wanted.size):
            lanes[:] = 0.0
            for row in range(start, stop, LANES):
                end = min(row + LANES, stop)
                _add_equal(lanes, values[row:end], wanted[k], weights[row:end])
            sums[k] += fold(lanes)


def part(values: FloatArray, extremes: tuple[float, float], sizes: Sizes = SIZES) -> Partition:
    """Partition a map with known extremes into buckets of about ``sizes.bucket`` pixels or more."""
    bits = values.view(f"u{values.itemsize}")
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    ends = np.array(extremes, values.dtype).view(bits.dtype)
    if bits.size <= sizes.bucket:  # one bucket, whose cells need not be counted
        lowest, drop = extreme_keys(ends, sign, 2)
        tree = _tree(np.zeros(2, np.uint32), [0], [lowest], [drop], bits.dtype)
        return Partition(tree, np.array([bits.size]), np.empty(0, np.int64), values[:0])
    lowest, drop = extreme_keys(ends, sign, CELLS)
    first, lows, drops = [0], [lowest], [drop]
    table = np.zeros(CELLS, np.uint32)
    counts = np.empty(0, np.int64)
    nodes: dict[int, int] = {}  # index of a node by the cell that it divides
    ties: dict[int, int] = {}  # key of the single value by its cell
    while counts.size < table.size:
        tree = _tree(table, first, lows, drops, bits.dtype)
        start = counts.size
        more = np.zeros(table.size - start + 1, np.int64)
        count_cells(bits, tree, start, more)
        counts = np.concatenate([counts, more[1:]])
        del more  # on small maps, tables are a large share of the peak memory
        large = start + np.flatnonzero(counts[start:] > max(sizes.bucket, bits.size // TOO_LARGE))
        if large.size == 0:
            break
        table[large] = np.arange(1, large.size + 1)
        smallest = np.full(large.size + 1, np.iinfo(bits.dtype).max, bits.dtype)
        largest = np.zeros(large.size + 1, bits.dtype)
        find_spans(bits, tree, smallest, largest)
        table[large] = 0
        spans = zip(large.tolist(), smallest[1:].tolist(), largest[1:].tolist(), strict=True)
        for cell, low, high in spans:
            if low == high:
                ties[cell] = low
                continue
            nodes[cell] = len(first)
            table[cell] = NODE + np.uint32(len(first))
            first.append(table.size)
            lows.append(low)
            drops.append(bits_to_drop(high - low, FINER_CELLS))
            table = np.concatenate([table, np.zeros(FINER_CELLS, np.uint32)])
    cells = np.concatenate(list(_ascending(0, CELLS, first, nodes)))
    bucket_of_cell = np.empty(cells.size, np.uint32)
    largest_bucket = max(sizes.bucket, bits.size // sizes.streams)
    n_pixels = assign_buckets(counts[cells], largest_bucket, bucket_of_cell)
    table[cells] = bucket_of_cell
    patterns = np.array([pattern_of(key, int(sign)) for key in ties.values()], bits.dtype)
    return Partition(
        _tree(table, first, lows, drops, bits.dtype),
        n_pixels,
        table[list(ties)].astype(np.int64),
        patterns.view(values.dtype),
    )


def _tree(
    table: UnsignedArray, first: list[int], lows: list[int], drops: list[int], dtype: Any
) -> Tree:
    return Tree(table, np.array(first), np.array(lows, dtype), np.array(drops, dtype))


def _ascending(
    start: int, stop: int, first: list[int], nodes: dict[int, int]
) -> Iterator[UnsignedArray]:
    """Yield places in the table by ascending keys, the places of a node instead of its cell."""
    for cell in sorted(cell for cell in nodes if start <= cell < stop):
        yield np.arange(start, cell, dtype=np.uint32)
        below = first[nodes[cell]]
        yield from _ascending(below, below + FINER_CELLS, first, nodes)
        start = cell + 1
    yield np.arange(start, stop, dtype=np.uint32)


def runs(starts: IntArray, wanted: int) -> list[tuple[int, int]]:
    """Return runs (first, last) of consecutive buckets with about equal numbers of pixels."""
    limits = starts[-1] * np.arange(1, wanted) // wanted
    edges = [0, *np.searchsorted(starts, limits).tolist(), starts.size - 1]
    return [(a, b) for a, b in pairwise(edges) if a < b]
