"""Areas under curves over all thresholds, with the pixels of a region as positives."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal.maps.area import weights_of
from gazesal.metrics.area import takes_area
from gazesal.metrics.auc import sauc
from gazesal.regions.inputs import Mask, as_map_and_region, count, undefined, with_exact_ties
from gazesal.typing import Float64Array, FloatArray

__all__ = ["average_precision", "localization_auc"]


@takes_area()
def localization_auc(
    saliency_map: ArrayLike, region: ArrayLike, *, area: ArrayLike | None = None
) -> float:
    r"""Compute the AUC of a saliency map as a classifier of pixels inside and outside the region.

    It is the probability that the map is higher at a pixel chosen inside the region than at a pixel
    chosen outside. Ties count one half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, which is also the score of a constant map.
        ``nan`` if the region is empty or the whole image.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, or the
        region has values other than 0 and 1.
    TypeError
        If an array does not hold numbers.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, or the map is constant only up to rounding, so that all pixels
        count as ties.

    See Also
    --------
    average_precision : Precision over recall, for small regions.
    gazesal.auc_borji : All pixels are negatives, also inside the region.

    Notes
    -----
    .. math:: A = P(S(p) > S(q)) + \tfrac12 P(S(p) = S(q)), \quad p \in R, q \notin R

    for saliency map :math:`S` and region :math:`R` :footcite:p:`mann1947`. It equals `sauc` with
    the region as gaze map and the rest of the image as center bias. `auc_borji` with the region as
    gaze map is :math:`a/2 + (1 - a) A` for the share :math:`a` of pixels in the region, so that its
    largest value is :math:`1 - a/2`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> gazesal.regions.localization_auc(saliency_map, region)
    0.875
    """
    saliency, inside = as_map_and_region(saliency_map, region)
    reason = _one_class(count(inside), inside.size)
    if reason:
        return undefined("Localization AUC", reason)
    saliency = with_exact_ties(saliency, metric="Localization AUC")
    return sauc(saliency, inside, ~inside, area=area)


@takes_area()
def average_precision(
    saliency_map: ArrayLike, region: ArrayLike, *, area: ArrayLike | None = None
) -> float:
    r"""Compute the average precision of a saliency map as a detector of the region's pixels.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.

    Returns
    -------
    float
        In (0, 1], and higher is better. Chance is about the share of pixels in the region, which is
        the score of a constant map. ``nan`` if the region is empty.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, or the
        region has values other than 0 and 1.
    TypeError
        If an array does not hold numbers.

    Warns
    -----
    UndefinedMetricWarning
        If the region is empty, or the map is constant only up to rounding, so that all pixels count
        as ties.

    See Also
    --------
    localization_auc : The area under the ROC curve, whose chance does not depend on the region.

    Notes
    -----
    .. math:: \sum_v \frac{h_v}{|R|} \cdot \frac{\sum_{u \ge v} h_u}{\sum_{u \ge v} n_u}

    over the values :math:`v` of the map, with :math:`n_v` pixels of this value, :math:`h_v` of them
    in the region :math:`R`. This is the sum of precision times the step of recall, without
    interpolation between thresholds, because straight lines between points of precision and recall
    are too optimistic :footcite:p:`davis2006`. Pixels of equal value enter together.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> round(gazesal.regions.average_precision(saliency_map, region), 4)
    0.8333
    """
    saliency, inside = as_map_and_region(saliency_map, region)
    n_inside = count(inside)
    if not n_inside:
        return undefined("Average precision", "`region` is empty")
    saliency = with_exact_ties(saliency, metric="Average precision")
    weights = weights_of(area)
    if weights is not None:
        return _weighted_precision(saliency.ravel(), inside.ravel(), weights)
    thresholds, steps = np.unique(saliency[inside], return_counts=True)
    hits = np.cumsum(steps[::-1])[::-1]
    selected = saliency.size - np.searchsorted(np.sort(saliency, axis=None), thresholds)
    return float(np.sum(steps * (hits / selected)) / n_inside)


def _weighted_precision(values: FloatArray, inside: Mask, weights: Float64Array) -> float:
    """Return the average precision of pixels with weights."""
    _, places = np.unique(values, return_inverse=True)
    hits, selected = (
        np.bincount(places.ravel(), each)[::-1] for each in (weights * inside, weights)
    )
    precision = np.cumsum(hits) / np.cumsum(selected)
    return float(np.sum(hits * precision) / hits.sum())


def _one_class(area: int, size: int) -> str | None:
    """Return why there are no positive or no negative pixels, None if there are both."""
    if not area:
        return "`region` is empty"
    return "`region` is the whole image" if area == size else None
