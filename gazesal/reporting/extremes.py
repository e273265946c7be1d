"""The images that a map did best and worst on, with what was looked at."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazesal._text import printable
from gazesal._validation import as_choice, as_count
from gazesal.evaluation.case import Case
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_of_image import gaze_maps
from gazesal.maps.resampling import resample
from gazesal.metrics.names import metric_named
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.pictures import (
    PLAIN,
    find_picture,
    for_display,
    read_picture,
    to_unit_range,
)
from gazesal.reporting.plots import TITLE_WIDTH, add_note, new_figure
from gazesal.reporting.summary_tables import label_of
from gazesal.typing import Float64Array, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Pictures", "extreme_images", "overlay_jpeg", "plot_extremes"]

Pictures = Mapping[str, Any] | str | Path | None
SHARES = (0.9, 0.5)  # of the gaze, that the contours enclose
LONGEST = 320  # pixels of an overlay's longer side
ENOUGH = 60  # pixels of its shorter side, at least


def extreme_images(evaluation: Evaluation, method: str, metric: str, *, n: int = 3) -> pd.DataFrame:
    """Find the images that a method scores best and worst on.

    Parameters
    ----------
    evaluation : Evaluation
        Scores of images.
    method : str
        One of its methods.
    metric : str
        One of its metrics.
    n : int, default 3
        How many of each; fewer where there are fewer than twice as many images.

    Returns
    -------
    pandas.DataFrame
        Columns image, score (mean over the observers left out) and extreme (``"best"`` or
        ``"worst"``), best first. No image is both; images without a defined score are neither.

    Raises
    ------
    ValueError
        If the evaluation does not have the method or metric, or `n` is not positive.

    See Also
    --------
    plot_extremes : Draws them.

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
    """Mean score of each image over its observers, in the order of the table."""
    rows = scores[(scores["method"] == method) & (scores["metric"] == metric)]
    return rows.groupby("image", sort=False)["score"].mean()


def plot_extremes(
    evaluation: Evaluation,
    method: str,
    metric: str,
    *,
    n: int = 3,
    pictures: Pictures = None,
    note: str = "",
) -> Figure:
    """Draw a method's maps on the images that it scores best and worst on.

    Parameters
    ----------
    evaluation : Evaluation
        Scores of images, with their cases.
    method : str
        One of its methods.
    metric : str
        One of its metrics.
    n : int, default 3
        How many images of each kind.
    pictures : mapping of str to array or path, str or path, optional
        The images themselves by name, or a folder of them, to lie under the maps; by default those
        that the cases name. Where there is none, the ground is gray.
    note : str, optional
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that belongs to no window: the best in the first row, the worst in the second. The
        lines enclose 50% and 90% of the gaze of all observers.

    Raises
    ------
    ValueError
        As for `extreme_images`; or if a map cannot be read again.
    ImportError
        If the extra ``plot`` is not installed.

    See Also
    --------
    extreme_images : Which they are.

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
            _draw_overlay(
                ax,
                map_of(evaluation, case, method),
                gaze_of_all(evaluation, case),
                picture_of(case, pictures),
                case.shape,
            )
            title = f"{kind}: {printable(image)}, {metric_named(metric).label} {score:.3f}"
            ax.set_title(fill(title, TITLE_WIDTH), fontsize=9, parse_math=False)
    add_note(figure, note or label_of(method))
    return figure


def case_of(evaluation: Evaluation, image: str) -> Case:
    """The case of an image."""
    case = next((case for case in evaluation.cases if case.image == image), None)
    if case is None:
        raise ValueError(f"`evaluation` must have the case of image {image!r} to draw it.")
    return case


def map_of(evaluation: Evaluation, case: Case, method: str) -> FloatArray:
    """The map of a method, a baseline too, of whatever size it is, no larger than is drawn."""
    if method in case.maps:
        return shrunk(case.load_map(method))
    return shrunk(evaluation.maps_of(case.image)[method])


def gaze_of_all(evaluation: Evaluation, case: Case) -> FloatArray:
    """The mean gaze map of all observers of an image, no larger than is drawn."""
    return shrunk(np.asarray(np.mean(gaze_maps(case, evaluation.options), axis=0)))


def picture_of(case: Case, pictures: Pictures) -> np.ndarray[Any, Any] | None:
    """The image itself, where there is one."""
    if pictures is None:
        return None if case.picture is None else read_picture(case.picture)
    if isinstance(pictures, (str, Path)):
        return find_picture(pictures, case.image)
    found = pictures.get(case.image)
    return read_picture(found) if isinstance(found, Path) else found


def overlay_jpeg(
    saliency: FloatArray,
    gaze: FloatArray,
    picture: np.ndarray[Any, Any] | None,
    shape: tuple[int, int],
) -> tuple[bytes, tuple[int, int]]:
    """A saliency map over an image with the contours of the gaze, as JPEG, and its (H, W)."""
    height, width = shape
    scale = max(min(LONGEST / max(height, width), 1.0), ENOUGH / min(height, width))
    size = (round(height * scale), round(width * scale))
    figure = new_figure((size[1] / 100, size[0] / 100), dpi=100, layout=None)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.axis("off")
    _draw_overlay(ax, saliency, gaze, picture, shape)
    from PIL import Image  # noqa: PLC0415

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    with Image.open(drawn, formats=["PNG"]) as image:
        image.convert("RGB").save(packed, "JPEG", quality=78, optimize=True)
    return packed.getvalue(), size


def _draw_overlay(
    ax: Axes,
    saliency: FloatArray,
    gaze: FloatArray,
    picture: np.ndarray[Any, Any] | None,
    shape: tuple[int, int],
) -> None:
    height, width = shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ground: Any = np.full((1, 1), PLAIN) if picture is None else _gray(picture)
    ax.imshow(ground, cmap="gray", extent=extent, vmin=0, vmax=1, aspect="auto")
    low, high = float(saliency.min()), float(saliency.max())
    strength = (saliency - low) / (high - low) if high > low else np.zeros_like(saliency)
    ax.imshow(
        strength,
        cmap="inferno",
        extent=extent,
        alpha=np.asarray(0.15 + 0.6 * strength),
        vmin=0,
        vmax=1,
        aspect="auto",
    )
    levels = _levels(gaze)
    if levels and min(gaze.shape) > 1:
        rows, columns = gaze.shape
        x = (np.arange(columns) + 0.5) * width / columns - 0.5
        y = (np.arange(rows) + 0.5) * height / rows - 0.5
        for color, line in (("black", 2.0), ("cyan", 1.0)):  # seen on dark and on bright ground
            ax.contour(x, y, gaze, levels=levels, colors=color, linewidths=line)
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)


def _gray(picture: np.ndarray[Any, Any]) -> Float64Array:
    values = np.asarray(for_display(picture), np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    step = max(1, max(values.shape) // (2 * LONGEST))
    return to_unit_range(values[::step, ::step])


def shrunk(values: FloatArray) -> FloatArray:
    """A map of no more pixels than are drawn."""
    factor = LONGEST / max(values.shape)
    if factor >= 1:
        return values
    height, width = (max(round(side * factor), 1) for side in values.shape)
    return resample(values, (height, width))


def _levels(gaze: FloatArray) -> list[float]:
    """Heights whose contours enclose the shares of the gaze, ascending."""
    ordered = np.sort(gaze.ravel())[::-1]
    sums = np.cumsum(ordered)
    if sums[-1] <= 0 or ordered[0] == ordered[-1]:
        return []
    places = np.searchsorted(sums, np.asarray(SHARES) * sums[-1])
    levels = ordered[np.minimum(places, ordered.size - 1)].tolist()
    return sorted({level for level in levels if ordered[-1] < level < ordered[0]})
