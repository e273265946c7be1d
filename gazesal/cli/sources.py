"""Read the cases of a command from a table, a manifest or a release."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

import gazesal
from gazesal.cli.label_options import find_label_maps
from gazesal.cli.region_options import ELLIPSES
from gazesal.cxr.lung_hull import find_lung_hulls
from gazesal.datasets.gaze_formats.registry import FORMATS
from gazesal.evaluation.case import SEGMENTATION
from gazesal.evaluation.cases_from_tables import with_maps
from gazesal.evaluation.label_cases import maps_by_case, picture_of
from gazesal.reporting.pictures import pictures_in

# Options of a table of fixations that a manifest does not have.
OF_TABLE = (
    "size", "eye", "time_unit", "format_options", "display", "placement", "scale", "rectangle",
    "missing", "files", "delimiter", "decimal", "encoding",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundCases:
    """The cases of a command, with the options that depend on their source.

    Attributes
    ----------
    cases : list of Case
        The images.
    outside : {"raise", "drop", "keep"}
        Treatment of fixations outside their image.
    sigma : float or None
        Standard deviation in pixels, None if the gaze has its own.
    pictures : Path or None
        Folder of the pictures.
    release : Reflacx or None
        The release, if the cases are from one.
    """

    cases: list[gazesal.Case]
    outside: Any
    sigma: float | None = None
    pictures: Path | None = None
    release: gazesal.datasets.Reflacx | None = None


def accepted_by(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are keyword arguments of a function.

    Parameters
    ----------
    function : function
        A public function.
    options : mapping of str to object
        Options of a command by name. An option without a value is None or an empty dict.

    Returns
    -------
    dict of str to object
        The arguments. An option without a value is left to the function's default.
    """
    names = {
        name
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    }
    return {
        name: value
        for name, value in options.items()
        if name in names and value is not None and not (isinstance(value, dict) and not value)
    }


def with_defaults(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with the folders of a release that were not given but exist."""
    root = options["reflacx"]
    if root is None:
        return dict(options)
    root = root.parent if root.name == "main_data" else root
    found = {"lungs": root / "lung_masks", "pictures": root / "mimic-cxr-jpg"}
    given = {name: options[name] for name in found if options[name] is not None}
    found = {name: folder for name, folder in found.items() if folder.is_dir()}
    return {**options, "reflacx": root, **found, **given}


def find_cases(source: str, options: Mapping[str, Any]) -> FoundCases:
    """Read the cases of a source.

    Parameters
    ----------
    source : {"fixations", "manifest", "reflacx"}
        The source, as `require_one_source` returns it.
    options : mapping of str to object
        All options of the command by name.

    Returns
    -------
    FoundCases
        The cases with their pictures.
    """
    read = {"manifest": _of_manifest, "reflacx": _of_release}.get(source, _of_tables)
    found = read(options)
    if found.pictures is None:
        return found
    if found.release is None:
        return replace(found, cases=_with_pictures(found.cases, found.pictures))
    cases = with_pictures_of_release(found.release, found.cases, found.pictures)
    return replace(found, cases=cases)


def _of_tables(options: Mapping[str, Any]) -> FoundCases:
    """Return the cases of a table of fixations or of folders of maps of the gaze."""
    sigma = in_pixels(options["sigma"], options["pixels_per_degree"])
    find, join = gazesal.find_maps, gazesal.cases_from_tables
    shape, table = _sizes(options), None
    of_gaze = {name: _open_maps(options[name]) for name in ("fixation_maps", "gaze_maps")}
    if options["fixations"] is not None:
        table = _fixations(options, shape)
        shape = table.attrs.get("size") if shape is None else shape
        if shape is None and all(each is None for each in of_gaze.values()):
            raise ValueError(
                f"--size must be given, because {options['fixations']} does not have the sizes of "
                "its images. Give WIDTHxHEIGHT, a table or the folder of the pictures."
            )
    maps = find(options["map_folder"], **accepted_by(find, options))
    cases = join(table, maps, shape, **accepted_by(join, {**options, **of_gaze}))
    return FoundCases(cases, options["outside"], sigma, options["pictures"])


def _open_maps(place: str | None) -> Any:
    """Open a folder of maps of the gaze, possibly with a pattern of their names after it."""
    if place is None:
        return None
    parts = Path(place).parts
    at = next((i for i, part in enumerate(parts) if "{" in part or "*" in part), len(parts))
    pattern = "/".join(parts[at:]) or None
    return gazesal.open_maps(Path(*parts[:at]), pattern=pattern)


def _sizes(options: Mapping[str, Any]) -> Any:
    """Return (H, W) of all images or by image, or None."""
    size = options["size"]
    return gazesal.read_sizes(size) if isinstance(size, Path) else size


def _fixations(options: Mapping[str, Any], sizes: Any) -> pd.DataFrame:
    """Read the fixations in their format."""
    form = FORMATS.get(options["format"])
    if form is not None and form.frame == "maps":
        raise ValueError(
            f"--format must have fixations, got {form.name}, which has maps of gaze. Name them in "
            "the columns gaze:OBSERVER of a --manifest."
        )
    parts = ("display", "placement", "scale", "rectangle")
    screen: Any = {name: options[name] for name in parts if options[name] is not None}
    if isinstance(screen.get("rectangle"), Path):
        others = [f"--{name}" for name in screen if name != "rectangle"]
        if others:
            raise click.UsageError(f"{others[0]} is not used with a table of --rectangle. Omit it.")
        screen = screen["rectangle"]
    elif screen:
        screen = gazesal.Screen(**screen)
    read = gazesal.read_fixations
    # Sizes are also for the cases. Other arguments that a format does not have are an error.
    sizes = sizes if form is None or "sizes" in form.options else None
    given = accepted_by(read, {**options, "sizes": sizes, "screen": screen or None})
    return read(options["fixations"], options["format"], **given, **options["format_options"])


def _of_manifest(options: Mapping[str, Any]) -> FoundCases:
    """Return the cases of a manifest, with the maps of a folder if one is given."""
    sigma = in_pixels(options["sigma"], options["pixels_per_degree"])
    folder, manifest = options["map_folder"], options["manifest"]
    table = options["fixations"]
    form = FORMATS.get(options["format"])
    without_sizes = form is not None and "sizes" not in form.options
    # Otherwise `cases_from_manifest` reads the table, with the sizes and screens of the manifest.
    if table is not None and (without_sizes or any(options[name] for name in OF_TABLE)):
        table = _fixations(options, _sizes(options))
    # with a folder, the maps of both are put on the images below
    framing = {} if folder is None else {"input_geometry": None}
    cases = gazesal.cases_from_manifest(
        manifest,
        root=options["manifest_root"],
        absent="keep" if options.get("bad_images") == "list" else "raise",
        **accepted_by(gazesal.cases_from_manifest, {**options, "fixations": table, **framing}),
    )
    if folder is not None:
        named: dict[str, dict[str, Any]] = {}
        for case in cases:
            for method, map_source in case.maps.items():
                named.setdefault(method, {})[case.image] = map_source
        found = gazesal.find_maps(folder, **accepted_by(gazesal.find_maps, options))
        twice = sorted(set(named) & set(found))
        if twice:
            raise ValueError(
                f"{folder} and {manifest} both have maps of {twice[0]!r}. Remove one of the two."
            )
        maps = {**named, **found}
        cases = with_maps(cases, maps, options["unmapped"], options["input_geometry"])
    return FoundCases(cases, options["outside"], sigma, options["pictures"])


def _of_release(options: Mapping[str, Any]) -> FoundCases:
    """Return the cases of a REFLACX release."""
    names = ("sigma", "phases", "readers", "bad_readings", "lungs", "unmapped", "map_folder")
    release, cases = cases_of_release(
        options["reflacx"],
        **{name: options[name] for name in names},
        labels=options["labels"],
        regions=ELLIPSES if str(options.get("regions")) == ELLIPSES else None,
        input_geometry=options["input_geometry"],
        **accepted_by(gazesal.find_maps, options),
    )
    return FoundCases(cases, "keep", None, options["pictures"], release)


def in_pixels(sigma: tuple[float, str] | None, pixels_per_degree: float | None) -> float | None:
    """Return a sigma in pixels, if one is given."""
    if sigma is None or sigma[1] == "px":
        if pixels_per_degree is not None:
            raise click.UsageError(
                "--pixels-per-degree must be used with a --sigma in degrees, for example 1deg."
            )
        return None if sigma is None else sigma[0]
    if pixels_per_degree is None or not (np.isfinite(pixels_per_degree) and pixels_per_degree > 0):
        raise click.UsageError(
            "--sigma in degrees needs --pixels-per-degree, a positive number of image pixels."
        )
    return sigma[0] * pixels_per_degree


def cases_of_release(
    root: Path,
    *,
    map_folder: Path | None,
    sigma: tuple[float, str] | None,
    phases: str,
    readers: int,
    bad_readings: Any,
    lungs: Path | None,
    unmapped: Any,
    input_geometry: Any = None,
    labels: Any = False,
    regions: Any = None,
    **of_maps: Any,
) -> tuple[gazesal.datasets.Reflacx, list[gazesal.Case]]:
    """Return a release and its cases, with the hulls of the lungs as a method."""
    maps: dict[str, Any] = {}
    if map_folder is not None:
        find: Callable[..., Any] = find_label_maps if labels else gazesal.find_maps
        maps |= find(map_folder, **of_maps)
    hulls: dict[str, Any] = {}
    if lungs is not None:
        if SEGMENTATION in maps:
            raise ValueError(
                f"{map_folder} has maps of {SEGMENTATION!r}, the method that the lung masks in "
                f"{lungs} become. Remove one of the two."
            )
        hulls = {SEGMENTATION: find_lung_hulls(lungs)}
    release = gazesal.datasets.Reflacx(
        root, phases=[int(phase) for phase in phases], on_bad_reading=bad_readings
    )
    degrees = 1.0 if sigma is None else sigma[0]
    framed = input_geometry is not None
    cases = gazesal.cases_from_reflacx(
        release,
        maps if framed else maps | hulls,
        n_readers=readers,
        degrees=degrees,
        unmapped=unmapped,
        input_geometry=input_geometry,
        labels=labels,
        regions=regions,
    )
    if framed and hulls:  # the masks of lungs span the image
        own = maps_by_case(cases, hulls) if labels else hulls
        with_hulls = with_maps(cases, own, unmapped)
        cases = [
            replace(hull, maps={**case.maps, **hull.maps} if hull.scored else {})
            for case, hull in zip(cases, with_hulls, strict=True)
        ]
    return release, cases


def _with_pictures(cases: list[gazesal.Case], folder: Path) -> list[gazesal.Case]:
    """Return the cases with their pictures in a folder, if it has them."""
    found = pictures_in(folder)
    return [replace(case, picture=found.get(case.image, case.picture)) for case in cases]


def with_pictures_of_release(
    release: gazesal.datasets.Reflacx, cases: list[gazesal.Case], mimic: Path
) -> list[gazesal.Case]:
    """Return the cases with the paths of their pictures in a copy of MIMIC-CXR-JPG."""
    images = release.readings.drop_duplicates("dicom_id").set_index("dicom_id")["image"]
    return [
        replace(case, picture=release.picture_path(str(images[picture_of(case)]), mimic))
        if case.scored
        else case
        for case in cases
    ]
