"""Run `gazesal audit`: read the cases as `gazesal evaluate` does, and check them."""

import json
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal._files import together
from gazesal._text import csv_text, printable
from gazesal.cli.examples import AUDIT_EXAMPLES
from gazesal.cli.option_groups import GroupedCommand, GroupedOption, with_options
from gazesal.cli.run_contexts import ended_by_sigterm, plain_errors, require_writable
from gazesal.cli.run_options import RUN_OPTIONS
from gazesal.cli.source_options import SOURCE_OPTIONS, require_one_source
from gazesal.cli.sources import accepted_by, find_cases, with_defaults
from gazesal.datasets.gaze_formats.registry import FORMATS
from gazesal.maps.plausible_gaze import UNITS

# Input that `gazesal evaluate` refuses by default is read here, and reported.
DEFAULTS = {
    "outside": "keep",
    "unmapped": "gaze_only",
    "bad_readings": "skip",
    "readers": 1,
}
SCORING = {"sigma", "pixels_per_degree", "resize"}  # options of sources that only scores need
FOUND = 1  # exit status


class NotReadError(click.ClickException):
    """The inputs cannot be read. The exit status differs from the status of a finding."""

    exit_code = 2


@click.command(
    cls=GroupedCommand, examples=AUDIT_EXAMPLES, context_settings={"default_map": DEFAULTS}
)
@with_options(SOURCE_OPTIONS)
@click.option(
    "--duration-unit",
    cls=GroupedOption,
    group="Audit",
    type=click.Choice(list(UNITS)),
    help="Unit of the durations of fixations, to be checked.",
)
@click.option(
    "--out",
    cls=GroupedOption,
    group="Audit",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for audit.txt, findings.csv and fits.csv. By default no files are written.",
)
@with_options(RUN_OPTIONS)
@click.pass_context
def audit(
    context: click.Context, /, out: Path | None, n_jobs: int, quiet: bool, **options: Any
) -> None:
    """Check gaze and maps before they are scored.

    Reads the same sources as gazesal evaluate and prints one page: if the gaze fits the maps and
    pictures better mirrored, rotated, or at another scale or origin, and mistakes in coordinates,
    durations, map values, files and names. Nothing is scored.

    The exit status is 0 if there is no fault and no warning, 1 if there is one, and 2 if the
    command is wrong or its inputs cannot be read.
    """
    source = require_one_source(context)
    options = with_defaults(options)
    if options["duplicates"] is None and options["format"] not in FORMATS:
        options["duplicates"] = "keep"
    try:
        with plain_errors(), ended_by_sigterm():
            if out is not None:
                require_writable(out)
            reading = options | dict.fromkeys(SCORING) | {"bad_images": "list"}
            found = find_cases(source, reading)
            maps = None
            if source != "reflacx" and options["map_folder"] is not None:
                named = accepted_by(gazesal.find_maps, options)
                maps = gazesal.find_maps(options["map_folder"], **named)
            result = gazesal.audit(
                found.cases,
                maps=maps,
                duration_unit=options["duration_unit"],
                seed=options["seed"],
                n_jobs=n_jobs,
                progress=not quiet,
            )
            written = [] if out is None else _write(result, out)
    except click.ClickException as error:
        raise NotReadError(error.format_message()) from error
    click.echo(str(result))
    for path in written:
        click.echo(f"wrote {printable(str(path))}")
    context.exit(0 if result.clean else FOUND)


audit.params = [each for each in audit.params if each.name not in SCORING]


def _write(result: gazesal.Audit, out: Path) -> list[Path]:
    """Write the page and both tables, all or none."""
    findings = result.to_frame()
    findings["evidence"] = [json.dumps(each, default=str) for each in findings["evidence"]]
    with together() as files:
        files.text(out / "audit.txt", f"{result}\n")
        files.text(out / "findings.csv", csv_text(findings))
        files.text(out / "fits.csv", csv_text(result.fits_frame()))
    return [out / name for name in ("audit.txt", "findings.csv", "fits.csv")]
