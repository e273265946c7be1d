"""Read the fixations of eye tracking in BIDS."""

import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._csv import RATIO, UNPACKED
from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._on_screen import (
    Eye,
    Screens,
    omit_unseen,
    shown_image,
    to_images,
)
from gazesal.datasets.gaze_formats._rows import Sizes, picture_stem, reading, table_of
from gazesal.datasets.screens import Coordinates

RECORDING = re.compile(r"(?P<run>.*)_recording-[^_]+_physioevents\.tsv\.gz")
LONGEST_SECONDS = 10.0  # a median duration above it is in ms, because no usual fixation is longer


def read_bids(
    path: Path,
    *,
    screen: Screens | None = None,
    sizes: Sizes | str | Path | None = None,
    eye: Eye | None = None,
) -> pd.DataFrame:
    """Read the fixations of a folder in the layout of BIDS 1.11, whose observers are ``sub-*``.

    Events of gaze have no position in BIDS, so the mean of the samples during a fixation is taken.
    Images are read from ``stim_file`` of the events of the task. Where they were on the screen is
    not part of BIDS, so `screen` and `sizes` must be given.

    Durations are in the unit that the sidecar states. Without a unit, they are in seconds, unless
    their median is above 10.
    """
    rows: list[dict[str, Any]] = []
    frames = set()
    for file in files_in(path, "*_physioevents.tsv.gz"):
        named = RECORDING.fullmatch(file.name)
        if named:
            with reading(file, "a recording in BIDS"):
                rows.append(_recording(file, file.with_name(f"{named['run']}_events.tsv")))
                frames.add(_coordinates(file.with_name(f"{named['run']}_events.json")))
    if len(frames) > 1:
        raise ValueError(f"{path}: ScreenOrigin must be the same in all files, got {len(frames)}.")
    table = omit_unseen(table_of(rows, path), eye)
    return to_images(table, frames.pop(), screen=screen, sizes=sizes)


def _recording(file: Path, task: Path) -> dict[str, Any]:
    """Return the fixations of one eye in one run."""
    events, sidecar = _table(file)
    samples, facts = _table(file.with_name(file.name.replace("physioevents", "physio")))
    events = events[events["trial_type"] == "fixation"]
    onset, duration = (events[name].to_numpy(np.float64) for name in ("onset", "duration"))
    # without a source, an onset is the row of a sample, counted from 0
    clock = np.arange(len(samples), dtype=np.float64)
    rate = float(facts["SamplingFrequency"])
    if str(sidecar.get("OnsetSource", "n/a")) != "n/a":
        clock = samples[sidecar["OnsetSource"]].to_numpy(np.float64)
    unit = sidecar.get("duration", {}).get("Units", "")
    milliseconds = duration * (1.0 if _is_ms(unit, duration) else 1000.0)
    first = np.searchsorted(clock, onset)
    last = np.maximum(first + 1, np.rint(first + milliseconds * rate / 1000).astype(np.int64))
    places = samples[["x_coordinate", "y_coordinate"]].to_numpy(np.float64)
    means = np.array(
        [_mean(places[begin:end]) for begin, end in zip(first, last, strict=True)]
    ).reshape(-1, 2)
    start = float(facts.get("StartTime", 0)) + first / rate
    images = _images(task)
    found = shown_image(start, start + milliseconds / 1000, images)
    return {
        "image": np.array(["" if at is None else images[at][2] for at in found], dtype=object),
        "observer": file.name.partition("_")[0],
        "x": means[:, 0],
        "y": means[:, 1],
        "duration": milliseconds,
        "eye": str(facts.get("RecordedEye", "unknown")),
        "onset_seconds": start,
    }


def _mean(places: Any) -> Any:
    """Return the mean of the samples with a position."""
    seen = places[np.isfinite(places).all(axis=1)]
    return seen.mean(axis=0) if len(seen) else np.full(2, np.nan)


def _is_ms(unit: str, duration: Any) -> bool:
    """Return whether durations are in ms: stated in the sidecar, or clear from their size."""
    if unit:
        return unit.strip().lower() in {"ms", "msec", "millisecond", "milliseconds"}
    return bool(len(duration) and np.median(duration) > LONGEST_SECONDS)


def _table(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a compressed table without a header, and the sidecar that names its columns."""
    most = max(UNPACKED, RATIO * file.stat().st_size)
    with gzip.open(file) as packed:
        content = packed.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it must unpack to at most {most} bytes")
    sidecar = parse_json(file.with_name(f"{file.name[:-7]}.json").read_text("utf-8-sig"))
    names = sidecar["Columns"]
    table = pd.read_csv(io.BytesIO(content), sep="\t", names=names, na_values=["n/a"], header=None)
    return table, sidecar


def _images(task: Path) -> list[tuple[float, float, str]]:
    """Return the onset and offset in seconds and the name of each image of a task."""
    events = pd.read_csv(task, sep="\t", dtype=str, keep_default_na=False)
    shown = events[~events["stim_file"].isin(["", "n/a"])]
    return [
        (float(onset), float(onset) + float(duration), picture_stem(image))
        for onset, duration, image in shown[["onset", "duration", "stim_file"]].to_numpy()
    ]


def _coordinates(sidecar: Path) -> Coordinates:
    """Return the origin on the screen, by default the upper left."""
    facts = parse_json(sidecar.read_text("utf-8-sig")) if sidecar.exists() else {}
    origin = facts.get("StimulusPresentation", {}).get("ScreenOrigin", ["top", "left"])
    vertical = {str(each).lower() for each in origin}
    if vertical == {"top", "left"}:
        return Coordinates()
    if vertical == {"bottom", "left"}:
        return Coordinates(y_axis="up")
    if vertical == {"center"}:
        return Coordinates(origin="screen_center")
    raise ValueError(f"ScreenOrigin must be top left, bottom left or center, got {origin!r}")
