"""`gazesal evaluate`."""

from pathlib import Path
from typing import Any

import click
import numpy as np

import gazesal
from gazesal.cli.metric_name import MetricName
from gazesal.cli.options import (
    cluster,
    column_option,
    ended_by_sigterm,
    plain_errors,
    require_writable,
    shared_options,
    sigma_option,
    size_option,
)
from gazesal.cli.output import show_and_write
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
from gazesal.metrics.densities import METHODS
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.reporting.pictures import find_picture, read_picture
from gazesal.stats.interval_methods import INTERVALS


@click.command()
@click.option(
    "--fixations",
    type=click.Path(path_type=Path),
    help="CSV or Parquet table with the columns image, observer, x, y, duration.",
)
@click.option(
    "--reflacx",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a REFLACX release, in place of a table of fixations.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV, Parquet or JSON table with a row for each image: image, width, height, map:METHOD, "
    "gaze:OBSERVER, group:NAME and more. Also beside a table of fixations.",
)
@click.option(
    "--root",
    "manifest_root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that the paths in the manifest start from; its own by default.",
)
@click.option(
    "--maps",
    "map_folder",
    type=click.Path(path_type=Path),
    help="Folder of saliency maps: for each method a folder <method>/<image>.npy|npz|png|tif or a "
    "file <method>.npz|h5|zarr. Images of REFLACX are named by their dicom_id, and there and with "
    "a manifest it may be left out.",
)
@click.option(
    "--size",
    callback=size_option,
    metavar="WxH|FILE",
    help="Size of the images in the pixels of the fixations, or a CSV table with the columns "
    "image, width, height. REFLACX has its own.",
)
@click.option(
    "--sigma",
    callback=sigma_option,
    metavar="NUMBER[px|deg]",
    help="Standard deviation of a fixation's Gaussian, in pixels (24 or 24px) or degrees of visual "
    "angle (1deg, with --pixels-per-degree). In degrees for REFLACX, whose fixations have their "
    "own pixels per degree; 1deg by default there.",
)
@click.option("--pixels-per-degree", type=float, help="Image pixels in a degree of visual angle.")
@click.option(
    "--phases",
    type=click.Choice(["1", "2", "12"]),
    default="12",
    show_default=True,
    help="Phases of REFLACX.",
)
@click.option(
    "--readers",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Score the images of REFLACX that keep so many readings; the others shape the center "
    "bias.",
)
@click.option(
    "--bad-readings",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="Readings of REFLACX with a file that is missing or malformed: refuse, or leave out and "
    "say how many.",
)
@click.option(
    "--lungs",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of lung masks or probabilities, <image>.npy|png|tif, whose hulls are the row "
    "Segmentation. By default lung_masks in the folder of REFLACX, where there is one.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the results.",
)
@click.option(
    "--origin",
    type=click.Choice(["center", "corner", "matlab"]),
    default="center",
    show_default=True,
    help="Where coordinates begin: (0, 0) at the center of the first pixel, (0, 0) at the image's "
    "corner, or (1, 1) at the center of the first pixel.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=column_option,
    metavar="NAME=THEIRS",
    help="What a column is called in the table, as duration=duration_ms; duration= for none.",
)
@click.option(
    "--duplicates",
    type=click.Choice(["raise", "drop", "keep"]),
    default="raise",
    show_default=True,
    help="Rows of the table that repeat another.",
)
@click.option(
    "--outside",
    type=click.Choice(["raise", "drop", "keep"]),
    default="raise",
    show_default=True,
    help="Fixations outside the image: refuse, leave out, or draw the part inside.",
)
@click.option(
    "--unmapped",
    type=click.Choice(["raise", "gaze_only"]),
    default="raise",
    show_default=True,
    help="Images that a method has no map of: refuse, or use their gaze for the center bias only.",
)
@click.option(
    "--resize",
    type=click.Choice(["bilinear"]),
    help="Bring maps of another size onto the image; without it they are an error.",
)
@click.option(
    "--ground-truth",
    type=click.Choice(["rest", "all"]),
    default="rest",
    show_default=True,
    help="Score maps against the mean of all observers but one, for each choice of that one, or "
    "of all observers.",
)
@click.option(
    "--center-bias-rows",
    type=click.Choice(["left_out", "in_sample", "both", "none"]),
    help="Make the center bias of an image without its own gaze, with it as the study does, "
    "both in rows of their own, or none; left_out by default, both with REFLACX, in_sample with "
    "its --rounding study, which has no other.",
)
@click.option(
    "--leave-out",
    metavar="GROUP",
    help="Group of the images, as patient for the column group:patient of a manifest, whose images "
    "are left out of the center bias together.",
)
@click.option(
    "--rounding",
    type=click.Choice(["none", "study"]),
    default="none",
    show_default=True,
    help="Register the chests of REFLACX at sub-pixel precision, or to whole pixels as the study "
    "does.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=MetricName(),
    help=f"Metric to compute, repeated for more; {', '.join(STUDY_METRICS)} by default.",
)
@click.option(
    "--density",
    type=click.Choice(METHODS),
    help="How a map becomes a density, which information_gain and log_likelihood need: divided by "
    "its sum, less its smallest value before that, or its exponential. sim, kl_divergence and emd "
    "take it too, and otherwise divide by the sum.",
)
@click.option(
    "--shrink",
    type=click.IntRange(1),
    help="Side in pixels of the cells that emd moves mass between, which needs it.",
)
@click.option(
    "--n-samples",
    type=click.IntRange(1),
    help="Draw so many pixels for each AUC, as the study does with 1000; exact by default.",
)
@click.option(
    "--tolerance",
    type=float,
    help="How far an AUC may be from the exact one, as 1e-6; faster for images of millions of "
    "pixels. Exact by default.",
)
@click.option(
    "--interval",
    type=click.Choice(INTERVALS),
    default="t",
    show_default=True,
    help="Kind of the 95% intervals.",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the images themselves, <image>.npy|png|jpg|tif, to lie under the maps in the "
    "figure. For REFLACX the folder of MIMIC-CXR-JPG, by default mimic-cxr-jpg beside it.",
)
@click.option(
    "--report/--no-report",
    "page",
    default=True,
    show_default=True,
    help="Write the HTML page, which reads the maps of the best and worst images once more.",
)
@click.option(
    "--bad-images",
    type=click.Choice(["raise", "list"]),
    default="raise",
    show_default=True,
    help="Images that cannot be scored, since a map cannot be read, has the wrong size or holds "
    "NaN, or fixations are bad: end the run, or go on and list them, in bad_images.csv too. What "
    "is wrong with the table of fixations or the manifest itself ends the run in any case.",
)
@click.option(
    "--check-first/--no-check-first",
    default=True,
    show_default=True,
    help="Read all maps before any is scored, to know bad ones at once; without it each is read "
    "once. With --bad-images list they are read once in any case.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep finished images in this folder, and go on with what an earlier run left there.",
)
@click.option("--resume", is_flag=True, help="The same in the folder checkpoint of --out.")
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Work on a Dask cluster, by the address of its scheduler, in place of --jobs.",
)
@shared_options
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

    Writes scores.csv (every score), summary.txt, .md and .csv (means with 95% intervals for one
    observer vs. the others, the center bias and each method), settings.json, and figure.png where
    matplotlib is installed; with the extra report also report.html, and with the extra parquet the
    folder evaluation, from which gazesal report makes that page again. Everything is read and
    checked before the work starts, unless asked otherwise, and all files are written before the
    table is printed. Ctrl-C and SIGTERM end the work, with exit status 130 and 143; with --resume
    the same command goes on.
    """
    source = _require_one_source(context)
    if resume and checkpoint is not None:
        raise click.UsageError("--resume is --checkpoint OUT/checkpoint; give one of the two.")
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
            outside, center_bias_rows = options["outside"], center_bias_rows or "left_out"
            first = next((case for case in cases if case.scored), cases[0])
            image = first.image
            if pictures is not None:
                picture = picture_to_show(bad_images, find_picture, pictures, image)
                cases = with_pictures(cases, pictures)
            elif first.picture is not None and first.picture.exists():
                picture = picture_to_show(bad_images, read_picture, first.picture)
        else:
            release, cases = cases_of_release(reflacx, **options)
            in_sample = options["rounding"] == "study"
            center_bias_rows = center_bias_rows or ("in_sample" if in_sample else "both")
            outside = "keep"
            image, picture = picture_of_release(release, cases, pictures, bad_images)
            if pictures is not None:
                cases = with_pictures_of_release(release, cases, pictures)
        with cluster(dask):
            evaluation = gazesal.evaluate(
                cases,
                sigma=sigma,
                outside=outside,
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


TABLE = ("pixels_per_degree", "origin", "columns", "duplicates", "outside")
GOES_WITH = {
    "fixations": ("size", *TABLE),
    "manifest": ("manifest_root", *TABLE),
    "reflacx": ("phases", "readers", "bad_readings", "lungs", "rounding"),
}


def _require_one_source(context: click.Context) -> str:
    """Raise unless there is one source of gaze, and the options that go with it; say which."""

    def given(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    sources = [name for name in ("manifest", "reflacx", "fixations") if given(name)]
    if sources not in (["manifest"], ["manifest", "fixations"], ["reflacx"], ["fixations"]):
        raise click.UsageError(
            "give --fixations FILE, --manifest FILE or --reflacx DIR, one of the three; a table of "
            "fixations may go with a manifest."
        )
    flags = {p.name: p.opts[0] for p in context.command.params}
    for name in sorted({name for names in GOES_WITH.values() for name in names}):
        if given(name) and name not in GOES_WITH[sources[0]]:
            others = [f"--{source}" for source, names in GOES_WITH.items() if name in names]
            raise click.UsageError(f"{flags[name]} goes with {' or '.join(others)}.")
    if sources == ["fixations"]:
        missing = [flags[n] for n in ("map_folder", "size", "sigma") if context.params[n] is None]
        if missing:
            raise click.UsageError(f"--fixations needs {' and '.join(missing)} too.")
    sigma = context.params["sigma"]
    if sources == ["reflacx"] and sigma is not None and sigma[1] != "deg":
        raise click.UsageError("--sigma must be in degrees with --reflacx, like 1deg.")
    return sources[0]


def _settings_of(typed: dict[str, Any], source: str) -> dict[str, object]:
    """What was read, to be written beside the options of the evaluation."""
    own = ("manifest", "fixations") if source == "manifest" else (source,)
    names = (*own, *GOES_WITH[source], "map_folder", "unmapped", "interval", "pictures")
    shared = {"pixels_per_degree", "outside", "rounding"}  # what becomes of them is there already
    settings: dict[str, object] = {}
    for name in names:
        if name not in shared:
            value = str(typed[name]) if isinstance(typed[name], Path) else typed[name]
            settings["maps" if name == "map_folder" else name] = value
    if source == "reflacx":
        settings["degrees"] = 1.0 if typed["sigma"] is None else typed["sigma"][0]
    return settings | {"gazesal": gazesal.__version__}
