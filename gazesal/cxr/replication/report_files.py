"""Files of the report of a replication: Markdown, one HTML page, and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from gazesal._files import together
from gazesal._text import csv_text, from_csv_cell
from gazesal._warnings import muted
from gazesal.cxr.replication.inputs import ReplicationInputs
from gazesal.cxr.replication.report_page import write_page
from gazesal.cxr.replication.report_parts import markdown_of
from gazesal.cxr.replication.report_sections import TABLES, sections_of
from gazesal.cxr.training.settings import PRESETS, TrainingSettings
from gazesal.cxr.training.trainer_options import options_that_count
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.reporting.html.page import has_report_extra

__all__ = ["nearest_preset", "read_aucs", "read_scores", "write_report"]


def write_report(
    study: ReplicationInputs,
    out: Path,
    *,
    tell: Callable[[str], None],
    title: str,
    facts: Sequence[str],
    scores: pd.DataFrame,
    aucs: pd.DataFrame,
    compared: bool,
) -> tuple[Path, Path | None, dict[str, pd.DataFrame]]:
    """Write the report, its tables and, if its extra is installed, its page.

    Returns
    -------
    report : pathlib.Path
        The Markdown file.
    page : pathlib.Path or None
        The HTML page, if it was written.
    tables : dict of pandas.DataFrame
        Tables by name.
    """
    figure = "score-0/figure.png"
    with muted(UndefinedMetricWarning):  # undefined values are shown as empty cells
        sections, made = sections_of(
            aucs=aucs,
            scores=scores,
            seed=study.seed,
            figure=figure if (out / figure).is_file() else None,
            compared=compared,
        )
    report, page = out / "report.md", out / "report.html"
    with together() as files:
        for name in TABLES:
            path = out / "tables" / f"{name}.csv"
            if name in made:
                files.text(path, csv_text(made[name]))
            else:  # an earlier run with more trainings may have written it
                files.remove(path)
        files.text(report, markdown_of(title, [*study.notes, *facts], sections))
        files.remove(page)  # of an earlier run, with other numbers
    if not has_report_extra():
        tell("no report.html: it needs jinja2 and matplotlib, pip install 'gazesal[report]'")
        return report, None, made
    write_page(
        page,
        title=title,
        notes=study.notes,
        facts=facts,
        sections=sections,
        tables=made,
        scores=scores,
        settings={
            **study.settings.to_dict(),
            "center_bias_rows": study.center_bias_rows,
            "n_readers": study.n_readers,
            "seed": study.seed,
            "trainings": study.n_models,
            **(options_that_count(study.trainer) if study.own is None else {}),
            "weights": "trained here" if study.own is None else "from checkpoints",
        },
        compared=compared,
    )
    return report, page, made


def read_scores(folders: Mapping[int, Path]) -> pd.DataFrame:
    """Read the scores of all trainings into one table."""
    parts = [
        pd.read_csv(folder / "scores.csv", dtype={"image": str}).assign(model=model)
        for model, folder in folders.items()
    ]
    table = pd.concat(parts).reset_index(drop=True)
    return table.assign(image=table["image"].map(from_csv_cell))


def read_aucs(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Read the AUCs of all trainings into one table."""
    parts = []
    for key, folder in folders.items():
        network, _, training = key.rpartition("-")
        table = pd.read_csv(folder / "aucs.csv")
        parts.append(table.assign(network=network, training=int(training)))
    return pd.concat(parts).reset_index(drop=True) if parts else pd.DataFrame()


def nearest_preset(settings: TrainingSettings) -> str:
    """Return the name of the most similar preset, and every setting that differs from it."""
    own = settings.to_dict()
    changes = {}
    for name in PRESETS:
        there = TrainingSettings.preset(name).to_dict()
        changes[name] = {key: own[key] for key in own if own[key] != there[key]}
    name = min(PRESETS, key=lambda each: len(changes[each]))
    listed = ", ".join(f"{key} {value}" for key, value in changes[name].items())
    return f"preset {name}" + (f", but {listed}" if listed else "")
