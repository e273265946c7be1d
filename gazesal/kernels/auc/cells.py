"""Cells: pixels told apart by the leading bits of their values, counted between the extremes.

The bit pattern of a float, once made an unsigned integer of the same order, is its *key*. Keys
are counted from the smallest one of the map, and a cell is what is left of a key after dropping
its low bits, as many as leave `CELLS` cells: these are as fine as the range of the map allows.
"""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import FloatArray, Unsigned, UnsignedArray

CELLS = 1 << 16
WIDTH = 64  # of the loops over extremes


@kernel
def extremes(values: FloatArray) -> tuple[float, float, bool]:
    """Smallest and largest value of a 1-D array, and whether all are finite, in one pass."""
    lowest = np.full(WIDTH, np.inf)
    highest = np.full(WIDTH, -np.inf)
    nothing = np.zeros(WIDTH)  # v - v is 0 for finite values and NaN for others
    for row in range(0, values.size, WIDTH):
        chunk = values[row : min(row + WIDTH, values.size)]
        for j in range(chunk.size):
            lowest[j] = min(lowest[j], chunk[j])
            highest[j] = max(highest[j], chunk[j])
            nothing[j] += chunk[j] - chunk[j]
    return lowest.min(), highest.max(), nothing.sum() == 0.0


@kernel
def key_of(pattern: Unsigned, sign: Unsigned) -> Unsigned:
    """Turn the bit pattern of a float into an integer of the same order; -0.0 ties with 0.0."""
    if pattern == sign:
        return sign
    return ~pattern if pattern & sign else pattern | sign


def pattern_of(key: int, sign: int) -> int:
    """Bit pattern that a key was made of; 0.0 for both zeros."""
    return key ^ sign if key & sign else key ^ (2 * sign - 1)


def bits_to_drop(spread: int, cells: int) -> int:
    """Low bits to drop so that keys so far from the lowest fall into so many cells, 2**k."""
    return max(0, spread.bit_length() - (cells.bit_length() - 1))


def extreme_keys(
    extremes_as_bits: UnsignedArray, sign: Unsigned, cells: int = CELLS
) -> tuple[int, int]:
    """Key of the smallest value, and the low bits to drop from keys counted from there."""
    mask = 2 * int(sign) - 1  # compiled, the key may come back as a negative integer
    lowest, highest = (int(key_of(pattern, sign)) & mask for pattern in extremes_as_bits)
    return lowest, bits_to_drop(highest - lowest, cells)


@kernel
def two_sum(high: float, low: float, term: float) -> tuple[float, float]:
    """Add a term onto a sum of two parts; Knuth's two-sum keeps what rounding takes off."""
    rounded = high + term
    shadow = rounded - high
    return rounded, low + ((high - (rounded - shadow)) + (term - shadow))
