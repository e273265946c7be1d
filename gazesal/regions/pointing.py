"""The pointing game: the place of a map's maximum."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_map, as_number
from gazesal.maps.area import as_area
from gazesal.metrics.area import documents_area
from gazesal.regions.inputs import (
    Mask,
    as_map_and_region,
    refuse_weights,
    undefined,
    with_exact_ties,
)
from gazesal.typing import IntArray

__all__ = ["pointing_game"]

METRIC = "The pointing game"
TIES = ("mean", "any", "first")


@documents_area
def pointing_game(
    saliency_map: ArrayLike,
    region: ArrayLike,
    tolerance: float = 0.0,
    *,
    ties: str = "mean",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute whether the maximum of a saliency map is in the region (pointing game).

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.
    tolerance : float, default 0
        Distance in pixels, non-negative. A maximum outside of the region is a hit if it is closer
        than this to the center of a pixel of the region.
    ties : {"mean", "any", "first"}, default "mean"
        Treatment of several pixels at the maximum: the share of them that are hits, a hit if any of
        them is one, or only the first in the order of rows.

    Returns
    -------
    float
        1 for a hit, 0 for a miss, and between them only for several maxima. Higher is better.
        Chance is the share of pixels that are hits, which is also the score of a constant map.
        ``nan`` if the region is empty.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, the
        region has values other than 0 and 1, `tolerance` is negative or not finite, or `ties` is
        unknown.
    TypeError
        If an array does not hold numbers, or `tolerance` is not a number.

    Warns
    -----
    UndefinedMetricWarning
        If the region is empty, or the map is constant only up to rounding, so that all pixels count
        as ties.

    See Also
    --------
    relevance_mass : The share of the whole map inside the region.

    Notes
    -----
    With the set :math:`M` of the pixels at the maximum and the region :math:`R`, the score is

    .. math:: \frac{1}{|M|} \sum_{p \in M}
              \bigl[\, p \in R \text{ or } \min_{q \in R} \|p - q\| < t \,\bigr]

    for tolerance :math:`t`. :footcite:t:`zhang2018` average hits over the images of a class, and
    then over classes, with a tolerance of 15 pixels. As in TorchRay :footcite:p:`fong2019`, the
    distance must be below the tolerance, so that 1 has the same effect as 0.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9, 0.1], [0.9, 0.2, 0.4, 0.0]]
    >>> region = [[False, False, True, True], [False, False, True, True]]
    >>> gazesal.regions.pointing_game(saliency_map, region)
    0.5
    >>> gazesal.regions.pointing_game(saliency_map, region, tolerance=3)
    1.0
    >>> gazesal.regions.pointing_game(saliency_map, region, ties="any")
    1.0
    """
    valid = None
    if area is not None:
        given = as_map(saliency_map, name="saliency_map")
        valid = as_area(area, given.shape)
        if valid is not None:
            refuse_weights(valid.weights)
            saliency_map = valid.cover(given)
    saliency, inside = as_map_and_region(saliency_map, region)
    counted = np.ones_like(inside) if valid is None else valid.mask()
    inside = inside & counted
    margin = as_number(tolerance, name="tolerance", low=0, high=math.inf)
    rule = as_choice(ties, TIES, name="ties")
    if not inside.any():
        return undefined(METRIC, "`region` is empty")
    saliency = with_exact_ties(saliency, metric=METRIC)
    rows, columns = np.nonzero((saliency == saliency.max()) & counted)
    if rule == "first":
        rows, columns = rows[:1], columns[:1]
    hits = _is_near(rows, columns, inside, margin)
    return float(hits.any()) if rule == "any" else float(hits.mean())


def _is_near(rows: IntArray, columns: IntArray, inside: Mask, margin: float) -> Mask:
    """Return for each pixel whether it is in the region, or closer to it than the margin."""
    hits: Mask = inside[rows, columns]
    if margin <= 1 or hits.all():  # no other pixel center is closer than 1
        return hits
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 (keeps the import fast)

    # Only pixels of the region near the maxima matter.
    height, width = inside.shape
    pad = math.ceil(min(margin, height + width))
    top, left = max(int(rows.min()) - pad, 0), max(int(columns.min()) - pad, 0)
    near = inside[top : int(rows.max()) + pad + 1, left : int(columns.max()) + pad + 1]
    if not near.any():
        return hits
    distances = distance_transform_edt(~near)[rows - top, columns - left]
    # The squares are integers. Comparing them excludes the rounding of the root.
    closer: Mask = np.rint(distances * distances) < margin * margin
    return hits | closer
