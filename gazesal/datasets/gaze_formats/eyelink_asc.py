"""Read the fixations of EyeLink recordings that were converted to text (ASC)."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._image_sizes import Sizes, sizes_by_image
from gazesal.datasets.gaze_formats._files import files_in, names_of_files
from gazesal.datasets.gaze_formats._on_screen import (
    SHOWN_AT,
    Eye,
    Patterns,
    Screens,
    image_named,
    message_patterns,
    omit_unseen,
    shown_image,
    to_images,
)
from gazesal.datasets.gaze_formats._rows import reading, table_of
from gazesal.datasets.screens import Coordinates, Screen

EVENT = re.compile(r"(?:EFIX|MSG|START)\s")
MESSAGE = re.compile(r"MSG\s+(?P<time>\d+(?:\.\d+)?)\s+(?:(?P<offset>[+-]?\d+(?:\.\d+)?)\s+)?(.*)")
LOADED = re.compile(
    r"!V IMGLOAD (?P<how>FILL|CENTER|TOP_LEFT) (?P<image>.+?)"
    r"(?P<numbers>(?:\s+-?\d+(?:\.\d+)?)*)\s*"
)
VARIABLE = re.compile(
    r"!V TRIAL_VAR\s+(?:image|img|picture|stimulus|stim_?file)\s+(?P<image>.+)", re.I
)
DISPLAY = re.compile(r"DISPLAY_COORDS\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)")
EYES = {"L": "left", "R": "right"}


@dataclass(slots=True)
class _Trial:
    """Fixations of a trial, and the images that its messages name."""

    fixations: list[list[str]] = field(default_factory=list)
    shown: list[tuple[float, str]] = field(default_factory=list)  # onset in ms, image or ""
    named: str = ""
    screens: dict[str, tuple[str, list[float]]] = field(default_factory=dict)

    def images(self) -> list[tuple[float, float, str]]:
        """Return onset, offset and name of the images, each shown until the next message."""
        ends = [*(time for time, _ in self.shown[1:]), math.inf][: len(self.shown)]
        found = [(*each, end) for each, end in zip(self.shown, ends, strict=True)]
        named = [(start, end, image) for start, image, end in found if image]
        return named or ([(-math.inf, math.inf, self.named)] if self.named else [])


def read_eyelink_asc(
    path: Path,
    *,
    screen: Screens | None = None,
    sizes: Sizes | None = None,
    eye: Eye | None = None,
    image_message: str | None = None,
) -> pd.DataFrame:
    """Read the lines EFIX of ASC files, a file or a folder, whose observers are named as the files.

    Files with the same name in several folders are distinguished by their folders.

    The image of a trial, and its place on the screen, are read from the messages ``!V IMGLOAD``.
    Without them, the image is read from messages that name a picture or from the variable
    ``!V TRIAL_VAR image``, and `screen` must be given. `image_message` is a regular expression for
    other messages, with a group for the name.

    Durations are in ms, including the last sample. Fixations during which no image was shown are
    omitted and counted.
    """
    patterns = message_patterns(image_message, name="image_message")
    rows: list[dict[str, Any]] = []
    displays = set()
    size_of = sizes_by_image(sizes) or (lambda _: None)
    files = files_in(path, "*.asc")
    for file, observer in zip(files, names_of_files(files, path), strict=True):
        with reading(file, "an ASC file of EyeLink"):
            lines = [line for line in _text(file).splitlines() if EVENT.match(line)]
            display = _display(lines)
            displays.add(display)
            own = image_message is not None
            # the lines before the first trial are number 0
            for number, trial in enumerate(_trials(lines, patterns, own=own)):
                for row in _rows(trial, observer, number):
                    places = {
                        image: _screen(*place, display, size_of(image) or (1, 1))
                        for image, place in trial.screens.items()
                    }
                    places_of_rows = [places.get(image) for image in row["image"]]
                    rows.append(row | {SHOWN_AT: np.array(places_of_rows, dtype=object)})
    table = table_of(rows, path)
    table = omit_unseen(
        table, eye, remedy="Give `image_message`, a regular expression with a group for the name."
    )
    stated = displays.pop() if len(displays) == 1 else None
    return to_images(table, Coordinates(), screen=screen, sizes=sizes, display=stated)


def _trials(lines: list[str], patterns: Patterns, *, own: bool) -> Iterator[_Trial]:
    """Return the trials, which begin with a message TRIALID or, without it, with START."""
    begins = re.compile(
        r"MSG\s+\S+\s+TRIALID" if any(" TRIALID" in line for line in lines) else "START"
    )
    trial = _Trial()
    for line in lines:
        if begins.match(line):
            yield trial
            trial = _Trial()
        elif line.startswith("EFIX"):
            trial.fixations.append(line.split())
        elif message := MESSAGE.match(line):
            _note(trial, message, patterns, own=own)
    yield trial


def _note(trial: _Trial, message: "re.Match[str]", patterns: Patterns, *, own: bool) -> None:
    """Note the image that a message names, at its time without the offset."""
    time, content = float(message["time"]) - float(message["offset"] or 0), message[3].strip()
    loaded = None if own else LOADED.fullmatch(content)
    if loaded:
        image = loaded["image"]
        trial.shown.append((time, image))
        trial.screens[image] = loaded["how"], [float(each) for each in loaded["numbers"].split()]
    elif variable := VARIABLE.fullmatch(content):
        trial.named = variable["image"]
    elif not (trial.screens or content.startswith("!V")):
        named = image_named(patterns, content)
        if named is not None:
            trial.shown.append((time, named))


def _rows(trial: _Trial, observer: str, number: int) -> Iterator[dict[str, Any]]:
    """Return the fixations of a trial, each with the image that was shown during it."""
    if not trial.fixations:
        return
    eyes = [EYES[each[1]] for each in trial.fixations]
    start, end, duration, x, y, pupil = np.array(
        [
            [float("nan" if value == "." else value) for value in each[2:8]]
            for each in trial.fixations
        ]
    ).T
    images = trial.images()
    found = shown_image(start, end + 1, images)  # the last sample lasts until the next
    onsets = [math.nan if at is None else images[at][0] for at in found]
    yield {
        "image": np.array(["" if at is None else images[at][2] for at in found], dtype=object),
        "observer": observer,
        "x": x,
        "y": y,
        "duration": duration,
        "eye": np.array(eyes, dtype=object),
        "trial": number,
        "start": start,
        "end": end,
        "start_from_onset": np.where(np.isfinite(onsets), start - onsets, np.nan),
        "pupil": pupil,
    }


def _text(file: Path) -> str:
    """Return the text of a file, whose names of images may be in UTF-8 or Latin-1."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _display(lines: list[str]) -> tuple[int, int] | None:
    """Return the width and height of the screen, of which the message has the last pixels."""
    for line in lines:
        if found := DISPLAY.search(line):
            left, top, right, bottom = (float(each) for each in found.groups())
            return round(right - left + 1), round(bottom - top + 1)
    return None


def _screen(
    how: str, numbers: list[float], display: tuple[int, int] | None, size: tuple[int, int]
) -> Screen:
    """Return the place of an image that a message IMGLOAD describes."""
    if how == "FILL":
        return Screen(display=display)
    x, y, width, height = [*numbers, *size[::-1]] if len(numbers) == 2 else numbers
    if how == "CENTER":
        x, y = x - width / 2, y - height / 2
    return Screen(display=display, rectangle=(x, y, x + width, y + height))
