"""Directions of metrics, higher or lower is better, by name and label."""

from types import MappingProxyType

from gazesal.metrics.registry import METRICS

__all__ = ["higher_is_better"]

# The numbers of other people's code, which `evaluate` does not compute and METRICS does not hold.
# `tests/metrics/test_directions.py` fails if one of them is missing here.
OF_OTHERS = {
    "mit_auc_borji": True,
    "mit_auc_judd": True,
    "mit_auc_shuffled": True,
    "mit_ig": True,
    "mit_kl": False,
    "mit_nss": True,
    "mit_sim": True,
    "pysaliency_auc_judd": True,
    "pysaliency_kl": False,
}
DIRECTIONS = MappingProxyType(
    {metric.label: metric.higher_is_better for metric in METRICS.values()}
    | {name: metric.higher_is_better for name, metric in METRICS.items()}
    | OF_OTHERS
)


def higher_is_better(metric: object) -> bool | None:
    """Return the direction of a metric, or None if it is not known.

    Parameters
    ----------
    metric : str
        Name or label of a metric, such as ``"kl_divergence"``, ``"KL"`` or ``"mit_kl"``.

    Returns
    -------
    bool or None
        None for any other name. Callers then make no claim about which score is better.
    """
    return DIRECTIONS.get(str(metric))
