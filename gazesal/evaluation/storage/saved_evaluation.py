"""Saved evaluations: the files of an evaluation, and checks of everything read from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._digests import digest_of_file
from gazesal._files import atomic_path, write_text
from gazesal._validation import as_flag
from gazesal._warnings import warn
from gazesal.evaluation.case import Case, n_gaze_maps
from gazesal.evaluation.case_checks import as_cases
from gazesal.evaluation.control_table import require_controls_table
from gazesal.evaluation.given_center_bias import description_of
from gazesal.evaluation.groups import require_groups
from gazesal.evaluation.options import CHECKS, EvaluationOptions, as_options
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.evaluation.storage.center_bias_file import (
    can_be_saved,
    frame_of,
    read_bias,
    write_bias,
)
from gazesal.evaluation.storage.saved_cases import (
    Places,
    case_from_json,
    case_to_json,
    fixations_of,
    gaze_by_case,
)
from gazesal.evaluation.storage.score_parts import require_pyarrow
from gazesal.exceptions import SkippedDataWarning
from gazesal.maps.center_bias import CenterBias
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.reference_frame import ReferenceFrame
from gazesal.maps.registered_bias import RegisteredCenterBias
from gazesal.metrics.metric import Metric

__all__ = ["load_parts", "save_parts"]

LAYOUT = 1
TABLES = ("scores.parquet", "fixations.parquet")
CONTROLS = "controls.parquet"  # only with the control "other_gaze"


def save_parts(
    folder: Path,
    *,
    scores: pd.DataFrame,
    bad_images: pd.DataFrame,
    cases: Iterable[Case],
    options: EvaluationOptions,
    center_bias: CenterBiasModel | None,
    versions: Mapping[str, str],
    controls: pd.DataFrame | None = None,
) -> None:
    """Write an evaluation into a folder, with ``evaluation.json`` last to mark it as complete."""
    require_pyarrow("saving an evaluation")
    head = folder / "evaluation.json"
    head.unlink(missing_ok=True)  # an earlier evaluation is incomplete from here on
    _write_table(folder / "scores.parquet", scores)
    listed = list(cases)
    places = Places(folder.parent)
    lines = [json.dumps(case_to_json(case, places)) for case in listed]
    write_text(folder / "cases.jsonl", "".join(f"{line}\n" for line in lines))
    _write_table(folder / "fixations.parquet", fixations_of(listed))
    tables: tuple[str, ...] = TABLES
    if controls is None:
        (folder / CONTROLS).unlink(missing_ok=True)
    else:
        _write_table(folder / CONTROLS, controls)
        tables = (*TABLES, CONTROLS)
    if center_bias is not None and not can_be_saved(center_bias):
        warn(
            f"a center bias of type {type(center_bias).__name__} cannot be saved, so `maps_of` "
            "will raise an error after loading. All scores are saved.",
            SkippedDataWarning,
        )
        center_bias = None
    if center_bias is None:
        (folder / "center_bias.npz").unlink(missing_ok=True)
    else:
        write_bias(folder / "center_bias.npz", center_bias)
    facts = {
        "layout": LAYOUT,
        "versions": dict(versions),
        "options": options.facts(),
        "with_center_bias": center_bias is not None,
        "bad_images": bad_images[["image", "reason"]].to_numpy().tolist(),
        "tables": {name: digest_of_file(folder / name) for name in tables},
    }
    write_text(head, json.dumps(facts, indent=1) + "\n")


def load_parts(folder: Path) -> dict[str, Any]:
    """Read and check the parts that `save_parts` wrote, by name.

    Raises
    ------
    FileNotFoundError
        If the folder or a file of it does not exist.
    ValueError
        If a file is torn, has another layout or was not saved by `save_parts`. The message names
        the file.
    """
    require_pyarrow("loading an evaluation")
    path = folder / "evaluation.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no saved evaluation.")
    try:
        facts = json.loads(path.read_text("utf-8"))
        if facts["layout"] != LAYOUT:
            raise ValueError(f"its layout is {facts['layout']}, not {LAYOUT}")  # noqa: TRY301 (the handler below names the file)
        options = _options(facts["options"])
        bad = pd.DataFrame(facts["bad_images"], columns=["image", "reason"], dtype=str)
        versions = dict(facts["versions"])
        for name in (*TABLES, *([CONTROLS] if CONTROLS in facts["tables"] else [])):
            path = folder / name
            if digest_of_file(path) != facts["tables"][name]:
                raise ValueError("it is not the table that was saved with the rest")  # noqa: TRY301 (the handler below names the file)
        path = folder / "scores.parquet"
        scores = pd.read_parquet(path)
        _require_scores(scores, options)
        controls = None
        if CONTROLS in facts["tables"]:
            path = folder / CONTROLS
            controls = pd.read_parquet(path)
            require_controls_table(controls, scores, options)
        path = folder / "fixations.parquet"
        gaze = gaze_by_case(pd.read_parquet(path))
        path = folder / "cases.jsonl"
        places = Places(folder.parent)
        cases = [
            case_from_json(json.loads(line), gaze.get(number, {}), places)
            for number, line in enumerate(path.read_text("utf-8").splitlines())
        ]
        as_cases(cases)
        require_groups(cases, options)
        _require_known(scores, cases)
        path = folder / "center_bias.npz"
        with_bias = as_flag(facts["with_center_bias"], name="with_center_bias")
        bias = read_bias(path)[0] if with_bias else None
        _require_bias_of(bias, options, cases)
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken file raises errors of many types
        raise ValueError(f"{path}: cannot be read as a saved evaluation: {error}") from error
    return {
        "scores": scores,
        "bad_images": bad,
        "cases": cases,
        "options": options,
        "center_bias": bias,
        "versions": versions,
        "controls": controls,
    }


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def _options(saved: dict[str, Any]) -> EvaluationOptions:
    """Return saved options, each with a valid value. See `EvaluationOptions`."""
    frame = saved["frame"]
    if isinstance(frame, dict):
        frame = ReferenceFrame(**{k: _as_tuple(v) for k, v in frame.items()})
    if set(saved) - {"own_metrics"} != set(CHECKS):
        raise ValueError(f"its options must be {sorted(CHECKS)}, got {sorted(saved)}")
    own = {each["name"]: Metric.from_facts(each) for each in saved.get("own_metrics", ())}
    metrics = [own.get(name, name) for name in saved["metrics"]]
    given = {key: _as_tuple(saved[key]) for key in CHECKS}
    return as_options(given | {"frame": frame, "metrics": metrics})


def _require_scores(scores: pd.DataFrame, options: EvaluationOptions) -> None:
    """Raise unless a table has the columns of scores and only metrics of the options."""
    if tuple(scores.columns[: len(COLUMNS)]) != COLUMNS:
        raise ValueError(f"it must begin with the columns {', '.join(COLUMNS)}")
    if scores["score"].dtype != np.float64:
        raise TypeError(f"its scores must be float64, got {scores['score'].dtype}")
    for name in COLUMNS[:-1]:
        if not all(isinstance(value, str) for value in scores[name].unique()):
            raise TypeError(f"its column {name!r} must be text")
    foreign = set(scores["metric"]).difference(options.metrics)
    if foreign:
        raise ValueError(f"it has the metric {min(foreign)!r}, which is not in the options")


def _require_known(scores: pd.DataFrame, cases: list[Case]) -> None:
    """Raise unless every score is of an image among the cases."""
    foreign = set(scores["image"].unique()).difference(case.image for case in cases)
    if foreign:
        raise ValueError(f"it has no case for the image {min(foreign)!r}, which has scores")


def _require_bias_of(
    bias: CenterBiasModel | None, options: EvaluationOptions, cases: list[Case]
) -> None:
    """Raise unless a center bias has the frame of the options and at most the cases' gaze maps."""
    if bias is None:
        if options.frame is not None:
            raise ValueError("it is missing, but the evaluation has a center bias")
        return
    if options.given_bias is not None:
        if description_of(bias, stored=False) != options.given_bias:
            raise ValueError(f"it must be the one of the evaluation, {options.given_bias}")
        return
    if not isinstance(bias, (CenterBias, RegisteredCenterBias)):
        raise TypeError("it must be the mean of gaze maps")
    if frame_of(bias) != options.frame:
        raise ValueError(
            f"its frame must be {options.frame}, the one of the evaluation, got {frame_of(bias)}"
        )
    readings = sum(map(n_gaze_maps, cases))
    if bias.n_maps > readings:
        raise ValueError(
            f"it must be of at most the {readings} gaze maps of the cases, got {bias.n_maps}"
        )


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
