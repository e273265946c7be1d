"""Normalized scanpath saliency (NSS): the values of a map at fixations, in standard deviations."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.moments import centered_spread
from gazesal.maps.area import weights_of
from gazesal.maps.constancy import constant, is_constant_by_spread
from gazesal.metrics.area import takes_area
from gazesal.metrics.correlation import LARGEST, SMALLEST, to_unit_scale, z_scores
from gazesal.metrics.points import OutsidePoints, fixated_pixels, values_at
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["nss", "snss"]


@takes_area()
def nss(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
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
    scores = _z_scores(saliency, pixels, weights_of(area), label="NSS")
    return math.fsum(scores) / len(scores) if len(scores) else math.nan


@takes_area()
def snss(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    other_fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
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
    both = np.concatenate([pixels, others])
    scores = _z_scores(saliency, both, weights_of(area), label="sNSS")
    if not len(scores):
        return math.nan
    own, other = scores[: len(pixels)], scores[len(pixels) :]
    return math.fsum(own) / len(own) - math.fsum(other) / len(other)


def _z_scores(
    saliency: FloatArray, pixels: IntArray, weights: Float64Array | None, *, label: str
) -> Float64Array:
    """Return z-scores at pixels, or an empty array with a warning if the map is constant."""
    values = saliency.ravel()
    mean, sum_of_squares = centered_spread(values)
    scaled = not SMALLEST < sum_of_squares < LARGEST
    if scaled:
        require_finite(saliency, name="saliency_map")
    if is_constant_by_spread(values, sum_of_squares):  # by the deviation without weights
        warn(
            f"{label} is undefined: `saliency_map` is {constant(values)}.",
            UndefinedMetricWarning,
        )
        return np.empty(0)
    if weights is not None:
        return z_scores(values, weights)[pixels]
    if scaled:
        values = to_unit_scale(values)
        mean, sum_of_squares = centered_spread(values)
    above_first = values_at(values, pixels) - float(values[0])
    return np.asarray((above_first - mean) / math.sqrt(sum_of_squares / values.size))
