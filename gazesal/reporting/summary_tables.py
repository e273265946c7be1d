"""The results table as text, Markdown and CSV."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import pandas as pd

from gazesal._text import csv_text, markdown_text, printable
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, SEGMENTATION
from gazesal.metrics.names import find_metric

__all__ = ["summary_csv", "summary_markdown", "summary_text"]

COLUMNS = ("method", "metric", "estimate", "low", "high")
REPORTED = ("n_images", "n_scores", "n_undefined", "interval", "confidence_level")  # beside COLUMNS
LABELS = {
    INTEROBSERVER: "One observer vs. the others",
    CENTER_BIAS: "Center bias",
    IN_SAMPLE_BIAS: "Center bias, in-sample",
    SEGMENTATION: "Segmentation",
}


def label_of(method: str) -> str:
    """Return the name of a row in tables and figures, without control characters."""
    return LABELS.get(method) or printable(method)


def metric_label(name: str) -> str:
    """Return the label of a metric in tables and figures, or its own name if it is the user's."""
    metric = find_metric(name)
    return printable(name) if metric is None else metric.label


class Cell(NamedTuple):
    """An estimate and its interval, as they are shown; both empty where a method lacks a metric."""

    estimate: str
    interval: str

    def __str__(self) -> str:
        return f"{self.estimate} {self.interval}".strip()


def require_summary(summary: object) -> pd.DataFrame:
    """Return `summary` if it has the columns of one, and one row a method and metric."""
    if not isinstance(summary, pd.DataFrame):
        raise TypeError(f"`summary` must be a pandas DataFrame, got {type(summary).__name__}.")
    lacking = [name for name in COLUMNS if list(summary.columns).count(name) != 1]
    if lacking:
        raise ValueError(
            f"`summary` must have each of the columns {', '.join(COLUMNS)} once, got not so with "
            f"{', '.join(lacking)}."
        )
    for name in ("estimate", "low", "high"):
        if summary[name].dtype.kind not in "fiu":
            raise TypeError(
                f"`summary` must hold numbers in the column {name!r}, got {summary[name].dtype}."
            )
    names = summary[["method", "metric"]].astype(str)
    twice = names[names.duplicated()]
    if len(twice):
        method, metric = twice.iloc[0]
        raise ValueError(
            f"`summary` must have one row a method and metric, got {metric} of {method} twice; "
            "select the rows to show."
        )
    return summary


def require_summary_of(
    summary: object, methods: Collection[str], metrics: Collection[str]
) -> pd.DataFrame:
    """Return `summary` if it is one of an evaluation with these methods and metrics."""
    found = require_summary(summary)
    lacking = [name for name in REPORTED if name not in found]
    strange = sorted({*found["method"].astype(str)} - {*methods})
    strange += sorted({*found["metric"].astype(str)} - {*metrics})
    if lacking or strange or found.empty:
        given = f"one without {', '.join(lacking)}" if lacking else ", ".join(strange) or "no row"
        raise ValueError(
            f"`summary` must be one of the evaluation's `summary`, or rows of it, got {given}."
        )
    return found


def cells_of(
    summary: pd.DataFrame, digits: int = 3
) -> tuple[list[str], dict[str, dict[str, Cell]]]:
    """Metrics, and the cells of each method by metric, both in the order of the summary."""
    require_summary(summary)
    metrics = [str(name) for name in summary["metric"].unique()]
    methods = [str(name) for name in summary["method"].unique()]
    table = {method: dict.fromkeys(metrics, Cell("", "")) for method in methods}
    for method, metric, *values in summary[list(COLUMNS)].itertuples(index=False):
        estimate, low, high = (_decimal(value, digits) for value in values)
        table[str(method)][str(metric)] = Cell(estimate, f"[{low}, {high}]")
    return metrics, table


def _decimal(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if text.strip("-0.") == "" else text  # no sign on zero


def summary_text(summary: pd.DataFrame) -> str:
    """Lay out a summary as plain text, a row a method and a column a metric.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it, or `interval_table` by method and metric.

    Returns
    -------
    str
        Lines of text, the last one ending in a newline; a metric that a method lacks is blank.

    Raises
    ------
    ValueError
        If a column is absent, or a method has two rows of one metric.
    TypeError
        If `summary` is not a frame.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> summary = pd.DataFrame(
    ...     {"method": ["mine"], "metric": "sauc", "estimate": 0.61, "low": 0.6, "high": 0.625}
    ... )
    >>> print(gazesal.reporting.summary_text(summary), end="")
          sAUC
    ----  --------------------
    mine  0.610 [0.600, 0.625]
    """
    cells = _rows(summary)
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def summary_markdown(summary: pd.DataFrame) -> str:
    """Lay out a summary as a Markdown table.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it, or `interval_table` by method and metric.

    Returns
    -------
    str
        Lines of Markdown, the last one ending in a newline; a metric that a method lacks is blank.

    Raises
    ------
    ValueError
        If a column is absent, or a method has two rows of one metric.
    TypeError
        If `summary` is not a frame.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> summary = pd.DataFrame(
    ...     {"method": ["mine"], "metric": "sauc", "estimate": 0.61, "low": 0.6, "high": 0.625}
    ... )
    >>> print(gazesal.reporting.summary_markdown(summary), end="")
    |  | sAUC |
    | --- | ---: |
    | mine | 0.610 [0.600, 0.625] |
    """
    header, *rows = _rows(summary)
    header = [markdown_text(name) for name in header]
    rows = [[markdown_text(name), *cells] for name, *cells in rows]
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [header, rule, *rows])


def summary_csv(summary: pd.DataFrame) -> str:
    r"""Write a summary as CSV, one line a method and metric, in full precision.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it.

    Returns
    -------
    str
        CSV with a header. A name that a spreadsheet would run as a formula, or with control
        characters, begins with an apostrophe and has ``\x1b`` for such a character.
    """
    return csv_text(summary)


def _rows(summary: pd.DataFrame) -> Sequence[list[str]]:
    metrics, table = cells_of(summary)
    header = ["", *(metric_label(name) for name in metrics)]
    return [header, *([label_of(m), *map(str, cells.values())] for m, cells in table.items())]
