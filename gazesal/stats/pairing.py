"""Scores of two methods, paired where they are of the same units."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal._validation import as_column
from gazesal.stats.design import Design
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import sample_of
from gazesal.stats.score_table import Rows, changes, refuse_undefined, sorted_rows
from gazesal.typing import Float64Array

__all__ = ["Pair", "differences", "paired_differences", "pairs_of"]


class Pair(NamedTuple):
    """Which difference a sample holds."""

    group: tuple[Hashable, ...]
    method: Hashable
    reference: Hashable

    def __str__(self) -> str:
        return ", ".join(map(str, [*self.group, f"{self.method} - {self.reference}"]))


def differences(
    table: pd.DataFrame,
    design: Design,
    contrast: str,
    reference: object,
    groups: tuple[str, ...],
) -> tuple[dict[Pair, Sample], dict[Pair, int]]:
    """Samples of paired differences, and how many scores each left out for want of a partner."""
    # contrast last among the parts of the design, so that the rows of one place are neighbors
    inner = Design(
        design.units,
        averaged=(*design.averaged, contrast),
        nested=design.nested,
        score=design.score,
        weights=design.weights,
        unbalanced=design.unbalanced,
        missing=design.missing,
    )
    rows = sorted_rows(table, inner, parts=groups)
    names = rows.labels[-1].tolist()
    pairs = pairs_of(names, reference, contrast)
    samples: dict[Pair, Sample] = {}
    unpaired: dict[Pair, int] = {}
    for first, last in pairwise(changes(rows.codes[: len(groups)])):
        group = tuple(rows.labels[i][rows.codes[i, first]] for i in range(len(groups)))
        part = rows._replace(
            codes=rows.codes[:, first:last],
            scores=rows.scores[first:last],
            weights=None if rows.weights is None else rows.weights[first:last],
        )
        wide = _Wide.of(part, len(groups), len(names))
        for method, other in pairs:
            a, b = names.index(method), names.index(other)
            if not (wide.present[a].any() and wide.present[b].any()):
                continue  # a metric that one of them does not have
            pair = Pair(group, method, other)
            samples[pair], unpaired[pair] = wide.difference(a, b, design, pair)
    if not samples:
        raise ValueError(f"`{contrast}` must hold two values to compare, got {names!r}.")
    return samples, unpaired


def pairs_of(
    names: Sequence[Hashable], reference: object, contrast: str
) -> list[tuple[Hashable, Hashable]]:
    """Which two values of the contrast are compared: each with the reference, or every pair."""
    if reference is None:
        return [(second, first) for first, second in combinations(names, 2)]
    if reference not in names:
        raise ValueError(
            f"`reference` must be one of {', '.join(map(str, names))} in the column {contrast}, "
            f"got {reference!r}."
        )
    own = names[list(names).index(reference)]  # as the table has it
    return [(method, own) for method in names if method != own]


def paired_differences(
    table: pd.DataFrame, design: Design, contrast: str, method: object, reference: object
) -> Sample:
    """Sample of the paired differences of two methods of a table of one metric."""
    as_column(contrast, name="contrast")
    if not isinstance(table, pd.DataFrame) or contrast not in table:
        raise ValueError(f"`table` must be a frame with the column {contrast}.")
    both = table[table[contrast].isin([method, reference])]
    present = both[contrast].unique().tolist()
    for name, value in (("method", method), ("reference", reference)):
        if value not in present:
            raise ValueError(f"`{name}` must be a value of the column {contrast}, got {value!r}.")
    samples, _ = differences(both, design, contrast, reference, ())
    if not samples:
        raise ValueError(f"`method` and `reference` must differ, got {method!r} twice.")
    (sample,) = samples.values()
    return sample


class _Wide(NamedTuple):
    """Scores of one group: a row for each method, a column for each place that is paired."""

    codes: np.ndarray[Any, Any]  # (K, P) of the places
    labels: tuple[np.ndarray[Any, Any], ...]
    present: np.ndarray[Any, Any]  # (M, P)
    scores: Float64Array  # (M, P)
    weights: Float64Array | None
    resolution: float

    @classmethod
    def of(cls, rows: Rows, n_groups: int, n_methods: int) -> _Wide:
        keys, which = rows.codes[n_groups:-1], rows.codes[-1]
        starts = changes(keys)[:-1]
        place = np.zeros(which.size, np.int64)
        place[starts[1:]] = 1
        place = np.cumsum(place)
        shape = n_methods, len(starts)
        present, scores = np.zeros(shape, bool), np.full(shape, math.nan)
        present[which, place], scores[which, place] = True, rows.scores
        weights = None
        if rows.weights is not None:
            weights = np.full(shape, math.nan)
            weights[which, place] = rows.weights
        labels = rows.labels[n_groups:-1]
        return cls(keys[:, starts], labels, present, scores, weights, rows.resolution)

    def difference(self, a: int, b: int, design: Design, pair: Pair) -> tuple[Sample, int]:
        """Sample of the differences of two methods where both were scored."""
        both = self.present[a] & self.present[b]
        alone = int(np.count_nonzero(self.present[a] ^ self.present[b]))
        if alone and design.missing == "raise":
            raise ValueError(
                f"Each score of {pair.method} must have a partner of {pair.reference}, got {alone} "
                'without; missing="drop" leaves them out and counts them.'
            )
        values = self.scores[a] - self.scores[b]
        refuse_undefined(design, np.isnan(values[both]))
        kept = both & ~np.isnan(values)
        if not kept.any():
            raise ValueError(f"{pair.method} and {pair.reference} must share a unit, got none.")
        weights = None
        if self.weights is not None:
            if np.any(self.weights[a][kept] != self.weights[b][kept]):
                raise ValueError(f"`{design.weights}` must be the same for both scores of a pair.")
            weights = self.weights[a][kept]
        dropped = int(np.count_nonzero(both & ~kept))
        largest = max(float(np.abs(self.scores[i][kept]).max()) for i in (a, b))
        found = sample_of(
            design,
            self.codes[:, kept],
            self.labels,
            values[kept],
            weights,
            dropped,
            slack=self.resolution * largest,
        )
        return found, alone
