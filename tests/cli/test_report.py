"""Command-line tests of `gazesal report`, and of manifests and stores of maps."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from tests.plain_study import HEIGHT, METHODS, WIDTH, write_plain_study
from tests.reporting.html.html_page import parse

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("matplotlib", reason="the extra `report` is not installed")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write a small study with a manifest, which tests must not change."""
    folder = write_plain_study(tmp_path_factory.mktemp("study"))
    rows = []
    for i in range(4):
        image = f"img{i:03d}"
        row = {"image": image, "width": WIDTH, "height": HEIGHT, "group:site": "ns"[i % 2]}
        row |= {f"map:{name}": f"maps/{name}/{image}.npy" for name in METHODS}
        rows.append(row | {"picture": f"images/{image}.npy"})
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def evaluate(out, *words):
    usual = ["--sigma", 4, "--resize", "bilinear", "--jobs", 1, "--quiet", "--out", out]
    return run("evaluate", *usual, *words)


@pytest.fixture(scope="module")
def results(study, tmp_path_factory):
    """Run an evaluation with the page. Tests must not change its results."""
    out = tmp_path_factory.mktemp("results") / "out"
    words = ["--manifest", study / "manifest.csv", "--fixations", study / "fixations.csv"]
    result = evaluate(out, *words)
    assert result.exit_code == 0, result.output
    assert f"wrote {out / 'report.html'}" in result.output
    return out


def test_manifest_gives_the_scores_of_a_table_and_folders(study, results, tmp_path):
    words = ["--fixations", study / "fixations.csv", "--maps", study / "maps"]
    result = evaluate(tmp_path, *words, "--size", f"{WIDTH}x{HEIGHT}", "--no-report")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "report.html").exists()
    plain, manifest = (pd.read_csv(path / "scores.csv") for path in (tmp_path, results))
    assert list(manifest["site"].unique()) == ["n", "s"]
    pd.testing.assert_frame_equal(manifest[list(plain.columns)], plain)
    settings = json.loads((results / "settings.json").read_text())
    assert settings["manifest"] == str(study / "manifest.csv")
    assert settings["fixations"] == str(study / "fixations.csv")


def test_report_rewrites_the_page_from_the_results(results, tmp_path):
    page = (results / "report.html").read_bytes()
    result = run("report", results, "--out", tmp_path / "again.html")
    assert result.exit_code == 0, result.output
    assert result.output == f"wrote {tmp_path / 'again.html'}\n"
    assert (tmp_path / "again.html").read_bytes() == page
    root = parse(page.decode())
    assert (
        len(list(root.all("img"))) == len(METHODS) * 4 * 2
    )  # two best and two worst images, with contributions
    result = run(
        "report", results, "--out", tmp_path / "other.html", "--title", "<Mine>", "--images", 0
    )
    assert result.exit_code == 0, result.output
    other = parse((tmp_path / "other.html").read_text(encoding="utf-8"))
    assert [e.text for e in other.all("h1")] == ["<Mine>"]
    assert not list(other.all("img"))


def test_report_takes_a_saved_evaluation(results, tmp_path):
    gazesal.Evaluation.load(results / "evaluation").save(tmp_path / "saved")
    result = run("report", tmp_path / "saved", "--images", 0)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "saved" / "report.html").is_file()


def test_report_keeps_the_note(tmp_path):
    """The note may state that the data are synthetic."""
    study = write_plain_study(tmp_path)
    cases = gazesal.cases_from_tables(
        gazesal.read_fixations(study / "fixations.csv"), {}, (HEIGHT, WIDTH)
    )
    evaluation = gazesal.evaluate(cases, sigma=4.0, metrics=["ncc"])
    gazesal.reporting.write_report(evaluation, tmp_path / "out", note="Synthetic data.")
    evaluation.save(tmp_path / "out" / "evaluation")
    result = run("report", tmp_path / "out", "--images", 0)
    assert result.exit_code == 0, result.output
    (note,) = [
        e
        for e in parse((tmp_path / "out" / "report.html").read_text(encoding="utf-8")).all("p")
        if e.attributes.get("class") == "note"
    ]
    assert note.text == "Synthetic data."


def test_maps_may_be_stores_beside_folders(study, tmp_path):
    h5py = pytest.importorskip("h5py", reason="the extra `hdf5` is not installed")
    maps = tmp_path / "maps"
    maps.mkdir()
    values = {f"img{i:03d}": np.random.default_rng(i).random((30, 25)) for i in range(4)}
    np.savez(maps / "packed.npz", **values)
    with h5py.File(maps / "stacked.h5", "w") as file:
        file["maps"], file["names"] = np.stack(list(values.values())), list(values)
    words = ["--manifest", study / "manifest.csv", "--fixations", study / "fixations.csv"]
    result = evaluate(tmp_path / "out", *words, "--maps", maps, "--metric", "ncc", "--no-report")
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(tmp_path / "out" / "scores.csv").set_index("method")["score"]
    assert set(METHODS) | {"packed", "stacked"} < set(scores.index)
    assert scores["packed"].tolist() == scores["stacked"].tolist()
    (maps / "good").mkdir()
    np.save(maps / "good" / "img000.npy", np.eye(3))
    result = evaluate(tmp_path / "out", *words, "--maps", maps)
    assert "both have maps of 'good'" in result.output


@pytest.mark.parametrize("row", [0, 1])
def test_missing_files_are_refused_or_listed(study, tmp_path, row):
    table = pd.read_csv(study / "manifest.csv")
    table.loc[row, "map:noise"] = "maps/noise/gone.npy"
    table.loc[row, "picture"] = "images/gone.npy"
    manifest = tmp_path / "manifest.csv"
    table.to_csv(manifest, index=False)
    words = ["--manifest", manifest, "--root", study, "--fixations", study / "fixations.csv"]
    result = evaluate(tmp_path / "out", *words)
    assert result.exit_code == 1
    assert f"manifest.csv, line {row + 2}, column 'picture'" in result.output
    assert not (tmp_path / "out").exists()
    result = evaluate(tmp_path / "out", *words, "--bad-images", "list", "--metric", "ncc")
    assert result.exit_code == 0, result.output
    root = parse((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    (table,) = [e for e in root.all("table") if e.attributes.get("class") == "bad"]
    assert f"img00{row}" in table.text
    assert "gone.npy" in table.text


BAD = {
    "two sources": (["--manifest", "m", "--reflacx", "r"], "--manifest FILE or --reflacx DIR"),
    "no source": ([], "--manifest FILE or --reflacx DIR"),
    "root": (["--fixations", "f", "--root", "r"], "--root goes with --manifest"),
    "size": (["--manifest", "m", "--size", "5x5"], "--size goes with --fixations"),
    "readers": (["--manifest", "m", "--readers", "3"], "--readers goes with --reflacx"),
    "no manifest": (["--manifest", "nowhere.csv"], "nowhere.csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_options_are_named(tmp_path, case):
    words, message = BAD[case]
    result = evaluate(tmp_path / "out", *words)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_report_refuses_folders_without_results(results, tmp_path):
    result = run("report", tmp_path)
    assert result.exit_code == 1
    assert "there is no saved evaluation" in result.output
    result = run("report", results, "--metric", "nss")
    assert result.exit_code == 1
    assert "`metric` must be one of 'ncc'" in result.output
    gazesal.Evaluation.load(results / "evaluation").save(tmp_path)
    for text in ("{", "[1]"):
        (tmp_path / "settings.json").write_text(text)
        result = run("report", tmp_path)
        assert result.exit_code == 1
        assert "settings.json: " in result.output
