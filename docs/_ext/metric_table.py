"""The directive ``metric-table``: what `gazesal.METRICS` says of each metric."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal import METRICS, Metric

HEADER = ("Metric", "Range", "Chance", "Centre bias", "Unchanged by", "Constant map", "Source")


def invariances(metric: Metric) -> str:
    """What leaves the score as it is, in words."""
    found = []
    if metric.any_monotone_map:
        found.append("any increasing function")
    elif metric.any_affine_map:
        found.append("scaling, shifting")
    if metric.symmetric:
        found.append("exchange")
    return ", ".join(found) or "nothing"


def cells(metric: Metric) -> tuple[str, ...]:
    """One row, as reStructuredText."""
    values = f"{metric.low:g} to {metric.high:g}"
    return (
        f":func:`{metric.label} <gazesal.{metric.name}>`",
        values.replace("-", "\N{MINUS SIGN}").replace(" ", "\N{NO-BREAK SPACE}"),
        f"{metric.chance:g}" + ("" if metric.chance_of_any_map else " (noise)"),
        "needed" if metric.needs_center_bias else "no",
        invariances(metric),
        "``nan``" if metric.constant_map is None else f"{metric.constant_map:g}",
        f":footcite:t:`{metric.citation}`",
    )


class MetricTable(SphinxDirective):
    """A table with one row for each metric, made from the registry when the page is built."""

    def run(self) -> list[nodes.Node]:
        """Write the table as a list-table and have it parsed."""
        lines = [".. list-table::", "   :header-rows: 1", "   :class: metric-table", ""]
        for row in (HEADER, *map(cells, METRICS.values())):
            lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("metric-table", MetricTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
