"""Score of a perfect map in tables, figures and pages, from the rows of ceilings of a summary."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from gazesal.evaluation.case import (
    ALL_PREDICT_ONE,
    ATTAINABLE,
    CEILINGS,
    INTEROBSERVER,
    REST_PREDICTS_ONE,
)
from gazesal.evaluation.ceiling_shares import SHARES
from gazesal.reporting.labels import BASELINES, method_label, metric_label

__all__ = [
    "Bounds",
    "bounds_note",
    "bounds_of",
    "bounds_words",
    "ceiling_words",
    "share_words",
    "without_ceilings",
]

ROW_WORDS = {
    REST_PREDICTS_ONE: "Perfect map, at worst: the map of the other observers against the gaze of "
    "one observer. A perfect map predicts that gaze at least as well.",
    ALL_PREDICT_ONE: "Perfect map, at best: the map of all observers against the gaze of each of "
    "them, which it includes. A perfect map predicts that gaze at most as well.",
    ATTAINABLE: "Perfect map, expected: the score of the mean of infinitely many observers, "
    "computed from the agreement of the observers. It is limited by the noise of the few observers "
    "in the ground truth.",
}


class Bounds(NamedTuple):
    """Mean score of a perfect map by one metric. Values that are not known are NaN."""

    worst: float  # a perfect map is expected to score at least as well
    best: float  # and at most as well
    expected: float

    @property
    def known(self) -> list[float]:
        """The values that are known."""
        return [value for value in self if math.isfinite(value)]


def bounds_of(summary: pd.DataFrame, metric: str) -> Bounds:
    """Return the mean score of a perfect map by a metric of a summary."""
    rows = summary[summary["metric"].astype(str) == metric]
    means = dict(zip(rows["method"].astype(str), rows["estimate"], strict=True))
    return Bounds(*(float(means.get(row, math.nan)) for row in CEILINGS))


def without_ceilings(methods: Iterable[str]) -> list[str]:
    """Return methods without the rows of ceilings, or all if there are no others."""
    names = list(methods)
    return [name for name in names if name not in CEILINGS] or names


def ceiling_words(summary: pd.DataFrame) -> list[str]:
    """Return sentences on the meaning of the rows of ceilings of a summary, and on their shares."""
    methods = set(summary["method"].astype(str))
    lines = [words for row, words in ROW_WORDS.items() if row in methods]
    if lines:
        start = (
            "A perfect map is the expected gaze of infinitely many observers, in the form that the "
            "metric rewards most."
        )
        lines.insert(0, start)
    return lines + share_words(summary)


def share_words(summary: pd.DataFrame) -> list[str]:
    """Return a sentence for each metric with the shares of the attainable score."""
    if not set(SHARES) <= set(summary.columns):
        return []
    lines = []
    known = summary.dropna(subset=list(SHARES[:1]))
    known = known[~known["method"].isin(BASELINES)]
    for metric, rows in known.groupby("metric", sort=False):
        shares = [
            f"{_subject(str(method))} {_percent(share)} [{_percent(low)}, {_percent(high)}]"
            for method, share, low, high in rows[["method", *SHARES]].itertuples(index=False)
        ]
        lines.append(
            f"Share of the {metric_label(str(metric))} expected of a perfect map: "
            f"{'; '.join(shares)}."
        )
    return lines


def bounds_words(bounds: Bounds, share: tuple[str, float] | None = None) -> str:
    """Return a sentence on the score of a perfect map, empty if it is not known.

    `share` has the label of a map and the share of the expected score that it reaches.
    """
    if math.isfinite(bounds.expected):
        words = f"A perfect map is expected to score {bounds.expected:.3f}"
        if share is not None and math.isfinite(share[1]):
            words += f", of which {share[0]} reaches {_percent(share[1])}"
        return f"{words}."
    if math.isfinite(bounds.worst) and math.isfinite(bounds.best):
        return f"A perfect map would score between {bounds.worst:.3f} and {bounds.best:.3f}."
    if math.isfinite(bounds.worst):
        return f"A perfect map would score at least as well as {bounds.worst:.3f}."
    return ""


def bounds_note(summary: pd.DataFrame) -> str:
    """Return the legend of the marks of a perfect map in a figure, empty without such rows."""
    found = [bounds_of(summary, str(metric)) for metric in summary["metric"].unique()]
    words = []
    if any(math.isfinite(each.worst) and math.isfinite(each.best) for each in found):
        words.append("Shaded: score of a perfect map, at worst to at best.")
    if any(len(each.known) == 1 for each in found):
        kinds = [
            name
            for name, there in (
                ("expected", any(math.isfinite(each.expected) for each in found)),
                ("at worst", any(each.known == [each.worst] for each in found)),
            )
            if there
        ]
        words.append(f"Dashed line: score of a perfect map, {' or '.join(kinds)}.")
    return " ".join(words)


def _subject(method: str) -> str:
    """Return the label of a row inside a sentence."""
    label = method_label(method)
    return label[0].lower() + label[1:] if method == INTEROBSERVER else label


def _percent(value: float) -> str:
    return f"{round(100 * value)}%" if math.isfinite(value) else "undefined"
