"""Format the tables and headlines of the HTML report as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from gazesal._warnings import muted
from gazesal.evaluation.case import (
    CENTER_BIAS,
    GAZE,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    REST_PREDICTS_ONE,
)
from gazesal.evaluation.ceiling_shares import SHARES
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.score_rows import COLUMNS, REGION
from gazesal.exceptions import IntervalWarning, UndefinedMetricWarning
from gazesal.reporting.captions import sncc_of_inverse_bias
from gazesal.reporting.html.comparisons import Family, best_of, better_of, maps_of, rows_of
from gazesal.reporting.labels import (
    interval_label,
    level_label,
    method_label,
    metric_heading,
    metric_label,
    of_images,
    reader_caveats,
    row_labels,
)
from gazesal.reporting.perfect_map import bounds_of, bounds_words
from gazesal.reporting.summary_cells import cells_of, cells_with_best

__all__ = ["comparisons", "groups", "headlines", "means"]

MOST_GROUPS = 12  # groups shown per column, the others are only counted


def headlines(summary: pd.DataFrame, families: Sequence[Family]) -> list[str]:
    """Return a line per metric on the best map, its rank among the maps, and the baselines."""
    lines = []
    for name in map(str, summary["metric"].unique()):
        rows = summary[(summary["metric"] == name) & summary["estimate"].notna()]
        means = dict(zip(rows["method"], rows["estimate"], strict=True))
        heading = metric_heading(name)
        maps = maps_of(list(means))
        best = best_of(summary, name, maps)
        parts = []
        if best is not None and len(maps) > 1:
            parts.append(
                f"By {heading}, {method_label(best)} has the best mean of "
                f"{len(maps)} maps, {means[best]:.3f}, and {_standing(best, name, maps, families)}."
            )
        elif maps:
            named = ", ".join(f"{method_label(each)} scores {means[each]:.3f}" for each in maps)
            parts.append(f"By {heading}, {named}.")
        baselines = [
            # the noise is the reason why a map can score higher
            (INTEROBSERVER, "one observer{}, whose map is noisy, scores {:.3f} against the others"),
            (GAZE, "the gaze of all observers{} scores {:.3f}"),
            (
                CENTER_BIAS if CENTER_BIAS in means else IN_SAMPLE_BIAS,
                "the center bias{} scores {:.3f}",
            ),
        ]
        counts = dict(zip(rows["method"], rows["n_images"].tolist(), strict=True))
        scored = [
            words.format(of_images(counts[row], max(counts.values())), means[row])
            for row, words in baselines
            if row in means
        ]
        inverse = sncc_of_inverse_bias(summary) if name == "sncc" else None
        if inverse is not None:
            words = "the inverse of the center bias, which uses no image, scores {:.3f}"
            scored.append(words.format(inverse))
        if scored:
            listed = "; ".join(scored)
            start = "" if parts else f"By {heading}, "
            parts.append(f"{start or listed[0].upper()}{listed[not start :]}.")
        label, mean, share = "", math.nan, math.nan
        if best is not None:
            label = method_label(best)
            if counts[best] == counts.get(REST_PREDICTS_ONE):  # means over the same images
                mean = means[best]
            if SHARES[0] in rows:
                share = dict(zip(rows["method"], rows[SHARES[0]], strict=True))[best]
        if perfect := bounds_words(bounds_of(summary, name), label, mean, share):
            parts.append(perfect)
        if parts:
            lines.append(" ".join(parts))
    return lines


def _standing(best: str, metric: str, maps: Sequence[str], families: Sequence[Family]) -> str:
    """Return a phrase on the maps from which the map with the best mean is distinguishable."""
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
        every = "every other map" if len(others) > 1 else method_label(next(iter(others)))
        return f"is distinguishable from {every}"
    close = [method_label(name) for name in maps if name in others - beaten]
    return f"is not distinguishable from {' and '.join(close)}"


def means(summary: pd.DataFrame) -> dict[str, Any]:
    """Return the table of means by method and metric, with the best mean of the maps marked."""
    metrics, rows = cells_with_best(summary)
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
    """Return the tables of differences, each with a sentence on its intervals."""
    kind = str(summary["interval"].iloc[0])
    confidence_level = level_label(summary["confidence_level"])
    tables = []
    for family in families:
        words = (
            f"{confidence_level} intervals that hold for all {family.size} differences together "
            f"({interval_label(family.kind)}, Bonferroni)."
        )
        if family.kind != kind:
            words += f" The kind used for the means ({interval_label(kind)}) has no difference."
        unpaired = max(row.n_unpaired for row in family.rows)
        if unpaired:
            words += f" Images with only one of the two scores are left out, up to {unpaired}."
        with_p = family.kind == "t"
        tables.append(
            {"title": family.title, "words": words, "with_p": with_p, "rows": rows_of(family)}
        )
    return tables


def groups(
    evaluation: Evaluation, interval: Any, confidence_level: float, *, unit: str = "image"
) -> list[dict[str, Any]]:
    """Return the means within groups of images, with a table for each column of groups.

    The column of the unit has no table, because a group of one unit has no interval, and a single
    region has none, because the table of means has its numbers.
    """
    tables = []
    for column in (name for name in evaluation.scores.columns[len(COLUMNS) :] if name != unit):
        scores = evaluation.scores
        if column == REGION:  # scores against gaze are of no region
            scores = scores[scores[REGION] != ""]
            if scores[REGION].nunique() < 2:
                continue
        values = scores.groupby(column, sort=True)["image"].nunique()
        largest = values.sort_values(ascending=False, kind="stable").head(MOST_GROUPS).index
        kept = scores[scores[column].isin(largest)]
        # the captions show the caveats, and the table the groups of one image
        with muted(IntervalWarning, UndefinedMetricWarning):
            summary = replace(evaluation, scores=kept).summary(
                by=column, unit=unit, interval=interval, confidence_level=confidence_level
            )
        rows = []
        for value, every_row in summary.groupby(column, sort=True):
            # A group whose images have one observer each has no interobserver score.
            counts = every_row.groupby("method")[["n_scores", "n_undefined"]].sum().sum(axis=1)
            part = every_row[every_row["method"].map(counts) > 0].drop(columns=column)
            metrics, cells = cells_of(part)
            labels = row_labels(part)
            rows.append(
                {
                    "value": str(value) or "(not given)",
                    "n_images": int(values[value]),
                    "methods": [(labels[name], [*row.values()]) for name, row in cells.items()],
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
