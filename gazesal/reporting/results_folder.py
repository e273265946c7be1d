"""Everything an evaluation leaves on disk."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gazesal._files import Together, together
from gazesal._text import csv_text, markdown_text, printable
from gazesal._warnings import muted
from gazesal.datasets._arguments import as_path
from gazesal.evaluation.case import INTEROBSERVER
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_checks import count_gaze_maps
from gazesal.exceptions import IntervalWarning
from gazesal.maps.geometry import ReferenceFrame
from gazesal.metrics.names import metric_named
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.captions import (
    baseline_words,
    chance_words,
    exactness_words,
    metric_words,
    undefined_words,
)
from gazesal.reporting.figures import figure_options, plot_evaluation
from gazesal.reporting.interval_words import (
    kind_words,
    level_words,
    mean_words,
    reader_caveats,
    unit_of,
)
from gazesal.reporting.summary_tables import (
    label_of,
    require_summary_of,
    summary_csv,
    summary_markdown,
    summary_text,
)

__all__ = ["describe", "stage_figure", "stage_tables", "write_report"]

CENTER_BIAS_WORDS = {
    "left_out": "without the one that is scored",
    "in_sample": "the one that is scored among them, as in the study, which favors the bias",
    "both": (
        "without the one that is scored, also for the shuffled metrics; in-sample, the one that is "
        "scored is among them"
    ),
}
GIVEN_BIAS_WORDS = {
    "left_out": "without the gaze on the image that is scored",
    "in_sample": "with the gaze on the image that is scored, which favors the bias",
    "both": "without and with the gaze on the image that is scored, the latter in a row of its own",
    "given": "the same for all images",
}


def write_report(
    evaluation: Evaluation,
    folder: str | Path,
    *,
    summary: pd.DataFrame | None = None,
    settings: dict[str, object] | None = None,
    image: str | None = None,
    picture: np.ndarray | None = None,
    note: str = "",
) -> list[Path]:
    r"""Write the scores, the summary and a figure: all of them, or none if one cannot be written.

    Parameters
    ----------
    evaluation : Evaluation
        What to write.
    folder : str or path
        Where to; made if absent. Files of the same names are replaced.
    summary : pandas.DataFrame, optional
        A summary made before; by default that of `Evaluation.summary`.
    settings : dict, optional
        More facts for ``settings.json``, which holds the options of the evaluation; a sigma in
        ``degrees`` among them is named in the summary too.
    image : str, optional
        Image whose maps are in the figure; by default the first that was scored.
    picture : numpy.ndarray, optional
        That image itself, to lie under its maps.
    note : str, optional
        What a reader of the summary and the figure must know, such as that data are synthetic.

    Returns
    -------
    list of pathlib.Path
        The files: ``scores.csv``, ``summary.txt``, ``summary.md``, ``summary.csv``,
        ``settings.json``, and ``figure.png`` if the extra ``plot`` is installed.

    Raises
    ------
    ValueError
        If `image` was not scored, or `summary` is not one of this evaluation.
    OSError
        If a file cannot be written; the message names it, and no file has been replaced.

    See Also
    --------
    plot_evaluation : The figure alone.

    Notes
    -----
    In the CSV files a name that a spreadsheet would run as a formula, or that has control
    characters, begins with an apostrophe: ``=SUM(A1)`` is written ``'=SUM(A1)``. In such a cell
    control characters are escapes such as ``\x1b``, and a backslash is doubled.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> folder = TemporaryDirectory()
    >>> root = gazesal.datasets.write_synthetic_reflacx(
    ...     folder.name, n_images=2, n_readers=2, side=96
    ... )
    >>> cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=2)
    >>> evaluation = gazesal.evaluate(cases, outside="keep", metrics=["ncc"])
    >>> written = gazesal.reporting.write_report(evaluation, Path(folder.name, "results"))
    >>> [path.name for path in written[:4]]
    ['scores.csv', 'summary.txt', 'summary.md', 'summary.csv']
    >>> folder.cleanup()
    """
    folder = as_path(folder, name="folder")
    require_evaluation(evaluation)
    if summary is None:
        with muted(IntervalWarning):  # the files have its words
            summary = evaluation.summary()
    require_summary_of(summary, evaluation.methods, evaluation.options.metrics)
    with together() as files:
        written = stage_tables(
            files, folder, evaluation, summary, settings=settings or {}, note=note
        )
        figure = stage_figure(
            files, folder, evaluation, summary, image=image, picture=picture, note=note
        )
    return written if figure is None else [*written, figure]


def stage_tables(
    files: Together,
    folder: Path,
    evaluation: Evaluation,
    summary: pd.DataFrame,
    *,
    settings: Mapping[str, object],
    note: str,
) -> list[Path]:
    """Write scores, summaries and settings among files that take their places together."""
    degrees = settings.get("degrees")
    words = describe(
        evaluation, summary, degrees=float(degrees) if isinstance(degrees, (int, float)) else None
    )
    notes = (f"{printable(note)}\n" if note else "") + words
    facts = {**evaluation.options.facts(), **settings, **({"note": note} if note else {})}
    texts = {
        "scores.csv": csv_text(evaluation.scores),
        "summary.txt": summary_text(summary) + "\n" + notes,
        "summary.md": summary_markdown(summary) + "\n" + markdown_text(notes),
        "summary.csv": summary_csv(summary),
        "settings.json": json.dumps(facts, indent=2, sort_keys=True) + "\n",
    }
    for name, text in texts.items():
        files.text(folder / name, text)
    return [folder / name for name in texts]


def stage_figure(
    files: Together,
    folder: Path,
    evaluation: Evaluation,
    summary: pd.DataFrame,
    *,
    image: str | None,
    picture: np.ndarray | None,
    note: str,
) -> Path | None:
    """Draw the figure among files that take their places together; None without matplotlib."""
    path = folder / "figure.png"
    if importlib.util.find_spec("matplotlib") is None:
        files.remove(path)  # of an earlier run, with other numbers
        return None
    figure = plot_evaluation(evaluation, summary, image=image, picture=picture, note=note)
    with files.file(path) as temporary:
        figure.savefig(temporary, **figure_options(path))
    return path


def describe(evaluation: Evaluation, summary: pd.DataFrame, *, degrees: float | None = None) -> str:
    """Say in words what the numbers of a summary are.

    Parameters
    ----------
    evaluation : Evaluation
        What was summarized.
    summary : pandas.DataFrame
        As its `Evaluation.summary` returns it.
    degrees : float, optional
        Sigma in degrees of visual angle, where each fixation has its own in pixels.

    Returns
    -------
    str
        A few lines of text.
    """
    options = evaluation.options
    scored = set(evaluation.scores["image"])
    n_observers = _n_observers(evaluation, scored)
    observers = " to ".join(map(str, dict.fromkeys((min(n_observers), max(n_observers)))))
    observers += " observers" if max(n_observers) > 1 else " observer"
    kinds = " or ".join(
        dict.fromkeys(kind_words(kind, seed=options.seed) for kind in summary["interval"])
    )
    truth = "the mean gaze map of the other observers, for every choice of the one left out"
    if max(n_observers) == 1:  # only "all" scores such images
        truth = "the gaze map of the one observer"
    elif options.ground_truth == "all":
        truth += "; for maps and biases, that of all observers"
    unit, level = unit_of(evaluation, summary), level_words(summary["confidence_level"])
    registered = ""
    if isinstance(options.frame, ReferenceFrame):
        precision = "to whole pixels as in the study" if options.frame.rounding == "study" else ""
        registered = f", registered by their boxes {precision}".rstrip()
    lines = [
        f"{len(scored)} images, {observers} each. Ground truth: {truth}.",
        (
            f"{mean_words(unit)} with {level} interval ({kinds}; the "
            f"{printable(unit)} is the unit), each row by itself. {exactness_words(options)}"
            f"{_sigma_words(evaluation, degrees)}."
        ),
        (
            f"Chance: {chance_words(options.metrics)}. "
            f"Center bias: {_bias_words(evaluation, scored, registered)}."
        ),
        *baseline_words(summary, in_sample=options.center_bias_rows == "in_sample"),
    ]
    alone = n_observers.count(1)
    if alone:
        which = "Each image has"
        if alone < len(n_observers):
            which = f"{alone} of the images {'has' if alone == 1 else 'have'}"
        lines.append(
            f"{which} one observer, who cannot be compared with others, and no score of one "
            "observer vs. the others."
        )
    boxes = any(case.box is not None for case in evaluation.cases)
    lines += metric_words(options, boxes=boxes)
    for method, metric, n_scores, n_undefined in summary[
        ["method", "metric", "n_scores", "n_undefined"]
    ].itertuples(index=False):
        if n_undefined:
            lines.append(
                f"{label_of(method)}: {n_undefined} of {n_undefined + n_scores} "
                f"{metric_named(metric).label} scores are undefined "
                f"({undefined_words(metric_named(metric))}) and left out."
            )
    areas = any(metric_named(name).constant_map == 0.5 for name in options.metrics)
    if areas and summary["n_undefined"].any():
        lines.append("The AUC of a constant map is 0.5 and counts.")
    lines += reader_caveats(summary)
    return "\n".join(lines) + "\n"


def _n_observers(evaluation: Evaluation, scored: set[str]) -> list[int]:
    """Return how many observers each scored image has, also of an evaluation without its cases."""
    found = {case.image: len(case.gaze) for case in evaluation.cases if case.image in scored}
    if not found:
        own = evaluation.scores[evaluation.scores["method"] == INTEROBSERVER]
        counts = own.groupby("image")["observer"].nunique()
        found = {str(image): int(count) for image, count in counts.items()}
    return list(found.values()) or [1]


def _sigma_words(evaluation: Evaluation, degrees: float | None) -> str:
    """State the sigma of fixations, and of how many readings there are none."""
    n_maps, n_readings = count_gaze_maps(evaluation.cases)
    if n_readings and n_maps == n_readings:
        return "The gaze was given as maps, which were used as they are"
    sigma = "that of each fixation"
    if degrees is not None:
        sigma = f"{degrees:g} degrees of visual angle, in pixels at each fixation"
    if evaluation.options.sigma is not None:
        sigma = f"{evaluation.options.sigma[0]:g} x {evaluation.options.sigma[1]:g} pixels"
    of_maps = f", except for {n_maps} of {n_readings} readings given as gaze maps"
    return f"Sigma: {sigma}{of_maps if n_maps else ''}"


def _bias_words(evaluation: Evaluation, scored: set[str], registered: str) -> str:
    """Say what the center bias is: the mean over images, or the one that came with them."""
    own = sum(c.center_bias is not None for c in evaluation.cases if c.image in scored)
    options = evaluation.options
    rows = options.center_bias_rows
    if rows == "none":
        return "none was scored"
    if options.center_bias is not None:
        words = f"{printable(options.center_bias)}, {GIVEN_BIAS_WORDS[rows]}"
        if options.leave_out is not None and options.leaves_out:
            words += f" and all others of the same {printable(options.leave_out)}"
        return words + (f"; for {own} images, the one that came with the image" if own else "")
    if options.frame is None:
        return "the one that came with each image"
    words = (
        f"the mean gaze map over the images, {len(evaluation.cases)} in all{registered}, "
        f"{CENTER_BIAS_WORDS[rows]}"
    )
    if options.leave_out is not None and options.leaves_out:
        words += f" and all others of the same {options.leave_out}"
    return words + (f"; for {own} of them, the one that came with the image" if own else "")
