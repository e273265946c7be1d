"""Declare the options of regions of `gazesal evaluate`, and add regions to the cases."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.option_groups import GroupedOption
from gazesal.metrics.registry import DEFAULT_METRICS
from gazesal.regions.registry import REGION_METRICS

__all__ = [
    "ELLIPSES",
    "REGION_GROUP",
    "REGION_OPTIONS",
    "default_metrics",
    "with_areas",
    "with_regions",
]

REGION_GROUP = "Regions"
# Computed if regions are given and no metric is chosen. They need no option, and are defined for
# maps of any scale.
REGION_DEFAULTS = ("pointing_game", "relevance_rank", "localization_auc", "average_precision")
ELLIPSES = "ellipses"  # regions of a REFLACX release, which are read with its cases

_region = partial(click.option, cls=GroupedOption, group=REGION_GROUP)


def _nested(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Convert METRIC.OPTION=VALUE into options by metric, in which numbers are numbers."""
    found: dict[str, dict[str, Any]] = {}
    for given in values:
        name, equals, text = given.partition("=")
        metric, dot, option = name.partition(".")
        if not (equals and dot and option):
            raise click.BadParameter(f"must be METRIC.OPTION=VALUE, got {given!r}.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text.strip()
        found.setdefault(metric.strip(), {})[option.strip()] = value
    return found


REGION_OPTIONS = [
    _region(
        "--area",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of masks <image>.png|npy|tif of the pixels that count on each image: 0 for "
        "pixels that do not, such as a black border. Other values are weights.",
    ),
    _region(
        "--regions",
        type=click.Path(path_type=Path),
        help="Regions of the images, such as lesions: a folder of masks <label>/<image>.png, or a "
        f"JSON file in the format of COCO. For REFLACX, also {ELLIPSES}, which the readers drew. "
        f"Without --metric, {', '.join(REGION_DEFAULTS)} are added. "
        f"Others are {', '.join(n for n in REGION_METRICS if n not in REGION_DEFAULTS)}.",
    ),
    _region(
        "--region-rows",
        type=click.Choice(["each", "union", "both"]),
        default="each",
        show_default=True,
        help="Score the region of each label, all regions of an image together, or both.",
    ),
    _region(
        "--region-option",
        "region_options",
        multiple=True,
        callback=_nested,
        metavar="METRIC.OPTION=VALUE",
        help="Option of a metric of regions, for example pointing_game.tolerance=15, iou.top=0.05 "
        "or dice.top=equal. iou and dice need threshold or top, and top_k_intersection needs k.",
    ),
]


def default_metrics(options: dict[str, Any]) -> tuple[str, ...]:
    """Return the metrics that are computed if none is chosen."""
    return (*DEFAULT_METRICS, *(REGION_DEFAULTS if options["regions"] is not None else ()))


def with_areas(cases: list[gazesal.Case], options: dict[str, Any]) -> list[gazesal.Case]:
    """Return the cases with the areas of a folder, if one is given."""
    place = options["area"]
    return cases if place is None else gazesal.add_areas(cases, gazesal.open_maps(place))


def with_regions(cases: list[gazesal.Case], options: dict[str, Any]) -> list[gazesal.Case]:
    """Return the cases with the regions of a folder or a file, if one is given."""
    place = options["regions"]
    if place is None or (str(place) == ELLIPSES and options["reflacx"] is not None):
        return cases
    return gazesal.add_regions(cases, gazesal.regions.read_regions(place))
