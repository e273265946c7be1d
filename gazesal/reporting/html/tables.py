"""Tables and headlines of the HTML report, as text that is ready to be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from gazesal._warnings import muted
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.exceptions import IntervalWarning
from gazesal.metrics.directions import higher_is_better
from gazesal.reporting.captions import bought_sncc
from gazesal.reporting.html.comparisons import Family, best_of, better_of, maps_of, rows_of
from gazesal.reporting.interval_words import kind_words, level_words, reader_caveats
from gazesal.reporting.summary_tables import cells_of, label_of, metric_label
from gazesal.reporting.typeset import shown_rows

__all__ = ["comparisons", "groups", "headlines", "means"]

MOST_GROUPS = 12  # values of a column that are shown


def headlines(summary: pd.DataFrame, families: Sequence[Family]) -> list[str]:
    """Say by each metric which map has the best mean, whether it stands out, and the baselines."""
    lines = []
    for name in map(str, summary["metric"].unique()):
        rows = summary[(summary["metric"] == name) & summary["estimate"].notna()]
        means = dict(zip(rows["method"], rows["estimate"], strict=True))
        lower = " (lower is better)" if higher_is_better(name) is False else ""
        maps = maps_of(list(means))
        best = best_of(summary, name, maps)
        parts = []
        if best is not None and len(maps) > 1:
            parts.append(
                f"By {metric_label(name)}{lower}, {label_of(best)} has the best mean of "
                f"{len(maps)} maps, {means[best]:.3f}, and {_standing(best, name, maps, families)}."
            )
        elif maps:
            named = ", ".join(f"{label_of(each)} scores {means[each]:.3f}" for each in maps)
            parts.append(f"By {metric_label(name)}{lower}, {named}.")
        baselines = [
            (INTEROBSERVER, "one observer against the others"),
            (CENTER_BIAS if CENTER_BIAS in means else IN_SAMPLE_BIAS, "the center bias"),
        ]
        scored = [(words, means[row]) for row, words in baselines if row in means]
        bought = bought_sncc(summary) if name == "sncc" else None
        if bought is not None:
            scored.append(("the inverse of the center bias, which looks at no image,", bought))
        if scored:
            listed = "; ".join(f"{words} scores {value:.3f}" for words, value in scored)
            start = "" if parts else f"By {metric_label(name)}{lower}, "
            parts.append(f"{start or listed[0].upper()}{listed[not start :]}.")
        if parts:
            lines.append(" ".join(parts))
    return lines


def _standing(best: str, metric: str, maps: Sequence[str], families: Sequence[Family]) -> str:
    """Say from which other maps the one with the best mean is distinguishable."""
    others = {name for name in maps if name != best}
    beaten, compared = set(), set()
    for row in (row for family in families for row in family.rows):
        pair = {row.method, row.reference}
        if dict(row.group)["metric"] == metric and best in pair and pair <= set(maps):
            compared |= pair - {best}
            beaten |= (pair - {best}) if better_of(row) == best else set()
    if compared != others:
        return "has not been compared with every other map on the same images"
    if beaten == others:
        return (
            "is distinguishable from every other map"
            if len(others) > 1
            else (f"is distinguishable from {label_of(next(iter(others)))}")
        )
    close = [label_of(name) for name in maps if name in others - beaten]
    return f"is not distinguishable from {' and '.join(close)}"


def means(summary: pd.DataFrame) -> dict[str, Any]:
    """Return the table of means: a row a method, with the best mean of the maps marked."""
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


def comparisons(families: Sequence[Family], summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the tables of differences, each with a line on what its intervals hold for."""
    confidence_level, kind = (
        level_words(summary["confidence_level"]),
        str(summary["interval"].iloc[0]),
    )
    tables = []
    for family in families:
        words = (
            f"{confidence_level} intervals that hold for all {family.size} differences together "
            f"({kind_words(family.kind)}, Bonferroni)."
        )
        if family.kind != kind:
            words += f" The {kind_words(kind)}, of the means above, has none for a difference."
        with_p = family.kind == "t"
        tables.append(
            {"title": family.title, "words": words, "with_p": with_p, "rows": rows_of(family)}
        )
    return tables


def groups(
    evaluation: Evaluation, interval: Any, confidence_level: float, *, unit: str = "image"
) -> list[dict[str, Any]]:
    """Return the means within the groups of images, a table for each column that names groups.

    A group that is the unit itself has no interval and no table.
    """
    tables = []
    for column in (name for name in evaluation.scores.columns[len(COLUMNS) :] if name != unit):
        values = evaluation.scores.groupby(column, sort=True)["image"].nunique()
        largest = values.sort_values(ascending=False, kind="stable").head(MOST_GROUPS).index
        kept = evaluation.scores[evaluation.scores[column].isin(largest)]
        with muted(IntervalWarning):  # below the table, and not once for each table
            summary = replace(evaluation, scores=kept).summary(
                by=column, unit=unit, interval=interval, confidence_level=confidence_level
            )
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
                "caveats": reader_caveats(summary),
            }
        )
    return tables
