"""Gaze maps drawn from fixations."""

from typing import Literal, NoReturn, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import (
    as_choice,
    as_points,
    as_real_array,
    as_shape,
    require_finite,
    require_pixels,
)
from gazesal._warnings import warn
from gazesal.exceptions import InputWarning, OffImageWarning
from gazesal.maps.area import Area, as_area
from gazesal.maps.bumps import density_of_bumps, warn_of_missed
from gazesal.typing import Float64Array, IntArray

__all__ = ["gaze_heatmap"]

Outside = Literal["raise", "drop", "keep"]
OUTSIDE = get_args(Outside)
OFF_REMEDY = 'Use outside="drop" to drop them or outside="keep" to draw the part inside.'
FEWEST_SHARES = 3  # fixations; fewer may lie near the corner by chance, so they are not checked
SHARES_REMEDY = (
    'If they are, read tables with `unit="shares"` and `sizes`, or multiply x by the width and y '
    "by the height, and subtract 0.5."
)
SMALLEST_SIDE = 8  # pixels; on a smaller image, pixels cannot be distinguished from shares


def gaze_heatmap(
    fixations: ArrayLike,
    shape: tuple[int, int],
    *,
    sigma: ArrayLike,
    weights: ArrayLike | None = None,
    visible: ArrayLike | None = None,
    outside: Outside = "raise",
    area: ArrayLike | Area | None = None,
) -> Float64Array:
    r"""Draw a gaze map: one weighted Gaussian for each fixation, summing to 1.

    Parameters
    ----------
    fixations : array_like of float, shape (N, 2)
        Columns x (to the right) and y (down), in image pixels; pixel centers are at integers, so
        ``(0.0, 0.0)`` is the center of the first pixel. Subtract 0.5 from coordinates whose
        origin is the outer corner of the image, and 1 from 1-based ones.
    shape : tuple of int
        (H, W) of the image in pixels.
    sigma : float or array_like of float, shape (2,), (N, 1) or (N, 2)
        Standard deviation of the Gaussian in pixels, positive: one for all, one for each axis
        (x, y), one for each fixation, or one for each fixation and axis.
        :footcite:t:`bigolin2021` use the pixels per degree of visual angle at each fixation.
    weights : array_like of float, shape (N,), optional
        Non-negative weight of each fixation, usually its duration in any unit. By default all
        fixations have the same weight.
    visible : array_like of float, shape (4,) or (N, 4), optional
        Rectangle of the image that was shown, (x_min, y_min, x_max, y_max) in pixels, the upper
        bounds exclusive: one for all or one for each fixation. Bounds are rounded, halves to
        even, and clipped to the image. The Gaussian of a fixation is set to 0 outside its
        rectangle, without renormalization. By default the whole image.
    outside : {"raise", "drop", "keep"}, default "raise"
        Treatment of fixations outside the image, which spans [-0.5, W - 0.5) and
        [-0.5, H - 0.5): raise an error, drop them with a warning that states their number, or keep
        the part of their Gaussian inside the image, as :footcite:t:`bigolin2021` do.
    area : array_like of bool or float, shape (H, W), optional
        Pixels that count: a mask that is true where they do, or a non-negative weight for each
        pixel. Fixations outside are dropped with a warning, and the map is 0 outside and sums to 1
        inside. With weights, each Gaussian is divided by the weight at its fixation, because a
        gaze map is a density. By default all pixels count. See :ref:`area`.

    Returns
    -------
    numpy.ndarray of float64, shape (H, W)
        Non-negative, summing to 1.

    Raises
    ------
    ValueError
        If there is no fixation, a value is NaN or infinite, a sigma is not positive, a weight is
        negative, or fixations lie outside the image under ``outside="raise"``. Also if the map
        would be zero: all weights are zero, all fixations are dropped or invisible, or sigma is so
        small that no Gaussian reaches a pixel center.
    TypeError
        If an argument does not hold real numbers.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``, or because they lie outside `area`.
    InputWarning
        If all fixations lie within about one pixel of the corner, which suggests that they are
        shares of the image's sides, from 0 to 1.
    SkippedDataWarning
        If sigma is a quarter of a pixel or less and some fixations, which fall between the pixel
        centers, have less than 1 % of the weight of others.

    See Also
    --------
    one_vs_rest : Pair each observer's map with the mean of the others.
    CenterBias : Mean gaze map over images.

    Notes
    -----
    .. math:: G(x, y) \propto \sum_i \frac{w_i}{2\pi\,\sigma_{x,i}\,\sigma_{y,i}}
              \exp\Bigl(-\frac{(x-x_i)^2}{2\sigma_{x,i}^2} - \frac{(y-y_i)^2}{2\sigma_{y,i}^2}\Bigr)
              \,[(x, y) \text{ visible during } i]

    at integer pixel coordinates; see section 3.2 of :footcite:t:`bigolin2021` and
    :footcite:t:`lemeur2013`. A Gaussian is a density, so a wider one is lower. Sigma is a standard
    deviation, not a "kernel size". Each Gaussian is the product of a factor along y and a factor
    along x, so the map is a single product of two matrices.

    More than 1024 fixations are drawn in groups of neighbors, so the memory per fixation is about
    100 bytes. A group is drawn only where it changes the map: the part omitted at a pixel is less
    than 2**-54 of its value, also far from all fixations. The map is the same, bit for bit, for
    any number of threads. It differs from a single matrix product by rounding only.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = gazesal.gaze_heatmap([[2.0, 1.0], [3.0, 1.0]], (3, 5), sigma=0.5, weights=[3, 1])
    >>> gaze_map.shape, round(float(gaze_map.sum()), 12)
    ((3, 5), 1.0)
    >>> [round(float(value), 3) for value in gaze_map[1]]
    [0.0, 0.063, 0.485, 0.218, 0.021]
    """
    as_choice(outside, OUTSIDE, name="outside")
    height, width = as_shape(shape, name="shape")
    points = as_points(fixations, name="fixations")
    n = len(points)
    sigmas = _as_sigmas(sigma, n)
    duration = _as_weights(weights, n)
    rectangles = _as_rectangles(visible, n, height, width)
    report_shares(points, (height, width), name="fixations")
    off = off_image(points, (height, width))
    kept = ~off if outside != "keep" else np.ones(n, dtype=np.bool_)
    if not kept.all():
        if outside == "raise":
            refuse_off_image(points, off, (height, width), name="fixations", remedy=OFF_REMEDY)
        warn(
            f"{int(off.sum())} of {n} fixations lie outside the image and were dropped.",
            OffImageWarning,
        )
        points, sigmas = points[kept], sigmas[kept]
        duration, rectangles = duration[kept], rectangles[kept]
    valid = as_area(area, (height, width))
    if valid is not None:
        in_area, pixel_weights = _on_area(points, valid)
        if not in_area.all():
            warn(
                f"{int((~in_area).sum())} of {n} fixations lie outside `area` and were dropped.",
                OffImageWarning,
            )
        duration = np.where(in_area, duration / pixel_weights, 0.0)
    counted = duration > 0
    gaze_map = None
    if counted.any():
        points, sigmas, shown = points[counted], sigmas[counted], rectangles[counted]
        # heights of the densities relative to the highest, as logarithms, so that no sigma
        # overflows
        peaks = np.log(duration[counted]) - np.log(sigmas).sum(axis=1)
        if _are_of_a_map(points, sigmas, peaks, shown):
            points = points[np.lexsort(points.T)]
        on_pixel = ~off[kept][counted] & _is_shown(points, shown)
        warn_of_missed(points, sigmas, on_pixel, name="sigma")
        gaze_map = density_of_bumps(points, sigmas, peaks - peaks.max(), shown, (height, width))
    if gaze_map is not None and valid is not None:
        gaze_map = np.where(valid.mask(), gaze_map, 0.0)
        total = gaze_map.sum()
        gaze_map = gaze_map / total if total > 0 else None  # `visible` may hide the area
    if gaze_map is None:
        raise ValueError(
            f"`fixations` must include one that reaches a pixel, but each of the {n} was dropped, "
            "has weight zero, is invisible or outside, or its Gaussian misses every pixel center. "
            "Check `weights`, `visible` and the unit of `sigma`."
        )
    return gaze_map


def _on_area(points: Float64Array, area: Area) -> tuple[NDArray[np.bool_], Float64Array]:
    """Mark points inside an area, and return the weight at each, 1 outside."""
    weights = np.ones(len(points))
    inside = ~off_image(points, area.shape)
    columns, rows = np.floor(points[inside] + 0.5).astype(np.int64).T
    places = area.places(rows * area.shape[1] + columns)
    if area.weights is not None:
        weights[inside] = np.where(places >= 0, area.weights[places], 1.0)
    inside[inside] = places >= 0
    return inside, weights


def inside_area(points: Float64Array, area: Area) -> NDArray[np.bool_]:
    """Mark points whose pixel is in an area. Points outside the image are not."""
    inside, _ = _on_area(points, area)
    return inside


def require_drawable(
    points: Float64Array,
    shape: tuple[int, int],
    *,
    weights: ArrayLike | None,
    visible: ArrayLike | None,
    outside: Outside,
) -> None:
    """Raise if `gaze_heatmap` would refuse the weights, rectangles or positions of fixations."""
    n = len(points)
    _as_weights(weights, n)
    _as_rectangles(visible, n, *shape)
    off = off_image(points, shape)
    if outside == "raise" and off.any():
        refuse_off_image(points, off, shape, name="fixations", remedy=OFF_REMEDY)


def _are_of_a_map(
    points: Float64Array, sigmas: Float64Array, peaks: Float64Array, shown: IntArray
) -> bool:
    """Check whether a map of fixated pixels could hold the fixations: alike, at pixel centers.

    They are drawn in the order of the map's rows. Otherwise the last bits of the sum would depend
    on whether the fixations or `fixations_from_map` gave them.
    """
    alike = all((each == each[0]).all() for each in (sigmas, peaks, shown))
    return alike and np.array_equal(points, np.floor(points))


def _is_shown(points: Float64Array, shown: IntArray) -> NDArray[np.bool_]:
    """Mark points whose nearest pixel is visible."""
    nearest = np.floor(points + 0.5)
    return np.asarray(((nearest >= shown[:, :2]) & (nearest < shown[:, 2:])).all(axis=1))


def off_image(points: Float64Array, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark points outside the pixels of an image of `shape` (H, W)."""
    size = np.array([shape[1], shape[0]])
    inside = (points >= -0.5) & (points < size - 0.5)
    return np.asarray(~inside.all(axis=1))


def are_shares(points: Float64Array, shape: tuple[int, int]) -> bool:
    """Check whether points on an image (H, W) look like shares of its sides, from 0 to 1.

    Half a share beyond the image is allowed, because gaze may leave the screen. Integers are
    pixels, such as the (0, 0) that some eye trackers write when they lose the eye.
    """
    return bool(
        len(points) >= FEWEST_SHARES
        and min(shape) >= SMALLEST_SIDE
        and points.min() >= -0.5
        and points.max() <= 1.5
        and (points != np.floor(points)).any()
    )


def report_shares(points: Float64Array, shape: tuple[int, int], *, name: str) -> None:
    """Warn if points look like shares of the sides of their image; see `are_shares`."""
    if are_shares(points, shape):
        warn(
            f"`{name}` must be pixels, but all {len(points)} lie within about one pixel of an "
            f"image of {shape[1]} x {shape[0]}, so they may be shares of its sides. "
            f"{SHARES_REMEDY}",
            InputWarning,
        )


def refuse_off_image(
    points: Float64Array,
    off: NDArray[np.bool_],
    shape: tuple[int, int],
    *,
    name: str,
    remedy: str,
) -> NoReturn:
    """Raise an error that names the first of the points marked in `off`."""
    first = int(np.argmax(off))
    raise ValueError(
        f"`{name}` must lie in the image, x in [-0.5, {shape[1] - 0.5}) and y in "
        f"[-0.5, {shape[0] - 0.5}); {int(off.sum())} of {len(points)} do not, the first at index "
        f"{first}: ({points[first, 0]:g}, {points[first, 1]:g}). {remedy}"
        f"{exchange_hint(points, shape)}"
    )


def exchange_hint(points: Float64Array, shape: tuple[int, int]) -> str:
    """Return a hint if all points would lie inside the transposed image."""
    if off_image(points[:, ::-1], shape).any():
        return ""
    return " All would lie inside with x and y, or height and width, exchanged."


def _as_sigmas(value: ArrayLike, n: int) -> Float64Array:
    """Return sigma as an array (n, 2), along x and y."""
    require_pixels(value, name="sigma")
    array = as_real_array(value, name="sigma").astype(np.float64)
    if array.shape not in {(), (2,), (n, 1), (n, 2)}:
        raise ValueError(
            f"`sigma` must be one number, one for each axis (2,), or one for each fixation "
            f"({n}, 1) or ({n}, 2), got shape {array.shape}."
        )
    require_finite(array, name="sigma")
    if array.min(initial=np.inf) <= 0:
        raise ValueError(f"`sigma` must be positive, got {array.min():g}.")
    return np.broadcast_to(array, (n, 2))


def _as_weights(value: ArrayLike | None, n: int) -> Float64Array:
    """Return n finite, non-negative weights with a positive sum."""
    if value is None:
        return np.ones(n)
    array = as_real_array(value, name="weights").astype(np.float64)
    if array.shape != (n,):
        raise ValueError(
            f"`weights` must hold one number for each fixation, shape ({n},), got {array.shape}."
        )
    require_finite(array, name="weights")
    if array.min() < 0:
        raise ValueError(f"`weights` must be non-negative, got {array.min():g}.")
    if array.max() == 0:
        raise ValueError("`weights` must have a positive sum, but all are zero.")
    return array


def _as_rectangles(value: ArrayLike | None, n: int, height: int, width: int) -> IntArray:
    """Return the visible pixels of each fixation [first column, first row, last column, last row).

    Bounds are rounded and clipped to the image.
    """
    if value is None:
        return np.broadcast_to(np.array([0, 0, width, height]), (n, 4))
    array = as_real_array(value, name="visible").astype(np.float64)
    if array.shape not in {(4,), (n, 4)}:
        raise ValueError(
            "`visible` must be (x_min, y_min, x_max, y_max) for all fixations (4,) or for each "
            f"({n}, 4), got shape {array.shape}."
        )
    require_finite(array, name="visible")
    if np.any(array[..., :2] > array[..., 2:]):
        raise ValueError(
            "`visible` must have x_min <= x_max and y_min <= y_max in every rectangle, got "
            f"{array[np.any(array[..., :2] > array[..., 2:], axis=-1)][:1].tolist()}."
        )
    bounds = np.array([width, height, width, height], dtype=np.float64)
    return np.broadcast_to(np.clip(np.round(array), 0.0, bounds).astype(np.int64), (n, 4))
