"""P-values, equivalence and effect sizes of paired differences."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gazesal._validation import as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.interval_methods import (
    RESAMPLED,
    BoundsAt,
    IntervalOptions,
    bounds_of,
    symmetric_bounds,
)
from gazesal.stats.multiplicity import Adjustment, adjust_p_values
from gazesal.stats.pairing import Pair
from gazesal.stats.permutation_tests import sign_flips
from gazesal.stats.results import ConfidenceInterval, Equivalence
from gazesal.stats.rounding import all_equal
from gazesal.stats.score_cube import ScoreCube, with_same_units
from gazesal.typing import RandomState

__all__ = ["as_margin", "effect", "equivalences", "p_values", "separate_generator", "t_test"]

HALVINGS = 40  # of the range of a p-value, to a precision of 1e-12


def as_margin(
    margin: float | Mapping[Any, float] | None, groups: tuple[str, ...], confidence_level: float
) -> float | Mapping[Any, float] | None:
    """Check and return a margin, or one for each value of the column that splits the table."""
    if margin is None:
        return None
    if confidence_level <= 0.5:  # twice its error is 1 or more
        raise ValueError(
            f"`confidence_level` must be above 0.5 with `margin`, got {confidence_level!r}."
        )
    if isinstance(margin, Mapping) and len(groups) != 1:
        raise ValueError(f"`margin` must be one number unless `by` is one column, got {margin!r}.")
    for value in margin.values() if isinstance(margin, Mapping) else [margin]:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"`margin` must be a number, got {value!r}.")
        if not 0 < value < math.inf:
            raise ValueError(f"`margin` must be positive and finite, got {value!r}.")
    return margin


def separate_generator(rng: RandomState | None, *, why: str) -> np.random.Generator:
    """Make a generator with another stream than the bootstrap, which starts at the same seed."""
    generator = copy.deepcopy(as_generator(rng, why=why))
    return np.random.default_rng(int(generator.integers(2**63)))


def p_values(
    cubes: Mapping[Pair, ScoreCube],
    found: Mapping[Pair, ConfidenceInterval],
    n: int,
    rng: RandomState | None,
) -> dict[Pair, tuple[float, str]]:
    """Compute the two-sided p-value of each difference, and name its test."""
    tests: dict[Pair, tuple[float, str]] = {}
    for pairs, stack in with_same_units(cubes):
        k = stack.shape[0]
        if min(stack.shape) == 1:
            tests.update(dict.fromkeys(pairs, (math.nan, "undefined")))
        elif len(stack.shape) > 2 and stack.sizes is not None:
            warn(
                "The p-value is undefined: there is no test of weighted scores of three crossed "
                "kinds of units. Average over one kind.",
                UndefinedMetricWarning,
            )
            tests.update(dict.fromkeys(pairs, (math.nan, "undefined")))
        elif len(stack.shape) > 1:
            tests.update({pair: (t_test(found[pair]), "t") for pair in pairs})
        else:
            generator = None
            if k >= n.bit_length() or 2**k > n:
                generator = separate_generator(rng, why=f"to sample sign patterns of {k} units")
            shares, exact = sign_flips(stack.means[:, 0, 0, :], n, generator)
            name = "all sign flips" if exact else "random sign flips"
            tests.update(
                {pair: (share, name) for pair, share in zip(pairs, shares.tolist(), strict=True)}
            )
    return tests


def t_test(difference: ConfidenceInterval) -> float:
    """Compute the two-sided p-value of a zero mean, by the distribution of its interval."""
    p_value = 2 * _beyond(abs(difference.estimate), difference)
    return p_value if math.isnan(p_value) else min(1.0, p_value)


def _beyond(distance: float, difference: ConfidenceInterval) -> float:
    """Compute the probability that t or a normal deviate exceeds `distance` / standard error."""
    from scipy.special import ndtr, stdtr  # noqa: PLC0415  (slow to import)

    error = difference.standard_error
    if math.isnan(error):
        return math.nan
    if error == 0:
        return 0.5 if distance == 0 else float(distance < 0)
    if difference.interval == "normal":
        return float(ndtr(-distance / error))
    return float(stdtr(difference.degrees_of_freedom, -distance / error))


def equivalences(
    cubes: Mapping[Pair, ScoreCube],
    found: Mapping[Pair, ConfidenceInterval],
    margin: float | Mapping[Any, float] | None,
    options: IntervalOptions,
    adjust: Adjustment,
) -> dict[Pair, Equivalence]:
    """Test each difference against its margin on both sides, by the kind of its interval."""
    values = {pair.group[0] for pair in cubes if pair.group}
    unknown = [key for key in margin if key not in values] if isinstance(margin, Mapping) else []
    if unknown:
        raise ValueError(
            f"`margin` must have values of {', '.join(sorted(map(str, values)))} only, got "
            f"{', '.join(map(repr, unknown))}."
        )
    margins: dict[Pair, float] = {}
    for pair in cubes:
        if isinstance(margin, Mapping):
            if pair.group[0] not in margin:
                raise ValueError(f"`margin` must have a value for {pair.group[0]}, got {margin!r}.")
            margins[pair] = float(margin[pair.group[0]])
        elif margin is not None:
            margins[pair] = float(margin)
    bounds = _bounds_by_pair(cubes, found, options) if margins else {}
    p_values = [
        _resampled_p(bounds[pair], within, options)
        if options.interval in RESAMPLED
        else max(_beyond(within + side * found[pair].estimate, found[pair]) for side in (1, -1))
        for pair, within in margins.items()
    ]
    adjusted = adjust_p_values(np.array(p_values), method=adjust).tolist()
    tested = {}
    for (pair, within), p, p_adjusted in zip(margins.items(), p_values, adjusted, strict=True):
        low, high = bounds[pair](2 * options.confidence_level - 1)
        tested[pair] = Equivalence(
            margin=within,
            low=low,
            high=high,
            p_value=p,
            p_adjusted=p_adjusted,
            shown=bool(p_adjusted < 1 - options.confidence_level),
        )
    return tested


def _bounds_by_pair(
    cubes: Mapping[Pair, ScoreCube],
    found: Mapping[Pair, ConfidenceInterval],
    options: IntervalOptions,
) -> dict[Pair, BoundsAt]:
    """Return the bounds of each difference at any level, from the resamples of its interval."""
    if options.interval not in RESAMPLED:
        return {
            pair: partial(
                symmetric_bounds, d.interval, d.estimate, d.standard_error, d.degrees_of_freedom
            )
            for pair, d in found.items()
        }
    bounds: dict[Pair, BoundsAt] = {}
    for pairs, stack in with_same_units(cubes):
        if min(stack.shape) == 1:
            bounds.update(dict.fromkeys(pairs, _undefined))
            continue
        bounds.update(zip(pairs, bounds_of(stack, options.restarted()), strict=True))
    return bounds


def _undefined(_level: float) -> tuple[float, float]:
    """Return the bounds of one unit."""
    return math.nan, math.nan


def _resampled_p(bounds_at: BoundsAt, margin: float, options: IntervalOptions) -> float:
    """Find the least error at which both one-sided bounds lie within the margin.

    It is at least 1 / (number of resamples + 1).
    """
    if math.isnan(bounds_at(0.0)[0]):
        return math.nan

    def lies_within(error: float) -> bool:
        """Return whether the interval at this one-sided error lies within the margin."""
        low, high = bounds_at(1 - 2 * error)
        return -margin < low and high < margin

    low, high = 1 / (options.n_resamples + 1), 1.0
    if lies_within(low):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if lies_within(middle) else (middle, high)
    return high


def effect(cube: ScoreCube) -> tuple[float, float]:
    """Compute the standardized mean difference of the units, and the share of positive ones."""
    units = cube.unit_means()
    higher = float(np.mean((units > 0) + 0.5 * (units == 0)))
    if units.size < 2 or all_equal(units):
        return math.nan, higher
    return float(units.mean() / units.std(ddof=1)), higher
