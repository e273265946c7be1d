"""Options of an evaluation: their declaration, and every check of their values.

To add an option,

1. add a field with its default to `EvaluationOptions` and the check of its value to `CHECKS`, and
   to `fit_to_cases` any check that involves the images or another option,
2. add a keyword with the same default and its description to `evaluate`, and
3. add an option to the command line in `gazesal.cli.evaluate_options`, and pass it on in
   `gazesal.cli.evaluate`.

`evaluate` collects its keywords by name, and all functions below it take the options as a whole.
Only `rounding` is not a field, because the frame of the center bias holds it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

from gazesal._validation import (
    as_choice,
    as_column,
    as_count,
    as_iterable,
    as_real_array,
    as_shape,
    as_tolerance,
    require_pixels,
)
from gazesal.datasets._arguments import as_text
from gazesal.evaluation.area_sources import require_area_use
from gazesal.evaluation.case import CEILINGS, CENTER_BIAS, IN_SAMPLE_BIAS, Case
from gazesal.evaluation.gaze_sources import Gaze, TwoValued, kind_of
from gazesal.evaluation.metric_calls import require_fixations, require_metric_options
from gazesal.evaluation.region_scores import as_region_options, require_region_use
from gazesal.maps.heatmap import OUTSIDE, Outside
from gazesal.maps.reference_frame import ReferenceFrame, Rounding
from gazesal.metrics.densities import METHODS, DensityMethod
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import BUILT_IN, as_metrics, metric_named, remember
from gazesal.metrics.registry import DEFAULT_METRICS

__all__ = [
    "CHECKS",
    "Baseline",
    "CenterBiasRows",
    "CenterBiasWord",
    "Control",
    "EvaluationOptions",
    "GroundTruth",
    "RegionRows",
    "advice_without_bias",
    "as_options",
    "common_size",
    "fit_to_cases",
    "needs_all_gaze",
]

Check = Callable[..., Any]
Frame = tuple[int, int] | ReferenceFrame
CenterBiasWord = Literal["images", "none"]
CenterBiasRows = Literal["left_out", "in_sample", "both", "given"]
Baseline = Literal["kde", "center_bias"]
Control = Literal["other_gaze", "mean_map", "inverse"]
GroundTruth = Literal["rest", "all"]
RegionRows = Literal["each", "union", "both"]


def _one_of(*choices: str) -> Check:
    return partial(as_choice, choices=choices)


def _or_none(check: Check) -> Check:
    return lambda value, *, name: None if value is None else check(value, name=name)


def _as_sigma(value: Any, *, name: str) -> tuple[float, float]:
    """Return a standard deviation in pixels along x and y."""
    require_pixels(value, name=name)
    array = as_real_array(value, name=name).astype(np.float64)
    if array.shape not in {(), (2,)} or not (np.isfinite(array).all() and array.min() > 0):
        raise ValueError(f"`{name}` must be a positive number or two (x, y), got {value!r}.")
    along_x, along_y = np.broadcast_to(array, 2).tolist()
    return along_x, along_y


def _as_metrics(value: Any, *, name: str) -> tuple[Metric, ...]:  # noqa: ARG001 (always `metrics`)
    return as_metrics(value)


def _as_ceilings(value: Any, *, name: str) -> tuple[str, ...]:
    """Return the rows of ceilings to compute, in their order."""
    if isinstance(value, (bool, np.bool_)):
        return CEILINGS if value else ()
    rows = [value] if isinstance(value, str) else list(as_iterable(value, name=name, of="rows"))
    for row in rows:
        as_choice(row, CEILINGS, name=name)
    return tuple(row for row in CEILINGS if row in rows)


def _as_controls(value: Any, *, name: str) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else list(as_iterable(value, name=name, of="str"))
    known = get_args(Control)
    asked = {as_choice(each, known, name=name) for each in given}
    return tuple(each for each in known if each in asked)


def _as_frame(value: Any, *, name: str) -> Frame:
    return value if isinstance(value, ReferenceFrame) else as_shape(value, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """Options with which all images are scored. See `evaluate` for their meaning."""

    sigma: tuple[float, float] | None = None
    metrics: tuple[str, ...] = DEFAULT_METRICS
    # the pixels of the center bias of all images; None if no such center bias is computed
    frame: Frame | None = None
    resize: Literal["bilinear"] | None = None
    outside: Outside = "raise"
    ground_truth: GroundTruth = "rest"
    two_valued: TwoValued = "raise"
    # a `CenterBiasWord`, or the text of a given object with a digest of its content
    center_bias: str = "images"
    # None without a center bias
    center_bias_rows: CenterBiasRows | None = "left_out"
    baseline: Baseline = "kde"
    n_samples: int | None = None
    tolerance: float | None = None
    seed: int = 0
    density: DensityMethod | None = None
    shrink: int | None = None
    leave_out: str | None = None
    # options of metrics of regions, by the name of the metric
    region_options: Mapping[str, Mapping[str, Any]] | None = None
    region_rows: RegionRows = "each"
    ceilings: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()  # each a `Control`
    control_images: int | None = None
    # those of `metrics` that are not in the library
    own_metrics: tuple[Metric, ...] = ()

    @property
    def chosen(self) -> tuple[Metric, ...]:
        """The facts about `metrics`, in their order."""
        own = {metric.name: metric for metric in self.own_metrics}
        return tuple(own[name] if name in own else metric_named(name) for name in self.metrics)

    @property
    def of_gaze(self) -> tuple[Metric, ...]:
        """Those of `chosen` that compare a map with gaze."""
        return tuple(metric for metric in self.chosen if metric.ground_truth != "region")

    @property
    def of_regions(self) -> tuple[Metric, ...]:
        """Those of `chosen` that compare a map with a region."""
        return tuple(metric for metric in self.chosen if metric.ground_truth == "region")

    def facts(self) -> dict[str, Any]:
        """Return the options by name, with the facts about own metrics and without functions."""
        found = asdict(replace(self, own_metrics=()))
        del found["own_metrics"]
        own = [metric.facts() for metric in self.own_metrics]
        return found | ({"own_metrics": own} if own else {})

    @property
    def given_bias(self) -> str | None:
        """The text of a center bias that the caller gave as an object."""
        return None if self.center_bias in get_args(CenterBiasWord) else self.center_bias

    @property
    def negatives(self) -> str:
        """Row whose center bias the shuffled metrics compare with."""
        return IN_SAMPLE_BIAS if self.center_bias_rows == "in_sample" else CENTER_BIAS

    @property
    def leaves_out(self) -> bool:
        """True if the center bias of an image is computed without its own gaze."""
        made = self.frame is not None or self.given_bias is not None
        return made and self.center_bias_rows in {"left_out", "both"}

    @property
    def fits_baseline(self) -> bool:
        """True if information gain compares with a density fitted to the fixations."""
        taken = any("baseline" in metric.densities for metric in self.chosen)
        return taken and self.baseline == "kde" and self.frame is not None

    @property
    def takes_others(self) -> bool:
        """True if the scores of an image depend on the fixations on other images."""
        of_metrics = any("other_fixations" in metric.arguments for metric in self.chosen)
        return of_metrics or self.fits_baseline


# The check of each option, called with a value and the name of the option. It returns the value.
CHECKS: dict[str, Check] = {
    "sigma": _or_none(_as_sigma),
    "metrics": _as_metrics,
    "frame": _or_none(_as_frame),
    "resize": _or_none(_one_of("bilinear")),
    "outside": _one_of(*OUTSIDE),
    "ground_truth": _one_of(*get_args(GroundTruth)),
    "two_valued": _one_of(*get_args(TwoValued)),
    "center_bias": as_text,
    "center_bias_rows": _or_none(_one_of(*get_args(CenterBiasRows))),
    "baseline": _one_of(*get_args(Baseline)),
    "n_samples": _or_none(as_count),
    "tolerance": as_tolerance,
    "seed": partial(as_count, least=0),
    "density": _or_none(_one_of(*METHODS)),
    "shrink": _or_none(as_count),
    "leave_out": _or_none(as_column),
    "region_options": _or_none(as_region_options),
    "region_rows": _one_of(*get_args(RegionRows)),
    "ceilings": _as_ceilings,
    "controls": _as_controls,
    "control_images": _or_none(as_count),
}


def as_options(given: Mapping[str, Any]) -> EvaluationOptions:
    """Return options by name, the value of each checked by itself. See also `fit_to_cases`."""
    checked = {name: CHECKS[name](value, name=name) for name, value in given.items()}
    if "metrics" in checked:
        chosen = checked["metrics"]
        own = tuple(metric for metric in chosen if metric.name not in BUILT_IN)
        remember(own)
        checked |= {"metrics": tuple(metric.name for metric in chosen), "own_metrics": own}
    return EvaluationOptions(**checked)


def fit_to_cases(
    options: EvaluationOptions, cases: list[Case], rounding: Rounding
) -> EvaluationOptions:
    """Return the options with their frame, or raise if they contradict each other or the images."""
    as_choice(rounding, get_args(Rounding), name="rounding")
    require_metric_options(options.chosen, density=options.density, shrink=options.shrink)
    require_region_use(cases, options.of_regions, options.region_options, options.region_rows)
    require_area_use(
        [case.area for case in cases],
        options.chosen,
        {"ceilings": options.ceilings, "controls": options.controls},
    )
    _require_bias(options)
    _require_baseline(options)
    needs_all = needs_all_gaze(cases, options)
    if options.center_bias == "none" and rounding != "none":
        raise ValueError(
            f"`rounding` (--rounding) must be 'none' without a center bias, got {rounding!r}. "
            "Remove it."
        )
    if options.given_bias is not None and rounding != "none":
        raise ValueError(
            f"`rounding` must be 'none' with an object as `center_bias`, got {rounding!r}. It is "
            "an option of the frame of a RegisteredCenterBias."
        )
    _require_areas(options)
    _require_boxes(cases)
    _require_sigma(options.sigma, cases)
    fitted = replace(options, frame=_frame(cases, options, rounding) if needs_all else None)
    require_fixations(cases, fitted.chosen, of_all=fitted.takes_others)
    return fitted


def needs_all_gaze(cases: list[Case], options: EvaluationOptions) -> bool:
    """Return whether a center bias is computed from the gaze on all images."""
    rows = options.center_bias_rows
    own = [case.center_bias is not None for case in cases if case.scored]
    if options.center_bias == "none":
        if any(own):
            raise ValueError(
                "`center_bias` (--center-bias) must not be 'none' if images have a center bias of "
                f"their own, as {sum(own)} of {len(own)} do. Remove it from the cases, or give "
                "'images'."
            )
        return False
    if any(own) and rows == "in_sample":
        raise ValueError(
            "`center_bias_rows` must not be 'in_sample' if images have a center bias of their own, "
            f"as {sum(own)} of {len(own)} do. Give 'both' to score the two."
        )
    if options.given_bias is not None:
        return False
    return not all(own) or not own or rows != "left_out"


def common_size(cases: Sequence[Case]) -> tuple[int, int]:
    """Return the most common size of the images, the largest of equally common ones."""
    sizes = Counter(case.shape for case in cases)
    return max(sizes, key=lambda size: (sizes[size], size), default=(0, 0))


def advice_without_bias(options: EvaluationOptions) -> str:
    """Return the advice to do without a center bias, empty if a metric takes one."""
    if _with_bias(options.chosen):
        return ""
    return ', or center_bias="none" (--center-bias none) to score without a center bias'


def _with_bias(metrics: Sequence[Metric]) -> list[str]:
    """Return the metrics that take a center bias, or take it as their baseline."""
    return [each.name for each in metrics if each.needs in {"center_bias", "baseline"}]


def _require_bias(options: EvaluationOptions) -> None:
    """Raise if a metric needs the center bias and none is computed."""
    if options.center_bias == "none" and (taking := _with_bias(options.chosen)):
        raise ValueError(
            f"`center_bias` (--center-bias) must not be 'none' with {' and '.join(taking)}, which "
            "compare with the center bias. Choose other `metrics` (--metric), or 'images'."
        )


def _require_baseline(options: EvaluationOptions) -> None:
    """Raise if a baseline is chosen and no metric uses it."""
    if options.baseline != "kde" and not any("baseline" in m.densities for m in options.chosen):
        raise ValueError(
            f"`baseline` (--baseline) must be 'kde' if no metric in `metrics` uses it, got "
            f"{options.baseline!r}. Remove it, or add 'information_gain'."
        )


def _require_areas(options: EvaluationOptions) -> None:
    """Raise if options of the AUC are given twice over, or without an AUC."""
    given = {name: getattr(options, name) for name in ("n_samples", "tolerance")}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if not any(metric.can_sample for metric in options.chosen):
            raise ValueError(
                f"`{name}` must be None if no metric in `metrics` uses it, got {value!r}. "
                "Remove it."
            )
    if len(given) > 1:
        raise ValueError(
            f"`tolerance` and `n_samples` must not both be given, got {options.tolerance!r} and "
            f"{options.n_samples!r}."
        )


def _require_boxes(cases: list[Case]) -> None:
    """Raise if some images have a box and others do not."""
    without = [case.image for case in cases if case.box is None]
    if without and len(without) < len(cases):
        raise ValueError(
            f"`cases` must all have a box or all have no box, got image {without[0]!r} without."
        )


def _require_sigma(sigma: tuple[float, float] | None, cases: list[Case]) -> None:
    """Raise if sigma is missing for some fixations, or has no use."""
    drawn = [gaze for case in cases if case.gaze_map is None for gaze in case.gaze.values()]
    kinds = Counter(map(kind_of, drawn))
    n_points = kinds["fixations"] + kinds["fixation_map"]
    own = sum(isinstance(gaze, Gaze) and gaze.sigma is not None for gaze in drawn)
    if sigma is None:
        if own < n_points:  # fixations that a function returns are checked when it is called
            raise ValueError(
                "`sigma` must be given unless all fixations have their own, got None and "
                f"{n_points - own} of {n_points} readings without."
            )
        return
    if own:
        raise ValueError(
            f"`sigma` must not be given if fixations have their own, got {sigma!r} and "
            f"{own} readings with theirs."
        )
    given = kinds["gaze_map"] or any(case.gaze_map is not None for case in cases)
    if given and not (n_points or kinds["function"]):
        raise ValueError(
            f"`sigma` must be left out (--sigma) if all gaze is given as maps, which are not "
            f"blurred, got {sigma!r}. Give fixations instead to blur them with it, or a "
            "`FixationMap` (column fixation_map, --fixation-maps) if the maps mark fixated pixels."
        )


def _frame(cases: list[Case], options: EvaluationOptions, rounding: Rounding) -> Frame:
    """Return where gaze maps are averaged.

    If images have boxes, it is the frame that registers them to each other. Otherwise it is the
    most common size.
    """
    boxes = [case.box for case in cases if case.box is not None]
    if boxes and rounding == "study" and options.center_bias_rows != "in_sample":
        raise ValueError(
            "`rounding` must be 'none' unless `center_bias_rows` is 'in_sample' "
            f"(--center-bias-rows in_sample), got 'study' and {options.center_bias_rows!r}: the "
            "study's average has no value at pixels that no image reaches, which would lie inside "
            "the image left out."
        )
    if boxes:
        return ReferenceFrame.from_boxes(boxes, [case.shape for case in cases], rounding=rounding)
    if rounding != "none":
        raise ValueError(f"`rounding` must be 'none' unless cases have boxes, got {rounding!r}.")
    sizes = Counter(case.shape for case in cases)
    if len(sizes) > 1 and options.resize is None:
        (first, _), (second, _) = sizes.most_common(2)
        odd = next(case.image for case in cases if case.shape == second)
        more = f", and {len(sizes) - 2} more sizes" if len(sizes) > 2 else ""
        raise ValueError(
            "`cases` must be images of one size to average their gaze into a center bias, got "
            f"{first[1]} x {first[0]}, {second[1]} x {second[0]} (image {odd!r}){more}. Give "
            'resize="bilinear" (--resize bilinear) to resize the gaze maps to the most common size'
            f"{advice_without_bias(options)}."
        )
    return common_size(cases)
