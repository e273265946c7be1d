"""Tests that all parts of the library give the same interval by default."""

import re

import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from gazesal.stats import (
    Design,
    compare,
    compare_subgroups,
    confidence_interval,
    interval,
    interval_table,
    normalized_score,
)
from tests.oracles import designs as oracle
from tests.plain_study import HEIGHT, WIDTH, write_plain_study
from tests.stats.frames import cells_of, crossed_table

pytestmark = pytest.mark.filterwarnings("ignore::gazesal.IntervalWarning")

IMAGES = Design("image", averaged="observer")
BOUNDS = ["estimate", "low", "high"]


def bounds_of(found):
    return tuple(getattr(found, name) for name in BOUNDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_plain_study(tmp_path_factory.mktemp("study"), n_images=8)


@pytest.fixture(scope="module")
def evaluation(folder):
    maps = dict(gazesal.find_maps(folder / "maps"))
    table = gazesal.read_fixations(folder / "fixations.csv")
    cases = gazesal.cases_from_tables(table, maps, (HEIGHT, WIDTH))
    return gazesal.evaluate(cases, sigma=4.0, resize="bilinear")


@pytest.fixture(scope="module")
def rows(evaluation):
    """Return the intervals of the scores of the evaluation, by method and metric."""
    return interval_table(evaluation.scores, IMAGES, by=["method", "metric"])


def test_functions_have_the_same_t_interval():
    table = crossed_table(15, 3, names=("image", "observer")).sort_values(["image", "observer"])
    zero, one = (table.assign(score=value) for value in (0.0, 1.0))
    names = {"a": table, "zero": zero, "one": one}
    methods = pd.concat(each.assign(method=name) for name, each in names.items())
    group = methods.assign(group=methods["image"] < 7)
    found = interval(table, IMAGES)
    assert found.interval == "t"
    assert bounds_of(confidence_interval(table["score"], clusters=table["image"])) == bounds_of(
        found
    )
    (row,) = interval_table(table.assign(method="a"), IMAGES, by="method").itertuples()
    assert bounds_of(row) == bounds_of(found)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        difference = compare(methods, IMAGES, reference="zero", rng=0)[0].difference
    assert bounds_of(difference) == bounds_of(found)
    scaled = normalized_score(methods, IMAGES, method="a", floor="zero", ceiling="one")
    assert bounds_of(scaled) == pytest.approx(bounds_of(found), rel=1e-12)
    subgroups = compare_subgroups(group.query("method == 'a'"), IMAGES, group="group", rng=0)
    assert subgroups.means[True] == interval(table[table["image"] < 7], IMAGES)
    assert {scaled.interval, difference.interval, subgroups.difference.interval} == {"t"}


def test_crossed_models_have_the_same_t_interval():
    table = crossed_table(15, 4)
    both = Design(["image", "model"])
    methods = pd.concat([table.assign(method="a"), table.assign(method="zero", score=0.0)])
    found = interval(table, both)
    _, degrees = oracle.error_of_mean(cells_of(table, "image", "model"))  # by Satterthwaite
    assert found.degrees_of_freedom == pytest.approx(degrees)
    paired, apart = (
        compare(methods, both, reference="zero", independent=independent)[0].difference
        for independent in (None, "model")
    )
    assert bounds_of(paired) == bounds_of(found)
    assert paired.degrees_of_freedom == found.degrees_of_freedom
    assert bounds_of(apart)[0] == pytest.approx(found.estimate)
    assert {found.interval, paired.interval, apart.interval} == {"t"}


def test_summaries_have_the_intervals_of_the_table(evaluation, rows):
    summary = evaluation.summary()
    assert set(summary["interval"]) == {"t"}
    for row in rows.itertuples():
        cell = summary[(summary["method"] == row.method) & (summary["metric"] == row.metric)]
        assert cell[BOUNDS].iloc[0].tolist() == list(bounds_of(row))


def test_comparison_of_methods_has_the_interval_of_the_table(evaluation):
    table = evaluation.scores[evaluation.scores["method"].isin(["good", "noise"])]
    expected = compare(table, IMAGES, by="metric", reference="noise", rng=0)
    found = evaluation.compare("good", "noise", list(evaluation.options.metrics))
    theirs = {dict(row.group)["metric"]: row.difference for row in expected}
    for row in found:
        difference = theirs[dict(row.group)["metric"]]
        assert bounds_of(row.difference) == pytest.approx(bounds_of(difference), rel=1e-12)
        assert row.difference.interval == difference.interval == "t"


def printed(rows):
    """Return the estimates and bounds of rows, as tables print them."""
    return [f"{row.estimate:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in rows.itertuples()]


def without_tags(page):
    """Return the text of an HTML page."""
    return re.sub(r"<[^>]*>", "", page)


def test_tables_and_notebooks_print_the_same_digits(evaluation, rows):
    text = gazesal.reporting.summary_text(evaluation.summary())
    notebook = without_tags(evaluation._repr_html_())
    for cell in printed(rows):
        assert cell in text
        assert cell in notebook


def test_html_report_prints_the_same_digits(evaluation, rows, tmp_path):
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    path = gazesal.reporting.write_html_report(evaluation, tmp_path / "report.html")
    page = without_tags(path.read_text("utf-8"))
    for cell in printed(rows):
        assert cell in page


def test_command_line_writes_the_same_intervals(folder, tmp_path):
    words = ["evaluate", "--quiet", "--no-report", "--jobs", "1", "--sigma", "4px"]
    words += ["--fixations", folder / "fixations.csv", "--maps", folder / "maps"]
    words += ["--size", f"{WIDTH}x{HEIGHT}", "--resize", "bilinear", "--out", tmp_path / "out"]
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    rows = interval_table(scores, IMAGES, by=["method", "metric"])
    summary = pd.read_csv(tmp_path / "out" / "summary.csv").set_index(["method", "metric"])
    for row, cell in zip(rows.itertuples(), printed(rows), strict=True):
        found = summary.loc[row.method, row.metric]
        assert found[BOUNDS].tolist() == list(bounds_of(row))
        assert found["interval"] == "t"
        assert cell in (tmp_path / "out" / "summary.txt").read_text("utf-8")
