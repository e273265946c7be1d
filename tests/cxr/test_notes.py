"""Tests of the notes of stored work."""

import pytest

from gazesal.cxr.notes import differences, read_note, write_note


def test_note_is_read_back(tmp_path):
    facts = {"model": "sononet", "settings": {"epochs": 3, "scale_factor": [0.9, 1.1]}}
    write_note(tmp_path / "folder" / "note.json", facts)
    assert read_note(tmp_path / "folder" / "note.json") == facts


@pytest.mark.parametrize("content", [None, b"", b'{"model": "son', b"[1]", b"\xff\x00"])
def test_missing_and_damaged_notes_are_none(tmp_path, content):
    if content is not None:
        (tmp_path / "note.json").write_bytes(content)
    assert read_note(tmp_path / "note.json") is None


def test_differences_name_nested_values_and_show_short_ones():
    there = {"seed": 0, "settings": {"epochs": 3, "batch_size": 64}, "images": "a" * 50}
    here = {"seed": 0, "settings": {"epochs": 4, "batch_size": 64}, "images": "b" * 50, "more": 1}
    assert differences(there, here) == [
        "epochs (3 there, 4 here)",
        "images",
        "more (None there, 1 here)",
    ]
