"""How the scores of single images are spread."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, SEGMENTATION
from gazesal.metrics.names import find_metric
from gazesal.reporting.plots import INK, PALE, TITLE_WIDTH, add_note, new_figure, without_frame
from gazesal.reporting.summary_tables import LABELS, label_of, metric_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_distributions"]

FEW = 60  # images that are drawn as points of their own
COLUMNS = ("image", "method", "metric", "score")


def plot_distributions(scores: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw how the scores of images are spread, a row a method and a panel a metric.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row a score, as the ``scores`` of an `Evaluation`: columns image, method, metric, score.
        Scores of one image, of its observers for instance, are averaged; undefined ones are left
        out.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window: the density of the images' scores, the middle half of
        them as a line and the median as a stroke, and of few images each as a point.

    Raises
    ------
    ValueError
        If a column is absent, or no score is defined.
    TypeError
        If `scores` is not a frame.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    plot_intervals : The means with their intervals.
    plot_extremes : The images at the ends.

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> scores = pd.DataFrame({"image": range(5), "score": [0.1, 0.3, 0.4, 0.2, 0.3]})
    >>> scores = scores.assign(method="mine", metric="ncc")
    >>> figure = gazesal.plots.plot_distributions(scores)
    >>> [ax.get_title() for ax in figure.axes]
    ['NCC']
    """
    if not isinstance(scores, pd.DataFrame):
        raise TypeError(f"`scores` must be a pandas DataFrame, got {type(scores).__name__}.")
    lacking = [name for name in COLUMNS if name not in scores]
    if lacking:
        raise ValueError(f"`scores` must have the columns {', '.join(lacking)}.")
    defined = scores.dropna(subset="score")
    if defined.empty:
        raise ValueError("`scores` must have a score that is defined, got none.")
    means = defined.groupby(["metric", "method", "image"], sort=False)["score"].mean()
    baselines = (INTEROBSERVER, SEGMENTATION, CENTER_BIAS, IN_SAMPLE_BIAS)
    names = [str(name) for name in scores["method"].unique()]
    methods = [n for n in baselines if n in names] + sorted(set(names) - set(baselines))
    metrics = [str(name) for name in defined["metric"].unique()]
    figure = new_figure((2.2 + 2.8 * len(metrics), 0.9 + 0.45 * len(methods)))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    places = np.arange(len(methods))[::-1].tolist()
    for ax, metric in zip(panels, metrics, strict=True):
        own = means.loc[metric]
        known = find_metric(metric)
        if known is not None and np.isfinite(known.chance):
            ax.axvline(known.chance, color=PALE, lw=0.8, ls=":")
        for place, method in zip(places, methods, strict=True):
            if method not in own.index.get_level_values("method"):
                continue
            values = own.loc[method].to_numpy(np.float64)
            color = PALE if method in LABELS else INK
            low, half, high = np.quantile(values, [0.25, 0.5, 0.75])
            if np.ptp(values) > 0:
                parts = ax.violinplot(
                    values, [place], orientation="horizontal", widths=0.8, showextrema=False
                )
                for body in parts["bodies"]:
                    body.set(facecolor=color, alpha=0.25, edgecolor="none")
            if values.size <= FEW:
                ax.plot(values, [place] * values.size, "o", ms=2.5, color=color, alpha=0.5, mew=0)
            ax.plot([low, high], [place, place], color=color, lw=1.6)
            ax.plot([half], [place], "|", ms=11, mew=1.6, color=color)
        ax.set_title(metric_label(metric), fontsize=9, parse_math=False)
        labels = [fill(label_of(method), TITLE_WIDTH) for method in methods]
        ax.set_yticks(places, labels, fontsize=8, parse_math=False)
        ax.set_ylim(-0.6, len(methods) - 0.4)
        ax.tick_params(axis="x", labelsize=8)
        ax.tick_params(axis="y", length=0)
        without_frame(ax, ("top", "right", "left"))
    add_note(figure, note)
    return figure
