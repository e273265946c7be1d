"""The table of own scores and scores on other images, as cells and as text."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import pandas as pd

from gazesal._warnings import collected
from gazesal.evaluation.case import CENTER_BIAS
from gazesal.evaluation.evaluation import Evaluation
from gazesal.exceptions import IntervalWarning
from gazesal.reporting.labels import level_label, method_label, metric_heading

__all__ = ["CONTROL_WORDS", "ControlRow", "control_rows", "control_text"]

CONTROL_WORDS = (
    "Own image: the mean score of a map on its image. Other images: the mean score of the same map "
    "against the gaze on other images. A method that shows the same map on all images has a mean "
    "difference of 0, whatever the map shows. The difference is what the score owes to the image."
)
LEFT_OUT_WORDS = (
    "The center bias is not the same map on all images: it is made of the gaze on the other images "
    "without the own, and fits them better than the own, the more so with fewer images."
)


class ControlRow(NamedTuple):
    """Cells of one map and metric."""

    label: str
    metric: str
    own: str
    other: str
    difference: str
    interval: str
    p: str


def control_rows(evaluation: Evaluation, **options: Any) -> tuple[list[ControlRow], str]:
    """Return the cells of the control on other images, and a caption. Both are empty without it.

    The options are given to `Evaluation.control_summary`.
    """
    if evaluation.controls is None:
        return [], ""
    with collected(IntervalWarning) as caveats:
        summary = evaluation.control_summary(**options)
    level = level_label(summary["confidence_level"])
    words = CONTROL_WORDS
    if CENTER_BIAS in set(summary["method"]) and evaluation.options.given_bias is None:
        words += f" {LEFT_OUT_WORDS}"
    words = (
        f"{words} {level} intervals, each for its row alone. The p-values are of sign "
        "flips, two-sided and adjusted for all rows together."
    )
    words = " ".join([words, *(re.sub(r" \(interval=[^)]*\)", "", each) for each in caveats)])
    return [_cells(row) for row in summary.to_dict("records")], words


def control_text(evaluation: Evaluation) -> str:
    """Return the control on other images as plain text, or an empty text without it."""
    rows, words = control_rows(evaluation)
    if not rows:
        return ""
    head = ["Map", "Metric", "Own image", "Other images", "Difference", "Interval", "p"]
    table = pd.DataFrame(rows, columns=head)
    return f"{table.to_string(index=False)}\n\n{words}\n"


def _cells(row: dict[Any, Any]) -> ControlRow:
    p = row["p_adjusted"]
    return ControlRow(
        method_label(str(row["method"])),
        metric_heading(str(row["metric"])),
        _number(row["own"]),
        _number(row["other"]),
        _number(row["difference"], sign="+"),
        "" if math.isnan(row["low"]) else f"[{row['low']:+.3f}, {row['high']:+.3f}]",
        "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}",
    )


def _number(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value + 0.0:{sign}.3f}"
