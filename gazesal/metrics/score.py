"""Many maps of one image at once, with shared work."""

from collections.abc import Sequence

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
from gazesal.maps.constancy import is_constant
from gazesal.metrics.map_lists import Maps, as_maps, as_pairs, labels_of
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.metrics.scores import Scores
from gazesal.metrics.shared_work import Job, correlate, measure_areas

__all__ = ["score"]


def score(
    saliency_maps: Maps,
    gaze_maps: Maps,
    center_bias: ArrayLike | None = None,
    metrics: Sequence[str] = STUDY_METRICS,
    *,
    pairs: ArrayLike | None = None,
    tolerance: float | None = None,
    n_threads: int = 1,
) -> Scores:
    r"""Score many saliency maps of one image against many gaze maps, with shared work.

    The same numbers as `ncc`, `auc_borji`, `sncc` and `sauc` one by one, to 1e-12, in a fraction
    of the time: each saliency map is ordered once for all gaze maps and all negatives, and every
    correlation comes from one Gram matrix.

    Parameters
    ----------
    saliency_maps : mapping or iterable of array_like, each of shape (H, W)
        The M maps under test, any scale, finite. A mapping names them.
    gaze_maps : mapping or iterable of array_like, each of shape (H, W)
        The R ground truths, for instance each reader's rest (`one_vs_rest`), finite, non-negative
        where a metric takes them as weights.
    center_bias : array_like of float, shape (H, W), optional
        Where people look at any image; required by ``"sncc"`` and ``"sauc"``.
    metrics : sequence of str, optional
        Which of ``"ncc"``, ``"auc_borji"``, ``"sncc"`` and ``"sauc"``, in which order.
    pairs : array_like of bool, shape (M, R), optional
        Which saliency map is scored against which gaze map; all by default. The row
        of one observer vs. the others is each reader's own map against that reader's rest only: a
        row of one ``True``.
    tolerance : float, optional
        How far each area may be from the exact one; see `auc_borji`. By default all are exact.
    n_threads : int, optional
        Threads to work in, 1 by default, as in `evaluate`, whose processes have a core each. The
        scores are the same to the bit for any number.

    Returns
    -------
    Scores
        The scores with the names of maps and metrics.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, or has another shape than the first;
        if weights for an area are negative or all zero; if there are no maps, a metric has another
        name, or the center bias is missing; if `pairs` has another shape; if `tolerance` is not
        between 0 and 1.
    TypeError
        If a map does not hold real numbers, or is masked; if one map is given in place of several;
        if `pairs` is not boolean.

    Warns
    -----
    UndefinedMetricWarning
        Once, naming the maps, if correlations are undefined because a map is constant, exactly or
        up to rounding; and once if areas count all pixels of a map as ties, because it is constant
        up to rounding only.

    See Also
    --------
    ncc : One correlation.
    sauc : One area against the center bias.
    evaluate : Many images.

    Notes
    -----
    For a saliency map :math:`S` and negatives with shares :math:`q`, let pixel :math:`i` beat the
    share

    .. math:: F(i) = \sum_{j : S_j < S_i} q_j + \tfrac12 \sum_{j : S_j = S_i} q_j .

    Then the area for gaze map :math:`p`, with shares summing to 1, is
    :math:`\sum_i p_i F(i)`: linear in the gaze map, and :math:`F` needs one ordering of
    :math:`S` whatever the number of gaze maps.

    Each thread works on one saliency map. Without a tolerance it needs less than twice the bytes of
    that map and some megabytes: at 3056 x 2544, 3 bytes a pixel in float32 and 4.5 in float64, and
    less where a sixteenth of the pixels or more have one value, which needs no order. Of one map
    with one gaze map and one area, the weights are written out too: some 6 bytes a pixel in float32
    and 13 in float64, less than two maps as well. With a tolerance, some 20 bytes for each of
    1 / ``tolerance`` bins. Maps of other types are copied to floats first, and so are weights that
    add up to less than 1e-250.

    The metrics are those of :footcite:t:`bigolin2021`, NCC the CC of :footcite:t:`bylinskii2019`
    and AUC the area of :footcite:t:`borji2013`.

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
    names = tuple(as_choice(name, STUDY_METRICS, name="metrics") for name in as_names(metrics))
    n_threads = as_count(n_threads, name="n_threads", most=MOST_THREADS)
    within = as_tolerance(tolerance, name="tolerance")
    tested = as_maps(saliency_maps, name="saliency_maps")
    truths = as_maps(gaze_maps, name="gaze_maps")
    bias = None
    if center_bias is not None:
        bias = as_map(center_bias, name="center_bias")
    shuffled = [name for name in names if name in ("sncc", "sauc")]
    if bias is None and shuffled:
        raise ValueError(
            f"`center_bias` must be given for {' and '.join(shuffled)}; without one, name the "
            'others: metrics=["ncc", "auc_borji"].'
        )
    everything = [*tested.values(), *truths.values()]
    labels = [*labels_of(tested, "saliency_maps"), *labels_of(truths, "gaze_maps")]
    if bias is not None and shuffled:
        everything.append(bias)
        labels.append("center_bias")
    for label, array in zip(labels, everything, strict=True):
        require_same_shape(everything[0], array, names=(labels[0], label))
    asked = as_pairs(pairs, (len(tested), len(truths)))
    flat = [array.ravel() for array in everything]
    ranges = [finite_extremes(array, name=label) for array, label in zip(flat, labels, strict=True)]
    constant = [is_constant(array, *ends) for array, ends in zip(flat, ranges, strict=True)]
    values = np.full((*asked.shape, len(names)), np.nan)
    job = Job(flat, labels, ranges, constant, len(tested), len(truths), asked, names, n_threads)
    if set(names) & {"ncc", "sncc"}:
        correlate(job, values)
    if set(names) & {"auc_borji", "sauc"}:
        measure_areas(job, values, within)
    return Scores(
        values=values,
        pairs=asked,
        saliency_maps=tuple(tested),
        gaze_maps=tuple(truths),
        metrics=names,
    )
