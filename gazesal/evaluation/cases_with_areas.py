"""The function `add_areas`: the valid areas of images, added to their cases."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gazesal.datasets._clean_names import by_clean_name, similar_name
from gazesal.evaluation.area_sources import AreaSource
from gazesal.evaluation.case import Case
from gazesal.evaluation.case_checks import as_cases

__all__ = ["add_areas"]


def add_areas(cases: Iterable[Case], areas: Mapping[str, AreaSource]) -> list[Case]:
    """Return cases with the pixels that count on each image.

    Parameters
    ----------
    cases : iterable of Case
        Images. An area that they have stays, unless the image is in `areas` too.
    areas : mapping of str to array, pathlib.Path or callable
        Mask or weights of pixels by image, such as from `open_maps`. See ``area`` of `Case`. Areas
        of images that are not among the cases are ignored.

    Returns
    -------
    list of Case
        The cases in their order.

    Raises
    ------
    ValueError
        If an image has no area. Give a mask that is true everywhere if all its pixels count.
    TypeError
        If `areas` is not a mapping, or a case is not a `Case`.

    See Also
    --------
    evaluate : Score maps on the pixels that count.

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> case = gazesal.Case(image="a", shape=(4, 5), gaze={}, maps={"mine": np.ones((4, 5))})
    >>> mask = np.ones((4, 5), bool)
    >>> mask[0] = False
    >>> (case,) = gazesal.add_areas([case], {"a": mask})
    >>> case.load_area().size
    15
    """
    listed = as_cases(cases)
    if not isinstance(areas, Mapping):
        raise TypeError(
            f"`areas` must be a mapping of images to masks, got {type(areas).__name__}. Write it "
            "as {image: mask}."
        )
    found = by_clean_name(areas, what="images of `areas`")
    for case in listed:
        if case.area is None and case.image not in found:
            raise ValueError(
                f"`areas` must have image {case.image!r} of `cases`, got {len(found)} other "
                f"images{similar_name(case.image, found)}. Give a mask that is true everywhere if "
                "all its pixels count."
            )
    return [replace(case, area=found.get(case.image, case.area)) for case in listed]
