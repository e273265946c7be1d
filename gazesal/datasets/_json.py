"""JSON whose objects name each member once, so that two readers cannot see different values."""

import json
from collections.abc import Callable
from typing import Any


def parse_json(text: str, *, constant: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON text; `constant` gives the value of NaN and Infinity, by default Python's.

    Raises
    ------
    ValueError
        If the text is not JSON, or an object has two members of one name.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there {names.count(twice)} times in one record")
    return dict(pairs)
