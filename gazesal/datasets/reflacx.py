"""The REFLACX release as it lies on disk, read when needed and checked line by line."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_count, as_iterable
from gazesal.datasets._arguments import as_path, as_phases, as_text
from gazesal.datasets._mimic_paths import IMAGE, picture_path
from gazesal.datasets._reflacx_files import (
    read_box_file,
    read_ellipse_file,
    read_fixation_file,
    read_metadata,
)
from gazesal.datasets.stored_pictures import picture_size
from gazesal.exceptions import SkippedDataWarning
from gazesal.typing import Float64Array

__all__ = ["Reflacx"]

# Columns that are no finding: an image with only these is normal.
NO_FINDING = ("Other", "Quality issue", "Support devices")
# What all readings of an image must agree on.
FACTS_OF_AN_IMAGE = {
    ("width", "height"): "sizes",
    ("dicom_id",): "DICOM ids",
    ("subject_id",): "subjects",
}


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
    on_bad_reading : {"raise", "skip"}, default "raise"
        What to do with a reading that keeps its eye tracking but whose fixations or chest box are
        missing or malformed: raise when the file is asked for, or look at all readings now, count
        such readings as discarded and say how many. Their rows and labels stay, and ellipses are
        not looked at. A malformed *table* is an error either way.

    Attributes
    ----------
    readings : pandas.DataFrame
        One row a reading, indexed by its id: phase, image, dicom_id, subject_id, split, discarded
        (its eye tracking was, or the reading was skipped), height and width of the image in
        pixels.
    labels : pandas.DataFrame
        The radiologist's certainty of each finding, 0 to 5, by reading id; ``nan`` where a phase
        does not have the label.
    skipped : dict of str
        Why a reading was skipped, by its id; empty under ``on_bad_reading="raise"``.

    Raises
    ------
    FileNotFoundError
        If the folder or a table is missing.
    ValueError
        If a table is malformed; the message names file, line and column.
    TypeError
        If the root is not a path, or `phases` does not hold integers.

    Warns
    -----
    SkippedDataWarning
        If readings were skipped under ``on_bad_reading="skip"``.

    See Also
    --------
    MimicCxrJpg : The pictures of the images, and labels and splits for training.

    Notes
    -----
    Coordinates are image pixels, x to the right and y down, as the release gives them; they may
    lie outside the image. A fixation's Gaussian exists only where the image was shown
    :footcite:p:`reflacx2021`.

    Sides of images are 1 to 65,535 pixels, of which JPEG holds no more; certainties are 0 to 5.

    References
    ----------
    .. footbibliography::
    """

    def __init__(
        self,
        root: str | Path,
        *,
        phases: Sequence[int] = (1, 2),
        on_bad_reading: Literal["raise", "skip"] = "raise",
    ) -> None:
        as_choice(on_bad_reading, ("raise", "skip"), name="on_bad_reading")
        root = as_path(root, name="root")
        self._folder = root if root.name == "main_data" else root / "main_data"
        if not self._folder.is_dir():
            raise FileNotFoundError(f"{self._folder}: there is no such folder of REFLACX readings.")
        parts = [
            read_metadata(self._folder / f"metadata_phase_{phase}.csv", phase)
            for phase in as_phases(phases, name="phases")
        ]
        self.readings = pd.concat([part.readings for part in parts])
        self.labels = pd.concat([part.labels for part in parts])
        self.skipped: dict[str, str] = {}
        self._require_agreement(pd.concat([part.places for part in parts]))
        if on_bad_reading == "skip":
            self._skip_bad_readings()

    def __repr__(self) -> str:
        images = self.readings["image"].nunique()
        discarded = int(self.readings["discarded"].sum()) - len(self.skipped)
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return (
            f"Reflacx({len(self.readings)} readings of {images} images, {discarded} discarded"
            f"{skipped})"
        )

    def subjects(self) -> list[str]:
        """Return the subjects of all readings, also of those discarded or skipped.

        Returns
        -------
        list of str
            Subjects' numbers in order, as in `MimicCxrJpg`, whose
            `~MimicCxrJpg.classification_images` moves them to the test set.
        """
        return sorted(set(self.readings["subject_id"]))

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

        Raises
        ------
        TypeError
            If the number is not an integer.
        ValueError
            If it is below 1.
        """
        as_count(n_readers, name="n_readers")
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
            If the reading is unknown, discarded or skipped, or the file is malformed, has a line
            twice, or has no gaze that can be drawn: no fixation of a duration above 0 lies in the
            part of the image that was shown during it. Single fixations may lie anywhere.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If there is no file.
        """
        row = self._row(reading)
        if reading in self.skipped:
            raise ValueError(f"reading {reading} was skipped: {self.skipped[reading]}")
        if row["discarded"]:
            raise ValueError(f"reading {reading}: its eye tracking was discarded.")
        path = self._folder / reading / "fixations.csv"
        return read_fixation_file(path, int(row["height"]), int(row["width"]))

    def chest_box(self, reading: str) -> tuple[float, float, float, float]:
        """Return the box a reader drew around lungs and heart.

        Parameters
        ----------
        reading : str
            Id of a reading, discarded or not.

        Returns
        -------
        tuple of float
            (x_min, y_min, x_max, y_max) in image pixels, the upper bounds exclusive. A box may
            stick out of the image, and is not cut: registration needs its size.

        Raises
        ------
        ValueError
            If the reading is unknown, the file is malformed, or its box is less than 1 pixel
            wide or high or has less than half of its area in the image.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If there is no file.
        """
        row = self._row(reading)
        path = self._folder / reading / "chest_bounding_box.csv"
        return read_box_file(path, int(row["height"]), int(row["width"]))

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
        TypeError
            If the image is not a str.
        """
        as_text(image, name="image")
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
        TypeError
            If the id is not a str.
        FileNotFoundError
            If there is no file.
        """
        self._row(reading)
        return read_ellipse_file(self._folder / reading / "anomaly_location_ellipses.csv")

    def picture_path(self, image: str, mimic_root: str | Path) -> Path:
        """Return where the picture of an image lies in a copy of MIMIC-CXR-JPG.

        Parameters
        ----------
        image : str
            Image as in the tables, a path in MIMIC-CXR:
            ``physionet.org/files/mimic-cxr/2.0.0/files/p10/p10.../s5.../<dicom_id>.dcm``.
        mimic_root : str or path
            Folder of the MIMIC-CXR-JPG release, which holds ``files``.

        Returns
        -------
        pathlib.Path
            ``files/p10/p10.../s5.../<dicom_id>.jpg`` below that folder. Whether it is there is
            not looked at.

        Raises
        ------
        ValueError
            If the image is not in the tables, is not a path of that form, or is of another
            subject or DICOM id than the tables say.
        TypeError
            If the image is not a str, or the folder not a path.
        """
        folder = as_path(mimic_root, name="mimic_root")
        rows = self.readings[self.readings["image"] == as_text(image, name="image")]
        if rows.empty:
            raise ValueError(f"`image` must be one of the tables' images, got {image!r}.")
        match = IMAGE.fullmatch(image)
        if match is None:
            raise ValueError(
                "`image` must be like physionet.org/files/mimic-cxr/2.0.0/files/p10/p10000001/"
                f"s50000001/<dicom_id>.dcm, got {image!r}."
            )
        group, subject_id, study_id, dicom_id = match.groups()
        row = rows.iloc[0]
        if (subject_id, dicom_id) != (row["subject_id"], row["dicom_id"]) or (
            group != subject_id[:2]
        ):
            raise ValueError(
                f"`image` must agree with subject {row['subject_id']} and DICOM id "
                f"{row['dicom_id']} of reading {rows.index[0]}, got {image!r}."
            )
        return picture_path(folder, subject_id, study_id, dicom_id)

    def check_picture_sizes(
        self, mimic_root: str | Path, *, images: Iterable[str] | None = None
    ) -> int:
        """Raise unless pictures are there and as large as the tables say.

        Only the headers of the pictures are read.

        Parameters
        ----------
        mimic_root : str or path
            Folder of the MIMIC-CXR-JPG release, which holds ``files``.
        images : iterable of str, optional
            Images to look at; by default all in the tables.

        Returns
        -------
        int
            Number of pictures looked at.

        Raises
        ------
        ValueError
            If a picture cannot be read or has another size; the message names the first and says
            how many do.
        FileNotFoundError
            If a picture is missing.
        TypeError
            If `images` does not hold str, or the folder is not a path.
        """
        known = self.readings.drop_duplicates("image").set_index("image")[["height", "width"]]
        listed = known.index if images is None else as_iterable(images, name="images", of="str")
        wrong, n = [], 0
        for n, image in enumerate(listed, start=1):  # noqa: B007
            path = self.picture_path(image, mimic_root)
            height, width = picture_size(path)
            expected_height, expected_width = known.loc[image]
            if (height, width) != (expected_height, expected_width):
                wrong.append(
                    f"{path} is {width} wide and {height} high, but the tables say "
                    f"{expected_width} and {expected_height}"
                )
        if wrong:
            raise ValueError(f"{wrong[0]}; {len(wrong)} of {n} pictures disagree.")
        return n

    def _require_agreement(self, places: pd.Series) -> None:
        """Raise if a reading is there twice, or two give an image different facts."""
        readings = self.readings
        repeated = readings.index[readings.index.duplicated()]
        if len(repeated):
            first, second = places.loc[[repeated[0]]].iloc[:2]
            raise ValueError(
                f"{second}, column 'id': reading {repeated[0]} is in the tables twice, first in "
                f"{first}."
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
                    f"{theirs.loc[later].tolist()}."
                )

    def _skip_bad_readings(self) -> None:
        """Count as discarded the readings whose gaze or box cannot be used."""
        kept = self.readings.index[~self.readings["discarded"]]
        for reading in kept:
            try:
                self.fixations(reading)
                self.chest_box(reading)
            except (OSError, ValueError) as error:
                self.skipped[str(reading)] = str(error)
        if self.skipped:
            self.readings.loc[list(self.skipped), "discarded"] = True
            first = next(iter(self.skipped.values()))
            warnings.warn(
                f"{len(self.skipped)} of {len(kept)} readings that keep their eye tracking were "
                f"skipped, the first because: {first}",
                SkippedDataWarning,
                stacklevel=3,
            )

    def _row(self, reading: str) -> pd.Series:
        if as_text(reading, name="reading") not in self.readings.index:
            raise ValueError(f"`reading` must be one of the tables' ids, got {reading!r}.")
        return self.readings.loc[[reading]].iloc[0]
