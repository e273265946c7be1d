"""AUCs on points: how they relate to each other and to those on densities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import auc, auc_borji, auc_judd, auc_shuffled, sauc
from gazesal.metrics.points import fixated_pixels
from tests.metric_cases import arguments
from tests.oracles import points as oracle
from tests.oracles import ranks
from tests.strategies import SHAPES, saliency_maps, weight_maps

SAME = {"rel": 0, "abs": 1e-12}


def counts_of(fixations, shape):
    counts = np.zeros(shape)
    column, row = np.floor(np.asarray(fixations) + 0.5).astype(int).T
    np.add.at(counts, (row, column), 1)
    return counts


def signed(saliency):
    return saliency if saliency.dtype.kind == "f" else saliency.astype(np.float64)


@given(case=arguments("auc"))
def test_against_all_pixels_it_is_the_density_auc_of_counts(case):
    saliency, fixations = case
    expected = auc_borji(saliency, counts_of(fixations, saliency.shape))
    assert auc(saliency, fixations) == pytest.approx(expected, **SAME)
    assert auc(saliency, fixations, "all") == auc(saliency, fixations)


@given(case=arguments("auc"))
def test_unfixated_negatives_equal_a_map_of_unfixated_pixels(case):
    saliency, fixations = case
    counts = counts_of(fixations, saliency.shape)
    if counts.all():
        with pytest.warns(gazesal.UndefinedMetricWarning, match="every pixel is fixated"):
            assert math.isnan(auc(saliency, fixations, "unfixated"))
        return
    got = auc(saliency, fixations, "unfixated")
    assert got == float(oracle.auc(saliency, fixations, "unfixated"))
    assert got == pytest.approx(sauc(saliency, counts, counts == 0), **SAME)


@given(case=arguments("auc_judd"))
def test_auc_judd_counts_each_fixated_pixel_once(case):
    saliency, fixations = case
    distinct = np.unique(np.floor(fixations + 0.5), axis=0)
    if len(distinct) < saliency.size:
        assert auc_judd(saliency, fixations) == auc(saliency, distinct, "unfixated")


@given(case=arguments("auc_shuffled"))
def test_negatives_as_points_equal_the_shuffled_auc(case):
    saliency, fixations, others = case
    if saliency.shape == others.shape:
        others = np.repeat(others, 2, axis=0)
    got = auc(saliency, fixations, others)
    assert got == auc_shuffled(saliency, fixations, others)
    counts = (counts_of(points, saliency.shape) for points in (fixations, others))
    assert got == pytest.approx(sauc(saliency, *counts), **SAME)


@given(case=arguments("auc"), data=st.data())
def test_against_a_map_of_weights(case, data):
    saliency, fixations = case
    weights = data.draw(weight_maps(saliency.shape))
    if weights.shape[1] == 2:
        with pytest.raises(ValueError, match=r"`negatives`.*fits both"):
            auc(saliency, fixations, weights)
        return
    expected = ranks.weighted_auc(saliency, counts_of(fixations, saliency.shape), weights)
    assert auc(saliency, fixations, weights) == pytest.approx(float(expected), **SAME)


@given(case=arguments("auc_shuffled"))
def test_negated_map_has_the_complement(case):
    saliency, fixations, others = signed(case[0]), *case[1:]
    for score in (auc, auc_judd, lambda s, f: auc_shuffled(s, f, others)):
        if score is auc_judd and counts_of(fixations, saliency.shape).all():
            continue
        both = score(saliency, fixations) + score(-saliency, fixations)
        assert both == pytest.approx(1, **SAME)


@given(case=arguments("auc_shuffled"))
def test_exchanged_fixations_have_the_complement(case):
    saliency, fixations, others = case
    both = auc_shuffled(saliency, fixations, others) + auc_shuffled(saliency, others, fixations)
    assert both == pytest.approx(1, **SAME)
    assert auc_shuffled(saliency, fixations, fixations) == 0.5


@given(data=st.data(), shape=SHAPES)
def test_every_pixel_fixated_is_chance(data, shape):
    saliency = data.draw(saliency_maps(shape))
    every = np.argwhere(np.ones(shape))[:, ::-1]
    assert auc(saliency, every) == 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(181, 239), (1, 40_001), (40_001, 1)])
def test_large_maps_and_many_fixations(dtype, shape):
    rng = np.random.default_rng(3)
    saliency = (rng.random(shape) * 255).astype(dtype)
    points = rng.integers(0, shape[::-1], (6000, 2))
    counts = counts_of(points, shape).astype(int)
    expected = ranks.weighted_auc_of_integers(saliency, counts, np.ones(shape, int))
    assert auc(saliency, points) == float(expected)
    expected = ranks.weighted_auc_of_integers(saliency, counts, (counts == 0).astype(int))
    assert auc(saliency, points, "unfixated") == float(expected)
    expected = ranks.weighted_auc_of_integers(saliency, counts > 0, (counts == 0).astype(int))
    assert auc_judd(saliency, points) == float(expected)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-300, 1e300, 5e-324])
def test_scales(scale):
    saliency = np.array([[1.0, 2.0, 3.0, -1.0]]) * scale
    assert auc(saliency, [[1, 0], [2, 0]]) == 0.75
    assert auc_judd(saliency, [[1, 0], [2, 0]]) == 1.0


def test_close_doubles_are_distinguished():
    saliency = 1.0 + np.arange(6.0).reshape(2, 3) * 2.0**-49
    assert auc(saliency, [[2, 1]]) == pytest.approx(5.5 / 6, **SAME)


def test_signed_zeros_tie():
    assert auc([[0.0, -0.0]], [[0, 0]]) == 0.5
    assert auc_judd([[0.0, -0.0]], [[1, 0]]) == 0.5
    assert auc_shuffled([[0.0, -0.0, 1.0]], [[1, 0]], [[0, 0]]) == 0.5


class TestNearestPixel:
    """Halves up, and never by adding 0.5 to what is just below."""

    @pytest.mark.parametrize(
        ("place", "pixel"),
        [
            (-0.5, 0),
            (np.nextafter(0.5, 0), 0),  # 0.5 added to it rounds to 1
            (0.5, 1),
            (1.4999, 1),
            (1.5, 2),
            (2.5, 3),
            (np.nextafter(3.5, 0), 3),
        ],
    )
    def test_rounding_is_the_same_along_both_axes(self, place, pixel):
        along_x = fixated_pixels([[place, 0]], (1, 4), name="fixations", outside="raise")
        along_y = fixated_pixels([[0, place]], (4, 1), name="fixations", outside="raise")
        assert along_x.tolist() == along_y.tolist() == [pixel]

    def test_x_is_the_column(self):
        pixels = fixated_pixels([[4, 1], [0, 2]], (3, 5), name="fixations", outside="raise")
        assert pixels.tolist() == [9, 10]


class TestNegatives:
    """Values of `negatives`."""

    SALIENCY = np.arange(12.0).reshape(3, 4)

    @pytest.mark.parametrize("bad", ["pixels", "", "All"])
    def test_unknown_word_raises(self, bad):
        with pytest.raises(ValueError, match=r"`negatives` must be one of 'all', 'unfixated'"):
            auc(self.SALIENCY, [[0, 0]], bad)

    @pytest.mark.parametrize("shape", [(4, 3), (3,), (), (2, 3, 4), (12, 1)])
    def test_neither_points_nor_a_map(self, shape):
        with pytest.raises(ValueError, match=r"`negatives` must be .*map of .*\(3, 4\)"):
            auc(self.SALIENCY, [[0, 0]], np.ones(shape))

    @pytest.mark.parametrize("bad", [None, {"a": 1}, [["a"]]])
    def test_other_than_numbers_raises(self, bad):
        with pytest.raises(TypeError, match="`negatives`"):
            auc(self.SALIENCY, [[0, 0]], bad)

    @pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
    def test_invalid_weights_raise(self, value):
        weights = np.ones((3, 4))
        weights[1, 1] = value
        with pytest.raises(ValueError, match="`negatives` must"):
            auc(self.SALIENCY, [[0, 0]], weights)

    def test_points_outside_raise_or_are_dropped(self):
        with pytest.raises(ValueError, match="`negatives` must lie in the image"):
            auc(self.SALIENCY, [[0, 0]], [[9, 9]])
        with pytest.warns(gazesal.OffImageWarning, match="1 of 2 `negatives`"):
            got = auc(self.SALIENCY, [[1, 0]], [[9, 9], [0, 0]], outside="drop")
        assert got == 1.0

    def test_negatives_that_fit_both_shapes_raise(self):
        saliency = np.arange(6.0).reshape(3, 2)
        negatives = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        with pytest.raises(ValueError, match=r"`negatives`.*`sauc`.*twice"):
            auc(saliency, [[0, 0]], negatives)
        # the way out that the message names
        twice = np.repeat(negatives, 2, axis=0)
        assert auc(saliency, [[0, 0]], twice) == auc_shuffled(saliency, [[0, 0]], negatives)
