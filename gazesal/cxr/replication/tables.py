"""Tables of the study, with its own pooled intervals and with intervals that fit the question."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, SEGMENTATION
from gazesal.exceptions import SkippedDataWarning
from gazesal.stats.array_intervals import confidence_interval
from gazesal.stats.comparisons import compare
from gazesal.stats.design import Design
from gazesal.stats.subgroups import compare_subgroups
from gazesal.stats.table_intervals import interval_table

__all__ = [
    "by_subset",
    "classification_table",
    "differences",
    "intervals_by_question",
    "paper_table",
    "study_table",
    "subset_tests",
]

TABLES = {"1": ("ncc", "auc_borji"), "2": ("sncc", "sauc"), "3": ("sncc", "sauc")}
MIXES = ("thresholded", "weighted", "uniform")
ROWS = (
    INTEROBSERVER,
    SEGMENTATION,
    *(f"{network} {mix}" for network in ("woAG", "wAG") for mix in MIXES),
    "AM1",
    "AM2",
)
"""Rows of Tables 1 and 2, in order."""
BEST = "wAG uniform"
SUBSET_ROWS = (INTEROBSERVER, SEGMENTATION, BEST)
NETWORKS = {"sononet": "woAG", "ag_sononet": "wAG"}
MARGIN = {"sncc": 0.02, "sauc": 0.01}
AVERAGED = Design("image", averaged=["reader", "model"], missing="drop", unbalanced="average")
CROSSED = Design(["image", "model"], averaged="reader", missing="drop", unbalanced="average")
SIZE = ["estimate", "low", "high"]


def paper_table(number: str) -> pd.DataFrame:
    """Read a printed table of the study: method, subset, metric, estimate, low, high."""
    with files(__package__).joinpath("paper_tables.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"table": str, "subset": str}, keep_default_na=False)
    return table[table["table"] == number].drop(columns="table").reset_index(drop=True)


def study_table(scores: pd.DataFrame, number: str) -> pd.DataFrame:
    """Make Table 1 or 2: means with the study's pooled intervals, sorted as in the study."""
    part = scores[scores["metric"].isin(TABLES[number])]
    made = interval_table(part, AVERAGED, by=["method", "metric"], interval="study")
    return _ordered(made)


def intervals_by_question(scores: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Compute means with intervals for claims about these models and about models like these."""
    part = scores[~scores["method"].isin([CENTER_BIAS, IN_SAMPLE_BIAS])]
    by = ["method", "metric"]
    made = {
        "these": _ordered(interval_table(part, AVERAGED, by=by, rng=seed)),
    }
    if scores["model"].nunique() > 1:
        complete = _with_every_cell(part)
        made["like these"] = _ordered(interval_table(complete, CROSSED, by=by, interval="t"))
    return made


def _with_every_cell(scores: pd.DataFrame) -> pd.DataFrame:
    """Leave out the images of a method and metric without a defined score of every model.

    Variance components need a score in every cell of image and model. The NCC of a map of zeros is
    undefined, which leaves a cell empty.
    """
    row = ["method", "metric"]
    defined = scores[scores["score"].notna()]
    n_models = defined.groupby([*row, "image"])["model"].nunique().rename("_own")
    models = scores.groupby(row)["model"].nunique().rename("_all")
    found = scores.join(n_models, on=[*row, "image"]).join(models, on=row)
    complete = (found["_own"] == found["_all"]).to_numpy()
    if not complete.all():
        lost = scores.loc[~complete, [*row, "image"]].drop_duplicates()
        counts = lost.groupby(row).size().reset_index()
        named = ", ".join(f"{a} {b}: {n}" for a, b, n in counts.itertuples(index=False))
        warn(
            "Images without a defined score of every model were left out of the tables about "
            f"models like these ({named}).",
            SkippedDataWarning,
        )
    return scores[complete]


def by_subset(scores: pd.DataFrame) -> pd.DataFrame:
    """Make Table 3: abnormal and normal images, with the study's pooled intervals."""
    part = scores[scores["method"].isin(SUBSET_ROWS) & scores["metric"].isin(TABLES["3"])]
    part = part.assign(subset=np.where(part["abnormal"], "abnormal", "normal"))
    made = interval_table(part, AVERAGED, by=["subset", "method", "metric"], interval="study")
    return _ordered(made, ["subset"])


def subset_tests(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Compare abnormal with normal images by a permutation test, per row and metric of Table 3."""
    rows = []
    for metric in TABLES["3"]:
        for method in SUBSET_ROWS:
            part = scores[(scores["method"] == method) & (scores["metric"] == metric)]
            n_images = part.groupby("abnormal")["image"].nunique()
            if len(n_images) < 2 or n_images.min() < 2:
                continue
            found = compare_subgroups(part, AVERAGED, group="abnormal", rng=seed)
            if found.difference is not None:
                size = found.difference
                values = (size.estimate, size.low, size.high, found.p_value)
                rows.append((method, metric, *values))
    return pd.DataFrame(rows, columns=["method", "metric", *SIZE, "p_value"])


def differences(scores: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Compare the readers and the plain network with the study's best maps."""
    methods = [BEST, INTEROBSERVER, "woAG uniform"]
    part = scores[scores["method"].isin(methods) & scores["metric"].isin(MARGIN)]
    options = {"reference": BEST, "by": "metric", "margin": MARGIN, "rng": seed}
    made = {}
    made["these"] = compare(part, AVERAGED, **options).to_frame()  # type: ignore[arg-type]
    if scores["model"].nunique() > 1:
        complete = _with_every_cell(part)
        crossed = compare(complete, CROSSED, independent="model", **options)  # type: ignore[arg-type]
        made["like these"] = crossed.to_frame()
    return made


def classification_table(aucs: pd.DataFrame) -> pd.DataFrame:
    """Average the AUC of each network over its trainings, with the study's interval."""
    rows = []
    for network, part in aucs[aucs["label"] == "mean"].groupby("network", sort=False):
        values = part["auc"].to_numpy(np.float64)
        size = confidence_interval(values, interval="study") if len(values) > 1 else None
        low, high = (np.nan, np.nan) if size is None else (size.low, size.high)
        rows.append((NETWORKS[str(network)], "AUC", float(values.mean()), low, high))
    return pd.DataFrame(rows, columns=["method", "metric", *SIZE])


def _ordered(table: pd.DataFrame, first: list[str] | None = None) -> pd.DataFrame:
    """Sort the rows as in the study's tables, then other rows by name."""
    first = first or []
    metrics = [*TABLES["1"], *TABLES["2"]]
    places = {name: i for i, name in enumerate(ROWS)}
    keyed = table.assign(
        _row=table["method"].map(lambda name: places.get(name, len(places))),
        _metric=table["metric"].map(metrics.index),
    )
    by = [*first, "_row", "method", "_metric"]
    return keyed.sort_values(by).drop(columns=["_row", "_metric"]).reset_index(drop=True)
