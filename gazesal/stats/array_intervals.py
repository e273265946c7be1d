"""Confidence intervals of the mean of an array of scores, with clusters as the units."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_real_array, require_finite
from gazesal.stats.caveats import caveats_of, warn_of, words_of
from gazesal.stats.interval_methods import (
    DEFAULT_INTERVAL,
    IntervalKind,
    IntervalOptions,
    intervals_of,
)
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.rounding import merge_ties, resolution
from gazesal.stats.score_cube import ScoreCube
from gazesal.stats.score_table import LARGEST
from gazesal.stats.unit_codes import codes_of_array
from gazesal.typing import Float64Array, RandomState

__all__ = ["cluster_means", "confidence_interval"]


def confidence_interval(
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute a confidence interval of a mean score, with clusters as independent units.

    Scores of several readers or models on one image are not independent. Pass the image as the
    cluster, or the interval is too narrow.

    Parameters
    ----------
    scores : array_like of float, shape (N,)
        Scores, which must be finite. Omit undefined scores (``nan``) and report their number.
    clusters : array_like, shape (N,), optional
        Unit of each score, usually the image, as strings or numbers. By default every score is a
        unit of its own.
    interval : {"normal", "t", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        Kind of the interval:

        - ``"t"``: mean of the cluster means, with Student's quantile times their standard error
        - ``"normal"``: the same with the normal quantile
        - ``"bootstrap"``: percentiles of this mean over resampled clusters
        - ``"basic"``: these percentiles, mirrored at the estimate
        - ``"bca"``: percentiles corrected for bias and skewness
        - ``"studentized"``: quantiles of each resample divided by its own standard error
        - ``"study"``: the pooled form of Bigolin Lanfredi et al. (2021), only for reproducing
          their tables
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
        Estimate, bounds and counts. The bounds are ``nan`` with one cluster, or with too few
        clusters for this kind of interval.

    Raises
    ------
    ValueError
        If `scores` is empty, not 1-D or not finite, `clusters` has another length or missing
        or masked values, an option is out of range, or a kind that resamples has no `rng`.
    TypeError
        If `scores` does not hold real numbers, or `clusters` holds labels of several kinds.

    Warns
    -----
    UndefinedMetricWarning
        If the bounds are undefined.
    IntervalWarning
        If the interval may cover the truth less often than its level states, see `interval`.

    See Also
    --------
    interval : Interval from a table, also with nested or crossed units.

    Notes
    -----
    With cluster means :math:`m_1, \dots, m_k`, their mean :math:`\bar m` and standard deviation
    :math:`s` (``ddof=1``), the default is :math:`\bar m \pm t_{k-1}\, s/\sqrt k`. The bootstrap
    samples :math:`k` whole clusters with replacement and takes the percentiles of :math:`\bar m`.
    The basic, BCa and studentized forms take other quantiles :footcite:p:`davison1997,efron1987`,
    see `interval`. Every cluster counts equally, whatever its number of scores.

    The study :footcite:p:`bigolin2021` gives :math:`\bar x \pm 1.96\, s_x/\sqrt k` with the mean
    and standard deviation of *all* scores, pooled over images, readers and models. This is neither
    the standard error of independent scores nor the standard error of the means of images.

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
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    if np.abs(values).max() > LARGEST:
        raise ValueError(
            f"`scores` must lie within {LARGEST:g}, so that their spread is finite, got "
            f"{values[np.abs(values).argmax()]:g}."
        )
    slack = resolution(given.dtype, values) * float(np.abs(values).max())
    cube = ScoreCube.of_units(merge_ties(cluster_means(values, clusters), slack), values)
    (found,) = intervals_of(cube, options)
    warn_of(words_of(caveats_of(cube, options), 1, options))
    return found


def cluster_means(values: Float64Array, clusters: ArrayLike | None) -> Float64Array:
    """Average the scores of each cluster."""
    if clusters is None:
        return values
    unit = codes_of_array(clusters, size=values.size)
    return np.asarray(np.bincount(unit, weights=values) / np.bincount(unit))
