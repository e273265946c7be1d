"""Tables, pages and figures of evaluations with regions."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal import reporting
from gazesal.reporting.captions import describe
from gazesal.reporting.extremes import image_means
from gazesal.reporting.html.comparisons import families
from gazesal.reporting.html.tables import groups
from gazesal.reporting.summary_cells import cells_with_best
from tests.evaluation.test_region_scores import make_cases

pytestmark = pytest.mark.filterwarnings("ignore::gazesal.IntervalWarning")
METRICS = ("ncc", "pointing_game", "localization_auc")
PARTS = ("of 5 of 6 images (lesion 5, other 2)", "Gaze of all observers: their mean gaze map")


@pytest.fixture(scope="module")
def evaluation():
    return gazesal.evaluate(make_cases(6), sigma=2.0, metrics=METRICS)


def test_table_by_region_has_a_column_for_each_metric_and_region(evaluation):
    summary = evaluation.summary(by="region")
    headings = ["Pointing game (lesion)", "Localization AUC (lesion)"]
    headings += ["Pointing game (other)", "Localization AUC (other)"]
    found, rows = cells_with_best(summary)
    assert found == headings
    cells = dict(rows)
    label = cells["good"][headings.index("Localization AUC (lesion)")]
    table = summary.set_index(["region", "method", "metric"])["estimate"]
    assert label[0].estimate == f"{table['lesion', 'good', 'localization_auc']:.3f}"
    assert label[1]  # the best map
    assert not any(best for _, best in cells["Gaze of all observers"])
    for layout in ("text", "markdown", "latex", "html"):
        text = getattr(reporting, f"summary_{layout}")(summary)
        assert all(heading in text for heading in headings)


def test_rows_without_a_metric_are_blank(evaluation):
    lines = reporting.summary_markdown(evaluation.summary()).splitlines()
    of_one = next(line for line in lines if line.startswith("| One observer vs"))
    assert of_one.endswith("|  |  |")


def test_caption_counts_the_images_with_each_region(evaluation):
    words = describe(evaluation, evaluation.summary())
    assert all(part in words for part in PARTS)


def test_folder_has_a_summary_by_region(evaluation, tmp_path):
    written = reporting.write_report(evaluation, tmp_path)
    assert tmp_path / "summary_by_region.csv" in written
    assert "Pointing game (other)" in (tmp_path / "summary.txt").read_text("utf-8")
    alone = gazesal.evaluate(make_cases(3), sigma=2.0, metrics=["ncc"])
    files = [path.name for path in reporting.write_report(alone, tmp_path / "alone")]
    assert "summary_by_region.csv" not in files


def test_one_region_has_no_table_of_its_own(tmp_path):
    cases = [
        replace(case, regions={k: v for k, v in case.regions.items() if k == "lesion"})
        for case in make_cases(5)
    ]
    of_one = gazesal.evaluate(cases, sigma=2.0, metrics=METRICS)
    files = [path.name for path in reporting.write_report(of_one, tmp_path)]
    assert "summary_by_region.csv" not in files
    assert groups(of_one, "t", 0.95) == []


def test_page_compares_maps_with_the_gaze_in_the_regions(evaluation, tmp_path):
    found = {family.title: family for family in families(evaluation, evaluation.summary())}
    against = found["Against the gaze of all observers, in the regions"]
    pairs = {(row.method, row.reference, dict(row.group)["metric"]) for row in against.rows}
    of_regions = METRICS[1:]
    maps = ("center_bias", "good", "noise")
    assert pairs == {(name, "gaze", metric) for name in maps for metric in of_regions}
    assert against.size == len(pairs)
    assert found["Against one observer"].size == 3  # only of the metric of gaze
    path = reporting.write_html_report(evaluation, tmp_path / "page.html", metric="pointing_game")
    text = path.read_text("utf-8")
    for part in (*PARTS, "Green lines enclose the regions", "The gaze of all observers scores"):
        assert part in text


def test_outlines_of_regions_are_drawn(evaluation):
    without = replace(evaluation, options=replace(evaluation.options, metrics=("ncc",)))
    image = "i1"
    for draw in (
        lambda each: each.plot_maps(image),
        lambda each: gazesal.plots.plot_extremes(each, "good", "ncc", n=1),
    ):
        # each outline is two lines: a wide dark one and a bright one
        counts = [
            sum(len(ax.collections) for ax in draw(each).axes) for each in (evaluation, without)
        ]
        assert counts[0] > counts[1]


def test_maps_of_the_gaze_row_can_be_drawn(evaluation):
    figure = gazesal.plots.plot_extremes(evaluation, "gaze", "localization_auc", n=1)
    assert len(figure.axes) == 2


def test_union_is_left_out_of_image_means_if_each_region_is_scored():
    both = gazesal.evaluate(
        make_cases(3), sigma=2.0, metrics=["localization_auc"], region_rows="both"
    )
    each = both.scores[both.scores["region"] != "union"]
    found = image_means(both.scores, "good", "localization_auc")
    assert found.equals(image_means(each, "good", "localization_auc"))


def test_report_of_images_without_gaze(tmp_path):
    cases = [replace(case, gaze={}) for case in make_cases(4)]
    evaluation = gazesal.evaluate(cases, metrics=["localization_auc"], center_bias="none")
    words = describe(evaluation, evaluation.summary())
    assert words.startswith("3 images. Ground truth: their regions.")
    assert "observer" not in words
    assert list(evaluation.maps_of("i0")) == ["good", "noise"]
    assert np.array_equal(evaluation.maps_of("i0")["good"], cases[0].maps["good"])
    reporting.write_report(evaluation, tmp_path)
    text = reporting.write_html_report(evaluation, tmp_path / "page.html").read_text("utf-8")
    assert "Not shown" not in text
