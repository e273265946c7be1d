"""A public metric has an oracle, a citation, a place in the API and a full docstring."""

import inspect
import pickle
import re
from pathlib import Path

import pytest

import gazesal
from gazesal.metrics import compat, compat_auc, compat_pysaliency
from gazesal.metrics.compat_registry import COMPAT_METRICS
from tests import oracles

PROJECT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize(
    "metric", list(gazesal.METRICS.values()), ids=lambda metric: metric.name
)
ALL = pytest.mark.parametrize(
    "metric",
    [*gazesal.METRICS.values(), *COMPAT_METRICS.values()],
    ids=lambda metric: metric.name,
)


def sections(docstring):
    """Names of the underlined sections of a numpydoc docstring, in order."""
    return re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", inspect.cleandoc(docstring), re.MULTILINE)


def test_names_equal_function_names_and_the_study_comes_first():
    assert gazesal.STUDY_METRICS == ("ncc", "auc_borji", "sncc", "sauc")
    assert tuple(gazesal.METRICS)[:4] == gazesal.STUDY_METRICS
    for name, metric in gazesal.METRICS.items():
        assert metric.name == metric.function.__name__ == name


@pytest.mark.parametrize("metrics", [gazesal.METRICS, COMPAT_METRICS])
def test_registries_can_be_pickled(metrics):
    copied = pickle.loads(pickle.dumps(metrics))  # noqa: S301 (made here)
    assert {name: repr(metric) for name, metric in copied.items()} == {
        name: repr(metric) for name, metric in metrics.items()
    }


def test_the_registry_cannot_be_changed():
    with pytest.raises(TypeError):
        gazesal.METRICS["ncc"] = None
    with pytest.raises(AttributeError):
        gazesal.METRICS["ncc"].low = 0.0


@EVERY
def test_has_an_oracle(metric):
    assert metric.name in oracles.METRICS


def test_no_oracle_is_left_over():
    assert set(oracles.METRICS) == set(gazesal.METRICS)


@EVERY
def test_is_public(metric):
    assert metric.name in gazesal.__all__
    assert getattr(gazesal, metric.name) is metric.function


@ALL
def test_its_citation_is_in_the_bibliography(metric):
    entries = (PROJECT / "gazesal" / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^\s*@\w+\s*\{\s*([^,\s]+)", entries, re.MULTILINE)
    cited = re.findall(r":footcite:[tp]:`([^`]+)`", metric.function.__doc__)
    assert cited
    assert {metric.citation, *cited} <= set(keys)
    assert metric.citation in ",".join(cited).split(",")


@EVERY
def test_docstring_has_every_section_in_order(metric):
    wanted = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
    assert [name for name in sections(metric.function.__doc__) if name in wanted] == wanted


@EVERY
def test_facts_agree_with_the_signature(metric):
    parameters = inspect.signature(metric.function).parameters
    positional = [
        name for name, each in parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD
    ]
    assert tuple(positional[: len(metric.arguments)]) == metric.arguments
    for name in positional[len(metric.arguments) :]:
        assert parameters[name].default is not inspect.Parameter.empty
    required = {
        name
        for name, each in parameters.items()
        if each.kind is each.KEYWORD_ONLY and each.default is inspect.Parameter.empty
    }
    assert required == set(metric.required_options)
    assert len(positional) <= 3
    assert ("n_samples" in parameters) == ("rng" in parameters) == metric.can_sample
    assert ("outside" in parameters) == (metric.ground_truth == "points")
    assert metric.needs_center_bias == ("center_bias" in metric.arguments)
    assert metric.low < metric.high


@ALL
def test_docstring_states_every_fact(metric):
    """Range and direction, in words or numbers, under Returns."""
    text = inspect.cleandoc(metric.function.__doc__)
    returns = re.search(r"Returns\n-+\n(.*?)\n\n[A-Z]", text, re.DOTALL)[1]
    direction = "higher is better" if metric.higher_is_better else "lower is better"
    assert direction in " ".join(returns.split())
    if metric.constant_map is not None and metric.constant_map != metric.constant_map:
        assert "``nan``" in returns


def test_other_peoples_numbers_are_public_and_not_among_the_metrics():
    theirs = set(gazesal.compat.__all__) - {"COMPAT_METRICS"}
    assert (
        theirs
        == {*compat.__all__, *compat_auc.__all__, *compat_pysaliency.__all__}
        == set(COMPAT_METRICS)
    )
    assert not theirs & set(gazesal.METRICS)


@EVERY
def test_stub_and_guide_list_the_metric(metric):
    """The message is the line to add."""
    module = metric.function.__module__.removeprefix("gazesal")
    places = {
        "gazesal/__init__.pyi": f"from {module} import {metric.name} as {metric.name}\n",
        "docs/choosing_a_metric.md": f"| {{func}}`{metric.label} <gazesal.{metric.name}>` | ",
    }
    for path, line in places.items():
        assert line in (PROJECT / path).read_text("utf-8"), f"add to {path}: {line}"


@ALL
def test_an_undefined_score_is_explained(metric):
    if metric.constant_map is not None and metric.constant_map != metric.constant_map:
        assert "constant" in metric.undefined_when
    assert metric.recommended_for
