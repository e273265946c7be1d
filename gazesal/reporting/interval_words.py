"""The kinds of intervals in words, for every table, figure and page."""

import pandas as pd

from gazesal.stats.methods import RESAMPLED

__all__ = ["KINDS", "kind_words", "level_words", "summary_words"]

KINDS = {
    "t": "Student's t",
    "normal": "normal",
    "bootstrap": "percentile bootstrap",
    "basic": "basic bootstrap",
    "bca": "BCa bootstrap",
    "studentised": "studentised bootstrap",
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
    if "interval" not in summary or "level" not in summary or summary.empty:
        return ""
    kinds = " or ".join(dict.fromkeys(kind_words(kind) for kind in summary["interval"]))
    return f"{level_words(summary['level'])} intervals: {kinds}"
