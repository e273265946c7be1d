"""Create figures and style their panels in one way."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from gazesal._text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BOUND",
    "INK",
    "PALE",
    "TITLE_WIDTH",
    "add_note",
    "label_rows",
    "new_figure",
    "without_frame",
]

INK, PALE = "#1f3a5f", "#8a8f98"  # the user's methods, and baselines with guide lines
BOUND = "#c8860a"  # score of a perfect map
TITLE_WIDTH = 30  # characters per line of a title or label, so that neighbors do not overlap


def new_figure(size: tuple[float, float], *, dpi: int = 130, layout: Any = "constrained") -> Figure:
    """Return a figure without a window. An ImportError names the extra to install."""
    try:
        # the second import alone would succeed if it was done before matplotlib was blocked
        import matplotlib.figure  # noqa: F401 (see above)

        from gazesal.reporting.notebook_figure import NotebookFigure  # noqa: PLC0415 (matplotlib)
    except ImportError as error:
        raise ImportError("Figures need matplotlib: pip install 'gazesal[plot]'.") from error
    return NotebookFigure(figsize=size, layout=layout, dpi=dpi)


def add_note(figure: Figure, note: str) -> None:
    """Write a note above a figure, without control characters, unless it is empty."""
    if note:
        figure.suptitle(printable(note, keep="\n"), fontsize=10, parse_math=False)


def without_frame(ax: Axes, sides: Sequence[str]) -> None:
    """Hide lines of the frame of a panel."""
    for side in sides:
        ax.spines[side].set_visible(False)


def label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Label the rows of a panel, the first at the top, and keep only the frame's lower line."""
    wrapped = [fill(label, TITLE_WIDTH) for label in labels]
    ax.set_yticks(range(len(labels))[::-1], wrapped, fontsize=8, parse_math=False)
    ax.set_ylim(-0.6, len(labels) - 0.4)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    without_frame(ax, ("top", "right", "left"))
