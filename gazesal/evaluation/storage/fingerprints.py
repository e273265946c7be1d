"""Fingerprints of the input, by which a resumed run detects that it has changed."""

import functools
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from gazesal._digests import digest_of_bytes, digest_of_texts
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import FixationMap, Gaze
from gazesal.evaluation.region_sources import as_shapes
from gazesal.evaluation.storage.callable_states import (
    as_values,
    is_model,
    state_of_class,
    state_of_function,
    state_of_model,
)

__all__ = ["Notes", "fingerprint", "gaze_fingerprint", "image_fingerprint", "versions"]

NUMBERS_FROM = ("gazesal", "numpy", "numba")  # packages whose versions may change a last bit
DEEPEST = 40  # levels of objects within objects; deeper ones have no fingerprint


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute the scores."""
    return {name: version(name) for name in NUMBERS_FROM}


class Notes:
    """Notes taken while the fingerprints of one run are made.

    Attributes
    ----------
    unclear : set of str
        Functions, and classes of callable objects, with state that has no fingerprint.
    seen : dict
        By identity, each object with its fingerprint, and whether that is incomplete. An object
        that all cases share is read once. The fingerprint is None while it is being made.
    misses : int
        Number of values so far that have no fingerprint.
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
    """The state of an object has no fingerprint."""


def fingerprint(source: Any, notes: Notes | None = None) -> str:
    """Return the fingerprint of a source of a map or of gaze.

    The fingerprint of each kind of source covers:

    - an array: its content,
    - a file: its path as given, its size and its time of modification, so that it is not read,
    - an object with an attribute `fingerprint`: that str,
    - any other function: its name, its code and the values that it uses, which are variables
      around it, defaults, globals, and the object that a method or a `functools.partial` is bound
      to,
    - a callable object: its class and its state,
    - a model of torch: its weights, statistics, modes and attributes.

    State is numbers, texts, paths, arrays, tensors, tables, functions, models, and lists, mappings
    and objects of them. A text that is the path of a file counts as the file. Sources with other
    values, or with the path of a folder, are named in the notes. Functions of libraries count as
    unchanged in every run.
    """
    own = getattr(source, "fingerprint", None)
    if isinstance(own, str):
        return f"own {own}"
    if isinstance(source, Path):
        return _of_file(source)
    if isinstance(source, Gaze):
        parts = (source.points, source.durations, source.sigma, source.visible)
        return f"gaze {digest_of_texts(map(fingerprint, parts))}"
    if isinstance(source, FixationMap):
        return f"fixation map {source.threshold} {fingerprint(source.source, notes)}"
    return _of_function(source, notes) if callable(source) else _of_value(source)


def _of_value(source: Any) -> str:
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
    if found is None or depth == 0:  # the value uses or holds itself
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
    if isinstance(value, str):  # it may be the path of weights that are read later
        return _of_file(Path(value)) if _is_file(value) else f"str {value!r}"
    if value is None or isinstance(value, (bytes, bool, int, float, complex, np.generic)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, Path):
        return f"folder {value}" if value.is_dir() else _of_file(value)
    return ""


def _is_file(text: str) -> bool:
    try:
        return os.path.isfile(text)  # noqa: PTH113 (most texts are not paths, and this is faster)
    except ValueError:  # with a NUL
        return False


def _is_folder(value: Any) -> bool:
    """Return whether a value is the path of a folder, whose files have no fingerprint.

    A text without a separator, such as "data", is more often a key than a path.
    """
    if not isinstance(value, (str, Path)):
        return False
    named = isinstance(value, Path) or os.sep in value.strip(os.sep)
    return named and "\0" not in str(value) and os.path.isdir(value)  # noqa: PTH112 (as above)


def _of_parts(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of a value that consists of others."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise _UnclearError
        return _of_array(value)
    if type(value) in {list, tuple}:
        return f"{type(value).__name__} {digest_of_texts(map(inside, value))}"
    if type(value) in {set, frozenset}:
        return f"{type(value).__name__} {digest_of_texts(sorted(map(inside, value)))}"
    if type(value) is dict:
        return f"dict {digest_of_texts(inside(part) for pair in value.items() for part in pair)}"
    return _of_object(value, inside)


def _of_object(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of a function, a class, a model or another object."""
    if isinstance(value, FunctionType):
        return f"function {_name(value)} {digest_of_texts(map(inside, state_of_function(value)))}"
    if isinstance(value, type):
        return f"class {_name(value)} {digest_of_texts(map(inside, state_of_class(value)))}"
    if hasattr(value, "__qualname__"):
        owner = getattr(value, "__self__", None)
        bound = not (owner is None or isinstance(owner, ModuleType))
        # the function behind a method, or behind a decorator such as functools.cache
        inner = getattr(value, "__func__", getattr(value, "__wrapped__", None))
        more = [inside(part) for part in ([owner] if bound else []) + ([inner] if inner else [])]
        return f"function {_name(value)} {digest_of_texts(more)}"
    if is_model(value):
        # A compiled model holds counters of the compiler, which differ between processes.
        plain = getattr(value, "_orig_mod", value)
        return f"model {digest_of_texts(map(inside, state_of_model(plain)))}"
    return f"object {inside(type(value))} {_state(value, inside)}"


def _state(value: Any, inside: Callable[[Any], str]) -> str:
    """Return the fingerprint of the values from which `copy` would rebuild an object."""
    if hasattr(value, "__array__"):
        values = as_values(value)
        if values is None:
            raise _UnclearError
        return digest_of_texts(map(inside, values))
    try:
        made = value.__reduce_ex__(2)
    except Exception as error:  # the class refuses to be copied
        raise _UnclearError from error
    if isinstance(made, str):
        return made
    plain, items = list(made[:3]), [list(part) for part in made[3:5] if part is not None]
    return digest_of_texts(map(inside, (*plain, *items)))


def _name(of: Any) -> str:
    return f"{getattr(of, '__module__', '')}.{of.__qualname__}"  # some descriptors have no module


def _of_array(value: Any) -> str:
    try:
        array = np.ascontiguousarray(value)
    except (TypeError, ValueError):  # not a map, which reading it reports
        return f"object {type(value).__name__}"
    if array.dtype.hasobject:
        return f"objects {digest_of_texts(map(repr, array.ravel().tolist()))}"
    return f"array {array.dtype.str} {array.shape} {digest_of_bytes(array.tobytes())}"


def gaze_fingerprint(case: Case, notes: Notes | None = None) -> str:
    """Return the fingerprint of the contribution of an image to the center bias."""
    gaze = _of_each({**case.gaze, "": case.gaze_map}, notes)
    area = [] if case.area is None else ["area", fingerprint(case.area, notes)]
    return digest_of_texts([case.image, repr(tuple(case.shape)), repr(case.box), *gaze, *area])


def image_fingerprint(case: Case, gaze: str, notes: Notes | None = None) -> str:
    """Return the fingerprint of the input of an image's scores, except its groups and options."""
    maps, regions = _of_each(case.maps, notes), _of_each(_regions(case), notes)
    parts = [gaze, fingerprint(case.center_bias, notes), *maps]
    return digest_of_texts([*parts, "regions", *regions] if regions else parts)


def _regions(case: Case) -> dict[str, Any]:
    """Return the sources of the regions by label, shapes as texts."""
    return {
        label: repr(shapes) if (shapes := as_shapes(source)) else source
        for label, source in case.regions.items()
    }


def _of_each(sources: Mapping[str, Any], notes: Notes | None) -> list[str]:
    return [part for name, each in sources.items() for part in (name, fingerprint(each, notes))]
