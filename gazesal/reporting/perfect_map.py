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
from gazesal.metrics.maps_for_metric import WITH_BIAS
from gazesal.metrics.names import metric_named
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
    ATTAINABLE: "Perfect map, expected: its score against the ground truth, computed from the "
    "agreement of the observers. The noise of few observers in the ground truth lowers it.",
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
        lines = [start, *_form_words(summary), *lines, *_unknown_words(summary)]
    return lines + share_words(summary)


def _form_words(summary: pd.DataFrame) -> list[str]:
    """Return a sentence on the metrics by which the gaze itself is not a perfect map."""
    known = summary[summary["method"].isin(CEILINGS) & summary["estimate"].notna()]
    names = [name for name in map(str, known["metric"].unique()) if name in WITH_BIAS]
    if not names:
        return []
    return [
        f"By {_listed(names)}, this form shows only where people look more than the center bias "
        "does. A map that equals the expected gaze scores less."
    ]


def _unknown_words(summary: pd.DataFrame) -> list[str]:
    """Return a sentence on the metrics of gaze without a row of ceilings."""
    known = set(summary.loc[summary["method"].isin(CEILINGS), "metric"])
    names = [
        str(name)
        for name in summary["metric"].unique()
        if name not in known and metric_named(str(name)).ground_truth != "region"
    ]
    return [f"The score of a perfect map is not known for {_listed(names)}."] if names else []


def _listed(names: list[str]) -> str:
    """Return the labels of metrics as a list in words."""
    *first, last = [metric_label(name) for name in names]
    return " and ".join([", ".join(first), last] if first else [last])


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


def bounds_words(
    bounds: Bounds, label: str = "", mean: float = math.nan, share: float = math.nan
) -> str:
    """Return a sentence on the score of a perfect map, empty if it is not known.

    It states the distance of the map `label` from it, if given its mean score, and the share of the
    expected score that the map reaches.
    """
    if math.isfinite(bounds.expected):
        words = f"A perfect map is expected to score {bounds.expected:.3f}"
        if math.isfinite(share):
            words += f", of which {label} reaches {_percent(share)}"
        return f"{words}."
    if math.isfinite(bounds.worst) and math.isfinite(bounds.best):
        words = f"A perfect map would score between {bounds.worst:.3f} and {bounds.best:.3f}"
        if math.isfinite(mean):
            words += f", so that {label} is {_distance(mean, bounds)}"
        return f"{words}."
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


def _distance(mean: float, bounds: Bounds) -> str:
    """Return a phrase on the distance of a mean score from both bounds."""
    if mean > bounds.best:
        return "above both bounds"
    least, most = (f"{bound - mean:.3f}" for bound in bounds[:2])
    return f"{least} to {most} below it" if mean < bounds.worst else f"at most {most} below it"


def _subject(method: str) -> str:
    """Return the label of a row inside a sentence."""
    label = method_label(method)
    return label[0].lower() + label[1:] if method == INTEROBSERVER else label


def _percent(value: float) -> str:
    return f"{round(100 * value)}%" if math.isfinite(value) else "undefined"
