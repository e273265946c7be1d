"""The kinds of intervals in words, for every table, figure and page."""

import re

import pandas as pd

from gazesal._text import printable
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.stats.interval_methods import RESAMPLED

__all__ = [
    "KINDS",
    "kind_words",
    "level_words",
    "mean_words",
    "reader_caveats",
    "summary_words",
    "unit_of",
]

KINDS = {
    "t": "Student's t",
    "normal": "normal",
    "bootstrap": "percentile bootstrap",
    "basic": "basic bootstrap",
    "bca": "BCa bootstrap",
    "studentized": "studentized bootstrap",
    "study": "pooled form of Bigolin Lanfredi et al. (2021)",
    "fieller": "Fieller's",
}


def kind_words(kind: object, *, seed: int | None = None) -> str:
    """Name a kind of interval in words.

    Parameters
    ----------
    kind : str
        As the column ``interval`` of a summary has it; any other name is its own word.
    seed : int, optional
        Named too if the kind draws resamples.

    Returns
    -------
    str
        Such as "Student's t".
    """
    words = KINDS.get(str(kind), str(kind))
    drawn = seed is not None and str(kind) in RESAMPLED
    return f"{words}, seed {seed}" if drawn else words


def level_words(levels: object) -> str:
    """Name the levels of intervals: "95%", or "90% or 95%" if there are several."""
    numbers = sorted({float(level) for level in pd.Series(levels).dropna()})
    return " or ".join(f"{100 * level:g}%" for level in numbers)


def summary_words(summary: pd.DataFrame) -> str:
    """Say what the brackets of a table hold, or nothing if its columns do not say so.

    Parameters
    ----------
    summary : pandas.DataFrame
        A summary; `Evaluation.summary` and `interval_table` give theirs the columns interval and
        level.

    Returns
    -------
    str
        Such as "95% intervals: Student's t", or an empty text.
    """
    if "interval" not in summary or "confidence_level" not in summary or summary.empty:
        return ""
    kinds = " or ".join(dict.fromkeys(kind_words(kind) for kind in summary["interval"]))
    return f"{level_words(summary['confidence_level'])} intervals: {kinds}"


def unit_of(evaluation: Evaluation, summary: pd.DataFrame) -> str:
    """Return the independent unit of an evaluation's summary: the image, or a group of images.

    Such a summary has a column with the number of the groups, such as ``n_patient``.
    """
    groups = evaluation.scores.columns[len(COLUMNS) :]
    return next((str(name) for name in groups if f"n_{name}" in summary), "image")


def mean_words(unit: str) -> str:
    """Name the mean of a summary: "Mean over images", or the one over groups of them."""
    return "Mean over images" if unit == "image" else f"Mean of one mean per {printable(unit)}"


def reader_caveats(summary: pd.DataFrame) -> list[str]:
    """Return the caveats of a summary, without the argument by which its remedy is given.

    That argument has another name in the command, and the reader of a report gives none.
    """
    caveats = str(summary.attrs.get("caveats", ""))
    return re.sub(r" \(interval=[^)]*\)", "", caveats).splitlines()
