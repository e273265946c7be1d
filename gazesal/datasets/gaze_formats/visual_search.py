"""Read trials of visual search in JSON: COCO-Search18 and GazeSearch."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._image_sizes import Sizes
from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._matlab import numbers
from gazesal.datasets.gaze_formats._on_screen import to_images
from gazesal.datasets.gaze_formats._rows import (
    omit,
    reading,
    table_of,
)
from gazesal.datasets.screens import Coordinates, Screen
from gazesal.exceptions import SkippedDataWarning

SCREEN = Screen(display=(1680, 1050), placement="letterbox")  # of COCO-Search18
SQUARE_SIDE, FAR = 224, 2  # pixels of the frame of GazeSearch, and its multiple far beside it
SQUARE = Screen(display=(SQUARE_SIDE, SQUARE_SIDE), placement="fill")
SHORTEST, LONGEST = 10.0, 10_000.0  # ms; median durations beyond are in another unit
KEYS = {"name", "subject", "X", "Y", "T"}
FACTS = ("task", "condition", "split")


def read_coco_search18(
    path: Path,
    *,
    sizes: Sizes | None = None,
    first: Literal["keep", "drop"] = "keep",
) -> pd.DataFrame:
    """Read COCO-Search18, a JSON file of trials or a folder of them.

    Positions are pixels of the display of 1680 x 1050, in which the picture is scaled, with bars.
    With the `sizes` of the original pictures of COCO, they are pixels of the picture, which is
    supposed to be in the middle. ``first="drop"`` omits the first fixation, which is at the center
    before the picture is shown. An image is shown for several tasks, so image and observer do not
    identify a trial.
    """
    as_choice(first, ("keep", "drop"), name="first")
    table = _read_trials(path, "COCO-Search18", milliseconds=1.0)
    if table["duration"].median() < SHORTEST:
        raise ValueError(
            f"{path}: durations of COCO-Search18 must be in ms, got a median of "
            f'{table["duration"].median():g}. Use format="gazesearch" for GazeSearch, which has '
            "seconds."
        )
    table = _in_pictures(table, sizes, SCREEN)
    return omit(table, unwanted=(table["order"] == 1).to_numpy() & (first == "drop"))


def read_gazesearch(path: Path, *, sizes: Sizes | None = None) -> pd.DataFrame:
    """Read GazeSearch, a JSON file of trials.

    Positions are whole pixels of a frame of 224 x 224, into which the picture is squeezed. With the
    `sizes` of the pictures, they are pixels of the picture, to half a pixel of the frame. Durations
    are converted from seconds. The observer is 1 for every reader.
    """
    table = _read_trials(path, "GazeSearch", milliseconds=1000.0)
    places = table[["x", "y"]].to_numpy()
    if table["duration"].median() > LONGEST or np.nanmax(places, initial=0) > FAR * SQUARE_SIDE:
        raise ValueError(
            f"{path}: trials of GazeSearch must have positions in a frame of {SQUARE_SIDE} x "
            f"{SQUARE_SIDE} and durations in seconds, got positions up to {np.nanmax(places):g} "
            f"and a median duration of {table['duration'].median() / 1000:g}. Use "
            'format="coco-search18" for COCO-Search18.'
        )
    return omit(_in_pictures(table, sizes, SQUARE))


def _in_pictures(table: pd.DataFrame, sizes: Sizes | None, frame: Screen) -> pd.DataFrame:
    """Convert positions from the frame to the pictures, if their sizes are given."""
    if sizes is not None:
        return to_images(table, Coordinates(), screen=frame, sizes=sizes)
    width, height = frame.display or (0, 0)
    table.attrs["size"] = height, width
    return table


def _read_trials(path: Path, title: str, *, milliseconds: float) -> pd.DataFrame:
    """Read the trials of one or several files, each trial once."""
    rows: dict[str, dict[str, Any]] = {}
    repeated = 0
    for file, trials in _files(path, title):
        with reading(file, title):
            for trial in trials:
                x, y, duration = (numbers(trial[key]).ravel() for key in "XYT")
                row: dict[str, Any] = {"image": trial["name"]}
                row |= {"observer": str(trial["subject"])}
                row |= {name: trial[name] for name in FACTS if name in trial}
                row |= {"x": x, "y": y, "duration": duration * milliseconds}
                row["order"] = np.arange(1, len(x) + 1)
                # the same trial is in the files of several splits
                facts = {name: trial[name] for name in trial if name != "split"}
                key = json.dumps(facts, sort_keys=True)
                repeated += key in rows
                rows.setdefault(key, row)
    table = table_of(list(rows.values()), path)
    if repeated:
        warn(f"{path}: omitted {repeated} trials that repeat another one.", SkippedDataWarning)
    return table


def _files(path: Path, title: str) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Return each file of trials, and its trials. Other JSON files of a folder are ignored."""
    found = False
    for file in files_in(path, "*.json"):
        with reading(file, title):
            content = parse_json(file.read_text("utf-8-sig"))
        first = content[0] if isinstance(content, list) and content else None
        if isinstance(first, dict) and set(first) >= KEYS:
            found = True
            yield file, content
    if not found:
        raise ValueError(
            f"{path}: must have a list of trials with {', '.join(sorted(KEYS))}, got no such JSON."
        )
