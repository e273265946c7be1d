"""Overlap of a region with the highest pixels of a map, or with the pixels above a threshold."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_float, as_number, shown
from gazesal.metrics.area import takes_area
from gazesal.regions.inputs import (
    Mask,
    as_map_and_region,
    count,
    expected_hits,
    refuse_weights,
    undefined,
    with_exact_ties,
)
from gazesal.typing import FloatArray

__all__ = ["dice", "iou"]

EQUAL = "equal"


@takes_area()
def iou(
    saliency_map: ArrayLike,
    region: ArrayLike,
    *,
    threshold: float | None = None,
    top: float | str | None = None,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the intersection over union (Jaccard index) of the highest pixels and the region.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite. A mask is compared with ``threshold=1``.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.
    threshold : float, optional
        Pixels with at least this value are selected. Choose it on other images.
    top : float or "equal", optional
        Share of the highest pixels to select, above 0 and at most 1, rounded to the nearest number
        of pixels, halves up. With ``"equal"``, as many as the region has. One of `threshold` and
        `top` is required.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance depends on the number of selected pixels, see Notes.
        If the region is empty, 0 if pixels are selected, and ``nan`` otherwise.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, or the
        region has values other than 0 and 1. If both or neither of `threshold` and `top` are given,
        or one is out of range.
    TypeError
        If an array does not hold numbers, or `threshold` or `top` is of a wrong type.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, or if `top` is given and the map is constant only up to rounding,
        so that all pixels count as ties.

    See Also
    --------
    dice : The same order of maps and regions, on another scale.
    average_precision : All thresholds instead of one.

    Notes
    -----
    .. math:: \frac{|T \cap R|}{|T \cup R|}

    for region :math:`R` and selected pixels :math:`T` :footcite:p:`saporta2022`. If a tie crosses
    the cut of `top`, each tied pixel is selected with the same fraction, so that the selection has
    the required size and the score does not depend on the order of pixels. A constant map then
    scores :math:`t a / (t + a - t a)` for shares :math:`t` and :math:`a` of selected pixels and of
    the region, which is about the mean of maps of noise.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> round(gazesal.regions.iou(saliency_map, region, threshold=0.4), 4)
    0.6667
    >>> round(gazesal.regions.iou(saliency_map, region, top="equal"), 4)
    0.3333
    """
    refuse_weights(area)
    hits, selected, inside = _overlap(saliency_map, region, threshold, top)
    if selected + inside == 0:
        return undefined("IoU", "`region` is empty and no pixel is selected")
    return hits / (selected + inside - hits)


@takes_area()
def dice(
    saliency_map: ArrayLike,
    region: ArrayLike,
    *,
    threshold: float | None = None,
    top: float | str | None = None,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the Dice coefficient (F1 score) of the highest pixels and the region.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite. A mask is compared with ``threshold=1``.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.
    threshold : float, optional
        Pixels with at least this value are selected. Choose it on other images.
    top : float or "equal", optional
        Share of the highest pixels to select, above 0 and at most 1, rounded to the nearest number
        of pixels, halves up. With ``"equal"``, as many as the region has. One of `threshold` and
        `top` is required.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance depends on the number of selected pixels, see Notes.
        If the region is empty, 0 if pixels are selected, and ``nan`` otherwise.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, or the
        region has values other than 0 and 1. If both or neither of `threshold` and `top` are given,
        or one is out of range.
    TypeError
        If an array does not hold numbers, or `threshold` or `top` is of a wrong type.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, or if `top` is given and the map is constant only up to rounding,
        so that all pixels count as ties.

    See Also
    --------
    iou : The same order of maps and regions, on another scale.
    relevance_rank : Equals the Dice coefficient with ``top="equal"``.

    Notes
    -----
    .. math:: \frac{2\, |T \cap R|}{|T| + |R|}

    for region :math:`R` and selected pixels :math:`T` :footcite:p:`dice1945`. It is
    :math:`2 J / (1 + J)` for the IoU :math:`J`. Ties are treated as in `iou`. A constant map scores
    :math:`2 t a / (t + a)` with `top`, for shares :math:`t` and :math:`a` of selected pixels and of
    the region, which is the mean of maps of noise.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> gazesal.regions.dice(saliency_map, region, threshold=0.4)
    0.8
    >>> gazesal.regions.dice(saliency_map, region, top="equal")
    0.5
    """
    refuse_weights(area)
    hits, selected, inside = _overlap(saliency_map, region, threshold, top)
    if selected + inside == 0:
        return undefined("Dice", "`region` is empty and no pixel is selected")
    return 2 * hits / (selected + inside)


def _overlap(
    saliency_map: ArrayLike, region: ArrayLike, threshold: float | None, top: float | str | None
) -> tuple[float, int, int]:
    """Return the number of selected pixels in the region, of all selected, and of the region."""
    saliency, inside = as_map_and_region(saliency_map, region)
    if (threshold is None) == (top is None):
        raise ValueError(
            f"One of `threshold` and `top` must be given, got {shown(threshold)} and {shown(top)}. "
            'Give a threshold chosen on other images, or top="equal".'
        )
    area = count(inside)
    if threshold is not None:
        limit = as_number(threshold, name="threshold", low=-math.inf, high=math.inf)
        # In double precision, so that a map has the same score in float32 and float64.
        chosen = saliency >= np.float64(limit)
        return count(chosen & inside), count(chosen), area
    selected = _number_of_pixels(top, saliency, inside)
    if not selected:
        return 0, 0, area
    saliency = with_exact_ties(saliency, metric="The overlap")
    return expected_hits(saliency, inside, selected), selected, area


def _number_of_pixels(top: float | str | None, saliency: FloatArray, inside: Mask) -> int:
    """Return how many pixels `top` selects."""
    if isinstance(top, str):
        if top != EQUAL:
            raise ValueError(f'`top` must be a share of the pixels or "equal", got {shown(top)}.')
        return count(inside)
    share = as_float(top, name="top", expected='a share of the pixels or "equal"')
    selected = math.floor(share * saliency.size + 0.5) if 0 < share <= 1 else 0
    if not selected:
        raise ValueError(
            f"`top` must be a share of the pixels above 0, at most 1, that selects at least one of "
            f"{saliency.size} pixels, got {shown(top)}. Divide a number of pixels by "
            f"{saliency.size}."
        )
    return selected
