"""Write the sentences on the regions and the metrics of regions of an evaluation."""

from gazesal._text import printable
from gazesal.evaluation.case import GAZE, GAZE_OF_ONE
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.region_sources import UNION
from gazesal.evaluation.score_rows import REGION
from gazesal.metrics.names import metric_named
from gazesal.reporting.labels import METHOD_LABELS

__all__ = ["region_words"]

MOST_LABELS = 14  # labels that are counted in a sentence; others are summed up
ROWS = {
    "each": "averaged over the regions of an image",
    "union": "all regions of an image together",
    "both": "averaged over the regions of an image, and all of them together as the region union",
}


def region_words(evaluation: Evaluation) -> list[str]:
    """Return sentences on the regions, empty if none was scored.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation.

    Returns
    -------
    list of str
        Sentences.
    """
    options, scores = evaluation.options, evaluation.scores
    if REGION not in scores:
        return []
    scored = scores[scores[REGION] != ""]
    n_images, n_all = scored["image"].nunique(), scores["image"].nunique()
    counts = scored[scored[REGION] != UNION].groupby(REGION)["image"].nunique()
    counts = counts.sort_values(ascending=False, kind="stable")
    listed = [f"{printable(str(label))} {count}" for label, count in counts.items()]
    if len(listed) > MOST_LABELS:
        listed = [*listed[:MOST_LABELS], f"{len(listed) - MOST_LABELS} more"]
    regions = f" ({', '.join(listed)})" if listed else ""
    names = ", ".join(metric.label for metric in options.of_regions)
    given = [
        f"{metric_named(name).label} with {option} {value}"
        for name, own in (options.region_options or {}).items()
        for option, value in own.items()
    ]
    with_options = f", {', '.join(given)}" if given else ""
    lines = [
        f"Compared with the regions of {n_images} of {n_all} images{regions}, "
        f"{ROWS[options.region_rows]}: {names}{with_options}."
    ]
    methods = set(scored["method"])
    if GAZE in methods:
        words = f"{METHOD_LABELS[GAZE]}: their mean gaze map, scored like the map of a method."
        if GAZE_OF_ONE in methods:
            words += f" {METHOD_LABELS[GAZE_OF_ONE]}: the mean score of each observer's gaze map."
        lines.append(words)
    return lines
