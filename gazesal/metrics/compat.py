"""Metrics that reproduce the scores of the Matlab code of the benchmark at MIT.

They are meant for comparison with published tables. The concept page "Other people's numbers"
explains how they differ from the metrics of this library. The areas are in `compat_auc`, and
the metrics of pysaliency in `compat_pysaliency`.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_map,
    require_finite,
    require_same_shape,
)
from gazesal.maps.constancy import is_flat
from gazesal.metrics.compat_maps import (
    as_float_map,
    map_and_fixated,
    to_range,
    to_shares,
    to_sum,
    undefined,
)
from gazesal.metrics.densities import EPSILON
from gazesal.metrics.nss import nss
from gazesal.metrics.points import OutsidePoints, fixated_pixels

__all__ = ["mit_ig", "mit_kl", "mit_nss", "mit_sim"]


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
    p, b = (to_sum(to_range(array)).ravel()[pixels] for array in (saliency, bias))
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
    p, q = (to_sum(to_range(array)) for array in (saliency, gaze))
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
    p, q = to_shares(saliency, name="saliency_map"), to_shares(gaze, name="gaze_map")
    return float((q * np.log(EPSILON + q / (p + EPSILON))).sum())
