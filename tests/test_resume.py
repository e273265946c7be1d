"""Tests of the notes by which stored work is resumed."""

import pytest

from gazesal._resume import differences, read_note, resume_or_begin, write_note


def test_note_is_read_as_written(tmp_path):
    facts = {"model": "sononet", "settings": {"epochs": 3, "scale_factor": [0.9, 1.1]}}
    write_note(tmp_path / "folder" / "note.json", facts)
    assert read_note(tmp_path / "folder" / "note.json") == facts


@pytest.mark.parametrize("content", [None, b"", b'{"model": "son', b"[1]", b"\xff\x00"])
def test_missing_and_damaged_notes_return_none(tmp_path, content):
    if content is not None:
        (tmp_path / "note.json").write_bytes(content)
    assert read_note(tmp_path / "note.json") is None


def test_differences_name_nested_values_and_show_short_ones():
    there = {"seed": 0, "settings": {"epochs": 3, "batch_size": 64}, "images": "a" * 150}
    here = {"seed": 0, "settings": {"epochs": 4, "batch_size": 64}, "images": "b" * 150, "more": 1}
    assert differences(there, here) == [
        "epochs (3 there, 4 here)",
        "images",
        "more (None there, 1 here)",
    ]


def resume(path, facts, **options):
    resume_or_begin(path, facts, holds="some work", remedy="Use another folder.", **options)


def test_work_begins_with_a_note_and_resumes_with_the_same_facts(tmp_path):
    path = tmp_path / "work" / "note.json"
    resume(path, {"sizes": (3, 4)})
    before = path.stat().st_mtime_ns
    resume(path, {"sizes": [3, 4]})  # as JSON holds a tuple
    assert (read_note(path), path.stat().st_mtime_ns) == ({"sizes": [3, 4]}, before)


def test_other_facts_raise_unless_nothing_has_been_computed(tmp_path):
    path = tmp_path / "note.json"
    resume(path, {"seed": 0})
    with pytest.raises(ValueError, match=r"work that differs in seed \(0 there, 1 here\)\. Use"):
        resume(path, {"seed": 1})
    assert read_note(path) == {"seed": 0}
    resume(path, {"seed": 1}, empty=True)
    assert read_note(path) == {"seed": 1}


def test_unreadable_note_raises_and_stays(tmp_path):
    path = tmp_path / "note.json"
    path.write_bytes(b"{")
    with pytest.raises(ValueError, match=r"note\.json: must be the note of some work"):
        resume(path, {"seed": 0}, empty=True)
    assert path.read_bytes() == b"{"


def test_named_difference_is_described_by_its_function():
    found = differences(
        {"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": lambda old, new: [f"{old}-{new}"]}
    )
    assert found == ["1-2", "b (1 there, 2 here)"]
