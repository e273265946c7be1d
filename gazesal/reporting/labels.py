"""Labels of methods, metrics, kinds of interval and units in tables, figures and pages."""

import re

import pandas as pd

from gazesal._text import printable
from gazesal.evaluation.case import (
    ALL_PREDICT_ONE,
    ATTAINABLE,
    CEILINGS,
    CENTER_BIAS,
    GAZE,
    GAZE_OF_ONE,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    INVERSE_BIAS,
    INVERSE_SEGMENTATION,
    MEAN_MAP,
    REST_PREDICTS_ONE,
    SEGMENTATION,
)
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.label_cases import OTHER_LABELS
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.metrics.names import find_metric, higher_is_better
from gazesal.stats.interval_methods import RESAMPLED

__all__ = [
    "BASELINES",
    "INTERVAL_LABELS",
    "METHOD_LABELS",
    "OBSERVERS",
    "interval_label",
    "level_label",
    "mean_label",
    "method_label",
    "metric_heading",
    "metric_label",
    "observers_note",
    "of_images",
    "reader_caveats",
    "row_labels",
    "summary_note",
    "unit_of",
]

BASELINES = (
    SEGMENTATION,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    INVERSE_SEGMENTATION,
    INVERSE_BIAS,
    GAZE,
    GAZE_OF_ONE,
)
OBSERVERS = (INTEROBSERVER, *CEILINGS)  # rows that are computed from the gaze on the image
METHOD_LABELS = {
    INTEROBSERVER: "One observer vs. the others",
    REST_PREDICTS_ONE: "Perfect map, at worst",
    ALL_PREDICT_ONE: "Perfect map, at best",
    ATTAINABLE: "Perfect map, expected",
    CENTER_BIAS: "Center bias",
    IN_SAMPLE_BIAS: "Center bias, in-sample",
    SEGMENTATION: "Segmentation",
    INVERSE_SEGMENTATION: "Inverse of the segmentation",
    INVERSE_BIAS: "Inverse of the center bias",
    GAZE: "Gaze of all observers",
    GAZE_OF_ONE: "Gaze of one observer",
}
INTERVAL_LABELS = {
    "t": "Student's t",
    "normal": "normal",
    "bootstrap": "percentile bootstrap",
    "basic": "basic bootstrap",
    "bca": "BCa bootstrap",
    "studentized": "studentized bootstrap",
    "study": "pooled form of Bigolin Lanfredi et al. (2021)",
    "fieller": "Fieller's",
}


def method_label(method: str) -> str:
    """Return the label of a method, without control characters."""
    if method.endswith(OTHER_LABELS):
        return f"{method_label(method.removesuffix(OTHER_LABELS))}, maps of other labels"
    if method in METHOD_LABELS:
        return METHOD_LABELS[method]
    end = MEAN_MAP.format("")
    if method.endswith(end):
        return f"{printable(method.removesuffix(end))} (mean map)"
    return printable(method)


def row_labels(summary: pd.DataFrame) -> dict[str, str]:
    """Return the label of each method of a summary.

    The labels of rows that need several observers state the number of images with these, if others
    were scored too.
    """
    names = summary["method"].astype(str)
    labels = {str(name): method_label(name) for name in names.unique()}
    if "n_images" in summary:
        counts = summary["n_images"].groupby(names).max()
        for name in (each for each in OBSERVERS if each in labels):
            labels[name] += of_images(int(counts[name]), int(counts.max()))
    return labels


def of_images(n: int, n_all: int) -> str:
    """Return " (3 of 4 images)" to append to a label, empty if a row has a score of each image."""
    return f" ({n} of {n_all} images)" if n < n_all else ""


def metric_label(name: str) -> str:
    """Return the label of a metric, or its name if it is not in the registry."""
    metric = find_metric(name)
    return printable(name) if metric is None else metric.label


def metric_heading(name: str) -> str:
    """Return the label of a metric, which says if lower is better."""
    return metric_label(name) + (" (lower is better)" if higher_is_better(name) is False else "")


def interval_label(interval: object, *, seed: int | None = None) -> str:
    """Return the label of a kind of interval, such as "Student's t".

    Parameters
    ----------
    interval : str
        A value of the column ``interval`` of a summary. An unknown value is returned unchanged.
    seed : int, optional
        Appended to the label of a kind that is computed by resampling.

    Returns
    -------
    str
        The label.
    """
    label = INTERVAL_LABELS.get(str(interval), str(interval))
    resampled = seed is not None and str(interval) in RESAMPLED
    return f"{label}, seed {seed}" if resampled else label


def level_label(levels: object) -> str:
    """Return confidence levels as text: "95%", or "90% or 95%" if there are several."""
    numbers = sorted({float(level) for level in pd.Series(levels).dropna()})
    return " or ".join(f"{100 * level:g}%" for level in numbers)


def summary_note(summary: pd.DataFrame) -> str:
    """Return a line on the intervals of a summary.

    Parameters
    ----------
    summary : pandas.DataFrame
        A summary. `Evaluation.summary` and `interval_table` add the columns ``interval`` and
        ``confidence_level``, which the line is made from.

    Returns
    -------
    str
        Such as "95% intervals: Student's t", and a sentence on images with one observer. Without
        the kind of interval if one of the columns is missing.
    """
    observers = observers_note(summary)
    if "interval" not in summary or "confidence_level" not in summary or summary.empty:
        return observers
    kinds = " or ".join(dict.fromkeys(interval_label(kind) for kind in summary["interval"]))
    words = f"{level_label(summary['confidence_level'])} intervals: {kinds}"
    return f"{words}. {observers}" if observers else words


def observers_note(summary: pd.DataFrame) -> str:
    """Return the sentence on images without an interobserver score, or an empty text."""
    return str(summary.attrs.get("observers", ""))


def unit_of(evaluation: Evaluation, summary: pd.DataFrame) -> str:
    """Return the independent unit of a summary: "image", or a group of images such as "patient".

    A summary by groups has a column with the number of groups, such as ``n_patient``.
    """
    groups = evaluation.scores.columns[len(COLUMNS) :]
    return next((str(name) for name in groups if f"n_{name}" in summary), "image")


def mean_label(unit: str) -> str:
    """Return the label of the mean of a summary, which is over images or groups of images."""
    return "Mean over images" if unit == "image" else f"Mean of one mean per {printable(unit)}"


def reader_caveats(summary: pd.DataFrame) -> list[str]:
    """Return the caveats of a summary without the advice in brackets on the argument `interval`.

    The readers of a report do not call the function, and the command line spells it differently.
    """
    caveats = str(summary.attrs.get("caveats", ""))
    return re.sub(r" \(interval=[^)]*\)", "", caveats).splitlines()
