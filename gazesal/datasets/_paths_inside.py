"""Resolve paths in a table, which are relative to a folder and inside it."""

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath


def path_inside(root: Path, text: str) -> Path:
    """Return the path below `root` that a table names, and raise if it would lead out of `root`.

    Slashes separate its parts on every system. Links in the folder are followed, because only the
    owner of the folder, not the author of a table, can make them.
    """
    parts = PurePosixPath(text).parts
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive
    if absolute or ".." in (*parts, *PureWindowsPath(text).parts) or "\0" in text:
        raise ValueError(
            f"must be a path inside the folder {root}, relative and without '..', got {text!r}"
        )
    path = root.joinpath(*parts)
    return path if text.isascii() or path.exists() else _as_on_disk(root, parts)


def _as_on_disk(root: Path, parts: tuple[str, ...]) -> Path:
    """Return a path below `root` in the spelling of the disk, with composed letters or not."""
    path = root
    for part in parts:
        name = unicodedata.normalize("NFC", part)
        there = sorted(path.iterdir()) if path.is_dir() and not (path / part).exists() else []
        same = [each for each in there if unicodedata.normalize("NFC", each.name) == name]
        path = same[0] if same else path / part
    return path
