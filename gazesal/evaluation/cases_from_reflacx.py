"""The function `cases_from_reflacx`: cases from the readings of a REFLACX release."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_count, as_real_array
from gazesal.datasets.naming_windows import NamingWindow
from gazesal.datasets.reflacx import Reflacx
from gazesal.evaluation.case import Case
from gazesal.evaluation.cases_from_tables import as_methods, with_maps
from gazesal.evaluation.gaze_sources import Gaze
from gazesal.evaluation.label_cases import (
    LABEL,
    PICTURE,
    Labels,
    LabelSearch,
    case_name,
    ellipses_by_label,
    with_maps_of_labels,
)
from gazesal.evaluation.map_on_image import Framing, GeometryOf

__all__ = ["cases_from_reflacx"]

SHOWN = ["x_min_shown", "y_min_shown", "x_max_shown", "y_max_shown"]


def cases_from_reflacx(
    release: Reflacx,
    maps: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    n_readers: int | None = None,
    degrees: float = 1.0,
    unmapped: Literal["raise", "gaze_only"] = "raise",
    input_geometry: Framing | GeometryOf | None = None,
    labels: Labels = False,
    window: NamingWindow = "last_mention",
    regions: Literal["ellipses"] | None = None,
    certainty: int = 1,
) -> list[Case]:
    """Make a case of every image of a REFLACX release that has a reading with gaze.

    Each fixation has its own standard deviation, from the pixels per degree of visual angle at
    that moment, and the rectangle of the image that was shown. Each image has its chest box, by
    which `evaluate` registers it. With `labels`, there is a case for each label that a reader names
    on an image, with the gaze at that time and the maps of that label.

    Parameters
    ----------
    release : Reflacx
        Phases of the release. See `Reflacx`.
    maps : mapping of mapping, optional
        Saliency maps by method, then by the ``dicom_id`` of the image, as for
        `cases_from_tables`. Without maps, only single readers and the center bias are scored.
        With `labels`, the maps of a method may be by label and then by ``dicom_id``, such as
        ``{"grad_cam": gazesal.find_maps("maps/grad_cam")}`` for files
        ``maps/grad_cam/<label>/<dicom_id>.npy``. Capitals and marks in labels are ignored.
    n_readers : int, optional
        Smallest number of readings with gaze of a case that is scored. Cases with fewer only
        contribute to the center bias. The default of 5 gives the 91 images of the study, and 1 all
        images, most of which have one reader. `evaluate` scores these with ``ground_truth="all"``.
        With `labels`, it counts the readers who name the label, and the default is 1.
    degrees : float, default 1.0
        Standard deviation of a fixation's Gaussian in degrees of visual angle.
    unmapped : {"raise", "gaze_only"}, default "raise"
        Treatment of images for which a method has no map: an error, or use of their gaze for the
        center bias only.
    input_geometry : {"letterboxed", "center_cropped", "stretched"} or callable, optional
        Position of each image in its maps, if the maps span the input of a network. See
        `cases_from_tables`.
    labels : bool, sequence of str, mapping or callable, default False
        Labels for which there are cases. True: all labels in `gazesal.datasets.REFLACX_TERMS`,
        which are searched for in the dictation by `find_mentions` if the reader's certainty of the
        label is at least `certainty`. A sequence: some of these labels. A mapping: your own terms
        by label. A function takes the id of a reading and its words, a table as
        `gazesal.datasets.Reflacx.transcription` returns it, and returns mentions as for
        `gaze_when_named`.
    window : {"last_mention", "first_mention", "sentence"} or callable, default "last_mention"
        End of the window in which the gaze belongs to a label. See `gaze_when_named`.
    regions : {"ellipses"}, optional
        Regions of each image: for each label, all ellipses that the readers with gaze drew on the
        image, together. With `labels`, only the ellipses of the label.
    certainty : int, default 1
        Smallest certainty from 0 to 5 of an ellipse and of a label that counts.

    Returns
    -------
    list of Case
        In the order of the ``dicom_id``, which is the name of the image. The name of an observer
        is the id of the reading, because the release does not identify its readers. With `labels`,
        the name is ``<dicom_id>|<label>``, and the groups ``"picture"`` and ``"label"`` hold the
        two. If a method has maps by label, the method ``NAME_other_labels`` is its control: the
        mean score of its maps of the other labels on the same image.

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
    SkippedDataWarning
        If a reading has no fixation on the image in the windows of a label that it names.

    See Also
    --------
    evaluate : Score them, with ``outside="keep"`` as in the study: fixations may lie outside the
        image, and the part of their Gaussian that reaches into it counts. With `labels`, give
        ``leave_out="picture"``, because the cases of one image share their gaze.
    gaze_when_named : The gaze in the windows of labels.

    Notes
    -----
    This follows section 3.2 of :footcite:t:`bigolin2021`. A reading whose eye tracking was
    discarded has no gaze. Its chest box and labels exist but are not used here, as in the study.

    The windows of labels follow :footcite:t:`bigolin2023`. Windows of a label that overlap are
    joined, so that no time counts twice. See :doc:`/concepts/labels`.

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
    by_label = labels is not False
    n_readers = (1 if by_label else 5) if n_readers is None else n_readers
    as_count(n_readers, name="n_readers")
    if regions is not None:
        as_choice(regions, ("ellipses",), name="regions")
    as_count(certainty, name="certainty", least=0, most=5)
    size = as_real_array(degrees, name="degrees").astype(np.float64)
    if size.shape != () or not (np.isfinite(size) and size > 0):
        raise ValueError(f"`degrees` must be a positive number, got {degrees!r}.")
    if not isinstance(release, Reflacx):
        raise TypeError(f"`release` must be a Reflacx, got {type(release).__name__}.")
    maps = as_methods({} if maps is None else maps)
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    kept = release.readings[~release.readings["discarded"]]
    search = LabelSearch(release, labels, window, certainty) if by_label else None
    cases = []
    for dicom_id, rows in kept.groupby("dicom_id", sort=True):
        images = rows["image"].unique()
        if len(images) > 1:
            raise ValueError(
                f"the readings {', '.join(rows.index)} must be of one image, because they name one "
                f"dicom_id {dicom_id}, got {len(images)} images."
            )
        readings = [str(reading) for reading in sorted(rows.index)]
        first = rows.iloc[0]
        x_min, y_min, x_max, y_max = release.mean_box(str(images[0])).tolist()
        ellipses = {} if regions is None else ellipses_by_label(release, readings, certainty)
        whole = Case(
            image=str(dicom_id),
            shape=(int(first["height"]), int(first["width"])),
            gaze={},
            maps={},
            box=(x_min, y_min, x_max, y_max),
            regions=ellipses,
        )
        if search is None:
            gaze = {each: _gaze(release.fixations(each), float(size)) for each in readings}
            cases.append(replace(whole, gaze=gaze, scored=len(gaze) >= n_readers))
        else:
            found = {each: search.gaze_of(each) for each in readings}
            cases += _cases_by_label(whole, found, float(size), n_readers)
    if search is not None:
        search.report()
    if not any(case.scored for case in cases):
        most = max((len(case.gaze) for case in cases), default=0)
        raise ValueError(
            f"`n_readers` must be at most {most}, the largest number of readings of "
            f"{'a label on an image' if by_label else 'an image'}, got {n_readers}."
        )
    join = with_maps if search is None else with_maps_of_labels
    return join(cases, maps, unmapped, input_geometry)


def _cases_by_label(
    whole: Case, found: Mapping[str, Mapping[str, pd.DataFrame]], degrees: float, n_readers: int
) -> list[Case]:
    """Return the cases of one image by label, from the fixations by reading and label."""
    cases = []
    for label in sorted({label for own in found.values() for label in own}):
        gaze = {each: _gaze(own[label], degrees) for each, own in found.items() if label in own}
        cases.append(
            replace(
                whole,
                image=case_name(whole.image, label),
                gaze=gaze,
                scored=len(gaze) >= n_readers,
                groups={PICTURE: whole.image, LABEL: label},
                regions={name: own for name, own in whole.regions.items() if name == label},
            )
        )
    return cases


def _gaze(fixations: pd.DataFrame, degrees: float) -> Gaze:
    """Return the fixations of a reading with the options of `gaze_heatmap`."""
    return Gaze(
        points=fixations[["x", "y"]].to_numpy(np.float64),
        durations=fixations["duration"].to_numpy(np.float64),
        sigma=degrees * fixations[["x_per_degree", "y_per_degree"]].to_numpy(np.float64),
        visible=fixations[SHOWN].to_numpy(np.float64),
    )
