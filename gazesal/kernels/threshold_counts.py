"""Numbers of values between and at thresholds, in one pass over the values."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import FloatArray, IntArray, UnsignedArray

CELLS = 1 << 16  # cells, by sign, exponent and leading fraction bits in single precision
SIGN, ALL = np.uint32(1 << 31), np.uint32(0xFFFFFFFF)
CHUNK = 1 << 12  # values; their cells are found together and stay in cache


@kernel
def find_cells(values: FloatArray, rounded: FloatArray, cells: UnsignedArray) -> None:
    """Set `cells` to the cell of each value.

    Rounding to single precision and dropping bits both keep the order. `rounded` is a float32
    workspace. Adding 0 converts -0.0 to 0.0, so that the two tie.
    """
    for i in range(values.size):
        rounded[i] = values[i] + 0.0
    patterns = rounded.view(np.uint32)
    for i in range(values.size):
        pattern = patterns[i]
        # positive floats get their sign bit set, negative ones are inverted
        key = pattern ^ (ALL if pattern & SIGN else SIGN)
        cells[i] = key >> np.uint32(16)


@kernel
def count_at_thresholds(values: FloatArray, thresholds: FloatArray, counts: IntArray) -> None:
    """Add the numbers of values between and at K thresholds to `counts`, of size 2 K + 1.

    The thresholds are distinct and ascend. ``counts[2 k + 1]`` is the number of values equal to
    threshold k, and ``counts[2 k]`` the number between it and the threshold before. A value is
    compared only with thresholds in its own cell. Thresholds in lower cells are below it, and
    thresholds in higher cells are above.
    """
    rounded = np.empty(CHUNK, np.float32)
    cells = np.empty(CHUNK, np.uint32)
    first = np.zeros(CELLS + 1, np.int64)  # number of thresholds in lower cells
    for start in range(0, thresholds.size, CHUNK):
        part = thresholds[start : start + CHUNK]
        find_cells(part, rounded[: part.size], cells)
        for i in range(part.size):
            first[cells[i] + 1] += 1
    for cell in range(CELLS):
        first[cell + 1] += first[cell]
    for start in range(0, values.size, CHUNK):
        part = values[start : start + CHUNK]
        find_cells(part, rounded[: part.size], cells)
        for i in range(part.size):
            low = first[cells[i]]
            high = first[cells[i] + 1]
            place = 2 * low
            if low < high:
                value = part[i]
                while low < high:
                    middle = (low + high) >> 1
                    if thresholds[middle] < value:
                        low = middle + 1
                    else:
                        high = middle
                place = 2 * low
                if low < thresholds.size and thresholds[low] == value:
                    place += 1
            counts[place] += 1
