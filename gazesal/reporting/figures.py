"""Draw the figure of an evaluation: maps over an image above a forest plot of the intervals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product
from pathlib import Path
from string import ascii_lowercase
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazesal._files import atomic_path
from gazesal._text import printable
from gazesal.evaluation.case import GROUND_TRUTH, INTEROBSERVER
from gazesal.evaluation.evaluation import Evaluation
from gazesal.reporting._arguments import require_evaluation, require_picture
from gazesal.reporting.figure_style import TITLE_WIDTH, add_note, new_figure
from gazesal.reporting.interval_plots import forest_panels
from gazesal.reporting.labels import method_label
from gazesal.reporting.overlays import case_of, draw_outlines, regions_of
from gazesal.reporting.perfect_map import without_ceilings
from gazesal.reporting.pictures import for_display
from gazesal.reporting.summary_cells import require_summary_of
from gazesal.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_options", "plot_evaluation", "save_figure"]

PANELS_PER_ROW = 6  # at most, so that titles stay readable


def plot_evaluation(
    evaluation: Evaluation,
    summary: pd.DataFrame,
    *,
    image: str | None = None,
    picture: FloatArray | None = None,
    note: str = "",
) -> Figure:
    """Draw the maps of one image, and a forest plot of all intervals below.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation to draw.
    summary : pandas.DataFrame
        A table from its `Evaluation.summary`.
    image : str, optional
        Image whose maps are drawn. By default the first scored image.
    picture : numpy.ndarray, shape (H', W') or (H', W', 3), optional
        The picture of the image, drawn under the maps.
    note : str, optional
        A line above the figure, for example that the data are synthetic.

    Returns
    -------
    matplotlib.figure.Figure
        A figure without a window. Notebooks show it.

    Raises
    ------
    ImportError
        If the extra ``plot`` is not installed.
    ValueError
        If the image was not scored, or `summary` does not belong to the evaluation.

    See Also
    --------
    write_report : Write this figure and the tables into a folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> folder = TemporaryDirectory()
    >>> root = gazesal.datasets.write_synthetic_reflacx(
    ...     folder.name, n_images=2, n_readers=2, side=96
    ... )
    >>> cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=2)
    >>> evaluation = gazesal.evaluate(cases, outside="keep", metrics=["ncc"])
    >>> summary = evaluation.summary()
    >>> figure = gazesal.plots.plot_evaluation(evaluation, summary, image=cases[1].image)
    >>> figure.savefig(root / "figure.pdf")
    >>> folder.cleanup()
    """
    require_evaluation(evaluation)
    if picture is not None:
        require_picture(picture)
    image = str(evaluation.scores["image"].iloc[0]) if image is None else image
    panels = _panels(evaluation, image)
    if picture is not None:
        panels = {f"Image {printable(image)}": None, **panels}
    n_rows = -(-len(panels) // PANELS_PER_ROW)
    n_columns = -(-len(panels) // n_rows)
    shape = next(case.shape for case in evaluation.cases if case.image == image)
    panel = 12 / n_columns * min(max(shape[0] / shape[1], 0.4), 2.0) + 0.35
    forest = 0.9 + 0.28 * len(without_ceilings(evaluation.methods))
    figure = new_figure((12, n_rows * panel + forest))
    parts: Any = figure.subfigures(2, 1, height_ratios=[n_rows * panel, forest])
    axes = parts[0].subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes:
        ax.axis("off")
    regions = regions_of(evaluation, case_of(evaluation, image))
    for ax, (title, values) in zip(axes, panels.items(), strict=False):
        _overlay(ax, title, values, picture, shape)
        draw_outlines(ax, regions, shape)
    own = require_summary_of(summary, evaluation.methods, evaluation.options.metrics)
    names = [name for name in evaluation.methods if name in set(own["method"])]
    methods = without_ceilings(names)
    metrics = [name for name in evaluation.options.metrics if name in set(own["metric"])]
    forest_panels(parts[1], own, methods, metrics)
    add_note(figure, note)
    return figure


def _panels(evaluation: Evaluation, image: str) -> dict[str, FloatArray | None]:
    """Return the maps of one image by title, each title beginning with a letter.

    The order is the order of the first figure of Bigolin Lanfredi et al. (2021): one observer, the
    mean of the others, the segmentation, the center bias, and the methods.
    """
    maps = evaluation.maps_of(image)
    truth = "Mean of the others" if evaluation.options.ground_truth == "rest" else "Mean of all"
    if INTEROBSERVER not in maps:
        truth = "Gaze of the observer"
    first = {
        title: maps.pop(name)
        for title, name in (("Gaze of one observer", INTEROBSERVER), (truth, GROUND_TRUTH))
        if name in maps  # missing if the image has only one observer
    }
    names = [name for name in evaluation.methods if name in maps]
    titles = [*first.items(), *((method_label(name), maps[name]) for name in names)]
    lettered = zip(_letters(), titles, strict=False)
    return {f"{letter}) {title}": values for letter, (title, values) in lettered}


def _letters() -> Iterator[str]:
    """Yield a, b, ..., z, aa, ab, ..."""
    for length in count(1):
        for letters in product(ascii_lowercase, repeat=length):
            yield "".join(letters)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure to a file, atomically and without a date.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure to write.
    path : str or path
        The file. Its suffix is the format, ``.png`` or another format of matplotlib.
    """
    with atomic_path(Path(path)) as temporary:
        figure.savefig(temporary, **figure_options(path))


def figure_options(path: str | Path) -> dict[str, Any]:
    """Return options of ``savefig`` that keep the date and the program out of the file."""
    return {"metadata": {"Software": None} if Path(path).suffix.lower() == ".png" else None}


def _overlay(
    ax: Axes,
    title: str,
    values: FloatArray | None,
    picture: FloatArray | None,
    shape: tuple[int, int],
) -> None:
    extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
    if picture is not None:
        ax.imshow(for_display(picture), cmap="gray", extent=extent)
    if values is not None:
        low, high = float(values.min()), float(values.max())
        strength = (values - low) / (high - low) if high > low else np.zeros_like(values)
        over_picture: Any = 0.15 + 0.6 * strength if picture is not None else 1.0
        ax.imshow(strength, cmap="inferno", extent=extent, alpha=over_picture, vmin=0, vmax=1)
    ax.set_title(fill(title, TITLE_WIDTH), fontsize=9, parse_math=False)
