"""Densities of gaze fitted to saliency maps by likelihood."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_choice,
    as_count,
    as_map,
    as_number,
    as_real_array,
    require_finite,
    shown,
)
from gazesal.fitting.bases import FORMS, Basis, Form
from gazesal.fitting.cross_validation import (
    SCALES,
    CrossValidated,
    Scale,
    Settings,
    cross_validate,
    transformed,
    values_of,
)
from gazesal.fitting.inputs import (
    BiasSource,
    ByImage,
    PooledBias,
    Scene,
    as_bias,
    as_bias_source,
    log_of,
    scenes_of,
)
from gazesal.metrics.points import OutsidePoints
from gazesal.typing import Float64Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BLURS", "FittedDensity", "as_blurs", "as_settings", "best_blurs", "fit_density"]

MOST_KNOTS = 1000  # a fit inverts matrices with about this number of rows
BLURS = (0.0, 0.01, 0.02, 0.04, 0.08)  # widths of the image


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FittedDensity:
    """A function from saliency to the density of gaze, made by `fit_density`.

    Attributes
    ----------
    coefficients : numpy.ndarray of float64, shape (K,)
        Coefficients of the basis functions of `basis`, fitted to all images.
    basis : Basis
        Form and knots of the function, with the method ``design(values)``.
    blur : float
        Standard deviation of the blur in widths of the image, with the highest held-out
        likelihood.
    scale : str
        Change of scale of each blurred map.
    held_out : pandas.DataFrame
        A row for each image, scored under the fit without its fold: columns image, n_fixations,
        log_likelihood (above the uniform density) and information_gain (above the center bias),
        both in bits per fixation.
    blurs : pandas.DataFrame
        Columns blur and log_likelihood, the held-out bits per fixation over all fixations.
    by_image : mapping of image to (float, Basis, numpy.ndarray, int)
        Blur, basis and coefficients of the fit without the fold of each image, and the index of
        its group.
    center_bias : PooledBias or None
        The center bias of the fixations, or uniform, with the method ``on_image(shape)``. None if
        the fit was made with given center biases.
    """

    coefficients: Float64Array
    basis: Basis
    blur: float
    scale: Scale
    held_out: pd.DataFrame
    blurs: pd.DataFrame
    by_image: Mapping[Hashable, tuple[float, Basis, Float64Array, int]]
    center_bias: PooledBias | None

    @property
    def log_likelihood(self) -> float:
        """Mean held-out log-likelihood over the images, in bits per fixation above uniform."""
        return float(self.held_out["log_likelihood"].mean())

    @property
    def information_gain(self) -> float:
        """Mean held-out gain over the center bias over the images, in bits per fixation."""
        return float(self.held_out["information_gain"].mean())

    def density(
        self,
        saliency_map: ArrayLike,
        center_bias: ArrayLike | None = None,
        *,
        held_out: Hashable | None = None,
    ) -> Float64Array:
        """Return the density of gaze on an image.

        Parameters
        ----------
        saliency_map : array_like of float, shape (H, W)
            Map of the method that was fitted.
        center_bias : array_like of float, shape (H, W), optional
            Center bias of the image, a density. By default the one of all fitted images. Required
            if the fit was made with given center biases.
        held_out : hashable, optional
            Name of a fitted image. The density then comes from the fit without its fold, and its
            center bias has no fixation of it. It can be scored on the image's own gaze.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1.

        Raises
        ------
        ValueError
            If the map or the center bias is invalid, `center_bias` is missing, or `held_out` is
            not a fitted image.
        """
        array = as_map(saliency_map, name="saliency_map")
        require_finite(array, name="saliency_map")
        shape = (array.shape[0], array.shape[1])
        blur, basis, beta, unit = self.blur, self.basis, self.coefficients, None
        if held_out is not None:
            if not isinstance(held_out, Hashable) or held_out not in self.by_image:
                raise ValueError(
                    f"`held_out` must be one of the {len(self.by_image)} fitted images, got "
                    f"{shown(held_out)}."
                )
            blur, basis, beta, unit = self.by_image[held_out]
        if center_bias is not None:
            bias = as_bias(center_bias, shape, name="center_bias")
        elif self.center_bias is not None:
            bias = self.center_bias.on_image(shape, unit)
        else:
            raise ValueError(
                "`center_bias` must be the center bias of the image, because the fit was made with "
                "given center biases, got None."
            )
        values = transformed(array, blur, self.scale, shape)
        logs = log_of(bias) + basis.design(values) @ beta
        weights = np.exp(logs - logs.max())
        return np.asarray((weights / weights.sum()).reshape(shape))

    def __repr__(self) -> str:
        return (
            f"FittedDensity({self.basis.form}, blur={self.blur:g}, {len(self.held_out)} images, "
            f"held out: {self.log_likelihood:.3f} bits per fixation above uniform, "
            f"{self.information_gain:.3f} above the center bias)"
        )


def fit_density(
    maps: ByImage,
    fixations: ByImage,
    *,
    center_bias: BiasSource = "images",
    form: Form = "monotone",
    blurs: Sequence[float] = BLURS,
    scale: Scale = "none",
    n_knots: int = 8,
    penalty: float = 0.1,
    groups: Mapping[Any, Any] | None = None,
    n_folds: int = 10,
    max_pixels: int = 10_000,
    outside: OutsidePoints = "raise",
) -> FittedDensity:
    r"""Fit a function that turns the maps of a method into densities of gaze, by likelihood.

    The values of a saliency map are not probabilities, and information gain and log-likelihood
    depend on the way in which they become probabilities. The fit finds the best way for each
    method, so that the scores of methods can be compared.

    Parameters
    ----------
    maps : mapping of image to array_like of float, shape (H, W), or path
        Map of one method on each image.
    fixations : mapping of image to array_like of float, shape (N, 2)
        Fixations on the same images, at least two. Columns x and y in pixels of the maps, pixel
        centers at integers. Each fixation counts once.
    center_bias : "images", mapping of image to array_like, center bias or None, default "images"
        Factor of every density. ``"images"`` is a cross-validated kernel density of the fixations
        on the other images, see `KdeCenterBias`. Also a density for each image, an object with a
        method ``on_image(shape)`` that was made from other images, or None for the uniform density.
    form : {"monotone", "spline", "linear"}, default "monotone"
        Function of the value of the map: a cubic spline that does not decrease, any cubic spline,
        or a straight line.
    blurs : sequence of float
        Standard deviations of a Gaussian blur to choose from, in widths of the image. By default 0,
        0.01, 0.02, 0.04 and 0.08.
    scale : {"none", "range", "rank"}, default "none"
        Change of scale of each blurred map: none, to the range from 0 to 1, or to the share of
        pixels with lower values. Use one if the scale of the maps differs between images without a
        meaning.
    n_knots : int, default 8
        Number of knots of the splines. They are quantiles of the values at pixels and at fixations.
    penalty : float, default 0.1
        Half of it times the sum of the squared coefficients is subtracted from the log-likelihood
        of all fixations. It keeps the coefficients finite if values of the map have no fixation.
    groups : mapping of image to group, optional
        Images of a group, such as a patient, are in the same fold and leave the center bias
        together. By default every image is a group of its own.
    n_folds : int, default 10
        Number of folds of the cross-validation. Fewer if there are fewer groups, so that each
        group is left out alone.
    max_pixels : int, default 10000
        Densities of larger images are summed over a regular grid of about this number of pixels
        during the fit. Held-out scores always use all pixels.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside their image, or drop them with a warning.

    Returns
    -------
    FittedDensity
        The function with its held-out scores.

    Raises
    ------
    ValueError
        If an argument is invalid, an image is missing, or the likelihood has no maximum.
    TypeError
        If an argument is not a mapping, or does not hold real numbers.

    Warns
    -----
    OffImageWarning
        If fixations were dropped.

    See Also
    --------
    added_information : Bits that a map adds to other maps.
    to_density : Conversions that are not fitted.
    information_gain, log_likelihood : The scores of densities.

    Notes
    -----
    .. math:: \log p_i(x) = \log b_i(x) + f\bigl(z_i(x)\bigr) - \log Z_i, \qquad
              f = \sum_k \beta_k B_k

    with the center bias :math:`b_i` of image :math:`i`, the blurred and scaled map :math:`z_i`,
    basis functions :math:`B_k`, and :math:`Z_i` such that the density sums to 1 over the pixels.
    This is the point process model of :footcite:t:`barthelme2013`. The coefficients maximize the
    likelihood of all fixations. A Poisson regression of the number of fixations per pixel, with a
    constant for each image, has the same coefficients. Beyond the first and
    last knot :math:`f` is constant. :footcite:t:`kummerer2015` fitted a monotone function and a
    blur in the same way.

    Each image is scored under a fit to the images of other folds. Its blur is the best for the
    images of the other folds. With ``center_bias="images"``, the center biases of the other images
    contain its fixations, which hardly changes the coefficients.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> maps = {image: rng.random((20, 30)) for image in range(6)}
    >>> fixations = {}
    >>> for image, values in maps.items():
    ...     density = np.exp(4 * values)  # people look more where the map is high
    ...     pixels = rng.choice(600, 40, p=(density / density.sum()).ravel())
    ...     fixations[image] = np.column_stack([pixels % 30, pixels // 30])
    >>> fitted = gazesal.fit_density(maps, fixations, center_bias=None, form="linear", blurs=[0])
    >>> fitted.coefficients.round(1).tolist()
    [4.2]
    >>> fitted.density(maps[0], held_out=0).shape
    (20, 30)
    """
    settings = as_settings(form, scale, n_knots, penalty, max_pixels)
    grid = as_blurs(blurs)
    folds = as_count(n_folds, name="n_folds", least=2)
    source = as_bias_source(center_bias)
    scenes, pooled = scenes_of(
        maps,
        fixations,
        source,
        groups,
        n_folds=folds,
        outside=outside,
    )
    fits = [
        cross_validate(scenes, [values_of(maps, blur, scale, name="maps")], settings)
        for blur in grid
    ]
    return _result(scenes, fits, grid, scale, pooled)


def as_settings(
    form: Form, scale: Scale, n_knots: int, penalty: float, max_pixels: int
) -> Settings:
    """Return the options of the fits, checked."""
    as_choice(form, FORMS, name="form")
    as_choice(scale, SCALES, name="scale")
    return Settings(
        form,
        scale,
        as_count(n_knots, name="n_knots", least=2, most=MOST_KNOTS),
        as_number(penalty, name="penalty", low=0.0, high=1e6),
        as_count(max_pixels, name="max_pixels"),
    )


def as_blurs(value: Sequence[float]) -> list[float]:
    """Return the blurs to choose from, ascending."""
    array = as_real_array(value, name="blurs").astype(np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"`blurs` must be a non-empty 1-D sequence, got shape {array.shape}.")
    require_finite(array, name="blurs")
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"`blurs` must lie in [0, 1], in widths of the image, got {array.tolist()}."
        )
    found: list[float] = np.unique(array).tolist()
    return found


def best_blurs(
    scenes: Sequence[Scene], fits: Sequence[CrossValidated]
) -> tuple[Float64Array, int, list[int]]:
    """Return the held-out bits of each blur, the best blur, and the best without each fold."""
    n = np.array([len(scene.pixels) for scene in scenes])
    folds = np.array([scene.fold for scene in scenes])
    sums = np.array([fit.held_out * n for fit in fits])
    of_fold = [
        int(np.argmax(sums[:, folds != fold].sum(axis=1))) for fold in range(folds.max() + 1)
    ]
    totals = sums.sum(axis=1) / n.sum()
    return totals, int(np.argmax(totals)), of_fold


def bias_bits(scene: Scene) -> float:
    """Return the bits per fixation of the center bias above the uniform density."""
    mean = float(scene.log_bias[scene.pixels].mean())
    total = float(np.log(np.exp(scene.log_bias).sum()))
    return float((mean - total + np.log(scene.log_bias.size)) / np.log(2.0))


def _result(
    scenes: Sequence[Scene],
    fits: Sequence[CrossValidated],
    grid: Sequence[float],
    scale: Scale,
    pooled: PooledBias | None,
) -> FittedDensity:
    import pandas as pd  # noqa: PLC0415  (not needed to import the library)

    totals, best, of_fold = best_blurs(scenes, fits)
    bits = np.array([fits[of_fold[s.fold]].held_out[i] for i, s in enumerate(scenes)])
    by_image = {}
    for scene in scenes:
        chosen = of_fold[scene.fold]
        fit = fits[chosen]
        by_image[scene.image] = grid[chosen], fit.bases[0], fit.by_fold[scene.fold], scene.unit
    held_out = pd.DataFrame(
        {
            "image": [scene.image for scene in scenes],
            "n_fixations": [len(scene.pixels) for scene in scenes],
            "log_likelihood": bits,
            "information_gain": bits - np.array([bias_bits(scene) for scene in scenes]),
        }
    )
    return FittedDensity(
        coefficients=fits[best].coefficients,
        basis=fits[best].bases[0],
        blur=grid[best],
        scale=scale,
        held_out=held_out,
        blurs=pd.DataFrame({"blur": grid, "log_likelihood": totals}),
        by_image=by_image,
        center_bias=pooled,
    )
