"""The cases that a command works on, from a table, a manifest or a release."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import gazesal
from gazesal.cli.options import in_pixels
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
    """The cases of a table, and sigma in pixels."""
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
    """A release and its cases, with the hulls of its lungs as a method."""
    maps: dict[str, Any] = {} if map_folder is None else dict(gazesal.find_maps(map_folder))
    if lungs is not None:
        if SEGMENTATION in maps:
            raise ValueError(
                f"{map_folder}: the maps of {SEGMENTATION!r} and the lung masks of {lungs} make "
                "the same row; leave one out."
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
    """The cases of a manifest, and sigma in pixels where it was given."""
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
            f"{map_folder}: the maps of {twice[0]!r} are in {manifest} too; leave one out."
        )
    return with_maps(cases, {**named, **found}, unmapped), sigma_pixels


def with_pictures(cases: list[gazesal.Case], folder: Path) -> list[gazesal.Case]:
    """The cases with their pictures of a folder, where it has them."""
    found = pictures_in(folder)
    return [replace(case, picture=found.get(case.image, case.picture)) for case in cases]


def picture_to_show(
    bad_images: str, read: Callable[..., np.ndarray], *where: Any
) -> np.ndarray | None:
    """The picture under the maps of the figure.

    It shapes no score: where bad images are listed, one that cannot be read is said and left out.
    """
    try:
        return read(*where)
    except ValueError as error:
        if bad_images == "raise":
            raise
        warnings.warn(
            f"{error} The figure shows the maps without it.", SkippedDataWarning, stacklevel=2
        )
        return None


def first_scored(evaluation: gazesal.Evaluation) -> tuple[str, np.ndarray | None]:
    """The first image that has scores, where others were bad, and its picture if that is there."""
    scored = set(evaluation.scores["image"])
    case = next(case for case in evaluation.cases if case.image in scored)
    if case.picture is None or not case.picture.exists():
        return case.image, None
    return case.image, picture_to_show("list", read_picture, case.picture)


def with_defaults(
    root: Path, lungs: Path | None, pictures: Path | None
) -> tuple[Path, Path | None, Path | None]:
    """The folder of a release, and of its lung masks and pictures unless others are named."""
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
    """An image to show and its picture, if pictures are there; those of all are measured.

    The first scored image that most readers found abnormal, or else the first scored one.
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
    """The cases with the places of their pictures in a copy of MIMIC-CXR-JPG."""
    images = release.readings.drop_duplicates("dicom_id").set_index("dicom_id")["image"]
    return [
        replace(case, picture=release.picture_path(str(images[case.image]), mimic))
        if case.scored
        else case
        for case in cases
    ]
