"""Layouts of a summary, and figures of intervals and differences."""

import sys
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.reporting.labels import INTERVAL_LABELS
from gazesal.stats import Design
from gazesal.stats.interval_methods import INTERVALS
from tests.stats.frames import two_methods

SUMMARY = pd.DataFrame(
    {
        "method": ["interobserver", "interobserver", "a&b_1", "a&b_1", "<c>", "<c>"],
        "metric": ["ncc", "my_metric"] * 3,
        "estimate": [0.9, 0.9, 0.2, -0.1, 0.1, -0.05],
        "low": [0.8, 0.8, 0.1, -0.2, 0.0, -0.1],
        "high": [1.0, 1.0, 0.3, 0.0, 0.2, 0.0],
    }
)

OWN = {"higher_is_better": {"my_metric": True}}


def test_latex_shows_the_best_in_bold_and_escapes_names():
    assert gazesal.reporting.summary_latex(SUMMARY, digits=1, **OWN).splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r" & NCC & my\_metric \\",
        r"\midrule",
        r"One observer vs. the others & 0.9 [0.8, 1.0] & 0.9 [0.8, 1.0] \\",
        r"a\&b\_1 & \textbf{0.2} [0.1, 0.3] & $-$0.1 [$-$0.2, 0.0] \\",
        r"\textless{}c\textgreater{} & 0.1 [0.0, 0.2] & \textbf{$-$0.1} [$-$0.1, 0.0] \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_html_is_well_formed_and_shows_the_best_in_bold():
    tree = ET.fromstring(gazesal.reporting.summary_html(SUMMARY, **OWN))  # noqa: S314
    assert [cell.text for cell in tree.iter("th")][1:] == [
        "NCC", "my_metric", "One observer vs. the others", "a&b_1", "<c>",
    ]  # fmt: skip
    assert [bold.text for bold in tree.iter("b")] == ["0.200", "-0.050"]
    assert [len(row.findall("td")) for row in tree.iter("tr")] == [0, 2, 2, 2]
    assert len(list(tree.iter("td"))) == 6


def test_observers_are_never_the_best():
    bold = gazesal.reporting.summary_latex(SUMMARY, observers=(), **OWN).count(r"\textbf")
    assert bold == 2
    assert r"\textbf{0.900}" in gazesal.reporting.summary_latex(SUMMARY, observers=())
    names = ("interobserver", "a&b_1", "<c>")
    assert r"\textbf" not in gazesal.reporting.summary_latex(SUMMARY, observers=names)


def test_all_tied_methods_are_bold_and_undefined_cells_are_not():
    tied = SUMMARY.assign(estimate=[1, 1, 0.3, np.nan, 0.1 + 0.2, np.nan])
    assert gazesal.reporting.summary_latex(tied, **OWN).count(r"\textbf") == 2


def test_missing_cells_are_empty():
    text = gazesal.reporting.summary_latex(SUMMARY.iloc[:-1])
    assert text.splitlines()[6].endswith(r"[0.000, 0.200] &  \\")
    assert "<td></td>" in gazesal.reporting.summary_html(SUMMARY.iloc[:-1])


LAYOUTS = [
    gazesal.reporting.summary_text,
    gazesal.reporting.summary_markdown,
    gazesal.reporting.summary_latex,
    gazesal.reporting.summary_html,
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_leave_missing_cells_blank_and_zero_unsigned(layout):
    text = layout(SUMMARY.iloc[:-1].assign(low=-0.0001))
    assert "nan" not in text
    assert "-0.000" not in text.replace("$-$", "-")
    assert "0.100 [0.000, 0.200]" in text.replace("<b>", "").replace("</b>", "")


@pytest.mark.parametrize("layout", [*LAYOUTS, gazesal.plots.plot_intervals])
def test_layouts_refuse_invalid_summaries(layout):
    with pytest.raises(ValueError, match="`summary` must have one row per method"):
        layout(pd.concat([SUMMARY, SUMMARY.iloc[[4]]]))
    with pytest.raises(ValueError, match="`summary` must have each of the columns"):
        layout(SUMMARY.drop(columns=["high", "low"]))
    with pytest.raises(TypeError, match="`summary` must be a pandas DataFrame, got NoneType"):
        layout(None)


def test_blank_cells_keep_the_columns_aligned():
    lines = gazesal.reporting.summary_text(SUMMARY.drop(index=2)).splitlines()
    assert lines[3].index("-0.100") == lines[0].index("my_metric")
    lines = gazesal.reporting.summary_markdown(SUMMARY.drop(index=2)).splitlines()
    assert lines[3] == "| a&b_1 |  | -0.100 [-0.200, 0.000] |"


@pytest.mark.parametrize(
    "layout", [gazesal.reporting.summary_latex, gazesal.reporting.summary_html]
)
def test_observers_take_a_single_name(layout):
    named = SUMMARY.replace("interobserver", "e")  # a name that is a letter of the other name
    assert layout(named, observers="e") == layout(named, observers=("e",))
    assert layout(SUMMARY, observers="interobserver") == layout(SUMMARY)
    best = r"\textbf{0.900}" if layout is gazesal.reporting.summary_latex else "<b>0.900</b>"
    assert best in layout(named, observers="interobserver")
    assert best not in layout(named, observers="e")
    with pytest.raises(TypeError, match="`observers` must be"):
        layout(SUMMARY, observers=None)


@pytest.mark.parametrize("floor", ["segmentation", "center_bias", "center_bias_in_sample"])
def test_floors_are_bold_only_if_requested(floor):
    named = SUMMARY.replace("a&b_1", floor)
    assert r"\textbf{0.200}" not in gazesal.reporting.summary_latex(named)
    assert r"\textbf{0.100}" in gazesal.reporting.summary_latex(named)
    assert r"\textbf{0.200}" in gazesal.reporting.summary_latex(named, floors=())


def test_digits_must_be_a_non_negative_integer():
    assert "1 [1, 1]" in gazesal.reporting.summary_html(SUMMARY, digits=0)
    with pytest.raises(ValueError, match="`digits` must be at least 0, got -1"):
        gazesal.reporting.summary_latex(SUMMARY, digits=-1)
    with pytest.raises(TypeError, match="`digits` must be an integer"):
        gazesal.reporting.summary_html(SUMMARY, digits=2.0)


def bold_of(metric, **options):
    """Return the names in bold in both layouts, of two methods with a low and a high score."""
    rows = {"method": ["low", "high"], "metric": metric, "estimate": [0.4, 1.9]}
    summary = pd.DataFrame(rows | {"low": [0.3, 1.8], "high": [0.5, 2.0]})
    lines = gazesal.reporting.summary_latex(summary, **options).splitlines()
    bold = {line.partition(" ")[0] for line in lines if r"\textbf" in line}
    tree = ET.fromstring(gazesal.reporting.summary_html(summary, **options))  # noqa: S314
    assert {row.find("th").text for row in tree.iter("tr") if row.find("td/b") is not None} == bold
    return bold


@pytest.mark.parametrize("metric", ["kl_divergence", "KL", "emd", "EMD", "mit_kl", "pysaliency_kl"])
def test_lowest_score_is_bold_if_lower_is_better(metric):
    assert bold_of(metric) == {"low"}


@pytest.mark.parametrize("metric", ["ncc", "AUC", "mit_ig", "mit_auc_borji", "pysaliency_auc_judd"])
def test_highest_score_is_bold_if_higher_is_better(metric):
    assert bold_of(metric) == {"high"}


def test_no_score_is_bold_if_the_direction_is_unknown():
    assert bold_of("my_metric") == set()
    assert bold_of("my_metric", higher_is_better={"my_metric": False}) == {"low"}
    assert bold_of("my_metric", higher_is_better={"my_metric": True}) == {"high"}
    with pytest.raises(TypeError, match="`higher_is_better` must be a dictionary"):
        gazesal.reporting.summary_latex(SUMMARY, higher_is_better={"my_metric": "yes"})


def test_close_but_different_scores_do_not_tie():
    near = SUMMARY[SUMMARY["metric"] == "ncc"].assign(estimate=[0.9, 0.7000, 0.7005])
    assert gazesal.reporting.summary_latex(near).count(r"\textbf") == 1
    assert gazesal.reporting.summary_html(near).count("<b>") == 1


@pytest.mark.parametrize("name", ["[2cm] mine", "*starred", "  [x", "[", "*"])
def test_latex_does_not_read_a_row_as_an_argument_of_the_row_above(name):
    text = gazesal.reporting.summary_latex(
        SUMMARY.replace("a&b_1", name).replace("<c>", f"{name}2")
    )
    starts = [line.lstrip()[:1] for line in text.splitlines()]
    assert not set(starts) & {"[", "*"}
    assert text.count(f"{name} &") == text.count(f"{name}2 &") == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_control_characters_and_line_breaks_of_names_are_escaped(layout):
    text = layout(SUMMARY.replace({"a&b_1": "a\x1b[31m\nb", "my_metric": "m\x07\u202e"}))
    assert text.isprintable() is False  # because of the line breaks of the layout
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert len(text.splitlines()) == len(layout(SUMMARY).splitlines())


@pytest.mark.parametrize(("kind", "words"), INTERVAL_LABELS.items())
def test_latex_html_and_plots_name_every_kind_of_interval(kind, words):
    summary = SUMMARY.assign(interval=kind, confidence_level=0.9)
    latex = gazesal.reporting.summary_latex(summary)
    assert rf"\multicolumn{{3}}{{l}}{{\footnotesize 90\% intervals: {words}}} \\" in latex
    tree = ET.fromstring(gazesal.reporting.summary_html(summary))  # noqa: S314
    assert next(tree.iter("tfoot"))[0][0].text == f"90% intervals: {words}"
    assert gazesal.plots.plot_intervals(summary).get_supxlabel() == f"90% intervals: {words}"


def test_every_kind_of_interval_has_a_label():
    assert set(INTERVALS) <= set(INTERVAL_LABELS)


def test_markdown_and_text_show_unregistered_metrics():
    assert "my_metric" in gazesal.reporting.summary_text(SUMMARY)
    assert "my_metric" in gazesal.reporting.summary_markdown(SUMMARY)


def test_forest_plot_has_a_panel_per_metric_and_a_bar_per_method():
    figure = gazesal.plots.plot_intervals(SUMMARY, note="made up")
    assert [ax.get_title() for ax in figure.axes] == ["NCC (noise 0)", "my_metric"]
    assert figure.get_suptitle() == "made up"
    for ax in figure.axes:
        assert len(ax.containers) == 3
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["One observer vs. the others", "a&b_1", "<c>"]
    drawn = [bar.lines[0].get_xdata()[0] for bar in figure.axes[0].containers]
    assert drawn == [0.9, 0.2, 0.1]


def test_difference_plot_shades_margins_and_fills_significant_points():
    table = pd.concat(
        [two_methods(9, shift=s).assign(metric=m) for m, s in (("ncc", 0.3), ("x", 0))]
    )
    found = gazesal.stats.compare(table, Design("image"), by="metric", margin=0.05)
    figure = gazesal.plots.plot_differences(found, note="made up")
    assert [ax.get_title() for ax in figure.axes] == ["Difference, NCC", "Difference, x"]
    for ax, row in zip(figure.axes, found, strict=True):
        (bar,) = ax.containers
        assert bar.lines[0].get_xdata()[0] == row.difference.estimate
        assert (bar.lines[0].get_markerfacecolor() == "white") == (row.p_adjusted >= 0.05)
        assert len(ax.patches) == 1
    with pytest.raises(ValueError, match="`comparisons` must hold at least one"):
        gazesal.plots.plot_differences([])


@pytest.mark.parametrize(
    "design",
    [Design("image", averaged="model"), Design("image", averaged="model", weights="w")],
    ids=repr,
)
def test_plot_pairs_shows_means_of_images(design):
    table = two_methods(7, model=3).assign(w=2.0)
    figure = gazesal.plots.plot_pairs(table, design, method="b", reference="a", note="made up")
    points = figure.axes[0].lines[1]
    means = table.groupby(["method", "image"])["score"].mean()
    np.testing.assert_allclose(points.get_xdata(), means["a"])
    np.testing.assert_allclose(points.get_ydata(), means["b"])
    higher = int((means["b"] > means["a"]).sum())
    assert figure.axes[0].get_title() == f"higher on {higher} of 7, lower on {7 - higher}"


def test_plot_pairs_refuses_unknown_names_and_disjoint_units():
    table = two_methods(4)
    options = {"method": "b", "reference": "a"}
    with pytest.raises(ValueError, match="`reference` must be a value"):
        gazesal.plots.plot_pairs(table, Design(), method="b", reference="x")
    with pytest.raises(ValueError, match="the column x"):
        gazesal.plots.plot_pairs(table, Design(), **options, contrast="x")
    table.loc[table["method"] == "a", "image"] += 10
    with pytest.raises(ValueError, match="share a unit"):
        gazesal.plots.plot_pairs(table, Design(missing="drop"), **options)


def test_plot_pairs_refuses_or_drops_unpaired_scores():
    table = two_methods(6, model=2)
    options = {"method": "b", "reference": "a"}
    lone = table[~((table["method"] == "a") & (table["image"] == 0))]
    averaged = {"averaged": "model"}
    with pytest.raises(ValueError, match=r"Each score of b must have a partner of a, got 2"):
        gazesal.plots.plot_pairs(lone, Design(**averaged), **options)
    figure = gazesal.plots.plot_pairs(lone, Design(**averaged, missing="drop"), **options)
    assert figure.axes[0].lines[1].get_xdata().size == 5
    with pytest.raises(ValueError, match="`method` and `reference` must differ, got 'a' twice"):
        gazesal.plots.plot_pairs(table, Design(**averaged), method="a", reference="a")
    apart = table.assign(model=table["method"] + table["model"].astype(str))
    figure = gazesal.plots.plot_pairs(apart, Design(**averaged), **options, independent="model")
    means = table.groupby(["method", "image"])["score"].mean()
    np.testing.assert_allclose(figure.axes[0].lines[1].get_xdata(), means["a"])


def test_difference_plot_explains_its_marks():
    options = {"design": Design(), "confidence_level": 0.9}
    figure = gazesal.plots.plot_differences(gazesal.stats.compare(two_methods(6), **options))
    text = figure.get_supxlabel()
    text = " ".join(text.split())
    assert "Bars: 90% intervals (Student's t), each for its row alone. Filled" in text
    assert "adjusted p below 10%. Hollow points: not below, even if the bar excludes 0." in text
    assert "margin" not in text
    figure = gazesal.plots.plot_differences(
        gazesal.stats.compare(two_methods(6), Design(), margin=0.1)
    )
    text = figure.get_supxlabel().replace("\n", " ")
    assert "Bars: 95% intervals (Student's t), each for its row alone. Filled" in text
    assert "Shaded: the margin of equivalence, judged by the 90% interval (not drawn)." in text


@pytest.mark.parametrize("wrong", [None, 3, [1]])
def test_difference_plot_refuses_other_objects(wrong):
    with pytest.raises(TypeError, match="`comparisons` must"):
        gazesal.plots.plot_differences(wrong)


def test_figures_without_matplotlib_name_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"gazesal\[plot\]"):
        gazesal.plots.plot_intervals(SUMMARY)


def test_figures_can_be_saved(tmp_path):
    figure = gazesal.plots.plot_pairs(two_methods(5), Design(), method="b", reference="a")
    figure.savefig(tmp_path / "pairs.pdf")
    assert (tmp_path / "pairs.pdf").stat().st_size > 1000
