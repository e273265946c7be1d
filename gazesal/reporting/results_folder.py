"""Write the files of an evaluation into a folder."""

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
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.score_rows import REGION
from gazesal.exceptions import IntervalWarning, UndefinedMetricWarning
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.captions import describe
from gazesal.reporting.control_tables import control_text
from gazesal.reporting.figures import figure_options, plot_evaluation
from gazesal.reporting.labels import unit_of
from gazesal.reporting.summary_cells import require_summary_of
from gazesal.reporting.summary_tables import summary_markdown, summary_text

__all__ = ["stage_figure", "stage_tables", "write_report"]


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
    r"""Write the scores, the summary and a figure into a folder.

    Either all files are written, or none if one of them cannot be written.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation to write.
    folder : str or path
        The folder, created if it does not exist. Files of the same names are replaced.
    summary : pandas.DataFrame, optional
        A table from `Evaluation.summary`. By default the one with its default arguments.
    settings : dict, optional
        Facts added to ``settings.json``, which holds the options of the evaluation. A sigma in
        ``degrees`` among them is named in the summary too.
    image : str, optional
        Image shown in the figure. By default the first scored image.
    picture : numpy.ndarray, optional
        The picture of that image, drawn under its maps.
    note : str, optional
        A note to readers of the summary and the figure, for example that the data are synthetic.

    Returns
    -------
    list of pathlib.Path
        The files: ``scores.csv``, ``summary.txt``, ``summary.md``, ``summary.csv``,
        ``settings.json``, ``summary_by_region.csv`` if there are several regions,
        ``controls.csv`` and ``controls.txt`` with the control ``"other_gaze"``, and ``figure.png``
        if the extra ``plot`` is installed.

    Raises
    ------
    ValueError
        If `image` was not scored, or `summary` does not belong to the evaluation.
    OSError
        If a file cannot be written. The message names it, and no file has been replaced.

    See Also
    --------
    plot_evaluation : Draw the figure alone.

    Notes
    -----
    In the CSV files, names that a spreadsheet would run as a formula and names with control
    characters begin with an apostrophe: ``=SUM(A1)`` is written as ``'=SUM(A1)``. In such a cell
    control characters are written as escapes such as ``\x1b``, and backslashes are doubled.

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
        with muted(IntervalWarning):  # the written summary contains the caveats
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
    """Add scores, summaries and settings to files that are put in place together."""
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
        "summary.csv": csv_text(summary),
        "settings.json": json.dumps(facts, indent=2, sort_keys=True) + "\n",
    }
    if (by_region := _by_region(evaluation, summary)) is not None:
        texts["summary.txt"] += "\n" + summary_text(by_region)
        texts["summary.md"] += "\n" + summary_markdown(by_region)
        texts["summary_by_region.csv"] = csv_text(by_region)
    if evaluation.controls is not None:
        texts["controls.csv"] = csv_text(evaluation.controls)
        texts["controls.txt"] = control_text(evaluation)
    for name, text in texts.items():
        files.text(folder / name, text)
    return [folder / name for name in texts]


def _by_region(evaluation: Evaluation, summary: pd.DataFrame) -> pd.DataFrame | None:
    """Return the summary of each region, or None without several regions."""
    regions = set(evaluation.scores.get(REGION, ())) - {""}  # empty for metrics of gaze
    if len(regions) < 2:
        return None
    with muted(IntervalWarning, UndefinedMetricWarning):  # the summary of all contains the caveats
        return evaluation.summary(
            by=REGION,
            unit=unit_of(evaluation, summary),
            interval=str(summary["interval"].iloc[0]),  # type: ignore[arg-type]  # a kind
            confidence_level=float(summary["confidence_level"].iloc[0]),
        )


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
    """Add the figure to files that are put in place together; return None without matplotlib."""
    path = folder / "figure.png"
    if importlib.util.find_spec("matplotlib") is None:
        files.remove(path)  # a figure of an earlier run would show other numbers
        return None
    figure = plot_evaluation(evaluation, summary, image=image, picture=picture, note=note)
    with files.file(path) as temporary:
        figure.savefig(temporary, **figure_options(path))
    return path
