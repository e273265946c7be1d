"""Sums of separable bumps on a grid."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray


@kernel
def sum_of_outer_products(
    along_y: Float64Array, along_x: Float64Array, first: IntArray, last: IntArray
) -> Float64Array:
    """``along_y.T @ along_x``, where bump ``i`` is non-zero in columns ``first[i]:last[i]`` only.

    The matrix product of the separable gaze map, written out row by row rather than left to
    BLAS, whose last bits change with its number of threads and its vendor: one row of the
    output stays in cache while every bump that reaches it is added, and the columns and rows
    a bump does not reach are skipped.
    """
    n, height = along_y.shape
    width = along_x.shape[1]
    out = np.empty((height, width))
    for row in range(height):
        line = out[row]
        line[:] = 0.0
        for i in range(n):
            factor = along_y[i, row]
            if factor != 0.0:
                bump = along_x[i, first[i] : last[i]]
                target = line[first[i] : last[i]]
                for j in range(bump.size):
                    target[j] += factor * bump[j]
    return out
