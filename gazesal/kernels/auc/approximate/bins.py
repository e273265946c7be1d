"""Bins of rank: ranges of a map's values, laid by a sample of the weights.

A bin is a range of keys (see `gazesal.kernels.auc.cells`). Pixels of different bins are therefore
in their true order, and pairs of pixels within a bin count as ties. With P_b and Q_b the shares of
positives and negatives in bin b, the bin changes an area by at most P_b Q_b / 2. A bin of one value
does not change it. The bins are laid by a sample of the pixels. A poor sample makes the bound of
the error larger, but never wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.kernels.auc.cells import CELLS, extreme_keys, key_of
from gazesal.typing import Float64Array, IntArray, Unsigned, UnsignedArray, WeightArray

SAMPLE = 1 << 15  # pixels in the sample, about
NEAR = 8  # cells on either side over which the weights of a cell are averaged in dense places
TOGETHER = 32  # pixels of the sample over whose cells the weights are averaged in sparse places
TIMES = 4  # pixels of the sample in a bin; with as many, the bin is checked for a single value
WITHIN = {4: 16, 8: 30}  # bits that divide a cell, by the bytes of a key; all bits for float32


class Sample(NamedTuple):
    """Evenly spaced pixels, with their shares of the positives and of the negatives."""

    pixels: IntArray
    positives: Float64Array
    negatives: Float64Array


def sampled_pixels(n_pixels: int, about: int = SAMPLE) -> IntArray:
    """Return the indices of evenly spaced pixels, about `about` of them or all."""
    step = max(1, n_pixels // about)
    return np.arange(step // 2, n_pixels, step)


def sample_weights(
    positives: Sequence[WeightArray],
    negatives: Sequence[WeightArray | None],
    n_pixels: int,
    about: int = SAMPLE,
) -> Sample:
    """Return a sample of the weights, with the sum of the shares of several maps."""
    pixels = sampled_pixels(n_pixels, about)
    nothing = np.zeros(pixels.size)
    return Sample(
        pixels,
        sum((_shares(weights[pixels]) for weights in positives), nothing),
        sum((_shares(1.0 + nothing if w is None else w[pixels]) for w in negatives), nothing),
    )


def _shares(weights: WeightArray) -> Float64Array:
    """Divide weights by their sum, or return equal shares if all weights are zero."""
    values = weights.astype(np.float64)
    total = values.sum()
    return values / total if total > 0 else np.full(values.size, 1.0 / values.size)


class Bins(NamedTuple):
    """Bins of a map's keys."""

    lowest: Unsigned  # smallest key, which is subtracted
    drop: Unsigned  # number of low bits of a key that are not in its cell
    unused: Unsigned  # number of the lowest of these bits, which do not divide a cell
    first: UnsignedArray  # first bin of each cell, and the number of bins

    @property
    def number(self) -> int:
        """Number of bins, and one more for pixels above the values of the sample."""
        return int(self.first[-1]) + 1

    def fill(self, bits: UnsignedArray, bins: UnsignedArray) -> UnsignedArray:
        """Set the first entries of `bins` to the bin of each pixel, and return them."""
        found = bins[: bits.size]
        fill_bins(bits, self, found)
        return found


def lay_bins(
    bits: UnsignedArray, extremes: tuple[float, float], sample: Sample, wanted: int
) -> Bins:
    """Divide the range of a map, given as bits, into about `wanted` bins.

    The bound is smallest if the number of bins of a cell is proportional to the root of its
    positives times its negatives. Cells too small for a bin share the first bin of the next cell.
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
    """Estimate the root of positives times negatives in each cell from a sample.

    The estimate is the larger of two. The mean over `NEAR` neighboring cells is 0 in places where
    the sample is sparse. The mean over a stretch of cells with `TOGETHER` pixels of the sample is
    too low if many values follow a gap.
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
    """Return the cells of some pixels."""
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
    """Flags for single-valued bins: proven, or assumed until a pixel contradicts it.

    A mark is 0 for a bin of several values and 1 for a bin of one key. A bin with a larger mark is
    assumed to have the value of ``firsts[mark]`` only.
    """

    marks: UnsignedArray
    firsts: UnsignedArray
    least: int  # first bin with a mark of 2 or more
    most: int  # last bin with a mark of 2 or more

    def look_at(self, bits: UnsignedArray, bin_of_pixel: UnsignedArray) -> None:
        """Unmark bins in which a pixel differs from the assumed value."""
        if self.firsts.size > 2:
            find_impure(bits, bin_of_pixel, self)


def find_purity(bits: UnsignedArray, bins: Bins, sample: Sample) -> Purity:
    """Mark bins of one key, and bins that may be of one value, such as the zeros after a ReLU."""
    marks = np.zeros(bins.number, np.uint16)
    sizes = np.diff(bins.first)
    one_key = sizes == 1 << int(bins.drop)
    one_key[1:] &= sizes[:-1] > 0  # otherwise smaller cells share the first bin
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
    """Unmark bins with a mark of 2 or more in which a pixel differs from the assumed value.

    Only bins from `least` to `most` are looked up. Many maps have one such value, their smallest,
    so this range is short.
    """
    marks, firsts, least, most = purity
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for j in range(bits.size):
        b = bin_of_pixel[j]
        if least <= b <= most:
            mark = marks[b]
            differs = (mark > 1) & (firsts[mark] != bits[j])  # `&` needs one branch, not two
            if differs and key_of(firsts[mark], sign) != key_of(
                bits[j], sign
            ):  # both zeros are one
                marks[b] = 0
