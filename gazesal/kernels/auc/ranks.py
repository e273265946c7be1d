"""The exact AUC of a map for one weighting of positives and one of negatives.

Pixels are partitioned by the leading bits of their values into buckets that fit in cache. Their
weights are written beside them, so that memory is read in order. Within a bucket, a radix sort
orders the pixels by their full values, so the area is exact and not binned. The number of pixels
written out at a time keeps the workspace below the size of two maps (see
`gazesal.kernels.auc.partition`).

The error, here and in `gazesal.kernels.auc.shared_order`, is bounded as follows. Every term is
non-negative, so the relative error of a sum is at most 2**-53 times the number of roundings that
one term passes through:

- 41 and one for each block in a sum in lanes within blocks of 16,384 terms, which is 131,113 for
  2**31 pixels. The weights of ties are summed this way too.
- Two or three in the sums of a sorted bucket and over buckets, which are compensated.
- One in each product and quotient.

The relative errors of the wins, the positives and the negatives are each below 1.5e-11, so the
error of the area, a quotient up to 1, is below 5e-11. Products of weights that underflow are much
smaller, because the weights add up to 1e-250 or more.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import key_of, two_sum
from gazesal.kernels.auc.partition import SIZES, TOO_LARGE, Sizes, Targets, Tree, next_place, part
from gazesal.kernels.moments import total
from gazesal.typing import (
    Float64Array,
    FloatArray,
    IntArray,
    UnsignedArray,
    WeightArray,
)

MOST = 2  # multiple of the map's size; the workspace is not larger
LONG_DIGIT, SHORT_DIGIT = 11, 8  # bits per pass of the radix sort, in large and small buckets
SHORT_BUCKET = 1 << 12  # pixels; up to this size, resetting the counters of a long digit is slower


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
    """Return the wins (as a share of all negatives), positives and negatives in a sorted bucket.

    The sums are compensated, because a bucket may have any number of pixels. They are exact to a
    few units in the last place, whatever the number of terms.
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
    """Add the buckets of a slab to the sums of all lower buckets.

    The sums are wins (as a share of all negatives), negatives and positives, each in two parts.
    Buckets without pixels in the slab are empty or ties, whose weights are given.
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
    """Add one bucket to the sums: pairs within it, and pairs with all negatives below."""
    beaten = sum_p * ((sums[2] + sums[3]) / all_negatives)
    sums[0], sums[1] = two_sum(sums[0], sums[1], beaten + within)
    sums[2], sums[3] = two_sum(sums[2], sums[3], sum_q)
    sums[4], sums[5] = two_sum(sums[4], sums[5], sum_p)


@kernel
def add_ties(sum_p: float, sum_q: float, all_negatives: float, sums: Float64Array) -> None:
    """Add a bucket of one value to the sums."""
    add_bucket(sum_p * (0.5 * sum_q / all_negatives), sum_p, sum_q, all_negatives, sums)


def _arrays(workspace: Any, size: int, dtypes: Sequence[np.dtype[Any]]) -> list[Any]:
    """Return arrays in a workspace, the widest first, so that each is aligned to its width."""
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
    sizes: Sizes = SIZES,
) -> float:
    """Return P(V+ > V-) + P(V+ = V-) / 2 for finite 1-D `values` with weights of each kind.

    The workspace is one allocation by numpy, which asks the system for large pages. In a kernel it
    would get small pages, and scattering would be slowed by page faults and address translation.
    """
    bits = values.view(f"u{values.itemsize}")
    sums = np.zeros(6)
    workspace = np.empty(0, np.uint8)
    keys = p = q = np.empty(0, np.uint8)
    width = values.itemsize + positives.itemsize + negatives.itemsize
    # A slab may exceed its room by one bucket, and one bucket at a time is being sorted.
    bucket = values.size // TOO_LARGE * (width + 2 * (values.itemsize + 4))
    room = max((MOST * values.nbytes - bucket) // width, sizes.slab)
    parted = part(values, extremes, sizes)
    tied_p, tied_q = (parted.tied_sums(values, weights) for weights in (positives, negatives))
    for slab in parted.slabs(room):
        size = slab.size + 1
        if size * width > workspace.size:
            del workspace, keys, p, q  # frees the memory before the next allocation
            workspace = np.empty(size * width, np.uint8)
        keys, p, q = _arrays(workspace, size, (bits.dtype, positives.dtype, negatives.dtype))
        if slab.size:
            scatter(bits, parted.tree, slab.targets(), positives, negatives, keys, p, q)
        here = slice(slab.first, slab.last)
        add_buckets(keys, p, q, slab.starts, tied_p[here], tied_q[here], all_negatives, sums)
    return float((sums[0] + sums[1]) / (sums[4] + sums[5]))


@kernel
def auc_from_sorted(positives: Float64Array, negatives: Float64Array) -> float:
    """Return P(positive > negative) + P(tie) / 2 of non-empty, ascending 1-D arrays."""
    below = upto = 0  # numbers of negatives below the current positive, and not above it
    wins = 0.0
    for value in positives:
        while below < negatives.size and negatives[below] < value:
            below += 1
        upto = max(upto, below)
        while upto < negatives.size and negatives[upto] <= value:
            upto += 1
        wins += 0.5 * (below + upto)
    return wins / (positives.size * negatives.size)
