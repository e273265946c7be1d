"""Run `gazesal report`."""

import json
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.metric_name import MetricName
from gazesal.cli.run_contexts import plain_errors
from gazesal.reporting.html.report import TITLE
from gazesal.stats.interval_methods import DEFAULT_INTERVAL

SAVED = "evaluation"  # folder of the saved evaluation in the results of `gazesal evaluate`


@click.command(short_help="Write the HTML report of results again.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, by default report.html in FOLDER.",
)
@click.option("--title", default=TITLE, show_default=True, help="Title of the page.")
@click.option(
    "--metric",
    type=MetricName(),
    help="Metric by which the best and worst images are chosen, by default sauc if computed.",
)
@click.option(
    "--images",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Number of best and of worst images shown for each method.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of pictures <image>.npy|png|jpg|tif, instead of the pictures named in the "
    "evaluation.",
)
def report(
    folder: Path,
    out: Path | None,
    title: str,
    metric: str | None,
    images: int,
    pictures: Path | None,
) -> None:
    """Write the HTML report of the results in FOLDER again.

    FOLDER is the --out of `gazesal evaluate`, or a folder written by Evaluation.save. The report is
    one file with tables, charts, the best and worst images, and citations. It needs no network.
    Maps and pictures are read from their original files.
    """
    with plain_errors():
        saved = folder / SAVED if (folder / SAVED).is_dir() else folder
        evaluation = gazesal.Evaluation.load(saved)
        settings = _settings(folder / "settings.json")
        path = gazesal.reporting.write_html_report(
            evaluation,
            folder / "report.html" if out is None else out,
            pictures=pictures,
            summary=evaluation.summary(interval=settings.get("interval", DEFAULT_INTERVAL)),
            note=str(settings.pop("note", "")),
            settings=settings,
            metric=metric,
            n_extremes=images,
            title=title,
        )
        click.echo(f"wrote {path}")


def _settings(path: Path) -> dict[str, Any]:
    """Return the settings written by a run, or an empty dictionary without them."""
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(  # noqa: TRY004 (the content of a file)
            f"{path}: must hold a JSON object with the settings of a run, got "
            f"{type(settings).__name__}."
        )
    return settings
