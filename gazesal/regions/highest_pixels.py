"""Shares of the highest pixels of a map that lie in a region."""

from numpy.typing import ArrayLike

from gazesal._validation import as_count
from gazesal.metrics.area import takes_area
from gazesal.regions.inputs import (
    as_map_and_region,
    count,
    expected_hits,
    refuse_weights,
    undefined,
    with_exact_ties,
)

__all__ = ["relevance_rank", "top_k_intersection"]


@takes_area()
def relevance_rank(
    saliency_map: ArrayLike, region: ArrayLike, *, area: ArrayLike | None = None
) -> float:
    r"""Compute the share of the highest pixels in the region, as many as it has pixels.

    It is the relevance rank accuracy, and equals `dice` for areas of equal size.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is the share of pixels in the region, which is also
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
    top_k_intersection : A given number of pixels.
    relevance_mass : The share of the sum, in which high values weigh more.

    Notes
    -----
    .. math:: \frac{|T_K \cap R|}{K}, \quad K = |R|

    for region :math:`R` and the set :math:`T_K` of the :math:`K` highest pixels
    :footcite:p:`arras2022`. If a tie crosses the cut, the score is its expectation over all ways to
    break the tie. No strictly increasing function of the map changes it.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> gazesal.regions.relevance_rank(saliency_map, region)
    0.5
    """
    refuse_weights(area)
    saliency, inside = as_map_and_region(saliency_map, region)
    n_inside = count(inside)
    if not n_inside:
        return undefined("Relevance rank", "`region` is empty")
    saliency = with_exact_ties(saliency, metric="Relevance rank")
    return expected_hits(saliency, inside, n_inside) / n_inside


@takes_area()
def top_k_intersection(
    saliency_map: ArrayLike, region: ArrayLike, k: int, *, area: ArrayLike | None = None
) -> float:
    r"""Compute the share of the k highest pixels that are in the region.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.
    k : int
        Number of highest pixels, from 1 to the number of pixels.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is the share of pixels in the region, which is also
        the score of a constant map. The largest value is the number of pixels in the region divided
        by `k` if that is below 1. ``nan`` if the region is empty.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN or infinity, the
        region has values other than 0 and 1, or `k` is out of range.
    TypeError
        If an array does not hold numbers, or `k` is not an integer.

    Warns
    -----
    UndefinedMetricWarning
        If the region is empty, or the map is constant only up to rounding, so that all pixels count
        as ties.

    See Also
    --------
    relevance_rank : As many pixels as the region has.
    iou : The overlap with a share of the pixels.

    Notes
    -----
    .. math:: \frac{|T_k \cap R|}{k}

    for region :math:`R` and the set :math:`T_k` of the :math:`k` highest pixels
    :footcite:p:`theiner2022`. If a tie crosses the cut, the score is its expectation over all ways
    to break the tie.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.5, 0.4]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> gazesal.regions.top_k_intersection(saliency_map, region, k=1)
    1.0
    """
    refuse_weights(area)
    saliency, inside = as_map_and_region(saliency_map, region)
    number = as_count(k, name="k", most=saliency.size)
    if not inside.any():
        return undefined("Top-k intersection", "`region` is empty")
    saliency = with_exact_ties(saliency, metric="Top-k intersection")
    return expected_hits(saliency, inside, number) / number
