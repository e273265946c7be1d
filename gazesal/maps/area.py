"""The valid area of an image: its pixels that count, and their weights."""

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import as_map, require_finite
from gazesal.kernels.selection import copy_runs
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["Area", "as_area", "weights_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """The pixels of an image that count, as runs in reading order.

    Attributes
    ----------
    shape : tuple of int
        (H, W) of the image.
    starts, stops : numpy.ndarray of int
        First pixel of each run, and the pixel after its last.
    offsets : numpy.ndarray of int
        Number of valid pixels before each run.
    size : int
        Number of valid pixels, n.
    weights : numpy.ndarray of float64, shape (n,), or None
        Weight of each valid pixel, with a mean of 1. None if all are equal.
    """

    shape: tuple[int, int]
    starts: IntArray
    stops: IntArray
    offsets: IntArray
    size: int
    weights: Float64Array | None

    def select(self, array: FloatArray) -> FloatArray:
        """Return the valid pixels of a map (H, W) in reading order, shape (1, n)."""
        out = np.empty((1, self.size), array.dtype)
        copy_runs(array.ravel(), self.starts, self.stops, out[0])
        return out

    def mask(self) -> NDArray[np.bool_]:
        """Return the mask (H, W) of the valid pixels."""
        steps = np.zeros(self.shape[0] * self.shape[1] + 1, np.int8)
        steps[self.starts], steps[self.stops] = 1, -1
        return np.asarray(np.cumsum(steps[:-1], dtype=np.int8).reshape(self.shape) == 1)

    def pixel_weights(self) -> Float64Array:
        """Return the weights of all pixels (H, W), 0 outside."""
        values = np.zeros(self.shape)
        values[self.mask()] = 1.0 if self.weights is None else self.weights
        return values

    def fill(self, array: FloatArray) -> Float64Array:
        """Return a map (H, W) times the weights, with 0 outside."""
        values = np.zeros(self.shape)
        chosen = self.select(array)[0].astype(np.float64)
        values[self.mask()] = chosen if self.weights is None else chosen * self.weights
        return values

    def within(self, array: FloatArray) -> FloatArray:
        """Return a map (H, W) with 0 outside."""
        return np.where(self.mask(), array, array.dtype.type(0))

    def cover(self, array: FloatArray) -> FloatArray:
        """Return a map (H, W) with its lowest value inside at all pixels outside."""
        return np.where(self.mask(), array, self.select(array).min())

    def places(self, pixels: IntArray) -> IntArray:
        """Return the place of each pixel among the valid ones, -1 for pixels outside."""
        run = np.searchsorted(self.starts, pixels, side="right") - 1
        inside = (run >= 0) & (pixels < self.stops[run])
        return np.where(inside, self.offsets[run] + pixels - self.starts[run], -1)


@overload
def as_area(value: None, shape: tuple[int, ...], *, name: str = "area") -> None: ...
@overload
def as_area(
    value: ArrayLike | Area | None, shape: tuple[int, ...], *, name: str = "area"
) -> Area | None: ...
def as_area(
    value: ArrayLike | Area | None, shape: tuple[int, ...], *, name: str = "area"
) -> Area | None:
    """Return the valid area of maps of a shape, or None if all pixels count alike.

    Raises
    ------
    ValueError
        If it is not a mask or non-negative weights of this shape, or no pixel is valid.
    TypeError
        If it does not hold numbers or booleans.
    """
    if value is None or isinstance(value, Area):
        _require_shape(value, shape, name)
        return value
    if isinstance(value, np.ndarray) and value.dtype == np.bool_ and value.ndim == 2:
        given: NDArray[Any] = np.ascontiguousarray(value)  # not converted, because it is large
    else:
        given = as_map(value, name=name)
        require_finite(given, name=name)
        if given.min() < 0:
            raise ValueError(
                f"`{name}` must be a mask or non-negative weights, got a smallest value of "
                f"{given.min():g}. Give 0 for pixels that do not count."
            )
    _require_shape(given, shape, name)
    valid = given.ravel() if given.dtype == np.bool_ else given.ravel() > 0
    edges = np.flatnonzero(valid[1:] != valid[:-1]) + 1
    starts = edges if not valid[0] else np.concatenate([[0], edges])
    starts, stops = starts[::2], starts[1::2]
    if not starts.size:
        raise ValueError(
            f"`{name}` must have at least one valid pixel, got none. Give a mask that is true, or "
            "weights that are positive, where pixels count."
        )
    if stops.size < starts.size:
        stops = np.append(stops, valid.size)
    sizes = stops - starts
    size, offsets = int(sizes.sum()), np.cumsum(sizes) - sizes
    found = Area((given.shape[0], given.shape[1]), starts, stops, offsets, size, None)
    weights = None
    if given.dtype != np.bool_:
        chosen = found.select(given)[0].astype(np.float64)
        if chosen.min() != chosen.max():
            chosen /= chosen.max()  # so that the sum neither underflows nor overflows
            weights = chosen / chosen.mean()
    if weights is None and size == valid.size:
        return None
    return Area(found.shape, starts, stops, offsets, size, weights)


def weights_of(area: Any) -> Float64Array | None:
    """Return the weights that `takes_area` hands to a metric, 1-D, or None."""
    return None if area is None else np.asarray(area, np.float64).ravel()


def _require_shape(value: Any, shape: tuple[int, ...], name: str) -> None:
    """Raise unless an area has the shape of the maps."""
    if value is not None and value.shape != tuple(shape):
        raise ValueError(
            f"`{name}` must have the shape of the maps, {tuple(shape)}, got {value.shape}. Resize "
            "a mask by nearest neighbors."
        )
