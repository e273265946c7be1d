"""Correlation of maps: NCC, its shuffled form, and the correlation of ranks."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.moments import centered_moments
from gazesal.maps.area import weights_of
from gazesal.maps.constancy import constant, is_constant_by_spread, is_flat
from gazesal.metrics.area import takes_area
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ncc", "sncc", "spearman"]

# Outside these bounds a sum of squares, or the product of two, may have lost digits to underflow
# or overflow.
SMALLEST, LARGEST = 1e-150, 1e150


@takes_area()
def ncc(saliency_map: ArrayLike, gaze_map: ArrayLike, *, area: ArrayLike | None = None) -> float:
    r"""Compute the normalized cross-correlation (NCC) of a saliency map and a gaze map.

    It is Pearson's correlation over all pixels, also called CC.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, any scale, finite. See `gaze_heatmap`.

    Returns
    -------
    float
        In [-1, 1], and higher is better. Chance is 0. ``nan`` if either map is constant.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If either map is constant, exactly or up to rounding.

    See Also
    --------
    sncc : NCC minus the NCC with the center bias.
    resample : Resize a map to the shape of another.

    Notes
    -----
    .. math:: \mathrm{NCC} = \frac{1}{P-1}\sum_p \frac{x_1(p)-\mu_1}{\sigma_1}\,
              \frac{x_2(p)-\mu_2}{\sigma_2}

    over the :math:`P` pixels, equation 4 of :footcite:t:`bigolin2021`, the CC of
    :footcite:t:`bylinskii2019`. The choice of unbiased or population deviation cancels. NCC is
    symmetric. Multiplying a map by a positive number or adding a number to it does not change the
    score.

    Sums are in float64 whatever the dtype, and each map is read once. A map is constant if its
    smallest value equals its largest, or differs from it by no more than the rounding of a resize:
    32 units of the precision of the map times its largest magnitude. Other code tests the
    computed standard deviation, which is not 0 for a constant of 0.1, and returns 0, ``nan`` or
    rounding noise.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 1, 2], [0, 2, 4]]
    >>> gazesal.ncc([[0, 3, 6], [0, 6, 12]], gaze_map)
    1.0
    >>> round(gazesal.ncc([[1, 0, 0], [0, 0, 0]], gaze_map), 4)
    -0.4845
    """
    saliency = as_map(saliency_map, name="saliency_map")
    gaze = as_map(gaze_map, name="gaze_map")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    return correlation(saliency, gaze, names=("saliency_map", "gaze_map"), weights=weights_of(area))


@takes_area()
def sncc(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    center_bias: ArrayLike,
    *,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the shuffled normalized cross-correlation (sNCC) of a saliency map.

    It is the NCC with the gaze map minus the NCC with the center bias. It measures how much more
    similar the map is to the gaze on this image than to gaze in general. A map also scores if it is
    merely dissimilar to the center bias.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map of this image, any scale, finite. See `gaze_heatmap`.
    center_bias : array_like of float, shape (H, W)
        Gaze on all images, any scale, finite. See `CenterBias`.

    Returns
    -------
    float
        In [-2, 2], and higher is better. Chance is 0 for noise only, and 0 means that a map is as
        close to the center bias as to the gaze. ``nan`` if any of the maps is constant.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If any of the maps is constant, exactly or up to rounding.

    See Also
    --------
    ncc : The correlation without the center bias.
    sauc : The shuffled metric on ranks, 0.5 on average for a map that is the same for all images.

    Notes
    -----
    .. math:: \mathrm{sNCC}(\mathrm{GT}, \mathrm{SM}) =
              \mathrm{NCC}(\mathrm{GT}, \mathrm{SM}) - \mathrm{NCC}(\mathrm{CB}, \mathrm{SM})

    for gaze map GT, saliency map SM and center bias CB, section 3.2 of
    :footcite:t:`bigolin2021`, after the shuffled NSS of :footcite:t:`gide2016`.

    Zero is exact if the gaze map is the center bias. It is *not* the score of the center bias
    itself: sNCC(GT, CB) = NCC(GT, CB) - 1, which is negative unless the gaze is the bias, because
    no correlation is above 1.

    The score of an inverted map is minus the score of the map. The inverse of the center bias
    therefore scores above 0 on every image without looking at any. Compare your map with this
    inverse, and report `sauc` beside sNCC.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> center_bias = [[1, 2, 1], [2, 4, 2]]
    >>> round(gazesal.sncc([[0, 0, 9], [0, 1, 0]], gaze_map, center_bias), 4)
    1.3178
    >>> gazesal.sncc([[0, 0, 9], [0, 1, 0]], center_bias, center_bias)
    0.0
    """
    saliency = as_map(saliency_map, name="saliency_map")
    gaze = as_map(gaze_map, name="gaze_map")
    bias = as_map(center_bias, name="center_bias")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    require_same_shape(saliency, bias, names=("saliency_map", "center_bias"))
    require_finite(bias, name="center_bias")
    weights = weights_of(area)
    with_gaze = correlation(saliency, gaze, names=("saliency_map", "gaze_map"), weights=weights)
    if math.isnan(with_gaze):
        return with_gaze
    names = ("saliency_map", "center_bias")
    return with_gaze - correlation(saliency, bias, names=names, weights=weights)


@takes_area()
def spearman(
    saliency_map: ArrayLike, gaze_map: ArrayLike, *, area: ArrayLike | None = None
) -> float:
    r"""Compute Spearman's rank correlation of a saliency map and a gaze map.

    The NCC of the ranks of the pixels, so that only the order of the values counts.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, any scale, finite. See `gaze_heatmap`.

    Returns
    -------
    float
        In [-1, 1], and higher is better. Chance is 0. ``nan`` if either map is constant.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If either map is constant, exactly or up to rounding.

    See Also
    --------
    ncc : The correlation of the values.
    auc_borji : Ranks of the saliency map only, weighted by the gaze map.

    Notes
    -----
    .. math:: \rho = \frac{\sum_p (r_1(p) - \bar r)(r_2(p) - \bar r)}
              {\sqrt{\sum_p (r_1(p) - \bar r)^2 \sum_p (r_2(p) - \bar r)^2}}

    with the rank :math:`r(p)` of pixel :math:`p` in its map and the mean rank :math:`\bar r`
    :footcite:p:`spearman1904`. Pixels of one value share the mean of their ranks. A gaze map is
    almost 0 far from all fixations, and the order of these small values counts as much as the
    order of the large ones.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 1, 2], [0, 2, 4]]
    >>> gazesal.spearman([[0, 1, 8], [0, 8, 64]], gaze_map)
    1.0
    >>> round(gazesal.spearman([[1, 0, 0], [0, 0, 0]], gaze_map), 4)
    -0.5394
    """
    names = ("saliency_map", "gaze_map")
    saliency, gaze = as_map(saliency_map, name=names[0]), as_map(gaze_map, name=names[1])
    require_same_shape(saliency, gaze, names=names)
    require_finite(saliency, name="saliency_map")
    require_finite(gaze, name="gaze_map")
    for values, name in zip((saliency, gaze), names, strict=True):
        if is_flat(values):
            warn(
                f"Spearman's correlation is undefined: `{name}` is {constant(values)}.",
                UndefinedMetricWarning,
            )
            return math.nan
    weights = weights_of(area)
    ranked = ranks(saliency, weights), ranks(gaze, weights)
    return correlation(*ranked, names=names, weights=weights)


def ranks(values: FloatArray, weights: Float64Array | None = None) -> Float64Array:
    """Return the rank of each pixel, from 1, with the mean rank for pixels of one value.

    With weights, a pixel counts as often as its weight: its rank is the weight below, plus half of
    the weight of the pixels of its value.
    """
    if weights is not None:
        _, places = np.unique(values, return_inverse=True)
        tied = np.bincount(places.ravel(), weights)
        return np.asarray((np.cumsum(tied) - tied / 2)[places.ravel()])
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places.ravel()])


def correlation(
    x: FloatArray,
    y: FloatArray,
    *,
    names: tuple[str, str],
    weights: Float64Array | None = None,
) -> float:
    """Return Pearson's correlation of two maps, or `nan` with a warning if one is constant.

    `weights` are the weights of the pixels, with a mean of 1.
    """
    x, y = x.ravel(), y.ravel()
    s_xx, s_yy, s_xy = _moments(x, y, weights)
    scaled = not (SMALLEST < s_xx < LARGEST and SMALLEST < s_yy < LARGEST)
    if scaled:
        require_finite(x, name=names[0])
        require_finite(y, name=names[1])
    for values, sum_of_squares, name in ((x, s_xx, names[0]), (y, s_yy, names[1])):
        if _is_constant(values, sum_of_squares, weights):
            warn(
                f"NCC is undefined: `{name}` is {constant(values)}.",
                UndefinedMetricWarning,
            )
            return math.nan
    if scaled:
        s_xx, s_yy, s_xy = _moments(to_unit_scale(x), to_unit_scale(y), weights)
        if weights is not None and not (s_xx > 0 and s_yy > 0):
            warn(
                f"NCC is undefined: `{names[0]}` or `{names[1]}` is constant.",
                UndefinedMetricWarning,
            )
            return math.nan
    r = s_xy / math.sqrt(s_xx * s_yy)  # exactly 1 for a map with itself
    return min(1.0, max(-1.0, r))


def _moments(
    x: FloatArray, y: FloatArray, weights: Float64Array | None
) -> tuple[float, float, float]:
    """Return the sums of squares and products about the means."""
    if weights is None:
        return centered_moments(x, y)
    dx, dy = _centered(x, weights), _centered(y, weights)
    weighted = weights * dx
    with np.errstate(over="ignore", invalid="ignore"):
        return float(weighted @ dx), float((weights * dy) @ dy), float(weighted @ dy)


def _centered(values: FloatArray, weights: Float64Array) -> Float64Array:
    """Return values minus their weighted mean, for weights with a mean of 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = values.astype(np.float64) - float(values[0])
        return np.asarray(shifted - weights @ shifted / weights.size)


def _is_constant(values: FloatArray, sum_of_squares: float, weights: Float64Array | None) -> bool:
    """Return whether a finite 1-D map is constant. A weighted sum of squares does not limit it."""
    return is_constant_by_spread(values, sum_of_squares if weights is None else 0.0)


def to_unit_scale(array: FloatArray) -> FloatArray:
    """Subtract the first value and divide by powers of two.

    Squares then neither underflow nor overflow. Only maps of extreme scale need this copy.
    """
    values = array.astype(np.float64)
    # Halved once more, because the difference of two finite floats may overflow.
    shifted = np.ldexp(values, -math.frexp(float(np.abs(values).max()))[1] - 1)
    shifted -= shifted[0]
    return np.asarray(np.ldexp(shifted, -math.frexp(float(np.abs(shifted).max()))[1]))


def z_scores(values: FloatArray, weights: Float64Array | None = None) -> Float64Array:
    """Return the pixels of a map that is not constant with mean 0 and population deviation 1.

    `weights` are the weights of the pixels, with a mean of 1.
    """
    scaled = to_unit_scale(values.ravel()).astype(np.float64)
    if weights is not None:
        scaled = _centered(scaled, weights)
        return np.asarray(scaled / math.sqrt((weights * scaled) @ scaled / scaled.size))
    scaled -= scaled.mean()
    return np.asarray(scaled / math.sqrt(np.vdot(scaled, scaled) / scaled.size))
