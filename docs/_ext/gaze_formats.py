"""The directive ``gaze-formats``, a table of the formats that `read_fixations` knows by name."""

from docutils import nodes
from metric_table import list_table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal.datasets.gaze_formats.registry import FORMATS, GazeFormat

HEADER = ("I have", "I give", "``format=``", "In the file", "Left out, and assumed")


def cells(form: GazeFormat) -> tuple[str, ...]:
    """Return the cells of one row as reStructuredText."""
    notes = (form.left_out, form.uncertain and f"assumed: {form.uncertain}")
    return (
        f"`{form.title} <{form.url}>`__",
        form.source,
        f'``"{form.name}"``',
        f"{form.unit}; {form.origin}",
        "; ".join(note for note in notes if note),
    )


class GazeFormats(SphinxDirective):
    """A table with one row for each format, made from the registry when the page is built."""

    def run(self) -> list[nodes.Node]:
        """Write the table as a list-table and parse it."""
        return self.parse_text_to_nodes(list_table([HEADER, *map(cells, FORMATS.values())]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("gaze-formats", GazeFormats)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
