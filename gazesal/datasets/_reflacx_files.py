"""Read the files of a REFLACX release and check them line by line."""

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd

from gazesal.datasets._arguments import MOST_PIXELS
from gazesal.datasets._columns import name_column
from gazesal.datasets._csv import (
    first_true,
    parse_bools,
    parse_numbers,
    read_csv_text,
    require_columns,
    require_different_rows,
    require_each,
)
from gazesal.datasets._mimic_paths import NUMBER
from gazesal.typing import Float64Array

READING_ID = re.compile(r"P[123]\d{2}R\d{6}", re.ASCII)
FIXED_COLUMNS = (
    "id",
    "split",
    "eye_tracking_data_discarded",
    "image",
    "dicom_id",
    "subject_id",
    "image_size_x",
    "image_size_y",
)
FIXATION_NUMBERS = {
    "timestamp_start_fixation": "start",
    "timestamp_end_fixation": "end",
    "x_position": "x",
    "y_position": "y",
    "angular_resolution_x_pixels_per_degree": "x_per_degree",
    "angular_resolution_y_pixels_per_degree": "y_per_degree",
    "xmin_shown_from_image": "x_min_shown",
    "ymin_shown_from_image": "y_min_shown",
    "xmax_shown_from_image": "x_max_shown",
    "ymax_shown_from_image": "y_max_shown",
}
BOX = ("xmin", "ymin", "xmax", "ymax")
WORD_TIMES = ("timestamp_start_word", "timestamp_end_word")
LEAST_INSIDE = 0.5  # share of a chest box in the image, which shows about the whole chest
MOST_CERTAIN = 5

# Columns in which all readings of an image must agree.
FACTS_OF_AN_IMAGE = {
    ("width", "height"): "sizes",
    ("dicom_id",): "DICOM ids",
    ("subject_id",): "subjects",
}


class Phase(NamedTuple):
    """The table of a phase: readings, labels, and the file and line of each, by reading id."""

    readings: pd.DataFrame
    labels: pd.DataFrame
    places: pd.Series


def read_metadata(path: Path, phase: int) -> Phase:
    """Read the table of a phase, in which an id may be repeated."""
    raw = read_csv_text(path)
    require_columns(raw, list(FIXED_COLUMNS), path)
    # An id is the name of a folder. An id of another form could lead out of the release.
    require_each(raw["id"], raw["id"].str.fullmatch(READING_ID), path, "like P101R000001")
    for column in ("image", "dicom_id"):
        if (raw[column] == "").any():
            line = first_true(raw[column] == "")
            raise ValueError(f"{path}, line {line}, column {column!r}: the value is missing.")
    inside = raw["image"].map(_stays_below)
    require_each(raw["image"], inside, path, "a path that stays below its root")
    numbered = raw["subject_id"].str.fullmatch(NUMBER)
    require_each(raw["subject_id"], numbered, path, "a number of eight digits")
    sizes = {name: parse_numbers(raw[f"image_size_{name}"], path) for name in "xy"}
    for name, values in sizes.items():
        whole = (values >= 1) & (values <= MOST_PIXELS) & (values == np.floor(values))
        rule = f"a whole number of pixels from 1 to {MOST_PIXELS}"
        require_each(raw[f"image_size_{name}"], whole, path, rule)
    raw.attrs["source"] = str(path)  # for error messages
    codes, ids = name_column(raw, "dicom_id", what="names of images")
    readings = pd.DataFrame(
        {
            "phase": phase,
            "image": raw["image"],
            "dicom_id": np.array(ids, dtype=object)[codes],
            "subject_id": raw["subject_id"],
            "split": raw["split"],
            "discarded": parse_bools(raw["eye_tracking_data_discarded"], path),
            "height": sizes["y"].astype(int),
            "width": sizes["x"].astype(int),
        }
    )
    names = [column for column in raw.columns if column not in FIXED_COLUMNS]
    labels = pd.DataFrame({name: _label(raw[name], path) for name in names})
    index = pd.Index(raw["id"], name="id")
    places = pd.Series([f"{path}, line {line}" for line in raw.index], index=index, dtype="object")
    return Phase(readings.set_axis(index), labels.set_axis(index), places)


def read_fixation_file(path: Path, height: int, width: int) -> pd.DataFrame:
    """Read the fixations of a reading; see `Reflacx.fixations`."""
    raw = read_csv_text(path)
    require_columns(raw, list(FIXATION_NUMBERS), path)
    table = pd.DataFrame(
        {ours: parse_numbers(raw[theirs], path) for theirs, ours in FIXATION_NUMBERS.items()}
    )
    if table.empty:
        raise ValueError(f"{path}: must have at least one fixation, got none.")
    checks = {
        "timestamp_end_fixation": table["end"] < table["start"],
        "xmax_shown_from_image": table["x_max_shown"] < table["x_min_shown"],
        "ymax_shown_from_image": table["y_max_shown"] < table["y_min_shown"],
        "angular_resolution_x_pixels_per_degree": table["x_per_degree"] <= 0,
        "angular_resolution_y_pixels_per_degree": table["y_per_degree"] <= 0,
    }
    for column, bad in checks.items():
        if bad.any():
            line = first_true(bad)
            raise ValueError(
                f"{path}, line {line}, column {column!r}: got {raw.loc[line, column]!r}, but ends "
                "must follow starts, and pixels per degree must be positive."
            )
    require_different_rows(raw, path, "line")
    table.insert(0, "duration", table["end"] - table["start"])
    table = table[[*table.columns.drop(["start", "end"]), "start", "end"]]
    require_gaze(table, path, height, width)
    return table


def read_transcription_file(path: Path) -> pd.DataFrame:
    """Read the words of a dictation; see `Reflacx.transcription`."""
    raw = read_csv_text(path)
    require_columns(raw, ["word", *WORD_TIMES], path)
    require_each(raw["word"], raw["word"].str.strip() != "", path, "a word or punctuation mark")
    start, end = (parse_numbers(raw[name], path) for name in WORD_TIMES)
    require_each(raw[WORD_TIMES[1]], end >= start, path, f"at least {WORD_TIMES[0]!r} of its line")
    in_order = start.diff().fillna(0) >= 0
    require_each(raw[WORD_TIMES[0]], in_order, path, "at least the time of the line before it")
    return pd.DataFrame({"word": raw["word"], "start": start, "end": end})


def read_box_file(path: Path, height: int, width: int) -> tuple[float, float, float, float]:
    """Read the chest box of a reading; see `Reflacx.chest_box`."""
    raw = read_csv_text(path)
    require_columns(raw, list(BOX), path)
    if len(raw) != 1:
        raise ValueError(f"{path}: must have one box, got {len(raw)}.")
    box = [float(parse_numbers(raw[column], path).iloc[0]) for column in BOX]
    line, inside = raw.index[0], 1.0
    for low, high, name, length in (
        (box[0], box[2], "xmax", width),
        (box[1], box[3], "ymax", height),
    ):
        if high - low < 1:
            raise ValueError(
                f"{path}, line {line}, column {name!r}: width and height must be at least 1 pixel, "
                f"got the box {box}."
            )
        inside *= max(0.0, min(high, length) - max(low, 0.0)) / (high - low)
    if inside < LEAST_INSIDE:
        raise ValueError(
            f"{path}, line {line}, columns 'xmin' to 'ymax': at least half of the box {box} must "
            f"be inside the image, which is {width} wide and {height} high, got {inside:.2g}."
        )
    return box[0], box[1], box[2], box[3]


def read_ellipse_file(path: Path) -> pd.DataFrame:
    """Read the ellipses of a reading; see `Reflacx.ellipses`."""
    raw = read_csv_text(path)
    require_columns(raw, [*BOX, "certainty"], path)
    numbers = {column: parse_numbers(raw[column], path) for column in BOX}
    numbers["certainty"] = _certainty(raw["certainty"], path)
    for low, high in (("xmin", "xmax"), ("ymin", "ymax")):
        ordered = numbers[low] <= numbers[high]
        require_each(raw[high], ordered, path, f"at least {low!r} of its line")
    labels = {
        column: parse_bools(raw[column], path) for column in raw.columns if column not in numbers
    }
    return pd.DataFrame(numbers | labels)


def require_agreement(readings: pd.DataFrame, places: pd.Series) -> None:
    """Raise if a reading is repeated, or two readings of an image do not agree about it."""
    repeated = readings.index[readings.index.duplicated()]
    if len(repeated):
        first, second = places.loc[[repeated[0]]].iloc[:2]
        raise ValueError(
            f"{second}, column 'id': readings must have different ids, got {repeated[0]} again, "
            f"after {first}."
        )
    for facts, what in FACTS_OF_AN_IMAGE.items():
        theirs = readings[list(facts)]
        first_facts = readings.groupby("image")[list(facts)].transform("first")
        differing = readings.index[(theirs != first_facts).any(axis=1)]
        if len(differing):
            later = differing[0]
            image = readings.loc[later, "image"]
            first = readings.index[readings["image"] == image][0]
            raise ValueError(
                f"{places[later]}: the readings {first}, {later} give image {image} different "
                f"{what}, {theirs.loc[first].tolist()} in {places[first]} and here "
                f"{theirs.loc[later].tolist()}. Correct the tables."
            )


def require_gaze(table: pd.DataFrame, path: Path, height: int, width: int) -> None:
    """Raise unless a fixation with a duration is in the part of the image shown during it."""
    shown = table[["x_min_shown", "y_min_shown", "x_max_shown", "y_max_shown"]].to_numpy()
    # as in a gaze map, the bounds of a fixation are rounded and clipped to the image
    bounds = np.clip(np.round(shown), 0, [width, height, width, height])
    first, last = bounds[:, :2] - 0.5, bounds[:, 2:] - 0.5  # edges of pixels, not their centers
    points: Float64Array = table[["x", "y"]].to_numpy()
    there = (table["duration"] > 0).to_numpy()
    checks = (
        ("column 'timestamp_end_fixation'", there, "lasts longer than 0 seconds"),
        (
            "columns 'xmin_shown_from_image' to 'ymax_shown_from_image'",
            (first < last).all(axis=1),
            "lasts and has a pixel of the image shown",
        ),
        (
            "columns 'x_position' and 'y_position'",
            ((points >= first) & (points < last)).all(axis=1),
            "lasts and is in the part of the image shown",
        ),
    )
    for columns, good, what in checks:
        there = there & good
        if not there.any():
            raise ValueError(
                f"{path}, from line {table.index[0]} on, {columns}: at least one fixation must be "
                f"usable, but none of {len(table)} {what}. The image is {width} wide and {height} "
                "high."
            )


def _stays_below(image: str) -> bool:
    """Return whether the path of an image, joined to a folder, is below it on every system."""
    path = PurePosixPath(image)
    return not (path.is_absolute() or ".." in path.parts or "\\" in image or ":" in image)


def _label(column: pd.Series, path: Path) -> pd.Series:
    """Convert a label to a number: 1 for True and for the text of other findings, else 0."""
    if column.name == "Other":
        return (column != "").astype(float)
    if column.isin(["True", "False"]).all():
        return (column == "True").astype(float)
    return _certainty(column, path)


def _certainty(column: pd.Series, path: Path) -> pd.Series:
    """Parse a column of certainties."""
    values = parse_numbers(column, path)
    require_each(column, values.between(0, MOST_CERTAIN), path, f"from 0 to {MOST_CERTAIN}")
    return values
