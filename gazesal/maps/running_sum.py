"""Sums of maps from which one can be taken out again."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gazesal.kernels.bilinear import sum_of_parts
from gazesal.kernels.moments import add_exactly, add_shares, sum_without
from gazesal.typing import Float64Array, FloatArray

NEGATIVE = 1e-12  # of the largest value; rounding leaves less
COUNTED = 1e-6  # of the number of maps; each sums to 1 but for rounding
NOTHING = 1e-24  # share of the largest value; rounding leaves about 1e-32 for each map


class RunningSum:
    """Sum of maps in double-double arithmetic, about 32 digits.

    Taking a map out of a plain sum leaves its rounding error behind: where that map was high and
    the others next to nothing, noise. Ranks of a left-one-out map would then be noise there too.
    With a second array that carries what the first rounds off, the rest is as exact as if the map
    had never been added, down to 1e-24 of its largest value.

    Parameters
    ----------
    maps : iterable of array, each (H, W)
        What to sum; may be given later with `add`.
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
        """Add a map, or take it out with ``sign=-1``."""
        if self._high is None or self._low is None:
            self._high = np.zeros(array.shape)
            self._low = np.zeros(array.shape)
        add_exactly(self._high.ravel(), self._low.ravel(), np.ravel(array), sign)

    def add_share(self, array: FloatArray, mass: float, sign: float = 1.0) -> None:
        """Add a map divided by its mass, or take it out, without a copy of it."""
        if self._high is None or self._low is None:
            self._high = np.zeros(array.shape)
            self._low = np.zeros(array.shape)
        add_shares(self._high.ravel(), self._low.ravel(), np.ravel(array), mass, sign)

    def merge(self, other: RunningSum, sign: float = 1.0) -> None:
        """Add another sum, or take it out with ``sign=-1``."""
        if other._high is not None and other._low is not None:
            self.add(other._high, sign)
            self.add(other._low, sign)

    def parts(self) -> tuple[Float64Array, Float64Array]:
        """Return the two arrays of the double-double sum, to write them to a file."""
        if self._high is None or self._low is None:
            raise ValueError("nothing has been summed")
        return self._high, self._low

    @classmethod
    def from_parts(cls, high: Float64Array, low: Float64Array) -> RunningSum:
        """Make a sum of maps that are non-negative from the arrays that `parts` returned.

        A ValueError is raised for arrays that cannot be these: compiled kernels check no bounds.
        """
        for part in (high, low):
            if part.dtype != np.float64 or part.ndim != 2 or part.size == 0:
                raise ValueError(
                    "its sums must be float64 arrays (H, W), got "
                    f"{part.dtype} of shape {part.shape}"
                )
        if high.shape != low.shape:
            raise ValueError(f"its sums must be of one shape, got {high.shape} and {low.shape}")
        if not (np.isfinite(high).all() and np.isfinite(low).all()):
            raise ValueError("its sums must be finite")
        largest = float(high.max())
        if not largest > 0 or high.min() < -NEGATIVE * largest:
            raise ValueError("its sums must be of maps that are non-negative and not all zero")
        if np.abs(low).max() > NEGATIVE * largest:
            raise ValueError("its second sum must be the rounding error of the first")
        both = cls()
        # the kernels change views of what lies in order; of other layouts `ravel` makes a copy
        both._high, both._low = np.ascontiguousarray(high), np.ascontiguousarray(low)
        return both

    def require_count(self, n_maps: object) -> int:
        """Return how many maps of sum 1 were added; raise if the sum is not one of so many."""
        if isinstance(n_maps, bool) or not isinstance(n_maps, int) or n_maps < 1:
            raise ValueError(f"its number of maps must be a positive integer, got {n_maps!r}")
        total = float(self.value().sum())
        if abs(total - n_maps) > COUNTED * n_maps:
            raise ValueError(f"its sums must be those of {n_maps} maps, got a total of {total:g}")
        return n_maps

    def value(self) -> Float64Array:
        """Return the sum as float64 (H, W)."""
        if self._high is None or self._low is None:
            raise ValueError("nothing has been summed")
        return np.asarray(self._high + self._low)

    def value_without(self, array: FloatArray) -> Float64Array:
        """Return the sum as float64 (H, W) as it is with a map taken out; it is not changed."""
        high, low = self.parts()
        out = np.empty(high.shape)
        sum_without(high.ravel(), low.ravel(), np.ravel(array), out.ravel())
        return out

    def mass(self) -> Float64Array:
        """Return the sum of non-negative maps as float64 (H, W), zero where nothing is left.

        Less than 1e-24 of the largest value is zero: what taking a map out leaves behind lies
        some digits below that, and would order such pixels at random.
        """
        high, low = self.parts()
        out = np.empty(high.shape)
        sum_of_parts(high.ravel(), low.ravel(), NOTHING * float(high.max()), out.ravel())
        return out
