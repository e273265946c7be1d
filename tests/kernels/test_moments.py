"""Sums in lanes and blocks: against exact sums, at every awkward length."""

import math

import numba
import numpy as np
import pytest

from gazesal.kernels import moments
from tests.oracles import correlation as oracle

B, L = moments.BLOCK, moments.LANES
# 1 to a little over two blocks, around every border; blocks are slow without the compiler
SIZES = [1, 2, 63, 64, 65, L - 1, L, L + 1, 3 * L + 7, B - 1, B, B + 1, B + L + 3, 2 * B + 5]
SHORT = [size for size in SIZES if size < 4 * L]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
@pytest.mark.parametrize("size", SIZES)
def test_total_adds_every_value_once(size, dtype):
    values = np.random.default_rng(size).integers(0, 100, size).astype(dtype)
    assert moments.total(values) == int(values.astype(np.int64).sum())


def test_total_keeps_small_values_beside_large_ones():
    values = np.full(B + 700, 1e-3)
    values[0] = 1e9
    # each value passes through some 50 additions; in one long sum the error is 70 times larger
    tolerance = 50 * np.finfo(np.float64).eps
    assert moments.total(values) == pytest.approx(math.fsum(values), rel=tolerance)


@pytest.mark.parametrize("width", [1, 2, 64, 512])
def test_fold_adds_all_lanes(width):
    assert moments.fold(np.arange(width, dtype=np.float64)) == width * (width - 1) / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 63, 64, 65, 511, 512, 513, 1024, 1500])
def test_block_totals_equal_sums_of_integers(size, dtype):
    values = np.random.default_rng(size).integers(-50, 50, size).astype(dtype)
    sums, lowest = moments.block_totals(values, 512)
    expected = [int(values[start : start + 512].sum()) for start in range(0, size, 512)]
    assert sums.tolist() == expected
    assert lowest == values.min()


@pytest.mark.parametrize("place", [0, 63, 511, 512, 1029])
def test_nan_shows_in_the_sum_of_its_block(place):
    values = np.ones(1030)
    values[place] = np.nan
    sums, _ = moments.block_totals(values, 512)
    assert np.flatnonzero(np.isnan(sums)).tolist() == [place // 512]


@pytest.mark.parametrize("x_type", [np.float32, np.float64])
@pytest.mark.parametrize("y_type", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_centered_moments_of_integers_are_exact(size, x_type, y_type):
    """Use integers, whose moments follow exactly from their sums."""
    rng = np.random.default_rng(size)
    x, y = rng.integers(-9, 10, size), rng.integers(-9, 10, size)
    expected = [
        float(size * int(np.sum(a * b)) - int(a.sum()) * int(b.sum())) / size
        for a, b in ((x, x), (y, y), (x, y))
    ]
    got = moments.centered_moments(x.astype(x_type), y.astype(y_type))
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-12 * size)


def test_blocks_of_different_means_are_merged():
    """The means of blocks differ, so the merging update must be right."""
    if numba.config.DISABLE_JIT:
        pytest.skip("three blocks are slow in the interpreter; two are in the test above")
    x = np.repeat([0.0, 10.0, -3.0], [B, B, 99])
    y = np.repeat([5.0, 1.0, 2.0], [B, B, 99])
    expected = [
        math.fsum((x - x.mean()) ** 2),
        math.fsum((y - y.mean()) ** 2),
        math.fsum((x - x.mean()) * (y - y.mean())),
    ]
    assert moments.centered_moments(x, y) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("size", SHORT[1:])
def test_an_offset_far_above_the_contrast_loses_no_digits(size):
    """Subtracting the first value keeps the digits of the contrast."""
    rng = np.random.default_rng(size)
    x = 1e6 + rng.random(size)
    y = rng.random(size) - 1e6
    s_xx, s_yy, s_xy = moments.centered_moments(x, y)
    expected = oracle.ncc([x], [y])
    assert s_xy / math.sqrt(s_xx * s_yy) == pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3, 1e-300, 1e300])
@pytest.mark.parametrize("size", SHORT)
def test_moments_of_a_constant_are_zero(size, value):
    """The result is exactly zero, because constant maps are detected by it."""
    y = np.arange(size, dtype=np.float64)
    assert moments.centered_moments(np.full(size, value), y)[::2] == (0.0, 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 600])
def test_values_that_are_not_finite_reach_the_result(bad, place):
    x = np.arange(700, dtype=np.float64)
    y = x[::-1].copy()
    x[place] = bad
    with np.errstate(invalid="ignore"):  # numpy warns where the loop runs in the interpreter
        s_xx, _, _ = moments.centered_moments(x, y)
    assert not math.isfinite(s_xx)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_double_double_sum_is_exact_where_a_plain_one_is_not(dtype):
    """Add and subtract terms twenty orders of magnitude apart."""
    rng = np.random.default_rng(0)
    terms = [(rng.random(9) * 10.0**power).astype(dtype) for power in (0, 12, -8, 9)]
    high, low = np.zeros(9), np.zeros(9)
    for term in terms:
        moments.add_exactly(high, low, term, 1.0)
    for term in terms[1:]:
        moments.add_exactly(high, low, term, -1.0)
    assert np.array_equal(high + low, terms[0].astype(np.float64))
    plain = sum(term.astype(np.float64) for term in terms)
    for term in terms[1:]:
        plain -= term
    assert not np.array_equal(plain, terms[0].astype(np.float64))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_are_added_like_terms(dtype):
    rng = np.random.default_rng(4)
    first, second = (np.zeros(999), np.zeros(999)), (np.zeros(999), np.zeros(999))
    for factor in (1.0, 1.0, -1.0):
        terms = rng.random(999).astype(dtype)
        mass = float(terms.sum(dtype=np.float64))
        moments.add_shares(*first, terms, mass, factor)
        moments.add_exactly(*second, terms / np.float64(mass), factor)
    assert np.array_equal(first, second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sum_without_equals_subtracting(dtype):
    rng = np.random.default_rng(3)
    high, low = np.zeros(999), np.zeros(999)
    terms = [(rng.random(999) ** 9 * 10.0**k).astype(dtype) for k in (0, 7, -9, 3)]
    for term in terms:
        moments.add_exactly(high, low, term, 1.0)
    out = np.empty(999)
    for term in terms:
        moments.sum_without(high, low, term, out)
        rest = high.copy(), low.copy()
        moments.add_exactly(*rest, term, -1.0)
        assert np.array_equal(out, rest[0] + rest[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_centered_spread_of_integers_is_exact(size, dtype):
    x = np.random.default_rng(size).integers(-9, 10, size)
    mean, s_xx = moments.centered_spread(x.astype(dtype))
    expected = float(size * int(np.sum(x * x)) - int(x.sum()) ** 2) / size
    assert mean == pytest.approx(float(x.mean()) - x[0], rel=1e-12, abs=1e-12)
    assert s_xx == pytest.approx(expected, rel=1e-12, abs=1e-12 * size)


@pytest.mark.parametrize("size", SHORT[1:])
def test_centered_spread_equals_centered_moments(size):
    """Blocks have an offset far above the contrast."""
    x = 1e6 + np.random.default_rng(size).random(size)
    assert moments.centered_spread(x)[1] == moments.centered_moments(x, x)[0]


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3, 1e-300, 1e300])
def test_centered_spread_of_a_constant_is_zero(value):
    assert moments.centered_spread(np.full(777, value)) == (0.0, 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 600])
def test_values_that_are_not_finite_reach_the_spread(bad, place):
    x = np.arange(700, dtype=np.float64)
    x[place] = bad
    with np.errstate(invalid="ignore"):
        assert not math.isfinite(moments.centered_spread(x)[1])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("types", [(np.float32, np.float64), (np.float64, np.float32)])
def test_common_mass_equals_the_exact_sum(size, types):
    rng = np.random.default_rng(size)
    x, y = rng.integers(0, 9, size).astype(types[0]), rng.integers(0, 9, size).astype(types[1])
    expected = math.fsum(min(a / 64, b / 128) for a, b in zip(x.tolist(), y.tolist(), strict=True))
    assert moments.common_mass(x, y, 64.0, 128.0) == pytest.approx(expected, rel=1e-12)
