"""Sums of maps from which maps can be subtracted without loss."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gazesal.kernels.bilinear import sum_of_parts
from gazesal.kernels.moments import add_exactly, add_shares, sum_without
from gazesal.typing import Float64Array, FloatArray

NEGATIVE = 1e-12  # share of the largest value; a more negative sum is not due to rounding
COUNTED = 1e-6  # share of the number of maps; a sum that differs by more has another number of maps
NOTHING = 1e-24  # share of the largest value; less is set to 0, rounding leaves 1e-32 per map


class RunningSum:
    """Sum of maps in double-double arithmetic, with about 32 digits.

    Subtracting a map from a plain sum leaves its rounding error behind. Pixels where the map was
    high and the others near zero would then be noise, and so would be their ranks. A second array
    carries the rounding error of the first. The rest is therefore as exact as if the map had never
    been added, down to 1e-24 of its largest value.

    Parameters
    ----------
    maps : iterable of array, each (H, W)
        Maps to sum. More are added with `add`.
    """

    def __init__(self, maps: Iterable[FloatArray] = ()) -> None:
        self._high: Float64Array | None = None
        self._low: Float64Array | None = None
        for array in maps:
            self.add(array)

    def copy(self) -> RunningSum:
        """Return an independent copy."""
        other = RunningSum()
        if self._high is not None and self._low is not None:
            other._high, other._low = self._high.copy(), self._low.copy()
        return other

    def add(self, array: FloatArray, sign: float = 1.0) -> None:
        """Add a map, or subtract it with ``sign=-1``."""
        if self._high is None or self._low is None:
            self._high = np.zeros(array.shape)
            self._low = np.zeros(array.shape)
        add_exactly(self._high.ravel(), self._low.ravel(), np.ravel(array), sign)

    def add_share(self, array: FloatArray, mass: float, sign: float = 1.0) -> None:
        """Add a map divided by its mass, or subtract it, without a copy of it."""
        if self._high is None or self._low is None:
            self._high = np.zeros(array.shape)
            self._low = np.zeros(array.shape)
        add_shares(self._high.ravel(), self._low.ravel(), np.ravel(array), mass, sign)

    def merge(self, other: RunningSum, sign: float = 1.0) -> None:
        """Add another sum, or subtract it with ``sign=-1``."""
        if not other.is_empty:
            for part in other.parts():
                self.add(part, sign)

    @property
    def is_empty(self) -> bool:
        """True if no map has been added."""
        return self._high is None or self._low is None

    def parts(self) -> tuple[Float64Array, Float64Array]:
        """Return the two arrays of the double-double sum, to write them to a file."""
        if self._high is None or self._low is None:
            raise ValueError("nothing has been summed")
        return self._high, self._low

    @classmethod
    def from_parts(cls, high: Float64Array, low: Float64Array) -> RunningSum:
        """Make a sum of non-negative maps from the arrays that `parts` returned.

        Invalid arrays raise ValueError, because compiled kernels check no bounds.
        """
        for part in (high, low):
            if part.dtype != np.float64 or part.ndim != 2 or part.size == 0:
                raise ValueError(
                    "its sums must be float64 arrays (H, W), got "
                    f"{part.dtype} of shape {part.shape}"
                )
        if high.shape != low.shape:
            raise ValueError(f"its sums must have one shape, got {high.shape} and {low.shape}")
        if not (np.isfinite(high).all() and np.isfinite(low).all()):
            raise ValueError("its sums must be finite")
        largest = float(high.max())
        if not largest > 0 or high.min() < -NEGATIVE * largest:
            raise ValueError("its sums must be non-negative and not all zero")
        if np.abs(low).max() > NEGATIVE * largest:
            raise ValueError("its second sum must be the rounding error of the first")
        both = cls()
        # the kernels modify views made by `ravel`, which would copy an array that is not contiguous
        both._high, both._low = np.ascontiguousarray(high), np.ascontiguousarray(low)
        return both

    def require_count(self, n_maps: object) -> int:
        """Return the number of maps of sum 1 that were added, and raise if the sum differs."""
        if isinstance(n_maps, bool) or not isinstance(n_maps, int) or n_maps < 1:
            raise ValueError(f"its number of maps must be a positive integer, got {n_maps!r}")
        total = float(self.value().sum())
        if abs(total - n_maps) > COUNTED * n_maps:
            raise ValueError(f"its sums must total {n_maps}, the number of maps, got {total:g}")
        return n_maps

    def value(self) -> Float64Array:
        """Return the sum as float64 (H, W)."""
        if self._high is None or self._low is None:
            raise ValueError("nothing has been summed")
        return np.asarray(self._high + self._low)

    def value_without(self, array: FloatArray) -> Float64Array:
        """Return the sum without one map as float64 (H, W). The object does not change."""
        high, low = self.parts()
        out = np.empty(high.shape)
        sum_without(high.ravel(), low.ravel(), np.ravel(array), out.ravel())
        return out

    def mass(self) -> Float64Array:
        """Return the sum of non-negative maps as float64 (H, W), with tiny values set to 0.

        Values below 1e-24 of the largest are set to 0. The rounding error left by subtracted maps
        is some digits smaller and would sort such pixels at random.
        """
        high, low = self.parts()
        out = np.empty(high.shape)
        sum_of_parts(high.ravel(), low.ravel(), NOTHING * float(high.max()), out.ravel())
        return out
