"""Shapes of regions in pixels, such as boxes and ellipses, and the masks that they cover."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_count, as_float, as_iterable, as_points, as_shape
from gazesal.regions.inputs import Mask
from gazesal.typing import Float64Array, IntArray

__all__ = ["SHAPES", "Box", "Ellipse", "Polygon", "RunLengths", "Shape"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box around a region, with sides along the axes.

    Attributes
    ----------
    x_min, y_min, x_max, y_max : float
        Sides in pixels, pixel centers at whole numbers. A pixel is inside if its center is strictly
        between the sides. Sides measured from the corner of the image, as in COCO files, are
        larger by 0.5. A box may reach over the border of the image.

    Raises
    ------
    ValueError
        If a side is not finite, or a maximum is not more than its minimum.
    TypeError
        If a side is not a number.

    See Also
    --------
    Ellipse, Polygon : Other shapes.

    Examples
    --------
    >>> from gazesal.regions import Box
    >>> Box(0.5, -0.5, 2.5, 1.5).mask((3, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """

    kind: ClassVar[str] = "box"

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        """Check the sides."""
        _set_numbers(self, ("x_min", "y_min", "x_max", "y_max"))
        _require_order(self.x_min, self.x_max, "x")
        _require_order(self.y_min, self.y_max, "y")

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return the pixels inside.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True for each pixel whose center is strictly inside.
        """
        height, width = as_shape(shape, name="shape")
        y, x = np.arange(height)[:, None], np.arange(width)
        inside = (y > self.y_min) & (y < self.y_max) & (x > self.x_min) & (x < self.x_max)
        return np.asarray(inside)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse around a region, with axes along the sides of the image.

    Attributes
    ----------
    x, y : float
        Center in pixels, pixel centers at whole numbers.
    radius_x, radius_y : float
        Half the length of each axis in pixels, more than 0. A pixel is inside if its center is
        strictly inside. An ellipse may reach over the border of the image.

    Raises
    ------
    ValueError
        If a number is not finite, or a radius is not more than 0.
    TypeError
        If an attribute is not a number.

    See Also
    --------
    Box, Polygon : Other shapes.

    Examples
    --------
    >>> from gazesal.regions import Ellipse
    >>> Ellipse(x=2, y=1, radius_x=2.2, radius_y=1.1).mask((3, 5)).astype(int)
    array([[0, 0, 1, 0, 0],
           [1, 1, 1, 1, 1],
           [0, 0, 1, 0, 0]])
    """

    kind: ClassVar[str] = "ellipse"

    x: float
    y: float
    radius_x: float
    radius_y: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        _set_numbers(self, ("x", "y", "radius_x", "radius_y"))
        for name in ("radius_x", "radius_y"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be more than 0, got {getattr(self, name):g}.")

    @classmethod
    def between(cls, x_min: float, y_min: float, x_max: float, y_max: float) -> "Ellipse":
        """Return the ellipse within a box.

        Parameters
        ----------
        x_min, y_min, x_max, y_max : float
            Ends of the axes in pixels, pixel centers at whole numbers.

        Returns
        -------
        Ellipse
            The ellipse that touches the four sides.

        Raises
        ------
        ValueError
            If a side is not finite, or a maximum is not more than its minimum.
        TypeError
            If a side is not a number.
        """
        box = Box(x_min, y_min, x_max, y_max)
        return cls(
            (box.x_min + box.x_max) / 2,
            (box.y_min + box.y_max) / 2,
            (box.x_max - box.x_min) / 2,
            (box.y_max - box.y_min) / 2,
        )

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return the pixels inside.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True for each pixel whose center is strictly inside.
        """
        height, width = as_shape(shape, name="shape")
        along_y = ((np.arange(height)[:, None] - self.y) / self.radius_y) ** 2
        along_x = ((np.arange(width) - self.x) / self.radius_x) ** 2
        return np.asarray(along_y + along_x < 1)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A polygon around a region.

    Attributes
    ----------
    points : tuple of tuple of float
        Corners x, y in pixels in order, pixel centers at whole numbers, at least three. The last
        is connected with the first. An array (N, 2) is accepted. A pixel is inside if a line from
        its center to the border of the image crosses the polygon an odd number of times, and the
        center is not on an edge. A polygon may reach over the border of the image.

    Raises
    ------
    ValueError
        If there are fewer than three corners, or one is not finite.
    TypeError
        If the corners are not numbers.

    See Also
    --------
    Box, Ellipse : Other shapes.

    Examples
    --------
    >>> from gazesal.regions import Polygon
    >>> Polygon([(-1, 0.5), (2, -1), (2, 3.5)]).mask((3, 3)).astype(int)
    array([[0, 1, 0],
           [1, 1, 0],
           [0, 1, 0]])
    """

    kind: ClassVar[str] = "polygon"

    points: tuple[tuple[float, float], ...]

    def __init__(self, points: ArrayLike) -> None:
        array = as_points(points, name="points")
        if len(array) < 3:
            raise ValueError(f"`points` must be at least three corners, got {len(array)}.")
        object.__setattr__(self, "points", tuple(map(tuple, array.tolist())))

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return the pixels inside.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True for each pixel whose center is strictly inside.
        """
        height, width = as_shape(shape, name="shape")
        # Each edge changes the side of all pixels to its right.
        changes = np.zeros((height, width + 1), np.bool_)
        on_edge = np.zeros((height, width), np.bool_)
        for start, end in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            _cross(start, end, changes, on_edge)
        inside = np.logical_xor.accumulate(changes[:, :-1], axis=1)
        return np.asarray(inside & ~on_edge)


@dataclass(frozen=True, slots=True)
class RunLengths:
    """A mask as lengths of runs of pixels, as COCO files store it.

    Attributes
    ----------
    counts : tuple of int
        Numbers of pixels outside, inside, outside and so on, column by column from the top left. A
        list is accepted.
    shape : tuple of int
        (H, W) of the mask, whose pixels the runs cover exactly.

    Raises
    ------
    ValueError
        If a number is negative, or the numbers do not sum to H * W.
    TypeError
        If a number is not an integer.

    See Also
    --------
    Polygon : A shape that does not depend on the size of the image.

    Examples
    --------
    >>> from gazesal.regions import RunLengths
    >>> RunLengths([2, 2, 2], (2, 3)).mask((2, 3)).astype(int)
    array([[0, 1, 0],
           [0, 1, 0]])
    """

    kind: ClassVar[str] = "run_lengths"

    counts: tuple[int, ...]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        """Check the numbers and their sum."""
        object.__setattr__(self, "shape", as_shape(self.shape, name="shape"))
        each = as_iterable(self.counts, name="counts", of="integers")
        counts = tuple(as_count(number, name="counts", least=0) for number in each)
        object.__setattr__(self, "counts", counts)
        if sum(counts) != self.shape[0] * self.shape[1]:
            raise ValueError(
                f"`counts` must sum to the {self.shape[0] * self.shape[1]} pixels of the mask, got "
                f"{sum(counts)}."
            )

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return the mask.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image, which must be the size of the mask.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True inside.

        Raises
        ------
        ValueError
            If the mask has another size.
        """
        wanted = as_shape(shape, name="shape")
        if wanted != self.shape:
            raise ValueError(
                f"`shape` must be the size of the mask, {self.shape[1]} x {self.shape[0]} pixels, "
                f"got {wanted[1]} x {wanted[0]}."
            )
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(wanted, order="F")


Shape: TypeAlias = Box | Ellipse | Polygon | RunLengths
SHAPES: dict[str, type[Shape]] = {each.kind: each for each in (Box, Ellipse, Polygon, RunLengths)}


def _cross(start: Sequence[float], end: Sequence[float], changes: Mask, on_edge: Mask) -> None:
    """Mark where the rows of an image cross an edge, and the pixel centers on the edge.

    The side of a center is the sign of a cross product, which is exact for whole numbers.
    """
    height, width = on_edge.shape
    (x_1, y_1), (x_2, y_2) = (start, end) if start[1] <= end[1] else (end, start)
    first = min(max(math.ceil(y_1), 0), height)
    last = min(max(math.floor(y_2), -1), height - 1)
    y = np.arange(first, last + 1)
    if not len(y):
        return
    if y_1 == y_2:
        left, right = sorted((x_1, x_2))
        leftmost, stop = max(math.ceil(left), 0), min(math.floor(right) + 1, width)
        on_edge[first, leftmost : max(stop, leftmost)] = True
        return
    crossing: Float64Array = x_1 + (y - y_1) * ((x_2 - x_1) / (y_2 - y_1))
    nearest: IntArray = np.clip(np.rint(crossing), -1, width).astype(np.intp)
    side = (nearest - x_1) * (y_2 - y_1) - (y - y_1) * (x_2 - x_1)
    touched = (side == 0) & (nearest >= 0) & (nearest < width)
    on_edge[y[touched], nearest[touched]] = True
    counted = y < y_2  # so that a corner is counted once
    begin = np.clip(nearest + (side < 0), 0, width)
    changes[y[counted], begin[counted]] ^= True


def _set_numbers(shape: object, names: Sequence[str]) -> None:
    """Set the attributes of a frozen shape to finite floats, or raise."""
    for name in names:
        number = as_float(getattr(shape, name), name=name)
        if not math.isfinite(number):
            raise ValueError(f"`{name}` must be a finite number of pixels, got {number}.")
        object.__setattr__(shape, name, number)


def _require_order(low: float, high: float, axis: str) -> None:
    """Raise unless a maximum is more than its minimum."""
    if high <= low:
        raise ValueError(
            f"`{axis}_max` must be more than `{axis}_min`, got {high:g} and {low:g}. Boxes are "
            "(x_min, y_min, x_max, y_max), not widths and heights."
        )
