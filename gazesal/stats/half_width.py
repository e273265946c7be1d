"""Half-widths of intervals in studies of given numbers of units."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping

from gazesal._validation import as_count

__all__ = ["as_assurance", "error_parts", "quantile_of_half_width"]


def as_assurance(assurance: float | None) -> float | None:
    """Check and return a probability of reaching a half-width."""
    if assurance is None:
        return None
    real = isinstance(assurance, numbers.Real) and not isinstance(assurance, bool)
    if not (real and 0 < assurance < 1):
        raise ValueError(f"`assurance` must be a number between 0 and 1, got {assurance!r}.")
    return float(assurance)


def quantile_of_half_width(
    degrees: float, confidence_level: float, assurance: float | None
) -> float:
    """Return half-width / square root of the variance, expected or reached with a probability."""
    from scipy.special import chdtri, stdtrit  # noqa: PLC0415  (slow to import)

    quantile = float(stdtrit(degrees, 0.5 + confidence_level / 2))
    if assurance is None:
        return quantile
    return quantile * math.sqrt(float(chdtri(degrees, 1 - assurance)) / degrees)


def error_parts(
    units: Mapping[str, int],
    components: Mapping[str, float],
    sizes: Mapping[str, int],
    held: tuple[str, ...],
) -> tuple[float, float]:
    """Return the variance of the mean and a divisor; variance² / divisor are degrees of freedom.

    Neither increases with the number of units of a column that is not held fixed.
    """
    planned = _planned(units, sizes, held)
    varying = [name for name in units if name not in held]
    # Averaging over fixed columns adds their joint effects to the effects of the other columns.
    variance: dict[frozenset[str], float] = {}
    for name, value in components.items():
        effect = frozenset(name.split(":"))
        rest = effect - set(held)
        if rest:
            shared = math.prod(planned[column] for column in effect & set(held))
            variance[rest] = variance.get(rest, 0.0) + max(value, 0.0) / shared
    total = sum(
        value / math.prod(planned[column] for column in effect)
        for effect, value in variance.items()
    )
    n_cells = math.prod(planned[column] for column in varying)
    divisor = 0.0
    for effect in variance:
        square = sum(
            value * math.prod(planned[c] for c in varying if c not in other)
            for other, value in variance.items()
            if effect <= other
        )
        freedom = math.prod(planned[column] - 1 for column in effect)
        divisor += (square / n_cells) ** 2 / freedom
    if divisor == 0:  # also if the squares of tiny variances are zero
        return 0.0, 0.0
    return total, divisor


def _planned(
    units: Mapping[str, int], sizes: Mapping[str, int], held: tuple[str, ...]
) -> dict[str, int]:
    """Check the sizes and return the number of units of each column."""
    unknown = [name for name in (*sizes, *held) if name not in units]
    if unknown:
        raise ValueError(
            f"`sizes` and `fixed` must name columns of {', '.join(units)}, got "
            f"{', '.join(map(str, unknown))}."
        )
    if set(held) >= set(units):
        raise ValueError(f"`fixed` must leave a column to generalize over, got {held!r}.")
    return {
        name: as_count(sizes.get(name, n), name=name, least=1 if name in held else 2)
        for name, n in units.items()
    }
