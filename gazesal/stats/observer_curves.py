"""Agreement of observers as a function of their number."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_count, as_generator, as_number
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.metrics.metric import Metric
from gazesal.stats.noise_ceiling import as_gaze_maps, observer_covariances
from gazesal.stats.observers_as_maps import ObserversAsMaps
from gazesal.typing import Float64Array, FloatArray, IntArray, RandomState

__all__ = ["ObserverCurve", "SplitHalf", "observer_curve", "spearman_brown", "split_half"]

MOST_SUBSETS = 2_000  # of one image that are scored without a request
MOST_CORRELATIONS = 1 << 20  # of one image, which come from one covariance matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObserverCurve:
    """Mean score of maps made of 1, 2, ... observers, against another observer.

    Attributes
    ----------
    metric : str
        Name of the metric.
    sizes : numpy.ndarray of int, shape (N - 1,)
        Number of observers in the map.
    scores : numpy.ndarray of float64, shape (N - 1,)
        Mean score for each size.
    n_subsets : numpy.ndarray of int, shape (N - 1,)
        Number of pairs of a subset and another observer over which each mean is taken.
    """

    metric: str
    sizes: IntArray
    scores: Float64Array
    n_subsets: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitHalf:
    """Correlation between the mean gaze maps of two halves of the observers.

    Attributes
    ----------
    correlation : float
        Mean NCC of the two halves over the splits.
    corrected : float
        Spearman-Brown correction of `correlation` for all observers. It estimates the reliability
        of the mean gaze map of all, as ``NoiseCeiling.alpha`` does.
    correlations : numpy.ndarray of float64, shape (number of splits,)
        NCC of each split.
    half : int
        Observers in each half.
    n_observers : int
        Number of observers. One is left out of each split if it is odd.
    """

    correlation: float
    corrected: float
    correlations: Float64Array
    half: int
    n_observers: int


def spearman_brown(correlation: float, factor: float) -> float:
    r"""Predict the reliability of a mean over more or fewer observers.

    Parameters
    ----------
    correlation : float
        Correlation between the means of two groups of observers of one size, in [-1, 1].
    factor : float
        Ratio of the new number of observers to the size of the groups, positive.

    Returns
    -------
    float
        Correlation between the means of two groups of the new size, at most 1. ``nan`` if
        `correlation` is so negative that no reliability corresponds to it.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If an argument is not a number.

    Warns
    -----
    UndefinedMetricWarning
        If the result is undefined.

    See Also
    --------
    noise_ceiling : The reliability of the mean of all observers, without splits.

    Notes
    -----
    .. math:: \frac{f r}{1 + (f - 1) r}

    for the correlation :math:`r` and the factor :math:`f` :footcite:p:`spearman1910,brown1910`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.stats.spearman_brown(0.5, 4), 9)
    0.8
    """
    r = as_number(correlation, name="correlation", low=-1.0, high=1.0)
    f = as_number(factor, name="factor", low=math.ulp(0.0), high=math.inf)
    below = 1.0 + (f - 1.0) * r
    if not below > 0:
        warn(
            f"The reliability is undefined: `correlation` must be above {-1 / (f - 1):.3g} for the "
            f"factor {f:g}, got {r:.3g}.",
            UndefinedMetricWarning,
        )
        return math.nan
    return f * r / below


def observer_curve(
    metric: str | Metric,
    gaze_maps: Iterable[ArrayLike],
    center_bias: ArrayLike | None = None,
    *,
    fixations: Iterable[ArrayLike] | None = None,
    other_fixations: ArrayLike | None = None,
    shrink: int | None = None,
    n_subsets: int | None = None,
    rng: RandomState | None = None,
) -> ObserverCurve:
    r"""Compute how well 1, 2, ... observers predict another observer of the same image.

    The curve shows if the observers of a study are enough. It rises until more observers no longer
    make the prediction better.

    Parameters
    ----------
    metric : str or Metric
        Metric of the library, by its name or an alias.
    gaze_maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of at least two observers, non-negative with a positive sum.
    center_bias, fixations, other_fixations, shrink : optional
        As for `attainable`.
    n_subsets : int, optional
        Number of pairs of a subset and another observer that are sampled for each size with more
        pairs. By default all pairs are used, of which there are :math:`N 2^{N - 1} - N`.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the samples, required with `n_subsets`.

    Returns
    -------
    ObserverCurve
        Mean score for each size from 1 to N - 1.

    Raises
    ------
    ValueError
        If there are too many subsets to use all, or as for `attainable`.
    TypeError
        As for `attainable`.

    Warns
    -----
    UndefinedMetricWarning
        If a score is undefined, as by the metric.

    See Also
    --------
    observer_limit : The limit of the curves of a set of images.
    attainable : The last value of the curve, with an upper bound.
    split_half : The agreement of two halves.

    Notes
    -----
    For size :math:`k`, the mean is over all observers :math:`i` and all subsets :math:`T` of
    :math:`k` others of :math:`f(h(R_T), G_i)`, with :math:`h` as in `attainable`. By NCC, the curve
    does not reach the score of a perfect map against the mean of observers, because the single
    observer is noisy too. Its limit is the NCC of a perfect map with one observer.

    Examples
    --------
    >>> import gazesal
    >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]]]
    >>> curve = gazesal.stats.observer_curve("ncc", maps)
    >>> curve.sizes.tolist(), curve.scores.round(4).tolist()
    ([1, 2], [0.7789, 0.8342])
    """
    observers = ObserversAsMaps(metric, gaze_maps, center_bias, fixations, other_fixations, shrink)
    n, name = observers.n, observers.metric.name
    if n_subsets is None and name == "ncc" and n << n <= MOST_CORRELATIONS:
        sums = _all_correlations(observers.maps)
        n_pairs = np.array([n * math.comb(n - 1, size) for size in range(1, n)])
        return ObserverCurve(
            metric=name, sizes=np.arange(1, n), scores=sums / n_pairs, n_subsets=n_pairs
        )
    limit = MOST_SUBSETS if n_subsets is None else as_count(n_subsets, name="n_subsets")
    generator = None if n_subsets is None else as_generator(rng, why="to sample subsets")
    if n_subsets is None and n * 2 ** (n - 1) - n > limit:
        raise ValueError(
            f"`n_subsets` must be given for {n} observers, who have {n * 2 ** (n - 1) - n} "
            f"subsets, more than {limit}. Give a number, such as 100, and `rng`."
        )
    scores, counts = [], []
    for size in range(1, n):
        pairs = list(_pairs(n, size, limit if generator is not None else None, generator))
        scores.append(math.fsum(observers.score(members, i) for i, members in pairs) / len(pairs))
        counts.append(len(pairs))
    return ObserverCurve(
        metric=name,
        sizes=np.arange(1, n),
        scores=np.array(scores),
        n_subsets=np.array(counts),
    )


def split_half(
    gaze_maps: Iterable[ArrayLike],
    *,
    n_splits: int | None = None,
    rng: RandomState | None = None,
) -> SplitHalf:
    r"""Compute the NCC between the mean gaze maps of two halves of the observers.

    Parameters
    ----------
    gaze_maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of at least two observers of one image, finite.
    n_splits : int, optional
        Number of random splits. By default all splits are used.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the splits, required with `n_splits`.

    Returns
    -------
    SplitHalf
        The mean correlation, and its correction for all observers.

    Raises
    ------
    ValueError
        If there are fewer than two maps, one is not 2-D or not finite, the shapes differ, or there
        are too many splits to use all.
    TypeError
        If a map does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If a correlation is undefined, because a mean gaze map is constant.

    See Also
    --------
    noise_ceiling : The reliability without splits.
    spearman_brown : The correction.

    Notes
    -----
    Both halves have :math:`h = \lfloor N/2 \rfloor` observers, and the correction
    :footcite:p:`spearman1910,brown1910` has the factor :math:`N / h`. If :math:`N` is odd, one
    observer is left out of each split. The usual practice of halves of unequal size with the
    factor 2 is slightly biased.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]], [[3, 0, 1, 0]]]
    >>> found = gazesal.stats.split_half(maps)
    >>> len(found.correlations), round(found.correlation, 4), round(found.corrected, 4)
    (3, 0.896, 0.9451)
    """
    maps = as_gaze_maps(gaze_maps)
    n = len(maps)
    half = n // 2
    if n_splits is None:
        n_all = math.comb(n, 2 * half) * math.comb(2 * half, half) // 2
        if n_all > MOST_CORRELATIONS:
            raise ValueError(
                f"`n_splits` must be given for {n} observers, who have {n_all} splits. Give a "
                "number, such as 1000, and `rng`."
            )
        members = np.array(list(_all_splits(n, half)), dtype=float)
    else:
        count = as_count(n_splits, name="n_splits", most=MOST_CORRELATIONS)
        generator = as_generator(rng, why="to sample splits")
        first = np.repeat([1.0, -1.0, 0.0], [half, half, n - 2 * half])
        members = generator.permuted(np.tile(first, (count, 1)), axis=1)
    correlations = correlations_of_splits(maps, members)
    if np.isnan(correlations).any():
        warn(
            "A correlation is undefined: the mean of a half of `gaze_maps` is constant.",
            UndefinedMetricWarning,
        )
    mean = float(correlations.mean())
    return SplitHalf(
        correlation=mean,
        corrected=math.nan if math.isnan(mean) else spearman_brown(mean, n / half),
        correlations=correlations,
        half=half,
        n_observers=n,
    )


def correlations_of_splits(maps: list[FloatArray], members: Float64Array) -> Float64Array:
    """Compute the NCC of two groups for each row of 1, -1 and 0 for their members and others."""
    covariances = observer_covariances(maps)
    first, second = (members > 0).astype(float), (members < 0).astype(float)
    with_first = first @ covariances
    between = (with_first * second).sum(axis=1)
    variances = (with_first * first).sum(axis=1), ((second @ covariances) * second).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = between / np.sqrt(variances[0] * variances[1])
    return np.asarray(np.clip(found, -1.0, 1.0))


def _all_splits(n: int, half: int) -> Iterator[Float64Array]:
    """Yield every unordered split into two halves, with 1, -1 and 0 for the one left out."""
    for used in itertools.combinations(range(n), 2 * half):
        for rest in itertools.combinations(used[1:], half - 1):
            row = np.zeros(n)
            row[list(used)] = -1.0
            row[[used[0], *rest]] = 1.0
            yield row


def _pairs(
    n: int, size: int, most: int | None, generator: np.random.Generator | None
) -> Iterator[tuple[int, list[int]]]:
    """Yield observers with subsets of the others: all of them, or a sample if there are more."""
    if most is None or generator is None or n * math.comb(n - 1, size) <= most:
        for i in range(n):
            others = [each for each in range(n) if each != i]
            for members in itertools.combinations(others, size):
                yield i, list(members)
        return
    for _ in range(most):
        i, *members = generator.permutation(n)[: size + 1].tolist()
        yield i, sorted(members)


def _all_correlations(maps: list[FloatArray]) -> Float64Array:
    """Sum the NCC of each observer and the mean of each subset of the others, by its size."""
    n = len(maps)
    covariances = observer_covariances(maps)
    members = (np.arange(1, 1 << n)[:, None] >> np.arange(n) & 1).astype(float)
    with_members = members @ covariances
    variances = (with_members * members).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = with_members / np.sqrt(variances[:, None] * np.diag(covariances))
    others = members == 0
    found = np.where(others, np.clip(found, -1.0, 1.0), 0.0)
    sums = np.bincount(members.sum(axis=1).astype(int), found.sum(axis=1), minlength=n + 1)[1:n]
    if np.isnan(sums).any():
        warn(
            "A correlation is undefined: one of `gaze_maps` or a mean of them is constant.",
            UndefinedMetricWarning,
        )
    return np.asarray(sums)
