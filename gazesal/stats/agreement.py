"""Intraclass correlations of Shrout and Fleiss (1979)."""

import math

__all__ = ["intraclass_correlation"]


def intraclass_correlation(
    n: int, k: int, rows: float, columns: float, error: float, absolute: bool, upper: float
) -> tuple[float, float, float]:
    """Return the correlation of one of `k` raters of `n` targets, and its bounds.

    `rows`, `columns` and `error` are the mean squares of targets, raters and error. `upper` is the
    probability of the upper quantile. Undefined values are NaN.
    """
    from scipy.special import fdtri  # noqa: PLC0415  (slow to import)

    if absolute:
        below = rows + (k - 1) * error + k / n * (columns - error)
        estimate = (rows - error) / below if below > 0 else math.nan
        if error > 0 or columns > 0:
            return estimate, *_absolute_bounds(n, k, rows, columns, error, estimate, upper)
        return estimate, estimate, estimate
    below = rows + (k - 1) * error
    if below == 0 or error == 0:
        estimate = 1.0 if below > 0 else math.nan
        return estimate, estimate, estimate
    ratio, spare = rows / error, (n - 1) * (k - 1)
    least = ratio / float(fdtri(n - 1, spare, upper))
    most = ratio * float(fdtri(spare, n - 1, upper))
    low, high = ((f - 1) / (f + k - 1) for f in (least, most))
    return (rows - error) / below, low, high


def _absolute_bounds(
    n: int, k: int, rows: float, columns: float, error: float, estimate: float, upper: float
) -> tuple[float, float]:
    """Return the bounds of the correlation of absolute agreement."""
    from scipy.special import fdtri  # noqa: PLC0415  (slow to import)

    gain = k * estimate / (n * (1 - estimate))
    rest = 1 + k * estimate * (n - 1) / (n * (1 - estimate))
    spread = (gain * columns + rest * error) ** 2
    if spread == 0:
        return math.nan, math.nan
    degrees = spread / ((gain * columns) ** 2 / (k - 1) + (rest * error) ** 2 / ((n - 1) * (k - 1)))
    least = float(fdtri(n - 1, degrees, upper))
    most = float(fdtri(degrees, n - 1, upper))
    others = k * columns + (k * n - k - n) * error
    low = n * (rows - least * error) / (least * others + n * rows)
    high = n * (most * rows - error) / (others + n * most * rows)
    return low, high
