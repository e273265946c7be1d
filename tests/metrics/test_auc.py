"""The exact AUCs: identities, ties, scales, and the defects of other code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal import auc_borji, sauc, score
from gazesal.metrics.auc import exact_area
from tests.oracles import ranks as oracle
from tests.strategies import SHAPES, map_triples, saliency_maps, weight_maps

SAME = {"rel": 0, "abs": 1e-12}
TINY = np.nextafter(0.0, 1.0)


def signed(saliency):
    """As a type whose values can be negated."""
    return saliency if saliency.dtype.kind == "f" else saliency.astype(np.float64)


@given(triple=map_triples())
def test_negated_map_has_the_complement(triple):
    saliency, gaze, bias = signed(triple[0]), *triple[1:]
    assert auc_borji(saliency, gaze) + auc_borji(-saliency, gaze) == pytest.approx(1, **SAME)
    assert sauc(saliency, gaze, bias) + sauc(-saliency, gaze, bias) == pytest.approx(1, **SAME)


@given(triple=map_triples())
def test_exchanged_positives_and_negatives_have_the_complement(triple):
    saliency, gaze, bias = triple
    both = sauc(saliency, gaze, bias) + sauc(saliency, bias, gaze)
    assert both == pytest.approx(1, **SAME)


@given(triple=map_triples(), scale=st.sampled_from([1.0, 0.5, 3.0, 1e-9]))
def test_sauc_is_one_half_where_the_gaze_is_the_bias(triple, scale):
    saliency, _, bias = triple
    assert sauc(saliency, bias, bias) == pytest.approx(0.5, **SAME)
    assert sauc(saliency, scale * bias.astype(np.float64), bias) == pytest.approx(0.5, **SAME)


@given(triple=map_triples())
def test_uniform_bias_turns_sauc_into_auc(triple):
    saliency, gaze, _ = triple
    uniform = np.full(gaze.shape, 0.3)
    assert sauc(saliency, gaze, uniform) == pytest.approx(auc_borji(saliency, gaze), **SAME)


@given(triple=map_triples(), data=st.data())
def test_binary_map_has_half_plus_half_the_difference_of_rates(triple, data):
    _, gaze, bias = triple
    mask = data.draw(hnp.arrays(np.bool_, gaze.shape))
    gaze64, bias64 = gaze.astype(np.float64), bias.astype(np.float64)
    hits = gaze64[mask].sum() / gaze64.sum()
    false_alarms = bias64[mask].sum() / bias64.sum()
    got = sauc(np.where(mask, 255, 0), gaze, bias)
    assert got == pytest.approx(0.5 + (hits - false_alarms) / 2, **SAME)
    assert auc_borji(mask, gaze) == pytest.approx(0.5 + (hits - mask.mean()) / 2, **SAME)


@given(data=st.data(), shape=SHAPES)
def test_counts_of_fixations_give_the_auc_of_points(data, shape):
    """Delta weights: the density AUC is the Mann-Whitney statistic of fixated against others."""
    saliency = data.draw(saliency_maps(shape))
    pixels = st.integers(0, saliency.size - 1)
    fixated = data.draw(st.lists(pixels, min_size=1, max_size=8))
    others = data.draw(st.lists(pixels, min_size=1, max_size=8))
    gaze = np.bincount(fixated, minlength=saliency.size).reshape(shape)
    bias = np.bincount(others, minlength=saliency.size).reshape(shape)
    values = saliency.ravel().tolist()
    positives = [values[pixel] for pixel in fixated]
    against_all = float(oracle.auc_of_points(positives, values))
    against_others = float(oracle.auc_of_points(positives, [values[pixel] for pixel in others]))
    assert auc_borji(saliency, gaze) == pytest.approx(against_all, **SAME)
    assert sauc(saliency, gaze, bias) == pytest.approx(against_others, **SAME)


@given(data=st.data(), shape=SHAPES)
def test_sauc_of_any_map_averages_to_chance_over_the_images_of_the_bias(data, shape):
    """The AUC is linear in the gaze map."""
    saliency = data.draw(saliency_maps(shape))
    maps = [data.draw(weight_maps(shape)).astype(np.float64) for _ in range(3)]
    maps = [array / array.sum() for array in maps]
    scores = [sauc(saliency, array, sum(maps)) for array in maps]
    assert np.mean(scores) == pytest.approx(0.5, **SAME)


@given(triple=map_triples())
def test_reordering_pixels_of_all_maps_does_not_change_the_score(triple):
    order = np.random.default_rng(triple[0].size).permutation(triple[0].size)
    shuffled = [array.ravel()[order][None] for array in triple]
    assert sauc(*shuffled) == pytest.approx(sauc(*triple), **SAME)


class TestScale:
    """The ranking counts, and nothing else: other code thresholds at steps of 0.1."""

    @pytest.mark.parametrize("power", [0.01, 3, 20])
    def test_sharpening_a_map_does_not_change_the_score(self, power):
        rng = np.random.default_rng(0)
        saliency, gaze, bias = rng.random((3, 60, 70))
        saliency = 0.5 + saliency / 2
        sharpened = saliency**power
        assert np.unique(sharpened).size == np.unique(saliency).size
        assert auc_borji(sharpened, gaze) == pytest.approx(auc_borji(saliency, gaze), **SAME)
        assert sauc(sharpened, gaze, bias) == pytest.approx(sauc(saliency, gaze, bias), **SAME)

    def test_a_map_that_sums_to_one_is_not_jittered(self):
        """An absolute jitter of 1e-7, as elsewhere, would reorder these values."""
        saliency = np.arange(40_000.0).reshape(200, 200)
        saliency /= saliency.sum()
        gaze = np.zeros_like(saliency)
        gaze[100, 7] = 1.0
        assert auc_borji(saliency, gaze) == pytest.approx(20_007.5 / 40_000, **SAME)

    @pytest.mark.parametrize("gain", [1e-300, 1e300])
    def test_saliency_at_the_ends_of_double_precision(self, gain):
        saliency = np.array([[1.0, 2.0, 3.0, -1.0]]) * gain
        gaze = [[1, 0, 3, 1]]
        assert auc_borji(saliency, gaze) == float(oracle.weighted_auc(saliency, gaze))

    @pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-200, 1e200, 1e-290, 1e300])
    def test_weights_of_any_scale(self, scale):
        rng = np.random.default_rng(1)
        saliency = rng.integers(0, 5, (6, 7))
        gaze, bias = scale * rng.random((2, 6, 7))
        expected = float(oracle.weighted_auc(saliency, gaze, bias))
        assert sauc(saliency, gaze, bias) == pytest.approx(expected, **SAME)
        assert sauc(saliency, gaze / scale, bias) == pytest.approx(expected, **SAME)
        assert sauc(saliency, gaze, bias / scale) == pytest.approx(expected, **SAME)

    @pytest.mark.parametrize("unit", [TINY, 3 * TINY, 1e-310])
    def test_subnormal_weights_give_the_exact_area(self, unit):
        """Products with such weights would lose all their digits; the shares have them."""
        saliency = [[0.0, 1.0, 2.0]]
        counts = np.array([[0.0, 1.0, 0.0]])
        assert auc_borji(saliency, unit * counts) == pytest.approx(0.5, **SAME)
        spread = np.array([[1.0, 1.0, 2.0]])
        expected = float(oracle.weighted_auc(saliency, unit * spread, unit * spread[:, ::-1]))
        assert sauc(saliency, unit * spread, unit * spread[:, ::-1]) == pytest.approx(
            expected, **SAME
        )

    @pytest.mark.parametrize("unit", [1e-45, 1e-40])
    def test_subnormal_weights_in_single_precision_give_the_exact_area(self, unit):
        gaze = np.array([[1, 3, 0, 2]], np.float32) * np.float32(unit)
        saliency = [[0.0, 1.0, 1.0, 0.5]]
        expected = float(oracle.weighted_auc(saliency, gaze))
        assert auc_borji(saliency, gaze) == pytest.approx(expected, **SAME)


class TestExtremes:
    """Ends of the range and points of chance, to the last bit."""

    @pytest.mark.parametrize("size", [2, 100, 40_000])
    def test_disjoint_maps_reach_both_ends(self, size):
        saliency = np.arange(float(size))[None]
        upper = saliency >= size / 2
        assert sauc(saliency, upper, ~upper) == 1.0
        assert sauc(saliency, ~upper, upper) == 0.0

    @pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -3.0, 1e300, TINY])
    @pytest.mark.parametrize("shape", [(1, 1), (31, 47), (200, 200)])
    def test_constant_map_is_at_chance_exactly(self, value, shape):
        gaze, bias = np.random.default_rng(2).random((2, *shape))
        saliency = np.full(shape, value)
        assert auc_borji(saliency, gaze) == 0.5
        assert sauc(saliency, gaze, bias) == 0.5
        assert auc_borji(saliency, gaze, n_samples=99, rng=0) == 0.5

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("other", [1.0, -1.0])
    def test_signed_zeros_tie(self, dtype, other):
        """Beside a third value, for a constant map is not ordered."""
        saliency = np.array([[0.0, -0.0, other]], dtype)
        first, second = [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]
        expected = 1 / 3 if other > 0 else 2 / 3
        for gaze, bias in ((first, second), (second, first)):
            assert auc_borji(saliency, gaze) == pytest.approx(expected, **SAME)
            assert sauc(saliency, gaze, bias) == 0.5
            assert sauc(saliency, gaze, bias, n_samples=20, rng=0) == 0.5
            many = score([saliency], [gaze, bias], bias, ["auc_borji", "sauc"]).values
            np.testing.assert_allclose(many, [[[expected, 0.5]] * 2], rtol=0, atol=1e-12)

    @pytest.mark.parametrize("values", [(0.0, 1.0), (-2.0, 0.0), (0.1, 0.1 + 2.0**-40)])
    def test_ties_of_more_pixels_than_a_bucket_holds(self, values):
        """Half of what ties counts, also where a bucket holds nothing but one value."""
        rng = np.random.default_rng(4)
        mask = rng.random((200, 400)) < 0.4
        assert min(mask.sum(), (~mask).sum()) > 30_000
        gaze, bias = rng.random((2, *mask.shape))
        saliency = np.where(mask, values[1], values[0])
        hits, false_alarms = gaze[mask].sum() / gaze.sum(), bias[mask].sum() / bias.sum()
        expected = 0.5 + (hits - false_alarms) / 2
        uniform = 0.5 + (hits - mask.mean()) / 2
        assert sauc(saliency, gaze, bias) == pytest.approx(expected, **SAME)
        assert auc_borji(saliency, gaze) == pytest.approx(uniform, **SAME)
        many = score([saliency], [gaze, gaze], bias, ["auc_borji", "sauc"]).values
        np.testing.assert_allclose(many, [[[uniform, expected]] * 2], rtol=0, atol=1e-12)

    def test_binary_map_has_an_area_of_exactly_three_quarters(self):
        saliency = np.zeros((10, 10))
        saliency[:5] = 1.0
        assert auc_borji(saliency, saliency) == 0.75

    def test_close_doubles_are_distinguished(self):
        """In single precision every one of these would tie."""
        saliency = 1.0 + np.arange(6.0).reshape(2, 3) * 2.0**-49
        assert auc_borji(saliency, [[0, 0, 0], [0, 0, 1]]) == pytest.approx(5.5 / 6, **SAME)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(181, 239), (1, 40_001), (40_001, 1)])
def test_large_maps_of_many_blocks_give_exact_areas(dtype, shape):
    rng = np.random.default_rng(3)
    saliency = (rng.random(shape) * 255).astype(dtype)
    gaze = rng.integers(0, 3, shape)
    bias = rng.integers(0, 9, shape)
    expected = float(oracle.weighted_auc_of_integers(saliency, gaze, bias))
    assert sauc(saliency, gaze, bias) == pytest.approx(expected, **SAME)
    uniform = float(oracle.weighted_auc_of_integers(saliency, gaze, np.ones_like(gaze)))
    assert auc_borji(saliency, gaze.astype(np.float32)) == pytest.approx(uniform, **SAME)


@pytest.mark.parametrize("seed", range(12))
def test_the_formula_equals_the_kernels_and_the_count_of_all_pairs(seed):
    """The oracle of the oracle: a dozen plain lines, every pair counted, and the kernels."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 2))
    saliency = rng.integers(0, 1 + seed, shape).astype(float)  # many ties
    gaze, bias = rng.integers(0, 4, (2, *shape)).astype(float)
    gaze.flat[0] = bias.flat[0] = 1.0
    for negatives, kernels in (
        (None, auc_borji(saliency, gaze)),
        (bias, sauc(saliency, gaze, bias)),
    ):
        formula = exact_area(saliency, gaze, negatives)
        assert formula == pytest.approx(
            float(oracle.weighted_auc(saliency, gaze, negatives)), abs=1e-14
        )
        assert kernels == pytest.approx(formula, abs=1e-14)


@pytest.mark.parametrize(("function", "instead"), [(auc_borji, "auc"), (sauc, "auc_shuffled")])
def test_fixations_are_refused_with_the_function_for_them(function, instead):
    bias = [np.ones((5, 6))] if function is sauc else []
    with pytest.raises(ValueError, match=rf"`gaze_map`.*\(3, 2\).*`{instead}`"):
        function(np.eye(5, 6), [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], *bias)
