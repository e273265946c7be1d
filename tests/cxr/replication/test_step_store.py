"""Tests of the store of steps: repeated, kept and foreign files."""

import json
import os
import shutil

import pytest

from gazesal.cxr.replication.step_store import StepStore


def run(folder, log, *, size=1, second=None):
    """Run two steps, the second after the first."""
    steps = StepStore(folder, lambda _: None)

    def first(into):
        log.append("first")
        (into / "a.txt").write_text("a" * size)

    def later(into):
        log.append("second")
        (into / "b.txt").write_text("b")
        if second is not None:
            raise second

    steps("first", first, inputs={"size": size})
    steps("second", later, inputs={}, after=["first"])
    return steps


def test_step_runs_once(tmp_path):
    log = []
    assert run(tmp_path, log).ran == ["first", "second"]
    assert run(tmp_path, log).kept == ["first", "second"]
    assert log == ["first", "second"]


def test_changed_input_repeats_the_step_and_later_steps(tmp_path):
    log = []
    run(tmp_path, log)
    (tmp_path / "first" / "left.txt").write_text("of the old inputs")
    assert run(tmp_path, log, size=2).ran == ["first", "second"]
    assert not (tmp_path / "first" / "left.txt").exists()


def test_interrupted_step_resumes_from_its_files(tmp_path):
    log = []
    with pytest.raises(RuntimeError):
        run(tmp_path, log, second=RuntimeError())
    assert (tmp_path / "second" / "b.txt").exists()
    (tmp_path / "second" / "half.txt").write_text("kept, to resume from it")
    steps = run(tmp_path, log)
    assert (steps.kept, steps.ran) == (["first"], ["second"])
    assert (tmp_path / "second" / "half.txt").exists()


@pytest.mark.parametrize("harm", ["missing", "cut", "note"])
def test_missing_and_damaged_files_are_made_again(tmp_path, harm):
    log = []
    run(tmp_path, log)
    path = tmp_path / "first" / "a.txt"
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_text("")
    else:
        (tmp_path / "first" / "done.json").write_text('{"fingerprint"')
    assert run(tmp_path, log).ran == ["first"]  # its bytes are the same, so the second step is kept
    assert path.read_text() == "a"


def replace_unnoticed(path, text):
    """Write other bytes of the same size."""
    assert len(text) == path.stat().st_size
    path.unlink()
    path.write_text(text)


def test_changed_file_of_equal_size_is_made_again(tmp_path):
    """The changed file is removed before its step, which may keep existing files."""
    log = []
    run(tmp_path, log, size=3)
    path = tmp_path / "first" / "a.txt"
    replace_unnoticed(path, "xyz")

    def keeping(into):
        assert not (into / "a.txt").exists()
        (into / "a.txt").write_text("aaa")

    steps = StepStore(tmp_path, lambda _: None)
    steps("first", keeping, inputs={"size": 3})
    assert steps.ran == ["first"]


def test_only_the_damaged_file_is_removed(tmp_path):
    def make(into):
        for name in ("a", "b"):
            if not (into / name).exists():
                (into / name).write_text(name)
                made.append(name)

    made = []
    StepStore(tmp_path, lambda _: None)("first", make, inputs={})
    replace_unnoticed(tmp_path / "first" / "b", "x")
    StepStore(tmp_path, lambda _: None)("first", make, inputs={})
    assert made == ["a", "b", "b"]
    assert (tmp_path / "first" / "b").read_text() == "b"


def test_changed_bytes_of_a_step_repeat_later_steps(tmp_path):
    def go(text):
        steps = StepStore(tmp_path, lambda _: None)
        steps("first", lambda into: (into / "a").write_text(text), inputs={})
        steps("second", lambda into: (into / "b").write_text("b"), inputs={}, after=["first"])
        return steps.ran

    assert go("a") == ["first", "second"]
    (tmp_path / "first" / "a").unlink()
    assert go("b") == ["first", "second"]
    (tmp_path / "first" / "a").unlink()
    assert go("b") == ["first"]


def test_same_bytes_with_another_time_are_kept(tmp_path):
    run(tmp_path / "here", [])
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)
    note = tmp_path / "there" / "first" / "done.json"
    for path in (tmp_path / "there").rglob("*.txt"):
        os.utime(path, (1, 1))
    assert run(tmp_path / "there", []).ran == []
    assert json.loads(note.read_text())["files"]["a.txt"]["mtime"] == 10**9


def test_unfinished_files_are_not_outputs(tmp_path):
    def make(into):
        (into / ".x.partial.npz").write_text("half")
        (into / "x.npz").write_text("x")

    StepStore(tmp_path, lambda _: None)("first", make, inputs={})
    (tmp_path / "first" / ".x.partial.npz").unlink()
    again = StepStore(tmp_path, lambda _: None)
    again("first", make, inputs={})
    assert again.kept == ["first"]


def test_resumed_step_removes_unfinished_files(tmp_path):
    """A killed run leaves them."""

    def killed(into):
        (into / "run").mkdir()
        for name in (".k3_x9ab2.partial.csv", "run/.k3_x9ab2.partial.ckpt", "run/last.ckpt"):
            (into / name).write_text("x")
        raise KeyboardInterrupt

    def make(into):
        seen.extend(path.name for path in into.rglob("*") if path.is_file())

    seen = []
    with pytest.raises(KeyboardInterrupt):
        StepStore(tmp_path, lambda _: None)("first", killed, inputs={})
    StepStore(tmp_path, lambda _: None)("first", make, inputs={})
    assert sorted(seen) == ["begun.json", "last.ckpt"]


def test_only_named_outputs_affect_later_steps(tmp_path):
    def go(log):
        steps = StepStore(tmp_path, lambda _: None)

        def make(into):
            (into / "weights").write_text("w")
            (into / "log").write_text(log)

        steps("first", make, inputs={}, outputs=["weights"])
        steps("second", lambda into: (into / "b").write_text("b"), inputs={}, after=["first"])
        return steps.ran

    assert go("at noon") == ["first", "second"]
    (tmp_path / "first" / "log").unlink()
    assert go("") == []
    (tmp_path / "first" / "weights").unlink()
    assert go("at one") == ["first"]


def test_finished_precious_step_is_not_emptied(tmp_path):
    def go(epochs, make):
        steps = StepStore(tmp_path, lambda _: None)
        steps("first", make, inputs={"settings": {"epochs": epochs}, "seed": 0}, precious=True)

    def dying(into):
        raise KeyboardInterrupt

    def make(into):
        (into / "weights").write_text("w")

    with pytest.raises(KeyboardInterrupt):
        go(3, dying)
    go(4, make)  # the first training was not finished
    with pytest.raises(ValueError, match=r"differs in epochs \(4 there, 5 here\)\. To start again"):
        go(5, make)
    assert (tmp_path / "first" / "weights").read_text() == "w"


def test_folder_of_other_files_raises(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "precious.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be empty or the folder of a step"):
        run(tmp_path, [])
    assert (tmp_path / "first" / "precious.txt").read_text() == "mine"


def test_note_holds_the_inputs_of_a_step(tmp_path):
    run(tmp_path, [], size=3)
    note = json.loads((tmp_path / "first" / "begun.json").read_text())
    assert note["inputs"] == {"size": 3}
