"""Scores normalized to a floor of 0 and a ceiling of 1."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.metrics.names import higher_is_better
from gazesal.stats import bootstrap
from gazesal.stats.caveats import caveats_of, warn_of, words_of
from gazesal.stats.design import Design, require_design
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, RESAMPLED, IntervalOptions
from gazesal.stats.ratio_of_means import (
    fieller_bounds,
    ratios,
    resampled_bounds,
    residual_of_ratio,
)
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.score_cube import ScoreCube, cubes_of
from gazesal.stats.score_table import require_contrast, require_value
from gazesal.typing import Float64Array, RandomState

__all__ = ["normalized_score"]

OFFERED = ("t", "normal", "bootstrap", "basic", "bca")


def normalized_score(
    table: pd.DataFrame,
    design: Design,
    *,
    method: object,
    floor: object,
    ceiling: object,
    contrast: str = "method",
    higher_is_better: bool | None = None,
    interval: str = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Normalize a method's mean score to a floor of 0 and a ceiling of 1, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores of one metric for at least the three methods, one per row, in any order.
    design : Design
        Columns of the units to generalize to, and columns to average over.
    method, floor, ceiling : object
        Values of `contrast`: the method to judge and the methods that score 0 and 1. For example,
        a Grad-CAM, the center bias and ``"attainable"``, one of the rows of ``ceilings`` of
        `evaluate`. With None as floor, the result is the share of the ceiling's mean.
    contrast : str, default "method"
        Column that names the methods.
    higher_is_better : bool, optional
        Direction of the scores. By default it is taken from the column ``metric``. Without such a
        column, higher is better.
    interval : {"t", "normal", "bootstrap", "basic", "bca"}, default "t"
        Kind of the interval. ``"t"`` and ``"normal"`` are Fieller's interval with this quantile.
    confidence_level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples, required for the kinds that resample. A Generator is advanced, so
        that the next call has other resamples.

    Returns
    -------
    ConfidenceInterval
        Interval of the normalized score, which is 0 at the floor and 1 at the ceiling. It is below
        0 or above 1 if the method scores outside this range. The bounds are ``nan`` if the interval
        is unbounded, because floor and ceiling are not significantly different.

    Raises
    ------
    ValueError
        If one of the three methods is not in the table, they do not have the same units and the
        design does not drop the others, the ceiling does not score better than the floor, or as
        for `gazesal.stats.interval`.
    TypeError
        As for `gazesal.stats.interval`.

    Warns
    -----
    UndefinedMetricWarning
        If the interval is unbounded, or as for `gazesal.stats.interval`.
    IntervalWarning
        As for `gazesal.stats.interval`.

    See Also
    --------
    compare : Compare methods by differences instead of ratios.

    Notes
    -----
    With the means :math:`m, f, c` of method, floor and ceiling over the same units,

    .. math:: s = \frac{m - f}{c - f}.

    It is a ratio of means. A mean of the ratios of images would be undefined if floor and ceiling
    can be equal on an image.

    The default is Fieller's interval :footcite:p:`luxburg2007`. It contains the ratios :math:`r`
    for which a t test of the mean of :math:`(m - f) - r (c - f)` over the units does not reject.
    The effect of an easy image on all three methods cancels, and the errors of floor and ceiling
    are part of the interval. With :math:`a = m - f`, :math:`g = c - f`, Student's
    quantile :math:`t` and the variances :math:`v` of these two means and their covariance,

    .. math:: A = g^2 - t^2 v_g, \quad B = a g - t^2 v_{ag}, \quad C = a^2 - t^2 v_a, \qquad
              \frac{B \pm \sqrt{B^2 - A C}}{A},

    if :math:`A > 0`, which means that ceiling and floor differ significantly. Otherwise no bounded
    interval has the level. With crossed units, the test by variance components of
    `gazesal.stats.interval` is inverted numerically.

    The bootstrap intervals of :footcite:t:`efron1987` and :footcite:t:`davison1997` are computed
    for the ratio of the resampled means. They are undefined if the ceiling is not better than the
    floor in more than half of the level's error of the resamples.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> easy = rng.normal(0.5, 0.1, 40)
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["center"] * 40 + ["mine"] * 40 + ["readers"] * 40,
    ...         "image": list(range(40)) * 3,
    ...         "score": np.concatenate([easy, easy + 0.05, easy + 0.1])
    ...         + rng.normal(0, 0.03, 120),
    ...     }
    ... )
    >>> names = {"method": "mine", "floor": "center", "ceiling": "readers"}
    >>> print(gazesal.stats.normalized_score(table, gazesal.stats.Design("image"), **names))
    0.478 [0.350, 0.600]
    """
    require_design(design)
    if interval not in OFFERED:
        raise ValueError(
            f"`interval` must be one of {', '.join(map(repr, OFFERED))}, got {interval!r}."
        )
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    named = {"method": method, "floor": floor, "ceiling": ceiling}
    if floor is None:
        del named["floor"]
    require_contrast(table, contrast)
    for name, value in named.items():
        require_value(table, contrast, value, name=name)
    if len(set(named.values())) < len(named):
        raise ValueError(f"`method`, `floor` and `ceiling` must differ, got {named!r}.")
    rows = table[table[contrast].isin(list(named.values()))]
    n_rows = len(rows)
    cubes = cubes_of(rows, design, by=(contrast,))
    if design.missing == "drop" and _units_differ(cubes):
        rows = _with_shared_units(rows, design, contrast)
        cubes = cubes_of(rows, design, by=(contrast,))
    own, *others = (cubes[value,] for value in named.values())
    if _units_differ(cubes):
        counts = ", ".join(
            f"{' x '.join(map(str, cubes[value,].shape))} for {value}" for value in named.values()
        )
        raise ValueError(
            f"`method`, `floor` and `ceiling` must have scores for the same units, got {counts}. "
            'Use missing="drop" in the design to leave out units without a score of all three.'
        )
    if floor is None:
        zero = own._replace(sums=np.zeros_like(own.sums), pooled=(np.empty(0),), n_dropped=(0,))
        others.insert(0, zero)
    cube = own.stacked(others)
    weighted = cube.sizes is not None and len(cube.shape) > 1
    if weighted and options.interval not in RESAMPLED:
        raise ValueError(
            f'`interval` must be "bootstrap", "basic" or "bca" with weights of crossed units, got '
            f"{interval!r}."
        )
    means = bootstrap.estimates(cube)
    _require_order(rows, named, means, higher_is_better)
    low, high = _bounds(cube, options)
    estimate = float(ratios(means))
    if not math.isnan(low):
        tested = residual_of_ratio(cube, estimate)
        caveats = caveats_of(tested, options, design.units, studentized=False, t=not weighted)
        warn_of(words_of(caveats, 1, options))
    return ConfidenceInterval(
        estimate=estimate,
        low=low,
        high=high,
        confidence_level=options.confidence_level,
        interval=interval,
        n_scores=sum(scores.size for scores in cube.pooled),
        n_clusters=min(cube.shape),
        units=tuple(zip(design.units, cube.shape, strict=True)),
        n_dropped=n_rows - sum(scores.size for scores in cube.pooled),
    )


def _units_differ(cubes: Mapping[tuple[Hashable, ...], ScoreCube]) -> bool:
    """Return whether a unit lacks a score of one of the methods."""
    return len({cube.units_key() for cube in cubes.values()}) > 1


def _with_shared_units(table: pd.DataFrame, design: Design, contrast: str) -> pd.DataFrame:
    """Return the defined scores of the units for which every method has one."""
    kept = table[table[design.score].notna()]
    n_methods = kept[contrast].nunique()
    for unit in design.units:
        shared = kept.groupby(unit, observed=True)[contrast].transform("nunique")
        kept = kept[shared == n_methods]
    if kept.empty:
        raise ValueError(
            "`method`, `floor` and `ceiling` must have scores for the same units, got no unit with "
            "scores of all three."
        )
    return kept


def _require_order(
    table: pd.DataFrame, named: dict[str, object], means: Float64Array, higher: bool | None
) -> None:
    """Raise unless the ceiling scores better than the floor."""
    if not (higher is None or isinstance(higher, bool | np.bool_)):
        raise TypeError(f"`higher_is_better` must be True or False, got {higher!r}.")
    metrics = set(table["metric"].astype(str)) if "metric" in table else set()
    known = {higher_is_better(metric) for metric in metrics} - {None}
    remedy = "Exchange them."
    if higher is None and len(known) == 1:
        higher = known.pop()
    elif higher is None:
        higher = True
        remedy = "Exchange them, or give `higher_is_better=False` if lower is better."
    _, floor, ceiling = means.tolist()
    if (ceiling > floor) if higher else (ceiling < floor):
        return
    raise ValueError(
        f"`ceiling` must score better than `floor`, got a mean of {ceiling:.4g} for "
        f"{named['ceiling']} and {floor:.4g} for {named.get('floor', 'no floor')} ("
        f"{'higher' if higher else 'lower'} is better). {remedy}"
    )


def _bounds(cube: ScoreCube, options: IntervalOptions) -> tuple[float, float]:
    """Compute the bounds, and warn if they are NaN."""
    if min(cube.shape) == 1:
        pair, why = (
            (math.nan, math.nan),
            "there is one unit, whose spread is unknown. Use more units.",
        )
    elif options.interval in RESAMPLED:
        pair, why = resampled_bounds(cube, options)
    else:
        pair = fieller_bounds(cube, options.interval, options.confidence_level)
        why = (
            "it is unbounded, because ceiling and floor are not significantly different at level "
            f"{options.confidence_level:g}. Use more units, or a floor and a ceiling that are "
            "farther apart."
        )
    if math.isnan(pair[0]):
        warn(f"The interval is undefined: {why}", UndefinedMetricWarning)
    return pair
