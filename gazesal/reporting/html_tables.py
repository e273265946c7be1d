"""Tables of the HTML report, as text that is ready to be laid out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gazesal._warnings import muted
from gazesal.evaluation.cases import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER
from gazesal.evaluation.results import Evaluation
from gazesal.evaluation.rows import COLUMNS
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.metrics.registry import METRICS
from gazesal.reporting.tables import cells_of, label_of, metric_label
from gazesal.reporting.typeset import shown_rows
from gazesal.stats.comparison_result import Comparison
from gazesal.stats.multiplicity import adjust_p_values

__all__ = ["comparisons", "groups", "headlines", "means"]

MOST_PAIRED = 6  # methods that are compared each with each; more are compared with the best
MOST_GROUPS = 12  # values of a column that are shown
SIGNS, MOST_DRAWS = 10_000, 200_000_000  # patterns of signs, and signs in all of them: seconds


def headlines(summary: pd.DataFrame) -> list[str]:
    """The best map by each metric, between the readers and the centre bias."""
    lines = []
    for name in summary["metric"].unique():
        rows = summary[(summary["metric"] == name) & summary["estimate"].notna()]
        means = dict(zip(rows["method"], rows["estimate"], strict=True))
        maps = {
            method: value
            for method, value in means.items()
            if method not in {INTEROBSERVER, CENTER_BIAS, IN_SAMPLE_BIAS}
        }
        parts = []
        if maps:
            sign = 1 if METRICS[name].higher_is_better else -1
            best = max(maps, key=lambda method: sign * maps[method])
            row = rows[rows["method"] == best].iloc[0]
            standing = "best of the maps" if len(maps) > 1 else "the map scored"
            parts.append(
                f"{label_of(row['method'])} is {standing} with {row['estimate']:.3f} (interval "
                f"{row['low']:.3f} to {row['high']:.3f})"
            )
        if INTEROBSERVER in means:
            parts.append(f"the observers reach {means[INTEROBSERVER]:.3f} among themselves")
        floor = CENTER_BIAS if CENTER_BIAS in means else IN_SAMPLE_BIAS
        if floor in means:
            parts.append(f"the centre bias {means[floor]:.3f}")
        if parts:
            better = "" if METRICS[name].higher_is_better else " (lower is better)"
            lines.append(f"By {metric_label(name)}{better}, {'; '.join(parts)}.")
    return lines


def means(summary: pd.DataFrame) -> dict[str, Any]:
    metrics, rows = shown_rows(summary)
    counts = summary.groupby("method", sort=False)
    images, undefined = counts["n_images"].max(), counts["n_undefined"].sum()
    return {
        "metrics": [metric_label(name) for name in metrics],
        "rows": [
            {
                "label": label,
                "cells": cells,
                "n_images": n_images,
                "n_undefined": n_undefined,
            }
            for (label, cells), n_images, n_undefined in zip(
                rows, images.tolist(), undefined.tolist(), strict=True
            )
        ],
        "any_undefined": bool(undefined.sum()),
    }


def comparisons(evaluation: Evaluation, summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Differences of every row to the observers, and of the maps to one another."""
    methods = [name for name in evaluation.methods if name != INTEROBSERVER]
    tables = []
    signs = _patterns(evaluation)
    few = f", by {signs} patterns of signs" if signs < SIGNS else ""
    if INTEROBSERVER in evaluation.methods and methods:
        rows = _compared(evaluation, evaluation.methods, INTEROBSERVER)
        tables.append({"title": "Against the observers" + few, "rows": rows})
    if len(methods) > 1:
        reference: str | None = None
        title = "Against each other"
        if len(methods) > MOST_PAIRED:
            metric = evaluation.options.metrics[0]
            first = summary[(summary["metric"] == metric) & summary["method"].isin(methods)]
            own = first.dropna(subset="estimate").sort_values("estimate", kind="stable")
            if len(own):
                reference = own["method"].tolist()[-1 if METRICS[metric].higher_is_better else 0]
                title = f"Against {label_of(reference)}"
        rows = _compared(evaluation, methods, reference)
        tables.append({"title": title + few, "rows": rows})
    return tables


def _compared(
    evaluation: Evaluation, methods: Sequence[str], reference: str | None
) -> list[dict[str, str]]:
    """Rows of a table of differences on the same images, whose p-values are adjusted together."""
    pairs = [
        (method, other)
        for place, other in enumerate(methods)
        for method in (methods[place + 1 :] if reference is None else methods)
        if method != other and reference in {None, other}
    ]
    found: list[Comparison] = []
    signs = _patterns(evaluation)
    with muted(UndefinedMetricWarning):  # the table shows it
        for method, other in pairs:
            # a pair of methods without a score of one image in common has no row
            with contextlib.suppress(ValueError):
                found += evaluation.compare(method, other, adjust="none", n_resamples=signs)
        adjusted = adjust_p_values(np.array([row.p_value for row in found])) if found else ()
    rows = sorted(
        zip(found, adjusted, strict=True),
        key=lambda each: evaluation.options.metrics.index(str(dict(each[0].group)["metric"])),
    )
    return [
        {
            "metric": metric_label(str(dict(row.group)["metric"])),
            "pair": f"{label_of(row.method)} \N{MINUS SIGN} {label_of(row.reference)}",
            "difference": f"{row.difference.estimate:+.3f}",
            "interval": f"[{row.difference.low:+.3f}, {row.difference.high:+.3f}]",
            "p": _p_value(float(p_value)),
            "effect": _number(row.effect_size, "+.2f"),
            "share": _number(100 * row.share_better, ".0f", "%"),
            "n": str(row.difference.n_clusters),
        }
        for row, p_value in rows
    ]


def _patterns(evaluation: Evaluation) -> int:
    """How many patterns of signs are drawn: fewer where images are very many."""
    n_images = evaluation.scores["image"].nunique()
    return max(999, min(SIGNS, MOST_DRAWS // n_images))


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float, form: str, unit: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{form}}{unit}"


def groups(evaluation: Evaluation, interval: Any) -> list[dict[str, Any]]:
    """Means within the groups of images, a table for each column that names groups."""
    tables = []
    for column in evaluation.scores.columns[len(COLUMNS) :]:
        values = evaluation.scores.groupby(column, sort=True)["image"].nunique()
        largest = values.sort_values(ascending=False, kind="stable").head(MOST_GROUPS).index
        kept = evaluation.scores[evaluation.scores[column].isin(largest)]
        summary = replace(evaluation, scores=kept).summary(by=column, method=interval)
        rows = []
        for value, part in summary.groupby(column, sort=True):
            metrics, cells = cells_of(part)
            rows.append(
                {
                    "value": str(value) or "(not given)",
                    "n_images": int(values[value]),
                    "methods": [(label_of(name), [*row.values()]) for name, row in cells.items()],
                }
            )
        tables.append(
            {
                "column": column,
                "metrics": [metric_label(name) for name in metrics],
                "rows": rows,
                "n_more": len(values) - len(rows),
            }
        )
    return tables
