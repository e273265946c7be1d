"""Class `Manifest`: the checks of a manifest, and the case and the maps of each of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from gazesal.datasets._clean_names import clean_names, one_spelling
from gazesal.datasets._csv import parse_numbers, require_columns, require_each, require_once
from gazesal.datasets._paths_inside import path_inside
from gazesal.datasets.map_files import SUFFIXES
from gazesal.datasets.map_sources import stored_maps
from gazesal.datasets.map_stores import STORES, StoredMap
from gazesal.datasets.screens import Screen
from gazesal.evaluation.case import ALL_OBSERVERS, Case, require_no_baseline
from gazesal.evaluation.fixation_file import FixationFile
from gazesal.evaluation.gaze_from_maps import joined_gaze
from gazesal.evaluation.gaze_sources import FixationMap, GazeSource

__all__ = ["Manifest", "labels"]

BOX = ("x_min", "y_min", "x_max", "y_max")
SIZE = ("width", "height")
EDGES = ("screen_x_min", "screen_y_min", "screen_x_max", "screen_y_max")
DISPLAY = ("screen_width", "screen_height")
PREFIXES = ("map", "gaze", "fixation_map", "region", "group")
KNOWN = {
    "image",
    *SIZE,
    *BOX,
    *EDGES,
    *DISPLAY,
    "picture",
    "area",
    "center_bias",
    "fixation_map",
    "gaze_map",
    "scored",
}

Row: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest and the options with which its rows are read.

    Attributes
    ----------
    path : pathlib.Path
        The file, which messages name.
    row : str
        The word for a row in messages, such as line or record.
    root : pathlib.Path
        Folder of the paths in the manifest.
    check : bool
        True to raise an error for missing files.
    threshold : float or None
        Pixels with a larger value in maps of fixated pixels are fixated.
    """

    path: Path
    row: str
    root: Path
    check: bool
    threshold: float | None = None

    def checked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Check the columns of the table and return it sorted by image."""
        path, row = self.path, self.row
        table = table.set_axis([self._heading(name) for name in table.columns], axis=1)
        _require_different(table.columns, path)
        require_columns(table, ["image", *SIZE], path)
        if table.empty:
            raise ValueError(f"{path}: must have a row for at least one image, got none.")
        table = table.apply(lambda column: column.str.strip())
        try:
            names = clean_names(table["image"].unique(), what="names of images")
        except ValueError as error:
            raise ValueError(f"{path}, column 'image': {error}") from None
        table["image"] = table["image"].map(names)
        require_no_baseline(labels(table.columns, "map"))
        require_each(table["image"], table["image"] != "", path, "the name of an image", row)
        require_once(table["image"], path, "is named a second time", row)
        for name in SIZE:
            good = table[name].str.fullmatch("[0-9]{1,6}") & ~table[name].str.fullmatch("0+")
            require_each(table[name], good, path, "a whole number of pixels", row)
        boxed = [name for name in BOX if name in table]
        if boxed and len(boxed) < len(BOX):
            require_columns(table, list(BOX), path)
        for name in boxed:
            parse_numbers(table[name][table[name] != ""], path, row)
        if "scored" in table:
            good = table["scored"].str.lower().isin(["true", "false", ""])
            require_each(table["scored"], good, path, "True or False", row)
        return table.sort_values("image", kind="stable")

    def _heading(self, name: str) -> str:
        """Return a column's name without blanks beside its colon, or raise for a misspelling."""
        prefix, colon, label = (part.strip() for part in name.partition(":"))
        if colon and (prefix not in PREFIXES or not label):
            raise ValueError(
                f"{self.path}: column {name!r} must be one of "
                f"{', '.join(f'{each}:NAME' for each in PREFIXES)}, in lower case, or have no "
                "colon. Rename it."
            )
        if colon:
            return f"{prefix}:{label}"
        meant = re.sub(r"[\s-]+", "_", prefix.casefold())
        meant = meant.replace("centre", "center")  # codespell:ignore centre
        if meant in KNOWN and prefix not in KNOWN:  # the misspelled column would be ignored
            raise ValueError(f"{self.path}: column {name!r} must be written {meant!r}. Rename it.")
        return prefix

    def case(self, line: Any, values: Row, reading: Mapping[str, Any]) -> Case:
        """Return the case of one row, without its maps."""
        image, shape = values["image"], (int(values["height"]), int(values["width"]))
        screen = self.screen(line, values)
        gaze: dict[str, GazeSource] = {}
        for observer in sorted(labels(values, "gaze")):
            text = values[f"gaze:{observer}"]
            if text and _is_map(text):
                gaze[observer] = self._map(line, f"gaze:{observer}", values)
            elif text:
                file = self._file(line, f"gaze:{observer}", text)
                gaze[observer] = FixationFile(
                    path=file,
                    image=image,
                    observer=observer,
                    shape=shape,
                    screen=screen,
                    **reading,
                )
        picture = values.get("picture", "")
        try:
            gaze = joined_gaze(image, gaze, self._fixation_maps(line, values))
        except ValueError as error:
            raise ValueError(f"{self.path}, {self.row} {line}: {error}") from None
        return Case(
            image=image,
            shape=shape,
            gaze=gaze,
            maps={},
            scored=values.get("scored", "").lower() != "false",
            box=self._box(line, values),
            groups={name: values[f"group:{name}"] for name in labels(values, "group")},
            center_bias=(
                self._map(line, "center_bias", values) if values.get("center_bias") else None
            ),
            gaze_map=self._map(line, "gaze_map", values) if values.get("gaze_map") else None,
            picture=self._file(line, "picture", picture) if picture else None,
            regions=self.maps(line, "region", values),
            area=self._map(line, "area", values) if values.get("area") else None,
        )

    def _fixation_maps(self, line: Any, values: Row) -> dict[str, GazeSource]:
        """Return the maps of fixated pixels in a row by observer."""
        columns = {ALL_OBSERVERS: "fixation_map"}
        columns |= {name: f"fixation_map:{name}" for name in labels(values, "fixation_map")}
        return {
            observer: FixationMap(self._map(line, column, values), self.threshold)
            for observer, column in columns.items()
            if values.get(column)
        }

    def maps(self, line: Any, prefix: str, values: Row) -> dict[str, Path | StoredMap]:
        """Return the maps in the columns of a prefix in a row."""
        return {
            name: self._map(line, f"{prefix}:{name}", values)
            for name in labels(values, prefix)
            if values[f"{prefix}:{name}"]
        }

    def screen(self, line: Any, values: Row) -> Screen | None:
        """Return the screen that showed the image of a row, or None without columns for it."""
        numbers: dict[str, tuple[float, ...] | None] = {}
        for name, columns in (("rectangle", EDGES), ("display", DISPLAY)):
            given = [values.get(column, "") for column in columns]
            numbers[name] = None
            if any(given):
                try:
                    numbers[name] = tuple(map(float, given))
                except ValueError:
                    rule = f"must be numbers, as {', '.join(columns)} are, got {given}"
                    raise self._fault(line, columns[0], rule) from None
        rectangle, display = numbers["rectangle"], numbers["display"]
        if not (rectangle or display):
            return None
        try:
            return Screen(
                rectangle=rectangle,
                display=None if display is None else (int(display[0]), int(display[1])),
            )
        except ValueError as error:
            raise self._fault(line, EDGES[0] if rectangle else DISPLAY[0], str(error)) from None

    def _box(self, line: Any, values: Row) -> tuple[float, float, float, float] | None:
        given = [values.get(name, "") for name in BOX]
        if not any(given):
            return None
        if not all(given):
            raise self._fault(line, BOX[given.index("")], "must be a number like the other sides")
        x_min, y_min, x_max, y_max = map(float, given)
        for low, high, name in ((x_min, x_max, "x_max"), (y_min, y_max, "y_max")):
            if high <= low:
                rule = f"must be more than {name.replace('max', 'min')}, got {high:g} and {low:g}"
                raise self._fault(line, name, rule)
        return x_min, y_min, x_max, y_max

    def _file(self, line: Any, column: str, text: str) -> Path:
        """Return the file that a value names."""
        try:
            file = path_inside(self.root, text)
        except ValueError as error:
            raise self._fault(line, column, str(error)) from None
        if self.check and not file.exists():
            rule = f'{file} must exist. Give absent="keep" to check this only when it is read'
            raise self._fault(line, column, rule)
        return file

    def _map(self, line: Any, column: str, values: Row) -> Path | StoredMap:
        """Return the map that a value names: a file, or an array in one."""
        text, image = values[column], values["image"]
        name, mark, key = text.rpartition("#")
        if not (mark and _suffix(name) in STORES):
            name, key = text, ""
        key = one_spelling(key)
        if not _is_map(name):
            known = ", ".join(dict.fromkeys((*SUFFIXES, *STORES)))
            raise self._fault(line, column, f"must be a map ({known}), got {text!r}")
        file = self._file(line, column, name)
        if _suffix(name) not in STORES:
            return file
        if not file.exists():  # reading it raises an error later
            return StoredMap(file, key or image)
        try:
            maps = _opened(file)
        except ValueError as error:
            if self.check:
                raise self._fault(line, column, str(error)) from error
            return StoredMap(file, key or image)
        only = next(iter(maps)) if len(maps) == 1 else image
        wanted = key or (image if image in maps else only)
        if wanted not in maps and self.check:
            shown = ", ".join(map(repr, list(maps)[:3]))
            raise self._fault(
                line, column, f"{file} must have the array {wanted!r}, got {len(maps)}: {shown}"
            )
        return maps[wanted] if wanted in maps else StoredMap(file, wanted)

    def _fault(self, line: Any, column: str, what: str) -> ValueError:
        return ValueError(f"{self.path}, {self.row} {line}, column {column!r}: {what}.")


def _require_different(names: Iterable[str], path: Path) -> None:
    """Raise if two columns differ only in blanks or case, which would split one observer in two."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other == name and list(names).count(name) == 1:
            continue
        if ":" in name:
            raise ValueError(
                f"{path}: columns {other!r} and {name!r} must have different names, not only in "
                "blanks or case. Rename one."
            )


@cache
def _opened_at(path: Path, _written: int) -> Mapping[str, StoredMap]:
    """List the maps of a file. The time of writing is part of the key of the cache."""
    return stored_maps(path)


def _opened(path: Path) -> Mapping[str, StoredMap]:
    """List the maps of a file. It is opened again only if it was written again."""
    return _opened_at(path, path.stat().st_mtime_ns)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _is_map(text: str) -> bool:
    """Return whether a value names a map, and not a table of fixations."""
    name, mark, _ = text.rpartition("#")
    return _suffix(text) in {*SUFFIXES, *STORES} or bool(mark and _suffix(name) in STORES)


def labels(columns: Iterable[str], prefix: str) -> list[str]:
    """Return the names after a prefix among columns, in their order."""
    return [name.removeprefix(f"{prefix}:") for name in columns if name.startswith(f"{prefix}:")]
