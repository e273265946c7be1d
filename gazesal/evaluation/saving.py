"""Evaluations on disk: what they are made of, as far as files can hold it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._files import atomic_path, digest_of_file, write_text
from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.bias_files import read_bias, write_bias
from gazesal.evaluation.cases import Case, Gaze
from gazesal.evaluation.checkpoint import arrow
from gazesal.evaluation.fixation_file import FixationFile
from gazesal.evaluation.scoring import AnyCenterBias, Options
from gazesal.maps.geometry import ReferenceFrame
from gazesal.typing import Float64Array

__all__ = ["NotSaved", "load_parts", "save_parts"]

LAYOUT = 1
TABLES = ("scores.parquet", "fixations.parquet")
NUMBERS = ["x", "y", "duration", "sigma_x", "sigma_y", "x_min", "y_min", "x_max", "y_max"]
OWNER = ["case", "observer", "own_sigma", "partly_shown"]
# Functions that a saved evaluation may name: they read a file. Any other name is refused, since
# what it names is called when a map is asked for.
READERS = ("gazesal.cxr.lung_hull:_read_hull",)


@dataclass(frozen=True, slots=True)
class NotSaved:
    """In place of an array or a function that was not saved with its evaluation.

    Attributes
    ----------
    what : str
        What it was.
    where : str
        Whose it was.
    """

    what: str
    where: str

    def __call__(self) -> Any:
        """Raise, since there is nothing to return."""
        raise ValueError(
            f"the {self.where} was {self.what}, which is not saved with an evaluation; files are. "
            "Give the evaluation cases that have it: dataclasses.replace(evaluation, cases=...)."
        )


def save_parts(
    folder: Path,
    *,
    scores: pd.DataFrame,
    bad_images: pd.DataFrame,
    cases: Iterable[Case],
    options: Options,
    center_bias: AnyCenterBias | None,
    versions: Mapping[str, str],
) -> None:
    """Write an evaluation into a folder; ``evaluation.json`` comes last and makes it whole."""
    arrow("saving an evaluation")
    head = folder / "evaluation.json"
    head.unlink(missing_ok=True)  # of an earlier one, which ends here
    _write_table(folder / "scores.parquet", scores)
    listed = list(cases)
    lines = [json.dumps(_as_json(case, folder.parent)) for case in listed]
    write_text(folder / "cases.jsonl", "".join(f"{line}\n" for line in lines))
    _write_table(folder / "fixations.parquet", _fixations(listed))
    if center_bias is None:
        (folder / "center_bias.npz").unlink(missing_ok=True)
    else:
        write_bias(folder / "center_bias.npz", center_bias)
    facts = {
        "layout": LAYOUT,
        "versions": dict(versions),
        "options": asdict(options),
        "with_center_bias": center_bias is not None,
        "bad_images": bad_images[["image", "reason"]].to_numpy().tolist(),
        "tables": {name: digest_of_file(folder / name) for name in TABLES},
    }
    write_text(head, json.dumps(facts, indent=1) + "\n")


def load_parts(folder: Path) -> dict[str, Any]:
    """What `save_parts` wrote, by name.

    Raises
    ------
    FileNotFoundError
        If the folder or a file of it does not exist.
    ValueError
        If it holds something else, is torn or of another layout; the message names the file.
    """
    arrow("loading an evaluation")
    path = folder / "evaluation.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no saved evaluation.")
    try:
        facts = json.loads(path.read_text("utf-8"))
        if facts["layout"] != LAYOUT:
            raise ValueError(f"its layout is {facts['layout']}, not {LAYOUT}")  # noqa: TRY301
        options = _options(facts["options"])
        bias = read_bias(folder / "center_bias.npz")[0] if facts["with_center_bias"] else None
        bad = pd.DataFrame(facts["bad_images"], columns=["image", "reason"], dtype=str)
        versions = dict(facts["versions"])
        for name in TABLES:
            path = folder / name
            if digest_of_file(path) != facts["tables"][name]:
                raise ValueError("it is not the table that was saved with the rest")  # noqa: TRY301
        path = folder / "scores.parquet"
        scores = pd.read_parquet(path)
        path = folder / "fixations.parquet"
        gaze = _gaze_by_case(pd.read_parquet(path))
        path = folder / "cases.jsonl"
        cases = [
            _case(json.loads(line), gaze.get(number, {}), folder.parent)
            for number, line in enumerate(path.read_text("utf-8").splitlines())
        ]
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file fails in as many ways as it has parts
        raise ValueError(f"{path}: cannot be read as a saved evaluation: {error}") from error
    return {
        "scores": scores,
        "bad_images": bad,
        "cases": cases,
        "options": options,
        "center_bias": bias,
        "versions": versions,
    }


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def _options(saved: dict[str, Any]) -> Options:
    frame = saved["frame"]
    if isinstance(frame, dict):
        frame = ReferenceFrame(**{k: _as_tuple(v) for k, v in frame.items()})
    return Options(**{k: _as_tuple(v) for k, v in (saved | {"frame": frame}).items()})


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_json(case: Case, root: Path) -> dict[str, Any]:
    """A case without its fixations."""
    return {
        "image": case.image,
        "shape": [int(side) for side in case.shape],
        "gaze": {
            name: _source(source, root)
            if not isinstance(source, Gaze)
            else _fixations_source(source)
            for name, source in case.gaze.items()
        },
        "maps": {method: _source(source, root) for method, source in case.maps.items()},
        "scored": bool(case.scored),
        "box": None if case.box is None else [float(side) for side in case.box],
        "groups": {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in case.groups.items()
        },
        "center_bias": None if case.center_bias is None else _source(case.center_bias, root),
        "picture": None if case.picture is None else _place(case.picture, root),
    }


def _source(source: Any, root: Path) -> dict[str, Any]:
    """A source as JSON: a file, a place in one, one of `READERS` on files, or nothing."""
    if isinstance(source, Path):
        return {"file": _place(source, root)}
    if isinstance(source, StoredMap):
        return {"file": _place(source.path, root), "key": source.key, "row": source.row}
    if isinstance(source, FixationFile):
        return {"fixations": asdict(source) | {"path": _place(source.path, root)}}
    if isinstance(source, partial) and _is_reader(source):
        name = _name_of(source.func)
        return {"function": name, "files": [_place(path, root) for path in source.args]}
    return {"lost": _what(source)}


def _what(source: Any) -> str:
    """What is lost when a source is not saved."""
    if isinstance(source, NotSaved):
        return source.what
    if callable(source):
        return f"a function ({getattr(source, '__qualname__', type(source).__name__)})"
    return "an array in memory"


def _is_reader(source: partial[Any]) -> bool:
    """Whether it is one of `READERS` with files as its only arguments."""
    files_only = not source.keywords and all(isinstance(path, Path) for path in source.args)
    return files_only and _name_of(source.func) in READERS


def _name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"


def _place(path: Path, root: Path) -> str:
    """Where a file is: seen from the root if it lies below, so that both may move, or absolute."""
    # normalised: a path through ".." is below the root only if the file is
    whole, above = Path(os.path.abspath(path)), Path(os.path.abspath(root))  # noqa: PTH100
    return str(whole.relative_to(above) if whole.is_relative_to(above) else whole)


def _read_source(saved: dict[str, Any], root: Path, where: str) -> Any:
    if "lost" in saved:
        return NotSaved(saved["lost"], where)
    if "function" in saved:
        if saved["function"] not in READERS:
            raise ValueError(
                f"a saved function must be one of {', '.join(READERS)}, got {saved['function']!r}"
            )
        module, _, name = saved["function"].partition(":")
        return partial(getattr(import_module(module), name), *(root / f for f in saved["files"]))
    if "fixations" in saved:
        facts = dict(saved["fixations"])
        facts |= {"path": root / facts["path"], "shape": tuple(facts["shape"])}
        return FixationFile(**facts | {"columns": tuple(map(tuple, facts["columns"]))})
    path = root / saved["file"]
    return StoredMap(path, saved["key"], saved["row"]) if "key" in saved else path


def _fixations_source(gaze: Gaze) -> dict[str, Any] | None:
    """Nothing for fixations, which have a table of their own."""
    return {"lost": "no table of fixations"} if _numbers_of(gaze) is None else None


def _case(saved: dict[str, Any], gaze: dict[str, Gaze], root: Path) -> Case:
    def source(found: dict[str, Any], what: str) -> Any:
        return _read_source(found, root, f"{what} of image {saved['image']}")

    own = saved["center_bias"]
    height, width = saved["shape"]
    return Case(
        image=saved["image"],
        shape=(height, width),
        gaze={
            name: gaze[name] if found is None else source(found, f"gaze of observer {name}")
            for name, found in saved["gaze"].items()
        },
        maps={name: source(found, f"{name} map") for name, found in saved["maps"].items()},
        scored=saved["scored"],
        box=_as_tuple(saved["box"]),
        groups=saved["groups"],
        center_bias=None if own is None else source(own, "centre bias"),
        picture=None if saved["picture"] is None else root / saved["picture"],
    )


def _fixations(cases: list[Case]) -> pd.DataFrame:
    """All fixations, one a row, in the order of the cases and of their observers."""
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
    """Fixations of an observer as rows of `NUMBERS`; nothing if they are no fixations at all."""
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


def _gaze_by_case(table: pd.DataFrame) -> dict[int, dict[str, Gaze]]:
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
