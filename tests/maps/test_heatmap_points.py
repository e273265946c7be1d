"""Fixations inside and outside the image, and their accepted forms."""

import warnings

import numpy as np
import pytest

import gazesal
from gazesal import gaze_heatmap
from gazesal.maps.heatmap import are_shares, report_shares
from tests.oracles import heatmap as oracle
from tests.public_api import public


class TestOutside:
    """Fixations outside the image are never accepted silently."""

    points = ((2.0, 2.0), (-3.0, 2.0), (2.0, 7.5))

    def test_points_outside_raise_by_default_with_their_number_and_place(self):
        with pytest.raises(ValueError, match=r"`fixations`.*2 of 3.*index 1: \(-3, 2\)"):
            gaze_heatmap(self.points, (5, 6), sigma=1)

    def test_dropped_with_a_warning_that_counts_them(self):
        with pytest.warns(gazesal.OffImageWarning, match="2 of 3 fixations"):
            gaze = gaze_heatmap(self.points, (5, 6), sigma=1, outside="drop")
        assert np.array_equal(gaze, gaze_heatmap(self.points[:1], (5, 6), sigma=1))

    def test_dropping_removes_sigma_weights_and_rectangles(self):
        points = ((-3.0, 2.0), (2.0, 2.0), (4.0, 3.0))
        sigmas = [[9.0, 9.0], [1.0, 2.0], [3.0, 1.0]]
        rectangles = [(0, 0, 1, 1), (0, 0, 6, 4), (1, 1, 6, 5)]
        with pytest.warns(gazesal.OffImageWarning):
            gaze = gaze_heatmap(
                points,
                (5, 6),
                sigma=sigmas,
                weights=[7, 1, 2],
                visible=rectangles,
                outside="drop",
            )
        expected = gaze_heatmap(
            points[1:], (5, 6), sigma=sigmas[1:], weights=[1, 2], visible=rectangles[1:]
        )
        assert np.array_equal(gaze, expected)

    def test_the_warning_points_at_the_caller(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gaze_heatmap(self.points, (5, 6), sigma=1, outside="drop")
        assert [each.filename for each in caught] == [__file__]

    @pytest.mark.filterwarnings("ignore::gazesal.OffImageWarning")
    def test_dropping_all_fixations_raises(self):
        with pytest.raises(ValueError, match="`fixations`"):
            gaze_heatmap(self.points[1:], (5, 6), sigma=1, outside="drop")

    def test_kept_tail(self):
        gaze = gaze_heatmap([(-3.0, 2.0)], (5, 6), sigma=1, outside="keep")
        expected = oracle.gaze_heatmap([(-3.0, 2.0)], (5, 6), [(1.0, 1.0)], [1.0])
        assert np.allclose(gaze, expected, rtol=1e-12, atol=0)

    def test_kept_fixations_too_far_away_are_an_error(self):
        with pytest.raises(ValueError, match="`fixations`"):
            gaze_heatmap([(1e6, 2.0)], (5, 6), sigma=1, outside="keep")

    @pytest.mark.parametrize("point", [(-0.5, 0), (0, -0.5), (5.49, 4.49), (0, 0)])
    def test_the_image_spans_half_a_pixel_around_its_centers(self, point):
        assert gaze_heatmap([point], (5, 6), sigma=1).shape == (5, 6)

    @pytest.mark.parametrize("point", [(-0.51, 0), (0, -0.51), (5.5, 0), (0, 4.5)])
    def test_fixations_just_beyond_the_image_are_outside(self, point):
        with pytest.raises(ValueError, match="1 of 1"):
            gaze_heatmap([point], (5, 6), sigma=1)

    @pytest.mark.parametrize("points", [((2.0, 2.0),), points])
    def test_unknown_mode_raises(self, points):
        with pytest.raises(ValueError, match="`outside` must be one of"):
            gaze_heatmap(points, (5, 6), sigma=1, outside="clip")


class TestFixations:
    """Points and shape."""

    @pytest.mark.parametrize("fixations", [[], np.empty((0, 2))])
    def test_no_fixations_raise(self, fixations):
        with pytest.raises(ValueError, match="`fixations`"):
            gaze_heatmap(fixations, (5, 6), sigma=1)

    @pytest.mark.parametrize("fixations", [[1.0, 2.0], [[1.0, 2.0, 3.0]], [[[1.0, 2.0]]], 3.0])
    def test_points_of_another_shape_raise(self, fixations):
        with pytest.raises(ValueError, match=r"`fixations`.*\(N, 2\)"):
            gaze_heatmap(fixations, (5, 6), sigma=1)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    @pytest.mark.parametrize("outside", ["raise", "drop", "keep"])
    def test_infinite_or_nan_raises(self, value, outside):
        with pytest.raises(ValueError, match="`fixations` must be finite"):
            gaze_heatmap([(1.0, 1.0), (value, 1.0)], (5, 6), sigma=1, outside=outside)

    @pytest.mark.parametrize("fixations", [[("1", "2")], [(1j, 2)], None])
    def test_other_than_numbers_raises(self, fixations):
        with pytest.raises(TypeError, match="`fixations`"):
            gaze_heatmap(fixations, (5, 6), sigma=1)

    @pytest.mark.parametrize("shape", [5, (5,), (5, 6, 1), (5.0, 6), "56", None])
    def test_shape_is_two_integers(self, shape):
        with pytest.raises(TypeError, match="`shape`"):
            gaze_heatmap([(1, 1)], shape, sigma=1)

    @pytest.mark.parametrize("shape", [(0, 6), (5, -1)])
    def test_shape_is_positive(self, shape):
        with pytest.raises(ValueError, match="`shape`"):
            gaze_heatmap([(0, 0)], shape, sigma=1)

    def test_integers_in_any_layout_are_accepted_and_not_modified(self):
        points = np.array([[1, 2], [3, 0]])
        expected = gaze_heatmap(points.astype(float), (5, 6), sigma=1)
        copy = points.copy()
        assert np.array_equal(gaze_heatmap(points, (5, 6), sigma=1), expected)
        assert np.array_equal(gaze_heatmap(np.asfortranarray(points), (5, 6), sigma=1), expected)
        assert np.array_equal(points, copy)

    def test_shape_as_a_numpy_array_is_accepted(self):
        expected = gaze_heatmap([(1, 1)], (5, 6), sigma=1)
        assert np.array_equal(gaze_heatmap([(1, 1)], np.array([5, 6]), sigma=1), expected)


class TestShares:
    """Shares of the sides, from 0 to 1, are distinguished from pixels near the corner."""

    shares = ((0.2, 0.7), (0.4, 0.4), (1.0, 0.3))

    @pytest.mark.parametrize(
        ("points", "shape", "expected"),
        [
            (shares, (48, 64), True),
            (((-0.2, 0.7), (1.3, 0.4), (0.5, 0.3)), (48, 64), True),
            ([[0.0, 0.0]] * 20, (48, 64), False),
            (((0.0, 0.0), (1.0, 1.0), (0.0, 1.0)), (48, 64), False),
            (shares[:2], (48, 64), False),
            (shares, (1, 1), False),
            (shares, (7, 40), False),
            ((*shares, (2.0, 0.3)), (48, 64), False),
            ((*shares, (0.4, -0.6)), (48, 64), False),
        ],
    )
    def test_are_recognized(self, points, shape, expected):
        assert are_shares(np.array(points), shape) is expected

    def test_are_reported_at_the_caller(self):
        with pytest.warns(gazesal.InputWarning, match="`fixations` must be pixels") as caught:
            report_shares(np.array(self.shares), (48, 64), name="fixations")
        assert caught[0].filename == __file__

    def test_a_gaze_map_of_shares_warns(self):
        with pytest.warns(gazesal.InputWarning, match="`fixations` must be pixels") as caught:
            gaze_heatmap(self.shares, (48, 64), sigma=2)
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("name", ["nss", "auc", "auc_judd", "mit_nss"])
    def test_metrics_of_shares_warn(self, name):
        saliency = np.random.default_rng(0).random((48, 64))
        with pytest.warns(gazesal.InputWarning, match="`fixations` must be pixels"):
            public(name)(saliency, self.shares)

    @pytest.mark.filterwarnings("ignore::gazesal.GridEdgeWarning")
    @pytest.mark.parametrize("kind", [gazesal.KdeCenterBias, gazesal.GaussianCenterBias])
    def test_center_biases_of_shares_warn(self, kind):
        fixations = dict.fromkeys("abc", self.shares)
        with pytest.warns(gazesal.InputWarning, match="`fixations` must be pixels"):
            kind.fit(fixations, (48, 64))

    def test_pixels_are_not_reported(self):
        report_shares(np.array(self.shares), (4, 4), name="fixations")
