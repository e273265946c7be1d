"""State the facts about metrics and baselines that a summary needs beside its numbers."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER
from gazesal.evaluation.metric_calls import takes_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import metric_named

__all__ = [
    "baseline_words",
    "bought_sncc",
    "chance_words",
    "exactness_words",
    "metric_words",
    "undefined_words",
]

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
        "for any map that is the same for all images": [],
        "for noise": [],
        "without a level, which depends on the maps": [],
    }
    for metric in (metric_named(name) for name in metrics):
        if math.isnan(metric.chance):
            levels["without a level, which depends on the maps"].append(metric.label)
        else:
            of_what = list(levels)[0 if metric.chance_of_any_map else 1]
            levels[of_what].append(f"{metric.label} {metric.chance:g}")
    return "; ".join(f"{', '.join(found)} {of_what}" for of_what, found in levels.items() if found)


def baseline_words(summary: pd.DataFrame, *, in_sample: bool) -> list[str]:
    """Say what the rows of the observers and of the center bias bound, and what they do not.

    Parameters
    ----------
    summary : pandas.DataFrame
        A summary with the columns method, metric and estimate.
    in_sample : bool
        Whether the center bias of an image is made with its own gaze.

    Returns
    -------
    list of str
        Sentences.
    """
    methods, metrics = set(summary["method"]), set(summary["metric"])
    lines = []
    if INTEROBSERVER in methods:
        lines.append(
            "One observer vs. the others: the map of one observer against the mean of the rest. "
            "It is noisy, so it is not an upper bound: a map may score higher."
        )
    if "sncc" in metrics:
        words = "A map with an sNCC of 0 correlates as much with the center bias as with the gaze."
        bought = bought_sncc(summary)
        if bought is not None:
            words += (
                f" The center bias scores {-bought:.3f}, and its inverse, which looks at no image, "
                f"{bought:.3f}: an inverted map has the same sNCC with the other sign. So an sNCC "
                f"below {bought:.3f} does not by itself show that a map knows the image."
            )
        lines.append(words)
    if "sauc" in metrics and CENTER_BIAS in methods:
        words = "The sAUC of the center bias is expected at 0.5"
        if not in_sample:
            words += ", or below with few images, since each is left out of it"
        lines.append(words + ".")
    return lines


def bought_sncc(summary: pd.DataFrame) -> float | None:
    """Return the mean sNCC of the inverse of the center bias, which no image is needed for.

    sNCC is odd: the sNCC of an inverted map is minus that of the map, on every image. None if the
    summary has no such score.
    """
    own = summary[summary["metric"] == "sncc"].set_index("method")["estimate"].dropna()
    row = next((name for name in (CENTER_BIAS, IN_SAMPLE_BIAS) if name in own.index), None)
    return None if row is None else -float(own[row])


def exactness_words(options: EvaluationOptions) -> str:
    """How near the AUCs of a summary are to the exact ones; nothing where there are none.

    Parameters
    ----------
    options : EvaluationOptions
        What an evaluation was made with.

    Returns
    -------
    str
        A sentence and a space, or nothing.
    """
    areas = [metric for metric in options.chosen if metric.constant_map == 0.5]
    if not areas:
        return ""
    meant = [metric for metric in areas if metric.can_sample]
    others = len(areas) > len(meant)
    who = ", ".join(metric.label for metric in meant) if others else "AUCs"
    rest = "; other AUCs are exact" if others else ""
    if options.n_samples is not None:
        return f"{who} are sampled, {options.n_samples} pixels a side{rest}. "
    if options.tolerance is not None:
        return f"{who} are within {options.tolerance:g} of the exact ones{rest}. "
    return "AUCs are exact. "


def metric_words(options: EvaluationOptions, *, boxes: bool) -> list[str]:
    """Lines about metrics that lower is better for, of points, and of distributions.

    Parameters
    ----------
    options : EvaluationOptions
        What an evaluation was made with.
    boxes : bool
        Whether its images have boxes.

    Returns
    -------
    list of str
        Sentences; none for the metrics of the study.
    """
    metrics = list(options.chosen)
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
        how = "by their boxes" if boxes else "by place in the image"
        group = "" if options.leave_out is None else f" of another {options.leave_out}"
        lines.append(
            f"Compared with the fixations on all other images{group}, brought onto each {how}: "
            f"{found}."
        )
    if found := labels(lambda metric: metric.needs == "baseline"):
        lines.append(f"The baseline is the center bias that the shuffled metrics take: {found}.")
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
    if takes_distribution(metric):
        reasons.append("a map that leaves no density")
    if metric.ground_truth == "points":
        reasons.append("no fixation, or nothing else, in the image")
    return " or ".join(reasons) or metric.undefined_when or "no comparison"
