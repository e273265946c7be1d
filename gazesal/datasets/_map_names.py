"""Find the files of maps below a folder, and the name of the image of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazesal.datasets._arguments import as_text
from gazesal.datasets._clean_names import clean_name, clean_names, one_spelling

__all__ = ["as_pattern", "files_by_image", "pattern_hint", "require_texts"]

IMAGE, FOLDER = "{image}", "{folder}"
# Text of a pattern and the regular expression for it. Other text stands for itself.
PARTS = {
    IMAGE: "(?P<image>[^/]+)",
    FOLDER: "(?P<folder>.+)",
    "**/": "(?:.+/)?",
    "*": "[^/]*",
}
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}  # of Windows and macOS, besides ".DS_Store"
SHOWN = 3  # names in a message


@dataclass(frozen=True, slots=True)
class NamePattern:
    """Pattern of the names of maps.

    Attributes
    ----------
    names : re.Pattern
        Regular expression with a group for the image, and possibly one for the folder.
    of_paths : bool
        True if it is compared with paths below a folder instead of names of files.
    """

    names: re.Pattern[str]
    of_paths: bool

    def image_of(self, path: Path, folder: Path) -> str | None:
        """Return the name of the image of a file, or None if the pattern does not fit."""
        name = _below(path, folder) if self.of_paths else path.stem
        fit = self.names.fullmatch(one_spelling(name))
        if fit is None:
            return None
        parts = fit.groupdict()
        return f"{parts['folder']}/{parts['image']}" if "folder" in parts else parts["image"]


def as_pattern(pattern: str | None) -> NamePattern | None:
    """Return a pattern of names, or raise if its text is invalid."""
    if pattern is None:
        return None
    text = one_spelling(as_text(pattern, name="pattern"))
    rest = text.replace(IMAGE, "", 1).replace(FOLDER, "", 1)
    if IMAGE not in text or "{" in rest or "}" in rest:
        raise ValueError(
            "`pattern` must have {image} once, and may have {folder}, * and **/, such as "
            f'"{{image}}_cam" or "*/saliency_{{image}}", got {pattern!r}.'
        )
    tokens = re.split(f"({'|'.join(map(re.escape, PARTS))})", text)
    names = re.compile("".join(PARTS.get(token, re.escape(token)) for token in tokens))
    return NamePattern(names, "/" in text)


def require_texts(pattern: Any, array: Any) -> None:
    """Raise unless `pattern` and `array` are None or valid texts."""
    as_pattern(pattern)
    if array is not None:
        as_text(array, name="array")


def files_by_image(
    folder: Path, suffixes: tuple[str, ...], pattern: NamePattern | None
) -> dict[str, Path]:
    """Return the files of maps below a folder by image, and raise if no file is a map.

    Folders below it are used only if it has no maps itself. A pattern without a slash is compared
    with the names of files, and one with a slash with their paths below the folder, both without
    the suffix.
    """
    files = list(_files_in(folder))
    found = [path for path in files if path.suffix.lower() in suffixes]
    if not found or (pattern is not None and pattern.of_paths):
        files += _files_below(folder)
        found = [path for path in files if path.suffix.lower() in suffixes]
    by_image: dict[str, Path] = {}
    for path in found:
        text = path.stem if pattern is None else pattern.image_of(path, folder)
        if text is None:
            continue
        image = clean_name(text, what=f"{folder}: names of files")
        if image in by_image:
            raise _twice(folder, image, by_image[image], path)
        by_image[image] = path
    clean_names(by_image, what=f"{folder}: names of files")
    if found and not by_image:
        shown = ", ".join(repr(_below(path, folder)) for path in found[:SHOWN])
        raise ValueError(
            f"{folder}: `pattern` must fit the names of its {len(found)} maps without their "
            f"suffix, but fits none, such as {shown}."
        )
    if files and not found:
        raise ValueError(
            f"{folder}: maps must be one of {', '.join(suffixes)}, got {len(files)} other files. "
            "Convert them or remove the folder."
        )
    return by_image


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, sorted, except files of operating systems."""
    for path in sorted(folder.iterdir()):
        if not _is_hidden(path) and not path.is_dir():
            yield path


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of the folders below a folder, without links, which could lead in circles."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not _is_hidden(path) and not path.is_symlink():
            yield from _files_in(path)
            yield from _files_below(path)


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def _below(path: Path, folder: Path) -> str:
    """Return the path of a file below a folder, without its suffix."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _twice(folder: Path, image: str, first: Path, second: Path) -> ValueError:
    names = [path.relative_to(folder).as_posix() for path in (first, second)]
    advice = "Remove one."
    if first.parent != second.parent:
        advice = (
            'Give pattern="{folder}/{image}" (--pattern) if the folder is part of the name of the '
            "image, or a pattern that fits one of them."
        )
    return ValueError(
        f"{folder}: image {image!r} must have one map, got {names[0]!a} and {names[1]!a}. {advice}"
    )


# A word before or after the name. Digits may distinguish images, and a suffix is no part of a name.
WORD_AROUND = re.compile(r"([A-Za-z]+[_-])?\{image\}([_-][A-Za-z]+)?")


def pattern_hint(image: str, names: Iterable[str]) -> str:
    """Return a clause with the pattern of names around the name of an image, or an empty text.

    The name of the image may also be around one of the names, if it is from the file of a map of
    the gaze.
    """
    for name in names:
        if not isinstance(name, str):
            continue
        if pattern := _pattern_around(image, name):
            return f'; give pattern="{pattern}" (--pattern) if {name!r} is its map'
        pattern = _pattern_around(name, image)
        if WORD_AROUND.fullmatch(pattern):
            return (
                f"; if {name!r} is its map, open the maps of the gaze with "
                f'pattern="{pattern}" (--gaze-maps DIR/{pattern})'
            )
    return ""


def _pattern_around(image: str, name: str) -> str:
    """Return the pattern of a name that contains the name of an image, or an empty text."""
    before, found, after = name.partition(image)
    apart = not (before[-1:].isalnum() or after[:1].isalnum())  # "1001" is no part of "10012"
    if image and found and (before or after) and apart:
        return f"{before}{{image}}{after}"
    return ""
