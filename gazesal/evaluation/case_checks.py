"""Checks of the cases before any work: kinds, names, groups, sizes and observers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter

import numpy as np

from gazesal._validation import as_iterable, as_shape
from gazesal.evaluation.case import ALL_OBSERVERS, Case, n_gaze_maps, require_no_baseline
from gazesal.evaluation.gaze_sources import FixationMap, Gaze, is_gaze_map
from gazesal.evaluation.options import (
    EvaluationOptions,
    advice_without_bias,
    common_size,
    needs_all_gaze,
)
from gazesal.evaluation.region_sources import require_regions
from gazesal.evaluation.score_rows import RESERVED, BadImage
from gazesal.maps.reference_frame import as_box

__all__ = ["as_cases", "few_observers", "misfits", "require_images"]


def as_cases(cases: Iterable[Case]) -> list[Case]:
    """Return a list of cases whose parts are of the right kinds.

    Arrays, files and functions in them are checked when they are used.
    """
    listed = list(as_iterable(cases, name="cases", of="Case"))
    for index, case in enumerate(listed):
        if not isinstance(case, Case):
            raise TypeError(f"`cases[{index}]` must be a Case, got {type(case).__name__}.")
        rules = {
            "image": (isinstance(case.image, str), "a str"),
            "scored": (isinstance(case.scored, (bool, np.bool_)), "a bool"),
            "maps": (isinstance(case.maps, Mapping), "a mapping of methods to maps"),
            "gaze": (isinstance(case.gaze, Mapping), "a mapping of observers to Gaze or maps"),
            "groups": (isinstance(case.groups, Mapping), "a mapping of columns to values"),
            "regions": (isinstance(case.regions, Mapping), "a mapping of labels to regions"),
        }
        for name, (good, rule) in rules.items():
            if not good:
                given = type(getattr(case, name)).__name__
                raise TypeError(f"`{name}` of `cases[{index}]` must be {rule}, got {given}.")
        values = (value for value in case.groups.values() if isinstance(value, str))
        for text in (case.image, *case.gaze, *case.maps, *case.regions, *values):
            _require_text(text, index)
        require_regions(case.regions, case.image)
        as_shape(case.shape, name=f"shape of image {case.image}")
        require_no_baseline(case.maps)
        if case.gaze_map is not None and any(map(is_gaze_map, case.gaze.values())):
            raise ValueError(
                f"`gaze` of image {case.image!r} must hold fixations if `gaze_map` is given, got a "
                "gaze map, which would not be used. Remove one of the two."
            )
        if len(case.gaze) > 1 and ALL_OBSERVERS in case.gaze:
            raise ValueError(
                f"`gaze` of image {case.image!r} must not name an observer {ALL_OBSERVERS!r} "
                "beside others, which is the name of the gaze of all together. Rename the "
                "observer, or give the gaze of all together as the only one."
            )
        if isinstance(case.gaze_map, Gaze | FixationMap):
            raise TypeError(
                f"`gaze_map` of image {case.image!r} must be a continuous map, got "
                f"{type(case.gaze_map).__name__}. Give it in `gaze`."
            )
    _require_groups([case for case in listed if case.scored])
    return listed


def _require_text(name: object, index: int) -> None:
    """Raise if a name cannot be written as UTF-8, as names of files need not be text."""
    try:
        str(name).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"`cases[{index}]` must have names that are text in UTF-8, got {name!a}."
        ) from error


def _require_groups(scored: list[Case]) -> None:
    """Raise unless all scored images have the same columns of groups, of one kind each."""
    for case in scored:
        first = scored[0].groups
        if list(case.groups) != list(first):
            raise ValueError(
                f"`groups` must have the same columns for every image, got {list(first)} for "
                f"{scored[0].image!r} and {list(case.groups)} for {case.image!r}."
            )
        for column, value in case.groups.items():
            if not isinstance(column, str) or column in RESERVED:
                raise ValueError(
                    "`groups` must not name a column of scores, summaries or "
                    f"comparisons ({', '.join(RESERVED)}), got {column!r}."
                )
            kinds = (str,) if isinstance(first[column], str) else (int, float, np.number)
            if not isinstance(value, kinds):
                raise TypeError(
                    f"`groups` of image {case.image!r} must hold text or numbers, and column "
                    f"{column!r} one of them for every image, got {value!r}."
                )
            if value != value:  # noqa: PLR0124 (nan, of whatever type)
                raise ValueError(
                    f"`groups` of image {case.image!r} must not be nan, got nan for {column!r}. "
                    "Give the image a group such as 'unknown', so that summaries include it."
                )


def misfits(cases: list[Case], options: EvaluationOptions, *, stop: bool) -> list[BadImage]:
    """Return images whose gaze cannot be aligned with the others, by their box or their size.

    Without `stop`, they include images that have another size than most, if no option resizes
    them. With `stop`, `fit_to_cases` raises an error that names the sizes.
    """
    found = []
    for case in cases:
        if case.box is not None:
            try:
                as_box(case.box, name=f"box of image {case.image}")
            except (ValueError, TypeError) as error:
                found.append(BadImage(case.image, str(error)))
    boxes = any(case.box is not None for case in cases)
    resized = stop or boxes or options.resize is not None
    if resized or not cases or not needs_all_gaze(cases, options):
        return found
    height, width = common_size(cases)
    found += [
        BadImage(
            case.image,
            f"image {case.image} must have the most common size, {width} x {height} pixels, for "
            f"its gaze to be averaged with the others, got {case.shape[1]} x {case.shape[0]}. Give "
            f'resize="bilinear" (--resize bilinear) to resize it{advice_without_bias(options)}.',
        )
        for case in cases
        if case.shape != (height, width)
    ]
    return found


def require_images(cases: list[Case], options: EvaluationOptions) -> None:
    """Raise unless there are enough images, each named once."""
    if options.frame is not None and len(cases) < 2:
        raise ValueError(
            f"`cases` must be at least two images, got {len(cases)}, because the center bias of an "
            "image is computed from the gaze on the others."
        )
    counts = Counter(case.image for case in cases)
    image, times = max(counts.items(), key=itemgetter(1), default=("", 0))
    if times > 1:
        raise ValueError(f"`cases` must name each image once, got {image!r} {times} times.")
    if not any(case.scored for case in cases):
        raise ValueError("`cases` must have at least one image that is scored, got none.")


def few_observers(cases: list[Case], options: EvaluationOptions) -> list[BadImage]:
    """Return images to be scored that have too few observers, or no map, for any score."""
    found: list[BadImage] = []
    if not options.of_gaze:  # metrics of regions need no gaze
        return found
    bias_row = options.center_bias != "none"
    for case in (case for case in cases if case.scored):
        if options.ground_truth == "rest" and case.gaze_map is not None:
            reason = (
                f"image {case.image!r} must have the gaze of each observer by itself, got a "
                'gaze map of all together. Give ground_truth="all" (--ground-truth all) to score '
                "maps against it."
            )
        elif options.ground_truth == "rest" and len(case.gaze) < 2:
            reason = (  # the ground truth is the mean of the other observers
                f"image {case.image!r} must have fixations of at least two observers, got "
                f'{", ".join(case.gaze) or "none"}. Give ground_truth="all" (--ground-truth all) '
                "to score maps against a single observer."
            )
        elif not case.gaze and case.gaze_map is None:
            reason = f"image {case.image!r} must have the gaze of an observer, got none."
        elif n_gaze_maps(case) < 2 and not case.maps and not bias_row:
            reason = f"image {case.image!r} must have a map to score, got none."
        else:
            continue
        found.append(BadImage(case.image, reason))
    return found
