"""Notes of what a folder was made from, which decide whether work in it can be resumed.

Checkpoints of evaluations, steps of a replication and trainings each keep such a note, a JSON file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gazesal._files import write_text

__all__ = ["differences", "read_note", "resume_or_begin", "write_note"]

LONGEST_SHOWN = 120  # characters of a value in a message; longer values are not shown

# Describe the differences of two values in words, for a name whose values say little by themselves.
Describe: TypeAlias = Callable[[Any, Any], list[str]]


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


def resume_or_begin(
    path: Path,
    facts: Mapping[str, Any],
    *,
    holds: str,
    remedy: str,
    empty: bool = False,
    described: Mapping[str, Describe] | None = None,
) -> None:
    """Note the facts of the work in a folder, or raise if the note there has other facts.

    Parameters
    ----------
    path : pathlib.Path
        File of the note, in the folder of the work.
    facts : mapping
        Everything on which the results depend, of the types of JSON.
    holds : str
        Names the work in messages, such as "a training".
    remedy : str
        Sentence that says how to resume the earlier work, or to begin without it.
    empty : bool, default False
        Replace a note with other facts, because no result has been computed from them.
    described : mapping, optional
        Functions that describe a difference, by its name. See `differences`.

    Raises
    ------
    ValueError
        If the note cannot be read or has other facts.
    """
    there = read_note(path)
    if there is None and path.is_file():
        raise ValueError(
            f"{path}: must be the note of {holds}, but cannot be read, so the content of the "
            f"folder is unknown. {remedy}"
        )
    found = [] if there is None else differences(there, facts, described)
    if found and not empty:
        raise ValueError(
            f"{path.parent}: holds {holds} that differs in {'; '.join(found)}. {remedy}"
        )
    if found or there is None:
        write_note(path, facts)


def differences(
    there: Mapping[str, Any],
    here: Mapping[str, Any],
    described: Mapping[str, Describe] | None = None,
) -> list[str]:
    """List the names whose values differ between a note and facts, with both values if short.

    Values in nested mappings have the name of their innermost key. A missing value counts as None.
    The differences of a name in `described` are those that its function returns.
    """
    found = []
    here = json.loads(json.dumps(here))  # as a note would hold it, for instance without tuples
    for name in {**here, **there}:
        old, new = there.get(name), here.get(name)
        if described and name in described and old is not None and new is not None:
            found += described[name](old, new)
        elif isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, described)
        elif old != new:
            shown = max(len(repr(old)), len(repr(new))) <= LONGEST_SHOWN
            found.append(f"{name} ({old!r} there, {new!r} here)" if shown else name)
    return found
