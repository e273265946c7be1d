"""Areas under the ROC curve of a saliency map, for fixations as points."""

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
from gazesal.maps.area import weights_of
from gazesal.metrics.area import takes_area
from gazesal.metrics.auc import sauc, without_rounding
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import FloatArray, IntArray

__all__ = ["auc", "auc_judd", "auc_shuffled"]

Negatives = Literal["all", "unfixated"]
NEGATIVES = get_args(Negatives)
EXACT = 1 << 24  # largest count that single precision holds exactly


@takes_area()
def auc(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    negatives: Negatives | ArrayLike = "all",
    *,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the AUC of a saliency map at fixations: fixated pixels against chosen negatives.

    It is the probability that the saliency map is higher at a fixation than at a negative, with
    ties counted one half: the exact statistic of Mann and Whitney.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation counts at its
        nearest pixel, and repeated fixations count repeatedly.
    negatives : {"all", "unfixated"} or array_like of float, shape (M, 2) or (H, W)
        Every pixel, every pixel without a fixation, points such as the fixations on other images,
        or a map of weights such as the center bias, which is non-negative and of any scale.
    outside : {"raise", "drop"}, default "raise"
        Raise for points outside the image, or drop them with a warning.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, and the score is exactly 0.5 for a constant
        saliency map. ``nan`` if every pixel is fixated under ``"unfixated"``.

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
        If every pixel is fixated under ``"unfixated"``. If the map is constant only up to
        rounding, so that all pixels count as ties.
    OffImageWarning
        If points were dropped.

    See Also
    --------
    auc_judd : AUC of the fixated pixels, each counted once, against all others.
    auc_shuffled : AUC against the fixations on other images.
    auc_borji : AUC against all pixels, for a gaze map.
    sauc : AUC against the center bias, for a gaze map.

    Notes
    -----
    .. math:: \mathrm{AUC} = \frac{1}{N M} \sum_{i=1}^N \sum_{j=1}^M
              [S(f_i) > S(g_j)] + \tfrac12 [S(f_i) = S(g_j)]

    for fixations :math:`f_i` and negatives :math:`g_j` :footcite:p:`mann1947`. A map of negatives
    replaces counts by weights. The area is computed without thresholds, sampling or jitter. With
    ``"all"`` it equals `auc_borji` of a map of fixation counts. The scores against all pixels and
    against unfixated pixels differ by at most the share of fixated pixels.

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
        if area is not None:
            excluded = pixels if negatives == "unfixated" else None
            return _area_among_weighted(saliency, pixels, excluded, area)
        return _area_among_pixels(saliency, pixels, pixels if negatives == "unfixated" else None)
    array = as_real_array(negatives, name="negatives", booleans=True)
    is_map = array.shape == saliency.shape
    is_points = array.ndim == 2 and array.shape[1] == 2
    if is_map and is_points:
        raise ValueError(
            f"`negatives` must have the shape of either points or a map, got shape "
            f"{array.shape}, which fits both. Use `sauc` for a map, or give all points "
            "twice, which does not change the score."
        )
    if is_map:
        weight_sums(array, name="negatives")
        counts = np.zeros(saliency.size, np.float32 if pixels.size < EXACT else np.float64)
        np.add.at(counts, pixels, 1)
        weights = weights_of(area)
        if weights is not None:
            array = array * weights
        return sauc(saliency, counts.reshape(saliency.shape), array)
    if not is_points:
        raise ValueError(
            "`negatives` must be 'all', 'unfixated', points (M, 2) with columns x and y, or a map "
            f"of the saliency map's shape {saliency.shape}, got shape {array.shape}."
        )
    others = fixated_pixels(negatives, saliency.shape, name="negatives", outside=outside)
    return _area_against(saliency, pixels, others)


@takes_area()
def auc_judd(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute Judd's AUC of a saliency map: fixated pixels against all others, exactly.

    It is the probability that the saliency map is higher at a fixated pixel than at an unfixated
    pixel, with ties counted one half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixation marks its
        nearest pixel as fixated, and each fixated pixel counts once.
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
        If every pixel is fixated. If the map is constant only up to rounding, so that all
        pixels count as ties.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    auc : AUC with other negatives, which counts each fixation.
    mit_auc_judd : The score of the Matlab code.

    Notes
    -----
    The positives are the fixated pixels and the negatives are all other pixels of the image, as in
    :footcite:t:`judd2009`. The area is computed as in `auc`. Other code uses only the saliency
    values at the :math:`n` fixated pixels as thresholds and joins the points of the ROC curve by
    straight lines. It ignores the order of the negatives between two thresholds. Without ties this
    adds

    .. math:: \frac{\mathrm{fpr}(\min_i S(f_i))}{2 n} ,

    the share of negatives above the lowest fixated value, over :math:`2n`. With ties, the
    benchmark's code gives a lower area: 0.58 instead of 0.76 for a binary map that is 1 on 72% of
    the fixated pixels and 20% of the others, and nearly 0.5 less if almost all pixels have one
    value.

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
    if area is not None:
        return _area_among_weighted(saliency, np.unique(pixels), pixels, area)
    return _area_among_pixels(saliency, np.unique(pixels), pixels)


@takes_area()
def auc_shuffled(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    other_fixations: ArrayLike,
    *,
    outside: OutsidePoints = "raise",
    area: ArrayLike | None = None,  # noqa: ARG001 (used by the decorator)
) -> float:
    r"""Compute the shuffled AUC of a saliency map: against fixations on other images.

    It is the probability that the saliency map is higher at a fixation on this image than at a
    fixation on another image, with ties counted one half.

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
        If the map is constant only up to rounding, so that all pixels count as ties.
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    auc : AUC with other negatives.
    sauc : Shuffled AUC for gaze maps.
    mit_auc_shuffled : The score of the Matlab code, from samples and a grid of thresholds.

    Notes
    -----
    .. math:: \mathrm{sAUC} = \frac{1}{N M} \sum_{i=1}^N \sum_{j=1}^M
              [S(f_i) > S(o_j)] + \tfrac12 [S(f_i) = S(o_j)]

    for fixations :math:`f_i` on this image and :math:`o_j` on others. It is `auc` with all
    fixations on the other images as negatives, without sampling. Such negatives go back to
    :footcite:t:`tatler2005`, and their use for saliency maps to :footcite:t:`zhang2008`. The
    shuffled AUC in use today is described by :footcite:t:`bylinskii2019`. A map that is the same
    for all images scores 0.5 on average over the images, if the fixations on each are negatives
    for all others.

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
    """Return the pixels, all set to one value if they differ only by rounding."""
    values = saliency.ravel()
    extremes = finite_extremes(values, name="saliency_map")
    return without_rounding(values, extremes)[0]


def _area_against(saliency: FloatArray, positives: IntArray, negatives: IntArray) -> float:
    """Return the area of a list of positive pixels against a list of negative pixels."""
    values = _values(saliency)
    above, below = np.sort(values[positives]), np.sort(values[negatives])
    return auc_from_sorted(above.astype(np.float64), below.astype(np.float64))


def _area_among_weighted(
    saliency: FloatArray, positives: IntArray, excluded: IntArray | None, area: ArrayLike
) -> float:
    """Return the area of pixels against all weighted pixels except `excluded`."""
    negatives = np.array(area, np.float64).reshape(saliency.shape)
    if excluded is not None:
        negatives.flat[excluded] = 0.0
    if not negatives.any():
        return _no_negative()
    counts = np.bincount(positives, minlength=saliency.size).astype(np.float64)
    return sauc(saliency, counts.reshape(saliency.shape), negatives)


def _no_negative() -> float:
    """Warn that there is no negative, and return NaN."""
    warn(
        "AUC is undefined: every pixel is fixated, so there is no negative.",
        UndefinedMetricWarning,
    )
    return math.nan


def _area_among_pixels(
    saliency: FloatArray, positives: IntArray, excluded: IntArray | None
) -> float:
    """Return the area of pixels against all pixels except `excluded`.

    Counts are integers and the map is read once.
    """
    values = _values(saliency)
    thresholds, of_positive = np.unique(values[positives], return_inverse=True)
    counts = np.zeros(2 * thresholds.size + 1, np.int64)
    count_at_thresholds(values, thresholds, counts)
    if excluded is not None:  # they are positives, so their values are thresholds
        places = np.searchsorted(thresholds, values[np.unique(excluded)])
        counts[1::2] -= np.bincount(places, minlength=thresholds.size)
    n_negatives = int(counts.sum())
    if n_negatives == 0:
        return _no_negative()
    upto = np.cumsum(counts)
    wins_twice = (upto[0:-1:2] + upto[1::2])[of_positive]
    return int(wins_twice.sum()) / (2 * len(positives) * n_negatives)
