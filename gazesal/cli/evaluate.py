"""Run `gazesal evaluate`: read the cases, score them, and write the results."""

from pathlib import Path
from typing import Any

import click
import numpy as np

import gazesal
from gazesal.cli.evaluate_options import SOURCE_OPTIONS, evaluate_options, require_one_source
from gazesal.cli.option_groups import GroupedCommand
from gazesal.cli.output import show_and_write
from gazesal.cli.run_contexts import cluster, ended_by_sigterm, plain_errors, require_writable
from gazesal.cli.sources import (
    cases_of_manifest,
    cases_of_release,
    cases_of_table,
    first_scored,
    picture_of_release,
    picture_to_show,
    with_defaults,
    with_pictures,
    with_pictures_of_release,
)
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.reporting.pictures import find_picture, read_picture


@click.command(cls=GroupedCommand)
@evaluate_options
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    out: Path,
    checkpoint: Path | None,
    resume: bool,
    dask: str | None,
    reflacx: Path | None,
    manifest: Path | None,
    pictures: Path | None,
    interval: Any,
    center_bias_rows: Any,
    bad_images: Any,
    page: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Score saliency maps against the gaze of a table, a manifest or a REFLACX release.

    Results in --out: scores.csv (every score), summary.txt, .md and .csv (means with 95% intervals
    for each method, for one observer vs. the others and for the center bias), settings.json, and
    with matplotlib figure.png. With the extra "report" also report.html, and with the extra
    "parquet" the folder "evaluation", from which gazesal report writes report.html again.

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
    if reflacx is not None:
        reflacx, options["lungs"], pictures = with_defaults(reflacx, options["lungs"], pictures)
    found = {"reflacx": reflacx, "lungs": options["lungs"], "pictures": pictures}
    settings = _settings_of(context.params | found, source)
    with plain_errors(kept=checkpoint), ended_by_sigterm():
        require_writable(out)
        picture: np.ndarray | None = None
        sigma: float | None = None
        if reflacx is None:
            if manifest is None:
                cases, sigma = cases_of_table(**options)
            else:
                cases, sigma = cases_of_manifest(manifest, bad_images=bad_images, **options)
            outside = options["outside"]
            first = next((case for case in cases if case.scored), cases[0])
            image = first.image
            if pictures is not None:
                picture = picture_to_show(bad_images, find_picture, pictures, image)
                cases = with_pictures(cases, pictures)
            elif first.picture is not None and first.picture.exists():
                picture = picture_to_show(bad_images, read_picture, first.picture)
        else:
            release, cases = cases_of_release(reflacx, **options)
            if center_bias_rows is None and options["center_bias"] == "images":
                center_bias_rows = "in_sample" if options["rounding"] == "study" else "both"
            outside = "keep"
            image, picture = picture_of_release(release, cases, pictures, bad_images)
            if pictures is not None:
                cases = with_pictures_of_release(release, cases, pictures)
        with cluster(dask):
            evaluation = gazesal.evaluate(
                cases,
                sigma=sigma,
                outside=outside,
                center_bias=options["center_bias"],
                center_bias_rows=center_bias_rows,
                metrics=options["metrics"] or STUDY_METRICS,
                resize=options["resize"],
                ground_truth=options["ground_truth"],
                rounding=options["rounding"],
                n_samples=options["n_samples"],
                tolerance=options["tolerance"],
                density=options["density"],
                shrink=options["shrink"],
                leave_out=options["leave_out"],
                seed=options["seed"],
                n_jobs=options["n_jobs"] if dask is None else None,
                progress=not quiet,
                bad_images=bad_images,
                check_first=options["check_first"],
                checkpoint=checkpoint,
            )
        if image in set(evaluation.bad_images["image"]):
            image, picture = first_scored(evaluation)
        show_and_write(evaluation, out, interval, settings, image, picture, page=page)


def _settings_of(typed: dict[str, Any], source: str) -> dict[str, object]:
    """Return the inputs as settings, which are written beside the options of the evaluation."""
    own = ("manifest", "fixations") if source == "manifest" else (source,)
    names = (*own, *SOURCE_OPTIONS[source], "map_folder", "unmapped", "interval", "pictures")
    # the options of the evaluation, or its sigma, already contain these
    shared = {"pixels_per_degree", "outside", "rounding"}
    settings: dict[str, object] = {}
    for name in names:
        if name not in shared:
            value = str(typed[name]) if isinstance(typed[name], Path) else typed[name]
            settings["maps" if name == "map_folder" else name] = value
    if source == "reflacx":
        settings["degrees"] = 1.0 if typed["sigma"] is None else typed["sigma"][0]
    return settings | {"gazesal": gazesal.__version__}
