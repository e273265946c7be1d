"""The table of own scores and scores on other images, and its summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazesal.evaluation.case import OTHER_GAZE
from gazesal.evaluation.score_rows import COLUMNS, REGION
from gazesal.stats.comparisons import compare
from gazesal.stats.design import Design, as_columns
from gazesal.stats.interval_methods import IntervalKind
from gazesal.stats.multiplicity import Adjustment
from gazesal.stats.results import Comparison

if TYPE_CHECKING:
    from gazesal.evaluation.options import EvaluationOptions

__all__ = ["CONTROL_COLUMNS", "require_controls_table", "split_controls", "summarize_controls"]

KEYS = ["image", "method", "metric"]
CONTROL_COLUMNS = (*KEYS, "own", "other", "difference")


def split_controls(
    table: pd.DataFrame, options: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Split a table into the scores and the controls, or None without such a control.

    The own score is the mean over the observers left out, without undefined scores.
    """
    if "other_gaze" not in options.controls:
        return table, None
    of_others = table["observer"] == OTHER_GAZE
    scores = table[~of_others].reset_index(drop=True)
    others = table[of_others].drop(columns="observer").rename(columns={"score": "other"})
    own = scores.groupby(KEYS, sort=False)["score"].mean().rename("own")
    found = others.join(own, on=KEYS)
    found["difference"] = found["own"] - found["other"]
    groups = [name for name in table.columns[len(COLUMNS) :] if name != REGION]
    return scores, found[[*CONTROL_COLUMNS, *groups]].reset_index(drop=True)


def summarize_controls(
    controls: pd.DataFrame,
    methods: Sequence[str],
    metrics: Sequence[str],
    *,
    by: Sequence[str] | str,
    unit: str,
    interval: IntervalKind,
    confidence_level: float,
    adjust: Adjustment,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the table of `Evaluation.control_summary`."""
    groups = as_columns(by, name="by")
    own_columns = list(controls.columns[len(CONTROL_COLUMNS) :])
    for name, asked in (("by", groups), ("unit", (unit,) if unit != "image" else ())):
        for column in asked:
            if column not in own_columns:
                raise ValueError(
                    f"`{name}` must name groups of the images, of which there are "
                    f"{', '.join(map(repr, own_columns)) or 'none'}, got {column!r}."
                )
    design = Design("image") if unit == "image" else Design(unit, averaged="image")
    design = replace(design, unbalanced="average", missing="drop")
    keys = [*groups, "method", "metric"]
    defined = controls[controls["difference"].notna()]
    rows = defined.drop(columns=["own", "other", "difference"]).rename(columns={"method": "map"})
    scored = pd.concat(rows.assign(method=name, score=defined[name]) for name in ("own", "other"))
    tests: dict[tuple[object, ...], Comparison] = {}
    if len(scored):
        found = compare(
            scored,
            design,
            reference="other",
            by=(*groups, "map", "metric"),
            interval=interval,
            confidence_level=confidence_level,
            adjust=adjust,
            n_resamples=n_resamples,
            rng=seed,
        )
        tests = {tuple(value for _, value in one.group): one for one in found}
    means = defined.groupby([*keys, *design.units], sort=False)[["own", "other"]].mean()
    means = means.groupby(keys, sort=False).mean()
    counts = defined.groupby(keys, sort=False)["image"].nunique()
    cells = controls[list(groups)].drop_duplicates().sort_values(list(groups)) if groups else None
    table = []
    for group in [()] if cells is None else cells.itertuples(index=False, name=None):
        for cell in product(methods, metrics):
            key = (*group, *cell)
            row: dict[str, object] = dict(zip(keys, key, strict=True))
            test = tests.get(key)
            for name in ("own", "other"):
                row[name] = np.nan if test is None else means.loc[key, name]
            for name in ("estimate", "low", "high"):
                value = np.nan if test is None else getattr(test.difference, name)
                row["difference" if name == "estimate" else name] = value
            for name in ("p_value", "p_adjusted"):
                row[name] = np.nan if test is None else getattr(test, name)
            row["test"] = "undefined" if test is None else test.test
            row["n_images"] = int(counts.get(key, 0))
            row |= {"interval": interval, "confidence_level": confidence_level}
            table.append(row)
    return pd.DataFrame(table)


def require_controls_table(
    controls: pd.DataFrame, scores: pd.DataFrame, options: EvaluationOptions
) -> None:
    """Raise unless a table has the columns of controls, and images and metrics of the scores."""
    if tuple(controls.columns[: len(CONTROL_COLUMNS)]) != CONTROL_COLUMNS:
        raise ValueError(f"it must begin with the columns {', '.join(CONTROL_COLUMNS)}")
    for name in CONTROL_COLUMNS[len(KEYS) :]:
        if controls[name].dtype != np.float64:
            raise TypeError(f"its column {name!r} must be float64, got {controls[name].dtype}")
    known: Mapping[str, Iterable[object]]
    known = {"image": scores["image"], "method": scores["method"], "metric": options.metrics}
    for name, values in known.items():
        foreign = set(controls[name].unique()).difference(values)
        if foreign:
            raise ValueError(f"its {name} {foreign.pop()!r} has no scores")
