"""Declare the options of `gazesal evaluate` and check which of them go together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from gazesal.cli.metric_name import MetricName
from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.shared_options import column_option, shared_options, sigma_option, size_option
from gazesal.metrics.densities import METHODS
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, INTERVALS

__all__ = ["SOURCE_OPTIONS", "evaluate_options", "require_one_source"]

FOLDER = click.Path(path_type=Path, file_okay=False)
TABLE_OPTIONS = ("pixels_per_degree", "origin", "columns", "duplicates", "outside")
SOURCE_OPTIONS = {  # options by the source of gaze that they belong to
    "fixations": ("size", *TABLE_OPTIONS),
    "manifest": ("manifest_root", *TABLE_OPTIONS),
    "reflacx": ("phases", "readers", "bad_readings", "lungs", "rounding"),
}

_option = partial(click.option, cls=GroupedOption)
_source = partial(_option, group="Gaze and maps")
_reflacx = partial(_option, group="REFLACX")
_score = partial(_option, group="Scores")
_results = partial(_option, group="Results")
_run = partial(_option, group="Run")

OPTIONS = [
    _source(
        "--fixations",
        type=click.Path(path_type=Path),
        help="CSV or Parquet table of fixations with the columns image, observer, x, y, duration.",
    ),
    _source(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        help="CSV, Parquet or JSON table with a row for each image. Its columns are image, width, "
        "height, map:METHOD, gaze:OBSERVER, group:NAME and more. May be combined with --fixations.",
    ),
    _source(
        "--root",
        "manifest_root",
        type=FOLDER,
        help="Folder that relative paths in the manifest start from, by default its own folder.",
    ),
    _source(
        "--maps",
        "map_folder",
        type=click.Path(path_type=Path),
        help="Folder of saliency maps, with a folder <method>/<image>.npy|npz|png|tif or a file "
        "<method>.npz|h5|zarr for each method. Maps of REFLACX are named by dicom_id. Optional "
        "with --reflacx and --manifest.",
    ),
    _source(
        "--size",
        callback=size_option,
        metavar="WxH|FILE",
        help="Size of the images in the pixels of the fixations, or a CSV table with the columns "
        "image, width, height.",
    ),
    _source(
        "--sigma",
        callback=sigma_option,
        metavar="NUMBER[px|deg]",
        help="Standard deviation of the Gaussian of a fixation, in pixels (24 or 24px) or degrees "
        "of visual angle (1deg, needs --pixels-per-degree). For REFLACX in degrees, by default "
        "1deg, because each fixation has its own pixels per degree.",
    ),
    _source("--pixels-per-degree", type=float, help="Image pixels per degree of visual angle."),
    _source(
        "--origin",
        type=click.Choice(["center", "corner", "matlab"]),
        default="center",
        show_default=True,
        help="Origin of the coordinates: (0, 0) is the center of the first pixel (center) or the "
        "corner of the image (corner), or (1, 1) is the center of the first pixel (matlab).",
    ),
    _source(
        "--column",
        "columns",
        multiple=True,
        callback=column_option,
        metavar="NAME=THEIRS",
        help="Name of a column in your table, for example duration=duration_ms. Use duration= if "
        "there are no durations. Repeat for more columns.",
    ),
    _source(
        "--duplicates",
        type=click.Choice(["raise", "drop", "keep"]),
        default="raise",
        show_default=True,
        help="Repeated rows in the table of fixations: end with an error, drop or keep them.",
    ),
    _source(
        "--outside",
        type=click.Choice(["raise", "drop", "keep"]),
        default="raise",
        show_default=True,
        help="Fixations outside the image: end with an error, drop them, or keep the part of their "
        "Gaussian that is inside.",
    ),
    _source(
        "--unmapped",
        type=click.Choice(["raise", "gaze_only"]),
        default="raise",
        show_default=True,
        help="Images without a map of some method: end with an error, or use only their gaze, for "
        "the center bias.",
    ),
    _source(
        "--resize",
        type=click.Choice(["bilinear"]),
        help="Resize maps of another size to the size of the image. Without it they are an error.",
    ),
    _source(
        "--pictures",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="Folder of pictures <image>.npy|png|jpg|tif, drawn under the maps in the figure. For "
        "REFLACX the folder of MIMIC-CXR-JPG, by default mimic-cxr-jpg in the release.",
    ),
    _reflacx("--reflacx", type=FOLDER, help="Folder of a REFLACX release, instead of a table."),
    _reflacx(
        "--phases",
        type=click.Choice(["1", "2", "3", "12", "13", "23", "123"]),
        default="12",
        show_default=True,
        help="Phases of the data collection to read, for example 123 for all. Phase 3 has one "
        "reader for each image.",
    ),
    _reflacx(
        "--readers",
        type=click.IntRange(1),
        default=5,
        show_default=True,
        help="Score images with at least this number of usable readings. Other images only "
        "contribute to the center bias. Use 1 with --ground-truth all to score all images.",
    ),
    _reflacx(
        "--bad-readings",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Readings with a missing or malformed file: end with an error, or skip them.",
    ),
    _reflacx(
        "--lungs",
        type=FOLDER,
        help="Folder of lung masks or probabilities <image>.npy|png|tif. Their convex hulls are "
        "scored as the method Segmentation. By default lung_masks in the release, if it exists.",
    ),
    _reflacx(
        "--rounding",
        type=click.Choice(["none", "study"]),
        default="none",
        show_default=True,
        help="Align the chests of the images at sub-pixel precision, or to whole pixels as in "
        "Bigolin Lanfredi et al. (2021).",
    ),
    _score(
        "--metric",
        "metrics",
        multiple=True,
        type=MetricName(),
        help=f"Metric to compute, by default {', '.join(STUDY_METRICS)}. Repeat for more metrics.",
    ),
    _score(
        "--ground-truth",
        type=click.Choice(["rest", "all"]),
        default="rest",
        show_default=True,
        help="Score maps against the mean of all observers except one, for each observer left "
        "out (rest), or against the mean of all observers (all).",
    ),
    _score(
        "--center-bias",
        type=click.Choice(["images", "none"]),
        default="images",
        show_default=True,
        help="Score the mean gaze map of the images (images), or score without a center bias, for "
        "metrics that do not use it (none).",
    ),
    _score(
        "--center-bias-rows",
        type=click.Choice(["left_out", "in_sample", "both"]),
        help="Center bias of an image: without its own gaze (left_out), with it as in Bigolin "
        "Lanfredi et al. (2021) (in_sample), or both as separate methods. By default left_out. For "
        "REFLACX both, or in_sample with --rounding study.",
    ),
    _score(
        "--leave-out",
        metavar="GROUP",
        help="Group of images that are left out of the center bias together, for example patient "
        "for the column group:patient of a manifest.",
    ),
    _score(
        "--density",
        type=click.Choice(METHODS),
        help="Conversion of a map into a density: divide by the sum (sum), subtract the minimum "
        "first (shift), or exponentiate (softmax). Required by information_gain and "
        "log_likelihood. By default sum for sim, kl_divergence and emd.",
    ),
    _score(
        "--shrink",
        type=click.IntRange(1),
        help="Side in pixels of the cells in which emd sums mass. Required by emd.",
    ),
    _score(
        "--n-samples",
        type=click.IntRange(1),
        help="Estimate each AUC from this number of sampled pixels, 1000 in Bigolin Lanfredi et "
        "al. (2021). Exact by default.",
    ),
    _score(
        "--tolerance",
        type=float,
        help="Largest error of an AUC, for example 1e-6, which is faster for images of millions of "
        "pixels. Exact by default.",
    ),
    _score(
        "--interval",
        type=click.Choice(INTERVALS),
        default=DEFAULT_INTERVAL,
        show_default=True,
        help="Kind of the 95% intervals.",
    ),
    _results("--out", required=True, type=FOLDER, help="Folder for the results."),
    _results(
        "--report/--no-report",
        "page",
        default=True,
        show_default=True,
        help="Write an HTML report, which reads the maps of the best and worst images again.",
    ),
    _run(
        "--bad-images",
        type=click.Choice(["raise", "list"]),
        default="raise",
        show_default=True,
        help="Images that cannot be scored because of an invalid map or invalid fixations: end "
        "with an error, or continue and list them, also in bad_images.csv. Errors in the table or "
        "the manifest itself always end the run.",
    ),
    _run(
        "--check-first/--no-check-first",
        default=True,
        show_default=True,
        help="Read all maps before the first is scored, to report invalid maps at once. Otherwise, "
        "and with --bad-images list, each map is read once.",
    ),
    _run(
        "--checkpoint",
        type=FOLDER,
        help="Folder to save finished images in. An interrupted run is resumed from it.",
    ),
    _run("--resume", is_flag=True, help="Use the folder checkpoint in --out as --checkpoint."),
    _run(
        "--dask",
        metavar="ADDRESS",
        help="Run on the Dask cluster with this scheduler address, instead of --jobs.",
    ),
]


def evaluate_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `gazesal evaluate` to a command."""
    command = shared_options(command)
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def require_one_source(context: click.Context) -> str:
    """Return the source of gaze, and raise unless the options given go with it."""

    def given(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    sources = [name for name in ("manifest", "reflacx", "fixations") if given(name)]
    if sources not in (["manifest"], ["manifest", "fixations"], ["reflacx"], ["fixations"]):
        raise click.UsageError(
            "Give one of --fixations FILE, --manifest FILE or --reflacx DIR. Only --manifest and "
            "--fixations can be combined."
        )
    flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for name in sorted({name for names in SOURCE_OPTIONS.values() for name in names}):
        if given(name) and name not in SOURCE_OPTIONS[sources[0]]:
            others = [f"--{source}" for source, names in SOURCE_OPTIONS.items() if name in names]
            raise click.UsageError(f"{flags[name]} goes with {' or '.join(others)}.")
    if sources == ["fixations"]:
        missing = [flags[n] for n in ("map_folder", "size", "sigma") if context.params[n] is None]
        if missing:
            raise click.UsageError(f"--fixations needs {' and '.join(missing)} too.")
    sigma = context.params["sigma"]
    if sources == ["reflacx"] and sigma is not None and sigma[1] != "deg":
        raise click.UsageError("--sigma must be in degrees with --reflacx, for example 1deg.")
    return sources[0]
