"""AUCs of one map for many weightings of its pixels, by bins of rank and with a bound.

The map is read twice. The first pass sums the negatives by bin, which gives the share of the
negatives beaten by each bin and its part of the bound. The second pass looks these up for each
pixel and sums them with the weights of every gaze map. Both the area and the bound are sums over
all pixels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.approximate.bins import Sample, find_purity, lay_bins
from gazesal.kernels.auc.cells import two_sum
from gazesal.kernels.moments import LANES, fold
from gazesal.typing import Float64Array, FloatArray, UnsignedArray, WeightArray

CHUNK = 1 << 15  # pixels; their bins and shares stay in cache between the kernels
STEPS = 1 << 26  # steps of a share of 1 in a table
CODE_BITS = 6  # bits of the code of a half
LAST_CODE = (1 << CODE_BITS) - 1
FRACTION = 21  # low bits of a float32 that its code drops; two bits of the fraction are kept
REACH = 1024.0  # largest half with its own code, divided by the tolerance


@kernel
def add_counts(bins: UnsignedArray, counts: UnsignedArray) -> None:
    """Count pixels by bin."""
    for j in range(bins.size):
        counts[bins[j]] += np.uint32(1)


@kernel
def add_weights(bins: UnsignedArray, weights: WeightArray, sums: Float64Array) -> None:
    """Add weights by bin."""
    for j in range(bins.size):
        sums[bins[j]] += np.float64(weights[j])


@kernel
def pack_shares(
    tally: WeightArray | UnsignedArray,
    total: float,
    marks: UnsignedArray,
    lowest_code: int,
    packed: UnsignedArray,
) -> None:
    """Set, by bin, the share of the negatives beaten, and half of the share in the bin itself.

    The half is the part of the bound, 0 if the bin is marked as having one value. Both are packed
    into 32 bits, so that a million bins stay in cache. The share is in steps of 2**-26. The half is
    rounded up to a float with two fraction bits, of which 62 consecutive ones have a code. Code 0
    is a half of 0, and the last code is any larger half.
    """
    high = low = 0.0
    for b in range(tally.size):
        here = np.float64(tally[b]) / total
        share = (high + low) + 0.5 * here
        steps = min(int(share * STEPS), STEPS - 1)
        code = 0
        if here > 0.0 and not marks[b]:
            pattern = int(np.float32(0.5 * here).view(np.uint32))
            code = ((pattern >> FRACTION) + 1) - lowest_code
            code = min(max(code, 1), LAST_CODE)
        packed[b] = (steps << CODE_BITS) | code
        high, low = two_sum(high, low, here)


def halves_of_codes(tolerance: float) -> tuple[int, FloatArray]:
    """Return the offset of codes from the leading bits of a float, and the half of each code."""
    largest = np.array([REACH * tolerance], np.float32).view(np.uint32)[0] >> FRACTION
    lowest = int(largest) - (LAST_CODE - 1)
    patterns = (lowest + np.arange(LAST_CODE + 1)).astype(np.uint32) << np.uint32(FRACTION)
    halves = patterns.view(np.float32).copy()
    halves[0], halves[LAST_CODE] = 0.0, 0.5
    return lowest, halves


@kernel
def look_up(bins: UnsignedArray, packed: UnsignedArray, entries: UnsignedArray) -> None:
    """Set `entries` (K, n) to the entries of a table (bins, K) at the bins of n pixels."""
    if packed.shape[1] == 1:
        for j in range(bins.size):
            entries[0, j] = packed[bins[j], 0]
    else:
        for j in range(bins.size):
            b = bins[j]
            entries[0, j] = packed[b, 0]
            entries[1, j] = packed[b, 1]


@kernel
def unpack(entries: UnsignedArray, halves: FloatArray, rows: FloatArray) -> None:
    """Set `rows` (K + 1, n) to the K shares of n pixels, and the largest of their K halves."""
    step = 1.0 / STEPS
    last = rows[entries.shape[0]]
    last[:] = 0.0
    for k in range(entries.shape[0]):
        row, entry = rows[k], entries[k]
        for j in range(entry.size):
            steps = np.int32(entry[j] >> np.uint32(CODE_BITS))
            row[j] = (np.float64(steps) + 0.5) * step
        for j in range(entry.size):
            half = halves[entry[j] & np.uint32(LAST_CODE)]
            last[j] = half if half > last[j] else last[j]


@kernel
def add_rows(weights: WeightArray, rows: FloatArray, lanes: Float64Array) -> None:
    """Add weight times entry to the lanes (K, LANES), for each row of (K, n)."""
    for first in range(0, weights.size, LANES):
        w = weights[first : first + LANES]
        for k in range(rows.shape[0]):
            row, onto = rows[k, first : first + LANES], lanes[k]
            for j in range(w.size):
                onto[j] += np.float64(w[j]) * np.float64(row[j])


@kernel
def fold_all(lanes: Float64Array, out: Float64Array) -> None:
    """Set `out` (n,) to the sums of the lanes (n, LANES), which are overwritten."""
    for i in range(lanes.shape[0]):
        out[i] = fold(lanes[i])


def binned_wins(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: Sequence[WeightArray],
    negatives: Sequence[WeightArray | None],
    totals: Sequence[float],
    sample: Sample,
    tolerance: float,
    wanted: int,
) -> tuple[Float64Array, Float64Array]:
    """Return the sums of weight times share beaten, (len(positives), len(negatives)), and bounds.

    The bounds (len(positives),) are sums of weight times the largest half over the negatives,
    without the error of rounding. None stands for uniform negatives. `totals` are the sums of the
    negatives, and `wanted` is about the number of bins. The map must not be constant.
    """
    bits = values.view(f"u{values.itemsize}")
    bins = lay_bins(bits, extremes, sample, wanted)
    purity = find_purity(bits, bins, sample)
    room = np.empty(CHUNK, np.uint32)
    starts = range(0, bits.size, CHUNK)
    tallies: list[Any] = [
        np.zeros(bins.number, np.uint32 if weights is None else np.float64) for weights in negatives
    ]
    for start in starts:
        chunk = bits[start : start + CHUNK]
        here = bins.fill(chunk, room)
        purity.look_at(chunk, here)
        for weights, tally in zip(negatives, tallies, strict=True):
            if weights is None:
                add_counts(here, tally)
            else:
                add_weights(here, weights[start : start + CHUNK], tally)
    lowest_code, halves = halves_of_codes(tolerance)
    packed = np.empty((bins.number, len(negatives)), np.uint32)
    for k, (tally, total) in enumerate(zip(tallies, totals, strict=True)):
        pack_shares(tally, total, purity.marks, lowest_code, packed[:, k])
    lanes = np.zeros((len(positives), len(negatives) + 1, LANES))
    entries_of = np.empty((len(negatives), CHUNK), np.uint32)
    rows = np.empty((len(negatives) + 1, CHUNK), np.float32)
    for start in starts:
        here = bins.fill(bits[start : start + CHUNK], room)
        entries_here = entries_of[:, : here.size]
        look_up(here, packed, entries_here)
        unpack(entries_here, halves, rows[:, : here.size])
        for r, weights in enumerate(positives):
            add_rows(weights[start : start + CHUNK], rows, lanes[r])
    results = np.empty(lanes.shape[:2])
    fold_all(lanes.reshape(-1, LANES), results.reshape(-1))
    return results[:, :-1], results[:, -1]
