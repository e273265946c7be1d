"""The replication in words and tables, each number beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gazesal.cxr.replication import tables
from gazesal.reporting.tables import label_of, metric_label

__all__ = ["write_words"]

STUDY_FORM = (
    "Intervals as the study prints them: 1.96 deviations, pooled over images, readers and models, "
    "over the root of the number of images."
)

QUESTIONS = {
    "these": "images are the unit, about these models (BCa)",
    "like these": "images and models are the units, about models like these (t)",
}


def write_words(
    *,
    title: str,
    facts: Sequence[str],
    aucs: pd.DataFrame,
    scores: pd.DataFrame,
    seed: int,
    figure: str | None,
    compared: bool,
) -> tuple[str, dict[str, pd.DataFrame]]:
    """Markdown of the whole, and its tables by name; `compared`: with the paper's beside them."""
    made: dict[str, pd.DataFrame] = {}
    parts = [f"# {title}\n", "\n".join(f"- {fact}" for fact in facts) + "\n"]
    parts.append(_classification(aucs, made, compared=compared))
    for number, words in (("1", "scores"), ("2", "shuffled scores")):
        made[f"table_{number}"] = tables.study_table(scores, number)
        parts.append(f"## Table {number}: {words}\n\n{STUDY_FORM}\n")
        parts.append(_beside(made[f"table_{number}"], number if compared else None))
    made["table_3"] = tables.by_subset(scores)
    parts.append("## Table 3: normal and abnormal images\n")
    parts.append(_subsets(scores))
    parts.append(_beside(made["table_3"], "3" if compared else None, subset=True))
    made["subset_tests"] = tables.subset_tests(scores, seed)
    parts.append("Abnormal less normal; Welch's interval, and a permutation of the labels:\n")
    parts.append(_differences(made["subset_tests"], "p_value"))
    if figure is not None:
        parts.append(f"## Figure 1: maps of one image\n\n![Maps of one image]({figure})\n")
    for name, table in tables.intervals_by_question(scores, seed).items():
        made[f"intervals_{name.replace(' ', '_')}"] = table
        parts.append(f"## Intervals: {QUESTIONS[name]}\n")
        parts.append(_beside(table, None))
    for name, table in tables.differences(scores, seed).items():
        made[f"differences_{name.replace(' ', '_')}"] = table
        parts.append(f"## Differences from {tables.BEST}, paired by image: models {name}\n")
        parts.append(_differences(table, "p_adjusted"))
    parts.append(_undefined(scores))
    return "\n".join(part for part in parts if part), made


def _classification(aucs: pd.DataFrame, made: dict[str, pd.DataFrame], *, compared: bool) -> str:
    """Mean AUCs beside the paper's, and those of each label."""
    if aucs.empty:
        return "## Classification\n\nNo test images with labels.\n"
    made["classification"] = tables.classification_table(aucs)
    made["label_aucs"] = aucs
    own = made["classification"]
    text = (
        "## Classification\n\nAUC of the test images, averaged over the labels; over trainings:\n\n"
    )
    text += _beside(own, "auc" if compared else None) + "\n"
    first = aucs["training"].min()
    text += f"Of each label, training {first}, with intervals over patients:\n\n"
    wide: dict[str, dict[str, str]] = {}
    for row in aucs[aucs["training"] == first].to_dict("records"):
        cell = _cell(row["auc"], row["low"], row["high"])
        wide.setdefault(row["label"], {"positive": str(row["n_positive"])})
        wide[row["label"]][tables.NETWORKS[row["network"]]] = cell
    return text + _markdown(wide, "Label")


def _beside(table: pd.DataFrame, number: str | None, *, subset: bool = False) -> str:
    """A table in the layout of the study's, the paper's numbers beside ours where there are any."""
    paper = {}
    if number is not None:
        for row in tables.paper_table(number).to_dict("records"):
            key = (row["subset"], row["method"], row["metric"])
            paper[key] = _cell(*(row[name] for name in tables.SIZE))
    wide: dict[str, dict[str, str]] = {}
    for row in table.to_dict("records"):
        kind = str(row["subset"]) if subset else ""
        name = label_of(str(row["method"])) + (f", {kind}" if kind else "")
        cells = wide.setdefault(name, {})
        metric = metric_label(str(row["metric"]))
        cells[metric] = _cell(row["estimate"], row["low"], row["high"])
        if paper:
            cells[f"{metric}, paper"] = paper.get((kind, row["method"], row["metric"]), "")
    return _markdown(wide, "")


def _subsets(scores: pd.DataFrame) -> str:
    counts = scores.drop_duplicates("image")["abnormal"].value_counts()
    normal, abnormal = int(counts.get(False, 0)), int(counts.get(True, 0))
    return (
        f"{normal} normal and {abnormal} abnormal images: abnormal where most readers found an "
        f"abnormality. {STUDY_FORM}\n"
    )


def _differences(table: pd.DataFrame, p_column: str) -> str:
    if table.empty:
        return "Too few images of one kind.\n"
    wide = {}
    for row in table.to_dict("records"):
        name = f"{label_of(str(row['method']))}, {metric_label(str(row['metric']))}"
        cells = {"difference": _cell(row["estimate"], row["low"], row["high"], sign=True)}
        cells["p"] = f"{row[p_column]:.2g}"
        if "margin" in row:
            shown = "shown" if row["equivalent"] else "not shown"
            cells["equivalence"] = f"within {row['margin']:g}: {shown}"
        wide[name] = cells
    return _markdown(wide, "")


def _undefined(scores: pd.DataFrame) -> str:
    """How many scores are undefined, which the means leave out."""
    lost = scores[scores["score"].isna()]
    if lost.empty:
        return ""
    counts = lost.groupby(["method", "metric"], as_index=False).agg(n=("image", "size"))
    listed = ", ".join(
        f"{label_of(row['method'])} {metric_label(row['metric'])} {row['n']}"
        for row in counts.to_dict("records")
    )
    return f"Undefined scores, of maps that are constant, are left out: {listed}.\n"


def _cell(estimate: float, low: float, high: float, *, sign: bool = False) -> str:
    form = "{:+.3f}" if sign else "{:.3f}"
    if np.isnan(estimate):
        return ""
    text = form.format(estimate)
    return text if np.isnan(low) else f"{text} [{form.format(low)}, {form.format(high)}]"


def _markdown(wide: Mapping[str, Mapping[str, str]], corner: str) -> str:
    """Rows of cells by column as a Markdown table."""
    columns = list(dict.fromkeys(name for cells in wide.values() for name in cells))
    lines = [f"| {corner} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    lines += [
        f"| {name} | {' | '.join(cells.get(column, '') for column in columns)} |"
        for name, cells in wide.items()
    ]
    return "\n".join(lines) + "\n"
