"""Functions of higher layers that an evaluation uses, registered by `gazesal/__init__.py`.

An evaluation can be plotted, and a saved one may name functions that read files. Both kinds of
functions are in layers above this one, which must not be imported here. The top package knows all
layers and registers a loader for each function, which imports it on first use.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["READERS", "VIEWS", "view"]

Loader = Callable[[], Callable[..., Any]]

VIEWS: dict[str, Loader] = {}  # functions that show an evaluation, by name
# Functions that a saved evaluation may name, as "module:name". They read files. Other names are
# refused, because a loaded evaluation calls the function when a map is needed.
READERS: dict[str, Loader] = {}


def view(name: str, *arguments: Any, **options: Any) -> Any:
    """Call the registered function of this name."""
    return VIEWS[name]()(*arguments, **options)
