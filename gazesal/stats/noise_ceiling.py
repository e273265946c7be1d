"""Ceilings of the NCC: the score of a perfect map, and scores corrected for few observers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_count,
    as_flag,
    as_iterable,
    as_map,
    finite_extremes,
    require_same_shape,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.gram_matrix import PART, merged, part_products
from gazesal.maps.constancy import is_constant
from gazesal.metrics.correlation import to_unit_scale
from gazesal.typing import Float64Array, FloatArray

__all__ = [
    "NoiseCeiling",
    "as_gaze_maps",
    "corrected_ncc",
    "covariance_matrix",
    "covariance_parts",
    "mean_covariance",
    "noise_ceiling",
    "observer_covariances",
]

USUAL_EXPONENT = 200  # of two; squares of larger or smaller maps may overflow or underflow


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseCeiling:
    """Agreement of observers on one image, and the NCC of a perfect map that follows from it.

    Attributes
    ----------
    alpha : float
        Cronbach's alpha over the pixels: the reliability of the mean gaze map, at most 1. It is
        the squared NCC that a perfect map is expected to reach. Zero or negative if the observers
        do not agree.
    pair_correlation : float
        Mean NCC between the gaze maps of two observers.
    best_attainable : float
        Square root of `alpha`: NCC of the expected gaze map with the mean of these observers.
        ``nan`` if `alpha` is negative.
    lower, upper : float
        Bounds of Nili et al. (2014): mean NCC of each observer with the mean of the others, and
        with the mean of all, which includes the observer. No map has a higher mean NCC with the
        single observers than `upper` if the maps are standardized. Otherwise, a map can be slightly
        higher, because the mean of all follows observers with large deviations.
    covariance : float
        Mean covariance between the gaze maps of two observers over the pixels.
    variance : float
        Mean variance of the observers' gaze maps over the pixels.
    n_observers : int
        Number of observers.
    """

    alpha: float
    pair_correlation: float
    best_attainable: float
    lower: float
    upper: float
    covariance: float
    variance: float
    n_observers: int

    def attainable(self, n_observers: int) -> float:
        r"""Return the NCC of a perfect map with the mean of another number of observers.

        Parameters
        ----------
        n_observers : int
            Number of observers in the mean gaze map.

        Returns
        -------
        float
            :math:`\sqrt{n \rho / (1 + (n - 1) \rho)}` with the ratio :math:`\rho` of `covariance`
            and `variance` (Spearman-Brown). ``nan`` if the covariance is negative.

        Examples
        --------
        >>> import gazesal
        >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]]]
        >>> ceiling = gazesal.stats.noise_ceiling(maps)
        >>> round(ceiling.attainable(3), 4) == round(ceiling.best_attainable, 4)
        True
        >>> round(ceiling.attainable(1), 4)
        0.8528
        """
        n = as_count(n_observers, name="n_observers", most=10**9)
        if not self.alpha >= 0:
            return math.nan
        rho = self.alpha / (self.n_observers - (self.n_observers - 1) * self.alpha)
        return math.sqrt(n * rho / (1 + (n - 1) * rho))


def noise_ceiling(gaze_maps: Iterable[ArrayLike], *, standardize: bool = False) -> NoiseCeiling:
    r"""Compute the NCC that a perfect map can reach, from the agreement of the observers.

    "One observer vs. the others" is not an upper bound of the NCC of a map: the gaze map of one
    observer is noisy, and a saliency map need not be. A perfect map, which is the mean of
    infinitely many observers, scores higher. It does not score 1 either, because the mean of the
    observers on the image is noisy.

    Parameters
    ----------
    gaze_maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of at least two observers of one image, finite. See `gaze_heatmap`.
    standardize : bool, default False
        Divide each map by its standard deviation first, so that all observers have the same weight
        in the means. By default, they are averaged as given, as for the ground truth of `evaluate`.

    Returns
    -------
    NoiseCeiling
        The reliability of the mean map and the bounds. Values that a constant map leaves undefined
        are ``nan``.

    Raises
    ------
    ValueError
        If there are fewer than two maps, one is not 2-D or not finite, or the shapes differ.
    TypeError
        If a map does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If a correlation is undefined, because a gaze map or a mean of them is constant. If
        ``alpha`` or ``best_attainable`` is undefined, because the observers do not agree.

    See Also
    --------
    corrected_ncc : NCC of a map divided by the best attainable NCC.
    one_vs_rest : Pairs of one observer and the mean of the others.

    Notes
    -----
    With the mean :math:`C` of the covariances :math:`c_{ij}` between two of the :math:`n` gaze
    maps over the pixels, and their variances :math:`c_{ii}`,

    .. math:: \alpha = \frac{n}{n - 1}\Bigl(1 - \frac{\sum_i c_{ii}}{\sum_{ij} c_{ij}}\Bigr)
              = \frac{C}{\operatorname{var}(\bar G)}

    is the alpha of :footcite:t:`cronbach1951` with the pixels as persons and the observers as
    items. If observers are a sample of a population, :math:`C` estimates the variance of the
    population's gaze map, so that the NCC of that map with the mean of the :math:`n` observers is
    :math:`\sqrt{\alpha}`. The bounds are of :footcite:t:`nili2014`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]]]
    >>> ceiling = gazesal.stats.noise_ceiling(maps)
    >>> round(ceiling.lower, 4), round(ceiling.best_attainable, 4)
    (0.8342, 0.9428)
    """
    maps, exponent = _of_usual_scale(as_gaze_maps(gaze_maps))
    as_flag(standardize, name="standardize")
    covariances, constant = covariance_matrix(maps)
    n = len(maps)
    if constant:
        named = ", ".join(f"`gaze_maps[{i}]`" for i in constant)
        warn(f"Correlations with constant maps are undefined: {named}.", UndefinedMetricWarning)
    deviations = np.sqrt(np.diag(covariances))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlations = covariances / np.outer(deviations, deviations)
    correlations[constant, :] = correlations[:, constant] = np.nan
    used = correlations if standardize else covariances
    total, rows, own = used.sum(), used.sum(axis=1), np.diag(used)
    scale = 1.0 if standardize else deviations
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = (rows - own) / (scale * np.sqrt(total - 2 * rows + own))
        upper = rows / (scale * np.sqrt(total))
    lower[constant] = upper[constant] = np.nan
    covariance = float(total - own.sum()) / (n * (n - 1))
    alpha = covariance * n * n / float(total) if total > 0 else math.nan
    if not (constant or alpha >= 0):
        warn(
            "The best attainable NCC is undefined: the mean covariance of `gaze_maps` must not be "
            f"negative, got {covariance:.3g}. The observers do not agree.",
            UndefinedMetricWarning,
        )
    with np.errstate(over="ignore"):  # of maps with squares beyond the range of floats
        between, within = np.ldexp([covariance, own.mean()], 0 if standardize else 2 * exponent)
    return NoiseCeiling(
        alpha=alpha,
        pair_correlation=float((correlations.sum() - np.trace(correlations)) / (n * (n - 1))),
        best_attainable=math.sqrt(alpha) if alpha >= 0 else math.nan,
        lower=_mean_correlation(lower),
        upper=_mean_correlation(upper),
        covariance=float(between),
        variance=float(within),
        n_observers=n,
    )


def corrected_ncc(saliency_map: ArrayLike, gaze_maps: Iterable[ArrayLike]) -> float:
    r"""Compute the NCC of a map with the gaze of infinitely many observers.

    It is the NCC with the mean gaze map, divided by the best attainable NCC (correction for
    attenuation), so that scores of images with few and with many observers can be compared.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of at least two observers of the image, finite. See `gaze_heatmap`.

    Returns
    -------
    float
        Higher is better. Chance is 0, and a perfect map is expected to score 1. An estimate from
        few observers can be above 1 or below -1. ``nan`` if the saliency map is constant, or if the
        mean covariance of the gaze maps is not positive, which means that the observers do not
        agree.

    Raises
    ------
    ValueError
        If there are fewer than two gaze maps, a map is not 2-D or not finite, or the shapes differ.
    TypeError
        If a map does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined.

    See Also
    --------
    ncc : The correlation with the mean gaze map, without the correction.
    gazesal.stats.noise_ceiling : The agreement of the observers.

    Notes
    -----
    .. math:: \frac{\operatorname{cov}(S, \bar G)}{\operatorname{sd}(S) \sqrt{C}}
              = \frac{\mathrm{NCC}(S, \bar G)}{\sqrt{\alpha}}

    with the mean gaze map :math:`\bar G`, the mean covariance :math:`C` between two observers and
    Cronbach's :math:`\alpha`, see `gazesal.stats.noise_ceiling`. This is the correction of
    :footcite:t:`spearman1904` with a perfectly reliable saliency map. The estimate of one image is
    noisy and biased upward if the observers hardly agree.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]]]
    >>> round(gazesal.corrected_ncc([[2, 1, 0, 0]], maps), 4)
    1.0445
    """
    with_each, variance, covariances = covariance_parts(saliency_map, gaze_maps)
    common = mean_covariance(covariances)
    if variance == 0.0:
        warn("The corrected NCC is undefined: `saliency_map` is constant.", UndefinedMetricWarning)
        return math.nan
    if not common > 0:
        warn(
            "The corrected NCC is undefined: the mean covariance of `gaze_maps` must be positive, "
            f"got {common:.3g}. The observers do not agree.",
            UndefinedMetricWarning,
        )
        return math.nan
    return float(with_each.mean() / math.sqrt(variance * common))


def covariance_parts(
    saliency_map: ArrayLike, gaze_maps: Iterable[ArrayLike]
) -> tuple[Float64Array, float, Float64Array]:
    """Compute the three parts of the corrected NCC.

    Return the covariances of the saliency map with the gaze maps (N,), the variance of the saliency
    map, which is 0 if it is constant, and the covariance matrix of the observers (N, N). The
    saliency map has an arbitrary scale.
    """
    saliency = as_map(saliency_map, name="saliency_map")
    maps, _ = _of_usual_scale(as_gaze_maps(gaze_maps))
    require_same_shape(saliency, maps[0], names=("saliency_map", "gaze_maps[0]"))
    ends = finite_extremes(saliency.ravel(), name="saliency_map")
    if is_constant(saliency, *ends):
        return np.zeros(len(maps)), 0.0, np.zeros((len(maps), len(maps)))
    scaled = to_unit_scale(saliency.ravel()).reshape(saliency.shape)
    covariances, _ = covariance_matrix([*maps, scaled])
    n = len(maps)
    return covariances[n, :n], float(covariances[n, n]), covariances[:n, :n]


def mean_covariance(covariances: Float64Array) -> float:
    """Return the mean covariance between two observers."""
    n = len(covariances)
    return float(covariances.sum() - np.trace(covariances)) / (n * (n - 1))


def as_gaze_maps(gaze_maps: Iterable[ArrayLike]) -> list[FloatArray]:
    """Return at least two finite maps of one shape."""
    found: list[FloatArray] = []
    for i, value in enumerate(as_iterable(gaze_maps, name="gaze_maps", of="gaze maps")):
        array = as_map(value, name=f"gaze_maps[{i}]")
        finite_extremes(array.ravel(), name=f"gaze_maps[{i}]")
        if found:
            require_same_shape(found[0], array, names=("gaze_maps[0]", f"gaze_maps[{i}]"))
        found.append(array)
    if len(found) < 2:
        raise ValueError(
            f"`gaze_maps` must contain the maps of at least two observers, got {len(found)}. The "
            "agreement of one observer with others is unknown."
        )
    return found


def observer_covariances(maps: list[FloatArray]) -> Float64Array:
    """Return the covariances of the observers over the pixels, up to a common factor.

    They are 0 for constant maps.
    """
    return covariance_matrix(_of_usual_scale(maps)[0])[0]


def _of_usual_scale(maps: list[FloatArray]) -> tuple[list[FloatArray], int]:
    """Divide maps of extreme scale by one power of two, so that no square under- or overflows.

    Return the maps and the exponent of the power.
    """
    largest = max(max(abs(float(each.min())), abs(float(each.max()))) for each in maps)
    exponent = math.frexp(largest)[1]
    if largest == 0 or abs(exponent) < USUAL_EXPONENT:
        return maps, 0
    return [np.ldexp(each.astype(np.float64), -exponent) for each in maps], exponent


def covariance_matrix(maps: Sequence[FloatArray]) -> tuple[Float64Array, list[int]]:
    """Return the covariance matrix over the pixels, and the positions of constant maps."""
    flat = [values.ravel() for values in maps]
    constant = [i for i, each in enumerate(flat) if is_constant(each, each.min(), each.max())]
    upper = np.stack(np.triu_indices(len(maps)), axis=1).astype(np.int64)
    parts = [part_products(flat, upper, start) for start in range(0, flat[0].size, PART)]
    found = np.empty((len(maps), len(maps)))
    i, j = upper.T
    found[i, j] = found[j, i] = merged(parts, upper) / flat[0].size
    found[constant, :] = found[:, constant] = 0.0
    return found, constant


def _mean_correlation(values: Float64Array) -> float:
    """Return the mean of correlations, each of which rounding may put beyond 1."""
    return float(np.clip(values, -1.0, 1.0).mean())
