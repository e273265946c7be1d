"""Select the rows of a table that are fixations, and count those that are omitted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.datasets._clean_names import name_as_text
from gazesal.datasets.gaze_formats.column_names import UNITS, Columns
from gazesal.datasets.gaze_formats.preset_tables import Preset, Rows, is_pattern
from gazesal.exceptions import InputWarning, SkippedDataWarning

__all__ = ["MISSING", "Eye", "hint", "is_missing", "without_units"]

Eye = Literal["left", "right", "both"]
# Marks of a missing number in tables, in lower case.
MISSING = ("", ".", "-", "--", "*", "n/a", "#n/a", "na", "nan", "<na>", "null", "none", "nil")
OTHER_EVENTS = re.compile(r"e?sacc(ades?)?|e?blinks?|.* saccades?", re.IGNORECASE)
UNIT_WORDS = {*UNITS, "", "-", "text", "str", "string", "name", "id", "#", "n/a", "m"}


def texts_of(column: pd.Series) -> pd.Series:
    """Return the values of a column as text without blanks around it, missing values empty."""
    codes, values = pd.factorize(column)
    listed = [name_as_text(value).strip() for value in values.tolist()]
    return pd.Series(np.array([*listed, ""], dtype=object)[codes], index=column.index)


def is_missing(column: pd.Series, marks: tuple[str, ...] = ()) -> NDArray[np.bool_]:
    """Return which values of a column are missing or marks of a missing value."""
    lost = column.isna().to_numpy(np.bool_, copy=True)
    if column.dtype.kind in "fiubmM":
        return lost
    words = {*MISSING, *(mark.casefold() for mark in marks)}
    codes, values = pd.factorize(column)
    marked = [isinstance(each, str) and each.strip().casefold() in words for each in values]
    return np.asarray(lost | np.array([*marked, False])[codes])


def hint(value: Any) -> str:
    """Return a clause about the probable meaning of a value that is not a number."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    if "," in text:
        return '. Use decimal="," if its decimal sign is a comma'
    if text in MISSING or value is None or value != value:  # noqa: PLR0124 (NaN)
        return ', which marks a missing value. Use missing="drop" to omit such rows'
    return ""


def without_units(raw: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a table without a first row of units, and the words of the units by column."""
    if raw.empty or not columns.numbers:
        return raw, {}
    first = {name: _word(raw[name].iloc[0]) for name in columns.numbers}
    named = [word for word in first.values() if word in UNITS]
    if not named or not set(first.values()) <= UNIT_WORDS:
        return raw, {}
    return raw.iloc[1:], first


def _word(value: Any) -> str:
    return value.strip().strip("[]()").strip().casefold() if isinstance(value, str) else "\0"


def only_fixations(
    raw: pd.DataFrame, columns: Columns, preset: Preset, source: str
) -> pd.DataFrame:
    """Return the rows of fixations, by the columns of events."""
    if preset.fixations is None:
        return raw
    kept = np.ones(len(raw), np.bool_)
    others: set[str] = set()
    for name in columns.fixations:
        texts = texts_of(raw[name])
        good = _is_one_of(texts, preset.fixations)
        if preset.fixations.optional and not good.any():
            if texts.map(lambda text: bool(OTHER_EVENTS.fullmatch(text))).any():
                raise ValueError(
                    f"{source}, column {name!r}: must have fixations, got only "
                    f"{', '.join(sorted(set(texts))[:5])}."
                )
            continue
        kept &= good
        others |= set(texts[~good])
    if preset.fixations.optional and not kept.all():
        warn(
            f"{source}: omitted {int((~kept).sum())} of {len(raw)} rows that are no fixations: "
            f"{', '.join(map(repr, sorted(others)[:5]))}.",
            SkippedDataWarning,
        )
    return raw.loc[kept]


def _is_one_of(texts: pd.Series, rows: Rows) -> NDArray[np.bool_]:
    """Return which texts are values of fixations, without regard to case."""
    pattern = "|".join(each[1:-1] if is_pattern(each) else re.escape(each) for each in rows.values)
    return texts.str.fullmatch(pattern, case=False).to_numpy(np.bool_)


def one_row_per_fixation(
    raw: pd.DataFrame,
    columns: Columns,
    preset: Preset,
    durations: Callable[[pd.DataFrame], pd.Series],
) -> pd.DataFrame:
    """Return one row per fixation: the first, or the first of the longest."""
    keys = [texts_of(raw[name]) for name in columns.row_keys]
    if not keys:
        return raw
    group = _numbered(keys)
    if preset.take == "longest":
        order = np.argsort(-durations(raw).to_numpy(), kind="stable")
        first = order[~group.iloc[order].duplicated().to_numpy()]
        return raw.iloc[np.sort(first)]
    return raw.loc[~group.duplicated().to_numpy()]


def _numbered(keys: list[pd.Series]) -> pd.Series:
    """Return a number for each row, the same for rows with the same values of all keys."""
    table = pd.concat(keys, axis=1, keys=range(len(keys)))
    return table.groupby(list(table), sort=False, dropna=False).ngroup()


def with_image(raw: pd.DataFrame, columns: Columns, preset: Preset, source: str) -> pd.DataFrame:
    """Return the rows with the name of an image, and count fixations without one."""
    lost = is_missing(raw[columns.image], preset.missing)
    if not lost.any():
        return raw
    keys = [texts_of(raw[name]) for name in columns.row_keys]
    group = _numbered(keys) if keys else pd.Series(range(len(raw)), raw.index)
    kept = ~lost
    number = len(set(group[lost]) - set(group[kept]))
    if number:
        warn(
            f"{source}: omitted {number} fixations while no image was shown (column "
            f"{columns.image!r} is empty or missing).",
            SkippedDataWarning,
        )
    return raw.loc[kept]


def of_eye(
    raw: pd.DataFrame, columns: Columns, keys: list[str], eye: str | None, source: str
) -> pd.DataFrame:
    """Return the rows of one eye, and warn if both are used without being asked for."""
    if not columns.eye:
        if eye in {"left", "right"}:
            raise ValueError(
                f"{source}: must have a column of eyes for eye={eye!r}, got none. Name it with "
                'columns={"eye": ...}, or omit `eye`.'
            )
        return raw
    letters = texts_of(raw[columns.eye]).str.casefold().str[:1]
    if eye in {"left", "right"}:
        kept = letters != {"left": "r", "right": "l"}[str(eye)]
        return raw.loc[kept.to_numpy(np.bool_)]
    sides = letters[letters.isin(["l", "r"])]
    readings = [texts_of(raw.loc[sides.index, name]) for name in keys]
    if eye is None and not sides.empty:
        both = (
            sides.groupby(readings).nunique() > 1 if readings else pd.Series([sides.nunique() > 1])
        )
        if both.any():
            warn(
                f"{source}: {int(both.sum())} readings have fixations of both eyes, so that each "
                'look counts twice. Take one with eye="left" or eye="right", or both with '
                'eye="both".',
                InputWarning,
            )
    return raw


def with_numbers(raw: pd.DataFrame, columns: Columns, preset: Preset, source: str) -> pd.DataFrame:
    """Return the rows with a position and a duration, and count the others.

    A position on the screen needs the place of the image, which a calibration does not have.
    """
    lost = np.zeros(len(raw), np.bool_)
    for name in (*columns.numbers, *columns.rectangle, *columns.size):
        lost |= is_missing(raw[name], preset.missing)
    if lost.any():
        warn(
            f"{source}: omitted {int(lost.sum())} of {len(raw)} rows without a position or a "
            f"duration{', or without the place of the image' if columns.rectangle else ''}.",
            SkippedDataWarning,
        )
    return raw.loc[~lost]
