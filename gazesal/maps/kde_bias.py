"""The center bias as a kernel density estimate with a cross-validated bandwidth."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import as_real_array, as_shape, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import GridEdgeWarning
from gazesal.maps.bumps import density_of_bumps, warn_of_missed
from gazesal.maps.center_bias_model import ImageGaze
from gazesal.maps.kde_cross_validation import cross_validate
from gazesal.maps.pooled import ByImage, PooledFixations, RaiseOrDrop, Shapes, pool_fixations
from gazesal.typing import Float64Array, IntArray

__all__ = ["KdeCenterBias"]

# Fractions of the image width. Neighbors differ by a root of two, for which the compiled kernel
# squares terms instead of computing exponentials.
BANDWIDTHS = tuple(0.01 * 2 ** (step / 2) for step in range(11))
# Shares of the uniform density.
MIXINGS = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


class Grid(NamedTuple):
    """Bandwidths and mixings to choose from, and the score of each pair of them."""

    bandwidths: tuple[float, ...]
    mixings: tuple[float, ...]
    scores: Float64Array


class KdeCenterBias:
    r"""A center bias from a kernel density estimate mixed with a uniform density.

    Parameters
    ----------
    fixations : mapping of image to array_like of float, shape (N, 2)
        Fixations of each image, columns x and y in pixels, pixel centers at integers.
    shapes : tuple of int or mapping of image to tuple of int
        (H, W) of all images, or of each.
    bandwidth : float
        Standard deviation of the kernel as a fraction of the width of the image, in [1e-6, 1000];
        see `fit` to choose it.
    mixing : float
        Share of the uniform density, in [0, 1].
    weights : mapping of image to array_like of float, shape (N,), optional
        Non-negative weight of each fixation, such as its duration. By default all fixations have
        the same weight, so an image with more fixations has more weight.
    outside : {"raise", "drop"}, default "raise"
        Treatment of fixations outside their image: raise an error, or drop them with a warning
        that states their number.

    Attributes
    ----------
    bandwidth, mixing : float
        As given, or as chosen by `fit`.
    aspect : float
        Height over width of an image on which the kernel is round: the geometric mean over the
        images.
    n_images, n_fixations : int
        Number of images and of fixations.
    bandwidths, mixings : tuple of float
        Grid from which `fit` chose, ascending. Empty unless made by `fit`.
    scores : numpy.ndarray of float64, shape (number of bandwidths, number of mixings)
        Cross-validated log-likelihood at each point of the grid, in bits per fixation above the
        uniform density; see `fit`.

    Raises
    ------
    ValueError
        If a fixation, shape, weight, bandwidth or mixing is invalid, or no fixation is left.
    TypeError
        If an argument is not a mapping or does not hold real numbers.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.

    See Also
    --------
    GaussianCenterBias : A single Gaussian, with few parameters.
    CenterBias : Mean of gaze maps.

    Notes
    -----
    Fixations of images of different sizes are pooled in fractions of the sides,
    :math:`u = (x + \frac12)/W` and :math:`v = (y + \frac12)/H`. With :math:`a` the mean aspect and
    :math:`h` the bandwidth,

    .. math:: p(u, v) = (1 - \varepsilon)\, \frac{k(u, v)}{\int k} + \varepsilon ,\qquad
              k(u, v) = \sum_i w_i \exp\Bigl(-\frac{(u-u_i)^2 + a^2 (v-v_i)^2}{2h^2}\Bigr)

    over the image, the unit square. On images of one shape the kernel is therefore round, with the
    standard deviation :math:`hW` in pixels. On an image of another shape it is stretched like the
    image. The kernels are cut off at the border of the image, and their sum is divided by its
    integral over the image. A kernel at the border therefore has less weight than one in the
    middle.

    A density costs one multiplication for each pair of a fixation and a pixel within about ten
    bandwidths of it, and memory for a thousand fixations at a time.

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
        outside: RaiseOrDrop = "raise",
    ) -> None:
        (self.bandwidth,) = _as_grid([bandwidth], name="bandwidth")
        (self.mixing,) = _as_grid([mixing], name="mixing", low=0.0, high=1.0)
        pooled = pool_fixations(fixations, shapes, weights, outside)
        self._set(pooled, _mean_aspect(pooled), Grid((), (), np.zeros((0, 0))))

    @classmethod
    def fit(
        cls,
        fixations: ByImage,
        shapes: Shapes,
        *,
        bandwidths: Sequence[float] = BANDWIDTHS,
        mixings: Sequence[float] = MIXINGS,
        weights: ByImage | None = None,
        outside: RaiseOrDrop = "raise",
    ) -> KdeCenterBias:
        r"""Choose the bandwidth and the mixing by cross-validation that leaves out one image.

        Parameters
        ----------
        fixations : mapping of image to array_like of float, shape (N, 2)
            As for the class, of at least two images.
        shapes : tuple of int or mapping of image to tuple of int
            (H, W) of all images, or of each.
        bandwidths : sequence of float, optional
            Bandwidths to choose from, in any order. By default 11 from 0.01 to 0.32, each a root
            of two times the one before.
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
            Center bias of all images, with the bandwidth and mixing of the highest score. If
            several have it, the largest bandwidth and then the smallest mixing are chosen.

        Raises
        ------
        ValueError
            If an argument is invalid, fewer than two images have fixations of positive weight, or
            the score is minus infinity at every point of the grid, which a mixing above zero
            prevents.
        TypeError
            If an argument is not a mapping or does not hold real numbers.

        Warns
        -----
        GridEdgeWarning
            If the chosen bandwidth is the smallest or largest of several, so that one beyond the
            grid may be better. An extreme mixing causes no warning, because many data sets need
            nearly no mixing.
        OffImageWarning
            If fixations were dropped under ``outside="drop"``.

        Notes
        -----
        The score of a bandwidth and mixing is

        .. math:: \frac{\sum_j w_j \log_2 p_{-g(j)}(u_j, v_j)}{\sum_j w_j}

        with :math:`p_{-g(j)}` the density of the fixations on all images except the image of
        fixation :math:`j`. The uniform density scores 0. The score is exact, without binning or
        sampling: kernels are summed over all pairs of fixations of different images. Each pair
        costs one exponential and a few multiplications for all bandwidths together, or one
        exponential per bandwidth if they do not differ by a root of two. For 50,000 fixations
        this takes about 20 seconds. Memory is one number per fixation and bandwidth.

        The score of the chosen point is the best of the grid, and therefore slightly too high as
        a prediction for new images.

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
        pooled = pool_fixations(fixations, shapes, weights, outside)
        aspect = _mean_aspect(pooled)
        scores = cross_validate(pooled, aspect, grid, shares)
        best = scores.max()
        if not np.isfinite(best):
            raise ValueError(
                f"`mixings` must contain a share above zero, got {shares.tolist()}: a fixation is "
                "so far from all others that its density is zero at every bandwidth up to "
                f"{grid[-1]:g}."
            )
        widest = int(np.flatnonzero((scores == best).any(axis=1))[-1])
        bias = cls._of(
            float(grid[widest]),
            float(shares[int(np.argmax(scores[widest]))]),
            pooled,
            aspect,
            Grid(tuple(grid.tolist()), tuple(shares.tolist()), scores),
        )
        if grid.size > 1 and widest in {0, grid.size - 1}:
            warn(
                f"the bandwidth {bias.bandwidth:g} scores best and is the "
                f"{'smallest' if widest == 0 else 'largest'} of {grid.size}. Extend `bandwidths`, "
                "because one beyond them may be better.",
                GridEdgeWarning,
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
            If the bandwidth is so small that no kernel reaches a pixel center.

        Warns
        -----
        SkippedDataWarning
            If the bandwidth is a quarter of a pixel or less and some kernels, which fall between
            the pixel centers, have less than 1 % of the weight of others.
        """
        height, width = as_shape(shape, name="shape")
        used = self._fixations.weights > 0
        n = int(np.count_nonzero(used))
        points = self._fixations.points[used] * np.array([width, height]) - 0.5
        sigma = self.bandwidth * np.array([width, height / self.aspect])
        sigmas = np.broadcast_to(sigma, (n, 2))
        if self.mixing < 1.0:
            everywhere = np.ones(n, dtype=np.bool_)
            warn_of_missed(points, sigmas, everywhere, name="bandwidth")
        density = density_of_bumps(
            points,
            sigmas,
            np.log(self._fixations.weights[used]),
            np.broadcast_to(np.array([0, 0, width, height]), (n, 4)),
            (height, width),
        )
        if density is None:
            raise ValueError(
                f"`shape` must have a pixel center that a kernel reaches, got {shape!r} for a "
                f"bandwidth of {self.bandwidth:g}. Use a larger bandwidth."
            )
        return np.asarray((1.0 - self.mixing) * density + self.mixing / density.size)

    def without(self, image: Hashable) -> KdeCenterBias:
        """Return the center bias with one image left out.

        Parameters
        ----------
        image : hashable
            Name of one of the images.

        Returns
        -------
        KdeCenterBias
            A new object with the fixations of the other images, and the same bandwidth, mixing,
            aspect and scores. This one does not change.

        Raises
        ------
        ValueError
            If there is no such image, or no fixation is left without it.
        """
        return self._of(
            self.bandwidth,
            self.mixing,
            self._fixations.without(image),
            self.aspect,
            Grid(self.bandwidths, self.mixings, self.scores),
        )

    def without_images(self, images: Iterable[ImageGaze]) -> KdeCenterBias:
        """Return the center bias without the gaze on some images.

        Parameters
        ----------
        images : iterable of ImageGaze
            Images with the names under which their fixations were given. Gaze maps are ignored.

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

    def _to_parts(self) -> tuple[dict[str, Any], list[NDArray[Any]]]:
        """Return the facts and the arrays from which `_from_parts` makes an equal object."""
        pooled = self._fixations
        facts = {
            "bandwidth": self.bandwidth,
            "mixing": self.mixing,
            "aspect": self.aspect,
            "bandwidths": list(self.bandwidths),
            "mixings": list(self.mixings),
            "images": list(pooled.images),
        }
        return facts, [pooled.starts, pooled.points, pooled.weights, pooled.aspects, self.scores]

    @classmethod
    def _from_parts(
        cls,
        facts: dict[str, Any],
        starts: IntArray,
        points: Float64Array,
        weights: Float64Array,
        aspects: Float64Array,
        scores: Float64Array,
    ) -> KdeCenterBias:
        """Make a center bias from the contents of a file, and raise if they are inconsistent."""
        images = tuple(facts["images"])
        grid = Grid(tuple(facts["bandwidths"]), tuple(facts["mixings"]), np.array(scores))
        shapes = [each.shape for each in (starts, points, weights, aspects, scores)]
        n = len(points)
        wanted = [(len(images) + 1,), (n, 2), (n,), (len(images),), tuple(map(len, grid[:2]))]
        if shapes != wanted:
            raise ValueError(f"its arrays must have the shapes {wanted}, got {shapes}")
        if starts[0] != 0 or starts[-1] != n or (np.diff(starts) < 0).any():
            raise ValueError("its fixations must be sorted by image")
        for array in (points, weights, aspects):
            if array.dtype != np.float64 or not np.isfinite(array).all() or array.min() < 0:
                raise ValueError("its arrays must be finite, non-negative and float64")
        (bandwidth,) = _as_grid([facts["bandwidth"]], name="bandwidth")
        (mixing,) = _as_grid([facts["mixing"]], name="mixing", low=0.0, high=1.0)
        pooled = PooledFixations(
            images=images, starts=starts, points=points, weights=weights, aspects=aspects
        )
        return cls._of(bandwidth, mixing, pooled, float(facts["aspect"]), grid)

    def _set(self, fixations: PooledFixations, aspect: float, grid: Grid) -> None:
        """Set all attributes except `bandwidth` and `mixing`."""
        self._fixations = fixations
        self.n_images = len(fixations.images)
        self.n_fixations = len(fixations.points)
        self.aspect = aspect
        self.bandwidths, self.mixings, self.scores = grid
        self.scores.flags.writeable = False

    @classmethod
    def _of(
        cls,
        bandwidth: float,
        mixing: float,
        fixations: PooledFixations,
        aspect: float,
        grid: Grid,
    ) -> KdeCenterBias:
        """Make a center bias from pooled fixations."""
        bias: KdeCenterBias = cls.__new__(cls)
        bias.bandwidth, bias.mixing = bandwidth, mixing
        bias._set(fixations, aspect, grid)
        return bias


def _mean_aspect(fixations: PooledFixations) -> float:
    """Return the geometric mean of height over width."""
    return float(np.exp(np.log(fixations.aspects).mean()))


def _as_grid(
    value: Sequence[float], *, name: str, low: float = 1e-6, high: float = 1e3
) -> list[float]:
    """Return a non-empty 1-D sequence of numbers in [low, high] as a list."""
    array = as_real_array(value, name=name).astype(np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"`{name}` must be a non-empty 1-D sequence, got shape {array.shape}.")
    require_finite(array, name=name)
    if array.min() < low or array.max() > high:
        raise ValueError(f"`{name}` must lie in [{low:g}, {high:g}], got {array.tolist()}.")
    values: list[float] = array.tolist()
    return values
