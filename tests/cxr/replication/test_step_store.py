"""Steps: what is done again, what is kept, and what is left alone."""

import json
import os
import shutil

import pytest

from gazesal.cxr.replication.step_store import Steps


def run(folder, log, *, size=1, second=None):
    """Two steps, the second after the first."""
    steps = Steps(folder, lambda _: None)

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


def test_a_step_is_done_once(tmp_path):
    log = []
    assert run(tmp_path, log).ran == ["first", "second"]
    assert run(tmp_path, log).kept == ["first", "second"]
    assert log == ["first", "second"]


def test_another_input_does_the_step_and_what_rests_on_it_again(tmp_path):
    log = []
    run(tmp_path, log)
    (tmp_path / "first" / "left.txt").write_text("of the old inputs")
    assert run(tmp_path, log, size=2).ran == ["first", "second"]
    assert not (tmp_path / "first" / "left.txt").exists()


def test_a_step_that_died_is_begun_again_on_what_it_left(tmp_path):
    log = []
    with pytest.raises(RuntimeError):
        run(tmp_path, log, second=RuntimeError())
    assert (tmp_path / "second" / "b.txt").exists()
    (tmp_path / "second" / "half.txt").write_text("kept for it to go on")
    steps = run(tmp_path, log)
    assert (steps.kept, steps.ran) == (["first"], ["second"])
    assert (tmp_path / "second" / "half.txt").exists()


@pytest.mark.parametrize("harm", ["missing", "cut", "note"])
def test_files_that_are_gone_or_cut_are_made_again(tmp_path, harm):
    log = []
    run(tmp_path, log)
    path = tmp_path / "first" / "a.txt"
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_text("")
    else:
        (tmp_path / "first" / "done.json").write_text('{"fingerprint"')
    assert run(tmp_path, log).ran == ["first"]  # to the same bytes, on which the second rests
    assert path.read_text() == "a"


def replace_unnoticed(path, text):
    """Other bytes of the same size, as a copy of another run's file has them."""
    assert len(text) == path.stat().st_size
    path.unlink()
    path.write_text(text)


def test_a_file_of_equal_size_with_other_bytes_is_made_again(tmp_path):
    """And is not there when its step begins, which may keep what it finds."""
    log = []
    run(tmp_path, log, size=3)
    path = tmp_path / "first" / "a.txt"
    replace_unnoticed(path, "xyz")

    def keeping(into):
        assert not (into / "a.txt").exists()
        (into / "a.txt").write_text("aaa")

    steps = Steps(tmp_path, lambda _: None)
    steps("first", keeping, inputs={"size": 3})
    assert steps.ran == ["first"]


def test_only_the_harmed_file_is_taken_away(tmp_path):
    def make(into):
        for name in ("a", "b"):
            if not (into / name).exists():
                (into / name).write_text(name)
                made.append(name)

    made = []
    Steps(tmp_path, lambda _: None)("first", make, inputs={})
    replace_unnoticed(tmp_path / "first" / "b", "x")
    Steps(tmp_path, lambda _: None)("first", make, inputs={})
    assert made == ["a", "b", "b"]
    assert (tmp_path / "first" / "b").read_text() == "b"


def test_what_rests_on_other_bytes_of_the_same_inputs_is_done_again(tmp_path):
    def go(text):
        steps = Steps(tmp_path, lambda _: None)
        steps("first", lambda into: (into / "a").write_text(text), inputs={})
        steps("second", lambda into: (into / "b").write_text("b"), inputs={}, after=["first"])
        return steps.ran

    assert go("a") == ["first", "second"]
    (tmp_path / "first" / "a").unlink()
    assert go("b") == ["first", "second"]
    (tmp_path / "first" / "a").unlink()
    assert go("b") == ["first"]


def test_the_same_bytes_at_another_time_are_kept(tmp_path):
    run(tmp_path / "here", [])
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)
    note = tmp_path / "there" / "first" / "done.json"
    for path in (tmp_path / "there").rglob("*.txt"):
        os.utime(path, (1, 1))
    assert run(tmp_path / "there", []).ran == []
    assert json.loads(note.read_text())["files"]["a.txt"]["mtime"] == 10**9


def test_what_a_kill_left_of_a_file_is_no_output(tmp_path):
    def make(into):
        (into / ".x.partial.npz").write_text("half")
        (into / "x.npz").write_text("x")

    Steps(tmp_path, lambda _: None)("first", make, inputs={})
    (tmp_path / "first" / ".x.partial.npz").unlink()
    again = Steps(tmp_path, lambda _: None)
    again("first", make, inputs={})
    assert again.kept == ["first"]


def test_a_step_that_is_begun_again_takes_half_written_files_away(tmp_path):
    """Those of kills, which nothing would ever look at; a step that is kept is left as it is."""

    def killed(into):
        (into / "run").mkdir()
        for name in (".k3_x9ab2.partial.csv", "run/.k3_x9ab2.partial.ckpt", "run/last.ckpt"):
            (into / name).write_text("x")
        raise KeyboardInterrupt

    def make(into):
        seen.extend(path.name for path in into.rglob("*") if path.is_file())

    seen = []
    with pytest.raises(KeyboardInterrupt):
        Steps(tmp_path, lambda _: None)("first", killed, inputs={})
    Steps(tmp_path, lambda _: None)("first", make, inputs={})
    assert sorted(seen) == ["begun.json", "last.ckpt"]


def test_only_named_outputs_count(tmp_path):
    def go(log):
        steps = Steps(tmp_path, lambda _: None)

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


def test_what_is_precious_and_finished_is_not_emptied(tmp_path):
    def go(epochs, make):
        steps = Steps(tmp_path, lambda _: None)
        steps("first", make, inputs={"settings": {"epochs": epochs}, "seed": 0}, precious=True)

    def dying(into):
        raise KeyboardInterrupt

    def make(into):
        (into / "weights").write_text("w")

    with pytest.raises(KeyboardInterrupt):
        go(3, dying)
    go(4, make)  # the other was not finished
    with pytest.raises(ValueError, match=r"differs in epochs \(4 there, 5 here\)\. To start anew"):
        go(5, make)
    assert (tmp_path / "first" / "weights").read_text() == "w"


def test_a_folder_of_somebody_elses_files_is_refused(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "precious.txt").write_text("mine")
    with pytest.raises(ValueError, match="no step of a replication wrote them"):
        run(tmp_path, [])
    assert (tmp_path / "first" / "precious.txt").read_text() == "mine"


def test_the_note_says_what_a_step_was_made_from(tmp_path):
    run(tmp_path, [], size=3)
    note = json.loads((tmp_path / "first" / "begun.json").read_text())
    assert note["inputs"] == {"size": 3}
