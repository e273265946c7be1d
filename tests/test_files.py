"""Atomic writing of files."""

import errno
import os

import pytest

from gazesal._files import atomic_path, remove_unfinished, together, write_text


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


def test_the_file_is_renamed_only_when_complete(tmp_path):
    path = tmp_path / "new" / "a.csv"
    with atomic_path(path) as temporary:
        temporary.write_text("1\n")
        assert temporary.suffix == ".csv"
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "1\n"


def test_permissions_equal_a_plain_file(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_text("")
    write_text(ours, "")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_newlines_are_not_translated(tmp_path):
    write_text(tmp_path / "a", "x\ny\r\n")
    assert (tmp_path / "a").read_bytes() == b"x\ny\r\n"


def test_unfinished_files_are_removed_by_their_names(tmp_path, monkeypatch):
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


def full(*_args, **_options):
    """Raise the error of a full disk, which does not name the file."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a\.csv'$") as caught:
        write_text(tmp_path / "a.csv", "x")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a.csv"))


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"), atomic_path(tmp_path / "a"):
        (tmp_path / "nowhere").read_text()


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file"):
        write_text(tmp_path / "file" / "a.csv", "x")


def write_three(folder, text):
    with together() as files:
        files.text(folder / "a.csv", text)
        with files.folder(folder / "kept") as inside:
            (inside / "b.json").write_text(text)
        files.remove(folder / "old.csv")
        with files.file(folder / "c.png") as temporary:
            assert temporary.suffix == ".png"
            temporary.write_text(text)


def state(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_written_together_are_renamed_together(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").write_text("of the user")
    (tmp_path / "old.csv").write_text("old")
    write_three(tmp_path, "new")
    own = {"kept/mine.txt": "of the user"}
    assert state(tmp_path) == own | dict.fromkeys(["a.csv", "kept/b.json", "c.png"], "new")


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_full_disk_changes_no_file_of_a_folder(tmp_path, monkeypatch, at):
    write_three(tmp_path, "old")
    (tmp_path / "old.csv").write_text("old")
    before = state(tmp_path)
    write, calls = type(tmp_path).write_text, []

    def until_full(self, *args, **options):
        calls.append(self)
        return (full if len(calls) > at else write)(self, *args, **options)

    monkeypatch.setattr("pathlib.Path.write_text", until_full)
    name = ["a.csv", "kept", "c.png"][at]
    with pytest.raises(OSError, match=rf"No space left .* nothing was replaced.*{name}'$"):
        write_three(tmp_path, "new")
    monkeypatch.undo()
    assert state(tmp_path) == before
    assert not list(tmp_path.glob(".*"))
