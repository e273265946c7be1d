"""What the HTML report says: every table, chart and picture of it, ready to be laid out."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal.evaluation.cases import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER
from gazesal.evaluation.results import Evaluation
from gazesal.evaluation.rows import COLUMNS
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.geometry import ReferenceFrame
from gazesal.metrics.registry import METRICS
from gazesal.reporting.extremes import (
    Pictures,
    case_of,
    extreme_images,
    gaze_of_all,
    image_means,
    map_of,
    overlay_jpeg,
    picture_of,
)
from gazesal.reporting.html_charts import Scale, axis_svg, distribution_svg, interval_svg
from gazesal.reporting.report import describe
from gazesal.reporting.tables import cells_of, label_of, metric_label
from gazesal.reporting.typeset import shown_rows
from gazesal.stats.comparison_result import Comparison
from gazesal.stats.multiplicity import adjust_p_values
from gazesal.typing import FloatArray

__all__ = ["content_of"]

MOST_OVERLAYS = 60  # on a page, or it would be slow to open
MOST_PAIRED = 6  # methods that are compared each with each; more are compared with the best
MOST_GROUPS = 12  # values of a column that are shown
MOST_BAD = 200  # images that are listed
LIBRARIES = ("gazesal", "scipy", "pandas", "matplotlib")


class Overlay(NamedTuple):
    """A picture of the page."""

    image: str
    score: str
    extreme: str
    source: str  # a data URI
    fault: str  # why there is none
    width: int
    height: int
    alt: str


def content_of(
    evaluation: Evaluation,
    summary: pd.DataFrame,
    *,
    settings: Mapping[str, object],
    metric: str,
    n_extremes: int,
    pictures: Pictures,
) -> dict[str, Any]:
    """Everything that the template lays out, by name."""
    degrees = settings.get("degrees")
    words = describe(
        evaluation, summary, degrees=float(degrees) if isinstance(degrees, (int, float)) else None
    )
    overlays, why_none = _overlays(evaluation, metric, n_extremes, pictures)
    bad = evaluation.bad_images
    return {
        "headlines": _headlines(summary),
        "words": words.splitlines(),
        "level": f"{summary['level'].iloc[0]:.0%}",
        "means": _means(summary),
        "charts": _charts(evaluation, summary),
        "comparisons": _comparisons(evaluation, summary),
        "groups": _groups(evaluation, str(summary["interval"].iloc[0])),
        "extremes_by": metric_label(metric),
        "overlays": overlays,
        "why_no_overlays": why_none,
        "bad_images": list(bad[["image", "reason"]].head(MOST_BAD).itertuples(index=False)),
        "n_bad": len(bad),
        "settings": _settings(evaluation, settings),
        "versions": _versions(evaluation),
        "fingerprint": fingerprint_of(evaluation),
        "bibtex": _bibtex(evaluation),
    }


def _headlines(summary: pd.DataFrame) -> list[str]:
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


def _means(summary: pd.DataFrame) -> dict[str, Any]:
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


def _charts(evaluation: Evaluation, summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Intervals and distributions, a pair of charts a metric."""
    from markupsafe import Markup  # noqa: PLC0415

    _, cells = cells_of(summary)
    charts: list[dict[str, Any]] = []
    for name in evaluation.options.metrics:
        metric = METRICS[name]
        rows = summary[summary["metric"] == name]
        bounds = {
            str(method): tuple(map(float, values))
            for method, *values in rows[["method", "estimate", "low", "high"]].itertuples(
                index=False
            )
        }
        spread = {
            method: image_means(evaluation.scores, method, name).to_numpy(np.float64)
            for method in evaluation.methods
        }
        chance = [metric.chance] if math.isfinite(metric.chance) else []
        narrow = Scale(rows[["estimate", "low", "high"]].to_numpy(np.float64))
        wide = Scale(np.concatenate(list(spread.values())), chance)
        intervals, distributions = [], []
        for method in evaluation.methods:
            label, text = label_of(method), str(cells[method][name])
            estimate, low, high = bounds[method]
            values = spread[method][np.isfinite(spread[method])]
            quartiles = "no defined score"
            if values.size:
                first, half, third = np.quantile(values, [0.25, 0.5, 0.75])
                quartiles = f"{half:.3f} ({first:.3f} to {third:.3f})"
            intervals.append(
                {
                    "label": label,
                    "text": text,
                    "svg": Markup(  # noqa: S704  (the label in it is escaped)
                        interval_svg(
                            narrow,
                            estimate,
                            low,
                            high,
                            chance=metric.chance,
                            label=f"{label}, {metric.label}: {text}",
                        )
                    ),
                }
            )
            distributions.append(
                {
                    "label": label,
                    "text": quartiles,
                    "svg": Markup(  # noqa: S704
                        distribution_svg(
                            wide,
                            spread[method],
                            chance=metric.chance,
                            label=f"{label}, {metric.label} of {values.size} images, "
                            f"median {quartiles}",
                        )
                    ),
                }
            )
        charts.append(
            {
                "label": metric.label,
                "better": "higher" if metric.higher_is_better else "lower",
                "chance": f"{metric.chance:g}" if chance else "",
                "chance_of": "chance" if metric.chance_of_any_map else "a map of noise",
                "intervals": intervals,
                "interval_axis": Markup(axis_svg(narrow)),  # noqa: S704
                "distributions": distributions,
                "distribution_axis": Markup(axis_svg(wide)),  # noqa: S704
            }
        )
    return charts


def _comparisons(evaluation: Evaluation, summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Differences of every row to the observers, and of the maps to one another."""
    methods = [name for name in evaluation.methods if name != INTEROBSERVER]
    tables = []
    if INTEROBSERVER in evaluation.methods and methods:
        rows = _compared(evaluation, evaluation.methods, INTEROBSERVER)
        tables.append({"title": "Against the observers", "rows": rows})
    if len(methods) > 1:
        reference: str | None = None
        title = "Against each other"
        if len(methods) > MOST_PAIRED:
            first = summary[summary["metric"] == evaluation.options.metrics[0]]
            own = first[first["method"].isin(methods)].dropna(subset="estimate")
            if len(own):
                reference = str(own["method"].iloc[int(own["estimate"].argmax())])
                title = f"Against {label_of(reference)}"
        tables.append({"title": title, "rows": _compared(evaluation, methods, reference)})
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # it stands in the table
        for method, other in pairs:
            # a pair of methods without a score of one image in common has no row
            with contextlib.suppress(ValueError):
                found += evaluation.compare(method, other, adjust="none")
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


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float, form: str, unit: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{form}}{unit}"


def _groups(evaluation: Evaluation, interval: Any) -> list[dict[str, Any]]:
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


def _overlays(
    evaluation: Evaluation, metric: str, n: int, pictures: Pictures
) -> tuple[list[dict[str, Any]], str]:
    """Pictures of the best and worst images of each map, or why there are none."""
    if n == 0:
        return [], "They were not asked for."
    there = {case.image for case in evaluation.cases}
    if not there & set(evaluation.scores["image"]):
        return [], "The maps are not at hand: the evaluation was loaded without its images."
    maps = sorted({name for case in evaluation.cases if case.scored for name in case.maps})
    methods = [name for name in evaluation.methods if name in maps] or [
        name for name in evaluation.methods if name != INTEROBSERVER
    ]
    shown = methods[: max(MOST_OVERLAYS // (2 * n), 1)]
    gaze: dict[str, FloatArray] = {}
    drawn = [
        {
            "label": label_of(method),
            "items_": [
                _overlay(evaluation, method, metric, pictures, gaze, *row)
                for row in extreme_images(evaluation, method, metric, n=n).itertuples(index=False)
            ],
        }
        for method in shown
    ]
    left_out = f"Those of {len(methods) - len(shown)} more methods are left out."
    return drawn, left_out if len(shown) < len(methods) else ""


def _overlay(
    evaluation: Evaluation,
    method: str,
    metric: str,
    pictures: Pictures,
    gaze: dict[str, FloatArray],
    image: str,
    score: float,
    extreme: str,
) -> Overlay:
    case = case_of(evaluation, image)
    source, fault, height, width = "", "", 0, 0
    try:
        if image not in gaze:  # drawn once for all methods
            gaze[image] = gaze_of_all(evaluation, case)
        data, (height, width) = overlay_jpeg(
            map_of(evaluation, case, method),
            gaze[image],
            picture_of(case, pictures),
            case.shape,
        )
        source = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    except (ValueError, OSError, ImportError) as error:
        fault = f"Not shown: {error}"  # files may be gone since; the scores are still there
    value = f"{metric_label(metric)} {score:.3f}"
    return Overlay(
        image=image,
        score=value,
        extreme=extreme,
        source=source,
        fault=fault,
        width=width,
        height=height,
        alt=f"Map of {label_of(method)} on image {image}, one of its {extreme}: {value}. "
        "Lines enclose 50% and 90% of the gaze.",
    )


def _settings(evaluation: Evaluation, more: Mapping[str, object]) -> list[tuple[str, str]]:
    facts: dict[str, object] = {**more, **asdict(evaluation.options)}
    return [(name, _value(facts[name])) for name in sorted(facts)]


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    return str(value)


def _versions(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Of what made the scores, and of what made the page."""
    page = {name: version(name) for name in LIBRARIES} | {"Python": platform.python_version()}
    rows = [(f"scores: {name}", found) for name, found in evaluation.versions.items()]
    return rows + [(f"page: {name}", found) for name, found in page.items()]


def fingerprint_of(evaluation: Evaluation) -> str:
    """A name for exactly these scores: equal tables have the same."""
    text = evaluation.scores.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()


def _bibtex(evaluation: Evaluation) -> str:
    """Entries of what was used."""
    registered = isinstance(evaluation.options.frame, ReferenceFrame)
    bias = "RegisteredCenterBias" if registered else "CenterBias"
    used = [*evaluation.options.metrics, "evaluate", "gaze_heatmap", bias, "compare"]
    if find_spec("gazesal.cite") is None:
        own = f"  title = {{gazesal}},\n  version = {{{version('gazesal')}}}\n"
        return f"@software{{gazesal,\n{own}}}"
    return str(import_module("gazesal.cite").cite(*used))
