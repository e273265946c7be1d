"""Cases from a manifest: a table with a row for each image."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path
from gazesal.datasets._csv import parse_numbers, require_columns, require_each, require_once
from gazesal.datasets._names import clean_names, one_spelling
from gazesal.datasets._records import read_records
from gazesal.datasets._rooted import path_inside
from gazesal.datasets.fixation_table import Origin, read_fixations
from gazesal.datasets.map_files import SUFFIXES
from gazesal.datasets.map_sources import stored_maps
from gazesal.datasets.map_stores import STORES, StoredMap
from gazesal.evaluation.case import Case, GazeSource, MapSource, require_no_baseline
from gazesal.evaluation.cases_from_tables import gaze_of_images, with_maps
from gazesal.evaluation.fixation_file import FixationFile
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import OUTSIDE, Outside

__all__ = ["cases_from_manifest"]

BOX = ("x_min", "y_min", "x_max", "y_max")
SIZE = ("width", "height")
PREFIXES = ("map", "gaze", "group")
KNOWN = {"image", *SIZE, *BOX, "picture", "center_bias", "scored"}

Row: TypeAlias = Mapping[str, str]


def cases_from_manifest(
    path: str | Path,
    *,
    fixations: pd.DataFrame | str | Path | None = None,
    root: str | Path | None = None,
    origin: Origin = "center",
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
    outside: Outside = "raise",
    unmapped: Literal["raise", "gaze_only"] = "raise",
    absent: Literal["raise", "keep"] = "raise",
) -> list[Case]:
    """Make cases of a manifest: a table with a row for each image that names its files.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed, a Parquet file (extra ``parquet``), a JSON list of records, or
        JSON Lines (``.jsonl``, ``.ndjson``), with the columns

        - ``image``, a name of its own for each row, ``width`` and ``height`` in pixels;
        - ``map:METHOD``, the file of a method's saliency map;
        - ``gaze:OBSERVER``, the file of an observer's fixations on the image, or of a gaze map
          made elsewhere; empty where the observer did not look at it;
        - ``group:NAME``, what the image belongs to;
        - ``picture``, the file of the image itself, for display only;
        - ``x_min``, ``y_min``, ``x_max``, ``y_max``, its box in pixels;
        - ``center_bias``, the file of a center bias of its own;
        - ``scored``, True, or False where its gaze shapes the center bias only.

        All but the first three may be left out; columns of other names are passed over. Files of
        maps are those of `read_map`, and ``store.h5#key`` or ``store.h5`` for an array of a file
        that `open_maps` opens: without a key, the one of the image's name, or the only one.
    fixations : pandas.DataFrame, str or path, optional
        A table of fixations, as of `read_fixations`, or its file. Those of images that the
        manifest does not have are passed over.
    root : str or path, optional
        Folder that the paths in the manifest start from and cannot leave; by default its own.
    origin : {"center", "corner", "matlab"}, default "center"
        Where the coordinates in files of fixations begin; see `read_fixations`.
    columns : mapping of str to str, optional
        What their columns are called; see `read_fixations`.
    duplicates : {"raise", "drop", "keep"}, default "raise"
        What to do with their rows that repeat another.
    outside : {"raise", "drop", "keep"}, default "raise"
        What to do with fixations outside their image; see `gaze_heatmap`. Those in files of single
        observers, which are read with their image, are dropped without being counted.
    unmapped : {"raise", "gaze_only"}, default "raise"
        What to do with images that have no map of a method: refuse, or use their gaze for the
        center bias only.
    absent : {"raise", "keep"}, default "raise"
        What to do with files that are not there: refuse, or leave it to `evaluate` to find.

    Returns
    -------
    list of Case
        In the order of the images' names. Files of maps and of single observers' fixations are
        read when they are needed.

    Raises
    ------
    FileNotFoundError
        If the manifest or the table of fixations does not exist.
    ValueError
        If the manifest cannot be read or a value in it is bad; the message names file, line and
        column. Or as for `read_fixations`, `open_maps` and `cases_from_tables`.
    ImportError
        If the extra of a file's format is not installed.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``, or will be without being counted.

    See Also
    --------
    cases_from_tables : From a table of fixations and folders of maps.
    evaluate : Score them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "map.npy"), np.eye(3))
    ...     for name in ("ann", "bob"):
    ...         _ = Path(folder, f"{name}.csv").write_text("x,y,duration\\n1,2,0.3\\n")
    ...     manifest = Path(folder, "manifest.csv")
    ...     _ = manifest.write_text(
    ...         "image,width,height,map:mine,gaze:ann,gaze:bob,group:site\\n"
    ...         "7,3,3,map.npy,ann.csv,bob.csv,north\\n"
    ...     )
    ...     cases = gazesal.cases_from_manifest(manifest)
    ...     cases[0].load_gaze("ann").points.tolist(), dict(cases[0].groups)
    ([[1.0, 2.0]], {'site': 'north'})
    """
    path = as_path(path, name="path")
    as_choice(outside, OUTSIDE, name="outside")
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    as_choice(absent, ("raise", "keep"), name="absent")
    table, row = read_records(path)
    manifest = _Manifest(
        path=path,
        row=row,
        root=path.parent if root is None else as_path(root, name="root"),
        check=absent == "raise",
    )
    if isinstance(fixations, (str, os.PathLike)):
        fixations = read_fixations(fixations, origin=origin, columns=columns, duplicates=duplicates)
    table = manifest.checked(table)
    reading = {
        "origin": origin,
        "columns": tuple((columns or {}).items()),
        "duplicates": duplicates,
        "outside": outside,
    }
    rows: dict[Any, Any] = table.to_dict("index")
    cases = [manifest.case(line, values, reading) for line, values in rows.items()]
    files = [s for case in cases for s in case.gaze.values() if isinstance(s, FixationFile)]
    if files and outside == "drop":
        warn(
            f"{path}: fixations outside their image in {len(files)} files of single observers will "
            "be dropped when the files are read, without being counted.",
            OffImageWarning,
            stacklevel=2,
        )
    if fixations is not None:
        cases = _joined(cases, fixations, outside, path)
    maps: dict[str, dict[str, MapSource]] = {method: {} for method in _labels(table.columns, "map")}
    for line, values in rows.items():
        for method, source in manifest.maps(line, "map", values).items():
            maps[method][values["image"]] = source
    return with_maps(cases, maps, unmapped)


def _joined(cases: list[Case], fixations: pd.DataFrame, outside: Outside, path: Path) -> list[Case]:
    """The cases with the fixations of a table beside what the manifest names."""
    shapes = {case.image: case.shape for case in cases}
    looked_at, dropped = gaze_of_images(fixations, shapes.__getitem__, outside, only=shapes)
    if dropped:
        warn(dropped, OffImageWarning, stacklevel=3)
    joined = []
    for case in cases:
        _, gaze = looked_at.get(case.image, (case.shape, {}))
        twice = sorted(set(gaze) & set(case.gaze))
        if twice:
            raise ValueError(
                f"{path}: observer {twice[0]!r} of image {case.image!r} must have one source of "
                "gaze, got a file and fixations of the table."
            )
        joined.append(replace(case, gaze=dict(sorted({**case.gaze, **gaze}.items()))))
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    """What the reading of every row shares."""

    path: Path
    row: str
    root: Path
    check: bool

    def checked(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table, sorted by image, once its columns hold what they must."""
        path, row = self.path, self.row
        table = table.set_axis([self._heading(name) for name in table.columns], axis=1)
        _require_different(table.columns, path)
        require_columns(table, ["image", *SIZE], path)
        if table.empty:
            raise ValueError(f"{path}: there are no images in the manifest.")
        table = table.apply(lambda column: column.str.strip())
        try:
            names = clean_names(table["image"].unique(), what="names of images")
        except ValueError as error:
            raise ValueError(f"{path}, column 'image': {error}") from None
        table["image"] = table["image"].map(names)
        require_no_baseline(_labels(table.columns, "map"))
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
        """Return a column's name without blanks beside its colon; a slip in it is an error."""
        prefix, colon, label = (part.strip() for part in name.partition(":"))
        if colon and (prefix not in PREFIXES or not label):
            raise ValueError(
                f"{self.path}: column {name!r} must be one of "
                f"{', '.join(f'{each}:NAME' for each in PREFIXES)}, in lower case, or have no "
                "colon. Rename it."
            )
        if colon:
            return f"{prefix}:{label}"
        meant = re.sub(r"[\s-]+", "_", prefix.casefold()).replace("center", "center")
        if meant in KNOWN and prefix not in KNOWN:  # a column of another name would be ignored
            raise ValueError(f"{self.path}: column {name!r} must be written {meant!r}. Rename it.")
        return prefix

    def case(self, line: Any, values: Row, reading: Mapping[str, Any]) -> Case:
        """The case of one row."""
        image, shape = values["image"], (int(values["height"]), int(values["width"]))

        gaze: dict[str, GazeSource] = {}
        for observer in sorted(_labels(values, "gaze")):
            text = values[f"gaze:{observer}"]
            if text and _is_map(text):
                gaze[observer] = self._map(line, f"gaze:{observer}", values)
            elif text:
                file = self._file(line, f"gaze:{observer}", text)
                gaze[observer] = FixationFile(
                    path=file, image=image, observer=observer, shape=shape, **reading
                )
        picture = values.get("picture", "")
        return Case(
            image=image,
            shape=shape,
            gaze=gaze,
            maps={},
            scored=values.get("scored", "").lower() != "false",
            box=self._box(line, values),
            groups={name: values[f"group:{name}"] for name in _labels(values, "group")},
            center_bias=(
                self._map(line, "center_bias", values) if values.get("center_bias") else None
            ),
            picture=self._file(line, "picture", picture) if picture else None,
        )

    def maps(self, line: Any, prefix: str, values: Row) -> dict[str, Path | StoredMap]:
        """The maps that the columns of a prefix name in a row."""
        return {
            name: self._map(line, f"{prefix}:{name}", values)
            for name in _labels(values, prefix)
            if values[f"{prefix}:{name}"]
        }

    def _box(self, line: Any, values: Row) -> tuple[float, float, float, float] | None:
        given = [values.get(name, "") for name in BOX]
        if not any(given):
            return None
        if not all(given):
            raise self._fault(line, BOX[given.index("")], "must be a number as the others are")
        x_min, y_min, x_max, y_max = map(float, given)
        for low, high, name in ((x_min, x_max, "x_max"), (y_min, y_max, "y_max")):
            if high <= low:
                rule = f"must be more than {name.replace('max', 'min')}, got {high:g} and {low:g}"
                raise self._fault(line, name, rule)
        return x_min, y_min, x_max, y_max

    def _file(self, line: Any, column: str, text: str) -> Path:
        """The file that a value names."""
        try:
            file = path_inside(self.root, text)
        except ValueError as error:
            raise self._fault(line, column, str(error)) from None
        if self.check and not file.exists():
            raise self._fault(
                line, column, f'{file} is not there; absent="keep" leaves this to the evaluation'
            )
        return file

    def _map(self, line: Any, column: str, values: Row) -> Path | StoredMap:
        """The map that a value names: a file, or an array in one."""
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
        if not file.exists():  # which reading it will say
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
                line, column, f"{file} has no array {wanted!r}; it has {shown}, of {len(maps)}"
            )
        return maps[wanted] if wanted in maps else StoredMap(file, wanted)

    def _fault(self, line: Any, column: str, what: str) -> ValueError:
        return ValueError(f"{self.path}, {self.row} {line}, column {column!r}: {what}.")


def _require_different(names: Iterable[str], path: Path) -> None:
    """Raise if two columns differ in blanks or case only, which makes two observers of one."""
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
    return stored_maps(path)


def _opened(path: Path) -> Mapping[str, StoredMap]:
    """The maps of a file that many rows name, listed once as long as it is not written again."""
    return _opened_at(path, path.stat().st_mtime_ns)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _is_map(text: str) -> bool:
    """Whether a value names a map rather than a table of fixations."""
    name, mark, _ = text.rpartition("#")
    return _suffix(text) in {*SUFFIXES, *STORES} or bool(mark and _suffix(name) in STORES)


def _labels(columns: Iterable[str], prefix: str) -> list[str]:
    """Names after a prefix among columns, in their order."""
    return [name.removeprefix(f"{prefix}:") for name in columns if name.startswith(f"{prefix}:")]
