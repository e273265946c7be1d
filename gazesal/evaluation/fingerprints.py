"""What inputs are known by, so that a second run can tell whether they are the same."""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gazesal.evaluation.cases import Case, Gaze

__all__ = ["digest", "fingerprint", "gaze_fingerprint", "image_fingerprint"]


def fingerprint(source: Any) -> str:
    """What a source of a map is known by.

    An array by what it holds; a file by its path as given, its size and its time of modification,
    so that a large set need not be read to know it; an object by its attribute `fingerprint`, a
    str; any other function by its module and qualified name, and `functools.partial` by the
    function with its arguments. A function that returns something else than before under the same
    name is not noticed.
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
        return _of_function(source)
    if source is None or isinstance(source, (str, bool, int, float)):
        return repr(source)
    return _of_array(source)


def _of_file(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"file {path} missing"
    return f"file {path} {found.st_size} {found.st_mtime_ns}"


def _of_function(function: Any) -> str:
    if isinstance(function, functools.partial):
        named = [part for pair in sorted(function.keywords.items()) for part in pair]
        return f"partial {digest(map(fingerprint, (function.func, *function.args, *named)))}"
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"function {kind.__module__}.{kind.__qualname__}"


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


def gaze_fingerprint(case: Case) -> str:
    """What an image gives to the centre bias of all."""
    gaze = [part for name, source in case.gaze.items() for part in (name, fingerprint(source))]
    return digest([case.image, repr(tuple(case.shape)), repr(case.box), *gaze])


def image_fingerprint(case: Case, gaze: str) -> str:
    """All that the scores of an image are made from, its groups and the options apart."""
    maps = [part for name, source in case.maps.items() for part in (name, fingerprint(source))]
    return digest([gaze, fingerprint(case.center_bias), *maps])
