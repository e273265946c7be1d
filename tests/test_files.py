"""Files are written whole or not at all."""

import os

import pytest

from gazesal._files import atomic_path, remove_unfinished, write_text


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


def test_the_file_appears_under_its_name_only_when_whole(tmp_path):
    path = tmp_path / "new" / "a.csv"
    with atomic_path(path) as temporary:
        temporary.write_text("1\n")
        assert temporary.suffix == ".csv"
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "1\n"


def test_permissions_are_those_of_a_plain_file(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_text("")
    write_text(ours, "")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_newlines_are_not_translated(tmp_path):
    write_text(tmp_path / "a", "x\ny\r\n")
    assert (tmp_path / "a").read_bytes() == b"x\ny\r\n"


def test_what_kills_left_is_taken_away_by_the_name_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.setattr("pathlib.Path.unlink", lambda *_, **__: None)  # as after a kill
    for name in ("a.npz", "deep/b.pt", "deep/c"):
        with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / name):
            raise KeyboardInterrupt
    monkeypatch.undo()
    kept = {"a.npz", "mine.partial.npz", ".mine.partial.csv", ".abcdefgh.partial.old.csv"}
    for name in kept:
        (tmp_path / name).write_text("of the user")
    (tmp_path / ".abcdefgh.partial.d").mkdir()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 7
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == kept
