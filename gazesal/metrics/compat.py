"""Metrics that reproduce the scores of other code, named after that code.

They are meant for comparison with published tables. The concept page "Other people's numbers"
explains how they differ from the metrics of this library. The areas are in `compat_auc`.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_map,
    as_number,
    require_finite,
    require_same_shape,
    weight_sums,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import constant, is_flat
from gazesal.metrics.densities import EPSILON
from gazesal.metrics.location import nss
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["mit_ig", "mit_kl", "mit_nss", "mit_sim", "pysaliency_kl"]

LARGEST = 1e150  # the sum or the range of a map of larger values may not be finite


def mit_nss(
    saliency_map: ArrayLike, fixations: ArrayLike, *, outside: OutsidePoints = "raise"
) -> float:
    r"""Compute the NSS of the Matlab code of the benchmark at MIT.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixated pixel
        counts once.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        Unbounded, and higher is better. Chance is 0. ``nan`` if the map is constant.

    Raises
    ------
    ValueError
        If an argument is invalid as for `nss`.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the map is constant.

    See Also
    --------
    nss : NSS with every fixation counted and the population standard deviation.

    Notes
    -----
    .. math:: \mathrm{NSS} = \frac1n \sum_{i=1}^n \frac{S(f_i) - \bar S}{s} , \qquad
              s^2 = \frac{1}{P - 1} \sum_p \bigl(S(p) - \bar S\bigr)^2

    over the :math:`n` distinct fixated pixels :math:`f_i` and all :math:`P` pixels :math:`p`. The
    metric is the NSS of :footcite:t:`peters2005`. The score equals `nss` of these pixels times
    :math:`\sqrt{1 - 1/P}`, because the code divides by the sample standard deviation :math:`s`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.compat.mit_nss([[0, 0, 4], [0, 1, 1]], [[2, 0], [2, 0]]), 4)
    1.9365
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = np.unique(fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside))
    require_finite(saliency, name="saliency_map")
    if is_flat(saliency):
        return undefined("NSS", saliency)
    row, column = np.divmod(pixels, saliency.shape[1])
    return nss(saliency, np.column_stack([column, row])) * math.sqrt(1.0 - 1.0 / saliency.size)


def mit_ig(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    baseline: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the information gain of the Matlab code of the benchmark at MIT, in bits.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixated pixel
        counts once.
    baseline : array_like of float, shape (H, W)
        Map to compare with, any scale, finite.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        In bits per fixated pixel, and higher is better. The baseline itself scores 0, and there is
        no level of chance. ``nan`` if a map is constant.

    Raises
    ------
    ValueError
        If an argument is invalid as for `information_gain`, except for the signs and sums of the
        maps.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If a map is constant. The baseline may not be constant either, so that there is no gain over
        the uniform density.

    See Also
    --------
    information_gain : Information gain of densities, made by a method that you choose.

    Notes
    -----
    .. math:: \mathrm{IG} = \frac1n \sum_{i=1}^n
              \log_2(\varepsilon + p(f_i)) - \log_2(\varepsilon + b(f_i)) , \qquad
              p = \frac{S - \min S}{\sum (S - \min S)} ,

    over the :math:`n` distinct fixated pixels :math:`f_i`, with :math:`\varepsilon = 2^{-52}`. The
    density :math:`b` is made from the baseline as :math:`p` is made from the map :math:`S`. The
    lowest pixel of each map therefore has density 0. If it is fixated, the score loses 52 bits,
    reduced by the negative log2 of the baseline there and divided by :math:`n`. The code cites
    :footcite:t:`kummerer2015`, whose models return densities.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.compat.mit_ig([[1, 2, 5]], [[2, 0]], [[0, 1, 1]]), 4)
    0.6781
    """
    saliency, pixels = map_and_fixated(saliency_map, fixations, outside)
    bias = as_float_map(baseline, name="baseline")
    require_same_shape(saliency, bias, names=("saliency_map", "baseline"))
    for array, name in ((saliency, "saliency_map"), (bias, "baseline")):
        if is_flat(array):
            return undefined("The information", array, name=name)
    p, b = (_to_sum(to_range(array)).ravel()[pixels] for array in (saliency, bias))
    return float(np.mean(np.log2(EPSILON + p) - np.log2(EPSILON + b)))


def mit_sim(saliency_map: ArrayLike, gaze_map: ArrayLike) -> float:
    r"""Compute the SIM of the Matlab code of the benchmark at MIT.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, any scale, finite.

    Returns
    -------
    float
        In [0, 1], and higher is better. 0 if a map is zero everywhere, and ``nan`` if a map
        is constant and not zero. There is no level of chance.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If a map is constant and not zero.

    See Also
    --------
    sim : SIM without subtracting the smallest value.

    Notes
    -----
    .. math:: \mathrm{SIM} = \sum_p \min\bigl(S'(p), Q'(p)\bigr) , \qquad
              S' = \frac{S - \min S}{\sum (S - \min S)} ,

    and :math:`Q'` made from the gaze map in the same way. It equals `sim` after the smallest value
    is subtracted from each map, so that a constant offset does not change the score
    :footcite:p:`judd2012`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gazesal.compat.mit_sim([[1, 1, 2]], [[0, 1, 1]])
    0.5
    """
    saliency = as_float_map(saliency_map, name="saliency_map")
    gaze = as_float_map(gaze_map, name="gaze_map")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    for array, name in ((saliency, "saliency_map"), (gaze, "gaze_map")):
        if is_flat(array) and array.any():
            return undefined("SIM", array, name=name)
    if not (saliency.any() and gaze.any()):
        return 0.0
    p, q = (_to_sum(to_range(array)) for array in (saliency, gaze))
    return min(1.0, float(np.minimum(p, q).sum()))


def mit_kl(saliency_map: ArrayLike, gaze_map: ArrayLike) -> float:
    r"""Compute the KL divergence of the Matlab code of the benchmark at MIT, in nats.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, non-negative, any scale.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, non-negative, any scale.

    Returns
    -------
    float
        In nats, and lower is better. 0 if the gaze map is zero everywhere. There is no level of
        chance.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN, infinity or a negative value, or the shapes
        differ. The Matlab code takes the logarithm of a negative number.
    TypeError
        If a map does not hold real numbers, or is masked.

    See Also
    --------
    kl_divergence : The same score for maps that are not zero everywhere.

    Notes
    -----
    .. math:: \mathrm{KL} = \sum_p Q'(p)\,
              \ln\Bigl(\varepsilon + \frac{Q'(p)}{\varepsilon + S'(p)}\Bigr)

    of both maps divided by their sums, with :math:`\varepsilon = 2^{-52}`, as in `kl_divergence`
    :footcite:p:`bylinskii2019`. A map that is zero everywhere is not divided. As a saliency map,
    it scores about 36 minus the entropy of the gaze map.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.compat.mit_kl([[1, 1, 2]], [[0, 1, 1]]), 4)
    0.3466
    >>> round(gazesal.compat.mit_kl([[0, 0, 0]], [[0, 1, 1]]), 2)
    35.35
    """
    saliency = as_float_map(saliency_map, name="saliency_map")
    gaze = as_float_map(gaze_map, name="gaze_map")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    p, q = _shares(saliency, name="saliency_map"), _shares(gaze, name="gaze_map")
    return float((q * np.log(EPSILON + q / (p + EPSILON))).sum())


def pysaliency_kl(saliency_map: ArrayLike, gaze_map: ArrayLike, *, minimum: float = 1e-20) -> float:
    r"""Compute the image-based KL divergence of pysaliency's default, in nats.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite. Shifted to be non-negative if it has negative values.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, finite, shifted in the same way.
    minimum : float, default 1e-20
        Added to every pixel of both maps before they are divided by their sums, positive.

    Returns
    -------
    float
        In nats, and lower is better. 0 if the maps are the same. There is no level of chance.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, the shapes differ, or `minimum` is
        not positive.
    TypeError
        If a map does not hold real numbers, or is masked.

    See Also
    --------
    kl_divergence : The constant is inside the logarithm, as in pysaliency's ``MIT_KLDiv``.

    Notes
    -----
    .. math:: \mathrm{KL} = \sum_p Q'(p)\,\bigl(\ln Q'(p) - \ln S'(p)\bigr)

    of the two densities, as in :footcite:t:`kummerer2018`. The added constant is in the units of
    the maps, so the score depends on the scale of a saliency map that has zeros.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.compat.pysaliency_kl([[1, 1, 2]], [[0, 1, 1]]), 4)
    0.3466
    """
    floor = as_number(minimum, name="minimum", low=1e-300, high=math.inf)
    saliency = as_float_map(saliency_map, name="saliency_map")
    gaze = as_float_map(gaze_map, name="gaze_map")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    p, q = (_to_sum(array - min(0.0, float(array.min())) + floor) for array in (saliency, gaze))
    return float((q * (np.log(q) - np.log(p))).sum())


def as_float_map(value: ArrayLike, *, name: str) -> Float64Array:
    """Return a copy in float64 whose range and sum are finite."""
    array = as_map(value, name=name)
    require_finite(array, name=name)
    largest = float(np.abs(array).max())
    if largest > LARGEST:
        raise ValueError(f"`{name}` must lie within {LARGEST:g}, got values up to {largest:g}.")
    return array.astype(np.float64)


def map_and_fixated(
    saliency_map: ArrayLike, fixations: ArrayLike, outside: OutsidePoints
) -> tuple[Float64Array, IntArray]:
    """Return the input of the Matlab code: a map, and the distinct fixated pixels."""
    saliency = as_float_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    return saliency, np.unique(pixels)


def to_range(array: Float64Array) -> Float64Array:
    """Scale a map that is not constant to [0, 1]."""
    lowest = array.min()
    return np.asarray((array - lowest) / (array.max() - lowest))


def undefined(label: str, why: FloatArray | str, *, name: str = "saliency_map") -> float:
    """Warn that a metric is undefined, for a constant map or a reason in words; return `nan`."""
    words = why if isinstance(why, str) else f"`{name}` is {constant(why)}"
    warn(f"{label} is undefined: {words}.", UndefinedMetricWarning)
    return math.nan


def _shares(array: Float64Array, *, name: str) -> Float64Array:
    """Return a non-negative map divided by its sum, or a map of zeros unchanged."""
    if not array.any():
        return array
    _, total = weight_sums(array, name=name)
    return np.asarray(array / total)


def _to_sum(array: Float64Array) -> Float64Array:
    """Divide a map by its sum."""
    return np.asarray(array / array.sum())
