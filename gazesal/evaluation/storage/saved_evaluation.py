"""Evaluations on disk: what they are made of, as far as files can hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from gazesal._files import atomic_path, digest_of_file, write_text
from gazesal._validation import as_choice, as_count, as_flag, as_real_array, as_shape, as_tolerance
from gazesal.evaluation.case import Case
from gazesal.evaluation.groups import require_groups
from gazesal.evaluation.options import as_cases
from gazesal.evaluation.score_one_image import AnyCenterBias, CenterBiasRows, GroundTruth, Options
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.evaluation.storage.center_bias_file import frame_of, read_bias, write_bias
from gazesal.evaluation.storage.checkpoint import arrow
from gazesal.evaluation.storage.saved_cases import (
    Places,
    case_from_json,
    case_to_json,
    fixations_of,
    gaze_by_case,
)
from gazesal.maps.geometry import ReferenceFrame
from gazesal.maps.heatmap import OUTSIDE
from gazesal.metrics.densities import METHODS
from gazesal.metrics.registry import METRICS

__all__ = ["load_parts", "save_parts"]

LAYOUT = 1
TABLES = ("scores.parquet", "fixations.parquet")


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
    places = Places(folder.parent)
    lines = [json.dumps(case_to_json(case, places)) for case in listed]
    write_text(folder / "cases.jsonl", "".join(f"{line}\n" for line in lines))
    _write_table(folder / "fixations.parquet", fixations_of(listed))
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
        bad = pd.DataFrame(facts["bad_images"], columns=["image", "reason"], dtype=str)
        versions = dict(facts["versions"])
        for name in TABLES:
            path = folder / name
            if digest_of_file(path) != facts["tables"][name]:
                raise ValueError("it is not the table that was saved with the rest")  # noqa: TRY301
        path = folder / "scores.parquet"
        scores = pd.read_parquet(path)
        _require_scores(scores, options)
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
    options = Options(**{k: _as_tuple(v) for k, v in (saved | {"frame": frame}).items()})
    _require_options(options)
    return options


def _require_options(options: Options) -> None:
    """Raise unless options are of the kinds that `evaluate` takes."""
    if not isinstance(options.metrics, tuple) or not options.metrics:
        raise TypeError(f"`metrics` must be a list of names, got {options.metrics!r}")
    for name in options.metrics:
        as_choice(name, tuple(METRICS), name="metrics")
    choices = {
        "resize": (None, "bilinear"),
        "outside": OUTSIDE,
        "ground_truth": get_args(GroundTruth),
        "center_bias": get_args(CenterBiasRows),
        "density": (None, *METHODS),
    }
    for name, known in choices.items():
        if getattr(options, name) not in known:
            raise ValueError(f"`{name}` must be one of {known}, got {getattr(options, name)!r}")
    for name in ("n_samples", "shrink"):
        if getattr(options, name) is not None:
            as_count(getattr(options, name), name=name)
    as_count(options.seed, name="seed", least=0)
    as_tolerance(options.tolerance, name="tolerance")
    if options.sigma is not None:
        sigma = as_real_array(options.sigma, name="sigma")
        if sigma.shape != (2,) or not (np.isfinite(sigma).all() and sigma.min() > 0):
            raise ValueError(f"`sigma` must be two positive numbers, got {options.sigma!r}")
    if isinstance(options.frame, tuple):
        as_shape(options.frame, name="frame")
    elif options.frame is not None and not isinstance(options.frame, ReferenceFrame):
        raise TypeError(f"`frame` must be a shape or a frame, got {options.frame!r}")
    if not (options.leave_out is None or isinstance(options.leave_out, str)):
        raise TypeError(f"`leave_out` must be the name of a group, got {options.leave_out!r}")


def _require_scores(scores: pd.DataFrame, options: Options) -> None:
    """Raise unless a table is one of scores by these metrics."""
    if tuple(scores.columns[: len(COLUMNS)]) != COLUMNS:
        raise ValueError(f"it must begin with the columns {', '.join(COLUMNS)}")
    if scores["score"].dtype != np.float64:
        raise TypeError(f"its scores must be float64, got {scores['score'].dtype}")
    for name in COLUMNS[:-1]:
        if not all(isinstance(value, str) for value in scores[name].unique()):
            raise TypeError(f"its column {name!r} must be text")
    foreign = set(scores["metric"]).difference(options.metrics)
    if foreign:
        raise ValueError(f"it has the metric {min(foreign)!r}, with which nothing was scored")


def _require_known(scores: pd.DataFrame, cases: list[Case]) -> None:
    """Raise unless all scores are of images among the cases."""
    foreign = set(scores["image"].unique()).difference(case.image for case in cases)
    if foreign:
        raise ValueError(f"it has no case of the image {min(foreign)!r}, which has scores")


def _require_bias_of(bias: AnyCenterBias | None, options: Options, cases: list[Case]) -> None:
    """Raise unless a center bias lies in the frame of the options and is made of the cases."""
    if bias is None:
        if options.frame is not None:
            raise ValueError("it is missing, and the evaluation was made with one")
        return
    if frame_of(bias) != options.frame:
        raise ValueError(
            f"it lies in the frame {frame_of(bias)}, and the evaluation in {options.frame}"
        )
    readings = sum(len(case.gaze) for case in cases)
    if bias.n_maps > readings:
        raise ValueError(f"it is of {bias.n_maps} gaze maps, and the cases have {readings}")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
