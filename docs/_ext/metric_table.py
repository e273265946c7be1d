"""Directives that are filled from the registry of metrics.

``metric-table`` lists the facts about each metric, and ``undefined-metrics`` the inputs for which
its score is ``nan``.
"""

import math
from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gazesal import METRICS, Metric
from gazesal.compat import COMPAT_METRICS

HEADER = (
    "Metric",
    "Compares with",
    "Range",
    "Better",
    "Chance",
    "Unchanged by",
    "Constant map",
    "Recommended for",
    "Source",
)
NEEDS = {
    None: "",
    "center_bias": ", center bias",
    "other_fixations": ", fixations on other images",
    "baseline": ", baseline density",
}


def invariances(metric: Metric) -> str:
    """Describe the changes of the saliency map that do not change the score."""
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
    """Format a number or infinity, with a typographic minus."""
    text = "\N{INFINITY}" if math.isinf(value) else f"{abs(value):g}"
    return ("\N{MINUS SIGN}" if value < 0 else "") + text


def constant_score(metric: Metric) -> str:
    """Format the score of a constant map."""
    if metric.constant_map is None:
        return "a score"
    return "``nan``" if math.isnan(metric.constant_map) else f"{metric.constant_map:g}"


def chance(metric: Metric) -> str:
    """Format the level of chance, with "(noise)" if it holds only for noise."""
    if math.isnan(metric.chance):
        return "depends"
    return f"{metric.chance:g}" + ("" if metric.chance_of_any_map else " (noise)")


def cells(metric: Metric) -> tuple[str, ...]:
    """Return the cells of one row as reStructuredText."""
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
        metric.recommended_for,
        f":footcite:t:`{metric.citation}`",
    )


def list_table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as a list-table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :class: metric-table", ""]
    for row in rows:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines)


class MetricTable(SphinxDirective):
    """A table with one row for each metric, made from the registry when the page is built."""

    def run(self) -> list[nodes.Node]:
        """Write the table as a list-table and parse it."""
        return self.parse_text_to_nodes(list_table([HEADER, *map(cells, METRICS.values())]))


class UndefinedMetrics(SphinxDirective):
    """A table of the inputs for which the score of each metric is ``nan``."""

    def run(self) -> list[nodes.Node]:
        """Write the table as a list-table and parse it."""
        rows = [
            (f":func:`{metric.label} <{module}.{metric.name}>`", metric.undefined_when)
            for module, metrics in (("gazesal", METRICS), ("gazesal.compat", COMPAT_METRICS))
            for metric in metrics.values()
            if metric.undefined_when
        ]
        return self.parse_text_to_nodes(list_table([("Metric", "Undefined for"), *rows]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("metric-table", MetricTable)
    app.add_directive("undefined-metrics", UndefinedMetrics)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
