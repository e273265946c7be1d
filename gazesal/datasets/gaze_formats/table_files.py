"""Read the files of a source of gaze: a table, or a folder with a table per recording or image."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from gazesal.datasets._csv import read_csv_text, require_columns
from gazesal.datasets._dialects import Dialect
from gazesal.datasets._parquet import read_arrow, read_parquet
from gazesal.datasets.gaze_formats.column_names import matches
from gazesal.datasets.gaze_formats.preset_tables import Preset
from gazesal.datasets.gaze_formats.read_table import TableOptions, fixations_of
from gazesal.datasets.gaze_formats.registry import FORMATS
from gazesal.datasets.gaze_formats.table_rows import texts_of

__all__ = ["fixations_in_files", "read_table"]

PARQUET = {".parquet", ".pq"}
ARROW = {".feather", ".arrow", ".ipc"}
FOLDER_PATTERNS = ("*.parquet", "*.pq", "*.feather", "*.arrow")  # of a folder without a format
IGNORED = re.compile(r"\.|__MACOSX$|_SUCCESS$|_temporary$")  # names of what is no table
ASC_HEAD = b"**"  # begins the comments of EyeLink's ASC files
# Suffixes of files that are not tables, and the words in the `source` of their formats.
OTHER_FILES = {
    ".mat": ".mat",
    ".json": "JSON",
    ".hdf5": "hdf5",
    ".h5": "hdf5",
    ".asc": ".asc",
}
MOST_FILES = 2**16  # in a folder; more indicates a wrong folder


def fixations_in_files(
    path: Path,
    preset: Preset,
    options: TableOptions,
    dialect: Dialect,
    *,
    files: str | None,
    known: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the fixations of a file, or of the files in a folder one after the other."""
    if not path.is_dir():
        if files is not None:
            raise ValueError(f"{path}: `files` is used only with a folder, got a file. Omit it.")
        if preset.loose:
            _require_table(path)
        return _of_file(path, preset, options, dialect, known or {}, {})
    found: list[pd.DataFrame] = []
    readings: dict[tuple[str, str], Path] = {}
    for file in _files_in(path, files, preset):
        keys = _keys_in_path(file.relative_to(path)) if preset.loose else {}
        table = _of_file(file, preset, options, dialect, known or {}, keys)
        for reading in dict.fromkeys(zip(table["image"], table["observer"], strict=True)):
            other = readings.setdefault(reading, file)
            if other != file and not preset.loose:
                raise ValueError(
                    f"{path}: {other.relative_to(path)} and {file.relative_to(path)} both have "
                    f"fixations of observer {reading[1]!r} on image {reading[0]!r}. Choose one "
                    'kind of files with `files`, such as files="*/fixations.csv".'
                )
        place = file.relative_to(path).as_posix()
        table.index = pd.Index([f"{place}:{row}" for row in table.index], name="line")
        found.append(table)
    joined = pd.concat(found)
    joined.attrs = {"source": str(path)}
    return joined


def _require_table(path: Path) -> None:
    """Raise an error that names the formats of a file, if it cannot be a table."""
    suffix = path.suffix.lower()
    if suffix not in OTHER_FILES or not path.is_file():
        return
    if suffix == ".asc":
        with path.open("rb") as file:
            if not file.read(len(ASC_HEAD)).startswith(ASC_HEAD):
                return
    names = [name for name, each in FORMATS.items() if OTHER_FILES[suffix] in each.source]
    shown = ", ".join(f'"{name}"' for name in names)
    raise ValueError(
        f"{path}: `format` must be given for {suffix} files, which are not tables. Give the format "
        f"of the data set, one of {shown} (--format)."
    )


def read_table(path: Path, dialect: Dialect) -> pd.DataFrame:
    """Read a table as stored (Parquet, Arrow) or as text (CSV), by its suffix."""
    suffix = path.suffix.lower()
    if suffix in PARQUET or suffix in ARROW:
        if dialect != Dialect():
            raise ValueError(
                f"{path}: `delimiter`, `decimal` and `encoding` must be used with a CSV file, got "
                "a Parquet or Arrow file. Omit them."
            )
        return read_parquet(path) if suffix in PARQUET else read_arrow(path)
    return read_csv_text(path, dialect)


def _of_file(
    path: Path,
    preset: Preset,
    options: TableOptions,
    dialect: Dialect,
    known: Mapping[str, str],
    keys: Mapping[str, str],
) -> pd.DataFrame:
    """Return the fixations of one file."""
    raw = read_table(path, dialect)
    if path.suffix.lower() in PARQUET | ARROW and options.decimal is not None:
        raise ValueError(
            f"{path}: `delimiter`, `decimal` and `encoding` must be used with a CSV file, got a "
            "Parquet or Arrow file. Omit them."
        )
    for key, value in keys.items():
        if key not in raw.columns:
            raw[key] = value
    facts: dict[str, Any] = {**_known_from_path(path, preset), **known}
    if preset.join:
        facts |= _joined_observers(path, raw, preset)
    return fixations_of(raw, preset, options, source=str(path), known=facts)


def _files_in(folder: Path, files: str | None, preset: Preset) -> list[Path]:
    """Return the files of a folder for the first pattern that matches, in the order of names."""
    patterns = (files,) if files else preset.files or FOLDER_PATTERNS
    beside = preset.join.get("file")
    every = [each for each in _walk(folder) if each.name != beside]
    if preset.loose and not files:  # the parts of a data set may have different suffixes
        found = [each for each in every if any(each.match(one) for one in patterns)]
        if found:
            return found
    for pattern in patterns:
        found = [each for each in every if each.match(pattern)]
        if found:
            return found
    shown = ", ".join(patterns)
    raise ValueError(
        f"{folder}: must have files named {shown}, got none among {len(every)} files. Give another "
        'folder, or the pattern of its tables, such as files="*.csv"'
        f"{', or the `format` of the data set (--format)' if preset.loose else ''}."
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in the order of names, without hidden ones."""
    number = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not IGNORED.match(each))
        for name in sorted(names):
            number += 1
            if number > MOST_FILES:
                raise ValueError(f"{folder}: must have at most {MOST_FILES} files.")
            if not IGNORED.match(name):
                yield Path(root, name)


def _keys_in_path(path: Path) -> dict[str, str]:
    """Return names and values in names of folders such as ``observer=ann``, as of Hive."""
    pairs = [part.partition("=") for part in path.parts[:-1] if "=" in part]
    return {unquote(key): unquote(value) for key, _, value in pairs}


def _known_from_path(path: Path, preset: Preset) -> dict[str, str]:
    """Return the image and the observer that the regular expression of a preset finds."""
    if not preset.path:
        return {}
    found = re.search(f"(?:^|/){preset.path}$", path.absolute().as_posix())
    groups = found.groupdict() if found else {}
    return {key: value for key, value in groups.items() if value and key in {"image", "observer"}}


def _joined_observers(path: Path, raw: pd.DataFrame, preset: Preset) -> dict[str, Any]:
    """Return the observer of each row by a table beside the file, if there is one."""
    beside, on = path.with_name(preset.join["file"]), preset.join["on"]
    if on not in raw.columns or not beside.exists():
        return {}
    table = read_csv_text(beside, Dialect())
    wanted = preset.join["observer"]
    column = matches(
        table.columns, (wanted,) if isinstance(wanted, str) else tuple(wanted), loose=False
    )
    require_columns(table, [on, *column[:1]] if column else [on, str(wanted)], beside)
    names = dict(zip(table[on], texts_of(table[column[0]]), strict=True))
    return {"observer": raw[on].map(names).fillna(raw[on])}
