"""Confidence intervals of a mean score whose independent units are clusters."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_real_array, require_finite
from gazesal.stats.caveats import caveats_of, warn_of, words_of
from gazesal.stats.interval_methods import Method, Options, intervals_of
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import merge_ties, resolution
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array, RandomState

__all__ = ["ConfidenceInterval", "Method", "confidence_interval"]

LARGEST = 1e150  # squares of scores must be finite


def confidence_interval(
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    interval: Method = "t",
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute a confidence interval of a mean score whose independent unit is the cluster.

    Scores of several readers or models on one image are not independent: name the image as the
    cluster, or the interval is too narrow.

    Parameters
    ----------
    scores : array_like of float, shape (N,)
        Scores, finite; leave undefined ones (``nan``) out, and say how many.
    clusters : array_like, shape (N,), optional
        Unit that each score belongs to, usually the image: strings or numbers. By default every
        score is a unit of its own.
    interval : {"normal", "t", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        ``"t"``: mean of the cluster means and Student's quantile times their standard error.
        ``"normal"``: the normal quantile. ``"bootstrap"``: percentiles of that mean over
        resampled clusters. ``"basic"``: these percentiles mirrored at the estimate. ``"bca"``:
        corrected for bias and skewness. ``"studentized"``: each resample over its own standard
        error. ``"study"``: as the study prints it, to reproduce its tables and for nothing else.
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1; the study's form has 0.95 only.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples; required for the four methods that resample. A Generator is
        advanced: the next call draws others.

    Returns
    -------
    ConfidenceInterval
        Estimate, bounds and counts. The bounds are ``nan`` with one cluster, or with too few for
        the method.

    Raises
    ------
    ValueError
        If `scores` is empty, not 1-D or not finite, `clusters` has another length or missing
        or masked values, an option is out of range, or a method that resamples has no `rng`.
    TypeError
        If `scores` does not hold real numbers, or `clusters` holds labels of several kinds.

    Warns
    -----
    UndefinedMetricWarning
        If there is one cluster, whose spread is undefined, or too few for the method.
    IntervalWarning
        If the interval may cover the truth less often than its level says; see `interval`.

    See Also
    --------
    interval : From a table, with nested or crossed units.

    Notes
    -----
    With cluster means :math:`m_1, \dots, m_k`, their mean :math:`\bar m` and standard deviation
    :math:`s` (``ddof=1``), the default is :math:`\bar m \pm t_{k-1}\, s/\sqrt k`. The bootstrap
    draws :math:`k` clusters with replacement, whole, and takes the percentiles of
    :math:`\bar m`; with the basic, BCa and studentized forms it takes other quantiles of them
    :footcite:p:`davison1997,efron1987`, as `interval` explains. Every cluster
    counts alike, however many scores it holds.

    The study :footcite:p:`bigolin2021` gives :math:`\bar x \pm 1.96\, s_x/\sqrt k` with the mean
    and standard deviation of *all* scores pooled over images, readers and models: neither the
    spread of an image nor its dependence is what it divides by.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> images = np.repeat(np.arange(40), 2)
    >>> scores = rng.normal(0.7, 0.1, 40)[images] + rng.normal(0, 0.02, 80)
    >>> print(gazesal.stats.confidence_interval(scores, clusters=images))
    0.697 [0.670, 0.724]
    >>> interval = "studentized"
    >>> print(gazesal.stats.confidence_interval(scores, clusters=images, interval=interval, rng=0))
    0.697 [0.670, 0.723]
    """
    given = as_real_array(scores, name="scores", booleans=True)
    values = given.astype(np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"`scores` must be a non-empty 1-D array, got shape {values.shape}.")
    require_finite(values, name="scores")
    options = Options.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    if np.abs(values).max() > LARGEST:
        raise ValueError(
            f"`scores` must lie within {LARGEST:g}, for their spread to be finite, got "
            f"{values[np.abs(values).argmax()]:g}."
        )
    slack = resolution(given.dtype, values) * float(np.abs(values).max())
    means = merge_ties(_cluster_means(values, clusters), slack)
    sample = Sample(
        labels=(np.arange(means.size),),
        sums=means.reshape(-1, 1, 1, 1),
        sizes=None,
        nested_sizes=None,
        pooled=(values,),
        n_dropped=(0,),
    )
    (found,) = intervals_of(sample, options, stacklevel=3)
    warn_of(words_of(caveats_of(sample, options, (), [""]), 1, options), stacklevel=2)
    return found


def _cluster_means(values: Float64Array, clusters: ArrayLike | None) -> Float64Array:
    if clusters is None:
        return values
    from gazesal.stats.labels import codes_of_array  # noqa: PLC0415  (needs pandas)

    unit = codes_of_array(clusters, name="clusters", size=values.size)
    return np.asarray(np.bincount(unit, weights=values) / np.bincount(unit))
