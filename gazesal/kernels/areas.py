"""AUCs of one map for many weightings of its pixels: exact, or within a tolerance by rank bins."""

import math
from collections.abc import Sequence

import numpy as np

from gazesal.kernels.rank_bins import Sample, binned_wins, sample_weights
from gazesal.kernels.ranks import weighted_auc
from gazesal.kernels.shared_order import shared_wins
from gazesal.typing import Float64Array, FloatArray, WeightArray

FINEST = 2.0**-20  # tolerance below which ordering the pixels costs no more than bins would
HOPELESS = 3.0  # times the tolerance: a bound beyond which four times the bins do not help
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

    `None` among the negatives stands for all pixels alike. With a tolerance, which needs a sample
    of the weights, every area is within it of the exact one: if rank bins cannot promise that
    for a map, it is ordered all the same.
    """
    result = np.full((len(positives), len(negatives)), 0.5)
    if extremes[0] == extremes[1]:
        return result
    if tolerance is not None and sample is not None and bins_pay(tolerance, values.size):
        wanted = 2 ** math.ceil(-math.log2(tolerance))
        totals = positive_sums[:, None]
        for n_bins in (wanted, 4 * wanted):
            wins, halves = binned_wins(
                values, extremes, positives, negatives, negative_sums, sample, tolerance, n_bins
            )
            bound = (halves / positive_sums).max() + ROUNDING + SLACK
            if bound <= tolerance:
                return np.asarray(np.clip(wins / totals, 0.0, 1.0))
            if bound > HOPELESS * tolerance:
                break
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
