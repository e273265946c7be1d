"""Information of a density about fixations, in bits."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.area import weights_of
from gazesal.metrics.area import takes_area
from gazesal.metrics.densities import EPSILON, as_density, as_epsilon
from gazesal.metrics.points import OutsidePoints, fixated_pixels, values_at
from gazesal.typing import Float64Array

__all__ = ["information_gain", "log_likelihood"]


@takes_area(densities=("saliency_map", "baseline"))
def information_gain(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    baseline: ArrayLike,
    *,
    eps: float = EPSILON,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the information gain of a density over a baseline, in bits per fixation.

    It is the mean log-ratio of the density under test to the baseline at the fixations.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Density under test, non-negative, summing to 1. See `to_density`.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation counts at its
        nearest pixel, and repeated fixations count repeatedly.
    baseline : array_like of float, shape (H, W)
        Density to compare with, usually the center bias: see `CenterBias`.
    eps : float, default 2**-52
        Added to both densities, in [0, 1]. It keeps the score finite if a fixation falls on a
        density of 0. Such a fixation costs some 30 to 40 bits: 52 bits, reduced by the negative
        log2 of the baseline there. The score is the mean and loses this cost divided by the number
        of fixations.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        In bits per fixation, unbounded if `eps` is 0, and higher is better. The baseline itself
        scores 0, and there is no level of chance. ``nan`` if `eps` is 0 and a fixation has density
        0.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN, infinity or a negative value, does not sum to 1,
        or the shapes differ. If the fixations are not points (N, 2), there are no points, or one
        lies outside the image under ``outside="raise"``. If `eps` is out of range.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If `eps` is 0 and a fixation has density 0.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    log_likelihood : The gain over the uniform density.
    to_density : Turn a saliency map into a density.
    mit_ig : The score of the Matlab code, from maps on any scale.

    Notes
    -----
    .. math:: \mathrm{IG} = \frac1N \sum_{i=1}^N
              \log_2(\varepsilon + p(x_i, y_i)) - \log_2(\varepsilon + b(x_i, y_i))

    for densities :math:`p` and :math:`b`, after :footcite:t:`kummerer2015`. Two scores can be
    compared only if they have the same baseline and their maps were turned into densities in the
    same way. Each density is divided by its sum again, because rounding keeps the sum from being
    exactly 1.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> density = [[0.5, 0.25], [0.125, 0.125]]
    >>> uniform = [[0.25, 0.25], [0.25, 0.25]]
    >>> round(gazesal.information_gain(density, [[0, 0], [1, 0]], uniform), 4)
    0.5
    """
    weights = weights_of(area)
    density, total = as_density(saliency_map, name="saliency_map", weights=weights)
    bias, bias_total = as_density(baseline, name="baseline", weights=weights)
    require_same_shape(density, bias, names=("saliency_map", "baseline"))
    pixels = fixated_pixels(fixations, density.shape, name="fixations", outside=outside)
    return _mean_gain(
        values_at(density, pixels) / total,
        values_at(bias, pixels) / bias_total,
        eps=as_epsilon(eps),
        names=("saliency_map", "baseline"),
    )


@takes_area(densities=("saliency_map",))
def log_likelihood(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    eps: float = EPSILON,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the log-likelihood of fixations under a density, in bits over the uniform density.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Density under test, non-negative, summing to 1. See `to_density`.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation counts at its
        nearest pixel, and repeated fixations count repeatedly.
    eps : float, default 2**-52
        Added to both densities, in [0, 1]. It keeps the score finite: a fixation on a density of 0
        costs 52 bits minus log2(H W).
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        In bits per fixation, unbounded below if `eps` is 0 and at most log2(H W), and higher is
        better. The uniform density scores 0, and there is no level of chance. ``nan`` if `eps` is 0
        and a fixation has density 0.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, holds NaN, infinity or a negative value, or does not sum
        to 1. If the fixations are not points (N, 2), there are no points, or one lies outside the
        image under ``outside="raise"``. If `eps` is out of range.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If `eps` is 0 and a fixation has density 0.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    information_gain : The gain over another density.

    Notes
    -----
    .. math:: \mathrm{LL} = \frac1N \sum_{i=1}^N
              \log_2(\varepsilon + p(x_i, y_i)) - \log_2(\varepsilon + 1/P)

    over :math:`P` pixels, after :footcite:t:`kummerer2015`: the information gain over the uniform
    density. pysaliency reports the log-likelihood in nats and without a baseline, which is
    :math:`\mathrm{LL} \ln 2 - \ln P`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> density = [[0.5, 0.25], [0.125, 0.125]]
    >>> round(gazesal.log_likelihood(density, [[0, 0], [1, 0]]), 4)
    0.5
    """
    weights = weights_of(area)
    density, total = as_density(saliency_map, name="saliency_map", weights=weights)
    pixels = fixated_pixels(fixations, density.shape, name="fixations", outside=outside)
    return _mean_gain(
        values_at(density, pixels) / total,
        np.full(len(pixels), 1.0 / density.size),
        eps=as_epsilon(eps),
        names=("saliency_map", "uniform density"),
    )


def _mean_gain(
    density: Float64Array, baseline: Float64Array, *, eps: float, names: tuple[str, str]
) -> float:
    """Return the mean log-ratio in bits, or `nan` with a warning for a logarithm of 0."""
    for probabilities, name in zip((density, baseline), names, strict=True):
        if eps == 0.0 and probabilities.min() == 0.0:
            warn(
                f"The information is undefined: `{name}` is 0 at a fixation, and `eps` is 0.",
                UndefinedMetricWarning,
            )
            return math.nan
    gains = np.log2(eps + density) - np.log2(eps + baseline)
    return math.fsum(gains) / len(gains)
