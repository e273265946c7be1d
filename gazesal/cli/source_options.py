"""Declare the options of gaze and maps, and check which of them go together."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.option_values import column_option, sigma_option, size_option

__all__ = ["SOURCE_GROUPS", "SOURCE_OPTIONS", "require_one_source"]

FOLDER = click.Path(path_type=Path, file_okay=False)
TABLES = ("fixations",)  # options whose images become cases by `cases_from_tables`
READ = ("fixations", "manifest")  # options whose files `read_fixations` reads
SOURCE_GROUPS = ("Gaze", "Coordinates and screen", "Maps", "REFLACX")

_gaze, _screen, _maps, _reflacx = (
    partial(click.option, cls=GroupedOption, group=title) for title in SOURCE_GROUPS
)

# An option with the name of a keyword argument of a function that reads its source, such as
# `read_fixations` or `find_maps`, is given to it. `sources` names the sources that have the option.
SOURCE_OPTIONS = [
    _gaze(
        "--fixations",
        type=click.Path(path_type=Path),
        help="CSV or Parquet table of fixations with the columns image, observer, x, y, duration.",
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
        sources=READ,
        multiple=True,
        callback=column_option,
        metavar="NAME=THEIRS",
        help="Name of a column in your table, for example duration=duration_ms. Use duration= if "
        "there are no durations. Repeat for more columns.",
    ),
    _gaze(
        "--outside",
        sources=READ,
        type=click.Choice(["raise", "drop", "keep"]),
        default="raise",
        show_default=True,
        help="Fixations outside the image: end with an error, drop them, or keep the part of their "
        "Gaussian that is inside.",
    ),
    _gaze(
        "--duplicates",
        sources=READ,
        type=click.Choice(["raise", "drop", "keep"]),
        default="raise",
        show_default=True,
        help="Repeated rows in the table of fixations: end with an error, drop or keep them.",
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
    _screen(
        "--size",
        sources=TABLES,
        callback=size_option,
        metavar="WxH|FILE|DIR",
        help="Size of the images in the pixels of the fixations, a CSV table with the columns "
        "image, width, height, or the folder of the pictures.",
    ),
    _screen(
        "--pixels-per-degree",
        sources=READ,
        type=float,
        metavar="NUMBER",
        help="Image pixels per degree of visual angle.",
    ),
    _screen(
        "--origin",
        sources=READ,
        type=click.Choice(["pixel_center", "pixel_corner", "one_based"]),
        default="pixel_center",
        show_default=True,
        help="Origin of the coordinates: (0, 0) is the center of the first pixel (pixel_center) or "
        "the corner of the image (pixel_corner), or (1, 1) is the center of the first pixel "
        "(one_based).",
    ),
    _maps(
        "--maps",
        "map_folder",
        type=click.Path(path_type=Path),
        help="Folder of saliency maps, with a folder <method>/<image>.npy|npz|png|tif or a file "
        "<method>.npz|h5|zarr for each method. Maps of REFLACX are named by dicom_id. Optional "
        "with --reflacx and --manifest.",
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


def require_one_source(context: click.Context) -> str:
    """Return the source of the cases, and raise unless the options given go with it.

    Parameters
    ----------
    context : click.Context
        The parsed options.

    Returns
    -------
    str
        The option that names the images: ``"fixations"``, ``"manifest"`` or ``"reflacx"``.

    Raises
    ------
    click.UsageError
        If no source is given, sources cannot be combined, or an option does not go with them.
    """

    def given(name: str | None) -> bool:
        source = context.get_parameter_source(name or "")
        return source is not None and source.name == "COMMANDLINE"

    sources = [name for name in ("manifest", "reflacx", "fixations") if given(name)]
    if sources not in (["manifest"], ["manifest", "fixations"], ["reflacx"], ["fixations"]):
        raise click.UsageError(
            "Give one of --fixations FILE, --manifest FILE or --reflacx DIR. Only --manifest and "
            "--fixations can be combined."
        )
    source = sources[0]
    options: list[Any] = list(context.command.params)
    for option in options:
        needed = getattr(option, "sources", ())
        if needed and source not in needed and given(option.name):
            others = [f"--{name.replace('_', '-')}" for name in needed]
            raise click.UsageError(f"{option.opts[0]} goes with {' or '.join(others)}.")
    if source in TABLES:
        flags = {option.name: option.opts[0] for option in options}
        missing = [flags[n] for n in ("map_folder", "size", "sigma") if context.params[n] is None]
        if missing:
            raise click.UsageError(f"--{source} needs {' and '.join(missing)} too.")
    sigma = context.params["sigma"]
    if source == "reflacx" and sigma is not None and sigma[1] != "deg":
        raise click.UsageError("--sigma must be in degrees with --reflacx, for example 1deg.")
    return source
