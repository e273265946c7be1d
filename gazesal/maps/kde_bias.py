"""The center bias as a kernel density estimate, its bandwidth chosen by cross-validation."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_real_array, as_shape, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import GridEdgeWarning
from gazesal.kernels.densities import left_out_kernel_sums
from gazesal.maps.bumps import density_of_bumps, warn_of_missed
from gazesal.maps.center_bias_model import ImageGaze
from gazesal.maps.pooled import ByImage, Outside, PooledFixations, Shapes, pool_fixations
from gazesal.typing import Float64Array

__all__ = ["KdeCenterBias"]

# a root of two apart, which the kernel is quick at
BANDWIDTHS = tuple(0.01 * 2 ** (step / 2) for step in range(11))
MIXINGS = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


class KdeCenterBias:
    r"""A kernel density estimate over fixations, mixed with a uniform density, as center bias.

    Parameters
    ----------
    fixations : mapping of image to array_like of float, shape (N, 2)
        Fixations of each image, columns x and y in pixels, pixel centers at integers.
    shapes : tuple of int or mapping of image to tuple of int
        (H, W) of all images, or of each.
    bandwidth : float
        Standard deviation of the kernel as a fraction of the width of the image, in [1e-6, 1000].
        `fit` chooses it.
    mixing : float
        Share of the uniform density, in [0, 1].
    weights : mapping of image to array_like of float, shape (N,), optional
        Non-negative weight of each fixation, such as its duration. By default every fixation
        counts alike, so an image with more of them counts for more.
    outside : {"raise", "drop"}, default "raise"
        What to do with fixations outside their image: refuse them, or leave them out and say how
        many.

    Attributes
    ----------
    bandwidth, mixing : float
        As given or chosen.
    aspect : float
        Height over width of the image on which the kernel is round: the geometric mean over the
        images.
    n_images, n_fixations : int
        How many it is made of.
    bandwidths, mixings : tuple of float
        The grid that `fit` chose from, ascending; empty without it.
    scores : numpy.ndarray of float64, shape (number of bandwidths, number of mixings)
        The cross-validated log-likelihood at each point of the grid, in bits per fixation above
        the uniform density; see `fit`.

    Raises
    ------
    ValueError
        If a fixation, shape, weight, bandwidth or mixing is bad, or nothing is left.
    TypeError
        If an argument is not a mapping or does not hold real numbers.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.

    See Also
    --------
    GaussianCenterBias : One Gaussian, with few parameters.
    CenterBias : The mean of gaze maps.

    Notes
    -----
    Fixations of images of different sizes meet in fractions of the sides,
    :math:`u = (x + \frac12)/W` and :math:`v = (y + \frac12)/H`. With :math:`a` the mean aspect and
    :math:`h` the bandwidth,

    .. math:: p(u, v) = (1 - \varepsilon)\, \frac{k(u, v)}{\int k} + \varepsilon ,\qquad
              k(u, v) = \sum_i w_i \exp\Bigl(-\frac{(u-u_i)^2 + a^2 (v-v_i)^2}{2h^2}\Bigr)

    over the image, the unit square. So on images of one shape the kernel is round and has the
    standard deviation :math:`hW` in pixels; on an image of another shape it is stretched as the
    image is. What the kernels put outside the image is cut off and the sum is divided by what is
    left, once for all kernels: a kernel at the border weighs less than one in the middle.

    A density costs a multiplication for each fixation and pixel within some ten bandwidths of it,
    and memory for a thousand fixations at a time.

    Examples
    --------
    >>> import gazesal
    >>> fixations = {"a": [[2, 1], [3, 1]], "b": [[12.0, 4.5]]}
    >>> shapes = {"a": (3, 6), "b": (10, 20)}
    >>> bias = gazesal.KdeCenterBias(fixations, shapes, bandwidth=0.1, mixing=0.1)
    >>> bias
    KdeCenterBias(bandwidth=0.1, mixing=0.1, n_images=2, n_fixations=3)
    >>> bias.on_image((1, 5)).round(3).tolist()
    [[0.022, 0.148, 0.473, 0.33, 0.027]]
    """

    def __init__(
        self,
        fixations: ByImage,
        shapes: Shapes,
        *,
        bandwidth: float,
        mixing: float,
        weights: ByImage | None = None,
        outside: Outside = "raise",
    ) -> None:
        (self.bandwidth,) = _as_grid([bandwidth], name="bandwidth")
        (self.mixing,) = _as_grid([mixing], name="mixing", low=0.0, high=1.0)
        self._set_fixations(pool_fixations(fixations, shapes, weights, outside))
        self._set_table((), (), np.zeros((0, 0)))

    @classmethod
    def fit(
        cls,
        fixations: ByImage,
        shapes: Shapes,
        *,
        bandwidths: Sequence[float] = BANDWIDTHS,
        mixings: Sequence[float] = MIXINGS,
        weights: ByImage | None = None,
        outside: Outside = "raise",
    ) -> KdeCenterBias:
        r"""Choose bandwidth and mixing by cross-validation that leaves one image out.

        Parameters
        ----------
        fixations : mapping of image to array_like of float, shape (N, 2)
            As for the class, of at least two images.
        shapes : tuple of int or mapping of image to tuple of int
            (H, W) of all images, or of each.
        bandwidths : sequence of float, optional
            Bandwidths to choose from, in any order. By default 11 from 0.01 to 0.32, a root of
            two apart.
        mixings : sequence of float, optional
            Shares of the uniform density to choose from, in [0, 1]. By default 7 from 0.0001 to
            0.3.
        weights : mapping of image to array_like of float, shape (N,), optional
            Non-negative weight of each fixation, both in the density and in the score.
        outside : {"raise", "drop"}, default "raise"
            As for the class.

        Returns
        -------
        KdeCenterBias
            Of all images, with the bandwidth and mixing of the highest score; of equal ones, the
            widest and then the least mixed.

        Raises
        ------
        ValueError
            If an argument is bad, fewer than two images have fixations of positive weight, or the
            score is minus infinity all over the grid, which a mixing above zero prevents.
        TypeError
            If an argument is not a mapping or does not hold real numbers.

        Warns
        -----
        GridEdgeWarning
            If the chosen bandwidth is the least or greatest of several, so that one beyond the
            grid may be better. An extreme mixing is not warned of: many sets need next to none.
        OffImageWarning
            If fixations were dropped under ``outside="drop"``.

        Notes
        -----
        The score of a bandwidth and mixing is

        .. math:: \frac{\sum_j w_j \log_2 p_{-g(j)}(u_j, v_j)}{\sum_j w_j}

        with :math:`p_{-g(j)}` the density of the fixations on all images but the one of fixation
        :math:`j`. The uniform density has 0. It is exact: nothing is binned or sampled, and
        kernels are summed over all pairs of fixations of different images, at a cost of one
        exponential and a few multiplications a pair for all bandwidths together (one exponential
        a bandwidth, if they are not a root of two apart): about 20 seconds for 50,000 fixations.
        Memory is one number for each fixation and bandwidth.

        The score of the chosen point is the best of the grid, and so very slightly too high as a
        forecast for new images.

        Examples
        --------
        >>> import numpy as np
        >>> import gazesal
        >>> rng = np.random.default_rng(0)
        >>> fixations = {image: rng.normal([40, 30], 8, (20, 2)) for image in range(10)}
        >>> bias = gazesal.KdeCenterBias.fit(fixations, (60, 80))
        >>> round(bias.bandwidth, 3), bias.mixing, round(float(bias.scores.max()), 2)
        (0.057, 0.003, 2.06)
        """
        grid = np.unique(_as_grid(bandwidths, name="bandwidths"))
        shares = np.unique(_as_grid(mixings, name="mixings", low=0.0, high=1.0))
        bias = cls.__new__(cls)
        bias._set_fixations(pool_fixations(fixations, shapes, weights, outside))
        scores = bias._cross_validate(grid, shares)
        best = scores.max()
        if not np.isfinite(best):
            raise ValueError(
                "`mixings` must hold a share above zero: some fixation is so far from all others "
                f"that its density is zero at every bandwidth up to {grid[-1]:g}."
            )
        widest = int(np.flatnonzero((scores == best).any(axis=1))[-1])
        bias.bandwidth = float(grid[widest])
        bias.mixing = float(shares[int(np.argmax(scores[widest]))])
        bias._set_table(tuple(grid.tolist()), tuple(shares.tolist()), scores)
        if grid.size > 1 and widest in {0, grid.size - 1}:
            warn(
                f"the bandwidth {bias.bandwidth:g} scores best and is the "
                f"{'least' if widest == 0 else 'greatest'} of {grid.size}; one beyond "
                "`bandwidths` may be better.",
                GridEdgeWarning,
                stacklevel=2,
            )
        return bias

    def __repr__(self) -> str:
        return (
            f"KdeCenterBias(bandwidth={self.bandwidth:.4g}, mixing={self.mixing:.4g}, "
            f"n_images={self.n_images}, n_fixations={self.n_fixations})"
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
            The density at the pixel centers, summing to 1.

        Raises
        ------
        ValueError
            If the bandwidth is so small that every kernel misses every pixel center.

        Warns
        -----
        SkippedDataWarning
            If the bandwidth is so small, a quarter of a pixel or less, that some kernels fall
            between the pixel centers and have less than 1 % of the weight of others.
        """
        height, width = as_shape(shape, name="shape")
        used = self._fixations.weights > 0
        n = int(np.count_nonzero(used))
        points = self._fixations.points[used] * np.array([width, height]) - 0.5
        sigma = self.bandwidth * np.array([width, height / self.aspect])
        sigmas = np.broadcast_to(sigma, (n, 2))
        if self.mixing < 1.0:
            everywhere = np.ones(n, dtype=np.bool_)
            warn_of_missed(points, sigmas, everywhere, name="bandwidth", stacklevel=3)
        density = density_of_bumps(
            points,
            sigmas,
            np.log(self._fixations.weights[used]),
            np.broadcast_to(np.array([0, 0, width, height]), (n, 4)),
            (height, width),
        )
        if density is None:
            raise ValueError(
                f"`shape` must have a pixel center that some kernel reaches, got {shape!r} for a "
                f"bandwidth of {self.bandwidth:g}."
            )
        return np.asarray((1.0 - self.mixing) * density + self.mixing / density.size)

    def without(self, image: Hashable) -> KdeCenterBias:
        """Return the center bias with one image left out.

        Parameters
        ----------
        image : hashable
            One of the images that the fixations were given by.

        Returns
        -------
        KdeCenterBias
            A new one of the other images' fixations, with the same bandwidth, mixing, aspect and
            table of scores; this one does not change.

        Raises
        ------
        ValueError
            If there is no such image, or nothing is left without it.
        """
        other = KdeCenterBias.__new__(KdeCenterBias)
        other.bandwidth, other.mixing = self.bandwidth, self.mixing
        other._set_fixations(self._fixations.without(image))
        other.aspect = self.aspect
        other._set_table(self.bandwidths, self.mixings, self.scores)
        return other

    def without_images(self, images: Iterable[ImageGaze]) -> KdeCenterBias:
        """Return the center bias without the gaze on some images.

        Parameters
        ----------
        images : iterable of ImageGaze
            Images by the names that the fixations were given by. Gaze maps are ignored.

        Returns
        -------
        KdeCenterBias
            As from `without`.

        Raises
        ------
        ValueError
            As for `without`.
        """
        other = self
        for image in images:
            other = other.without(image.image)
        return other

    def _set_fixations(self, fixations: PooledFixations) -> None:
        self._fixations = fixations
        self.n_images = len(fixations.images)
        self.n_fixations = len(fixations.points)
        self.aspect = float(np.exp(np.log(fixations.aspects).mean()))

    def _set_table(
        self, bandwidths: tuple[float, ...], mixings: tuple[float, ...], scores: Float64Array
    ) -> None:
        self.bandwidths, self.mixings, self.scores = bandwidths, mixings, scores
        self.scores.flags.writeable = False

    def _places(self) -> Float64Array:
        """The fixations where the kernel is round, in units of the width."""
        return np.asarray(self._fixations.points * np.array([1.0, self.aspect]))

    def _cross_validate(self, bandwidths: Float64Array, mixings: Float64Array) -> Float64Array:
        """Bits per fixation over uniform, each image under the others; see `fit`."""
        weights, starts = self._fixations.weights, self._fixations.starts
        owners = self._fixations.owners
        counted = np.bincount(owners, weights) > 0
        if counted.sum() < 2:
            raise ValueError(
                "`fixations` must be of at least two images, to leave one out, got "
                f"{int(counted.sum())} with fixations of positive weight."
            )
        places = self._places()
        sums = left_out_kernel_sums(places, weights, starts, bandwidths[::-1].copy())[::-1]
        scores = np.empty((bandwidths.size, mixings.size))
        for k, bandwidth in enumerate(bandwidths.tolist()):
            # of each image's kernels, what lies inside; then the same of all other images, by
            # sums from both ends, so that nothing is subtracted
            inside = weights * _mass_inside(places[:, 0], 1.0, bandwidth)
            inside *= _mass_inside(places[:, 1], self.aspect, bandwidth)
            own = np.bincount(owners, inside, minlength=self.n_images)
            others = np.concatenate([[0.0], np.cumsum(own)[:-1]])
            others += np.concatenate([np.cumsum(own[::-1])[::-1][1:], [0.0]])
            peak = self.aspect / (2.0 * math.pi * bandwidth**2)
            kde = peak * sums[k] / others[owners]
            used = weights > 0
            for m, share in enumerate(mixings.tolist()):
                with np.errstate(divide="ignore"):
                    bits = np.log2((1.0 - share) * kde[used] + share)
                scores[k, m] = (weights[used] * bits).sum() / weights.sum()
        return scores


def _mass_inside(centers: Float64Array, length: float, bandwidth: float) -> Float64Array:
    """Share of a normal density about each center that lies in [0, length]."""
    from scipy.special import ndtr  # noqa: PLC0415  (importing gazesal should not wait for it)

    return np.asarray(ndtr((length - centers) / bandwidth) - ndtr(-centers / bandwidth))


def _as_grid(
    value: Sequence[float], *, name: str, low: float = 1e-6, high: float = 1e3
) -> list[float]:
    array = as_real_array(value, name=name).astype(np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"`{name}` must hold numbers in one row, got shape {array.shape}.")
    require_finite(array, name=name)
    if array.min() < low or array.max() > high:
        raise ValueError(f"`{name}` must lie in [{low:g}, {high:g}], got {array.tolist()}.")
    values: list[float] = array.tolist()
    return values
