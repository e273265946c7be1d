"""Warnings that are left out without touching the filters that all threads of a process share.

`warnings.catch_warnings` puts back the filters it found. With two threads in such blocks, one puts
back what the other had set, and the process keeps it.
"""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

__all__ = ["ignoring", "muted", "warn"]

_muted: ContextVar[tuple[type[Warning], ...]] = ContextVar("_muted", default=())
_lock = threading.Lock()
# by message, category and module: how many blocks need the filter, and its entry in the filters
_ignored: dict[tuple[str, type[Warning], str], tuple[int, object]] = {}


def warn(message: str, category: type[Warning], *, stacklevel: int = 1) -> None:
    """Warn as `warnings.warn` does, unless the category is muted here.

    The warning names a line outside the library, however deep functions of the library call one
    another; `stacklevel` is the least depth.
    """
    if issubclass(category, _muted.get()):
        return
    depth, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "gazesal":
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=max(stacklevel, depth) + 1)


@contextmanager
def muted(*categories: type[Warning]) -> Iterator[None]:
    """Leave out warnings of the library, in this thread only."""
    token = _muted.set((*_muted.get(), *categories))
    try:
        yield
    finally:
        _muted.reset(token)


@contextmanager
def ignoring(
    message: str = "", *, category: type[Warning] = Warning, module: str = ""
) -> Iterator[None]:
    """Leave out warnings of another library, by their message, category or the module they name.

    The filter is in force for all threads, because such warnings may come from any. Only this one
    filter is added and removed, so filters that other threads set meanwhile stay.
    """
    key = message, category, module
    with _lock:
        users, entry = _ignored.get(key, (0, None))
        if not any(entry is each for each in warnings.filters):
            warnings.filterwarnings("ignore", message, category, module)
            entry = warnings.filters[0]
        _ignored[key] = users + 1, entry
    try:
        yield
    finally:
        with _lock:
            users, entry = _ignored[key]
            _ignored[key] = users - 1, entry
            if users == 1:
                del _ignored[key]
                with suppress(ValueError):  # the caller may have reset all filters meanwhile
                    warnings.filters.remove(entry)  # type: ignore[attr-defined]
