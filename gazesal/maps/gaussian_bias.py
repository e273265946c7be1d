"""The center bias as one Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_flag, as_real_array, as_shape, require_finite
from gazesal.maps.heatmap import gaze_heatmap
from gazesal.maps.pooled import ByImage, RaiseOrDrop, Shapes, pool_fixations
from gazesal.typing import Float64Array

__all__ = ["GaussianCenterBias"]

Unit = Literal["sides", "width"]
UNITS = ("sides", "width")
# Fraction of a side; the smallest standard deviation. At 1000 pixels it is a thousandth of a pixel:
# more precise than any eye tracker, and above the rounding of fixations on a line, also in float32.
NARROWEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianCenterBias:
    r"""A single Gaussian as the center bias, for images of any size.

    Attributes
    ----------
    sigma : tuple of float
        Standard deviations along x and y, 1e-6 or more, in fractions of the sides given by `unit`.
    unit : {"sides", "width"}, default "sides"
        ``"sides"``: fractions of the width along x and of the height along y, so the Gaussian is
        stretched with the image. ``"width"``: fractions of the width along both axes, so the form
        in pixels does not depend on the height of the image. With equal values it is then round.
    center : tuple of float, default (0.5, 0.5)
        Center in fractions of the width and of the height, from the outer upper left corner of the
        image. Pixel centers are at integers, so pixel x is the fraction ``(x + 0.5) / W``.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or a standard deviation less than 1e-6.
    TypeError
        If a value is not a number.

    See Also
    --------
    KdeCenterBias : Kernel density estimate, which can have any form.
    CenterBias : Mean of gaze maps.

    Notes
    -----
    .. math:: \mathrm{CB}(x, y) \propto \exp\Bigl(-\frac{(x-c_x)^2}{2\sigma_x^2}
              - \frac{(y-c_y)^2}{2\sigma_y^2}\Bigr)

    at the pixel centers of the image, divided by the sum over the image.

    `clarke_tatler` makes the Gaussian that :footcite:t:`clarke2014` propose for scenes if there
    are no fixations to fit.

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
                f"`sigma` must be {NARROWEST:g} or more, got {self.sigma}, which is a line or a "
                "point. Fit it to fixations that differ along both axes."
            )

    @classmethod
    def clarke_tatler(cls) -> GaussianCenterBias:
        r"""Make the Gaussian proposed for scenes by Clarke and Tatler, without fixations.

        Returns
        -------
        GaussianCenterBias
            At the center of the image. In units in which the width is 2, the variance is 0.22
            along x and :math:`0.45 \cdot 0.22` along y. In fractions of the width,
            :math:`\sigma = (\frac12\sqrt{0.22}, \frac12\sqrt{0.45 \cdot 0.22}) \approx
            (0.235, 0.157)`.

        Notes
        -----
        :footcite:t:`clarke2014` derive it from fixations in ten data sets of scenes. The factor
        0.45 applies to the variance, not to the standard deviation. Chest X-rays are not scenes:
        fit a Gaussian to them.

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
        outside: RaiseOrDrop = "raise",
    ) -> GaussianCenterBias:
        r"""Fit a Gaussian to fixations by maximum likelihood.

        Parameters
        ----------
        fixations : mapping of image to array_like of float, shape (N, 2)
            Fixations of each image, columns x and y in pixels, pixel centers at integers.
        shapes : tuple of int or mapping of image to tuple of int
            (H, W) of all images, or of each.
        unit : {"sides", "width"}, default "sides"
            Unit of sigma; see `GaussianCenterBias`.
        isotropic : bool, default False
            If True, fit one sigma for both axes, equal in `unit`. With ``"width"`` the Gaussian is
            then round in pixels.
        centered : bool, default False
            If True, keep the center at the center of the image.
        weights : mapping of image to array_like of float, shape (N,), optional
            Non-negative weight of each fixation, such as its duration. By default all fixations
            have the same weight, so an image with more fixations has more weight.
        outside : {"raise", "drop"}, default "raise"
            Treatment of fixations outside their image: raise an error, or drop them with a warning
            that states their number.

        Returns
        -------
        GaussianCenterBias
            Gaussian of greatest likelihood, without the cut at the border of the image.

        Raises
        ------
        ValueError
            If a fixation, shape or weight is invalid, no fixation is left, or all fixations lie on
            a point or on a line along an axis, so that a sigma would be less than 1e-6.
        TypeError
            If an argument is not a mapping or does not hold real numbers, or if `isotropic` or
            `centered` is not a bool.

        Warns
        -----
        OffImageWarning
            If fixations were dropped under ``outside="drop"``.

        Notes
        -----
        The center and sigma are the weighted mean and the weighted standard deviation, without a
        correction of the degrees of freedom. The likelihood ignores the cut at the border. If much
        of the Gaussian lies outside, a wider one would fit the fixations inside slightly better.

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
        scale = np.ones_like(pooled.points)  # converts fractions of the sides to `unit`
        if unit == "width":
            scale[:, 1] = pooled.aspects[pooled.owners]
        # The center is the same fraction on all images, so an image has the weight of its scale
        # squared.
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
                f"`fixations` must have a standard deviation of {NARROWEST:g} or more along both "
                f"axes, got {spread.tolist()}, because they lie on a point or on a line along an "
                "axis. Use isotropic=True for a line, or more fixations."
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
            If the Gaussian reaches no pixel center, because it is too narrow or too far outside.
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
