"""Notes in JSON files: the settings and inputs from which stored files were made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gazesal._files import write_text

__all__ = ["differences", "read_note", "write_note"]

LONGEST_SHOWN = 40  # characters of a value in a message; longer values are not shown


def write_note(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as JSON, atomically."""
    write_text(path, json.dumps(facts, indent=1) + "\n")


def read_note(path: Path) -> dict[str, Any] | None:
    """Return the facts of a note, or None if the file is missing or is not a complete note."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """List the names whose values differ between two notes, with both values if they are short."""
    old, new = _flat(there), _flat(here)
    found = []
    for name in {**new, **old}:
        values = old.get(name), new.get(name)
        if values[0] != values[1]:
            shown = max(len(repr(value)) for value in values) <= LONGEST_SHOWN
            both = f" ({values[0]!r} there, {values[1]!r} here)" if shown else ""
            found.append(f"{name}{both}")
    return found


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values by name, including the values of nested mappings."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return found
