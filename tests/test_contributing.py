"""Check that the files and commands on the contributing page exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "contributing.md").read_text("utf-8")
NAMES = re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|\.cff|\.bib|\.pyi|/))`", PAGE)


def test_named_files_exist():
    paths = {name for name in NAMES if "/" in name or name in {"pyproject.toml", "CITATION.cff"}}
    assert len(paths) > 30
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_files_named_without_folder_exist_in_the_package():
    known = {path.name for folder in ("gazesal", "tests") for path in (ROOT / folder).rglob("*.py")}
    modules = {name for name in NAMES if "/" not in name and name.endswith(".py")}
    assert modules
    assert modules <= known


def test_commands_are_targets():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    commands = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", PAGE))
    assert {"test", "test-fast", "lint", "docs", "changelog"} <= commands <= targets
