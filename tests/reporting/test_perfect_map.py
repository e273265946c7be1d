"""The score of a perfect map in texts, tables, figures and pages."""

from dataclasses import replace

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation.case import CEILINGS
from gazesal.reporting.captions import describe
from gazesal.reporting.figure_style import BOUND
from gazesal.reporting.html.comparisons import families
from gazesal.reporting.html.tables import headlines
from gazesal.reporting.perfect_map import Bounds, bounds_note, bounds_of, bounds_words
from tests.evaluation.test_ceilings import evaluate, make_cases

METRICS = ("ncc", "auc_borji", "sim")


@pytest.fixture(scope="module")
def evaluation():
    """Return an evaluation with all ceilings."""
    return evaluate(make_cases(), metrics=METRICS)


@pytest.fixture(scope="module")
def summary(evaluation):
    """Return its summary."""
    return evaluation.summary()


def test_bounds_are_the_means_of_the_rows(summary):
    means = summary.set_index(["metric", "method"])["estimate"]
    auc = bounds_of(summary, "auc_borji")
    worst, best = (means["auc_borji", row] for row in CEILINGS[:2])
    assert auc == pytest.approx((worst, best, np.nan), nan_ok=True)
    assert bounds_of(summary, "sim").known == [means["sim", "rest_predicts_one"]]
    assert bounds_of(summary, "ncc").known == [means["ncc", "attainable"]]
    assert bounds_of(summary[summary["method"] == "mine"], "ncc").known == []


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(np.nan, np.nan, 0.9), "A perfect map is expected to score 0.900, of which mine"),
        (Bounds(0.7, 0.8, np.nan), "A perfect map would score between 0.700 and 0.800."),
        (Bounds(0.7, np.nan, np.nan), "A perfect map would score at least as well as 0.700."),
        (Bounds(np.nan, np.nan, np.nan), ""),
    ],
)
def test_a_sentence_states_the_bounds(bounds, words):
    found = bounds_words(bounds, "mine", share=0.724)
    assert found.startswith(words)
    assert ("reaches 72%" in found) == np.isfinite(bounds.expected)


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (0.68, "so that mine is 0.020 to 0.120 below it."),
        (0.75, "so that mine is at most 0.050 below it."),
        (0.81, "so that mine is above both bounds."),
    ],
)
def test_a_sentence_states_the_distance_from_the_bounds(mean, words):
    assert bounds_words(Bounds(0.7, 0.8, np.nan), "mine", mean).endswith(words)


def test_description_names_metrics_by_which_the_gaze_is_not_a_perfect_map():
    evaluation = evaluate(make_cases(), metrics=("ncc", "sncc", "residual_ncc"))
    text = describe(evaluation, evaluation.summary())
    assert "By sNCC and Residual NCC, this form shows only" in text
    assert "not known" not in text
    without = describe(evaluation, evaluation.summary().query("metric == 'ncc'"))
    assert "this form shows only" not in without


def test_description_explains_the_rows_and_states_the_shares(evaluation, summary):
    text = describe(evaluation, summary)
    for words in ("at worst: the map of", "at best: the map of", "expected: its score"):
        assert f"Perfect map, {words}" in text
    share = summary.set_index(["method", "metric"]).loc[("mine", "ncc"), "of_attainable"]
    assert f"mine {round(100 * share)}% [" in text
    assert "Perfect map" not in describe(evaluation, summary[~summary["method"].isin(CEILINGS)])


@pytest.mark.parametrize("layout", ["text", "markdown", "latex", "html"])
def test_tables_have_the_rows_and_blank_cells(summary, layout):
    text = getattr(gazesal.reporting, f"summary_{layout}")(summary)
    lines = {
        line.split("Perfect map, ")[1][:8]: line for line in text.splitlines() if "Perfect" in line
    }
    assert len(lines) == 3
    assert not any("nan" in line or r"\textbf" in line or "<b>" in line for line in lines.values())
    assert f"{bounds_of(summary, 'ncc').expected:.3f}" in lines["expected"]


def test_forest_plot_marks_the_bounds_and_has_no_rows_for_them(evaluation, summary):
    for figure in (gazesal.plots.plot_intervals(summary), evaluation.plot_maps()):
        parts = figure.subfigs[1] if figure.subfigs else figure
        ncc, auc, sim = parts.axes
        labels = [label.get_text() for label in ncc.get_yticklabels()]
        assert not any("Perfect" in label for label in labels)
        color = matplotlib.colors.to_rgba(BOUND)
        lines = [line.get_xdata()[0] for line in ncc.lines if line.get_color() == BOUND]
        assert lines == [bounds_of(summary, "ncc").expected]
        (area,) = [patch for patch in auc.patches if patch.get_facecolor()[:3] == color[:3]]
        ends = [area.get_x(), area.get_x() + area.get_width()]
        assert ends == pytest.approx(bounds_of(summary, "auc_borji")[:2])
        assert [line for line in sim.lines if line.get_color() == BOUND]
        assert "Shaded" in parts.get_supxlabel()
        figure.canvas.draw()


def test_notes_name_only_marks_that_are_drawn(summary):
    assert "at worst" in bounds_note(summary[summary["metric"] == "sim"])
    assert "expected" not in bounds_note(summary[summary["metric"] == "sim"])
    assert "Dashed" not in bounds_note(summary[summary["metric"] == "auc_borji"])
    assert not bounds_note(summary[summary["method"] == "mine"])


def test_distributions_have_no_rows_for_the_bounds(evaluation):
    figure = gazesal.plots.plot_distributions(evaluation.scores)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["One observer vs. the others", "Center bias", "mine", "noise"]


def test_bounds_have_no_map_to_draw(evaluation):
    with pytest.raises(ValueError, match="`method` must be a row with one map"):
        gazesal.plots.plot_extremes(evaluation, "attainable", "ncc")


def test_page_states_and_draws_the_bounds(evaluation, summary, tmp_path):
    pytest.importorskip("jinja2")
    path = gazesal.reporting.write_html_report(evaluation, tmp_path / "r.html", n_extremes=0)
    text = path.read_text("utf-8")
    worst, best, _ = bounds_of(summary, "auc_borji")
    assert f"A perfect map would score between {worst:.3f} and {best:.3f}, so that mine is" in text
    assert text.count('<rect class="bounds"') == 2 * 4  # two charts of four rows
    assert text.count('<line class="bound"') == 2 * 2 * 4
    comparisons = text[text.index('id="comparisons"') :]
    assert "Perfect map" not in comparisons[: comparisons.index("</section>")]
    assert not pd.isna(summary["of_attainable"]).all()


def test_headlines_do_not_subtract_means_over_different_images(evaluation, summary):
    assert "so that mine is" in headlines(summary, families(evaluation, summary))[1]
    *several, third, fourth = make_cases()
    alone = [replace(case, gaze={"ann": case.gaze["ann"]}) for case in (third, fourth)]
    mixed = evaluate([*several, *alone], metrics=METRICS[1:2], ground_truth="all")
    (line,) = headlines(mixed.summary(), families(mixed, mixed.summary()))
    assert "A perfect map would score between" in line
    assert "so that" not in line


def test_description_names_metrics_without_a_known_perfect_map():
    evaluation = evaluate(make_cases(), metrics=("ncc", "spearman", "auc_judd"))
    words = "The score of a perfect map is not known for Spearman and AUC-Judd."
    assert words in describe(evaluation, evaluation.summary())
