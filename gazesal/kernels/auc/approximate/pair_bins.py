"""The AUC of one map for one weighting of positives and one of negatives, by bins, in one pass.

The weights are rounded to whole steps, and a pixel's two become one word, so each pixel is one
access, at random, to a table of 8 bytes a bin that stays in the processor's cache. Whether the
weights are finite and not negative is seen on the way.

Of the pairs of positives and negatives in a bin, those of a pixel with itself are true ties, and
so are all in a bin of one value. The bound leaves out either the ones or the others, whichever are
more: of which bins the ones are in is not kept.
"""

import math
from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.approximate.bins import (
    Bins,
    Purity,
    fill_bins,
    find_impure,
    find_purity,
    lay_bins,
    sample_weights,
    sampled_pixels,
)
from gazesal.kernels.moments import LANES, fold
from gazesal.typing import Float64Array, FloatArray, Unsigned, UnsignedArray, WeightArray

CHUNK = 16 * LANES  # pixels whose bins and words lie in cache between the loops
STEPS = 16.0  # of a weight for each pixel, over the tolerance: it is to add up to so many
FULL = float(1 << 31)  # steps for which half a word has no room
SPARE = 4.0  # times the largest weight of the sample has room


class ScaledPair(NamedTuple):
    """Weights of positives and of negatives, and the number of steps in a weight of 1."""

    positives: WeightArray
    negatives: WeightArray  # one for each pixel, or `CHUNK` that are read repeatedly
    scale: float
    other_scale: float


class PairSums(NamedTuple):
    """Sums of pairs of weights, to which `add_pairs` adds.

    `table` has a word for each bin, positives in its upper half. `full` (bins, 2) receives halves
    that would overflow. `lanes` are as in `pack`.
    """

    table: UnsignedArray
    full: UnsignedArray
    lanes: Float64Array


def paired_area(
    values: FloatArray,
    extremes: tuple[float, float],
    weights: tuple[WeightArray, WeightArray | None],
    tolerance: float,
    wanted: int,
) -> tuple[float, float] | None:
    """AUC of 1-D values, not constant, and how far it may be off but for the rounding of sums.

    The weights are those of the positives and of the negatives, `None` for all pixels alike;
    nobody need have checked them. `wanted` is about the number of bins. There is no area if a
    weight is not finite or is negative, if the pixels looked at first have none, or if one is too
    large to be counted in steps as small as the others need.
    """
    positives, negatives = weights[0], weights[1]
    if negatives is None:
        negatives = np.ones(CHUNK, np.float32)  # read over and over
    pixels = sampled_pixels(values.size)
    steps = STEPS * values.size / tolerance
    scales = [_scale(w[pixels % w.size], steps, values.size) for w in (positives, negatives)]
    if 0.0 in scales:
        return None
    sample = sample_weights([positives], [weights[1]], values.size)
    bits = values.view(f"u{values.itemsize}")
    bins = lay_bins(bits, extremes, sample, wanted)
    purity = find_purity(bits, bins, sample)
    table = np.zeros(bins.number, np.uint64)
    full = np.zeros((bins.number, 2), np.uint64)  # pages that are not written to take no memory
    lanes = np.zeros((3, LANES))
    counted, moved = add_pairs(
        bits,
        bins,
        purity,
        ScaledPair(positives, negatives, scales[0], scales[1]),
        PairSums(table, full, lanes),
    )
    if not counted:
        return None
    wins, pairs, doubtful, *sums = add_up(table, full if moved else full[:0], purity.marks)
    if 0.0 in sums:
        return None
    products, *rounded = (fold(each) for each in lanes)
    tied = min(doubtful, pairs - products) / (2.0 * sums[0] * sums[1])
    # shares move by twice what the steps of all weights are off by, and an area by half of that
    shifted = sum(off / total for off, total in zip(rounded, sums, strict=True))
    return wins / (2.0 * sums[0] * sums[1]), tied + shifted


def _scale(sampled: WeightArray, steps: float, n_pixels: int) -> float:
    """By what to multiply weights so that they add up to about so many steps; 0 if by nothing.

    It is less where the steps of the largest would not have room.
    """
    weights = sampled.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(weights.sum()) * (n_pixels / weights.size)
    if not (weights.min() >= 0.0 and 0.0 < total < math.inf):
        return 0.0
    scale = min(steps / total, FULL / (SPARE * float(weights.max())))
    return scale if scale < math.inf else 0.0


@kernel
def pack(
    positives: WeightArray,
    negatives: WeightArray,
    scale: float,
    other_scale: float,
    words: UnsignedArray,
    lanes: Float64Array,
) -> Unsigned:
    """Set words to the weights in steps, the positive's in the upper half; return all their bits.

    A bit above the 31st is set where a weight has no room, is negative or is not finite. Onto the
    lanes (3, LANES) come the products of both, and what rounding takes from or adds to either.
    """
    seen = np.int64(0)
    products, off, other_off = lanes[0], lanes[1], lanes[2]
    for j in range(words.size):
        p, q = np.float64(positives[j]), np.float64(negatives[j])
        x = p * scale if p >= 0.0 and p * scale < FULL else FULL
        y = q * other_scale if q >= 0.0 and q * other_scale < FULL else FULL
        high, low = np.int64(x + 0.5), np.int64(y + 0.5)
        seen |= high | low
        words[j] = (np.uint64(high) << np.uint64(32)) | np.uint64(low)
        products[j] += np.float64(high) * np.float64(low)
        off[j] += abs(np.float64(high) - x)
        other_off[j] += abs(np.float64(low) - y)
    return np.uint64(seen)


@kernel
def add_words(
    bins: UnsignedArray, words: UnsignedArray, table: UnsignedArray, full: UnsignedArray
) -> int:
    """Add words up by bin; where a half is full, move both to `full` (bins, 2). Return how often.

    Halves of words are below 2**31, so that a sum shows that it is full before it overflows.
    """
    low = np.uint64((1 << 32) - 1)
    tops = np.uint64((1 << 63) | (1 << 31))
    moved = 0
    for j in range(bins.size):
        b = bins[j]
        both = table[b] + words[j]
        table[b] = both
        if both & tops:
            full[b, 0] += both >> np.uint64(32)
            full[b, 1] += both & low
            table[b] = 0
            moved += 1
    return moved


@kernel
def add_pairs(
    bits: UnsignedArray,
    bins: Bins,
    purity: Purity,
    weights: ScaledPair,
    sums: PairSums,
) -> tuple[bool, int]:
    """Add a map's weights up by bin; whether all had room in a word, and how often a sum was full.

    `negatives` are as many as the pixels, or `CHUNK` that are read over and over.
    """
    positives, negatives, scale, other_scale = weights
    table, full, lanes = sums
    bin_of_pixel = np.empty(CHUNK, np.uint32)
    words = np.empty(CHUNK, np.uint64)
    seen = np.uint64(0)
    moved = 0
    for start in range(0, bits.size, CHUNK):
        stop = min(start + CHUNK, bits.size)
        size = stop - start
        fill_bins(bits[start:stop], bins, bin_of_pixel[:size])
        if purity.firsts.size > 2:
            find_impure(bits[start:stop], bin_of_pixel[:size], purity)
        offset = start if negatives.size == bits.size else 0
        for row in range(0, size, LANES):
            end = min(row + LANES, size)
            seen |= pack(
                positives[start + row : start + end],
                negatives[offset + row : offset + end],
                scale,
                other_scale,
                words[row:end],
                lanes,
            )
        if seen >> np.uint64(31):
            return False, moved
        moved += add_words(bin_of_pixel[:size], words[:size], table, full)
    return True, moved


@kernel
def add_up(
    table: UnsignedArray, full: UnsignedArray, marks: UnsignedArray
) -> tuple[float, float, float, float, float]:
    """Twice the pairs won, pairs that share a bin, those of them in unmarked bins, and both sums.

    `full` is empty where nothing was moved there. Steps add up to less than 2**63.
    """
    low = np.uint64((1 << 32) - 1)
    wins = pairs = doubtful = 0.0
    below = all_positives = np.int64(0)
    for b in range(table.size):
        high = np.int64(table[b] >> np.uint64(32))
        here = np.int64(table[b] & low)
        if full.size:
            high += np.int64(full[b, 0])
            here += np.int64(full[b, 1])
        both = np.float64(high) * np.float64(here)
        wins += np.float64(high) * (2.0 * np.float64(below) + np.float64(here))
        pairs += both
        doubtful += 0.0 if marks[b] else both
        below += here
        all_positives += high
    return wins, pairs, doubtful, np.float64(all_positives), np.float64(below)
