"""Sums over pairs of points, for kernel density estimates."""

import numpy as np

from gazesal.kernels._jit import kernel
from gazesal.typing import Float64Array, IntArray

SMALLEST = 1e-280  # of a kernel's peak; below it a term adds nothing to a sum of normal numbers
LANES = 4  # partial sums taken side by side, so that the compiler may vectorize them


@kernel
def _distances(points: Float64Array, x: float, y: float, out: Float64Array) -> None:
    """Set `out` to the squared distances of points from (x, y)."""
    for j in range(points.shape[0]):
        across = points[j, 0] - x
        down = points[j, 1] - y
        out[j] = across * across + down * down


@kernel
def _gaussians(distances: Float64Array, rate: float, out: Float64Array) -> None:
    for j in range(distances.size):
        out[j] = np.exp(rate * distances[j])


@kernel
def _square(terms: Float64Array) -> None:
    """Square in place; what is too small to matter is 0, for subnormal numbers are slow."""
    for j in range(terms.size):
        term = terms[j] * terms[j]
        terms[j] = term if term >= SMALLEST else 0.0


@kernel
def _add_terms(
    terms: Float64Array, weights: Float64Array, weight: float, sums: Float64Array
) -> float:
    """Add the terms, times the one weight, to `sums`; return their sum times their own weights."""
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
    """Sum, at each point, the Gaussians on the points of all other groups, peaks of height 1.

    `points` (N, 2) lie in groups, of which `starts` holds the first index of each and N.
    `bandwidths` descend. Returns (number of bandwidths, N). Each pair of points is met once, for
    both and for all bandwidths: where a bandwidth is the one before it divided by the root of
    two, its terms are the squares of those before, so the usual grid costs one exponential a pair.
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
