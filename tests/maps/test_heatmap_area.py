"""Gaze maps on the valid area of an image."""

import numpy as np
import pytest

import gazesal

SHAPE = (12, 15)
POINTS = np.array([[3.0, 4.0], [9.0, 6.0], [13.0, 2.0]])


def test_a_map_is_rescaled_to_the_area():
    area = np.ones(SHAPE, bool)
    area[:, 7:] = False
    with pytest.warns(gazesal.OffImageWarning, match="2 of 3 fixations lie outside `area`"):
        found = gazesal.gaze_heatmap(POINTS, SHAPE, sigma=2.0, area=area)
    expected = np.where(area, gazesal.gaze_heatmap(POINTS[:1], SHAPE, sigma=2.0), 0)
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-12, atol=0)


def test_an_area_of_all_pixels_changes_no_bit():
    expected = gazesal.gaze_heatmap(POINTS, SHAPE, sigma=2.0)
    found = gazesal.gaze_heatmap(POINTS, SHAPE, sigma=2.0, area=np.ones(SHAPE))
    np.testing.assert_array_equal(found, expected)


def test_a_gaussian_is_divided_by_the_weight_of_its_pixel():
    area = np.ones(SHAPE)
    area[6:] = 0.5
    found = gazesal.gaze_heatmap(POINTS, SHAPE, sigma=0.4, area=area)
    expected = gazesal.gaze_heatmap(POINTS, SHAPE, sigma=0.4, weights=[1, 2, 1])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


def test_an_area_without_fixations_is_an_error():
    area = np.zeros(SHAPE, bool)
    area[0, 0] = True
    with pytest.warns(gazesal.OffImageWarning), pytest.raises(ValueError, match="`fixations`"):
        gazesal.gaze_heatmap(POINTS, SHAPE, sigma=2.0, area=area)
    with pytest.raises(ValueError, match="`area`"):
        gazesal.gaze_heatmap(POINTS, SHAPE, sigma=2.0, area=np.ones((3, 3)))
