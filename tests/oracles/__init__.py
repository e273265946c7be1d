"""Slow, obvious implementations that import nothing from the library they judge."""

from collections.abc import Callable

from tests.oracles import correlation, ranks

# metric name -> the same number from nested loops, arguments as the metric's
METRICS: dict[str, Callable] = {
    "ncc": correlation.ncc,
    "sncc": correlation.sncc,
    "auc_borji": ranks.weighted_auc,
    "sauc": ranks.weighted_auc,
}
