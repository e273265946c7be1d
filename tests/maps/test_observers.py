"""Each observer and the mean of the others, subtracted from one sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal import one_vs_rest
from tests.oracles import averages as oracle


@st.composite
def groups(draw, low=0.0):
    """Maps of two to five observers, of float32 or float64."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    width = 8 * np.dtype(dtype).itemsize
    element = st.floats(low, 1024.0, width=width, allow_subnormal=False)
    n = draw(st.integers(2, 5))
    return [draw(hnp.arrays(dtype, shape, elements=element)) for _ in range(n)]


def check(maps):
    splits = one_vs_rest(maps)
    largest = max(float(np.abs(each).max()) for each in maps)
    assert len(splits) == len(maps)
    for index, split in enumerate(splits):
        assert np.array_equal(split.own, maps[index])
        assert split.rest.dtype == np.float64
        expected = oracle.rest_of(maps, index)
        # double-double sums keep some 105 bits of the largest value
        assert np.allclose(split.rest, expected, rtol=1e-15, atol=2.0**-100 * largest)


@given(maps=groups())
def test_rest_is_the_mean_of_the_others(maps):
    check(maps)


@given(maps=groups(low=-1024.0))
def test_negative_values_are_averaged_like_any_other(maps):
    check(maps)


def test_negative_values_of_some_maps_are_kept():
    splits = one_vs_rest([[[1.0, 2.0]], [[-3.0, 4.0]], [[-1.0, -6.0]]])
    assert splits[0].rest.tolist() == [[-2.0, -1.0]]


def test_high_values_of_the_observer_left_out_leave_no_error():
    """A plain sum would leave a rounding error here."""
    high = np.full((2, 2), 1e9)
    low = np.array([[1e-9, 3e-9], [0.0, 2e-8]])
    splits = one_vs_rest([high / 3, low, low])
    assert np.allclose(splits[0].rest, low, rtol=1e-13, atol=0)


def test_any_iterable_of_arrays_is_accepted():
    maps = np.random.default_rng(0).random((3, 4, 5))
    from_array = one_vs_rest(maps)
    from_generator = one_vs_rest(each.tolist() for each in maps)
    for first, second in zip(from_array, from_generator, strict=True):
        assert np.array_equal(first.rest, second.rest)


def test_inputs_are_not_modified():
    maps = np.random.default_rng(1).random((3, 4, 5))
    copy = maps.copy()
    one_vs_rest(maps)
    assert np.array_equal(maps, copy)


def test_rests_do_not_share_memory():
    splits = one_vs_rest(np.random.default_rng(2).random((3, 2, 2)))
    assert not np.shares_memory(splits[0].rest, splits[1].rest)


@pytest.mark.parametrize("maps", [[], [np.ones((2, 2))]])
def test_fewer_than_two_observers_raise(maps):
    with pytest.raises(ValueError, match=f"`maps`.*two observers, got {len(maps)}"):
        one_vs_rest(maps)


def test_bad_maps_are_named_by_their_place():
    good = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"`maps\[1\]`.*2-D"):
        one_vs_rest([good, np.ones(3)])
    with pytest.raises(ValueError, match=r"`maps\[2\]` must be finite"):
        one_vs_rest([good, good, np.full((2, 3), np.nan)])
    with pytest.raises(ValueError, match=r"`maps\[0\]` and `maps\[1\]`.*same shape"):
        one_vs_rest([good, np.ones((3, 2))])
    with pytest.raises(TypeError, match=r"`maps\[0\]`"):
        one_vs_rest([good.astype(complex), good])
