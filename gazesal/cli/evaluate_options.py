"""Declare the options of scores, results and runs of `gazesal evaluate`."""

from functools import partial
from pathlib import Path
from typing import get_args

import click

from gazesal.cli.metric_name import MetricName
from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.run_options import RUN_OPTIONS, run_option
from gazesal.evaluation.options import Control
from gazesal.metrics.compat_registry import COMPAT_METRICS
from gazesal.metrics.densities import METHODS
from gazesal.metrics.registry import DEFAULT_METRICS, METRICS
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, INTERVALS

__all__ = ["EVALUATE_OPTIONS"]

NAMES = (*METRICS, *COMPAT_METRICS)
FOLDER = click.Path(path_type=Path, file_okay=False)

_score = partial(click.option, cls=GroupedOption, group="Scores")
_bias = partial(click.option, cls=GroupedOption, group="Center bias")
_results = partial(click.option, cls=GroupedOption, group="Results")

# An option with the name of a keyword argument of `gazesal.evaluate` is given to it.
EVALUATE_OPTIONS = [
    click.option(
        "--rounding",
        cls=GroupedOption,
        group="REFLACX",
        sources=("reflacx",),
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
        help=f"Metric to compute, by default {', '.join(DEFAULT_METRICS)}. Repeat for more. "
        f"Others are {', '.join(name for name in NAMES if name not in DEFAULT_METRICS)}.",
    ),
    _score(
        "--ground-truth",
        type=click.Choice(["rest", "all"]),
        default="rest",
        show_default=True,
        help="Score maps against the mean of all observers except one, for each observer left "
        "out (rest), or against the mean of all observers (all).",
    ),
    _bias(
        "--center-bias",
        type=click.Choice(["images", "none"]),
        default="images",
        show_default=True,
        help="Score the mean gaze map of the images (images), or score without a center bias, for "
        "metrics that do not use it (none).",
    ),
    _bias(
        "--center-bias-rows",
        type=click.Choice(["left_out", "in_sample", "both"]),
        help="Center bias of an image: without its own gaze (left_out), with it as in Bigolin "
        "Lanfredi et al. (2021) (in_sample), or both as separate methods. By default left_out. For "
        "REFLACX both, or in_sample with --rounding study.",
    ),
    _bias(
        "--baseline",
        type=click.Choice(["kde", "center_bias"]),
        default="kde",
        show_default=True,
        help="Baseline of information_gain: a cross-validated kernel density of the fixations on "
        "the other images (kde), or the mean gaze map of the center bias (center_bias).",
    ),
    _bias(
        "--leave-out",
        metavar="GROUP",
        help="Group of images that are left out of the center bias together, for example patient "
        "for the column group:patient of a manifest.",
    ),
    _score(
        "--ceilings/--no-ceilings",
        default=False,
        show_default=True,
        help="Add rows on the score of a perfect map, on images with several observers.",
    ),
    _score(
        "--controls",
        multiple=True,
        type=click.Choice(get_args(Control)),
        help="Control that shows how much of a score is owed to the image. Score each map against "
        "the gaze on other images too, for controls.csv (other_gaze). As rows of the table: "
        "the mean map of each method over the other images (mean_map), which reads each map once "
        "more, and the inverse of the center bias by sncc (inverse). Repeat for more controls.",
    ),
    _score(
        "--control-images",
        type=click.IntRange(1),
        metavar="NUMBER",
        help="Number of other images for the control other_gaze by metrics that are not linear in "
        "the gaze, such as sim. By default 5.",
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
        metavar="NUMBER",
        help="Side in pixels of the cells in which emd sums mass. Required by emd.",
    ),
    _score(
        "--n-samples",
        type=click.IntRange(1),
        metavar="NUMBER",
        help="Estimate each AUC from this number of sampled pixels, 1000 in Bigolin Lanfredi et "
        "al. (2021). Exact by default.",
    ),
    _score(
        "--tolerance",
        type=float,
        metavar="NUMBER",
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
    *RUN_OPTIONS,
    run_option(
        "--bad-images",
        type=click.Choice(["raise", "list"]),
        default="raise",
        show_default=True,
        help="Images that cannot be scored because of an invalid map or invalid fixations: end "
        "with an error, or continue and list them, also in bad_images.csv. Errors in the table or "
        "the manifest itself always end the run.",
    ),
    run_option(
        "--check-first/--no-check-first",
        default=True,
        show_default=True,
        help="Read all maps before the first is scored, to report invalid maps at once. Otherwise, "
        "and with --bad-images list, each map is read once.",
    ),
    run_option(
        "--checkpoint",
        type=FOLDER,
        help="Folder to save finished images in. An interrupted run is resumed from it.",
    ),
    run_option("--resume", is_flag=True, help="Use OUT/checkpoint as --checkpoint."),
    run_option(
        "--dask",
        metavar="ADDRESS",
        help="Run on the Dask cluster with this scheduler address, instead of --jobs.",
    ),
]
