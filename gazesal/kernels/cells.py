"""Cells: pixels told apart by the leading bits of their values, counted between the extremes.

The bit pattern of a float, once made an unsigned integer of the same order, is its *key*. Keys
are counted from the smallest one of the map, and a cell is what is left of a key after dropping
its low bits, as many as leave `CELLS` cells: these are as fine as the range of the map allows.
"""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import FloatArray, Unsigned, UnsignedArray

CELLS = 1 << 16
LANES = 64


@kernel
def extremes(values: FloatArray) -> tuple[float, float, bool]:
    """Smallest and largest value of a 1-D array, and whether all are finite, in one pass."""
    lowest = np.full(LANES, np.inf)
    highest = np.full(LANES, -np.inf)
    nothing = np.zeros(LANES)  # v - v is 0 for finite values and NaN for others
    for row in range(0, values.size, LANES):
        chunk = values[row : min(row + LANES, values.size)]
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


@kernel
def extreme_keys(extremes_as_bits: UnsignedArray, sign: Unsigned) -> tuple[Unsigned, int]:
    """Key of the smallest value, and the low bits to drop from keys counted from there."""
    lowest = key_of(extremes_as_bits[0], sign)
    spread = key_of(extremes_as_bits[1], sign) - lowest
    shift = 0
    while spread >> extremes_as_bits.dtype.type(shift) >= CELLS:
        shift += 1
    return lowest, shift


@kernel
def two_sum(high: float, low: float, term: float) -> tuple[float, float]:
    """Add a term onto a sum of two parts; Knuth's two-sum keeps what rounding takes off."""
    rounded = high + term
    shadow = rounded - high
    return rounded, low + ((high - (rounded - shadow)) + (term - shadow))
