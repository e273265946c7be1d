"""The interface that all center biases share."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from gazesal.typing import Float64Array

__all__ = ["CenterBiasModel", "ImageGaze", "LeaveOutCenterBias"]


class ImageGaze(NamedTuple):
    """The gaze on one image, as a center bias needs it to leave the image out.

    Attributes
    ----------
    image : hashable
        Name of the image.
    gaze_maps : iterable of array_like, each of shape (H, W)
        Gaze maps of all its observers. An iterable is enough, so maps that a center bias does
        not need are never drawn.
    box : array_like of float, shape (4,), optional
        Box of the image, (x_min, y_min, x_max, y_max) in pixels, the upper bounds exclusive.
    """

    image: Hashable
    gaze_maps: Iterable[ArrayLike]
    box: ArrayLike | None = None


@runtime_checkable
class CenterBiasModel(Protocol):
    """A center bias that is available on the pixels of any image.

    `CenterBias`, `RegisteredCenterBias`, `GaussianCenterBias` and `KdeCenterBias` are such models,
    and so is any other object with this method.
    """

    def on_image(self, shape: tuple[int, int], box: ArrayLike | None = None) -> Float64Array:
        """Return the center bias on the pixels of an image: non-negative, summing to 1.

        A model that is not aligned by boxes ignores `box`. One that is raises ValueError without
        it.
        """
        ...


@runtime_checkable
class LeaveOutCenterBias(CenterBiasModel, Protocol):
    """A center bias from which the gaze on some of its images can be left out."""

    def without_images(self, images: Iterable[ImageGaze]) -> CenterBiasModel:
        """Return the center bias without the gaze on these images, which were used to make it."""
        ...
