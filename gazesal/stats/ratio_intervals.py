"""Ratios of the means of two scores of a set of images."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_real_array, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.array_intervals import cluster_means
from gazesal.stats.design import Design
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalOptions
from gazesal.stats.normalized import OFFERED, normalized_score
from gazesal.stats.results import ConfidenceInterval
from gazesal.typing import Float64Array, RandomState

__all__ = ["ratio_interval"]


def ratio_interval(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    interval: str = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute the ratio of the means of two scores of the same images, with its interval.

    An example is the information gain explained: the gain of a model divided by the gain of the
    gold standard.

    Parameters
    ----------
    numerators, denominators : array_like of float, shape (N,)
        The two scores of each image, finite.
    clusters : array_like, shape (N,), optional
        Unit of each image, such as the patient. By default every image is a unit of its own.
    interval : {"t", "normal", "bootstrap", "basic", "bca"}, default "t"
        Kind of the interval. ``"t"`` and ``"normal"`` are Fieller's interval with this quantile.
    confidence_level : float, default 0.95
        Confidence level.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples, required for the kinds that resample.

    Returns
    -------
    ConfidenceInterval
        The ratio and its interval. All ``nan`` if the mean of the denominators is not positive. The
        bounds are ``nan`` if the mean is not significantly different from 0.

    Raises
    ------
    ValueError
        If the arrays are empty, not 1-D, not finite or of different lengths, or an option is out of
        range.
    TypeError
        If an argument does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If the ratio or the interval is undefined.
    IntervalWarning
        As for `interval`.

    See Also
    --------
    normalized_score : The same from a table, with a floor and with crossed units.
    gold_standard : Information gain that the other observers reach.

    Notes
    -----
    .. math:: \frac{\sum_i a_i}{\sum_i b_i}

    with the interval of `normalized_score` for a floor of 0, which is Fieller's
    :footcite:p:`luxburg2007`. A mean of the ratios :math:`a_i / b_i`
    gives most weight to the images with the smallest denominators, which are the least certain, and
    is undefined if one of them is 0.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> model, gold = [0.4, 0.9, 0.5, 1.1, 0.6], [1.0, 1.6, 1.3, 1.9, 1.2]
    >>> print(gazesal.stats.ratio_interval(model, gold))
    0.500 [0.344, 0.591]
    """
    as_choice(interval, OFFERED, name="interval")
    IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    first = _as_scores(numerators, name="numerators")
    second = _as_scores(denominators, name="denominators")
    if first.size != second.size:
        raise ValueError(
            "`numerators` and `denominators` must have a score of each image, got "
            f"{first.size} and {second.size}."
        )
    pairs = [cluster_means(each, clusters) for each in (first, second)]
    n = pairs[0].size
    mean = float(pairs[1].mean())
    if not mean > 0:
        warn(
            f"The ratio is undefined: the mean of `denominators` must be positive, got {mean:.3g}.",
            UndefinedMetricWarning,
        )
        return ConfidenceInterval(
            estimate=math.nan,
            low=math.nan,
            high=math.nan,
            confidence_level=confidence_level,
            interval=interval,
            n_scores=first.size,
            n_clusters=n,
        )
    table = pd.DataFrame(
        {
            "method": np.repeat(["numerators", "zero", "denominators"], n),
            "unit": np.tile(np.arange(n), 3),
            "score": np.concatenate([pairs[0], np.zeros(n), pairs[1]]),
        }
    )
    found = normalized_score(
        table,
        Design("unit"),
        method="numerators",
        floor="zero",
        ceiling="denominators",
        higher_is_better=True,
        interval=interval,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        rng=rng,
    )
    return replace(found, n_scores=first.size)


def _as_scores(values: ArrayLike, *, name: str) -> Float64Array:
    """Return finite 1-D scores."""
    found = as_real_array(values, name=name).astype(np.float64)
    if found.ndim != 1 or found.size == 0:
        raise ValueError(f"`{name}` must be a non-empty 1-D array, got shape {found.shape}.")
    require_finite(found, name=name)
    return found
