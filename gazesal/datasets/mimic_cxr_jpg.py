"""Read the tables of a MIMIC-CXR-JPG release when they are needed, and locate its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from gazesal._validation import as_iterable
from gazesal.datasets._arguments import as_path, as_text
from gazesal.datasets._mimic_paths import as_subject_id, picture_path
from gazesal.datasets._mimic_tables import MIMIC_LABELS, read_images, read_labels
from gazesal.typing import IntArray

__all__ = ["MIMIC_LABELS", "MimicCxrJpg"]

FRONTAL = ("PA", "AP")


class MimicCxrJpg:
    """Labels, splits, views and pictures of chest X-rays, from a folder of MIMIC-CXR-JPG.

    Each table is read and checked completely when it is first needed, and kept in memory. Pictures
    are not opened, and no files are copied or written.

    Parameters
    ----------
    root : str or path
        Folder with ``files`` and the tables ``mimic-cxr-2.0.0-chexpert.csv``, ``-split.csv`` and
        ``-metadata.csv``, each plain or as ``.csv.gz``. The plain table is read if both exist.

    Attributes
    ----------
    images : pandas.DataFrame
        One row per image, indexed by dicom_id, in the order of the metadata: subject_id and
        study_id (str), split (train, validate or test), view (PA, AP, LATERAL, ..., empty if
        unknown), height and width in pixels. Images in only one of the two tables are omitted and
        counted in ``images.attrs["excluded"]``.
    labels : pandas.DataFrame
        One row per study, indexed by subject_id and study_id (str): the 14 labels in the order of
        the networks of Bigolin Lanfredi et al. (2021), 1 (positive), 0 (negative), -1 (uncertain)
        or ``nan`` (not mentioned).

    Raises
    ------
    FileNotFoundError
        If the folder or a table is missing.
    TypeError
        If `root` is not a path.
    ValueError
        When a table is read, if it is malformed or contradicts another table. The message names
        file, line and column.

    See Also
    --------
    Reflacx : Readings of these images with eye tracking.

    Notes
    -----
    The release is described in :footcite:t:`mimiccxrjpg2019`. It is an error if an image is
    repeated, a study is repeated in the table of labels, a study has two subjects, or tables give
    an image or a study different subjects. A row without a partner in another table is valid,
    because not every study has labels.

    References
    ----------
    .. footbibliography::
    """

    def __init__(self, root: str | Path) -> None:
        self._root = as_path(root, name="root")
        if not self._root.is_dir():
            raise FileNotFoundError(f"{self._root}: no such folder of MIMIC-CXR-JPG.")
        self._tables = {name: self._find(name) for name in ("chexpert", "split", "metadata")}

    def __repr__(self) -> str:
        return f"MimicCxrJpg({str(self._root)!r})"

    @cached_property
    def images(self) -> pd.DataFrame:
        """Images by dicom_id; see `MimicCxrJpg`."""
        return read_images(self._tables["metadata"], self._tables["split"])

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Labels by subject and study; see `MimicCxrJpg`."""
        return read_labels(self._tables["chexpert"])

    def path(self, dicom_id: str, *, must_exist: bool = False) -> Path:
        """Return the path of the picture of an image.

        Parameters
        ----------
        dicom_id : str
            Id of an image in `images`.
        must_exist : bool, default False
            If True, raise unless the file exists.

        Returns
        -------
        pathlib.Path
            ``files/p10/p10000001/s50000001/<dicom_id>.jpg`` below the root. It is made of checked
            ids, so it is never outside the root.

        Raises
        ------
        ValueError
            If the image is not in the tables.
        FileNotFoundError
            If the file must exist and does not.
        """
        if as_text(dicom_id, name="dicom_id") not in self.images.index:
            raise ValueError(f"`dicom_id` must be an image of the tables, got {dicom_id!r}.")
        subject_id, study_id = self.images.loc[dicom_id, ["subject_id", "study_id"]]
        path = picture_path(self._root, str(subject_id), str(study_id), dicom_id)
        if must_exist and not path.is_file():
            raise FileNotFoundError(f"{path}: no such picture.")
        return path

    def paths(self, dicom_ids: Iterable[str]) -> list[Path]:
        """Return the paths of the pictures of several images, as `path` does for one.

        Parameters
        ----------
        dicom_ids : iterable of str
            Ids of images in `images`.

        Returns
        -------
        list of pathlib.Path
            One for each image, in the order given. The files may be missing.

        Raises
        ------
        ValueError
            If an image is not in the tables.
        """
        images = self._images_of(dicom_ids)
        ids = zip(images["subject_id"], images["study_id"], images.index, strict=True)
        return [picture_path(self._root, *three) for three in ids]

    def targets(self, dicom_ids: Iterable[str]) -> pd.DataFrame:
        """Return the positive labels of several images, as the study trains on them.

        Parameters
        ----------
        dicom_ids : iterable of str
            Ids of images whose studies have labels.

        Returns
        -------
        pandas.DataFrame of bool
            One row per image, in the order given, with the 14 labels. True if the label is 1, and
            False if it is negative, uncertain or not mentioned.

        Raises
        ------
        ValueError
            If an image is not in the tables or its study has no labels.
        """
        images = self._images_of(dicom_ids)
        rows = self._label_rows(images)
        if (rows < 0).any():
            raise ValueError(
                f"`dicom_ids` must have labels, but the studies of {int((rows < 0).sum())} of "
                f"{len(images)} images are not in {self._tables['chexpert']}, such as the study of "
                f"{images.index[rows < 0][0]!r}."
            )
        return (self.labels.iloc[rows] > 0).set_axis(images.index)

    def classification_images(self, *, gaze_subjects: Iterable[str | int]) -> pd.DataFrame:
        """Return the images that the study trains, validates and tests its networks on.

        Parameters
        ----------
        gaze_subjects : iterable of str or int
            Subjects whose gaze is used for scoring, such as `Reflacx.subjects` of phases 1 and 2 in
            the study. All of their images go to the test set. May be empty.

        Returns
        -------
        pandas.DataFrame
            Rows and columns of `images`, with the new split. ``attrs["excluded"]`` counts the
            omitted images by reason, and ``attrs["moved_to_test"]`` the images that were in another
            split.

        Raises
        ------
        ValueError
            If a subject's id is not a number of eight digits.

        Notes
        -----
        As in section 3.1 of :footcite:t:`bigolin2021`, an image is kept if its view is PA or AP, it
        is the only such image of its study, and its study has a row of labels, joined on subject
        and study. The row may have no label mentioned. An image that is omitted for several reasons
        is counted under the first.

        References
        ----------
        .. footbibliography::
        """
        listed = as_iterable(gaze_subjects, name="gaze_subjects", of="subjects")
        subjects = {as_subject_id(value) for value in listed}
        images = self.images
        frontal = images["view"].isin(FRONTAL)
        per_study = images["study_id"].where(frontal).value_counts()
        several = frontal & (images["study_id"].map(per_study) > 1)
        unlabeled = pd.Series(self._label_rows(images) < 0, index=images.index)
        kept = images[frontal & ~several & ~unlabeled].copy()
        moved = kept["subject_id"].isin(subjects) & (kept["split"] != "test")
        kept.loc[moved, "split"] = "test"
        kept.attrs["excluded"] = images.attrs["excluded"] | {
            "not frontal": int((~frontal).sum()),
            "several frontal images in the study": int(several.sum()),
            "no labels of the study": int((frontal & ~several & unlabeled).sum()),
        }
        kept.attrs["moved_to_test"] = int(moved.sum())
        return kept

    def _images_of(self, dicom_ids: Iterable[str]) -> pd.DataFrame:
        """Return rows of `images` in the order given."""
        listed = as_iterable(dicom_ids, name="dicom_ids", of="str")
        wanted = pd.Index([as_text(value, name="dicom_ids") for value in listed], dtype="object")
        rows = self.images.index.get_indexer(wanted)
        unknown = rows < 0
        if unknown.any():
            raise ValueError(
                f"`dicom_ids` must be images of the tables, but {int(unknown.sum())} of "
                f"{len(wanted)} are not, such as {wanted[unknown][0]!r}."
            )
        return self.images.iloc[rows]

    def _find(self, name: str) -> Path:
        """Return the path of a table, plain or compressed."""
        plain = self._root / f"mimic-cxr-2.0.0-{name}.csv"
        packed = plain.with_name(f"{plain.name}.gz")
        for path in (plain, packed):
            if path.is_file():
                return path
        raise FileNotFoundError(f"{plain}: no such table, nor {packed.name}.")

    def _label_rows(self, images: pd.DataFrame) -> IntArray:
        """Return the row of `labels` of each image's study, -1 without labels."""
        subjects, studies = (self.labels.index.get_level_values(level) for level in (0, 1))
        rows = studies.get_indexer(pd.Index(images["study_id"]))
        other = (rows >= 0) & (subjects.to_numpy()[rows] != images["subject_id"].to_numpy())
        if other.any():
            at = int(np.argmax(other))
            raise ValueError(
                f"{self._tables['chexpert']}: study {images['study_id'].iloc[at]} must have one "
                f"subject, got {subjects[rows[at]]}, and {images['subject_id'].iloc[at]} in "
                f"{self._tables['metadata']}."
            )
        return np.asarray(rows, np.int64)
