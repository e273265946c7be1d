"""Read the REFLACX release when its files are needed, and check them line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_count, as_iterable
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path, as_phases, as_text
from gazesal.datasets._mimic_paths import IMAGE, picture_path
from gazesal.datasets._reflacx_files import (
    read_box_file,
    read_ellipse_file,
    read_fixation_file,
    read_metadata,
    read_transcription_file,
    require_agreement,
)
from gazesal.datasets.stored_pictures import picture_size
from gazesal.exceptions import SkippedDataWarning
from gazesal.typing import Float64Array

__all__ = ["Reflacx"]

# Columns that are not findings. An image with only these is normal.
NO_FINDING = ("Other", "Quality issue", "Support devices")


class Reflacx:
    """Readings of chest X-rays with eye tracking, from a folder of the REFLACX release.

    Tables are read at once. The fixations, words, box and ellipses of a reading are read when they
    are needed, so a release of any size takes little memory. No files are copied or cached.

    Parameters
    ----------
    root : str or path
        Folder that contains ``main_data``, or ``main_data`` itself.
    phases : sequence of int, default (1, 2)
        Phases of the release to read. In phases 1 and 2, five radiologists read every image, and in
        phase 3, one did.
    on_bad_reading : {"raise", "skip"}, default "raise"
        Handling of a reading that keeps its eye tracking but whose fixations or chest box are
        missing or malformed. ``"raise"``: raise when the file is read. ``"skip"``: check all
        readings now, mark such readings as discarded, and warn with their number. Their rows and
        labels stay, and ellipses are not checked. A malformed *table* is always an error.

    Attributes
    ----------
    readings : pandas.DataFrame
        One row per reading, indexed by its id: phase, image, dicom_id, subject_id, split, discarded
        (True if its eye tracking was discarded or the reading was skipped), height and width of the
        image in pixels.
    labels : pandas.DataFrame
        The radiologist's certainty of each finding, 0 to 5, by reading id. ``nan`` if a phase does
        not have the label.
    skipped : dict of str
        Reason for which a reading was skipped, by its id. Empty for ``on_bad_reading="raise"``.

    Raises
    ------
    FileNotFoundError
        If the folder or a table is missing.
    ValueError
        If a table is malformed. The message names file, line and column.
    TypeError
        If `root` is not a path, or `phases` is not a sequence of integers.

    Warns
    -----
    SkippedDataWarning
        If readings were skipped by ``on_bad_reading="skip"``.

    See Also
    --------
    MimicCxrJpg : Pictures of the images, and labels and splits for training.

    Notes
    -----
    Coordinates are image pixels, x to the right and y down, as in the release. They may be outside
    the image. The Gaussian of a fixation is limited to the part of the image that was shown
    :footcite:p:`reflacx2021`.

    Sides of images are 1 to 65,535 pixels, the limit of JPEG. Certainties are 0 to 5.

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
            raise FileNotFoundError(f"{self._folder}: no such folder of REFLACX readings.")
        parts = [
            read_metadata(self._folder / f"metadata_phase_{phase}.csv", phase)
            for phase in as_phases(phases)
        ]
        self.readings = pd.concat([part.readings for part in parts])
        self.labels = pd.concat([part.labels for part in parts])
        self.skipped: dict[str, str] = {}
        require_agreement(self.readings, pd.concat([part.places for part in parts]))
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
        """Return the subjects of all readings, including discarded and skipped readings.

        Returns
        -------
        list of str
            Sorted numbers of the subjects, as in `MimicCxrJpg`, whose
            `~MimicCxrJpg.classification_images` moves them to the test set.
        """
        return sorted(set(self.readings["subject_id"]))

    def kept_by_all(self, n_readers: int = 5) -> list[str]:
        """Return the images of which at least `n_readers` readings keep their eye tracking.

        Parameters
        ----------
        n_readers : int, default 5
            Number of readings. With five, these are the 91 images of the study by Bigolin Lanfredi
            et al. (2021).

        Returns
        -------
        list of str
            Images as in the tables, in the order of their names.

        Raises
        ------
        TypeError
            If `n_readers` is not an integer.
        ValueError
            If `n_readers` is below 1.
        """
        as_count(n_readers, name="n_readers")
        kept = self.readings[~self.readings["discarded"]]
        counts = kept.groupby("image").size()
        return sorted(str(image) for image in counts.index[counts >= n_readers])

    def abnormal(self) -> pd.Series:
        """Return for each image whether most readers saw an abnormality.

        Returns
        -------
        pandas.Series of bool
            By image, True if more than half of its readings give a certainty above 0 to a finding.
            Other text, quality and support devices are not findings.
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
            y_max_shown (part of the image on the screen, the upper bounds exclusive), start, end
            (seconds from the start of the audio, possibly negative), in temporal order. The index
            is the line of the file.

        Raises
        ------
        ValueError
            If the reading is unknown, discarded or skipped, or the file is malformed, repeats a
            line, or has no usable gaze: no fixation with a duration above 0 is in the part of the
            image that was shown during it. Single fixations may be anywhere.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If the file is missing.
        """
        row = self._tracked(reading)
        path = self._folder / reading / "fixations.csv"
        return read_fixation_file(path, int(row["height"]), int(row["width"]))

    def transcription(self, reading: str) -> pd.DataFrame:
        """Return the words of a reader's dictation with their times.

        Parameters
        ----------
        reading : str
            Id of a reading whose eye tracking was kept.

        Returns
        -------
        pandas.DataFrame
            Columns word, start and end (seconds, in the clock of `fixations`), in temporal order.
            The punctuation marks ``.`` and ``,`` are words of their own, and ``.`` ends a sentence.
            The index is the line of the file.

        Raises
        ------
        ValueError
            If the reading is unknown, discarded or skipped, or the file is malformed: a column is
            missing, a word is empty, or times are not in order.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If the file is missing.

        See Also
        --------
        gazesal.gaze_when_named : Fixations while a finding is named.
        """
        self._tracked(reading)
        return read_transcription_file(self._folder / reading / "timestamps_transcription.csv")

    def chest_box(self, reading: str) -> tuple[float, float, float, float]:
        """Return the box that a reader drew around lungs and heart.

        Parameters
        ----------
        reading : str
            Id of a reading, discarded or not.

        Returns
        -------
        tuple of float
            (x_min, y_min, x_max, y_max) in image pixels, the upper bounds exclusive. A box may
            exceed the image and is not clipped, because registration needs its size.

        Raises
        ------
        ValueError
            If the reading is unknown, the file is malformed, or its box is less than 1 pixel
            wide or high or has less than half of its area in the image.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If the file is missing.
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
            (x_min, y_min, x_max, y_max) in image pixels, averaged as by Bigolin Lanfredi et al.
            (2021).

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
            raise ValueError(f"`image` must have a reading with eye tracking, got {image!r}.")
        boxes = [self.chest_box(str(reading)) for reading in kept.index]
        return np.asarray(np.mean(boxes, axis=0))

    def ellipses(self, reading: str) -> pd.DataFrame:
        """Return the ellipses that a reader drew around abnormalities.

        Parameters
        ----------
        reading : str
            Id of a reading, discarded or not.

        Returns
        -------
        pandas.DataFrame
            One row per ellipse: xmin, ymin, xmax, ymax (the ends of its axes, image pixels),
            certainty, and True or False for each label. Empty if the reader marked no abnormality.

        Raises
        ------
        ValueError
            If the reading is unknown or the file is malformed.
        TypeError
            If the id is not a str.
        FileNotFoundError
            If the file is missing.
        """
        self._row(reading)
        return read_ellipse_file(self._folder / reading / "anomaly_location_ellipses.csv")

    def picture_path(self, image: str, mimic_root: str | Path) -> Path:
        """Return the path of the picture of an image in a copy of MIMIC-CXR-JPG.

        Parameters
        ----------
        image : str
            Image as in the tables, a path in MIMIC-CXR:
            ``physionet.org/files/mimic-cxr/2.0.0/files/p10/p10.../s5.../<dicom_id>.dcm``.
        mimic_root : str or path
            Folder of the MIMIC-CXR-JPG release, which contains ``files``.

        Returns
        -------
        pathlib.Path
            ``files/p10/p10.../s5.../<dicom_id>.jpg`` below `mimic_root`. The file may be missing.

        Raises
        ------
        ValueError
            If the image is not in the tables, is not a path of this form, or disagrees with the
            subject or DICOM id in the tables.
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
        """Raise unless pictures exist and have the sizes in the tables.

        Only the headers of the pictures are read.

        Parameters
        ----------
        mimic_root : str or path
            Folder of the MIMIC-CXR-JPG release, which contains ``files``.
        images : iterable of str, optional
            Images to check. By default, all in the tables.

        Returns
        -------
        int
            Number of pictures checked.

        Raises
        ------
        ValueError
            If a picture cannot be read or has another size. The message names the first such
            picture and their number.
        FileNotFoundError
            If a picture is missing.
        TypeError
            If `images` are not str, or `mimic_root` is not a path.
        """
        known = self.readings.drop_duplicates("image").set_index("image")[["height", "width"]]
        listed = known.index if images is None else as_iterable(images, name="images", of="str")
        wrong, n = [], 0
        for n, image in enumerate(listed, start=1):  # noqa: B007 (read below)
            path = self.picture_path(image, mimic_root)
            height, width = picture_size(path)
            expected_height, expected_width = known.loc[image]
            if (height, width) != (expected_height, expected_width):
                wrong.append(
                    f"{path} must be {expected_width} wide and {expected_height} high as in the "
                    f"tables, got {width} and {height}"
                )
        if wrong:
            raise ValueError(f"{wrong[0]}. {len(wrong)} of {n} pictures disagree.")
        return n

    def _skip_bad_readings(self) -> None:
        """Mark readings as discarded if their gaze or box cannot be used."""
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
            warn(
                f"{len(self.skipped)} of {len(kept)} readings that keep their eye tracking were "
                f"skipped. Reason of the first: {first}",
                SkippedDataWarning,
            )

    def _tracked(self, reading: str) -> pd.Series:
        """Return the row of a reading, or raise if its eye tracking cannot be used."""
        row = self._row(reading)
        if reading in self.skipped:
            raise ValueError(
                f"`reading` must have usable eye tracking, but {reading} was skipped: "
                f"{self.skipped[reading]}"
            )
        if row["discarded"]:
            raise ValueError(
                f"`reading` must have eye tracking, but the release discarded it for {reading}."
            )
        return row

    def _row(self, reading: str) -> pd.Series:
        """Return the row of a reading."""
        if as_text(reading, name="reading") not in self.readings.index:
            raise ValueError(f"`reading` must be one of the tables' ids, got {reading!r}.")
        return self.readings.loc[[reading]].iloc[0]
