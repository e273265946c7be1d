"""Choose the image of the figure, and read its picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import gazesal
from gazesal._warnings import warn
from gazesal.cli.sources import FoundCases
from gazesal.evaluation.label_cases import picture_of
from gazesal.exceptions import SkippedDataWarning
from gazesal.reporting.pictures import find_picture, read_picture

__all__ = ["figure_image", "first_scored", "picture_of_release"]


def figure_image(found: FoundCases, bad_images: str) -> tuple[str, np.ndarray | None]:
    """Return the image of the figure and its picture, if it has one.

    Parameters
    ----------
    found : FoundCases
        The cases of the command.
    bad_images : {"raise", "list"}
        Treatment of a picture that cannot be read.

    Returns
    -------
    image : str
        Its name.
    picture : ndarray of shape (H, W) or (H, W, 3), or None
        The picture.
    """
    if found.release is not None:
        return picture_of_release(found.release, found.cases, found.pictures, bad_images)
    first = next((case for case in found.cases if case.scored), found.cases[0])
    picture = None
    if found.pictures is not None:
        picture = _picture(bad_images, find_picture, found.pictures, first.image)
    elif first.picture is not None and first.picture.exists():
        picture = _picture(bad_images, read_picture, first.picture)
    return first.image, picture


def first_scored(evaluation: gazesal.Evaluation) -> tuple[str, np.ndarray | None]:
    """Return the first image with scores, and its picture if there is one."""
    scored = set(evaluation.scores["image"])
    case = next(case for case in evaluation.cases if case.image in scored)
    if case.picture is None or not case.picture.exists():
        return case.image, None
    return case.image, _picture("list", read_picture, case.picture)


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
    scored = {case.image: str(readings[picture_of(case)]) for case in cases if case.scored}
    abnormal = release.abnormal()
    name = next((name for name, image in scored.items() if abnormal[image]), next(iter(scored)))
    if mimic is None:
        return name, None
    release.check_picture_sizes(mimic, images=dict.fromkeys(scored.values()))
    path = release.picture_path(scored[name], mimic)
    return name, _picture(bad_images, read_picture, path)


def _picture(bad_images: str, read: Callable[..., np.ndarray], *where: Any) -> np.ndarray | None:
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
