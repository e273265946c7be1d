"""The directive ``gaze-formats``, a table of the formats that `read_fixations` knows by name."""

from docutils import nodes
from metric_table import list_table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal.datasets.gaze_formats.preset_tables import Place, Preset, presets
from gazesal.datasets.gaze_formats.registry import FORMATS, GazeFormat

HEADER = ("I have", "I give", "``format=``", "In the files", "Left out", "Assumed")
ORIGINS = {
    "pixel_center": "(0, 0) is the center of the first pixel",
    "pixel_corner": "(0, 0) is the outer corner",
    "one_based": "(1, 1) is the center of the first pixel",
    "screen_center": "(0, 0) is the center",
}


def place_in_words(place: Place) -> str:
    """Return unit, frame, origin and direction of the positions of a preset."""
    coordinates = place.coordinates
    up = ", y up" if coordinates.y_axis == "up" else ""
    return f"{coordinates.unit} of the {place.of} ({ORIGINS[str(coordinates.origin)]}{up})"


def cells(form: GazeFormat | Preset) -> tuple[str, ...]:
    """Return the cells of one row as reStructuredText."""
    if isinstance(form, Preset):
        places = dict.fromkeys(place_in_words(place) for place in form.places)
        found = f"{', or '.join(places)}; durations in {form.time_unit}"
    else:
        found = f"{form.unit} ({form.origin})"
    return (
        f"`{form.title} <{form.url}>`__",
        form.source,
        f'``"{form.name}"``',
        found,
        form.left_out,
        form.uncertain,
    )


class GazeFormats(SphinxDirective):
    """A table with one row for each preset and each format of the registry."""

    def run(self) -> list[nodes.Node]:
        """Write the table as a list-table and parse it."""
        rows = [cells(form) for form in (*presets().values(), *FORMATS.values())]
        return self.parse_text_to_nodes(list_table([HEADER, *rows]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("gaze-formats", GazeFormats)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
