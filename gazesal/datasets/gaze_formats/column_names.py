"""Find the columns of a table by the names in a preset, and the units in the names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from gazesal.datasets.gaze_formats.preset_tables import Names, Place, Preset, is_pattern, presets

__all__ = ["Columns", "find_columns", "matches", "milliseconds"]

CANONICAL = ("image", "observer", "x", "y", "duration")
NAMED = (*CANONICAL, "start", "end", "eye")  # columns for which a caller may give a name
MILLISECONDS = {"ms": 1.0, "s": 1000.0, "us": 1e-3, "ns": 1e-6}
TIMES = {
    "ms": ("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "us": ("us", "usec", "\u00b5s", "\u03bcs", "microsecond", "microseconds"),
    "ns": ("ns", "nsec", "nanosecond", "nanoseconds"),
}
LENGTHS = {
    "pixels": ("px", "pix", "pixel", "pixels"),
    "shares": (
        *("norm", "normalized", "share", "shares", "rel", "relative", "frac"),
        "normalised",  # codespell:ignore normalised
    ),
    "degrees": ("deg", "degs", "degree", "degrees", "dva", "\u00b0"),
    "lengths": ("mm", "cm"),
}
UNITS = {
    word: unit for units in (TIMES, LENGTHS) for unit, words in units.items() for word in words
}
BRACKETED = re.compile(r"\s*[\[(]\s*([^\[\]()]*?)\s*[\])]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns of a table, empty if it has none, and the place of its positions."""

    place: Place
    image: str = ""
    observer: str = ""
    x: str = ""
    y: str = ""
    point: str = ""
    duration: str = ""
    start: str = ""
    end: str = ""
    eye: str = ""
    fixations: tuple[str, ...] = ()
    rectangle: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    row_keys: tuple[str, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        """Names of the columns of numbers that every fixation needs."""
        times = (self.duration,) if self.duration else (self.start, self.end)
        return [name for name in (self.x, self.y, *times) if name]


@cache
def plain(name: str) -> tuple[str, str]:
    """Return a name without case, blanks and unit, and the word of its unit."""
    unit = ""
    bracketed = BRACKETED.search(name)
    if bracketed:
        name = name[: bracketed.start()]
        unit = (bracketed[1].casefold().split() or [""])[-1]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()
    words = re.sub(r"[\W_]+", "_", words).strip("_")
    stem, _, last = words.rpartition("_")
    if not unit and stem and last in UNITS:
        words, unit = stem, last
    return words, unit


def unit_of(name: str) -> str:
    """Return the unit in a name of a column, such as "ms" or "shares", or an empty text."""
    return UNITS.get(plain(name)[1], "")


def milliseconds(name: str, unit: str | None, default: str) -> float | None:
    """Return the milliseconds per unit of a column, or None if its unit is not known."""
    named = unit_of(name)
    return MILLISECONDS.get(unit or (named if named in MILLISECONDS else default))


def matches(names: Iterable[str], wanted: Names, *, loose: bool) -> list[str]:
    """Return the names that fit the first possible name in `wanted`, or any of them if loose.

    If loose, an exact match of the first name in `wanted` excludes the others.
    """
    listed = list(names)
    for each in wanted[:1] if loose else wanted:  # the first is the name of the library itself
        if is_pattern(each):
            pattern = re.compile(each[1:-1], re.IGNORECASE)
            found = [name for name in listed if pattern.fullmatch(name)]
        else:
            found = [name for name in listed if name == each]
        if found:
            return found
    if not loose:
        lower = {each.casefold() for each in wanted}
        return [name for name in listed if name.casefold() in lower][:1]
    return [name for name in listed if plain(name)[0] in wanted]


def find_columns(
    names: Sequence[str],
    preset: Preset,
    given: Mapping[str, str],
    *,
    known: Iterable[str] = (),
    screen: bool = False,
    source: str,
) -> Columns:
    """Return the columns of a table.

    `given` has names by which the caller replaces names of the preset, and `known` has columns
    that the table need not have. With a `screen`, positions whose frame is not clear lie on it.

    Raises
    ------
    ValueError
        If a column is missing, or several columns fit.
    """
    found: dict[str, str] = {}
    for key in ("image", "observer", "duration", "start", "end", "eye"):
        found[key] = _one(names, key, getattr(preset, key), given, preset.loose, source)
    place, x, y, point = _place(names, preset, given, screen, source)
    if found["duration"] or given.get("duration") == "" or not (found["start"] and found["end"]):
        found["start"] = found["end"] = ""
    timed = found["duration"] or found["start"] or given.get("duration") == ""
    missing = [key for key in ("image", "observer") if not found[key] and key not in known]
    missing = [key for key in missing if not (key == "observer" and given.get(key) == "")]
    missing += [key for key, name in (("x", x), ("y", y)) if not name and not point]
    missing += [] if timed else ["duration"]
    if missing:
        raise ValueError(_missing(names, missing, preset, source))
    rows = preset.fixations
    events = matches(names, rows.column, loose=preset.loose) if rows else []
    if rows and not rows.optional and not events:
        raise ValueError(_missing(names, [rows.column[0]], preset, source))
    also = {key: _one(names, key, wanted, {}, False, source) for key, wanted in preset.also.items()}
    return Columns(
        **found,
        place=_with_unit(place, x, y, source),
        x=x,
        y=y,
        point=point,
        fixations=tuple(events if rows and rows.optional else events[:1]),
        rectangle=_all(names, place.rectangle),
        size=_all(names, place.size),
        row_keys=tuple(
            name
            for wanted in preset.one_row_per
            if (name := next(iter(matches(names, wanted, loose=preset.loose)), ""))
        ),
        also={key: name for key, name in also.items() if name},
    )


def _one(
    names: Sequence[str],
    key: str,
    wanted: Names,
    given: Mapping[str, str],
    loose: bool,
    source: str,
) -> str:
    """Return the name of one column, or an empty text if no column fits."""
    if key in given:
        name = given[key]
        if name and name not in names:
            raise ValueError(_missing(names, [name], None, source))
        return name
    found = matches(names, wanted, loose=loose)
    if len(found) > 1 and loose:
        raise ValueError(
            f"{source}: the column for {key} is not clear, got {', '.join(map(repr, found))}. Name "
            f'it with `columns`, such as columns={{"{key}": {found[0]!r}}} '
            f"(--column {key}={found[0]})."
        )
    return found[0] if found else ""


def _all(names: Sequence[str], wanted: tuple[Names, ...]) -> tuple[str, ...]:
    """Return a column for each list of possible names, or nothing if one is missing."""
    found = [next(iter(matches(names, each, loose=False)), "") for each in wanted]
    return tuple(found) if all(found) else ()


def _place(
    names: Sequence[str], preset: Preset, given: Mapping[str, str], screen: bool, source: str
) -> tuple[Place, str, str, str]:
    """Return the place of the positions and the columns x, y or the column of points."""
    unknown = [given[key] for key in ("x", "y") if key in given and given[key] not in names]
    if unknown:
        raise ValueError(_missing(names, unknown, None, source))
    possible: list[tuple[Place, list[str], list[str]]] = []
    for place in preset.places:
        xs, ys = (
            matches([given[key]] if key in given else names, wanted, loose=preset.loose)
            for key, wanted in (("x", place.x), ("y", place.y))
        )
        lacking = len(_all(names, place.rectangle)) < len(place.rectangle)
        lacking |= bool(place.rectangle) and len(_all(names, place.size)) < len(place.size)
        if xs and ys and not (lacking or (screen and place.rectangle)):
            possible.append((place, xs, ys))
    first = preset.places[0]
    if not possible and {"x", "y"} & set(given):  # a name that no place knows
        xs, ys = (
            [given[key]] if key in given else matches(names, wanted, loose=preset.loose)
            for key, wanted in (("x", first.x), ("y", first.y))
        )
        return first, next(iter(xs), ""), next(iter(ys), ""), ""
    if not possible:
        found_x, found_y = (matches(names, each, loose=preset.loose) for each in (first.x, first.y))
        point = _one(names, "point", preset.point, {}, preset.loose, source)
        return first, next(iter(found_x), ""), next(iter(found_y), ""), point
    if screen:
        possible = [each for each in possible if each[0].of == "screen"] or possible
    if preset.loose:
        exact = possible[0][1:] == (["x"], ["y"])
        several = [name for _, xs, _ in possible for name in xs]
        if not exact and max(len(several), len(possible[0][2])) > 1:
            raise ValueError(
                f"{source}: the columns for x and y are not clear, got "
                f"{', '.join(map(repr, several))}. Name them with `columns`, such as "
                f'columns={{"x": {several[0]!r}, "y": {possible[0][2][0]!r}}}.{_likely(names)}'
            )
    place, xs, ys = possible[0]
    return place, xs[0], ys[0], ""


def _with_unit(place: Place, x: str, y: str, source: str) -> Place:
    """Return the place with the unit that the names of its columns have."""
    units = {unit_of(x), unit_of(y)} - {""}
    if len(units) > 1:
        raise ValueError(
            f"{source}: columns {x!r} and {y!r} must have the same unit, got {sorted(units)}. Give "
            "other `columns`."
        )
    unit = units.pop() if units else place.unit
    if unit in {"degrees", "lengths"}:
        raise ValueError(
            f"{source}: columns {x!r} and {y!r} must be pixels or shares, got {unit}. Convert them "
            "by the distance and the size of the screen, or give other `columns`."
        )
    known = unit in {"pixels", "shares"}
    return replace(place, unit=unit) if known and unit != place.unit else place


def _missing(names: Sequence[str], missing: list[str], preset: Preset | None, source: str) -> str:
    """Return a message about missing columns, with a format that has columns of these names."""
    many = len(missing) > 1
    shown = ", ".join(map(repr, missing))
    advice = (
        " Give the names in the file with `columns` (--column NAME=THEIRS), or an empty name if "
        "there are no durations (--column duration=)."
    )
    if preset is not None and not preset.loose:
        examples = [name for key in missing for name in getattr(preset, key, ())[:1]]
        advice = (
            f" The format {preset.name!r} has columns such as {', '.join(map(repr, examples))}."
        )
        advice = f"{advice if examples else ''} Check `format`, or give `columns`."
        if preset.path and not set(missing) - {"image", "observer"}:
            advice = (
                " The format takes it from the names of folders and files, which must be as the "
                "program writes them. Give the name of a column with `columns`, or an empty name "
                'if there is one observer (columns={"observer": ""}).'
            )
    elif preset is not None:
        advice = _likely(names) or advice
    return (
        f"{source}: column{'s' * many} {shown} {'are' if many else 'is'} missing, got "
        f"{', '.join(map(repr, names))}.{advice}"
    )


def _likely(names: Sequence[str]) -> str:
    """Return a sentence about a format whose columns the table has, or an empty text."""
    for preset in presets().values():
        for place in preset.places:
            if all(matches(names, each, loose=False) for each in (place.x, place.y)):
                return f' Its columns are like those of format="{preset.name}". Give this format.'
    return ""
