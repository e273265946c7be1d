"""Cases of a saved evaluation: a line of JSON for each, and one table of all fixations."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._validation import as_shape
from gazesal.datasets._paths_inside import path_inside
from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.case import Case
from gazesal.evaluation.fixation_file import FixationFile
from gazesal.evaluation.gaze_sources import FixationMap, Gaze
from gazesal.evaluation.map_on_image import MapOnImage
from gazesal.evaluation.region_sources import as_shapes, shapes_from_json, shapes_to_json
from gazesal.evaluation.registered import READERS
from gazesal.evaluation.several_maps import SeveralMaps
from gazesal.maps.reference_frame import as_box
from gazesal.typing import Float64Array

__all__ = [
    "NotSaved",
    "Places",
    "case_from_json",
    "case_to_json",
    "fixations_of",
    "gaze_by_case",
]

NUMBERS = ["x", "y", "duration", "sigma_x", "sigma_y", "x_min", "y_min", "x_max", "y_max"]
OWNER = ["case", "observer", "own_sigma", "partly_shown"]
ARRAY = "an array in memory"


class Places:
    """Paths in saved cases, which are relative to a root so that both can be moved, or absolute.

    Parameters
    ----------
    root : pathlib.Path
        The folder that holds the evaluation.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whole = Path(os.path.abspath(root))  # noqa: PTH100 (links are followed below)
        self._real = root.resolve()
        self._folders: dict[Path, bool] = {}

    def text(self, path: Path) -> str:
        """Return the text with which a path is saved."""
        # Links are followed, because a path below the root may lead out of it.
        whole = Path(os.path.abspath(path))  # noqa: PTH100 (removes "..")
        if whole.is_relative_to(self._whole) and self._is_inside(whole):
            return whole.relative_to(self._whole).as_posix()
        return str(whole)

    def path(self, text: Any) -> Path:
        """Return the path of a saved text, or raise if `text` cannot have written it.

        An evaluation may come from somebody else, so a path must not lead out of the root by
        ``..`` or by a link.
        """
        if not isinstance(text, str):
            raise TypeError(f"a path must be text, got {text!r}")
        if Path(text).is_absolute():
            if ".." in Path(text).parts:
                raise ValueError(f"an absolute path must not hold '..', got {text!r}")
            return Path(text)
        path = path_inside(self._root, text)
        if not self._is_inside(path):
            raise ValueError(f"a path must not lead out of {self._root} by a link, got {text!r}")
        return path

    def _is_inside(self, path: Path) -> bool:
        """Return whether a file lies below the root after links are followed."""
        folder = path.parent
        if folder not in self._folders:
            self._folders[folder] = folder.resolve().is_relative_to(self._real)
        if path.is_symlink():
            return path.resolve().is_relative_to(self._real)
        return self._folders[folder]


@dataclass(frozen=True, slots=True)
class NotSaved:
    """Stand-in for an array or a function that was not saved with its evaluation.

    Attributes
    ----------
    what : str
        Description of the source, such as its kind.
    where : str
        Role of the source, such as the method and the image of a map.
    """

    what: str
    where: str

    @property
    def was_array(self) -> bool:
        """True if the source was an array. As gaze, an array is a gaze map."""
        return self.what == ARRAY

    def __call__(self) -> Any:
        """Raise an error, because the source was not saved."""
        raise ValueError(
            f"the {self.where} must be in a file, but was {self.what}, which is not saved. Give "
            "the evaluation cases that have it: dataclasses.replace(evaluation, cases=...)."
        )


def case_to_json(case: Case, places: Places) -> dict[str, Any]:
    """Return a case as a JSON object, without its fixations."""
    return {
        "image": case.image,
        "shape": [int(side) for side in case.shape],
        "gaze": {
            name: _source(source, places)
            if not isinstance(source, Gaze)
            else _fixations_source(source)
            for name, source in case.gaze.items()
        },
        "maps": {method: _source(source, places) for method, source in case.maps.items()},
        "scored": bool(case.scored),
        "box": None if case.box is None else [float(side) for side in case.box],
        "groups": {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in case.groups.items()
        },
        "center_bias": None if case.center_bias is None else _source(case.center_bias, places),
        "gaze_map": None if case.gaze_map is None else _source(case.gaze_map, places),
        "picture": None if case.picture is None else places.text(case.picture),
        "regions": {label: _region(source, places) for label, source in case.regions.items()},
        "area": None if case.area is None else _source(case.area, places),
    }


def _source(source: Any, places: Places) -> dict[str, Any]:
    """Return a source as JSON: a file, an array in a file, a registered reader, or `NotSaved`."""
    if isinstance(source, Path):
        return {"file": places.text(source)}
    if isinstance(source, StoredMap):
        return {"file": places.text(source.path), "key": source.key, "row": source.row}
    if isinstance(source, (FixationMap, MapOnImage, SeveralMaps)):
        return _wrapped_source(source, places)
    if isinstance(source, FixationFile):
        return {"fixations": asdict(source) | {"path": places.text(source.path)}}
    if isinstance(source, partial) and _is_reader(source):
        name = _name_of(source.func)
        return {"function": name, "files": [places.text(path) for path in source.args]}
    return {"lost": _kind_of(source)}


def _region(source: Any, places: Places) -> dict[str, Any]:
    """Return the source of a region as JSON: shapes, or as other sources."""
    shapes = as_shapes(source)
    return {"shapes": shapes_to_json(shapes)} if shapes else _source(source, places)


def _wrapped_source(
    source: FixationMap | MapOnImage | SeveralMaps, places: Places
) -> dict[str, Any]:
    """Return a source that holds other sources as JSON."""
    if isinstance(source, SeveralMaps):
        return {"several": [_source(each, places) for each in source.sources]}
    inner = _source(source.source, places)
    if isinstance(source, FixationMap):
        return {"fixation_map": inner, "threshold": source.threshold}
    return inner if "lost" in inner else {"framed": inner, **source.as_json()}


def _kind_of(source: Any) -> str:
    """Return the description of a source that is not saved."""
    if isinstance(source, NotSaved):
        return source.what
    if callable(source):
        return f"a function ({getattr(source, '__qualname__', type(source).__name__)})"
    return ARRAY


def _is_reader(source: partial[Any]) -> bool:
    """Return whether a source is a registered reader with files as its only arguments."""
    files_only = not source.keywords and all(isinstance(path, Path) for path in source.args)
    return files_only and _name_of(source.func) in READERS


def _name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"


def _read_source(saved: dict[str, Any], places: Places, where: str) -> Any:
    if "lost" in saved:
        return NotSaved(saved["lost"], where)
    if {"fixation_map", "framed", "several"} & set(saved):
        return _read_wrapped(saved, places, where)
    if "function" in saved:
        if saved["function"] not in READERS:
            raise ValueError(
                f"a saved function must be one of {', '.join(READERS)}, got {saved['function']!r}"
            )
        read = READERS[saved["function"]]()
        return partial(read, *(places.path(each) for each in saved["files"]))
    if "fixations" in saved:
        facts = dict(saved["fixations"])
        facts |= {
            "path": places.path(facts["path"]),
            "shape": as_shape(facts["shape"], name="shape"),
        }
        return FixationFile(**facts | {"columns": tuple(map(tuple, facts["columns"]))})
    path = places.path(saved["file"])
    if "key" not in saved:
        return path
    key, row = saved["key"], saved["row"]
    if not isinstance(key, str) or not (row is None or type(row) is int):
        raise TypeError(f"an array must have a name and a row, got {key!r} and {row!r}")
    return StoredMap(path, key, row)


def _read_wrapped(
    saved: dict[str, Any], places: Places, where: str
) -> FixationMap | MapOnImage | SeveralMaps:
    """Return a source that holds other sources."""
    if "several" in saved:
        return SeveralMaps(tuple(_read_source(each, places, where) for each in saved["several"]))
    if "framed" in saved:
        return MapOnImage.from_json(_read_source(saved["framed"], places, where), saved)
    threshold = saved["threshold"]
    if threshold is not None and type(threshold) not in {int, float}:
        raise TypeError(f"a threshold must be a number, got {threshold!r}")
    return FixationMap(_read_source(saved["fixation_map"], places, where), threshold)


def _fixations_source(gaze: Gaze) -> dict[str, Any] | None:
    """Return None for fixations, which are saved in a table, unless they do not fit in it."""
    return {"lost": "no table of fixations"} if _numbers_of(gaze) is None else None


def case_from_json(saved: dict[str, Any], gaze: dict[str, Gaze], places: Places) -> Case:
    """Return the case of a JSON object with its fixations; raise if it names a forbidden file."""

    def source(found: dict[str, Any], what: str) -> Any:
        return _read_source(found, places, f"{what} of image {saved['image']}")

    own, together, area = saved["center_bias"], saved["gaze_map"], saved["area"]
    return Case(
        image=saved["image"],
        shape=as_shape(saved["shape"], name="shape"),
        gaze={
            name: gaze[name] if found is None else source(found, f"gaze of observer {name}")
            for name, found in saved["gaze"].items()
        },
        maps={name: source(found, f"{name} map") for name, found in saved["maps"].items()},
        scored=saved["scored"],
        box=None if saved["box"] is None else as_box(saved["box"], name="box"),
        groups=saved["groups"],
        center_bias=None if own is None else source(own, "center bias"),
        gaze_map=None if together is None else source(together, "gaze map"),
        picture=None if saved["picture"] is None else places.path(saved["picture"]),
        regions={
            label: shapes_from_json(found["shapes"])
            if "shapes" in found
            else source(found, f"region {label}")
            for label, found in saved["regions"].items()
        },
        area=None if area is None else source(area, "area"),
    )


def fixations_of(cases: list[Case]) -> pd.DataFrame:
    """Return all fixations as rows, in the order of the cases and of their observers."""
    owners: list[tuple[int, str, bool, bool]] = []
    lengths: list[int] = []
    columns: list[Float64Array] = []
    for number, case in enumerate(cases):
        for observer, gaze in case.gaze.items():
            numbers = _numbers_of(gaze) if isinstance(gaze, Gaze) else None
            if isinstance(gaze, Gaze) and numbers is not None:
                owners.append((number, observer, gaze.sigma is not None, gaze.visible is not None))
                lengths.append(len(numbers))
                columns.append(numbers)
    table = pd.DataFrame(np.concatenate([np.empty((0, len(NUMBERS))), *columns]), columns=NUMBERS)
    of_row = np.repeat(np.arange(len(owners)), lengths)
    for position, name in enumerate(OWNER):
        dtype = (np.int64, object, np.bool_, np.bool_)[position]
        table[name] = np.array([owner[position] for owner in owners], dtype=dtype)[of_row]
    return table


def _numbers_of(gaze: Gaze) -> Float64Array | None:
    """Return fixations as rows of `NUMBERS`, None if the arrays do not fit together."""
    try:
        points = np.asarray(gaze.points, dtype=np.float64)
        n = len(points)
        sigma = np.nan if gaze.sigma is None else gaze.sigma
        visible = np.nan if gaze.visible is None else gaze.visible
        parts = [(points, 2), (np.reshape(gaze.durations, (n, 1)), 1), (sigma, 2), (visible, 4)]
        if points.shape != (n, 2) or n == 0:
            return None
        return np.hstack([np.broadcast_to(part, (n, width)) for part, width in parts])
    except (TypeError, ValueError):
        return None


def gaze_by_case(table: pd.DataFrame) -> dict[int, dict[str, Gaze]]:
    """Return the fixations in a table of `fixations_of`, by number of the case and observer."""
    if list(table.columns) != [*NUMBERS, *OWNER]:
        raise ValueError(f"it must have the columns {', '.join([*NUMBERS, *OWNER])}")
    for name, kind in {
        **dict.fromkeys(NUMBERS, "f"),
        "case": "i",
        **dict.fromkeys(OWNER[2:], "b"),
    }.items():
        if table[name].dtype.kind != kind:
            raise TypeError(
                f"its column {name!r} must be of kind {kind!r}, got {table[name].dtype}"
            )
    found: dict[int, dict[str, Gaze]] = {}
    numbers = table[NUMBERS].to_numpy(np.float64)
    case, observer, own, shown = (table[name].to_numpy() for name in OWNER)
    changed = (case[1:] != case[:-1]) | (observer[1:] != observer[:-1])
    starts = [0, *(np.flatnonzero(changed) + 1).tolist()] if len(table) else []
    for start, stop in zip(starts, [*starts[1:], len(table)], strict=False):
        rows = numbers[start:stop]
        found.setdefault(int(case[start]), {})[str(observer[start])] = Gaze(
            points=rows[:, 0:2],
            durations=rows[:, 2],
            sigma=rows[:, 3:5] if own[start] else None,
            visible=rows[:, 5:9] if shown[start] else None,
        )
    return found
