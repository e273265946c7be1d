"""Command-line tests of `gazesal evaluate --reflacx --labels`."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from gazesal.cli.label_options import find_label_maps


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Write a small synthetic release, which tests must not change."""
    folder = tmp_path_factory.mktemp("release")
    return gazesal.datasets.write_synthetic_reflacx(
        folder, n_images=4, n_readers=2, n_unread=0, side=96
    )


def run(root, out, *words):
    """Run the command with labels."""
    usual = ["evaluate", "--reflacx", str(root), "--out", str(out), "--resize", "bilinear"]
    usual += ["--maps", str(root / "maps_by_label"), "--jobs", "1", "--quiet", "--metric", "ncc"]
    return CliRunner().invoke(main, [*usual, *words])


def test_labels_give_maps_gaze_and_regions_by_label(root, tmp_path):
    out = tmp_path / "out"
    result = run(
        root, out, "--metric", "relevance_mass", "--regions", "ellipses", "--labels", "--no-report"
    )
    assert result.exit_code == 0, result.output
    assert "the picture is the unit" in result.output
    table = pd.read_csv(out / "summary_by_label.csv")
    means = table.set_index(["label", "method", "metric"])["estimate"]
    labels = table["label"].unique()
    assert len(labels) > 3
    for label in labels:
        assert np.isfinite(means[label, "class_map", "ncc"])
        assert np.isfinite(means[label, "class_map_other_labels", "ncc"])
    summary = pd.read_csv(out / "summary.csv").set_index(["method", "metric"])["estimate"]
    for metric in ("ncc", "relevance_mass"):
        assert summary["class_map", metric] > summary["class_map_other_labels", metric]
        assert summary["class_map", metric] > summary["center_bias", metric]
    assert summary["gaze", "relevance_mass"] > summary["center_bias", "relevance_mass"]
    text = (out / "summary_by_label.txt").read_text()
    assert all(f"{label} (" in text for label in labels)
    assert (out / "figure.png").exists()
    settings = json.loads((out / "settings.json").read_text())
    assert (settings["labels"], settings["ground_truth"], settings["leave_out"]) == (
        True, "all", "picture",
    )  # fmt: skip
    two_stage = pd.read_csv(out / "summary_of_images_and_readers.csv")
    two_stage = two_stage.set_index(["method", "metric"])
    assert two_stage["n_picture"].max() > 1
    for method in ("class_map", "interobserver"):
        row = two_stage.loc[method, "ncc"]  # readers of one image, not labels, are averaged last
        assert row["estimate"] == pytest.approx(summary[method, "ncc"], abs=0.1)
        assert row["low"] < row["high"]
    scores = pd.read_csv(out / "scores.csv")
    assert {"picture", "label"} <= set(scores)


def test_label_without_terms_is_refused(root, tmp_path):
    wrong = run(root, tmp_path, "--labels", "Cough")
    assert wrong.exit_code == 1
    assert "`labels` must be of" in wrong.output


def test_labels_need_reflacx(tmp_path):
    words = ["evaluate", "--fixations", "f.csv", "--labels", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--labels goes with --reflacx" in result.output


def test_methods_with_and_without_labels_are_told_apart(root, tmp_path):
    found = find_label_maps(root / "maps_by_label")
    assert set(found) == {"class_map", "all_lesions"}
    assert "Atelectasis" in found["class_map"]
    pictures = set(gazesal.datasets.Reflacx(root, phases=(1, 2, 3)).readings["dicom_id"])
    assert set(found["all_lesions"]) == pictures
    for label in ("A", "B"):
        (tmp_path / "stores").mkdir(exist_ok=True)
        np.savez(tmp_path / "stores" / f"{label}.npz", x=np.eye(3))
    assert list(find_label_maps(tmp_path)["stores"]) == ["A", "B"]
