"""Write the sentences that explain the numbers of a summary."""

from collections.abc import Sequence

import pandas as pd

from gazesal._text import printable
from gazesal.evaluation.case import CENTER_BIAS, IN_SAMPLE_BIAS, INTEROBSERVER, is_pooled
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.observer_counts import observer_counts
from gazesal.evaluation.options import EvaluationOptions
from gazesal.maps.reference_frame import ReferenceFrame
from gazesal.metrics.names import metric_named
from gazesal.reporting.area_captions import area_words
from gazesal.reporting.gaze_captions import gaze_words
from gazesal.reporting.labels import (
    interval_label,
    level_label,
    mean_label,
    method_label,
    reader_caveats,
    unit_of,
)
from gazesal.reporting.metric_captions import (
    chance_words,
    exactness_words,
    metric_words,
    undefined_words,
)
from gazesal.reporting.perfect_map import ceiling_words
from gazesal.reporting.region_captions import region_words

__all__ = [
    "baseline_words",
    "describe",
    "sncc_of_inverse_bias",
]

CENTER_BIAS_WORDS = {
    "left_out": "without the image that is scored{group}",
    "in_sample": (
        "including the image that is scored, as in Bigolin Lanfredi et al. (2021), which favors "
        "the center bias"
    ),
    "both": (
        "without the image that is scored{group}, also for the shuffled metrics; the in-sample "
        "center bias includes it"
    ),
}
GIVEN_BIAS_WORDS = {
    "left_out": "without the gaze on the image that is scored{group}",
    "in_sample": "with the gaze on the image that is scored, which favors the center bias",
    "both": (
        "without the gaze on the image that is scored{group}; the in-sample center bias includes it"
    ),
    "given": "the same for all images",
}


def describe(evaluation: Evaluation, summary: pd.DataFrame, *, degrees: float | None = None) -> str:
    """Describe in a few lines of text how the numbers of a summary were computed.

    Parameters
    ----------
    evaluation : Evaluation
        The summarized evaluation.
    summary : pandas.DataFrame
        The table from its `Evaluation.summary`.
    degrees : float, optional
        Sigma in degrees of visual angle, if each fixation has its own sigma in pixels.

    Returns
    -------
    str
        Lines of text, each ending in a newline.
    """
    options = evaluation.options
    scored = set(evaluation.scores["image"])
    n_observers = list(observer_counts(evaluation).values()) or [1]
    observers = " to ".join(map(str, dict.fromkeys((min(n_observers), max(n_observers)))))
    observers += " observers" if max(n_observers) > 1 else " observer"
    kinds = " or ".join(
        dict.fromkeys(interval_label(kind, seed=options.seed) for kind in summary["interval"])
    )
    unit, level = unit_of(evaluation, summary), level_label(summary["confidence_level"])
    truth = _truth_words(options, n_observers)
    pooled = [is_pooled(case) for case in evaluation.cases if case.image in scored]
    if pooled and all(pooled):
        observers, truth = "all observers together on", "the gaze map of all observers"
    of_gaze = any(case.gaze or case.gaze_map is not None for case in evaluation.cases)
    gaze_sentence = f"{gaze_words(evaluation, degrees)}." if of_gaze or options.of_gaze else ""
    seen = f"{len(scored)} images, {observers} each. Ground truth: {truth}."
    if not options.of_gaze:
        seen = f"{len(scored)} images. Ground truth: their regions."
    lines = [
        seen,
        (
            f"{mean_label(unit)} with {level} interval ({kinds}; the {printable(unit)} is the "
            f"unit). Each interval holds for its row alone. {exactness_words(options)}"
            f"{gaze_sentence}"
        ),
        (
            f"Chance: {chance_words(options.metrics)}. "
            f"Center bias: {_bias_words(evaluation, scored)}."
        ),
        *baseline_words(summary, in_sample=options.center_bias_rows == "in_sample"),
    ]
    boxes = any(case.box is not None for case in evaluation.cases)
    lines += metric_words(options, boxes=boxes)
    lines += area_words(evaluation)
    lines += region_words(evaluation)
    for method, metric, n_scores, n_undefined in summary[
        ["method", "metric", "n_scores", "n_undefined"]
    ].itertuples(index=False):
        if n_undefined:
            lines.append(
                f"{method_label(method)}: {n_undefined} of {n_undefined + n_scores} "
                f"{metric_named(metric).label} scores are undefined "
                f"({undefined_words(metric_named(metric))}) and left out."
            )
    areas = any(metric_named(name).constant_map == 0.5 for name in options.metrics)
    if areas and summary["n_undefined"].any():
        lines.append("The AUC of a constant map is 0.5 and is included in the mean.")
    lines += reader_caveats(summary)
    return "\n".join(lines) + "\n"


def baseline_words(summary: pd.DataFrame, *, in_sample: bool) -> list[str]:
    """Explain which bounds the rows of the observers and of the center bias do and do not give.

    Parameters
    ----------
    summary : pandas.DataFrame
        A summary with the columns method, metric and estimate.
    in_sample : bool
        If the center bias of an image includes the image's own gaze.

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
            "The map of one observer is noisy, so that a map that is not noisy can score above it. "
            "It bounds neither the score of a map nor of people in general."
        )
    lines += ceiling_words(summary)
    if "sncc" in metrics:
        words = "A map with an sNCC of 0 correlates as much with the center bias as with the gaze."
        inverse = sncc_of_inverse_bias(summary)
        if inverse is not None:
            words += (
                f" The center bias scores {-inverse:.3f}. Its inverse uses no image and scores "
                f"{inverse:.3f}, because inverting a map only changes the sign of its sNCC. An "
                f"sNCC below {inverse:.3f} alone is therefore no evidence that a map depends on "
                "the image."
            )
        lines.append(words)
    if "sauc" in metrics and CENTER_BIAS in methods:
        lines.append(_bias_level("sAUC", "0.5", in_sample=in_sample))
    if "residual_nss" in metrics and CENTER_BIAS in methods:
        lines.append(_bias_level("residual NSS", "0", in_sample=in_sample))
    return lines


def _bias_level(label: str, level: str, *, in_sample: bool) -> str:
    """Return a sentence on the score of the center bias as a map, by a metric relative to it."""
    words = f"The expected {label} of the center bias is {level}"
    if not in_sample:
        words += ", or less with few images because each image is left out of its center bias"
    return f"{words}."


def sncc_of_inverse_bias(summary: pd.DataFrame) -> float | None:
    """Return the mean sNCC of the inverse of the center bias, or None if there is no such score.

    The sNCC of an inverted map is minus the sNCC of the map, on every image.
    """
    own = summary[summary["metric"] == "sncc"].set_index("method")["estimate"].dropna()
    row = next((name for name in (CENTER_BIAS, IN_SAMPLE_BIAS) if name in own.index), None)
    return None if row is None else -float(own[row])


def _truth_words(options: EvaluationOptions, n_observers: Sequence[int]) -> str:
    if max(n_observers) == 1:  # only possible with ground_truth="all"
        return "the gaze map of the one observer"
    words = "the mean gaze map of the other observers, for each observer left out"
    if options.ground_truth == "all":
        words += "; for maps and center biases, the mean gaze map of all observers"
    return words


def _bias_words(evaluation: Evaluation, scored: set[str]) -> str:
    """Return the source of the center bias: the mean over images, or given with the images."""
    own = sum(c.center_bias is not None for c in evaluation.cases if c.image in scored)
    options = evaluation.options
    rows = options.center_bias_rows
    if rows is None:
        return "not scored"
    group = ""
    if options.leave_out is not None and options.leaves_out:
        group = f" and all others of the same {printable(options.leave_out)}"
    if options.given_bias is not None:
        words = f"{printable(options.given_bias)}, {GIVEN_BIAS_WORDS[rows].format(group=group)}"
        return words + (f"; for {own} images, the one that came with the image" if own else "")
    if options.frame is None:
        return "given with each image"
    registered = ""
    if isinstance(options.frame, ReferenceFrame):
        precision = " to whole pixels" if options.frame.rounding == "study" else ""
        registered = f", registered by their boxes{precision}"
    words = (
        f"the mean gaze map over {len(evaluation.cases)} images{registered}, "
        f"{CENTER_BIAS_WORDS[rows].format(group=group)}"
    )
    return words + (f"; the center bias of {own} of them was given" if own else "")
