"""What inputs are known by, so that a second run can tell whether they are the same."""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from gazesal.evaluation.case import Case, Gaze
from gazesal.evaluation.storage.callable_states import (
    as_values,
    is_model,
    state_of_class,
    state_of_function,
    state_of_model,
)

__all__ = ["Notes", "digest", "fingerprint", "gaze_fingerprint", "image_fingerprint"]


DEEPEST = 40  # levels of objects within objects; guards against endless ones


class Notes:
    """What was met while the fingerprints of one run were made.

    Attributes
    ----------
    unclear : set of str
        Functions, and classes of callable objects, whose state is not known in full.
    seen : dict
        By identity, objects, their fingerprints, and whether these are incomplete, so that an
        object which all cases share is read once. The fingerprint is None while it is being made.
    misses : int
        Number of values met so far that have no fingerprint.
    """

    def __init__(self) -> None:
        self.unclear: set[str] = set()
        self.seen: dict[int, tuple[Any, str | None, bool]] = {}
        self.misses = 0

    def miss(self, value: Any) -> str:
        """Return the class of a value that has no fingerprint, and count it."""
        self.misses += 1
        return f"object {_name(type(value))}"


class _UnclearError(Exception):
    """The state of an object cannot be told."""


def fingerprint(source: Any, notes: Notes | None = None) -> str:
    """Return the fingerprint of a source of a map, by which a checkpoint knows it.

    An array by what it holds; a file by its path as given, its size and its time of modification,
    so that a large set need not be read to know it; an object by its attribute `fingerprint`, a
    str; any other function by its name, its code, and the values that it uses: variables around it,
    defaults, globals, and what a method or `functools.partial` is bound to. A callable object is
    known by its class and its state, and a model of torch by its weights, statistics, modes and
    attributes. State is numbers, texts (of a file, if they are its path), paths, arrays, tensors,
    tables, functions, models, and lists, mappings and objects of them. Sources with other values,
    or with the path of a folder, are named in the notes. Functions of libraries are taken to be the
    same in every run.
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
    before = notes.misses
    found = _known(function, notes, DEEPEST)
    if notes.misses > before:
        inner = function.func if isinstance(function, functools.partial) else function
        notes.unclear.add(_name(inner if hasattr(inner, "__qualname__") else type(inner)))
    return found


def _known(value: Any, notes: Notes, depth: int) -> str:
    """Return the fingerprint of a function or a part of its state."""
    if plain := _of_plain(value):
        notes.misses += _is_folder(value)
        return plain
    _, found, unclear = notes.seen.get(id(value), (None, "", False))
    if found:
        notes.misses += unclear
        return found
    if found is None or depth == 0:  # it uses or holds itself
        known = isinstance(value, (FunctionType, type))
        return f"again {_name(value)}" if known else notes.miss(value)
    before = notes.misses
    notes.seen[id(value)] = value, None, False
    try:
        found = _of_parts(value, functools.partial(_known, notes=notes, depth=depth - 1))
    except _UnclearError:
        found = notes.miss(value)
    notes.seen[id(value)] = value, found, notes.misses > before
    return found


def _of_plain(value: Any) -> str:
    """Return the fingerprint of a value without parts, or an empty text."""
    own = getattr(value, "fingerprint", None)
    if isinstance(own, str):
        return f"own {own}"
    if isinstance(value, str):  # which may be the path of weights that are read later
        return _of_file(Path(value)) if _is_file(value) else f"str {value!r}"
    if value is None or isinstance(value, (bytes, bool, int, float, complex, np.generic)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, Path):
        return f"folder {value}" if value.is_dir() else _of_file(value)
    return ""


def _is_file(text: str) -> bool:
    try:
        return os.path.isfile(text)  # noqa: PTH113 - of every text in a state, most of them none
    except ValueError:  # with a NUL
        return False


def _is_folder(value: Any) -> bool:
    """Tell whether a value is the path of a folder, whose files may be read and are not known.

    A text without a separator, such as "data", is more often a key than a path.
    """
    if not isinstance(value, (str, Path)):
        return False
    named = isinstance(value, Path) or os.sep in value.strip(os.sep)
    return named and "\0" not in str(value) and os.path.isdir(value)  # noqa: PTH112 - as above


def _of_parts(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of a value that is made of others."""
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
    return _of_object(value, inside)


def _of_object(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of a function, a class, a model or another object."""
    if isinstance(value, FunctionType):
        return f"function {_name(value)} {digest(map(inside, state_of_function(value)))}"
    if isinstance(value, type):
        return f"class {_name(value)} {digest(map(inside, state_of_class(value)))}"
    if hasattr(value, "__qualname__"):
        owner = getattr(value, "__self__", None)
        bound = not (owner is None or isinstance(owner, ModuleType))
        # of a method, and of what a decorator such as functools.cache returned
        inner = getattr(value, "__func__", getattr(value, "__wrapped__", None))
        more = [inside(part) for part in ([owner] if bound else []) + ([inner] if inner else [])]
        return f"function {_name(value)} {digest(more)}"
    if is_model(value):
        # a compiled model holds counters of the compiler that differ between processes
        plain = getattr(value, "_orig_mod", value)
        return f"model {digest(map(inside, state_of_model(plain)))}"
    return f"object {inside(type(value))} {_state(value, inside)}"


def _state(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of the values that a copy of an object is made from."""
    if hasattr(value, "__array__"):
        values = as_values(value)
        if values is None:
            raise _UnclearError
        return digest(map(inside, values))
    try:
        made = value.__reduce_ex__(2)
    except Exception as error:  # of classes that refuse to be copied
        raise _UnclearError from error
    if isinstance(made, str):
        return made
    plain, items = list(made[:3]), [list(part) for part in made[3:5] if part is not None]
    return digest(map(inside, (*plain, *items)))


def _name(of: Any) -> str:
    return f"{getattr(of, '__module__', '')}.{of.__qualname__}"  # slots of a class have no module


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
    """What an image gives to the center bias of all."""
    gaze = _of_each(case.gaze, notes)
    return digest([case.image, repr(tuple(case.shape)), repr(case.box), *gaze])


def image_fingerprint(case: Case, gaze: str, notes: Notes | None = None) -> str:
    """All that the scores of an image are made from, its groups and the options apart."""
    maps = _of_each(case.maps, notes)
    return digest([gaze, fingerprint(case.center_bias, notes), *maps])


def _of_each(sources: Mapping[str, Any], notes: Notes | None) -> list[str]:
    return [part for name, each in sources.items() for part in (name, fingerprint(each, notes))]
