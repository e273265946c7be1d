"""What a reader of a summary must know of its metrics, from the registry."""

import math
from collections.abc import Callable, Sequence

from gazesal.evaluation.metric_calls import takes_distribution
from gazesal.evaluation.scoring import Options
from gazesal.maps.geometry import ReferenceFrame
from gazesal.metrics.registry import METRICS, Metric

__all__ = ["chance_words", "metric_words", "undefined_words"]

DENSITY_WORDS = {
    None: "maps divided by their sum",
    "sum": "maps divided by their sum",
    "shift": "maps less their smallest value, divided by the sum",
    "softmax": "exponentials of maps, divided by the sum",
}


def chance_words(metrics: Sequence[str]) -> str:
    """Chance levels, those that hold for every map apart from those of noise, and which have none.

    Parameters
    ----------
    metrics : sequence of str
        Names in the registry.

    Returns
    -------
    str
        Without a full stop.
    """
    levels: dict[str, list[str]] = {
        "for any map that holds nothing of its image": [],
        "for noise": [],
        "without a level, which depends on the maps": [],
    }
    for metric in (METRICS[name] for name in metrics):
        if math.isnan(metric.chance):
            levels["without a level, which depends on the maps"].append(metric.label)
        else:
            of_what = list(levels)[0 if metric.chance_of_any_map else 1]
            levels[of_what].append(f"{metric.label} {metric.chance:g}")
    return "; ".join(f"{', '.join(found)} {of_what}" for of_what, found in levels.items() if found)


def metric_words(options: Options) -> list[str]:
    """Lines about metrics that lower is better for, of points, and of distributions.

    Parameters
    ----------
    options : Options
        What an evaluation was made with.

    Returns
    -------
    list of str
        Sentences; none for the metrics of the study.
    """
    metrics = [METRICS[name] for name in options.metrics]
    lines = []

    def labels(which: Callable[[Metric], bool]) -> str:
        return ", ".join(metric.label for metric in metrics if which(metric))

    if found := labels(lambda metric: not metric.higher_is_better):
        lines.append(f"Lower is better: {found}.")
    if found := labels(lambda metric: metric.ground_truth == "points"):
        lines.append(
            f"Scored at the fixations of the observers whose mean is the ground truth, each once "
            f"and none outside the image: {found}."
        )
    if found := labels(lambda metric: metric.needs == "other_fixations"):
        how = "by their boxes" if isinstance(options.frame, ReferenceFrame) else "by place in the "
        how += "" if isinstance(options.frame, ReferenceFrame) else "image"
        lines.append(
            f"Compared with the fixations on all other images, brought onto each {how}: {found}."
        )
    if found := labels(lambda metric: metric.needs == "baseline"):
        lines.append(f"The baseline is the centre bias that the shuffled metrics take: {found}.")
    if found := labels(takes_distribution):
        lines.append(f"Of {DENSITY_WORDS[options.density]}: {found}.")
    if options.shrink is not None:
        lines.append(f"Mass was gathered in cells of {options.shrink} pixels: EMD.")
    return lines


def undefined_words(metric: Metric) -> str:
    """Why scores of a metric may be undefined.

    Parameters
    ----------
    metric : Metric
        Row of the registry.

    Returns
    -------
    str
        Without brackets.
    """
    constant = metric.constant_map is not None and math.isnan(metric.constant_map)
    reasons = ["a constant map"] if constant else []
    if metric.ground_truth == "points":
        reasons.append("no fixation, or nothing else, in the image")
    return " or ".join(reasons) or "no comparison"
