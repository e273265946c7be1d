"""The AUC of one map for one weighting of positives and one of negatives, by bins in one pass.

The two weights of a pixel are rounded to integer steps and packed into one word. Each pixel then
needs one random access to a table of 8 bytes per bin, which stays in cache. The same pass checks
that the weights are finite and not negative.

Of the pairs of positives and negatives in a bin, self-pairs (a pixel with itself) are true ties. So
are all pairs in a bin of one value. The bound subtracts only the larger of the two sums, because
the bins of the self-pairs are not recorded.
"""

import math
from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.approximate.bins import (
    SAMPLE,
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

CHUNK = 16 * LANES  # pixels; their bins and words stay in cache between the loops
STEPS = 16.0  # steps per pixel, divided by the tolerance; the sum of the weights in steps
FULL = float(1 << 31)  # steps; a weight of as many overflows half a word
SPARE = 4.0  # a weight up to this multiple of the largest in the sample fits into half a word


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
    steps_per_pixel: float = STEPS,
    sampled: int = SAMPLE,
) -> tuple[float, float] | None:
    """Return the AUC of 1-D values that are not constant, and the bound of its error.

    The bound does not include the rounding of sums. The weights of positives and negatives need not
    have been checked. None stands for uniform negatives. `wanted` is about the number of bins.
    Return None if a weight is not finite or is negative, if all sampled weights are zero, or if a
    weight is too large for steps as small as the other weights need.
    """
    positives, negatives = weights[0], weights[1]
    if negatives is None:
        negatives = np.ones(CHUNK, np.float32)  # read repeatedly
    pixels = sampled_pixels(values.size, sampled)
    steps = steps_per_pixel * values.size / tolerance
    scales = [_scale(w[pixels % w.size], steps, values.size) for w in (positives, negatives)]
    if 0.0 in scales:
        return None
    sample = sample_weights([positives], [weights[1]], values.size, sampled)
    bits = values.view(f"u{values.itemsize}")
    bins = lay_bins(bits, extremes, sample, wanted)
    purity = find_purity(bits, bins, sample)
    table = np.zeros(bins.number, np.uint64)
    full = np.zeros((bins.number, 2), np.uint64)  # takes memory only if written to
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
    # Rounding to steps changes shares by up to twice its sum, and an area by half of that.
    shifted = sum(off / total for off, total in zip(rounded, sums, strict=True))
    return wins / (2.0 * sums[0] * sums[1]), tied + shifted


def _scale(sampled: WeightArray, steps: float, n_pixels: int) -> float:
    """Return the factor that makes weights add up to about `steps`, or 0 if no factor does.

    The factor is smaller if the largest weight would overflow.
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
    """Set words to the weights in steps, the positives in the upper half.

    Return the union of the bits of all weights. A bit above the 31st is set if a weight overflows,
    is negative or is not finite. The products of both weights, and the rounding errors of each, are
    added to the lanes (3, LANES).
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
    """Add words by bin, move both halves to `full` (bins, 2) if one is full, and count the moves.

    Halves of words are below 2**31, so a full half shows before it overflows.
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
    """Add the weights of a map by bin.

    Return False if a weight overflows or is invalid, and the number of times a sum was full.
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
    """Return twice the pairs won, the pairs within bins and within unmarked bins, and both sums.

    `full` is empty if no sum was moved. Steps add up to less than 2**63.
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
