"""Defects of other code, each with a test that this library does not share it.

If a defect is part of a published number, the function that reproduces it under its owner's name
is shown to have it: the test would notice if the two were mixed up.
"""

import inspect
import math
import warnings

import numpy as np
import pytest

import gazesal
from tests.metric_cases import NAMES, ON_POINTS, POINTS, example, function
from tests.public_api import public_objects

EVERY = pytest.mark.parametrize("name", NAMES)


def blob(shape, x, y, sigma):
    row, column = np.indices(shape)
    return np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))


@pytest.fixture(scope="module")
def scene():
    """A smooth map and fixations that follow it, some of them elsewhere."""
    rng = np.random.default_rng(0)
    saliency = 0.02 + blob((60, 80), 30, 25, 9) + 0.6 * blob((60, 80), 60, 40, 6)
    drawn = rng.choice(saliency.size, 60, p=(saliency / saliency.sum()).ravel())
    return saliency, np.column_stack([drawn % 80, drawn // 80])


class TestAreas:
    """Thresholds on a grid, at fixations, and jitter."""

    def test_sharpening_a_map_keeps_its_ranking_and_its_score(self, scene):
        """The grid of 0.1 gives three scores to one ranking."""
        saliency, fixations = scene
        sharpened = [saliency**power for power in (1, 3, 9)]
        exact = {gazesal.auc(each, fixations) for each in sharpened}
        assert len(exact) == 1
        coarse = [gazesal.compat.mit_auc_borji(each, fixations, rng=0) for each in sharpened]
        assert coarse[0] - 0.02 > coarse[1] > coarse[2] + 0.02

    def test_judds_area_is_not_above_mann_and_whitneys(self, scene):
        saliency, fixations = scene
        saliency = saliency + 1e-9 * np.arange(saliency.size).reshape(saliency.shape)  # no ties
        pixels = np.unique(fixations[:, 1] * 80 + fixations[:, 0])
        values = saliency.ravel()
        others = np.delete(values, pixels)
        exact = np.mean(values[pixels][:, None] > others)
        assert gazesal.auc_judd(saliency, fixations) == pytest.approx(exact, abs=1e-12)
        excess = np.mean(others > values[pixels].min()) / (2 * pixels.size)
        assert excess > 0.005
        theirs = gazesal.compat.mit_auc_judd(saliency, fixations, jitter=False)
        assert theirs == pytest.approx(exact + excess, abs=1e-12)

    def test_ranks_of_a_map_that_sums_to_one_do_not_change(self):
        """A jitter of 1e-7 is larger than the steps between these values."""
        saliency = np.arange(1.0, 250_001).reshape(500, 500)
        saliency /= saliency.sum()
        fixations = [[100, 250], [400, 3]]
        expected = gazesal.auc_judd(np.arange(250_000.0).reshape(500, 500), fixations)
        assert gazesal.auc_judd(saliency, fixations) == expected
        theirs = [gazesal.compat.mit_auc_judd(saliency, fixations, rng=seed) for seed in (0, 1)]
        assert abs(theirs[0] - theirs[1]) > 1e-4

    def test_a_binary_map_has_its_exact_area(self):
        """The Matlab code without jitter has 0.58 for it."""
        saliency = np.zeros((100, 100))
        saliency[:20] = 1.0
        hits = np.column_stack([np.arange(72), np.full(72, 5)])
        misses = np.column_stack([np.arange(28), np.full(28, 60)])
        fixations = np.concatenate([hits, misses])
        false_alarms = (2000 - 72) / 9900
        exact = 0.5 + (0.72 - false_alarms) / 2
        assert gazesal.auc_judd(saliency, fixations) == pytest.approx(exact, abs=1e-12)
        assert exact == pytest.approx(0.76, abs=0.005)
        theirs = gazesal.compat.mit_auc_judd(saliency, fixations, jitter=False)
        assert theirs == pytest.approx(0.58, abs=0.005)

    def test_sampling_requires_a_seed(self):
        for _, thing in public_objects():
            if not inspect.isfunction(thing) or "gazesal.metrics" not in thing.__module__:
                continue
            parameters = inspect.signature(thing).parameters
            if "rng" in parameters:
                assert parameters["rng"].default in {None, inspect.Parameter.empty}
        saliency, fixations = np.eye(4), [[0, 0]]
        with pytest.raises(ValueError, match="`rng`"):
            gazesal.compat.mit_auc_judd(saliency, fixations)
        with pytest.raises(TypeError, match="rng"):
            gazesal.compat.mit_auc_borji(saliency, fixations)

    @EVERY
    def test_the_global_source_of_numpy_is_left_alone(self, name):
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        options = {"n_samples": 5, "rng": 0} if gazesal.METRICS[name].can_sample else {}
        function(name)(*example(name), **options)
        assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002

    def test_it_runs_where_names_have_left_numpy(self):
        """`np.trapz` and `np.in1d` are gone; the areas do not need them."""
        assert not hasattr(np, "in1d")
        assert gazesal.auc([[0.0, 1.0]], [[1, 0]], "unfixated") == 1.0


class TestMaps:
    """Constants, integers, negative values, arguments the wrong way round."""

    @pytest.mark.parametrize("value", [0.0, 0.1, 3.0])
    def test_a_constant_is_undefined_on_either_side_of_the_correlation(self, value):
        constant, other = np.full((5, 6), value), np.arange(30.0).reshape(5, 6)
        for arguments in ((constant, other), (other, constant), (constant, constant)):
            with pytest.warns(gazesal.UndefinedMetricWarning):
                assert math.isnan(gazesal.ncc(*arguments))

    def test_one_narrow_gaussian_is_not_a_constant(self):
        narrow = blob((300, 400), 123, 77, 0.4)
        assert gazesal.ncc(narrow, narrow) == 1.0
        assert gazesal.nss(narrow, [[123, 77]]) > 100

    def test_integer_maps_do_not_wrap_around(self):
        saliency, gaze = np.array([[0, 1, 2]], np.uint8), np.array([[1, 0, 3]], np.int64)
        assert gazesal.sim(saliency, gaze) == pytest.approx(2 / 3)
        assert gazesal.nss(saliency, [[2, 0]]) == pytest.approx(math.sqrt(1.5))
        # 255 - 1 wraps round in eight bits
        assert (
            gazesal.compat.mit_sim(np.array([[1, 255]], np.uint8), np.array([[0, 9]], np.uint8))
            == 1.0
        )

    @pytest.mark.parametrize("name", ["sim", "kl_divergence", "emd"])
    def test_negative_maps_are_not_shifted_in_silence(self, name):
        saliency, gaze = example(name)
        with pytest.raises(ValueError, match="`saliency_map` must be non-negative"):
            function(name)(saliency - 0.5, gaze)

    def test_the_divergence_puts_the_gaze_first_inside_and_the_map_first_outside(self):
        saliency, gaze = np.array([[1.0, 1.0, 2.0]]), np.array([[2.0, 1.0, 1.0]]) ** 3
        q, p = gaze / gaze.sum(), saliency / saliency.sum()
        assert gazesal.kl_divergence(saliency, gaze, eps=0) == pytest.approx(
            (q * np.log(q / p)).sum()
        )
        assert gazesal.kl_divergence(gaze, saliency, eps=0) == pytest.approx(
            (p * np.log(p / q)).sum()
        )
        assert list(inspect.signature(gazesal.kl_divergence).parameters)[:2] == [
            "saliency_map",
            "gaze_map",
        ]

    @EVERY
    def test_any_image_size_is_accepted(self, name):
        scores = [function(name)(*example(name, shape)) for shape in ((1, 9), (9, 1), (7, 11))]
        assert all(math.isfinite(score) for score in scores)

    @EVERY
    def test_a_list_made_by_default_is_not_shared_between_calls(self, name):
        for parameter in inspect.signature(gazesal.METRICS[name].function).parameters.values():
            assert not isinstance(parameter.default, (list, dict, set, np.ndarray))

    @EVERY
    def test_inputs_come_back_as_they_were(self, name):
        given = example(name)
        copies = [array.copy() for array in given]
        function(name)(*given)
        assert all(np.array_equal(a, b) for a, b in zip(given, copies, strict=True))

    def test_the_mass_of_the_last_cells_is_not_lost(self):
        """Shrinking by cutting off what does not divide would lose the whole gaze map."""
        gaze = np.zeros((33, 33))
        gaze[32, 32] = 1.0
        other = np.zeros((33, 33))
        other[0, 32] = 1.0
        assert gazesal.emd(gaze, other, shrink=32) == 32 - 15.5


@pytest.mark.parametrize("name", ON_POINTS)
class TestPoints:
    """Coordinates: exchanged, off by one, wrapped."""

    def test_x_is_the_column_and_y_the_row(self, name):
        """One pixel is high and one fixation lies on it, which gives the best score."""
        others = {"other_fixations": [[[0, 0], [1, 4]]], "baseline": [np.full((5, 9), 1 / 45)]}
        further = others.get(gazesal.METRICS[name].needs, [])
        scores = {}
        for row in range(5):
            for column in range(9):
                saliency = np.full((5, 9), 0.001)
                saliency[row, column] = 1 - 0.044
                scores[column, row] = function(name)(saliency, [[7, 3]], *further)
        assert max(scores, key=scores.get) == (7, 3)

    @pytest.mark.parametrize("point", [(-1, 0), (0, -1), (6, 0), (0, 4), (4, 4)])
    def test_negative_indices_do_not_wrap(self, name, point):
        given = example(name)
        given[1] = np.array([point], float)
        with pytest.raises(ValueError, match="`fixations` must lie in the image"):
            function(name)(*given)

    def test_the_last_row_and_column_can_be_fixated(self, name):
        given = example(name)
        given[1] = np.array([[5.49, 3.49]])
        assert math.isfinite(function(name)(*given))

    def test_a_binary_map_is_not_read_as_points(self, name):
        given = example(name)
        for i, argument in enumerate(gazesal.METRICS[name].arguments):
            if argument in POINTS:
                bad = [*given]
                bad[i] = np.eye(4, 6)
                with pytest.raises(ValueError, match="looks like a map"):
                    function(name)(*bad)


def test_all_warnings_are_of_the_librarys_own_kinds(scene):
    """No RuntimeWarning of a division or a logarithm reaches the user."""
    saliency, fixations = scene
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gazesal.kl_divergence(np.eye(5), np.eye(5)[::-1])
        gazesal.compat.mit_kl(np.eye(5), np.eye(5)[::-1])
        gazesal.compat.mit_ig(saliency, fixations, saliency.T.reshape(saliency.shape))
        gazesal.information_gain(np.eye(5) / 5, [[0, 1]], np.full((5, 5), 0.04))
        gazesal.compat.pysaliency_kl(np.eye(5), np.eye(5)[::-1])
