"""Declare the options of positions: coordinates, units, and the screen."""

from functools import partial

import click

from gazesal.cli.gaze_options import DRAWN, FILES, FIXATIONS, TABLES
from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.option_values import display_option, rectangle_option, size_option
from gazesal.datasets.screens import ORIGINS

__all__ = ["PLACE_OPTIONS"]

_place, _screen = (
    partial(click.option, cls=GroupedOption, group=title) for title in ("Coordinates", "Screen")
)

PLACE_OPTIONS = [
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
        sources=DRAWN,
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
        sources=FILES,
        type=click.Choice(["pixels", "shares"]),
        help="Unit of the positions: pixels, or shares of the width and height. By default as the "
        "format or the names of the columns say, or pixels.",
    ),
    _place(
        "--y-axis",
        sources=FILES,
        type=click.Choice(["down", "up"]),
        help="Direction of y. By default as the format says, or down.",
    ),
    _place(
        "--time-unit",
        sources=FIXATIONS,
        type=click.Choice(["ms", "s", "us", "ns"]),
        help="Unit of the durations. By default as the format or the names of the columns say.",
    ),
    _screen(
        "--display",
        sources=FIXATIONS,
        callback=display_option,
        metavar="WxH",
        help="Size of the screen, if positions were measured on it.",
    ),
    _screen(
        "--placement",
        sources=FIXATIONS,
        type=click.Choice(["fill", "letterbox", "center"]),
        help="Place of the image on the screen: stretched over it (fill, the default), as large as "
        "possible with bars beside it (letterbox), or in the center.",
    ),
    _screen(
        "--scale",
        sources=FIXATIONS,
        type=float,
        metavar="NUMBER",
        help="Pixels of the screen per pixel of the image, for --placement center.",
    ),
    _screen(
        "--rectangle",
        sources=FIXATIONS,
        callback=rectangle_option,
        metavar="X_MIN,Y_MIN,X_MAX,Y_MAX|FILE",
        help="Outer edges of the image on the screen, or a table with the columns image, x_min, "
        "y_min, x_max, y_max, instead of --placement.",
    ),
]
