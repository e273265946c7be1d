"""Metrics that compare maps as distributions: SIM, KL divergence, earth mover's distance."""

import importlib.util
import math
import multiprocessing
import os
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import MOST_PIXELS, as_count, as_map, require_same_shape, weight_sums
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.moments import common_mass
from gazesal.maps.area import weights_of
from gazesal.metrics.area import takes_area
from gazesal.metrics.densities import EPSILON, as_epsilon
from gazesal.typing import Float64Array, FloatArray

__all__ = ["emd", "kl_divergence", "sim"]

BLOCK = 1 << 13  # pixels; maps are normalized in blocks so that a large map is not copied
ROUNDING = 1e-12  # nats by which rounding may lower a divergence of 0
MOST_ROUTES = 1 << 27  # distances between cells held in memory; at most 1 GiB
NO_SOLVER = "`emd` needs POT, which solves the transport problem: pip install 'gazesal[emd]'."


@takes_area()
def sim(saliency_map: ArrayLike, gaze_map: ArrayLike, *, area: ArrayLike | None = None) -> float:
    r"""Compute the similarity (SIM) of a saliency map and a gaze map, as distributions.

    It is the mass that the two maps have in common, also called histogram intersection.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, non-negative with a positive sum, any scale.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, non-negative with a positive sum, any scale. See `gaze_heatmap`.

    Returns
    -------
    float
        In [0, 1], and higher is better. 1 if the maps are proportional. There is no level of
        chance.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN, infinity or a negative value or no positive one,
        or the shapes differ.
    TypeError
        If a map does not hold real numbers, or is masked.

    See Also
    --------
    to_density : Turn a map with negative values into a density.
    mit_sim : The score of the Matlab code, which subtracts the smallest value of each map.

    Notes
    -----
    .. math:: \mathrm{SIM} = \sum_p \min(S'(p), Q'(p))

    with saliency map :math:`S'` and gaze map :math:`Q'` each divided by its sum
    :footcite:p:`judd2012`. Chance depends on both maps, because a narrow gaze map has little mass
    in common with any wide map.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gazesal.sim([[1, 1, 2]], [[0, 1, 1]])
    0.75
    """
    maps = _as_distributions(saliency_map, gaze_map)
    weights = weights_of(area)
    if weights is not None:  # the smaller share times the weight is the smaller product
        maps = _as_distributions(maps[0] * weights, maps[2] * weights)
    saliency, saliency_sum, gaze, gaze_sum = maps
    return min(1.0, common_mass(saliency.ravel(), gaze.ravel(), saliency_sum, gaze_sum))


@takes_area()
def kl_divergence(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    *,
    eps: float = EPSILON,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the Kullback-Leibler divergence of a gaze map from a saliency map, in nats.

    The divergence is large if the saliency map, as a distribution, predicts the gaze map badly.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, non-negative with a positive sum, any scale.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, non-negative with a positive sum, any scale. See `gaze_heatmap`.
    eps : float, default 2**-52
        Constant that keeps the logarithm finite where the saliency map is 0, in [0, 1].

    Returns
    -------
    float
        Non-negative, in nats, and lower is better. 0 if the maps are proportional. ``nan`` if `eps`
        is 0 and there is gaze where the saliency map is 0. There is no level of chance. An `eps`
        far above its default can make it negative.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN, infinity or a negative value or no positive one,
        the shapes differ, or `eps` is out of range.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If `eps` is 0 and there is gaze where the saliency map is 0.

    See Also
    --------
    to_density : Turn a map with negative values or zeros into a density.
    mit_kl : The score of the Matlab code, also defined for a map of zeros.
    pysaliency_kl : The score of pysaliency's default.

    Notes
    -----
    .. math:: \mathrm{KL}(Q' \,\|\, S') = \sum_p Q'(p)
              \ln\Bigl(\varepsilon + \frac{Q'(p)}{S'(p) + \varepsilon}\Bigr)

    with saliency map :math:`S'` and gaze map :math:`Q'` each divided by its sum. It is the
    divergence of :footcite:t:`kullback1951` with the constant of the benchmark at MIT. The gaze
    comes first *inside*, and the map under test is the first *argument*. Exchanging them is a
    common mistake and gives another number.

    At pixels with a saliency of 0, `eps` decides the score: each such pixel with gaze adds up to 36
    times its share. The constant can lower the sum below 0, by at most `eps` times the number of
    pixels. Negative sums as small as the default `eps` or rounding can cause are set to 0. With a
    larger `eps` the raw value is returned and is no longer a divergence.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.kl_divergence([[1, 1, 2]], [[0, 1, 1]]), 4)
    0.3466
    >>> round(gazesal.kl_divergence([[0, 1, 1]], [[1, 1, 2]]), 1)
    8.5
    """
    epsilon = as_epsilon(eps)
    maps = _as_distributions(saliency_map, gaze_map)
    weights = weights_of(area)
    if weights is not None:
        sums = (float(each.ravel() @ weights) for each in (maps[0], maps[2]))
        maps = (maps[0], next(sums), maps[2], next(sums))
    terms = []
    for start, (p, q) in zip(count(step=BLOCK), _shares(*maps), strict=False):
        w = 1.0 if weights is None else weights[start : start + BLOCK]
        if epsilon > 0.0:  # without gaze the term is 0 times a finite number
            terms.append(float((w * q * np.log(epsilon + q / (p + epsilon))).sum()))
            continue
        looked = q > 0.0
        if not p[looked].all():
            warn(
                "KL is undefined: `saliency_map` is 0 where there is gaze, and `eps` is 0.",
                UndefinedMetricWarning,
            )
            return math.nan
        part = q[looked] * (np.log(q[looked]) - np.log(p[looked]))
        terms.append(float((part if weights is None else part * np.asarray(w)[looked]).sum()))
    divergence = math.fsum(terms)
    noise = ROUNDING + EPSILON * maps[0].size
    return 0.0 if -noise <= divergence < 0.0 else divergence


@takes_area(flat=False)
def emd(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    *,
    shrink: int,
    area: ArrayLike | None = None,  # noqa: ARG001 (used by the decorator)
) -> float:
    r"""Compute the earth mover's distance (EMD) of a saliency map and a gaze map, in pixels.

    It is the mean distance by which the mass of one map must be moved to become the other.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, non-negative with a positive sum, any scale.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, non-negative with a positive sum, any scale. See `gaze_heatmap`.
    shrink : int
        Side in pixels of the square cells in which mass is summed before it is moved, at least 1.
        1 is exact. There is no default, because it changes the score: report it with the score.

    Returns
    -------
    float
        In pixels of the maps, from 0 to the diagonal of the image, and lower is better. 0 if the
        maps are proportional. There is no level of chance.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN, infinity or a negative value or no positive one,
        the shapes differ, `shrink` is less than 1, or the cells are too many for memory.
    TypeError
        If a map does not hold real numbers, or is masked, or `shrink` is not an integer.
    ImportError
        If POT, which solves the transport problem, is not installed. It comes with the extra
        ``emd``.

    See Also
    --------
    sim : The mass that does not have to be moved.

    Notes
    -----
    .. math:: \mathrm{EMD} = \min_{f \ge 0} \sum_{a, b} f_{ab}\, \lVert a - b \rVert
              \quad\text{with}\quad \sum_b f_{ab} = S'(a),\; \sum_a f_{ab} = Q'(b)

    over cells :math:`a, b` with saliency map :math:`S'` and gaze map :math:`Q'` each divided by
    its sum :footcite:p:`rubner2000`. The distance is Euclidean, between the centers of the cells,
    in pixels of the given maps for any `shrink`. If `shrink` does not divide the size of the map,
    the last cells are smaller and no mass is lost. Cells change the EMD by at most their
    diagonal.

    The benchmark at MIT shrinks both maps by 32 with Matlab's bicubic resizing and measures in
    pixels of the small maps. Its solver, from :footcite:t:`pele2009`, rounds to integers and agrees
    with this one to 1e-4 of the value.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> round(gazesal.emd([[0, 0, 0, 1]], [[1, 0, 0, 1]], shrink=1), 9)
    1.5
    >>> round(gazesal.emd([[0, 0, 0, 1]], [[1, 0, 0, 1]], shrink=2), 9)
    1.0
    """
    side = as_count(shrink, name="shrink", most=MOST_PIXELS)
    saliency, saliency_sum, gaze, gaze_sum = _as_distributions(saliency_map, gaze_map)
    height, width = saliency.shape
    p = _gather(saliency, side, saliency_sum).ravel()
    q = _gather(gaze, side, gaze_sum).ravel()
    # Because of the triangle inequality, mass that both maps have in a cell does not move.
    common = np.minimum(p, q)
    p, q = p - common, q - common
    sources, sinks = np.flatnonzero(p), np.flatnonzero(q)
    if not (sources.size and sinks.size):
        return 0.0
    if sources.size * sinks.size > MOST_ROUTES:
        raise ValueError(
            f"`shrink` must leave fewer cells, got {side} and with it {sources.size} x "
            f"{sinks.size} distances, more than {MOST_ROUTES}. Give a larger one."
        )
    y, x = np.meshgrid(_centers(height, side), _centers(width, side), indexing="ij")
    across = x.ravel()[sources][:, None] - x.ravel()[sinks]
    down = y.ravel()[sources][:, None] - y.ravel()[sinks]
    moved = 0.5 * float(p.sum() + q.sum())  # the sums differ only by rounding
    return moved * _least_cost(p[sources], q[sinks], np.hypot(across, down))


def _as_distributions(
    saliency_map: ArrayLike, gaze_map: ArrayLike
) -> tuple[FloatArray, float, FloatArray, float]:
    """Check both maps, and return them with their sums."""
    saliency = as_map(saliency_map, name="saliency_map")
    gaze = as_map(gaze_map, name="gaze_map")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    _, saliency_sum = weight_sums(saliency, name="saliency_map")
    _, gaze_sum = weight_sums(gaze, name="gaze_map")
    return saliency, saliency_sum, gaze, gaze_sum


def _shares(
    saliency: FloatArray, saliency_sum: float, gaze: FloatArray, gaze_sum: float
) -> Iterator[tuple[Float64Array, Float64Array]]:
    """Yield both maps divided by their sums, block by block."""
    p, q = saliency.ravel(), gaze.ravel()
    for start in range(0, p.size, BLOCK):
        stop = start + BLOCK
        yield (
            p[start:stop].astype(np.float64) / saliency_sum,
            q[start:stop].astype(np.float64) / gaze_sum,
        )


def _gather(array: FloatArray, side: int, total: float) -> Float64Array:
    """Return the mass in cells of `side` x `side` pixels. The last cells may be smaller."""
    height, width = array.shape
    shares = array.astype(np.float64) / total
    rows = np.add.reduceat(shares, np.arange(0, height, side), axis=0)
    return np.asarray(np.add.reduceat(rows, np.arange(0, width, side), axis=1))


def _centers(length: int, side: int) -> Float64Array:
    """Return the mean pixel coordinate of each cell along one axis."""
    first = np.arange(0, length, side)
    return np.asarray(0.5 * (first + np.minimum(first + side, length) - 1))


def _solver() -> Any:
    """Import and return POT, which is an extra and slow to import."""
    if "ot" not in sys.modules and multiprocessing.current_process().name != "MainProcess":
        # POT imports every array library that it finds. A worker does not use them, but they would
        # take seconds, and enough memory that joblib reports a leak.
        for library in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
            os.environ.setdefault(f"POT_BACKEND_DISABLE_{library}", "1")
    try:
        import ot
    except ImportError as error:
        raise ImportError(NO_SOLVER) from error
    return ot


def require_solver() -> None:
    """Raise unless the solver of `emd` is installed."""
    if importlib.util.find_spec("ot") is None:
        raise ImportError(NO_SOLVER)


def require_few_cells(shape: tuple[int, int], side: int) -> None:
    """Raise unless `emd` of any two maps (H, W) in cells of this side fits in memory.

    Mass either leaves a cell or enters it, so there are the most routes if half of the cells send
    mass to the other half.
    """
    rows, columns = (-(-length // side) for length in shape)
    if (rows * columns) ** 2 // 4 > MOST_ROUTES:
        raise ValueError(
            f"`shrink` must leave fewer cells for `emd`, got {side} and with it {rows} x {columns} "
            f"cells. Give a larger one: {2 * math.isqrt(MOST_ROUTES)} cells fit."
        )


def _least_cost(p: Float64Array, q: Float64Array, distances: Float64Array) -> float:
    """Return the mean distance of the cheapest transport of `p` to `q`, scaled to the same sum."""
    ot = _solver()
    cost, log = ot.emd2(p / p.sum(), q / q.sum(), distances, numItermax=2**31 - 1, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"POT found no optimal transport: {log['warning']}")
    return float(cost)
