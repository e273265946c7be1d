"""Write the sentence on each kind of gaze of an evaluation and its treatment."""

from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_checks import count_kinds, functions_return_maps

__all__ = ["gaze_words"]


def gaze_words(evaluation: Evaluation, degrees: float | None = None) -> str:
    """Return a sentence on the kinds of gaze, without its period.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation. Without its cases, all gaze is assumed to be fixations.
    degrees : float, optional
        Sigma in degrees of visual angle, if each fixation has its own sigma in pixels.

    Returns
    -------
    str
        For each kind its number of readings, if there are several kinds, and its treatment.
    """
    counts = count_kinds(evaluation.cases)
    kind = "gaze_map" if functions_return_maps(evaluation.cases) else "fixations"
    counts[kind] += counts.pop("function", 0)
    sigma = _sigma_words(evaluation, degrees)
    has_points = any(case.gaze for case in evaluation.cases if case.gaze_map is not None)
    points = ", with fixations for the metrics of points only" if has_points else ""
    unchanged = "used as given"
    if evaluation.options.resize is not None:
        unchanged += ", resized to the image if of another size"
    treatments = {
        "fixations": ("fixations", sigma),
        "fixation_map": (
            "maps of fixated pixels",
            f"each pixel a fixation as often as its count, {sigma}",
        ),
        "gaze_map": ("gaze maps", unchanged),
        "common_map": ("one gaze map of all observers per image", f"{unchanged}{points}"),
    }
    found = {kind: count for kind, count in counts.items() if count} or {"fixations": 0}
    parts = []
    for kind, (what, treatment) in treatments.items():
        if kind in found:
            number = f" ({found[kind]} of {sum(found.values())} readings)" if len(found) > 1 else ""
            parts.append(f"{what}{number}, {treatment}")
    return f"Gaze: {'; '.join(parts)}"


def _sigma_words(evaluation: Evaluation, degrees: float | None) -> str:
    """Return the words on the blur of the fixations."""
    if evaluation.options.sigma is not None:
        along_x, along_y = evaluation.options.sigma
        return f"blurred with sigma {along_x:g} x {along_y:g} pixels"
    if degrees is not None:
        return f"blurred with sigma {degrees:g} degrees of visual angle, in pixels at each fixation"
    return "blurred with the sigma given with each fixation"
