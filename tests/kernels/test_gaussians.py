"""The matrix product of separable bumps, at sizes around its tile sizes."""

import numpy as np
import pytest

from gazesal.kernels.gaussians import TILE, TOGETHER, sum_of_outer_products


def check(factors, bumps):
    """Use integers, whose products and sums are exact in any order."""
    out = np.full((factors.shape[0], bumps.shape[1]), np.nan)
    sum_of_outer_products(np.ascontiguousarray(factors.T), bumps, out)
    assert np.array_equal(out, factors.astype(np.int64) @ bumps.astype(np.int64))


@pytest.mark.parametrize("n", [TOGETHER, 3 * TOGETHER])
@pytest.mark.parametrize("height", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 3, TILE - 1, TILE, TILE + 1, 2 * TILE + 6])
def test_equals_the_matrix_product(n, height, width):
    rng = np.random.default_rng(width)
    factors = rng.integers(-9, 10, (height, n)).astype(np.float64)
    check(factors, rng.integers(-9, 10, (n, width)).astype(np.float64))


@pytest.mark.parametrize("seed", range(4))
def test_rows_without_a_factor_are_skipped_and_others_are_not(seed):
    """Four bumps are added to two rows, and any of the eight factors may be nonzero alone."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(1, 9, (7, 2 * TOGETHER)) * (rng.random((7, 2 * TOGETHER)) < 0.15)
    check(factors.astype(np.float64), rng.integers(-9, 10, (2 * TOGETHER, 11)).astype(np.float64))


def test_without_bumps_the_sum_is_zero():
    check(np.zeros((3, TOGETHER)), np.ones((TOGETHER, 5)))


def test_every_pair_of_factor_and_bump_meets():
    """Use one factor and one bump at a time, on an odd number of rows."""
    for row in range(3):
        for i in range(TOGETHER):
            factors, bumps = np.zeros((3, TOGETHER)), np.zeros((TOGETHER, 2))
            factors[row, i] = 2.0
            bumps[i] = (3.0, 5.0)
            check(factors, bumps)
