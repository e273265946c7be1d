"""Many maps of one image at once, with shared work."""

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import (
    MOST_THREADS,
    as_choice,
    as_count,
    as_iterable,
    as_map,
    as_tolerance,
    finite_extremes,
    require_same_shape,
)
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.auc.areas import areas, sample_for
from gazesal.kernels.gram_matrix import PART, merged, part_products
from gazesal.maps.constancy import is_constant
from gazesal.metrics.auc import as_weights
from gazesal.metrics.correlation import LARGEST, SMALLEST, correlation
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.typing import Float64Array, FloatArray, WeightArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scores", "score"]

T = TypeVar("T")
S = TypeVar("S")
Maps: TypeAlias = Mapping[Any, ArrayLike] | Iterable[ArrayLike]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Scores of saliency maps against gaze maps of one image; see `score`.

    Attributes
    ----------
    values : numpy.ndarray of float64, shape (M, R, K)
        Score of each saliency map against each gaze map by each metric; ``nan`` where it is
        undefined or was not asked for.
    pairs : numpy.ndarray of bool, shape (M, R)
        Which saliency map was scored against which gaze map.
    saliency_maps : tuple of str or int
        Names of the M saliency maps: keys of the mapping given, else positions.
    gaze_maps : tuple of str or int
        Names of the R gaze maps.
    metrics : tuple of str
        Names of the K metrics.
    """

    values: Float64Array
    pairs: NDArray[np.bool_]
    saliency_maps: tuple[Any, ...]
    gaze_maps: tuple[Any, ...]
    metrics: tuple[str, ...]

    def __repr__(self) -> str:
        """Means over the gaze maps, a row for each saliency map."""
        n_scores = int(self.pairs.sum()) * len(self.metrics)
        head = (
            f"Scores of {len(self.saliency_maps)} saliency maps against "
            f"{len(self.gaze_maps)} gaze maps: {n_scores}, means over gaze maps:"
        )
        width = max(len(str(name)) for name in self.saliency_maps)
        lines = [" " * width + "".join(f"{metric:>11}" for metric in self.metrics)]
        for name, row, asked in zip(self.saliency_maps, self.values, self.pairs, strict=True):
            means = row[asked].mean(axis=0) if asked.any() else np.full(len(self.metrics), np.nan)
            lines.append(f"{name!s:<{width}}" + "".join(f"{mean:11.4f}" for mean in means))
        return "\n".join([head, *lines])

    def to_frame(self) -> "pd.DataFrame":
        """Return one row a score: saliency_map, gaze_map, metric, score.

        Returns
        -------
        pandas.DataFrame
            The scores of the pairs asked for, in the order of `values`.
        """
        import pandas as pd  # noqa: PLC0415 (slow to import, and only used here)

        rows = [
            (saliency_map, gaze_map, metric, self.values[i, j, k])
            for i, saliency_map in enumerate(self.saliency_maps)
            for j, gaze_map in enumerate(self.gaze_maps)
            if self.pairs[i, j]
            for k, metric in enumerate(self.metrics)
        ]
        return pd.DataFrame(rows, columns=["saliency_map", "gaze_map", "metric", "score"])


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
    tested = _as_maps(saliency_maps, name="saliency_maps")
    truths = _as_maps(gaze_maps, name="gaze_maps")
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
    labels = [*_labels(tested, "saliency_maps"), *_labels(truths, "gaze_maps")]
    if bias is not None and shuffled:
        everything.append(bias)
        labels.append("center_bias")
    for label, array in zip(labels, everything, strict=True):
        require_same_shape(everything[0], array, names=(labels[0], label))
    asked = _as_pairs(pairs, (len(tested), len(truths)))
    flat = [array.ravel() for array in everything]
    ranges = [finite_extremes(array, name=label) for array, label in zip(flat, labels, strict=True)]
    constant = [is_constant(array, *ends) for array, ends in zip(flat, ranges, strict=True)]
    values = np.full((*asked.shape, len(names)), np.nan)
    job = _Job(flat, labels, ranges, constant, len(tested), len(truths), asked, names, n_threads)
    if set(names) & {"ncc", "sncc"}:
        _correlate(job, values)
    if set(names) & {"auc_borji", "sauc"}:
        _measure_areas(job, values, within)
    return Scores(
        values=values,
        pairs=asked,
        saliency_maps=tuple(tested),
        gaze_maps=tuple(truths),
        metrics=names,
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be computed; maps are flat, saliency maps first, then gaze maps, then bias.

    Maps go by position: two names may read alike, as those of a class with a short `repr` do.
    """

    maps: list[FloatArray]
    labels: list[str]
    ranges: list[tuple[float, float]]
    constant: list[bool]  # exactly or up to rounding
    n_tested: int
    n_truths: int
    asked: NDArray[np.bool_]
    metrics: tuple[str, ...]
    n_threads: int

    def run(self, function: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Apply a function to all items, in as many threads as asked for; results in order."""
        if self.n_threads == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(self.n_threads) as pool:
            return list(pool.map(function, items))


def _correlate(job: _Job, values: Float64Array) -> None:
    """Set the correlations, from the products of the pairs that are needed."""
    labels = job.labels
    with_bias = "sncc" in job.metrics
    n_maps = job.n_tested + job.n_truths + with_bias
    constant = job.constant
    wanted = np.pad(job.asked, ((0, 0), (0, int(with_bias))))
    if with_bias:
        wanted[:, -1] = job.asked.any(axis=1)
    found = np.argwhere(wanted)
    found[:, 1] += job.n_tested
    diagonal = np.repeat(np.arange(n_maps), 2).reshape(-1, 2)
    pairs = np.ascontiguousarray(np.concatenate([diagonal, found]), dtype=np.int64)
    maps = job.maps[:n_maps]
    starts = range(0, maps[0].size, PART)
    parts = job.run(lambda start: part_products(maps, pairs, start), starts)
    products = merged(parts, pairs)
    squares = products[:n_maps]
    r = np.full(wanted.shape, np.nan)
    for (i, j), product in zip(found.tolist(), products[n_maps:].tolist(), strict=True):
        if constant[i] or constant[j]:
            continue
        if all(SMALLEST < squares[k] < LARGEST for k in (i, j)):
            r[i, j - job.n_tested] = product / math.sqrt(squares[i] * squares[j])
        else:  # one by one, brought to a scale at which squares are finite
            r[i, j - job.n_tested] = correlation(maps[i], maps[j], names=(labels[i], labels[j]))
    r = np.clip(r, -1.0, 1.0)
    plain = np.where(job.asked, r[:, : job.n_truths], np.nan)
    for k, name in enumerate(job.metrics):
        if name == "ncc":
            values[:, :, k] = plain
        elif name == "sncc":
            values[:, :, k] = plain - r[:, -1:]
    undefined = [k for k in range(n_maps) if constant[k] and _is_asked(job, k)]
    if undefined:
        which = " and ".join(name for name in job.metrics if name in ("ncc", "sncc"))
        exact = all(job.ranges[k][0] == job.ranges[k][1] for k in undefined)
        how = "constant" if exact else "constant, exactly or up to rounding"
        listed = ", ".join(f"`{labels[k]}`" for k in undefined)
        warn(
            f"{which} undefined where a map is {how}: {listed}.",
            UndefinedMetricWarning,
            stacklevel=3,
        )


def _is_asked(job: _Job, k: int) -> bool:
    """Whether any score depends on the map at a position of the job."""
    if k < job.n_tested:
        return bool(job.asked[k].any())
    if k < job.n_tested + job.n_truths:
        return bool(job.asked[:, k - job.n_tested].any())
    return bool(job.asked.any())


def _measure_areas(job: _Job, values: Float64Array, tolerance: float | None) -> None:
    """Set the areas, one saliency map after another."""
    n_pixels = job.maps[0].size
    used = np.asarray(job.asked.any(axis=0))
    positives: list[FloatArray] = []
    sums = np.ones(job.n_truths)
    for j, gaze in enumerate(job.maps[job.n_tested : job.n_tested + job.n_truths]):
        weights = gaze
        if used[j]:
            weights, block_sums = as_weights(gaze, name=job.labels[job.n_tested + j])
            sums[j] = block_sums.sum()
        positives.append(weights)
    negatives: list[WeightArray | None] = []
    totals: list[float] = []
    columns = []
    for k, name in enumerate(job.metrics):
        if name == "auc_borji":
            negatives.append(None)
            totals.append(float(n_pixels))
            columns.append(k)
        elif name == "sauc":
            bias, block_sums = as_weights(job.maps[-1], name="center_bias")
            negatives.append(bias)
            totals.append(float(block_sums.sum()))
            columns.append(k)
    chosen = [weights for weights, use in zip(positives, used, strict=True) if use]
    sample = sample_for(tolerance, chosen, negatives, n_pixels)

    def one_map(i: int) -> Float64Array | None:
        where = np.flatnonzero(job.asked[i])
        if where.size == 0:
            return None
        if job.constant[i]:  # also if its pixels differ by rounding: all of them tie
            return np.full((where.size, len(negatives)), 0.5)
        return areas(
            job.maps[i],
            job.ranges[i],
            [positives[j] for j in where],
            sums[where],
            negatives,
            totals,
            tolerance,
            sample,
        )

    for i, found in enumerate(job.run(one_map, range(job.n_tested))):
        if found is not None:
            values[i][np.ix_(job.asked[i], columns)] = found
    rounded = [
        f"`{job.labels[i]}`"
        for i in range(job.n_tested)
        if job.constant[i] and job.ranges[i][0] < job.ranges[i][1] and _is_asked(job, i)
    ]
    if rounded:
        warn(
            "AUC counts all pixels as ties where a map is constant up to rounding: "
            f"{', '.join(rounded)}.",
            UndefinedMetricWarning,
            stacklevel=3,
        )


def as_names(metrics: Sequence[str]) -> list[str]:
    """Return the names of the metrics, at least one, none twice."""
    names = list(as_iterable(metrics, name="metrics", of="names"))
    if not names or len(set(map(str, names))) < len(names):
        raise ValueError(f"`metrics` must name at least one metric, each once, got {names!r}.")
    return names


def _as_maps(maps: Maps, *, name: str) -> dict[Any, FloatArray]:
    """Return maps by name, those of an iterable by position."""
    if _is_one_map(maps):
        raise TypeError(f"`{name}` must be a list or a mapping of maps, got one map; write [it].")
    if not isinstance(maps, Mapping):
        maps = dict(enumerate(as_iterable(maps, name=name, of="maps")))
    if not maps:
        raise ValueError(f"`{name}` must hold at least one map, got none.")
    return {key: as_map(value, name=f"{name}[{key!r}]") for key, value in maps.items()}


def _is_one_map(maps: Any) -> bool:
    """Whether something is an array of two dimensions, or lists of numbers in a list."""
    if isinstance(maps, (list, tuple)) and maps and isinstance(maps[0], (list, tuple)):
        return bool(maps[0]) and isinstance(maps[0][0], numbers.Real)
    return getattr(maps, "ndim", None) == 2


def _labels(maps: dict[Any, FloatArray], name: str) -> list[str]:
    return [f"{name}[{key!r}]" for key in maps]


def _as_pairs(pairs: ArrayLike | None, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pairs are asked for, at least one."""
    if pairs is None:
        return np.ones(shape, np.bool_)
    try:
        asked = np.array(pairs)
    except ValueError as error:  # lists of different lengths
        raise ValueError(f"`pairs` must be a regular array of booleans: {error}") from error
    if asked.dtype != np.bool_:
        raise TypeError(f"`pairs` must be boolean, got dtype {asked.dtype}.")
    if asked.shape != shape:
        raise ValueError(
            f"`pairs` must have a row for each saliency map and a column for each gaze map, "
            f"{shape}, got shape {asked.shape}."
        )
    if not asked.any():
        raise ValueError("`pairs` must ask for at least one pair, got none.")
    return asked
