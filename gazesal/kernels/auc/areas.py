"""AUCs of one map for many weightings of its pixels: exact, or within a tolerance by rank bins."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from gazesal.kernels.auc.approximate.bins import Sample, sample_weights
from gazesal.kernels.auc.approximate.pair_bins import paired_area
from gazesal.kernels.auc.approximate.rank_bins import binned_wins
from gazesal.kernels.auc.ranks import weighted_auc
from gazesal.kernels.auc.shared_order import shared_wins
from gazesal.typing import Float64Array, FloatArray, WeightArray

FINEST = 2.0**-20  # tolerance below which ordering the pixels costs no more than bins would
HOPELESS = 1.6  # times the tolerance: a bound beyond which more bins hardly help
BINS_OF_A_PAIR, BINS = 0.6, 0.8  # times 1 / tolerance: enough for maps of noise
MARGIN = 1.15  # more bins than a bound asks for, since they are laid by a sample
PIXELS_A_BIN = 4  # with fewer than these, bins do not pay either
LEAST_PIXELS = 1 << 19  # nor on smaller maps, for laying them takes some milliseconds
# Shares looked up are off by half a step of 2**-26 and, in single precision, by half a unit in the
# last place; adding up to 2**31 terms in lanes is off by less than the slack.
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
    """AUCs (len(positives), len(negatives)) of 1-D `values`, whose extremes are known.

    `None` among the negatives stands for all pixels alike. With a tolerance, for which several
    weightings need a sample of them, every area is within it of the exact one: if bins cannot
    promise that for a map, it is ordered all the same.
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
        if negative is None:  # one byte, read over and over
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
    """AUC of a map, if bins pay and can promise it within the tolerance.

    They promise nothing for a constant map, nor for weights that are none, as negative ones,
    which nobody need have looked for.
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
    """Areas of several weightings by bins, if they can promise them."""

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
    """Areas with a bound within the tolerance; a second attempt takes the bins that the first asks.

    An attempt at so many bins gives areas and their bound, or nothing.
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
    """Whether rank bins for this tolerance are fewer than the pixels by enough."""
    enough = n_pixels >= LEAST_PIXELS and n_pixels * tolerance >= PIXELS_A_BIN
    return enough and tolerance >= FINEST


def sample_for(
    tolerance: float | None,
    positives: Sequence[FloatArray],
    negatives: Sequence[WeightArray | None],
    n_pixels: int,
) -> Sample | None:
    """Sample the weights where a tolerance makes use of it; one sample serves many maps."""
    if tolerance is None or not bins_pay(tolerance, n_pixels):
        return None
    return sample_weights(positives, negatives, n_pixels)
