"""Compare the methods of an evaluation, with simultaneous intervals of all differences.

Readers of a page look at its largest differences. Intervals that hold one at a time would claim too
much, and adjusted p-values next to them would contradict them. Intervals, p-values and verdicts
therefore use one error: the error of the page's confidence level divided by the number of
differences in a table (Bonferroni).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gazesal._warnings import muted
from gazesal.evaluation.case import GAZE, GAZE_OF_ONE, INTEROBSERVER, MEAN_MAP
from gazesal.evaluation.evaluation import Evaluation
from gazesal.metrics.names import higher_is_better
from gazesal.reporting.labels import (
    BASELINES,
    OBSERVERS,
    method_label,
    metric_label,
    unit_of,
)
from gazesal.stats.paired_tests import t_test
from gazesal.stats.results import Comparison

__all__ = ["Family", "best_of", "better_of", "families", "maps_of", "rows_of"]

OF_DIFFERENCES = ("t", "normal", "bootstrap", "basic", "bca", "studentized")
MOST_PAIRED = 6  # methods compared in all pairs, above which each is compared with the best
N_RESAMPLES = 10_000
TAIL = 20  # resamples beyond each bound, at least, because fewer make the bound random
MOST_DRAWS = 200_000_000  # units in all resamples together, which take seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Differences whose intervals hold simultaneously.

    Attributes
    ----------
    title : str
        Title of the table.
    rows : tuple of Comparison
        The differences in the order of the metrics.
    size : int
        Number of differences that the error is divided by. Larger than the number of rows if the
        reference was chosen by its scores.
    kind : str
        Kind of the intervals.
    """

    title: str
    rows: tuple[Comparison, ...]
    size: int
    kind: str


def maps_of(methods: Sequence[str]) -> list[str]:
    """Return the methods, without the rows of observers, the baselines and the mean maps."""
    mean_maps = {MEAN_MAP.format(name) for name in methods}
    return [name for name in methods if name not in {*OBSERVERS, *BASELINES, *mean_maps}]


def best_of(summary: pd.DataFrame, metric: str, methods: Sequence[str]) -> str | None:
    """Return the method with the best mean by a metric, or None without a mean or a direction."""
    higher = higher_is_better(metric)
    rows = summary[(summary["metric"] == metric) & summary["method"].isin(list(methods))]
    means = rows.dropna(subset="estimate").sort_values("estimate", kind="stable")["method"].tolist()
    if higher is None or not means:
        return None
    return str(means[-1 if higher else 0])


def families(evaluation: Evaluation, summary: pd.DataFrame) -> list[Family]:
    """Compare every row with the observers, and the maps and baselines with one another."""
    kind = str(summary["interval"].iloc[0])
    kind = kind if kind in OF_DIFFERENCES else "t"
    confidence_level = float(summary["confidence_level"].iloc[0])
    there = {*summary["method"], *summary["metric"]}
    unit = unit_of(evaluation, summary)
    metrics = [name for name in evaluation.options.metrics if name in there]
    methods = [name for name in evaluation.methods if name in there - {*OBSERVERS}]
    measured = set(zip(summary["method"], summary["metric"], strict=True))
    found = []
    for reference, title in (
        (INTEROBSERVER, "Against one observer"),
        (GAZE, "Against the gaze of all observers, in the regions"),
    ):
        pairs = [
            (method, reference, metric)
            for metric in metrics
            for method in methods
            if {(method, metric), (reference, metric)} <= measured
            and method not in {reference, GAZE_OF_ONE}
        ]
        if not pairs:
            continue
        found.append(_compared(evaluation, title, pairs, len(pairs), kind, confidence_level, unit))
    methods = [name for name in methods if name not in {GAZE, GAZE_OF_ONE}]
    if len(methods) > 1:
        size = len(metrics) * math.comb(len(methods), 2)
        title = "Against each other"
        pairs = [
            (method, other, metric)
            for metric in metrics
            for place, other in enumerate(methods)
            for method in methods[place + 1 :]
        ]
        if len(methods) > MOST_PAIRED:
            title = "Against the map with the best mean"
            best = {each: best_of(summary, each, maps_of(methods) or methods) for each in metrics}
            pairs = [
                (method, other, metric)
                for metric in metrics
                for method in methods
                if (other := best[metric]) is not None and method != other
            ]
        found.append(_compared(evaluation, title, pairs, size, kind, confidence_level, unit))
    return [family for family in found if family.rows]


def _compared(
    evaluation: Evaluation,
    title: str,
    pairs: Sequence[tuple[str, str, str]],
    size: int,
    kind: Any,
    confidence_level: float,
    unit: str,
) -> Family:
    each_level = 1 - (1 - confidence_level) / size
    n_images = evaluation.scores["image"].nunique()
    wanted = max(N_RESAMPLES, math.ceil(2 * TAIL / (1 - each_level)))
    n_resamples = max(999, min(wanted, MOST_DRAWS // n_images)) if kind != "t" else 1
    metrics_of: dict[tuple[str, str], list[str]] = {}
    for method, other, metric in pairs:
        metrics_of.setdefault((method, other), []).append(metric)
    rows: dict[tuple[str, str, str], Comparison] = {}
    # undefined differences are shown in the table, and the p-values of `compare` are not used
    with muted(Warning):
        for (method, other), metrics in metrics_of.items():
            # a pair of methods without a common image has no row
            with contextlib.suppress(ValueError):
                found = evaluation.compare(
                    method,
                    other,
                    metrics,
                    unit=unit,
                    interval=kind,
                    confidence_level=each_level,
                    adjust="none",
                    n_resamples=n_resamples,
                )
                rows |= {(method, other, str(dict(row.group)["metric"])): row for row in found}
    ordered = tuple(rows[pair] for pair in pairs if pair in rows)
    return Family(title=title, rows=ordered, size=size, kind=str(kind))


def rows_of(family: Family) -> list[dict[str, str]]:
    """Return the rows of a table of differences, as text."""
    return [_row(row, family) for row in family.rows]


def better_of(row: Comparison) -> str | None:
    """Return the better method of a pair, or None if the interval contains 0."""
    metric = str(dict(row.group)["metric"])
    higher, d = higher_is_better(metric), row.difference
    if higher is None or not (d.low > 0 or d.high < 0):
        return None
    return row.method if (d.low > 0) == higher else row.reference


def _row(row: Comparison, family: Family) -> dict[str, str]:
    metric, d = str(dict(row.group)["metric"]), row.difference
    better = better_of(row)
    share = row.share_higher if higher_is_better(metric) else 1 - row.share_higher
    verdict = "not distinguishable" if better is None else method_label(better)
    return {
        "metric": metric_label(metric),
        "pair": f"{method_label(row.method)} \N{MINUS SIGN} {method_label(row.reference)}",
        "difference": f"{d.estimate:+.3f}",
        "interval": f"[{_bound(d.low)}, {_bound(d.high)}]",
        # the same error as the interval has, so that the two never contradict each other
        "p": _p_value(min(1.0, family.size * t_test(d))) if family.kind == "t" else "",
        "better": "undefined" if math.isnan(d.low) else verdict,
        "effect": _number(row.effect_size, "+.2f"),
        "share": _number(100 * share, ".0f", "%"),
        "n": str(d.n_clusters),
    }


def _bound(value: float) -> str:
    """Return a bound with three decimals, or one digit if three decimals would hide its sign."""
    if value == 0 or math.isnan(value):
        return f"{value:.3f}"
    return f"{value:+.3f}" if abs(value) >= 0.0005 else f"{value:+.0e}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    if value < 0.001:
        return "<0.001"
    return f"{value:.4f}" if 0.0495 <= value < 0.0505 else f"{value:.3f}"


def _number(value: float, form: str, unit: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{form}}{unit}"
