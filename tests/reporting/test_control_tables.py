"""Controls in the files of a report, on the HTML page and on the command line."""

import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from gazesal.reporting.control_tables import control_rows, control_text
from gazesal.reporting.html.comparisons import maps_of
from gazesal.reporting.labels import method_label
from tests.evaluation.test_controls import evaluate, make_cases

CONTROLS = ["other_gaze", "mean_map", "inverse"]


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(make_cases(), ["ncc", "sncc", "kl_divergence"], CONTROLS)


def test_rows_have_the_numbers_of_the_summary(evaluation):
    rows, words = control_rows(evaluation)
    summary = evaluation.control_summary()
    assert len(rows) == len(summary) == 9
    first = summary.iloc[0]
    assert rows[0].label == "One observer vs. the others"
    assert rows[0].own == f"{first['own']:.3f}"
    assert rows[0].difference == f"{first['difference']:+.3f}"
    assert rows[2].metric == "KL (lower is better)"
    assert "sign flips" in words
    assert "6 units" in words  # the caveat of few images
    assert control_text(evaluation).count("\n") > 10


def test_words_explain_the_difference_of_a_center_bias_of_the_other_images(evaluation):
    assert "without the own, and fits them better" in control_rows(evaluation)[1]
    given = gazesal.GaussianCenterBias.clarke_tatler()
    of_given = evaluate(make_cases(), ["ncc"], "other_gaze", center_bias=given)
    assert "without the own" not in control_rows(of_given)[1]


def test_without_the_control_there_is_no_table():
    plain = evaluate(make_cases(), controls=())
    assert control_rows(plain) == ([], "")
    assert control_text(plain) == ""


def test_controls_are_not_maps_under_test(evaluation):
    assert maps_of(evaluation.methods) == ["noise"]
    assert method_label("noise_mean_map") == "noise (mean map)"
    assert method_label("inverse_center_bias") == "Inverse of the center bias"


def test_page_and_folder_hold_the_controls(evaluation, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    written = gazesal.reporting.write_report(evaluation, tmp_path / "out")
    names = [path.name for path in written]
    assert {"controls.csv", "controls.txt"} <= set(names)
    table = pd.read_csv(tmp_path / "out" / "controls.csv")
    np.testing.assert_allclose(table["difference"], evaluation.controls["difference"], rtol=1e-12)
    page = gazesal.reporting.write_html_report(evaluation, tmp_path / "page.html", n_extremes=0)
    text = page.read_text("utf-8")
    section = re.search(r'<section id="controls">.*?</section>', text, re.DOTALL).group()
    assert section.count("<tr>") == 1 + 9
    assert "Is it this image?" in section
    plain = evaluate(make_cases(), controls=())
    page = gazesal.reporting.write_html_report(plain, tmp_path / "page.html", n_extremes=0)
    assert "Is it this image?" not in page.read_text("utf-8")


def test_command_line_writes_the_controls(tmp_path, monkeypatch):
    monkeypatch.setattr("gazesal.cli.output.stage_figure", lambda *_, **__: None)  # slow
    rng = np.random.default_rng(0)
    rows = [(f"i{k}", o, *rng.uniform(1, 10, 2), 1.0) for k in range(3) for o in "uv" for _ in "ab"]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    table.to_csv(tmp_path / "fixations.csv", index=False)
    (tmp_path / "maps" / "mine").mkdir(parents=True)
    for k in range(3):
        np.save(tmp_path / "maps" / "mine" / f"i{k}.npy", rng.random((12, 12)))
    words = [
        "evaluate", "--fixations", str(tmp_path / "fixations.csv"),
        "--maps", str(tmp_path / "maps"), "--size", "12x12", "--sigma", "2",
        "--metric", "sim", "--controls", "other_gaze",
        "--control-images", "2", "--out", str(tmp_path / "out"), "--no-report", "--quiet",
    ]  # fmt: skip
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "Other images" in result.output
    assert (tmp_path / "out" / "controls.csv").is_file()
    at = words.index("--controls")
    plain = CliRunner().invoke(main, [*words[:at], *words[at + 4 :]])
    assert plain.exit_code == 0, plain.output
    assert not (tmp_path / "out" / "controls.csv").exists()  # of the earlier run
