"""Files written whole or not at all, and what they are known by."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_REPLACED = "nothing was replaced. Free some space, or name another folder"
UNFINISHED = re.compile(r"\.[a-z0-9_]{8}\.partial(\.\w+)?", re.ASCII)  # as atomic_path names them


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    Whoever reads `path` sees the old file or the whole new one, never a part, also after a kill.
    The temporary name keeps the suffix, by which writers distinguish formats. An error of the
    system that names no file or the temporary one, such as that of a full disk, names `path`.
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
    """Files and folders that are written under temporary names and take their places together.

    Made by `together`.
    """

    def __init__(self) -> None:
        self._files: dict[Path, Path] = {}
        self._folders: dict[Path, Path] = {}
        self._removed: list[Path] = []

    @contextmanager
    def file(self, path: Path) -> Iterator[Path]:
        """Yield a temporary path beside `path`, with its suffix; errors name `path`."""
        with naming(path, NOT_REPLACED):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = temporary = _temporary(path)
            yield temporary
            _finish(temporary)

    def text(self, path: Path, text: str) -> None:
        """Write UTF-8 text, with newlines as given."""
        with self.file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")

    @contextmanager
    def folder(self, path: Path) -> Iterator[Path]:
        """Yield a temporary folder beside `path`, whose files replace those of `path`.

        Other files in `path` stay. Errors name `path`.
        """
        with naming(path, NOT_REPLACED):
            path.parent.mkdir(parents=True, exist_ok=True)
            name = tempfile.mkdtemp(dir=path.parent, prefix=".", suffix=".partial")
            self._folders[path] = temporary = Path(name)
            yield temporary

    def remove(self, path: Path) -> None:
        """Remove a file of an earlier run when the others take their places."""
        self._removed.append(path)

    def _take_places(self) -> None:
        for path, temporary in self._folders.items():
            for file in sorted(each for each in temporary.rglob("*") if each.is_file()):
                target = path / file.relative_to(temporary)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
        for path, temporary in self._files.items():
            temporary.replace(path)
        for path in self._removed:
            path.unlink(missing_ok=True)

    def _discard(self) -> None:
        for temporary in self._files.values():
            temporary.unlink(missing_ok=True)
        for temporary in self._folders.values():
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def together() -> Iterator[Together]:
    """Write several files so that either all of them are replaced or none.

    They take their places when the block succeeds; if it fails, a folder is left as it was. A kill
    between two renames can leave some of them new, but each is whole.
    """
    files = Together()
    try:
        yield files
        files._take_places()
    finally:
        files._discard()


def remove_unfinished(folder: Path) -> None:
    """Take away what kills left of files in the making, in all of a folder that nobody writes."""
    for path in folder.rglob(".*.partial*"):
        if UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with newlines as given."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def written(path: Path) -> str:
    """The size of a file and when it was written, by which a change is seen without reading it."""
    try:
        facts = path.stat()
    except OSError:
        return "absent"
    return f"{facts.st_size} bytes, {facts.st_mtime_ns}"


@contextmanager
def naming(path: Path, advice: str) -> Iterator[None]:
    """Raise errors of the system, such as a full disk, with the file's name and what to do.

    Those of writing have neither: only opening a file names it.
    """
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, f"{what}; {advice}", str(path)) from error


def _temporary(path: Path) -> Path:
    """Make an empty file beside `path` with a name of its own and the same suffix."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".partial{path.suffix}")
    os.close(handle)
    return Path(name)


def _finish(temporary: Path) -> None:
    """Give a file the permissions of a plain one, and wait until it is on the disk."""
    temporary.chmod(0o666 & ~_umask())
    with temporary.open("rb") as written:
        os.fsync(written.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
