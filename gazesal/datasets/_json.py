"""Parse JSON and refuse repeated members, of which other readers might take another value."""

import json
from collections.abc import Callable
from typing import Any


def parse_json(text: str, *, constant: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON text, with `constant` for the values of NaN and Infinity, by default floats.

    Raises
    ------
    ValueError
        If the text is not JSON, or an object has two members with the same name.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object as a dictionary, and raise if a name is repeated."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"names in a record must differ, got {twice!r} {names.count(twice)} times")
    return dict(pairs)
