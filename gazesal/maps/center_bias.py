"""Where people look at any image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_iterable, as_map, as_shape
from gazesal.maps.center_bias_model import ImageGaze
from gazesal.maps.constancy import as_weights
from gazesal.maps.resampling import resample
from gazesal.maps.running_sum import RunningSum
from gazesal.typing import Float64Array

__all__ = ["CenterBias"]


class CenterBias:
    r"""The center bias: the mean of gaze maps of one size, from which an image can be left out.

    Each gaze map is divided by its sum first, so every map counts alike, whatever its scale.

    Parameters
    ----------
    gaze_maps : iterable of array_like, each of shape (H, W)
        Gaze maps of many images, of one size, non-negative, each with a positive sum. They are
        taken one at a time, so a generator keeps one in memory.

    Attributes
    ----------
    n_maps : int
        Number of gaze maps in the mean.
    shape : tuple of int
        (H, W) of the maps.

    Raises
    ------
    ValueError
        If there is no map, or one is not 2-D, of another size, negative somewhere, not finite or
        zero everywhere.
    TypeError
        If a map does not hold real numbers.

    See Also
    --------
    sauc, sncc : The metrics that take it.

    Notes
    -----
    .. math:: \mathrm{CB} = \frac1n \sum_{i=1}^n \frac{G_i}{\sum_p G_i(p)}

    Section 3.2 of :footcite:t:`bigolin2021`, for images that share a frame; there, chests are
    registered to a common box first. The study's average includes the image that is scored, which
    favors the bias; `without` takes it out, with all its observers. Sums are kept in
    double-double arithmetic, so the bias without an image is as exact as one made afresh, at the
    cost of one subtraction.

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
        self.n_maps = 0
        self.shape: tuple[int, int] = (0, 0)
        self._add_all(gaze_maps, sign=1.0)
        if self.n_maps == 0:
            raise ValueError("`gaze_maps` must hold at least one gaze map, got none.")

    def __repr__(self) -> str:
        return f"CenterBias(n_maps={self.n_maps}, shape={self.shape})"

    def density(self) -> Float64Array:
        """Return the center bias as a map that sums to 1.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1; zero below 1e-24 of the largest value.
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
            Maps that are in the mean, as they were given: those of every observer of one image,
            to leave the image out.

        Returns
        -------
        CenterBias
            A new one; this one does not change.

        Raises
        ------
        ValueError
            If a map is bad as above, none would remain, or the maps were not all in the mean, as
            far as that can be seen (the rest would be negative).
        """
        other = CenterBias.__new__(CenterBias)
        other._sum, other.n_maps, other.shape = self._sum.copy(), self.n_maps, self.shape
        other._add_all(gaze_maps, sign=-1.0)
        if other.n_maps < 1:
            raise ValueError(
                f"`gaze_maps` must leave at least one map, got {self.n_maps - other.n_maps} to "
                f"leave out of {self.n_maps}."
            )
        lowest = other._sum.value().min()
        if lowest < 0 and lowest < -1e-12 * np.abs(self._sum.value()).max():
            raise ValueError(
                "`gaze_maps` must all be part of this center bias, got a map that is not: without "
                f"it the bias would be {lowest / other.n_maps:g} somewhere."
            )
        return other

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
            A new one; this one does not change.

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
        """Return the center bias of the maps of both, as when parts were made in parallel.

        Parameters
        ----------
        other : CenterBias
            Another one of the same shape.

        Returns
        -------
        CenterBias
            A new one; neither changes.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if not isinstance(other, CenterBias):
            raise TypeError(f"`other` must be a CenterBias, got {type(other).__name__}.")
        if other.shape != self.shape:
            raise ValueError(f"`other` must have shape {self.shape}, got {other.shape}.")
        both = CenterBias.__new__(CenterBias)
        both._sum, both.shape = self._sum.copy(), self.shape
        both._sum.merge(other._sum)
        both.n_maps = self.n_maps + other.n_maps
        return both

    @classmethod
    def _from_parts(cls, n_maps: object, high: Float64Array, low: Float64Array) -> CenterBias:
        """Make one from what was in a file; raise if it does not fit together."""
        bias = cls.__new__(cls)
        bias._sum = RunningSum.from_parts(high, low)
        bias.n_maps = bias._sum.require_count(n_maps)
        bias.shape = (high.shape[0], high.shape[1])
        return bias

    def _add_all(self, gaze_maps: Iterable[ArrayLike], sign: float) -> None:
        maps = as_iterable(gaze_maps, name="gaze_maps", of="gaze maps")
        for index, value in enumerate(maps):
            name = f"gaze_maps[{index}]"
            array, mass = as_weights(as_map(value, name=name), name=name)
            if self.shape == (0, 0):
                self.shape = (array.shape[0], array.shape[1])
            elif array.shape != self.shape:
                raise ValueError(
                    f"`{name}` must have shape {self.shape} like the others, got {array.shape}; "
                    "see `gazesal.resample`."
                )
            self._sum.add_share(array, mass, sign)
            self.n_maps += int(sign)
