"""The function `add_regions`: the regions of images, added to their cases."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gazesal.datasets._clean_names import by_clean_name, similar_name
from gazesal.evaluation.case import Case
from gazesal.evaluation.case_checks import as_cases
from gazesal.evaluation.region_sources import RegionSource, require_regions

__all__ = ["add_regions"]


def add_regions(
    cases: Iterable[Case], regions: Mapping[str, Mapping[str, RegionSource]]
) -> list[Case]:
    """Return cases with regions, for metrics of regions.

    Parameters
    ----------
    cases : iterable of Case
        Images. Regions that they have stay, unless a label is in `regions` too.
    regions : mapping of mapping
        Regions by image, then by label. See `gazesal.regions.read_regions` and ``regions`` of
        `Case`. Regions of images that are not among the cases are ignored.

    Returns
    -------
    list of Case
        The cases in their order. An image that is not in `regions` has no regions.

    Raises
    ------
    ValueError
        If no image is in `regions`, or the shapes of an image are in the pixels of another size.
    TypeError
        If `regions` is not a mapping of mappings, or a case is not a `Case`.

    See Also
    --------
    evaluate : Score maps and gaze against the regions.

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> from gazesal.regions import Box
    >>> case = gazesal.Case(image="a", shape=(4, 5), gaze={}, maps={"mine": np.ones((4, 5))})
    >>> (case,) = gazesal.add_regions([case], {"a": {"nodule": Box(0.5, 0.5, 2.5, 3.5)}})
    >>> int(case.load_region("nodule").sum())
    6
    """
    listed = as_cases(cases)
    if not isinstance(regions, Mapping) or not all(
        isinstance(regions[image], Mapping) for image in regions
    ):
        raise TypeError(
            "`regions` must be a mapping of images to regions by label, got "
            f"{type(regions).__name__}. Write it as {{image: {{label: region}}}}."
        )
    found = by_clean_name(regions, what="images of `regions`")
    sizes: Mapping[str, tuple[int, int]] = getattr(regions, "sizes", {})
    added = [_with(case, found.get(case.image, {}), sizes.get(case.image)) for case in listed]
    if not any(case.image in found for case in listed):
        first = listed[0].image if listed else ""
        known = ", ".join(map(repr, list(found)[:3])) or "no image"
        raise ValueError(
            f"`regions` must have an image of `cases`, such as {first!r}, got {known}"
            f"{similar_name(first, found)}. Use the names of the cases."
        )
    return added


def _with(case: Case, regions: Mapping[str, Any], size: tuple[int, int] | None) -> Case:
    """Return a case with further regions, whose shapes are in the pixels of an image (H, W)."""
    if not regions:
        return case
    require_regions(regions, case.image)
    if size is not None and size != case.shape:
        raise ValueError(
            f"`regions` of image {case.image!r} must be in the pixels of the case, "
            f"{case.shape[1]} x {case.shape[0]}, got shapes for {size[1]} x {size[0]}. Rescale "
            "the shapes, or the case and its gaze."
        )
    return replace(case, regions={**case.regions, **regions})
