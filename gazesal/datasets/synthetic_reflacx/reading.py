"""One reader's reading of one image: noticed lesions, ellipses, fixations and dictation."""

from dataclasses import dataclass

import numpy as np

from gazesal.datasets.synthetic_reflacx.anatomy import Chest, Lesion, draw_lesion
from gazesal.datasets.synthetic_reflacx.dictation import Word, draw_words
from gazesal.datasets.synthetic_reflacx.findings import FINDINGS, PHASE_LABELS
from gazesal.datasets.synthetic_reflacx.scanpath import (
    Fixation,
    Habit,
    chance_to_notice,
    draw_scanpath,
)

__all__ = ["Mark", "Reading", "chest_box", "draw_reading"]

PixelBox = tuple[int, int, int, int]
FALSE_ALARMS = ("nodule", "groundglass", "atelectasis", "consolidation")
FALSE_ALARM_SHARE = 0.07  # share of readings with a lesion that is not there
REMARKS = ("degenerative changes of the spine", "elevated hemidiaphragm", "calcified granuloma")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A lesion that a reader noticed, with the reader's certainty and ellipse."""

    lesion: Lesion
    certainty: int  # 1 to 5
    ellipse: PixelBox | None  # bounding box in pixels, or None for a device


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One complete reading. Eye tracking is drawn even if it is discarded later."""

    marks: tuple[Mark, ...]
    remarks: tuple[str, ...]
    poor_quality: bool
    box: PixelBox
    fixations: tuple[Fixation, ...]
    words: tuple[Word, ...]

    def labels(self, phase: int) -> dict[str, object]:
        """Return the labels for the table of a phase: a certainty, a text, or True or False."""
        values: dict[str, object] = dict.fromkeys(PHASE_LABELS[phase], 0)
        values["Other"] = "|".join(self.remarks)
        values["Support devices"] = False
        if phase == 1:
            values["Quality issue"] = self.poor_quality
        for mark in self.marks:
            label = FINDINGS[mark.lesion.kind].label(phase)
            if mark.lesion.is_abnormal:
                values[label] = max(int(str(values[label])), mark.certainty)
            else:
                values[label] = True
        return values


def draw_reading(chest: Chest, box: PixelBox, habit: Habit, rng: np.random.Generator) -> Reading:
    """Draw a reading of a chest with the bounding box `box` by a reader with a habit."""
    marks = []
    for lesion in chest.lesions:
        if rng.uniform() < chance_to_notice(lesion, habit.thoroughness):
            certainty = int(np.clip(round(rng.normal(1.5 + 3.5 * lesion.conspicuity, 0.7)), 1, 5))
            marks.append(_mark(chest, lesion, certainty, rng))
    if rng.uniform() < FALSE_ALARM_SHARE:
        lesion = draw_lesion(str(rng.choice(FALSE_ALARMS)), rng)[0]
        marks.append(_mark(chest, lesion, int(rng.integers(1, 3)), rng))
    remarks = tuple(remark for remark in REMARKS if rng.uniform() < 0.06)
    fixations = draw_scanpath(chest, [mark.lesion for mark in marks], habit, rng)
    return Reading(
        marks=tuple(marks),
        remarks=remarks,
        poor_quality=bool(rng.uniform() < 0.04),
        box=_jittered_box(chest, box, rng),
        fixations=tuple(fixations),
        words=draw_words(
            chest.frame, [(mark.lesion, mark.certainty) for mark in marks], remarks, fixations, rng
        ),
    )


def chest_box(chest: Chest) -> PixelBox:
    """Return the box of lungs and heart, (x_min, y_min, x_max, y_max), half-open, in pixels."""
    frame = chest.frame
    u, v = frame.coordinates((frame.height, frame.width))
    covered = (chest.lungs(u, v).depth > 0) | (chest.heart_distance(u, v) < 1)
    rows, columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _jittered_box(chest: Chest, box: PixelBox, rng: np.random.Generator) -> PixelBox:
    """Draw the chest's box as a reader would, within the image."""
    frame = chest.frame
    jitter = rng.normal(0, 0.02, 4) * np.tile(frame.half_sizes, 2)
    x_min, y_min, x_max, y_max = np.round(np.array(box) + jitter).astype(int)
    return (
        max(0, int(x_min)),
        max(0, int(y_min)),
        min(frame.width, int(x_max)),
        min(frame.height, int(y_max)),
    )


def _mark(chest: Chest, lesion: Lesion, certainty: int, rng: np.random.Generator) -> Mark:
    """Mark a noticed lesion with an ellipse that is slightly displaced."""
    if not lesion.is_abnormal:
        return Mark(lesion=lesion, certainty=certainty, ellipse=None)
    frame = chest.frame
    half = np.array([lesion.half_u, lesion.half_v]) * frame.half_sizes
    center = frame.to_pixels(np.array([lesion.u, lesion.v])) + rng.normal(0, 0.12, 2) * half
    half = np.maximum(half * rng.uniform(0.95, 1.3, 2), 2)
    last = np.array([frame.width, frame.height]) - 1
    x_min, y_min = np.clip(np.floor(center - half), 0, last - 1).astype(int)
    x_max, y_max = np.clip(np.ceil(center + half), 1, last).astype(int)
    return Mark(
        lesion=lesion,
        certainty=certainty,
        ellipse=(int(x_min), int(y_min), int(x_max), int(y_max)),
    )
