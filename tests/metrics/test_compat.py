"""Other people's numbers: against their procedure step by step, and what they refuse."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import gazesal
from gazesal.compat import mit_auc_judd, mit_auc_shuffled, pysaliency_auc_judd
from gazesal.metrics.compat_auc import _mean_grid_area
from tests.metric_cases import arguments, example, plain_arguments
from tests.oracles import location, thresholds

SAME = {"rel": 1e-12, "abs": 1e-12}
OF_POINTS = {
    "mit_auc_judd": {"jitter": False},
    "mit_auc_borji": {"rng": 0},
    "mit_auc_shuffled": {"rng": 0},
    "mit_nss": {},
    "mit_ig": {},
    "pysaliency_auc_judd": {"jitter": False},
}
OF_MAPS = ["mit_sim", "mit_kl", "pysaliency_kl"]
THIRD = {"mit_auc_shuffled": "other_fixations", "mit_ig": "baseline"}
RANDOM = ["mit_auc_judd", "mit_auc_borji", "mit_auc_shuffled", "pysaliency_auc_judd"]


def call(name, saliency=None, second=None, third=None, **options):
    """Call a function with valid arguments, except the ones that are given."""
    sound, points, others = example("auc_shuffled")
    _, _, baseline = example("information_gain")
    gaze = baseline if name in OF_MAPS else points
    given_arguments = [
        sound if saliency is None else saliency,
        gaze if second is None else second,
    ]
    if name in THIRD:
        default = others if THIRD[name] == "other_fixations" else baseline
        given_arguments.append(default if third is None else third)
    return getattr(gazesal.compat, name)(*given_arguments, **{**OF_POINTS.get(name, {}), **options})


def indices(saliency, fixations):
    width = np.shape(saliency)[1]
    return [row * width + column for row, column in location.pixels_of(saliency, fixations)]


class TestThresholdsAtFixations:
    """The two curves called AUC-Judd, point by point."""

    @given(case=plain_arguments("auc_judd"))
    def test_matlab_area_equals_the_oracle(self, case):
        saliency, fixations = case
        fixated = sorted(set(indices(saliency, fixations)))
        assume(len(fixated) < saliency.size)
        expected = thresholds.matlab_judd(saliency.ravel().tolist(), fixated)
        assert mit_auc_judd(*case, jitter=False) == pytest.approx(expected, **SAME)

    @given(case=arguments("auc_judd"))
    def test_pysaliency_area_equals_the_oracle(self, case):
        saliency, fixations = case
        fixated = indices(saliency, fixations)
        assume(len(set(fixated)) < saliency.size)
        expected = thresholds.pysaliency_judd(saliency.ravel().tolist(), fixated)
        assert pysaliency_auc_judd(*case, jitter=False) == pytest.approx(expected, **SAME)

    @pytest.mark.parametrize("function", [mit_auc_judd, pysaliency_auc_judd])
    def test_jitter_breaks_ties_at_random(self, function):
        saliency = np.zeros((20, 30))
        saliency[:4] = 1.0
        points = np.column_stack([np.arange(30), np.arange(30) % 20])
        exact = gazesal.auc_judd(saliency, points)
        drawn = [function(saliency, points, rng=seed) for seed in range(40)]
        assert len(set(drawn)) > 30
        # above by the share of negatives over the lowest fixation, over 2 n: nearly 1 / 60
        assert np.mean(drawn) == pytest.approx(exact + 1 / 60, abs=0.01)

    @pytest.mark.parametrize("function", [mit_auc_judd, pysaliency_auc_judd])
    def test_area_is_undefined_if_every_pixel_is_fixated(self, function):
        with pytest.warns(gazesal.UndefinedMetricWarning, match="every pixel is fixated") as caught:
            assert math.isnan(function([[1.0, 2.0]], [[0, 0], [1, 0]], jitter=False))
        assert caught[0].filename == __file__


class TestThresholdsOnAGrid:
    """The areas of the Matlab code from thresholds at equal steps."""

    @given(
        positives=st.lists(st.integers(0, 20), min_size=1, max_size=6),
        negatives=st.lists(st.integers(0, 20), min_size=1, max_size=6),
        steps=st.sampled_from([1, 2, 5, 10]),
    )
    def test_one_split_equals_the_oracle(self, positives, negatives, steps):
        """Values are multiples of 1/20, so it is known which thresholds each one reaches."""
        highest = max(positives + negatives)
        inner = list(range(0, highest + 1, 20 // steps))
        expected = thresholds.grid_area(positives, negatives, inner)
        # off the thresholds, which are rounded: 3 * 0.1 is more than 0.3
        lifted = [(np.array(group) + 0.25) / 20 for group in (positives, negatives)]
        got = _mean_grid_area(lifted[0], lifted[1][None], 1 / steps)
        assert got == pytest.approx(expected, **SAME)

    def test_the_last_threshold_is_the_highest_value_where_rounding_puts_it_above(self):
        """0.3 / 0.1 rounds down to 3 steps, and 3 * 0.1 is more than 0.3: cut, not passed over."""
        assert 3 * 0.1 > 0.3
        got = _mean_grid_area(np.array([0.3]), np.array([[0.25]]), 0.1)
        assert got == 1.0

    def test_coarse_steps_ignore_the_order_between_them(self):
        saliency = np.array([[0.0, 0.01, 0.02, 0.03, 1.0]])
        assert gazesal.auc_shuffled(saliency, [[3, 0]], [[1, 0]]) == 1.0
        assert mit_auc_shuffled(saliency, [[3, 0]], [[1, 0]], rng=0) == 0.5
        assert mit_auc_shuffled(saliency, [[3, 0]], [[1, 0]], step=0.01, rng=0) == 1.0

    def test_fewer_pixels_on_other_images_are_all_negatives(self):
        saliency = np.arange(10.0)[None]
        points = np.column_stack([np.arange(5, 10), np.zeros(5)])
        assert mit_auc_shuffled(saliency, points, [[0, 0]], rng=0) == 1.0

    def test_negatives_are_drawn_without_replacement_from_other_images(self):
        """The sample has all of them, so the score is not random."""
        saliency, points, others = example("auc_shuffled", (9, 9))
        scores = {mit_auc_shuffled(saliency, points, others, rng=seed) for seed in range(5)}
        assert max(scores) - min(scores) < 1e-12

    @pytest.mark.parametrize("name", ["mit_auc_borji", "mit_auc_shuffled"])
    def test_more_splits_reduce_the_spread(self, name):
        few = np.std([call(name, n_splits=2, rng=seed) for seed in range(60)])
        many = np.std([call(name, n_splits=100, rng=seed) for seed in range(60)])
        assert many <= few / 3

    @pytest.mark.parametrize("name", ["mit_auc_borji", "mit_auc_shuffled"])
    def test_options_out_of_range_raise(self, name):
        with pytest.raises(ValueError, match="`n_splits` must be at least 1"):
            call(name, n_splits=0)
        with pytest.raises(TypeError, match="`n_splits` must be an integer"):
            call(name, n_splits=1.5)
        for step in (0.0, -0.1, 1.5, math.nan):
            with pytest.raises(ValueError, match="`step` must be"):
                call(name, step=step)


@pytest.mark.parametrize("name", RANDOM)
class TestSeeds:
    """The same number from the same seed, none without."""

    def test_equal_seeds_give_equal_scores(self, name):
        options = {"jitter": True} if "judd" in name else {}
        first = call(name, rng=3, **options)
        assert call(name, rng=3, **options) == first
        assert call(name, rng=np.random.default_rng(3), **options) == first

    def test_missing_seed_raises(self, name):
        options = {"jitter": True} if "judd" in name else {}
        with pytest.raises(ValueError, match="`rng` must be a seed"):
            call(name, rng=None, **options)


class TestOtherScales:
    """Shifts and scales of the other code, computed by hand."""

    @given(case=plain_arguments("nss"))
    def test_nss_equals_the_oracle(self, case):
        saliency, fixations = case
        distinct = np.unique(np.floor(fixations + 0.5), axis=0)
        factor = math.sqrt(1 - 1 / saliency.size)
        expected = factor * location.nss(saliency, distinct)
        assert gazesal.compat.mit_nss(*case) == pytest.approx(expected, **SAME)

    @given(case=plain_arguments("sim"))
    def test_similarity_equals_the_oracle(self, case):
        """Of the densities by shifting."""
        densities = [gazesal.to_density(each, "shift") for each in case]
        assert gazesal.compat.mit_sim(*case) == pytest.approx(gazesal.sim(*densities), **SAME)
        assert gazesal.compat.mit_sim(case[0] + 5, case[1]) == pytest.approx(
            gazesal.compat.mit_sim(*case), **SAME
        )

    @given(case=plain_arguments("ncc"), data=st.data())
    def test_information_gain_equals_the_oracle(self, case, data):
        saliency, baseline = case
        column = data.draw(st.integers(0, saliency.shape[1] - 1))
        points = [[column, 0]]
        densities = [gazesal.to_density(each, "shift") for each in (saliency, baseline)]
        expected = gazesal.information_gain(densities[0], points, densities[1])
        got = gazesal.compat.mit_ig(saliency, points * 3, baseline)
        assert got == pytest.approx(expected, **SAME)

    @given(case=plain_arguments("kl_divergence"))
    def test_divergence_equals_the_oracle(self, case):
        got = gazesal.compat.mit_kl(*case)
        assert max(0.0, got) == pytest.approx(gazesal.kl_divergence(*case), **SAME)

    @given(case=plain_arguments("kl_divergence"))
    def test_divergence_of_pysaliency_equals_the_oracle(self, case):
        saliency, gaze = case[0] + 1 / 64, case[1]
        expected = gazesal.kl_divergence(saliency, gaze, eps=0)
        got = gazesal.compat.pysaliency_kl(saliency, gaze, minimum=1e-300)
        assert max(0.0, got) == pytest.approx(expected, **SAME)
        # maps with negative values are shifted, unasked
        shifted = gazesal.compat.pysaliency_kl(saliency - 9, gaze, minimum=1e-3)
        lowest = saliency - saliency.min()
        assert shifted == pytest.approx(
            gazesal.compat.pysaliency_kl(lowest, gaze, minimum=1e-3), rel=1e-9
        )

    def test_maps_of_zeros_have_scores(self):
        gaze = [[0.0, 1.0, 1.0]]
        zeros = [[0.0, 0.0, 0.0]]
        assert gazesal.compat.mit_sim(zeros, gaze) == gazesal.compat.mit_sim(gaze, zeros) == 0.0
        assert gazesal.compat.mit_kl(gaze, zeros) == 0.0
        assert gazesal.compat.mit_kl(zeros, gaze) == pytest.approx(51 * math.log(2))

    @pytest.mark.parametrize("name", ["mit_auc_borji", "mit_auc_shuffled", "mit_nss", "mit_ig"])
    def test_constant_saliency_maps_are_undefined(self, name):
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
            assert math.isnan(call(name, np.full((4, 6), 0.1)))

    def test_other_constant_maps_are_undefined(self):
        constant, other = np.full((4, 6), 0.1), example("ncc")[0]
        for arguments_ in ((constant, other), (other, constant)):
            with pytest.warns(gazesal.UndefinedMetricWarning, match="SIM is undefined"):
                assert math.isnan(gazesal.compat.mit_sim(*arguments_))
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`baseline` is constant") as caught:
            assert math.isnan(gazesal.compat.mit_ig(other, [[0, 0]], constant))
        assert caught[0].filename == __file__
        with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
            assert math.isnan(mit_auc_judd(constant, [[0, 0]], jitter=False))


@pytest.mark.parametrize("name", [*OF_POINTS, *OF_MAPS])
class TestBadInput:
    """The same rules as for the library's own metrics."""

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_values_that_are_not_finite_raise(self, name, value):
        bad = np.ones((4, 6))
        bad[1, 1] = value
        with pytest.raises(ValueError, match="`saliency_map` must be finite"):
            call(name, bad)

    def test_other_shapes_raise(self, name):
        with pytest.raises(ValueError, match=r"same shape|\(N, 2\)"):
            call(name, second=np.ones((5, 7)))
        with pytest.raises(ValueError, match="`saliency_map` must be a non-empty 2-D"):
            call(name, np.ones(24))

    def test_values_that_are_not_numbers_raise(self, name):
        with pytest.raises(TypeError, match="`saliency_map` must hold real numbers"):
            call(name, np.full((4, 6), "a"))

    def test_values_too_large_to_add_raise(self, name):
        bad = np.ones((4, 6))
        bad[1, 1] = 1e200
        if name == "mit_nss":
            assert math.isfinite(call(name, bad))
        else:
            with pytest.raises(ValueError, match=r"`saliency_map` must lie within 1e\+150"):
                call(name, bad)

    def test_inputs_are_not_modified(self, name):
        saliency, _ = example("ncc")
        copy = saliency.copy()
        options = {"jitter": True, "rng": 0} if "judd" in name else {}
        call(name, saliency, **options)
        assert np.array_equal(saliency, copy)

    def test_fixations_outside_raise_or_are_dropped(self, name):
        if name in OF_MAPS:
            return
        with pytest.raises(ValueError, match="`fixations` must lie in the image"):
            call(name, second=[[0, 0], [9, 9]])
        with pytest.warns(gazesal.OffImageWarning, match="1 of 2") as caught:
            dropped = call(name, second=[[0, 0], [9, 9]], outside="drop")
        assert caught[0].filename == __file__
        assert dropped == call(name, second=[[0, 0]])


class TestChance:
    """Chance, as in the docstrings: the mean score over all possible places of the fixations."""

    VALUES = np.array([[0.0, 0.25, 0.9], [0.1, 1.0, 0.4]])
    PLACES = np.argwhere(np.isfinite(VALUES))[:, ::-1]

    @pytest.mark.parametrize("name", ["mit_auc_judd", "pysaliency_auc_judd"])
    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_thresholds_at_fixations_are_above_one_half(self, name, n):
        scores = [
            getattr(gazesal.compat, name)(self.VALUES, places, jitter=False)
            for places in itertools.combinations(self.PLACES, n)
        ]
        assert np.mean(scores) == pytest.approx(0.5 + 1 / (2 * n + 2), **SAME)

    def test_mit_nss_has_zero(self):
        scores = [gazesal.compat.mit_nss(self.VALUES, [place]) for place in self.PLACES]
        assert np.mean(scores) == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("step", [0.1, 0.3])
    def test_thresholds_in_steps_have_one_half(self, step):
        """With and without replacement, for there are no draws but all of them."""
        values = self.VALUES.ravel()
        for draw in (itertools.permutations, lambda each, n: itertools.product(each, repeat=n)):
            negatives = np.array(list(draw(values, 2)))
            areas = [
                _mean_grid_area(np.array(positives), negatives, step)
                for positives in itertools.combinations(values, 2)
            ]
            assert np.mean(areas) == pytest.approx(0.5, **SAME)


@pytest.mark.parametrize(
    ("hits", "false_alarms", "exact", "matlab"),
    [(36, 390, 0.76, 0.58), (1, 0, 0.51, 0.02), (50, 1911, 0.51, 0.02)],
)
def test_ties_take_away_what_the_pages_say(hits, false_alarms, exact, matlab):
    """A binary map of 2000 pixels, 50 of them fixated."""
    values = np.zeros(2000)
    values[:hits] = values[50 : 50 + false_alarms] = 1
    points = np.column_stack([np.arange(50), np.zeros(50)])
    saliency = values.reshape(40, 50)
    assert gazesal.auc_judd(saliency, points) == pytest.approx(exact, abs=5e-5)
    assert mit_auc_judd(saliency, points, jitter=False) == pytest.approx(matlab, abs=5e-3)
