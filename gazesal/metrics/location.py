"""Metrics of fixations: normalized scanpath saliency (NSS), and information in bits."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.moments import centered_spread
from gazesal.maps.constancy import constant, is_constant_by_spread
from gazesal.metrics.correlation import LARGEST, SMALLEST, to_unit_scale
from gazesal.metrics.densities import EPSILON, as_density, as_epsilon
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["information_gain", "log_likelihood", "nss", "snss"]


def nss(
    saliency_map: ArrayLike, fixations: ArrayLike, *, outside: OutsidePoints = "raise"
) -> float:
    r"""Compute the normalized scanpath saliency (NSS) of a saliency map at fixations.

    It is the mean of the map at the fixations, after the map is scaled to mean 0 and standard
    deviation 1.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation counts at its
        nearest pixel, and repeated fixations count repeatedly.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        Unbounded, and higher is better. Chance is 0. ``nan`` if the map is constant.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity. If the fixations are not points
        (N, 2), there are no points, or one lies outside the image under ``outside="raise"``.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the map is constant, exactly or up to rounding.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    snss : NSS minus the NSS at the fixations on other images.
    ncc : The correlation with a gaze map, whose counterpart for fixations is NSS.

    Notes
    -----
    .. math:: \mathrm{NSS} = \frac1N \sum_{i=1}^N \frac{S(x_i, y_i) - \mu}{\sigma}

    with the mean :math:`\mu` and the population standard deviation :math:`\sigma` of the map over
    its pixels :footcite:p:`peters2005`. The Matlab code of the benchmark at MIT divides by the
    sample standard deviation and counts each fixated pixel only once: see `mit_nss`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0, 0, 4], [0, 1, 1]]
    >>> round(gazesal.nss(saliency_map, [[2, 0], [1, 1]]), 4)
    1.0607
    >>> round(gazesal.nss(saliency_map, [[2, 0], [2, 0]]), 4)
    2.1213
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    scores = _z_scores(saliency, pixels, label="NSS")
    return math.fsum(scores) / len(scores) if len(scores) else math.nan


def snss(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    other_fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the shuffled normalized scanpath saliency (sNSS) of a saliency map.

    It is the NSS at the fixations on this image minus the NSS at fixations on other images. It
    measures how much better the map predicts the gaze on this image than gaze in general.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation counts at its
        nearest pixel, and repeated fixations count repeatedly.
    other_fixations : array_like of float, shape (M, 2)
        Fixations on other images, in the pixels of this image.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        Unbounded, and higher is better. Chance is 0. ``nan`` if the map is constant.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity. If the fixations are not points
        (N, 2), there are no points, or one lies outside the image under ``outside="raise"``.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the map is constant, exactly or up to rounding.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    nss : NSS without the other images.
    sncc : The shuffled metric for gaze maps.

    Notes
    -----
    .. math:: \mathrm{sNSS} = \mathrm{NSS}(F) - \mathrm{NSS}(F_{\text{other}})

    after :footcite:t:`gide2016`. Because the NSS is linear in the fixations, a map that is
    the same for all images is expected to score 0 on average over the images from which the other
    fixations are.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0, 0, 4], [0, 1, 1]]
    >>> round(gazesal.snss(saliency_map, [[2, 0]], [[1, 1], [0, 0]]), 4)
    2.4749
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    others = fixated_pixels(
        other_fixations, saliency.shape, name="other_fixations", outside=outside
    )
    scores = _z_scores(saliency, np.concatenate([pixels, others]), label="sNSS")
    if not len(scores):
        return math.nan
    own, other = scores[: len(pixels)], scores[len(pixels) :]
    return math.fsum(own) / len(own) - math.fsum(other) / len(other)


def information_gain(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    baseline: ArrayLike,
    *,
    eps: float = EPSILON,
    outside: OutsidePoints = "raise",
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
    density, total = as_density(saliency_map, name="saliency_map")
    bias, bias_total = as_density(baseline, name="baseline")
    require_same_shape(density, bias, names=("saliency_map", "baseline"))
    pixels = fixated_pixels(fixations, density.shape, name="fixations", outside=outside)
    return _mean_gain(
        _at(density, pixels) / total,
        _at(bias, pixels) / bias_total,
        eps=as_epsilon(eps),
        names=("saliency_map", "baseline"),
    )


def log_likelihood(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    eps: float = EPSILON,
    outside: OutsidePoints = "raise",
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
    density, total = as_density(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, density.shape, name="fixations", outside=outside)
    return _mean_gain(
        _at(density, pixels) / total,
        np.full(len(pixels), 1.0 / density.size),
        eps=as_epsilon(eps),
        names=("saliency_map", "uniform density"),
    )


def _at(array: FloatArray, pixels: IntArray) -> Float64Array:
    """Return the values of an array at pixels given by their index in reading order."""
    return array.ravel()[pixels].astype(np.float64)


def _z_scores(saliency: FloatArray, pixels: IntArray, *, label: str) -> Float64Array:
    """Return z-scores at pixels, or an empty array with a warning if the map is constant."""
    values = saliency.ravel()
    mean, sum_of_squares = centered_spread(values)
    scaled = not SMALLEST < sum_of_squares < LARGEST
    if scaled:
        require_finite(saliency, name="saliency_map")
    if is_constant_by_spread(values, sum_of_squares):
        warn(
            f"{label} is undefined: `saliency_map` is {constant(values)}.",
            UndefinedMetricWarning,
        )
        return np.empty(0)
    if scaled:
        values = to_unit_scale(values)
        mean, sum_of_squares = centered_spread(values)
    above_first = _at(values, pixels) - float(values[0])
    return np.asarray((above_first - mean) / math.sqrt(sum_of_squares / values.size))


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
