"""From the rows of a table to cells of units."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from gazesal.stats.design import Design
from gazesal.stats.rounding import merge_ties
from gazesal.stats.sample import MOST_UNITS, Sample
from gazesal.stats.score_table import changes, sorted_rows
from gazesal.typing import Float64Array, IntArray

__all__ = ["Key", "bunched", "sample_of", "samples_of"]

Key = TypeVar("Key", bound=Hashable)


def samples_of(
    table: pd.DataFrame, design: Design, *, by: Sequence[str] = ()
) -> dict[tuple[Hashable, ...], Sample]:
    """Cells of each group of a table, the groups in order of their names."""
    rows = sorted_rows(table, design, parts=by)
    defined = ~np.isnan(rows.scores)
    samples = {}
    for first, last in pairwise(changes(rows.codes[: len(by)])):
        key = tuple(rows.labels[i][rows.codes[i, first]] for i in range(len(by)))
        kept = np.flatnonzero(defined[first:last]) + first
        if not kept.size:
            where = f" for {', '.join(map(str, key))}" if key else ""
            raise ValueError(f"`{design.score}` must hold a score that is not NaN{where}.")
        samples[key] = sample_of(
            design,
            rows.codes[len(by) :, kept],
            rows.labels[len(by) :],
            rows.scores[kept],
            None if rows.weights is None else rows.weights[kept],
            int(last - first - kept.size),
            slack=rows.resolution * float(np.abs(rows.scores[kept]).max()),
        )
    return samples


def bunched(samples: Mapping[Key, Sample]) -> Iterator[tuple[list[Key], Sample]]:
    """Samples with the same units side by side, with their keys: one set of resamples does."""
    bunches: dict[Hashable, list[Key]] = {}
    for key, sample in samples.items():
        bunches.setdefault(sample.same_units(), []).append(key)
    for keys in bunches.values():
        yield keys, samples[keys[0]].stacked([samples[key] for key in keys[1:]])


def sample_of(
    design: Design,
    codes: IntArray,
    labels: Sequence[np.ndarray[Any, Any]],
    scores: Float64Array,
    weights: Float64Array | None,
    n_dropped: int,
    *,
    slack: float,
) -> Sample:
    """Average the rows of one group, sorted by the design's keys, into cells.

    Cells that differ by at most `slack`, the rounding of the scores behind them, become equal.
    """
    n_units = len(design.units)
    present, own = [], []
    for names, code in zip(labels[:n_units], codes[:n_units], strict=True):
        used, inverse = np.unique(code, return_inverse=True)
        present.append(names[used])
        own.append(inverse)
    nested_sizes: IntArray | None = None
    if design.nested is not None:
        place, nested_sizes = _nested_places(own[0], codes[n_units])
        own.append(place)
    axes = tuple(int(code.max()) + 1 for code in own)
    shape = (*axes, *(1,) * (MOST_UNITS - len(axes)), 1)
    at = np.ravel_multi_index(tuple(own), axes)
    n_cells = int(np.prod(axes))
    counts = np.bincount(at, minlength=n_cells)
    used_cells = np.ones(n_cells, bool)
    if nested_sizes is not None:
        used_cells = (np.arange(axes[1]) < nested_sizes[:, None]).ravel()
    if weights is None:
        _refuse_unbalanced(
            design, codes[n_units + (design.nested is not None) :], counts, used_cells
        )
        sums = np.asarray(np.bincount(at, weights=scores, minlength=n_cells), np.float64)
        sums = merge_ties(sums / np.maximum(counts, 1), slack)
        sizes: Float64Array | None = None
    else:
        sums = np.asarray(np.bincount(at, weights=weights * scores, minlength=n_cells), np.float64)
        sizes = np.asarray(np.bincount(at, weights=weights, minlength=n_cells), np.float64)
        _refuse_weightless(design, sizes.reshape(axes))
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums / sizes
        means[sizes == 0] = 0.0
        merged = merge_ties(means, slack)
        sums = np.where(merged == means, sums, merged * sizes)
    cells = sums.reshape(shape)
    if nested_sizes is not None:
        cells = cells / nested_sizes[:, None, None, None]
    return Sample(
        labels=tuple(present),
        sums=cells,
        sizes=None if sizes is None else sizes.reshape(shape),
        nested_sizes=nested_sizes,
        pooled=(scores,),
        n_dropped=(n_dropped,),
    )


def _nested_places(unit: IntArray, nested: IntArray) -> tuple[IntArray, IntArray]:
    """Number each nested unit within its unit; return also how many each unit has."""
    pairs, inverse = np.unique(np.stack([unit, nested]), axis=1, return_inverse=True)
    sizes = np.bincount(pairs[0])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    places = np.arange(pairs.shape[1]) - starts[pairs[0]]
    return places[inverse.ravel()], sizes


def _refuse_weightless(design: Design, sizes: Float64Array) -> None:
    for axis, unit in enumerate(design.units):
        totals = sizes.sum(axis=tuple(other for other in range(sizes.ndim) if other != axis))
        nothing = int(np.count_nonzero(totals <= 0))
        if nothing:
            raise ValueError(
                f"`{design.weights}` must have a positive sum for each {unit}, got {nothing} of "
                f"{totals.size} with zero."
            )


def _refuse_unbalanced(
    design: Design, averaged: IntArray, counts: IntArray, used_cells: np.ndarray[Any, Any]
) -> None:
    counts = counts[used_cells]
    empty = int(np.count_nonzero(counts == 0))
    if empty:
        raise ValueError(
            f"Crossed units ({' x '.join(design.units)}) must have a score in every cell, got "
            f"{empty} of {counts.size} cells empty. Leave out the units of these cells, or name "
            "`weights` for a mean over all scores (a column of ones counts every score alike)."
        )
    sets = np.unique(averaged, axis=1).shape[1] if averaged.size else 1
    if design.unbalanced == "raise" and counts.min() < sets:
        raise ValueError(
            f"Every unit must hold the same set of {', '.join(design.averaged)}, got "
            f"{counts.min()} to {counts.max()} scores where there are {sets} in all; "
            'unbalanced="average" takes the mean of what each unit has, `weights` that of all '
            "scores."
        )
