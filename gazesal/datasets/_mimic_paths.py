"""Ids of MIMIC-CXR, and the paths of pictures in MIMIC-CXR-JPG."""

import re
from pathlib import Path
from typing import Any

# Ids are names of files and folders. These patterns exclude names that lead out of the release.
NUMBER = r"[1-9]\d{7}"  # of a subject or a study
DICOM = r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*"
IMAGE = re.compile(
    rf"physionet\.org/files/mimic-cxr/\d+\.\d+\.\d+/files/p(\d\d)/p({NUMBER})/s({NUMBER})/({DICOM})"
    r"\.dcm",
    re.ASCII,
)


def as_subject_id(value: Any) -> str:
    """Return a subject's number, given as text or as an integer, as text."""
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(NUMBER, text, re.ASCII):
        raise ValueError(f"`gaze_subjects` must be subject numbers of eight digits, got {value!r}.")
    return text


def picture_path(root: Path, subject_id: str, study_id: str, dicom_id: str) -> Path:
    """Return the path of an image's picture in the folder of a MIMIC-CXR-JPG release."""
    folder = f"files/p{subject_id[:2]}/p{subject_id}/s{study_id}"
    return root / f"{folder}/{dicom_id}.jpg"
