"""The arguments of an evaluation: what is checked before any work."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal, cast, get_args

import numpy as np

from gazesal._validation import (
    as_choice,
    as_count,
    as_iterable,
    as_shape,
    as_tolerance,
)
from gazesal.evaluation.case import Case, require_no_baseline
from gazesal.evaluation.gaze_checks import as_sigma
from gazesal.evaluation.metric_calls import as_metrics, require_fixations
from gazesal.evaluation.score_one_image import CenterBiasRows, GroundTruth, Options
from gazesal.evaluation.score_rows import RESERVED, BadImage
from gazesal.maps.geometry import ReferenceFrame, Rounding, as_box
from gazesal.maps.heatmap import OUTSIDE, Outside
from gazesal.metrics.densities import DensityMethod
from gazesal.metrics.registry import METRICS
from gazesal.metrics.score import as_names

__all__ = [
    "as_cases",
    "as_options",
    "few_observers",
    "misfits",
    "require_images",
]


def as_options(
    cases: list[Case],
    *,
    sigma: float | tuple[float, float] | None,
    metrics: Sequence[str],
    resize: Literal["bilinear"] | None,
    outside: Outside,
    ground_truth: GroundTruth,
    center_bias: CenterBiasRows,
    rounding: Rounding,
    n_samples: int | None,
    tolerance: float | None,
    density: DensityMethod | None,
    shrink: int | None,
    seed: int,
    leave_out: str | None,
) -> Options:
    """Return the options of an evaluation, each of them checked."""
    names, method, side = as_metrics(metrics, density=density, shrink=shrink)
    require_fixations(cases, names)
    _require_bias(center_bias, names)
    needs_all = _needs_all(cases, center_bias)
    for option, value in (("n_samples", n_samples), ("tolerance", tolerance)):
        if value is not None and not any(METRICS[name].can_sample for name in names):
            raise ValueError(
                f"`{option}` must be None where no metric takes it, got {value!r}, which would "
                "change nothing."
            )
    _require_boxes(cases)
    return Options(
        sigma=as_sigma(sigma, cases),
        metrics=names,
        frame=_frame(cases, resize, rounding, center_bias, names) if needs_all else None,
        resize=resize,
        outside=cast("Outside", as_choice(outside, OUTSIDE, name="outside")),
        ground_truth=_chosen(ground_truth, GroundTruth, "ground_truth"),
        center_bias=_chosen(center_bias, CenterBiasRows, "center_bias"),
        n_samples=None if n_samples is None else as_count(n_samples, name="n_samples"),
        tolerance=_as_tolerance(tolerance, n_samples),
        seed=as_count(seed, name="seed", least=0),
        density=cast("DensityMethod | None", method),
        shrink=side,
        leave_out=leave_out,
    )


def as_cases(cases: Iterable[Case]) -> list[Case]:
    """A list of cases whose parts are of the right kinds; what they hold is checked with use."""
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
        }
        for name, (good, rule) in rules.items():
            if not good:
                given = type(getattr(case, name)).__name__
                raise TypeError(f"`{name}` of `cases[{index}]` must be {rule}, got {given}.")
        values = (value for value in case.groups.values() if isinstance(value, str))
        for text in (case.image, *case.gaze, *case.maps, *values):
            _require_text(text, index)
        as_shape(case.shape, name=f"shape of image {case.image}")
        require_no_baseline(case.maps)
    _require_groups([case for case in listed if case.scored])
    return listed


def _require_text(name: object, index: int) -> None:
    """Raise unless a name can be written: names of files need not be text."""
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
                    "`groups` must name columns other than those of scores, summaries and "
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
                    f"`groups` of image {case.image!r} must not be nan, got it for {column!r}: an "
                    "image of no group would leave the summaries. Text such as 'unknown' is one."
                )


def _as_tolerance(tolerance: float | None, n_samples: int | None) -> float | None:
    if tolerance is not None and n_samples is not None:
        raise ValueError(
            f"`tolerance` and `n_samples` must not both be given, got {tolerance!r} and "
            f"{n_samples!r}."
        )
    return as_tolerance(tolerance, name="tolerance")


def _chosen(value: Any, choices: Any, name: str) -> Any:
    return as_choice(value, get_args(choices), name=name)


def _require_boxes(cases: list[Case]) -> None:
    lacking = [case.image for case in cases if case.box is None]
    if lacking and len(lacking) < len(cases):
        raise ValueError(f"`cases` must all have a box, or none; image {lacking[0]!r} has none.")


def misfits(
    cases: list[Case],
    *,
    metrics: Sequence[str],
    resize: str | None,
    center_bias: str,
    stop: bool,
) -> list[BadImage]:
    """Images that cannot be brought onto the others: by their box, or of another size.

    Of another size than most, that is, where nothing brings them onto that; unless to `stop`, for
    then `as_options` says so of the set.
    """
    found = []
    for case in cases:
        if case.box is not None:
            try:
                as_box(case.box, name=f"box of image {case.image}")
            except (ValueError, TypeError) as error:
                found.append(BadImage(case.image, str(error)))
    boxes = any(case.box is not None for case in cases)
    if stop or boxes or resize is not None or not cases or not _needs_all(cases, center_bias):
        return found
    height, width = _common_size(cases)
    without = _without_bias(metrics)
    found += [
        BadImage(
            case.image,
            f"image {case.image} is {case.shape[1]} x {case.shape[0]} pixels and most are "
            f"{width} x {height}, so its gaze cannot be averaged with theirs; {without}"
            'resize="bilinear" (--resize bilinear) brings it onto their size.',
        )
        for case in cases
        if case.shape != (height, width)
    ]
    return found


def _common_size(cases: list[Case]) -> tuple[int, int]:
    """The most common size of images, the larger of equals."""
    sizes = Counter(case.shape for case in cases)
    return max(sizes, key=lambda size: (sizes[size], size), default=(0, 0))


def _with_bias(names: Sequence[str]) -> list[str]:
    """Return metrics that take a center bias, or take it as their baseline."""
    return [name for name in names if METRICS[name].needs in {"center_bias", "baseline"}]


def _without_bias(metrics: Sequence[str]) -> str:
    """Return advice to do without a center bias, if no metric takes one."""
    names = [name for name in as_names(metrics) if name in METRICS]
    if _with_bias(names):
        return ""
    return 'center_bias="none" (--center-bias none) scores without a center bias, and '


def _require_bias(center_bias: str, names: Sequence[str]) -> None:
    if center_bias == "none" and (taking := _with_bias(names)):
        raise ValueError(
            f"`center_bias` (--center-bias) must not be 'none' with {' and '.join(taking)}, which "
            "compare with the center bias. Choose other `metrics`, or 'left_out'."
        )


def _needs_all(cases: list[Case], center_bias: str) -> bool:
    """Whether a center bias is made of the gaze on all images."""
    own = [case.center_bias is not None for case in cases if case.scored]
    if center_bias == "none":
        if any(own):
            raise ValueError(
                "`center_bias` (--center-bias) must not be 'none' if images have a center bias of "
                f"their own, as {sum(own)} of {len(own)} do. Remove it from the cases, or give "
                "'left_out'."
            )
        return False
    if any(own) and center_bias == "in_sample":
        raise ValueError(
            "`center_bias` must not be 'in_sample' where images have a center bias of their own, "
            f"as {sum(own)} of {len(own)} do: 'both' shows the two."
        )
    return not all(own) or not own or center_bias != "left_out"


def _frame(
    cases: list[Case],
    resize: str | None,
    rounding: Rounding,
    center_bias: str,
    names: Sequence[str],
) -> tuple[int, int] | ReferenceFrame:
    """Where gaze maps are averaged: the most common size, the larger of equals; or, where images
    have boxes, the frame that registers them.
    """
    if resize is not None:
        as_choice(resize, ("bilinear",), name="resize")
    _chosen(rounding, Rounding, "rounding")
    boxes = [case.box for case in cases if case.box is not None]
    if boxes and rounding == "study" and center_bias != "in_sample":
        raise ValueError(
            "`rounding` may be 'study' with `center_bias` 'in_sample' (--center-bias in_sample) "
            f"only, got {center_bias!r}: the study's average has no value where no image reaches, "
            "which would be inside the image that is left out."
        )
    if boxes:
        return ReferenceFrame.from_boxes(boxes, [case.shape for case in cases], rounding=rounding)
    if rounding != "none":
        raise ValueError(f"`rounding` must be 'none' unless cases have boxes, got {rounding!r}.")
    sizes = Counter(case.shape for case in cases)
    if len(sizes) > 1 and resize is None:
        (first, _), (second, _) = sizes.most_common(2)
        odd = next(case.image for case in cases if case.shape == second)
        raise ValueError(
            f"`cases` must be images of one size, or their gaze cannot be averaged into a center "
            f"bias; got {first[1]} x {first[0]}, {second[1]} x {second[0]} (image {odd!r}) and "
            f"{len(sizes) - 2} more. {_without_bias(names)}"
            'resize="bilinear" (--resize bilinear) brings them onto the most common size.'
        )
    return _common_size(cases)


def require_images(cases: list[Case], options: Options) -> None:
    """Raise unless there are enough images, each named once."""
    if options.frame is not None and len(cases) < 2:
        raise ValueError(
            f"`cases` must be at least two images, got {len(cases)}: the center bias of an image "
            "is made from the gaze on the others."
        )
    counts = Counter(case.image for case in cases)
    image, times = max(counts.items(), key=itemgetter(1), default=("", 0))
    if times > 1:
        raise ValueError(f"`cases` must name each image once, got {image!r} {times} times.")
    if not any(case.scored for case in cases):
        raise ValueError("`cases` must have at least one image that is scored, got none.")


def few_observers(cases: list[Case], options: Options) -> list[BadImage]:
    """Return images to be scored that have nobody, or nothing, to be compared with."""
    found = []
    bias_row = options.center_bias != "none"
    for case in (case for case in cases if case.scored):
        if options.ground_truth == "rest" and len(case.gaze) < 2:
            reason = (
                f"image {case.image!r} must have fixations of at least two observers, got "
                f"{', '.join(case.gaze) or 'none'}: the ground truth is the mean of the others. "
                'ground_truth="all" (--ground-truth all) scores maps against one observer, too.'
            )
        elif not case.gaze:
            reason = f"image {case.image!r} must have the gaze of an observer, got none."
        elif len(case.gaze) < 2 and not case.maps and not bias_row:
            reason = f"image {case.image!r} must have a map, or there is nothing to score."
        else:
            continue
        found.append(BadImage(case.image, reason))
    return found
