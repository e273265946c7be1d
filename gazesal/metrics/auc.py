"""Areas under the ROC curve of a saliency map, for gaze maps as densities."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    MOST_PIXELS,
    as_count,
    as_generator,
    as_map,
    as_tolerance,
    finite_extremes,
    require_same_shape,
    weight_sums,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.auc.areas import area_of_pair, areas
from gazesal.kernels.auc.ranks import auc_from_sorted
from gazesal.kernels.sampling import locate
from gazesal.maps.area import weights_of
from gazesal.maps.constancy import constant, is_constant
from gazesal.metrics.area import takes_area
from gazesal.typing import Float64Array, FloatArray, IntArray, RandomState, WeightArray

__all__ = ["auc_borji", "sauc"]

SMALLEST = 1e-250  # sum of weights below which they are scaled up
SCALE_UP = 700  # as a power of two


@takes_area()
def auc_borji(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    *,
    n_samples: int | None = None,
    rng: RandomState | None = None,
    tolerance: float | None = None,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the AUC of a saliency map for a gaze *map*, with uniform negatives (Borji's AUC).

    For fixations as points, use `auc` or `auc_judd`. The AUC is the probability that the saliency
    map is higher at a pixel chosen from the gaze than at a pixel chosen at random. Ties count one
    half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map: the weight of each pixel as a positive, non-negative, any scale. See
        `gaze_heatmap`. Fixations (N, 2) are refused.
    n_samples : int, optional
        Number of positives, and of negatives, to sample, 1000 in Bigolin Lanfredi et al. (2021).
        By default the value is exact.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the samples, required with `n_samples` and otherwise unused. A Generator is
        advanced.
    tolerance : float, optional
        Largest error of the value, between 0 and 1. Larger maps are then not sorted in full, which
        takes less time; see Notes. By default the value is exact.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, which is also the exact score of a saliency
        map that is constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty or holds NaN or infinity, the shapes differ, the gaze map has
        a negative value or no positive one, `n_samples` is less than 1, `rng` is missing,
        or `tolerance` is not between 0 and 1 or comes with `n_samples`.
    TypeError
        If a map does not hold real numbers, or is masked, or `n_samples` is not an integer.

    Warns
    -----
    UndefinedMetricWarning
        If the saliency map is constant only up to rounding. Its ranks would be the ranks of
        rounding errors, so all pixels count as ties. See `ncc` for the rule.

    See Also
    --------
    auc : The AUC for fixations as points.
    sauc : Negatives from the center bias.

    Notes
    -----
    With pixels :math:`V^+` sampled from the gaze map and :math:`V^-` uniformly from all pixels,

    .. math:: \mathrm{AUC} = P(S(V^+) > S(V^-)) + \tfrac12 P(S(V^+) = S(V^-))
              = \sum_v p_v \Bigl(\sum_{u<v} q_u + \tfrac12 q_v\Bigr),

    where :math:`p_v` and :math:`q_v` are the shares of gaze and of pixels at saliency value
    :math:`v`. This is the area of :footcite:t:`borji2013` as :footcite:t:`bigolin2021` use it
    (section 3.2): on gaze maps as densities, not on fixated pixels. No strictly increasing function
    of the saliency map changes it. The sampled form is unbiased, with a standard deviation near
    0.01 for one image and 1000 samples. Other code uses thresholds at steps of 0.1, so that its
    number also depends on the scale of the map.

    The exact value is within 1e-9 of the true one for any finite input of up to :math:`2^{31}`
    pixels.

    With a `tolerance` :math:`\epsilon`, pixels fall into some :math:`0.6/\epsilon` bins by rank,
    and the pixels of one bin count as ties. Let :math:`P_b` and :math:`Q_b` be the shares of
    positives and negatives in bin :math:`b`, and :math:`p_i` and :math:`q_i` the shares at pixel
    :math:`i`. The error is at most :math:`\tfrac12 \sum_b (P_b Q_b - \sum_{i \in b} p_i q_i)`,
    because a pixel is a true tie with itself. It is also at most :math:`\tfrac12 \sum_b P_b Q_b`
    over the bins that hold more than one value. The smaller sum is computed with the area,
    including the rounding of the weights. If it exceeds :math:`\epsilon`, finer bins are tried if
    they may help, and otherwise all pixels are sorted, so that the value is within :math:`\epsilon`
    for any input. Gaze on few pixels and maps with many ties may therefore take longer than without
    a tolerance. Small maps, and maps with a tolerance below 9.5e-7, are sorted at once.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    >>> gaze_map = [[0, 0, 3], [0, 1, 0]]
    >>> gazesal.auc_borji(saliency_map, gaze_map)
    0.8125
    >>> sampled = gazesal.auc_borji(saliency_map, gaze_map, n_samples=100_000, rng=0)
    >>> abs(sampled - 0.8125) < 0.005
    True
    """
    saliency = as_map(saliency_map, name="saliency_map")
    gaze = _as_gaze_map(gaze_map, saliency.shape, instead="auc")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    weights = weights_of(area)
    bias = None
    if weights is not None:
        gaze, bias = gaze * weights, np.asarray(weights).reshape(gaze.shape)
    return _density_auc(saliency, gaze, bias, n_samples=n_samples, rng=rng, tolerance=tolerance)


@takes_area()
def sauc(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    center_bias: ArrayLike,
    *,
    n_samples: int | None = None,
    rng: RandomState | None = None,
    tolerance: float | None = None,
    area: ArrayLike | None = None,
) -> float:
    r"""Compute the shuffled AUC (sAUC) of a saliency map for a gaze *map* and a center bias.

    For fixations as points, use `auc_shuffled`. The sAUC is the probability that the saliency map
    is higher at a pixel chosen from the gaze on this image than at a pixel chosen from the gaze on
    all images. Ties count one half.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map of this image: the weight of each pixel as a positive, non-negative, any scale.
        See `gaze_heatmap`. Fixations (N, 2) are refused.
    center_bias : array_like of float, shape (H, W)
        Gaze on all images: the weight of each pixel as a negative, non-negative, any scale. See
        `CenterBias`.
    n_samples : int, optional
        Number of positives, and of negatives, to sample, 1000 in Bigolin Lanfredi et al. (2021).
        By default the value is exact.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the samples, required with `n_samples` and otherwise unused. A Generator is
        advanced.
    tolerance : float, optional
        Largest error of the value, between 0 and 1. Larger maps are then not sorted in full, which
        takes less time; see `auc_borji`. By default the value is exact.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5, which is also the exact score of a saliency
        map that is constant, exactly or up to rounding.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, the shapes differ, the gaze map or
        the center bias has a negative value or no positive one, `n_samples` is less than 1,
        `rng` is missing, or `tolerance` is not between 0 and 1 or comes with `n_samples`.
    TypeError
        If a map does not hold real numbers, or is masked, or `n_samples` is not an integer.

    Warns
    -----
    UndefinedMetricWarning
        If the saliency map is constant only up to rounding. Its ranks would be the ranks of
        rounding errors, so all pixels count as ties. See `ncc` for the rule.

    See Also
    --------
    auc_shuffled : The sAUC for fixations as points.
    auc_borji : Negatives uniform over the image.
    sncc : The shuffled metric on correlations.

    Notes
    -----
    .. math:: \mathrm{sAUC} = P(S(V^+) > S(V^-)) + \tfrac12 P(S(V^+) = S(V^-))
              = \sum_v p_v \Bigl(\sum_{u<v} b_u + \tfrac12 b_v\Bigr),

    as in `auc_borji`, with the negatives :math:`V^-` from the center bias: :math:`p_v` and
    :math:`b_v` are the shares of gaze and of the center bias at saliency value :math:`v` (section
    3.2 of :footcite:t:`bigolin2021`). A saliency map equal to the center bias does not score 0.5 on
    one image. It does on average over the images from which the bias was made, because the bias is
    the average of their gaze maps and the AUC is linear in the gaze map.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    >>> gaze_map = [[0, 0, 3], [0, 1, 0]]
    >>> center_bias = [[1, 1, 1], [1, 4, 1]]
    >>> round(gazesal.sauc(saliency_map, gaze_map, center_bias), 4)
    0.8333
    >>> gazesal.sauc(saliency_map, center_bias, center_bias)
    0.5
    """
    saliency = as_map(saliency_map, name="saliency_map")
    gaze = _as_gaze_map(gaze_map, saliency.shape, instead="auc_shuffled")
    bias = as_map(center_bias, name="center_bias")
    require_same_shape(saliency, gaze, names=("saliency_map", "gaze_map"))
    require_same_shape(saliency, bias, names=("saliency_map", "center_bias"))
    weights = weights_of(area)
    if weights is not None:
        gaze, bias = gaze * weights, bias * weights
    return _density_auc(saliency, gaze, bias, n_samples=n_samples, rng=rng, tolerance=tolerance)


def exact_area(
    saliency: FloatArray, positives: FloatArray, negatives: FloatArray | None = None
) -> float:
    """Return the area by its definition: the sum of p times (below + half of the ties).

    The kernels compute exactly this without a full sort, and in less memory.
    """
    values, level_of = np.unique(saliency, return_inverse=True)
    uniform = np.ones(saliency.size) if negatives is None else negatives.ravel()
    p = np.bincount(level_of.ravel(), positives.ravel().astype(np.float64), len(values))
    q = np.bincount(level_of.ravel(), uniform.astype(np.float64), len(values))
    p, q = p / p.sum(), q / q.sum()
    below = np.cumsum(q) - q
    return float((p * (below + q / 2)).sum())


def _as_gaze_map(value: ArrayLike, shape: tuple[int, ...], *, instead: str) -> FloatArray:
    """Return a gaze map, or raise if it looks like fixations (N, 2)."""
    gaze = as_map(value, name="gaze_map")
    if gaze.shape[1] == 2 and gaze.shape != shape:
        raise ValueError(
            f"`gaze_map` must be a map of the shape of `saliency_map`, {shape}, got shape "
            f"{gaze.shape}, as of fixations (N, 2). Use `{instead}` for fixations, or make a map "
            "with `gaze_heatmap`."
        )
    return gaze


def _density_auc(
    saliency: FloatArray,
    gaze: FloatArray,
    bias: FloatArray | None,
    *,
    n_samples: int | None,
    rng: RandomState | None,
    tolerance: float | None,
) -> float:
    """Return the AUC of positives weighted by `gaze` and negatives by `bias`, or uniform ones.

    `exact_area` has the formula.
    """
    values = saliency.ravel()
    extremes = finite_extremes(values, name="saliency_map")
    values, extremes = without_rounding(values, extremes)
    within = as_tolerance(tolerance, name="tolerance")
    if within is not None and n_samples is None:
        # The kernel checks the weights while it reads them. If it finds no area within the
        # tolerance, they are checked below.
        weights = gaze.ravel(), None if bias is None else bias.ravel()
        found = area_of_pair(values, extremes, *weights, within)
        if found is not None:
            return found
    positive, positive_sums = as_weights(gaze.ravel(), name="gaze_map")
    negative, negative_sums = None, np.array([float(values.size)])
    if bias is not None:
        negative, negative_sums = as_weights(bias.ravel(), name="center_bias")
    if n_samples is not None:
        if within is not None:
            raise ValueError(
                f"`tolerance` must be None with `n_samples`, got {tolerance!r}. Leave one of the "
                "two out, because a sampled AUC has no largest error."
            )
        size = as_count(n_samples, name="n_samples", most=MOST_PIXELS)
        generator = as_generator(rng, why="with `n_samples`")
        above = draw_pixels(positive, positive_sums, size, generator)
        if negative is None:
            below = generator.integers(0, values.size, size)
        else:
            below = draw_pixels(negative, negative_sums, size, generator)
        return auc_from_sorted(
            np.sort(values[above]).astype(np.float64), np.sort(values[below]).astype(np.float64)
        )
    area = areas(
        values,
        extremes,
        [positive],
        np.array([positive_sums.sum()]),
        [negative],
        [float(negative_sums.sum())],
        None,
        None,
    )
    return float(area[0, 0])


def without_rounding(
    values: FloatArray, extremes: tuple[float, float]
) -> tuple[FloatArray, tuple[float, float]]:
    """Make a saliency map constant, with a warning, if it is constant only up to rounding.

    Its ranks are the ranks of rounding errors, so its area would be chance with noise.
    """
    lowest, highest = extremes
    if lowest == highest or not is_constant(values, lowest, highest):
        return values, extremes
    warn(
        f"AUC counts all pixels as ties: `saliency_map` is {constant(values)}.",
        UndefinedMetricWarning,
    )
    return np.full_like(values, lowest), (lowest, lowest)


def as_weights(weights: FloatArray, *, name: str) -> tuple[FloatArray, Float64Array]:
    """Check weights and return them with the sums of their blocks, both in one pass."""
    sums, total = weight_sums(weights, name=name)
    # Halves and shares of a smaller sum may underflow. A power of two changes no digit.
    if total < SMALLEST:
        return np.ldexp(weights, SCALE_UP, dtype=np.float64), np.ldexp(sums, SCALE_UP)
    return weights, sums


def draw_pixels(
    weights: WeightArray, block_sums: Float64Array, size: int, generator: np.random.Generator
) -> IntArray:
    """Sample `size` pixel indices, ascending, each with probability proportional to its weight."""
    total = np.cumsum(block_sums)[-1]  # from left to right, because the kernel adds them so
    targets = np.sort(generator.random(size)) * total
    return locate(weights, block_sums, np.minimum(targets, np.nextafter(total, 0.0)))
