"""Correlations of a map with the gaze beyond given maps."""

import numpy as np
import pytest

import gazesal


@pytest.fixture
def maps():
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 9, 11))
    gaze = first + 0.5 * second + 0.3 * rng.random((9, 11))
    saliency = gaze + first + 0.4 * rng.random((9, 11))
    return saliency, gaze, [first, second]


def r_squared(target, *columns):
    """Return the share of the variance that a linear fit explains."""
    design = np.column_stack([np.ones(target.size), *(each.ravel() for each in columns)])
    fitted = design @ np.linalg.lstsq(design, target.ravel(), rcond=None)[0]
    return 1 - ((target.ravel() - fitted) ** 2).sum() / ((target - target.mean()) ** 2).sum()


def test_square_beyond_the_given_maps_is_the_increase_of_explained_variance(maps):
    saliency, gaze, given = maps
    more = r_squared(gaze, saliency, *given) - r_squared(gaze, *given)
    found = gazesal.partial_ncc(saliency, gaze, given, remove_from="map")
    assert found**2 == pytest.approx(more, abs=1e-12)
    partial = gazesal.partial_ncc(saliency, gaze, given)
    assert partial**2 == pytest.approx(more / (1 - r_squared(gaze, *given)), abs=1e-12)


def test_partial_correlation_equals_the_inverse_covariance(maps):
    saliency, gaze, given = maps
    precision = np.linalg.inv(np.corrcoef([each.ravel() for each in (saliency, gaze, *given)]))
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert gazesal.partial_ncc(saliency, gaze, given) == pytest.approx(expected, abs=1e-12)


def test_one_given_map_removed_from_the_gaze_is_the_semi_partial_ncc(maps):
    saliency, gaze, (first, _) = maps
    found = gazesal.partial_ncc(saliency, gaze, {"bias": first}, remove_from="gaze")
    expected = gazesal.semipartial_ncc(saliency, gaze, first)
    assert found == pytest.approx(expected, abs=1e-13)


def test_scale_order_and_repetition_of_given_maps_do_not_matter(maps):
    saliency, gaze, (first, second) = maps
    expected = gazesal.partial_ncc(saliency, gaze, [first, second])
    for given in (
        [second, first],
        [1e6 * first - 3, first + second],
        [first, second, first, first - second],
        [first, second, np.ones_like(first)],
    ):
        assert gazesal.partial_ncc(saliency, gaze, given) == pytest.approx(expected, abs=1e-9)
    assert gazesal.partial_ncc(saliency, gaze, [np.ones_like(first)]) == pytest.approx(
        gazesal.ncc(saliency, gaze), abs=1e-13
    )


@pytest.mark.parametrize("remove_from", ["both", "map"])
def test_a_map_that_the_given_maps_explain_is_undefined(maps, remove_from):
    _, gaze, (first, second) = maps
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map`"):
        score = gazesal.partial_ncc(
            2 * first - second, gaze, [first, second], remove_from=remove_from
        )
    assert np.isnan(score)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant"):
        assert np.isnan(gazesal.partial_ncc(np.ones_like(gaze), gaze, [first]))


def test_invalid_arguments_are_refused(maps):
    saliency, gaze, (first, _) = maps
    with pytest.raises(TypeError, match="`given`"):
        gazesal.partial_ncc(saliency, gaze, first)
    with pytest.raises(ValueError, match="`given`"):
        gazesal.partial_ncc(saliency, gaze, [])
    with pytest.raises(ValueError, match=r"given\[1\]"):
        gazesal.partial_ncc(saliency, gaze, [first, first[:3]])
    with pytest.raises(ValueError, match="`remove_from`"):
        gazesal.partial_ncc(saliency, gaze, [first], remove_from="gaze_map")
