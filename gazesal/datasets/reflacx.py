"""The REFLACX release as it lies on disk, read when needed and checked line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gazesal.datasets._csv import (
    first_true,
    parse_bools,
    parse_numbers,
    read_csv_text,
    require_columns,
)
from gazesal.typing import Float64Array

__all__ = ["Reflacx"]

READING_ID = re.compile(r"P[123]\d{2}R\d{6}")
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
# Columns that are no finding: an image with only these is normal.
NO_FINDING = ("Other", "Quality issue", "Support devices")


class Reflacx:
    """Readings of chest X-rays with eye tracking, from a folder of the REFLACX release.

    Tables are read at once; a reading's fixations, box and ellipses when they are asked for, so a
    release of any size costs no memory. Nothing is copied or cached.

    Parameters
    ----------
    root : str or path
        Folder that holds ``main_data``, or ``main_data`` itself.
    phases : sequence of int, default (1, 2)
        Phases of the release to read: 1 and 2, in which five radiologists read every image, and
        3, in which one did.

    Attributes
    ----------
    readings : pandas.DataFrame
        One row a reading, indexed by its id: phase, image, dicom_id, subject_id, split, discarded
        (its eye tracking was), height and width of the image in pixels.
    labels : pandas.DataFrame
        The radiologist's certainty of each finding, 0 to 5, by reading id; ``nan`` where a phase
        does not have the label.

    Raises
    ------
    FileNotFoundError
        If the folder or a table is missing.
    ValueError
        If a table is malformed; the message names file, line and column.

    Notes
    -----
    Coordinates are image pixels, x to the right and y down, as the release gives them; they may
    lie outside the image. A fixation's Gaussian exists only where the image was shown
    :footcite:p:`reflacx2021`.

    References
    ----------
    .. footbibliography::
    """

    def __init__(self, root: str | Path, *, phases: Sequence[int] = (1, 2)) -> None:
        root = Path(root)
        self._folder = root if root.name == "main_data" else root / "main_data"
        if not self._folder.is_dir():
            raise FileNotFoundError(f"{self._folder}: there is no such folder of REFLACX readings.")
        if not phases or not set(phases) <= {1, 2, 3}:
            raise ValueError(f"`phases` must be among 1, 2 and 3, got {tuple(phases)}.")
        parts = [self._read_phase(phase) for phase in phases]
        self.readings = pd.concat([readings for readings, _ in parts])
        self.labels = pd.concat([labels for _, labels in parts])
        repeated = self.readings.index[self.readings.index.duplicated()]
        if len(repeated):
            raise ValueError(f"{self._folder}: reading {repeated[0]} is in the tables twice.")
        for image, rows in self.readings.groupby("image"):
            if len(rows[["height", "width"]].drop_duplicates()) > 1:
                raise ValueError(
                    f"{self._folder}: the readings {', '.join(rows.index)} give image {image} "
                    "different sizes."
                )

    def __repr__(self) -> str:
        images = self.readings["image"].nunique()
        discarded = int(self.readings["discarded"].sum())
        return f"Reflacx({len(self.readings)} readings of {images} images, {discarded} discarded)"

    def kept_by_all(self, n_readers: int = 5) -> list[str]:
        """Return the images of which at least so many readings keep their eye tracking.

        Parameters
        ----------
        n_readers : int, default 5
            Number of readings; five leaves the 91 images of the study.

        Returns
        -------
        list of str
            Images as in the tables, in the order of their names.
        """
        kept = self.readings[~self.readings["discarded"]]
        counts = kept.groupby("image").size()
        return sorted(str(image) for image in counts.index[counts >= n_readers])

    def abnormal(self) -> pd.Series:
        """Return whether most readers saw an abnormality, for each image.

        Returns
        -------
        pandas.Series of bool
            By image: more than half of its readings give a certainty above 0 to a finding. Other
            text, quality and support devices are no findings.
        """
        findings = self.labels.drop(columns=[name for name in NO_FINDING if name in self.labels])
        sees = (findings.fillna(0) > 0).any(axis=1)
        shares = sees.groupby(self.readings["image"].reindex(sees.index)).mean()
        return pd.Series(shares > 0.5, name="abnormal")

    def fixations(self, reading: str) -> pd.DataFrame:
        """Return the fixations of a reading.

        Parameters
        ----------
        reading : str
            Id of a reading whose eye tracking was kept.

        Returns
        -------
        pandas.DataFrame
            Columns x, y (image pixels), duration (seconds), x_per_degree, y_per_degree (pixels per
            degree of visual angle along each axis), x_min_shown, y_min_shown, x_max_shown,
            y_max_shown (part of the image on the screen, the upper bounds exclusive), in order;
            the index is the line of the file.

        Raises
        ------
        ValueError
            If the reading is unknown or discarded, or the file is malformed.
        FileNotFoundError
            If there is no file.
        """
        if self._row(reading)["discarded"]:
            raise ValueError(f"reading {reading}: its eye tracking was discarded.")
        path = self._folder / reading / "fixations.csv"
        raw = read_csv_text(path)
        require_columns(raw, list(FIXATION_NUMBERS), path)
        table = pd.DataFrame(
            {ours: parse_numbers(raw[theirs], path) for theirs, ours in FIXATION_NUMBERS.items()}
        )
        if table.empty:
            raise ValueError(f"{path}: there are no fixations.")
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
                    f"{path}, line {line}, column {column!r}: {raw.loc[line, column]!r} cannot be; "
                    "ends follow starts, and pixels per degree are positive."
                )
        table.insert(0, "duration", table.pop("end") - table.pop("start"))
        return table

    def chest_box(self, reading: str) -> tuple[float, float, float, float]:
        """Return the box a reader drew around lungs and heart.

        Parameters
        ----------
        reading : str
            Id of a reading, discarded or not.

        Returns
        -------
        tuple of float
            (x_min, y_min, x_max, y_max) in image pixels.

        Raises
        ------
        ValueError
            If the reading is unknown, or the file is malformed or its box has no size.
        FileNotFoundError
            If there is no file.
        """
        self._row(reading)
        path = self._folder / reading / "chest_bounding_box.csv"
        raw = read_csv_text(path)
        require_columns(raw, list(BOX), path)
        if len(raw) != 1:
            raise ValueError(f"{path}: must hold one box, got {len(raw)}.")
        box = [float(parse_numbers(raw[column], path).iloc[0]) for column in BOX]
        if box[0] >= box[2] or box[1] >= box[3]:
            raise ValueError(f"{path}, line 2: the box {box} has no width or no height.")
        return box[0], box[1], box[2], box[3]

    def mean_box(self, image: str) -> Float64Array:
        """Return the mean box of the readings of an image that keep their eye tracking.

        Parameters
        ----------
        image : str
            Image as in the tables.

        Returns
        -------
        numpy.ndarray of float64, shape (4,)
            (x_min, y_min, x_max, y_max) in image pixels, as the study averages them.

        Raises
        ------
        ValueError
            If no reading of the image is kept.
        """
        kept = self.readings[(self.readings["image"] == image) & ~self.readings["discarded"]]
        if kept.empty:
            raise ValueError(f"`image` must have a kept reading, got {image!r}.")
        boxes = [self.chest_box(str(reading)) for reading in kept.index]
        return np.asarray(np.mean(boxes, axis=0))

    def ellipses(self, reading: str) -> pd.DataFrame:
        """Return the ellipses a reader drew around abnormalities.

        Parameters
        ----------
        reading : str
            Id of a reading, discarded or not.

        Returns
        -------
        pandas.DataFrame
            One row an ellipse: xmin, ymin, xmax, ymax (the ends of its axes, image pixels),
            certainty, and True or False for each label; none if nothing was marked.

        Raises
        ------
        ValueError
            If the reading is unknown or the file is malformed.
        FileNotFoundError
            If there is no file.
        """
        self._row(reading)
        path = self._folder / reading / "anomaly_location_ellipses.csv"
        raw = read_csv_text(path)
        require_columns(raw, [*BOX, "certainty"], path)
        numbers = {column: parse_numbers(raw[column], path) for column in (*BOX, "certainty")}
        labels = {
            column: parse_bools(raw[column], path)
            for column in raw.columns
            if column not in numbers
        }
        return pd.DataFrame(numbers | labels)

    def _row(self, reading: str) -> pd.Series:
        if reading not in self.readings.index:
            raise ValueError(f"`reading` must be one of the tables' ids, got {reading!r}.")
        return self.readings.loc[[reading]].iloc[0]

    def _read_phase(self, phase: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Readings and labels of a phase."""
        path = self._folder / f"metadata_phase_{phase}.csv"
        raw = read_csv_text(path)
        require_columns(raw, list(FIXED_COLUMNS), path)
        for line, reading in raw["id"].items():
            # an id is a folder's name: one that is not of the release's form could lead elsewhere
            if not READING_ID.fullmatch(reading):
                raise ValueError(
                    f"{path}, line {line}, column 'id': must be like P102R915650, got {reading!r}."
                )
        for column in ("image", "dicom_id"):
            if (raw[column] == "").any():
                line = first_true(raw[column] == "")
                raise ValueError(f"{path}, line {line}, column {column!r}: the value is missing.")
        sizes = {name: parse_numbers(raw[f"image_size_{name}"], path) for name in "xy"}
        for name, values in sizes.items():
            wrong = (values < 1) | (values != np.floor(values))
            if wrong.any():
                line = first_true(wrong)
                raise ValueError(
                    f"{path}, line {line}, column 'image_size_{name}': must be a whole number of "
                    f"pixels, got {raw.loc[line, f'image_size_{name}']!r}."
                )
        readings = pd.DataFrame(
            {
                "phase": phase,
                "image": raw["image"],
                "dicom_id": raw["dicom_id"],
                "subject_id": raw["subject_id"],
                "split": raw["split"],
                "discarded": parse_bools(raw["eye_tracking_data_discarded"], path),
                "height": sizes["y"].astype(int),
                "width": sizes["x"].astype(int),
            }
        )
        names = [column for column in raw.columns if column not in FIXED_COLUMNS]
        labels = pd.DataFrame({name: _certainty(raw[name], path) for name in names})
        ids = pd.Index(raw["id"], name="id")
        return readings.set_axis(ids), labels.set_axis(ids)


def _certainty(column: pd.Series, path: Path) -> pd.Series:
    """A label as a number: True is 1, False 0; the text of other findings is 1 if there is any."""
    if column.name == "Other":
        return (column != "").astype(float)
    if column.isin(["True", "False"]).all():
        return (column == "True").astype(float)
    return parse_numbers(column, path)
