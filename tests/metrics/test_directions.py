"""The direction of every metric is known, by its name and by its label."""

import gazesal
from gazesal.metrics.compat_registry import COMPAT_METRICS
from gazesal.metrics.directions import higher_is_better
from tests.public_api import public

LOWER = {"kl_divergence", "KL", "emd", "EMD"}
LOWER |= {"mit_kl", "KL (MIT)", "pysaliency_kl", "KL (pysaliency)"}


def test_every_metric_has_a_direction_by_name_and_label():
    metrics = [*gazesal.METRICS.values(), *COMPAT_METRICS.values()]
    names = {metric.name for metric in metrics} | {metric.label for metric in metrics}
    assert {name for name in names if higher_is_better(name) is None} == set()
    assert {name for name in names if not higher_is_better(name)} == LOWER


def test_directions_agree_with_scores_of_a_perfect_and_an_opposite_map():
    gaze = [[0.0, 1.0, 2.0], [1.0, 4.0, 9.0]]
    opposite = [[9.0, 4.0, 2.0], [4.0, 1.0, 0.0]]
    for name in ("ncc", "auc_borji", "sim", "kl_divergence", "mit_sim", "mit_kl", "pysaliency_kl"):
        function = public(name)
        assert (function(gaze, gaze) > function(opposite, gaze)) == higher_is_better(name), name


def test_an_unknown_metric_has_no_direction():
    assert higher_is_better("my_metric") is None
    assert higher_is_better(3) is None
