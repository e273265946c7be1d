"""Atomic writing of files, and the facts by which a changed file is detected."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_REPLACED = "nothing was replaced. Free some space, or name another folder"
UNFINISHED = re.compile(r"\.[a-z0-9_]{8}\.partial(\.\w+)?", re.ASCII)  # see `_temporary`


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds.

    Readers of `path` always find the old file or the complete new one, also after a kill. The
    temporary file is in the same folder and has the same suffix, by which writers distinguish
    formats. Errors of the system that name no file or the temporary one, such as a full disk, name
    `path` instead.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        yield temporary
        _finish(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.filename is None or Path(error.filename) == temporary:
            what = error.strerror or str(error)
            raise OSError(error.errno or errno.EIO, what, str(path)) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


class Together:
    """Files and folders that are written under temporary names and then renamed together.

    It is made by `together`.
    """

    def __init__(self) -> None:
        self._files: dict[Path, Path] = {}
        self._folders: dict[Path, Path] = {}
        self._removed: list[Path] = []

    @contextmanager
    def file(self, path: Path) -> Iterator[Path]:
        """Yield a temporary path with the suffix of `path`. Errors name `path`."""
        with naming(path, NOT_REPLACED):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = temporary = _temporary(path)
            yield temporary
            _finish(temporary)

    def text(self, path: Path, text: str) -> None:
        """Write UTF-8 text without converting newlines."""
        with self.file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")

    @contextmanager
    def folder(self, path: Path) -> Iterator[Path]:
        """Yield a temporary folder, whose files replace the files of the same names in `path`.

        Other files in `path` stay. Errors name `path`.
        """
        with naming(path, NOT_REPLACED):
            path.parent.mkdir(parents=True, exist_ok=True)
            name = tempfile.mkdtemp(dir=path.parent, prefix=".", suffix=".partial")
            self._folders[path] = temporary = Path(name)
            yield temporary

    def remove(self, path: Path) -> None:
        """Remove a file of an earlier run when the new files are renamed."""
        self._removed.append(path)

    def take_places(self) -> None:
        """Rename all temporary files to their final names."""
        for path, temporary in self._folders.items():
            for file in sorted(each for each in temporary.rglob("*") if each.is_file()):
                target = path / file.relative_to(temporary)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
        for path, temporary in self._files.items():
            temporary.replace(path)
        for path in self._removed:
            path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove all temporary files and folders that are left."""
        for temporary in self._files.values():
            temporary.unlink(missing_ok=True)
        for temporary in self._folders.values():
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def together() -> Iterator[Together]:
    """Write several files so that all of them are replaced, or none.

    The files are renamed when the block succeeds. If it fails, nothing changes. A kill between two
    renames can leave some of the files new, but each is complete.
    """
    files = Together()
    try:
        yield files
        files.take_places()
    finally:
        files.discard()


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files that killed runs left below a folder without a writer."""
    for path in folder.rglob(".*.partial*"):
        if UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, without converting newlines."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def written(path: Path) -> str:
    """Return the size and the time of modification of a file, to detect changes without reading."""
    try:
        facts = path.stat()
    except OSError:
        return "absent"
    return f"{facts.st_size} bytes, {facts.st_mtime_ns}"


@contextmanager
def naming(path: Path, advice: str) -> Iterator[None]:
    """Add a file's name and advice to errors of the system, such as a full disk.

    Errors of writing have neither, because only opening a file names it.
    """
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, f"{what}; {advice}", str(path)) from error


def _temporary(path: Path) -> Path:
    """Make an empty file with a unique name in the folder of `path`, with the same suffix."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".partial{path.suffix}")
    os.close(handle)
    return Path(name)


def _finish(temporary: Path) -> None:
    """Set the permissions of a new file, and wait until its content is on the disk."""
    temporary.chmod(0o666 & ~_umask())
    with temporary.open("rb") as written:
        os.fsync(written.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
