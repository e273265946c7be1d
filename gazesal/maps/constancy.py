"""The rule by which a map is constant, exactly or up to rounding."""

import numpy as np

from gazesal._validation import weight_sums
from gazesal.kernels.auc.cells import extremes
from gazesal.typing import FloatArray

# Units of the map's precision; a map with a smaller range is constant. Bicubic resizing of a
# constant map leaves a range of 21 units in torch, and spline zooming 11 units in scipy.
ROUNDING_STEPS = 32
SINGLE = float(np.finfo(np.float32).eps)  # precision of float32


def is_constant(values: FloatArray, lowest: float, highest: float) -> bool:
    """Return whether a map with these extremes is constant, exactly or up to rounding.

    A map is constant up to rounding if its range is at most `ROUNDING_STEPS` units of its precision
    times its largest magnitude. If all values in float64 fit float32, the precision of float32
    applies. Integers have no rounding if the type represents all of them exactly, so a map of two
    different integers is not constant. The pixels are read only if the range is that small.
    """
    if lowest == highest:
        return True
    precision = float(np.finfo(values.dtype).eps)
    largest = max(abs(lowest), abs(highest))
    if not _within(lowest, highest, max(precision, SINGLE)):
        return False
    if largest * precision <= 2.0 and np.array_equal(values, np.rint(values)):
        return False
    return _within(lowest, highest, precision) or fits_single(values)


def is_flat(values: FloatArray) -> bool:
    """Return whether a finite map is constant, exactly or up to rounding."""
    return is_constant(values, float(values.min()), float(values.max()))


def is_constant_by_spread(values: FloatArray, sum_of_squares: float) -> bool:
    """Return whether a finite 1-D map is constant, given its sum of squares about the mean.

    A range r limits the sum of squares to n r**2 / 4. Almost every map exceeds the limit for a
    constant, and then no pixel is read.
    """
    largest = ROUNDING_STEPS * SINGLE * abs(float(values[0]))
    # 0.26 instead of 1/4, because rounding may make the first value less than the largest magnitude
    if sum_of_squares > 0.26 * values.size * largest * largest:
        return False
    lowest, highest, _ = extremes(values)
    return is_constant(values, lowest, highest)


def as_weights(values: FloatArray, *, name: str) -> tuple[FloatArray, float]:
    """Check a map of weights, and return it with its sum.

    A map that is constant up to rounding is returned as an exact constant. Otherwise the rounding
    of float32 would look like content once the map is divided in float64.
    """
    _, total = weight_sums(values, name=name)
    lowest, highest, _ = extremes(values.ravel())
    if lowest == highest or not is_constant(values, lowest, highest):
        return values, total
    return np.full_like(values, lowest), lowest * values.size


def constant(values: FloatArray) -> str:
    """Return the description of a constant map for a warning."""
    lowest, highest, _ = extremes(values.ravel())
    if lowest == highest:
        return "constant"
    return f"constant up to rounding, with values from {lowest!r} to {highest!r}"


def _within(lowest: float, highest: float, precision: float) -> bool:
    return highest - lowest <= ROUNDING_STEPS * precision * max(abs(lowest), abs(highest))


def fits_single(values: FloatArray) -> bool:
    """Return whether float32 represents all values exactly."""
    with np.errstate(over="ignore", under="ignore"):
        return bool(np.array_equal(values.astype(np.float32), values))
