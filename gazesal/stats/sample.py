"""Scores as cells of units: what intervals and comparisons are computed from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gazesal.typing import Float64Array, IntArray

__all__ = ["MOST_UNITS", "Sample"]

MOST_UNITS = 3


class Sample(NamedTuple):
    """Scores of C columns as cells of up to three kinds of crossed units."""

    labels: tuple[np.ndarray[Any, Any], ...]  # of each kind of unit, ascending
    sums: Float64Array  # (I, J, L, C): sum of a cell; with nested units (I, J, 1, C), zero-padded
    sizes: Float64Array | None  # the same shape: sum of the weights; None where each cell is one
    nested_sizes: IntArray | None  # (I,): how many nested units each unit has
    pooled: tuple[Float64Array, ...]  # the scores of each column
    n_dropped: tuple[int, ...]  # scores left out of each column

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of units of each kind."""
        return tuple(len(labels) for labels in self.labels)

    @property
    def means(self) -> Float64Array:
        """Sums of the cells, (I, J, L, C), nested units averaged."""
        if self.nested_sizes is not None:
            return np.asarray(self.sums.sum(axis=1, keepdims=True))
        return self.sums

    def stacked(self, others: Sequence[Sample]) -> Sample:
        """This sample with the columns of others that have the same units beside its own."""
        every = (self, *others)
        sizes = [each.sizes for each in every if each.sizes is not None]
        return self._replace(
            sums=np.ascontiguousarray(np.concatenate([each.sums for each in every], axis=-1)),
            sizes=np.ascontiguousarray(np.concatenate(sizes, axis=-1)) if sizes else None,
            pooled=tuple(scores for each in every for scores in each.pooled),
            n_dropped=tuple(count for each in every for count in each.n_dropped),
        )

    def columns(self) -> list[Sample]:
        """Samples of one column each."""
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

    def same_units(self) -> Hashable:
        """Equal for samples that can be stacked."""
        nested = None if self.nested_sizes is None else tuple(self.nested_sizes.tolist())
        return tuple(tuple(labels.tolist()) for labels in self.labels), nested
