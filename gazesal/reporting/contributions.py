"""Draw the contributions of pixels to a score over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, as_real_array, require_finite
from gazesal.reporting.figure_style import add_note, new_figure
from gazesal.reporting.pictures import PLAIN, for_display, to_unit_range
from gazesal.stats.contribution_difference import ContributionDifference
from gazesal.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["draw_contributions", "plot_contribution_difference", "plot_contributions"]


def plot_contributions(
    contribution_map: ArrayLike, picture: ArrayLike | None = None, *, note: str = ""
) -> Figure:
    """Draw the contributions of pixels to a score over a picture, or over gray.

    Pixels that raise the score are red and pixels that lower it are blue.

    Parameters
    ----------
    contribution_map : array_like of float, shape (H, W)
        Map from `gazesal.contributions`, finite.
    picture : array_like, shape (H, W), (H, W, 3) or (H, W, 4), optional
        Picture to draw below, in gray, stretched to the map if it has another size.
    note : str, default ""
        Text above the figure, for example the name of the metric.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. The title states the sum, which is the score.

    Raises
    ------
    ValueError
        If the map is not 2-D or not finite, as for an undefined score, or the picture has another
        number of dimensions.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> import gazesal
    >>> parts = gazesal.contributions("ncc", [[0, 0, 9], [0, 1, 0]], [[0, 0, 4], [0, 1, 1]])
    >>> figure = gazesal.plots.plot_contributions(parts, note="NCC")
    >>> figure.axes[0].get_title()
    'sum = 0.964'
    """
    parts = as_map(contribution_map, name="contribution_map")
    require_finite(parts, name="contribution_map")
    height, width = parts.shape
    figure = new_figure((5.6, max(1.5, min(9.0, 4.4 * height / width)) + 0.6))
    ax = figure.subplots()
    shown = draw_contributions(ax, parts, picture, (height, width))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(f"sum = {float(parts.sum()):.3g}", fontsize=9)
    figure.colorbar(shown, ax=ax, label="contribution per pixel", shrink=0.8)
    add_note(figure, note)
    return figure


def plot_contribution_difference(
    result: ContributionDifference,
    picture: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    note: str = "",
) -> Figure:
    """Draw where one method wins more of its score than another.

    The first method wins more at red pixels and the second at blue ones. Lines enclose the clusters
    with a p-value of at most `alpha`.

    Parameters
    ----------
    result : ContributionDifference
        Result of `gazesal.stats.contribution_difference`.
    picture : array_like, shape (H, W), (H, W, 3) or (H, W, 4), optional
        Picture to draw below, in gray, such as the mean of the registered images.
    alpha : float, default 0.05
        Largest p-value of the enclosed clusters.
    note : str, default ""
        Text above the figure, for example the names of the methods and the metric.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. The title states the sum, which is the difference of the mean scores.

    Raises
    ------
    TypeError
        If `result` is of another kind.
    ValueError
        If `alpha` is out of range, or the picture has another number of dimensions.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 8, 6, 8))
    >>> found = gazesal.stats.contribution_difference(first + 1, second, rng=0)
    >>> figure = gazesal.plots.plot_contribution_difference(found)
    >>> figure.axes[0].get_title()
    'sum = 46.6'
    """
    if not isinstance(result, ContributionDifference):
        raise TypeError(
            "`result` must be a ContributionDifference, got "
            f"{type(result).__name__}. Make one with `gazesal.stats.contribution_difference`."
        )
    enclosed = result.significant(alpha)
    figure = plot_contributions(result.difference, picture, note=note)
    if enclosed.any() and min(enclosed.shape) > 1:
        figure.axes[0].contour(enclosed, levels=[0.5], colors="black", linewidths=1.2)
    return figure


def draw_contributions(
    ax: Axes, parts: FloatArray, picture: ArrayLike | None, shape: tuple[int, int]
) -> AxesImage:
    """Draw contributions over a picture, or over gray, in the pixels of an image of some (H, W)."""
    height, width = shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ground: Any = np.full((1, 1), PLAIN) if picture is None else _gray(picture)
    largest = float(np.abs(parts).max()) or 1.0
    ax.imshow(ground, cmap="gray", extent=extent, vmin=0, vmax=1)
    return ax.imshow(
        parts,
        cmap="RdBu_r",
        extent=extent,
        # the root keeps weak contributions visible
        alpha=np.asarray(np.sqrt(np.abs(parts) / largest)),
        vmin=-largest,
        vmax=largest,
    )


def _gray(picture: ArrayLike) -> Any:
    checked = as_real_array(picture, name="picture", booleans=True)
    require_finite(checked, name="picture")
    values = np.asarray(picture)
    if values.ndim not in {2, 3} or values.shape[2:] not in {(), (3,), (4,)} or not values.size:
        raise ValueError(
            "`picture` must have shape (H, W), (H, W, 3) or (H, W, 4), got shape "
            f"{values.shape}. Read it with Pillow."
        )
    shown = np.asarray(for_display(values), np.float64)
    return to_unit_range(shown.mean(axis=2) if shown.ndim == 3 else shown)
