"""Tests of `gazesal audit`: its exit status, its page and its files."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gazesal.cli import main
from gazesal.cli.audit import SCORING, audit
from gazesal.cli.examples import AUDIT_EXAMPLES
from gazesal.cli.source_options import require_one_source
from tests.auditing.studies import places_and_maps
from tests.cli.test_help import parsed


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a table of fixations and maps."""
    monkeypatch.chdir(tmp_path)
    points, maps = places_and_maps()
    (tmp_path / "maps" / "mine").mkdir(parents=True)
    rows = []
    rng = np.random.default_rng(0)
    for name, own in points.items():
        np.save(tmp_path / "maps" / "mine" / f"{name}.npy", maps[name])
        rows += [(name, "ann", x, y, rng.gamma(4, 60)) for x, y in own]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    table.to_csv(tmp_path / "fixations.csv", index=False)
    return tmp_path


def run(*words):
    """Run the command on the files of the folder."""
    common = ["--fixations", "fixations.csv", "--maps", "maps", "--size", "80x60"]
    return CliRunner().invoke(main, ["audit", *common, "--jobs", "1", "--quiet", *words])


def test_clean_data_exit_with_zero_and_write_no_files(folder):
    before = sorted(folder.rglob("*"))
    result = run("--duration-unit", "ms")
    assert result.exit_code == 0, result.output
    assert "fits the maps better as given" in result.output
    assert sorted(folder.rglob("*")) == before


def test_fault_exits_with_one_and_is_written(folder):
    table = pd.read_csv("fixations.csv")
    table.assign(x=79 - table["x"]).to_csv("fixations.csv", index=False)
    result = run("--out", "audited")
    assert result.exit_code == 1
    assert "mirrored" in result.output
    findings = pd.read_csv("audited/findings.csv")
    assert list(findings["check"]) == ["mirrored"]
    assert set(pd.read_csv("audited/fits.csv")["subject"]) == {"mine"}
    assert (folder / "audited" / "audit.txt").read_text("utf-8") in result.output


def test_gaze_that_evaluate_refuses_is_reported(folder):
    table = pd.read_csv("fixations.csv")
    table.assign(x=table["x"] - 40, y=table["y"] - 30).to_csv("fixations.csv", index=False)
    result = run()
    assert result.exit_code == 1
    assert "outside their image" in result.output
    assert "origin at the center" in result.output


@pytest.mark.parametrize(
    "words",
    [["--fixations", "none.csv"], ["--size", "0x3"], ["--sigma", "24px"], ["--phases", "1"]],
)
def test_wrong_usage_and_unreadable_input_exit_with_two(folder, words):
    assert run(*words).exit_code == 2


def test_options_of_scores_are_absent():
    names = {option.name for option in audit.params}
    assert not names & SCORING
    assert {"fixations", "map_folder", "outside", "duration_unit", "n_jobs"} <= names


@pytest.mark.parametrize("title", AUDIT_EXAMPLES)
def test_example_is_accepted(title, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    context = parsed(AUDIT_EXAMPLES[title])
    require_one_source(context)
    assert context.params["outside"] == "keep"
