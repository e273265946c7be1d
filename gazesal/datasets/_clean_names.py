"""Names of images, observers, methods and columns in one spelling, whatever their source.

Blanks around a name are removed, and its letters are composed (Unicode NFC). macOS and some
archives decompose the names of files, which then look like the names in a table but differ.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

JOINERS = "\u200c\u200d"  # invisible, but needed in words of some languages
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format and surrogate characters, and separators
PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
NORMALIZATION = "their accents are written in two ways (Unicode NFC and NFD), or blanks differ"


def one_spelling(text: str) -> str:
    """Return a name without blanks around it and with its letters composed."""
    return unicodedata.normalize("NFC", text.strip())


def clean_name(text: str, *, what: str) -> str:
    """Return a name without blanks around it and with its letters composed.

    Raises
    ------
    ValueError
        If the name has an invisible character, such as a line break or a zero-width space.
    """
    name = one_spelling(text)
    if name.isascii() and name.isprintable():
        return name
    for letter in name:
        if unicodedata.category(letter) in UNSEEN and letter not in JOINERS:
            raise ValueError(
                f"{what} must be without control and zero-width characters, got {text!a} with "
                f"U+{ord(letter):04X}. Rename it."
            )
    return name


def clean_names(names: Iterable[str], *, what: str) -> dict[str, str]:
    """Return the clean form of each name, and raise if two different names look the same."""
    cleaned = {name: clean_name(name, what=what) for name in names}
    seen: dict[str, str] = {}
    for name in cleaned.values():
        if name.isascii() and " " not in name:  # a fast path for most names
            seen.setdefault(name, name)
            continue
        look = re.sub(r"\s+", " ", name.translate(dict.fromkeys(map(ord, JOINERS))))
        other = seen.setdefault(look, name)
        if other != name:
            raise ValueError(f"{what} must look different, got {other!a} and {name!a}. Rename one.")
    return cleaned


def by_clean_name(items: Mapping[Any, Any], *, what: str) -> dict[str, Any]:
    """Return the values of a mapping by clean name, and raise if two names become the same."""
    texts = {key: name_as_text(key) for key in items}
    cleaned = clean_names(texts.values(), what=what)
    found: dict[str, Any] = {}
    first: dict[str, Any] = {}
    for key, text in texts.items():
        name = cleaned[text]
        if name in found:
            raise ValueError(
                f"{what} must be different, got {first[name]!a} and {key!a}: {NORMALIZATION}."
            )
        found[name], first[name] = items[key], key
    return found


def name_as_text(value: Hashable) -> str:
    """Return a name as text, with whole floats without a decimal point and missing values as "".

    In a column with missing values, pandas stores integers as floats, such as 7.0 for image 7.
    """
    if isinstance(value, str):
        return value
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:  # of pandas
        return ""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 (NaN)
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def picture_stems(names: Sequence[str]) -> list[str]:
    """Return names of images without the suffix of a picture and the folders before it.

    Folders, or both, stay if different names would become the same.
    """
    stems, whole = [], []
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        picture = path.suffix.lower() in PICTURES
        stems.append(path.stem if picture else name)
        whole.append(str(path.with_suffix("")) if picture else name)
    for shorter in (stems, whole):
        if len(set(shorter)) == len(set(names)):
            return shorter
    return list(names)


def similar_name(name: str, names: Iterable[str]) -> str:
    """Return a clause for a message about a similar name among others, or an empty text."""
    for other in names:
        if not isinstance(other, str) or not other or other == name:
            continue
        if other.casefold() == name.casefold():
            return f"; {other!r} differs only in case"
        shorter, longer = sorted((name, other), key=len)
        if len(shorter) >= SHORTEST_CUT and longer.startswith(shorter):
            which = "begins with it" if longer == other else "is its beginning"
            return f"; {other!r} {which}, so one of the two may be cut off"
        if longer.startswith(f"{shorter}."):
            return f"; {other!r} differs only in the suffix"
    return ""


SHORTEST_CUT = 8  # letters; shorter names have the same beginning by chance
