"""Pearson's correlation from its definition, in exact arithmetic up to the last square root."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np


def _exact(array) -> list[Fraction]:
    return [Fraction(pixel) for row in np.asarray(array).tolist() for pixel in row]


def _digits(value: Fraction) -> Decimal:
    """Divide within the current decimal context."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def ncc(saliency, gaze) -> float:
    """Covariance over the product of deviations, `nan` if a map is constant."""
    return _ncc_of(_exact(saliency), _exact(gaze))


def _ncc_of(x: list[Fraction], y: list[Fraction]) -> float:
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    s_xy = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    s_xx = sum((a - mean_x) ** 2 for a in x)
    s_yy = sum((b - mean_y) ** 2 for b in y)
    if s_xx == 0 or s_yy == 0:
        return float("nan")
    with localcontext() as context:
        context.prec = 60
        root = _digits(s_xy * s_xy / (s_xx * s_yy)).sqrt()
        return float(root if s_xy >= 0 else -root)


def sncc(saliency, gaze, center_bias) -> float:
    """Correlation with the gaze minus the correlation with the center bias."""
    return ncc(saliency, gaze) - ncc(saliency, center_bias)


def _ranks(array) -> list[Fraction]:
    """Count the smaller pixels, half of the other equal ones, and one for the pixel itself."""
    pixels = [pixel for row in np.asarray(array).tolist() for pixel in row]
    below = (sum(b < a for b in pixels) for a in pixels)
    equal = (sum(b == a for b in pixels) for a in pixels)
    return [Fraction(2 * n + k + 1, 2) for n, k in zip(below, equal, strict=True)]


def spearman(saliency, gaze) -> float:
    """Correlation of the ranks, `nan` if a map is constant."""
    return _ncc_of(_ranks(saliency), _ranks(gaze))


def ncc_in_long_double(saliency, gaze) -> float:
    """The definition in extended precision, for maps with too many pixels for rationals."""
    x, y = (np.asarray(array).astype(np.longdouble).ravel() for array in (saliency, gaze))
    # the scale first, so that squares neither under- nor overflow, then the offset
    x, y = (array / np.abs(array).max() for array in (x, y))
    x, y = (array - array.mean() for array in (x, y))
    x, y = (array - array.mean() for array in (x, y))
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


METRICS = {
    "ncc": ncc,
    "sncc": sncc,
    "spearman": spearman,
}
MAP = np.array([[0.0, 0.0, 1.0, 3.0]])
# arguments whose scores are the ends of the range
LOWEST = {
    "ncc": (-MAP, MAP),
    "spearman": (-MAP, MAP),
    "sncc": (-MAP, MAP, -MAP),
}
HIGHEST = {
    "ncc": (MAP, MAP),
    "spearman": (MAP, MAP),
    "sncc": (MAP, MAP, -MAP),
}
