"""Steps with outputs on disk: each is done once, and again only when what it rests on changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gazesal._digests import digest_of_file
from gazesal._files import remove_unfinished, write_text

__all__ = ["Steps"]

BEGUN, DONE = "begun.json", "done.json"
FORMAT = 2  # of what steps leave: another number does all of them again


class Steps:
    """A folder of steps, each a folder of files with notes of what went in and what came out.

    What came out is known by its bytes, and a step by its inputs and what came out of those before
    it. A file that is gone or has other bytes than were written is taken away, and its step done
    again on the rest. A step that was cut off begins again on what it left, if its inputs are the
    same, less files that were half written; else its folder is emptied first. Only folders that
    carry such a note are ever emptied.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self.ran: list[str] = []
        self.kept: list[str] = []
        self._made: dict[str, str] = {}  # digest of what came out of each step

    def __call__(
        self,
        name: str,
        make: Callable[[Path], object],
        *,
        inputs: Mapping[str, Any],
        after: Sequence[str] = (),
        outputs: Sequence[str] | None = None,
        precious: bool = False,
    ) -> Path:
        """Do a step, or keep what it left; return its folder.

        `outputs` names the files that count, by default all. A `precious` step that ended on other
        inputs is not emptied: that is a ValueError.
        """
        facts = {
            "format": FORMAT,
            "inputs": dict(inputs),
            "after": {step: self._made[step] for step in after},
        }
        fingerprint = _digest_of(facts)
        folder = self.folder / name
        done = _read(folder / DONE)
        if done is not None and done.get("fingerprint") == fingerprint:
            files, harmed = _look_at(folder, done["files"])
            if not harmed:
                if files != done["files"]:  # the same bytes, but copied or touched
                    write_text(folder / DONE, json.dumps({**done, "files": files}))
                self._made[name] = _digest_of_outputs(files)
                self.kept.append(name)
                self.tell(f"kept {name}")
                return folder
            for path in harmed:
                path.unlink(missing_ok=True)
        self._prepare(folder, fingerprint, facts, finished=done is not None, precious=precious)
        self.tell(f"doing {name}")
        make(folder)
        files = {
            path.relative_to(folder).as_posix(): _describe(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and path.name not in {BEGUN, DONE}
            and not path.name.startswith(".")  # what a kill left of a file in the making
            and (outputs is None or path.relative_to(folder).as_posix() in outputs)
        }
        write_text(folder / DONE, json.dumps({"fingerprint": fingerprint, "files": files}))
        self._made[name] = _digest_of_outputs(files)
        self.ran.append(name)
        return folder

    @staticmethod
    def _prepare(
        folder: Path,
        fingerprint: str,
        facts: Mapping[str, Any],
        *,
        finished: bool,
        precious: bool,
    ) -> None:
        """Leave in a folder what a step may go on from, and write down what it begins on."""
        begun = _read(folder / BEGUN)
        if begun is None and folder.is_dir() and any(folder.iterdir()):
            raise ValueError(
                f"{folder}: holds files and no {BEGUN}, so no step of a replication wrote them; "
                "choose another folder."
            )
        if begun is not None and begun.get("fingerprint") != fingerprint:
            if precious and finished:
                raise ValueError(
                    f"{folder}: holds a finished training that differs in "
                    f"{'; '.join(_differences(begun, facts))}. To start anew, choose another "
                    "folder for the replication, or take this one away."
                )
            shutil.rmtree(folder)
        remove_unfinished(folder)
        (folder / DONE).unlink(missing_ok=True)
        write_text(folder / BEGUN, json.dumps({"fingerprint": fingerprint, **facts}, indent=1))


def _describe(path: Path) -> dict[str, Any]:
    facts = path.stat()
    return {"size": facts.st_size, "mtime": facts.st_mtime_ns, "sha256": digest_of_file(path)}


def _look_at(
    folder: Path, noted: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Mapping[str, Any]], list[Path]]:
    """Files as they are, and those of them that are gone or have other bytes.

    They are read only where size or time differ from what was noted: maps are many.
    """
    files, harmed = {}, []
    for name, facts in noted.items():
        path = folder / name
        files[name] = facts
        if not path.is_file():
            harmed.append(path)
            continue
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) != (facts["size"], facts["mtime"]):
            files[name] = _describe(path)
            if files[name]["sha256"] != facts["sha256"]:
                harmed.append(path)
    return files, harmed


def _digest_of(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _digest_of_outputs(files: Mapping[str, Mapping[str, Any]]) -> str:
    return _digest_of({name: facts["sha256"] for name, facts in files.items()})


def _differences(begun: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """What differs between the facts of two steps, each with both values where they are short."""
    there, here = _flat(begun), _flat(facts)
    found = []
    for name in sorted(there.keys() | here.keys()):
        values = there.get(name), here.get(name)
        if values[0] != values[1] and name != "fingerprint":
            shown = max(len(repr(value)) for value in values) <= 40
            both = f" ({values[0]!r} there, {values[1]!r} here)" if shown else ""
            found.append(f"{name}{both}")
    return found


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their own names, those of mappings within included."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return found


def _read(path: Path) -> dict[str, Any] | None:
    """A note, or nothing where there is none or no whole one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
