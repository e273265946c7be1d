"""Steps with outputs on disk: each is done once, and again only when what it rests on changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gazesal._files import write_text

__all__ = ["Steps"]

BEGUN, DONE = "begun.json", "done.json"
FORMAT = 1  # of what steps leave: another number does all of them again


class Steps:
    """A folder of steps, each a folder of files with a note of what they were made from.

    A step that was cut off begins again on what it left, if its inputs are the same; else its
    folder is emptied first. Only folders that carry such a note are ever emptied.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self.ran: list[str] = []
        self.kept: list[str] = []
        self._prints: dict[str, str] = {}

    def __call__(
        self,
        name: str,
        make: Callable[[Path], object],
        *,
        inputs: Mapping[str, Any],
        after: Sequence[str] = (),
    ) -> Path:
        """Do a step, or keep what it left; return its folder."""
        facts = {
            "format": FORMAT,
            "inputs": dict(inputs),
            "after": {step: self._prints[step] for step in after},
        }
        text = json.dumps(facts, sort_keys=True, indent=1)
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
        folder = self.folder / name
        self._prints[name] = fingerprint
        if self._is_done(folder, fingerprint):
            self.kept.append(name)
            self.tell(f"kept {name}")
            return folder
        begun = _read(folder / BEGUN)
        if begun is None and folder.is_dir() and any(folder.iterdir()):
            raise ValueError(
                f"{folder}: holds files and no {BEGUN}, so no step of a replication wrote them; "
                "choose another folder."
            )
        if begun is not None and begun.get("fingerprint") != fingerprint:
            shutil.rmtree(folder)
        (folder / DONE).unlink(missing_ok=True)
        write_text(folder / BEGUN, json.dumps({"fingerprint": fingerprint, **facts}, indent=1))
        self.tell(f"doing {name}")
        make(folder)
        files = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in {BEGUN, DONE}
        }
        write_text(folder / DONE, json.dumps({"fingerprint": fingerprint, "files": files}))
        self.ran.append(name)
        return folder

    @staticmethod
    def _is_done(folder: Path, fingerprint: str) -> bool:
        """Whether a step ended on these inputs and its files are all there."""
        done = _read(folder / DONE)
        if done is None or done.get("fingerprint") != fingerprint:
            return False
        files = [(folder / name, size) for name, size in done["files"].items()]
        return all(path.is_file() and path.stat().st_size == size for path, size in files)


def _read(path: Path) -> dict[str, Any] | None:
    """A note, or nothing where there is none or no whole one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
