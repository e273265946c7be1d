"""Declare the options of the gaze: fixations, maps of the gaze, and manifests."""

from functools import partial
from pathlib import Path

import click

from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.option_values import (
    format_option,
    format_options_option,
    pairs_option,
    sigma_option,
)

__all__ = ["DRAWN", "FILES", "FIXATIONS", "GAZE_OPTIONS", "TABLES"]

# Sources of gaze, by which an option is restricted with its `sources`.
FIXATIONS = ("fixations",)
FILES = ("fixations", "manifest")  # a manifest names files of fixations
DRAWN = (*FILES, "fixation_maps")  # gaze that becomes a map by Gaussians
TABLES = ("fixations", "fixation_maps", "gaze_maps")  # which may be combined

_gaze, _gaze_maps, _manifest, _dialect = (
    partial(click.option, cls=GroupedOption, group=title)
    for title in ("Gaze", "Maps of the gaze", "Manifest", "Files of fixations")
)

GAZE_OPTIONS = [
    _gaze(
        "--fixations",
        type=click.Path(path_type=Path),
        help="Fixations: a table with the columns image, observer, x, y, duration, such as CSV or "
        "Parquet, or the file or folder of a --format.",
    ),
    _gaze(
        "--format",
        sources=FIXATIONS,
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
        sources=FIXATIONS,
        type=click.Choice(["left", "right", "both"]),
        help="Eye to use if the files have both. By default both, with a warning.",
    ),
    _gaze(
        "--format-option",
        "format_options",
        sources=FIXATIONS,
        multiple=True,
        callback=format_options_option,
        metavar="NAME=VALUE",
        help="Option of the format, for example samples=mouse for salicon or suffix=false for "
        "cat2000. Repeat for more.",
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
    _gaze_maps(
        "--gaze-maps",
        metavar="DIR[/PATTERN]",
        help="Finished gaze maps of all observers together, <image>.png|mat|npy, instead of "
        "fixations or beside them. The names may have a pattern, for example maps/{image}_fixMap. "
        "Needs --ground-truth all and no --sigma.",
    ),
    _gaze_maps(
        "--fixation-maps",
        metavar="DIR[/PATTERN]",
        help="Maps of fixated pixels of all observers together, named like --gaze-maps. Needs "
        "--ground-truth all and --sigma.",
    ),
    _gaze_maps(
        "--threshold",
        sources=("fixation_maps", "manifest"),
        type=float,
        metavar="NUMBER",
        help="Pixels with a larger value in maps of fixated pixels are fixated. Needed for gray "
        "levels, for example 127 for JPEG.",
    ),
    _gaze_maps(
        "--two-valued",
        sources=("gaze_maps", "manifest"),
        type=click.Choice(["raise", "region"]),
        default="raise",
        show_default=True,
        help="Gaze maps of two values, which usually mark fixated pixels: end with an error, or "
        "use them as regions.",
    ),
    _manifest(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        help="CSV, Parquet or JSON table with a row for each image. Its columns are image, width, "
        "height, map:METHOD, gaze:OBSERVER, fixation_map, gaze_map, group:NAME and more. May be "
        "combined with --fixations.",
    ),
    _manifest(
        "--root",
        "manifest_root",
        sources=("manifest",),
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder that relative paths in the manifest start from, by default its own folder.",
    ),
    _dialect(
        "--missing",
        sources=FIXATIONS,
        type=click.Choice(["drop", "raise"]),
        help="Rows without a position or a duration: drop and count them, the default, or end with "
        "an error.",
    ),
    _dialect(
        "--files",
        sources=FIXATIONS,
        metavar="PATTERN",
        help="Files to read if --fixations is a folder, for example *.csv.",
    ),
    _dialect(
        "--delimiter",
        sources=FIXATIONS,
        metavar="CHARACTER",
        help="Character between the fields. By default it is found out.",
    ),
    _dialect(
        "--decimal",
        sources=FIXATIONS,
        type=click.Choice([".", ","]),
        help="Decimal sign. By default it is found out.",
    ),
    _dialect(
        "--encoding",
        sources=FIXATIONS,
        metavar="NAME",
        help="Encoding, for example cp1252. By default it is found out.",
    ),
]
