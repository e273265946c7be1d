"""Boxes, and the frame in which images are registered by their boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_iterable, as_real_array, as_shape, require_finite

__all__ = ["ReferenceFrame"]

LARGEST_SIDE = 1 << 16  # pixels of the canvas along one side; more indicates a wrong box

Box = tuple[float, float, float, float]
Rounding = Literal["none", "study"]


def as_box(value: ArrayLike, *, name: str) -> Box:
    """Return (x_min, y_min, x_max, y_max) with a positive width and height."""
    array = as_real_array(value, name=name).astype(np.float64)
    if array.shape != (4,):
        raise ValueError(f"`{name}` must be (x_min, y_min, x_max, y_max), got shape {array.shape}.")
    require_finite(array, name=name)
    x_min, y_min, x_max, y_max = array.tolist()
    if x_min >= x_max or y_min >= y_max:
        raise ValueError(
            f"`{name}` must have x_min < x_max and y_min < y_max, got {array.tolist()}."
        )
    return x_min, y_min, x_max, y_max


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFrame:
    """The frame of registered images: a common box on a canvas with room for every image.

    Each image is scaled along each axis and shifted so that its box lies on the common box.

    Attributes
    ----------
    box_size : tuple of float
        Width and height of the common box in pixels: the mean box of the images.
    box_corner : tuple of float
        (x, y) of the upper left corner of the common box, in pixels from the upper left corner of
        the canvas.
    shape : tuple of int
        (H, W) of the canvas, large enough for every image.
    rounding : {"none", "study"}
        ``"none"`` registers at sub-pixel precision. ``"study"`` rounds the size and the position of
        every image to whole pixels, as the code of :footcite:t:`bigolin2021` does.

    See Also
    --------
    RegisteredCenterBias : Has the equations.

    Notes
    -----
    The registration is described in section 3.2 of :footcite:t:`bigolin2021`.

    References
    ----------
    .. footbibliography::
    """

    box_size: tuple[float, float]
    box_corner: tuple[float, float]
    shape: tuple[int, int]
    rounding: Rounding = "none"

    def __post_init__(self) -> None:
        for name, value, least in (
            ("box_size", self.box_size, 1.0),
            ("box_corner", self.box_corner, 0.0),
        ):
            numbers = as_real_array(value, name=name)
            if numbers.shape != (2,) or not np.isfinite(numbers).all() or numbers.min() < least:
                raise ValueError(
                    f"`{name}` must be two numbers (x, y) of at least {least:g}, got {value!r}."
                )
        height, width = as_shape(self.shape, name="shape", most=None)
        if max(height, width) > LARGEST_SIDE:
            raise ValueError(
                f"`shape` must be at most {LARGEST_SIDE} pixels on a side, got {self.shape}. Check "
                "the boxes, which differ in size or position by more than images of one kind do."
            )
        as_choice(self.rounding, ("none", "study"), name="rounding")

    @classmethod
    def from_boxes(
        cls,
        boxes: Iterable[ArrayLike],
        shapes: Iterable[tuple[int, int]],
        *,
        rounding: Rounding = "none",
    ) -> ReferenceFrame:
        """Make the frame of a set of images.

        Parameters
        ----------
        boxes : iterable of array_like, each of shape (4,)
            Box of each image, (x_min, y_min, x_max, y_max) in pixels, the upper bounds
            exclusive. If several readers drew one, give the mean of their boxes.
        shapes : iterable of tuple of int
            (H, W) of each image, in the same order.
        rounding : {"none", "study"}, default "none"
            See `ReferenceFrame`.

        Returns
        -------
        ReferenceFrame
            Frame whose common box is the mean of the boxes.

        Raises
        ------
        ValueError
            If there is no image, the numbers of boxes and shapes differ, or a box has no width
            or height.
        """
        as_choice(rounding, ("none", "study"), name="rounding")
        given = as_iterable(boxes, name="boxes", of="boxes")
        corners = np.array([as_box(box, name=f"boxes[{i}]") for i, box in enumerate(given)])
        of_images = as_iterable(shapes, name="shapes", of="shapes (H, W)")
        sizes = np.array(
            [as_shape(shape, name=f"shapes[{i}]")[::-1] for i, shape in enumerate(of_images)],
            dtype=np.float64,
        )
        if len(corners) == 0 or len(corners) != len(sizes):
            raise ValueError(
                "`boxes` and `shapes` must have the same length of at least 1, got "
                f"{len(corners)} and {len(sizes)}."
            )
        mean = corners.mean(axis=0)
        box_size = mean[2:] - mean[:2]
        scale = box_size / (corners[:, 2:] - corners[:, :2])
        before = (corners[:, :2] * scale).max(axis=0).clip(0)
        after = ((sizes - corners[:, 2:]) * scale).max(axis=0).clip(0)
        extent = np.minimum(np.ceil(before + box_size + after), 2.0**62)
        width, height = extent.astype(int).tolist()
        return cls(
            box_size=(float(box_size[0]), float(box_size[1])),
            box_corner=(float(before[0]), float(before[1])),
            shape=(height, width),
            rounding=rounding,
        )

    def scale(self, box: Box) -> tuple[float, float]:
        """Return the number of canvas pixels per image pixel, along x and y.

        Parameters
        ----------
        box : tuple of float
            Box of the image, (x_min, y_min, x_max, y_max).

        Returns
        -------
        tuple of float
            Factors along x and y.
        """
        x_min, y_min, x_max, y_max = as_box(box, name="box")
        return self.box_size[0] / (x_max - x_min), self.box_size[1] / (y_max - y_min)


def whole_place(start: float, size: float) -> tuple[int, int]:
    """Round the first pixel and the size of a scaled image as the code of the study does."""
    if not (math.isfinite(start) and math.isfinite(size)):
        raise ValueError(
            f"`box` must give a finite position and size on the canvas, got {start} and {size}."
        )
    return round(start), round(size)
