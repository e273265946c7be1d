"""Standard deviation of the expected gaze map, from the covariances of a few observers."""

from __future__ import annotations

import math

import numpy as np

from gazesal.stats.noise_ceiling import mean_covariance
from gazesal.typing import Float64Array

__all__ = ["FEWEST_OBSERVERS", "deviation_of_expected_map"]

FEWEST_OBSERVERS = 3  # for which the sampling variance of the mean covariance can be estimated


def deviation_of_expected_map(covariances: Float64Array) -> float:
    """Estimate the standard deviation over the pixels of the mean of infinitely many observers.

    The root of the mean covariance C is corrected by the factor 1 + V / (8 C**2).
    """
    common = mean_covariance(covariances)
    if not common > 0:
        return 0.0
    n = len(covariances)
    if n < FEWEST_OBSERVERS:
        return math.sqrt(common)
    relative = covariances / common
    variance = _variance_with_three(relative) if n == FEWEST_OBSERVERS else _variance(relative)
    return math.sqrt(common) * (1 + min(max(variance / 8, -1.0), 1.0))


def _variance(covariances: Float64Array) -> float:
    """Estimate the sampling variance of the mean covariance of four or more observers."""
    n = len(covariances)
    pairs = covariances - np.diag(np.diag(covariances))
    total, rows = pairs.sum(), pairs.sum(axis=1)
    # products of all pairs, without the products that have one or both observers in common
    separate = total**2 - 4 * (rows @ rows) + 2 * (pairs**2).sum()
    mean = total / (n * (n - 1))
    return float(mean**2 - separate / (n * (n - 1) * (n - 2) * (n - 3)))


def _variance_with_three(covariances: Float64Array) -> float:
    """Estimate the sampling variance of the mean covariance of three observers.

    With deviations e from the expected map m, c_jk = mm + m e_j + m e_k + e_j e_k. The variance of
    the mean is 4/3 var(m e) + 1/3 var(e_j e_k), and the variance between the three pairs is
    var(m e) + var(e_j e_k). The last term is the squared covariance matrix of the deviations,
    summed over all pairs of pixels, with its unbiased estimate for a normal distribution.
    """
    between = float(np.var(covariances[np.triu_indices(3, 1)], ddof=1))
    centering = np.eye(3) - 1 / 3
    deviations = centering @ covariances @ centering / 2
    product = float((deviations**2).sum() - np.trace(deviations) ** 2 / 2)
    return 4 / 3 * between - product
