"""How far a method is on the way from a floor to a ceiling."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats import bounds, resampling
from gazesal.stats.cells import samples_of
from gazesal.stats.design import Design, require_design
from gazesal.stats.methods import Options
from gazesal.stats.result import ConfidenceInterval
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array, RandomState

__all__ = ["normalised_score"]

METHODS = ("bootstrap", "basic", "bca")


def normalised_score(
    table: pd.DataFrame,
    design: Design,
    *,
    method: object,
    floor: object,
    ceiling: object,
    contrast: str = "method",
    interval: str = "bca",
    level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute how far a method is on the way from a floor to a ceiling, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one metric, of the three methods at least, in any order.
    design : Design
        Which columns are units to generalise to, and which are averaged over.
    method, floor, ceiling : object
        Values of `contrast`: what is judged, where 0 is, and where 1 is; for instance a Grad-CAM,
        the centre bias and ``"interobserver"``.
    contrast : str, default "method"
        Column that names the methods.
    interval : {"bootstrap", "basic", "bca"}, default "bca"
        How the interval is made; see `gazesal.interval`.
    level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed
        Source of the resamples. A Generator is advanced: the next call draws others.

    Returns
    -------
    ConfidenceInterval
        Of the normalised score: 0 at the floor, 1 at the ceiling, and beyond either where the
        method is. The bounds are ``nan`` if floor and ceiling are not told apart.

    Raises
    ------
    ValueError
        If one of the three is not in the table, they do not have the same units, or as for
        `gazesal.interval`.
    TypeError
        As `gazesal.interval`.

    Warns
    -----
    UndefinedMetricWarning
        If in some resamples the ceiling is not on the same side of the floor, so that the ratio has
        no bounds, or as for `gazesal.interval`.

    See Also
    --------
    compare : Differences instead of ratios.

    Notes
    -----
    With the means :math:`m, f, c` of method, floor and ceiling over the same units,

    .. math:: s = \frac{m - f}{c - f}.

    All three are taken from each resample together, so that what an easy image gives to all of them
    cancels, and the error of floor and ceiling is part of the interval. It is a ratio of means, not
    a mean of the images' ratios, which have no mean where floor and ceiling meet.

    The default interval is the BCa of :footcite:t:`efron1987`; the other two are those of
    :footcite:t:`davison1997`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import pandas as pd
    >>> import gazesal
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["centre"] * 5 + ["mine"] * 5 + ["readers"] * 5,
    ...         "image": list(range(5)) * 3,
    ...         "score": [0.50, 0.48, 0.52, 0.47, 0.53]
    ...         + [0.55, 0.52, 0.58, 0.54, 0.57]
    ...         + [0.60, 0.55, 0.63, 0.58, 0.64],
    ...     }
    ... )
    >>> names = {"method": "mine", "floor": "centre", "ceiling": "readers"}
    >>> print(gazesal.normalised_score(table, gazesal.Design("image"), **names, rng=0))
    0.520 [0.420, 0.588]
    """
    require_design(design)
    if interval not in METHODS:
        raise ValueError(
            f"`interval` must be one of {', '.join(map(repr, METHODS))}, got {interval!r}."
        )
    options = Options.checked(
        method=interval, level=level, n_resamples=n_resamples, rng=rng, name="interval"
    )
    named = {"method": method, "floor": floor, "ceiling": ceiling}
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
    low, high = _bounds(sample, options)
    return ConfidenceInterval(
        estimate=float(_ratio(resampling.estimates(sample))),
        low=low,
        high=high,
        level=options.level,
        method=interval,
        n_scores=sum(scores.size for scores in sample.pooled),
        n_clusters=min(sample.shape),
        units=tuple(zip(design.units, sample.shape, strict=True)),
        n_dropped=sum(sample.n_dropped),
    )


def _ratio(means: Float64Array) -> Float64Array:
    """Normalised score of means (..., 3): method, floor, ceiling."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((means[..., 0] - means[..., 1]) / (means[..., 2] - means[..., 1]))


def _bounds(sample: Sample, options: Options) -> tuple[float, float]:
    centre = resampling.estimates(sample)
    gap = centre[2] - centre[1]
    if min(sample.shape) == 1:
        return _undefined("there is one unit, whose spread is unknown.")
    generator = options.generator
    assert generator is not None  # noqa: S101  (checked with the options)
    means = resampling.replicates(sample, options.n_resamples, generator)
    left_out = resampling.jackknife(sample)
    gaps = [each[:, 2] - each[:, 1] for each in (means, *left_out)]
    if not all((each * gap > 0).all() for each in gaps):
        return _undefined("floor and ceiling are not told apart in every resample.")
    estimate, values = float(_ratio(centre)), _ratio(means)
    if options.method == "bootstrap":
        pair = bounds.percentile(values, options.level)
    elif options.method == "basic":
        pair = bounds.basic(estimate, values, options.level)
    else:
        pair = bounds.bca(estimate, values, [_ratio(each) for each in left_out], options.level)
    if np.isnan(pair[0]):
        return _undefined("all resamples lie on one side of the estimate, or the units are few.")
    return pair


def _undefined(why: str) -> tuple[float, float]:
    warn(f"The interval is undefined: {why}", UndefinedMetricWarning, stacklevel=4)
    return float("nan"), float("nan")
