"""`gazesal report`."""

import json
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.metric_name import MetricName
from gazesal.cli.options import plain_errors
from gazesal.reporting.html.report import TITLE

SAVED = "evaluation"  # folder of an evaluation among the results of `gazesal evaluate`


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write; report.html in the folder by default.",
)
@click.option("--title", default=TITLE, show_default=True, help="Title of the page.")
@click.option(
    "--metric",
    type=MetricName(),
    help="What the best and worst images are chosen by; sauc by default, where it was computed.",
)
@click.option(
    "--images",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="How many of the best and of the worst images of each map are shown.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the images themselves, <image>.npy|png|jpg|tif, in place of those that the "
    "evaluation names.",
)
def report(
    folder: Path,
    out: Path | None,
    title: str,
    metric: str | None,
    images: int,
    pictures: Path | None,
) -> None:
    """Make the HTML page of an evaluation again, from what `gazesal evaluate` left in FOLDER.

    FOLDER may also be one that Evaluation.save has written. The page holds tables, charts, the best
    and worst images and how to cite what was used; it is one file and needs no network. Maps and
    pictures are read from where they were.
    """
    with plain_errors():
        saved = folder / SAVED if (folder / SAVED).is_dir() else folder
        evaluation = gazesal.Evaluation.load(saved)
        settings = _settings(folder / "settings.json")
        path = gazesal.reporting.write_html_report(
            evaluation,
            folder / "report.html" if out is None else out,
            pictures=pictures,
            summary=evaluation.summary(interval=settings.get("interval", "t")),
            note=str(settings.pop("note", "")),
            settings=settings,
            metric=metric,
            n_extremes=images,
            title=title,
        )
        click.echo(f"wrote {path}")


def _settings(path: Path) -> dict[str, Any]:
    """Facts that a run has written beside its options, if it has."""
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(  # noqa: TRY004
            f"{path}: must hold an object with the settings of a run."
        )
    return settings
