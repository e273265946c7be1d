"""Scores of many maps of one image, with shared work."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import (
    MOST_THREADS,
    as_count,
    as_map,
    as_tolerance,
    finite_extremes,
    require_same_shape,
)
from gazesal.maps.area import Area, as_area
from gazesal.maps.constancy import is_constant
from gazesal.metrics.area import require_area_metrics
from gazesal.metrics.map_lists import Maps, as_maps, as_pairs, labels_of
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.metrics.score_job import Job
from gazesal.metrics.scores import Scores
from gazesal.metrics.shared_work import AREAS, CORRELATIONS, correlate, measure_areas

__all__ = ["SHARED_METRICS", "score"]

SHARED_METRICS = (*CORRELATIONS, *AREAS)
"""Metrics that share work between maps. Others are called once per pair."""


def score(
    saliency_maps: Maps,
    gaze_maps: Maps,
    center_bias: ArrayLike | None = None,
    metrics: Sequence[str | Metric] = STUDY_METRICS,
    *,
    pairs: ArrayLike | None = None,
    tolerance: float | None = None,
    n_threads: int = 1,
    area: ArrayLike | Area | None = None,
) -> Scores:
    r"""Score many saliency maps of one image against many gaze maps, with shared work.

    Return the same numbers as `ncc`, `auc_borji`, `sncc`, `sauc`, `residual_ncc`, `residual_nss`
    and `semipartial_ncc` one by one, to 1e-12, in a fraction of the time. Each saliency map is
    sorted once for all gaze maps and all negatives, and all correlations come from one Gram matrix.
    Other metrics are called once per pair.

    Parameters
    ----------
    saliency_maps : mapping or iterable of array_like, each of shape (H, W)
        The M maps under test, any scale, finite. A mapping names them.
    gaze_maps : mapping or iterable of array_like, each of shape (H, W)
        The R ground truths, for instance the mean of the other readers for each reader
        (`one_vs_rest`). They must be finite, and non-negative if a metric uses them as weights.
    center_bias : array_like of float, shape (H, W), optional
        Gaze on all images, as a map. Required by all metrics that take one, such as ``"sncc"``.
    metrics : sequence of str or Metric, optional
        Metrics of gaze maps: names or aliases, or your own `Metric`. By default ``"ncc"``,
        ``"auc_borji"``, ``"sncc"`` and ``"sauc"``.
    pairs : array_like of bool, shape (M, R), optional
        True for each saliency map and gaze map to score against each other. By default all pairs.
        For one observer vs. the others, the map of each reader is paired only with the mean of the
        other readers, so that each row has one ``True``.
    tolerance : float, optional
        Largest error of each area; see `auc_borji`. By default all areas are exact.
    n_threads : int, optional
        Number of threads, 1 by default, because each process of `evaluate` has one core. The scores
        are the same to the bit for any number.
    area : array_like of bool or float, shape (H, W), optional
        Pixels that count: a mask that is true where they do, or a non-negative weight for each
        pixel. Pixels outside count in nothing and may be NaN. By default all pixels count. With a
        mask, the pixels of each map are selected once. With weights, each metric is called for
        each pair. See :ref:`area`.

    Returns
    -------
    Scores
        The scores with the names of maps and metrics.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or has another shape than the first.
        If weights for an area are negative or all zero. If there are no maps, a metric is unknown
        or needs fixations, or the center bias is missing. If `pairs` has another shape, or
        `tolerance` is not between 0 and 1.
    TypeError
        If a map does not hold real numbers, or is masked. If one map is given instead of several.
        If `pairs` is not boolean.

    Warns
    -----
    UndefinedMetricWarning
        Once, with the names of the maps, if correlations are undefined because a map is constant,
        exactly or up to rounding, or because a gaze map has nothing beyond the center bias. Once if
        areas count all pixels of a map as ties, because it is constant only up to rounding.

    See Also
    --------
    ncc : One correlation.
    sauc : One area against the center bias.
    evaluate : Many images.

    Notes
    -----
    For a saliency map :math:`S` and negatives with shares :math:`q`, the share of negatives below
    pixel :math:`i`, with ties counted one half, is

    .. math:: F(i) = \sum_{j : S_j < S_i} q_j + \tfrac12 \sum_{j : S_j = S_i} q_j .

    Then the area for gaze map :math:`p`, with shares summing to 1, is :math:`\sum_i p_i F(i)`. It
    is linear in the gaze map, and :math:`F` needs one sort of :math:`S` for any number of gaze
    maps.

    The correlation with the gaze minus the center bias follows from the inner products of the three
    maps. Its last digits differ from `residual_ncc`, by less than 1e-12. If more than 99 % of the
    squares of gaze map and center bias cancel, the difference is computed.

    Each thread works on one saliency map, and needs additional memory:

    - Without a tolerance, less than twice the bytes of the map and some megabytes: at 3056 x 2544,
      3 bytes per pixel in float32 and 4.5 in float64. If at least a sixteenth of the pixels have
      one value, these pixels are not sorted, and it needs less.
    - For one map with one gaze map and one area, the weights are copied as well: some 6 bytes per
      pixel in float32 and 13 in float64, which is also less than two maps.
    - With a tolerance, some 20 bytes for each of 1 / ``tolerance`` bins.
    - Maps of other types, and weights with a sum below 1e-250, are first copied to floats.

    The default metrics are from :footcite:t:`bigolin2021`. NCC is the CC of
    :footcite:t:`bylinskii2019`, and AUC is the area of :footcite:t:`borji2013`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> own = {"A": [[0, 0, 3], [0, 1, 0]], "B": [[0, 2, 2], [0, 0, 0]]}
    >>> own["C"] = [[0, 0, 1], [1, 0, 2]]
    >>> splits = gazesal.one_vs_rest(own.values())
    >>> rest = {reader: split.rest for reader, split in zip(own, splits, strict=True)}
    >>> methods = {"cam": [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]}
    >>> center_bias = [[1, 1, 1], [1, 4, 1]]
    >>> gazesal.score(methods, rest, center_bias)
    Scores of 1 saliency maps against 3 gaze maps: 12, means over gaze maps:
               ncc  auc_borji       sncc       sauc
    cam     0.8728     0.7292     1.0247     0.7500
    >>> own_rest = [[i == j for j in range(3)] for i in range(3)]
    >>> scores = gazesal.score(own, rest, center_bias, ["sauc"], pairs=own_rest)
    >>> scores.to_frame().round(3).to_dict("list")["score"]
    [0.493, 0.639, 0.611]
    """
    chosen = _require_map_metrics(as_metrics(metrics))
    names = tuple(metric.name for metric in chosen)
    n_threads = as_count(n_threads, name="n_threads", most=MOST_THREADS)
    within = as_tolerance(tolerance, name="tolerance")
    tested = as_maps(saliency_maps, name="saliency_maps")
    truths = as_maps(gaze_maps, name="gaze_maps")
    bias = None
    if center_bias is not None:
        bias = as_map(center_bias, name="center_bias")
    shuffled = [metric.name for metric in chosen if metric.needs_center_bias]
    if bias is None and shuffled:
        raise ValueError(
            f"`center_bias` must be given for {' and '.join(shuffled)}, got None. Give one, or "
            'write metrics=["ncc", "auc_borji"].'
        )
    everything = [*tested.values(), *truths.values()]
    labels = [*labels_of(tested, "saliency_maps"), *labels_of(truths, "gaze_maps")]
    if bias is not None and shuffled:
        everything.append(bias)
        labels.append("center_bias")
    for label, array in zip(labels, everything, strict=True):
        require_same_shape(everything[0], array, names=(labels[0], label))
    asked = as_pairs(pairs, (len(tested), len(truths)))
    valid = as_area(area, everything[0].shape)
    shared: tuple[str, ...] = SHARED_METRICS
    if valid is not None:
        require_area_metrics(chosen)
        everything = [valid.select(array) for array in everything]
        bias = everything[-1] if bias is not None and shuffled else None
        shared = () if valid.weights is not None else shared
    flat = [array.ravel() for array in everything]
    ranges = [finite_extremes(array, name=label) for array, label in zip(flat, labels, strict=True)]
    constant = [is_constant(array, *ends) for array, ends in zip(flat, ranges, strict=True)]
    values = np.full((*asked.shape, len(names)), np.nan)
    job = Job(flat, labels, ranges, constant, len(tested), len(truths), asked, names, n_threads)
    if shared and set(names) & set(CORRELATIONS):
        correlate(job, values)
    if shared and set(names) & set(AREAS):
        measure_areas(job, values, within)
    for k, metric in enumerate(chosen):
        if metric.name not in shared:
            options: dict[str, Any] = {}
            if valid is not None and valid.weights is not None:
                options["area"] = valid.weights[np.newaxis]
                if metric.can_sample:
                    options["tolerance"] = within
            for i, j in np.argwhere(asked).tolist():
                maps = [everything[i], everything[len(tested) + j], bias]
                values[i, j, k] = metric(*maps[: len(metric.arguments)], **options)
    return Scores(
        values=values,
        pairs=asked,
        saliency_maps=tuple(tested),
        gaze_maps=tuple(truths),
        metrics=names,
    )


def _require_map_metrics(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Raise unless every metric takes gaze maps and needs no option."""
    for metric in metrics:
        other = metric.needs not in {None, "center_bias"} or metric.required_options
        if metric.ground_truth != "map" or other or metric.random:
            lacking = [*metric.arguments[1:], *metric.required_options]
            raise ValueError(
                "`metrics` must be metrics of gaze maps that need no option, got "
                f"{metric.name!r}, which needs {' and '.join(f'`{each}`' for each in lacking)}. "
                "Call its function, or use `evaluate`."
            )
    return metrics
