"""The mean of normalized gaze maps, with maps left out and parts merged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal import CenterBias, ReferenceFrame, RegisteredCenterBias, sauc
from gazesal.maps.running_sum import RunningSum
from tests.oracles import averages as oracle
from tests.strategies import SHAPES, weight_maps


@st.composite
def groups(draw):
    """One to five gaze maps of one shape, of any scale and dtype."""
    shape = draw(SHAPES)
    return [draw(weight_maps(shape)) for _ in range(draw(st.integers(1, 5)))]


def close(got, expected):
    return np.allclose(got, expected, rtol=1e-13, atol=1e-15)


@given(maps=groups())
def test_density_is_the_mean_of_normalized_maps(maps):
    bias = CenterBias(maps)
    assert bias.n_maps == len(maps)
    assert bias.shape == maps[0].shape
    density = bias.density()
    assert density.dtype == np.float64
    assert density.min() >= 0
    assert density.sum() == pytest.approx(1.0, rel=1e-14)
    assert close(density, oracle.center_bias(maps))


@given(maps=groups(), data=st.data())
def test_without_equals_a_bias_of_the_other_maps(maps, data):
    indices = range(len(maps))
    out = data.draw(st.sets(st.sampled_from(indices), max_size=len(maps) - 1))
    bias = CenterBias(maps)
    before = bias.density()
    rest = bias.without([maps[i] for i in out])
    kept = [maps[i] for i in indices if i not in out]
    assert rest.n_maps == len(kept)
    assert rest.shape == bias.shape
    assert close(rest.density(), oracle.center_bias(kept))
    assert np.array_equal(bias.density(), before)
    assert bias.n_maps == len(maps)


def test_without_a_peak_keeps_the_order_below_it():
    """After a plain subtraction, rounding errors would determine the ranks there."""
    peak = np.zeros((5, 5))
    peak[2] = 1.0
    low = np.full((5, 5), 1e-3)
    low[2] = np.arange(1, 6) * 1e-17
    rest = CenterBias([peak / 3, low, low]).without([peak / 3])
    assert np.allclose(rest.density()[2] / rest.density()[2, 0], np.arange(1, 6), rtol=1e-12)
    made_afresh = CenterBias([low, low]).density()
    assert sauc(low, low, rest.density()) == pytest.approx(sauc(low, low, made_afresh), abs=1e-12)


@given(maps=groups(), data=st.data())
def test_merged_equals_a_bias_of_all_maps(maps, data):
    others = [data.draw(weight_maps(maps[0].shape)) for _ in range(2)]
    first, second = CenterBias(maps), CenterBias(others)
    both = first.merged(second)
    assert both.n_maps == len(maps) + 2
    assert both.shape == maps[0].shape
    assert close(both.density(), oracle.center_bias([*maps, *others]))
    assert (first.n_maps, second.n_maps) == (len(maps), 2)
    assert close(both.without(others).density(), oracle.center_bias(maps))


def test_maps_of_any_scale_have_equal_weight():
    bias = CenterBias([[[1e-30, 0.0]], [[0.0, 1e30]], [[0, 5]]])
    assert close(bias.density(), [[1 / 3, 2 / 3]])


def test_a_generator_is_accepted_and_maps_are_not_modified():
    maps = np.random.default_rng(0).random((4, 3, 5))
    copy = maps.copy()
    assert np.array_equal(CenterBias(each for each in maps).density(), CenterBias(maps).density())
    assert np.array_equal(maps, copy)


def test_density_is_a_copy():
    bias = CenterBias([np.ones((2, 2))])
    bias.density()[:] = 0.0
    assert close(bias.density(), np.full((2, 2), 0.25))


def test_repr_shows_number_and_shape():
    assert repr(CenterBias([np.ones((2, 3))] * 4)) == "CenterBias(n_maps=4, shape=(2, 3))"


def test_no_maps_raise():
    with pytest.raises(ValueError, match=r"`gaze_maps`.*at least one"):
        CenterBias([])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones(3), "2-D"),
        (np.ones((3, 2)), "shape"),
        (np.zeros((2, 3)), "positive sum"),
        (-np.ones((2, 3)), "non-negative"),
        (np.full((2, 3), np.nan), "finite"),
        (np.full((2, 3), 1e308), "finite sum"),
    ],
)
def test_bad_maps_are_named_by_their_place(bad, message):
    with pytest.raises(ValueError, match=rf"`gaze_maps\[1\]`.*{message}"):
        CenterBias([np.ones((2, 3)), bad])
    with pytest.raises(ValueError, match=rf"`gaze_maps\[0\]`.*{message}"):
        CenterBias([np.ones((2, 3))] * 3).without([bad])


def test_other_than_numbers_raises():
    with pytest.raises(TypeError, match=r"`gaze_maps\[0\]`"):
        CenterBias([[["a", "b"]]])


@pytest.mark.parametrize("n_out", [2, 3])
def test_without_all_maps_is_an_error(n_out):
    maps = [np.ones((2, 2)), np.eye(2)]
    with pytest.raises(ValueError, match="`gaze_maps` must leave at least one"):
        CenterBias(maps).without([*maps, maps[0]][:n_out])


def test_without_a_foreign_map_is_an_error():
    bias = CenterBias([[[1.0, 0.0]], [[1.0, 1.0]]])
    with pytest.raises(ValueError, match="must all be part"):
        bias.without([[[0.0, 1.0]]])


@pytest.mark.parametrize("share", [1e-3, 1e-10])
def test_leaving_out_a_map_slightly_larger_than_what_is_there(share):
    """The rest would be negative by slightly more than rounding."""
    bias = CenterBias([[[0.5, 0.5]], [[0.5, 0.5]]])
    foreign = [[0.5 * (1 + share), 0.5 * (1 - share)]]
    left = bias.without([foreign])  # 0.5 of the other map covers it
    assert left.n_maps == 1
    lone = CenterBias([[[share, 1.0]], [[share, 1.0]]])
    with pytest.raises(ValueError, match="`gaze_maps` must all be part"):
        lone.without([[[4 * share, 1.0]]])


def test_merging_other_shapes_raises():
    with pytest.raises(ValueError, match=r"`other`.*shape"):
        CenterBias([np.ones((2, 3))]).merged(CenterBias([np.ones((3, 2))]))


class TestRunningSum:
    """The sum in double-double arithmetic."""

    def test_value_of_an_empty_sum_raises(self):
        with pytest.raises(ValueError, match="nothing"):
            RunningSum().value()

    def test_copies_are_independent(self):
        first = RunningSum([np.ones((1, 2))])
        second = first.copy()
        second.add(np.ones((1, 2)))
        assert (first.value().tolist(), second.value().tolist()) == ([[1, 1]], [[2, 2]])
        empty = RunningSum().copy()
        empty.add(np.ones((1, 1)))
        assert empty.value().tolist() == [[1.0]]

    def test_merging_an_empty_sum_does_not_change_the_bias(self):
        summed = RunningSum([np.ones((1, 2))])
        summed.merge(RunningSum())
        assert summed.value().tolist() == [[1.0, 1.0]]

    def test_subtracting_a_merged_sum_restores_the_sum(self):
        small, large = np.full((1, 2), 1e-9), np.full((1, 2), 1e12 / 3)
        summed = RunningSum([small])
        other = RunningSum([large, large / 7])
        summed.merge(other)
        summed.merge(other, sign=-1.0)
        # 105 bits of the largest sum, a few times over
        assert np.allclose(summed.value(), small, rtol=0, atol=8 * 2.0**-105 * 4e11)

    def test_arrays_given_are_not_modified(self):
        array = np.ones((2, 2))
        summed = RunningSum([array])
        summed.add(array)
        assert np.array_equal(array, np.ones((2, 2)))


def test_gaze_maps_that_are_constant_up_to_rounding_make_a_constant_bias():
    noise = np.random.default_rng(0).integers(-4, 5, (12, 16)) * np.float32(2.0**-26)
    given = np.float32(0.3) + noise.astype(np.float32)
    assert len(np.unique(given)) > 1
    density = CenterBias([given]).density()
    assert np.ptp(density) <= 1e-15 * density.max()
    frame = ReferenceFrame.from_boxes([(2, 2, 10, 10)], [(12, 16)])
    registered = RegisteredCenterBias(frame, [(given, (2, 2, 10, 10))])
    on_image = registered.on_image((12, 16), (2, 2, 10, 10))
    assert np.ptp(on_image) <= 1e-14 * on_image.max()
