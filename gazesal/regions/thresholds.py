"""Thresholds of saliency maps for the overlap with regions, each chosen on other images."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_iterable, as_real_array, require_finite
from gazesal.regions.inputs import as_map_and_region, count
from gazesal.typing import Float64Array

__all__ = ["thresholds_from_others"]

CANDIDATES = 101  # thresholds that are tried by default, which are percentiles of one map
METRICS = ("iou", "dice")


def thresholds_from_others(
    saliency_maps: Iterable[ArrayLike],
    regions: Iterable[ArrayLike],
    metric: str = "iou",
    *,
    candidates: ArrayLike | None = None,
) -> Float64Array:
    r"""Choose a threshold for each image on all other images, for `iou` or `dice`.

    Parameters
    ----------
    saliency_maps : iterable of array_like, each of shape (H, W)
        Maps of one method on at least two images, finite. They must have a common scale, such as
        probabilities or maps divided by their maximum.
    regions : iterable of array_like of bool, each of shape (H, W)
        Region of each image, not empty.
    metric : {"iou", "dice"}, default "iou"
        Metric whose mean over the other images is maximized.
    candidates : array_like of float, shape (N,), optional
        Thresholds to choose from. By default 101 values, evenly spaced from the lowest to the
        highest value of all maps.

    Returns
    -------
    numpy.ndarray of float64, shape (number of images,)
        The best of the candidates for each image, in the order of the images. The lowest if
        several are best.

    Raises
    ------
    ValueError
        If there are fewer than two images, another number of regions than of maps, a map or a
        region is invalid, a region is empty, or the candidates are not finite numbers.
    TypeError
        If an argument is of a wrong kind.

    See Also
    --------
    iou : The overlap above a threshold.

    Notes
    -----
    The threshold of image :math:`i` is

    .. math:: \operatorname{argmax}_t \sum_{j \neq i} J_j(t)

    for the metric :math:`J_j(t)` of image :math:`j` above threshold :math:`t`. A threshold that is
    chosen on the scored image itself makes its score too high. The code of
    :footcite:t:`saporta2022` maximizes the mean IoU on a validation set, with one threshold for
    each finding. Call this function once for each label to have the same.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.regions import iou, thresholds_from_others
    >>> maps = [np.array([[0.1, 0.6], [0.2, 0.9]]), np.array([[0.7, 0.3], [0.8, 0.1]])]
    >>> regions = [[[False, True], [False, True]], [[True, False], [True, False]]]
    >>> chosen = thresholds_from_others(maps, regions, candidates=[0.25, 0.5, 0.75])
    >>> chosen.tolist()
    [0.5, 0.25]
    >>> [round(iou(*each, threshold=t), 2) for *each, t in zip(maps, regions, chosen)]
    [1.0, 0.67]
    """
    as_choice(metric, METRICS, name="metric")
    pairs = _pairs(saliency_maps, regions)
    if candidates is None:
        low = min(float(saliency.min()) for saliency, _ in pairs)
        high = max(float(saliency.max()) for saliency, _ in pairs)
        tried: Float64Array = np.linspace(low, high, CANDIDATES)
    else:
        tried = np.unique(as_real_array(candidates, name="candidates").astype(np.float64))
        if not tried.size:
            raise ValueError("`candidates` must hold at least one threshold, got none.")
        require_finite(tried, name="candidates")
    curves = np.stack([_curve(saliency, inside, tried, metric) for saliency, inside in pairs])
    others = curves.sum(axis=0) - curves
    # Sums of the same scores may differ in their last bits.
    best = others >= others.max(axis=1, keepdims=True) - 1e-12 * len(pairs)
    return np.asarray(tried[best.argmax(axis=1)])


def _pairs(saliency_maps: Any, regions: Any) -> list[tuple[Any, Any]]:
    """Return the checked map and region of each image, at least two."""
    maps = list(as_iterable(saliency_maps, name="saliency_maps", of="maps"))
    masks = list(as_iterable(regions, name="regions", of="masks"))
    if len(maps) < 2 or len(maps) != len(masks):
        raise ValueError(
            "`saliency_maps` and `regions` must be of the same images, at least two, got "
            f"{len(maps)} and {len(masks)}."
        )
    pairs = []
    for index, (saliency, region) in enumerate(zip(maps, masks, strict=True)):
        try:
            pairs.append(as_map_and_region(saliency, region))
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"`saliency_maps` and `regions` must be maps and masks, got at index {index}: "
                f"{error}"
            ) from error
        if not count(pairs[-1][1]):
            raise ValueError(
                f"`regions` must not be empty, got an empty region at index {index}. Leave the "
                "image out."
            )
    return pairs


def _curve(saliency: Any, inside: Any, tried: Float64Array, metric: str) -> Float64Array:
    """Return the metric of one image above each threshold."""
    ordered, of_region = np.sort(saliency, axis=None), np.sort(saliency[inside])
    selected = ordered.size - np.searchsorted(ordered, tried)
    hits = of_region.size - np.searchsorted(of_region, tried)
    total = selected + of_region.size
    return np.asarray(hits / (total - hits) if metric == "iou" else 2 * hits / total)
