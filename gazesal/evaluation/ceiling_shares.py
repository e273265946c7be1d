"""Shares of the attainable score that the rows of a summary reach."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pandas as pd

from gazesal._warnings import muted
from gazesal.evaluation.case import ATTAINABLE, CEILINGS, INTEROBSERVER
from gazesal.stats.design import Design
from gazesal.stats.interval_methods import IntervalOptions
from gazesal.stats.normalized import OFFERED, normalized_score

__all__ = ["SHARES", "shares_of_attainable"]

SHARES = ("of_attainable", "of_attainable_low", "of_attainable_high")


def shares_of_attainable(
    summary: pd.DataFrame,
    scores: pd.DataFrame,
    design: Design,
    options: IntervalOptions,
    *,
    ground_truth: str,
) -> pd.DataFrame:
    """Return the mean of each row of a summary divided by the attainable mean, with its interval.

    Both means are over the same units. It is a ratio of means and not a mean of ratios, because
    the attainable score of an image is noisy and can be near 0. Values are NaN without an
    attainable score. A kind of interval that has no ratio is replaced by Fieller's. With the
    ground truth ``"all"``, an observer is scored against fewer observers than a perfect map, so
    that its share is NaN.
    """
    groups = list(summary.columns[: list(summary.columns).index("method")])
    tables = dict(tuple(scores.groupby([*groups, "metric"])))
    interval = options.interval if options.interval in OFFERED else "t"
    with_drop = replace(design, missing="drop")
    without = {*CEILINGS, *([INTEROBSERVER] if ground_truth == "all" else [])}
    shares = pd.DataFrame(float("nan"), index=summary.index, columns=list(SHARES))
    for row in summary.index:
        method, metric = summary.loc[row, ["method", "metric"]]
        if method in without:
            continue
        table = tables.get((*summary.loc[row, groups], metric), scores.head(0))
        # without common images, or with an attainable mean that is not positive, there is no share
        with muted(Warning), suppress(ValueError):
            found = normalized_score(
                table,
                with_drop,
                method=method,
                floor=None,
                ceiling=ATTAINABLE,
                interval=interval,
                confidence_level=options.confidence_level,
                n_resamples=options.n_resamples,
                rng=options.restarted().generator,
            )
            shares.loc[row] = found.estimate, found.low, found.high
    return shares
