"""Check summaries and turn them into cells of text, with the best method of each metric."""

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from gazesal._validation import as_count
from gazesal.metrics.names import higher_is_better as direction_of
from gazesal.reporting.labels import BASELINES, OBSERVERS, metric_label, row_labels

__all__ = [
    "SummaryCell",
    "by_columns",
    "cells_of",
    "cells_with_best",
    "require_summary",
    "require_summary_of",
]

COLUMNS = ("method", "metric", "estimate", "low", "high")
# columns that `Evaluation.summary` adds and that reports need
REPORTED = ("n_images", "n_scores", "n_undefined", "interval", "confidence_level")


class SummaryCell(NamedTuple):
    """An estimate and its interval as text. Both are empty if the method lacks the metric."""

    estimate: str
    interval: str

    def __str__(self) -> str:
        return f"{self.estimate} {self.interval}".strip()


def require_summary(summary: object) -> pd.DataFrame:
    """Return `summary` if it has the columns of a summary, and one row per method and metric."""
    if not isinstance(summary, pd.DataFrame):
        raise TypeError(f"`summary` must be a pandas DataFrame, got {type(summary).__name__}.")
    wrong = [name for name in COLUMNS if list(summary.columns).count(name) != 1]
    if wrong:
        raise ValueError(
            f"`summary` must have each of the columns {', '.join(COLUMNS)} once, got a table in "
            f"which {', '.join(wrong)} is missing or repeated."
        )
    for name in ("estimate", "low", "high"):
        if summary[name].dtype.kind not in "fiu":
            raise TypeError(
                f"`summary` must hold numbers in the column {name!r}, got {summary[name].dtype}."
            )
    names = summary[["method", "metric"]].astype(str)
    repeated = names[names.duplicated()]
    if len(repeated):
        method, metric = repeated.iloc[0]
        raise ValueError(
            f"`summary` must have one row per method and metric, got two rows for {metric} of "
            f"{method}. Select the rows to show."
        )
    return summary


def require_summary_of(
    summary: object, methods: Collection[str], metrics: Collection[str]
) -> pd.DataFrame:
    """Return `summary` if it is a summary of an evaluation with these methods and metrics."""
    found = require_summary(summary)
    missing = [name for name in REPORTED if name not in found]
    unknown = sorted({*found["method"].astype(str)} - {*methods})
    unknown += sorted({*found["metric"].astype(str)} - {*metrics})
    if missing or unknown or found.empty:
        given = f"no column {', '.join(missing)}" if missing else ", ".join(unknown) or "no row"
        raise ValueError(
            "`summary` must be the table that `summary` of the same evaluation returns, or rows "
            f"of it, got {given}."
        )
    return found


def cells_of(
    summary: pd.DataFrame, digits: int = 3
) -> tuple[list[str], dict[str, dict[str, SummaryCell]]]:
    """Return the metrics, and the cells of each method by metric, both in the summary's order.

    The name of a metric includes the groups of a summary by groups. See `by_columns`.
    """
    summary, _ = by_columns(summary)
    require_summary(summary)
    metrics = [str(name) for name in summary["metric"].unique()]
    methods = [str(name) for name in summary["method"].unique()]
    table = {method: dict.fromkeys(metrics, SummaryCell("", "")) for method in methods}
    for method, metric, *values in summary[list(COLUMNS)].itertuples(index=False):
        estimate, low, high = (_decimal(value, digits) for value in values)
        table[str(method)][str(metric)] = SummaryCell(estimate, f"[{low}, {high}]")
    return metrics, table


def cells_with_best(
    summary: pd.DataFrame,
    observers: Collection[str] | str = OBSERVERS,
    floors: Collection[str] | str = BASELINES,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> tuple[list[str], list[tuple[str, list[tuple[SummaryCell, bool]]]]]:
    """Return the metrics, and for each method its label and cells, each with a flag for the best.

    The arguments are the same as in `summary_latex`.
    """
    excluded = {*_names(observers, name="observers"), *_names(floors, name="floors")}
    metrics, table = cells_of(summary, as_count(digits, name="digits", least=0, most=30))
    own = _directions(higher_is_better)
    summary, metric_of = by_columns(summary)
    best = {
        heading: _best(
            summary[summary["metric"].astype(str) == heading],
            excluded,
            own.get(metric, direction_of(metric)),
        )
        for heading in metrics
        for metric in [metric_of.get(heading, heading)]
    }
    labels = row_labels(summary)
    rows = [
        (labels[method], [(cell, method in best[metric]) for metric, cell in cells.items()])
        for method, cells in table.items()
    ]
    return metrics, rows


def by_columns(summary: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a summary with its groups in the names of the metrics, and the metric of each name.

    The groups of a summary, such as the region, are its columns before the method. The other
    summaries are returned unchanged, with an empty mapping.
    """
    columns = list(summary.columns) if isinstance(summary, pd.DataFrame) else []
    groups = columns[: columns.index("method")] if "method" in columns else []
    if not groups or "metric" in groups or "metric" not in columns:
        return summary, {}
    texts = summary[groups].astype(str).agg(", ".join, axis=1)
    labels = summary["metric"].astype(str).map(metric_label)
    headings = labels + " (" + texts + ")"
    metric_of = dict(zip(headings, summary["metric"].astype(str), strict=True))
    return summary.drop(columns=groups).assign(metric=headings), metric_of


def _decimal(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if text.strip("-0.") == "" else text  # "-0.000" reads as an error


def _names(value: Collection[str] | str, *, name: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    listed = isinstance(names, Collection) and getattr(names, "ndim", None) != 0
    if not listed or not all(isinstance(each, str) for each in names):
        raise TypeError(f"`{name}` must be a method's name or a list of names, got {value!r}.")
    return tuple(names)


def _directions(given: Mapping[str, bool] | None) -> Mapping[str, bool]:
    found = {} if given is None else given
    if not isinstance(found, Mapping) or not all(isinstance(each, bool) for each in found.values()):
        raise TypeError(
            "`higher_is_better` must be a dictionary of metric names to True or False, got "
            f"{given!r}."
        )
    return found


def _best(rows: pd.DataFrame, excluded: Collection[str], higher: bool | None) -> set[str]:
    """Return the methods with the best estimate of one metric, several if they tie up to rounding.

    Empty if the direction of the metric is unknown.
    """
    candidates = rows[~rows["method"].astype(str).isin(list(excluded)) & rows["estimate"].notna()]
    if candidates.empty or higher is None:
        return set()
    estimates = candidates["estimate"]
    best = float(estimates.max() if higher else estimates.min())
    near = [math.isclose(value, best, rel_tol=1e-12) for value in estimates.tolist()]
    return set(candidates.loc[near, "method"].astype(str))
