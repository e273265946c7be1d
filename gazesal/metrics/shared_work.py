"""Correlations and areas of many maps of one image, computed together."""

import math

import numpy as np
from numpy.typing import NDArray

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.kernels.auc.areas import areas, sample_for
from gazesal.kernels.gram_matrix import PART, merged, part_products
from gazesal.metrics.auc import as_weights
from gazesal.metrics.correlation import LARGEST, SMALLEST, correlation
from gazesal.metrics.score_job import Job
from gazesal.metrics.shared_beyond_bias import BEYOND_BIAS, set_beyond_bias
from gazesal.typing import Float64Array, FloatArray, WeightArray

__all__ = ["AREAS", "CORRELATIONS", "correlate", "measure_areas"]

AREAS = ("auc_borji", "sauc")
CORRELATIONS = ("ncc", "sncc", *BEYOND_BIAS)


def correlate(job: Job, values: Float64Array) -> None:
    """Set the correlations, from the inner products of the pairs of maps that they need."""
    with_bias = bool(set(job.metrics) & {"sncc", *BEYOND_BIAS})
    beyond = [name for name in job.metrics if name in BEYOND_BIAS]
    n_maps = job.n_tested + job.n_truths + with_bias
    wanted = np.zeros((n_maps, n_maps), np.bool_)
    wanted[: job.n_tested, job.truths] = job.asked
    if with_bias:
        wanted[: job.n_tested, -1] = job.asked.any(axis=1)
    if beyond:
        wanted[job.truths, -1] = job.asked.any(axis=0)
    products = _products(job, wanted)
    r = _correlations(job, wanted, products)
    plain = r[: job.n_tested, job.truths]
    for k, name in enumerate(job.metrics):
        if name == "ncc":
            values[:, :, k] = plain
        elif name == "sncc":
            values[:, :, k] = plain - r[: job.n_tested, -1:]
    n_used = job.n_tested + job.n_truths + ("sncc" in job.metrics)
    undefined = [k for k in range(n_used) if job.constant[k] and job.is_asked(k)]
    job.warn_constant([name for name in job.metrics if name in ("ncc", "sncc")], undefined)
    if beyond:
        set_beyond_bias(job, products, r, values)


def _products(job: Job, wanted: NDArray[np.bool_]) -> Float64Array:
    """Return the centered products of the wanted pairs of maps, and of each map with itself."""
    n_maps = len(wanted)
    diagonal = np.repeat(np.arange(n_maps), 2).reshape(-1, 2)
    pairs = np.ascontiguousarray(np.concatenate([diagonal, np.argwhere(wanted)]), dtype=np.int64)
    maps = job.maps[:n_maps]
    starts = range(0, maps[0].size, PART)
    parts = job.run(lambda start: part_products(maps, pairs, start), starts)
    products = np.full(wanted.shape, np.nan)
    products[pairs[:, 0], pairs[:, 1]] = merged(parts, pairs)
    return products


def _correlations(job: Job, wanted: NDArray[np.bool_], products: Float64Array) -> Float64Array:
    """Return the correlations of the wanted pairs of maps, or `nan` if one map is constant."""
    squares = np.diag(products).tolist()
    r = np.full(wanted.shape, np.nan)
    for i, j in np.argwhere(wanted).tolist():
        if job.constant[i] or job.constant[j]:
            continue
        if all(SMALLEST < squares[k] < LARGEST for k in (i, j)):
            r[i, j] = products[i, j] / math.sqrt(squares[i] * squares[j])
        else:  # rarely needed, and scales the maps so that squares are finite
            names = (job.labels[i], job.labels[j])
            r[i, j] = correlation(job.maps[i], job.maps[j], names=names)
    return np.asarray(np.clip(r, -1.0, 1.0))


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
        if job.constant[i] and job.ranges[i][0] < job.ranges[i][1] and job.is_asked(i)
    ]
    if rounded:
        warn(
            "AUC counts all pixels as ties in maps that are constant up to rounding: "
            f"{', '.join(rounded)}.",
            UndefinedMetricWarning,
        )
