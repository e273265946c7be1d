"""Bilinear resampling against interpolation written out for each pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gazesal
from gazesal import resample
from tests.oracles import resampling as oracle

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@given(
    array=hnp.arrays(np.float64, SHAPES, elements=st.integers(-64, 64).map(lambda i: i / 8)),
    shape=st.tuples(st.integers(1, 15), st.integers(1, 15)),
)
def test_agrees_with_interpolation_pixel_by_pixel(array, shape):
    got = resample(array, shape)
    assert got.shape == shape
    assert got.dtype == np.float64
    expected = np.array(oracle.bilinear(array.tolist(), shape))
    # positions are rounded differently; an ulp of a position times the largest step
    assert np.abs(got - expected).max() <= 1e-13 * max(1.0, np.abs(array).max())


@pytest.mark.parametrize("old", [(1, 1), (1, 5), (37, 53), (150, 200)])
@pytest.mark.parametrize("new", [(1, 1), (2, 3), (600, 800), (49, 7), (151, 199)])
def test_any_size_is_resampled_to_any_other(old, new):
    array = np.random.default_rng(0).random(old)
    got = resample(array, new)
    assert got.shape == new
    rows = np.random.default_rng(1).integers(0, new[0], 4)
    expected = np.array(oracle.bilinear(array.tolist(), new))
    assert np.allclose(got[rows], expected[rows], rtol=0, atol=1e-12)


@given(
    array=hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e9, 1e9, allow_subnormal=False)),
    shape=st.tuples(st.integers(1, 15), st.integers(1, 15)),
)
def test_stays_within_the_range_of_the_map(array, shape):
    got = resample(array, shape)
    assert array.min() <= got.min()
    assert got.max() <= array.max()


@pytest.mark.parametrize("value", [0.1, 0.3, -7.7, 1 / 3, 1e300])
@pytest.mark.parametrize("shape", [(7, 9), (2, 3), (50, 41)])
def test_constant_map_stays_constant_to_the_bit(value, shape):
    """Otherwise it would have an NCC of rounding noise."""
    constant = resample(np.full((5, 6), value), shape)
    assert constant.min() == constant.max() == value
    gaze = np.random.default_rng(0).random(shape)
    with pytest.warns(gazesal.UndefinedMetricWarning):
        assert np.isnan(gazesal.ncc(constant, gaze))


def test_same_size_is_a_copy():
    array = np.random.default_rng(2).random((3, 4))
    got = resample(array, (3, 4))
    assert np.array_equal(got, array)
    assert not np.shares_memory(got, array)


def test_axes_do_not_mix():
    ramp = np.arange(6.0)[:, None] * np.ones(9)
    got = resample(ramp, (12, 5))
    assert np.allclose(got, got[:, :1])
    assert np.all(np.diff(got[:, 0]) >= 0)
    assert np.allclose(resample(ramp.T, (5, 12)), got.T, atol=1e-14)


def test_flips_commute_with_resampling():
    array = np.random.default_rng(3).random((5, 8))
    got = resample(array, (11, 3))
    assert np.allclose(resample(array[::-1, ::-1], (11, 3))[::-1, ::-1], got, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.bool_])
def test_integers_are_interpolated_to_floats(dtype):
    array = np.array([[0, 1], [1, 0]], dtype)
    assert resample(array, (1, 1)) == 0.5
    assert resample(array.astype(float), (4, 4)).tolist() == resample(array, (4, 4)).tolist()


def test_input_is_not_modified():
    array = np.random.default_rng(4).random((4, 4))
    array.flags.writeable = False
    assert resample(array, (9, 9)).shape == (9, 9)


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 2, 2)), np.empty((0, 3)), 1.0])
def test_other_than_maps_raises(bad):
    with pytest.raises(ValueError, match=r"`array`.*2-D"):
        resample(bad, (2, 2))


def test_values_that_are_not_finite_raise():
    with pytest.raises(ValueError, match="`array` must be finite"):
        resample([[1.0, np.nan]], (2, 2))


@pytest.mark.parametrize("shape", [2, (2,), (2.0, 2), (1, 2, 3), None, "22"])
def test_shape_is_two_integers(shape):
    with pytest.raises(TypeError, match="`shape`"):
        resample(np.ones((2, 2)), shape)


@pytest.mark.parametrize("shape", [(0, 2), (2, -1)])
def test_shape_is_positive(shape):
    with pytest.raises(ValueError, match="`shape`"):
        resample(np.ones((2, 2)), shape)


def test_unknown_method_raises():
    with pytest.raises(ValueError, match="`method` must be one of 'bilinear'"):
        resample(np.ones((2, 2)), (3, 3), method="cubic")


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_values_whose_difference_overflows_are_refused(value):
    with pytest.raises(ValueError, match="`array` must"):
        resample([[value, -value]], (1, 3))
