"""The directive ``metric-table``: what `gazesal.METRICS` says of each metric."""

import math

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal import METRICS, Metric

HEADER = (
    "Metric",
    "Compares with",
    "Range",
    "Better",
    "Chance",
    "Unchanged by",
    "Constant map",
    "Source",
)
NEEDS = {
    None: "",
    "center_bias": ", center bias",
    "other_fixations": ", fixations on other images",
    "baseline": ", baseline density",
}


def invariances(metric: Metric) -> str:
    """What leaves the score as it is, in words."""
    found = []
    if metric.any_monotone_map:
        found.append("any increasing function")
    elif metric.any_affine_map:
        found.append("scaling, shifting")
    elif metric.any_scaled_map:
        found.append("scaling")
    if metric.symmetric:
        found.append("exchange")
    return ", ".join(found) or "nothing"


def bound(value: float) -> str:
    """A number, or infinity, with a typographic minus."""
    text = "\N{INFINITY}" if math.isinf(value) else f"{abs(value):g}"
    return ("\N{MINUS SIGN}" if value < 0 else "") + text


def constant_score(metric: Metric) -> str:
    """Score of a constant map, where there is one to name."""
    if metric.constant_map is None:
        return "a score"
    return "``nan``" if math.isnan(metric.constant_map) else f"{metric.constant_map:g}"


def chance(metric: Metric) -> str:
    """Chance, and whether it is that of noise alone."""
    if math.isnan(metric.chance):
        return "depends"
    return f"{metric.chance:g}" + ("" if metric.chance_of_any_map else " (noise)")


def cells(metric: Metric) -> tuple[str, ...]:
    """One row, as reStructuredText."""
    density = "density with " if "saliency_map" in metric.densities else ""
    gaze = "gaze map" if metric.ground_truth == "map" else "fixations"
    return (
        f":func:`{metric.label} <gazesal.{metric.name}>`",
        density + gaze + NEEDS[metric.needs],
        f"{bound(metric.low)} to {bound(metric.high)}".replace(" ", "\N{NO-BREAK SPACE}"),
        "higher" if metric.higher_is_better else "lower",
        chance(metric),
        invariances(metric),
        constant_score(metric),
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
