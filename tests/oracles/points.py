"""Areas on fixations, by counting every pair."""

import numpy as np

from tests.oracles.location import pixels_of, values_at
from tests.oracles.ranks import auc_of_points


def _all_values(saliency) -> list:
    return [value for row in np.asarray(saliency).tolist() for value in row]


def _unfixated(saliency, fixations) -> list:
    taken = set(pixels_of(saliency, fixations))
    rows = np.asarray(saliency).tolist()
    return [
        value for y, row in enumerate(rows) for x, value in enumerate(row) if (y, x) not in taken
    ]


def auc(saliency, fixations, negatives="all") -> float:
    """Fixations against all pixels, unfixated ones, or other points, `nan` without negatives."""
    if isinstance(negatives, str):
        others = _all_values(saliency) if negatives == "all" else _unfixated(saliency, fixations)
    else:
        others = values_at(saliency, negatives)
    if not others:
        return float("nan")
    return float(auc_of_points(values_at(saliency, fixations), others))


def auc_judd(saliency, fixations) -> float:
    """Each fixated pixel once against the unfixated ones."""
    rows = np.asarray(saliency).tolist()
    positives = [rows[y][x] for y, x in sorted(set(pixels_of(saliency, fixations)))]
    others = _unfixated(saliency, fixations)
    return float(auc_of_points(positives, others)) if others else float("nan")


def auc_shuffled(saliency, fixations, others) -> float:
    """Against other points."""
    return auc(saliency, fixations, others)


METRICS = {
    "auc": auc,
    "auc_judd": auc_judd,
    "auc_shuffled": auc_shuffled,
}
RISING, FIRST, LAST = np.arange(4.0)[None], [[0.0, 0.0]], [[3.0, 0.0]]
# arguments whose scores are the ends of the range
LOWEST = {
    "auc": (RISING, FIRST, LAST),
    "auc_judd": (RISING, FIRST),
    "auc_shuffled": (RISING, FIRST, LAST),
}
HIGHEST = {
    "auc": (RISING, LAST, FIRST),
    "auc_judd": (RISING, LAST),
    "auc_shuffled": (RISING, LAST, FIRST),
}
