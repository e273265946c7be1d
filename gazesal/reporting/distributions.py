"""Draw the distributions of the scores of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazesal.evaluation.case import CEILINGS, FIRST_ROWS, INTEROBSERVER
from gazesal.metrics.names import find_metric
from gazesal.reporting.figure_style import (
    INK,
    PALE,
    add_note,
    label_rows,
    new_figure,
)
from gazesal.reporting.labels import METHOD_LABELS, method_label, metric_label, of_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_distributions"]

FEW = 60  # images, above which single points would blacken the panel
COLUMNS = ("image", "method", "metric", "score")


def plot_distributions(scores: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw the distributions of the scores of images, by method (rows) and metric (panels).

    Parameters
    ----------
    scores : pandas.DataFrame
        A row for each score with the columns image, method, metric and score, such as the
        ``scores`` of an `Evaluation`. Several scores of one image, for example one per observer,
        are averaged. Undefined scores are left out.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window. It shows the density of the scores, their middle half as a line
        and their median as a stroke. The scores of up to 60 images are shown as points too.

    Raises
    ------
    ValueError
        If a column is missing, or no score is defined.
    TypeError
        If `scores` is not a DataFrame.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    plot_intervals : Draw the means with their intervals.
    plot_extremes : Draw the images with the best and worst scores.

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
    missing = [name for name in COLUMNS if name not in scores]
    if missing:
        raise ValueError(
            f"`scores` must have the columns {', '.join(COLUMNS)}, got a table without "
            f"{', '.join(missing)}."
        )
    defined = scores.dropna(subset="score")
    if defined.empty:
        raise ValueError("`scores` must have at least one defined score, got only nan.")
    means = defined.groupby(["metric", "method", "image"], sort=False)["score"].mean()
    names = [str(name) for name in scores["method"].unique() if name not in CEILINGS]
    methods = [n for n in FIRST_ROWS if n in names] + sorted(set(names) - set(FIRST_ROWS))
    metrics = [str(name) for name in defined["metric"].unique()]
    counts = scores.groupby(scores["method"].astype(str))["image"].nunique().to_dict()
    labels = [
        method_label(name)
        + (of_images(counts[name], max(counts.values())) if name == INTEROBSERVER else "")
        for name in methods
    ]
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
            color = PALE if method in METHOD_LABELS else INK
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
        label_rows(ax, labels)
    add_note(figure, note)
    return figure
