"""Areas under the ROC curve by counting every pair, as in the definition.

Floats are exact rationals, so `fractions.Fraction` leaves no rounding to argue about.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np


def _flat(array) -> list:
    """Pixels as Python numbers, row by row, which avoids numpy's arithmetic."""
    return [pixel for row in np.asarray(array).tolist() for pixel in row]


def auc_of_points(positives: Sequence[float], negatives: Sequence[float]) -> Fraction:
    """P(positive > negative) + P(tie) / 2 over all pairs."""
    wins_twice = sum(2 if p > n else 1 if p == n else 0 for p in positives for n in negatives)
    return Fraction(wins_twice, 2 * len(positives) * len(negatives))


def _integers(array) -> list[int]:
    """Weights as integers over a common denominator, which does not change the AUC."""
    exact = [Fraction(weight) for weight in _flat(array)]
    denominator = math.lcm(*(weight.denominator for weight in exact))
    return [int(weight * denominator) for weight in exact]


def weighted_auc(saliency, positive_weights, negative_weights=None) -> Fraction:
    """Weighted mean over all pairs of pixels, with uniform negatives if None."""
    values = _flat(saliency)
    positives = _integers(positive_weights)
    negatives = [1] * len(values) if negative_weights is None else _integers(negative_weights)
    wins_twice = 0
    for value, p in zip(values, positives, strict=True):
        for other, q in zip(values, negatives, strict=True):
            if value > other:
                wins_twice += 2 * p * q
            elif value == other:
                wins_twice += p * q
    return Fraction(wins_twice, 2 * sum(positives) * sum(negatives))


def weighted_auc_of_integers(values, positives, negatives) -> Fraction:
    """Area from integer tallies at each distinct value, for maps with too many pixels for pairs."""
    distinct, which = np.unique(np.asarray(values).ravel(), return_inverse=True)
    at_value = np.zeros((len(distinct), 2), np.int64)
    np.add.at(at_value[:, 0], which.ravel(), positives.ravel())
    np.add.at(at_value[:, 1], which.ravel(), negatives.ravel())
    wins_twice = below = all_positives = 0
    for p, q in at_value.tolist():
        wins_twice += p * (2 * below + q)
        below += q
        all_positives += p
    return Fraction(wins_twice, 2 * below * all_positives)


def standard_error(saliency, positive_weights, negative_weights, n_positives, n_negatives) -> float:
    """Standard deviation of the AUC of pixels drawn independently from the weights.

    The sampled AUC is the two-sample U-statistic of the kernel h(x, y) = [x > y] + [x = y] / 2.
    Of its m n terms, two share nothing, a positive, a negative, or both, so that

        m n Var = E[h^2] - A^2  +  (n - 1) (E[E[h | x]^2] - A^2)  +  (m - 1) (E[E[h | y]^2] - A^2).
    """
    values = np.asarray(saliency, dtype=np.float64).ravel()
    p = np.asarray(positive_weights, dtype=np.float64).ravel()
    q = np.ones(values.size) if negative_weights is None else np.asarray(negative_weights).ravel()
    p, q = p / p.sum(), q / q.sum()
    given_x = np.empty(values.size)
    given_y = np.empty(values.size)
    squared = 0.0
    for i, value in enumerate(values):
        h = (value > values) + 0.5 * (value == values)
        given_x[i] = h @ q
        squared += p[i] * ((h * h) @ q)
        given_y[i] = ((values > value) + 0.5 * (values == value)) @ p
    area = p @ given_x
    share_x = p @ given_x**2 - area**2
    share_y = q @ given_y**2 - area**2
    once = squared - area**2
    terms = once + (n_negatives - 1) * share_x + (n_positives - 1) * share_y
    return float(np.sqrt(max(terms, 0.0) / (n_positives * n_negatives)))


RISING = np.arange(4.0)[None]
LEFT, RIGHT = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
ONE = np.eye(1, 10**4)  # a pixel among many, because half of its own mass counts as a tie
# arguments whose scores are the ends of the range
LOWEST = {
    "auc_borji": (1 - ONE, ONE),
    "sauc": (RISING, LEFT, RIGHT),
}
HIGHEST = {
    "auc_borji": (ONE, ONE),
    "sauc": (RISING, RIGHT, LEFT),
}
