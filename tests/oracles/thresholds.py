"""Curves through thresholds as in other code, one threshold at a time."""

import itertools


def trapezoids(points) -> float:
    """Area under straight lines between (false alarms, hits)."""
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        area += (x1 - x0) * (y0 + y1) / 2
    return area


def matlab_judd(values, fixated) -> float:
    """`values` of all pixels and the indices of the fixated ones, each once."""
    low, high = min(values), max(values)
    values = [(value - low) / (high - low) for value in values]
    thresholds = sorted((values[i] for i in fixated), reverse=True)
    points = [(0.0, 0.0)]
    for i, threshold in enumerate(thresholds, 1):
        above = sum(value >= threshold for value in values)
        points.append(((above - i) / (len(values) - len(fixated)), i / len(fixated)))
    return trapezoids([*points, (1.0, 1.0)])


def pysaliency_judd(values, fixated) -> float:
    """Area with each fixation counted, under the curve through distinct values at fixations."""
    positives = [values[i] for i in fixated]
    negatives = [value for i, value in enumerate(values) if i not in set(fixated)]
    points = [(0.0, 0.0)]
    for threshold in sorted(set(positives), reverse=True):
        hits = sum(value >= threshold for value in positives) / len(positives)
        false_alarms = sum(value >= threshold for value in negatives) / len(negatives)
        points.append((false_alarms, hits))
    return trapezoids([*points, (1.0, 1.0)])


def grid_area(positives, negatives, thresholds) -> float:
    """One split of the Matlab code, for thresholds given from the lowest up."""
    points = [(0.0, 0.0)]
    for threshold in reversed(thresholds):
        hits = sum(value >= threshold for value in positives) / len(positives)
        false_alarms = sum(value >= threshold for value in negatives) / len(negatives)
        points.append((false_alarms, hits))
    return trapezoids([*points, (1.0, 1.0)])
