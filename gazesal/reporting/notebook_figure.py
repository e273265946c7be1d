"""Define the figure that notebooks display, in a module of its own because it needs matplotlib."""

import io

from matplotlib.figure import Figure

__all__ = ["NotebookFigure"]


class NotebookFigure(Figure):
    """A matplotlib figure that a notebook displays without ``%matplotlib inline``.

    Jupyter registers the display of a plain `Figure` when pyplot is imported. The figures of this
    library have no window and do not import pyplot, so that a notebook would print their address in
    memory. If pyplot is imported, its display takes precedence, and no figure is shown twice.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG, for notebooks."""
        drawn = io.BytesIO()
        self.savefig(drawn, format="png", metadata={"Software": None})
        return drawn.getvalue()
