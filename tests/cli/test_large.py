"""Command-line tests for large sets: checkpoints, bad images, clusters, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from tests.plain_study import HEIGHT, WIDTH, write_plain_study

pytest.importorskip("pyarrow")


@pytest.fixture
def study(tmp_path):
    """Write a small study to disk."""
    return write_plain_study(_made(tmp_path / "study"))


def _made(folder):
    folder.mkdir()
    return folder


def words(study, out, *more):
    """Return the arguments of the command."""
    usual = ["--fixations", study / "fixations.csv", "--maps", study / "maps", "--sigma", "4px"]
    usual += ["--size", f"{WIDTH}x{HEIGHT}", "--resize", "bilinear", "--jobs", "1", "--no-report"]
    return list(map(str, ["evaluate", *usual, "--out", out, "--quiet", *more]))


def files(folder):
    """Return the bytes of the files of a run that do not depend on folders."""
    names = ("scores.csv", "summary.csv", "settings.json", "evaluation/scores.parquet")
    return {name: (folder / name).read_bytes() for name in names}


def run(arguments):
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments)


def test_resumed_run_writes_the_files_of_an_uninterrupted_run(study, tmp_path):
    out = tmp_path / "out"
    plain = run(words(study, tmp_path / "plain"))
    assert plain.exit_code == 0, plain.output
    first = run(words(study, out, "--resume"))
    assert first.exit_code == 0, first.output
    removed = sorted((out / "checkpoint" / "parts").iterdir())[1]
    removed.unlink()
    again = run(words(study, out, "--checkpoint", out / "checkpoint"))
    assert again.exit_code == 0, again.output
    assert files(out) == files(tmp_path / "plain")
    assert removed.exists()  # the name is a digest of the content
    other = run(words(study, out, "--resume", "--seed", "3"))
    assert other.exit_code == 1
    assert "differs in seed (0 there, 3 here)" in other.output
    both = run(words(study, out, "--resume", "--checkpoint", tmp_path / "there"))
    assert both.exit_code == 2


def test_written_evaluation_can_be_loaded(study, tmp_path):
    run(words(study, tmp_path / "out"))
    loaded = gazesal.Evaluation.load(tmp_path / "out" / "evaluation")
    again = loaded.scores.to_csv(index=False, lineterminator="\n")
    assert again == (tmp_path / "out" / "scores.csv").read_text()
    assert loaded.maps_of("img001")["good"].shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize("first", ["--check-first", "--no-check-first"])
def test_bad_images_end_the_run_or_are_listed(study, tmp_path, first):
    broken = study / "maps" / "noise" / "img002.npy"
    broken.write_bytes(broken.read_bytes()[:200])
    ended = run(words(study, tmp_path / "out", first))
    assert ended.exit_code == 1
    assert "img002.npy: cannot be read" in ended.output
    assert not (tmp_path / "out").exists()
    listed = run(words(study, tmp_path / "out", first, "--bad-images", "list"))
    assert listed.exit_code == 0, listed.output
    assert "1 images could not be scored:\n  img002: " in listed.output
    table = pd.read_csv(tmp_path / "out" / "bad_images.csv")
    assert table["image"].tolist() == ["img002"]
    assert table["reason"].str.contains("cannot be read").all()
    np.save(broken, np.ones((HEIGHT, WIDTH)))
    repaired = run(words(study, tmp_path / "out"))
    assert repaired.exit_code == 0
    assert not (tmp_path / "out" / "bad_images.csv").exists()


def test_dask_cluster_gives_the_same_files(study, tmp_path):
    distributed = pytest.importorskip("distributed")
    run(words(study, tmp_path / "plain"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as made:
        done = run(words(study, tmp_path / "out", "--dask", made.scheduler_address))
    assert done.exit_code == 0, done.output
    assert files(tmp_path / "out") == files(tmp_path / "plain")


def test_missing_dask_prints_one_line(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = run(words(study, tmp_path / "out", "--dask", "tcp://127.0.0.1:1"))
    assert done.exit_code == 1
    assert "--dask needs distributed: pip install 'gazesal[dask]'" in done.output


@pytest.mark.parametrize(
    ("number", "said", "code"),
    [(signal.SIGINT, "Interrupted", 130), (signal.SIGTERM, "Terminated", 143)],
    ids=["ctrl-c", "sigterm"],
)
def test_signal_ends_the_run_with_one_line(tmp_path, number, said, code):
    study = write_plain_study(_made(tmp_path / "study"), n_images=300)
    out = tmp_path / "out"
    n_jobs = "1" if number == signal.SIGINT else "2"
    command = [sys.executable, "-m", "gazesal", *words(study, out, "--resume", "--jobs", n_jobs)]
    # background jobs of a shell and their children ignore Ctrl-C
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    parts = out / "checkpoint" / "parts"
    while not parts.is_dir() or not any(parts.iterdir()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors == f"{said}. Finished images are kept in {out / 'checkpoint'}.\n"
    kept = {path.name for path in parts.iterdir()}
    assert 0 < len(kept) < 300
    assert not list((out / "checkpoint").glob(".shared*"))


def manifest(folder, *, shares=()):
    """Write a manifest of four images of two patients, with fixations as shares on some of them."""
    folder.mkdir()
    rng = np.random.default_rng(2)
    rows, fixations = [], []
    for k in range(4):
        np.save(folder / f"{k}.npy", rng.random((24, 32)))
        rows.append(f"i{k},32,24,{k}.npy,p{k // 2}\n")
        scale = (1.0, 1.0) if k in shares else (31.0, 23.0)
        for observer in ("ann", "bob"):
            fixations += [f"i{k},{observer},{x},{y},1\n" for x, y in rng.uniform(0, scale, (6, 2))]
    (folder / "manifest.csv").write_text(
        "image,width,height,map:mine,group:patient\n" + "".join(rows)
    )
    (folder / "fixations.csv").write_text("image,observer,x,y,duration\n" + "".join(fixations))
    return folder


def of_manifest(folder, out, *more):
    """Return the arguments of the command with a manifest."""
    files = ["--manifest", folder / "manifest.csv", "--fixations", folder / "fixations.csv"]
    usual = ["--sigma", "3px", "--no-report", "--jobs", "1", "--quiet", "--out", out]
    return list(map(str, ["evaluate", *files, *usual, *more]))


def test_leave_out_names_a_group_of_the_manifest(tmp_path):
    folder = manifest(tmp_path / "study")
    result = run(of_manifest(folder, tmp_path / "out", "--leave-out", "patient"))
    assert result.exit_code == 0, result.output
    cases = gazesal.cases_from_manifest(folder / "manifest.csv", fixations=folder / "fixations.csv")
    expected = gazesal.evaluate(cases, sigma=3.0, leave_out="patient").scores
    found = pd.read_csv(tmp_path / "out" / "scores.csv")
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-12)
    assert "all others of the same patient" in (tmp_path / "out" / "summary.txt").read_text()
    wrong = run(of_manifest(folder, tmp_path / "wrong", "--leave-out", "site"))
    assert wrong.exit_code == 1
    assert "`leave_out` (--leave-out)" in wrong.output


def test_center_bias_none_has_no_row(tmp_path):
    folder = manifest(tmp_path / "study")
    more = ("--center-bias", "none", "--metric", "ncc")
    result = run(of_manifest(folder, tmp_path / "out", *more))
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out" / "scores.csv")["method"]) == {"interobserver", "mine"}
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert (settings["center_bias"], settings["center_bias_rows"]) == ("none", None)
    wrong = run(of_manifest(folder, tmp_path / "wrong", *more, "--center-bias-rows", "both"))
    assert wrong.exit_code == 1
    assert "`center_bias_rows` (--center-bias-rows)" in wrong.output


def test_fixations_that_are_shares_cause_a_warning(tmp_path):
    folder = manifest(tmp_path / "study", shares=[1])
    result = run(of_manifest(folder, tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "Warning: `cases` must have fixations in pixels, but on 'i1' by" in result.output
