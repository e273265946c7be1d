"""A figure that notebooks show; imported when the first one is drawn, as it needs matplotlib."""

import io

from matplotlib.figure import Figure

__all__ = ["NotebookFigure"]


class NotebookFigure(Figure):
    """A matplotlib figure that a notebook shows without ``%matplotlib inline``.

    Jupyter learns how to show a plain `Figure` when pyplot is imported. The figures of this library
    belong to no window, so pyplot is not imported for them, and a notebook would show their address
    in memory. Where pyplot is in use, its way of showing figures comes first, so that none is shown
    twice.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG, for notebooks."""
        drawn = io.BytesIO()
        self.savefig(drawn, format="png", metadata={"Software": None})
        return drawn.getvalue()
