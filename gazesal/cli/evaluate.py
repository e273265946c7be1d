"""Run `gazesal evaluate`: read the cases, score them, and write the results."""

from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.evaluate_options import EVALUATE_OPTIONS
from gazesal.cli.examples import EVALUATE_EXAMPLES
from gazesal.cli.figure_image import figure_image, first_scored
from gazesal.cli.label_options import label_defaults
from gazesal.cli.option_groups import GroupedCommand, with_options
from gazesal.cli.output import show_and_write
from gazesal.cli.region_options import (
    REGION_GROUP,
    REGION_OPTIONS,
    default_metrics,
    with_areas,
    with_regions,
)
from gazesal.cli.run_contexts import cluster, ended_by_sigterm, plain_errors, require_writable
from gazesal.cli.source_options import (
    SOURCE_GROUPS,
    SOURCE_OPTIONS,
    given_sources,
    is_given,
    require_one_source,
)
from gazesal.cli.sources import accepted_by, find_cases, with_defaults

# The settings of the evaluation, or its sigma, already contain these options.
IN_EVALUATION = {"pixels_per_degree", "outside", "resize", "rounding", "sigma"}
IN_EVALUATION |= {"region_options", "region_rows"}


@click.command(cls=GroupedCommand, examples=EVALUATE_EXAMPLES)
@with_options(SOURCE_OPTIONS)
@with_options(REGION_OPTIONS)
@with_options(EVALUATE_OPTIONS)
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    out: Path,
    checkpoint: Path | None,
    resume: bool,
    dask: str | None,
    interval: Any,
    bad_images: Any,
    page: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Score saliency maps against gaze.

    The gaze is given by --fixations, --gaze-maps, --fixation-maps, --manifest or --reflacx. The
    examples at the end show what goes with each.

    Results in --out: scores.csv (every score), summary.txt, .md and .csv (means with 95% intervals
    for each method, for one observer vs. the others and for the center bias), settings.json, and
    with matplotlib figure.png. With the extra "report" also report.html, and with the extra
    "parquet" the folder "evaluation", from which gazesal report writes report.html again. With
    --controls other_gaze also controls.csv and .txt, with several labels of --regions
    summary_by_region.csv, and with --labels summary_by_label.csv and .txt and
    summary_of_images_and_readers.csv.

    All inputs are read and checked before the first image is scored (see --check-first), and all
    files are written before the table is printed. Ctrl-C and SIGTERM stop the run with exit status
    130 and 143. The same command with --resume continues a stopped run that had --resume.
    """
    source = require_one_source(context)
    if resume and checkpoint is not None:
        raise click.UsageError(
            "--resume means --checkpoint OUT/checkpoint. Give only one of the two."
        )
    checkpoint = out / "checkpoint" if resume else checkpoint
    given = {name for name in options if is_given(context, name)}
    options = label_defaults(with_defaults(options), given)
    settings = _settings_of(context, source, options | {"interval": interval})
    with plain_errors(kept=checkpoint), ended_by_sigterm():
        require_writable(out)
        found = find_cases(source, options | {"bad_images": bad_images})
        image, picture = figure_image(found, bad_images)
        if source == "reflacx" and options["center_bias"] == "images":
            rows = "in_sample" if options["rounding"] == "study" else "both"
            options["center_bias_rows"] = options["center_bias_rows"] or rows
        chosen = {
            "sigma": found.sigma,
            "outside": found.outside,
            "metrics": options["metrics"] or default_metrics(options),
            "bad_images": bad_images,
            "checkpoint": checkpoint,
            "progress": not quiet,
        }
        if dask is not None:
            options["n_jobs"] = None
        with cluster(dask):
            evaluation = gazesal.evaluate(
                with_areas(with_regions(found.cases, options), options),
                **accepted_by(gazesal.evaluate, options) | chosen,
            )
        if image in set(evaluation.bad_images["image"]):
            image, picture = first_scored(evaluation)
        of_summary = {"unit": options["summary_unit"], "by": options["summary_by"]}
        show_and_write(evaluation, out, interval, settings, image, picture, page=page, **of_summary)


def _settings_of(context: click.Context, source: str, options: dict[str, Any]) -> dict[str, object]:
    """Return the inputs as settings, which are written beside the options of the evaluation."""
    settings: dict[str, object] = {}
    parameters: list[Any] = list(context.command.params)
    for parameter in parameters:
        name, value = str(parameter.name), options.get(str(parameter.name))
        of_source = getattr(parameter, "group", "") in {*SOURCE_GROUPS, REGION_GROUP}
        own = of_source and name not in IN_EVALUATION
        fits = not parameter.sources or set(parameter.sources) & {*given_sources(context)}
        if own and fits and value is not None and value != {}:
            value = str(value) if isinstance(value, Path) else value
            settings["maps" if name == "map_folder" else name] = value
    if source == "reflacx":
        settings["degrees"] = 1.0 if options["sigma"] is None else options["sigma"][0]
    return settings | {"interval": options["interval"], "gazesal": gazesal.__version__}
