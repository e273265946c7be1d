"""Bins of rank: ranges of a map's values, laid where a sample of the weights has its pixels.

A bin is a range of keys (see `gazesal.kernels.auc.cells`), so pixels of different bins are in their
true order, and only pairs within one bin are counted as ties that may not be ones. With P_b and
Q_b the shares of positives and negatives in bin b, an area is off by P_b Q_b / 2 at most, and by
nothing in a bin all of whose pixels have one value. A sample of the pixels decides how the bins
are laid: a bad one makes the bound larger, never wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import CELLS, extreme_keys, key_of
from gazesal.typing import Float64Array, IntArray, Unsigned, UnsignedArray, WeightArray

SAMPLE = 1 << 15  # pixels by which the bins are laid
NEAR = 8  # neighboring cells on either side for which a cell's pixels speak, where they crowd
TOGETHER = 32  # pixels of a sample that speak for the cells from the first of them to the last
TIMES = 4  # pixels of the sample that make a bin worth a look whether it holds one value only
WITHIN = {4: 16, 8: 30}  # bits of a key, by its bytes, that part a cell; all that float32 has


class Sample(NamedTuple):
    """Some pixels, evenly spread, with their shares of the positives and of the negatives."""

    pixels: IntArray
    positives: Float64Array
    negatives: Float64Array


def sampled_pixels(n_pixels: int) -> IntArray:
    """One pixel in every so many."""
    step = max(1, n_pixels // SAMPLE)
    return np.arange(step // 2, n_pixels, step)


def sample_weights(
    positives: Sequence[WeightArray], negatives: Sequence[WeightArray | None], n_pixels: int
) -> Sample:
    """Read the weights of some pixels; of several maps, the sum of their shares."""
    pixels = sampled_pixels(n_pixels)
    nothing = np.zeros(pixels.size)
    return Sample(
        pixels,
        sum((_shares(weights[pixels]) for weights in positives), nothing),
        sum((_shares(1.0 + nothing if w is None else w[pixels]) for w in negatives), nothing),
    )


def _shares(weights: WeightArray) -> Float64Array:
    """Weights over their sum; a sample that misses every weight says nothing, so all count."""
    values = weights.astype(np.float64)
    total = values.sum()
    return values / total if total > 0 else np.full(values.size, 1.0 / values.size)


class Bins(NamedTuple):
    """How a map's keys fall into bins: `first` is the first bin of each cell, and their number."""

    lowest: Unsigned
    drop: Unsigned  # low bits of a key that its cell drops
    unused: Unsigned  # the lowest of those, which part no cell
    first: UnsignedArray

    @property
    def number(self) -> int:
        """How many bins there are; pixels of values that the sample missed may fall beyond."""
        return int(self.first[-1]) + 1

    def fill(self, bits: UnsignedArray, bins: UnsignedArray) -> UnsignedArray:
        """Set the first of `bins` to the bin of each pixel, and return those."""
        found = bins[: bits.size]
        fill_bins(bits, self, found)
        return found


def lay_bins(
    bits: UnsignedArray, extremes: tuple[float, float], sample: Sample, wanted: int
) -> Bins:
    """Divide the range of a map, given as bits, into about so many bins.

    The bound is least where the bins of a cell are in proportion to the root of its positives
    times its negatives. Cells too small for a bin of their own share one, which is the first of the
    cell after them.
    """
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    floats = np.dtype(f"f{bits.itemsize}")
    key, shift = extreme_keys(np.array(extremes, floats).view(bits.dtype), sign)
    lowest, drop = bits.dtype.type(key), bits.dtype.type(shift)
    kept = min(shift, WITHIN[bits.itemsize])
    cells = cells_of(bits, lowest, drop, sample.pixels)
    importance = _importance(cells, sample)
    if not importance.any():  # the sample saw no cell with both
        importance = np.ones(CELLS)
    shares = np.minimum(importance * (wanted / importance.sum()), 1 << kept)
    first = np.zeros(CELLS + 1, np.uint32)
    first[1:] = np.rint(np.cumsum(shares))
    return Bins(lowest, drop, bits.dtype.type(shift - kept), first)


def _importance(cells: IntArray, sample: Sample) -> Float64Array:
    """Root of positives times negatives in each cell, as a sample in it or around it has them.

    The larger of two: that of a few neighboring cells, which is nothing in places where the
    sample is sparse; and that of a stretch of cells up to so many pixels of the sample, which is
    too low where values crowd at the end of a gap.
    """
    seen = np.cumsum(np.bincount(cells, minlength=CELLS))
    stretch = np.maximum(seen - 1, 0) // TOGETHER
    widths = np.bincount(stretch)
    near, along = np.ones(CELLS), np.ones(widths.size)
    for weights in (sample.positives, sample.negatives):
        sums = np.cumsum(np.pad(np.bincount(cells, weights, CELLS), (NEAR + 1, NEAR)))
        near *= np.maximum(sums[2 * NEAR + 1 :] - sums[: -2 * NEAR - 1], 0.0)
        along *= np.bincount(stretch[cells], weights, widths.size)
    along = np.sqrt(along) / np.maximum(widths, 1)
    return np.asarray(np.maximum(np.sqrt(near) / (2 * NEAR + 1), along[stretch]))


@kernel
def cells_of(bits: UnsignedArray, lowest: Unsigned, drop: Unsigned, pixels: IntArray) -> IntArray:
    """Cells of some pixels."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    found = np.empty(pixels.size, np.int64)
    for j in range(pixels.size):
        key = bits.dtype.type(key_of(bits[pixels[j]], sign) - lowest)
        found[j] = np.int64(key >> drop)
    return found


@kernel
def fill_bins(bits: UnsignedArray, bins: Bins, found: UnsignedArray) -> None:
    """Set `found` to the bin of each pixel; the bins of a cell divide its keys evenly."""
    lowest, drop, unused, first = bins
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    mask = bits.dtype.type((bits.dtype.type(1) << drop) - bits.dtype.type(1))
    kept = bits.dtype.type(drop - unused)
    for j in range(bits.size):
        key = bits.dtype.type(key_of(bits[j], sign) - lowest)
        cell = key >> drop
        begin = first[cell]
        size = bits.dtype.type(first[cell + bits.dtype.type(1)] - begin)
        within = bits.dtype.type(bits.dtype.type((key & mask) >> unused) * size) >> kept
        found[j] = begin + np.uint32(within)


class Purity(NamedTuple):
    """Which bins are of one value: for certain, or as far as pixels looked at have not shown.

    `marks` are 0 for bins of several values, 1 for those of one key, and else 2 and more: where in
    `firsts` the value is that the bin's pixels are to have.
    """

    marks: UnsignedArray
    firsts: UnsignedArray
    least: int  # bins between which those marked 2 and more lie
    most: int

    def look_at(self, bits: UnsignedArray, bin_of_pixel: UnsignedArray) -> None:
        """Unmark bins in which a pixel differs from their first."""
        if self.firsts.size > 2:
            find_impure(bits, bin_of_pixel, self)


def find_purity(bits: UnsignedArray, bins: Bins, sample: Sample) -> Purity:
    """Mark bins of one key, and such as may be of one value, as the zeros after a ReLU are."""
    marks = np.zeros(bins.number, np.uint16)
    sizes = np.diff(bins.first)
    one_key = sizes == 1 << int(bins.drop)
    one_key[1:] &= sizes[:-1] > 0  # or values from before would share the first
    if one_key.any():
        marks[:-1] = np.repeat(one_key, sizes)
    sampled = bits[sample.pixels]
    found = bins.fill(sampled, np.empty(sampled.size, np.uint32))
    often = np.flatnonzero((np.bincount(found, minlength=bins.number) >= TIMES) & (marks == 0))
    marks[often] = np.arange(2, often.size + 2)
    seen = marks[found]
    firsts = np.zeros(2 + often.size, bits.dtype)
    firsts[seen] = sampled
    least, most = (int(often[0]), int(often[-1])) if often.size else (0, 0)
    return Purity(marks, firsts, least, most)


@kernel
def find_impure(bits: UnsignedArray, bin_of_pixel: UnsignedArray, purity: Purity) -> None:
    """Unmark bins, marked 2 or more, in which a pixel differs from what `firsts` has for them.

    They lie between `least` and `most`, so that for the many maps with one such value, their
    smallest, few marks are looked up.
    """
    marks, firsts, least, most = purity
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for j in range(bits.size):
        b = bin_of_pixel[j]
        if least <= b <= most:
            mark = marks[b]
            differs = (mark > 1) & (firsts[mark] != bits[j])  # one jump, and that a rare one
            if differs and key_of(firsts[mark], sign) != key_of(
                bits[j], sign
            ):  # both zeros are one
                marks[b] = 0
