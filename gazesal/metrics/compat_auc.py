"""Areas under the ROC curve as the Matlab code of the benchmark at MIT computes them."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import MOST_PIXELS, as_count, as_flag, as_generator, as_number
from gazesal.maps.constancy import is_flat
from gazesal.metrics.compat_maps import map_and_fixated, to_range, undefined
from gazesal.metrics.densities import EPSILON
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import Float64Array, RandomState

__all__ = ["mit_auc_borji", "mit_auc_judd", "mit_auc_shuffled"]

JITTER = 1e-7  # largest noise added to a map to break ties


def mit_auc_judd(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    jitter: bool = True,
    rng: RandomState | None = None,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the AUC-Judd of the Matlab code of the benchmark at MIT.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite. Its scale matters with `jitter`.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixated pixel
        counts once.
    jitter : bool, default True
        Add noise, uniform in [0, 1e-7), to the unscaled map, as the code does.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the noise, required with `jitter` and otherwise unused. A Generator is advanced.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5 + 1/(2n + 2) for n fixated pixels.
        ``nan`` if the map is constant without `jitter`, or every pixel is fixated.

    Raises
    ------
    ValueError
        If an argument is invalid as for `auc_judd`, or `rng` is missing.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the score is ``nan``.

    See Also
    --------
    auc_judd : The exact area of the same pixels.

    Notes
    -----
    .. math:: \mathrm{AUC} = \sum_{i=0}^{n} (x_{i+1} - x_i)\,\frac{y_i + y_{i+1}}{2} , \qquad
              y_i = \frac in , \qquad x_i = \frac{|\{p : S(p) \ge S(f_i)\}| - i}{P - n}

    for the :math:`n` fixated pixels :math:`f_i` of :math:`P` pixels, sorted from the highest to the
    lowest value. The ends of the curve are :math:`x_0 = y_0 = 0` and
    :math:`x_{n+1} = y_{n+1} = 1`. At the :math:`i`-th fixated pixel, the code takes :math:`i/n` as
    the true positive rate, and the number of pixels at or above its value minus :math:`i` as the
    number of false positives. Both are wrong if values tie: a binary map with an exact area of
    0.76 scores 0.58 without jitter. The noise breaks ties. It also changes the order of pixels
    that differ by less than the noise, as in a map that sums to 1. The code is named after
    :footcite:t:`judd2009`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.3, 0.4]]
    >>> gazesal.compat.mit_auc_judd(saliency_map, [[2, 0], [1, 1]], jitter=False)
    0.9375
    >>> gazesal.auc_judd(saliency_map, [[2, 0], [1, 1]])
    0.875
    """
    saliency, pixels = map_and_fixated(saliency_map, fixations, outside)
    if as_flag(jitter, name="jitter"):
        generator = as_generator(rng, why="with `jitter`")
        saliency += JITTER * generator.random(saliency.shape)
    values = saliency.ravel()
    n_others = values.size - pixels.size
    if n_others == 0:
        return undefined("AUC", "every pixel is fixated")
    if is_flat(values):
        return undefined("AUC", values)
    values = to_range(values)
    fixated = np.sort(values[pixels])[::-1]
    hits = np.arange(1, pixels.size + 1)
    at_or_above = values.size - np.searchsorted(np.sort(values), fixated, side="left")
    return area_of_curve(hits / pixels.size, (at_or_above - hits) / n_others)


def mit_auc_borji(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    *,
    n_splits: int = 100,
    step: float = 0.1,
    rng: RandomState,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the AUC-Borji of the Matlab code of the benchmark at MIT.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixated pixel
        counts once.
    n_splits : int, default 100
        Number of samples of negatives to average over.
    step : float, default 0.1
        Step between thresholds, for the map scaled to [0, 1].
    rng : int, numpy.random.Generator or other seed
        Source of the samples. A Generator is advanced.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5. ``nan`` if the map is constant.

    Raises
    ------
    ValueError
        If an argument is invalid as for `auc`, `n_splits` is less than 1, `step` is not in (0, 1],
        or `rng` is missing.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the map is constant.

    See Also
    --------
    auc : The exact area against all pixels, which is higher for peaked maps.
    auc_borji : The exact area for a gaze map.

    Notes
    -----
    .. math:: \mathrm{AUC} = \frac1K \sum_{k=1}^K \sum_t (x_{k,t'} - x_{k,t})\,
              \frac{y_t + y_{t'}}{2} , \qquad
              y_t = \frac1n \sum_{i=1}^n [S(f_i) \ge t] , \qquad
              x_{k,t} = \frac1n \sum_{i=1}^n [S(r_{k,i}) \ge t]

    over :math:`K` splits, for the map :math:`S` scaled to [0, 1], the :math:`n` fixated pixels
    :math:`f_i`, and :math:`n` pixels :math:`r_{k,i}` sampled from all pixels with replacement
    :footcite:p:`borji2013`. The thresholds :math:`t` are 0, 0.1, 0.2, ..., and :math:`t'` is the
    next threshold below :math:`t`. The ends of the curve are (0, 0) and (1, 1). Because the grid is
    coarse, the score depends on the distribution of the values and not only on their order.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.3, 0.4]]
    >>> 0 < gazesal.compat.mit_auc_borji(saliency_map, [[2, 0], [1, 1]], rng=0) < 1
    True
    """
    saliency, pixels = map_and_fixated(saliency_map, fixations, outside)
    size, grid = _as_splits(n_splits, pixels.size), _as_step(step)
    generator = as_generator(rng, why="to draw negatives")
    if is_flat(saliency):
        return undefined("AUC", saliency)
    values = to_range(saliency).ravel()
    draws = generator.integers(0, values.size, (size, pixels.size))
    return _mean_grid_area(values[pixels], values[draws], grid)


def mit_auc_shuffled(
    saliency_map: ArrayLike,
    fixations: ArrayLike,
    other_fixations: ArrayLike,
    *,
    n_splits: int = 100,
    step: float = 0.1,
    rng: RandomState,
    outside: OutsidePoints = "raise",
) -> float:
    r"""Compute the shuffled AUC of the Matlab code of the benchmark at MIT.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, finite.
    fixations : array_like of float, shape (N, 2)
        Columns x and y in image pixels, pixel centers at integers. Each fixated pixel
        counts once.
    other_fixations : array_like of float, shape (M, 2)
        Fixations on other images, usually ten, in the pixels of this image.
    n_splits : int, default 100
        Number of samples of negatives to average over.
    step : float, default 0.1
        Step between thresholds, for the map scaled to [0, 1].
    rng : int, numpy.random.Generator or other seed
        Source of the samples. A Generator is advanced.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside the image, or drop them.

    Returns
    -------
    float
        In [0, 1], and higher is better. Chance is 0.5. ``nan`` if the map is constant.

    Raises
    ------
    ValueError
        If an argument is invalid as for `auc_shuffled`, `n_splits` is less than 1, `step` is not in
        (0, 1], or `rng` is missing.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the map is constant.

    See Also
    --------
    auc_shuffled : The exact area.
    mit_auc_borji : Negatives sampled from all pixels.

    Notes
    -----
    .. math:: \mathrm{sAUC} = \frac1K \sum_{k=1}^K \sum_t (x_{k,t'} - x_{k,t})\,
              \frac{y_t + y_{t'}}{2} , \qquad
              y_t = \frac1n \sum_{i=1}^n [S(f_i) \ge t] , \qquad
              x_{k,t} = \frac1m \sum_{j=1}^m [S(o_{k,j}) \ge t]

    as in `mit_auc_borji`, except for the negatives: in each split, :math:`m` negatives
    :math:`o_{k,j}` are sampled without replacement from the pixels fixated on other images, where
    :math:`m` is :math:`n` or the number of these pixels, if that is smaller
    :footcite:p:`borji2013`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[0.0, 0.2, 0.9], [0.1, 0.3, 0.4]]
    >>> gazesal.compat.mit_auc_shuffled(saliency_map, [[2, 0]], [[0, 0]], rng=0)
    1.0
    """
    saliency, pixels = map_and_fixated(saliency_map, fixations, outside)
    others = np.unique(
        fixated_pixels(other_fixations, saliency.shape, name="other_fixations", outside=outside)
    )
    size, grid = _as_splits(n_splits, pixels.size), _as_step(step)
    generator = as_generator(rng, why="to draw negatives")
    if is_flat(saliency):
        return undefined("AUC", saliency)
    values = to_range(saliency).ravel()
    orders = generator.permuted(np.broadcast_to(others, (size, others.size)), axis=1)
    draws = orders[:, : pixels.size]
    return _mean_grid_area(values[pixels], values[draws], grid)


def _as_splits(value: int, n_fixated: int) -> int:
    """Check `n_splits`. All samples together are limited, because they are held in memory."""
    return as_count(value, name="n_splits", most=MOST_PIXELS // n_fixated)


def _as_step(value: float) -> float:
    """Check `step`."""
    step = as_number(value, name="step", low=0.0, high=1.0)
    if step == 0.0:
        raise ValueError("`step` must be positive, got 0.")
    return step


def _mean_grid_area(positives: Float64Array, negatives: Float64Array, step: float) -> float:
    """Return the mean area over the rows of negatives, each against the same positives."""
    above, top = np.sort(positives), positives.max()
    areas = []
    for row in np.sort(negatives, axis=1):
        highest = max(top, row[-1])
        # Matlab's 0:step:highest includes `highest` if it is a multiple of `step` up to rounding.
        steps = np.arange(math.floor(highest / step * (1.0 + EPSILON)) + 1)
        thresholds = np.minimum(steps * step, highest)[::-1]
        hits, false_alarms = (
            1.0 - np.searchsorted(group, thresholds, side="left") / group.size
            for group in (above, row)
        )
        areas.append(area_of_curve(hits, false_alarms))
    return math.fsum(areas) / len(areas)


def area_of_curve(hits: Float64Array, false_alarms: Float64Array) -> float:
    """Return the area under straight lines from (0, 0) through the points to (1, 1)."""
    x = np.concatenate([[0.0], false_alarms, [1.0]])
    y = np.concatenate([[0.0], hits, [1.0]])
    return float(np.trapezoid(y, x))
