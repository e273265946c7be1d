"""Scores as an array with an axis for each kind of unit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from gazesal.stats.design import MOST_UNITS, Design
from gazesal.stats.rounding import merge_ties
from gazesal.stats.score_table import SortedRows, sorted_rows
from gazesal.typing import Float64Array, IntArray

__all__ = ["Key", "ScoreCube", "cube_of", "cubes_of", "with_same_units"]

Key = TypeVar("Key", bound=Hashable)


class ScoreCube(NamedTuple):
    """Scores of C columns in cells of up to three crossed kinds of units."""

    labels: tuple[np.ndarray[Any, Any], ...]  # of each kind of unit, ascending
    sums: Float64Array  # (I, J, L, C): sum of a cell; with nested units (I, J, 1, C), zero-padded
    sizes: Float64Array | None  # same shape: sum of a cell's weights, or None if all are one
    nested_sizes: IntArray | None  # (I,): number of nested units of each unit
    pooled: tuple[Float64Array, ...]  # the scores of each column
    n_dropped: tuple[int, ...]  # number of omitted scores of each column

    @classmethod
    def of_units(cls, means: Float64Array, pooled: Float64Array) -> ScoreCube:
        """Make a cube of one column and one kind of unit from the mean score of each unit."""
        return cls(
            (np.arange(means.size),), means.reshape(-1, 1, 1, 1), None, None, (pooled,), (0,)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of units of each kind."""
        return tuple(len(labels) for labels in self.labels)

    @property
    def means(self) -> Float64Array:
        """Sums of the cells, (I, J, L, C), averaged over nested units."""
        if self.nested_sizes is not None:
            return np.asarray(self.sums.sum(axis=1, keepdims=True))
        return self.sums

    def unit_means(self) -> Float64Array:
        """Return the mean of each unit of the first kind, (I,), in the first column."""
        sums = self.means[..., 0].sum(axis=(1, 2))
        if self.sizes is None:
            return np.asarray(sums / float(np.prod(self.shape[1:])))
        return np.asarray(sums / self.sizes[..., 0].sum(axis=(1, 2)))

    def stacked(self, others: Sequence[ScoreCube]) -> ScoreCube:
        """Append the columns of other cubes of the same units."""
        cubes = (self, *others)
        sizes = [cube.sizes for cube in cubes if cube.sizes is not None]
        return self._replace(
            sums=np.ascontiguousarray(np.concatenate([cube.sums for cube in cubes], axis=-1)),
            sizes=np.ascontiguousarray(np.concatenate(sizes, axis=-1)) if sizes else None,
            pooled=tuple(scores for cube in cubes for scores in cube.pooled),
            n_dropped=tuple(count for cube in cubes for count in cube.n_dropped),
        )

    def split(self) -> list[ScoreCube]:
        """Return a cube for each column."""
        return [
            self._replace(
                sums=np.ascontiguousarray(self.sums[..., c : c + 1]),
                sizes=(
                    None if self.sizes is None else np.ascontiguousarray(self.sizes[..., c : c + 1])
                ),
                pooled=self.pooled[c : c + 1],
                n_dropped=self.n_dropped[c : c + 1],
            )
            for c in range(self.sums.shape[-1])
        ]

    def units_key(self) -> Hashable:
        """Return a key that is equal for cubes of the same units."""
        nested = None if self.nested_sizes is None else tuple(self.nested_sizes.tolist())
        return tuple(tuple(labels.tolist()) for labels in self.labels), nested


def cubes_of(
    table: pd.DataFrame, design: Design, *, by: Sequence[str] = ()
) -> dict[tuple[Hashable, ...], ScoreCube]:
    """Make a cube of each group of a table, sorted by the labels of the groups."""
    cubes = {}
    for key, rows in sorted_rows(table, design, by=by).groups(len(by)):
        kept = np.flatnonzero(~np.isnan(rows.scores))
        if not kept.size:
            group = f" for {', '.join(map(str, key))}" if key else ""
            raise ValueError(f"`{design.score}` must hold a score that is not NaN{group}.")
        cubes[key] = cube_of(rows.take(kept), design, n_dropped=rows.scores.size - kept.size)
    return cubes


def with_same_units(cubes: Mapping[Key, ScoreCube]) -> Iterator[tuple[list[Key], ScoreCube]]:
    """Yield stacked cubes of the same units, which share their resamples, with their keys."""
    stacks: dict[Hashable, list[Key]] = {}
    for key, cube in cubes.items():
        stacks.setdefault(cube.units_key(), []).append(key)
    for keys in stacks.values():
        yield keys, cubes[keys[0]].stacked([cubes[key] for key in keys[1:]])


def cube_of(
    rows: SortedRows, design: Design, *, n_dropped: int, largest: float | None = None
) -> ScoreCube:
    """Average the rows of one group into cells.

    Cells that differ only by the rounding of the scores become equal. `largest` is the largest
    absolute score that the rows were computed from, by default their own.
    """
    scores, weights, n_units = rows.scores, rows.weights, len(design.units)
    slack = rows.resolution * (float(np.abs(scores).max()) if largest is None else largest)
    codes = rows.keys(design)
    present, own = [], []
    for names, code in zip(rows.labels[-len(design.keys) :], codes[:n_units], strict=False):
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
    if weights is None:
        counts = np.bincount(at, minlength=n_cells)
        used_cells = np.ones(n_cells, bool)
        if nested_sizes is not None:
            used_cells = (np.arange(axes[1]) < nested_sizes[:, None]).ravel()
        averaged = codes[n_units + (design.nested is not None) :]
        _refuse_unbalanced(design, averaged, counts[used_cells])
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
    return ScoreCube(
        labels=tuple(present),
        sums=cells,
        sizes=None if sizes is None else sizes.reshape(shape),
        nested_sizes=nested_sizes,
        pooled=(scores,),
        n_dropped=(n_dropped,),
    )


def _nested_places(unit: IntArray, nested: IntArray) -> tuple[IntArray, IntArray]:
    """Return the index of each nested unit within its unit, and the number in each unit."""
    pairs, inverse = np.unique(np.stack([unit, nested]), axis=1, return_inverse=True)
    sizes = np.bincount(pairs[0])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    places = np.arange(pairs.shape[1]) - starts[pairs[0]]
    return places[inverse.ravel()], sizes


def _refuse_weightless(design: Design, sizes: Float64Array) -> None:
    """Raise if the weights of a unit sum to zero."""
    for axis, unit in enumerate(design.units):
        totals = sizes.sum(axis=tuple(other for other in range(sizes.ndim) if other != axis))
        n_zero = int(np.count_nonzero(totals <= 0))
        if n_zero:
            raise ValueError(
                f"`{design.weights}` must have a positive sum for each {unit}, got {n_zero} of "
                f"{totals.size} with zero."
            )


def _refuse_unbalanced(design: Design, averaged: IntArray, counts: IntArray) -> None:
    """Raise if a cell is empty or cells have different sets of the averaged columns."""
    n_empty = int(np.count_nonzero(counts == 0))
    if n_empty:
        raise ValueError(
            f"Crossed units ({' x '.join(design.units)}) must have a score in every cell, got "
            f"{n_empty} of {counts.size} cells empty. Omit the units of these cells, or name "
            "`weights` for a mean over all scores (a column of ones weights scores equally)."
        )
    n_sets = np.unique(averaged, axis=1).shape[1] if averaged.size else 1
    if design.unbalanced == "raise" and counts.min() < n_sets:
        raise ValueError(
            f"Every unit must hold the same set of {', '.join(design.averaged)}, got "
            f"{counts.min()} to {counts.max()} scores per unit and {n_sets} in the whole set. Use "
            'unbalanced="average" for the mean of the scores that each unit has, or `weights` for '
            "the mean of all scores."
        )
