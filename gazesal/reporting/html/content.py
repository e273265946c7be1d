"""Gather the tables, charts and pictures of the HTML report for its template."""

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
from gazesal.evaluation.case import CEILINGS
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.observer_counts import observer_sentence
from gazesal.maps.reference_frame import ReferenceFrame
from gazesal.metrics.names import metric_named
from gazesal.reporting.captions import describe
from gazesal.reporting.contribution_overlays import (
    bias_for,
    contributions_jpeg,
    contributions_of,
    draws_contributions,
)
from gazesal.reporting.control_tables import control_rows
from gazesal.reporting.extremes import extreme_images, image_means
from gazesal.reporting.html.charts import Scale, axis_svg, distribution_svg, interval_svg
from gazesal.reporting.html.comparisons import families
from gazesal.reporting.html.tables import comparisons, groups, headlines, means
from gazesal.reporting.labels import (
    OBSERVERS,
    interval_label,
    level_label,
    mean_label,
    method_label,
    metric_label,
    row_labels,
    unit_of,
)
from gazesal.reporting.overlays import (
    Pictures,
    case_of,
    gaze_of_all,
    map_of,
    overlay_jpeg,
    picture_of,
    regions_of,
)
from gazesal.reporting.perfect_map import bounds_of, bounds_words, without_ceilings
from gazesal.reporting.summary_cells import cells_of
from gazesal.stats.interval_methods import DEFAULT_INTERVAL
from gazesal.typing import FloatArray

__all__ = ["LIBRARIES", "content_of", "fingerprint_of", "setting_rows", "versions_of"]

MOST_OVERLAYS = 60  # pictures on a page, because more make it slow to open
MOST_BAD = 200  # images listed as not scored, for the same reason
LIBRARIES = ("gazesal", "scipy", "pandas", "matplotlib")


class Overlay(NamedTuple):
    """A picture on the page, or the reason that it is missing."""

    image: str
    score: str
    extreme: str
    source: str  # a data URI
    fault: str
    width: int
    height: int
    alt: str
    parts: str  # a data URI of the contributions of pixels to the score, or empty
    parts_alt: str


def content_of(
    evaluation: Evaluation,
    summary: pd.DataFrame,
    *,
    settings: Mapping[str, object],
    metric: str,
    n_extremes: int,
    pictures: Pictures,
) -> dict[str, Any]:
    """Return the variables of the template by name."""
    degrees = settings.get("degrees")
    words = describe(
        evaluation, summary, degrees=float(degrees) if isinstance(degrees, (int, float)) else None
    )
    overlays, why_none = _overlays(evaluation, metric, n_extremes, pictures)
    bad = evaluation.bad_images
    compared = families(evaluation, summary)
    kind = str(summary["interval"].iloc[0])
    confidence_level = float(summary["confidence_level"].iloc[0])
    unit = unit_of(evaluation, summary)
    return {
        "unit": printable(unit),
        "mean_label": mean_label(unit),
        "headlines": headlines(summary, compared),
        "words": [line for line in (observer_sentence(evaluation), *words.splitlines()) if line],
        "confidence_level": level_label(summary["confidence_level"]),
        "kind": interval_label(kind),
        "means": means(summary),
        "charts": _charts(evaluation, summary),
        "with_ceilings": bool(set(CEILINGS) & set(summary["method"])),
        "controls": _controls(evaluation, summary, unit),
        "comparisons": comparisons(compared, summary),
        "groups": groups(evaluation, kind, confidence_level, unit=unit),
        "extremes_by": metric_label(metric),
        "with_regions": bool(evaluation.options.of_regions),
        "overlays": overlays,
        "has_parts": any(item.parts for method in overlays for item in method["items_"]),
        "why_no_overlays": why_none,
        "bad_images": list(bad[["image", "reason"]].head(MOST_BAD).itertuples(index=False)),
        "n_bad": len(bad),
        "settings": setting_rows({**settings, **evaluation.options.facts()}),
        "versions": _versions(evaluation),
        "fingerprint": fingerprint_of(evaluation.scores),
        "bibtex": _bibtex(evaluation),
    }


def _controls(evaluation: Evaluation, summary: pd.DataFrame, unit: str) -> dict[str, Any] | None:
    """Return the table of own scores and scores on other images, or None without it."""
    kind = str(summary["interval"].iloc[0])
    rows, words = control_rows(
        evaluation,
        unit=unit,
        interval=DEFAULT_INTERVAL if kind == "study" else kind,
        confidence_level=float(summary["confidence_level"].iloc[0]),
    )
    return {"rows": rows, "words": words} if rows else None


def _charts(evaluation: Evaluation, summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the charts of intervals and distributions, a pair for each metric."""
    from markupsafe import Markup

    _, cells = cells_of(summary)
    charts: list[dict[str, Any]] = []
    names = set(summary["metric"])
    methods = without_ceilings(name for name in evaluation.methods if name in cells)
    labels = row_labels(summary)
    for name in (each for each in evaluation.options.metrics if each in names):
        metric = metric_named(name)
        rows = summary[summary["metric"] == name]
        perfect = bounds_of(summary, name)
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
        wide = Scale(np.concatenate(list(spread.values())), [*chance, *perfect.known])
        intervals, distributions = [], []
        for method in (each for each in methods if each in set(rows["method"])):
            label, text = labels[method], str(cells[method][name])
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
                            bounds=perfect.known,
                            label=f"{label}, {metric.label}: {text}",
                        )
                    ),
                }
            )
            distributions.append(
                {
                    "label": label,
                    "text": quartiles,
                    "svg": Markup(  # noqa: S704 (SVG with escaped labels)
                        distribution_svg(
                            wide,
                            spread[method],
                            chance=metric.chance,
                            bounds=perfect.known,
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
                "perfect": bounds_words(perfect),
                "intervals": intervals,
                "interval_axis": Markup(axis_svg(narrow)),  # noqa: S704 (SVG with escaped labels)
                "distributions": distributions,
                "distribution_axis": Markup(axis_svg(wide)),  # noqa: S704 (SVG with escaped labels)
            }
        )
    return charts


def _overlays(
    evaluation: Evaluation, metric: str, n: int, pictures: Pictures
) -> tuple[list[dict[str, Any]], str]:
    """Return pictures of the best and worst images of each map, and a sentence on missing ones."""
    if n == 0:
        return [], "They were not requested."
    there = {case.image for case in evaluation.cases}
    if not there & set(evaluation.scores["image"]):
        return [], "Maps are missing because the evaluation was loaded without its images."
    maps = sorted({name for case in evaluation.cases if case.scored for name in case.maps})
    methods = [name for name in evaluation.methods if name in maps] or [
        name for name in evaluation.methods if name not in OBSERVERS
    ]
    shown = methods[: max(MOST_OVERLAYS // (2 * n), 1)]
    gaze: dict[str, tuple[FloatArray, FloatArray | None]] = {}
    drawn = [
        {
            "label": method_label(method),
            "items_": [
                _overlay(evaluation, method, metric, pictures, gaze, *row)
                for row in extreme_images(evaluation, method, metric, n=n).itertuples(index=False)
            ],
        }
        for method in shown
    ]
    left_out = f"Pictures of {len(methods) - len(shown)} more methods are left out."
    return drawn, left_out if len(shown) < len(methods) else ""


def _overlay(
    evaluation: Evaluation,
    method: str,
    metric: str,
    pictures: Pictures,
    gaze: dict[str, tuple[FloatArray, FloatArray | None]],
    image: str,
    score: float,
    extreme: str,
) -> Overlay:
    case = case_of(evaluation, image)
    source, fault, parts, height, width = "", "", "", 0, 0
    try:
        if image not in gaze:  # computed once for all methods
            gaze[image] = gaze_of_all(evaluation, case), bias_for(evaluation, case, metric)
        picture = picture_of(case, pictures)
        data, (height, width) = overlay_jpeg(
            map_of(evaluation, case, method),
            gaze[image][0],
            picture,
            case.shape,
            regions_of(evaluation, case),
        )
        source = _data_uri(data)
        if draws_contributions(metric) and case.area is None:
            found = contributions_of(evaluation, case, method, metric, *gaze[image])
            if found is not None:
                parts = _data_uri(contributions_jpeg(found, picture, case.shape)[0])
    except (ValueError, OSError, ImportError) as error:
        fault = f"Not shown: {error}"  # files may have been removed, but the scores exist
    value = f"{metric_label(metric)} {score:.3f}"
    return Overlay(
        image=image,
        score=value,
        extreme=extreme,
        source=source,
        fault=fault,
        width=width,
        height=height,
        alt=f"Map of {method_label(method)} on image {image}, among its {extreme}: {value}. "
        "Lines enclose 50% and 90% of the gaze"
        + (f", and the regions {', '.join(case.regions)}." if case.regions else "."),
        parts=parts,
        parts_alt=f"Contributions of pixels to the score of {method_label(method)} on {image}. Red "
        "pixels raise it, and blue pixels lower it.",
    )


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def setting_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return settings as pairs of name and text, sorted by name."""
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
    """Return the versions of the libraries that computed the scores and the page."""
    rows = [(f"scores: {name}", found) for name, found in evaluation.versions.items()]
    return rows + [(f"page: {name}", found) for name, found in versions_of(LIBRARIES).items()]


def versions_of(libraries: Iterable[str]) -> dict[str, str]:
    """Return the versions of the installed libraries among some, and of Python."""
    found = {}
    for name in libraries:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"Python": platform.python_version()}


def fingerprint_of(scores: pd.DataFrame) -> str:
    """Return a digest of a table of scores. Equal tables have equal digests."""
    text = scores.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _bibtex(evaluation: Evaluation) -> str:
    """Return the BibTeX entries of the metrics and methods used."""
    registered = isinstance(evaluation.options.frame, ReferenceFrame)
    bias = "RegisteredCenterBias" if registered else "CenterBias"
    own = {metric.name for metric in evaluation.options.own_metrics}
    metrics = [name for name in evaluation.options.metrics if name not in own]
    return cite(*metrics, "evaluate", "gaze_heatmap", bias, "compare")
