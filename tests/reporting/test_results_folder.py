"""Files, captions and the figure of an evaluation."""

import csv
import dataclasses
import errno
import json
import os
import sys

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal._text import csv_text, from_csv_cell
from gazesal.reporting.captions import describe
from gazesal.reporting.figures import plot_evaluation, save_figure
from gazesal.reporting.labels import INTERVAL_LABELS, summary_note
from gazesal.reporting.pictures import find_picture
from gazesal.reporting.results_folder import write_report
from gazesal.reporting.summary_tables import summary_markdown, summary_text
from gazesal.stats.interval_methods import INTERVALS

SUMMARY = pd.DataFrame(
    {
        "method": ["interobserver", "interobserver", "a|b", "a|b"],
        "metric": ["ncc", "sauc", "ncc", "sauc"],
        "estimate": [0.6321, 0.79, -0.1, np.nan],
        "low": [0.6061, 0.782, -0.2, np.nan],
        "high": [0.6581, 0.799, 0.0, np.nan],
    }
)


@pytest.fixture(scope="module")
def evaluation():
    """Evaluate a few images, one method with constant maps."""
    rng = np.random.default_rng(0)
    fixations = pd.DataFrame(
        {
            "image": np.repeat(["a", "b", "c"], 12),
            "observer": np.tile(["ann", "bob"], 18),
            "x": rng.uniform(0, 31, 36),
            "y": rng.uniform(0, 23, 36),
            "duration": 1.0,
        }
    )
    maps = {
        "noise": {image: rng.random((24, 32)) for image in "abc"},
        "flat": {image: np.zeros((24, 32)) for image in "abc"},
    }
    return gazesal.evaluate(gazesal.cases_from_tables(fixations, maps, (24, 32)), sigma=3.0)


def test_summary_text_is_aligned():
    assert summary_text(SUMMARY).splitlines() == [
        "                             NCC                     sAUC",
        "---------------------------  ----------------------  --------------------",
        "One observer vs. the others  0.632 [0.606, 0.658]    0.790 [0.782, 0.799]",
        "a|b                          -0.100 [-0.200, 0.000]  nan [nan, nan]",
    ]


def test_summary_markdown_escapes_bars():
    assert summary_markdown(SUMMARY).splitlines() == [
        "|  | NCC | sAUC |",
        "| --- | ---: | ---: |",
        "| One observer vs. the others | 0.632 [0.606, 0.658] | 0.790 [0.782, 0.799] |",
        "| a\\|b | -0.100 [-0.200, 0.000] | nan [nan, nan] |",
    ]


def read_exactly(path, numbers):
    """Read a CSV table with its numbers converted by Python, to the nearest double."""
    table = pd.read_csv(path, dtype=str)
    for column in numbers:
        table[column] = [float(value) for value in table[column]]
    return table


def test_csv_keeps_every_digit(tmp_path):
    (tmp_path / "a.csv").write_text(csv_text(SUMMARY))
    back = read_exactly(tmp_path / "a.csv", ["estimate", "low", "high"])
    pd.testing.assert_frame_equal(back, SUMMARY, check_exact=True)


def test_report_writes_all_files_reproducibly(evaluation, tmp_path):
    names = {
        "scores.csv",
        "summary.txt",
        "summary.md",
        "summary.csv",
        "settings.json",
        "figure.png",
    }
    written = write_report(evaluation, tmp_path / "one", settings={"origin": "center"})
    assert {path.name for path in written} == names
    write_report(evaluation, tmp_path / "two", settings={"origin": "center"})
    for name in names:
        first = (tmp_path / "one" / name).read_bytes()
        assert first
        assert first == (tmp_path / "two" / name).read_bytes()
    settings = json.loads((tmp_path / "one" / "settings.json").read_text())
    assert settings["origin"] == "center"
    assert settings["seed"] == 0
    scores = read_exactly(tmp_path / "one" / "scores.csv", ["score"])
    pd.testing.assert_frame_equal(scores, evaluation.scores, check_exact=True)


def test_report_without_matplotlib_has_no_figure(evaluation, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (tmp_path / "figure.png").write_text("of an earlier run")
    written = write_report(evaluation, tmp_path)
    assert not (tmp_path / "figure.png").exists()
    assert "figure.png" not in {path.name for path in written}
    assert len(written) == 5


def test_figure_without_matplotlib_names_the_extra_to_install(evaluation, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"gazesal\[plot\]"):
        plot_evaluation(evaluation, evaluation.summary())


def test_description_states_counts_chance_levels_and_undefined_scores(evaluation):
    text = describe(evaluation, evaluation.summary(interval="bootstrap"))
    assert "3 images, 2 observers each" in text
    assert "95% interval (percentile bootstrap, seed 0; the image is the unit)" in text
    assert "AUCs are exact" in text
    assert "Chance: sAUC 0.5 for any map that is the same for all images; NCC 0, AUC 0.5," in text
    assert "sNCC 0, Residual NCC 0 for a map of noise." in text
    assert "flat: 6 of 6 NCC scores are undefined (a constant map) and left out." in text
    assert "The AUC of a constant map is 0.5 and is included in the mean." in text
    assert "flat: 6 of 6 sNCC scores" in text
    assert "sAUC scores" not in text
    assert "(interval=" not in describe(evaluation, evaluation.summary())
    normal = describe(evaluation, evaluation.summary(interval="normal", confidence_level=0.9))
    assert "90% interval (normal; the image is the unit)" in normal


def test_figure_shows_all_maps_and_intervals(evaluation, tmp_path):
    summary = evaluation.summary()
    picture = np.zeros((24, 32, 3), np.uint8)
    figure = plot_evaluation(evaluation, summary, image="b", picture=picture)
    maps, forest = figure.subfigs
    noted = plot_evaluation(evaluation, summary, note="made up: $1$")
    assert noted.get_suptitle() == "made up: $1$"
    titles = [ax.get_title() for ax in maps.axes if ax.images]
    assert titles == [
        "Image b",
        "a) Gaze of one observer",
        "b) Mean of the others",
        "c) Center bias",
        "d) flat",
        "e) noise",
    ]
    assert [title[3:] for title in titles[4:]] == evaluation.methods[2:]
    assert [ax.get_title() for ax in forest.axes] == [
        "NCC (noise 0)",
        "AUC (noise 0.5)",
        "sNCC (noise 0)",
        "sAUC (chance 0.5)",
        "Residual NCC\n(noise 0)",
    ]
    points = forest.axes[3].containers
    drawn = {round(float(p.lines[0].get_xdata()[0]), 9) for p in points}
    expected = summary[summary["metric"] == "sauc"]["estimate"]
    assert drawn == {round(value, 9) for value in expected}
    save_figure(figure, tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_pictures_are_found_by_name_inside_the_folder(tmp_path):
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(find_picture(tmp_path, "a"), values)
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="there is no picture of image"):
        find_picture(tmp_path / "inside", "../a")
    (tmp_path / "b.png").write_bytes(b"not a png")
    with pytest.raises(ValueError, match=r"b\.png: cannot be read as a picture"):
        find_picture(tmp_path, "b")
    np.save(tmp_path / "c.npy", values.ravel())
    with pytest.raises(ValueError, match=r"c\.npy: a picture must be"):
        find_picture(tmp_path, "c")


@pytest.mark.filterwarnings("ignore")  # three images are few for most kinds
@pytest.mark.parametrize("kind", INTERVALS)
def test_reports_name_the_kind_of_interval(evaluation, tmp_path, kind):
    summary = evaluation.summary(interval=kind, n_resamples=200)
    write_report(evaluation, tmp_path, summary=summary)
    page = gazesal.reporting.write_html_report(evaluation, tmp_path / "r.html", summary=summary)
    for path in (tmp_path / "summary.txt", tmp_path / "summary.md", page):
        text = path.read_text(encoding="utf-8").replace("&#39;", "'")
        assert f"95% interval ({INTERVAL_LABELS[kind]}" in text


def test_confidence_level_of_half_a_percent_is_not_rounded(evaluation):
    summary = evaluation.summary(interval="t", confidence_level=0.995)
    assert "99.5% interval (Student's t;" in describe(evaluation, summary)


def test_unknown_kind_of_interval_keeps_its_name():
    summary = SUMMARY.assign(interval="sandwich", confidence_level=0.9)
    assert summary_note(summary) == "90% intervals: sandwich"
    assert summary_note(SUMMARY) == ""


def test_description_does_not_call_the_observers_an_upper_bound(evaluation):
    text = describe(evaluation, evaluation.summary())
    assert "One observer vs. the others: the map of one observer against the mean of the" in text
    assert "a map that is not noisy can score above it" in text
    assert not [each for each in ("ceiling", "upper bound", "human level") if each in text]


def test_description_states_the_sncc_of_the_inverse_center_bias(evaluation):
    summary = evaluation.summary()
    own = summary[(summary["method"] == "center_bias") & (summary["metric"] == "sncc")]
    inverse = -own["estimate"].iloc[0]
    assert inverse > 0
    assert f"Its inverse uses no image and scores {inverse:.3f}," in describe(evaluation, summary)
    maps = {
        case.image: -np.asarray(evaluation.maps_of(case.image)["center_bias"])
        for case in evaluation.cases
    }
    cases = [
        dataclasses.replace(case, maps={"inverse": maps[case.image]}) for case in evaluation.cases
    ]
    scored = gazesal.evaluate(cases, sigma=3.0, metrics=["sncc"]).summary()
    found = scored.set_index("method")["estimate"]["inverse"]
    assert found == pytest.approx(inverse, abs=1e-12)


def test_no_file_is_written_if_one_cannot_be_written(evaluation, tmp_path, monkeypatch):
    write_report(evaluation, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match=r"nothing was replaced.*figure\.png"):
        write_report(evaluation, tmp_path, note="another")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


EVIL = "=SUM(1)\x1b[31m\n| <b>*[x](y) $\\frac{$"


def test_hostile_names_are_escaped_in_all_files(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"{EVIL}{i}" for i in range(3)]
    cases = [  # made directly because readers of tables refuse such names
        gazesal.Case(
            image=image,
            shape=(24, 32),
            gaze={
                observer: gazesal.Gaze(
                    points=rng.uniform(0, [31, 23], (6, 2)), durations=np.ones(6)
                )
                for observer in ("@ann", "-bob")
            },
            maps={EVIL: rng.random((24, 32))},
            groups={"=site": "@home"},
        )
        for image in names
    ]
    evaluation = gazesal.evaluate(cases, sigma=3.0, metrics=["ncc"])
    picture = np.zeros((24, 32))
    write_report(evaluation, tmp_path, picture=picture, note=EVIL)
    gazesal.reporting.write_html_report(evaluation, tmp_path / "r.html", note=EVIL)
    gazesal.plots.plot_extremes(evaluation, EVIL, "ncc", n=1).savefig(tmp_path / "extremes.svg")
    gazesal.plots.plot_distributions(evaluation.scores).savefig(tmp_path / "distributions.svg")
    for path in tmp_path.iterdir():
        assert path.suffix == ".png" or "\x1b" not in path.read_text(encoding="utf-8")
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header[-1] == "'=site"
    assert all(cell[0] not in "=@-+" or cell[1:2].isdigit() for row in rows for cell in row)
    assert {from_csv_cell(row[0]) for row in rows} == set(names)
    assert {from_csv_cell(row[1]) for row in rows} == {"@ann", "-bob"}
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert r"\=SUM(1)\\x1b\[31m\\x0a\| &lt;b\>\*\[x\](y) \$\\frac{\$" in text
    assert all(line.count(" | ") == 1 for line in text.splitlines()[:4] if "SUM" in line)


def test_report_takes_rows_of_a_summary_and_refuses_other_tables(evaluation, tmp_path):
    summary = evaluation.summary(interval="t")
    some = summary[(summary["metric"] == "sauc") & (summary["method"] != "center_bias")]
    write_report(evaluation, tmp_path, summary=some)
    page = gazesal.reporting.write_html_report(evaluation, tmp_path / "r.html", summary=some)
    assert "NCC: mean" not in page.read_text(encoding="utf-8")
    other = {
        "columns": summary.drop(columns=["interval", "n_undefined"]),
        "method": summary.replace({"method": {"noise": "another"}}),
        "metric": summary.replace({"metric": {"sauc": "nss"}}),
        "rows": summary.iloc[:0],
    }
    for strange in other.values():
        with pytest.raises(ValueError, match="`summary` must be the table that"):
            write_report(evaluation, tmp_path, summary=strange)
        with pytest.raises(ValueError, match="`summary` must be the table that"):
            gazesal.reporting.write_html_report(evaluation, tmp_path / "r.html", summary=strange)
        with pytest.raises(ValueError, match="`summary` must be the table that"):
            plot_evaluation(evaluation, strange)
