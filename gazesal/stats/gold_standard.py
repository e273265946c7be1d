"""Likelihood of each observer's fixations under a density made of the other observers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    as_count,
    as_iterable,
    as_map,
    as_number,
    as_points,
    as_real_array,
    as_shape,
    require_finite,
    require_pixels,
    weight_sums,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.metrics.points import fixated_pixels
from gazesal.stats.density_mixture import mixture_shares
from gazesal.typing import Float64Array, IntArray

__all__ = ["GoldStandard", "gold_standard"]

NARROWEST = 0.25  # pixels; a narrower kernel can fall between the pixel centers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoldStandard:
    """Densities of the gaze on one image, each made without one observer; see `gold_standard`.

    Attributes
    ----------
    log_likelihoods : tuple of numpy.ndarray of float64
        For each observer, the log-likelihood of each fixation in bits above the uniform density,
        under the density of the other observers.
    information_gains : tuple of numpy.ndarray of float64
        The same in bits above the center bias. Empty if no center bias was given.
    shares : numpy.ndarray of float64, shape (N, 3)
        For each observer, the shares of the kernel density estimate, the center bias and the
        uniform density in the density of the others.
    shares_of_all : numpy.ndarray of float64, shape (3,)
        The shares in the density of all observers.
    points : tuple of numpy.ndarray of float64
        Fixations of each observer.
    center_bias : numpy.ndarray of float64, shape (H, W), or None
        Center bias with the sum 1.
    shape : tuple of int
        Height and width of the image.
    sigma : float
        Standard deviation of the kernel in pixels.
    """

    log_likelihoods: tuple[Float64Array, ...]
    information_gains: tuple[Float64Array, ...]
    shares: Float64Array
    shares_of_all: Float64Array
    points: tuple[Float64Array, ...]
    center_bias: Float64Array | None
    shape: tuple[int, int]
    sigma: float

    @property
    def log_likelihood(self) -> float:
        """Return the mean of ``log_likelihoods`` over all fixations."""
        return _mean(self.log_likelihoods)

    @property
    def information_gain(self) -> float:
        """Return the mean of ``information_gains`` over all fixations, or ``nan`` if empty."""
        return _mean(self.information_gains) if self.information_gains else math.nan

    def density(self, observer: int | None = None) -> Float64Array:
        """Return the density of all observers, or of all except one.

        Parameters
        ----------
        observer : int, optional
            Position of the observer who is left out, from 0. By default nobody is left out. The
            likelihood of the same observers under this density is too high.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            The density, which sums to 1.

        Raises
        ------
        ValueError
            If there is no such observer.
        TypeError
            If `observer` is not an integer.

        Examples
        --------
        >>> import gazesal
        >>> gaze = [[[1, 1], [2, 1]], [[1, 1]], [[3, 1], [1, 0]]]
        >>> gold = gazesal.stats.gold_standard(gaze, (3, 5), 1.0, shares=(0.9, 0, 0.1))
        >>> gold.density(1).shape, round(float(gold.density(1).sum()), 9)
        ((3, 5), 1.0)
        """
        kept, chosen = self.points, self.shares_of_all
        if observer is not None:
            left_out = as_count(observer, name="observer", least=0, most=len(kept) - 1)
            kept = (*kept[:left_out], *kept[left_out + 1 :])
            chosen = self.shares[left_out]
        across, down = _profiles(np.concatenate(kept), self.shape, self.sigma)
        kde = down.T @ across
        own, bias, uniform = chosen
        found = own * kde / kde.sum() + uniform / kde.size
        return np.asarray(found if self.center_bias is None else found + bias * self.center_bias)


def gold_standard(
    fixations: Iterable[ArrayLike],
    shape: tuple[int, int],
    sigma: float,
    *,
    center_bias: ArrayLike | None = None,
    shares: Sequence[float] | None = None,
) -> GoldStandard:
    r"""Predict the fixations of each observer of one image from the fixations of the others.

    The information gain of this density is a lower bound of the gain that is attainable, and the
    usual denominator of the *information gain explained* by a model.

    Parameters
    ----------
    fixations : iterable of N array_like of float, shape (M, 2)
        Points of at least two observers, with columns x and y in pixels and pixel centers at
        integers, all inside the image.
    shape : tuple of int
        Height and width of the image.
    sigma : float
        Standard deviation of the Gaussian kernel in pixels, at least 0.25.
    center_bias : array_like of float, shape (H, W), optional
        Gaze on other images, non-negative with a positive sum. It is a part of the mixture, and the
        baseline of ``GoldStandard.information_gains``.
    shares : sequence of 3 float, optional
        Shares of the kernel density estimate, the center bias and the uniform density, with the sum
        1. By default they are fitted for each observer to the others, each of whom is left out in
        turn. ``(0.95, 0, 0.05)`` is the model of pysaliency with ``eps=0.05``.

    Returns
    -------
    GoldStandard
        Likelihoods of the fixations, with the shares and the densities.

    Raises
    ------
    ValueError
        If there are fewer than two observers, an observer has no fixation or one outside the image,
        or an argument is out of range.
    TypeError
        If an argument is not of real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If a fixation has the probability 0, because `shares` gives nothing to the uniform density.

    See Also
    --------
    attainable : The same bound from gaze maps, with an upper bound and for other metrics.
    ratio_interval : The information gain explained, as a ratio of means over images.

    Notes
    -----
    For observer :math:`o` with fixations at pixels :math:`x_i`, the density of the others is

    .. math:: p(x) = \lambda_1 \frac{g(x)}{\sum_y g(y)} + \lambda_2\, c(x) + \lambda_3 \frac1P
              \quad\text{with}\quad
              g(x) = \sum_j \exp\Bigl(-\frac{\lVert x - x_j \rVert^2}{2 \sigma^2}\Bigr)

    over the fixations :math:`x_j` of the other observers, with the center bias :math:`c` and
    :math:`P` pixels, after the gold standard of :footcite:t:`kummerer2015`. Each fixation has the
    same weight. To choose `sigma`, maximize the likelihood: it is cross-validated. The gaze of a
    tenth of an observer is assumed for each of the three parts when the shares are fitted.

    The cost is proportional to the square of the number of fixations. Densities of the size of the
    image are computed only by `GoldStandard.density`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> gaze = [rng.normal([30, 20], 4, (10, 2)) for observer in range(5)]
    >>> gold = gazesal.stats.gold_standard(gaze, (40, 60), 3.0)
    >>> round(gold.log_likelihood, 2)
    2.95
    """
    size = as_shape(shape, name="shape")
    require_pixels(sigma, name="sigma")
    width = as_number(sigma, name="sigma", low=NARROWEST, high=math.inf)
    given = list(as_iterable(fixations, name="fixations", of="points"))
    if len(given) < 2:
        raise ValueError(
            f"`fixations` must contain at least two observers, got {len(given)}. One observer "
            "cannot be predicted from others."
        )
    names = [f"fixations[{i}]" for i in range(len(given))]
    points = [as_points(each, name=name) for each, name in zip(given, names, strict=True)]
    pixels = [
        fixated_pixels(each, size, name=name, outside="raise")
        for each, name in zip(points, names, strict=True)
    ]
    bias = _as_bias(center_bias, size)
    fixed = _as_shares(shares, bias)
    kernels, masses = _kernels(points, pixels, size, width)
    at_bias = [np.zeros(len(each)) if bias is None else bias.ravel()[each] for each in pixels]
    uniform = 1.0 / math.prod(size)
    found, chosen = [], []
    everybody = list(range(len(points)))
    for owner in everybody:
        rest = [each for each in everybody if each != owner]
        own = fixed
        if own is None:
            own = _fitted(kernels, masses, at_bias, uniform, rest, owner)
        kde = _kde(kernels, masses, rest, owner)
        found.append(own[0] * kde + own[1] * at_bias[owner] + own[2] * uniform)
        chosen.append(own)
    if min(float(each.min()) for each in found) <= 0.0:
        warn(
            "The likelihood is undefined: a fixation has the probability 0. Give the uniform "
            "density a share in `shares`.",
            UndefinedMetricWarning,
        )
        found = [np.where(each > 0, each, np.nan) for each in found]
    for_all = _fitted(kernels, masses, at_bias, uniform, everybody) if fixed is None else fixed
    gains: tuple[Float64Array, ...] = ()
    if bias is not None:
        with np.errstate(divide="ignore"):
            gains = tuple(np.log2(p / c) for p, c in zip(found, at_bias, strict=True))
    return GoldStandard(
        log_likelihoods=tuple(np.log2(each / uniform) for each in found),
        information_gains=gains,
        shares=np.array(chosen),
        shares_of_all=for_all,
        points=tuple(points),
        center_bias=bias,
        shape=size,
        sigma=width,
    )


def _as_bias(center_bias: ArrayLike | None, shape: tuple[int, int]) -> Float64Array | None:
    """Return the center bias as a density on the image, or None."""
    if center_bias is None:
        return None
    array = as_map(center_bias, name="center_bias")
    if array.shape != shape:
        raise ValueError(f"`center_bias` must have the shape {shape}, got {array.shape}.")
    return np.asarray(array / np.float64(weight_sums(array, name="center_bias")[1]))


def _as_shares(shares: Sequence[float] | None, bias: Float64Array | None) -> Float64Array | None:
    """Return three non-negative shares that sum to 1, or None."""
    if shares is None:
        return None
    found = as_real_array(shares, name="shares").astype(np.float64)
    if found.shape != (3,):
        raise ValueError(f"`shares` must be three numbers, got shape {found.shape}.")
    require_finite(found, name="shares")
    if found.min() < 0 or abs(found.sum() - 1) > 1e-9:
        raise ValueError(f"`shares` must be non-negative with the sum 1, got {found.tolist()}.")
    if bias is None and found[1] > 0:
        raise ValueError(
            f"`center_bias` must be given if its share is not 0, got None and {found.tolist()}."
        )
    return found


def _profiles(
    points: Float64Array, shape: tuple[int, int], sigma: float
) -> tuple[Float64Array, Float64Array]:
    """Return the Gaussian of each point over the columns and over the rows of the image."""
    across = np.exp(-((np.arange(shape[1]) - points[:, :1]) ** 2) / (2 * sigma**2))
    down = np.exp(-((np.arange(shape[0]) - points[:, 1:]) ** 2) / (2 * sigma**2))
    return across, down


def _kernels(
    points: list[Float64Array], pixels: list[IntArray], shape: tuple[int, int], sigma: float
) -> tuple[list[list[Float64Array]], Float64Array]:
    """Sum the kernels of each observer at the fixated pixels of each, and over the image."""
    found, masses = [], []
    for each in points:
        across, down = _profiles(each, shape, sigma)
        masses.append(float(across.sum(axis=1) @ down.sum(axis=1)))
        at = [np.divmod(places, shape[1]) for places in pixels]
        found.append([(down[:, row] * across[:, column]).sum(axis=0) for row, column in at])
    return found, np.array(masses)


def _kde(
    kernels: list[list[Float64Array]], masses: Float64Array, sources: list[int], owner: int
) -> Float64Array:
    """Return the density of some observers at the fixations of another one."""
    return np.asarray(sum(kernels[each][owner] for each in sources) / masses[sources].sum())


def _fitted(
    kernels: list[list[Float64Array]],
    masses: Float64Array,
    at_bias: list[Float64Array],
    uniform: float,
    members: list[int],
    target: int | None = None,
) -> Float64Array:
    """Fit the shares to some observers, each predicted by the others.

    A single observer is predicted by the target, whose own likelihood is not used.
    """
    folds = [(each, [other for other in members if other != each]) for each in members]
    if len(members) == 1 and target is not None:
        folds = [(members[0], [target])]
    columns, counts = [], []
    for owner, sources in folds:
        kde = _kde(kernels, masses, sources, owner)
        columns.append(np.stack([kde, at_bias[owner], np.full(kde.size, uniform)]))
        counts.append(np.full(kde.size, 1.0 / kde.size))
    return mixture_shares(np.concatenate(columns, axis=1), np.concatenate(counts))


def _mean(values: tuple[Float64Array, ...]) -> float:
    """Return the mean over all values."""
    return float(np.concatenate(values).mean())
