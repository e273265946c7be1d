"""Write the sentences that explain the metrics of a summary."""

import math
from collections.abc import Callable, Sequence

from gazesal.evaluation.metric_calls import takes_distribution
from gazesal.evaluation.options import EvaluationOptions
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import metric_named

__all__ = ["chance_words", "exactness_words", "metric_words", "undefined_words"]

DENSITY_WORDS = {
    None: "maps divided by their sum",
    "sum": "maps divided by their sum",
    "shift": "maps minus their minimum, divided by the sum",
    "softmax": "exponentials of the maps, divided by the sum",
}


def chance_words(metrics: Sequence[str]) -> str:
    """Return the chance levels of metrics, grouped by the maps that they hold for."""
    levels: dict[str, list[str]] = {
        " for any map that is the same for all images": [],
        " for a map of noise": [],
        ": no fixed level": [],
    }
    for metric in (metric_named(name) for name in metrics):
        if math.isnan(metric.chance):
            levels[": no fixed level"].append(metric.label)
        else:
            group = list(levels)[0 if metric.chance_of_any_map else 1]
            levels[group].append(f"{metric.label} {metric.chance:g}")
    return "; ".join(f"{', '.join(found)}{group}" for group, found in levels.items() if found)


def exactness_words(options: EvaluationOptions) -> str:
    """Return a sentence on the exactness of the AUCs, or an empty text without AUCs."""
    areas = [metric for metric in options.chosen if metric.constant_map == 0.5]
    if not areas:
        return ""
    sampled = [metric for metric in areas if metric.can_sample]
    others = len(areas) > len(sampled)
    names = ", ".join(metric.label for metric in sampled) if others else "AUCs"
    rest = "; other AUCs are exact" if others else ""
    if options.n_samples is not None:
        return f"{names} are estimated from {options.n_samples} sampled pixels per side{rest}. "
    if options.tolerance is not None:
        return f"{names} are within {options.tolerance:g} of the exact values{rest}. "
    return "AUCs are exact. "


def metric_words(options: EvaluationOptions, *, boxes: bool) -> list[str]:
    """Return sentences on the metrics with a convention that readers must know.

    Parameters
    ----------
    options : EvaluationOptions
        Options of the evaluation.
    boxes : bool
        If images of the evaluation have boxes.

    Returns
    -------
    list of str
        Sentences. Empty for the default metrics.
    """
    metrics = list(options.chosen)
    lines = []

    def labels(condition: Callable[[Metric], bool]) -> str:
        return ", ".join(metric.label for metric in metrics if condition(metric))

    if found := labels(lambda metric: not metric.higher_is_better):
        lines.append(f"Lower is better: {found}.")
    if found := labels(lambda metric: metric.ground_truth == "points"):
        lines.append(
            "Computed at the fixations of the observers in the ground truth, each once, without "
            f"fixations outside the image: {found}."
        )
    if found := labels(lambda metric: metric.needs == "other_fixations"):
        images = "all other images"
        if options.leave_out is not None:
            images = f"the images of every other {options.leave_out}"
        aligned = "by their boxes" if boxes else "by position in the image"
        lines.append(f"Compared with the fixations on {images}, aligned {aligned}: {found}.")

    def has_fitted(metric: Metric) -> bool:
        return options.fits_baseline and "baseline" in metric.densities

    if found := labels(has_fitted):
        lines.append(
            "The baseline, also shown as the center bias, is a kernel density of the fixations on "
            f"the other images with a cross-validated bandwidth: {found}."
        )
    if found := labels(lambda metric: metric.needs == "baseline" and not has_fitted(metric)):
        lines.append(f"The baseline is the center bias of the shuffled metrics: {found}.")
    if found := labels(takes_distribution):
        lines.append(f"Computed from {DENSITY_WORDS[options.density]}: {found}.")
    if options.shrink is not None:
        lines.append(
            f"Mass was summed in cells of {options.shrink} x {options.shrink} pixels: EMD."
        )
    return lines


def undefined_words(metric: Metric) -> str:
    """Return the possible reasons for undefined scores of a metric."""
    constant = metric.constant_map is not None and math.isnan(metric.constant_map)
    reasons = ["a constant map"] if constant else []
    if takes_distribution(metric):
        reasons.append("a map that cannot become a density")
    if metric.ground_truth == "points":
        reasons.append("no fixation, or only fixated pixels, in the image")
    return " or ".join(reasons) or metric.undefined_when or "no comparison"
