"""Declare the options of gaze and maps, and check which of them go together."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.option_values import (
    display_option,
    format_option,
    pairs_option,
    rectangle_option,
    sigma_option,
    size_option,
)
from gazesal.datasets.screens import ORIGINS

__all__ = ["SOURCE_GROUPS", "SOURCE_OPTIONS", "given_sources", "is_given", "require_one_source"]

FOLDER = click.Path(path_type=Path, file_okay=False)
TABLES = ("fixations",)
FILES = ("fixations", "manifest")  # a manifest names files of fixations
SOURCE_GROUPS = ("Gaze", "Coordinates", "Screen", "Maps", "REFLACX")

_gaze, _place, _screen, _maps, _reflacx = (
    partial(click.option, cls=GroupedOption, group=title) for title in SOURCE_GROUPS
)

# An option with the name of a keyword argument of a function that reads its source, such as
# `read_fixations` or `find_maps`, is given to it. `sources` names the sources that have the option.
SOURCE_OPTIONS = [
    _gaze(
        "--fixations",
        type=click.Path(path_type=Path),
        help="Fixations: a table with the columns image, observer, x, y, duration, such as CSV or "
        "Parquet, or the file or folder of a --format.",
    ),
    _gaze(
        "--format",
        sources=TABLES,
        callback=format_option,
        metavar="NAME|FILE.toml",
        help="Format of --fixations, for example tobii, eyelink, egd-cxr or salicon, or your own "
        "description of a table. By default, a table whose dialect is found out.",
    ),
    _gaze(
        "--sigma",
        callback=sigma_option,
        metavar="NUMBER[px|deg]",
        help="Standard deviation of the Gaussian of a fixation, in pixels (24 or 24px) or degrees "
        "of visual angle (1deg, needs --pixels-per-degree). For REFLACX in degrees, by default "
        "1deg, because each fixation has its own pixels per degree.",
    ),
    _gaze(
        "--column",
        "columns",
        sources=FILES,
        multiple=True,
        callback=pairs_option,
        metavar="NAME=THEIRS",
        help="Name of a column in your table, for example duration=duration_ms. Use duration= if "
        "there are no durations. Repeat for more columns.",
    ),
    _gaze(
        "--eye",
        sources=TABLES,
        type=click.Choice(["left", "right", "both"]),
        help="Eye to use if the files have both. By default both, with a warning.",
    ),
    _gaze(
        "--format-option",
        "format_options",
        sources=TABLES,
        multiple=True,
        callback=pairs_option,
        metavar="NAME=VALUE",
        help="Option of the format, for example samples=mouse for salicon. Repeat for more.",
    ),
    _gaze(
        "--outside",
        sources=FILES,
        type=click.Choice(["raise", "drop", "keep"]),
        default="raise",
        show_default=True,
        help="Fixations outside the image: end with an error, drop them, or keep the part of their "
        "Gaussian that is inside.",
    ),
    _gaze(
        "--duplicates",
        sources=FILES,
        type=click.Choice(["raise", "drop", "keep", "longest"]),
        help="Rows that repeat another: end with an error, drop or keep them, or keep the longest "
        "of a fixation (only egd-cxr). By default an error, or as the format says.",
    ),
    _gaze(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        help="CSV, Parquet or JSON table with a row for each image. Its columns are image, width, "
        "height, map:METHOD, gaze:OBSERVER, group:NAME and more. May be combined with --fixations.",
    ),
    _gaze(
        "--root",
        "manifest_root",
        sources=("manifest",),
        type=FOLDER,
        help="Folder that relative paths in the manifest start from, by default its own folder.",
    ),
    _place(
        "--size",
        sources=TABLES,
        callback=size_option,
        metavar="WxH|FILE|DIR",
        help="Size of the images in the pixels of the fixations, a CSV table with the columns "
        "image, width, height, or the folder of the pictures.",
    ),
    _place(
        "--pixels-per-degree",
        sources=FILES,
        type=float,
        metavar="NUMBER",
        help="Image pixels per degree of visual angle.",
    ),
    _place(
        "--origin",
        sources=FILES,
        type=click.Choice(ORIGINS),
        help="Origin of the positions: (0, 0) is the center of the first pixel (pixel_center), the "
        "outer corner (pixel_corner) or the center of the screen (screen_center), or (1, 1) is the "
        "center of the first pixel (one_based). By default as the format says, or pixel_center.",
    ),
    _place(
        "--unit",
        sources=TABLES,
        type=click.Choice(["pixels", "shares"]),
        help="Unit of the positions: pixels, or shares of the width and height. By default as the "
        "format or the names of the columns say, or pixels.",
    ),
    _place(
        "--y-axis",
        sources=TABLES,
        type=click.Choice(["down", "up"]),
        help="Direction of y. By default as the format says, or down.",
    ),
    _place(
        "--time-unit",
        sources=TABLES,
        type=click.Choice(["ms", "s", "us", "ns"]),
        help="Unit of the durations. By default as the format or the names of the columns say.",
    ),
    _screen(
        "--display",
        sources=TABLES,
        callback=display_option,
        metavar="WxH",
        help="Size of the screen, if positions were measured on it.",
    ),
    _screen(
        "--placement",
        sources=TABLES,
        type=click.Choice(["fill", "letterbox", "center"]),
        help="Place of the image on the screen: stretched over it (fill, the default), as large as "
        "possible with bars beside it (letterbox), or in the center.",
    ),
    _screen(
        "--scale",
        sources=TABLES,
        type=float,
        metavar="NUMBER",
        help="Pixels of the screen per pixel of the image, for --placement center.",
    ),
    _screen(
        "--rectangle",
        sources=TABLES,
        callback=rectangle_option,
        metavar="X_MIN,Y_MIN,X_MAX,Y_MAX|FILE",
        help="Outer edges of the image on the screen, or a table with the columns image, x_min, "
        "y_min, x_max, y_max, instead of --placement.",
    ),
    _maps(
        "--maps",
        "map_folder",
        type=click.Path(path_type=Path),
        help="Folder of saliency maps, with a folder <method>/<image>.npy|png|... or a file "
        "<method>.npz|h5|zarr|mat|pt for each method. Maps of REFLACX are named by dicom_id. "
        "Optional with --reflacx and --manifest.",
    ),
    _maps(
        "--pattern",
        metavar="TEXT",
        help="Names of the files of maps without their suffix, for example {image}_cam or "
        "*/{image}. By default {image}.",
    ),
    _maps(
        "--array",
        metavar="NAME",
        help="Name of the array of the map in each .npz, .mat or .pt file of a folder.",
    ),
    _maps(
        "--resize",
        type=click.Choice(["bilinear"]),
        help="Resize maps of another size to the size of the image. Without it, such maps are an "
        "error.",
    ),
    _maps(
        "--unmapped",
        type=click.Choice(["raise", "gaze_only"]),
        default="raise",
        show_default=True,
        help="Images without a map of some method: end with an error, or use only their gaze, for "
        "the center bias.",
    ),
    _maps(
        "--pictures",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="Folder of pictures <image>.npy|png|jpg|tif, drawn under the maps in the figure. For "
        "REFLACX the folder of MIMIC-CXR-JPG, by default mimic-cxr-jpg in the release.",
    ),
    _reflacx("--reflacx", type=FOLDER, help="Folder of a REFLACX release, instead of a table."),
    _reflacx(
        "--readers",
        sources=("reflacx",),
        type=click.IntRange(1),
        metavar="NUMBER",
        default=5,
        show_default=True,
        help="Score images with at least this number of usable readings. Other images only "
        "contribute to the center bias. Use 1 with --ground-truth all to score all images.",
    ),
    _reflacx(
        "--phases",
        sources=("reflacx",),
        type=click.Choice(["1", "2", "3", "12", "13", "23", "123"]),
        default="12",
        show_default=True,
        help="Phases of the data collection to read, for example 123 for all. Phase 3 has one "
        "reader for each image.",
    ),
    _reflacx(
        "--lungs",
        sources=("reflacx",),
        type=FOLDER,
        help="Folder of lung masks or probabilities <image>.npy|png|tif. Their convex hulls are "
        "scored as the method Segmentation. By default lung_masks in the release, if it exists.",
    ),
    _reflacx(
        "--bad-readings",
        sources=("reflacx",),
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Readings with a missing or malformed file: end with an error, or skip them.",
    ),
]


def given_sources(context: click.Context) -> list[str]:
    """Return the sources of gaze that are given, the one that names the images first.

    Parameters
    ----------
    context : click.Context
        The parsed options.

    Returns
    -------
    list of str
        One of ``"fixations"``, ``"manifest"`` and ``"reflacx"``, or a manifest and fixations.

    Raises
    ------
    click.UsageError
        If no source is given, or sources cannot be combined.
    """
    sources = [name for name in ("manifest", "reflacx", "fixations") if is_given(context, name)]
    if sources not in (["manifest"], ["manifest", "fixations"], ["reflacx"], ["fixations"]):
        raise click.UsageError(
            "Give one of --fixations FILE, --manifest FILE or --reflacx DIR. Only --manifest and "
            "--fixations can be combined."
        )
    return sources


def is_given(context: click.Context, name: str) -> bool:
    """Return whether an option is on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def require_one_source(context: click.Context) -> str:
    """Return the source that names the images, and raise unless the options go with the sources.

    Parameters
    ----------
    context : click.Context
        The parsed options.

    Returns
    -------
    str
        The first of `given_sources`.

    Raises
    ------
    click.UsageError
        If an option does not go with the sources, or one that they need is missing.
    """
    sources = given_sources(context)
    options: list[Any] = list(context.command.params)
    for option in options:
        needed = getattr(option, "sources", ())
        if needed and not set(needed) & set(sources) and is_given(context, option.name):
            others = " or ".join(f"--{name.replace('_', '-')}" for name in needed)
            raise click.UsageError(
                f"{option.opts[0]} goes with {others}, not with --{sources[0]}. Remove it."
            )
    if sources[0] in TABLES:
        flags = {option.name: option.opts[0] for option in options}
        missing = [flags[name] for name in ("map_folder", "sigma") if context.params[name] is None]
        if missing:
            raise click.UsageError(f"--{sources[0]} needs {' and '.join(missing)} too.")
    sigma = context.params["sigma"]
    if sources[0] == "reflacx" and sigma is not None and sigma[1] != "deg":
        raise click.UsageError("--sigma must be in degrees with --reflacx, for example 1deg.")
    return sources[0]
