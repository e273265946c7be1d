"""Correlations and areas of many maps of one image, computed together."""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.auc.areas import areas, sample_for
from gazesal.kernels.gram_matrix import PART, merged, part_products
from gazesal.metrics.auc import as_weights
from gazesal.metrics.correlation import LARGEST, SMALLEST, correlation
from gazesal.typing import Float64Array, FloatArray, WeightArray

__all__ = ["Job", "correlate", "measure_areas"]

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Job:
    """Maps of one image and the scores to compute from them.

    Maps are flat: saliency maps first, then gaze maps, then the center bias. They are identified by
    position, because two names may have the same text.
    """

    maps: list[FloatArray]
    labels: list[str]
    ranges: list[tuple[float, float]]
    constant: list[bool]  # True for each map that is constant, exactly or up to rounding
    n_tested: int
    n_truths: int
    asked: NDArray[np.bool_]
    metrics: tuple[str, ...]
    n_threads: int

    def run(self, function: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Apply a function to all items in `n_threads` threads, and return the results in order."""
        if self.n_threads == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(self.n_threads) as pool:
            return list(pool.map(function, items))


def correlate(job: Job, values: Float64Array) -> None:
    """Set the correlations, from the inner products of the pairs of maps that they need."""
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
        else:  # rarely needed, and scales the maps so that squares are finite
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
            f"{which} cannot be computed for maps that are {how}: {listed}.",
            UndefinedMetricWarning,
        )


def _is_asked(job: Job, k: int) -> bool:
    """Return whether any score depends on the map at a position of the job."""
    if k < job.n_tested:
        return bool(job.asked[k].any())
    if k < job.n_tested + job.n_truths:
        return bool(job.asked[:, k - job.n_tested].any())
    return bool(job.asked.any())


def measure_areas(job: Job, values: Float64Array, tolerance: float | None) -> None:
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
        if job.constant[i]:  # also if its pixels differ by rounding, because all of them are ties
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
            "AUC counts all pixels as ties in maps that are constant up to rounding: "
            f"{', '.join(rounded)}.",
            UndefinedMetricWarning,
        )
