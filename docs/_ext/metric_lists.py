"""The lists of metrics in the reference, which follow the registry."""

from pathlib import Path

from gazesal import METRICS

HEADINGS = {
    "map": "Metrics of gaze maps. The shuffled metrics take the center bias as third argument.",
    "points": "Metrics of fixations.",
}


def metric_lists() -> str:
    """Return the lists of metrics by their ground truth, as reStructuredText."""
    # autosummary reads the file on its own, without the module named on the page that includes it.
    parts = [".. currentmodule:: gazesal\n"]
    for kind, heading in HEADINGS.items():
        names = [metric.name for metric in METRICS.values() if metric.ground_truth == kind]
        lines = [heading, "", ".. autosummary::", "   :toctree: generated", "   :nosignatures:", ""]
        parts.append("\n".join([*lines, *(f"   {name}" for name in names), ""]))
    return "\n".join(parts)


def write_metric_lists(path: Path) -> None:
    """Write the lists into a file, which the page of the reference includes."""
    text = metric_lists()
    if not path.is_file() or path.read_text("utf-8") != text:  # unchanged files are not built again
        path.write_text(text, "utf-8")
