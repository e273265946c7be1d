"""Checks of saliency maps and regions, shared by the metrics of regions."""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import constant, is_constant
from gazesal.typing import FloatArray

Mask: TypeAlias = NDArray[np.bool_]
NAMES = ("saliency_map", "region")


def as_map_and_region(saliency_map: ArrayLike, region: ArrayLike) -> tuple[FloatArray, Mask]:
    """Return a finite map and a boolean mask of the same shape."""
    saliency = as_map(saliency_map, name=NAMES[0])
    inside = as_map(region, name=NAMES[1])
    require_same_shape(saliency, inside, names=NAMES)
    require_finite(saliency, name=NAMES[0])
    mask = inside == 1
    other = inside[~mask & (inside != 0)]
    if other.size:
        raise ValueError(
            "`region` must be a boolean mask (H, W) that is true inside the region, got "
            f"{other.size} of {inside.size} values other than 0 and 1, such as {other[0]:g}. Use "
            "`region > 0` if all of them are inside."
        )
    return saliency, mask


def refuse_weights(area: Any) -> None:
    """Raise if `area` holds weights, for a metric that counts pixels."""
    if area is not None:
        raise ValueError(
            "`area` must be a mask for metrics that count pixels of a region, got different "
            "weights. Give `area > 0`, or use `average_precision` or `localization_auc`."
        )


def with_exact_ties(saliency: FloatArray, *, metric: str) -> FloatArray:
    """Make a map constant, with a warning, if it is constant only up to rounding.

    The order of its pixels would be the order of rounding errors.
    """
    lowest, highest = float(saliency.min()), float(saliency.max())
    if lowest == highest or not is_constant(saliency, lowest, highest):
        return saliency
    warn(
        f"{metric} counts all pixels as ties: `saliency_map` is {constant(saliency)}.",
        UndefinedMetricWarning,
    )
    return np.full_like(saliency, lowest)


def undefined(metric: str, reason: str) -> float:
    """Warn that a score is undefined, and return NaN."""
    warn(f"{metric} is undefined: {reason}.", UndefinedMetricWarning)
    return math.nan


def count(mask: NDArray[Any]) -> int:
    """Return the number of true pixels."""
    return int(np.count_nonzero(mask))


def expected_hits(saliency: FloatArray, region: Mask, k: int) -> float:
    """Return the expected number of the `k` highest pixels inside the region.

    If pixels that tie for the last places do not all fit, each of them has the same chance.
    """
    values = saliency.ravel()
    cut = np.partition(values, values.size - k)[values.size - k]
    above, tied = saliency > cut, saliency == cut
    hits, missing = count(above & region), k - count(above)
    return hits + missing * count(tied & region) / count(tied)
