"""Warnings, and blocks that suppress them in a way that is safe in threads.

`warnings.catch_warnings` restores the filters that it found. With two threads in such blocks, one
restores the filters set by the other, and the process keeps them.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from inspect import currentframe

__all__ = ["collected", "ignoring", "muted", "warn"]

_muted: ContextVar[tuple[type[Warning], ...]] = ContextVar("_muted", default=())
_collecting: ContextVar[tuple[type[Warning], list[str]] | None] = ContextVar(
    "_collecting", default=None
)
_lock = threading.Lock()
# by message, category and module: number of blocks that need the filter, and the filter itself
_ignored: dict[tuple[str, type[Warning], str], tuple[int, object]] = {}


def warn(message: str, category: type[Warning]) -> None:
    """Warn as `warnings.warn` does, unless the category is muted in this thread.

    The warning names the line outside the library that called it, whatever the number of calls
    within the library.
    """
    if issubclass(category, _muted.get()):
        return
    collecting = _collecting.get()
    if collecting is not None and issubclass(category, collecting[0]):
        collecting[1].append(message)
        return
    depth, frame = 0, currentframe()
    while (
        frame
        and frame.f_back
        and frame.f_globals.get("__name__", "").partition(".")[0] == "gazesal"
    ):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth + 1)


@contextmanager
def muted(*categories: type[Warning]) -> Iterator[None]:
    """Suppress warnings of the library, in this thread only."""
    token = _muted.set((*_muted.get(), *categories))
    try:
        yield
    finally:
        _muted.reset(token)


@contextmanager
def collected(category: type[Warning]) -> Iterator[list[str]]:
    """Collect the messages of warnings of the library instead of warning, in this thread only."""
    messages: list[str] = []
    token = _collecting.set((category, messages))
    try:
        yield messages
    finally:
        _collecting.reset(token)


@contextmanager
def ignoring(
    message: str = "", *, category: type[Warning] = Warning, module: str = ""
) -> Iterator[None]:
    """Suppress warnings of another library by message, category or module.

    The filter is active for all threads, because such warnings may come from any thread. Only this
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
                with suppress(ValueError):  # the filters may have been reset meanwhile
                    warnings.filters.remove(entry)  # type: ignore[attr-defined]
