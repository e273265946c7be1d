"""Tests and sizes of paired differences."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from gazesal._validation import as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.cells import bunched
from gazesal.stats.comparison_result import Equivalence
from gazesal.stats.multiplicity import Adjustment, adjust_p_values
from gazesal.stats.pairing import Pair
from gazesal.stats.resampling import sign_flips
from gazesal.stats.result import ConfidenceInterval
from gazesal.stats.sample import Sample
from gazesal.typing import RandomState

__all__ = ["as_margin", "effect", "equivalences", "p_values", "t_test"]


def as_margin(
    margin: float | Mapping[Any, float] | None, groups: tuple[str, ...], level: float
) -> float | Mapping[Any, float] | None:
    """Return a margin, or one for each value of the one column that parts the table."""
    if margin is None:
        return None
    if level <= 0.5:  # twice its error is no error
        raise ValueError(f"`level` must be above 0.5 with `margin`, got {level!r}.")
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
        elif len(stack.shape) > 1 and stack.sizes is not None:
            warn(
                "The p-value is undefined: weighted scores of crossed units have no test here.",
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


def t_test(difference: ConfidenceInterval) -> float:
    """Two-sided p-value of a mean that is zero."""
    d, error = difference.estimate, difference.standard_error
    p_value = 2 * _beyond(abs(d), error, difference.degrees_of_freedom)
    return p_value if math.isnan(p_value) else min(1.0, p_value)


def _beyond(distance: float, error: float, degrees: float) -> float:
    """Chance that Student's t exceeds `distance` over `error`."""
    from scipy.special import stdtr  # noqa: PLC0415  (slow to import)

    if math.isnan(error):
        return math.nan
    if error == 0:
        return 0.5 if distance == 0 else float(distance < 0)
    return float(stdtr(degrees, -distance / error))


def equivalences(
    samples: Mapping[Pair, Sample],
    found: Mapping[Pair, ConfidenceInterval],
    margin: float | Mapping[Any, float] | None,
    level: float,
    adjust: Adjustment,
) -> dict[Pair, Equivalence]:
    """Two one-sided tests of each difference against its margin."""
    from scipy.special import stdtrit  # noqa: PLC0415  (slow to import)

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
    p_values = []
    for pair, within in margins.items():
        d = found[pair]
        weighted = samples[pair].sizes is not None and len(samples[pair].shape) > 1
        if weighted and min(samples[pair].shape) > 1:
            raise ValueError("`margin` must be left out with weights of crossed units.")
        sides = (within + d.estimate, within - d.estimate)
        tests = [_beyond(side, d.standard_error, d.degrees_of_freedom) for side in sides]
        p_values.append(max(tests))
    adjusted = adjust_p_values(np.array(p_values), method=adjust).tolist()
    found_equivalences = {}
    for (pair, within), p, p_adjusted in zip(margins.items(), p_values, adjusted, strict=True):
        d = found[pair]
        degrees = 1.0 if math.isnan(d.degrees_of_freedom) else d.degrees_of_freedom
        half = float(stdtrit(degrees, level)) * d.standard_error
        found_equivalences[pair] = Equivalence(
            margin=within,
            low=d.estimate - half,
            high=d.estimate + half,
            p_value=p,
            p_adjusted=p_adjusted,
            shown=bool(p_adjusted < 1 - level),
        )
    return found_equivalences


def effect(sample: Sample) -> tuple[float, float]:
    """Standardised mean difference of the first kind of units, and the share of positive ones."""
    sums = sample.means[..., 0].sum(axis=(1, 2))
    sizes = float(np.prod(sample.shape[1:]))
    units = sums / (sizes if sample.sizes is None else sample.sizes[..., 0].sum(axis=(1, 2)))
    better = float(np.mean((units > 0) + 0.5 * (units == 0)))
    if units.size < 2 or units.min() == units.max():
        return math.nan, better
    return float(units.mean() / units.std(ddof=1)), better
