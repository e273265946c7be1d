"""Weighted sums of cells against einsum, and bit for bit in blocks of any size."""

import numpy as np
import pytest

from gazesal.kernels.bootstrap import count_draws, weighted_sums


def make(rows, shape, columns, seed=0):
    rng = np.random.default_rng(seed)
    counts = [rng.integers(-1, 3, (rows, size)) for size in shape]
    return counts, rng.normal(size=(*shape, columns))


def test_counts_equal_bincount():
    draws = np.random.default_rng(0).integers(7, size=(5, 11))
    counts = np.full((5, 7), -1)
    count_draws(draws, counts)
    assert counts.tolist() == [np.bincount(row, minlength=7).tolist() for row in draws]


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 1, 1), (5, 3, 1), (4, 3, 2)])
@pytest.mark.parametrize("columns", [1, 3, 17])
def test_sums_equal_einsum(shape, columns):
    counts, cells = make(6, shape, columns)
    out = np.full((6, columns), np.nan)
    weighted_sums(*counts, cells, out)
    expected = np.einsum("ri,rj,rk,ijkc->rc", *counts, cells)
    np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape", [(20, 5, 1), (60, 1, 1)])
def test_a_row_and_a_column_have_the_same_bits_alone(shape):
    counts, cells = make(9, shape, 13)
    if shape[1] == 1:
        counts[1:] = [np.ones_like(each) for each in counts[1:]]
    out = np.empty((9, 13))
    weighted_sums(*counts, cells, out)
    for row in range(9):
        alone = np.empty((1, 1))
        one = [np.ascontiguousarray(each[row : row + 1]) for each in counts]
        for column in range(13):
            weighted_sums(*one, np.ascontiguousarray(cells[..., column : column + 1]), alone)
            assert alone[0, 0] == out[row, column]
