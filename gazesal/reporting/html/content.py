"""What the HTML report says: every table, chart and picture of it, ready to be laid out."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal._text import printable
from gazesal.cite import cite
from gazesal.evaluation.case import INTEROBSERVER
from gazesal.evaluation.evaluation import Evaluation
from gazesal.maps.geometry import ReferenceFrame
from gazesal.metrics.names import metric_named
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
from gazesal.reporting.html.charts import Scale, axis_svg, distribution_svg, interval_svg
from gazesal.reporting.html.comparisons import families
from gazesal.reporting.html.tables import comparisons, groups, headlines, means
from gazesal.reporting.interval_words import kind_words, level_words, mean_words, unit_of
from gazesal.reporting.results_folder import describe
from gazesal.reporting.summary_tables import cells_of, label_of, metric_label
from gazesal.typing import FloatArray

__all__ = ["LIBRARIES", "content_of", "fingerprint_of", "setting_rows", "versions_of"]

MOST_OVERLAYS = 60  # on a page, or it would be slow to open
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
    compared = families(evaluation, summary)
    kind, confidence_level = (
        str(summary["interval"].iloc[0]),
        float(summary["confidence_level"].iloc[0]),
    )
    unit = unit_of(evaluation, summary)
    return {
        "unit": printable(unit),
        "mean_words": mean_words(unit),
        "headlines": headlines(summary, compared),
        "words": words.splitlines(),
        "confidence_level": level_words(summary["confidence_level"]),
        "kind": kind_words(kind),
        "means": means(summary),
        "charts": _charts(evaluation, summary),
        "comparisons": comparisons(compared, summary),
        "groups": groups(evaluation, kind, confidence_level, unit=unit),
        "extremes_by": metric_label(metric),
        "overlays": overlays,
        "why_no_overlays": why_none,
        "bad_images": list(bad[["image", "reason"]].head(MOST_BAD).itertuples(index=False)),
        "n_bad": len(bad),
        "settings": setting_rows({**settings, **evaluation.options.facts()}),
        "versions": _versions(evaluation),
        "fingerprint": fingerprint_of(evaluation.scores),
        "bibtex": _bibtex(evaluation),
    }


def _charts(evaluation: Evaluation, summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Intervals and distributions, a pair of charts a metric."""
    from markupsafe import Markup  # noqa: PLC0415

    _, cells = cells_of(summary)
    charts: list[dict[str, Any]] = []
    names = set(summary["metric"])
    methods = [name for name in evaluation.methods if name in cells]
    for name in (each for each in evaluation.options.metrics if each in names):
        metric = metric_named(name)
        rows = summary[summary["metric"] == name]
        bounds = {
            str(method): tuple(map(float, values))
            for method, *values in rows[["method", "estimate", "low", "high"]].itertuples(
                index=False
            )
        }
        spread = {
            method: image_means(evaluation.scores, method, name).to_numpy(np.float64)
            for method in methods
        }
        chance = [metric.chance] if math.isfinite(metric.chance) else []
        narrow = Scale(rows[["estimate", "low", "high"]].to_numpy(np.float64))
        wide = Scale(np.concatenate(list(spread.values())), chance)
        intervals, distributions = [], []
        for method in methods:
            label, text = label_of(method), str(cells[method][name])
            estimate, low, high = bounds.get(method, (math.nan,) * 3)
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
                "chance_of": "a map that is the same for all images"
                if metric.chance_of_any_map
                else "a map of noise",
                "intervals": intervals,
                "interval_axis": Markup(axis_svg(narrow)),  # noqa: S704
                "distributions": distributions,
                "distribution_axis": Markup(axis_svg(wide)),  # noqa: S704
            }
        )
    return charts


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


def setting_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Settings in words, by name."""
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
    rows = [(f"scores: {name}", found) for name, found in evaluation.versions.items()]
    return rows + [(f"page: {name}", found) for name, found in versions_of(LIBRARIES).items()]


def versions_of(libraries: Iterable[str]) -> dict[str, str]:
    """What is installed of these libraries, and Python."""
    found = {}
    for name in libraries:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"Python": platform.python_version()}


def fingerprint_of(scores: pd.DataFrame) -> str:
    """A name for exactly these scores: equal tables have the same."""
    text = scores.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _bibtex(evaluation: Evaluation) -> str:
    """Entries of what was used."""
    registered = isinstance(evaluation.options.frame, ReferenceFrame)
    bias = "RegisteredCenterBias" if registered else "CenterBias"
    own = {metric.name for metric in evaluation.options.own_metrics}
    metrics = [name for name in evaluation.options.metrics if name not in own]
    used = [*metrics, "evaluate", "gaze_heatmap", bias, "compare"]
    return cite(*used)
