"""The center bias: the mean of gaze maps over many images of one size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_iterable, as_map, as_shape
from gazesal.maps.center_bias_model import ImageGaze
from gazesal.maps.constancy import as_weights
from gazesal.maps.resampling import resample
from gazesal.maps.running_sum import NEGATIVE, RunningSum
from gazesal.typing import Float64Array

__all__ = ["CenterBias"]


class CenterBias:
    r"""The mean of gaze maps of one size, from which images can be left out.

    Each gaze map is divided by its sum first, so every map has the same weight, whatever its
    scale.

    Parameters
    ----------
    gaze_maps : iterable of array_like, each of shape (H, W)
        Gaze maps of many images, of one size, non-negative, each with a positive sum. They are
        read one at a time, so a generator needs memory for one map.

    Attributes
    ----------
    n_maps : int
        Number of gaze maps in the mean.
    shape : tuple of int
        (H, W) of the maps.

    Raises
    ------
    ValueError
        If there is no map, or a map is not 2-D, has another size, has a negative or non-finite
        value, or is zero everywhere.
    TypeError
        If a map does not hold real numbers.

    See Also
    --------
    RegisteredCenterBias : Aligns the images by a box first.
    sauc, sncc : Metrics that compare with a center bias.

    Notes
    -----
    .. math:: \mathrm{CB} = \frac1n \sum_{i=1}^n \frac{G_i}{\sum_p G_i(p)}

    This is the average of section 3.2 of :footcite:t:`bigolin2021`, without the registration of
    chests to a common box. The average of that study includes the image that is scored, which
    favors the bias. `without` leaves an image out, with all its observers. Sums are kept in
    double-double arithmetic, so leaving an image out costs one subtraction and is as exact as
    averaging the other images.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> of_first, of_second = [[2.0, 0.0]], [[0.0, 5.0]]
    >>> bias = gazesal.CenterBias([of_first, of_second, of_second])
    >>> bias
    CenterBias(n_maps=3, shape=(1, 2))
    >>> bias.without([of_first]).density().tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, gaze_maps: Iterable[ArrayLike]) -> None:
        self._sum = RunningSum()
        self.n_maps, self.shape = _add_maps(self._sum, gaze_maps, (0, 0))
        if self.n_maps == 0:
            raise ValueError("`gaze_maps` must contain at least one gaze map, got none.")

    def __repr__(self) -> str:
        return f"CenterBias(n_maps={self.n_maps}, shape={self.shape})"

    def density(self) -> Float64Array:
        """Return the center bias as a map that sums to 1.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1. Values below 1e-24 of the largest are set to 0.
        """
        values = self._sum.mass()
        return np.asarray(values / values.sum())

    def on_image(
        self,
        shape: tuple[int, int],
        box: ArrayLike | None = None,  # noqa: ARG002 (all center biases have it)
    ) -> Float64Array:
        """Return the center bias on the pixels of an image.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image. The bias is resized if the shape of its maps differs; see
            `resample`.
        box : array_like of float, shape (4,), optional
            Ignored. All center biases have this argument, see `RegisteredCenterBias`.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1.

        Raises
        ------
        ValueError
            If `shape` is invalid, or so small that no pixel of the resized bias is positive.
        """
        density = self.density()
        if density.shape != as_shape(shape, name="shape"):
            density = resample(density, shape)
        total = density.sum()
        if not total > 0:
            raise ValueError(
                "`shape` must be large enough to sample a positive value of the center bias, got "
                f"{shape!r} for maps of shape {self.shape}. Use gaze maps with a larger `sigma`."
            )
        return np.asarray(density / total)

    def without(self, gaze_maps: Iterable[ArrayLike]) -> CenterBias:
        """Return the center bias with these maps left out.

        Parameters
        ----------
        gaze_maps : iterable of array_like, each of shape (H, W)
            Maps that are in the mean, as they were given. To leave an image out, give the maps of
            all its observers.

        Returns
        -------
        CenterBias
            A new object. This one does not change.

        Raises
        ------
        ValueError
            If a map is invalid, no map would remain, or a map is certainly not in the mean, because
            the rest would be negative.
        """
        total = self._sum.copy()
        n_out, _ = _add_maps(total, gaze_maps, self.shape, sign=-1.0)
        n_maps = self.n_maps - n_out
        if n_maps < 1:
            raise ValueError(
                f"`gaze_maps` must leave at least one map in the center bias, got {n_out} to leave "
                f"out of {self.n_maps}."
            )
        lowest = total.value().min()
        if lowest < 0 and lowest < -NEGATIVE * np.abs(self._sum.value()).max():
            raise ValueError(
                "`gaze_maps` must all be part of this center bias, got a map that is not: without "
                f"it the smallest value would be {lowest / n_maps:g}. Give the maps that the bias "
                "was made from."
            )
        return self._of(total, n_maps, self.shape)

    def without_images(self, images: Iterable[ImageGaze]) -> CenterBias:
        """Return the center bias without the gaze on some images.

        Parameters
        ----------
        images : iterable of ImageGaze
            Images with their gaze maps, which are resized to the shape of the bias if they
            differ and must be in the mean.

        Returns
        -------
        CenterBias
            A new object. This one does not change.

        Raises
        ------
        ValueError
            As for `without`.
        """
        maps = (as_map(each, name="gaze map") for image in images for each in image.gaze_maps)
        return self.without(
            each if each.shape == self.shape else resample(each, self.shape) for each in maps
        )

    def merged(self, other: CenterBias) -> CenterBias:
        """Return the center bias of the maps of two objects, such as parts made in parallel.

        Parameters
        ----------
        other : CenterBias
            Center bias of the same shape.

        Returns
        -------
        CenterBias
            A new object. Neither of the two changes.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if not isinstance(other, CenterBias):
            raise TypeError(f"`other` must be a CenterBias, got {type(other).__name__}.")
        if other.shape != self.shape:
            raise ValueError(f"`other` must have shape {self.shape}, got {other.shape}.")
        total = self._sum.copy()
        total.merge(other._sum)
        return self._of(total, self.n_maps + other.n_maps, self.shape)

    @classmethod
    def _from_parts(cls, n_maps: object, high: Float64Array, low: Float64Array) -> CenterBias:
        """Make a center bias from the contents of a file, and raise if they are inconsistent."""
        total = RunningSum.from_parts(high, low)
        return cls._of(total, total.require_count(n_maps), (high.shape[0], high.shape[1]))

    @classmethod
    def _of(cls, total: RunningSum, n_maps: int, shape: tuple[int, int]) -> CenterBias:
        """Make a center bias from a sum of normalized maps."""
        bias: CenterBias = cls.__new__(cls)
        bias._sum = total
        bias.n_maps, bias.shape = n_maps, shape
        return bias


def _add_maps(
    total: RunningSum, gaze_maps: Iterable[ArrayLike], shape: tuple[int, int], sign: float = 1.0
) -> tuple[int, tuple[int, int]]:
    """Add normalized maps to a sum, or subtract them, and return their number and their shape.

    A `shape` of (0, 0) accepts the shape of the first map.
    """
    n_maps = 0
    for index, value in enumerate(as_iterable(gaze_maps, name="gaze_maps", of="gaze maps")):
        name = f"gaze_maps[{index}]"
        array, mass = as_weights(as_map(value, name=name), name=name)
        if shape == (0, 0):
            shape = (array.shape[0], array.shape[1])
        elif array.shape != shape:
            raise ValueError(
                f"`{name}` must have shape {shape} like the other maps, got {array.shape}. "
                "Resize it with `gazesal.resample`."
            )
        total.add_share(array, mass, sign)
        n_maps += 1
    return n_maps, shape
