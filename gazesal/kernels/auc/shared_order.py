"""Exact AUCs of one map for many weightings of its pixels, which are sorted once.

An AUC is the mean of the *share beaten* of each pixel, with the weights of the positives. The share
beaten is the share of the negatives on lower values, and half of the share on the same value. It
depends on the order of the map and on the negatives, but not on the positives. The pixels are
therefore sorted once, bucket by bucket. While a bucket is in cache, every gaze map is read at its
pixels and summed.

Keys and indices of a third of the pixels are written out at a time. The weights of ties are summed
in place (see `gazesal.kernels.auc.partition`).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import key_of, two_sum
from gazesal.kernels.auc.partition import SIZES, Sizes, Targets, Tree, next_place, part
from gazesal.kernels.auc.ranks import LONG_DIGIT, SortWorkspace, sort_bucket
from gazesal.kernels.gram_matrix import add_products
from gazesal.kernels.moments import BLOCK, LANES, fold
from gazesal.typing import Float64Array, FloatArray, UnsignedArray, WeightArray

SLABS = 3  # slabs per map; more need less memory and read the map more often


@kernel
def scatter_pixels(
    bits: UnsignedArray,
    tree: Tree,
    targets: Targets,
    keys: UnsignedArray,
    pixels: UnsignedArray,
) -> None:
    """Write the keys and indices of the pixels of a slab to its buckets."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        to = next_place(key, tree, targets)
        keys[to] = key
        pixels[to] = i


@kernel
def gather(weights: WeightArray, pixels: UnsignedArray, out: Float64Array) -> None:
    """Set `out` to the weights of some pixels."""
    for j in range(pixels.size):
        out[j] = weights[pixels[j]]


@kernel
def sum_at(weights: WeightArray, pixels: UnsignedArray) -> float:
    """Sum the weights of some pixels, in lanes within blocks."""
    lanes = np.empty(LANES)
    result = 0.0
    for start in range(0, pixels.size, BLOCK):
        stop = min(start + BLOCK, pixels.size)
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            here = pixels[row : min(row + LANES, stop)]
            for j in range(here.size):
                lanes[j] += weights[here[j]]
        result += fold(lanes)
    return result


@kernel
def shares_beaten(
    keys: UnsignedArray,
    order: UnsignedArray,
    negatives: Float64Array,
    below: int,
    high: float,
    low: float,
    n_pixels: int,
    all_negatives: float,
    shares: Float64Array,
) -> tuple[float, float]:
    """Set the shares of all pixels, and of the negatives, beaten by each pixel of a sorted bucket.

    `below` is the number of pixels in lower buckets, and `high` plus `low` the sum of their
    negatives. `shares` is set in the order of `negatives`, the order of the bucket before sorting.
    Return the new high and low.
    """
    weighted = shares.shape[0] > 1
    first = 0
    before = high + low
    for i in range(keys.size):
        if weighted:
            high, low = two_sum(high, low, negatives[order[i]])
        if i + 1 == keys.size or keys[i + 1] != keys[i]:
            uniform = (below + 0.5 * (first + i + 1)) / n_pixels
            after = high + low
            share = (0.5 * before + 0.5 * after) / all_negatives
            for j in range(first, i + 1):
                shares[0, order[j]] = uniform
                if weighted:
                    shares[1, order[j]] = share
            first = i + 1
            before = after
    return high, low


@kernel
def add_wins(
    weights: WeightArray, pixels: UnsignedArray, shares: Float64Array, out: Float64Array
) -> None:
    """Set `out` to the sum of weight times share over some pixels, for each kind of share.

    The sums are in lanes within blocks.
    """
    read = np.empty(LANES)
    lanes = np.empty((shares.shape[0], LANES))
    out[:] = 0.0
    for start in range(0, pixels.size, BLOCK):
        stop = min(start + BLOCK, pixels.size)
        lanes[:] = 0.0
        for row in range(start, stop, LANES):
            end = min(row + LANES, stop)
            here = pixels[row:end]
            for j in range(here.size):
                read[j] = weights[here[j]]
            for kind in range(shares.shape[0]):
                add_products(lanes[kind], read[: here.size], shares[kind, row:end])
        for kind in range(shares.shape[0]):
            out[kind] += fold(lanes[kind])


def shared_wins(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: Sequence[WeightArray],
    negatives: WeightArray | None,
    all_negatives: float,
    sizes: Sizes = SIZES,
) -> Float64Array:
    """Return the sums of weight times share beaten, (len(positives), 1 or 2).

    The first column is against all pixels with equal weights, the second against `negatives`.
    Divided by the sums of the weights they are AUCs. The map must not be constant.
    """
    bits = values.view(f"u{values.itemsize}")
    kinds = 1 if negatives is None else 2
    keys = here = np.empty(0, bits.dtype)
    pixels = where = np.empty(0, np.uint32)
    digits = np.empty(1 << LONG_DIGIT, np.uint32)
    room = 0
    wins: list[list[Float64Array]] = [[] for _ in positives]  # by weighting, then by bucket
    high = low = 0.0

    parted = part(values, extremes, sizes)
    tied_q = None if negatives is None else parted.tied_sums(values, negatives)
    tied_p = [parted.tied_sums(values, weights) for weights in positives]
    tied = set(parted.tied.tolist())

    def add_ties(size: int, below: int, sum_q: float, sums_p: Iterable[float]) -> None:
        nonlocal high, low
        before = high + low
        high, low = two_sum(high, low, sum_q)
        share = (0.5 * before + 0.5 * (high + low)) / all_negatives
        beaten = np.array([(below + 0.5 * size) / values.size, share])[:kinds]
        for sum_p, found in zip(sums_p, wins, strict=True):
            found.append(sum_p * beaten)

    for slab in parted.slabs(max(values.size // SLABS, sizes.slab)):
        if slab.size >= keys.size:
            del keys, pixels, here, where  # frees the memory before the next allocation
            keys, pixels = np.empty(slab.size + 1, bits.dtype), np.empty(slab.size + 1, np.uint32)
        if slab.size:
            scatter_pixels(bits, parted.tree, slab.targets(), keys, pixels)
        for b, (start, stop) in enumerate(pairwise(slab.starts.tolist()), slab.first):
            size, below = int(parted.sizes[b]), int(parted.below[b])
            here, where = keys[start:stop], pixels[start:stop]
            if b in tied:
                sum_q = 0.0 if tied_q is None else tied_q[b]
                add_ties(size, below, sum_q, (sums[b] for sums in tied_p))
                continue
            if here.min() == here.max():
                sum_q = 0.0 if negatives is None else sum_at(negatives, where)
                add_ties(size, below, sum_q, (sum_at(weights, where) for weights in positives))
                continue
            if size > room:
                room = size
                workspace = SortWorkspace(
                    np.empty(room, bits.dtype),
                    np.empty(room, bits.dtype),
                    np.empty(room, np.uint32),
                    np.empty(room, np.uint32),
                    digits,
                )
                q, shares = np.empty(room), np.empty((kinds, room))
            if negatives is not None:
                gather(negatives, where, q[:size])
            ordered, order = sort_bucket(here, workspace)
            high, low = shares_beaten(
                ordered,
                order,
                q[:size],
                below,
                high,
                low,
                values.size,
                all_negatives,
                shares[:, :size],
            )
            for weights, found in zip(positives, wins, strict=True):
                found.append(np.empty(kinds))
                add_wins(weights, where, shares[:, :size], found[-1])
    return np.array([[math.fsum(column) for column in zip(*some, strict=True)] for some in wins])
