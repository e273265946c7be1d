"""Figures of scores: intervals, paired differences, and image by image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazesal._text import printable
from gazesal._validation import as_column, as_iterable
from gazesal.metrics.directions import higher_is_better
from gazesal.metrics.names import find_metric
from gazesal.reporting.interval_words import kind_words, summary_words
from gazesal.reporting.summary_tables import LABELS, label_of, metric_label, require_summary
from gazesal.stats.design import Design, require_design
from gazesal.stats.pairing import paired_rows
from gazesal.stats.results import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["forest_panels", "plot_differences", "plot_intervals", "plot_pairs"]

INK, PALE = "#1f3a5f", "#8a8f98"
TITLE_WIDTH = 30  # letters in a line of a label
LEGEND_WIDTH = 75  # letters in a line below a panel


def plot_intervals(summary: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw the intervals of every method, a panel a metric: a forest plot.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `Evaluation.summary` returns it, or `interval_table` by method and metric.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window; a notebook shows it.

    Raises
    ------
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    plot_differences : Paired differences, which intervals side by side do not show.

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
    methods = [str(name) for name in summary["method"].unique()]
    metrics = [str(name) for name in summary["metric"].unique()]
    figure = new_figure((2.2 + 2.6 * len(metrics), 0.9 + 0.28 * len(methods)))
    forest_panels(figure, summary, methods, metrics)
    add_note(figure, note)
    return figure


def plot_differences(comparisons: Iterable[Comparison], *, note: str = "") -> Figure:
    """Draw paired differences with their intervals, a panel a group such as the metric.

    Parameters
    ----------
    comparisons : Comparisons or iterable of Comparison
        As `compare` returns them. Where a margin was stated it is shaded; equivalence is judged by
        the interval at twice the level's error, which is narrower than the one drawn.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window. Filled points have an adjusted p-value below the level's
        error. A line below says so.

    Raises
    ------
    ValueError
        If there is no comparison.
    TypeError
        If `comparisons` does not hold comparisons.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    compare : Makes the comparisons.

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
        raise ValueError("`comparisons` must hold a comparison, got none.")
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
    """Draw one method's score of each image over another's.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one metric.
    design : Design
        Which columns are units; the points are those of the first, all else averaged.
    method, reference : object
        Values of `contrast`: upwards and to the right.
    contrast : str, default "method"
        Column that names the methods.
    independent : str, optional
        Column whose units are not the same in both methods; see `compare`.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window; on the diagonal both score the same.

    Raises
    ------
    ValueError
        If one of the methods is not in the table, both are the same, a score has no partner and the
        design does not say to drop it, they share no unit, or as for `interval`.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    compare : The mean difference and its interval.

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
        raise ValueError(f"`table` must be a frame with the column {contrast}.")
    for name, value in (("method", method), ("reference", reference)):
        if not pd.api.types.is_scalar(value) or value not in table[contrast].unique().tolist():
            raise ValueError(f"`{name}` must be a value of the column {contrast}, got {value!r}.")
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
    ax.set_xlabel(fill(label_of(str(reference)), TITLE_WIDTH), fontsize=9, parse_math=False)
    ax.set_ylabel(fill(label_of(str(method)), TITLE_WIDTH), fontsize=9, parse_math=False)
    higher = int((y > x).sum())
    ax.set_title(f"higher on {higher} of {x.size}, lower on {int((y < x).sum())}", fontsize=9)
    ax.tick_params(labelsize=8)
    without_frame(ax, ("top", "right"))
    add_note(figure, note)
    return figure


def forest_panels(
    figure: Any, summary: pd.DataFrame, methods: Sequence[str], metrics: Sequence[str]
) -> None:
    """Draw the intervals of a summary into a figure or a part of one, a panel a metric."""
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    places = np.arange(len(methods))[::-1]
    colors = [PALE if method in LABELS else INK for method in methods]
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
            ax.set_title(f"{metric.label} ({meaning} {metric.chance:g})", fontsize=9)
        else:
            lower = " (lower is better)" if higher_is_better(name) is False else ""
            ax.set_title(f"{metric_label(name)}{lower}", fontsize=9, parse_math=False)
        for place, x, (left, right), color in zip(places, center, arms.T, colors, strict=True):
            ax.errorbar(
                x, place, xerr=[[left], [right]], fmt="o", ms=4, color=color, capsize=2, lw=1.2
            )
        labels = [fill(label_of(method), TITLE_WIDTH) for method in methods]
        ax.set_yticks(places, labels, fontsize=8, parse_math=False)
        ax.set_ylim(-0.6, len(methods) - 0.4)
        ax.tick_params(axis="x", labelsize=8)
        without_frame(ax, ("top", "right", "left"))
        ax.tick_params(axis="y", length=0)
    if words := summary_words(summary):
        figure.supxlabel(words, fontsize=7, parse_math=False)


def _difference_panel(ax: Axes, rows: Sequence[Comparison]) -> None:
    margins = {row.equivalence.margin for row in rows if row.equivalence is not None}
    for margin in margins:
        ax.axvspan(-margin, margin, color=PALE, alpha=0.15, lw=0)
    ax.axvline(0, color=PALE, lw=0.8, ls=":")
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places.tolist(), rows, strict=True):
        d = row.difference
        arms = [[d.estimate - d.low], [d.high - d.estimate]]
        filled = row.p_adjusted < 1 - d.confidence_level
        ax.errorbar(
            d.estimate, place, xerr=arms, fmt="o", ms=5, color=INK, capsize=2, lw=1.2,
            mfc=INK if filled else "white",
        )  # fmt: skip
    labels = [
        fill(f"{label_of(row.method)} - {label_of(row.reference)}", TITLE_WIDTH) for row in rows
    ]
    ax.set_yticks(places, labels, fontsize=8, parse_math=False)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    without_frame(ax, ("top", "right", "left"))


def _legend(rows: Sequence[Comparison]) -> str:
    """Say what is drawn of differences."""
    levels = sorted({row.difference.confidence_level for row in rows})
    bars, errors, tests = (
        " or ".join(f"{100 * value:g}%" for value in values)
        for values in (levels, [1 - level for level in levels], [2 * v - 1 for v in levels])
    )
    kinds = " or ".join(dict.fromkeys(kind_words(row.difference.interval) for row in rows))
    text = (
        f"Bars: {bars} intervals ({kinds}), each by itself. Filled points: adjusted p below "
        f"{errors}; hollow: not, also if the bar excludes 0."
    )
    if any(row.equivalence is not None for row in rows):
        text += f" Shaded: the margin of equivalence, judged by the {tests} interval (not drawn)."
    return text


def add_note(figure: Figure, note: str) -> None:
    """Write a line above a figure, if there is one, without control characters."""
    if note:
        figure.suptitle(printable(note, keep="\n"), fontsize=10, parse_math=False)


def without_frame(ax: Axes, sides: Sequence[str]) -> None:
    """Hide lines of the frame of a panel."""
    for side in sides:
        ax.spines[side].set_visible(False)


def new_figure(size: tuple[float, float], *, dpi: int = 130, layout: Any = "constrained") -> Figure:
    """Return a figure that belongs to no window; an ImportError names the extra."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415  (the module below may be kept from before)

        from gazesal.reporting.notebook_figure import NotebookFigure  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("Figures need matplotlib: pip install 'gazesal[plot]'.") from error
    return NotebookFigure(figsize=size, layout=layout, dpi=dpi)
