"""The replication as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._files import write_text
from gazesal.cite import cite
from gazesal.cxr.replication.report_parts import Figure, Section, Table, shown
from gazesal.reporting.html.charts import Scale, axis_svg, interval_svg
from gazesal.reporting.html.content import LIBRARIES, fingerprint_of, setting_rows, versions_of
from gazesal.reporting.html.page import page_template
from gazesal.reporting.labels import method_label, metric_label

__all__ = ["write_page"]

TEMPLATE = "replication.html.jinja"
TRAINED_WITH = ("torch", "lightning", "torchmetrics", "kornia", "scikit-image")
USED = (
    "replicate",
    "train",
    "label_aucs",
    "grad_cam",
    "attention_maps",
    "lung_hull",
    "evaluate",
    "gaze_heatmap",
    "RegisteredCenterBias",
    "interval_table",
    "compare",
    "compare_subgroups",
)
RELEASES = ("Reflacx", "MimicCxrJpg")


def write_page(
    path: Path,
    *,
    title: str,
    notes: Sequence[str],
    facts: Sequence[str],
    sections: Sequence[Section],
    tables: Mapping[str, pd.DataFrame],
    scores: pd.DataFrame,
    settings: Mapping[str, object],
    compared: bool,
) -> None:
    """Write the page atomically. `compared` means that the tables include the paper's numbers."""
    template = page_template("gazesal.cxr.replication", TEMPLATE)
    lines = [*notes]
    if not compared:
        lines.append("The paper's numbers are not shown, because they are of other images")
    used = [*USED, *scores["metric"].unique(), *(RELEASES if compared else ())]
    content = {
        "title": title,
        "note": ". ".join(lines) + "." if lines else "",
        "facts": facts,
        "sections": [_section(section, tables, path.parent) for section in sections],
        "settings": setting_rows(settings),
        "versions": list(versions_of([*LIBRARIES, *TRAINED_WITH]).items()),
        "fingerprint": fingerprint_of(scores),
        "bibtex": cite(*used),
    }
    write_text(path, template.render(**content) + "\n")


def _section(section: Section, tables: Mapping[str, pd.DataFrame], folder: Path) -> dict[str, Any]:
    """Return the content of a section for the template, with charts of its intervals."""
    charts = section.name.startswith("intervals_")
    return {
        "name": section.name.replace("_", "-"),
        "heading": section.heading,
        "blocks": [_block(part, folder) for part in section.parts],
        "charts": _charts(tables[section.name]) if charts else [],
    }


def _block(part: str | Table | Figure, folder: Path) -> dict[str, Any]:
    if isinstance(part, Table):
        return {"table": part, "columns": part.columns}
    if isinstance(part, Figure):
        data = base64.b64encode((folder / part.path).read_bytes()).decode()
        return {"image": f"data:image/png;base64,{data}", "words": part.words}
    return {"text": part}


def _charts(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Draw the intervals of each metric."""
    from markupsafe import Markup

    charts = []
    for metric, rows in table.groupby("metric", sort=False):
        scale = Scale(rows[["estimate", "low", "high"]].to_numpy(np.float64))
        drawn = []
        for row in rows.to_dict("records"):
            label, size = (
                method_label(str(row["method"])),
                [row[n] for n in ("estimate", "low", "high")],
            )
            text = "{} [{}, {}]".format(*map(shown, size))
            words = f"{label}, {metric_label(str(metric))}: {text}"
            svg = interval_svg(scale, *size, chance=np.nan, label=words)
            drawn.append({"label": label, "text": text, "svg": Markup(svg)})  # noqa: S704 (SVG with escaped labels)
        axis = Markup(axis_svg(scale))  # noqa: S704 (SVG with escaped labels)
        charts.append({"label": metric_label(str(metric)), "rows": drawn, "axis": axis})
    return charts
