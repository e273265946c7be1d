"""Lay out a summary as text, Markdown, LaTeX and HTML.

pandas' ``Styler`` is not used for LaTeX and HTML because it needs jinja2, which the core of the
library does not install, and because it leaves the escaping of hostile names to its caller.
"""

import html
from collections.abc import Collection, Mapping

import pandas as pd

from gazesal._text import markdown_text
from gazesal.reporting.labels import (
    BASELINES,
    OBSERVERS,
    metric_label,
    observers_note,
    row_labels,
    summary_note,
)
from gazesal.reporting.summary_cells import cells_of, cells_with_best

__all__ = ["summary_html", "summary_latex", "summary_markdown", "summary_text"]

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
    # the default font encoding of LaTeX prints other characters for these three
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
# LaTeX reads one of these at the beginning of a row as an argument of the command before it
LATEX_ARGUMENTS = ("[", "*")


def summary_text(summary: pd.DataFrame) -> str:
    """Lay out a summary as plain text, with a row for each method and a column for each metric.

    Parameters
    ----------
    summary : pandas.DataFrame
        A table from `Evaluation.summary`, or from `interval_table` by method and metric. A summary
        by groups, such as the region, has a column for each metric and group.

    Returns
    -------
    str
        Lines of text, each ending in a newline. A cell is blank if the method lacks the metric.
        A sentence below the table states if images have one observer, and therefore no score of
        one observer vs. the others.

    Raises
    ------
    ValueError
        If a column is missing, or a method has two rows for one metric.
    TypeError
        If `summary` is not a DataFrame.

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
    rows = _rows(summary)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    note = observers_note(summary)
    return "\n".join([*lines, *(["", note] if note else [])]) + "\n"


def summary_markdown(summary: pd.DataFrame) -> str:
    """Lay out a summary as a Markdown table.

    Parameters
    ----------
    summary : pandas.DataFrame
        A table from `Evaluation.summary`, or from `interval_table` by method and metric. A summary
        by groups, such as the region, has a column for each metric and group.

    Returns
    -------
    str
        Lines of Markdown, each ending in a newline. A cell is blank if the method lacks the metric.
        A sentence below the table states if images have one observer, and therefore no score of
        one observer vs. the others.

    Raises
    ------
    ValueError
        If a column is missing, or a method has two rows for one metric.
    TypeError
        If `summary` is not a DataFrame.

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
    note = observers_note(summary)
    lines = [f"| {' | '.join(row)} |" for row in [header, rule, *rows]]
    return "\n".join([*lines, *(["", markdown_text(note)] if note else [])]) + "\n"


def summary_latex(
    summary: pd.DataFrame,
    *,
    observers: Collection[str] | str = OBSERVERS,
    floors: Collection[str] | str = BASELINES,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> str:
    r"""Lay out a summary as a LaTeX table with the best method in bold.

    The table needs the LaTeX package ``booktabs``.

    Parameters
    ----------
    summary : pandas.DataFrame
        A table from `Evaluation.summary`, or from `interval_table` by method and metric. A summary
        by groups, such as the region, has a column for each metric and group.
    observers : str or collection of str
        Rows that are computed from the gaze on the image, which are never bold. By default one
        observer vs. the others, and the rows of ``ceilings`` of `evaluate`.
    floors : str or collection of str
        Baselines, which are never bold either. By default the segmentation and the center biases.
    digits : int, default 3
        Number of decimals, 0 or more.
    higher_is_better : dict of str to bool, optional
        Directions of your own metrics, by name. Without a direction, no method of a metric is bold.
        The directions of the metrics of this library are known.

    Returns
    -------
    str
        A ``tabular``, each line ending in a newline. A last row names the kind of interval if the
        summary has the columns ``interval`` and ``confidence_level``.

    Raises
    ------
    ValueError
        If a column is missing, a method has two rows for one metric, or `digits` is negative.
    TypeError
        If `summary` is not a DataFrame, `digits` is not an integer, names are not text, or
        `higher_is_better` is not a dictionary of booleans.

    See Also
    --------
    summary_html : The same table for notebooks and web pages.

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
    metrics, rows = cells_with_best(summary, observers, floors, digits, higher_is_better)
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
        guard = "{}" if name.lstrip().startswith(LATEX_ARGUMENTS) else ""
        lines.append(guard + " & ".join([name, *shown]) + r" \\")
    lines.append(r"\bottomrule")
    if note := summary_note(summary):
        lines.append(rf"\multicolumn{{{len(metrics) + 1}}}{{l}}{{\footnotesize {_latex(note)}}} \\")
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def summary_html(
    summary: pd.DataFrame,
    *,
    observers: Collection[str] | str = OBSERVERS,
    floors: Collection[str] | str = BASELINES,
    digits: int = 3,
    higher_is_better: Mapping[str, bool] | None = None,
) -> str:
    """Lay out a summary as an HTML table with the best method in bold.

    Parameters
    ----------
    summary : pandas.DataFrame
        A table from `Evaluation.summary`, or from `interval_table` by method and metric. A summary
        by groups, such as the region, has a column for each metric and group.
    observers : str or collection of str
        Rows that are computed from the gaze on the image, which are never bold. By default one
        observer vs. the others, and the rows of ``ceilings`` of `evaluate`.
    floors : str or collection of str
        Baselines, which are never bold either. By default the segmentation and the center biases.
    digits : int, default 3
        Number of decimals, 0 or more.
    higher_is_better : dict of str to bool, optional
        Directions of your own metrics, by name. Without a direction, no method of a metric is bold.
        The directions of the metrics of this library are known.

    Returns
    -------
    str
        A ``table`` element, each line ending in a newline. ``IPython.display.HTML`` shows it in a
        notebook. A footer names the kind of interval if the summary has the columns ``interval``
        and ``confidence_level``.

    Raises
    ------
    ValueError
        If a column is missing, a method has two rows for one metric, or `digits` is negative.
    TypeError
        If `summary` is not a DataFrame, `digits` is not an integer, names are not text, or
        `higher_is_better` is not a dictionary of booleans.

    See Also
    --------
    summary_latex : The same table for papers.

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
    metrics, rows = cells_with_best(summary, observers, floors, digits, higher_is_better)
    head = "".join(f"<th>{html.escape(metric_label(name))}</th>" for name in metrics)
    lines = ["<table>", f"<thead><tr><th></th>{head}</tr></thead>", "<tbody>"]
    for method, cells in rows:
        shown = [
            f"<b>{cell.estimate}</b> {cell.interval}" if best else str(cell) for cell, best in cells
        ]
        data = "".join(f"<td>{cell}</td>" for cell in shown)
        lines.append(f"<tr><th>{html.escape(method)}</th>{data}</tr>")
    lines.append("</tbody>")
    if note := summary_note(summary):
        width = len(metrics) + 1
        lines.append(f'<tfoot><tr><td colspan="{width}">{html.escape(note)}</td></tr></tfoot>')
    return "\n".join([*lines, "</table>"]) + "\n"


def _rows(summary: pd.DataFrame) -> list[list[str]]:
    metrics, table = cells_of(summary)
    header = ["", *(metric_label(name) for name in metrics)]
    labels = row_labels(summary)
    return [header, *([labels[m], *map(str, cells.values())] for m, cells in table.items())]


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text)
