"""Files written whole or not at all, and what they are known by."""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = re.compile(r"\.[a-z0-9_]{8}\.partial(\.\w+)?", re.ASCII)  # as atomic_path names them


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    Whoever reads `path` sees the old file or the whole new one, never a part, also after a kill.
    The temporary name keeps the suffix, by which writers tell formats apart.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".partial{path.suffix}")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
