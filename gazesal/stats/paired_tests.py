"""Tests and sizes of paired differences."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gazesal._validation import as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.bootstrap import sign_flips
from gazesal.stats.comparison_result import Equivalence
from gazesal.stats.interval_methods import RESAMPLED, BoundsAt, Options, bounds_of, symmetric_bounds
from gazesal.stats.multiplicity import Adjustment, adjust_p_values
from gazesal.stats.pairing import Pair
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import all_equal
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import bunched
from gazesal.typing import RandomState

__all__ = ["as_margin", "effect", "equivalences", "least_p", "p_values", "t_test"]

HALVINGS = 40  # of the range of a p-value, to 1e-12


def as_margin(
    margin: float | Mapping[Any, float] | None, groups: tuple[str, ...], confidence_level: float
) -> float | Mapping[Any, float] | None:
    """Return a margin, or one for each value of the one column that parts the table."""
    if margin is None:
        return None
    if confidence_level <= 0.5:  # twice its error is no error
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


def p_values(
    samples: Mapping[Pair, Sample],
    found: Mapping[Pair, ConfidenceInterval],
    n: int,
    rng: RandomState | None,
) -> dict[Pair, tuple[float, str]]:
    """Two-sided p-value of each difference, and the test it is from."""
    tests: dict[Pair, tuple[float, str]] = {}
    for pairs, stack in bunched(samples):
        k = stack.shape[0]
        if min(stack.shape) == 1:
            tests.update(dict.fromkeys(pairs, (math.nan, "undefined")))
        elif len(stack.shape) > 2 and stack.sizes is not None:
            warn(
                "The p-value is undefined: weighted scores of three crossed kinds of units have no "
                "test here.",
                UndefinedMetricWarning,
                stacklevel=3,
            )
            tests.update(dict.fromkeys(pairs, (math.nan, "undefined")))
        elif len(stack.shape) > 1:
            tests.update({pair: (t_test(found[pair]), "t") for pair in pairs})
        else:
            generator = None
            if k >= n.bit_length() or 2**k > n:
                why = f"to draw sign patterns of {k} units"
                generator = as_generator(copy.deepcopy(rng), name="rng", why=why)
                # apart from the stream of the bootstrap, which starts at the same seed
                generator = np.random.default_rng(int(generator.integers(2**63)))
            shares, exact = sign_flips(stack.means[:, 0, 0, :], n, generator)
            name = "all sign flips" if exact else "random sign flips"
            tests.update(
                {pair: (share, name) for pair, share in zip(pairs, shares.tolist(), strict=True)}
            )
    return tests


def least_p(test: str, n_units: int, n: int) -> float:
    """Return the least p-value of a sign-flip test, of all patterns or of `n` at random."""
    return 2.0 ** (1 - n_units) if test == "all sign flips" else 1 / (n + 1)


def t_test(difference: ConfidenceInterval) -> float:
    """Return the two-sided p-value of a mean that is zero, by the distribution of its interval."""
    p_value = 2 * _beyond(abs(difference.estimate), difference)
    return p_value if math.isnan(p_value) else min(1.0, p_value)


def _beyond(distance: float, difference: ConfidenceInterval) -> float:
    """Return the chance that t, or a normal deviate, exceeds `distance` / standard error."""
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
    samples: Mapping[Pair, Sample],
    found: Mapping[Pair, ConfidenceInterval],
    margin: float | Mapping[Any, float] | None,
    options: Options,
    adjust: Adjustment,
) -> dict[Pair, Equivalence]:
    """Two one-sided tests of each difference against its margin, by the kind of its interval."""
    values = {pair.group[0] for pair in samples if pair.group}
    unknown = [key for key in margin if key not in values] if isinstance(margin, Mapping) else []
    if unknown:
        raise ValueError(
            f"`margin` must have values of {', '.join(sorted(map(str, values)))} only, got "
            f"{', '.join(map(repr, unknown))}."
        )
    margins: dict[Pair, float] = {}
    for pair in samples:
        if isinstance(margin, Mapping):
            if pair.group[0] not in margin:
                raise ValueError(f"`margin` must have a value for {pair.group[0]}, got {margin!r}.")
            margins[pair] = float(margin[pair.group[0]])
        elif margin is not None:
            margins[pair] = float(margin)
    bounds = _bounds_by_pair(samples, found, options) if margins else {}
    p_values = [
        _resampled_p(bounds[pair], within, options)
        if options.interval in RESAMPLED
        else max(_beyond(within + side * found[pair].estimate, found[pair]) for side in (1, -1))
        for pair, within in margins.items()
    ]
    adjusted = adjust_p_values(np.array(p_values), method=adjust).tolist()
    found_equivalences = {}
    for (pair, within), p, p_adjusted in zip(margins.items(), p_values, adjusted, strict=True):
        low, high = bounds[pair](2 * options.confidence_level - 1)
        found_equivalences[pair] = Equivalence(
            margin=within,
            low=low,
            high=high,
            p_value=p,
            p_adjusted=p_adjusted,
            shown=bool(p_adjusted < 1 - options.confidence_level),
        )
    return found_equivalences


def _bounds_by_pair(
    samples: Mapping[Pair, Sample], found: Mapping[Pair, ConfidenceInterval], options: Options
) -> dict[Pair, BoundsAt]:
    """Return bounds of each difference at any level, from the same resamples as its interval."""
    if options.interval not in RESAMPLED:
        return {
            pair: partial(
                symmetric_bounds, d.interval, d.estimate, d.standard_error, d.degrees_of_freedom
            )
            for pair, d in found.items()
        }
    bounds: dict[Pair, BoundsAt] = {}
    for pairs, stack in bunched(samples):
        if min(stack.shape) == 1:
            bounds.update(dict.fromkeys(pairs, _undefined))
            continue
        alone = replace(options, generator=copy.deepcopy(options.generator))
        bounds.update(zip(pairs, bounds_of(stack, alone), strict=True))
    return bounds


def _undefined(_level: float) -> tuple[float, float]:
    return math.nan, math.nan


def _resampled_p(bounds_at: BoundsAt, margin: float, options: Options) -> float:
    """Find the least error at which both one-sided bounds lie within the margin.

    It is at least one over the number of resamples and one.
    """
    if math.isnan(bounds_at(0.0)[0]):
        return math.nan

    def lies_within(error: float) -> bool:
        low, high = bounds_at(1 - 2 * error)
        return -margin < low and high < margin

    low, high = 1 / (options.n_resamples + 1), 1.0
    if lies_within(low):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if lies_within(middle) else (middle, high)
    return high


def effect(sample: Sample) -> tuple[float, float]:
    """Standardized mean difference of the first kind of units, and the share of positive ones."""
    sums = sample.means[..., 0].sum(axis=(1, 2))
    sizes = float(np.prod(sample.shape[1:]))
    units = sums / (sizes if sample.sizes is None else sample.sizes[..., 0].sum(axis=(1, 2)))
    better = float(np.mean((units > 0) + 0.5 * (units == 0)))
    if units.size < 2 or all_equal(units):
        return math.nan, better
    return float(units.mean() / units.std(ddof=1)), better
