"""Position of an image in the input of a model, and resizing of maps back to the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_count, as_map, as_shape, require_finite
from gazesal.maps.resampling import interpolate, require_range
from gazesal.typing import Float64Array

__all__ = ["InputGeometry", "Inverse"]

Inverse: TypeAlias = Literal["exact", "study"]
INVERSES = ("exact", "study")
LARGEST_SIDE = 2**16  # pixels; more are a mistake and overflow the sides


@dataclass(frozen=True, slots=True, kw_only=True)
class InputGeometry:
    """Position of an image in the input of a model.

    Attributes
    ----------
    image_shape : tuple of int
        (H, W) of the image.
    input_shape : tuple of int
        (H, W) of the model's input.
    content : tuple of float
        (top, left, height, width) of the resized image within the input, in pixels of the input
        from its outer edge. Parts lie outside if the input is a crop of the image.

    See Also
    --------
    cases_from_tables : Resizes maps in files by their position in the image.

    Notes
    -----
    Use `stretched`, `letterboxed` and `center_cropped` for the usual preprocessing, and the
    attributes for any other.

    Examples
    --------
    >>> import gazesal
    >>> geometry = gazesal.InputGeometry.letterboxed((1, 4), (4, 4))
    >>> geometry.content
    (1.0, 0.0, 1.0, 4.0)
    >>> geometry.to_image([[0, 0, 0, 0], [2, 3, 4, 5], [2, 3, 4, 5], [0, 0, 0, 0]]).tolist()
    [[2.0, 3.0, 4.0, 5.0]]
    """

    image_shape: tuple[int, int]
    input_shape: tuple[int, int]
    content: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        as_shape(self.image_shape, name="image_shape")
        as_shape(self.input_shape, name="input_shape")
        if len(self.content) != 4 or not all(math.isfinite(value) for value in self.content):
            raise ValueError(
                "`content` must be four finite numbers (top, left, height, width), got "
                f"{self.content!r}."
            )
        if self.content[2] <= 0 or self.content[3] <= 0:
            raise ValueError(
                f"`content` must have a positive height and width, got {self.content!r}."
            )

    @classmethod
    def stretched(cls, image_shape: tuple[int, int], input_shape: tuple[int, int]) -> InputGeometry:
        """Return the geometry of an image that was resized to fill the input.

        Parameters
        ----------
        image_shape : tuple of int
            (H, W) of the image.
        input_shape : tuple of int
            (H, W) of the model's input.

        Returns
        -------
        InputGeometry
            Geometry with the whole input as content.
        """
        height, width = as_shape(input_shape, name="input_shape")
        return cls(
            image_shape=as_shape(image_shape, name="image_shape"),
            input_shape=(height, width),
            content=(0.0, 0.0, float(height), float(width)),
        )

    @classmethod
    def letterboxed(
        cls, image_shape: tuple[int, int], input_shape: tuple[int, int]
    ) -> InputGeometry:
        """Return the geometry of an image that was resized to fit in the input and padded.

        Parameters
        ----------
        image_shape : tuple of int
            (H, W) of the image.
        input_shape : tuple of int
            (H, W) of the model's input.

        Returns
        -------
        InputGeometry
            Geometry with the image in the center. Sides are rounded to whole pixels, and an odd
            pixel of padding is below or to the right.

        Notes
        -----
        This is the letterbox of YOLO and of `gazesal.cxr.preprocess`. For padding only below and to
        the right, give `content` yourself.
        """
        shape = as_shape(image_shape, name="image_shape")
        frame = as_shape(input_shape, name="input_shape")
        return cls(image_shape=shape, input_shape=frame, content=padded_content(shape, frame))

    @classmethod
    def center_cropped(
        cls,
        image_shape: tuple[int, int],
        input_shape: tuple[int, int],
        *,
        shorter_side: int | None = None,
    ) -> InputGeometry:
        """Return the geometry of an image that was resized and cropped to its center.

        Parameters
        ----------
        image_shape : tuple of int
            (H, W) of the image.
        input_shape : tuple of int
            (H, W) of the model's input.
        shorter_side : int, optional
            Shorter side of the resized image before the crop, in pixels, such as 256 for an input
            of 224. By default, the image is only as large as needed to fill the input.

        Returns
        -------
        InputGeometry
            Geometry whose content extends beyond the input. Sizes and the position of the crop are
            rounded as by ``Resize`` and ``CenterCrop`` of torchvision.

        Notes
        -----
        A map of the input has no values for the parts of the image beside the crop. `to_image`
        repeats the values of the map's edge there.
        """
        shape = as_shape(image_shape, name="image_shape")
        frame = as_shape(input_shape, name="input_shape")
        if shorter_side is None:
            scale = max(new / old for new, old in zip(frame, shape, strict=True))
            sides = [max(new, int(n * scale)) for new, n in zip(frame, shape, strict=True)]
        else:
            side = as_count(shorter_side, name="shorter_side", most=LARGEST_SIDE)
            sides = [int(side * n / min(shape)) if n > min(shape) else side for n in shape]
        starts = [
            -round((n - new) / 2) if n >= new else (new - n) // 2
            for n, new in zip(sides, frame, strict=True)
        ]
        content = (float(starts[0]), float(starts[1]), float(sides[0]), float(sides[1]))
        return cls(image_shape=shape, input_shape=frame, content=content)

    @property
    def covered(self) -> float:
        """Share of the image's area that lies within the input, from 0 to 1."""
        inside = [
            max(0.0, min(start + length, n) - max(start, 0.0)) / length
            for start, length, n in zip(
                self.content[:2], self.content[2:], self.input_shape, strict=True
            )
        ]
        return inside[0] * inside[1]

    def places(self, inverse: Inverse = "exact") -> tuple[Float64Array, Float64Array]:
        """Return the positions of the image's pixels in the input.

        Parameters
        ----------
        inverse : {"exact", "study"}, default "exact"
            See `to_image`.

        Returns
        -------
        rows : numpy.ndarray of float64, shape (H,)
            Row in the input of each row of the image, pixel centers at integers.
        columns : numpy.ndarray of float64, shape (W,)
            Column in the input of each column of the image.

        Raises
        ------
        ValueError
            If `inverse` is not a valid choice, or is ``"study"`` and the image was not resized and
            padded to a square as in the study.
        """
        as_choice(inverse, INVERSES, name="inverse")
        if inverse == "exact":
            sides = zip(self.content[:2], self.content[2:], self.image_shape, strict=True)
            rows, columns = (
                np.asarray(start + (np.arange(n) + 0.5) * (length / n) - 0.5, np.float64)
                for start, length, n in sides
            )
            return rows, columns
        side = self.input_shape[0]
        padded = padded_content(self.image_shape, self.input_shape)
        if self.input_shape[1] != side or self.content != padded:
            raise ValueError(
                '`inverse="study"` must be used with an image that was padded to a square as '
                f"`gazesal.cxr.preprocess` does, got an image of {self.image_shape} in an input of "
                f'{self.input_shape} with content={self.content}. Use inverse="exact", which '
                "undoes every geometry."
            )
        square = max(self.image_shape)
        scale = side / square
        rows, columns = (
            np.asarray(((square - n) // 2 + np.arange(n) + 0.5) * scale - 0.5, np.float64)
            for n in self.image_shape
        )
        return rows, columns

    def to_image(self, array: ArrayLike, inverse: Inverse = "exact") -> Float64Array:
        """Resize a map from the input to the image, bilinearly.

        Parameters
        ----------
        array : array_like of float, shape (h, w)
            Map that spans the model's input, at any resolution.
        inverse : {"exact", "study"}, default "exact"
            ``"exact"`` undoes the resizing, padding and cropping of the image. ``"study"`` resizes
            the map to a square with the image's longer side and crops its center, as the code of
            Bigolin Lanfredi et al. (2021) does. It applies only to images that were padded in the
            same way. The padding was rounded in pixels of the input and the crop is rounded in
            pixels of the image, so the map may be off by up to 3/4 of an input pixel.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            The map on the pixels of the image, within the range of `array`. Pixels of the image
            outside the input, as beside a crop, have the value at the nearest edge of the map.

        Raises
        ------
        ValueError
            If the map is not 2-D, is empty, or holds NaN or infinity, or `inverse` is ``"study"``
            and the image was not padded as in the study.
        TypeError
            If the map does not hold real numbers.
        """
        values = as_map(array, name="array")
        require_finite(values, name="array")
        require_range(values, name="array")
        rows, columns = self.places(inverse)
        return interpolate(
            values,
            rescale(rows, self.input_shape[0], values.shape[0]),
            rescale(columns, self.input_shape[1], values.shape[1]),
        )


def padded_content(
    shape: tuple[int, int], input_shape: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return the content of an image that is as large as fits in the input, and is padded.

    Rounding is as in the study: an odd pixel of the padding is below or to the right.
    """
    ratio = min(new / old for new, old in zip(input_shape, shape, strict=True))
    height, width = (max(1, round(n * ratio)) for n in shape)
    top, left = (input_shape[0] - height) // 2, (input_shape[1] - width) // 2
    return float(top), float(left), float(height), float(width)


def rescale(places: Float64Array, old: int, new: int) -> Float64Array:
    """Convert places on an axis of `old` pixels to an axis of `new` pixels of the same extent."""
    return np.asarray((places + 0.5) * (new / old) - 0.5)
