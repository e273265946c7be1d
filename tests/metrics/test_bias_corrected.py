"""Scores of the gaze beyond the center bias: their nulls, and other definitions of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gazesal
from gazesal import residual_ncc, residual_nss, semipartial_ncc

SHAPE = (5, 7)


@st.composite
def gaze_of_images(draw):
    """Draw the gaze maps of some images, each summing to 1."""
    n = draw(st.integers(2, 6))
    counts = draw(hnp.arrays(np.int64, (n, *SHAPE), elements=st.integers(0, 5)))
    counts[:, 0, 0] += 1
    return counts / counts.sum(axis=(1, 2), keepdims=True)


@st.composite
def fixed_maps(draw):
    """Draw a map that is not constant."""
    found = draw(hnp.arrays(np.int64, SHAPE, elements=st.integers(-9, 9))).astype(float)
    found[0, 0] += 30
    return found


@given(gaze=gaze_of_images(), saliency=fixed_maps(), sign=st.sampled_from([-1.0, 1.0]))
def test_any_fixed_map_has_a_mean_residual_nss_of_zero(gaze, saliency, sign):
    total = gaze.sum(axis=0)
    scores = [residual_nss(sign * saliency, own, total - own) for own in gaze]
    assert np.mean(scores) == pytest.approx(0, abs=1e-12)


@given(gaze=gaze_of_images(), saliency=fixed_maps())
def test_residual_ncc_is_residual_nss_over_the_spread_of_the_difference(gaze, saliency):
    own, rest = gaze[0], gaze[1:].mean(axis=0)
    spread = np.sqrt(((own - rest) ** 2).sum() * own.size)
    if spread > 1e-9:
        expected = residual_nss(saliency, own, rest) / spread
        assert residual_ncc(saliency, own, rest) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_residual_nss_is_the_difference_of_two_mean_z_scores_at_points():
    rng = np.random.default_rng(0)
    saliency = rng.random(SHAPE)
    points = rng.integers(0, SHAPE[::-1], (6, 2))
    others = rng.integers(0, SHAPE[::-1], (40, 2))
    maps = np.zeros((2, *SHAPE))
    for each, found in zip((points, others), maps, strict=True):
        np.add.at(found, (each[:, 1], each[:, 0]), 1)
    expected = gazesal.snss(saliency, points, others)
    assert residual_nss(saliency, *maps) == pytest.approx(expected, rel=0, abs=1e-14)


def test_the_square_of_semipartial_ncc_is_the_gain_in_explained_variance():
    rng = np.random.default_rng(1)
    saliency, gaze, bias = rng.random((3, *SHAPE))
    ones = np.ones(gaze.size)
    explained = []
    for predictors in ([bias], [bias, gaze]):
        design = np.column_stack([ones, *(each.ravel() for each in predictors)])
        rest = saliency.ravel() - design @ np.linalg.lstsq(design, saliency.ravel())[0]
        explained.append(1 - (rest**2).sum() / ((saliency - saliency.mean()) ** 2).sum())
    found = semipartial_ncc(saliency, gaze, bias)
    assert found**2 == pytest.approx(explained[1] - explained[0], abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", [residual_ncc, semipartial_ncc])
def test_gaze_equal_to_the_bias_up_to_a_factor_is_undefined(metric, dtype):
    gaze = np.random.default_rng(2).random((50, 60)).astype(dtype)
    bias = (gaze * dtype(0.1)).astype(dtype)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="center_bias"):
        assert np.isnan(metric(np.arange(3000.0).reshape(50, 60), gaze, bias))


def test_a_fixed_map_can_win_residual_ncc_but_not_residual_nss():
    usual, rare = np.zeros((2, *SHAPE))
    usual[1, 1] = rare[3, 5] = 1.0
    gaze = np.stack([usual] * 9 + [rare])
    biases = (gaze.sum(axis=0) - gaze) / 9
    means = [
        np.mean([metric(usual, own, bias) for own, bias in zip(gaze, biases, strict=True)])
        for metric in (residual_ncc, residual_nss)
    ]
    assert means[0] > 0.3
    assert means[1] == pytest.approx(0, abs=1e-12)
    assert not gazesal.METRICS["residual_ncc"].chance_of_any_map
    assert gazesal.METRICS["residual_nss"].chance_of_any_map


def test_the_inverse_of_the_bias_wins_sncc_and_not_the_residual_scores():
    rng = np.random.default_rng(3)
    gaze = rng.random((8, *SHAPE)) + np.outer(np.hanning(5), np.hanning(7)) * 3
    gaze /= gaze.sum(axis=(1, 2), keepdims=True)
    biases = gaze.sum(axis=0) - gaze
    inverse = -gaze.mean(axis=0)
    shuffled = [gazesal.sncc(inverse, own, bias) for own, bias in zip(gaze, biases, strict=True)]
    assert min(shuffled) > 0
    residual = [residual_ncc(inverse, own, bias) for own, bias in zip(gaze, biases, strict=True)]
    assert abs(np.mean(residual)) < 0.1
