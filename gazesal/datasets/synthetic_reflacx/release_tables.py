"""Tables of a synthetic release, with the columns of the real tables."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gazesal._files import atomic_path, write_text
from gazesal.datasets.synthetic_reflacx.dictation import spoken_text
from gazesal.datasets.synthetic_reflacx.findings import CHEXPERT_LABELS, FINDINGS, PHASE_LABELS
from gazesal.datasets.synthetic_reflacx.identity import Study
from gazesal.datasets.synthetic_reflacx.reading import Reading

__all__ = ["write_mimic_tables", "write_phase", "write_reading", "write_truth"]

FIXATION_COLUMNS = (
    "timestamp_start_fixation",
    "timestamp_end_fixation",
    "x_position",
    "y_position",
    "pupil_area_normalized",
    "angular_resolution_x_pixels_per_degree",
    "angular_resolution_y_pixels_per_degree",
    "window_width",
    "window_level",
    "xmin_shown_from_image",
    "ymin_shown_from_image",
    "xmax_shown_from_image",
    "ymax_shown_from_image",
    "xmin_in_screen_coordinates",
    "ymin_in_screen_coordinates",
    "xmax_in_screen_coordinates",
    "ymax_in_screen_coordinates",
)
PHASE_COLUMNS = (
    "id",
    "split",
    "eye_tracking_data_discarded",
    "image",
    "dicom_id",
    "subject_id",
    "image_size_x",
    "image_size_y",
)
METADATA_COLUMNS = (
    "dicom_id",
    "subject_id",
    "study_id",
    "PerformedProcedureStepDescription",
    "ViewPosition",
    "Rows",
    "Columns",
    "StudyDate",
    "StudyTime",
    "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
)
BOX = ("xmin", "ymin", "xmax", "ymax")
VIEW_WORDS = {
    "PA": ("CHEST (PA AND LAT)", "postero-anterior"),
    "AP": ("CHEST (PORTABLE AP)", "antero-posterior"),
    "LATERAL": ("CHEST (PA AND LAT)", "lateral"),
    "LL": ("CHEST (PA AND LAT)", "left lateral"),
}

ReadingRow = tuple[str, Study, Reading, bool]  # id, study, reading, discarded


def write_phase(path: Path, phase: int, readings: Sequence[ReadingRow]) -> None:
    """Write the table of a phase, with one row per reading."""
    rows = []
    for name, study, reading, discarded in readings:
        image = "physionet.org/files/mimic-cxr/2.0.0/" + study.path(study.pictures[0], ".dcm")
        frame = study.chest.frame
        fixed = (name, study.split, discarded, image, study.dicom_id, study.subject)
        rows.append((*fixed, frame.width, frame.height, *reading.labels(phase).values()))
    _write(path, (*PHASE_COLUMNS, *PHASE_LABELS[phase]), rows, "\r\n")


def write_reading(folder: Path, phase: int, reading: Reading, discarded: bool) -> None:
    """Write the files of a reading. If it is discarded, write only its box and ellipses."""
    _write(folder / "chest_bounding_box.csv", BOX, [reading.box], "\r\n")
    labels = PHASE_LABELS[phase]
    ellipses = [
        (
            *mark.ellipse,
            mark.certainty,
            *(label == FINDINGS[mark.lesion.kind].label(phase) for label in labels),
        )
        for mark in reading.marks
        if mark.ellipse is not None
    ]
    columns = (*BOX, "certainty", *labels)
    _write(folder / "anomaly_location_ellipses.csv", columns, ellipses, "\r\n")
    if discarded:
        return
    fixations = [
        (
            _seconds(fixation.start),
            _seconds(fixation.end),
            fixation.x,
            fixation.y,
            f"{fixation.pupil:.3f}",
            *fixation.per_degree,
            *(f"{value:.5f}" for value in fixation.window),
            *fixation.shown,
            *fixation.on_screen,
        )
        for fixation in reading.fixations
    ]
    _write(folder / "fixations.csv", FIXATION_COLUMNS, fixations, "\r\n")
    words = [(word, _seconds(start), _seconds(end)) for word, start, end in reading.words]
    columns = ("word", "timestamp_start_word", "timestamp_end_word")
    _write(folder / "timestamps_transcription.csv", columns, words, "\r\n")
    write_text(folder / "transcription.txt", spoken_text(reading.words))


def write_mimic_tables(folder: Path, studies: Sequence[Study], seed: int) -> None:
    """Write the three tables of MIMIC-CXR-JPG."""
    chexpert, splits, metadata = [], [], []
    for study in studies:
        rng = np.random.default_rng([seed, 6, study.index])
        date = 21500101 + 10000 * (study.subject % 50) + int(rng.integers(28))
        hour, minute, second, part = rng.integers([24, 60, 60, 1000]).tolist()
        time = f"{hour:02}{minute:02}{second:02}.{part:03}"
        if study.has_labels:
            chexpert.append((study.subject, study.study, *_chexpert(study, rng)))
        frame = study.chest.frame
        for picture in study.pictures:
            name = picture.dicom_id
            splits.append((name, study.study, study.subject, study.split))
            procedure, view = VIEW_WORDS[picture.view]
            erect = "Recumbent" if picture.view == "AP" else "Erect"
            size = (frame.height, frame.width)
            who = (name, study.subject, study.study, procedure, picture.view)
            metadata.append((*who, *size, date, time, procedure, view, erect))
    start = folder / "mimic-cxr-2.0.0"
    _write(
        Path(f"{start}-chexpert.csv"), ("subject_id", "study_id", *CHEXPERT_LABELS), chexpert, "\n"
    )
    columns = ("dicom_id", "study_id", "subject_id", "split")
    _write(Path(f"{start}-split.csv"), columns, splits, "\n")
    _write(Path(f"{start}-metadata.csv"), METADATA_COLUMNS, metadata, "\n")


def write_truth(path: Path, studies: Sequence[Study]) -> None:
    """Write the position and size of every lesion of the frontal images."""
    rows = []
    for study in studies:
        frame = study.chest.frame
        pairs = [(picture, lesion) for picture in study.frontal for lesion in study.chest.lesions]
        for picture, lesion in pairs:
            x, y = frame.to_pixels(np.array([lesion.u, lesion.v]))
            half_x, half_y = np.array([lesion.half_u, lesion.half_v]) * frame.half_sizes
            numbers = (x, y, half_x, half_y, lesion.conspicuity)
            rows.append((picture.dicom_id, lesion.kind, *(f"{number:.3f}" for number in numbers)))
    columns = ("dicom_id", "kind", "x", "y", "half_axis_x", "half_axis_y", "conspicuity")
    _write(path, columns, rows, "\n")


def _chexpert(study: Study, rng: np.random.Generator) -> list[str]:
    """Draw the labels of CheXpert.

    A lesion that is present is 1, or sometimes -1 if hard to see. An absent lesion is 0 or blank.
    """
    seen: dict[str, float] = {}
    for lesion in study.chest.lesions:
        for label in FINDINGS[lesion.kind].chexpert:
            seen[label] = max(seen.get(label, 0.0), lesion.conspicuity)
    values = []
    for label in CHEXPERT_LABELS:
        draw = rng.uniform()
        if label == "No Finding":
            abnormal = any(lesion.is_abnormal for lesion in study.chest.lesions)
            values.append("" if abnormal else "1.0")
        elif label in seen:
            unsure = label != "Support Devices" and seen[label] < 0.5 and draw < 0.5
            values.append("-1.0" if unsure else "1.0")
        else:
            values.append("0.0" if draw < 0.25 else "")
    return values


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def _write(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], newline: str
) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator=newline)
        writer.writerow(columns)
        writer.writerows(rows)
