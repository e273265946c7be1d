"""The function `cases_from_reflacx`: cases from the readings of a REFLACX release."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_count, as_real_array
from gazesal.datasets.reflacx import Reflacx
from gazesal.evaluation.case import Case
from gazesal.evaluation.cases_from_tables import as_methods, with_maps
from gazesal.evaluation.gaze_sources import Gaze, MapSource
from gazesal.evaluation.map_on_image import Framing, GeometryOf

__all__ = ["cases_from_reflacx"]

SHOWN = ["x_min_shown", "y_min_shown", "x_max_shown", "y_max_shown"]


def cases_from_reflacx(
    release: Reflacx,
    maps: Mapping[str, Mapping[str, MapSource]] | None = None,
    *,
    n_readers: int = 5,
    degrees: float = 1.0,
    unmapped: Literal["raise", "gaze_only"] = "raise",
    input_geometry: Framing | GeometryOf | None = None,
) -> list[Case]:
    """Make a case of every image of a REFLACX release that has a reading with gaze.

    Each fixation has its own standard deviation, from the pixels per degree of visual angle at
    that moment, and the rectangle of the image that was shown. Each image has its chest box, by
    which `evaluate` registers it.

    Parameters
    ----------
    release : Reflacx
        Phases of the release. See `Reflacx`.
    maps : mapping of mapping, optional
        Saliency maps by method, then by the ``dicom_id`` of the image, as for
        `cases_from_tables`. Without maps, only single readers and the center bias are scored.
    n_readers : int, default 5
        Smallest number of readings with gaze of an image that is scored. Images with fewer only
        contribute to the center bias. Five gives the 91 images of the study, and 1 all images,
        most of which have one reader. `evaluate` scores these with ``ground_truth="all"``.
    degrees : float, default 1.0
        Standard deviation of a fixation's Gaussian in degrees of visual angle.
    unmapped : {"raise", "gaze_only"}, default "raise"
        Treatment of images for which a method has no map: an error, or use of their gaze for the
        center bias only.
    input_geometry : {"letterboxed", "center_cropped", "stretched"} or callable, optional
        Position of each image in its maps, if the maps span the input of a network. See
        `cases_from_tables`.

    Returns
    -------
    list of Case
        In the order of the ``dicom_id``, which is the name of the image. The name of an observer
        is the id of the reading, because the release does not identify its readers.

    Raises
    ------
    ValueError
        If a file is malformed, an option is out of range, no image has enough readings, or a map
        is missing. The message names the file and line, or the image.
    FileNotFoundError
        If the file of a reading is missing.

    Warns
    -----
    InputWarning
        If maps do not cover their images, because `input_geometry` crops them.

    See Also
    --------
    evaluate : Score them, with ``outside="keep"`` as in the study: fixations may lie outside the
        image, and the part of their Gaussian that reaches into it counts.

    Notes
    -----
    This follows section 3.2 of :footcite:t:`bigolin2021`. A reading whose eye tracking was
    discarded has no gaze. Its chest box and labels exist but are not used here, as in the study.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     root = gazesal.datasets.write_synthetic_reflacx(
    ...         folder, n_images=2, n_readers=3, side=96
    ...     )
    ...     cases = gazesal.cases_from_reflacx(gazesal.datasets.Reflacx(root), n_readers=3)
    ...     everything = gazesal.datasets.Reflacx(root, phases=(1, 2, 3))
    ...     every_image = gazesal.cases_from_reflacx(everything, n_readers=1)
    >>> [len(case.gaze) for case in cases], cases[0].box is not None
    ([3, 3], True)
    >>> sorted(len(case.gaze) for case in every_image)  # phase 3 has one reader for each image
    [1, 1, 1, 3, 3]
    """
    as_count(n_readers, name="n_readers")
    size = as_real_array(degrees, name="degrees").astype(np.float64)
    if size.shape != () or not (np.isfinite(size) and size > 0):
        raise ValueError(f"`degrees` must be a positive number, got {degrees!r}.")
    if not isinstance(release, Reflacx):
        raise TypeError(f"`release` must be a Reflacx, got {type(release).__name__}.")
    maps = as_methods({} if maps is None else maps)
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    kept = release.readings[~release.readings["discarded"]]
    cases = []
    for dicom_id, rows in kept.groupby("dicom_id", sort=True):
        images = rows["image"].unique()
        if len(images) > 1:
            raise ValueError(
                f"the readings {', '.join(rows.index)} must be of one image, because they name one "
                f"dicom_id {dicom_id}, got {len(images)} images."
            )
        gaze = {
            str(reading): _gaze(release.fixations(str(reading)), float(size))
            for reading in sorted(rows.index)
        }
        first = rows.iloc[0]
        x_min, y_min, x_max, y_max = release.mean_box(str(images[0])).tolist()
        cases.append(
            Case(
                image=str(dicom_id),
                shape=(int(first["height"]), int(first["width"])),
                gaze=gaze,
                maps={},
                scored=len(gaze) >= n_readers,
                box=(x_min, y_min, x_max, y_max),
            )
        )
    if not any(case.scored for case in cases):
        most = max((len(case.gaze) for case in cases), default=0)
        raise ValueError(
            f"`n_readers` must be at most {most}, the largest number of readings of an image, got "
            f"{n_readers}."
        )
    return with_maps(cases, maps, unmapped, input_geometry)


def _gaze(fixations: pd.DataFrame, degrees: float) -> Gaze:
    """Return the fixations of a reading with the options of `gaze_heatmap`."""
    return Gaze(
        points=fixations[["x", "y"]].to_numpy(np.float64),
        durations=fixations["duration"].to_numpy(np.float64),
        sigma=degrees * fixations[["x_per_degree", "y_per_degree"]].to_numpy(np.float64),
        visible=fixations[SHOWN].to_numpy(np.float64),
    )
