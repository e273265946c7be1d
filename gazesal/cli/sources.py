"""Read the cases of a command from a table, a manifest or a release."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import gazesal
from gazesal._warnings import warn
from gazesal.cli.shared_options import in_pixels
from gazesal.cxr.lung_hull import find_lung_hulls
from gazesal.evaluation.case import SEGMENTATION
from gazesal.evaluation.cases_from_tables import with_maps
from gazesal.exceptions import SkippedDataWarning
from gazesal.reporting.pictures import pictures_in, read_picture


def cases_of_table(
    *,
    fixations: Path,
    map_folder: Path,
    size: Any,
    sigma: tuple[float, str],
    pixels_per_degree: float | None,
    origin: Any,
    columns: dict[str, str],
    duplicates: Any,
    outside: Any,
    unmapped: Any,
    **_: Any,
) -> tuple[list[gazesal.Case], float]:
    """Return the cases of a table of fixations, and sigma in pixels."""
    sigma_pixels = in_pixels(sigma, pixels_per_degree)
    table = gazesal.read_fixations(fixations, origin=origin, columns=columns, duplicates=duplicates)
    maps = gazesal.find_maps(map_folder)
    cases = gazesal.cases_from_tables(table, maps, size, outside=outside, unmapped=unmapped)
    return cases, sigma_pixels


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
    **_: Any,
) -> tuple[gazesal.datasets.Reflacx, list[gazesal.Case]]:
    """Return a release and its cases, with the hulls of the lungs as a method."""
    maps: dict[str, Any] = {} if map_folder is None else dict(gazesal.find_maps(map_folder))
    if lungs is not None:
        if SEGMENTATION in maps:
            raise ValueError(
                f"{map_folder} has maps of {SEGMENTATION!r}, the method that the lung masks in "
                f"{lungs} become. Remove one of the two."
            )
        maps[SEGMENTATION] = find_lung_hulls(lungs)
    release = gazesal.datasets.Reflacx(
        root, phases=[int(phase) for phase in phases], on_bad_reading=bad_readings
    )
    degrees = 1.0 if sigma is None else sigma[0]
    return release, gazesal.cases_from_reflacx(
        release, maps, n_readers=readers, degrees=degrees, unmapped=unmapped
    )


def cases_of_manifest(
    manifest: Path,
    *,
    manifest_root: Path | None,
    fixations: Path | None,
    map_folder: Path | None,
    sigma: tuple[float, str] | None,
    pixels_per_degree: float | None,
    origin: Any,
    columns: dict[str, str],
    duplicates: Any,
    outside: Any,
    unmapped: Any,
    bad_images: str,
    **_: Any,
) -> tuple[list[gazesal.Case], float | None]:
    """Return the cases of a manifest, and sigma in pixels if given."""
    sigma_pixels = None if sigma is None else in_pixels(sigma, pixels_per_degree)
    cases = gazesal.cases_from_manifest(
        manifest,
        fixations=fixations,
        root=manifest_root,
        origin=origin,
        columns=columns,
        duplicates=duplicates,
        outside=outside,
        unmapped=unmapped,
        absent="keep" if bad_images == "list" else "raise",
    )
    if map_folder is None:
        return cases, sigma_pixels
    named: dict[str, dict[str, Any]] = {}
    for case in cases:
        for method, source in case.maps.items():
            named.setdefault(method, {})[case.image] = source
    found = gazesal.find_maps(map_folder)
    twice = sorted(set(named) & set(found))
    if twice:
        raise ValueError(
            f"{map_folder} and {manifest} both have maps of {twice[0]!r}. Remove one of the two."
        )
    return with_maps(cases, {**named, **found}, unmapped), sigma_pixels


def with_pictures(cases: list[gazesal.Case], folder: Path) -> list[gazesal.Case]:
    """Return the cases with their pictures in a folder, if it has them."""
    found = pictures_in(folder)
    return [replace(case, picture=found.get(case.image, case.picture)) for case in cases]


def picture_to_show(
    bad_images: str, read: Callable[..., np.ndarray], *where: Any
) -> np.ndarray | None:
    """Return the picture under the maps of the figure.

    The picture does not affect scores. If bad images are listed, a picture that cannot be read is
    left out with a warning.
    """
    try:
        return read(*where)
    except ValueError as error:
        if bad_images == "raise":
            raise
        warn(f"{error} The figure shows the maps without it.", SkippedDataWarning)
        return None


def first_scored(evaluation: gazesal.Evaluation) -> tuple[str, np.ndarray | None]:
    """Return the first image with scores, and its picture if there is one."""
    scored = set(evaluation.scores["image"])
    case = next(case for case in evaluation.cases if case.image in scored)
    if case.picture is None or not case.picture.exists():
        return case.image, None
    return case.image, picture_to_show("list", read_picture, case.picture)


def with_defaults(
    root: Path, lungs: Path | None, pictures: Path | None
) -> tuple[Path, Path | None, Path | None]:
    """Return the folders of a release, of its lung masks and of its pictures."""
    root = root.parent if root.name == "main_data" else root
    if lungs is None and (root / "lung_masks").is_dir():
        lungs = root / "lung_masks"
    if pictures is None and (root / "mimic-cxr-jpg").is_dir():
        pictures = root / "mimic-cxr-jpg"
    return root, lungs, pictures


def picture_of_release(
    release: gazesal.datasets.Reflacx,
    cases: list[gazesal.Case],
    mimic: Path | None,
    bad_images: str = "raise",
) -> tuple[str, np.ndarray | None]:
    """Return the image to show and its picture, and check the sizes of all pictures if available.

    The image is the first scored image that most readers found abnormal, or the first scored image.
    """
    readings = release.readings.drop_duplicates("dicom_id").set_index("dicom_id")["image"]
    scored = {case.image: str(readings[case.image]) for case in cases if case.scored}
    abnormal = release.abnormal()
    name = next((name for name, image in scored.items() if abnormal[image]), next(iter(scored)))
    if mimic is None:
        return name, None
    release.check_picture_sizes(mimic, images=scored.values())
    path = release.picture_path(scored[name], mimic)
    return name, picture_to_show(bad_images, read_picture, path)


def with_pictures_of_release(
    release: gazesal.datasets.Reflacx, cases: list[gazesal.Case], mimic: Path
) -> list[gazesal.Case]:
    """Return the cases with the paths of their pictures in a copy of MIMIC-CXR-JPG."""
    images = release.readings.drop_duplicates("dicom_id").set_index("dicom_id")["image"]
    return [
        replace(case, picture=release.picture_path(str(images[case.image]), mimic))
        if case.scored
        else case
        for case in cases
    ]
