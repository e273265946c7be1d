"""Read the fixations of eye tracking in BIDS."""

import csv
import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._csv import RATIO, UNPACKED
from gazesal.datasets._image_sizes import Sizes
from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._on_screen import (
    Eye,
    Screens,
    omit_unseen,
    shown_image,
    to_images,
)
from gazesal.datasets.gaze_formats._rows import reading, table_of
from gazesal.datasets.screens import Coordinates

RECORDING = re.compile(r"(?P<run>.*)_recording-[^_]+_physioevents\.tsv\.gz")
LONGEST_SECONDS = 10.0  # a median duration above it is in ms, because no usual fixation is longer
ORIGINS = {
    frozenset({"top", "left"}): Coordinates(),
    frozenset({"bottom", "left"}): Coordinates(y_axis="up"),
    frozenset({"center"}): Coordinates(origin="screen_center"),
}


def read_bids(
    path: Path,
    *,
    screen: Screens | None = None,
    sizes: Sizes | None = None,
    eye: Eye | None = None,
) -> pd.DataFrame:
    """Read the fixations of a folder in the layout of BIDS 1.11, whose observers are ``sub-*``.

    Events of gaze have no position in BIDS, so the mean of the samples during a fixation is taken.
    Images are read from ``stim_file`` of the events of the task. BIDS does not say in which part of
    the screen they were, so `screen` and `sizes` must be given.

    Durations are in the unit that the sidecar states. Without a unit, they are in seconds, unless
    their median is above 10.
    """
    rows: list[dict[str, Any]] = []
    frames = set()
    for file in files_in(path, "*_physioevents.tsv.gz"):
        named = RECORDING.fullmatch(file.name)
        if named:
            task = file.with_name(f"{named['run']}_events.tsv")
            with reading(file, "a recording in BIDS"):
                rows.append(_recording(file, _images(task)))
                frames.add(_frame(_sidecar(task)))
    if len(frames) > 1:
        raise ValueError(
            f"{path}: must have one ScreenOrigin and ScreenResolution, got {len(frames)}. Read "
            "recordings of different screens one by one."
        )
    table = omit_unseen(
        table_of(rows, path), eye, remedy="Name images in the column stim_file of the events."
    )
    coordinates, display = frames.pop()
    return to_images(table, coordinates, screen=screen, sizes=sizes, display=display)


def _recording(file: Path, images: list[tuple[float, float, str]]) -> dict[str, Any]:
    """Return the fixations of one eye in one run, with the images that were shown."""
    events, described = _table(file)
    samples, facts = _table(file.with_name(file.name.replace("physioevents", "physio")))
    _require_pixels(facts)
    events = events[events["trial_type"] == "fixation"]
    onset, duration = (events[name].to_numpy(np.float64) for name in ("onset", "duration"))
    # without a source, an onset is the row of a sample, counted from 0
    source = str(described.get("OnsetSource", "n/a"))
    rows = np.arange(len(samples), dtype=np.float64)
    clock = rows if source == "n/a" else samples[source].to_numpy(np.float64)
    rate = float(facts["SamplingFrequency"])
    milliseconds = duration * _ms(described, duration)
    first = np.searchsorted(clock, onset)
    last = np.maximum(first + 1, np.rint(first + milliseconds * rate / 1000).astype(np.int64))
    places = samples[["x_coordinate", "y_coordinate"]].to_numpy(np.float64)
    pairs = zip(first, last, strict=True)
    means = np.array([_mean(places[begin:end]) for begin, end in pairs]).reshape(-1, 2)
    start = float(facts.get("StartTime", 0)) + first / rate
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


def _ms(described: dict[str, Any], duration: Any) -> float:
    """Return the ms of a unit of durations, which is stated or clear from their size."""
    unit = described.get("duration", {}).get("Units", "").strip().lower()
    if unit in {"ms", "msec", "millisecond", "milliseconds"}:
        return 1.0
    if unit:
        if unit not in {"s", "sec", "second", "seconds"}:
            raise ValueError(f"durations must be in s or ms, got the unit {unit!r}")
        return 1000.0
    return 1.0 if len(duration) and np.nanmedian(duration) > LONGEST_SECONDS else 1000.0


def _require_pixels(facts: dict[str, Any]) -> None:
    """Raise unless samples are pixels of the screen."""
    system = facts.get("SampleCoordinateSystem", "gaze-on-screen")
    unit = facts.get("x_coordinate", {}).get("Units", "pixel")
    if system != "gaze-on-screen" or unit not in {"pixel", "pixels", "px"}:
        raise ValueError(f"samples must be pixels of the screen, got {unit!r} of {system!r}")


def _table(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a compressed table without a header, and the sidecar that names its columns."""
    most = max(UNPACKED, RATIO * file.stat().st_size)
    with gzip.open(file) as packed:
        content = packed.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it must unpack to at most {most} bytes")
    facts = _sidecar(file)
    table = pd.read_csv(
        io.BytesIO(content),
        sep="\t",
        names=facts["Columns"],
        na_values=["n/a"],
        header=None,
        quoting=csv.QUOTE_NONE,
    )
    return table, facts


def _sidecar(file: Path) -> dict[str, Any]:
    """Return the facts in the JSON files that apply to a file, the closest last.

    A JSON file applies to the files of its folder and of folders below it that have the same suffix
    and all its entities, such as ``task-freeview``.
    """
    entities, suffix = _entities(file)
    facts: dict[str, Any] = {}
    folders = [folder for folder in file.parents if _in_data_set(folder, file)]
    for folder in reversed(folders):
        found = [each for each in folder.glob("*.json") if _entities(each)[1] == suffix]
        for each in sorted(found, key=lambda each: len(_entities(each)[0])):
            if _entities(each)[0] <= entities:
                facts |= parse_json(each.read_text("utf-8-sig"))
    return facts


def _in_data_set(folder: Path, file: Path) -> bool:
    """Return whether a folder is in the data set, whose folders of subjects are ``sub-*``."""
    subject = file.name.partition("_")[0]
    below = file.relative_to(folder).parts[0]
    return subject in folder.parts or below == subject or folder == file.parent


def _entities(file: Path) -> tuple[set[str], str]:
    """Return the entities in a file's name, and its suffix."""
    *entities, suffix = file.name.partition(".")[0].split("_")
    return set(entities), suffix


def _images(task: Path) -> list[tuple[float, float, str]]:
    """Return the onset and offset in seconds and the name of each image of a task."""
    events = pd.read_csv(task, sep="\t", dtype=str, keep_default_na=False)
    shown = events[~events["stim_file"].isin(["", "n/a"])]
    return [
        (float(onset), float(onset) + float(duration), image)
        for onset, duration, image in shown[["onset", "duration", "stim_file"]].to_numpy()
    ]


def _frame(facts: dict[str, Any]) -> tuple[Coordinates, tuple[int, int] | None]:
    """Return the origin on the screen, by default the upper left, and the size of the screen."""
    shown = facts.get("StimulusPresentation", {})
    origin = shown.get("ScreenOrigin", ["top", "left"])
    found = ORIGINS.get(frozenset(str(each).lower() for each in origin))
    if found is None:
        raise ValueError(f"ScreenOrigin must be top left, bottom left or center, got {origin!r}")
    size = shown.get("ScreenResolution")
    return found, (int(size[0]), int(size[1])) if size else None
