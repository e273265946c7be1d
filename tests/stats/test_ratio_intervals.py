"""Ratios of means with their intervals."""

import math

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.stats import Design, normalized_score, ratio_interval


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
