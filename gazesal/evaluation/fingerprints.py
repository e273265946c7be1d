"""What inputs are known by, so that a second run can tell whether they are the same."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gazesal.evaluation.cases import Case, Gaze

__all__ = ["Notes", "digest", "fingerprint", "gaze_fingerprint", "image_fingerprint"]


DEEPEST = 6  # how far the state of an object is followed


class Notes:
    """What was met while the fingerprints of one run were made.

    Attributes
    ----------
    unclear : set of str
        Classes of callable objects whose state could not be told.
    seen : dict
        By identity, objects and what they are known by, so that one which all cases share is looked
        at once; None while that is found out, or where it cannot be.
    """

    def __init__(self) -> None:
        self.unclear: set[str] = set()
        self.seen: dict[int, tuple[Any, str | None]] = {}


class _UnclearError(Exception):
    """The state of an object cannot be told."""


def fingerprint(source: Any, notes: Notes | None = None) -> str:
    """What a source of a map is known by.

    An array by what it holds; a file by its path as given, its size and its time of modification,
    so that a large set need not be read to know it; an object by its attribute `fingerprint`, a
    str; any other function by its module and qualified name, a method and `functools.partial` with
    what they are bound to, and a callable object by its class and its state, where that is plain:
    numbers, text, paths, arrays, functions, and lists, mappings and objects of them. The classes
    of the others go into the notes. A function that returns something else than before under
    the same name is not noticed.
    """
    own = getattr(source, "fingerprint", None)
    if isinstance(own, str):
        return f"own {own}"
    if isinstance(source, Path):
        return _of_file(source)
    if isinstance(source, Gaze):
        parts = (source.points, source.durations, source.sigma, source.visible)
        return f"gaze {digest(map(fingerprint, parts))}"
    if callable(source):
        return _of_function(source, notes)
    if source is None or isinstance(source, (str, bool, int, float)):
        return repr(source)
    return _of_array(source)


def _of_file(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"file {path} missing"
    return f"file {path} {found.st_size} {found.st_mtime_ns}"


def _of_function(function: Any, notes: Notes | None) -> str:
    notes = Notes() if notes is None else notes
    try:
        return _known(function, notes, DEEPEST)
    except _UnclearError:
        inner = function.func if isinstance(function, functools.partial) else function
        name = _name(inner if hasattr(inner, "__qualname__") else type(inner))
        notes.unclear.add(name)
        return f"function {name}"


def _known(value: Any, notes: Notes, depth: int) -> str:
    """What a function or a part of its state is known by, or an `_UnclearError`."""
    own = getattr(value, "fingerprint", None)
    if isinstance(own, str):
        return f"own {own}"
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex, np.generic)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, Path):
        return f"folder {value}" if value.is_dir() else _of_file(value)
    _, found = notes.seen.get(id(value), (None, ""))
    if found is None or depth == 0:  # it holds itself, or could not be told before
        raise _UnclearError
    if not found:
        notes.seen[id(value)] = value, None
        found = _of_parts(value, functools.partial(_known, notes=notes, depth=depth - 1))
        notes.seen[id(value)] = value, found
    return found


def _of_parts(value: Any, inside: Callable[[Any], str]) -> str:
    """What a value that is made of others is known by."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise _UnclearError
        return _of_array(value)
    if type(value) in {list, tuple}:
        return f"{type(value).__name__} {digest(map(inside, value))}"
    if type(value) in {set, frozenset}:
        return f"{type(value).__name__} {digest(sorted(map(inside, value)))}"
    if type(value) is dict:
        return f"dict {digest(inside(part) for pair in value.items() for part in pair)}"
    if hasattr(value, "__qualname__"):
        owner = getattr(value, "__self__", None)
        bound = not (owner is None or isinstance(owner, (type, ModuleType)))
        return f"function {_name(value)}" + (f" of {inside(owner)}" if bound else "")
    return f"object {_name(type(value))} {_state(value, inside)}"


def _state(value: Any, inside: Callable[[Any], str]) -> str:
    """What a copy of an object is made from."""
    if hasattr(value, "__array__"):  # a tensor, which may lie on a device
        raise _UnclearError
    try:
        made = value.__reduce_ex__(2)
    except Exception as error:  # of classes that refuse to be copied
        raise _UnclearError from error
    if isinstance(made, str):
        return made
    plain, items = list(made[:3]), [list(part) for part in made[3:5] if part is not None]
    return digest(map(inside, (*plain, *items)))


def _name(of: Any) -> str:
    return f"{of.__module__}.{of.__qualname__}"


def _of_array(value: Any) -> str:
    try:
        array = np.ascontiguousarray(value)
    except (TypeError, ValueError):  # no map: reported when it is read
        return f"object {type(value).__name__}"
    if array.dtype.hasobject:
        return f"objects {digest(map(repr, array.ravel().tolist()))}"
    content = hashlib.blake2b(array.tobytes(), digest_size=16).hexdigest()
    return f"array {array.dtype.str} {array.shape} {content}"


def digest(parts: Iterable[str]) -> str:
    """One short text for many, in order."""
    return hashlib.blake2b(json.dumps(list(parts)).encode(), digest_size=16).hexdigest()


def gaze_fingerprint(case: Case, notes: Notes | None = None) -> str:
    """What an image gives to the centre bias of all."""
    gaze = _of_each(case.gaze, notes)
    return digest([case.image, repr(tuple(case.shape)), repr(case.box), *gaze])


def image_fingerprint(case: Case, gaze: str, notes: Notes | None = None) -> str:
    """All that the scores of an image are made from, its groups and the options apart."""
    maps = _of_each(case.maps, notes)
    return digest([gaze, fingerprint(case.center_bias, notes), *maps])


def _of_each(sources: Mapping[str, Any], notes: Notes | None) -> list[str]:
    return [part for name, each in sources.items() for part in (name, fingerprint(each, notes))]
