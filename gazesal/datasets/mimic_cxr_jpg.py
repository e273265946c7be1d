"""The tables of a MIMIC-CXR-JPG release and where its pictures lie, read when needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from gazesal._validation import as_iterable
from gazesal.datasets._arguments import MOST_PIXELS, as_path, as_text
from gazesal.datasets._csv import read_csv_text, require_columns, require_each, require_once
from gazesal.datasets._mimic_paths import DICOM, NUMBER, as_subject_id, picture_path
from gazesal.typing import IntArray

__all__ = ["MIMIC_LABELS", "MimicCxrJpg"]

# In the order of the study's networks.
MIMIC_LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Lung Opacity",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
LABEL_VALUES = {"1.0": 1, "1": 1, "0.0": 0, "0": 0, "-1.0": -1, "-1": -1, "": np.nan}
SPLITS = ("train", "validate", "test")
FRONTAL = ("PA", "AP")
FORMS = {"dicom_id": DICOM, "subject_id": NUMBER, "study_id": NUMBER}
RULES = {
    "dicom_id": "letters and digits with dashes",
    "subject_id": "a number of eight digits",
    "study_id": "a number of eight digits",
}


class MimicCxrJpg:
    """Labels, splits, views and pictures of chest X-rays, from a folder of MIMIC-CXR-JPG.

    Each table is read, whole and checked, when something of it is first asked for, and kept in
    memory. Pictures are not opened. Nothing is copied or written.

    Parameters
    ----------
    root : str or path
        Folder that holds ``files`` and the tables ``mimic-cxr-2.0.0-chexpert.csv``,
        ``-split.csv`` and ``-metadata.csv``, each plain or as ``.csv.gz``; where both are there,
        the plain one is read.

    Attributes
    ----------
    images : pandas.DataFrame
        One row an image, indexed by dicom_id, in the order of the metadata: subject_id and
        study_id (str), split (train, validate or test), view (PA, AP, LATERAL, ...; empty where
        unknown), height and width in pixels. Images in only one of the two tables are left out
        and counted in ``images.attrs["excluded"]``.
    labels : pandas.DataFrame
        One row a study, indexed by subject_id and study_id (str): the 14 labels in the order of
        the study's networks, 1 (positive), 0 (negative), -1 (uncertain) or ``nan`` (not
        mentioned).

    Raises
    ------
    FileNotFoundError
        If the folder or a table is missing.
    TypeError
        If the root is not a path.
    ValueError
        When a table is read and is malformed, or two tables contradict each other; the message
        names file, line and column.

    See Also
    --------
    Reflacx : Readings of such images with eye tracking.

    Notes
    -----
    The release is described in :footcite:t:`mimiccxrjpg2019`. An image named twice, a study named
    twice in the table of labels, a study of two subjects, and tables that give an image or a study
    different subjects are errors. A row without a partner in another table is none: not every
    study has labels.

    References
    ----------
    .. footbibliography::
    """

    def __init__(self, root: str | Path) -> None:
        self._root = as_path(root, name="root")
        if not self._root.is_dir():
            raise FileNotFoundError(f"{self._root}: there is no such folder of MIMIC-CXR-JPG.")
        self._tables = {name: self._find(name) for name in ("chexpert", "split", "metadata")}

    def __repr__(self) -> str:
        return f"MimicCxrJpg({str(self._root)!r})"

    @cached_property
    def images(self) -> pd.DataFrame:
        """Images by dicom_id; see `MimicCxrJpg`."""
        names = ["dicom_id", "subject_id", "study_id"]
        metadata = self._read("metadata", [*names, "ViewPosition", "Rows", "Columns"], "dicom_id")
        split = self._read("split", [*names, "split"], "dicom_id")
        rule = f"one of {', '.join(SPLITS)}"
        require_each(split["split"], split["split"].isin(SPLITS), self._tables["split"], rule)
        for side in ("Rows", "Columns"):
            whole = metadata[side].str.fullmatch("[1-9][0-9]{0,4}")
            whole &= pd.to_numeric(metadata[side], errors="coerce") <= MOST_PIXELS
            rule = f"a positive whole number of pixels, at most {MOST_PIXELS}"
            require_each(metadata[side], whole, self._tables["metadata"], rule)
        row = pd.Index(split["dicom_id"]).get_indexer(metadata["dicom_id"])
        joined, partners = metadata[row >= 0], split.iloc[row[row >= 0]]
        for column in ("subject_id", "study_id"):
            ours, theirs = joined[column].to_numpy(), partners[column].to_numpy()
            if (ours != theirs).any():
                at = int(np.argmax(ours != theirs))
                raise ValueError(
                    f"{self._tables['split']}, line {partners.index[at]}, column {column!r}: image "
                    f"{joined['dicom_id'].iloc[at]} is of {theirs[at]}, but of {ours[at]} in "
                    f"{self._tables['metadata']}, line {joined.index[at]}."
                )
        studies = joined[["study_id", "subject_id"]].drop_duplicates()
        require_once(studies["study_id"], self._tables["metadata"], "is of two subjects")
        images = pd.DataFrame(
            {
                "subject_id": joined["subject_id"],
                "study_id": joined["study_id"],
                "split": partners["split"].set_axis(joined.index),
                "view": joined["ViewPosition"].str.strip(),
                "height": joined["Rows"].astype(np.int64),
                "width": joined["Columns"].astype(np.int64),
            }
        ).set_axis(pd.Index(joined["dicom_id"], name="dicom_id"))
        images.attrs["excluded"] = {
            "not in the table of splits": int((row < 0).sum()),
            "not in the metadata": len(split) - len(partners),
        }
        return images

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Labels by subject and study; see `MimicCxrJpg`."""
        raw = self._read("chexpert", ["subject_id", "study_id", *MIMIC_LABELS], "study_id")
        for name in MIMIC_LABELS:
            known = raw[name].isin(list(LABEL_VALUES))
            require_each(raw[name], known, self._tables["chexpert"], "1.0, 0.0, -1.0 or empty")
        values = {name: raw[name].map(LABEL_VALUES).astype(np.float64) for name in MIMIC_LABELS}
        return pd.DataFrame(values).set_axis(pd.MultiIndex.from_frame(raw[list(raw)[:2]]))

    def path(self, dicom_id: str, *, must_exist: bool = False) -> Path:
        """Return where the picture of an image lies.

        Parameters
        ----------
        dicom_id : str
            Id of an image in `images`.
        must_exist : bool, default False
            Whether to look if the file is there.

        Returns
        -------
        pathlib.Path
            ``files/p10/p10000001/s50000001/<dicom_id>.jpg`` below the root: made of checked ids,
            so never outside it.

        Raises
        ------
        ValueError
            If there is no such image in the tables.
        FileNotFoundError
            If the file must exist and does not.
        """
        if as_text(dicom_id, name="dicom_id") not in self.images.index:
            raise ValueError(f"`dicom_id` must be an image of the tables, got {dicom_id!r}.")
        subject_id, study_id = self.images.loc[dicom_id, ["subject_id", "study_id"]]
        path = picture_path(self._root, str(subject_id), str(study_id), dicom_id)
        if must_exist and not path.is_file():
            raise FileNotFoundError(f"{path}: there is no such picture.")
        return path

    def paths(self, dicom_ids: Iterable[str]) -> list[Path]:
        """Return where the pictures of some images lie, as `path` does for one.

        Parameters
        ----------
        dicom_ids : iterable of str
            Ids of images in `images`.

        Returns
        -------
        list of pathlib.Path
            One for each image, in the order given. It is not looked if the files are there.

        Raises
        ------
        ValueError
            If an image is not in the tables.
        """
        images = self._images_of(dicom_ids)
        ids = zip(images["subject_id"], images["study_id"], images.index, strict=True)
        return [picture_path(self._root, *three) for three in ids]

    def targets(self, dicom_ids: Iterable[str]) -> pd.DataFrame:
        """Return which labels are positive for some images, as the study trains on them.

        Parameters
        ----------
        dicom_ids : iterable of str
            Ids of images whose studies have labels.

        Returns
        -------
        pandas.DataFrame of bool
            One row an image, in the order given, with the 14 labels: True where the label is 1;
            negative, uncertain and not mentioned are False.

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
                f"{len(images)} images are not in {self._tables['chexpert']}, the first that of "
                f"{images.index[rows < 0][0]!r}."
            )
        return (self.labels.iloc[rows] > 0).set_axis(images.index)

    def classification_images(self, *, gaze_subjects: Iterable[str | int]) -> pd.DataFrame:
        """Return the images that the study trains, validates and tests its networks on.

        Parameters
        ----------
        gaze_subjects : iterable of str or int
            Subjects whose gaze data saliency maps will be compared with, all of whose images go
            to the test set: those of `Reflacx.subjects`, of phases 1 and 2 in the study. Empty
            for none.

        Returns
        -------
        pandas.DataFrame
            Rows and columns of `images`, with the new split. ``attrs["excluded"]`` counts the
            images left out by reason, and ``attrs["moved_to_test"]`` those that were in another
            split.

        Raises
        ------
        ValueError
            If a subject's id is not a number of eight digits.

        Notes
        -----
        Section 3.1 of :footcite:t:`bigolin2021`: an image is kept if its view is PA or AP, it is
        the only such image of its study, and its study has a row of labels, joined on subject and
        study. A row with none of the 14 labels mentioned is a row of labels. An image that is
        left out for several reasons is counted under the first.

        References
        ----------
        .. footbibliography::
        """
        listed = as_iterable(gaze_subjects, name="gaze_subjects", of="subjects")
        subjects = {as_subject_id(value, name="gaze_subjects") for value in listed}
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
        """Rows of `images`, in the order given."""
        listed = as_iterable(dicom_ids, name="dicom_ids", of="str")
        wanted = pd.Index([as_text(value, name="dicom_ids") for value in listed], dtype="object")
        rows = self.images.index.get_indexer(wanted)
        unknown = rows < 0
        if unknown.any():
            raise ValueError(
                f"`dicom_ids` must be images of the tables, but {int(unknown.sum())} of "
                f"{len(wanted)} are not, the first {wanted[unknown][0]!r}."
            )
        return self.images.iloc[rows]

    def _find(self, name: str) -> Path:
        plain = self._root / f"mimic-cxr-2.0.0-{name}.csv"
        packed = plain.with_name(f"{plain.name}.gz")
        for path in (plain, packed):
            if path.is_file():
                return path
        raise FileNotFoundError(f"{plain}: there is no such table, nor {packed.name}.")

    def _read(self, name: str, columns: list[str], key: str) -> pd.DataFrame:
        """Some columns of a table as text, by line, with ids of the right form and a unique key."""
        path = self._tables[name]
        raw = read_csv_text(path)
        require_columns(raw, columns, path)
        for column in set(columns) & set(FORMS):
            require_each(raw[column], raw[column].str.fullmatch(FORMS[column]), path, RULES[column])
        require_once(raw[key], path, "is there a second time")
        return raw[columns]

    def _label_rows(self, images: pd.DataFrame) -> IntArray:
        """Row of `labels` of each image's study, -1 where there is none."""
        subjects, studies = (self.labels.index.get_level_values(level) for level in (0, 1))
        rows = studies.get_indexer(pd.Index(images["study_id"]))
        other = (rows >= 0) & (subjects.to_numpy()[rows] != images["subject_id"].to_numpy())
        if other.any():
            at = int(np.argmax(other))
            raise ValueError(
                f"{self._tables['chexpert']}: study {images['study_id'].iloc[at]} is of subject "
                f"{subjects[rows[at]]}, but of {images['subject_id'].iloc[at]} in "
                f"{self._tables['metadata']}."
            )
        return np.asarray(rows, np.int64)
