"""Presets: facts about tables of gaze that programs write, from `presets.toml` or a user's file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from gazesal.datasets.screens import Coordinates

__all__ = ["PRESETS_FILE", "Place", "Preset", "Rows", "presets", "read_preset"]

PRESETS_FILE = Path(__file__).with_name("presets.toml")
UNNAMED = "table"  # the preset of `read_fixations` without a format

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Columns of positions, and their meaning.

    Attributes
    ----------
    x, y : tuple of str
        Possible names of the columns.
    of : {"image", "screen"}
        Frame in which the positions are measured.
    unit, origin, y_axis : str
        See `Coordinates`.
    rectangle : tuple of tuple of str
        Columns of the left and upper edge, the width and the height of the image on the screen.
    size : tuple of tuple of str
        Columns of the width and the height of the image in its own pixels.
    """

    x: Names
    y: Names
    of: str = "image"
    unit: str = "pixels"
    origin: str = ""
    y_axis: str = "down"
    rectangle: tuple[Names, ...] = ()
    size: tuple[Names, ...] = ()

    def __post_init__(self) -> None:
        if self.of not in {"image", "screen"}:
            raise ValueError(f"`of` must be 'image' or 'screen', got {self.of!r}")
        if len(self.rectangle) not in {0, 4} or len(self.size) not in {0, 2}:
            raise ValueError("`rectangle` must have four columns, and `size` two")
        _ = self.coordinates

    @property
    def coordinates(self) -> Coordinates:
        """Unit, origin and direction of the positions."""
        return Coordinates(unit=self.unit, origin=self.origin or None, y_axis=self.y_axis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Column that distinguishes fixations from other rows, and its values for fixations."""

    column: Names
    values: Names
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Facts about the tables of a program, in the words of `presets.toml`.

    Attributes
    ----------
    name : str
        Name of the format.
    title, source, url, left_out, uncertain : str
        Facts for people: the program, the file to give, documentation, omitted rows, assumptions.
    image, observer, duration, start, end, eye, point : tuple of str
        Possible names of the columns. A duration may follow from start and end. A point is a
        column with both x and y.
    places : tuple of Place
        Columns of positions, in the order of preference. A file may have the keys of one place
        beside the others.
    time_unit : {"", "ms", "s", "us", "ns"}
        Unit of durations whose column does not name another. Empty if it is not known.
    missing : tuple of str
        Marks of missing values beside the usual ones.
    fixations : Rows, optional
        Rows that are fixations.
    one_row_per : tuple of tuple of str
        Columns that together identify a fixation of which the file has many rows.
    take : {"first", "longest"}
        Row of each fixation to use.
    without_image : {"raise", "omit"}
        Treatment of fixations while no image was shown.
    files : tuple of str
        Patterns of the files in a folder. The first one that matches is used.
    path : str
        Regular expression for the end of a path, with groups named image or observer.
    join : mapping
        File beside the table, the column that both have, and its column of observers.
    also : mapping of str to tuple of str
        Further columns of the result.
    refused : mapping of str to str
        Columns of tables that have no positions on images, and the reason.
    loose : bool
        True to compare names of columns without case, blanks and units. A name that fits several
        columns is then an error.
    """

    name: str
    title: str = ""
    source: str = ""
    url: str = ""
    left_out: str = ""
    uncertain: str = ""
    image: Names = ()
    observer: Names = ()
    duration: Names = ()
    start: Names = ()
    end: Names = ()
    eye: Names = ()
    point: Names = ()
    places: tuple[Place, ...] = ()
    time_unit: str = ""
    missing: Names = ()
    fixations: Rows | None = None
    one_row_per: tuple[Names, ...] = ()
    take: str = "first"
    without_image: str = "raise"
    files: Names = ()
    path: str = ""
    join: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, Names] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    loose: bool = False

    def __post_init__(self) -> None:
        choices = {
            "time_unit": ("", "ms", "s", "us", "ns"),
            "take": ("first", "longest"),
            "without_image": ("raise", "omit"),
        }
        for key, allowed in choices.items():
            if getattr(self, key) not in allowed:
                raise ValueError(
                    f"`{key}` must be one of {', '.join(map(repr, allowed))}, got "
                    f"{getattr(self, key)!r}"
                )
        if not self.places:
            raise ValueError("it must have the names of `x` and `y`")
        if self.join and set(self.join) != {"file", "on", "observer"}:
            raise ValueError("`join` must have the keys file, on and observer")
        if self.join and re.search(r"[/\\]", str(self.join["file"])):
            raise ValueError("`file` of `join` must be the name of a file beside the table")
        for pattern in (self.path, *_patterns(self)):
            re.compile(pattern)


def presets() -> dict[str, Preset]:
    """Return the presets of the library by name, without the one for tables of one's own."""
    return {name: preset for name, preset in _built_in().items() if name != UNNAMED}


def unnamed_preset() -> Preset:
    """Return the preset for tables of one's own."""
    return _built_in()[UNNAMED]


def read_preset(path: Path) -> Preset:
    """Read a preset from a TOML file of a user.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not TOML, a key is unknown or a value invalid. The message names file and key.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as TOML: {error}.") from error
    return _preset(path.stem, content, source=str(path))


@cache
def _built_in() -> dict[str, Preset]:
    content = tomllib.loads(PRESETS_FILE.read_text("utf-8"))
    return {name: _preset(name, facts, source=name) for name, facts in content.items()}


def _preset(name: str, content: Mapping[str, Any], *, source: str) -> Preset:
    """Return the preset of a table of TOML."""
    try:
        facts = dict(content)
        of_place = {each.name for each in fields(Place)} & set(facts)
        if of_place and "places" in facts:
            raise ValueError(  # noqa: TRY301 (the handler below names the file)
                f"`{min(of_place)}` must stand in `places`, got both"
            )
        if of_place:
            facts["places"] = [{key: facts.pop(key) for key in of_place}]
        facts["places"] = tuple(_made(Place, each) for each in _listed(facts, "places"))
        if "fixations" in facts:
            facts["fixations"] = _made(Rows, facts["fixations"])
        made: Preset = _made(Preset, {**facts, "name": name})
    except (ValueError, TypeError, re.error) as error:
        raise ValueError(f"{source}: is no preset of a table: {error}.") from error
    return made


def _listed(facts: Mapping[str, Any], key: str) -> list[Any]:
    value = facts.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"`{key}` must be a list of tables, got {value!r:.60}")
    return value


def _made(kind: Any, facts: Any) -> Any:
    """Make a Place, Rows or Preset of a table of TOML, and raise for unknown keys."""
    if not isinstance(facts, dict):
        raise TypeError(f"must be a table, got {facts!r:.60}")
    known = {each.name: each for each in fields(kind)}
    unknown = sorted(set(facts) - set(known))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no key; the keys are {', '.join(known)}")
    required = [key for key, each in known.items() if _is_required(each) and key not in facts]
    if required:
        raise ValueError(f"`{required[0]}` is missing")
    return kind(**{key: _typed(key, str(known[key].type), facts[key]) for key in facts})


def _is_required(of: Any) -> bool:
    return of.default is MISSING and of.default_factory is MISSING


def _typed(key: str, kind: str, value: Any) -> Any:
    """Return a value of TOML in the type of its key."""
    if kind == "Names":
        return _names(key, value)
    if kind == "tuple[Names, ...]":
        listed = value if isinstance(value, list) else [value]
        return tuple(_names(key, each) for each in listed)
    if kind == "Mapping[str, Names]" and isinstance(value, dict):
        return {name: _names(key, each) for name, each in value.items()}
    wanted = {"str": str, "bool": bool}.get(kind, dict if kind.startswith("Mapping") else object)
    if not isinstance(value, wanted):
        raise TypeError(f"`{key}` must be a {wanted.__name__}, got {value!r:.60}")
    return value


def _names(key: str, value: Any) -> Names:
    """Return one name or a list of names as a tuple."""
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) for each in listed):
        raise TypeError(f"`{key}` must be a text or a list of texts, got {value!r:.60}")
    return tuple(listed)


def _patterns(preset: Preset) -> list[str]:
    """Return the regular expressions among the names of columns."""
    names = [
        name for key in ("image", "observer", "duration", "eye") for name in getattr(preset, key)
    ]
    names += [name for place in preset.places for name in (*place.x, *place.y)]
    return [name[1:-1] for name in (*names, *preset.refused) if is_pattern(name)]


def is_pattern(name: str) -> bool:
    """Return whether a name of a column is a regular expression between slashes."""
    return len(name) > 2 and name.startswith("/") and name.endswith("/")
