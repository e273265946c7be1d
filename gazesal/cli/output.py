"""Write the results of a command to disk, then print them."""

import importlib.util
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from gazesal._files import together
from gazesal._text import csv_text, printable
from gazesal._warnings import muted
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.region_sources import UNION
from gazesal.evaluation.score_rows import REGION
from gazesal.exceptions import IntervalWarning, UndefinedMetricWarning
from gazesal.reporting.captions import describe
from gazesal.reporting.control_tables import control_text
from gazesal.reporting.html.page import has_report_extra
from gazesal.reporting.html.report import html_page_of
from gazesal.reporting.results_folder import stage_figure, stage_tables
from gazesal.reporting.summary_tables import summary_text
from gazesal.stats.design import Design
from gazesal.stats.table_intervals import interval_table

SHOWN = 10  # bad images to print
READERS_TABLE = "summary_of_images_and_readers.csv"


def show_and_write(
    evaluation: Evaluation,
    out: Path,
    interval: Any,
    settings: dict[str, object],
    image: str,
    picture: np.ndarray | None,
    note: str = "",
    *,
    page: bool = True,
    unit: str = "image",
    by: str | None = None,
) -> None:
    """Write all files, then print the table and the names of the files.

    `unit` is the unit of the intervals. With `by`, a group of the images, there are also tables of
    the means of each group.

    The tables and the saved evaluation are put in place before the figure and the page are drawn,
    so that an error in drawing loses no scores. The figure and page of an earlier run are removed
    with its tables, so that the folder never holds files of two runs.
    """
    summary = evaluation.summary(interval=interval, unit=unit)
    html, with_page = out / "report.html", page and has_report_extra()
    written = _write_numbers(evaluation, out, summary, settings, note)
    if by is not None:
        written += _write_groups(evaluation, out, by, interval, unit)
    with together() as files:
        figure = stage_figure(
            files, out, evaluation, summary, image=image, picture=picture, note=note
        )
        if with_page:
            text = html_page_of(evaluation, summary=summary, settings=settings, note=note)
            files.text(html, text)
    written += [figure] if figure is not None else []
    written += [html] if with_page else []

    degrees: Any = settings.get("degrees")
    words = describe(evaluation, summary, degrees=degrees)
    click.echo("\n" + summary_text(summary) + "\n" + words)
    if evaluation.controls is not None:
        click.echo(control_text(evaluation))
    _list_bad_images(evaluation)
    for path in written:
        click.echo(f"wrote {printable(str(path))}")
    if page and not with_page:
        click.echo("no report.html: it needs jinja2 and matplotlib, pip install 'gazesal[report]'")
    if figure is None:
        click.echo("no figure: it needs matplotlib, pip install 'gazesal[plot]'")


def _write_numbers(
    evaluation: Evaluation,
    out: Path,
    summary: Any,
    settings: dict[str, object],
    note: str,
) -> list[Path]:
    """Write the tables and the saved evaluation together and remove files of an earlier run."""
    bad = evaluation.bad_images
    with together() as files:
        written = stage_tables(files, out, evaluation, summary, settings=settings, note=note)
        if len(bad):
            files.text(out / "bad_images.csv", csv_text(bad))
            written.append(out / "bad_images.csv")
        if importlib.util.find_spec("pyarrow") is not None:
            with files.folder(out / "evaluation") as folder:
                evaluation.save(folder)
            written.append(out / "evaluation")
        gone = ["figure.png", "report.html", *([] if len(bad) else ["bad_images.csv"])]
        gone += ["controls.csv", "controls.txt"] if evaluation.controls is None else []
        for name in gone:  # files of an earlier run show other numbers
            files.remove(out / name)
    return written


def _write_groups(
    evaluation: Evaluation, out: Path, by: str, interval: Any, unit: str
) -> list[Path]:
    """Write the means of each group of the images, and intervals that resample readers too."""
    with muted(IntervalWarning, UndefinedMetricWarning):  # few images have the same label
        summary = evaluation.summary(by=by, interval=interval, unit=unit)
        two_stage = _of_images_and_readers(evaluation, by, unit)
    texts = []
    for name, rows in summary.groupby(by, sort=False):
        n = int(rows[f"n_{unit}" if f"n_{unit}" in rows else "n_images"].max())
        own = rows.drop(columns=by)
        own.attrs = {}  # its notes are about all images
        texts.append(f"{name} ({n} images)\n\n{summary_text(own)}")
    words = "\n".join(summary.attrs[name] for name in ("observers", "caveats"))
    with together() as files:
        files.text(out / f"summary_by_{by}.csv", csv_text(summary))
        files.text(out / f"summary_by_{by}.txt", "\n".join([*texts, words.strip()]))
        files.text(out / READERS_TABLE, csv_text(two_stage))
    return [*(out / f"summary_by_{by}.{suffix}" for suffix in ("csv", "txt")), out / READERS_TABLE]


def _of_images_and_readers(evaluation: Evaluation, by: str, unit: str) -> pd.DataFrame:
    """Return intervals of a bootstrap of the images, and of the readers within each image."""
    scores = evaluation.scores
    if REGION in scores:  # all regions together would enter the means twice
        scores = scores[(scores[REGION] != UNION) | (scores[REGION].nunique() == 1)]
    design = Design(unit, averaged=by, nested="observer", unbalanced="average", missing="drop")
    return interval_table(
        scores,
        design,
        by=["method", "metric"],
        interval="bootstrap",
        rng=evaluation.options.seed,
    )


def _list_bad_images(evaluation: Evaluation) -> None:
    bad = evaluation.bad_images
    if len(bad):
        click.echo(f"{len(bad)} images could not be scored:")
        for name, reason in bad.head(SHOWN).itertuples(index=False):
            click.echo(f"  {printable(name)}: {printable(reason)}")
        if len(bad) > SHOWN:
            click.echo(f"  and {len(bad) - SHOWN} more")
