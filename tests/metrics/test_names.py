"""Metrics are found by their names, aliases and labels, and a user's own are accepted."""

import pickle

import numpy as np
import pytest

import gazesal
from gazesal.metrics.compat_registry import COMPAT_METRICS
from gazesal.metrics.names import as_metrics, find_metric, metric_named, name_among, remember


def closeness(saliency_map, gaze_map):
    return -float(np.abs(np.asarray(saliency_map) - gaze_map).mean())


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("cc", "ncc"),
        ("CC", "ncc"),
        ("NSS", "nss"),
        ("KLD", "kl_divergence"),
        ("KL", "kl_divergence"),
        ("SIM", "sim"),
        ("EMD", "emd"),
        ("IG", "information_gain"),
        ("AUC-Judd", "auc_judd"),
        ("AUC_Borji", "auc_borji"),
        ("sAUC", "sauc"),
        ("AUC-J", "auc_judd"),
        ("Kullback\u2013Leibler divergence", "kl_divergence"),
        ("sAUC (points)", "auc_shuffled"),
        ("KL (MIT)", "mit_kl"),
        ("AUC-shuffled", "auc_shuffled"),
        ("mit_auc_judd", "mit_auc_judd"),
        *((name, name) for name in (*gazesal.METRICS, *COMPAT_METRICS)),
    ],
)
def test_a_name_or_alias_finds_its_metric(alias, name):
    assert [metric.name for metric in as_metrics([alias])] == [name]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (["AUC"], "`metrics` must name one metric, got 'AUC'.*'auc_borji' .gaze map. or 'auc' "),
        (["shuffled AUC"], "`metrics` must name one metric.*'sauc' .*'auc_shuffled'"),
        ([closeness], r"`metrics`.*Metric\(function\)"),
        (["nsss"], "`metrics`.*Did you mean 'nss'"),
        (["cc", "ncc"], "`metrics`.*each once"),
        ([], "`metrics`.*at least one"),
        ([3], "`metrics`.*got 3"),
        ([gazesal.Metric(closeness, name="cc")], "`metrics`.*'ncc'.*`name`"),
        ([gazesal.Metric(closeness, label="NCC")], "`metrics`.*'ncc'.*`label`"),
        ([gazesal.Metric(closeness, name=each, label="L") for each in "ab"], "`metrics`.*`label`"),
    ],
)
def test_an_unclear_name_raises(given, match):
    with pytest.raises(ValueError, match=match):
        as_metrics(given)


def test_labels_are_unique():
    labels = [metric.label for metric in (*gazesal.METRICS.values(), *COMPAT_METRICS.values())]
    assert len(set(labels)) == len(labels)


def test_a_metric_of_a_user_is_found_after_it_was_remembered():
    own = gazesal.Metric(closeness, name="of_the_test", label="Own (test)")
    assert find_metric("of_the_test") is None
    with pytest.raises(KeyError):
        metric_named("of_the_test")
    remember([own])
    assert find_metric("of_the_test") is find_metric("Own (test)") is metric_named("of_the_test")


def test_a_later_metric_of_the_same_name_and_other_facts_warns():
    remember([gazesal.Metric(closeness, name="twice")])
    remember([gazesal.Metric(closeness, name="twice")])
    with pytest.warns(gazesal.InputWarning, match="'twice'"):
        remember([gazesal.Metric(closeness, name="twice", higher_is_better=False)])


def test_an_unpickled_metric_of_the_library_is_accepted():
    copy = pickle.loads(pickle.dumps(gazesal.METRICS["nss"]))  # noqa: S301 (made here)
    assert as_metrics([copy]) == (gazesal.METRICS["nss"],)


def test_name_among_finds_the_metric_that_an_alias_means():
    computed = ["ncc", "auc_borji", "sncc"]
    assert [name_among(computed, each) for each in ("CC", "ncc", "NCC")] == ["ncc"] * 3
    assert name_among(computed, "AUC") == "AUC"  # means two metrics
    assert name_among(computed, "nonsense") == "nonsense"


def test_metrics_in_one_text_are_refused_with_the_list_to_give():
    with pytest.raises(TypeError, match=r"`metrics`.*got 'cc'. Give \['cc'\]\."):
        as_metrics("cc")


def test_score_takes_aliases_and_metrics_of_users():
    maps, gaze, bias = (
        [[[0.0, 1.0], [2.0, 3.0]]],
        [[[1.0, 1.0], [0.0, 4.0]]],
        [[1.0, 2.0], [1.0, 1.0]],
    )
    own = gazesal.Metric(closeness)
    third = gazesal.Metric(
        lambda s, g, b: float(np.sum(s * g * b)), name="third", needs="center_bias"
    )
    scores = gazesal.score(maps, gaze, bias, ["CC", own, "sim", third])
    assert scores.metrics == ("ncc", "closeness", "sim", "third")
    expected = [gazesal.ncc(maps[0], gaze[0]), -1.0, gazesal.sim(maps[0], gaze[0]), 14.0]
    assert scores.values[0, 0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["nss", "emd", "mit_auc_borji"])
def test_score_refuses_metrics_that_need_more_than_maps(name):
    with pytest.raises(ValueError, match=f"`metrics`.*{name}"):
        gazesal.score([np.eye(3)], [np.eye(3)], metrics=[name])
