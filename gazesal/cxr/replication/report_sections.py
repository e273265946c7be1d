"""Sections of the report of a replication: texts and tables, beside the paper's numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from gazesal.cxr.replication import tables
from gazesal.cxr.replication.report_parts import Figure, Section, Table, TableCell, shown
from gazesal.reporting.labels import method_label, metric_label

__all__ = ["TABLES", "sections_of"]

STUDY_FORM = (
    "Intervals as the study prints them: 1.96 standard deviations, pooled over images, readers and "
    "models, divided by the root of the number of images."
)

QUESTIONS = {
    "these": "images are the unit, about these models (t)",
    "like these": "images and models are the units, about models like these (t)",
}
FEW_TRAININGS = 5  # with fewer trainings than the study's, t intervals have few degrees of freedom
TESTS = {  # tests that `tables.differences` makes
    "these": "sign flips of the differences per image",
    "like these": "the t statistic over variance components of images and models",
}

TABLES = (  # names of all tables that a report can have
    "classification",
    "label_aucs",
    "table_1",
    "table_2",
    "table_3",
    "subset_tests",
    "intervals_these",
    "intervals_like_these",
    "differences_these",
    "differences_like_these",
)


def sections_of(
    *, aucs: pd.DataFrame, scores: pd.DataFrame, seed: int, figure: str | None, compared: bool
) -> tuple[list[Section], dict[str, pd.DataFrame]]:
    """Make the sections of a report and its tables by name.

    `compared` means that the tables include the paper's numbers.
    """
    made: dict[str, pd.DataFrame] = {}
    sections = [_classification(aucs, made, compared=compared)]
    for number, words in (("1", "scores"), ("2", "shuffled scores")):
        name = f"table_{number}"
        made[name] = tables.study_table(scores, number)
        laid_out = _beside(made[name], number if compared else None)
        sections.append(Section(name, f"Table {number}: {words}", [STUDY_FORM, laid_out]))
    made["table_3"] = tables.by_subset(scores)
    made["subset_tests"] = tables.subset_tests(scores, seed)
    parts: list[str | Table | Figure] = [
        _subsets(scores),
        _beside(made["table_3"], "3" if compared else None, subset=True),
    ]
    if made["subset_tests"].empty:
        parts.append("Too few images of one kind to compare the two.")
    else:
        parts += [
            "Abnormal minus normal: Welch's interval, and the p-value of a permutation of the "
            f"images' labels, not adjusted for the {len(made['subset_tests'])} comparisons.",
            _differences(made["subset_tests"], "p_value", "p, unadjusted"),
        ]
    sections.append(Section("table_3", "Table 3: normal and abnormal images", parts))
    if figure is not None:
        parts = [_caption(scores), Figure(figure, "Maps of one image, and the scores of all")]
        sections.append(Section("figure_1", "Figure 1: maps of one image", parts))
    for question, table in tables.intervals_by_question(scores, seed).items():
        name = f"intervals_{question.replace(' ', '_')}"
        made[name] = table
        heading = f"Intervals: {QUESTIONS[question]}"
        few = _few_trainings(scores) if question == "like these" else ""
        sections.append(Section(name, heading, [*filter(None, [few]), _beside(table, None)]))
    for question, table in tables.differences(scores, seed).items():
        name = f"differences_{question.replace(' ', '_')}"
        made[name] = table
        heading = f"Differences from {tables.BEST}, paired by image: models {question}"
        words = (
            f"The p-values are from {TESTS[question]}, adjusted by Holm's method for the "
            f"{len(table)} comparisons. Equivalence (two one-sided tests) is adjusted in the same "
            "way. The margins are examples chosen by gazesal, not by the study. A claim of "
            "equivalence needs a margin with a reason, stated beforehand. The intervals are not "
            "adjusted. If an interval and an adjusted p-value disagree, the p-value counts."
        )
        few = f" {_few_trainings(scores)}" if question == "like these" else ""
        parts = [(words + few).rstrip(), _differences(table, "p_adjusted", "p, Holm")]
        sections.append(Section(name, heading, parts))
    if undefined := _undefined(scores):
        sections.append(Section("undefined", "", [undefined]))
    return sections, made


def _classification(
    aucs: pd.DataFrame, made: dict[str, pd.DataFrame], *, compared: bool
) -> Section:
    """Make the section of mean AUCs, beside the paper's, and of the AUC of each label."""
    heading = "Classification"
    if aucs.empty:
        return Section("classification", heading, ["No test images with labels."])
    made["classification"] = tables.classification_table(aucs)
    made["label_aucs"] = aucs
    first = aucs["training"].min()
    wide: dict[str, dict[str, TableCell]] = {}
    for row in aucs[aucs["training"] == first].to_dict("records"):
        wide.setdefault(row["label"], {"positive images": TableCell(str(row["n_positive"]))})
        cell = _cell(row["auc"], row["low"], row["high"])
        wide[row["label"]][tables.NETWORKS[row["network"]]] = cell
    parts: list[str | Table | Figure] = [
        f"AUC of the test images, averaged over the labels{_over_trainings(aucs)}",
        _beside(made["classification"], "auc" if compared else None, corner="Network"),
        f"AUC of each label, training {first}, with intervals over patients. In the row of the "
        "mean, the positive images are the images with any of the labels.",
        Table("Label", wide),
    ]
    return Section("classification", heading, parts)


def _over_trainings(aucs: pd.DataFrame) -> str:
    """Describe the trainings over which AUCs are averaged, and the width of a t interval."""
    n = aucs["training"].nunique()
    if n == 1:
        return ", of one training, which has no interval over trainings."
    wider = student.ppf(0.975, n - 1) / 1.96
    return (
        f", and over {n} trainings. The interval is the study's: 1.96 standard deviations of the "
        f"{n} values, divided by the root of {n}. It covers less than 95%. A t interval of the "
        f"same values is {wider:.1f} times as wide."
    )


def _caption(scores: pd.DataFrame) -> str:
    """Describe the scores in the figure, which the scoring step of the first training draws."""
    words = "The intervals in the figure are over images"
    n = scores["model"].nunique()
    if n == 1:
        return f"{words} and differ from the intervals of the tables."
    return (
        f"{words} and of the first training alone. The numbers of the tables are over all {n} "
        "trainings."
    )


def _few_trainings(scores: pd.DataFrame) -> str:
    """Return a caution about t intervals over few trainings, or an empty text."""
    n = scores["model"].nunique()
    if n >= FEW_TRAININGS:
        return ""
    degrees = "one degree" if n == 2 else f"{n - 1} degrees"
    return (
        f"With {n} trainings, the variance between trainings has {degrees} of freedom. Such t "
        "intervals are wide and may extend beyond the range of the metric."
    )


def _beside(
    table: pd.DataFrame, number: str | None, *, subset: bool = False, corner: str = "Map"
) -> Table:
    """Lay out a table as in the study, with the paper's numbers beside ours if there are any."""
    paper = {}
    if number is not None:
        for row in tables.paper_table(number).to_dict("records"):
            key = (row["subset"], row["method"], row["metric"])
            paper[key] = _cell(*(row[name] for name in tables.SIZE))
    wide: dict[str, dict[str, TableCell]] = {}
    for row in table.to_dict("records"):
        kind = str(row["subset"]) if subset else ""
        name = method_label(str(row["method"])) + (f", {kind}" if kind else "")
        cells = wide.setdefault(name, {})
        metric = metric_label(str(row["metric"]))
        cells[metric] = _cell(row["estimate"], row["low"], row["high"])
        if paper:
            cells[f"{metric}, paper"] = paper.get(
                (kind, row["method"], row["metric"]), TableCell("")
            )
    return Table(f"{corner}, images" if subset else corner, wide)


def _subsets(scores: pd.DataFrame) -> str:
    counts = scores.drop_duplicates("image")["abnormal"].value_counts()
    normal, abnormal = int(counts.get(False, 0)), int(counts.get(True, 0))
    return (
        f"{normal} normal and {abnormal} abnormal images. An image is abnormal if most readers "
        f"found an abnormality. {STUDY_FORM}"
    )


def _differences(table: pd.DataFrame, p_column: str, p_head: str) -> Table:
    wide = {}
    for row in table.to_dict("records"):
        name = f"{method_label(str(row['method']))}, {metric_label(str(row['metric']))}"
        cells = {"difference": _cell(row["estimate"], row["low"], row["high"], sign=True)}
        cells[p_head] = TableCell(f"{row[p_column]:.2g}")
        if "margin" in row:
            found = "shown" if row["equivalent"] else "not shown"
            cells["equivalence"] = TableCell(f"within {row['margin']:g}: {found}")
        wide[name] = cells
    return Table("Map, metric", wide)


def _undefined(scores: pd.DataFrame) -> str:
    """Count the undefined scores, which the means leave out."""
    lost = scores[scores["score"].isna()]
    if lost.empty:
        return ""
    counts = lost.groupby(["method", "metric"], as_index=False).agg(n=("image", "size"))
    listed = ", ".join(
        f"{method_label(row['method'])} {metric_label(row['metric'])} {row['n']}"
        for row in counts.to_dict("records")
    )
    return f"Undefined scores, of constant maps, are left out: {listed}."


def _cell(estimate: float, low: float, high: float, *, sign: bool = False) -> TableCell:
    if np.isnan(estimate):
        return TableCell("")
    bounds = "" if np.isnan(low) else f"[{shown(low, sign=sign)}, {shown(high, sign=sign)}]"
    return TableCell(shown(estimate, sign=sign), bounds)
