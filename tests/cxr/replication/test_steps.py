"""Steps: what is done again, what is kept, and what is left alone."""

import json

import pytest

from gazesal.cxr.replication.steps import Steps


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
    assert run(tmp_path, log).ran == ["first"]
    assert path.read_text() == "a"


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
