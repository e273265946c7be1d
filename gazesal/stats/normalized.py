"""How far a method is on the way from a floor to a ceiling."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
import pandas as pd

from gazesal._validation import as_column
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.metrics import directions
from gazesal.stats import bootstrap
from gazesal.stats.caveats import caveats_of, warn_of, words_of
from gazesal.stats.design import Design, require_design
from gazesal.stats.interval_methods import RESAMPLED, Options
from gazesal.stats.ratio_of_means import (
    fieller_bounds,
    ratios,
    resampled_bounds,
    residual_of_ratio,
)
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import samples_of
from gazesal.typing import Float64Array, RandomState

__all__ = ["normalized_score"]

METHODS = ("t", "normal", "bootstrap", "basic", "bca")


def normalized_score(
    table: pd.DataFrame,
    design: Design,
    *,
    method: object,
    floor: object,
    ceiling: object,
    contrast: str = "method",
    higher_is_better: bool | None = None,
    interval: str = "t",
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute how far a method is on the way from a floor to a ceiling, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one metric, of the three methods at least, in any order.
    design : Design
        Which columns are units to generalize to, and which are averaged over.
    method, floor, ceiling : object
        Values of `contrast`: what is judged, where 0 is, and where 1 is; for instance a Grad-CAM,
        the center bias and ``"interobserver"``.
    contrast : str, default "method"
        Column that names the methods.
    higher_is_better : bool, optional
        Direction of the scores. By default it is known from a column ``metric``, and else higher is
        better.
    interval : {"t", "normal", "bootstrap", "basic", "bca"}, default "t"
        How the interval is made. ``"t"`` and ``"normal"`` are Fieller's, with that quantile.
    confidence_level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples; required for the methods that resample. A Generator is advanced:
        the next call draws others.

    Returns
    -------
    ConfidenceInterval
        Of the normalized score: 0 at the floor, 1 at the ceiling, and beyond either if the method
        is. The bounds are ``nan`` if the interval is unbounded, because floor and ceiling are not
        significantly different.

    Raises
    ------
    ValueError
        If one of the three is not in the table, they do not have the same units, the ceiling does
        not score better than the floor, or as for `gazesal.stats.interval`.
    TypeError
        As `gazesal.stats.interval`.

    Warns
    -----
    UndefinedMetricWarning
        If the interval is unbounded, or as for `gazesal.stats.interval`.
    IntervalWarning
        As for `gazesal.stats.interval`.

    See Also
    --------
    compare : Differences instead of ratios.

    Notes
    -----
    With the means :math:`m, f, c` of method, floor and ceiling over the same units,

    .. math:: s = \frac{m - f}{c - f}.

    It is a ratio of means, not a mean of the images' ratios, which have no mean if floor and
    ceiling meet.

    The default interval holds the ratios :math:`r` that a t test of the mean of
    :math:`(m - f) - r (c - f)` over the units does not reject: Fieller's, see
    :footcite:t:`luxburg2007`. What an easy image gives to all three cancels, and the error of floor
    and ceiling is part of the interval. With :math:`a = m - f`, :math:`g = c - f`, Student's
    quantile :math:`t` and the variances :math:`v` of these two means and their covariance,

    .. math:: A = g^2 - t^2 v_g, \quad B = a g - t^2 v_{ag}, \quad C = a^2 - t^2 v_a, \qquad
              \frac{B \pm \sqrt{B^2 - A C}}{A},

    if :math:`A > 0`, that is if the ceiling differs from the floor significantly. Else no bounded
    interval has the level. With crossed units, the test is that of `gazesal.stats.interval` and is
    inverted numerically.

    The bootstrap intervals are those of :footcite:t:`efron1987` and :footcite:t:`davison1997` for
    the ratio of the resampled means. They are undefined if the share of resamples whose ceiling is
    not better than the floor exceeds half of the level's error, whatever the number of resamples.

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
    if interval not in METHODS:
        raise ValueError(
            f"`interval` must be one of {', '.join(map(repr, METHODS))}, got {interval!r}."
        )
    options = Options.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    named = {"method": method, "floor": floor, "ceiling": ceiling}
    as_column(contrast, name="contrast")
    if not isinstance(table, pd.DataFrame) or contrast not in table:
        raise ValueError(f"`table` must be a frame with the column {contrast}.")
    present = set(table[contrast].dropna().unique().tolist())
    for name, value in named.items():
        if not isinstance(value, Hashable):
            raise TypeError(f"`{name}` must be one value of {contrast}, got {value!r}.")
        if value not in present:
            raise ValueError(f"`{name}` must be a value of the column {contrast}, got {value!r}.")
    if len(set(named.values())) < 3:
        raise ValueError(f"`method`, `floor` and `ceiling` must differ, got {named!r}.")
    rows = table[table[contrast].isin(list(named.values()))]
    samples = samples_of(rows, design, by=(contrast,))
    own, *others = (samples[value,] for value in named.values())
    if any(other.same_units() != own.same_units() for other in others):
        raise ValueError("`method`, `floor` and `ceiling` must have scores for the same units.")
    sample = own.stacked(others)
    if options.interval not in RESAMPLED and sample.sizes is not None and len(sample.shape) > 1:
        raise ValueError(
            f'`interval` must be "bootstrap", "basic" or "bca" with weights of crossed units, got '
            f"{interval!r}."
        )
    means = bootstrap.estimates(sample)
    _require_order(rows, named, means, higher_is_better)
    low, high = _bounds(sample, options)
    estimate = float(ratios(means))
    if not math.isnan(low):
        tested = residual_of_ratio(sample, estimate)
        weighted = sample.sizes is not None and len(sample.shape) > 1
        caveats = caveats_of(tested, options, design.units, [""], studentized=False, t=not weighted)
        warn_of(words_of(caveats, 1, options), stacklevel=2)
    return ConfidenceInterval(
        estimate=estimate,
        low=low,
        high=high,
        confidence_level=options.confidence_level,
        interval=interval,
        n_scores=sum(scores.size for scores in sample.pooled),
        n_clusters=min(sample.shape),
        units=tuple(zip(design.units, sample.shape, strict=True)),
        n_dropped=sum(sample.n_dropped),
    )


def _require_order(
    table: pd.DataFrame, named: dict[str, object], means: Float64Array, higher: bool | None
) -> None:
    """Raise unless the ceiling scores better than the floor."""
    if not (higher is None or isinstance(higher, bool | np.bool_)):
        raise TypeError(f"`higher_is_better` must be True or False, got {higher!r}.")
    metrics = set(table["metric"].astype(str)) if "metric" in table else set()
    known = {directions.higher_is_better(metric) for metric in metrics} - {None}
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
        f"{named['ceiling']} and {floor:.4g} for {named['floor']}, where "
        f"{'higher' if higher else 'lower'} is better. {remedy}"
    )


def _bounds(sample: Sample, options: Options) -> tuple[float, float]:
    if min(sample.shape) == 1:
        pair, why = (math.nan, math.nan), "there is one unit, whose spread is unknown."
    elif options.interval in RESAMPLED:
        pair, why = resampled_bounds(sample, options)
    else:
        pair = fieller_bounds(sample, options.interval, options.confidence_level)
        why = (
            "it is unbounded, because ceiling and floor are not significantly different at level "
            f"{options.confidence_level:g}. Use more units, or a floor and a ceiling that are "
            "farther apart."
        )
    if math.isnan(pair[0]):
        warn(f"The interval is undefined: {why}", UndefinedMetricWarning, stacklevel=3)
    return pair
