"""Sums of cells weighted by the number of times a resample contains their units.

A resample is a row of counts for each kind of unit, and its sum is the counts times the cells. The
loop adds in the order of the cells, whatever the number of rows and columns. A resample therefore
has the same sum, bit for bit, in any block and with any other columns.
"""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray


@kernel
def count_draws(draws: IntArray, counts: IntArray) -> None:
    """Count the draws (R, N) of each unit, 0 to K - 1, in each row, into counts (R, K)."""
    for r in range(draws.shape[0]):
        row = counts[r]
        row[:] = 0
        for i in range(draws.shape[1]):
            row[draws[r, i]] += 1


@kernel
def _sum_of_one_column(counts: IntArray, column: Float64Array) -> float:
    """Sum counts times cells, without a branch on zero, which would be slower."""
    total = 0.0
    for i in range(column.size):
        total += np.float64(counts[i]) * column[i]
    return total


@kernel
def weighted_sums(
    first: IntArray, second: IntArray, third: IntArray, cells: Float64Array, out: Float64Array
) -> None:
    """Add up ``first[r, i] * second[r, j] * third[r, l] * cells[i, j, l, :]`` into ``out[r, :]``.

    Counts are (R, I), (R, J) and (R, L), finite cells (I, J, L, C) and out (R, C), overwritten.
    """
    if cells.size == cells.shape[0]:  # one column of one kind of units
        for r in range(out.shape[0]):
            out[r, 0] = second[r, 0] * third[r, 0] * _sum_of_one_column(first[r], cells[:, 0, 0, 0])
        return
    for r in range(out.shape[0]):
        row = out[r]
        row[:] = 0.0
        for i in range(cells.shape[0]):
            if first[r, i] == 0:
                continue
            for j in range(cells.shape[1]):
                pair = first[r, i] * second[r, j]
                if pair == 0:
                    continue
                for k in range(cells.shape[2]):
                    weight = np.float64(pair * third[r, k])
                    if weight == 0.0:
                        continue
                    cell = cells[i, j, k]
                    for c in range(cell.size):
                        row[c] += weight * cell[c]


@kernel
def _one_ratio(
    counts: IntArray, ratios: Float64Array, sizes: Float64Array
) -> tuple[float, float, float]:
    """Compute the total size, the mean and the spread of one resample of one column."""
    first = 0
    while counts[first] == 0:
        first += 1
    base = ratios[first]
    total = 0.0
    shift = 0.0
    for i in range(counts.size):
        weight = np.float64(counts[i]) * sizes[i]
        total += weight
        shift += weight * (ratios[i] - base)
    shift /= total
    spread = 0.0
    for i in range(counts.size):
        distance = sizes[i] * (ratios[i] - base - shift)
        spread += np.float64(counts[i]) * distance * distance
    return total, base + shift, spread


@kernel
def resampled_ratios(
    counts: IntArray,
    ratios: Float64Array,
    sizes: Float64Array,
    means: Float64Array,
    errors: Float64Array,
) -> None:
    """Compute the mean of each resample weighted by size, and its standard error.

    Counts are (R, K), ratios and sizes (C, K) with positive sizes, and means and errors (R, C),
    overwritten. An error is exactly zero if all drawn ratios are equal, because they are taken
    about the first of them.
    """
    k = counts.shape[1]
    for r in range(means.shape[0]):
        for c in range(means.shape[1]):
            total, mean, spread = _one_ratio(counts[r], ratios[c], sizes[c])
            means[r, c] = mean
            errors[r, c] = np.sqrt(spread * k / (k - 1)) / total
