"""Mentions of findings in a dictation: sentences, terms, and the words at which they begin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gazesal._validation import as_iterable
from gazesal.datasets._columns import number_column, require_table_columns
from gazesal.datasets._frames import as_table
from gazesal.typing import Float64Array

__all__ = ["NEGATIONS", "REFLACX_TERMS", "Dictation", "Mentions", "find_mentions"]

# By label: terms to search for, positions of words, or (first, last) letters in the text
Mentions: TypeAlias = Mapping[str, Sequence[str | int | tuple[int, int]]]

NEGATIONS = ("no", "not", "without", "nor")
SCOPE_ENDS = {",", ":", ";", "but", "however", "although"}  # words that end a negation
GLUED = {".", ",", ":"}  # words without a blank before them in the text of REFLACX
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # "ground-glass" is two words

_HEART = ("cardiac silhouette", "cardiomegaly", "heart size", "heart is")
_NODULE, _MASS = ("nodule", "nodules", "nodular"), ("mass", "masses")
_EFFUSION = ("pleural effusion", "pleural effusions", "effusion", "effusions", "pleural fluid")
_THICKENING = ("pleural thickening", "thickening of the pleura")
_EMPHYSEMA = ("emphysema", "emphysematous", "hyperinflation", "hyperinflated")
_FRACTURE = ("fracture", "fractures", "fractured")
_MEDIASTINUM = (
    "wide mediastinum", "widened mediastinum", "mediastinal widening", "mediastinal contour",
    "mediastinal contours", "mediastinum",
)  # fmt: skip
_FIBROSIS = ("fibrosis", "fibrotic")

REFLACX_TERMS: dict[str, tuple[str, ...]] = {
    "Abnormal mediastinal contour": _MEDIASTINUM,
    "Acute fracture": _FRACTURE,
    "Airway wall thickening": ("airway wall thickening", "bronchial wall thickening"),
    "Atelectasis": ("atelectasis", "atelectatic"),
    "Consolidation": ("consolidation", "consolidations", "consolidative", "pneumonia"),
    "Emphysema": _EMPHYSEMA,
    "Enlarged cardiac silhouette": _HEART,
    "Enlarged hilum": ("hilum", "hila", "hilar"),
    "Fibrosis": _FIBROSIS,
    "Fracture": _FRACTURE,
    "Groundglass opacity": (
        "groundglass", "ground glass", "ground-glass", "hazy opacity", "hazy opacities",
    ),
    "Hiatal hernia": ("hiatal hernia", "hernia"),
    "High lung volume / emphysema": (*_EMPHYSEMA, "high lung volume", "high lung volumes"),
    "Interstitial lung disease": ("interstitial lung disease", "interstitial", *_FIBROSIS),
    "Lung nodule or mass": (*_NODULE, *_MASS),
    "Mass": _MASS,
    "Nodule": _NODULE,
    "Pleural abnormality": (*_EFFUSION, *_THICKENING),
    "Pleural effusion": _EFFUSION,
    "Pleural thickening": _THICKENING,
    "Pneumothorax": ("pneumothorax", "pneumothoraces"),
    "Pulmonary edema": ("edema", "vascular congestion"),
    "Support devices": (
        "support device", "support devices", "tube", "catheter", "line", "lines", "pacemaker",
        "wires", "clips",
    ),
    "Wide mediastinum": _MEDIASTINUM,
}  # fmt: skip
"""Terms by which `find_mentions` finds each label of REFLACX in a dictation.

The list is short and was written for gazesal, without reports of the release. Findings that are
described in other words are missed. Labels without a place in the image, ``Other`` and
``Quality issue``, have no terms.
"""


@dataclass(frozen=True, slots=True)
class Dictation:
    """Words of a dictation with checked times.

    Attributes
    ----------
    words : list of str
        The words, in which ``.`` ends a sentence.
    starts, ends : numpy.ndarray of float64, shape (N,)
        Begin and end of each word.
    sentence_of : numpy.ndarray of int, shape (N,)
        Number of each word's sentence, from 0.
    """

    words: list[str]
    starts: Float64Array
    ends: Float64Array
    sentence_of: np.ndarray[Any, np.dtype[np.intp]]

    @classmethod
    def of_table(cls, words: Any) -> Dictation:
        """Check a table with the columns word, start and end."""
        table = as_table(words, name="words")
        require_table_columns(table, ("word", "start", "end"), name="words")
        row = str(table.index.name or "row")
        spoken = table["word"].tolist()
        for at, word in enumerate(spoken):
            if not isinstance(word, str) or not word.strip():
                raise ValueError(
                    f"`words`, {row} {table.index[at]}: a word must be text, got {word!r}."
                )
        source = table.attrs.get("source", "words")
        starts, ends = (number_column(table[n], source=source, row=row) for n in ("start", "end"))
        late = (ends < starts) | np.append(np.diff(starts) < 0, False)
        if late.any():
            at = int(np.argmax(late))
            raise ValueError(
                f"`words`, {row} {table.index[at]}: words must be in the order of their times and "
                f"end after they begin, got {spoken[at]!r} from {starts[at]:g} to {ends[at]:g}."
            )
        stops = np.array([word == "." for word in spoken], dtype=np.intp)
        return cls(spoken, starts, ends, np.cumsum(stops) - stops)

    def first_of(self, sentence: int) -> int:
        """Return the position of the first word of a sentence."""
        return int(np.argmax(self.sentence_of == sentence))

    def last_of(self, sentence: int) -> int:
        """Return the position of the last word of a sentence, which is its period."""
        return int(np.flatnonzero(self.sentence_of == sentence)[-1])

    def letters(self) -> list[int]:
        """Return the position of each word's first letter in the text.

        The text has a blank before each word except ``.``, ``,`` and ``:``.
        """
        positions, at = [], 0
        for word in self.words:
            at += bool(at) and word not in GLUED
            positions.append(at)
            at += len(word)
        return positions

    def positions_of(self, mentions: Any) -> dict[str, list[int]]:
        """Return the positions of the words at which the mentions of each label begin, sorted."""
        if not isinstance(mentions, Mapping):
            table = as_table(mentions, name="mentions")
            require_table_columns(table, ("label", "word"), name="mentions")
            pairs = zip(table["label"].tolist(), table["word"].tolist(), strict=True)
            gathered: dict[Any, list[Any]] = {}
            for label, word in pairs:
                gathered.setdefault(label, []).append(word)
            mentions = gathered
        found: dict[str, list[int]] = {}
        for label, places in mentions.items():
            if not isinstance(label, str):
                raise TypeError(f"`mentions` must be by label, a str, got {label!r}.")
            listed = list(as_iterable(places, name=f"mentions[{label!r}]", of="mentions"))
            terms = [place for place in listed if isinstance(place, str)]
            words = set(self.at_terms(terms, NEGATIONS))
            words |= {self._position(p, label) for p in listed if not isinstance(p, str)}
            found[label] = sorted(words)
        return found

    def _position(self, place: Any, label: str) -> int:
        """Return the position of a word that is given by its number or its letters."""
        numbers = place if isinstance(place, (tuple, list)) else (place,)
        whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in numbers)
        if not whole or len(numbers) > 2:
            raise TypeError(
                f"`mentions[{label!r}]` must be terms, positions of words or (first, last) "
                f"letters, got {place!r}."
            )
        letters = self.letters()
        if len(numbers) == 2:
            at = int(np.searchsorted(letters, numbers[0], side="right")) - 1
            inside = at >= 0 and numbers[0] < letters[at] + len(self.words[at])
        else:
            at = int(numbers[0])
            inside = 0 <= at < len(self.words)
        if not inside:
            raise ValueError(
                f"`mentions[{label!r}]` must be in the {len(self.words)} words of the dictation, "
                f"got {place!r}."
            )
        return at

    def at_terms(self, terms: Sequence[str], negations: Sequence[str]) -> list[int]:
        """Return the positions at which a term begins and is not negated, sorted.

        A term within a longer one, as "mass" within "large mass", is not a mention of its own.
        """
        spoken = [word.lower() for word in self.words]
        parts = [WORD.findall(word) or [word] for word in spoken]
        flat = [part for each in parts for part in each]
        owner = [at for at, each in enumerate(parts) for _ in each]
        wanted = [WORD.findall(term.lower()) for term in terms]
        if not all(wanted):
            empty = terms[wanted.index([])]
            raise ValueError(f"a term of `mentions` must have letters, got {empty!r}.")
        covered: set[int] = set()
        found = set()
        for term in sorted(wanted, key=len, reverse=True):
            for i in range(len(flat) - len(term) + 1):
                if flat[i : i + len(term)] == term and i not in covered:
                    covered |= set(range(i, i + len(term)))
                    found.add(owner[i])
        return sorted(at for at in found if not self._is_negated(at, spoken, negations))

    def _is_negated(self, at: int, spoken: list[str], negations: Sequence[str]) -> bool:
        """Return whether a negation precedes a word in its part of the sentence."""
        for word in reversed(spoken[self.first_of(int(self.sentence_of[at])) : at]):
            if word in SCOPE_ENDS:
                return False
            if word in negations:
                return True
        return False


def find_mentions(
    words: Any, terms: Mapping[str, Sequence[str]], *, negations: Sequence[str] = NEGATIONS
) -> pd.DataFrame:
    """Find the words of a dictation at which terms begin.

    This is a search for given words, not an understanding of speech. A term counts unless a
    negation precedes it in the same sentence, with no comma, colon or "but" between the two. Use
    your own mentions in `gaze_when_named` if you have better ones, such as the output of a labeler.

    Parameters
    ----------
    words : pandas.DataFrame or other table
        Columns word, start and end, one word per row in the order of their times, as
        `gazesal.datasets.Reflacx.transcription` returns them. A word ``.`` ends a sentence.
    terms : mapping of str to sequence of str
        Terms of one or more words by label, such as `gazesal.datasets.REFLACX_TERMS`. Capitals are
        ignored, and words must match completely.
    negations : sequence of str, default ("no", "not", "without", "nor")
        Words that negate a term. Empty to count all mentions.

    Returns
    -------
    pandas.DataFrame
        One row per mention, in the order of the words: label, sentence (number from 0), word
        (position of the term's first word from 0) and start (its time).

    Raises
    ------
    TypeError
        If `words` is not a table, or `terms` is not a mapping of labels to texts.
    ValueError
        If a column is missing, a word is empty, words are not in the order of their times, or a
        term has no letters.

    See Also
    --------
    gaze_when_named : Fixations in the windows of the mentions.

    Examples
    --------
    >>> import gazesal
    >>> words = {
    ...     "word": ["no", "effusion", ",", "small", "pneumothorax", "."],
    ...     "start": [0.0, 0.3, 0.9, 1.0, 1.4, 2.0],
    ...     "end": [0.2, 0.8, 1.0, 1.3, 1.9, 2.1],
    ... }
    >>> terms = {"Effusion": ["effusion"], "Pneumothorax": ["pneumothorax"]}
    >>> gazesal.find_mentions(words, terms)
              label  sentence  word  start
    0  Pneumothorax         0     4    1.4
    """
    dictation = Dictation.of_table(words)
    if not isinstance(terms, Mapping):
        raise TypeError(
            f"`terms` must be a mapping of labels to terms, got {type(terms).__name__}."
        )
    refused = list(as_iterable(negations, name="negations", of="str"))
    rows = []
    for label, own in terms.items():
        listed = list(as_iterable(own, name=f"terms[{label!r}]", of="str"))
        if not isinstance(label, str) or not all(isinstance(term, str) for term in listed):
            raise TypeError(f"`terms` must map labels to texts, got {label!r}: {listed!r}.")
        rows += [(at, label) for at in dictation.at_terms(listed, refused)]
    rows.sort()
    at = [position for position, _ in rows]
    return pd.DataFrame(
        {
            "label": pd.Series([label for _, label in rows], dtype=object),
            "sentence": dictation.sentence_of[at].astype(np.int64),
            "word": np.array(at, dtype=np.int64),
            "start": dictation.starts[at],
        }
    )
