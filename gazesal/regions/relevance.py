"""The share of a map's sum that lies in a region."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice
from gazesal.metrics.area import takes_area
from gazesal.regions.inputs import as_map_and_region, refuse_weights, undefined

__all__ = ["relevance_mass"]

METRIC = "Relevance mass"
NEGATIVE = ("raise", "clip", "abs")


@takes_area()
def relevance_mass(
    saliency_map: ArrayLike,
    region: ArrayLike,
    *,
    negative: str = "raise",
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the share of a saliency map inside the region (relevance mass accuracy).

    It is also known as the energy-based pointing game.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite. Its zero must mean "no relevance".
    region : array_like of bool, shape (H, W)
        Mask that is true inside the region.
    negative : {"raise", "clip", "abs"}, default "raise"
        Treatment of negative values: an error, 0 in their place (the positive evidence), or their
        magnitude (evidence of either sign).

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is the share of pixels in the region, which is also
        the score of a constant map. ``nan`` if the region is empty or the map has no positive
        value.

    Raises
    ------
    ValueError
        If an array is not 2-D or is empty, the shapes differ, the map holds NaN, infinity or, by
        default, a negative value, the region has values other than 0 and 1, or `negative` is
        unknown.
    TypeError
        If an array does not hold numbers.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined.

    See Also
    --------
    relevance_rank : The share of the highest pixels, which no increasing function changes.
    pointing_game : Only the maximum.

    Notes
    -----
    .. math:: \frac{\sum_{p \in R} S(p)}{\sum_p S(p)}

    for saliency map :math:`S` and region :math:`R` :footcite:p:`arras2022,wang2020`. A constant
    added to the map changes it, so a map rescaled to [0, 1] for display has another score.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 1.0, 4.0], [0.0, 1.0, 2.0]]
    >>> region = [[False, False, True], [False, False, True]]
    >>> gazesal.regions.relevance_mass(saliency_map, region)
    0.75
    """
    refuse_weights(area)
    saliency, inside = as_map_and_region(saliency_map, region)
    rule = as_choice(negative, NEGATIVE, name="negative")
    lowest = float(saliency.min())
    if rule == "raise" and lowest < 0:
        raise ValueError(
            f"`saliency_map` must be non-negative, got a smallest value of {lowest:g}. Choose "
            '`negative="clip"` for the positive part, or `negative="abs"` for magnitudes.'
        )
    if not inside.any():
        return undefined(METRIC, "`region` is empty")
    values = saliency.astype(np.float64)
    values = np.abs(values) if rule == "abs" else np.maximum(values, 0)
    largest = float(values.max())
    if largest == 0:
        return undefined(METRIC, "`saliency_map` has no positive value")
    values /= largest  # because the sum of large values may overflow
    within, outside = float(values[inside].sum()), float(values[~inside].sum())
    return within / (within + outside)
