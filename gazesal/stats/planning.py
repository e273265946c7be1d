"""Sizes of studies for intervals of a given half-width."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import pandas as pd

from gazesal._validation import as_count, as_float
from gazesal.stats.design import as_columns
from gazesal.stats.half_width import as_assurance, error_parts, quantile_of_half_width
from gazesal.stats.interval_methods import as_confidence_level
from gazesal.stats.variance import VarianceComponents

__all__ = ["plan_study"]

ROUNDING = 1e-9  # relative, of the lower bound of the half-widths of a range
LARGEST = 1e150  # largest half-width, so that its square is finite


def plan_study(
    parts: VarianceComponents,
    half_width: float,
    *,
    units: str,
    sizes: Mapping[str, Iterable[int]] | None = None,
    fixed: Sequence[str] | str = (),
    confidence_level: float = 0.95,
    assurance: float | None = None,
    most: int = 1_000_000,
) -> pd.DataFrame:
    """Find the number of units that a study needs for an interval of a given half-width.

    Parameters
    ----------
    parts : VarianceComponents
        Components of scores like the scores to come. To plan a comparison, use the components of
        the differences of the methods.
    half_width : float
        Wanted half-width, in the unit of the scores, positive.
    units : str
        Column whose number of units is searched for, such as the image.
    sizes : dict of iterable of int, optional
        Numbers of units of other columns to try, such as ``{"reader": [1, 3, 5]}``. By default a
        column keeps its number.
    fixed : str or sequence of str, optional
        Columns not to generalize over.
    confidence_level : float, default 0.95
        Confidence level.
    assurance : float, optional
        Probability with which the study reaches the half-width, such as 0.8. By default the study
        reaches it only on average, and 40 to 48 % of studies exceed it.
    most : int, default 1000000
        Largest number of units to try, 2 or more.

    Returns
    -------
    pandas.DataFrame
        One row per combination of `sizes`, with the number of units of every column and half_width.
        It is the expected half-width, or the half-width reached with the probability `assurance`.
        Number and half-width are missing if no number up to `most` is enough, because the variance
        of the other columns alone is too large.

    Raises
    ------
    ValueError
        If `half_width` is not positive and finite, `assurance` is not between 0 and 1, a column is
        not a column of `parts`, `units` is in `fixed` or in `sizes`, or a size is too small.
    TypeError
        If `parts` is not a `VarianceComponents`, or a size is not an integer.

    See Also
    --------
    variance_components : Compute the components from a table of scores.

    Notes
    -----
    The smallest sufficient number is returned. A larger number may be too few, if another column
    has very few units. Its degrees of freedom then dominate the degrees of freedom by
    :footcite:t:`satterthwaite1946` as the number grows, and Student's quantile may increase by more
    than the standard error decreases. This is a property of the approximate interval, as more units
    never carry less information. Plan more units of the other column in this case.

    The variance found by a study is distributed about the expected variance like chi-squared
    divided by its degrees of freedom, and `assurance` uses a quantile of it. The error of the
    components is not included.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> parts = gazesal.stats.VarianceComponents(
    ...     units={"image": 91, "reader": 5},
    ...     components={"image": 0.008, "reader": 0.0002, "image:reader": 0.02},
    ...     mean_squares={},
    ...     degrees_of_freedom={},
    ... )
    >>> sizes = {"reader": [3, 5, 10, 20]}
    >>> plan = gazesal.stats.plan_study(parts, 0.02, units="image", sizes=sizes)
    >>> print(plan[["reader", "image"]].to_string(index=False))
     reader  image
          3   <NA>
          5    324
         10    127
         20     99

    With a probability of 0.9 to reach the half-width:

    >>> sure = gazesal.stats.plan_study(
    ...     parts, 0.02, units="image", sizes={"reader": [5, 10, 20]}, assurance=0.9
    ... )
    >>> print(sure[["reader", "image"]].to_string(index=False))
     reader  image
          5   <NA>
         10    174
         20    118
    """
    if not isinstance(parts, VarianceComponents):
        raise TypeError(
            f"`parts` must be the result of `variance_components`, got {type(parts).__name__}."
        )
    real = isinstance(half_width, numbers.Real) and not isinstance(half_width, bool)
    if not (real and 0 < as_float(half_width, name="half_width") <= LARGEST):
        raise ValueError(f"`half_width` must be a positive, finite number, got {half_width!r}.")
    if not isinstance(units, str) or units not in parts.units:
        raise ValueError(f"`units` must be one of {', '.join(parts.units)}, got {units!r}.")
    held = as_columns(fixed, name="fixed")
    if units in held:
        raise ValueError(f"`fixed` must not include {units}, whose number is searched for.")
    confidence_level, assurance = as_confidence_level(confidence_level), as_assurance(assurance)
    most = as_count(most, name="most", least=2, most=2**53)
    others = _others(sizes, units)
    rows = []
    for values in product(*others.values()):
        chosen = dict(zip(others, values, strict=True))
        wanted = _Wanted(float(half_width), confidence_level, assurance)
        found = _smallest(parts, wanted, units, chosen, held, most)
        planned = {**parts.units, **chosen, units: pd.NA if found is None else found}
        width = (
            math.nan
            if found is None
            else parts.half_width(
                {units: found, **chosen},
                fixed=held,
                confidence_level=confidence_level,
                assurance=assurance,
            )
        )
        rows.append({**planned, "half_width": width})
    names = [*parts.units, "half_width"]
    return pd.DataFrame(rows, columns=names).astype({units: "Int64"})


class _Wanted(NamedTuple):
    """Half-width that a study should reach."""

    half_width: float
    confidence_level: float
    assurance: float | None

    def least_quantile(self, low: float, high: float) -> float:
        """Return a lower bound of half-width / root of variance for a range of degrees of freedom.

        Student's quantile decreases with them. The quantile of chi-squared divided by them
        increases and then decreases, so that its least value is at an end of the range.
        """
        student = quantile_of_half_width(high, self.confidence_level, None)
        if self.assurance is None:
            return student
        ends = [
            quantile_of_half_width(degrees, self.confidence_level, self.assurance)
            / quantile_of_half_width(degrees, self.confidence_level, None)
            for degrees in (low, high)
        ]
        return student * min(ends)


def _others(sizes: Mapping[str, Iterable[int]] | None, units: str) -> dict[str, list[int]]:
    """Check the numbers of units of the other columns."""
    if not (sizes is None or isinstance(sizes, Mapping)):
        raise TypeError(f"`sizes` must be a dictionary of numbers of units, got {sizes!r}.")
    others = {}
    for name, values in (sizes or {}).items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(
                f"`sizes` must hold several numbers for each column, such as [3, 5], got "
                f"{values!r} for {name}."
            )
        others[name] = list(values)
    if units in others:
        raise ValueError(f"`sizes` must not include {units}, whose number is searched for.")
    return others


def _smallest(
    parts: VarianceComponents,
    wanted: _Wanted,
    units: str,
    chosen: Mapping[str, int],
    held: tuple[str, ...],
    most: int,
) -> int | None:
    """Return the smallest number of units from 2 to `most` that reaches the wanted half-width.

    The half-width does not always decrease with the number, but the variance and its divisor do.
    They give a lower bound of the half-widths of a whole range, so that few numbers are tried.
    """

    @cache
    def error(number: int) -> tuple[float, float]:
        """Return the variance of the mean and its divisor."""
        return error_parts(parts.units, parts.components, {units: number, **chosen}, held)

    ranges = [(2, most)]
    while ranges:
        low, high = ranges.pop()
        (widest, _), (variance, divisor) = error(low), error(high)
        if variance == 0:
            least = 0.0
        else:
            degrees = variance**2 / error(low)[1], widest**2 / divisor
            least = wanted.least_quantile(*degrees) * math.sqrt(variance)
        if low == high:
            if least <= wanted.half_width:
                return low
        elif least * (1 - ROUNDING) <= wanted.half_width:
            middle = min(max(math.isqrt(low * high), low), high - 1)
            ranges += [(middle + 1, high), (low, middle)]
    return None
