"""The direction of every metric is known, by its name and by its label."""

import pytest

import gazesal
from gazesal.metrics.compat_registry import COMPAT_METRICS
from gazesal.metrics.names import higher_is_better
from tests.public_api import public

METRICS = [*gazesal.METRICS.values(), *COMPAT_METRICS.values()]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_has_the_direction_of_its_docstring_by_name_and_label(metric):
    text = " ".join(metric.function.__doc__.split())
    for name in (metric.name, metric.label):
        assert higher_is_better(name) == ("higher is better" in text) != ("lower is better" in text)


def test_directions_agree_with_scores_of_a_perfect_and_an_opposite_map():
    gaze = [[0.0, 1.0, 2.0], [1.0, 4.0, 9.0]]
    opposite = [[9.0, 4.0, 2.0], [4.0, 1.0, 0.0]]
    for name in ("ncc", "auc_borji", "sim", "kl_divergence", "mit_sim", "mit_kl", "pysaliency_kl"):
        function = public(name)
        assert (function(gaze, gaze) > function(opposite, gaze)) == higher_is_better(name), name


def test_an_unknown_metric_has_no_direction():
    assert higher_is_better("my_metric") is None
    assert higher_is_better(3) is None
