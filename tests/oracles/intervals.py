"""Intervals of a mean score, written out with plain loops."""

import itertools
import math
import statistics


def cluster_means(scores, clusters) -> list[float]:
    """Mean of each cluster, in order of first appearance."""
    groups: dict = {}
    for score, cluster in zip(scores, clusters, strict=True):
        groups.setdefault(cluster, []).append(score)
    return [statistics.fmean(group) for group in groups.values()]


def study(scores, clusters) -> tuple[float, float, float]:
    """Mean and 1.96 SD / sqrt(k), the SD pooled over all scores, k clusters."""
    k = len(set(clusters))
    mean = statistics.fmean(scores)
    half = 1.96 * statistics.stdev(scores) / math.sqrt(k)
    return mean, mean - half, mean + half


def normal_quantile(probability: float) -> float:
    """Normal quantile of a `probability` above one half, by bisection."""
    low, high = 0.0, 10.0
    for _ in range(100):
        middle = (low + high) / 2
        # the upper tail, whose small values keep their digits
        if math.erfc(middle / math.sqrt(2)) / 2 > 1 - probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def normal(scores, clusters, confidence_level=0.95) -> tuple[float, float, float]:
    """Mean of the cluster means and the normal quantile times their standard error."""
    means = cluster_means(scores, clusters)
    quantile = normal_quantile(0.5 + confidence_level / 2)
    mean = statistics.fmean(means)
    half = quantile * statistics.stdev(means) / math.sqrt(len(means))
    return mean, mean - half, mean + half


def bootstrap_distribution(scores, clusters) -> dict[float, float]:
    """Every equally likely resample of the clusters, and the probability of its mean."""
    means = cluster_means(scores, clusters)
    k = len(means)
    chances: dict[float, float] = {}
    for resample in itertools.product(range(k), repeat=k):
        # rounded, so that resamples which differ in order only are one value
        value = round(math.fsum(means[i] for i in resample) / k, 12)
        chances[value] = chances.get(value, 0.0) + 1.0 / k**k
    return chances


def quantile_of(chances: dict[float, float], probability: float) -> float:
    """Smallest value whose cumulative probability reaches `probability`."""
    reached = 0.0
    for value in sorted(chances):
        reached += chances[value]
        if reached >= probability - 1e-12:
            return value
    return max(chances)
