"""One HTML page of an evaluation, which needs nothing beside itself to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gazesal._files import write_text
from gazesal._validation import as_choice, as_count
from gazesal._warnings import muted
from gazesal.datasets._arguments import as_path
from gazesal.evaluation.evaluation import Evaluation
from gazesal.exceptions import IntervalWarning
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.extremes import Pictures
from gazesal.reporting.html.content import content_of
from gazesal.reporting.html.page import page_template
from gazesal.reporting.summary_tables import require_summary_of

__all__ = ["html_page_of", "write_html_report"]

TEMPLATE = "report.html.jinja"
TITLE = "Saliency maps against gaze"


def write_html_report(
    evaluation: Evaluation,
    path: str | Path,
    *,
    pictures: Pictures = None,
    summary: pd.DataFrame | None = None,
    settings: Mapping[str, object] | None = None,
    metric: str | None = None,
    n_extremes: int = 3,
    title: str = TITLE,
    note: str = "",
) -> Path:
    """Write an evaluation as one HTML page, whole or not at all.

    The page holds the means with their intervals, their spread over images, the differences of
    methods, groups of images, the best and worst images of each method, what could not be scored,
    and with what all of it was made. It loads nothing and runs no script.

    Parameters
    ----------
    evaluation : Evaluation
        What to write.
    path : str or path
        The file, ending in ``.html``; replaced if it is there.
    pictures : mapping of str to array or path, str or path, optional
        The images themselves by name, or a folder of them; by default those that the cases name.
    summary : pandas.DataFrame, optional
        A summary made before; by default that of `Evaluation.summary`.
    settings : mapping, optional
        More facts for the list of settings, which holds the options of the evaluation.
    metric : str, optional
        What the best and worst images are chosen by; by default ``"sauc"``, or the first metric.
    n_extremes : int, default 3
        How many of each; 0 for none, which is much faster where images are large.
    title : str
        Title of the page.
    note : str, optional
        What a reader must know first, such as that data are synthetic.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If an option is bad, `summary` is not one of this evaluation, or the picture of an image
        cannot be read.
    ImportError
        If the extra ``report`` is not installed.

    See Also
    --------
    write_report : The same as tables, text and a figure.

    Notes
    -----
    The intervals of the means are those of `Evaluation.summary`, each row by itself; bootstrap
    intervals are those of :footcite:t:`davison1997`. The intervals of the differences are of the
    same kind, and those of a table hold for all of its differences together: each has the error of
    the level divided by their number (Bonferroni). So do the p-values, which are given with
    Student's t. The default metrics are those of :footcite:t:`bigolin2021`; `evaluate` says more.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> folder = TemporaryDirectory()
    >>> root = gazesal.datasets.write_synthetic_reflacx(
    ...     folder.name, n_images=3, n_readers=2, side=96
    ... )
    >>> cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=2)
    >>> evaluation = gazesal.evaluate(cases, outside="keep", metrics=["ncc"])
    >>> gazesal.reporting.write_html_report(evaluation, Path(folder.name, "report.html")).name
    'report.html'
    >>> folder.cleanup()
    """
    path = as_path(path, name="path")
    text = html_page_of(
        evaluation,
        pictures=pictures,
        summary=summary,
        settings=settings,
        metric=metric,
        n_extremes=n_extremes,
        title=title,
        note=note,
    )
    write_text(path, text)
    return path


def html_page_of(
    evaluation: Evaluation,
    *,
    pictures: Pictures = None,
    summary: pd.DataFrame | None = None,
    settings: Mapping[str, object] | None = None,
    metric: str | None = None,
    n_extremes: int = 3,
    title: str = TITLE,
    note: str = "",
) -> str:
    """Return the text of the page, with the options of `write_html_report`."""
    require_evaluation(evaluation)
    metrics = evaluation.options.metrics
    if metric is None:
        metric = "sauc" if "sauc" in metrics else metrics[0]
    as_choice(metric, metrics, name="metric")
    as_count(n_extremes, name="n_extremes", least=0)
    template = page_template("gazesal.reporting", TEMPLATE)  # first: the extra may be missing
    if summary is None:
        with muted(IntervalWarning):  # the page shows its words
            summary = evaluation.summary()
    content = content_of(
        evaluation,
        require_summary_of(summary, evaluation.methods, metrics),
        settings=settings or {},
        metric=metric,
        n_extremes=n_extremes,
        pictures=pictures,
    )
    return template.render(title=title, note=note, **content) + "\n"
