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


def _are_within_rounding(difference: list[Fraction], parts: list[list[Fraction]], maps) -> bool:
    """Compare a difference with 32 units of the precision of the maps."""
    single = all(np.array_equal(np.asarray(each, np.float32), each) for each in maps)
    unit = Fraction(1, 2**23 if single else 2**52)
    largest = max(abs(value) for part in parts for value in part)
    return max(difference) - min(difference) <= 32 * unit * largest


def _excess(gaze, center_bias) -> list[Fraction]:
    """Gaze minus center bias, each with the sum 1, and 0 if that is rounding."""
    parts = [_exact(gaze), _exact(center_bias)]
    parts = [[value / sum(part) for value in part] for part in parts]
    found = [a - b for a, b in zip(*parts, strict=True)]
    within = _are_within_rounding(found, parts, (gaze, center_bias))
    return [Fraction(0)] * len(found) if within else found


def residual_ncc(saliency, gaze, center_bias) -> float:
    """Correlation with the difference of the shares."""
    return _ncc_of(_exact(saliency), _excess(gaze, center_bias))


def residual_nss(saliency, gaze, center_bias) -> float:
    """Sum of z-scores times the difference of the shares, `nan` for a constant map."""
    pixels = _exact(saliency)
    mean = sum(pixels) / len(pixels)
    variance = sum((value - mean) ** 2 for value in pixels) / len(pixels)
    if variance == 0:
        return float("nan")
    excess = _excess(gaze, center_bias)
    total = sum((a - mean) * b for a, b in zip(pixels, excess, strict=True))
    with localcontext() as context:
        context.prec = 60
        root = _digits(total * total / variance).sqrt()
        return float(root if total >= 0 else -root)


def semipartial_ncc(saliency, gaze, center_bias) -> float:
    """Correlation with the residuals of the line that fits the gaze best by the center bias."""
    y, x = _exact(gaze), _exact(center_bias)
    mean_y, mean_x = sum(y) / len(y), sum(x) / len(x)
    s_xx = sum((a - mean_x) ** 2 for a in x)
    s_yy = sum((b - mean_y) ** 2 for b in y)
    if s_xx == 0 or s_yy == 0:
        return float("nan")
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / s_xx
    rest = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y, strict=True)]
    if sum(value**2 for value in rest) <= s_yy * Fraction(1, 2**44):
        return float("nan")
    return _ncc_of(_exact(saliency), rest)


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
    "residual_ncc": residual_ncc,
    "residual_nss": residual_nss,
    "semipartial_ncc": semipartial_ncc,
}
MAP = np.array([[0.0, 0.0, 1.0, 3.0]])
# two maps without correlation
REST, SIDE = np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
# arguments whose scores are the ends of the range
LOWEST = {
    "ncc": (-MAP, MAP),
    "spearman": (-MAP, MAP),
    "sncc": (-MAP, MAP, -MAP),
    "residual_ncc": (np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])),
    "semipartial_ncc": (-REST, REST, SIDE),
}
HIGHEST = {
    "ncc": (MAP, MAP),
    "spearman": (MAP, MAP),
    "sncc": (MAP, MAP, -MAP),
    "residual_ncc": (np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])),
    "semipartial_ncc": (REST, REST, SIDE),
}
