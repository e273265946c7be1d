"""Ratios of means with their intervals, and the corrected NCC of a set of images."""

import math

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.stats import Design, normalized_score, pooled_corrected_ncc, ratio_interval


def test_ratio_is_the_normalized_score_with_a_floor_of_zero():
    rng = np.random.default_rng(0)
    gold = rng.normal(2, 0.3, 20)
    model = 0.4 * gold + rng.normal(0, 0.1, 20)
    table = pd.DataFrame(
        {
            "method": np.repeat(["model", "gold", "zero"], 20),
            "image": [*range(20)] * 3,
            "score": np.concatenate([model, gold, np.zeros(20)]),
        }
    )
    names = {"method": "model", "floor": "zero", "ceiling": "gold"}
    expected = normalized_score(table, Design("image"), **names)
    found = ratio_interval(model, gold)
    assert found.estimate == pytest.approx(model.mean() / gold.mean(), rel=1e-13)
    assert found.low == pytest.approx(expected.low, rel=1e-12)
    assert found.high == pytest.approx(expected.high, rel=1e-12)


def test_clusters_are_the_units_of_the_ratio():
    rng = np.random.default_rng(1)
    model, gold = rng.normal(1, 0.1, 24), rng.normal(2, 0.1, 24)
    found = ratio_interval(model, gold, clusters=np.repeat(np.arange(12), 2))
    means = ratio_interval(model.reshape(12, 2).mean(axis=1), gold.reshape(12, 2).mean(axis=1))
    assert (found.low, found.high) == pytest.approx((means.low, means.high), rel=1e-13)
    assert found.n_clusters == 12
    assert found.n_scores == 24


def test_a_denominator_that_is_not_positive_is_undefined():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="denominators"):
        assert math.isnan(ratio_interval([1.0, 2.0], [-1.0, 0.5]).estimate)
    with pytest.raises(ValueError, match="denominators"):
        ratio_interval([1.0, 2.0], [1.0])


def images(rng, n_images, n_observers):
    found = []
    for _ in range(n_images):
        truth = rng.random((6, 8))
        noisy = truth + 0.3 * rng.normal(size=(n_observers, 6, 8))
        found.append((truth + 0.3 * rng.normal(size=(6, 8)), noisy, truth))
    return found


def test_pooled_score_of_one_kind_of_image_is_near_its_truth():
    simulated = images(np.random.default_rng(2), 150, 3)
    found = pooled_corrected_ncc((saliency, gaze) for saliency, gaze, _ in simulated)
    truth = np.mean([gazesal.ncc(saliency, truth) for saliency, _, truth in simulated])
    assert found.estimate == pytest.approx(truth, abs=0.02)
    assert found.low < truth < found.high


def test_pooled_score_is_the_ratio_of_the_documented_sums():
    simulated = images(np.random.default_rng(3), 4, 5)
    numerators, denominators = [], []
    for saliency, gaze, _ in simulated:
        flat = gaze.reshape(5, -1)
        covariance = np.cov(flat, ddof=0)
        common = (covariance.sum() - np.trace(covariance)) / 20
        centered = saliency.ravel() - saliency.mean()
        numerators.append((centered @ flat.mean(axis=0)) / centered.size / saliency.std())
        denominators.append(math.sqrt(max(common, 0)))
    with pytest.warns(gazesal.IntervalWarning):
        found = pooled_corrected_ncc([each[:2] for each in simulated])
    assert found.estimate == pytest.approx(sum(numerators) / sum(denominators), rel=1e-12)


def test_images_that_cannot_be_pooled_are_named():
    good = images(np.random.default_rng(4), 1, 3)[0][:2]
    with pytest.raises(ValueError, match=r"images\[1\]"):
        pooled_corrected_ncc([good, (np.ones((6, 8)), good[1])])
    with pytest.raises(ValueError, match=r"images\[0\]"):
        pooled_corrected_ncc([(good[0], good[1][:1])])
    with pytest.raises(TypeError, match=r"images\[0\]"):
        pooled_corrected_ncc([good[0]])
