"""Read the fixations of PsychoPy's ioHub from its HDF5 files."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gazesal.datasets._arguments import require_sane_bytes
from gazesal.datasets._image_sizes import Sizes
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._on_screen import (
    SHOWN_AT,
    Eye,
    Screens,
    image_named,
    message_patterns,
    omit_unseen,
    shown_image,
    to_images,
)
from gazesal.datasets.gaze_formats._rows import reading, table_of
from gazesal.datasets.hdf5_files import Hdf5, open_hdf5
from gazesal.datasets.screens import Coordinates, Screen

FIXATIONS = "data_collection/events/eyetracker/FixationEndEvent"
MESSAGES = "data_collection/events/experiment/MessageEvent"
SESSIONS = "data_collection/session_meta_data"
EYES = {21: "left", 22: "right", 23: "both"}  # ioHub's EyeTrackerConstants
LEAST = 40.0  # pixels; gaze that stays closer to the center is in degrees or shares of the screen
# In its own size in the middle, as PsychoPy shows images by default. Positions are measured from
# the middle, so the size of the screen does not change the result.
IN_THE_MIDDLE = Screen(display=(1, 1), placement="center")


def read_psychopy(
    path: Path,
    *,
    screen: Screens | None = None,
    sizes: Sizes | None = None,
    eye: Eye | None = None,
    image_message: str | None = None,
) -> pd.DataFrame:
    """Read the events of ioHub in an HDF5 file, or in a folder of ``.hdf5`` files.

    Positions are pixels from the center of the screen, y up (PsychoPy's unit "pix"). Images are
    supposed to be shown in their own size in the middle of the screen, unless `screen` is given. An
    image is shown from the message that names it to the next one. `image_message` is a regular
    expression for other messages, with a group for the name.

    Observers are the codes of the sessions, or file and number of a session without one. Durations
    are converted from seconds.
    """
    patterns = message_patterns(image_message, name="image_message")
    rows: list[dict[str, Any]] = []
    for file in files_in(path, "*.hdf5"):
        with reading(file, "an HDF5 file of PsychoPy"), open_hdf5(file) as content:
            events = _table(content, FIXATIONS)
            messages = _table(content, MESSAGES).sort_values("time", kind="stable")
            codes = _table(content, SESSIONS).set_index("session_id")["code"].to_dict()
        for session, found in events.groupby("session_id", sort=False):
            shown = []
            for time, text in messages.query("session_id == @session")[["time", "text"]].to_numpy():
                image = image_named(patterns, text)
                if image is not None:
                    shown.append((time, image))
            observer = codes.get(session) or f"{file.stem}-{session}"
            rows.append(_row(found, shown, observer))
    table = table_of(rows, path)
    if table[["x", "y"]].abs().to_numpy().max() < LEAST:
        raise ValueError(
            f"{path}: positions must be in pixels from the center of the screen, got positions up "
            f"to {table[['x', 'y']].abs().to_numpy().max():g}, which are degrees or shares of the "
            "screen. Convert them with `gazesal.fixations_from_screen`."
        )
    coordinates = Coordinates(origin="screen_center", y_axis="up")
    table = omit_unseen(
        table, eye, remedy="Give `image_message`, a regular expression with a group for the name."
    )
    return to_images(table, coordinates, screen=screen, sizes=sizes)


def _table(content: Hdf5, key: str) -> pd.DataFrame:
    """Return the columns of numbers and texts of a table of events."""
    array = content.array(key)
    array._require_own_values()  # noqa: SLF001 (as its own `read` does)
    require_sane_bytes(array.shape, array.dataset.dtype.itemsize)
    values = array.dataset[()]
    return pd.DataFrame({name: _plain(values[name]) for name in values.dtype.names})


def _plain(values: NDArray[Any]) -> Any:
    return [each.decode().strip("\0 ") for each in values] if values.dtype.kind == "S" else values


def _row(events: pd.DataFrame, shown: list[tuple[float, str]], observer: str) -> dict[str, Any]:
    """Return the fixations of a session, whose time is their end."""
    end = events["time"].to_numpy(np.float64)
    seconds = events["duration"].to_numpy(np.float64)
    ends = [*(time for time, _ in shown[1:]), np.inf][: len(shown)]
    images = [
        (start, stop, image) for (start, image), stop in zip(shown, ends, strict=True) if image
    ]
    found = shown_image(end - seconds, end, images)
    onsets = np.array([np.nan if at is None else images[at][0] for at in found], np.float64)
    return {
        "image": np.array(["" if at is None else images[at][2] for at in found], dtype=object),
        "observer": observer,
        "x": events["average_gaze_x"].to_numpy(np.float64),
        "y": events["average_gaze_y"].to_numpy(np.float64),
        "duration": np.round(seconds * 1000, 4),  # stored in float32, whose step is of this order
        "eye": np.array([EYES.get(each, str(each)) for each in events["eye"]], dtype=object),
        "start_from_onset": (end - seconds - onsets) * 1000,
        SHOWN_AT: np.full(len(events), IN_THE_MIDDLE, dtype=object),
    }
