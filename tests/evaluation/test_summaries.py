"""One default interval for one question, and the independent unit of a summary."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal import IntervalWarning
from gazesal.cli import main
from gazesal.reporting.summary_tables import summary_html
from gazesal.stats import Design
from tests.evaluation.large_study import SHAPE, SIGMA, make_cases

KINDS = ["t", "normal", "bootstrap", "basic", "bca", "studentized", "study"]
IMAGES = Design("image", averaged="observer", unbalanced="average", missing="drop")


@pytest.fixture(scope="module")
def result():
    """Return twelve images of six patients, with one constant map and one image of two readers."""
    cases = []
    for number, case in enumerate(make_cases(12, readers=("cy", "ann", "bob"))):
        rng = np.random.default_rng(number)
        maps = {"noise": rng.random(SHAPE), "more": rng.random(SHAPE)}
        groups = {"patient": f"p{number // 2}", "half": "ab"[number % 4 // 2]}
        cases.append(replace(case, maps=maps, groups=groups))
    cases[3] = replace(cases[3], maps={**cases[3].maps, "noise": np.zeros(SHAPE)})
    cases[5] = replace(cases[5], gaze={name: cases[5].gaze[name] for name in ("cy", "ann")})
    return gazesal.evaluate(cases, sigma=SIGMA)


def cell(table, method="noise", metric="sauc"):
    return table[(table["method"] == method) & (table["metric"] == metric)]


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_every_function_gives_the_same_interval_of_the_same_table(result, kind):
    """They agree to the last digit. The default is Student's t over the images."""
    options = {} if kind is None else {"interval": kind}
    summary = result.summary(**options)
    table = gazesal.stats.interval_table(
        result.scores, IMAGES, by=["method", "metric"], rng=result.options.seed, **options
    )
    both = summary.merge(table, on=["method", "metric"], suffixes=("", "_table"))
    assert len(both) == len(summary) == 20
    for name in ("estimate", "low", "high", "interval"):
        assert both[name].tolist() == both[f"{name}_table"].tolist()
    own = cell(result.scores).sort_values(["image", "observer"])
    alone = gazesal.stats.interval(own, IMAGES, rng=0, **options)
    clustered = gazesal.stats.confidence_interval(
        own["score"], clusters=own["image"], rng=0, **options
    )
    row = cell(summary).iloc[0]
    for found in (alone, clustered):
        assert (found.low, found.high, found.interval) == (row["low"], row["high"], row["interval"])
    assert summary["interval"].unique().tolist() == [kind or "t"]


def test_a_notebook_shows_the_numbers_of_the_summary(result):
    with warnings.catch_warnings():
        warnings.simplefilter("error", IntervalWarning)  # the caption states it instead
        shown = result._repr_html_()
    numbers = re.findall(r"-?\d\.\d+", summary_html(result.summary()))
    assert numbers
    assert re.findall(r"-?\d\.\d+", shown.partition("</caption>")[2]) == numbers
    assert "20 of 20 t intervals" in shown.partition("</caption>")[0]


def test_summary_gives_one_warning_at_the_callers_line(result):
    with pytest.warns(IntervalWarning, match="20 of 20 t intervals") as caught:
        summary = result.summary()
    assert [each.filename for each in caught] == [__file__]
    assert summary.attrs["caveats"] == str(caught[0].message)


def test_reports_of_every_kind_state_the_caveats(result, tmp_path):
    for kind in KINDS:
        summary = result.summary(interval=kind, n_resamples=200)
        gazesal.reporting.write_report(result, tmp_path / kind, summary=summary)
        text = (tmp_path / kind / "summary.txt").read_text("utf-8")
        # up to the remedy, which names another argument in the command
        caveats = re.sub(r" \(interval=[^)]*\)", "", summary.attrs["caveats"])
        assert all(line in text for line in caveats.splitlines())
        assert bool(summary.attrs["caveats"]) == (kind not in {"studentized", "study"})


@pytest.mark.parametrize("kind", [None, "t", "bca", "studentized"])
def test_the_command_takes_every_kind_and_defaults_to_t(tmp_path, kind):
    rng = np.random.default_rng(0)
    rows = [
        (f"i{i}", o, *rng.uniform(1, 20, 2), 1.0) for i in range(4) for o in "ab" for _ in "xyz"
    ]
    names = ["image", "observer", "x", "y", "duration"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "f.csv", index=False)
    (tmp_path / "maps" / "m").mkdir(parents=True)
    for i in range(4):
        np.save(tmp_path / "maps" / "m" / f"i{i}.npy", rng.random((24, 32)))
    words = ["evaluate", "--fixations", tmp_path / "f.csv", "--maps", tmp_path / "maps"]
    words += ["--size", "32x24", "--sigma", "3", "--out", tmp_path / "out", "--no-report"]
    words += [] if kind is None else ["--interval", kind]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert summary["interval"].unique().tolist() == [kind or "t"]


# -- units -------------------------------------------------------------------------------------


def test_summary_over_patients_equals_the_interval_of_their_means(result):
    summary = result.summary(unit="patient")
    for method, metric in (("noise", "sauc"), ("noise", "ncc"), ("more", "sncc")):
        own = cell(result.scores, method, metric).dropna(subset="score")
        means = own.groupby("patient")["score"].mean()
        expected = gazesal.stats.confidence_interval(means)
        row = cell(summary, method, metric).iloc[0]
        assert row["estimate"] == pytest.approx(expected.estimate)
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
        assert row["n_patient"] == 6
        assert row["n_images"] == (11 if metric == "ncc" else 12)
    halves = result.summary(unit="patient", by="half")
    assert set(halves["n_patient"]) == {3}


def test_comparison_over_patients_equals_the_one_of_their_means(result):
    (found,) = result.compare("noise", "more", "sauc", unit="patient")
    scores = result.scores[result.scores["metric"] == "sauc"]
    means = scores.groupby(["patient", "image", "method"])["score"].mean().unstack()
    paired = (means["noise"] - means["more"]).groupby("patient").mean()
    expected = gazesal.stats.confidence_interval(paired)
    assert found.difference.low == pytest.approx(expected.low)
    assert found.difference.units == (("patient", 6),)
    assert found.test == "all sign flips"


def test_comparison_takes_aliases_of_metrics(result):
    aliases, names = (result.compare("noise", "more", m) for m in (["CC", "Sauc"], ["ncc", "sauc"]))
    assert aliases.to_frame().equals(names.to_frame())
    with pytest.raises(ValueError, match="`metric`"):
        result.compare("noise", "more", "nss")


@pytest.mark.parametrize("unit", ["observer", "ward", "method"])
def test_unknown_unit_raises(result, unit):
    with pytest.raises(ValueError, match="`unit`"):
        result.summary(unit=unit)
    with pytest.raises(ValueError, match="`unit`"):
        result.compare("noise", "more", unit=unit)
