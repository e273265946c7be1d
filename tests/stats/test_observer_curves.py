"""Curves in the number of observers against references, enumeration and known limits."""

import itertools
import json
import math

import numpy as np
import pytest

import gazesal
from gazesal.stats import (
    noise_ceiling,
    observer_curve,
    observer_limit,
    spearman_brown,
    split_half,
)
from gazesal.stats.observer_curves import correlations_of_splits
from gazesal.stats.observers_as_maps import ObserversAsMaps


@pytest.fixture(scope="module")
def references(shared):
    numbers = json.loads((shared / "references" / "ceilings.json").read_text("utf-8"))["n"]
    with np.load(shared / "references" / "ceilings.npz") as arrays:
        return numbers, dict(arrays)


def noisy_maps(rng, n, shape=(6, 8)):
    truth = rng.random(shape)
    return [truth + rng.random(shape) for _ in range(n)]


@pytest.mark.parametrize("n", [3, 5, 10, 15])
def test_curves_and_split_halves_equal_the_references(references, n):
    numbers, arrays = references
    expected = numbers[str(n)]
    for i in range(3 if n == 15 else 12):
        gaze = arrays["gaze"][i, :n]
        curve = observer_curve("ncc", gaze)
        assert curve.scores == pytest.approx(expected["rest_of_k"][i], abs=1e-10)
        found, split = split_half(gaze), expected["split_half"][i]["equal"]
        assert found.correlations.size == split["splits"]
        assert found.half == split["half"]
        assert found.correlation == pytest.approx(split["r_mean"], abs=1e-10)
        assert found.corrected == pytest.approx(split["corrected_of_mean"], abs=1e-10)
        each = [spearman_brown(r, n / found.half) for r in found.correlations[:2000]]
        if len(each) == split["splits"]:
            assert np.mean(each) == pytest.approx(split["mean_of_corrected"], abs=1e-10)


def test_stored_subsets_and_splits_equal_the_references(references):
    numbers, arrays = references
    for i in range(2):
        observers = ObserversAsMaps("ncc", arrays["gaze"][i], None, None, None, None)
        found = [
            observers.score(np.flatnonzero(members).tolist(), int(left_out))
            for left_out, members in zip(
                arrays["subset_left_out_n15"][:40], arrays["subset_members_n15"], strict=False
            )
        ]
        expected = numbers["15"]["rest_of_k_seeded"][i]
        assert found == pytest.approx(np.ravel(expected)[:40], abs=1e-10)
    for n in (10, 15):
        halves = arrays[f"splits_n{n}"].astype(float)
        halves = np.where(halves == 2, -1.0, halves)
        for i, gaze in enumerate(arrays["gaze"][:2]):
            found = correlations_of_splits(list(gaze[:n]), halves)
            expected = numbers[str(n)]["split_half_seeded_r"][i]
            assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("metric", ["ncc", "auc_borji", "sim"])
def test_curve_is_the_mean_over_all_subsets(metric):
    maps = noisy_maps(np.random.default_rng(0), 4)
    function = gazesal.METRICS[metric].function
    curve = observer_curve(metric, maps)
    for size in (1, 2, 3):
        scores = [
            function(np.mean([maps[j] for j in members], axis=0), maps[i])
            for i in range(4)
            for members in itertools.combinations([j for j in range(4) if j != i], size)
        ]
        assert curve.n_subsets[size - 1] == len(scores)
        assert curve.scores[size - 1] == pytest.approx(np.mean(scores), abs=1e-12)
    assert curve.sizes.tolist() == [1, 2, 3]


def test_sampled_subsets_are_repeatable_and_near_the_mean_over_all():
    maps = noisy_maps(np.random.default_rng(1), 6)
    every = observer_curve("auc_borji", maps)
    found = observer_curve("auc_borji", maps, n_subsets=30, rng=3)
    again = observer_curve("auc_borji", maps, n_subsets=30, rng=3)
    assert (found.scores == again.scores).all()
    assert found.n_subsets.tolist() == [30, 30, 30, 30, 6]
    assert found.scores[-1] == every.scores[-1]
    assert found.scores == pytest.approx(every.scores, abs=0.05)


def test_last_point_of_the_curve_is_the_lower_bound():
    rng = np.random.default_rng(2)
    maps = noisy_maps(rng, 4)
    bias = rng.random((6, 8))
    gaze = [np.stack([rng.integers(0, 8, 9), rng.integers(0, 6, 9)], axis=1) for _ in range(4)]
    for metric in ("sauc", "information_gain", "kl_divergence"):
        curve = observer_curve(metric, maps, bias, fixations=gaze)
        bound = gazesal.stats.attainable(metric, maps, bias, fixations=gaze).rest_predicts_one
        assert curve.scores[-1] == pytest.approx(bound, abs=1e-12)


def test_split_halves_are_all_unordered_splits():
    maps = noisy_maps(np.random.default_rng(3), 5)
    found = split_half(maps)
    expected = []
    for left_out in range(5):
        kept = [j for j in range(5) if j != left_out]
        for other in kept[1:]:
            first = [kept[0], other]
            means = [
                np.mean([maps[j] for j in group], axis=0)
                for group in (first, [j for j in kept if j not in first])
            ]
            expected.append(gazesal.ncc(*means))
    assert sorted(found.correlations) == pytest.approx(sorted(expected), abs=1e-12)
    assert found.corrected == pytest.approx(spearman_brown(np.mean(expected), 5 / 2))
    assert found.corrected == pytest.approx(noise_ceiling(maps).alpha, abs=0.05)
    sampled = split_half(maps, n_splits=200, rng=0)
    assert sampled.correlation == pytest.approx(found.correlation, abs=0.03)


@pytest.mark.parametrize(
    ("form", "curve"), [("hyperbola", lambda m: 1 / (m + 1.3)), ("power", lambda m: m**-0.7)]
)
def test_limit_of_an_exact_curve_is_found(form, curve):
    sizes = np.arange(1.0, 9.0)
    images = np.random.default_rng(4).normal(0, 0.05, (12, 1))
    scores = 0.8 + images - 0.3 * curve(sizes)
    found = observer_limit(sizes, scores, form=form)
    interval = gazesal.stats.confidence_interval(0.8 + images.ravel())
    assert found.limit.estimate == pytest.approx(interval.estimate, abs=1e-4)
    assert found.limit.low == pytest.approx(interval.low, abs=1e-4)
    assert found.limit.high == pytest.approx(interval.high, abs=1e-4)
    assert found.a == pytest.approx(0.3, abs=1e-3)
    clustered = observer_limit(sizes, scores, form=form, clusters=np.arange(12) // 2)
    assert clustered.limit.n_clusters == 6
    assert clustered.limit.estimate == pytest.approx(found.limit.estimate, abs=1e-9)


def test_undefined_agreement_is_reported():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
        assert math.isnan(split_half([[[1.0, 1.0]], [[0.0, 1.0]]]).corrected)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
        assert np.isnan(observer_curve("ncc", [[[1.0, 1.0]], [[0.0, 1.0]]]).scores).all()
    with pytest.warns(gazesal.UndefinedMetricWarning, match="correlation"):
        assert math.isnan(spearman_brown(-0.6, 3))


def test_too_many_subsets_must_be_sampled():
    maps = [np.eye(3) + i for i in range(12)]
    with pytest.raises(ValueError, match="n_subsets"):
        observer_curve("auc_borji", maps)
    with pytest.raises(ValueError, match="rng"):
        observer_curve("auc_borji", maps, n_subsets=3)
    with pytest.raises(ValueError, match="n_splits"):
        split_half([np.eye(3)] * 30)
    with pytest.raises(ValueError, match="sizes"):
        observer_limit([1, 2, 3], np.ones((4, 3)))
    with pytest.raises(ValueError, match="scores"):
        observer_limit([1, 2, 3, 4], np.ones((1, 4)))
