"""Find the images on which a method scores best and worst, and draw them."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Literal

import pandas as pd

from gazesal._text import printable
from gazesal._validation import as_choice, as_count
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.region_sources import UNION
from gazesal.evaluation.score_rows import REGION
from gazesal.metrics.names import metric_named, name_among
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.contribution_overlays import bias_for, contributions_of, require_drawable
from gazesal.reporting.contributions import draw_contributions
from gazesal.reporting.figure_style import TITLE_WIDTH, add_note, new_figure
from gazesal.reporting.labels import method_label
from gazesal.reporting.overlays import (
    Pictures,
    case_of,
    draw_overlay,
    gaze_of_all,
    map_of,
    picture_of,
    regions_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["extreme_images", "image_means", "plot_extremes"]


def extreme_images(evaluation: Evaluation, method: str, metric: str, *, n: int = 3) -> pd.DataFrame:
    """Find the images on which a method scores best and worst.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation.
    method : str
        One of its methods.
    metric : str
        One of its metrics, by name or alias.
    n : int, default 3
        Number of best images and of worst images. Fewer if there are fewer than ``2 * n`` images.

    Returns
    -------
    pandas.DataFrame
        Columns image, score (mean over the observers left out) and extreme (``"best"`` or
        ``"worst"``), best first. No image is listed twice. Images without a defined score are left
        out.

    Raises
    ------
    ValueError
        If the evaluation does not have the method or metric, or `n` is not positive.

    See Also
    --------
    plot_extremes : Draw the method's maps on these images.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     root = gazesal.datasets.write_synthetic_reflacx(
    ...         folder, n_images=3, n_readers=2, side=96
    ...     )
    ...     cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=2)
    ...     evaluation = gazesal.evaluate(cases, outside="keep", metrics=["ncc"])
    >>> found = gazesal.plots.extreme_images(evaluation, "interobserver", "ncc", n=1)
    >>> found["extreme"].tolist()
    ['best', 'worst']
    """
    require_evaluation(evaluation)
    as_choice(method, evaluation.methods, name="method")
    metric = name_among(evaluation.options.metrics, metric)
    as_choice(metric, evaluation.options.metrics, name="metric")
    as_count(n, name="n")
    means = image_means(evaluation.scores, method, metric).dropna().sort_index()
    means = means.sort_values(ascending=not metric_named(metric).higher_is_better, kind="stable")
    n = min(n, max(len(means) // 2, 1))
    best, worst = means.head(n), means.tail(min(n, len(means) - n))
    return pd.DataFrame(
        {
            "image": [*best.index, *worst.index],
            "score": [*best, *worst],
            "extreme": ["best"] * len(best) + ["worst"] * len(worst),
        }
    )


def image_means(scores: pd.DataFrame, method: str, metric: str) -> pd.Series:
    """Return the mean score of each image over observers and regions, in the table's order."""
    rows = scores[(scores["method"] == method) & (scores["metric"] == metric)]
    if REGION in rows and set(rows[REGION]) > {UNION}:  # each region is scored too
        rows = rows[rows[REGION] != UNION]
    return rows.groupby("image", sort=False)["score"].mean()


def plot_extremes(
    evaluation: Evaluation,
    method: str,
    metric: str,
    *,
    n: int = 3,
    show: Literal["map", "contributions"] = "map",
    pictures: Pictures = None,
    note: str = "",
) -> Figure:
    """Draw a method's maps on the images on which it scores best and worst.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation, with its cases.
    method : str
        One of its methods.
    metric : str
        One of its metrics, by name or alias.
    n : int, default 3
        Number of best images and of worst images.
    show : {"map", "contributions"}, default "map"
        The map with the gaze, or the contribution of each pixel to the score against the gaze of
        all observers, red where it raises the score and blue where it lowers it. See
        `gazesal.contributions`.
    pictures : mapping of str to array or path, str or path, optional
        Pictures by image name, or a folder of pictures, drawn under the maps. By default the
        pictures of the cases. The background is gray if an image has no picture.
    note : str, optional
        A line above the figure. By default the method's name.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window, with the best images in the first row and the worst in the
        second. With maps, the lines enclose 50% and 90% of the gaze of all observers, and green
        lines the regions if they were scored.

    Raises
    ------
    ValueError
        For the reasons of `extreme_images`, if a map or a picture cannot be read, or if the
        contributions to the metric cannot be drawn, as those to information gain.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    extreme_images : List these images.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> folder = TemporaryDirectory()
    >>> root = gazesal.datasets.write_synthetic_reflacx(
    ...     folder.name, n_images=3, n_readers=2, side=96
    ... )
    >>> cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=2)
    >>> evaluation = gazesal.evaluate(cases, outside="keep", metrics=["ncc"])
    >>> figure = gazesal.plots.plot_extremes(evaluation, "center_bias", "ncc", n=1)
    >>> len(figure.axes)
    2
    >>> folder.cleanup()
    """
    found = extreme_images(evaluation, method, metric, n=n)
    metric = name_among(evaluation.options.metrics, metric)
    if as_choice(show, ("map", "contributions"), name="show") == "contributions":
        require_drawable(metric)
    columns = max(found["extreme"].value_counts())
    kinds = list(dict.fromkeys(found["extreme"]))
    figure = new_figure((2.6 * columns, 2.8 * len(kinds)))
    panels = figure.subplots(len(kinds), columns, squeeze=False)
    for ax in panels.ravel():
        ax.axis("off")
    for row, kind in zip(panels, kinds, strict=True):
        images = found[found["extreme"] == kind]
        for ax, (image, score) in zip(
            row, images[["image", "score"]].itertuples(index=False), strict=False
        ):
            case = case_of(evaluation, image)
            gaze, picture = gaze_of_all(evaluation, case), picture_of(case, pictures)
            if show == "map":
                regions = regions_of(evaluation, case)
                saliency = map_of(evaluation, case, method)
                draw_overlay(ax, saliency, gaze, picture, case.shape, regions)
            else:
                parts = contributions_of(
                    evaluation, case, method, metric, gaze, bias_for(evaluation, case, metric)
                )
                if parts is not None:
                    draw_contributions(ax, parts, picture, case.shape)
            title = f"{kind}: {printable(image)}, {metric_named(metric).label} {score:.3f}"
            ax.set_title(fill(title, TITLE_WIDTH), fontsize=9, parse_math=False)
    add_note(figure, note or method_label(method))
    return figure
