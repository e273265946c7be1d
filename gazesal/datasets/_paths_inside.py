"""Paths that a table names: relative to a folder, and inside it."""

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath


def path_inside(root: Path, text: str) -> Path:
    """Return the path below `root` that a table names; a ValueError where it would lead out of it.

    Slashes part its names on every system. What lies in the folder may be a link to elsewhere,
    which whoever made the folder has put there; a table cannot.
    """
    parts = PurePosixPath(text).parts
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive
    if absolute or ".." in (*parts, *PureWindowsPath(text).parts) or "\0" in text:
        raise ValueError(
            f"must be a path inside the folder {root}, without '..' and not absolute, got {text!r}"
        )
    path = root.joinpath(*parts)
    return path if text.isascii() or path.exists() else _as_on_disk(root, parts)


def _as_on_disk(root: Path, parts: tuple[str, ...]) -> Path:
    """Return a path below `root` with the letters of its names composed as on disk."""
    path = root
    for part in parts:
        name = unicodedata.normalize("NFC", part)
        there = sorted(path.iterdir()) if path.is_dir() and not (path / part).exists() else []
        same = [each for each in there if unicodedata.normalize("NFC", each.name) == name]
        path = same[0] if same else path / part
    return path
