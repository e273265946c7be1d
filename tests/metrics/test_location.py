"""NSS and information: accuracy at every scale, identities, and what is undefined."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal import information_gain, log_likelihood, ncc, nss, snss
from tests.metric_cases import plain_arguments
from tests.oracles import location as oracle

TINY = np.nextafter(0.0, 1.0)
POINTS = np.array([[3.0, 1.0], [0.0, 0.0], [16.0, 12.0], [3.0, 1.0]])


def noise(seed=0, shape=(13, 17)):
    return np.random.default_rng(seed).random(shape)


def counts_of(fixations, shape):
    counts = np.zeros(shape)
    column, row = np.floor(np.asarray(fixations) + 0.5).astype(int).T
    np.add.at(counts, (row, column), 1)
    return counts


def check(saliency, fixations=POINTS):
    expected = oracle.nss(saliency, fixations)
    assert math.isfinite(expected)
    assert nss(saliency, fixations) == pytest.approx(expected, rel=1e-12, abs=1e-12)


class TestAccuracy:
    """NSS against exact rationals."""

    @pytest.mark.parametrize("offset", [1e6, -1e6, 1e12])
    def test_offset_far_above_the_contrast_loses_no_digits(self, offset):
        check(noise() + offset)

    @pytest.mark.parametrize("offset", [1e5, 3e4])
    def test_offset_in_single_precision_loses_no_digits(self, offset):
        check((noise() + offset).astype(np.float32))

    @pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-38, 1e37])
    def test_scales_of_single_precision(self, scale):
        check(noise(1).astype(np.float32) * np.float32(scale))

    @pytest.mark.parametrize("scale", [1e-160, 1e153, 1e-200, 1e200, 1e-300, 1e307])
    def test_scales_of_double_precision(self, scale):
        check(noise(2) * scale)

    @pytest.mark.parametrize("unit", [TINY, 1e-310])
    def test_denormals_lose_no_digits(self, unit):
        check(np.random.default_rng(3).integers(0, 9, (13, 17)) * unit)

    def test_one_pixel_just_beyond_rounding_has_a_score(self):
        saliency = np.full((13, 17), 1e12)
        saliency[1, 3] += 40 * np.finfo(np.float64).eps * 1e12
        check(saliency)

    def test_range_of_all_doubles_does_not_overflow(self):
        largest = np.finfo(np.float64).max
        check(np.array([[largest, -largest, 0.0, 1e300]]), [[0, 0], [3, 0]])

    @pytest.mark.parametrize("place", [(0, 0), (70, 90), (149, 199)])
    def test_peak_of_one_pixel_has_the_largest_nss(self, place):
        peak = np.zeros((150, 200))
        peak[place] = 1.0
        score = nss(peak, [place[::-1]])
        assert score == pytest.approx(math.sqrt(peak.size - 1), rel=1e-12)

    def test_several_blocks_of_a_drifting_map_lose_no_digits(self):
        drift = np.linspace(0, 1000, 150 * 230).reshape(150, 230)
        check(drift + noise(4, drift.shape))


class TestUndefined:
    """Constant maps, and logarithms of 0."""

    @pytest.mark.parametrize("value", [0.0, 0.1, 0.3, -7.0, 1e-300, 1e300, TINY])
    @pytest.mark.parametrize("shape", [(1, 1), (31, 47), (150, 150)])
    def test_constant_maps_are_undefined(self, value, shape):
        for label, score in (
            ("NSS", lambda saliency: nss(saliency, [[0, 0]])),
            ("sNSS", lambda saliency: snss(saliency, [[0, 0]], [[0, 0]])),
        ):
            with pytest.warns(gazesal.UndefinedMetricWarning, match=f"^{label} is undefined"):
                assert math.isnan(score(np.full(shape, value)))

    def test_without_a_constant_a_density_of_zero_is_undefined(self):
        density, other = [[0.5, 0.5, 0.0]], [[0.25, 0.25, 0.5]]
        for arguments, name in (
            ((density, [[2, 0]], other), "saliency_map"),
            ((other, [[2, 0]], density), "baseline"),
        ):
            assert math.isfinite(information_gain(*arguments))
            with pytest.warns(gazesal.UndefinedMetricWarning, match=f"`{name}` is 0 at a fix"):
                assert math.isnan(information_gain(*arguments, eps=0))
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is 0 at a"):
            assert math.isnan(log_likelihood(density, [[2, 0]], eps=0))
        assert log_likelihood(density, [[0, 0]], eps=0) == pytest.approx(math.log2(1.5))

    def test_one_impossible_fixation_among_others_is_undefined(self):
        density, other = [[0.5, 0.5, 0.0]], [[0.25, 0.25, 0.5]]
        points = [[0, 0], [2, 0], [1, 0]]
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is 0 at a"):
            assert math.isnan(log_likelihood(density, points, eps=0))
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`baseline` is 0 at a"):
            assert math.isnan(information_gain(other, points, density, eps=0))

    @pytest.mark.parametrize("metric", ["nss", "snss", "auc_judd", "information_gain"])
    def test_the_warning_points_at_the_caller(self, metric):
        constant = [[0.5, 0.5]], [[0, 0], [1, 0]]
        arguments = {
            "nss": constant,
            "snss": (*constant, [[0, 0]]),
            "auc_judd": constant,
            "information_gain": ([[0.0, 1.0]], [[0, 0]], [[0.5, 0.5]]),
        }[metric]
        options = {"eps": 0} if metric == "information_gain" else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(gazesal, metric)(*arguments, **options)
        assert [each.filename for each in caught] == [__file__]


@given(case=plain_arguments("nss"))
def test_nss_is_the_correlation_with_the_counts_up_to_their_spread(case):
    saliency, fixations = case
    counts = counts_of(fixations, saliency.shape)
    if counts.min() == counts.max():
        assert nss(saliency, fixations) == pytest.approx(0, abs=1e-12)
    else:
        expected = ncc(saliency, counts) * counts.std() / counts.mean()
        assert nss(saliency, fixations) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@given(case=plain_arguments("nss"))
def test_nss_changes_sign_with_the_map(case):
    saliency, fixations = case
    assert nss(-saliency, fixations) == -nss(saliency, fixations)


@given(case=plain_arguments("snss"))
def test_snss_is_a_difference_and_antisymmetric(case):
    saliency, fixations, others = case
    expected = nss(saliency, fixations) - nss(saliency, others)
    assert snss(saliency, fixations, others) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert snss(saliency, others, fixations) == -snss(saliency, fixations, others)
    assert snss(saliency, fixations, fixations) == 0.0


@given(case=plain_arguments("snss"))
def test_nss_averages_over_pixels_to_zero(case):
    """Chance: every pixel fixated once."""
    saliency = case[0]
    every = np.argwhere(np.ones(saliency.shape))[:, ::-1]
    assert nss(saliency, every) == pytest.approx(0, abs=1e-12)


@given(case=plain_arguments("information_gain"), eps=st.sampled_from([2.0**-52, 1e-6, 1.0]))
def test_gains_add_up(case, eps):
    density, fixations, baseline = case
    gain = information_gain(density, fixations, baseline, eps=eps)
    own, other = (log_likelihood(each, fixations, eps=eps) for each in (density, baseline))
    assert gain == pytest.approx(own - other, rel=1e-12, abs=1e-12)
    assert information_gain(baseline, fixations, density, eps=eps) == -gain
    assert information_gain(density, fixations, density, eps=eps) == 0.0


def test_likelihood_reaches_its_bounds():
    certain = np.zeros((4, 8))
    certain[1, 2] = 1.0
    assert log_likelihood(certain, [[2, 1]]) == pytest.approx(5.0, abs=1e-12)
    assert log_likelihood(certain, [[0, 0]]) == pytest.approx(5.0 - 52.0, abs=1e-12)
    assert log_likelihood(np.full((4, 8), 1 / 32), [[0, 0], [5, 3]]) == 0.0


def test_the_density_of_the_fixations_has_the_highest_likelihood():
    """Gibbs: no density predicts fixations better than their own shares."""
    rng = np.random.default_rng(5)
    fixations = rng.integers(0, (6, 5), (40, 2))
    best = log_likelihood(counts_of(fixations, (5, 6)) / 40, fixations)
    for _ in range(50):
        other = gazesal.to_density(rng.random((5, 6)) ** 3, "sum")
        assert log_likelihood(other, fixations) <= best


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_density_in_a_shorter_type_is_divided_by_its_sum_again(dtype):
    density = gazesal.to_density(noise(6, (41, 53)) ** 3, "sum")
    short = density.astype(dtype)
    assert short.astype(np.float64).sum() != 1.0
    exact = short.astype(np.float64) / short.astype(np.float64).sum()
    points = np.array([[3, 4], [40, 30]])
    expected = log_likelihood(exact, points)
    assert log_likelihood(short, points) == pytest.approx(expected, rel=1e-12)


def test_a_factor_of_a_density_is_not_forgiven():
    density = gazesal.to_density(noise(7), "sum")
    with pytest.raises(ValueError, match=r"got a sum of 1\.0002"):
        log_likelihood(density * 1.0002, POINTS)
