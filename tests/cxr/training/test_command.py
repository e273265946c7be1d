"""Tests of `gazesal train`: its messages and its treatment of subjects with gaze."""

import shutil

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("kornia")

import gazesal
from gazesal.cli import main
from gazesal.cxr import training


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return gazesal.datasets.write_synthetic_reflacx(
        tmp_path_factory.mktemp("release"), n_images=6, n_readers=2, n_unread=12, side=96
    )


def go(release, out, *words):
    words = ["train", "--mimic", release / "mimic-cxr-jpg", "--out", out, "--quiet", *words]
    return CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def trained_on(monkeypatch):
    """List that receives the images on which the command would train."""
    found = []

    def noted(images, *_, **__):
        found.append(images)
        raise ValueError("enough is known")

    monkeypatch.setattr(training, "train", noted, raising=False)
    return found


def test_without_reflacx_warns_about_gaze_subjects(release, tmp_path, trained_on):
    without = go(release, tmp_path / "a")
    assert (
        "Warning: without --reflacx, the training set contains images of subjects with gaze"
        in without.stderr
    )
    given = go(release, tmp_path / "b", "--reflacx", release)
    assert "Warning" not in given.output
    read = set(gazesal.datasets.Reflacx(release).subjects())
    splits = [
        {s for p, s in zip(images.patients, images.split, strict=True) if p in read}
        for images in trained_on
    ]
    assert "train" in splits[0]
    assert splits[1] == {"test"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_is_a_one_line_error(release, tmp_path):
    done = go(release, tmp_path / "out", "--reflacx", release, "--accelerator", "gpu")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: `trainer` must have options that work on this machine")
    assert "accelerator='gpu'" in line
    assert not (tmp_path / "out").exists()


def test_missing_picture_is_a_one_line_error(release, tmp_path):
    copy = tmp_path / "release"
    shutil.copytree(release, copy)
    images = training.LabeledImages.from_mimic(
        gazesal.datasets.MimicCxrJpg(copy / "mimic-cxr-jpg"), gaze_subjects=[]
    )
    lost = images.sources[images.where("train")[0]]
    lost.unlink()
    done = go(copy, tmp_path / "out")
    assert done.exit_code == 1
    assert f"Error: {lost}: is missing or empty (1 of " in done.stderr
    assert not (tmp_path / "out").exists()
