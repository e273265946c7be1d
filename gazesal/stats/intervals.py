"""Confidence intervals of a mean score, with the image as the unit."""

import math
import numbers
import warnings
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_choice,
    as_count,
    as_generator,
    as_real_array,
    require_finite,
)
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.typing import Float64Array, RandomState

__all__ = ["ConfidenceInterval", "confidence_interval"]

Method = Literal["normal", "bootstrap", "study"]
LARGEST = 1e150  # squares of scores must be finite
HIGHEST_LEVEL = 1 - 1e-12
STUDY_QUANTILE = 1.96  # as printed; the normal quantile is 1.959964
VALUES_AT_ONCE = 1 << 20  # of the matrix of resampling counts, 8 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceInterval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate : float
        Mean score; over cluster means, or over all scores with the study's form.
    low, high : float
        Bounds of the interval; ``nan`` where it is undefined.
    level : float
        Confidence level.
    method : str
        How the interval was made.
    n_scores : int
        Number of scores.
    n_clusters : int
        Number of independent units; that of the scores if no clusters were named.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    n_scores: int
    n_clusters: int

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


def confidence_interval(
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    method: Method = "normal",
    level: float = 0.95,
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
    method : {"normal", "bootstrap", "study"}, default "normal"
        ``"normal"``: mean of the cluster means and the normal quantile times their standard
        error. ``"bootstrap"``: percentiles of that mean over resampled clusters. ``"study"``: as
        the study prints it, to reproduce its tables and for nothing else.
    level : float, default 0.95
        Confidence level, between 0 and 1; the study's form has 0.95 only.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples; required for the bootstrap.

    Returns
    -------
    ConfidenceInterval
        Estimate, bounds and counts. With one cluster the bounds are ``nan``.

    Raises
    ------
    ValueError
        If `scores` is empty, not 1-D or not finite, `clusters` has another length or missing
        values, an option is out of range, or the bootstrap has no `rng`.
    TypeError
        If `scores` does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If there is one cluster, whose spread is undefined.

    Notes
    -----
    With cluster means :math:`m_1, \dots, m_k`, their mean :math:`\bar m` and standard deviation
    :math:`s` (``ddof=1``), the normal form is :math:`\bar m \pm z\, s/\sqrt k`. The bootstrap
    draws :math:`k` clusters with replacement, whole, and takes the percentiles of
    :math:`\bar m` :footcite:p:`davison1997`. Every cluster counts alike, however many scores it
    holds.

    The study :footcite:p:`bigolin2021` gives :math:`\bar x \pm 1.96\, s_x/\sqrt k` with the mean
    and standard deviation of *all* scores pooled over images, readers and models: neither the
    spread of an image nor its dependence is what it divides by.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> scores = [0.70, 0.72, 0.55, 0.57, 0.81, 0.79]
    >>> images = ["a", "a", "b", "b", "c", "c"]
    >>> print(gazesal.confidence_interval(scores, clusters=images))
    0.690 [0.553, 0.827]
    >>> print(gazesal.confidence_interval(scores, clusters=images, method="bootstrap", rng=0))
    0.690 [0.560, 0.800]
    """
    values = as_real_array(scores, name="scores").astype(np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"`scores` must be a non-empty 1-D array, got shape {values.shape}.")
    require_finite(values, name="scores")
    as_choice(method, ("normal", "bootstrap", "study"), name="method")
    if np.abs(values).max() > LARGEST:
        raise ValueError(
            f"`scores` must lie within {LARGEST:g}, for their spread to be finite, got "
            f"{values[np.abs(values).argmax()]:g}."
        )
    if not isinstance(level, numbers.Real) or not 0 < level <= HIGHEST_LEVEL:
        raise ValueError(f"`level` must be a number between 0 and 1, got {level!r}.")
    level = float(level)
    if method == "study" and level != 0.95:
        raise ValueError(f'`level` must be 0.95 with method="study", got {level!r}.')
    means = _cluster_means(values, clusters)
    k = means.size
    estimate = float(values.mean() if method == "study" else means.mean())
    if k == 1:
        warnings.warn(
            "The interval is undefined: there is one cluster, whose spread is unknown.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        low = high = math.nan
    elif method == "bootstrap":
        count = as_count(n_resamples, name="n_resamples")
        generator = as_generator(rng, name="rng", why='with method="bootstrap"')
        low, high = _percentiles(means, level, count, generator)
    else:
        if method == "study":
            half = STUDY_QUANTILE * float(values.std(ddof=1)) / math.sqrt(k)
        else:
            quantile = NormalDist().inv_cdf(0.5 + level / 2)
            half = quantile * float(means.std(ddof=1)) / math.sqrt(k)
        low, high = estimate - half, estimate + half
    return ConfidenceInterval(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=method,
        n_scores=values.size,
        n_clusters=k,
    )


def _cluster_means(values: Float64Array, clusters: ArrayLike | None) -> Float64Array:
    if clusters is None:
        return values
    labels = np.asarray(clusters)
    if isinstance(clusters, (list, tuple)) and labels.dtype.kind in "US":
        kinds = {isinstance(label, (str, bytes)) for label in clusters}
        if len(kinds) > 1:  # numpy would make the number 1 and the text "1" the same unit
            raise TypeError("`clusters` must hold labels of one kind, got text and other kinds.")
    if labels.shape != values.shape:
        raise ValueError(
            f"`clusters` must name one unit for each of the {values.size} scores, got shape "
            f"{labels.shape}."
        )
    missing = sum(_is_missing(label) for label in labels.tolist())
    if missing:
        raise ValueError(f"`clusters` must name a unit for every score, got {missing} missing.")
    try:
        _, unit = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"`clusters` must hold labels of one kind: {error}") from error
    return np.asarray(np.bincount(unit, weights=values) / np.bincount(unit))


def _is_missing(label: object) -> bool:
    """Whether a label is None, NaN, or pandas' NA or NaT, none of which equals itself."""
    try:
        return label is None or not label == label  # noqa: PLR0124, SIM201
    except TypeError:  # NA has no truth value
        return True


def _percentiles(
    means: Float64Array, level: float, n_resamples: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Percentiles of the mean over resampled clusters, in blocks of bounded memory."""
    k = means.size
    shares = np.full(k, 1.0 / k)
    at_once = max(1, VALUES_AT_ONCE // k)
    resampled = []
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        counts = generator.multinomial(k, shares, size=rows)
        # einsum and not BLAS, whose last bits depend on its number of threads
        resampled.append(np.einsum("rk,k->r", counts, means) / k)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(np.concatenate(resampled), tails)
    return float(low), float(high)
