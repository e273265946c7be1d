"""NCC and sNCC: to 1e-12 of exact arithmetic where other code loses digits or gives up."""

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import ncc, sncc, spearman
from tests.oracles import correlation as oracle
from tests.strategies import plain_triples

TINY = np.nextafter(0.0, 1.0)


def pair(seed=0, shape=(13, 17)):
    rng = np.random.default_rng(seed)
    gaze = rng.random(shape)
    return gaze + rng.normal(0, 0.3, shape), gaze


def check(saliency, gaze):
    """Both ways round, for every accuracy holds for either argument."""
    expected = oracle.ncc(saliency, gaze)
    assert math.isfinite(expected)
    assert ncc(saliency, gaze) == pytest.approx(expected, rel=0, abs=1e-12)
    assert ncc(gaze, saliency) == pytest.approx(expected, rel=0, abs=1e-12)


class TestAccuracy:
    """Against exact rationals."""

    @pytest.mark.parametrize("offset", [1e6, -1e6])
    @pytest.mark.parametrize("both", [False, True])
    def test_offset_a_million_times_the_contrast_loses_no_digits(self, offset, both):
        saliency, gaze = pair()
        check(saliency + offset, gaze + offset if both else gaze)

    @pytest.mark.parametrize("offset", [1e5, 3e4])
    def test_offset_in_single_precision_loses_no_digits(self, offset):
        saliency, gaze = pair()
        check((saliency + offset).astype(np.float32), gaze.astype(np.float32))

    @pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-38, 1e37])
    @pytest.mark.parametrize("both", [False, True])
    def test_scales_of_single_precision(self, scale, both):
        saliency, gaze = (array.astype(np.float32) for array in pair(1))
        scale = np.float32(scale)
        check(saliency * scale, gaze * scale if both else gaze)

    @pytest.mark.parametrize("scale", [1e-160, 1e-162, 1e153, 1e-200, 1e200, 1e-300, 1e307])
    @pytest.mark.parametrize("both", [False, True])
    def test_scales_of_double_precision(self, scale, both):
        saliency, gaze = pair(2)
        check(saliency * scale, gaze * scale if both else gaze)

    def test_scales_at_opposite_ends(self):
        saliency, gaze = pair(3)
        check(saliency * 1e-200, gaze * 1e200)

    @pytest.mark.parametrize("unit", [TINY, 1e-310])
    def test_denormals_lose_no_digits(self, unit):
        steps = np.random.default_rng(4).integers(0, 9, (5, 7))
        check(steps * unit, pair(4, (5, 7))[1])

    def test_denormals_of_single_precision_lose_no_digits(self):
        steps = np.random.default_rng(5).integers(0, 9, (5, 7)).astype(np.float32)
        check(steps * np.float32(1e-45), pair(5, (5, 7))[1])

    def test_map_one_denormal_from_constant_has_a_score(self):
        saliency = np.zeros((3, 3))
        saliency[1, 1] = TINY
        check(saliency, pair(6, (3, 3))[1])

    @pytest.mark.parametrize("offset", [1.0, 1e12])
    def test_one_pixel_just_beyond_rounding_has_a_score(self, offset):
        saliency = np.full((3, 3), offset)
        saliency[2, 0] += 40 * np.finfo(np.float64).eps * offset
        check(saliency, pair(7, (3, 3))[1])

    def test_range_of_all_doubles_does_not_overflow(self):
        """The difference of the extremes is beyond float64; the correlation is not."""
        largest = np.finfo(np.float64).max
        check(np.array([[largest, -largest, 0.0, 1e300]]), np.array([[4.0, 1.0, 2.0, 9.0]]))

    @pytest.mark.parametrize("place", [(0, 0), (70, 90), (149, 199)])
    def test_peak_of_one_pixel_loses_no_digits(self, place):
        """Other code takes a narrow peak on a large map for a constant."""
        peak = np.zeros((150, 200))
        peak[place] = 1.0
        check(peak, np.random.default_rng(8).random((150, 200)))

    def test_first_pixel_far_from_the_rest_loses_no_digits(self):
        """The value subtracted beforehand is no guide to the others here."""
        saliency, gaze = pair(9)
        saliency += 1e6
        saliency[0, 0] = 0.0
        check(saliency, gaze)

    def test_several_blocks_of_a_drifting_map_lose_no_digits(self):
        """More than one block of the kernel, of very different means."""
        rng = np.random.default_rng(10)
        drift = np.linspace(0, 1000, 150 * 230).reshape(150, 230)
        check(drift + rng.random(drift.shape), rng.random(drift.shape) - drift**2)

    def test_map_constant_except_for_the_last_pixel_has_a_score(self):
        saliency = np.full((150, 230), 0.1)
        saliency[-1, -1] = 0.2
        check(saliency, np.random.default_rng(11).random(saliency.shape))


class TestUndefined:
    """A constant map, decided by its values and not by a computed deviation."""

    @pytest.mark.parametrize("value", [0.0, 0.1, 0.3, -7.0, 1e-300, 1e300, TINY])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shape", [(1, 1), (31, 47), (150, 150)])
    def test_constant_map_on_either_side_is_undefined(self, value, dtype, shape):
        value = np.clip(value, None, np.finfo(dtype).max)
        constant = np.full(shape, value, dtype)
        other = np.random.default_rng(0).random(shape)
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
            assert math.isnan(ncc(constant, other))
        if other.size > 1:
            with pytest.warns(gazesal.UndefinedMetricWarning, match="`gaze_map` is constant"):
                assert math.isnan(ncc(other, constant))

    def test_signed_zeros_are_one_value(self):
        with pytest.warns(gazesal.UndefinedMetricWarning):
            assert math.isnan(ncc([[-0.0, 0.0]], [[1.0, 2.0]]))

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_any_constant_map_leaves_sncc_undefined(self, position):
        maps = [[[1.0, 2.0, 4.0]], [[3.0, 1.0, 2.0]], [[1.0, 2.0, 1.0]]]
        maps[position] = [[0.1] * 3]
        name = ("saliency_map", "gaze_map", "center_bias")[position]
        with pytest.warns(gazesal.UndefinedMetricWarning, match=f"`{name}`"):
            assert math.isnan(sncc(*maps))

    @pytest.mark.parametrize("metric", ["ncc", "sncc"])
    def test_the_warning_points_at_the_caller(self, metric):
        arguments = [[[1.0, 1.0]], [[1.0, 2.0]], [[1.0, 2.0]]][: 2 if metric == "ncc" else 3]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(gazesal, metric)(*arguments)
        assert [each.filename for each in caught] == [__file__]


@given(triple=plain_triples())
def test_sncc_is_a_difference_of_two_ncc(triple):
    saliency, gaze, bias = triple
    assert sncc(saliency, gaze, bias) == ncc(saliency, gaze) - ncc(saliency, bias)


@given(triple=plain_triples())
def test_sncc_is_exactly_zero_where_the_gaze_is_the_bias(triple):
    saliency, _, bias = triple
    assert sncc(saliency, bias, bias) == 0.0


@given(triple=plain_triples())
def test_sncc_of_the_bias_is_its_ncc_minus_one(triple):
    _, gaze, bias = triple
    assert sncc(bias, gaze, bias) == pytest.approx(ncc(bias, gaze) - 1.0, rel=0, abs=1e-12)


@given(triple=plain_triples())
def test_ncc_changes_sign_with_the_map(triple):
    saliency, gaze, _ = triple
    assert ncc(-saliency, gaze) == -ncc(saliency, gaze)


@given(triple=plain_triples(), factor=st.sampled_from([-4.0, -1.0, 0.5, 8.0]))
def test_a_map_correlates_perfectly_with_its_multiples(triple, factor):
    saliency = triple[0]
    expected = math.copysign(1.0, factor)
    assert ncc(saliency, factor * saliency) == pytest.approx(expected, rel=0, abs=1e-12)


@given(triple=plain_triples(), factor=st.sampled_from([1e-9, 3.0, 1e20]))
def test_ncc_does_not_change_when_the_gaze_map_is_rescaled(triple, factor):
    """The study renormalizes the gaze map first; that it makes no difference is checked here."""
    saliency, gaze, bias = triple
    expected = sncc(saliency, gaze, bias)
    assert sncc(saliency, factor * gaze, bias / factor) == pytest.approx(expected, rel=0, abs=1e-12)


def test_opposite_images_reach_both_ends_of_sncc():
    gaze = np.array([[0.0, 1.0]])
    assert sncc(gaze, gaze, gaze[:, ::-1]) == pytest.approx(2.0, rel=0, abs=1e-12)
    assert sncc(gaze[:, ::-1], gaze, gaze[:, ::-1]) == pytest.approx(-2.0, rel=0, abs=1e-12)


def test_spearman_by_hand_with_ties():
    # ranks 1.5 1.5 3 4 and 4 2 2 2, centered: -1 -1 0.5 1.5 and 1.5 -0.5 -0.5 -0.5
    expected = (-1.5 + 0.5 - 0.25 - 0.75) / math.sqrt(4.5 * 3.0)
    assert spearman([[0, 0, 1, 5]], [[9, 2, 2, 2]]) == pytest.approx(expected, rel=1e-15)


def test_spearman_depends_on_the_order_alone():
    saliency, gaze = pair(3)
    assert spearman(np.exp(5 * saliency), gaze**3) == spearman(saliency, gaze)


def test_spearman_equals_the_reference_values(shared):
    numbers = json.loads((shared / "references" / "metrics.json").read_text("utf-8"))
    with np.load(shared / "references" / "metrics.npz") as arrays:
        for case in numbers["cases"]:
            expected = case["numbers"]["whole"]["spearman"]
            maps = arrays[f"{case['key']}_saliency"], arrays[f"{case['key']}_gaze"]
            if expected is None:
                with pytest.warns(gazesal.UndefinedMetricWarning, match="constant"):
                    assert math.isnan(spearman(*maps))
            else:
                assert spearman(*maps) == pytest.approx(expected, rel=0, abs=1e-12)
