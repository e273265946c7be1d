"""Slow, obvious implementations that import nothing from the library they judge."""

from collections.abc import Callable

from tests.oracles import correlation, distribution, location, points, ranks

# metric name -> the same number from nested loops, with the arguments of the metric
METRICS: dict[str, Callable] = {
    "auc_borji": ranks.weighted_auc,
    "sauc": ranks.weighted_auc,
    **correlation.METRICS,
    **points.METRICS,
    **location.METRICS,
    **distribution.METRICS,
}
FAMILIES = (ranks, correlation, points, distribution)
LOWEST = {name: ends for family in FAMILIES for name, ends in family.LOWEST.items()}
HIGHEST = {name: ends for family in FAMILIES for name, ends in family.HIGHEST.items()}
