"""Scores of two methods, paired where their units agree."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from gazesal.stats.design import Design
from gazesal.stats.score_cube import ScoreCube, cube_of
from gazesal.stats.score_table import (
    SortedRows,
    require_contrast,
    require_value,
    run_starts,
    sorted_rows,
)

__all__ = ["Pair", "PairedRows", "paired_difference", "paired_rows"]


class Pair(NamedTuple):
    """Names of two methods in a group of a table."""

    group: tuple[Hashable, ...]
    method: Hashable
    reference: Hashable

    def __str__(self) -> str:
        return ", ".join(map(str, [*self.group, f"{self.method} - {self.reference}"]))


class PairedRows(NamedTuple):
    """Scores of two methods at the same places, where all paired columns agree."""

    method: SortedRows
    reference: SortedRows
    n_unpaired: int  # scores without a partner, which are omitted
    n_dropped: tuple[int, int]  # NaN scores of each; of pairs with a NaN score, if all are paired

    def cubes(self, design: Design) -> tuple[ScoreCube, ScoreCube]:
        """Make the cube of each method."""
        return (
            cube_of(self.method, design, n_dropped=self.n_dropped[0]),
            cube_of(self.reference, design, n_dropped=self.n_dropped[1]),
        )

    def difference(self, design: Design) -> ScoreCube:
        """Make the cube of the differences of scores, if all columns are paired."""
        first, second = self.method, self.reference
        if first.weights is not None and np.any(first.weights != second.weights):
            raise ValueError(f"`{design.weights}` must be the same for both scores of a pair.")
        largest = max(float(np.abs(each.scores).max()) for each in (first, second))
        rows = first._replace(scores=first.scores - second.scores)
        return cube_of(rows, design, n_dropped=self.n_dropped[0], largest=largest)


def paired_rows(
    table: pd.DataFrame,
    design: Design,
    *,
    contrast: str,
    reference: object,
    by: Sequence[str] = (),
    independent: str | None = None,
) -> dict[Pair, PairedRows]:
    """Pair the scores of each two methods where all columns except `independent` agree.

    A NaN score counts as a partner, unless there is a column of independent units. Then a place can
    have several scores of each method, and only the defined ones are partners.
    """
    n_by = len(by)
    rows = sorted_rows(table, design, by=(*by, contrast))
    names = rows.labels[n_by].tolist()
    pairs = _pairs_of(names, reference, contrast)
    paired = [i for i, key in enumerate(design.keys) if key != independent]
    found: dict[Pair, PairedRows] = {}
    for group, own in rows.groups(n_by):
        _, place = np.unique(own.keys(design)[paired], axis=1, return_inverse=True)
        place, n_places = place.ravel(), int(place.max()) + 1
        of_name = {
            names[own.codes[n_by, first]]: np.arange(first, last)
            for first, last in pairwise(run_starts(own.codes[: n_by + 1]))
        }
        undefined = np.isnan(own.scores)
        for pair in pairs:
            if not all(name in of_name for name in pair):
                continue  # such as a metric that one of the methods does not have
            sides = [of_name[name] for name in pair]
            n_nan = [int(np.count_nonzero(undefined[side])) for side in sides]
            partners = sides if independent is None else [side[~undefined[side]] for side in sides]
            counts = [np.bincount(place[side], minlength=n_places) for side in partners]
            shared = (counts[0] > 0) & (counts[1] > 0)
            n_unpaired = sum(int(count[~shared].sum()) for count in counts)
            if n_unpaired and design.missing == "raise":
                raise ValueError(
                    f"Each score of {pair[0]} must have a partner of {pair[1]}, got {n_unpaired} "
                    'without. Use missing="drop" in the design to omit and count them.'
                )
            if independent is None:
                lost = np.zeros(n_places, bool)
                for side in sides:
                    lost[place[side[undefined[side]]]] = True
                n_nan = [int(np.count_nonzero(shared & lost))] * 2
                shared &= ~lost
            if not shared.any():
                raise ValueError(f"{pair[0]} and {pair[1]} must share a unit, got none.")
            first, second = (own.take(side[shared[place[side]]]) for side in partners)
            found[Pair(group, *pair)] = PairedRows(first, second, n_unpaired, (n_nan[0], n_nan[1]))
    if not found:
        raise ValueError(f"`{contrast}` must hold two values to compare, got {names!r}.")
    return found


def paired_difference(
    table: pd.DataFrame, design: Design, contrast: str, method: object, reference: object
) -> ScoreCube:
    """Make the cube of the paired differences of two methods of a table of one metric."""
    require_contrast(table, contrast)
    for name, value in (("method", method), ("reference", reference)):
        require_value(table, contrast, value, name=name)
    both = table[table[contrast].isin([method, reference])]
    (rows,) = paired_rows(both, design, contrast=contrast, reference=reference).values()
    return rows.difference(design)


def _pairs_of(
    names: Sequence[Hashable], reference: object, contrast: str
) -> list[tuple[Hashable, Hashable]]:
    """List the methods that are compared: each with the reference, or every two."""
    if reference is None:
        return [(second, first) for first, second in combinations(names, 2)]
    if reference not in names:
        raise ValueError(
            f"`reference` must be one of {', '.join(map(str, names))} in the column {contrast}, "
            f"got {reference!r}."
        )
    own = names[list(names).index(reference)]  # with the type that it has in the table
    return [(method, own) for method in names if method != own]
