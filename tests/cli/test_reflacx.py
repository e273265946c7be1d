"""Command-line tests of `gazesal evaluate --reflacx` and `gazesal demo`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Write a small synthetic release, which tests must not change."""
    folder = tmp_path_factory.mktemp("release")
    return gazesal.datasets.write_synthetic_reflacx(
        folder, n_images=6, n_readers=3, n_unread=0, side=120
    )


@pytest.fixture
def run(root, tmp_path):
    """Return a function that runs `gazesal evaluate` on the release with default options."""

    def _run(**options):
        usual = {"reflacx": root, "readers": 3, "out": tmp_path / "out", "jobs": 1}
        words = ["evaluate", "--quiet", "--no-report"]
        for name, value in (usual | options).items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return CliRunner().invoke(main, words)

    return _run


def demo(*words):
    """Run a small demo."""
    usual = ["demo", "--quiet", "--images", "4", "--readers", "2", "--jobs", "1"]
    return CliRunner().invoke(main, [*usual, *words])


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demo once. Return its result and its folder, which tests must not change."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    result = demo("--out", str(folder))
    assert result.exit_code == 0, result.output
    return result, folder


def test_release_without_maps_gives_observers_and_baselines(run, root, tmp_path):
    result = run()
    assert result.exit_code == 0, result.output
    rows = [line.split("  ")[0] for line in result.output.splitlines()[3:7]]
    assert rows == [
        "One observer vs. the others", "Segmentation", "Center bias", "Center bias, in-sample",
    ]  # fmt: skip
    assert "registered by their boxes" in result.output
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["reflacx"] == str(root)
    assert (settings["degrees"], settings["center_bias_rows"]) == (1.0, "both")
    assert settings["frame"]["rounding"] == "none"
    assert (tmp_path / "out" / "figure.png").exists()


def test_command_gives_the_scores_of_the_functions(run, root, tmp_path):
    run(maps=root / "maps", resize="bilinear", sigma="1.5deg", center_bias_rows="in_sample")
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    maps = gazesal.find_maps(root / "maps")
    cases = gazesal.cases_from_reflacx(
        gazesal.datasets.Reflacx(root), maps, n_readers=3, degrees=1.5
    )
    expected = gazesal.evaluate(
        cases, outside="keep", resize="bilinear", center_bias_rows="in_sample"
    )
    ours = scores[scores["method"] != "segmentation"].reset_index(drop=True)
    pd.testing.assert_frame_equal(ours, expected.scores, check_exact=False, rtol=1e-12)


def test_phases_readers_and_ground_truth_can_be_selected(run, tmp_path):
    assert run(phases="1", readers=2, ground_truth="all").exit_code == 0
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert scores["image"].nunique() == 3
    assert set(scores.loc[scores["method"] == "center_bias", "observer"]) == {"all"}
    assert "all" not in set(scores.loc[scores["method"] == "interobserver", "observer"])


def test_all_images_are_scored_with_one_reader(run, root, tmp_path):
    options = {"maps": root / "maps", "resize": "bilinear", "phases": "123", "readers": 1}
    refused = run(**options)
    assert refused.exit_code == 1
    assert "--ground-truth all" in refused.output
    result = run(**options, ground_truth="all")
    assert result.exit_code == 0, result.output
    release = gazesal.datasets.Reflacx(root, phases=(1, 2, 3))
    counts = release.readings[~release.readings["discarded"]].groupby("dicom_id").size()
    several, n = int((counts > 1).sum()), len(counts)
    assert several < n
    assert f"One observer vs. the others ({several} of {n} images)" in result.output
    assert f"is over the {several} of {n} images that have several" in result.output
    assert f"{n} images, 1 to 3 observers each." in result.output
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert scores.query("method == 'attention'")["image"].nunique() == n


def test_phase_3_has_no_interobserver_row(run, root, tmp_path):
    result = run(maps=root / "maps", resize="bilinear", phases="3", readers=1, ground_truth="all")
    assert result.exit_code == 0, result.output
    sentence = "Images have one observer each, so there is no row of one observer vs. the others."
    assert result.output.count(sentence) == 1
    assert (tmp_path / "out" / "summary.txt").read_text().count(sentence) == 1
    assert (tmp_path / "out" / "figure.png").exists()


def test_bad_reading_is_refused_or_skipped_and_counted(run, root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    release = gazesal.datasets.Reflacx(copy)
    kept = release.readings.index[~release.readings["discarded"]][0]
    (copy / "main_data" / kept / "fixations.csv").write_text("timestamp_start_fixation\r\n1\r\n")
    refused = run(reflacx=copy)
    assert refused.exit_code == 1
    assert "fixations.csv" in refused.output
    assert not (tmp_path / "out").exists()
    skipped = run(reflacx=copy, bad_readings="skip")
    assert skipped.exit_code == 0, skipped.output
    assert "Warning: 1 of 17 readings" in skipped.output


def test_picture_of_another_size_is_refused(run, root, tmp_path):
    from PIL import Image

    mimic = tmp_path / "mimic"
    shutil.copytree(root / "mimic-cxr-jpg", mimic)
    release = gazesal.datasets.Reflacx(root)
    last = release.kept_by_all(3)[-1]
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(release.picture_path(last, mimic))
    result = run(pictures=mimic)
    assert result.exit_code == 1
    assert "must be 105 wide and 90 high as" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fixations": "x.csv"}, "--manifest FILE or --reflacx DIR"),
        ({"reflacx": None}, "--manifest FILE or --reflacx DIR"),
        ({"size": "10x10"}, "--size goes with --fixations"),
        ({"origin": "pixel_corner"}, "--origin goes with --fixations"),
        ({"sigma": "20px"}, "--sigma must be in degrees with --reflacx"),
        ({"reflacx": None, "fixations": "x.csv", "readers": None}, "needs --maps and --sigma"),
        ({"reflacx": None, "fixations": "x.csv"}, "--readers goes with --reflacx"),
        ({"reflacx": "nowhere"}, "nowhere"),
        ({"lungs": "nowhere"}, "nowhere: must be a folder of lung masks"),
        ({"readers": 5}, "`n_readers` must be at most"),
    ],
)
def test_conflicting_options_are_refused(run, options, message):
    result = run(**options)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert message in result.output


def test_lung_masks_and_maps_of_one_method_are_refused(run, root, tmp_path):
    shutil.copytree(root / "maps" / "noise", tmp_path / "maps" / "segmentation")
    result = run(maps=tmp_path / "maps", resize="bilinear")
    assert result.exit_code == 1
    assert "Remove one of the two" in result.output


def test_lung_mask_outside_its_range_is_named(run, root, tmp_path):
    shutil.copytree(root / "lung_masks", tmp_path / "masks")
    for path in list((tmp_path / "masks").iterdir()):
        np.save(path.with_suffix(".npy"), np.full((4, 4), 300.0))
        path.unlink()
    result = run(lungs=tmp_path / "masks")
    assert result.exit_code == 1
    assert "a lung mask must hold 0 and 1, probabilities in [0, 1], or" in result.output
    assert "got values from 300 to 300" in result.output


def test_demo_states_that_the_data_are_synthetic(shown):
    result, folder = shown
    assert result.output.startswith("Synthetic data: 4 chest-like images")
    for name in ("summary.txt", "summary.md"):
        assert "Synthetic data, seed 0" in (folder / name).read_text()


def test_demo_is_reproducible(shown, tmp_path):
    again = tmp_path / "again"
    assert demo("--out", str(again)).exit_code == 0
    files = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (shown[1], again)
    ]
    assert files[0] == files[1]


def test_demo_scores_can_be_computed_from_its_files(shown, tmp_path):
    result, folder = shown
    command = result.output.split("gazesal evaluate ", 1)[1].split()
    command[command.index("--out") + 1] = str(tmp_path / "files")
    again = CliRunner().invoke(
        main, ["evaluate", "--jobs", "1", "--quiet", "--no-report", *command]
    )
    assert again.exit_code == 0, again.output
    for name in ("scores.csv", "summary.csv"):
        ours = (folder / name).read_bytes()
        assert ours == (tmp_path / "files" / name).read_bytes(), name


def test_demo_without_scikit_image_has_no_segmentation(tmp_path, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "skimage" else found(name)
    )
    result = demo("--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "no segmentation: it needs scikit-image" in result.output
    assert "segmentation" not in set(pd.read_csv(tmp_path / "summary.csv")["method"])


def test_demo_ranks_maps_of_known_quality(tmp_path):
    words = ["demo", "--quiet", "--images", "12", "--out", str(tmp_path), "--jobs", "2"]
    assert CliRunner().invoke(main, words).exit_code == 0
    summary = pd.read_csv(tmp_path / "summary.csv").set_index(["metric", "method"])["estimate"]
    for metric in ("sauc", "sncc"):
        score = summary[metric]
        assert min(score["attention"], score["interobserver"]) > score["segmentation"]
        assert score["lesions"] > max(score["lungs"], score["other_image"])
    assert summary["sauc"]["attention"] > summary["sauc"]["interobserver"]
    plain = summary["auc_borji"]
    assert plain["segmentation"] > 0.7  # anatomy alone scores high without shuffling
    assert abs(summary["sauc"]["segmentation"] - 0.5) < 0.05
    assert Path(tmp_path, "release", "README.txt").exists()


def test_rounding_of_the_study_implies_the_in_sample_center_bias(run, tmp_path):
    result = run(rounding="study")
    assert result.exit_code == 0, result.output
    assert "in-sample" in result.output
    assert "left out of its center bias" not in result.output
    refused = run(rounding="study", center_bias_rows="both", out=tmp_path / "other")
    assert refused.exit_code == 1
    assert "--center-bias-rows in_sample" in refused.output


def test_main_data_folder_is_accepted_as_the_release(run, root, tmp_path):
    run(out=tmp_path / "one")
    run(out=tmp_path / "two", reflacx=root / "main_data")
    names = ("scores.csv", "summary.txt", "settings.json", "figure.png")
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_summary_states_the_degrees_and_settings_the_folders_found(run, root, tmp_path):
    run(sigma="1.5deg")
    assert "sigma 1.5 degrees of visual angle" in (tmp_path / "out" / "summary.txt").read_text()
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["lungs"] == str(root / "lung_masks")
    assert settings["pictures"] == str(root / "mimic-cxr-jpg")


def test_memory_error_prints_one_line(run, monkeypatch):
    def fail(*_args, **_kwargs):
        raise MemoryError("Unable to allocate 5 TiB")

    monkeypatch.setattr(gazesal, "evaluate", fail)
    result = run()
    assert result.exit_code == 1
    assert "Error: not enough memory: Unable to allocate 5 TiB" in result.output
