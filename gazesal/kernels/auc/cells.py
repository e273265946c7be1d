"""Cells: groups of pixels with the same leading bits of their values.

The *key* of a float is its bit pattern, converted to an unsigned integer of the same order. The
smallest key of the map is subtracted from all keys. The *cell* of a pixel is the rest of its key
after the low bits are dropped. The number of dropped bits leaves at most `CELLS` cells, which are
as fine as the range of the map allows.
"""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import FloatArray, Unsigned, UnsignedArray

CELLS = 1 << 16  # cells of a map; a table of them fits in the L2 cache
WIDTH = 64  # values per step of `extremes`, so that the compiler uses vector instructions


@kernel
def extremes(values: FloatArray) -> tuple[float, float, bool]:
    """Return the smallest and largest value of a 1-D array, and True if all are finite."""
    lowest = np.full(WIDTH, np.inf)
    highest = np.full(WIDTH, -np.inf)
    nothing = np.zeros(WIDTH)  # sums of v - v, which is 0 for finite values and otherwise NaN
    for row in range(0, values.size, WIDTH):
        chunk = values[row : min(row + WIDTH, values.size)]
        for j in range(chunk.size):
            lowest[j] = min(lowest[j], chunk[j])
            highest[j] = max(highest[j], chunk[j])
            nothing[j] += chunk[j] - chunk[j]
    return lowest.min(), highest.max(), nothing.sum() == 0.0


@kernel
def key_of(pattern: Unsigned, sign: Unsigned) -> Unsigned:
    """Convert the bit pattern of a float to an integer of the same order.

    The keys of 0.0 and -0.0 are equal.
    """
    if pattern == sign:
        return sign
    return ~pattern if pattern & sign else pattern | sign


def pattern_of(key: int, sign: int) -> int:
    """Return the bit pattern of a key, which is 0.0 for both zeros."""
    return key ^ sign if key & sign else key ^ (2 * sign - 1)


def bits_to_drop(spread: int, cells: int) -> int:
    """Return the low bits to drop so that keys up to `spread` fall into `cells`, a power of 2."""
    return max(0, spread.bit_length() - (cells.bit_length() - 1))


def extreme_keys(
    extremes_as_bits: UnsignedArray, sign: Unsigned, cells: int = CELLS
) -> tuple[int, int]:
    """Return the key of the smallest value, and the low bits to drop from differences to it."""
    mask = 2 * int(sign) - 1  # the compiled `key_of` may return a negative integer
    lowest, highest = (int(key_of(pattern, sign)) & mask for pattern in extremes_as_bits)
    return lowest, bits_to_drop(highest - lowest, cells)


@kernel
def two_sum(high: float, low: float, term: float) -> tuple[float, float]:
    """Add a term to a sum of two parts. Knuth's two-sum keeps the rounding error in `low`."""
    rounded = high + term
    shadow = rounded - high
    return rounded, low + ((high - (rounded - shadow)) + (term - shadow))
