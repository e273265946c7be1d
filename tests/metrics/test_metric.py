"""A user's own metric: its defaults, and errors for wrong facts."""

import functools
import json
import math
import pickle

import pytest

import gazesal
from gazesal.metrics.compat_registry import COMPAT_METRICS


def overlap(saliency_map, gaze_map):
    return 0.25


def on_points(saliency_map, fixations, other_fixations, *, rng):
    return 0.25


def test_name_and_label_come_from_the_function():
    metric = gazesal.Metric(overlap)
    assert (metric.name, metric.label) == ("overlap", "overlap")
    assert metric.arguments == ("saliency_map", "gaze_map")
    assert metric([[1.0]], [[1.0]]) == 0.25


def test_arguments_follow_from_ground_truth_and_needs():
    metric = gazesal.Metric(on_points, ground_truth="points", needs="other_fixations", random=True)
    assert metric.arguments == ("saliency_map", "fixations", "other_fixations")


@pytest.mark.parametrize(
    ("function", "facts", "error", "match"),
    [
        (3, {}, TypeError, "`function`"),
        (lambda *maps: len(maps), {}, ValueError, "`name`.*lambda"),
        (functools.partial(overlap), {}, ValueError, "`name`"),
        (overlap, {"name": "two words"}, ValueError, "`name`"),
        (overlap, {"label": "a\nb"}, ValueError, "`label`"),
        (overlap, {"label": 3}, ValueError, "`label`"),
        (overlap, {"ground_truth": "maps"}, ValueError, "`ground_truth`"),
        (overlap, {"needs": "bias"}, ValueError, "`needs`"),
        (overlap, {"needs": "center_bias"}, TypeError, "`function`.*center_bias"),
        (overlap, {"can_sample": True}, TypeError, "`function`.*n_samples"),
        (overlap, {"higher_is_better": "yes"}, TypeError, "`higher_is_better`"),
        (overlap, {"low": 1, "high": 0}, ValueError, "`low`"),
        (overlap, {"chance": "half"}, TypeError, "`chance`"),
        (overlap, {"chance": 0.5, "high": 0.25}, ValueError, "`chance`"),
        (overlap, {"chance": math.inf}, ValueError, "`chance`"),
        (overlap, {"constant_map": 2.0, "high": 1.0}, ValueError, "`constant_map`"),
        (overlap, {"label": " "}, ValueError, "`label`"),
        (overlap, {"weights": None}, TypeError, "`weights`"),
        (overlap, {"densities": iter(["gaze_map"])}, TypeError, "`densities`"),
        (overlap, {"weights": ("map",)}, ValueError, "`weights`"),
        (overlap, {"weights": "gaze_map"}, TypeError, "`weights`"),
        (overlap, {"required_options": ("sigma",)}, ValueError, "`required_options`"),
        (overlap, {"citation": None}, TypeError, "`citation`"),
    ],
)
def test_a_wrong_fact_is_named(function, facts, error, match):
    with pytest.raises(error, match=match):
        gazesal.Metric(function, **facts)


def test_a_function_that_returns_no_number_is_named():
    metric = gazesal.Metric(lambda *maps: maps, name="nothing")
    with pytest.raises(TypeError, match=r"`metrics`.*tuple.*'nothing'"):
        metric(1, 2)


@pytest.mark.parametrize("name", [*gazesal.METRICS, *COMPAT_METRICS])
def test_facts_survive_json_without_the_function(name):
    metric = gazesal.METRICS.get(name) or COMPAT_METRICS[name]
    text = json.dumps(metric.facts(), allow_nan=False)
    back = gazesal.Metric.from_facts(json.loads(text))
    assert repr(back.facts()) == repr(metric.facts())
    assert math.isnan(back.chance) == math.isnan(metric.chance)
    with pytest.raises(TypeError, match=f"`metrics`.*'{name}'"):
        back([[1.0]], [[1.0]])
    assert pickle.loads(pickle.dumps(back)).name == name  # noqa: S301 (made here)
