"""Comparison of groups of units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gazesal._validation import MOST_RESAMPLES, as_column, as_count
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.caveats import Caveat, caveats_of, order_caveat, warn_of, words_of
from gazesal.stats.design import Design, require_design
from gazesal.stats.interval_methods import (
    DEFAULT_INTERVAL,
    IntervalKind,
    IntervalOptions,
    intervals_of,
    symmetric_bounds,
)
from gazesal.stats.paired_tests import separate_generator
from gazesal.stats.pairing import paired_difference
from gazesal.stats.permutation_tests import least_order_p, order_test
from gazesal.stats.results import ConfidenceInterval, joined, row_of
from gazesal.stats.rounding import all_equal
from gazesal.stats.score_cube import cubes_of
from gazesal.stats.score_table import require_columns
from gazesal.stats.unit_codes import codes_of_column
from gazesal.typing import Float64Array, RandomState

__all__ = ["Subgroups", "compare_subgroups"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subgroups:
    """Mean scores of groups of units, and a test of their differences.

    Attributes
    ----------
    column : str
        Column that splits the units into groups.
    means : dict of ConfidenceInterval
        Interval of the mean score of each group.
    difference : ConfidenceInterval or None
        Welch's t interval of the difference of two groups, the second minus the first by name. It
        is ``None`` with more than two groups.
    statistic : float
        Welch's statistic: the sum of squares of the means of the groups about their common mean,
        each weighted by its own error. It is ``nan`` if a group has one unit or no spread.
    p_value : float
        Share of orders of the group labels with a statistic at least as large.
    """

    column: str
    means: dict[object, ConfidenceInterval]
    difference: ConfidenceInterval | None
    statistic: float
    p_value: float

    def __repr__(self) -> str:
        lines = [f"{self.column} {name}: {mean}" for name, mean in self.means.items()]
        if self.difference is not None:
            lines.append(f"difference: {self.difference}")
        return "\n".join([*lines, f"p = {self.p_value:.2g}"])

    def to_frame(self) -> pd.DataFrame:
        """Return the groups as a table.

        Returns
        -------
        pandas.DataFrame
            One row per group, with the column of the groups and the columns of `interval_table`.

        Raises
        ------
        ValueError
            If the column of the groups has the name of another column.
        """
        rows = [joined({self.column: name}, row_of(mean)) for name, mean in self.means.items()]
        return pd.DataFrame(rows)


def compare_subgroups(
    table: pd.DataFrame,
    design: Design,
    *,
    group: str,
    contrast: str | None = None,
    method: object = None,
    reference: object = None,
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> Subgroups:
    r"""Compute the mean score of each group of units and test whether groups differ.

    With `contrast`, the scores are paired differences of two methods. The test is then a test of
    the interaction: does the lead of one method over the other depend on the group?

    Parameters
    ----------
    table : pandas.DataFrame
        Scores of one metric, one per row, in any order. They are scores of one method unless
        `contrast` is given.
    design : Design
        Column of the units to generalize to, which are split into groups, and columns to average
        over. There must be one column of units, so the claim is about these models and readers.
    group : str
        Column of the groups, such as normal and abnormal, with one value for all rows of a unit.
    contrast : str, optional
        Column of the methods, to compare the differences of two methods.
    method, reference : object, optional
        Values of `contrast`. The difference is the score of `method` minus the score of
        `reference`.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
        Kind of the interval of each group's mean, see `gazesal.stats.interval`.
    confidence_level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples, and of orders of the labels.
    rng : int, numpy.random.Generator or other seed
        Source of resamples and of orders. A Generator is copied and not advanced.

    Returns
    -------
    Subgroups
        Means with intervals, and the test.

    Raises
    ------
    ValueError
        If there is one group, a unit is in several groups, the design has crossed units, whose
        variance this test does not include, or as for `gazesal.stats.interval` and `compare`.
    TypeError
        As for `gazesal.stats.interval`.

    Warns
    -----
    UndefinedMetricWarning
        If an interval or the test is undefined.
    IntervalWarning
        If an interval may cover the truth less often than its level states, as for
        `gazesal.stats.interval`, or the groups are too small for a p-value below the level's error.

    See Also
    --------
    compare : Compare methods on the same units.

    Notes
    -----
    With the means :math:`m_g` of the :math:`n_g` units of group :math:`g`, their variances
    :math:`s_g^2` and :math:`w_g = n_g/s_g^2`, the statistic is :math:`\sum_g w_g (m_g - m)^2` with
    :math:`m = \sum_g w_g m_g/\sum_g w_g`. It is compared with its values under random orders of the
    labels. Each group is weighted by its own error, which keeps the error of the test near its
    level even if the groups have different spreads :footcite:p:`chung2013`. The difference of two
    groups has Welch's interval, with the variance :math:`s_1^2/n_1 + s_2^2/n_2` and the degrees of
    freedom of :footcite:t:`satterthwaite1946`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> score = np.random.default_rng(0).normal(0.55, 0.05, 80)
    >>> score[40:] += 0.03
    >>> table = pd.DataFrame(
    ...     {"image": range(80), "abnormal": ["no"] * 40 + ["yes"] * 40, "score": score}
    ... )
    >>> design = gazesal.stats.Design("image")
    >>> gazesal.stats.compare_subgroups(table, design, group="abnormal", rng=0)
    abnormal no: 0.547 [0.534, 0.560]
    abnormal yes: 0.595 [0.578, 0.613]
    difference: 0.048 [0.027, 0.069]
    p = 0.0003
    """
    require_design(design)
    if len(design.units) > 1:
        first, *others = design.units
        raise ValueError(
            "`design` must have one column of units, which are split into groups, got "
            f"{' x '.join(design.units)}. Name {' and '.join(others)} in `averaged`, for a claim "
            f"about units like these of {first} and about these of {' and '.join(others)} only."
        )
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    n = as_count(n_resamples, name="n_resamples", most=MOST_RESAMPLES)
    generator = separate_generator(rng, why="to sample orders of the labels")
    if contrast is None and not (method is None and reference is None):
        raise ValueError("`contrast` must name the column of `method` and `reference`.")
    parts = _parts_of(table, design, group)
    means: dict[object, ConfidenceInterval] = {}
    values: list[Float64Array] = []
    caveats: list[Caveat] = []
    for name, part in [(None, table), *parts.items()]:
        if contrast is None:
            (cube,) = cubes_of(part, design).values()
        else:
            cube = paired_difference(part, design, contrast, method, reference)
        if name is None:
            continue  # the whole table is only checked
        (means[name],) = intervals_of(cube, options.restarted(), names=design.units)
        caveats += caveats_of(cube, options, design.units, [f"{group} {name}"])
        values.append(cube.unit_means())
    sizes = [each.size for each in values]
    codes = np.repeat(np.arange(len(values)), sizes)
    statistic, p_value = order_test(np.concatenate(values), codes, n, generator)
    if math.isnan(statistic):
        warn(
            "The test of the groups is undefined: a group has one unit, or no spread.",
            UndefinedMetricWarning,
        )
    caveats += order_caveat(least_order_p(sizes, n), options.confidence_level)
    warn_of(words_of(caveats, len(values), options))
    difference = None
    if len(values) == 2:
        difference = _welch(values[0], values[1], options.confidence_level, design.units[0])
    return Subgroups(
        column=group, means=means, difference=difference, statistic=statistic, p_value=p_value
    )


def _parts_of(table: pd.DataFrame, design: Design, group: str) -> dict[object, pd.DataFrame]:
    """Split a table by group, sorted by the names of the groups."""
    unit = design.units[0]
    require_columns(table, [unit, as_column(group, name="group")])
    codes, names = codes_of_column(table[group], name=group)
    if len(names) < 2:
        raise ValueError(f"`group` must split the units into two groups or more, got {len(names)}.")
    units, labels = codes_of_column(table[unit], name=unit)
    pairs = np.unique(np.stack([units, codes]), axis=1)
    several = np.flatnonzero(np.bincount(pairs[0]) > 1)
    if several.size:
        raise ValueError(
            f"`group` must be the same in all rows of a unit, got {several.size} units with "
            f"several values of {group}, the first {unit} {labels[several[0]]}."
        )
    return {name: table[codes == code] for code, name in enumerate(names.tolist())}


def _welch(
    first: Float64Array, second: Float64Array, confidence_level: float, unit: str
) -> ConfidenceInterval:
    """Compute Welch's interval of the second mean minus the first.

    ``scipy.stats.ttest_ind`` does not return the standard error. It would also give groups that are
    equal up to rounding a spread.
    """
    estimate = float(second.mean() - first.mean())
    if min(first.size, second.size) == 1:
        variance = degrees = math.nan
    else:
        parts = [
            0.0 if all_equal(each) else float(each.var(ddof=1)) / each.size
            for each in (first, second)
        ]
        variance = sum(parts)
        shares = parts[0] ** 2 / (first.size - 1) + parts[1] ** 2 / (second.size - 1)
        degrees = variance**2 / shares if shares > 0 else math.nan
    error = math.sqrt(variance)
    low, high = symmetric_bounds("t", estimate, error, degrees, confidence_level)
    return ConfidenceInterval(
        estimate=estimate,
        low=low,
        high=high,
        confidence_level=confidence_level,
        interval="t",
        n_scores=first.size + second.size,
        n_clusters=first.size + second.size,
        units=((unit, first.size + second.size),),
        standard_error=error,
        degrees_of_freedom=degrees,
    )
