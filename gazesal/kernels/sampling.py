"""Inverse-CDF sampling of pixels, without a cumulative sum the size of the map."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray, WeightArray

BLOCK = 512  # pixels per partial sum; each draw reads one block


@kernel
def locate(weights: WeightArray, block_sums: Float64Array, targets: Float64Array) -> IntArray:
    """Return the index of the first pixel whose cumulative weight exceeds each target.

    `targets` ascend and lie in [0, sum of block_sums), summed from left to right. Only blocks that
    contain a target are read again. A pixel of weight zero is never returned, because the
    cumulative weight does not grow there.
    """
    found = np.empty(targets.size, np.int64)
    block = position = 0
    before = cumulative = 0.0  # weights of all blocks before `block`, and of pixels to `position`
    last = -1
    for i in range(targets.size):
        moved = False
        while block < block_sums.size - 1 and before + block_sums[block] <= targets[i]:
            before += block_sums[block]
            block += 1
            moved = True
        if moved:
            position = block * BLOCK
            cumulative = before
            last = -1
        stop = min((block + 1) * BLOCK, weights.size)
        while position < stop and cumulative <= targets[i]:
            if weights[position] > 0.0:
                cumulative += np.float64(weights[position])
                last = position
            position += 1
        found[i] = last
    return found
