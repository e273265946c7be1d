"""Fixations in the windows of time in which a reader names a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_number
from gazesal.datasets.mentions import Dictation, Mentions
from gazesal.datasets.time_slices import TimedTable

__all__ = ["NamedSentence", "NamingWindow", "gaze_when_named"]

WINDOWS = ("last_mention", "first_mention", "sentence")
BEFORE = 1.5  # seconds before the first word of the sentence


@dataclass(frozen=True, slots=True)
class NamedSentence:
    """A sentence in which labels are named, with its times.

    Attributes
    ----------
    sentence : int
        Number of the sentence from 0.
    labels : tuple of str
        Labels that it mentions.
    mentions : tuple of float
        Begin of the word at which each mention of any label begins, sorted.
    start, end : float
        Begin of its first word and end of its last.
    previous_start : float
        Begin of the first word of the sentence before it, 0 for the first sentence.
    """

    sentence: int
    labels: tuple[str, ...]
    mentions: tuple[float, ...]
    start: float
    end: float
    previous_start: float


NamingWindow: TypeAlias = (
    Literal["last_mention", "first_mention", "sentence"]
    | Callable[[NamedSentence], tuple[float, float]]
)


def gaze_when_named(
    fixations: Any,
    words: Any,
    mentions: Mentions | Any,
    *,
    window: NamingWindow = "last_mention",
    before: float = BEFORE,
) -> pd.DataFrame:
    """Return the fixations during the windows in which a reader names each label.

    The window of a sentence that mentions a label begins `before` seconds before its first word,
    but not before the first word of the sentence before it, and for the first sentence not before
    0. It ends when the word begins at which the sentence's last mention of any label begins, as in
    :footcite:t:`bigolin2023`. Fixations that reach out of a window are clipped.

    Parameters
    ----------
    fixations : pandas.DataFrame or other table
        Fixations of one reading with their times, as for `fixations_between`, in the same clock as
        the words.
    words : pandas.DataFrame or other table
        Columns word, start and end, one word per row, as `gazesal.datasets.Reflacx.transcription`
        returns them. A word ``.`` ends a sentence.
    mentions : mapping of str to sequence, or table
        Mentions by label, each a term as for `find_mentions`, the position of a word from 0, or
        the (first, last) letters in the text of the dictation, in which no blank precedes ``.``,
        ``,`` and ``:``. Or a table with the columns label and word, as `find_mentions` returns it.
        Give all labels in one call, because a window ends at a mention of any of them.
    window : {"last_mention", "first_mention", "sentence"} or callable, default "last_mention"
        End of a window: the last or first mention in its sentence, or the end of the sentence. A
        function takes an object with the attributes sentence, labels, mentions, start, end and
        previous_start (see Notes), and returns the begin and end of the window.
    before : float, default 1.5
        Time in seconds before the first word, at least 0. Not used with a function as `window`.

    Returns
    -------
    pandas.DataFrame
        Columns label and sentence, then the columns of the fixations with clipped ``start``,
        ``end`` and ``duration``, sorted by sentence, label and time. A fixation is a row for each
        label and sentence to whose window it belongs. One that begins exactly at the end of a
        window is kept with duration 0. Empty if no label is named.

    Raises
    ------
    TypeError
        If `fixations` or `words` is not a table, or a mention is of another kind.
    ValueError
        If a column is missing, words are not in the order of their times, a mention is not in the
        dictation, a function returns a window that ends before it begins, or an option is out of
        range.

    Warns
    -----
    InputWarning
        As for `fixations_between`.

    See Also
    --------
    fixations_between : Any other slice of time.
    find_mentions : Search a dictation for terms.
    cases_from_reflacx : Cases by image and label.

    Notes
    -----
    The object that a function takes has these attributes:

    - ``sentence``: its number from 0,
    - ``labels``: the labels that it mentions,
    - ``mentions``: the sorted times at which mentions begin,
    - ``start`` and ``end``: the begin of its first word and the end of its last,
    - ``previous_start``: the begin of the first word of the sentence before it, or 0.

    Windows of neighboring sentences may overlap. Bigolin Lanfredi et al. (2023) draw a map for each
    sentence, divide it by its maximum, and take the maximum over the sentences of a label. The
    table has the rows of each sentence, so that both this and a sum are possible.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> fixations = {"start": [0.0, 1.0, 2.5], "end": [0.9, 2.4, 3.0], "x": [5, 6, 7]}
    >>> words = {
    ...     "word": ["left", "effusion", "."], "start": [2.0, 2.2, 2.9], "end": [2.2, 2.8, 3.0]
    ... }
    >>> gazesal.gaze_when_named(fixations, words, {"Effusion": ["effusion"]})
          label  sentence  start  end  x  duration
    0  Effusion         0    0.5  0.9  5       0.4
    1  Effusion         0    1.0  2.2  6       1.2

    The second before each mention:

    >>> gazesal.gaze_when_named(
    ...     fixations, words, {"Effusion": ["effusion"]},
    ...     window=lambda named: (named.mentions[-1] - 1, named.mentions[-1]),
    ... )
          label  sentence  start  end  x  duration
    1  Effusion         0    1.2  2.2  6       1.0
    """
    lead = as_number(before, name="before", low=0.0, high=float(np.finfo(np.float64).max))
    timed = TimedTable(fixations)
    parts = []
    for named, begin, end in naming_windows(words, mentions, window, lead):
        found = timed.between(begin, end, timed.starts <= end)
        parts += [_labeled(found, label, named.sentence) for label in named.labels]
    if not parts:
        return _labeled(timed.between(0.0, 0.0, np.zeros(len(timed.starts), np.bool_)), "", 0)
    return pd.concat(parts)


def naming_windows(
    words: Any, mentions: Any, window: NamingWindow, before: float = BEFORE
) -> list[tuple[NamedSentence, float, float]]:
    """Return the sentences that mention a label, each with begin and end of its window."""
    if not callable(window):
        as_choice(window, WINDOWS, name="window")
    dictation = Dictation.of_table(words)
    found = []
    for named in named_sentences(dictation, dictation.positions_of(mentions)):
        if callable(window):
            begin, end = _own_window(window, named)
        else:
            begin = max(named.start - before, named.previous_start)
            end = {
                "last_mention": named.mentions[-1],
                "first_mention": named.mentions[0],
                "sentence": named.end,
            }[window]
        if begin <= end:  # else the first sentence was begun before the time 0
            found.append((named, begin, end))
    return found


def named_sentences(dictation: Dictation, positions: dict[str, list[int]]) -> list[NamedSentence]:
    """Return the sentences that mention a label, in their order."""
    labels: dict[int, dict[str, None]] = {}
    times: dict[int, list[float]] = {}
    for label, words in sorted(positions.items()):
        for at in words:
            sentence = int(dictation.sentence_of[at])
            labels.setdefault(sentence, {})[label] = None
            times.setdefault(sentence, []).append(float(dictation.starts[at]))
    return [
        NamedSentence(
            sentence=number,
            labels=tuple(labels[number]),
            mentions=tuple(sorted(times[number])),
            start=float(dictation.starts[dictation.first_of(number)]),
            end=float(dictation.ends[dictation.last_of(number)]),
            previous_start=float(dictation.starts[dictation.first_of(number - 1)])
            if number
            else 0.0,
        )
        for number in sorted(labels)
    ]


def _own_window(
    window: Callable[[NamedSentence], tuple[float, float]], sentence: NamedSentence
) -> tuple[float, float]:
    """Return the window of a caller's function, checked."""
    try:
        found: Any = window(sentence)
    except Exception as error:
        raise ValueError(
            f"`window` must return two times, but raised {error!r} for sentence "
            f"{sentence.sentence}."
        ) from error
    try:
        begin, end = (float(time) for time in found)
    except (TypeError, ValueError):
        raise TypeError(
            f"`window` must return two times, got {found!r} for sentence {sentence.sentence}."
        ) from None
    if not begin <= end:
        raise ValueError(
            "`window` must return a begin that is not after the end, got "
            f"{found!r} for sentence {sentence.sentence}."
        )
    return begin, end


def _labeled(found: pd.DataFrame, label: str, sentence: int) -> pd.DataFrame:
    """Return fixations with the columns label and sentence before the others."""
    rest = found.drop(columns=[name for name in ("label", "sentence") if name in found.columns])
    rest.insert(0, "label", pd.Series([label] * len(rest), index=rest.index, dtype=object))
    rest.insert(1, "sentence", np.full(len(rest), sentence, dtype=np.int64))
    return rest
