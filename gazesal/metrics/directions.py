"""Directions of metrics (higher or lower is better), by name or label."""

from gazesal.metrics.names import find_metric

__all__ = ["higher_is_better"]


def higher_is_better(metric: object) -> bool | None:
    """Return the direction of a metric, or None if it is not known.

    Parameters
    ----------
    metric : str
        Name or label of a metric, such as ``"kl_divergence"``, ``"KL"`` or ``"mit_kl"``.

    Returns
    -------
    bool or None
        None for an unknown name. Callers then make no claim about which score is better.
    """
    found = find_metric(metric)
    return None if found is None else found.higher_is_better
