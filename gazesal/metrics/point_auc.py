"""Areas under the ROC curve of a saliency map, on fixations as points."""

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_choice,
    as_map,
    as_real_array,
    finite_extremes,
    weight_sums,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.auc.ranks import auc_from_sorted
from gazesal.kernels.threshold_counts import count_at_thresholds
from gazesal.metrics.auc import sauc, without_rounding
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import FloatArray, IntArray

__all__ = ["auc", "auc_judd", "auc_shuffled"]

Negatives = Literal["all", "unfixated"]
NEGATIVES = get_args(Negatives)
EXACT = 1 << 24  # counts up to here are exact in single precision


def auc(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    negatives: Negatives | ArrayLike = "all",
    *,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the AUC of a saliency map at fixations: fixated pixels against chosen negatives.

    It is the probability that the saliency map is higher at a fixation than at a negative, with
    ties counted one half: the exact statistic of Mann and Whitney.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each counts at its nearest
        pixel, and again if it is repeated.
    negatives : {"all", "unfixated"} or array_like of float, shape (M, 2) or (H, W)
        Negatives: every pixel, every pixel without a fixation, points such as the fixations on
        other images, or a map of weights such as the center bias, non-negative, any scale.
    outside : {"raise", "drop"}, default "raise"
        Raise for points outside the image, or drop them with a warning.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, and the score is exactly 0.5 for a constant
        saliency map. ``nan`` if no pixel is without a fixation under ``"unfixated"``.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity. If the fixations are not points
        (N, 2), there are no points, or one lies outside the image under ``outside="raise"``. If
        `negatives` is another value, holds a negative weight or no positive one, or could be
        both points and a map.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If no negative is left under ``"unfixated"``. If the map is constant up to rounding
        only, so that all pixels count as ties.
    OffImageWarning
        If points were dropped.

    See Also
    --------
    auc_judd : Each fixated pixel once, against all others.
    auc_shuffled : Against the fixations on other images.
    auc_borji : Against all pixels, for a gaze map.
    sauc : Against the center bias, for a gaze map.

    Notes
    -----
    .. math:: \mathrm{AUC} = \frac{1}{N M} \sum_{i=1}^N \sum_{j=1}^M
              [S(f_i) > S(g_j)] + \tfrac12 [S(f_i) = S(g_j)]

    for fixations :math:`f_i` and negatives :math:`g_j` :footcite:p:`mann1947`; weights take the
    place of counts for a map. There are no thresholds, draws or jitter. With ``"all"`` this is
    `auc_borji` of a map of fixation counts. Against all pixels and against unfixated pixels, the
    scores differ by the share of fixated pixels at most.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    >>> fixations = [[2, 0], [1, 1]]
    >>> round(gazesal.auc(saliency_map, fixations), 4)
    0.7083
    >>> gazesal.auc(saliency_map, fixations, "unfixated")
    0.8125
    >>> gazesal.auc(saliency_map, fixations, [[0, 0], [2, 1]])
    0.75
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    if isinstance(negatives, str):
        as_choice(negatives, NEGATIVES, name="negatives")
        return _area_among_pixels(saliency, pixels, pixels if negatives == "unfixated" else None)
    array = as_real_array(negatives, name="negatives", booleans=True)
    is_map = array.shape == saliency.shape
    is_points = array.ndim == 2 and array.shape[1] == 2
    if is_map and is_points:
        raise ValueError(
            f"`negatives` must be either points or a map by their shape, but got shape "
            f"{array.shape}, which fits both. Use `sauc` for a map, or give points twice over, "
            "which changes no score."
        )
    if is_map:
        weight_sums(array, name="negatives")
        counts = np.zeros(saliency.size, np.float32 if pixels.size < EXACT else np.float64)
        np.add.at(counts, pixels, 1)
        return sauc(saliency, counts.reshape(saliency.shape), array)
    if not is_points:
        raise ValueError(
            "`negatives` must be 'all', 'unfixated', points (M, 2) with columns x and y, or a map "
            f"of the saliency map's shape {saliency.shape}, got shape {array.shape}."
        )
    others = fixated_pixels(negatives, saliency.shape, name="negatives", outside=outside)
    return _area_against(saliency, pixels, others)


def auc_judd(
    saliency_map: ArrayLike, fixations: ArrayLike, *, outside: OutsidePoints = "raise"
) -> float:
    r"""Compute Judd's AUC of a saliency map: fixated pixels against all others, exactly.

    The probability that the saliency map is higher at a fixated pixel than at one that nobody
    fixated, ties counted one half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each marks its nearest pixel
        as fixated, once however often it is repeated.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, and the score is exactly 0.5 for a constant
        saliency map. ``nan`` if every pixel is fixated.

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
        If every pixel is fixated. If the map is constant up to rounding only, so that all
        pixels count as ties.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    auc : Other negatives, and fixations that count each.
    mit_auc_judd : The Matlab code's number.

    Notes
    -----
    Positives and negatives are as in :footcite:t:`judd2009`: a binary map of fixated pixels and the
    rest of the image. The area is the same as in `auc`. The usual code sweeps a threshold over the
    saliency values at the :math:`n` fixated pixels and joins the points of the ROC curve by
    straight lines. It ignores the negatives between two of these values. Without ties that adds

    .. math:: \frac{\mathrm{fpr}(\min_i S(f_i))}{2 n} ,

    the share of negatives above the lowest fixated value, over :math:`2n`. With ties, the
    benchmark's code subtracts more: 0.18 from the 0.76 of a binary map with hits on 72% of the
    fixated pixels and 20% of the others, and nearly one half if all but few pixels have one value.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    >>> gazesal.auc_judd(saliency_map, [[2, 0], [1, 1], [1, 1]])
    0.8125
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    return _area_among_pixels(saliency, np.unique(pixels), pixels)


def auc_shuffled(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    other_fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the shuffled AUC of a saliency map: fixations against those on other images.

    The probability that the saliency map is higher where somebody looked at this image than where
    somebody looked at another, ties counted one half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each counts at its nearest
        pixel, and again if it is repeated.
    other_fixations : array_like of float, shape (M, 2)
        The same of other images, in the pixels of this one.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them with a warning.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, and the score is exactly 0.5 for a constant
        saliency map.

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
        If the map is constant up to rounding only, so that all pixels count as ties.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    auc : The same as ``negatives``.
    sauc : The same for gaze maps.
    mit_auc_shuffled : The Matlab code's number, from draws and a grid of thresholds.

    Notes
    -----
    .. math:: \mathrm{sAUC} = \frac{1}{N M} \sum_{i=1}^N \sum_{j=1}^M
              [S(f_i) > S(o_j)] + \tfrac12 [S(f_i) = S(o_j)]

    for fixations :math:`f_i` on this image and :math:`o_j` on others. It is `auc` with all
    fixations on the other images as negatives, without sampling. Such negatives go back to
    :footcite:t:`tatler2005`, and their use for saliency maps to :footcite:t:`zhang2008`. Today's
    shuffled AUC is described by :footcite:t:`bylinskii2019`. A map without content specific to the
    image scores 0.5 on average over the images, if the fixations on each are negatives for all
    others.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    >>> gazesal.auc_shuffled(saliency_map, [[2, 0], [1, 1]], [[0, 0], [2, 1]])
    0.75
    """
    saliency = as_map(saliency_map, name="saliency_map")
    pixels = fixated_pixels(fixations, saliency.shape, name="fixations", outside=outside)
    others = fixated_pixels(
        other_fixations, saliency.shape, name="other_fixations", outside=outside
    )
    return _area_against(saliency, pixels, others)


def _values(saliency: FloatArray) -> FloatArray:
    """Return the pixels, all alike if they differ by rounding only."""
    values = saliency.ravel()
    extremes = finite_extremes(values, name="saliency_map")
    return without_rounding(values, extremes)[0]


def _area_against(saliency: FloatArray, positives: IntArray, negatives: IntArray) -> float:
    """Return the area from two lists of pixels."""
    values = _values(saliency)
    above, below = np.sort(values[positives]), np.sort(values[negatives])
    return auc_from_sorted(above.astype(np.float64), below.astype(np.float64))


def _area_among_pixels(
    saliency: FloatArray, positives: IntArray, excluded: IntArray | None
) -> float:
    """Return the area of pixels against all except `excluded`, in one pass and in integers."""
    values = _values(saliency)
    thresholds, of_positive = np.unique(values[positives], return_inverse=True)
    counts = np.zeros(2 * thresholds.size + 1, np.int64)
    count_at_thresholds(values, thresholds, counts)
    if excluded is not None:  # pixels of the positives, so their values are thresholds
        places = np.searchsorted(thresholds, values[np.unique(excluded)])
        counts[1::2] -= np.bincount(places, minlength=thresholds.size)
    n_negatives = int(counts.sum())
    if n_negatives == 0:
        warn(
            "AUC is undefined: every pixel is fixated, so there is no negative.",
            UndefinedMetricWarning,
        )
        return math.nan
    upto = np.cumsum(counts)
    wins_twice = (upto[0:-1:2] + upto[1::2])[of_positive]
    return int(wins_twice.sum()) / (2 * len(positives) * n_negatives)
