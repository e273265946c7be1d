"""Declare the options of gaze and maps, and check which of them go together."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from gazesal.cli.gaze_options import GAZE_OPTIONS, TABLES
from gazesal.cli.label_options import LABEL_OPTION
from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.place_options import PLACE_OPTIONS
from gazesal.evaluation.map_on_image import FRAMINGS

__all__ = ["SOURCE_GROUPS", "SOURCE_OPTIONS", "given_sources", "is_given", "require_one_source"]

FOLDER = click.Path(path_type=Path, file_okay=False)
SOURCE_GROUPS = (
    "Gaze", "Maps of the gaze", "Manifest", "Files of fixations", "Coordinates", "Screen",
    "Saliency maps", "REFLACX",
)  # fmt: skip

_maps, _reflacx = (
    partial(click.option, cls=GroupedOption, group=title) for title in SOURCE_GROUPS[-2:]
)

# An option with the name of a keyword argument of a function that reads its source, such as
# `read_fixations` or `find_maps`, is given to it. `sources` names the sources that have the option.
SOURCE_OPTIONS = [
    *GAZE_OPTIONS,
    *PLACE_OPTIONS,
    _maps(
        "--maps",
        "map_folder",
        type=click.Path(path_type=Path),
        help="Folder of saliency maps, with a folder <method>/<image>.npy|png|mat or a file "
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
        "--input-geometry",
        type=click.Choice(FRAMINGS),
        help="Position of each image in its maps, if the maps span the input of a network: padded "
        "(letterboxed), cropped to its center (center_cropped), or stretched. By default, maps "
        "span the image.",
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
    LABEL_OPTION,
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
    """Return the options of gaze that are given, the source of the images first.

    Parameters
    ----------
    context : click.Context
        The parsed options.

    Returns
    -------
    list of str
        ``["reflacx"]``, a manifest without or with fixations, or some of `TABLES`.

    Raises
    ------
    click.UsageError
        If no source is given, or sources cannot be combined.
    """
    sources = [name for name in ("manifest", "reflacx", *TABLES) if is_given(context, name)]
    alone = sources in (["reflacx"], ["manifest"], ["manifest", "fixations"])
    if not sources or not (alone or set(sources) <= set(TABLES)):
        raise click.UsageError(
            "Give one of --fixations PATH, --gaze-maps DIR, --fixation-maps DIR, --manifest FILE "
            "or --reflacx DIR. The first three can be combined, and --manifest with --fixations."
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
    flags = {option.name: option.opts[0] for option in options}
    for option in options:
        fitting = getattr(option, "sources", ())
        if fitting and not set(fitting) & set(sources) and is_given(context, option.name):
            raise click.UsageError(
                f"{option.opts[0]} goes with {' or '.join(flags[name] for name in fitting)}, not "
                f"with {flags[sources[0]]}. Remove it."
            )
    if sources[0] in TABLES:
        # finished gaze maps are not blurred, and audits have no sigma
        scored = "sigma" in flags and "gaze_maps" not in sources
        needed = ("map_folder", "sigma") if scored else ("map_folder",)
        missing = [flags[name] for name in needed if context.params[name] is None]
        if missing:
            raise click.UsageError(f"{flags[sources[0]]} needs {' and '.join(missing)} too.")
    sigma = context.params.get("sigma")
    if sources[0] == "reflacx" and sigma is not None and sigma[1] != "deg":
        raise click.UsageError("--sigma must be in degrees with --reflacx, for example 1deg.")
    return sources[0]
