"""Exact AUCs of one map for many weightings of its pixels, from one ordering.

An AUC is a weighted mean: each pixel's *share beaten*, the share of the negatives on lower values
and half of those on its own, under the positives' weights. The shares need the order of the map
and the negatives, and nothing of the positives. So the pixels are ordered once, bucket by bucket,
and while a bucket lies in cache every gaze map is read at its pixels and added up.

What travels is a pixel's key and its index, a third of the pixels at a time: see
`gazesal.kernels.partition`. A large bucket of one value, as the zeros of many maps, needs no order:
its weights are summed where they lie.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.cells import key_of, two_sum
from gazesal.kernels.grams import add_products
from gazesal.kernels.moments import LANES, fold
from gazesal.kernels.partition import Tie, cell_of, parts_of, sum_where
from gazesal.kernels.ranks import LONG_DIGIT, SMALL, sort_bucket
from gazesal.typing import Float64Array, FloatArray, Unsigned, UnsignedArray, WeightArray

SLABS = 3


@kernel
def scatter_slab(
    bits: UnsignedArray,
    lowest: Unsigned,
    shift: int,
    last_cell: int,
    bucket_of_cell: UnsignedArray,
    place: UnsignedArray,
    step: UnsignedArray,
    keys: UnsignedArray,
    pixels: UnsignedArray,
) -> None:
    """Write keys and indices of the pixels of a slab to its buckets."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    drop = bits.dtype.type(shift)
    beyond = bits.dtype.type(last_cell + 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        bucket = bucket_of_cell[cell_of(key, lowest, drop, beyond)]
        to = place[bucket]
        place[bucket] = to + step[bucket]
        keys[to] = key
        pixels[to] = i


@kernel
def gather(weights: WeightArray, pixels: UnsignedArray, out: Float64Array) -> None:
    """Set `out` to the weights of some pixels."""
    for j in range(pixels.size):
        out[j] = weights[pixels[j]]


@kernel
def sum_at(weights: WeightArray, pixels: UnsignedArray) -> float:
    """Sum of the weights of some pixels."""
    lanes = np.zeros(LANES)
    for row in range(0, pixels.size, LANES):
        here = pixels[row : row + LANES]
        for j in range(here.size):
            lanes[j] += weights[here[j]]
    return fold(lanes)


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
    """Shares of all pixels, and of the negatives, beaten by each pixel of a sorted bucket.

    `below`, and `high` plus `low`, are what the buckets before this one hold. `shares` is set in
    the order of `negatives`, the bucket's order before sorting. Return the new high and low.
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
    """Set `out` to the sum of weight times share over some pixels, for each kind of share."""
    read = np.empty(LANES)
    lanes = np.zeros(shares.shape[0] * LANES)
    for row in range(0, pixels.size, LANES):
        here = pixels[row : row + LANES]
        for j in range(here.size):
            read[j] = weights[here[j]]
        for kind in range(shares.shape[0]):
            add_products(
                lanes[kind * LANES : (kind + 1) * LANES],
                read[: here.size],
                shares[kind, row : row + LANES],
            )
    for kind in range(shares.shape[0]):
        out[kind] = fold(lanes[kind * LANES : (kind + 1) * LANES])


def shared_wins(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: Sequence[WeightArray],
    negatives: WeightArray | None,
    all_negatives: float,
) -> Float64Array:
    """Sums of weight times share beaten, (len(positives), 1 or 2), for a map not constant.

    The first column is against all pixels alike, the second against `negatives`. Divided by the
    sums of the weights they are AUCs.
    """
    bits = values.view(f"u{values.itemsize}")
    kinds = 1 if negatives is None else 2
    keys = here = np.empty(0, bits.dtype)
    pixels = where = np.empty(0, np.uint32)
    digits = np.empty(1 << LONG_DIGIT, np.uint32)
    room = 0
    wins: list[list[Float64Array]] = [[] for _ in positives]  # of each bucket
    high = low = 0.0

    def add_ties(size: int, below: int, sums: Callable[[WeightArray], float]) -> None:
        nonlocal high, low
        before = high + low
        if negatives is not None:
            high, low = two_sum(high, low, sums(negatives))
        share = (0.5 * before + 0.5 * (high + low)) / all_negatives
        beaten = np.array([(below + 0.5 * size) / values.size, share])[:kinds]
        for weights, found in zip(positives, wins, strict=True):
            found.append(sums(weights) * beaten)

    for part in parts_of(values, extremes, max(values.size // SLABS, SMALL)):
        if isinstance(part, Tie):
            value = float(values[part.example])
            add_ties(part.size, part.below, partial(sum_where, values, value))
            continue
        if part.size >= keys.size:
            del keys, pixels, here, where  # before the next ones are made
            keys, pixels = np.empty(part.size + 1, bits.dtype), np.empty(part.size + 1, np.uint32)
        scatter_slab(
            bits,
            part.lowest,
            part.shift,
            part.last_cell,
            part.bucket_of_cell,
            *part.places(),
            keys,
            pixels,
        )
        for start, stop in pairwise(part.starts.tolist()):
            if start == stop:
                continue
            size, below = stop - start, part.below + start
            here, where = keys[start:stop], pixels[start:stop]
            if here.min() == here.max():
                add_ties(size, below, partial(sum_at, pixels=where))
                continue
            if size > room:
                room = size
                key_a, key_b = np.empty(room, bits.dtype), np.empty(room, bits.dtype)
                order_a, order_b = np.empty(room, np.uint32), np.empty(room, np.uint32)
                q, shares = np.empty(room), np.empty((kinds, room))
            if negatives is not None:
                gather(negatives, where, q[:size])
            ordered, order = sort_bucket(here, key_a, key_b, order_a, order_b, digits)
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
