"""The registry of metrics of regions: names, citations, options and facts."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from gazesal import regions
from gazesal.metrics.names import as_metrics
from gazesal.regions.registry import REQUIRED, check_region_option

EVERY = pytest.mark.parametrize(
    "metric", list(regions.REGION_METRICS.values()), ids=lambda metric: metric.name
)
REQUIRED_VALUES = {"k": 7, "threshold": 0.5, "top": 0.2}


@EVERY
def test_metric_is_public_under_its_name(metric):
    assert getattr(regions, metric.name) is metric.function
    assert metric.arguments == ("saliency_map", "region")
    assert as_metrics([metric.name, *metric.aliases][-1:]) == (metric,)


@EVERY
def test_citation_is_cited_by_the_function(metric):
    cited = re.findall(r":footcite:[tp]:`([^`]+)`", metric.function.__doc__)
    assert metric.citation in ",".join(cited).split(",")
    entries = Path(regions.__file__).parents[1] / "references.bib"
    assert f"{{{metric.citation}," in entries.read_text("utf-8")


@EVERY
def test_facts_hold_on_random_maps(metric):
    rng = np.random.default_rng(4)
    saliency, region = rng.random((12, 9)), rng.random((12, 9)) < 0.3
    needed = {name: REQUIRED_VALUES[name] for name in REQUIRED.get(metric.name, ())[:1]}
    expected = metric(saliency, region, **needed)
    assert metric.low <= expected <= metric.high
    if metric.any_monotone_map:
        assert metric(np.exp(saliency), region, **needed) == pytest.approx(expected)
    if metric.any_affine_map:
        assert metric(2 * saliency - 1, region, **needed) == pytest.approx(expected)
    if metric.any_scaled_map:
        assert metric(3 * saliency, region, **needed) == pytest.approx(expected)
    if metric.constant_map is not None:
        assert metric(np.ones((12, 9)), region, **needed) == metric.constant_map
    empty = np.zeros((12, 9), np.bool_)
    if metric.name in {"iou", "dice"}:
        assert metric(saliency, empty, **needed) == 0
        needed = {"threshold": 2}  # no pixel is selected
    with pytest.warns(match="region"):
        assert np.isnan(metric(saliency, empty, **needed))


def test_registry_can_be_pickled():
    copied = pickle.loads(pickle.dumps(regions.REGION_METRICS))  # noqa: S301 (made here)
    assert list(copied) == list(regions.REGION_METRICS)


@pytest.mark.parametrize(
    ("metric", "option", "value"),
    [
        ("pointing_game", "tolerance", -1),
        ("pointing_game", "ties", "none"),
        ("relevance_mass", "negative", "keep"),
        ("top_k_intersection", "k", 0),
        ("iou", "threshold", float("inf")),
        ("iou", "top", 0),
        ("dice", "top", "half"),
        ("relevance_rank", "k", 3),
    ],
)
def test_invalid_options_are_refused(metric, option, value):
    with pytest.raises(ValueError, match=f"`{option}`|`region_options`"):
        check_region_option(metric, option, value, name="region_options")
