"""Metrics that reproduce the scores of pysaliency."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_flag, as_generator, as_number, require_same_shape
from gazesal.metrics.auc import without_rounding
from gazesal.metrics.compat_auc import JITTER, area_of_curve
from gazesal.metrics.compat_maps import as_float_map, to_sum, undefined
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import RandomState

__all__ = ["pysaliency_auc_judd", "pysaliency_kl"]


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
    p, q = (to_sum(array - min(0.0, float(array.min())) + floor) for array in (saliency, gaze))
    return float((q * (np.log(q) - np.log(p))).sum())


def pysaliency_auc_judd(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    jitter: bool = True,
    rng: RandomState | None = None,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the AUC-Judd of pysaliency.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite. Its scale matters with `jitter`.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation
        counts.
    jitter : bool, default True
        Add noise, uniform in [0, 1e-7), to the map, as pysaliency does.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the noise, required with `jitter` and otherwise unused. A Generator is advanced.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5 + 1/(2n + 2) for fixations on n different
        pixels without ties, and 0.5 for a constant map without `jitter`. ``nan`` if every pixel is
        fixated.

    Raises
    ------
    ValueError
        If an argument is invalid as for `auc_judd`, or `rng` is missing.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If every pixel is fixated. If the map is constant only up to rounding, so that all
        pixels count as ties.

    See Also
    --------
    mit_auc_judd : The score of the Matlab code.
    auc_judd : The exact area, with each fixated pixel counted once.

    Notes
    -----
    .. math:: \mathrm{AUC} = \sum_{j=0}^{m} (x_{j+1} - x_j)\,\frac{y_j + y_{j+1}}{2} , \qquad
              y_j = \frac1N \sum_{i=1}^N [S(f_i) \ge t_j] , \qquad
              x_j = \frac{1}{|U|} \sum_{u \in U} [S(u) \ge t_j]

    for the :math:`N` fixations :math:`f_i` and the unfixated pixels :math:`U`
    :footcite:p:`kummerer2018`. The thresholds :math:`t_1 > \dots > t_m` are the distinct values at
    fixations, and the ends of the curve are :math:`x_0 = y_0 = 0` and
    :math:`x_{m+1} = y_{m+1} = 1`. Ties among fixations are counted
    correctly, unlike in `mit_auc_judd`. The order of the negatives between two thresholds is
    ignored.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.3, 0.4]]
    >>> gazesal.compat.pysaliency_auc_judd(saliency_map, [[2, 0], [1, 1]], jitter=False)
    0.9375
    """
    saliency = as_float_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    if as_flag(jitter, name="jitter"):
        generator = as_generator(rng, why="with `jitter`")
        saliency += JITTER * generator.random(saliency.shape)
    extremes = float(saliency.min()), float(saliency.max())
    values = without_rounding(saliency.ravel(), extremes)[0]
    fixated, others = np.sort(values[pixels]), np.sort(np.delete(values, np.unique(pixels)))
    if others.size == 0:
        return undefined("AUC", "every pixel is fixated")
    thresholds = np.unique(fixated)[::-1]
    hits, false_alarms = (
        1.0 - np.searchsorted(group, thresholds, side="left") / group.size
        for group in (fixated, others)
    )
    return area_of_curve(hits, false_alarms)
