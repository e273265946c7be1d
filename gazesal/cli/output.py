"""What a command prints and leaves on disk."""

import importlib.util
from pathlib import Path
from typing import Any

import click
import numpy as np

from gazesal._files import write_text
from gazesal.evaluation.results import Evaluation
from gazesal.reporting.html_page import report_extra_is_there
from gazesal.reporting.html_report import write_html_report
from gazesal.reporting.report import describe, write_report
from gazesal.reporting.tables import summary_text

SHOWN = 10  # bad images that are printed


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
) -> None:
    """Print the table and write every file."""
    summary = evaluation.summary(method=interval)
    degrees: Any = settings.get("degrees")
    words = describe(evaluation, summary, degrees=degrees)
    click.echo("\n" + summary_text(summary) + "\n" + words)
    bad = evaluation.bad_images
    if len(bad):
        click.echo(f"{len(bad)} images could not be scored:")
        for name, reason in bad.head(SHOWN).itertuples(index=False):
            click.echo(f"  {name}: {reason}")
        if len(bad) > SHOWN:
            click.echo(f"  and {len(bad) - SHOWN} more")
    written = write_report(
        evaluation,
        out,
        summary=summary,
        settings=settings,
        image=image,
        picture=picture,
        note=note,
    )
    bad_path = out / "bad_images.csv"
    if len(bad):
        write_text(bad_path, bad.to_csv(index=False, lineterminator="\n"))
        written.append(bad_path)
    else:
        bad_path.unlink(missing_ok=True)  # of an earlier run
    if importlib.util.find_spec("pyarrow") is not None:
        evaluation.save(out / "evaluation")
        written.append(out / "evaluation")
    html = out / "report.html"
    if page and report_extra_is_there():
        written.append(
            write_html_report(evaluation, html, summary=summary, settings=settings, note=note)
        )
    else:
        html.unlink(missing_ok=True)  # of an earlier run
    for path in written:
        click.echo(f"wrote {path}")
    if page and html not in written:
        click.echo("no report.html: it needs jinja2 and matplotlib, pip install 'gazesal[report]'")
    if not any(path.suffix == ".png" for path in written):
        click.echo("no figure: it needs matplotlib, pip install 'gazesal[plot]'")
