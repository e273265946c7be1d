"""Draw the contributions of pixels to a score over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, as_real_array, require_finite
from gazesal.reporting.figure_style import add_note, new_figure
from gazesal.reporting.pictures import PLAIN, for_display, to_unit_range

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_contributions"]


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
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ground: Any = np.full((1, 1), PLAIN) if picture is None else _gray(picture)
    largest = float(np.abs(parts).max()) or 1.0
    figure = new_figure((5.6, max(1.5, min(9.0, 4.4 * height / width)) + 0.6))
    ax = figure.subplots()
    ax.imshow(ground, cmap="gray", extent=extent, vmin=0, vmax=1)
    strength = np.abs(parts) / largest
    shown = ax.imshow(
        parts,
        cmap="RdBu_r",
        extent=extent,
        alpha=np.asarray(np.sqrt(strength)),  # the root keeps weak contributions visible
        vmin=-largest,
        vmax=largest,
    )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(f"sum = {float(parts.sum()):.3g}", fontsize=9)
    figure.colorbar(shown, ax=ax, label="contribution per pixel", shrink=0.8)
    add_note(figure, note)
    return figure


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
