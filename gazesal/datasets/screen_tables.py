"""Take the screens that showed images, from the caller or from tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gazesal.datasets._clean_names import picture_stems
from gazesal.datasets._csv import parse_numbers, read_csv_text, require_columns, require_once
from gazesal.datasets._dialects import Dialect
from gazesal.datasets.screens import Screen

__all__ = ["screens_by"]

EDGES = ["x_min", "y_min", "x_max", "y_max"]
DISPLAY = ["display_width", "display_height"]


def screens_by(screen: Any) -> Screen | Mapping[str, Screen] | None:
    """Return the screens that the caller gives, from a path if it is one."""
    if isinstance(screen, (str, Path)):
        return _read_screens(Path(screen))
    if isinstance(screen, Mapping):
        return {
            stem: screen[name]
            for stem, name in zip(picture_stems(list(screen)), screen, strict=True)
        }
    if screen is not None and not isinstance(screen, Screen):
        raise TypeError(
            "`screen` must be a gazesal.Screen, a mapping from images to them, or the path of a "
            f"table, got {type(screen).__name__}."
        )
    return screen


def _read_screens(path: Path) -> dict[str, Screen]:
    """Read the screen of each image from a CSV table.

    Its columns are image and the edges x_min, y_min, x_max, y_max of the image on the screen, and
    optionally display_width and display_height of the screen.
    """
    table = read_csv_text(path, Dialect())
    require_columns(table, ["image", *EDGES], path)
    has_display = any(name in table for name in DISPLAY)
    if has_display:
        require_columns(table, DISPLAY, path)
    require_once(table["image"], path, "is named a second time")
    numbers = {name: parse_numbers(table[name], path) for name in [*EDGES, *DISPLAY * has_display]}
    screens: dict[str, Screen] = {}
    for place, (line, image) in enumerate(table["image"].items()):
        x_min, y_min, x_max, y_max = (float(numbers[name].iloc[place]) for name in EDGES)
        try:
            display = tuple(int(numbers[name].iloc[place]) for name in DISPLAY * has_display)
            screens[image] = Screen(
                rectangle=(x_min, y_min, x_max, y_max),
                display=(display[0], display[1]) if display else None,
            )
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
    return dict(zip(picture_stems(list(screens)), screens.values(), strict=True))
