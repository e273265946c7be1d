"""Find the files of a format in a folder."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path


def files_in(path: Path, pattern: str) -> list[Path]:
    """Return the file itself, or the files of a folder and its subfolders that match a pattern.

    The case of letters does not matter, because trackers also write ``.ASC``. Hidden files, such as
    the ``._*`` that macOS writes into archives, are ignored.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in _visible(path, pattern) if file.is_file())
    if not found:
        raise ValueError(f"{path}: must have files {pattern}, got no such file.")
    return found


def file_in(path: Path, name: str) -> Path:
    """Return the file itself, or the file of this name in a folder."""
    return path / name if path.is_dir() else path


def names_of_files(files: list[Path], folder: Path) -> list[str]:
    """Return a name for each file: without suffix, and with its folders if names are repeated."""
    stems = [file.stem for file in files]
    if len(set(stems)) == len(stems):
        return stems
    return [file.relative_to(folder).with_suffix("").as_posix() for file in files]


def _visible(folder: Path, pattern: str) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if fnmatchcase(file.name.casefold(), pattern.casefold()) and not any(
            part.startswith(".") for part in file.relative_to(folder).parts
        ):
            yield file
