"""The matrix product of separable bumps."""

import numpy as np
import pytest

from gazesal.kernels.gaussians import sum_of_outer_products


@pytest.mark.parametrize(("n", "height", "width"), [(1, 1, 1), (1, 4, 3), (5, 7, 4), (9, 3, 11)])
def test_equals_the_sum_of_outer_products(n, height, width):
    rng = np.random.default_rng(n)
    along_y = rng.integers(0, 5, (n, height)).astype(np.float64)
    along_x = rng.integers(1, 5, (n, width)).astype(np.float64)
    first = rng.integers(0, width, n)
    last = np.array([rng.integers(low, width + 1) for low in first])
    expected = np.zeros((height, width))
    for i in range(n):
        for row in range(height):
            for column in range(width):
                if first[i] <= column < last[i]:
                    expected[row, column] += along_y[i, row] * along_x[i, column]
    assert np.array_equal(sum_of_outer_products(along_y, along_x, first, last), expected)


def test_no_bump_reaches_an_empty_range():
    ones = np.ones((1, 3))
    nothing = np.array([2])
    assert not sum_of_outer_products(ones, ones, nothing, nothing).any()
