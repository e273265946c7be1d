"""Keys, extremes and cells: the order of floats as unsigned integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal.kernels.auc import cells, partition

SIZES = [1, 2, 63, 64, 65, 130]


def sign_of(bits):
    return bits.dtype.type(1 << (8 * bits.itemsize - 1))


@given(pair=st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)))
def test_keys_have_the_order_of_the_values(pair):
    bits = np.array(pair).view("u8")
    first, second = (int(cells.key_of(pattern, sign_of(bits))) for pattern in bits)
    assert (first < second) == (pair[0] < pair[1])
    assert (first == second) == (pair[0] == pair[1])  # signed zeros are one value


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_extremes_are_smallest_and_largest(size, dtype):
    values = np.random.default_rng(size).normal(size=size).astype(dtype)
    assert cells.extremes(values) == (values.min(), values.max(), True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 63, 64, 129])
def test_values_that_are_not_finite_are_detected(bad, place):
    values = np.ones(130)
    values[place] = bad
    with np.errstate(invalid="ignore"):
        assert not cells.extremes(values)[2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "values",
    [[-1e30, 1e30], [0.0, 1.0], [1.0, 1.0000001], [-0.0, 0.0], [5.0, 5.0], [-3.0, -2.0, 7.0]],
)
def test_cells_are_as_fine_as_the_table_allows(values, dtype):
    bits = np.array(values, dtype).view(f"u{np.dtype(dtype).itemsize}")
    lowest, shift = cells.extreme_keys(bits[[0, -1]], sign_of(bits))
    table, first = np.zeros(cells.CELLS, np.uint32), np.zeros(1, np.int64)
    keys, drops = np.array([lowest], bits.dtype), np.array([shift], bits.dtype)
    counts = np.zeros(cells.CELLS + 1, np.int64)
    partition.count_cells(bits, partition.Tree(table, first, keys, drops), 0, counts)
    assert counts[0] == 0
    counts = counts[1:]
    assert counts.sum() == len(values)
    assert counts[0] >= 1
    distinct = np.unique(np.array(values, dtype) + dtype(0)).size
    assert np.count_nonzero(counts) == distinct
    if shift:
        assert np.flatnonzero(counts).max() >= cells.CELLS // 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_patterns_come_back_from_keys(dtype, data):
    width = 8 * np.dtype(dtype).itemsize
    value = data.draw(st.floats(allow_nan=False, width=width))
    bits = np.array([value], dtype).view(f"u{width // 8}")
    key = int(cells.key_of(bits[0], sign_of(bits))) & ((1 << width) - 1)
    back = np.array([cells.pattern_of(key, 1 << (width - 1))], bits.dtype).view(dtype)
    assert back[0] == value


def test_two_sum_keeps_the_rounding_error():
    high = low = 0.0
    for term in (1e16, *[1.0] * 1001, -1e16):
        high, low = cells.two_sum(high, low, term)
    assert high + low == 1001.0
