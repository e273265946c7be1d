"""Score each shared sample of a format of gaze by one command, like its truth."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main

SCREEN = ["--display", "1280x1024", "--placement", "center"]
SAMPLES = {  # format, source, truth without its suffix, options
    "mit1003": ("mit1003", "02_mit1003", "truth", []),
    "cat2000": ("cat2000", "03_cat2000", "truth", []),
    "salicon": ("salicon", "04_salicon/train", "truth_mat_fixations", []),
    "salicon mouse": (
        "salicon", "04_salicon/train", "truth_mat_mouse", ["--format-option", "samples=mouse"],
    ),
    "salicon json": (
        "salicon-json", "04_salicon/fixations_train2014examples.json", "truth_json", [],
    ),
    "figrim": ("figrim", "05_figrim/allImages_release.mat", "truth", []),
    "osie": ("osie", "05_osie/fixations.mat", "truth", []),
    "gazesearch": ("gazesearch", "06_gazesearch", "truth", []),
    "eyelink": ("eyelink", "07_eyelink/fixation_report.txt", "truth_report", SCREEN),
    "eyelink asc": ("eyelink-asc", "07_eyelink/mono", "truth_mono", SCREEN),
    "tobii": ("tobii", "08_tobii/export.tsv", "truth", []),
    "tab": (None, "11_csv/tab.tsv", "truth_tab", []),
    "semicolons": (None, "11_csv/semicolon_comma.csv", "truth_semicolon_comma", []),
    "utf16": (None, "11_csv/utf16.csv", "truth_utf16", []),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_scored_like_its_truth(shared, tmp_path, name):
    form, source, truth, options = SAMPLES[name]
    folder = shared / "formats" / source.partition("/")[0]
    sizes = gazesal.read_sizes(folder / "sizes.csv")
    rng = np.random.default_rng(0)
    maps = {image: rng.random((30, 40)) for image in sizes}
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps" / "noise.npz", **maps)
    scored = ["--resize", "bilinear", "--ground-truth", "all", "--metric", "ncc"]
    words = [
        "evaluate", "--fixations", shared / "formats" / source, *options, "--outside", "keep",
        *(["--format", form] if form else []), "--size", folder / "sizes.csv",
        "--maps", tmp_path / "maps", "--sigma", "20", "--center-bias", "none", *scored,
        "--quiet", "--no-report", "--jobs", "1", "--out", tmp_path / "results",
    ]  # fmt: skip
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(tmp_path / "results" / "scores.csv", dtype={"image": str})

    table = pd.read_csv(folder / f"{truth}.csv", dtype={"image": str, "observer": str})
    table["duration"] = table["duration"].fillna(1.0)
    cases = gazesal.cases_from_tables(table, {"noise": maps}, sizes, outside="keep")
    expected = gazesal.evaluate(
        cases, sigma=20, outside="keep", resize="bilinear", ground_truth="all",
        metrics=["ncc"], center_bias="none",
    )  # fmt: skip
    own, theirs = (
        each[each["method"] == "noise"].set_index("image")["score"].sort_index()
        for each in (scores, expected.scores)
    )
    assert list(own.index) == list(theirs.index)
    np.testing.assert_allclose(own, theirs, rtol=0, atol=1e-4)
