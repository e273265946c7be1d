"""Steps with files on disk: each runs once, and again only if something it depends on changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gazesal._digests import digest_of_facts, digest_of_file
from gazesal._files import remove_unfinished
from gazesal._resume import differences, read_note, write_note

__all__ = ["StepStore"]

BEGUN, DONE = "begun.json", "done.json"
FORMAT = 2  # of the files that steps leave; another number runs every step again


class StepStore:
    """A folder with one folder per step, which holds the step's files and two notes.

    ``begun.json`` names the inputs of the step, and ``done.json`` the files that it wrote with
    their digests. A step is identified by its inputs and by the digests of the files of the steps
    before it.

    - A finished step whose files are unchanged is kept.
    - A file that is missing or has other bytes is removed, and its step runs again on the rest.
    - An interrupted step with the same inputs resumes from its whole files.
    - A step with other inputs starts from an empty folder. Only folders with a note of a step are
      ever emptied.

    Attributes
    ----------
    folder : pathlib.Path
        The folder.
    tell : callable
        Called with one line per step.
    ran, kept : list of str
        Names of the steps that ran, and of the steps whose files were kept.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self.ran: list[str] = []
        self.kept: list[str] = []
        self._outputs: dict[str, str] = {}  # digest of the files of each step

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
        """Run a step or keep its files, and return its folder.

        Parameters
        ----------
        name : str
            Name of the step and of its folder.
        make : callable
            Write the files of the step into the folder that it is called with.
        inputs : mapping
            Facts on which the files depend, of the types of JSON.
        after : sequence of str
            Earlier steps whose files this step reads.
        outputs : sequence of str, optional
            Names of the files that later steps depend on. By default all.
        precious : bool, default False
            Refuse to empty the folder if the step finished with other inputs.

        Returns
        -------
        pathlib.Path
            Folder of the step.

        Raises
        ------
        ValueError
            If the folder holds other files, or a finished and precious step with other inputs.
        """
        facts = {
            "format": FORMAT,
            "inputs": dict(inputs),
            "after": {step: self._outputs[step] for step in after},
        }
        folder = self.folder / name
        begun, done = read_note(folder / BEGUN), read_note(folder / DONE)
        differing = [] if begun is None else differences(begun, facts)
        if begun is not None and not differing and done is not None:
            files, damaged = _check(folder, done["files"])
            if not damaged:
                if files != done["files"]:  # the same bytes with another time of modification
                    write_note(folder / DONE, {"files": files})
                self._outputs[name] = _digest_of_outputs(files)
                self.kept.append(name)
                self.tell(f"kept {name}")
                return folder
            for path in damaged:
                path.unlink(missing_ok=True)
        if begun is None and folder.is_dir() and any(folder.iterdir()):
            raise ValueError(
                f"{folder}: must be empty or the folder of a step, but holds files and no {BEGUN}. "
                "Choose another folder."
            )
        if differing and precious and done is not None:
            raise ValueError(
                f"{folder}: holds a finished training that differs in {'; '.join(differing)}. To "
                "start again, choose another folder for the replication or remove this one."
            )
        if differing:
            shutil.rmtree(folder)
        remove_unfinished(folder)
        (folder / DONE).unlink(missing_ok=True)
        write_note(folder / BEGUN, facts)
        self.tell(f"doing {name}")
        make(folder)
        files = {
            path.relative_to(folder).as_posix(): _describe(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and path.name not in {BEGUN, DONE}
            and not path.name.startswith(".")  # unfinished files of a killed run
            and (outputs is None or path.relative_to(folder).as_posix() in outputs)
        }
        write_note(folder / DONE, {"files": files})
        self._outputs[name] = _digest_of_outputs(files)
        self.ran.append(name)
        return folder


def _describe(path: Path) -> dict[str, Any]:
    """Return size, time of modification and digest of a file."""
    facts = path.stat()
    return {"size": facts.st_size, "mtime": facts.st_mtime_ns, "sha256": digest_of_file(path)}


def _check(
    folder: Path, noted: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Mapping[str, Any]], list[Path]]:
    """Return descriptions of the noted files as they are, and the missing or changed files.

    A file is read only if its size or time of modification differs from the note, because a
    replication stores many maps.
    """
    files, damaged = {}, []
    for name, facts in noted.items():
        path = folder / name
        files[name] = facts
        if not path.is_file():
            damaged.append(path)
            continue
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) != (facts["size"], facts["mtime"]):
            files[name] = _describe(path)
            if files[name]["sha256"] != facts["sha256"]:
                damaged.append(path)
    return files, damaged


def _digest_of_outputs(files: Mapping[str, Mapping[str, Any]]) -> str:
    return digest_of_facts({name: facts["sha256"] for name, facts in files.items()})
