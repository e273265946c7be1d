"""Subjects, studies, images, splits and ids of readings of a synthetic release."""

import hashlib
from dataclasses import dataclass

import numpy as np

from gazesal.datasets.synthetic_reflacx.anatomy import Chest, draw_chest

__all__ = ["Picture", "Study", "discarded_readings", "list_studies", "reading_ids"]

FIRST_SUBJECT, FIRST_STUDY = 10990001, 59900001
SPLITS = ("train", "train", "validate", "train", "test", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One image file of a study."""

    dicom_id: str
    view: str  # PA, AP, LATERAL or LL
    number: int  # within the study

    @property
    def is_frontal(self) -> bool:
        """True for a frontal view."""
        return self.view in {"PA", "AP"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One visit of one subject: a chest and its images, of which the first is frontal."""

    index: int
    subject: int
    study: int
    split: str
    phase: int | None  # phase of REFLACX, or None without gaze
    trial: int
    chest: Chest
    pictures: tuple[Picture, ...]
    has_labels: bool

    @property
    def dicom_id(self) -> str:
        """Id of the first frontal image."""
        return self.pictures[0].dicom_id

    @property
    def frontal(self) -> tuple[Picture, ...]:
        """The frontal images."""
        return tuple(picture for picture in self.pictures if picture.is_frontal)

    def path(self, picture: Picture, suffix: str) -> str:
        """Return the path of an image in the folders of MIMIC-CXR."""
        subject = f"p{self.subject}"
        return f"files/{subject[:3]}/{subject}/s{self.study}/{picture.dicom_id}{suffix}"


def list_studies(n_images: int, n_unread: int, *, side: int, seed: int) -> list[Study]:
    """List every study: first phases 1 and 2, then phase 3, then studies without gaze.

    In phase 3, the first study has two frontal images, the second is of the subject of the very
    first study, and the last is missing from CheXpert's table.
    """
    n_phase_1 = (n_images + 1) // 2
    n_phase_3 = max(3, n_images // 6)
    studies = []
    subject = -1
    for index in range(n_images + n_phase_3 + n_unread):
        phase: int | None
        if index < n_images:
            phase, trial = (1, index + 1) if index < n_phase_1 else (2, index - n_phase_1 + 1)
        else:
            phase, trial = (3 if index < n_images + n_phase_3 else None), 0
        place = index - n_images - n_phase_3  # position among the studies without gaze
        of_first = index == n_images + 1
        second_visit = place > 0 and place % 3 == 2  # of the subject before
        if not of_first and not second_visit:
            subject += 1
        number = 0 if of_first else subject
        chest = draw_chest(seed, index, side)
        rng = np.random.default_rng([seed, 2, index])
        views = ["PA" if rng.uniform() < 0.6 else "AP"]
        if index == n_images:
            views.append("AP")
        if index % 4 == 1:
            views.append("LATERAL" if rng.uniform() < 0.6 else "LL")
        studies.append(
            Study(
                index=index,
                subject=FIRST_SUBJECT + number,
                study=FIRST_STUDY + index,
                split=SPLITS[number % len(SPLITS)],
                phase=phase,
                trial=trial,
                chest=chest,
                pictures=tuple(
                    Picture(dicom_id=_dicom_id(seed, index, place), view=view, number=place)
                    for place, view in enumerate(views)
                ),
                has_labels=index != n_images + n_phase_3 - 1,
            )
        )
    return studies


def reading_ids(studies: list[Study], n_readers: int, seed: int) -> dict[tuple[int, int], str]:
    """Draw the ids of the readings, by index of study and reader.

    In phase 3, one reader reads each image.
    """
    rng = np.random.default_rng([seed, 3])
    pairs = [
        (study, reader)
        for study in studies
        if study.phase is not None
        for reader in (range(n_readers) if study.phase < 3 else [study.index % n_readers])
    ]
    numbers = rng.choice(900_000, len(pairs), replace=False) + 100_000
    return {
        (study.index, reader): f"P{study.phase}{study.trial:02}R{number}"
        for (study, reader), number in zip(pairs, numbers.tolist(), strict=True)
    }


def discarded_readings(n_images: int, n_readers: int, seed: int) -> set[tuple[int, int]]:
    """Draw the readings of phases 1 and 2 without eye tracking.

    These are 3% of the readings, at most one per image, and on at most a quarter of the images.
    """
    number = min(n_images // 4, max(1, round(0.03 * n_images * n_readers)))
    rng = np.random.default_rng([seed, 4])
    images = rng.choice(n_images, number, replace=False).tolist()
    return {(image, int(rng.integers(n_readers))) for image in images}


def _dicom_id(seed: int, index: int, number: int) -> str:
    digest = hashlib.sha256(f"synthetic {seed} {index} {number}".encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))
