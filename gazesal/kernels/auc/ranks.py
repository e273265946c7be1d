"""The weighted two-sample AUC of a map, exact, from one partition of its pixels.

The pixels are parted by the leading bits of their values into buckets that fit in cache,
weights traveling along, so that memory is read in order; within a bucket a radix sort puts
them in order. No binning: pixels of one bucket are compared in full. As many pixels are
written out at a time as keep the workspace under two maps (see `gazesal.kernels.auc.partition`).

How exact that is, here and in `gazesal.kernels.auc.shared_order`: every term is non-negative, so a
sum is off, relative to itself, by at most the number of roundings that one term passes through,
times 2**-53. Sums in lanes within blocks of 16,384 terms, of the weights of ties too, pass a term
through 41 and one for each block, 131,113 for 2**31 pixels; the sums of a sorted bucket and those
over buckets through two or three, being compensated, and products and a quotient add one each. The
wins, the positives and the negatives are each within 1.5e-11 of themselves, and the area, a
quotient no larger than 1, within 5e-11 of its true value. Products of weights that underflow are
far below that, for the weights add up to 1e-250 or more.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import key_of, two_sum
from gazesal.kernels.auc.partition import TOO_LARGE, Targets, Tree, next_place, part
from gazesal.kernels.moments import total
from gazesal.typing import (
    Float64Array,
    FloatArray,
    IntArray,
    UnsignedArray,
    WeightArray,
)

MOST = 2  # maps that the workspace may take, whatever the map
SMALL = 1 << 17  # pixels that are written out at once whatever the map's size
LONG_DIGIT, SHORT_DIGIT = 11, 8  # bits sorted by at a time
SHORT_BUCKET = 1 << 12  # pixels up to which the counters of a long digit cost more than it saves


class SortWorkspace(NamedTuple):
    """Arrays that a radix sort of one bucket overwrites: keys, their order, counts of digits."""

    key_a: UnsignedArray
    key_b: UnsignedArray
    order_a: UnsignedArray
    order_b: UnsignedArray
    counts: UnsignedArray


@kernel
def scatter(
    bits: UnsignedArray,
    tree: Tree,
    targets: Targets,
    positives: WeightArray,
    negatives: WeightArray,
    keys: UnsignedArray,
    sorted_positives: WeightArray,
    sorted_negatives: WeightArray,
) -> None:
    """Write the keys and weights of a slab to its buckets, in reading order within each."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for i in range(bits.size):
        key = bits.dtype.type(key_of(bits[i], sign))
        to = next_place(key, tree, targets)
        keys[to] = key
        sorted_positives[to] = positives[i]
        sorted_negatives[to] = negatives[i]


@kernel
def sort_bucket(
    keys: UnsignedArray, workspace: SortWorkspace
) -> tuple[UnsignedArray, UnsignedArray]:
    """Radix-sort a bucket digit by digit, as many as its keys differ in."""
    key_a, key_b, order_a, order_b, counts = workspace
    size = keys.size
    lowest = keys.min()
    spread = keys.max() - lowest
    for i in range(size):
        key_a[i] = keys[i] - lowest
        order_a[i] = np.uint32(i)
    bits = LONG_DIGIT if size > SHORT_BUCKET else SHORT_DIGIT
    mask = keys.dtype.type((1 << bits) - 1)
    step = keys.dtype.type(bits)
    shift = keys.dtype.type(0)
    while shift < keys.itemsize * 8 and spread >> shift:
        counts[: 1 << bits] = 0
        for i in range(size):
            counts[(key_a[i] >> shift) & mask] += np.uint32(1)
        below = np.uint32(0)
        for digit in range(1 << bits):
            here = counts[digit]
            counts[digit] = below
            below += here
        for i in range(size):
            key = key_a[i]
            digit = (key >> shift) & mask
            to = counts[digit]
            counts[digit] = to + np.uint32(1)
            key_b[to] = key
            order_b[to] = order_a[i]
        key_a, key_b = key_b, key_a
        order_a, order_b = order_b, order_a
        shift += step
    return key_a[:size], order_a[:size]


@kernel
def bucket_wins(
    keys: UnsignedArray,
    order: UnsignedArray,
    positives: WeightArray,
    negatives: WeightArray,
    all_negatives: float,
) -> tuple[float, float, float]:
    """Within one sorted bucket: wins (as a share of all negatives), positives, negatives.

    A bucket may hold any number of pixels, so the sums keep what rounding takes off: they are
    exact to a few units in the last place, however many terms they have.
    """
    wins = wins_low = below = below_low = sum_positives = sum_low = 0.0
    tied = tied_low = before = 0.0
    for i in range(keys.size):
        pixel = order[i]
        tied, tied_low = two_sum(tied, tied_low, np.float64(positives[pixel]))
        below, below_low = two_sum(below, below_low, np.float64(negatives[pixel]))
        if i + 1 == keys.size or keys[i + 1] != keys[i]:
            here = tied + tied_low
            after = below + below_low
            share = (0.5 * before + 0.5 * after) / all_negatives
            wins, wins_low = two_sum(wins, wins_low, here * share)
            sum_positives, sum_low = two_sum(sum_positives, sum_low, here)
            before = after
            tied = tied_low = 0.0
    return wins + wins_low, sum_positives + sum_low, before


@kernel
def add_buckets(
    keys: UnsignedArray,
    positives: WeightArray,
    negatives: WeightArray,
    starts: IntArray,
    tied_positives: Float64Array,
    tied_negatives: Float64Array,
    all_negatives: float,
    sums: Float64Array,
) -> None:
    """Add the buckets of a slab onto the sums of those before, each of two parts.

    Buckets that take no place in the slab are ties, of which the weights are given, or empty. The
    sums are of wins (as a share of all negatives), negatives and positives.
    """
    largest = 0
    for b in range(starts.size - 1):
        bucket = keys[starts[b] : starts[b + 1]]
        if bucket.size > largest and bucket.min() != bucket.max():
            largest = bucket.size
    workspace = SortWorkspace(
        np.empty(largest, keys.dtype),
        np.empty(largest, keys.dtype),
        np.empty(largest, np.uint32),
        np.empty(largest, np.uint32),
        np.empty(1 << LONG_DIGIT, np.uint32),
    )
    for b in range(starts.size - 1):
        first, last = starts[b], starts[b + 1]
        if first == last:
            add_ties(tied_positives[b], tied_negatives[b], all_negatives, sums)
            continue
        p = positives[first:last]
        q = negatives[first:last]
        bucket = keys[first:last]
        if bucket.min() == bucket.max():
            add_ties(total(p), total(q), all_negatives, sums)
        else:
            ordered, order = sort_bucket(bucket, workspace)
            within, sum_p, sum_q = bucket_wins(ordered, order, p, q, all_negatives)
            add_bucket(within, sum_p, sum_q, all_negatives, sums)


@kernel
def add_bucket(
    within: float, sum_p: float, sum_q: float, all_negatives: float, sums: Float64Array
) -> None:
    """Add one bucket onto the sums: pairs within it, and with all negatives below."""
    beaten = sum_p * ((sums[2] + sums[3]) / all_negatives)
    sums[0], sums[1] = two_sum(sums[0], sums[1], beaten + within)
    sums[2], sums[3] = two_sum(sums[2], sums[3], sum_q)
    sums[4], sums[5] = two_sum(sums[4], sums[5], sum_p)


@kernel
def add_ties(sum_p: float, sum_q: float, all_negatives: float, sums: Float64Array) -> None:
    """Add a bucket of one value onto the sums."""
    add_bucket(sum_p * (0.5 * sum_q / all_negatives), sum_p, sum_q, all_negatives, sums)


def _arrays(workspace: Any, size: int, dtypes: Sequence[np.dtype[Any]]) -> list[Any]:
    """Arrays in a workspace, widest first: each starts at a multiple of its own width."""
    found: dict[int, Any] = {}
    start = 0
    for which in sorted(range(len(dtypes)), key=lambda k: -dtypes[k].itemsize):
        stop = start + size * dtypes[which].itemsize
        found[which] = workspace[start:stop].view(dtypes[which])
        start = stop
    return [found[which] for which in range(len(dtypes))]


def weighted_auc(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: WeightArray,
    negatives: WeightArray,
    all_negatives: float,
) -> float:
    """P(V+ > V-) + P(V+ = V-) / 2, for finite 1-D `values` weighted in two ways.

    The workspace is one allocation, made here and not in a kernel: for a large one numpy asks the
    system for large pages, without which scattering spends its time on page faults and address
    translation.
    """
    bits = values.view(f"u{values.itemsize}")
    sums = np.zeros(6)
    workspace = np.empty(0, np.uint8)
    keys = p = q = np.empty(0, np.uint8)
    width = values.itemsize + positives.itemsize + negatives.itemsize
    # a slab may be larger than its room by a bucket; another one is being put in order
    bucket = values.size // TOO_LARGE * (width + 2 * (values.itemsize + 4))
    room = max((MOST * values.nbytes - bucket) // width, SMALL)
    parted = part(values, extremes)
    tied_p, tied_q = (parted.tied_sums(values, weights) for weights in (positives, negatives))
    for slab in parted.slabs(room):
        size = slab.size + 1
        if size * width > workspace.size:
            del workspace, keys, p, q  # before the next ones are made
            workspace = np.empty(size * width, np.uint8)
        keys, p, q = _arrays(workspace, size, (bits.dtype, positives.dtype, negatives.dtype))
        if slab.size:
            scatter(bits, parted.tree, slab.targets(), positives, negatives, keys, p, q)
        here = slice(slab.first, slab.last)
        add_buckets(keys, p, q, slab.starts, tied_p[here], tied_q[here], all_negatives, sums)
    return float((sums[0] + sums[1]) / (sums[4] + sums[5]))


@kernel
def auc_from_sorted(positives: Float64Array, negatives: Float64Array) -> float:
    """P(positive > negative) + P(tie) / 2; both 1-D, ascending, non-empty."""
    below = upto = 0  # negatives under / not above the current positive
    wins = 0.0
    for value in positives:
        while below < negatives.size and negatives[below] < value:
            below += 1
        upto = max(upto, below)
        while upto < negatives.size and negatives[upto] <= value:
            upto += 1
        wins += 0.5 * (below + upto)
    return wins / (positives.size * negatives.size)
