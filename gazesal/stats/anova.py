"""Variance of the mean of crossed cells, which are complete or have missing cells."""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from gazesal.stats.rounding import ROUNDING
from gazesal.typing import Float64Array

__all__ = ["Anova", "anova", "clustered_error_of_mean"]

MOST_SWEEPS = 1000  # of the fit of two effects by alternating projections
SETTLED = 1e-13  # relative change of a sweep at which the fit ends

Effect = tuple[int, ...]  # the axes of a main effect or a joint effect


class Anova(NamedTuple):
    """Mean squares and degrees of freedom of every effect, main effects first."""

    sizes: tuple[int, ...]
    effects: tuple[Effect, ...]
    mean_squares: Float64Array  # (E, C)
    degrees: Float64Array  # (E,)

    def components(self) -> Float64Array:
        """Compute variance components by the method of moments, (E, C), which may be negative."""
        n_cells = float(np.prod(self.sizes))
        found = []
        for effect in self.effects:
            inside = np.prod([self.sizes[axis] for axis in effect])
            signs = [
                (-1.0) ** (len(other) - len(effect)) if set(effect) <= set(other) else 0.0
                for other in self.effects
            ]
            found.append(np.einsum("e,ec->c", signs, self.mean_squares) * inside / n_cells)
        return np.stack(found)

    def error_of_mean(self) -> tuple[Float64Array, Float64Array]:
        """Compute the variance of the mean and its Satterthwaite degrees of freedom, (C,).

        All axes are random. The variance is a signed sum of mean squares, without the components
        that are estimated below zero.
        """
        kept = self.components() > 0
        n_cells = float(np.prod(self.sizes))
        weights = np.zeros_like(self.mean_squares)
        for row, effect in enumerate(self.effects):
            for other, inner in enumerate(self.effects):
                if set(inner) <= set(effect):
                    weights[row] += (-1.0) ** (len(effect) - len(inner)) * kept[other]
        parts = weights * self.mean_squares / n_cells
        variance = np.maximum(parts.sum(axis=0), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            degrees = variance**2 / (parts**2 / self.degrees[:, None]).sum(axis=0)
        return variance, degrees


def anova(cells: Float64Array) -> Anova:
    """Split the variation of cells (I, [J, [L,]] C) into the effects of the axes."""
    axes = tuple(range(cells.ndim - 1))
    sizes = cells.shape[:-1]
    effects = [effect for n in range(1, len(axes) + 1) for effect in combinations(axes, n)]
    # Centered first, so that squares do not cancel if the mean is large.
    centered = cells - cells.mean(axis=axes, keepdims=True)
    rounding = ROUNDING * np.abs(cells).max(axis=axes)
    mean_squares, degrees = [], []
    for effect in effects:
        shown = centered
        for axis in axes:
            mean = shown.mean(axis=axis, keepdims=True)
            shown = shown - mean if axis in effect else mean
        repeats = np.prod([sizes[axis] for axis in axes if axis not in effect])
        freedom = float(np.prod([sizes[axis] - 1 for axis in effect]))
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = repeats * (shown**2).sum(axis=axes) / freedom
        # An effect as small as rounding is set to zero, or its noise would count as a spread.
        mean_squares.append(np.where(np.abs(shown).max(axis=axes) <= rounding, 0.0, squares))
        degrees.append(freedom)
    return Anova(sizes, tuple(effects), np.stack(mean_squares), np.array(degrees))


def clustered_error_of_mean(
    sums: Float64Array, sizes: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Compute the variance of the weighted mean of two crossed kinds of units.

    Return it with its Satterthwaite degrees of freedom. Cells (I, J, C) of size 0 are missing. The
    variance has the part of the sums of rows, plus the part of the sums of columns, minus the part
    of the cells about both effects (Cameron et al., 2011). With equal sizes it equals the
    variance by `anova`. A kind of unit is omitted if its part is estimated below zero.
    """
    n_rows, n_columns, n_scores = sums.shape
    total = sizes.sum(axis=(0, 1))
    residuals = sums - sums.sum(axis=(0, 1)) / total * sizes
    rounding = ROUNDING * np.abs(sums).max(axis=(0, 1))
    found = np.empty((2, n_scores))
    for c in range(n_scores):
        own, size = residuals[..., c], sizes[..., c]
        n_cells = int(np.count_nonzero(size))
        spare = n_cells - n_rows - n_columns + 1
        joint = size * _about_both_effects(own, size)
        if np.abs(joint).max() <= rounding[c]:
            joint[:] = 0.0
        parts = np.array(
            [
                (own.sum(axis=1) ** 2).sum() * n_rows / (n_rows - 1),
                (own.sum(axis=0) ** 2).sum() * n_columns / (n_columns - 1),
                (joint**2).sum() * n_cells / spare if spare > 0 else np.nan,
            ]
        )
        parts[:2][parts[:2] <= rounding[c] ** 2] = 0.0
        kept = parts[:2] > parts[2]
        terms = np.array([*kept, 1 - kept.sum()]) * parts / total[c] ** 2
        degrees = np.array([n_rows - 1, n_columns - 1, max(spare, 1)])
        with np.errstate(divide="ignore", invalid="ignore"):
            found[:, c] = terms.sum(), terms.sum() ** 2 / (terms**2 / degrees).sum()
    return found[0], found[1]


def _about_both_effects(residuals: Float64Array, sizes: Float64Array) -> Float64Array:
    """Subtract the weighted least-squares effects of rows and columns from cells of means."""
    with np.errstate(invalid="ignore"):
        rest = np.where(sizes > 0, residuals / sizes, 0.0)
    for _ in range(MOST_SWEEPS):
        largest = 0.0
        for axis in (0, 1):
            effect = (sizes * rest).sum(axis=axis, keepdims=True) / sizes.sum(
                axis=axis, keepdims=True
            )
            rest = np.where(sizes > 0, rest - effect, 0.0)
            largest = max(largest, float(np.abs(effect).max()))
        if largest <= SETTLED * np.abs(rest).max():
            break
    return rest
