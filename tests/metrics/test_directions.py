"""The direction of every metric is known, by its name and by its label."""

import gazesal
from gazesal.metrics import compat, compat_auc
from gazesal.metrics.directions import OF_OTHERS, higher_is_better
from tests.public_api import public

LOWER = {"kl_divergence", "KL", "emd", "EMD", "mit_kl", "pysaliency_kl"}


def test_every_public_metric_has_a_direction():
    names = {*gazesal.METRICS, *compat.__all__, *compat_auc.__all__}
    labels = {metric.label for metric in gazesal.METRICS.values()}
    assert {name for name in names | labels if higher_is_better(name) is None} == set()
    assert {name for name in names | labels if not higher_is_better(name)} == LOWER


def test_directions_agree_with_scores_of_a_perfect_and_an_opposite_map():
    gaze = [[0.0, 1.0, 2.0], [1.0, 4.0, 9.0]]
    opposite = [[9.0, 4.0, 2.0], [4.0, 1.0, 0.0]]
    for name in ("ncc", "auc_borji", "sim", "kl_divergence", "mit_sim", "mit_kl", "pysaliency_kl"):
        function = public(name)
        assert (function(gaze, gaze) > function(opposite, gaze)) == higher_is_better(name), name


def test_other_codes_are_listed_exactly():
    assert set(OF_OTHERS) == {*compat.__all__, *compat_auc.__all__}


def test_an_unknown_metric_has_no_direction():
    assert higher_is_better("my_metric") is None
    assert higher_is_better(3) is None
