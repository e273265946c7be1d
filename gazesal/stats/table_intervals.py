"""Confidence intervals of mean scores of a table, with units named by its columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from gazesal.stats.caveats import Caveat, caveats_of, warn_of, words_of
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.interval_methods import (
    DEFAULT_INTERVAL,
    IntervalKind,
    IntervalOptions,
    intervals_of,
)
from gazesal.stats.results import ConfidenceInterval, joined, row_of
from gazesal.stats.score_cube import Key, ScoreCube, cubes_of, with_same_units
from gazesal.typing import RandomState

__all__ = ["caveats_by_key", "interval", "interval_table", "intervals_by_key"]


def interval(
    table: pd.DataFrame,
    design: Design,
    *,
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute a confidence interval of the mean score of a table with named units.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores of one method and metric, one per row, in any order.
    design : Design
        Columns of the units to generalize to, and columns to average over.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        Kind of the interval:

        - ``"t"``: Student's t over the means of the units. With crossed units, the standard error
          is computed from variance components and has Satterthwaite's degrees of freedom.
        - ``"normal"``: the same standard error with the normal quantile
        - ``"bootstrap"``: percentiles of the mean over resampled units
        - ``"basic"``: these percentiles, mirrored at the estimate
        - ``"bca"``: percentiles corrected for bias and skewness
        - ``"studentized"``: quantiles of each resample divided by its own standard error, for one
          kind of unit only
        - ``"study"``: the pooled form of Bigolin Lanfredi et al. (2021)
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1. With ``interval="study"`` it must be 0.95.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples, required for the four kinds that resample. A Generator is
        advanced, so that the next call has other resamples.

    Returns
    -------
    ConfidenceInterval
        Estimate, bounds, standard error and counts. The bounds are ``nan`` if there is one unit
        of a kind, or too few units for this kind of interval.

    Raises
    ------
    ValueError
        If a column is missing or has two roles, a score is not finite, a unit has no name, two
        rows have the same labels, the scores are unbalanced and the design does not allow it, or an
        option is out of range.
    TypeError
        If `table` is not a frame, the scores are not numbers, or a column has labels of several
        kinds.

    Warns
    -----
    UndefinedMetricWarning
        If the bounds are undefined.
    IntervalWarning
        If the interval may cover the truth less often than its level states, because there are

        - fewer than :math:`28 + 25 G^2` units of skewness :math:`G`, except for ``"studentized"``
        - fewer than ten units of a kind, for ``"bootstrap"``, ``"basic"`` and ``"bca"``
        - heavy tails, for ``"bca"`` and ``"studentized"``

        The form ``"study"`` is not checked.

    See Also
    --------
    interval_table : Intervals of all groups of a table at once.
    confidence_interval : Interval of an array, with one kind of unit.
    compare : Differences of methods.

    Notes
    -----
    Let :math:`Y_{ij}` be the score of image :math:`i` with model :math:`j`, averaged over the
    ``averaged`` columns, and :math:`\bar Y` their mean over :math:`I` images and :math:`J` models.

    *Units that vary.* If images are the only units, the models are fixed and the claim is about
    these models. If both are units, the claim is about images and models like these. Crossed units
    are resampled independently of each other. A resample weights cell :math:`(i, j)` by the product
    of the numbers of draws of its image and its model. This is the pigeonhole bootstrap of
    :footcite:t:`owen2007`. It counts the variance particular to a cell three times, which matters
    little with many cells. It counts the variance between :math:`J` models only :math:`(J - 1)/J`
    times. With five models that differ, it is therefore too narrow. Nested units are resampled
    within each drawn unit. This counts the variance within units twice :footcite:p:`davison1997`,
    so it is better to name nested units in ``averaged``.

    *Variance components.* The variance is :math:`\mathrm{Var}(\bar Y) = (\mathrm{MS}_I +
    \mathrm{MS}_J - \mathrm{MS}_{IJ})/(IJ)`, with the mean squares of the analysis of variance.
    Three kinds of units have a signed sum of the same form. Components below zero are omitted.
    A sum :math:`V = \sum_s a_s \mathrm{MS}_s` has about
    :math:`V^2 / \sum_s \bigl((a_s \mathrm{MS}_s)^2 / \nu_s\bigr)` degrees of freedom
    :footcite:p:`satterthwaite1946`. With one kind of unit this is the usual t interval over their
    means.

    *Missing cells.* With ``weights``, two crossed kinds of units may have cells without a score.
    With a column of ones, every score counts equally. The variance is then
    :math:`V_I + V_J - V_{IJ}`, of the sums over images, of the sums over models, and of the cells
    :footcite:p:`cameron2011`. The last is computed about both effects, so that complete cells have
    the variance above.

    *BCa.* With :math:`z_0` the normal quantile of the share of resamples below the estimate and
    :math:`a` a sixth of the skewness of the jackknife influences, the bounds are the quantiles
    :math:`\Phi\bigl(z_0 + \frac{z_0 + z}{1 - a (z_0 + z)}\bigr)` of the resampled means
    :footcite:p:`efron1987`.

    *Number of units.* The rule :math:`n > 28 + 25 G^2` by :footcite:t:`cochran1977` was extended to
    the t interval by :footcite:t:`sugden2000`. It is applied to the kind with the most units. Tails
    are heavy if the excess kurtosis of the units exceeds :math:`1.5 G^2`, the value of a gamma
    distribution, by more than 1.

    *Rounding.* Scores that differ by less than 1e-12 of the largest score are treated as equal. The
    limit is 2.4e-7 for scores computed in float32, which are recognized if all of them are float32
    numbers.

    The page on intervals recommends a kind and has simulations of how often each covers the truth.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> image, model = np.repeat(np.arange(30), 5), np.tile(np.arange(5), 30)
    >>> noise = rng.normal(0, 0.1, 30)[image] + rng.normal(0, 0.03, 5)[model]
    >>> table = pd.DataFrame({"image": image, "model": model, "score": 0.6 + noise})
    >>> these = gazesal.stats.Design("image", averaged="model")
    >>> print(gazesal.stats.interval(table, these))
    0.584 [0.553, 0.615]
    >>> print(gazesal.stats.interval(table, these, interval="bca", rng=0))
    0.584 [0.554, 0.612]
    >>> like_these = gazesal.stats.Design(["image", "model"])
    >>> print(gazesal.stats.interval(table, like_these))
    0.584 [0.550, 0.619]
    """
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    require_design(design)
    (cube,) = cubes_of(table, design).values()
    (found,) = intervals_of(cube, options, names=design.units)
    warn_of(words_of(caveats_of(cube, options, design.units), 1, options))
    return found


def interval_table(
    table: pd.DataFrame,
    design: Design,
    *,
    by: Sequence[str] | str,
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> pd.DataFrame:
    """Compute the intervals of all groups of a table, such as every method and metric.

    Each interval has the same bits as `interval` for the rows of the group alone. Groups with the
    same units share their resamples.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores, one per row, in any order.
    design : Design
        Columns of the units to generalize to, and columns to average over.
    by : str or sequence of str
        Columns that split the table into groups.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        Kind of the intervals, see `interval`.
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1. With ``interval="study"`` it must be 0.95.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples, required for the kinds that resample. A Generator is copied and not
        advanced.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by the columns `by`. The columns are `by`, estimate, low, high,
        standard_error, degrees_of_freedom, n_scores, n_clusters, the number of each kind of unit,
        n_dropped, interval (the kind) and confidence_level. ``attrs["caveats"]`` is the text of the
        `IntervalWarning`, empty if there is no warning.

    Raises
    ------
    ValueError
        If a column of `by` or of the units has the name of a column of the result, or as for
        `interval`.
    TypeError
        As for `interval`.

    Warns
    -----
    UndefinedMetricWarning
        If bounds are undefined.
    IntervalWarning
        If intervals may cover the truth less often than their level states, as for `interval`. One
        warning names the number of such rows and the worst row.

    See Also
    --------
    interval : Interval of one group, with the definitions of the kinds.
    summary_text : Format the result, if it has the columns method and metric.

    Notes
    -----
    The intervals are defined as for `interval`: Student's t with the degrees of freedom of
    :footcite:t:`satterthwaite1946`, the bootstrap of :footcite:t:`owen2007` if units are crossed,
    its basic and studentized forms by :footcite:t:`davison1997`, and the BCa by
    :footcite:t:`efron1987`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["a"] * 40 + ["b"] * 40,
    ...         "image": list(range(40)) * 2,
    ...         "score": np.random.default_rng(0).normal(0.6, 0.1, 80),
    ...     }
    ... )
    >>> rows = gazesal.stats.interval_table(table, gazesal.stats.Design("image"), by="method")
    >>> print(rows[["method", "estimate", "low", "high", "n_image"]].round(3))
      method  estimate    low   high  n_image
    0      a     0.594  0.568  0.619       40
    1      b     0.630  0.595  0.665       40
    """
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    require_design(design)
    columns = as_columns(by, name="by")
    cubes = cubes_of(table, design, by=columns)
    found = intervals_by_key(cubes, options, names=design.units)
    words = words_of(caveats_by_key(cubes, options, names=design.units), len(cubes), options)
    warn_of(words)
    rows = [joined(dict(zip(columns, key, strict=True)), row_of(found[key])) for key in cubes]
    made = pd.DataFrame(rows)
    made.attrs["caveats"] = words
    return made


def intervals_by_key(
    cubes: Mapping[Key, ScoreCube], options: IntervalOptions, *, names: Sequence[str]
) -> dict[Key, ConfidenceInterval]:
    """Compute the interval of each cube, with the same bits as alone."""
    found: dict[Key, ConfidenceInterval] = {}
    for keys, stack in with_same_units(cubes):
        found.update(zip(keys, intervals_of(stack, options.restarted(), names=names), strict=True))
    return found


def caveats_by_key(
    cubes: Mapping[Key, ScoreCube],
    options: IntervalOptions,
    *,
    names: Sequence[str],
    studentized: bool = True,
) -> list[Caveat]:
    """List the caveats of the intervals of all cubes, each labeled by its key."""
    return [
        caveat
        for key, cube in cubes.items()
        for caveat in caveats_of(cube, options, names, [_words(key)], studentized=studentized)
    ]


def _words(key: Hashable) -> str:
    """Format a key as text."""
    return ", ".join(map(str, key)) if type(key) is tuple else str(key)
