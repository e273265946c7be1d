"""Dictation of a synthetic reading: its sentences, and when the reader speaks them.

A lesion is named while the reader looks at it, as far as the order of the fixations allows, so that
the gaze in the window of a label is known to be on the lesion.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gazesal.datasets.synthetic_reflacx.anatomy import Frame, Lesion
from gazesal.datasets.synthetic_reflacx.findings import FINDINGS
from gazesal.datasets.synthetic_reflacx.scanpath import Fixation
from gazesal.typing import Float64Array, IntArray

__all__ = ["Word", "draw_words", "spoken_text"]

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
Word = tuple[str, int, int]  # the word with its start and end in milliseconds

SURE = {1: "unlikely", 2: "less likely", 3: "possibly", 4: "probably", 5: "certainly"}
CLEAR = "the lungs are clear , and the heart is of normal size"
# Milliseconds per letter; two letters are added to each word. It is faster than people speak, so
# that each sentence fits beside the fixations on its lesion.
PACE = 30.0
MOST_SPEECH = 0.8  # share of a reading; faster speech if the sentences would take longer
BEFORE = 1500  # milliseconds before a sentence in which readers look at its finding
STEP = 50  # milliseconds between the tried beginnings of sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, and the lesion that it names, if any."""

    words: list[str]
    lesion: Lesion | None = None
    named_at: int = 0  # position of the word that names the lesion


def draw_words(
    frame: Frame,
    named: list[tuple[Lesion, int]],
    remarks: tuple[str, ...],
    fixations: list[Fixation],
    rng: np.random.Generator,
) -> tuple[Word, ...]:
    """Draw the words of a dictation, in which the punctuation marks are words of their own.

    `named` holds each lesion that the reader noticed, with the certainty from 1 to 5.
    """
    first, last = max(0, fixations[0].start), fixations[-1].end
    sentences = [_of_lesion(lesion, certainty) for lesion, certainty in named]
    sentences.sort(key=lambda sentence: _middle(frame, sentence, fixations))
    if not any(lesion.is_abnormal for lesion, _ in named):
        sentences.append(_sentence(CLEAR))
    sentences += [_sentence(remark) for remark in remarks]
    lengths = [
        np.array([2 + len(word) for word in sentence.words])
        * rng.uniform(0.7, 1.3, len(sentence.words))
        for sentence in sentences
    ]
    total = float(sum(each.sum() for each in lengths))
    pace = min(PACE, MOST_SPEECH * (last - first) / total)
    ends = [np.ceil(np.cumsum(each) * pace).astype(np.int64) for each in lengths]
    beginnings = np.arange(first, last, STEP)
    gains = [
        _time_on_lesion(frame, sentence, fixations, beginnings, own)
        for sentence, own in zip(sentences, ends, strict=True)
    ]
    durations = [-(-(int(own[-1]) + 1) // STEP) * STEP for own in ends]
    chosen = _best_beginnings(gains, durations, beginnings, last)
    words: list[Word] = []
    for sentence, begin, own in zip(sentences, chosen, ends, strict=True):
        starts = np.concatenate([[0], own[:-1] + 1])
        words += [
            (word, int(begin + start), int(begin + end))
            for word, start, end in zip(sentence.words, starts, own, strict=True)
        ]
    return tuple(words)


def spoken_text(words: tuple[Word, ...]) -> str:
    """Return the text of a dictation, with no blank before a punctuation mark."""
    text = " ".join(word for word, *_ in words)
    return text.replace(" .", ".").replace(" ,", ",")


def _sentence(text: str) -> Sentence:
    return Sentence(words=[*(text[0].upper() + text[1:]).split(), "."])


def _of_lesion(lesion: Lesion, certainty: int) -> Sentence:
    """Return the sentence about a lesion."""
    name = FINDINGS[lesion.kind].words
    rest = f"{_where(lesion)} , {SURE[certainty]}" if lesion.is_abnormal else "is in place"
    words = _sentence(f"{name} {rest}").words
    return Sentence(words=words, lesion=lesion, named_at=len(name.split()) - 1)


def _where(lesion: Lesion) -> str:
    """Return the place of a lesion in words. The patient's right is on the left of the image."""
    if lesion.kind in {"cardiomegaly", "mediastinum"}:
        return "in the midline"
    side = "right" if lesion.u < 0 else "left"
    zone = "upper" if lesion.v < -0.25 else "middle" if lesion.v < 0.25 else "lower"
    return f"in the {side} {zone} zone"


def _is_on(frame: Frame, lesion: Lesion, fixations: list[Fixation]) -> BoolArray:
    """Return which fixations are on a lesion."""
    points = np.array([(fixation.x, fixation.y) for fixation in fixations])
    u, v = ((points - [frame.x, frame.y]) / frame.half_sizes).T
    return lesion.distance(u, v) <= 1.2  # about as large as the readers draw their ellipses


def _middle(frame: Frame, sentence: Sentence, fixations: list[Fixation]) -> float:
    """Return the mean time of the fixations on the lesion of a sentence."""
    assert sentence.lesion is not None  # noqa: S101 (for mypy)
    times = np.array([fixation.start for fixation in fixations], np.float64)
    on = _is_on(frame, sentence.lesion, fixations)
    return float(times[on].mean() if on.any() else times.mean())


def _time_on_lesion(
    frame: Frame,
    sentence: Sentence,
    fixations: list[Fixation],
    beginnings: IntArray,
    ends: IntArray,
) -> Float64Array:
    """Return the time on the lesion in the window of a sentence, for each of its beginnings."""
    if sentence.lesion is None:
        return np.zeros(len(beginnings))
    on = _is_on(frame, sentence.lesion, fixations)
    edges = np.array([(fixation.start, fixation.end) for fixation in fixations], np.float64)
    spent = np.cumsum(on * (edges[:, 1] - edges[:, 0]))
    at_edges = np.column_stack([np.append(0.0, spent[:-1]), spent]).ravel()
    named = beginnings + (int(ends[sentence.named_at - 1]) if sentence.named_at else 0)
    until, since = (np.interp(t, edges.ravel(), at_edges) for t in (named, beginnings - BEFORE))
    return np.asarray(until - since)


def _best_beginnings(
    gains: list[Float64Array], durations: list[int], beginnings: IntArray, last: int
) -> list[int]:
    """Return the beginnings with the largest sum of gains of sentences that do not overlap.

    Durations are multiples of `STEP`.
    """
    totals = []
    best = np.zeros(len(beginnings))  # largest sum of the sentences before, if they end in time
    after = sum(durations)
    for gain, duration in zip(gains, durations, strict=True):
        total = np.where(beginnings + after <= last, gain + best, -np.inf)
        totals.append(total)
        after -= duration
        steps = duration // STEP
        best = np.full(len(beginnings), -np.inf)
        best[steps:] = np.maximum.accumulate(total)[: len(beginnings) - steps]
    found: list[int] = []
    stop = len(beginnings)
    for total, before in zip(totals[::-1], [*durations[-2::-1], 0], strict=True):
        at = int(np.argmax(total[:stop]))
        found.append(int(beginnings[at]))
        stop = at + 1 - before // STEP
    return found[::-1]
