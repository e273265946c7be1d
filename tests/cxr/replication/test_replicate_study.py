"""Tests of replications on a synthetic release: complete, interrupted and from checkpoints."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("kornia")
pytest.importorskip("skimage")

import gazesal
from gazesal.cli import main
from gazesal.cxr.replication import feature_files, replicate, replicate_study, report_files
from gazesal.cxr.replication.report_sections import TABLES
from gazesal.cxr.training import TrainingSettings

SETTINGS = TrainingSettings.preset("smoke").with_changes(
    epochs=1, shortest_dimension=32, center_crop=32, evaluation_shortest_dimension=32
)
NETWORKS = ("sononet", "ag_sononet")
STEPS = [
    name
    for model in (0, 1)
    for name in (
        *(f"{step}-{n}-{model}" for n in NETWORKS for step in ("train", "classify", "maps")),
        f"score-{model}",
    )
]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return gazesal.datasets.write_synthetic_reflacx(
        tmp_path_factory.mktemp("release"), n_images=5, n_readers=4, n_unread=18, side=96
    )


def go(release, out, **changes):
    options = {
        "settings": SETTINGS,
        "lungs": release / "lung_masks",
        "n_readers": 4,
        "trainer": {"accelerator": "cpu"},
        **changes,
    }
    return replicate(release, release / "mimic-cxr-jpg", out, **options)


@pytest.fixture(scope="module")
def whole(release, tmp_path_factory):
    """An uninterrupted replication."""
    return go(release, tmp_path_factory.mktemp("whole"))


def test_every_step_runs_and_the_report_is_complete(whole):
    assert whole.ran == STEPS
    assert whole.kept == []
    text = whole.report.read_text("utf-8")
    for heading in ("Classification", "Table 1", "Table 2", "Table 3", "Figure 1", "Intervals"):
        assert f"## {heading}" in text
    assert (whole.report.parent / "score-0" / "figure.png").stat().st_size > 10_000
    assert whole.page == whole.report.with_name("report.html")
    assert "settings: preset smoke, but epochs 1, " in whole.page.read_text("utf-8")
    scores = whole.scores
    n_images = scores["image"].nunique()
    rows = ["interobserver", "segmentation", "center_bias_in_sample", "AM1", "AM2"]
    rows += [
        f"{n} {mix}" for n in ("woAG", "wAG") for mix in ("thresholded", "weighted", "uniform")
    ]
    assert sorted(scores["method"].unique()) == sorted(rows)
    assert len(scores) == n_images * 4 * 2 * len(rows) * 4  # readers, models, rows, metrics
    assert set(whole.tables) == set(TABLES)
    for name, table in whole.tables.items():
        on_disk = pd.read_csv(whole.report.parent / "tables" / f"{name}.csv")
        assert len(on_disk) == len(table)


def test_baselines_do_not_depend_on_the_training(whole):
    fixed = whole.scores[whole.scores["method"].isin(["interobserver", "segmentation"])]
    wide = fixed.pivot_table(
        index=["image", "reader", "method", "metric"], columns="model", values="score"
    )
    assert (wide[0] == wide[1]).all()


def contents(folder):
    """Return the files of a replication except notes and files of the trainings."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".csv", ".html", ".md", ".png"}
    }


def test_interrupted_replication_repeats_only_the_interrupted_step(
    release, whole, tmp_path, monkeypatch
):
    """A replication is interrupted at the end of each kind of step, one after the other."""
    out = tmp_path / "cut"
    real = replicate_study.StepStore.__call__

    def dying(at):
        def call(self, name, make, **options):
            def made(folder):
                make(folder)
                if name == at:
                    raise KeyboardInterrupt

            return real(self, name, made, **options)

        return call

    last = 0
    for place in (0, 1, 2, 6, 13):
        told = []
        monkeypatch.setattr(replicate_study.StepStore, "__call__", dying(STEPS[place]))
        with pytest.raises(KeyboardInterrupt):
            go(release, out, tell=told.append)
        redone = STEPS[last : place + 1]
        assert told == [f"kept {n}" for n in STEPS[:last]] + [f"doing {n}" for n in redone]
        last = place
    monkeypatch.undo()
    found = go(release, out)
    assert (found.kept, found.ran) == (STEPS[:-1], STEPS[-1:])
    assert contents(out) == contents(whole.report.parent)


def test_interrupted_scoring_keeps_finished_images(release, whole, tmp_path, monkeypatch):
    """Maps of finished images are not read again, and the checkpoint is removed at the end."""
    pytest.importorskip("pyarrow")
    out, read = tmp_path / "cut", []
    shutil.copytree(whole.report.parent, out)
    shutil.rmtree(out / "score-1")
    real = feature_files.MapFromFeatures.__call__
    names = sorted(whole.scores["image"].unique())

    def dying(self):
        if self.path.stem == names[-1]:  # the last scored image
            raise KeyboardInterrupt
        read.append(self.path.stem)
        return real(self)

    monkeypatch.setattr(feature_files.MapFromFeatures, "__call__", dying)
    with pytest.raises(KeyboardInterrupt):
        go(release, out)
    assert {read.count(name) for name in names[:-1]} == {8}
    read.clear()
    monkeypatch.setattr(
        feature_files.MapFromFeatures,
        "__call__",
        lambda self: read.append(self.path.stem) or real(self),
    )
    found = go(release, out)
    assert found.ran == ["score-1"]
    assert set(read) == {names[-1]}
    assert contents(out) == contents(whole.report.parent)
    assert sorted(path.name for path in (out / "score-1").iterdir()) == [
        "begun.json",
        "done.json",
        "scores.csv",
    ]


def test_fewer_trainings_give_tables_of_these_alone(release, whole, tmp_path):
    """The result equals a replication that never had more trainings."""
    out = tmp_path / "fewer"
    shutil.copytree(whole.report.parent, out)
    (out / "tables" / "mine.csv").write_text("of the user", "utf-8")
    assert (out / "tables" / "differences_like_these.csv").is_file()
    found = go(release, out, seeds=1)
    assert found.ran == []
    assert set(found.scores["model"]) == {0}
    left = {path.stem for path in (out / "tables").glob("*.csv")}
    assert left == set(found.tables) | {"mine"}
    assert "differences_like_these" not in left
    fresh = tmp_path / "fresh"
    shutil.copytree(whole.report.parent, fresh)
    for path in [*fresh.glob("*-1"), fresh / "tables"]:
        shutil.rmtree(path)
    go(release, fresh, seeds=1)
    for path in [fresh / "report.md", fresh / "report.html", *(fresh / "tables").iterdir()]:
        assert path.read_bytes() == (out / path.relative_to(fresh)).read_bytes(), path
    assert "2 trainings" not in found.report.read_text("utf-8")


CHILD = """
import sys
import torch
torch.set_num_threads(1)
from tests.cxr.replication.test_replicate_study import go
from pathlib import Path
go(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_killed_replication_resumes_to_the_same_files(release, whole, tmp_path):
    out = tmp_path / "killed"
    # finished steps are copied, as after a kill during the first scoring
    shutil.copytree(whole.report.parent, out)
    for name in ("score-0", *STEPS[7:]):
        shutil.rmtree(out / name)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    child = subprocess.Popen([sys.executable, "-c", CHILD, release, out], env=environment)
    for _ in range(6000):
        if (out / "train-ag_sononet-1" / "begun.json").is_file():
            break
        assert child.poll() is None, "it ended before it was killed"
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    found = go(release, out)
    assert found.kept[:7] == STEPS[:7]
    assert found.ran[-1] == "score-1"
    assert contents(out) == contents(whole.report.parent)


@pytest.mark.slow
def test_changed_options_and_gaze_repeat_only_the_scoring(release, whole, tmp_path):
    out = tmp_path / "changed"
    shutil.copytree(whole.report.parent, out)
    found = go(release, out, center_bias_rows="left_out")
    assert found.ran == ["score-0", "score-1"]
    assert "center_bias" in set(found.scores["method"])
    changed = tmp_path / "release"
    shutil.copytree(release, changed)
    reading = next(iter(changed.glob("main_data/P1*/fixations.csv")))
    lines = reading.read_bytes().splitlines(keepends=True)
    reading.write_bytes(b"".join(lines[:-1]))
    again = go(changed, out, center_bias_rows="left_out")
    assert again.ran == ["score-0", "score-1"]


@pytest.mark.slow
def test_checkpoints_replace_training(release, whole, tmp_path):
    root = whole.report.parent
    for network in NETWORKS:
        (tmp_path / "weights" / network).mkdir(parents=True)
        for model in (0, 1):
            weights = root / f"train-{network}-{model}" / "weights.pt"
            shutil.copy(weights, tmp_path / "weights" / network / f"{model}.pth")
    found = go(release, tmp_path / "out", checkpoints=tmp_path / "weights")
    assert not [name for name in found.ran if name.startswith("train")]
    columns = ["image", "reader", "model", "method", "metric"]
    assert found.scores.set_index(columns)["score"].equals(whole.scores.set_index(columns)["score"])
    with pytest.raises(FileNotFoundError, match=r"checkpoint of each of 3 trainings .* got 2"):
        go(release, tmp_path / "more", checkpoints=tmp_path / "weights", seeds=3)


def dark(pixels):
    return (pixels < 120) * 1.0


@pytest.mark.slow
def test_segmenter_runs_once(release, whole, tmp_path):
    """All other steps except the scores are kept."""
    out = tmp_path / "segmented"
    shutil.copytree(whole.report.parent, out)
    found = go(release, out, lungs=dark)
    assert found.ran == ["lungs", "score-0", "score-1"]
    assert "segmentation" in set(found.scores["method"])
    assert go(release, out, lungs=dark).ran == []


def test_command_equals_the_function(release, whole, tmp_path):
    """On a copy of the function's folder, the command runs only a removed step."""
    settings, out = tmp_path / "tiny.toml", tmp_path / "out"
    settings.write_text(
        "".join(
            f"{name} = {value!r}\n"
            for name, value in SETTINGS.to_dict().items()
            if isinstance(value, (int, float, list))
        ),
        "utf-8",
    )
    shutil.copytree(whole.report.parent, out)
    shutil.rmtree(out / "classify-sononet-1")
    words = ["replicate", "--reflacx", release, "--mimic", release / "mimic-cxr-jpg"]
    words += ["--out", out, "--settings", settings, "--readers", 4]
    words += ["--jobs", 1, "--accelerator", "cpu", "--quiet"]
    done = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if line.startswith(("kept", "doing"))]
    assert lines == [f"{'doing' if n == 'classify-sononet-1' else 'kept'} {n}" for n in STEPS]
    assert contents(out) == contents(whole.report.parent)


def test_without_the_report_extra_an_old_page_is_removed(release, whole, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(whole.report.parent, out)
    monkeypatch.setattr(report_files, "has_report_extra", lambda: False)
    told = []
    found = go(release, out, tell=told.append)
    assert found.page is None
    assert told[-1].startswith("no report.html: it needs jinja2")
    assert not (out / "report.html").exists()
    assert found.report.read_bytes() == whole.report.read_bytes()


@pytest.mark.slow
def test_smoke_preset_needs_no_data(tmp_path, monkeypatch):
    """The command makes its own release, here a smaller one, and trains, scores and reports."""
    small = {"n_images": 5, "n_readers": 5, "n_unread": 12, "side": 96}
    monkeypatch.setattr(sys.modules["gazesal.cli.replicate"], "SMOKE", small)
    words = ["replicate", "--preset", "smoke", "--epochs", 1, "--seeds", 1, "--out", tmp_path]
    words += ["--jobs", 1, "--accelerator", "cpu", "--quiet"]
    done = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "steps" / "report.md").read_text("utf-8")
    assert "Synthetic data: no patient and no radiologist is in them" in text
    assert "paper" not in text


def test_command_names_missing_options(tmp_path):
    done = CliRunner().invoke(main, ["replicate", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "Give both --reflacx and --mimic, or --preset smoke" in done.output


def test_too_few_scored_images_raise(release, tmp_path):
    with pytest.raises(ValueError, match="`n_readers` must leave at least two images to score"):
        go(release, tmp_path, n_readers=9)
    with pytest.raises(ValueError, match="`n_readers` must be at least 2, got 1"):
        go(release, tmp_path, n_readers=1)
