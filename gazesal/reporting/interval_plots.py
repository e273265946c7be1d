"""Draw intervals of scores, paired differences, and the scores of one method over another's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazesal._validation import as_column, as_iterable
from gazesal.metrics.names import find_metric
from gazesal.reporting.figure_style import (
    BOUND,
    INK,
    PALE,
    TITLE_WIDTH,
    add_note,
    label_rows,
    new_figure,
    without_frame,
)
from gazesal.reporting.labels import (
    METHOD_LABELS,
    interval_label,
    method_label,
    metric_heading,
    metric_label,
    row_labels,
    summary_note,
)
from gazesal.reporting.perfect_map import bounds_note, bounds_of, without_ceilings
from gazesal.reporting.summary_cells import require_summary
from gazesal.stats.design import Design, require_design
from gazesal.stats.pairing import paired_rows
from gazesal.stats.results import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["forest_panels", "plot_differences", "plot_intervals", "plot_pairs"]

BAR: Any = {"fmt": "o", "capsize": 2, "lw": 1.2}  # of an estimate with its interval
PANEL_TITLE_WIDTH = 20  # characters; longer titles of neighboring panels overlap
LEGEND_WIDTH = 75  # characters per line of the text below a panel, so that it is not cut off


def plot_intervals(summary: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw the intervals of every method in a forest plot, with a panel for each metric.

    Parameters
    ----------
    summary : pandas.DataFrame
        A table from `Evaluation.summary`, or from `interval_table` by method and metric.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window. Notebooks show it.

    Raises
    ------
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    plot_differences : Draw paired differences, which intervals side by side do not show.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> summary = pd.DataFrame(
    ...     {"method": ["mine"], "metric": "sauc", "estimate": 0.61, "low": 0.6, "high": 0.625}
    ... )
    >>> figure = gazesal.plots.plot_intervals(summary)
    >>> [ax.get_title() for ax in figure.axes]
    ['sAUC (chance 0.5)']
    """
    require_summary(summary)
    methods = without_ceilings(str(name) for name in summary["method"].unique())
    metrics = [str(name) for name in summary["metric"].unique()]
    figure = new_figure((2.2 + 2.6 * len(metrics), 0.9 + 0.28 * len(methods)))
    forest_panels(figure, summary, methods, metrics)
    add_note(figure, note)
    return figure


def plot_differences(comparisons: Iterable[Comparison], *, note: str = "") -> Figure:
    """Draw paired differences with their intervals, with a panel for each group or metric.

    Parameters
    ----------
    comparisons : Comparisons or iterable of Comparison
        The comparisons from `compare`. A stated margin of equivalence is shaded. Equivalence is
        judged by the interval with twice the error of the confidence level, which is narrower than
        the interval drawn.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window. Points are filled if the adjusted p-value is below the error of
        the confidence level. A legend below the panels explains this.

    Raises
    ------
    ValueError
        If `comparisons` is empty.
    TypeError
        If `comparisons` holds other objects.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    compare : Compute the comparisons.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["mine"] * 6 + ["theirs"] * 6,
    ...         "image": list(range(6)) * 2,
    ...         "score": [0.61, 0.72, 0.55, 0.80, 0.67, 0.70, 0.58, 0.70, 0.50, 0.79, 0.63, 0.71],
    ...     }
    ... )
    >>> found = gazesal.stats.compare(table, gazesal.stats.Design("image"))
    >>> figure = gazesal.plots.plot_differences(found)
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['theirs - mine']
    """
    rows = list(as_iterable(comparisons, name="comparisons", of="Comparison"))
    strange = [row for row in rows if not isinstance(row, Comparison)]
    if strange:
        raise TypeError(f"`comparisons` must hold Comparison, got {type(strange[0]).__name__}.")
    if not rows:
        raise ValueError("`comparisons` must hold at least one comparison, got 0.")
    groups = list(dict.fromkeys(row.group for row in rows))
    longest = max(sum(row.group == group for row in rows) for group in groups)
    figure = new_figure((4.8 * len(groups), 0.9 + 0.3 * longest))
    panels = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, group in zip(panels, groups, strict=True):
        inside = [row for row in rows if row.group == group]
        _difference_panel(ax, inside)
        named = [metric_label(str(value)) for _, value in group]
        ax.set_title(", ".join(["Difference", *named]), fontsize=9, parse_math=False)
    text = fill(_legend(rows), LEGEND_WIDTH * len(groups))
    figure.supxlabel(text, fontsize=7, parse_math=False)
    add_note(figure, note)
    return figure


def plot_pairs(
    table: pd.DataFrame,
    design: Design,
    *,
    method: object,
    reference: object,
    contrast: str = "method",
    independent: str | None = None,
    note: str = "",
) -> Figure:
    """Draw the scores of one method over the scores of another, with a point for each unit.

    Parameters
    ----------
    table : pandas.DataFrame, one row per score
        Scores of one metric.
    design : Design
        The columns of the units. The points are the units of the first column, averaged over all
        others.
    method, reference : object
        Values of `contrast`, for the vertical and the horizontal axis.
    contrast : str, default "method"
        Column that names the methods.
    independent : str, optional
        Column whose units differ between the methods, see `compare`.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window. On the diagonal both methods score the same.

    Raises
    ------
    ValueError
        If one of the methods is not in the table, both are the same, they share no unit, a score
        has no partner and the design does not drop it, or for the reasons of `interval`.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    compare : Compute the mean difference and its interval.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> table = pd.DataFrame(
    ...     {"method": ["a", "a", "b", "b"], "image": [1, 2, 1, 2], "score": [0.5, 0.6, 0.6, 0.5]}
    ... )
    >>> images = gazesal.stats.Design("image")
    >>> figure = gazesal.plots.plot_pairs(table, images, method="b", reference="a")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('a', 'b')
    """
    require_design(design)
    as_column(contrast, name="contrast")
    if not isinstance(table, pd.DataFrame) or contrast not in table:
        raise ValueError(f"`table` must be a DataFrame with the column {contrast}.")
    for name, value in (("method", method), ("reference", reference)):
        if not pd.api.types.is_scalar(value) or value not in table[contrast].unique().tolist():
            raise ValueError(f"`{name}` must be a value in the column {contrast}, got {value!r}.")
    if method == reference:
        raise ValueError(f"`method` and `reference` must differ, got {method!r} twice.")
    rows = table[table[contrast].isin([method, reference])]
    (pair,) = paired_rows(
        rows, design, contrast=contrast, reference=reference, independent=independent
    ).values()
    y, x = (cube.unit_means() for cube in pair.cubes(design))
    figure = new_figure((4.2, 4.2))
    ax = figure.subplots()
    edge = 0.05 * max(float(np.ptp([x, y])), 1e-12)
    low, high = min(x.min(), y.min()) - edge, max(x.max(), y.max()) + edge
    ax.plot([low, high], [low, high], color=PALE, lw=0.8, ls=":")
    ax.plot(x, y, "o", ms=4, color=INK, alpha=0.7, mec="none")
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    ax.set_xlabel(fill(method_label(str(reference)), TITLE_WIDTH), fontsize=9, parse_math=False)
    ax.set_ylabel(fill(method_label(str(method)), TITLE_WIDTH), fontsize=9, parse_math=False)
    higher = int((y > x).sum())
    ax.set_title(f"higher on {higher} of {x.size}, lower on {int((y < x).sum())}", fontsize=9)
    ax.tick_params(labelsize=8)
    without_frame(ax, ("top", "right"))
    add_note(figure, note)
    return figure


def forest_panels(
    figure: Any, summary: pd.DataFrame, methods: Sequence[str], metrics: Sequence[str]
) -> None:
    """Draw the intervals of a summary into a figure or subfigure, with a panel for each metric."""
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    places = range(len(methods))[::-1]
    colors = [PALE if method in METHOD_LABELS else INK for method in methods]
    labels = row_labels(summary)
    for ax, name in zip(panels, metrics, strict=True):
        rows = summary[summary["metric"].astype(str) == name]
        rows = rows.assign(method=rows["method"].astype(str)).set_index("method")
        rows = rows.reindex(list(methods))
        center = rows["estimate"].to_numpy(float)
        arms = np.abs(rows[["low", "high"]].to_numpy(float).T - center)
        metric = find_metric(name)
        if metric is not None and np.isfinite(metric.chance):
            ax.axvline(metric.chance, color=PALE, lw=0.8, ls=":")
            meaning = "chance" if metric.chance_of_any_map else "noise"
            level = f"({meaning} {metric.chance:g})"
            gap = " " if len(metric.label) + len(level) < PANEL_TITLE_WIDTH else "\n"
            ax.set_title(f"{metric.label}{gap}{level}", fontsize=9)
        else:
            ax.set_title(metric_heading(name), fontsize=9, parse_math=False)
        bounds = bounds_of(summary, name)
        if math.isfinite(bounds.worst) and math.isfinite(bounds.best):
            ax.axvspan(bounds.worst, bounds.best, color=BOUND, alpha=0.2, lw=0)
        elif bounds.known:
            ax.axvline(bounds.known[0], color=BOUND, lw=1.2, ls="--")
        for x, place, arm, color in zip(center, places, arms.T, colors, strict=True):
            ax.errorbar(x, place, xerr=arm[:, None], ms=4, color=color, **BAR)
        label_rows(ax, [labels[method] for method in methods])
    if words := " ".join(_sentences(summary_note(summary), bounds_note(summary))):
        text = fill(words, LEGEND_WIDTH * len(metrics))
        figure.supxlabel(text, fontsize=7, parse_math=False)


def _sentences(*texts: str) -> list[str]:
    """Return the texts that are not empty, each ending in a period if another follows."""
    given = [text for text in texts if text]
    return [f"{text.removesuffix('.')}." for text in given] if len(given) > 1 else given


def _difference_panel(ax: Axes, rows: Sequence[Comparison]) -> None:
    margins = {row.equivalence.margin for row in rows if row.equivalence is not None}
    for margin in margins:
        ax.axvspan(-margin, margin, color=PALE, alpha=0.15, lw=0)
    ax.axvline(0, color=PALE, lw=0.8, ls=":")
    for place, row in zip(range(len(rows))[::-1], rows, strict=True):
        d = row.difference
        arms = [[d.estimate - d.low], [d.high - d.estimate]]
        face = INK if row.p_adjusted < 1 - d.confidence_level else "white"
        ax.errorbar(d.estimate, place, xerr=arms, ms=5, color=INK, mfc=face, **BAR)
    labels = [
        f"{method_label(row.method)} - {method_label(row.reference)}"
        + (f" ({row.difference.n_scores} of {row.difference.n_scores + row.n_unpaired} pairs)")
        * (row.n_unpaired > 0)
        for row in rows
    ]
    label_rows(ax, labels)


def _legend(rows: Sequence[Comparison]) -> str:
    """Return the legend of a plot of differences."""
    levels = sorted({row.difference.confidence_level for row in rows})
    bars, errors, tests = (
        " or ".join(f"{100 * value:g}%" for value in values)
        for values in (levels, [1 - level for level in levels], [2 * v - 1 for v in levels])
    )
    kinds = " or ".join(dict.fromkeys(interval_label(row.difference.interval) for row in rows))
    text = (
        f"Bars: {bars} intervals ({kinds}), each for its row alone. Filled points: adjusted p "
        f"below {errors}. Hollow points: not below, even if the bar excludes 0."
    )
    if any(row.n_unpaired for row in rows):
        text += " Pairs in brackets: scores of both methods on an image, of all images."
    if any(row.equivalence is not None for row in rows):
        text += f" Shaded: the margin of equivalence, judged by the {tests} interval (not drawn)."
    return text
