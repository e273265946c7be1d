"""Files are written whole or not at all."""

import os

import pytest

from gazesal._files import atomic_path, write_text


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
