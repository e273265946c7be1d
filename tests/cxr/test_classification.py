"""Tests of the AUC of each label, against counted pairs and DeLong's variance."""

import math

import numpy as np
import pytest
from scipy import stats

from gazesal.cxr import label_aucs


def drawn(n=80, n_labels=3, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.random((n, n_labels)) < 0.4
    scores = np.round(targets * 0.8 + rng.normal(0, 1, (n, n_labels)), 1)  # with ties
    return targets, scores


def plain_bounds(targets, scores, patients):
    """Compute the AUC of one label and its bounds by loops over all pairs."""
    positives = [i for i in range(len(targets)) if targets[i]]
    negatives = [i for i in range(len(targets)) if not targets[i]]
    win = lambda i, j: 1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0  # noqa: E731
    area = sum(win(i, j) for i in positives for j in negatives) / len(positives) / len(negatives)
    influence = dict.fromkeys(patients, 0.0)
    for i in positives:
        share = sum(win(i, j) for j in negatives) / len(negatives)
        influence[patients[i]] += (share - area) / len(positives)
    for j in negatives:
        share = sum(win(i, j) for i in positives) / len(positives)
        influence[patients[j]] += (share - area) / len(negatives)
    k = len(influence)
    error = math.sqrt(k / (k - 1) * sum(value**2 for value in influence.values()))
    half = stats.norm.ppf(0.975) * error / (area * (1 - area))
    return area, stats.logistic.cdf(stats.logistic.ppf(area) - half), error


def test_auc_of_each_label_equals_counted_pairs():
    targets, scores = drawn()
    patients = [f"p{i // 3}" for i in range(len(targets))]
    table = label_aucs(targets, scores, ["a", "b", "c"], patients=patients)
    assert list(table["label"]) == ["a", "b", "c", "mean"]
    for column in range(3):
        area, low, _ = plain_bounds(targets[:, column], scores[:, column], patients)
        row = table.iloc[column]
        assert row["auc"] == pytest.approx(area, abs=1e-12)
        assert row["low"] == pytest.approx(low, abs=1e-12)
        counts = (row["n_positive"], row["n_images"], row["n_patients"])
        assert counts == (targets[:, column].sum(), 80, 27)
    assert table["auc"].iloc[3] == pytest.approx(table["auc"].iloc[:3].mean(), abs=1e-15)


def test_error_with_one_image_per_patient_equals_delong():
    """DeLong's variance has m - 1 and n - 1 instead of a factor K / (K - 1) on both parts."""
    targets, scores = drawn(600, 1, seed=3)
    area, _, error = plain_bounds(targets[:, 0], scores[:, 0], list(range(600)))
    positive, negative = scores[targets[:, 0], 0], scores[~targets[:, 0], 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    delong = wins.mean(axis=1).var(ddof=1) / len(positive)
    delong += wins.mean(axis=0).var(ddof=1) / len(negative)
    assert error == pytest.approx(math.sqrt(delong), rel=0.005)
    assert area == pytest.approx(wins.mean(), abs=1e-12)


def test_mean_of_a_label_and_its_copy_has_the_same_interval():
    targets, scores = drawn(n_labels=1)
    twice = label_aucs(
        np.repeat(targets, 2, axis=1), np.repeat(scores, 2, axis=1), "ab", patients=range(80)
    )
    assert np.ptp(twice["low"]) < 1e-12
    assert np.ptp(twice["high"]) < 1e-12


def test_images_of_one_patient_count_as_one():
    """Repeating every image ten times for the same patients gives the same interval."""
    targets, scores = drawn()
    once = label_aucs(targets, scores, "abc", patients=range(80))
    many = label_aucs(
        np.tile(targets, (10, 1)), np.tile(scores, (10, 1)), "abc", patients=list(range(80)) * 10
    )
    columns = ["auc", "low", "high", "n_patients"]
    assert once[columns].to_numpy(float) == pytest.approx(many[columns].to_numpy(float), abs=1e-12)


def test_interval_has_its_nominal_coverage():
    rng = np.random.default_rng(1)
    truth = stats.norm.cdf(1 / math.sqrt(2))
    hits = 0
    for _ in range(400):
        targets = rng.random((100, 1)) < 0.5
        scores = targets + rng.normal(0, 1, (100, 1))
        row = label_aucs(targets, scores, "a", patients=range(100)).iloc[0]
        hits += row["low"] <= truth <= row["high"]
    assert 0.92 <= hits / 400 <= 0.98


def test_label_of_one_kind_is_undefined_and_left_out_of_the_mean():
    targets, scores = drawn()
    targets[:, 1] = False
    table = label_aucs(targets, scores, "abc", patients=range(80)).set_index("label")
    assert np.isnan(table.loc["b", "auc"])
    assert table.loc["mean", "auc"] == pytest.approx(table.loc[["a", "c"], "auc"].mean())


def test_perfect_ranking_has_no_bounds():
    row = label_aucs([[True], [False]], [[1.0], [0.0]], "a", patients="pq").iloc[0]
    assert row["auc"] == 1.0
    assert np.isnan([row["low"], row["high"]]).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"targets": [[1], [0]]}, TypeError, "booleans"),
        ({"scores": [[1.0]]}, ValueError, "one row per image"),
        ({"scores": [[np.nan], [0.0]]}, ValueError, "finite"),
        ({"labels": "ab"}, ValueError, "entries"),
        ({"patients": "p"}, ValueError, "entries"),
        ({"confidence_level": 1.0}, ValueError, "confidence_level"),
    ],
)
def test_invalid_arguments_raise(change, error, message):
    good = {"targets": [[True], [False]], "scores": [[1.0], [0.0]], "labels": "a"}
    given = {**good, "patients": "pq", **change}
    with pytest.raises(error, match=message):
        label_aucs(given.pop("targets"), given.pop("scores"), given.pop("labels"), **given)
