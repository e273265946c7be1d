"""Scores of a map against the gaze beyond the center bias."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.area import weights_of
from gazesal.maps.constancy import (
    ROUNDING_STEPS,
    SINGLE,
    as_weights,
    constant,
    fits_single,
    is_flat,
)
from gazesal.metrics.area import takes_area
from gazesal.metrics.correlation import correlation, z_scores
from gazesal.typing import Float64Array, FloatArray

__all__ = ["residual_ncc", "residual_nss", "semipartial_ncc"]

NAMES = ("saliency_map", "gaze_map", "center_bias")


@takes_area()
def residual_ncc(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    center_bias: ArrayLike,
    *,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the correlation of a saliency map with the gaze minus the center bias.

    It measures whether a map is high at positions with more gaze than on other images, and low at
    positions with less. A map that is the same for all images scores about 0 on average over the
    images if they differ little in the spread of their gaze. See Notes.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map of this image, non-negative with a positive sum, by which it is divided.
    center_bias : array_like of float, shape (H, W)
        Gaze on other images, non-negative with a positive sum, by which it is divided. See
        `CenterBias`.

    Returns
    -------
    float
        In [-1, 1], and higher is better. Chance is 0 for a map of noise. ``nan`` if the saliency
        map is constant, or if the gaze map equals the center bias.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ. If the gaze map
        or the center bias is negative somewhere or all zero.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, because two maps are equal or one is constant, exactly or up to
        rounding.

    See Also
    --------
    residual_nss : The same sum without the division by the spread of the difference.
    semipartial_ncc : The part of the gaze that no multiple of the center bias explains.
    sncc : The difference of two correlations, as in the study, which a fixed map can win.

    Notes
    -----
    .. math:: r(S,\; G - C) = \frac{\sum_p (S(p) - \bar S)(G(p) - C(p))}
              {\sqrt{\sum_p (S(p) - \bar S)^2 \; \sum_p (G(p) - C(p))^2}}

    for saliency map :math:`S`, gaze map :math:`G` and center bias :math:`C`, the last two divided
    by their sums. It is the NCC :footcite:p:`bylinskii2019` of the map and the difference. The
    numerator is linear in the gaze, so that its mean over images is exactly 0 for a fixed map if
    the center bias is the mean gaze map of the other images. The denominator differs between
    images, so that the mean of the score is not 0, also in expectation. Images with gaze near the
    center bias have a small denominator and the same weight as the others. If the gaze on 9 of 10
    images is at one place and on the tenth elsewhere, a map that is high at the first place scores
    far above 0. `residual_nss` has no such denominator, so compare both.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> center_bias = [[1, 2, 1], [2, 4, 2]]
    >>> round(gazesal.residual_ncc([[0, 0, 9], [0, 1, 0]], gaze_map, center_bias), 4)
    0.9584
    >>> round(gazesal.residual_ncc(center_bias, gaze_map, center_bias), 4)
    -0.5185
    """
    saliency, gaze, bias = _as_maps(saliency_map, gaze_map, center_bias)
    weights = weights_of(area)
    excess = excess_map(gaze, bias, weights)
    if excess is None:
        return _undefined("The residual NCC", "`gaze_map` equals `center_bias`")
    names = ("saliency_map", "gaze_map - center_bias")
    return correlation(saliency, excess, names=names, weights=weights)


@takes_area()
def residual_nss(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    center_bias: ArrayLike,
    *,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the NSS of a saliency map under the gaze minus the NSS under the center bias.

    It is the shuffled NSS for gaze maps. A map that is the same for all images scores exactly 0 on
    average over the images, whatever it shows, if the center bias of each image is the mean gaze
    map of the others.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map of this image, non-negative with a positive sum, by which it is divided.
    center_bias : array_like of float, shape (H, W)
        Gaze on other images, non-negative with a positive sum, by which it is divided. See
        `CenterBias`.

    Returns
    -------
    float
        Unbounded, in standard deviations of the saliency map, and higher is better. Chance is 0.
        ``nan`` if the saliency map is constant.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ. If the gaze map
        or the center bias is negative somewhere or all zero.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the saliency map is constant, exactly or up to rounding.

    See Also
    --------
    snss : The same difference for fixations.
    residual_ncc : The correlation with the difference, between -1 and 1.

    Notes
    -----
    .. math:: \sum_p \frac{S(p) - \mu}{\sigma} \bigl(G(p) - C(p)\bigr)

    with the mean :math:`\mu` and the population standard deviation :math:`\sigma` of the saliency
    map over its pixels, gaze map :math:`G` and center bias :math:`C`, the last two divided by their
    sums, after the shuffled NSS of :footcite:t:`gide2016`. It is linear in the gaze. The mean of
    exactly 0 needs the same number of observers on each image, because an image with more observers
    has more weight in `CenterBias`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> center_bias = [[1, 2, 1], [2, 4, 2]]
    >>> round(gazesal.residual_nss([[0, 0, 9], [0, 1, 0]], gaze_map, center_bias), 4)
    1.5405
    >>> gazesal.residual_nss([[0, 0, 9], [0, 1, 0]], center_bias, center_bias)
    0.0
    """
    saliency, gaze, bias = _as_maps(saliency_map, gaze_map, center_bias)
    weights = weights_of(area)
    excess = excess_map(gaze, bias, weights)  # first, because it checks the weights
    if is_flat(saliency):
        return _undefined("The residual NSS", f"`saliency_map` is {constant(saliency)}")
    if excess is None:
        return 0.0
    if weights is not None:
        excess = excess * weights
    return float(np.vdot(z_scores(saliency, weights), excess.ravel()))


@takes_area()
def semipartial_ncc(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    center_bias: ArrayLike,
    *,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the correlation of a saliency map with the gaze that the center bias leaves over.

    The center bias is first fitted to the gaze map, with a factor and a constant. The score is the
    correlation with the rest, which the center bias cannot explain.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map of this image, any scale, finite. See `gaze_heatmap`.
    center_bias : array_like of float, shape (H, W)
        Gaze on other images, any scale, finite. See `CenterBias`. Any other map can be given
        instead, such as a segmentation or another saliency map. The score then measures the
        agreement with the gaze that this map cannot explain.

    Returns
    -------
    float
        In [-1, 1], and higher is better. Chance is 0 for a map of noise, and the center bias itself
        scores 0 on every image. Another fixed map can be above or below 0 on average. ``nan`` if
        one of the maps is constant, or if the gaze map is the center bias times a factor plus a
        constant.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, exactly or up to rounding.

    See Also
    --------
    partial_ncc : The correlation beyond several given maps.
    residual_ncc : The correlation with the gaze minus the center bias, without a fit.
    sncc : The difference of two correlations, as in the study.

    Notes
    -----
    .. math:: \frac{r_{SG} - r_{SC}\, r_{GC}}{\sqrt{1 - r_{GC}^2}}

    with Pearson's correlations :math:`r` of saliency map :math:`S`, gaze map :math:`G` and center
    bias :math:`C`. Its square is the share of the variance of the gaze map beyond the center bias
    that the *whole* saliency map explains. Such squared correlations were reported by
    :footcite:t:`hayes2020`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> center_bias = [[1, 2, 1], [2, 4, 2]]
    >>> round(gazesal.semipartial_ncc([[0, 0, 9], [0, 1, 0]], gaze_map, center_bias), 4)
    0.9065
    >>> abs(gazesal.semipartial_ncc(center_bias, gaze_map, center_bias)) < 1e-15
    True
    """
    saliency, gaze, bias = _as_maps(saliency_map, gaze_map, center_bias, weights=False)
    weights = weights_of(area)
    rest = rest_map(gaze, bias, weights)
    if rest is None:
        return _undefined(
            "The semi-partial NCC",
            "`gaze_map` or `center_bias` is constant, or one is the other times a factor plus a "
            "constant",
        )
    names = ("saliency_map", "rest of gaze_map")
    return correlation(saliency, rest, names=names, weights=weights)


def excess_map(
    gaze: FloatArray, bias: FloatArray, weights: Float64Array | None = None
) -> Float64Array | None:
    """Return the gaze minus the center bias, each with the sum 1, or None if they are equal."""
    (gaze, gaze_sum), (bias, bias_sum) = (
        as_weights(values, name=name) for values, name in ((gaze, NAMES[1]), (bias, NAMES[2]))
    )
    if weights is not None:
        gaze_sum, bias_sum = float(gaze.ravel() @ weights), float(bias.ravel() @ weights)
    shares = np.asarray(gaze / np.float64(gaze_sum), np.float64)
    largest = max(float(shares.max()), float(bias.max()) / bias_sum)
    shares -= bias / np.float64(bias_sum)
    return None if is_rounding(shares, largest, (gaze, bias)) else shares


def rest_map(
    gaze: FloatArray, bias: FloatArray, weights: Float64Array | None = None
) -> Float64Array | None:
    """Return the residual of the least squares fit of the bias to the gaze, None if it is 0."""
    if is_flat(gaze) or is_flat(bias):
        return None
    first, second = z_scores(gaze, weights), z_scores(bias, weights)
    largest = max(float(np.abs(first).max()), float(np.abs(second).max()))
    weighted = second if weights is None else second * weights
    first -= np.vdot(first, weighted) / np.vdot(second, weighted) * second
    return None if is_rounding(first, largest, (gaze, bias)) else first.reshape(gaze.shape)


def is_rounding(difference: Float64Array, largest: float, maps: tuple[FloatArray, ...]) -> bool:
    """Return whether a difference of maps is as small as the rounding of their values."""
    spread = float(difference.max() - difference.min())
    if spread > ROUNDING_STEPS * SINGLE * largest:
        return False
    steps = ROUNDING_STEPS * float(np.finfo(np.float64).eps) * largest
    return spread <= steps or all(fits_single(values) for values in maps)


def _as_maps(
    saliency_map: ArrayLike, gaze_map: ArrayLike, center_bias: ArrayLike, *, weights: bool = True
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the three maps, checked."""
    given = (saliency_map, gaze_map, center_bias)
    found = tuple(as_map(value, name=name) for value, name in zip(given, NAMES, strict=True))
    for array, name in zip(found[1:], NAMES[1:], strict=True):
        require_same_shape(found[0], array, names=(NAMES[0], name))
    for array, name in zip(found if not weights else found[:1], NAMES, strict=False):
        require_finite(array, name=name)
    return found[0], found[1], found[2]


def _undefined(metric: str, reason: str) -> float:
    """Warn that a score is undefined, and return NaN."""
    warn(f"{metric} is undefined: {reason}.", UndefinedMetricWarning)
    return math.nan
