"""Maps of one image, and the scores to compute from them together."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.typing import FloatArray

__all__ = ["Job"]

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Job:
    """Maps of one image and the scores to compute from them.

    Maps are flat: saliency maps first, then gaze maps, then the center bias. They are identified by
    position, because two names may have the same text.
    """

    maps: list[FloatArray]
    labels: list[str]
    ranges: list[tuple[float, float]]
    constant: list[bool]  # True for each map that is constant, exactly or up to rounding
    n_tested: int
    n_truths: int
    asked: NDArray[np.bool_]
    metrics: tuple[str, ...]
    n_threads: int

    def run(self, function: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Apply a function to all items in `n_threads` threads, and return the results in order."""
        if self.n_threads == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(self.n_threads) as pool:
            return list(pool.map(function, items))

    @property
    def truths(self) -> slice:
        """The positions of the gaze maps."""
        return slice(self.n_tested, self.n_tested + self.n_truths)

    def is_asked(self, k: int) -> bool:
        """Return whether any score depends on the map at a position."""
        if k < self.n_tested:
            return bool(self.asked[k].any())
        if k < self.n_tested + self.n_truths:
            return bool(self.asked[:, k - self.n_tested].any())
        return bool(self.asked.any())

    def warn_constant(self, metrics: Sequence[str], undefined: Sequence[int]) -> None:
        """Warn once that metrics are undefined for the constant maps at these positions, if any."""
        if not metrics or not undefined:
            return
        exact = all(self.ranges[k][0] == self.ranges[k][1] for k in undefined)
        how = "constant" if exact else "constant, exactly or up to rounding"
        listed = ", ".join(f"`{self.labels[k]}`" for k in undefined)
        warn(
            f"{' and '.join(metrics)} cannot be computed for maps that are {how}: {listed}.",
            UndefinedMetricWarning,
        )
