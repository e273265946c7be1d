"""The results table for papers and notebooks: LaTeX and HTML, the best method in bold."""

import html
import math
from collections.abc import Collection, Mapping

import pandas as pd

from gazesal._validation import as_count
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, SEGMENTATION
from gazesal.metrics.directions import higher_is_better as direction_of
from gazesal.reporting.interval_words import summary_words
from gazesal.reporting.summary_tables import Cell, cells_of, label_of, metric_label

__all__ = ["summary_html", "summary_latex"]

FLOORS = (SEGMENTATION, CENTER_BIAS, IN_SAMPLE_BIAS)
LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",  # in the default font encoding the letters print as others
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
TAKEN = ("[", "*")  # a row that begins with one would be an argument of the row or rule above


def summary_latex(
    summary: pd.DataFrame,
    *,
    ceiling: Collection[str] | str = INTEROBSERVER,
    floors: Collection[str] | str = FLOORS,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> str:
    r"""Lay out a summary as a LaTeX table for the package ``booktabs``, the best method in bold.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it, or `interval_table` by method and metric.
    ceiling : str or collection of str, default "interobserver"
        Methods that are not candidates for the best, such as the readers themselves.
    floors : str or collection of str
        Baselines, which are not candidates either; by default the segmentation and the center
        biases.
    digits : int, default 3
        Decimals, 0 or more.
    higher_is_better : dict of str to bool, optional
        Directions of metrics of your own, by name. Nothing is bold in the column of a metric
        whose direction is not known; it is for each metric of this library.

    Returns
    -------
    str
        A ``tabular``, the last line ending in a newline. A line below names the kind of interval
        if the summary has the columns interval and level.

    Raises
    ------
    ValueError
        If a column is absent, a method has two rows of one metric, or `digits` is negative.
    TypeError
        If `summary` is not a frame, `digits` is not an integer, names are not text, or
        `higher_is_better` is not a dictionary of booleans.

    See Also
    --------
    summary_html : For notebooks and pages.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> summary = pd.DataFrame(
    ...     {
    ...         "method": ["interobserver", "mine"],
    ...         "metric": "sncc",
    ...         "estimate": [0.03, -0.01],
    ...         "low": [0.01, -0.02],
    ...         "high": [0.05, 0.0],
    ...     }
    ... )
    >>> print(gazesal.reporting.summary_latex(summary), end="")
    \begin{tabular}{lr}
    \toprule
     & sNCC \\
    \midrule
    One observer vs. the others & 0.030 [0.010, 0.050] \\
    mine & \textbf{$-$0.010} [$-$0.020, 0.000] \\
    \bottomrule
    \end{tabular}
    """
    metrics, rows = shown_rows(summary, ceiling, floors, digits, higher_is_better)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}",
        r"\toprule",
        " & ".join(["", *(_latex(metric_label(name)) for name in metrics)]) + r" \\",
        r"\midrule",
    ]
    for method, cells in rows:
        shown = []
        for cell, best in cells:
            value, bounds = (text.replace("-", "$-$") for text in cell)
            shown.append(" ".join([rf"\textbf{{{value}}}" if best else value, bounds]).strip())
        name = _latex(method)
        guard = "{}" if name.lstrip().startswith(TAKEN) else ""
        lines.append(guard + " & ".join([name, *shown]) + r" \\")
    lines.append(r"\bottomrule")
    if note := summary_words(summary):
        lines.append(rf"\multicolumn{{{len(metrics) + 1}}}{{l}}{{\footnotesize {_latex(note)}}} \\")
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def summary_html(
    summary: pd.DataFrame,
    *,
    ceiling: Collection[str] | str = INTEROBSERVER,
    floors: Collection[str] | str = FLOORS,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> str:
    """Lay out a summary as an HTML table, the best method in bold.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it, or `interval_table` by method and metric.
    ceiling : str or collection of str, default "interobserver"
        Methods that are not candidates for the best, such as the readers themselves.
    floors : str or collection of str
        Baselines, which are not candidates either; by default the segmentation and the center
        biases.
    digits : int, default 3
        Decimals, 0 or more.
    higher_is_better : dict of str to bool, optional
        Directions of metrics of your own, by name. Nothing is bold in the column of a metric
        whose direction is not known; it is for each metric of this library.

    Returns
    -------
    str
        A ``table`` element, the last line ending in a newline; in a notebook,
        ``IPython.display.HTML`` shows it. A line below names the kind of interval if the summary
        has the columns interval and level.

    Raises
    ------
    ValueError
        If a column is absent, a method has two rows of one metric, or `digits` is negative.
    TypeError
        If `summary` is not a frame, `digits` is not an integer, names are not text, or
        `higher_is_better` is not a dictionary of booleans.

    See Also
    --------
    summary_latex : For papers.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> summary = pd.DataFrame(
    ...     {"method": ["mine"], "metric": "sauc", "estimate": 0.61, "low": 0.6, "high": 0.625}
    ... )
    >>> print(gazesal.reporting.summary_html(summary), end="")
    <table>
    <thead><tr><th></th><th>sAUC</th></tr></thead>
    <tbody>
    <tr><th>mine</th><td><b>0.610</b> [0.600, 0.625]</td></tr>
    </tbody>
    </table>
    """
    metrics, rows = shown_rows(summary, ceiling, floors, digits, higher_is_better)
    head = "".join(f"<th>{html.escape(metric_label(name))}</th>" for name in metrics)
    lines = ["<table>", f"<thead><tr><th></th>{head}</tr></thead>", "<tbody>"]
    for method, cells in rows:
        shown = [
            f"<b>{cell.estimate}</b> {cell.interval}" if best else str(cell) for cell, best in cells
        ]
        data = "".join(f"<td>{cell}</td>" for cell in shown)
        lines.append(f"<tr><th>{html.escape(method)}</th>{data}</tr>")
    lines.append("</tbody>")
    if note := summary_words(summary):
        width = len(metrics) + 1
        lines.append(f'<tfoot><tr><td colspan="{width}">{html.escape(note)}</td></tr></tfoot>')
    return "\n".join([*lines, "</table>"]) + "\n"


def shown_rows(
    summary: pd.DataFrame,
    ceiling: Collection[str] | str = INTEROBSERVER,
    floors: Collection[str] | str = FLOORS,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> tuple[list[str], list[tuple[str, list[tuple[Cell, bool]]]]]:
    """Return the metrics, and for each method its label and cells, and which are the best."""
    apart = {*_names(ceiling, name="ceiling"), *_names(floors, name="floors")}
    metrics, table = cells_of(summary, as_count(digits, name="digits", least=0, most=30))
    own = _directions(higher_is_better)
    best = {
        metric: _best(
            summary[summary["metric"].astype(str) == metric],
            apart,
            own.get(metric, direction_of(metric)),
        )
        for metric in metrics
    }
    rows = [
        (label_of(method), [(cell, method in best[metric]) for metric, cell in cells.items()])
        for method, cells in table.items()
    ]
    return metrics, rows


def _names(value: Collection[str] | str, *, name: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    listed = isinstance(names, Collection) and getattr(names, "ndim", None) != 0
    if not listed or not all(isinstance(each, str) for each in names):
        raise TypeError(f"`{name}` must be the name of a method or several, got {value!r}.")
    return tuple(names)


def _directions(given: Mapping[str, bool] | None) -> Mapping[str, bool]:
    found = {} if given is None else given
    if not isinstance(found, Mapping) or not all(isinstance(each, bool) for each in found.values()):
        raise TypeError(
            f"`higher_is_better` must be a dictionary of names of metrics to True or False, got "
            f"{given!r}."
        )
    return found


def _best(rows: pd.DataFrame, apart: Collection[str], higher: bool | None) -> set[str]:
    """Return the methods with the best estimate of one metric: several if they tie, up to rounding.

    None if it is not known whether higher or lower is better.
    """
    candidates = rows[~rows["method"].astype(str).isin(list(apart)) & rows["estimate"].notna()]
    if candidates.empty or higher is None:
        return set()
    estimates = candidates["estimate"]
    best = float(estimates.max() if higher else estimates.min())
    near = [math.isclose(value, best, rel_tol=1e-12) for value in estimates.tolist()]
    return set(candidates.loc[near, "method"].astype(str))


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text)
