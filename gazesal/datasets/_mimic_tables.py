"""Read the tables of a MIMIC-CXR-JPG release and check them line by line."""

from pathlib import Path

import numpy as np
import pandas as pd

from gazesal.datasets._arguments import MOST_PIXELS
from gazesal.datasets._csv import read_csv_text, require_columns, require_each, require_once
from gazesal.datasets._mimic_paths import DICOM, NUMBER

# In the order of the outputs of the study's networks.
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
FORMS = {"dicom_id": DICOM, "subject_id": NUMBER, "study_id": NUMBER}
RULES = {
    "dicom_id": "letters and digits with dashes",
    "subject_id": "a number of eight digits",
    "study_id": "a number of eight digits",
}


def read_images(metadata_path: Path, split_path: Path) -> pd.DataFrame:
    """Read the images of the release by dicom_id; see `MimicCxrJpg.images`."""
    names = ["dicom_id", "subject_id", "study_id"]
    metadata = _read(metadata_path, [*names, "ViewPosition", "Rows", "Columns"], "dicom_id")
    split = _read(split_path, [*names, "split"], "dicom_id")
    rule = f"one of {', '.join(SPLITS)}"
    require_each(split["split"], split["split"].isin(SPLITS), split_path, rule)
    for side in ("Rows", "Columns"):
        whole = metadata[side].str.fullmatch("[1-9][0-9]{0,4}")
        whole &= pd.to_numeric(metadata[side], errors="coerce") <= MOST_PIXELS
        rule = f"a positive whole number of pixels, at most {MOST_PIXELS}"
        require_each(metadata[side], whole, metadata_path, rule)
    row = pd.Index(split["dicom_id"]).get_indexer(metadata["dicom_id"])
    joined, partners = metadata[row >= 0], split.iloc[row[row >= 0]]
    for column in ("subject_id", "study_id"):
        ours, theirs = joined[column].to_numpy(), partners[column].to_numpy()
        if (ours != theirs).any():
            at = int(np.argmax(ours != theirs))
            raise ValueError(
                f"{split_path}, line {partners.index[at]}, column {column!r}: image "
                f"{joined['dicom_id'].iloc[at]} must have one value, got {theirs[at]}, and "
                f"{ours[at]} in {metadata_path}, line {joined.index[at]}."
            )
    studies = joined[["study_id", "subject_id"]].drop_duplicates()
    require_once(studies["study_id"], metadata_path, "has two subjects")
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


def read_labels(path: Path) -> pd.DataFrame:
    """Read the labels of the studies by subject and study; see `MimicCxrJpg.labels`."""
    raw = _read(path, ["subject_id", "study_id", *MIMIC_LABELS], "study_id")
    for name in MIMIC_LABELS:
        known = raw[name].isin(list(LABEL_VALUES))
        require_each(raw[name], known, path, "1.0, 0.0, -1.0 or empty")
    values = {name: raw[name].map(LABEL_VALUES).astype(np.float64) for name in MIMIC_LABELS}
    return pd.DataFrame(values).set_axis(pd.MultiIndex.from_frame(raw[list(raw)[:2]]))


def _read(path: Path, columns: list[str], key: str) -> pd.DataFrame:
    """Read columns of a table as text by line, and check the form of ids and the unique key."""
    raw = read_csv_text(path)
    require_columns(raw, columns, path)
    for column in set(columns) & set(FORMS):
        require_each(raw[column], raw[column].str.fullmatch(FORMS[column]), path, RULES[column])
    require_once(raw[key], path, "is repeated")
    return raw[columns]
