"""Make fixations of a table by a preset: columns, rows, positions and durations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._clean_names import picture_stems
from gazesal.datasets._columns import duration_column, name_column
from gazesal.datasets._csv import first_true, require_different_rows
from gazesal.datasets._numbers import with_decimal_points
from gazesal.datasets.gaze_formats import table_rows
from gazesal.datasets.gaze_formats.column_names import (
    UNITS,
    Columns,
    find_columns,
    matches,
    milliseconds,
)
from gazesal.datasets.gaze_formats.preset_tables import Preset
from gazesal.datasets.gaze_formats.table_positions import Geometry, image_positions
from gazesal.typing import Float64Array

__all__ = ["ONE_OBSERVER", "TableOptions", "fixations_of"]

ONE_OBSERVER = "1"  # name of the observer if a table has no column of observers


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """Options of `read_fixations` for tables."""

    columns: Mapping[str, str] = field(default_factory=dict)
    geometry: Geometry = field(default_factory=Geometry)
    time_unit: str | None = None
    eye: str | None = None
    duplicates: str = "raise"
    missing: str = "raise"
    decimal: str | None = None


def fixations_of(
    raw: pd.DataFrame,
    preset: Preset,
    options: TableOptions,
    *,
    source: str,
    known: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Return the fixations of a table, whose index names the line or row.

    `known` has the image and the observer if they follow from the path: a name, or a column of
    names. The table is not modified.
    """
    known = dict(known or {})
    raw = raw.copy(deep=False)
    raw.attrs["source"] = source  # for later error messages
    names = [str(name) for name in raw.columns]
    raw.columns = pd.Index(names)
    for pattern, reason in preset.refused.items():
        if found := matches(names, (pattern,), loose=False):
            raise ValueError(f"{source}: column {found[0]!r} shows that it has {reason}.")
    columns = find_columns(
        names, preset, options.columns,
        known=known, screen=options.geometry.screen is not None, source=source,
    )  # fmt: skip
    if isinstance(known.get("observer"), pd.Series) and "observer" not in options.columns:
        columns = replace(columns, observer="")  # the names beside the table are better than ids
    raw, columns = _with_split_points(raw, columns)
    raw, units = table_rows.without_units(raw, columns)
    columns = _with_units(columns, units, source)
    raw = table_rows.only_fixations(raw, columns, preset, source)
    if preset.without_image == "omit" and columns.image:
        raw = table_rows.with_image(raw, columns, preset, source)
    readings = [name for name in (columns.image, columns.observer) if name]
    raw = table_rows.of_eye(raw, columns, readings, options.eye, source)
    if options.missing == "drop":
        raw = table_rows.with_numbers(raw, columns, preset, source)
    if raw.empty:
        raise ValueError(f"{source}: must have at least one fixation, got none.")
    raw = _with_points(raw, columns, source, options.decimal)
    unit = options.time_unit or units.get(columns.duration or columns.start, "")
    factor = milliseconds(
        columns.duration or columns.start, UNITS.get(unit, unit) or None, preset.time_unit
    )
    durations = _durations_by(columns, factor, source)
    if columns.row_keys:
        raw = table_rows.one_row_per_fixation(raw, columns, preset, durations)
    elif options.duplicates == "raise":
        advice = ' Use duplicates="drop" to take each row once, or "keep" to take all.'
        require_different_rows(raw, source, str(raw.index.name), advice)
    elif options.duplicates == "drop":
        raw = raw.drop_duplicates()
    table = pd.DataFrame(index=raw.index)
    for key in ("image", "observer"):
        table[key] = _names(raw, key, getattr(columns, key), known)
    table[["x", "y"]] = image_positions(raw, table["image"], columns, preset, options.geometry)
    table["duration"] = durations(raw)
    for key, name in columns.also.items():
        table[key] = _plain_column(raw[name])
    if columns.eye and not preset.loose:
        table["eye"] = _plain_column(raw[columns.eye])
    table.attrs["source"] = source
    return table


def _with_split_points(raw: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, Columns]:
    """Return a table with the columns x and y of a column of points."""
    if not columns.point:
        return raw, columns
    listed = raw[columns.point].tolist()
    pairs = [list(each.values()) if isinstance(each, Mapping) else each for each in listed]
    try:
        points = [(None, None) if pair is None else (pair[0], pair[1]) for pair in pairs]
        if any(pair is not None and len(pair) != 2 for pair in pairs):
            raise ValueError  # noqa: TRY301 (the handler names the column)
    except (TypeError, ValueError, IndexError, KeyError):
        raise ValueError(
            f"{raw.attrs['source']}, column {columns.point!r}: must be pairs (x, y), got "
            f"{listed[0]!r:.60}."
        ) from None
    split = pd.DataFrame(points, columns=["x", "y"], index=raw.index, dtype=object)
    attrs = raw.attrs  # which pandas does not keep
    raw = pd.concat([raw.drop(columns=columns.point), split], axis=1)
    raw.attrs = attrs
    return raw, replace(columns, x="x", y="y", point="")


def _with_units(columns: Columns, units: Mapping[str, str], source: str) -> Columns:
    """Return the columns with the unit of positions in a row of units."""
    unit = UNITS.get(units.get(columns.x, ""), "")
    if unit in {"degrees", "lengths"}:
        raise ValueError(
            f"{source}: column {columns.x!r} must be pixels or shares, got {unit} in its row of "
            "units. Convert it."
        )
    return replace(columns, place=replace(columns.place, unit=unit)) if unit else columns


def _with_points(
    raw: pd.DataFrame, columns: Columns, source: str, decimal: str | None
) -> pd.DataFrame:
    """Return a table whose numbers in text have decimal points."""
    texts = {}
    for name in (*columns.numbers, *columns.rectangle, *columns.size):
        column = raw[name]
        text = isinstance(column.dtype, pd.StringDtype)
        if column.dtype.kind in "fiubcmM":
            continue
        if not text and not column.map(_is_text_or_missing).all():
            continue
        texts[name] = column.astype(object).where(~column.isna(), "").astype(str)
    if not texts:
        return raw
    table = with_decimal_points(pd.DataFrame(texts), list(texts), source, decimal)
    return raw.assign(**{name: table[name] for name in texts})


def _is_text_or_missing(value: Any) -> bool:
    return isinstance(value, str) or bool(value is None or pd.isna(value))


def _durations_by(
    columns: Columns, factor: float | None, source: str
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function from the rows of a table to their durations."""

    def durations(raw: pd.DataFrame) -> pd.Series:
        row = str(raw.index.name)
        if not columns.duration and not columns.start:
            return pd.Series(1.0, index=raw.index)
        named = [columns.duration] if columns.duration else [columns.start, columns.end]
        values = [_milliseconds_of(raw[name], factor, source, row) for name in named]
        found = pd.Series(values[-1] - values[0] if len(values) > 1 else values[0], raw.index)
        if (found < 0).any():
            line = first_true(found < 0)
            shown = " and ".join(repr(raw.loc[line, name]) for name in named)
            raise ValueError(
                f"{source}, {row} {line}, column {named[-1]!r}: must be non-negative, got {shown}."
            )
        return found

    return durations


def _milliseconds_of(
    column: pd.Series, factor: float | None, source: str, row: str
) -> Float64Array:
    """Return times in milliseconds if their unit is known, and as they are if not."""
    numbers = duration_column(column, source=source, row=row, hint=table_rows.hint)
    if column.dtype.kind == "m" or isinstance(next(iter(column), None), dt.timedelta):
        return numbers  # whose unit is known
    return numbers if factor in {None, 1.0} else _scaled(numbers, float(factor or 1))


def _scaled(numbers: Float64Array, factor: float) -> Float64Array:
    """Return times in milliseconds, divided by whole numbers to keep short decimals exact."""
    return numbers * factor if factor >= 1 else numbers / round(1 / factor)


def _names(raw: pd.DataFrame, key: str, column: str, known: Mapping[str, Any]) -> Any:
    """Return the names of images or observers, from their column, the path or for one observer."""
    if not column:
        value = known.get(key, ONE_OBSERVER)
        value = value.loc[raw.index] if isinstance(value, pd.Series) else value
        return pd.Series(value, index=raw.index).astype("str")
    codes, labels = name_column(raw, column, what=f"names of {key}s")
    if key == "image":
        labels = picture_stems(labels)
    return pd.Series(np.array(labels, dtype=object)[codes], index=raw.index).astype("str")


def _plain_column(column: pd.Series) -> pd.Series:
    """Return a column as numbers if all its values are numbers, and as text otherwise."""
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return table_rows.texts_of(column).astype("str")
