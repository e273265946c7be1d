"""Sums over pairs of points, for kernel density estimates."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray

SMALLEST = 1e-280  # share of a kernel's peak; smaller terms do not change a sum of normal numbers
LANES = 4  # partial sums in parallel, so that the compiler can vectorize them


@kernel
def _distances(points: Float64Array, x: float, y: float, out: Float64Array) -> None:
    """Set `out` to the squared distances of points from (x, y)."""
    for j in range(points.shape[0]):
        across = points[j, 0] - x
        down = points[j, 1] - y
        out[j] = across * across + down * down


@kernel
def _gaussians(distances: Float64Array, rate: float, out: Float64Array) -> None:
    """Set `out` to the exponentials of the distances times a rate."""
    for j in range(distances.size):
        out[j] = np.exp(rate * distances[j])


@kernel
def _square(terms: Float64Array) -> None:
    """Square in place, with tiny values set to 0, because subnormal numbers are slow."""
    for j in range(terms.size):
        term = terms[j] * terms[j]
        terms[j] = term if term >= SMALLEST else 0.0


@kernel
def _add_terms(
    terms: Float64Array, weights: Float64Array, weight: float, sums: Float64Array
) -> float:
    """Add the terms times `weight` to `sums`, and return the sum of the terms times `weights`."""
    lane_0 = lane_1 = lane_2 = lane_3 = 0.0
    whole = terms.size - terms.size % LANES
    for j in range(0, whole, LANES):
        lane_0 += weights[j] * terms[j]
        lane_1 += weights[j + 1] * terms[j + 1]
        lane_2 += weights[j + 2] * terms[j + 2]
        lane_3 += weights[j + 3] * terms[j + 3]
    for j in range(whole, terms.size):
        lane_0 += weights[j] * terms[j]
    for j in range(terms.size):
        sums[j] += weight * terms[j]
    return (lane_0 + lane_1) + (lane_2 + lane_3)


@kernel
def left_out_kernel_sums(
    points: Float64Array, weights: Float64Array, starts: IntArray, bandwidths: Float64Array
) -> Float64Array:
    """Sum, at each point, the Gaussians of peak 1 on the points of all other groups.

    `points` (N, 2) are sorted by group, and `starts` are the first index of each group and N.
    `bandwidths` descend. Returns an array (number of bandwidths, N). Each pair of points is visited
    once, for both points and all bandwidths. If a bandwidth is the one before divided by the root
    of two, its terms are the squares of the terms before. The default grid therefore needs one
    exponential per pair.
    """
    n_bandwidths = bandwidths.size
    rates = -0.5 / (bandwidths * bandwidths)
    sums = np.zeros((n_bandwidths, points.shape[0]))
    largest = 0
    for group in range(starts.size - 1):
        largest = max(largest, starts[group + 1] - starts[group])
    distances, terms = np.empty(largest), np.empty(largest)
    for group in range(starts.size - 1):
        for other in range(group + 1, starts.size - 1):
            first, last = starts[other], starts[other + 1]
            there = distances[: last - first]
            term = terms[: last - first]
            for i in range(starts[group], starts[group + 1]):
                _distances(points[first:last], points[i, 0], points[i, 1], there)
                for k in range(n_bandwidths):
                    if k > 0 and abs(rates[k] - 2.0 * rates[k - 1]) <= 4e-15 * abs(rates[k]):
                        _square(term)
                    else:
                        _gaussians(there, rates[k], term)
                    sums[k, i] += _add_terms(
                        term, weights[first:last], weights[i], sums[k, first:last]
                    )
    return sums
