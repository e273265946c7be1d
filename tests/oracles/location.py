"""Scores at fixated pixels, one fixation at a time, in exact arithmetic where possible."""

import math
from fractions import Fraction

import numpy as np


def values_at(array, fixations) -> list:
    """Value of the pixel whose center is nearest, halves up, for each (x, y)."""
    rows = np.asarray(array).tolist()
    found = []
    for x, y in np.asarray(fixations).tolist():
        column = math.floor(Fraction(x) + Fraction(1, 2))
        row = math.floor(Fraction(y) + Fraction(1, 2))
        assert column >= 0
        assert row >= 0
        found.append(rows[row][column])
    return found


def pixels_of(array, fixations) -> list[tuple[int, int]]:
    """(row, column) of each fixation."""
    height, width = np.asarray(array).shape
    index = np.arange(height * width).reshape(height, width)
    return [divmod(each, width) for each in values_at(index, fixations)]


def nss(saliency, fixations) -> float:
    """Mean z-score, `nan` for a constant map."""
    pixels = [Fraction(value) for row in np.asarray(saliency).tolist() for value in row]
    mean = sum(pixels) / len(pixels)
    variance = sum((value - mean) ** 2 for value in pixels) / len(pixels)
    if variance == 0:
        return float("nan")
    at = [Fraction(value) for value in values_at(saliency, fixations)]
    above = sum(at) / len(at) - mean
    # the square is a rational, so only the last root rounds
    return math.copysign(math.sqrt(above * above / variance), above)


def snss(saliency, fixations, others) -> float:
    """Difference of two mean z-scores."""
    return nss(saliency, fixations) - nss(saliency, others)


def information_gain(density, fixations, baseline, eps=2.0**-52) -> float:
    """Mean of log2(eps + p) - log2(eps + b)."""
    p_sum = sum(Fraction(value) for row in np.asarray(density).tolist() for value in row)
    b_sum = sum(Fraction(value) for row in np.asarray(baseline).tolist() for value in row)
    gains = []
    for p, b in zip(values_at(density, fixations), values_at(baseline, fixations), strict=True):
        p_share, b_share = float(Fraction(p) / p_sum), float(Fraction(b) / b_sum)
        gains.append(math.log2(eps + p_share) - math.log2(eps + b_share))
    return math.fsum(gains) / len(gains)


def log_likelihood(density, fixations, eps=2.0**-52) -> float:
    """Information gain over a uniform density."""
    return information_gain(density, fixations, np.ones(np.shape(density)), eps)


METRICS = {
    "nss": nss,
    "snss": snss,
    "information_gain": information_gain,
    "log_likelihood": log_likelihood,
}
