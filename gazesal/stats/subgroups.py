"""Scores of groups of units, and whether groups differ."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gazesal._validation import MOST_RESAMPLES, as_column, as_count, as_generator
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.bootstrap import permuted_labels
from gazesal.stats.caveats import Caveat, caveats_of, warn_of, words_of
from gazesal.stats.design import Design, require_design
from gazesal.stats.interval_methods import Method, Options, intervals_of
from gazesal.stats.pairing import paired_differences
from gazesal.stats.results import ConfidenceInterval, joined, row_of
from gazesal.stats.rounding import ROUNDING, all_equal
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import samples_of
from gazesal.stats.score_table import codes_of, require_columns
from gazesal.typing import Float64Array, IntArray, RandomState

__all__ = ["Subgroups", "compare_subgroups", "unit_means"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subgroups:
    """Mean scores of groups of units and a test whether the groups differ.

    Attributes
    ----------
    column : str
        Column that parts the units.
    means : dict of ConfidenceInterval
        Of each group.
    difference : ConfidenceInterval or None
        Of two groups, the second less the first by name: Welch's t interval; ``None`` with more.
    statistic : float
        Welch's: the weighted squares of the groups' means about their mean, each weighted by its
        own error; ``nan`` where a group has one unit or no spread.
    p_value : float
        Share of orders of the group labels that have a statistic at least as large.
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
        """Return the groups as a table, one row each.

        Returns
        -------
        pandas.DataFrame
            The column that parts the units, and those of `interval_table`.

        Raises
        ------
        ValueError
            If the column that parts the units has the name of another one.
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
    interval: Method = "t",
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> Subgroups:
    r"""Compute the mean score of each group of units and test whether groups differ.

    With `contrast`, the scores are paired differences of two methods, and the test is that of the
    interaction: whether the one's lead over the other depends on the group.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one metric, and of one method unless `contrast` is named; in any order.
    design : Design
        Which column holds the units to generalize to, which are parted into groups, and which are
        averaged over. There is one column of units: the claim is about these models and readers.
    group : str
        Column of the groups, such as normal and abnormal; the same in all rows of a unit.
    contrast : str, optional
        Column of the methods, to look at the difference of two.
    method, reference : object, optional
        Values of `contrast`: the difference is that of the first less the second.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
        How the interval of each group's mean is made; see `gazesal.stats.interval`.
    confidence_level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples, and of orders of the labels.
    rng : int, numpy.random.Generator or other seed
        Source of resamples and of orders. A Generator is copied and left as it is.

    Returns
    -------
    Subgroups
        Means with intervals, and the test.

    Raises
    ------
    ValueError
        If there is one group, a unit is in several, the design has crossed units, whose part in
        the difference of groups this test does not see, or as for `gazesal.stats.interval` and
        `compare`.
    TypeError
        As `gazesal.stats.interval`.

    Warns
    -----
    UndefinedMetricWarning
        If an interval or the test is undefined.
    IntervalWarning
        If an interval may cover the truth less often than its level says, as for
        `gazesal.stats.interval`, or the groups are too small for a p-value below the level's error.

    See Also
    --------
    compare : Methods on the same units.

    Notes
    -----
    With the means :math:`m_g` of the :math:`n_g` units of group :math:`g`, their variances
    :math:`s_g^2` and :math:`w_g = n_g/s_g^2`, the statistic is :math:`\sum_g w_g (m_g - m)^2` with
    :math:`m = \sum_g w_g m_g/\sum_g w_g`. It is compared with that under random orders of the
    labels. Weighting each group by its own error keeps the test's error near its level also where
    the groups' spreads differ :footcite:p:`chung2013`. The interval of the difference of two groups
    is Welch's, with :math:`s_1^2/n_1 + s_2^2/n_2` as its variance and Satterthwaite's degrees of
    freedom :footcite:p:`satterthwaite1946`.

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
            f"`design` must have one column of units, whose groups are compared, got "
            f"{' x '.join(design.units)}; name {' and '.join(others)} in `averaged`, for a claim "
            f"about units like these of {first} and about these of {' and '.join(others)} only."
        )
    options = Options.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    n = as_count(n_resamples, name="n_resamples", most=MOST_RESAMPLES)
    generator = as_generator(rng, name="rng", why="to draw orders of the labels")
    generator = copy.deepcopy(generator)
    # apart from the stream of the bootstrap, which starts at the same seed
    generator = np.random.default_rng(int(generator.integers(2**63)))
    if contrast is None and not (method is None and reference is None):
        raise ValueError("`contrast` must name the column of `method` and `reference`.")
    parts = _parts_of(table, design, group)
    means: dict[object, ConfidenceInterval] = {}
    values, caveats = [], []
    for name, part in [(None, table), *parts.items()]:
        if contrast is None:
            (sample,) = samples_of(part, design).values()
        else:
            sample = paired_differences(part, design, contrast, method, reference)
        if name is None:
            continue  # the whole table is only checked
        alone = copy.deepcopy(options)
        (means[name],) = intervals_of(sample, alone, names=tuple(design.units), stacklevel=3)
        caveats += caveats_of(sample, options, design.units, [f"{group} {name}"])
        values.append(unit_means(sample))
    codes = np.repeat(np.arange(len(values)), [each.size for each in values])
    statistic, p_value = _permutation_test(np.concatenate(values), codes, n, generator)
    if math.isnan(statistic):
        warn(
            "The test of the groups is undefined: a group has one unit, or no spread.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    caveats += _permutation_caveat([each.size for each in values], n, options.confidence_level)
    warn_of(words_of(caveats, len(values), options), stacklevel=2)
    difference = None
    if len(values) == 2:
        difference = _welch(values[0], values[1], options.confidence_level, design.units[0])
    return Subgroups(
        column=group, means=means, difference=difference, statistic=statistic, p_value=p_value
    )


def _parts_of(table: pd.DataFrame, design: Design, group: str) -> dict[object, pd.DataFrame]:
    """Rows of each group, in order of the groups' names."""
    unit = design.units[0]
    require_columns(table, [unit, as_column(group, name="group")])
    codes, names = codes_of(table, group)
    if len(names) < 2:
        raise ValueError(f"`group` must part the units into two groups or more, got {len(names)}.")
    units, labels = codes_of(table, unit)
    pairs = np.unique(np.stack([units, codes]), axis=1)
    several = np.flatnonzero(np.bincount(pairs[0]) > 1)
    if several.size:
        raise ValueError(
            f"`group` must be the same in all rows of a unit, got {several.size} units with "
            f"several values of {group}, the first {unit} {labels[several[0]]}."
        )
    return {name: table[codes == code] for code, name in enumerate(names.tolist())}


def unit_means(sample: Sample) -> Float64Array:
    """Mean of each of the first kind of units, all else averaged."""
    sums = sample.means[..., 0].sum(axis=(1, 2))
    if sample.sizes is None:
        return np.asarray(sums / float(np.prod(sample.shape[1:])))
    return np.asarray(sums / sample.sizes[..., 0].sum(axis=(1, 2)))


def _permutation_test(
    values: Float64Array, codes: IntArray, n: int, generator: np.random.Generator
) -> tuple[float, float]:
    observed = float(_statistic(values, codes[None])[0])
    if math.isnan(observed):
        return math.nan, math.nan
    as_far = 0
    for block in permuted_labels(codes, n, generator):
        # an order that leaves a group without spread sets it infinitely far apart
        statistics = _statistic(values, block)
        # an order with the same statistic may differ from it by rounding, also near zero
        as_far += int(np.count_nonzero(~(statistics < observed - ROUNDING * (1 + observed))))
    return observed, (as_far + 1) / (n + 1)


def _permutation_caveat(sizes: list[int], n: int, confidence_level: float) -> list[Caveat]:
    """Return a caveat if no p-value of the orders of the labels can be below the level's error."""
    orders = math.factorial(sum(sizes)) // math.prod(map(math.factorial, sizes))
    # groups of equal size give the same statistic when they change places
    alike = math.prod(math.factorial(sizes.count(size)) for size in set(sizes))
    least = max(alike / orders, 1 / (n + 1))
    if least < 1 - confidence_level:
        return []
    return [Caveat("no order", "", f"{least:.2g}", 0.0)]


def _statistic(values: Float64Array, codes: IntArray) -> Float64Array:
    """Welch's statistic of each row of group codes."""
    centered = values - values.mean()
    rounding = ROUNDING * np.abs(values).max()
    top = bottom = squares = np.zeros(codes.shape[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        for code in range(int(codes.max()) + 1):
            inside = codes == code
            size = float(np.count_nonzero(codes[0] == code))
            mean = np.where(inside, centered, 0.0).sum(axis=1) / size
            residuals = np.where(inside, centered - mean[:, None], 0.0)
            squares_within = (residuals**2).sum(axis=1)
            squares_within[np.abs(residuals).max(axis=1) <= rounding] = 0.0
            weight = size / (squares_within / (size - 1))
            top, bottom = top + weight * mean, bottom + weight
            squares = squares + weight * mean**2
        found = squares - top**2 / bottom
    return np.where(np.isfinite(found), np.maximum(found, 0.0), math.nan)


def _welch(
    first: Float64Array, second: Float64Array, confidence_level: float, unit: str
) -> ConfidenceInterval:
    from scipy.special import stdtrit  # noqa: PLC0415  (slow to import)

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
    usable = 1.0 if math.isnan(degrees) else degrees
    half = float(stdtrit(usable, 0.5 + confidence_level / 2)) * error
    return ConfidenceInterval(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        confidence_level=confidence_level,
        interval="t",
        n_scores=first.size + second.size,
        n_clusters=first.size + second.size,
        units=((unit, first.size + second.size),),
        standard_error=error,
        degrees_of_freedom=degrees,
    )
