"""AUCs of one map for many weightings of its pixels, exact or within a tolerance."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from gazesal.kernels.auc.approximate.bins import Sample, sample_weights
from gazesal.kernels.auc.approximate.pair_bins import paired_area
from gazesal.kernels.auc.approximate.rank_bins import binned_wins
from gazesal.kernels.auc.ranks import weighted_auc
from gazesal.kernels.auc.shared_order import shared_wins
from gazesal.typing import Float64Array, FloatArray, WeightArray

FINEST = 2.0**-20  # tolerance; for a smaller one, sorting the pixels is as fast as binning
HOPELESS = 1.6  # multiple of the tolerance; above this bound, more bins hardly help
# multiples of 1 / tolerance; these numbers of bins are enough for maps of noise
BINS_OF_A_PAIR, BINS = 0.6, 0.8
MARGIN = 1.15  # factor on the number of bins, because they are laid by a sample of the pixels
PIXELS_A_BIN = 4  # pixels per bin; with fewer, sorting is faster
LEAST_PIXELS = 1 << 19  # pixels of a map; on a smaller one, laying the bins takes too long
# Errors of an area. A share in a table is rounded to a step of 2**-26 and to single precision. The
# sum of up to 2**31 terms in lanes has an error below `SLACK`.
ROUNDING, SLACK = 2.0**-27 + 2.0**-25, 2e-9


def areas(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: Sequence[FloatArray],
    positive_sums: Float64Array,
    negatives: Sequence[WeightArray | None],
    negative_sums: Sequence[float],
    tolerance: float | None,
    sample: Sample | None,
) -> Float64Array:
    """Return the AUCs (len(positives), len(negatives)) of 1-D `values` with known extremes.

    None among the negatives stands for uniform weights. With a tolerance, every area differs from
    the exact one by at most the tolerance. If bins cannot guarantee that for a map, its pixels are
    sorted. Several weightings with a tolerance need a `sample`, see `sample_for`.
    """
    result = np.full((len(positives), len(negatives)), 0.5)
    if extremes[0] == extremes[1]:
        return result
    if tolerance is not None and result.size == 1:
        area = area_of_pair(values, extremes, positives[0], negatives[0], tolerance)
        if area is not None:
            return np.array([[area]])
    elif tolerance is not None and sample is not None:
        found = _binned(
            values, extremes, positives, positive_sums, negatives, negative_sums, tolerance, sample
        )
        if found is not None:
            return found
    if result.size == 1:
        negative = negatives[0]
        if negative is None:  # a view of one byte, which takes no memory
            negative = np.broadcast_to(np.int8(1), values.size)
        result[0, 0] = weighted_auc(values, extremes, positives[0], negative, negative_sums[0])
    else:
        weighted = [k for k, weights in enumerate(negatives) if weights is not None]
        which = weighted[0] if weighted else 0
        wins = shared_wins(
            values, extremes, positives, negatives[which], float(negative_sums[which])
        )
        columns = [0 if weights is None else 1 for weights in negatives]
        result = wins[:, columns] / positive_sums[:, None]
    return np.asarray(np.clip(result, 0.0, 1.0))


def area_of_pair(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: FloatArray,
    negatives: WeightArray | None,
    tolerance: float,
) -> float | None:
    """Return the AUC of one pair of weightings by bins, or None if they cannot guarantee it.

    Return None also if sorting is faster, for a constant map and for invalid weights. Callers need
    not have validated them.
    """
    if extremes[0] == extremes[1] or not bins_pay(tolerance, values.size):
        return None

    def attempt(n_bins: int) -> tuple[float, float] | None:
        return paired_area(values, extremes, (positives, negatives), tolerance, n_bins)

    area = _within(tolerance, BINS_OF_A_PAIR, attempt)
    return None if area is None else float(area)


def _binned(
    values: FloatArray,
    extremes: tuple[float, float],
    positives: Sequence[FloatArray],
    positive_sums: Float64Array,
    negatives: Sequence[WeightArray | None],
    negative_sums: Sequence[float],
    tolerance: float,
    sample: Sample,
) -> Float64Array | None:
    """Return the areas of several weightings by bins, or None if bins cannot guarantee them."""

    def attempt(n_bins: int) -> tuple[Float64Array, float]:
        wins, halves = binned_wins(
            values, extremes, positives, negatives, negative_sums, sample, tolerance, n_bins
        )
        return wins / positive_sums[:, None], (halves / positive_sums).max() + ROUNDING

    return _within(tolerance, BINS, attempt)


def _within(
    tolerance: float,
    bins: float,
    attempt: Callable[[int], tuple[float | Float64Array, float] | None],
) -> Float64Array | None:
    """Return areas whose bound is within the tolerance, or None.

    `attempt` takes a number of bins and returns areas and their bound, or None. The bound of a
    first attempt gives the number of bins of the second.
    """
    wanted = bins / tolerance
    for _ in range(2):
        found = attempt(math.ceil(wanted))
        if found is None:
            return None
        areas_found, bound = found[0], found[1] + SLACK
        if bound <= tolerance:
            return np.asarray(np.clip(areas_found, 0.0, 1.0))
        if bound > HOPELESS * tolerance:
            return None
        wanted *= MARGIN * bound / tolerance
    return None


def bins_pay(tolerance: float, n_pixels: int) -> bool:
    """Return whether binning is faster than sorting for this tolerance and number of pixels."""
    enough = n_pixels >= LEAST_PIXELS and n_pixels * tolerance >= PIXELS_A_BIN
    return enough and tolerance >= FINEST


def sample_for(
    tolerance: float | None,
    positives: Sequence[FloatArray],
    negatives: Sequence[WeightArray | None],
    n_pixels: int,
) -> Sample | None:
    """Sample the weights for `areas`, or return None if bins are not used.

    One sample serves many maps.
    """
    if tolerance is None or not bins_pay(tolerance, n_pixels):
        return None
    return sample_weights(positives, negatives, n_pixels)
