"""Runs that end early and are resumed, and folders that a checkpoint refuses."""

import errno
import io
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal._digests import digest_of_bytes
from gazesal.evaluation import passes
from gazesal.evaluation.score_rows import BadImage, BadImages, ImageScores
from gazesal.evaluation.storage import checkpoint as checkpoint_module
from gazesal.evaluation.storage.score_parts import ScoreParts
from tests.evaluation.large_study import SHAPE, SIGMA, calls, make_cases, run, table_bytes

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def kept(tmp_path):
    """Return a finished run of six images and its folder."""
    folder = tmp_path / "kept"
    return run(6, folder, tmp_path / "log"), folder


def parts(folder):
    """Return the parts of a checkpoint."""
    return sorted((folder / "parts").iterdir())


def _run_when(go, *arguments):
    go.wait()
    run(*arguments)


def kill_and_resume(tmp_path, n, kills, delay, n_jobs=None):
    """Kill a run several times, then finish it; return the evaluation, kills and calls."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.evaluation.warm"])
    folder, log = tmp_path / "killed", tmp_path / "log"
    moments = random.Random(5)
    killed = 0
    for _ in range(kills):
        before = sum(calls(log).values())
        go = context.Event()  # without it, work may start before `start` returns
        process = context.Process(target=_run_when, args=(go, n, folder, log, delay, n_jobs))
        process.start()
        go.set()
        deadline = time.monotonic() + 60
        # Kill it at a random moment after its first map, and not while it starts.
        while sum(calls(log).values()) < before + 1 and process.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 3 * delay))
        killed += process.is_alive()
        process.kill()
        process.join()
    return run(n, folder, log, 0.0), killed, calls(log)


@pytest.mark.parametrize(
    ("n", "kills"), [(60, 4), pytest.param(90, 30, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_resume_after_kills_at_any_moment(tmp_path, n, kills):
    got, killed, made = kill_and_resume(tmp_path, n, kills, delay=0.03)
    assert killed == kills  # no run finished before it was killed
    whole = run(n, None, None)
    assert table_bytes(got) == table_bytes(whole)
    assert set(made) == {case.image for case in whole.cases}
    assert sum(made.values()) - n <= kills  # the image in progress at each kill


@pytest.mark.slow
def test_resume_after_kills_with_workers(tmp_path):
    got, killed, made = kill_and_resume(tmp_path, 60, 5, delay=0.05, n_jobs=2)
    assert killed == 5
    assert table_bytes(got) == table_bytes(run(60, None, None))
    # Each worker loses the image in progress, one whose scores were being sent, and one more that
    # it takes before it notices that its parent has ended.
    assert sum(made.values()) - 60 <= 5 * 2 * 3


def test_resume_skips_finished_images(kept, tmp_path):
    first, folder = kept
    again = run(6, folder, tmp_path / "log")
    assert set(calls(tmp_path / "log").values()) == {1}
    assert table_bytes(again) == table_bytes(first)
    pd.testing.assert_frame_equal(again.scores, run(6, None, None).scores, check_exact=True)
    np.testing.assert_array_equal(again.center_bias.density(), first.center_bias.density())


def test_small_parts_are_merged(tmp_path):
    marks = {f"i{number}": f"{number:032x}" for number in range(11)}
    written = ScoreParts(tmp_path / "parts", merged=4)
    for number, (image, mark) in enumerate(marks.items()):
        scores = np.arange(2.0) + number
        written.add(ImageScores(image, ["ann"] * 2, ["noise"] * 2, ["ncc", "sim"], scores), mark)
    assert len(parts(tmp_path)) == 2 + 3
    read = ScoreParts(tmp_path / "parts", merged=4)
    read.read_index()
    rows = [each.collect(marks).to_frame({key: {} for key in marks}) for each in (written, read)]
    pd.testing.assert_frame_equal(*rows)
    found = rows[0].set_index(["image", "metric"])["score"]
    assert len(found) == 22
    assert all(found[f"i{number}", "sim"] == number + 1.0 for number in range(11))


def test_resume_after_a_kill_during_a_merge(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    whole = run(6, folder, tmp_path / "log")
    small = {path: path.read_bytes() for path in parts(folder)}
    merge(folder)
    for path in list(small)[:4]:
        path.write_bytes(small[path])
    assert len(parts(folder)) == 5
    assert table_bytes(run(6, folder, tmp_path / "log")) == table_bytes(whole)
    assert set(calls(tmp_path / "log").values()) == {1}


def test_duplicate_parts_are_removed(tmp_path):
    folder = tmp_path / "kept"
    whole = run(6, folder, tmp_path / "log")
    small = {path: path.read_bytes() for path in parts(folder)}
    merge(folder)
    (merged,) = parts(folder)
    for path, content in small.items():
        path.write_bytes(content)
    assert table_bytes(run(6, folder, tmp_path / "log")) == table_bytes(whole)
    # Files are read in the order of their names, and removed if all their images were found.
    before = [path for path in small if path.name < merged.name]
    assert parts(folder) == (before if len(before) == len(small) else [*before, merged])


def images_of(path):
    """Return the images of a part, in its order."""
    return [image for image, _, _ in json.loads(parquet.read_schema(path).metadata[b"images"])]


def test_parts_of_several_images_are_merged_with_others(tmp_path):
    folder = tmp_path / "kept"
    whole = run(6, folder, tmp_path / "log")
    paths = parts(folder)
    merge(folder, paths[:3])
    (of_three,) = (path for path in parts(folder) if len(images_of(path)) == 3)
    merge(folder, [of_three, *paths[3:]])
    (merged,) = parts(folder)
    assert len(images_of(merged)) == 6
    again = run(6, folder, tmp_path / "log")
    assert table_bytes(again) == table_bytes(whole)
    assert set(calls(tmp_path / "log").values()) == {1}


def merge(folder, paths=None):
    """Merge parts of a checkpoint into one, by default all."""
    found = ScoreParts(folder / "parts")
    found.read_index()
    found.merge(paths)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_resume_scores_images_of_torn_parts(kept, tmp_path, harm):
    first, folder = kept
    torn = parts(folder)[2]
    content = bytearray(torn.read_bytes())
    content[len(content) // 3] ^= 8
    torn.write_bytes({"cut": content[:-20], "flip": content, "empty": b""}[harm])
    with pytest.warns(gazesal.SkippedDataWarning, match=f"{torn}: the file is torn or was changed"):
        again = run(6, folder, tmp_path / "log")
    assert table_bytes(again) == table_bytes(first)
    assert sorted(calls(tmp_path / "log").values()) == [1, 1, 1, 1, 1, 2]


def test_torn_center_bias_is_computed_again(kept, tmp_path):
    first, folder = kept
    path = folder / "center_bias.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(gazesal.SkippedDataWarning, match=r"npz: cannot be read as a center bias"):
        again = run(6, folder, tmp_path / "log")
    np.testing.assert_array_equal(again.center_bias.density(), first.center_bias.density())


def test_unfinished_center_bias_is_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(passes, "SAVED_EVERY", 0.0)
    drawn = []
    work = passes.bias_of_chunk

    def end_at_the_third(cases, options):
        drawn.append(cases[0].image)
        if len(drawn) == 3:
            raise MemoryError
        return work(cases, options)

    monkeypatch.setattr(passes, "bias_of_chunk", end_at_the_third)
    with pytest.raises(MemoryError):
        run(30, tmp_path / "kept", None)
    got = run(30, tmp_path / "kept", None)
    assert drawn == ["i000", "i008", "i016", "i016", "i024"]
    assert table_bytes(got) == table_bytes(run(30, None, None))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metrics": ["ncc"]},
            r"differs in metrics \(\['ncc', 'auc_borji', 'sncc', 'sauc', 'residual_ncc'\] there",
        ),
        ({"seed": 3}, r"differs in seed \(0 there, 3 here\)"),
        ({"n_samples": 9, "seed": 1}, r"n_samples \(None there, 9 here\); seed \(0 there, 1 here"),
    ],
)
def test_resume_with_other_options_raises(kept, tmp_path, options, message):
    _, folder = kept
    with pytest.raises(ValueError, match=message):
        run(6, folder, tmp_path / "log", **options)
    assert set(calls(tmp_path / "log").values()) == {1}


def test_options_of_an_empty_run_are_replaced(kept, tmp_path):
    """An example is a first run that ended with an error about an option."""
    first, folder = kept
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(folder / "checkpoint.json", empty)
    other = run(6, empty, None, seed=3)
    assert table_bytes(other) == table_bytes(first)  # no score is sampled
    with pytest.raises(ValueError, match=r"differs in seed \(3 there, 0 here\)"):
        run(6, empty, None)


@pytest.mark.parametrize("kind", ["numbers for labels", "single precision", "no score"])
def test_parts_of_other_types_raise(kept, kind):
    """A file can have the name of a part and another content."""
    _, folder = kept
    path = parts(folder)[0]
    table = parquet.ParquetFile(path).read()
    scores = table["score"].to_numpy()
    column, values = {
        "numbers for labels": ("observer", pa.array(range(len(scores)))),
        "single precision": ("score", pa.array(scores.astype(np.float32))),
        "no score": ("score", pa.array([None, *scores[1:]], pa.float64())),
    }[kind]
    parquet.write_table(
        table.set_column(table.schema.get_field_index(column), column, values), path
    )
    path.rename(path.with_stem(digest_of_bytes(path.read_bytes())))
    with pytest.raises(ValueError, match="is not a part of a checkpoint"):
        run(6, folder, None)


def test_resume_with_other_versions_or_gaze_raises(kept, tmp_path):
    _, folder = kept
    with pytest.raises(ValueError, match=r"the gaze on 'i000', 'i001', 'i002' and 4 more"):
        run(7, folder, None)
    cases = make_cases(6)
    other = replace(cases[4].gaze["bob"], durations=np.ones(6))
    cases[4] = replace(cases[4], gaze={**cases[4].gaze, "bob": other})
    with pytest.raises(ValueError, match="the gaze on 'i004', which contributes to the scores"):
        gazesal.evaluate(cases, sigma=SIGMA, checkpoint=folder)
    with pytest.raises(ValueError, match="differs in the order of the images"):
        gazesal.evaluate(make_cases(6)[::-1], sigma=SIGMA, checkpoint=folder)
    path = folder / "checkpoint.json"
    path.write_text(path.read_text().replace('"numpy": "', '"numpy": "0.'))
    with pytest.raises(ValueError, match=r"differs in numpy \('0\."):
        run(6, folder, None)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"checkpoint\.json: must be the note of a run"):
        run(6, folder, None)
    path.unlink()
    with pytest.raises(ValueError, match=r"got parts and a center bias without it"):
        run(6, folder, None)


def test_resume_scores_changed_maps(kept, tmp_path):
    first, folder = kept
    cases = make_cases(6, tmp_path / "log")
    path = tmp_path / "map.npy"
    np.save(path, np.random.default_rng(0).random(SHAPE))
    cases[1] = replace(cases[1], maps={"noise": path})
    got = gazesal.evaluate(cases, sigma=SIGMA, checkpoint=folder)
    assert table_bytes(got) == table_bytes(gazesal.evaluate(cases, sigma=SIGMA))
    changed = got.scores["score"].to_numpy() != first.scores["score"].to_numpy()
    assert set(got.scores.loc[changed, "image"]) == {"i001"}
    # The fingerprint of a file is its size and time, so overwrite it with an array of that size.
    before = path.stat()
    np.save(path, np.random.default_rng(1).random(SHAPE))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(1, 1))
    calls_before = calls(tmp_path / "log")
    overwritten = gazesal.evaluate(cases, sigma=SIGMA, checkpoint=folder)
    assert table_bytes(overwritten) == table_bytes(gazesal.evaluate(cases, sigma=SIGMA))
    assert table_bytes(overwritten) != table_bytes(got)
    others = {image: n for image, n in calls(tmp_path / "log").items() if image != "i001"}
    assert {image: n - calls_before[image] for image, n in others.items()} == dict.fromkeys(
        others, 1
    )  # once by the run without a checkpoint, and not by the resumed one
    # The earlier scores are still in the checkpoint.
    assert table_bytes(run(6, folder, tmp_path / "log")) == table_bytes(first)


def test_images_with_own_center_bias_can_be_added(tmp_path):
    cases = [replace(case, center_bias=np.ones(SHAPE)) for case in make_cases(5, tmp_path / "log")]
    gazesal.evaluate(cases[:3], sigma=SIGMA, checkpoint=tmp_path / "kept")
    got = gazesal.evaluate(cases, sigma=SIGMA, checkpoint=tmp_path / "kept")
    assert set(calls(tmp_path / "log").values()) == {1}
    assert table_bytes(got) == table_bytes(gazesal.evaluate(cases, sigma=SIGMA))


def test_temporary_files_of_a_killed_run_are_removed(kept):
    _, folder = kept
    shared = folder / ".shared-abcd_123"
    shared.mkdir()
    torn = f".{parts(folder)[0].name}.partial"
    leftovers = [shared / "0.npy", folder / ".abcd_123.partial.npz", folder / "parts" / torn]
    others = [folder / ".shared-mine", folder / ".my.partial.npz", folder / "parts" / ".precious"]
    for path in leftovers + others:
        path.write_bytes(b"some")
    run(6, folder, None)
    assert not any(path.exists() for path in (*leftovers, shared))
    assert all(path.exists() for path in others)
    for path in others:
        path.unlink()
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".lock", "center_bias.npz", "checkpoint.json", "parts")
    ]


def test_temporary_files_are_kept_without_a_lock(kept, monkeypatch):
    _, folder = kept
    shared = folder / ".shared-abcd_123"
    shared.mkdir()
    monkeypatch.setattr(checkpoint_module, "_locked", lambda _: None)
    run(6, folder, None)
    assert shared.exists()  # another run may be using it


def named_by_digest(folder):
    """Write another table with the name of a part."""
    sink = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_parquet(sink)
    path = folder / f"{digest_of_bytes(sink.getvalue())}.parquet"
    path.write_bytes(sink.getvalue())
    return path, "is not a part of a checkpoint"


def other_parquet(folder):
    """Write another table."""
    path = folder / "mine.parquet"
    path.write_bytes(b"hello")
    return path, "is not a file of a checkpoint"


def folder_as_part(folder):
    """Make a folder with the name of a part."""
    path = folder / f"{'0' * 32}.parquet"
    path.mkdir()
    return path, "is not a file of a checkpoint"


def folder_as_bias(folder):
    """Replace the center bias by a folder."""
    path = folder.parent / "center_bias.npz"
    path.unlink()
    path.mkdir()
    return path, "must be a file, but is a folder"


@pytest.mark.parametrize(
    "harm",
    [named_by_digest, other_parquet, folder_as_part, folder_as_bias],
    ids=lambda f: f.__name__,
)
def test_other_files_raise_and_are_kept(kept, harm):
    _, folder = kept
    path, message = harm(folder / "parts")
    with pytest.raises(ValueError, match=f"{path}: {message}: move it elsewhere, or use another"):
        run(6, folder, None)
    assert path.exists()


def test_hidden_files_of_the_user_are_kept(tmp_path):
    precious = tmp_path / "parts" / ".precious"
    precious.parent.mkdir()
    precious.write_text("mine")
    run(3, tmp_path, None)
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("text", ["[]", "null", '"some"'])
def test_invalid_description_raises(kept, text):
    _, folder = kept
    (folder / "checkpoint.json").write_text(text)
    with pytest.raises(ValueError, match=r"checkpoint\.json: must be the note of a run"):
        run(6, folder, None)


def test_center_bias_of_another_run_is_not_used(kept, tmp_path):
    _, folder = kept
    for path in (*parts(folder), folder / "checkpoint.json"):
        path.unlink()
    with pytest.raises(ValueError, match=r"checkpoint\.json .*, got a center bias without it"):
        gazesal.evaluate(make_cases(6), sigma=2 * SIGMA, checkpoint=folder)
    other = tmp_path / "other"
    cases = make_cases(6)[::-1]
    gazesal.evaluate(cases, sigma=SIGMA, checkpoint=other)
    (folder / "center_bias.npz").replace(other / "center_bias.npz")
    with pytest.warns(
        gazesal.SkippedDataWarning, match="was computed from other gaze or with other op"
    ):
        again = gazesal.evaluate(cases, sigma=SIGMA, checkpoint=other)
    whole = gazesal.evaluate(cases, sigma=SIGMA)
    np.testing.assert_array_equal(again.center_bias.density(), whole.center_bias.density())
    assert table_bytes(again) == table_bytes(whole)
    np.savez(other / "center_bias.npz", facts=np.array(json.dumps({"bias": None})))
    with pytest.warns(
        gazesal.SkippedDataWarning, match="was computed from other gaze or with other op"
    ):
        gazesal.evaluate(cases, sigma=SIGMA, checkpoint=other)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_unfinished_center_bias_is_saved_when_the_run_ends(tmp_path, monkeypatch, error):
    drawn = []
    work = passes.bias_of_chunk

    def end_at_the_third(cases, options):
        drawn.append(cases[0].image)
        if len(drawn) == 3:
            raise error
        return work(cases, options)

    monkeypatch.setattr(passes, "bias_of_chunk", end_at_the_third)
    with pytest.raises(error):
        run(30, tmp_path / "kept", None)
    run(30, tmp_path / "kept", None)
    assert drawn == ["i000", "i008", "i016", "i016", "i024"]


def test_chunks_of_a_center_bias_stay_small():
    drawn = []

    def bias_of(cases):
        drawn.append(len(cases))
        return None, [BadImage(case.image, "bad") for case in cases]

    def in_turn(_, arguments, *__, **___):
        return (bias_of(cases) for cases, _ in arguments)

    cases = make_cases(1) * 40_000
    with pytest.raises(ValueError, match="`cases` must have valid gaze"):
        passes.make_center_bias(
            cases, None, in_turn, BadImages(stop=False), checkpoint_module.NoCheckpoint()
        )
    assert max(drawn) == 64
    assert sum(drawn) == 40_000


@pytest.mark.parametrize("what", ["checkpoint.json", "center_bias.npz", "parts"])
def test_full_disk_names_the_file(tmp_path, monkeypatch, what):
    folder = tmp_path / "kept"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    real = checkpoint_module.os.replace

    def replace_unless_full(source, target):
        if what in str(target):
            raise full
        return real(source, target)

    monkeypatch.setattr(checkpoint_module.os, "replace", replace_unless_full)
    message = rf"No space left on device; finished images are kept, .*: '{folder}.*{what}"
    with pytest.raises(OSError, match=message) as caught:
        run(6, folder, None)
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert not list(folder.rglob("*partial*"))
    assert table_bytes(run(6, folder, None)) == table_bytes(run(6, None, None))


def test_second_run_in_a_folder_raises(kept):
    first, folder = kept
    identity = json.loads((folder / "checkpoint.json").read_text())
    held = checkpoint_module.Checkpoint(folder, identity, identity.pop("gaze"), {})
    try:
        with pytest.raises(BlockingIOError, match="another run is using this folder"):
            run(6, folder, None)
    finally:
        held.close()
    assert table_bytes(run(6, folder, None)) == table_bytes(first)


def test_missing_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'gazesal\[parquet\]'"):
        run(6, tmp_path / "kept", None)


INTERRUPTED = """
import sys
from tests.evaluation.large_study import run
try:
    run(150, sys.argv[1], sys.argv[2], 0.02, int(sys.argv[3]))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupted_run_ends_at_once_with_its_workers(tmp_path, n_jobs):
    psutil = pytest.importorskip("psutil")
    log = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path / "kept"), str(log), str(n_jobs)],
        start_new_session=True,  # its workers are in its process group, as in a terminal
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(calls(log)) < 5:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= n_jobs - 1
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    made = len(calls(log))
    assert len(parts(tmp_path / "kept")) >= made - 3 * n_jobs
    got = run(150, tmp_path / "kept", log)
    assert sum(calls(log).values()) - 150 <= 3 * n_jobs
    assert got.scores["image"].nunique() == 150


def test_memory_does_not_grow_with_the_images_kept(tmp_path):
    labels = [("ann", f"method{k % 5}", f"metric{k // 5}") for k in range(60)]
    fingerprints = {f"i{number}": f"{number:032x}" for number in range(160)}
    kept = checkpoint_module.Checkpoint(tmp_path / "kept", {}, None, fingerprints, merged=40)
    images, used, arrow = 40 * 4, [], []
    with closing(kept):
        tracemalloc.start()
        try:
            for number in range(images):
                found = ImageScores(f"i{number}", *zip(*labels, strict=True), np.arange(60.0))
                kept.add(found)
                if number % 40 == 39:  # small parts have just been merged
                    used.append(tracemalloc.get_traced_memory()[0])
                    arrow.append(pa.total_allocated_bytes())
            tracemalloc.reset_peak()
            rows = kept.collect(list(fingerprints))
            peak = tracemalloc.get_traced_memory()[1] - used[-1]
        finally:
            tracemalloc.stop()
    assert len(parts(tmp_path / "kept")) == 4
    assert arrow[-1] <= arrow[0]
    assert used[-1] - used[1] < 350 * 80  # for 80 images, only the place of each, not its 60 scores
    assert peak < 45 * 60 * images  # bytes per score, because names are shared
    assert len(rows.to_frame({f"i{number}": {} for number in range(images)})) == 60 * images


def test_fixations_on_other_images_are_sent_to_every_worker(tmp_path):
    cases = [replace(case, center_bias=np.ones(SHAPE)) for case in make_cases(6)]
    options = {"sigma": SIGMA, "metrics": ["auc_shuffled", "snss", "ncc"]}
    alone = gazesal.evaluate(cases, **options)
    spread = gazesal.evaluate(cases, **options, n_jobs=2, checkpoint=tmp_path / "kept")
    assert table_bytes(spread) == table_bytes(alone)
    # The gaze on every image is input of every score, although there is no center bias of all.
    with pytest.raises(ValueError, match="the gaze on 'i005', which contributes"):
        gazesal.evaluate(cases[:5], **options, checkpoint=tmp_path / "kept")
    broken = replace(cases[2].gaze["bob"], points=np.full((6, 2), np.nan))
    cases[2] = replace(cases[2], gaze={**cases[2].gaze, "bob": broken})
    listed = gazesal.evaluate(cases, **options, bad_images="list")
    assert listed.bad_images["image"].tolist() == ["i002"]
