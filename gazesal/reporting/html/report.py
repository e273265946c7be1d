"""Write an evaluation as one self-contained HTML page."""

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
from gazesal.metrics.names import name_among
from gazesal.reporting._arguments import require_evaluation
from gazesal.reporting.html.content import content_of
from gazesal.reporting.html.page import page_template
from gazesal.reporting.overlays import Pictures
from gazesal.reporting.summary_cells import require_summary_of

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
    """Write an evaluation as one HTML page.

    The page shows the means with their intervals, the distributions over images, the differences
    between methods, groups of images, the best and worst images of each method, the images that
    could not be scored, and the settings and versions. It loads no other file and runs no script.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation to write.
    path : str or path
        The file, ending in ``.html``. An existing file is replaced when the page is complete.
    pictures : mapping of str to array or path, str or path, optional
        Pictures by image name, or a folder of pictures. By default the pictures of the cases.
    summary : pandas.DataFrame, optional
        A table from `Evaluation.summary`. By default the one with its default arguments.
    settings : mapping, optional
        Facts added to the list of settings, which holds the options of the evaluation.
    metric : str, optional
        Metric by which the best and worst images are chosen. By default ``"sauc"``, or the first
        metric if ``"sauc"`` was not computed.
    n_extremes : int, default 3
        Number of best images and of worst images. With 0 no map is read again, which is much faster
        for large images.
    title : str
        Title of the page.
    note : str, optional
        A note at the top, for example that the data are synthetic.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If an argument is invalid, or `summary` does not belong to the evaluation.
    ImportError
        If the extra ``report`` is not installed.

    See Also
    --------
    write_report : Write tables, text and a figure into a folder.

    Notes
    -----
    The intervals of the means come from `Evaluation.summary`, and each holds for its row alone.
    Bootstrap intervals follow :footcite:t:`davison1997`. The intervals of the differences are of
    the same kind and hold for all differences in a table together: the error of the confidence
    level is divided by the number of differences (Bonferroni). The p-values, which are given with
    Student's t, are adjusted in the same way. The default metrics come from
    :footcite:t:`bigolin2021`, see `evaluate`.

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
    """Return the text of the page. The arguments are the same as in `write_html_report`."""
    require_evaluation(evaluation)
    metrics = evaluation.options.metrics
    if metric is None:
        metric = "sauc" if "sauc" in metrics else metrics[0]
    metric = name_among(metrics, metric)
    as_choice(metric, metrics, name="metric")
    as_count(n_extremes, name="n_extremes", least=0)
    template = page_template("gazesal.reporting.html", TEMPLATE)  # first, as it needs the extra
    if summary is None:
        with muted(IntervalWarning):  # the page shows the caveats
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
