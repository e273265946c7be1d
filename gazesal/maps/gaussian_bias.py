"""The center bias as one Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_flag, as_real_array, as_shape, require_finite
from gazesal.maps.heatmap import gaze_heatmap
from gazesal.maps.pooled import ByImage, Outside, Shapes, pool_fixations
from gazesal.typing import Float64Array

__all__ = ["GaussianCenterBias"]

Unit = Literal["sides", "width"]
UNITS = ("sides", "width")
# A thousandth of a pixel at 1000 pixels: below all eye trackers, above the rounding of fixations
# on one line, also of coordinates in single precision.
NARROWEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianCenterBias:
    r"""A Gaussian as the center bias, for images of any size.

    Attributes
    ----------
    sigma : tuple of float
        Standard deviation along x and along y, 1e-6 or more, in fractions of what `unit` says.
    unit : {"sides", "width"}, default "sides"
        ``"sides"``: along x a fraction of the width of the image and along y of its height, so
        the Gaussian is stretched with the image. ``"width"``: a fraction of the width along both
        axes, so its form in pixels does not depend on the height of the image; equal values make
        it round.
    center : tuple of float, default (0.5, 0.5)
        Its center, in fractions of the width and of the height from the outer upper left corner:
        pixel centers are at integers, so x pixels are the fraction ``(x + 0.5) / W``.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or a standard deviation less than 1e-6.
    TypeError
        If a value is not a number.

    See Also
    --------
    KdeCenterBias : Of any form, from fixations.
    CenterBias : The mean of gaze maps.

    Notes
    -----
    .. math:: \mathrm{CB}(x, y) \propto \exp\Bigl(-\frac{(x-c_x)^2}{2\sigma_x^2}
              - \frac{(y-c_y)^2}{2\sigma_y^2}\Bigr)

    at the pixel centers of the image, beyond which it is cut off, divided by its sum.

    `clarke_tatler` is the one that :footcite:t:`clarke2014` propose for scenes where no fixations
    are at hand to fit.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> bias = gazesal.GaussianCenterBias(sigma=(0.25, 0.25))
    >>> bias.on_image((2, 4)).round(3).tolist()
    [[0.067, 0.183, 0.183, 0.067], [0.067, 0.183, 0.183, 0.067]]
    """

    sigma: tuple[float, float]
    unit: Unit = "sides"
    center: tuple[float, float] = (0.5, 0.5)

    def __post_init__(self) -> None:
        as_choice(self.unit, UNITS, name="unit")
        for name in ("sigma", "center"):
            pair = as_real_array(getattr(self, name), name=name).astype(np.float64)
            if pair.shape != (2,):
                raise ValueError(f"`{name}` must be two numbers (x, y), got shape {pair.shape}.")
            require_finite(pair, name=name)
            object.__setattr__(self, name, (float(pair[0]), float(pair[1])))
        if min(self.sigma) <= 0:
            raise ValueError(f"`sigma` must be positive, got {self.sigma}.")
        if min(self.sigma) < NARROWEST:
            raise ValueError(
                f"`sigma` must be {NARROWEST:g} or more, got {self.sigma}: a Gaussian so narrow is "
                "a line or a point. Fit it to fixations that differ along both axes."
            )

    @classmethod
    def clarke_tatler(cls) -> GaussianCenterBias:
        r"""Make the Gaussian proposed for scenes, which needs no fixations.

        Returns
        -------
        GaussianCenterBias
            At the center of the image, with the variance 0.22 along x and 0.45 times that along
            y where the width of the image reaches from -1 to 1: in fractions of the width,
            :math:`\sigma = (\frac12\sqrt{0.22}, \frac12\sqrt{0.45 \cdot 0.22}) \approx
            (0.235, 0.157)`.

        Notes
        -----
        The proposal of :footcite:t:`clarke2014`, from fixations in ten data sets of scenes. The
        factor 0.45 is on the variance, not on the standard deviation. Chest
        X-rays are not scenes: fit those.

        References
        ----------
        .. footbibliography::
        """
        return cls(sigma=(0.5 * math.sqrt(0.22), 0.5 * math.sqrt(0.45 * 0.22)), unit="width")

    @classmethod
    def fit(
        cls,
        fixations: ByImage,
        shapes: Shapes,
        *,
        unit: Unit = "sides",
        isotropic: bool = False,
        centered: bool = False,
        weights: ByImage | None = None,
        outside: Outside = "raise",
    ) -> GaussianCenterBias:
        r"""Fit to fixations by maximum likelihood.

        Parameters
        ----------
        fixations : mapping of image to array_like of float, shape (N, 2)
            Fixations of each image, columns x and y in pixels, pixel centers at integers.
        shapes : tuple of int or mapping of image to tuple of int
            (H, W) of all images, or of each.
        unit : {"sides", "width"}, default "sides"
            What sigma is a fraction of; see `GaussianCenterBias`.
        isotropic : bool, default False
            Whether to fit one sigma for both axes, equal in `unit`: round in pixels with
            ``"width"``.
        centered : bool, default False
            Whether to keep the center at the center of the image.
        weights : mapping of image to array_like of float, shape (N,), optional
            Non-negative weight of each fixation, such as its duration. By default every fixation
            counts alike, so an image with more of them counts for more.
        outside : {"raise", "drop"}, default "raise"
            What to do with fixations outside their image: refuse them, or leave them out and say
            how many.

        Returns
        -------
        GaussianCenterBias
            The one of greatest likelihood before it is cut off at the border of the image.

        Raises
        ------
        ValueError
            If a fixation, shape or weight is invalid, nothing is left, or all fixations lie on one
            line along an axis or on a point, so that a sigma would be less than 1e-6.
        TypeError
            If an argument is not a mapping, does not hold real numbers or, of the switches, is
            not a bool.

        Warns
        -----
        OffImageWarning
            If fixations were dropped under ``outside="drop"``.

        Notes
        -----
        The weighted mean and the weighted standard deviation, without a correction of its degrees
        of freedom. The cut at the border is not part of the likelihood: where much of the Gaussian
        lies outside, a wider one would fit what is inside slightly better.

        Examples
        --------
        >>> import gazesal
        >>> fixations = {"a": [[1.5, 0.5], [5.5, 2.5]], "b": [[3.5, 1.0]]}
        >>> bias = gazesal.GaussianCenterBias.fit(fixations, {"a": (4, 8), "b": (3, 8)})
        >>> bias.center, [round(sigma, 3) for sigma in bias.sigma]
        ((0.5, 0.5), [0.204, 0.204])
        """
        as_choice(unit, UNITS, name="unit")
        isotropic = as_flag(isotropic, name="isotropic")
        centered = as_flag(centered, name="centered")
        pooled = pool_fixations(fixations, shapes, weights, outside)
        scale = np.ones_like(pooled.points)  # of the fractions of the sides, to those of `unit`
        if unit == "width":
            scale[:, 1] = pooled.aspects[pooled.owners]
        # one fraction is the center on all images, so an image counts by its scale squared
        loads = pooled.weights[:, None] * scale**2
        center = np.full(2, 0.5)
        if not centered:
            center = (loads * pooled.points).sum(axis=0) / loads.sum(axis=0)
        variance = (loads * (pooled.points - center) ** 2).sum(axis=0) / pooled.weights.sum()
        if isotropic:
            variance[:] = variance.mean()
        spread = np.sqrt(variance)
        if not spread.min() >= NARROWEST:
            raise ValueError(
                "`fixations` must differ along both axes, so that a standard deviation of "
                f"{NARROWEST:g} or more can be fitted, got {spread.tolist()}: they lie on a line "
                "along an axis or on a point. Use isotropic=True for a line, or more fixations."
            )
        return cls(
            sigma=(float(spread[0]), float(spread[1])),
            unit=unit,
            center=(float(center[0]), float(center[1])),
        )

    def on_image(
        self,
        shape: tuple[int, int],
        box: ArrayLike | None = None,  # noqa: ARG002 (all center biases have it)
    ) -> Float64Array:
        """Return the center bias on the pixels of an image.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image.
        box : array_like of float, shape (4,), optional
            Ignored. All center biases have this argument, see `RegisteredCenterBias`.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1.

        Raises
        ------
        ValueError
            If the Gaussian is so narrow, or so far outside, that it misses every pixel center.
        """
        height, width = as_shape(shape, name="shape")
        sides = np.array([width, height], dtype=np.float64)
        unit = sides if self.unit == "sides" else np.array([width, width], dtype=np.float64)
        return gaze_heatmap(
            [np.array(self.center) * sides - 0.5],
            (height, width),
            sigma=np.array(self.sigma) * unit,
            outside="keep",
        )
