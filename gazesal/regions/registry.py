"""Facts about the metrics of regions, and the checks of their options."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from gazesal._validation import as_choice, as_count, as_float, as_number, shown
from gazesal.metrics.metric import Metric
from gazesal.metrics.metrics_by_name import MetricsByName
from gazesal.regions.detection import average_precision, localization_auc
from gazesal.regions.highest_pixels import relevance_rank, top_k_intersection
from gazesal.regions.overlap import EQUAL, dice, iou
from gazesal.regions.pointing import TIES, pointing_game
from gazesal.regions.relevance import NEGATIVE, relevance_mass

__all__ = ["REGION_METRICS", "check_region_option", "missing_option"]

_ALL = (
    Metric(
        pointing_game,
        label="Pointing game",
        ground_truth="region",
        low=0.0,
        high=1.0,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        citation="zhang2018",
        aliases=("PG",),
        undefined_when="an empty region",
        recommended_for="whether the maximum of a map is in a region",
    ),
    Metric(
        relevance_mass,
        label="Relevance mass",
        ground_truth="region",
        low=0.0,
        high=1.0,
        any_scaled_map=True,
        citation="arras2022",
        aliases=("relevance mass accuracy", "RMA", "energy-based pointing game", "EBPG"),
        undefined_when="an empty region, or a map without positive values",
        recommended_for="the share of a map in a region, including its values",
    ),
    Metric(
        relevance_rank,
        label="Relevance rank",
        ground_truth="region",
        low=0.0,
        high=1.0,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        citation="arras2022",
        aliases=("relevance rank accuracy", "RRA"),
        undefined_when="an empty region",
        recommended_for="the share of the highest pixels in a region, as many as it has",
    ),
    Metric(
        top_k_intersection,
        label="Top-k intersection",
        ground_truth="region",
        required_options=("k",),
        low=0.0,
        high=1.0,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        citation="theiner2022",
        undefined_when="an empty region",
        recommended_for="the share of a given number of highest pixels in a region",
    ),
    Metric(
        localization_auc,
        label="Localization AUC",
        ground_truth="region",
        low=0.0,
        high=1.0,
        chance=0.5,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        constant_map=0.5,
        citation="mann1947",
        undefined_when="a region that is empty or the whole image",
        recommended_for="the ranks of pixels in regions of different sizes",
    ),
    Metric(
        average_precision,
        label="Average precision",
        ground_truth="region",
        low=0.0,
        high=1.0,
        any_monotone_map=True,
        any_affine_map=True,
        any_scaled_map=True,
        citation="davis2006",
        aliases=("AP",),
        undefined_when="an empty region",
        recommended_for="the highest pixels of a map as a detector of a small region",
    ),
    Metric(
        iou,
        label="IoU",
        ground_truth="region",
        low=0.0,
        high=1.0,
        citation="saporta2022",
        aliases=("intersection over union", "Jaccard index"),
        undefined_when="an empty region if no pixel is selected",
        recommended_for="the overlap of selected pixels and a region",
    ),
    Metric(
        dice,
        label="Dice",
        ground_truth="region",
        low=0.0,
        high=1.0,
        citation="dice1945",
        aliases=("Dice coefficient", "F1 score", "DSC"),
        undefined_when="an empty region if no pixel is selected",
        recommended_for="the same overlap on the scale of the F1 score",
    ),
)

REGION_METRICS = MetricsByName(_ALL)
"""Metrics of a map and a region of the image, by name. They are not among `METRICS`."""


def _as_threshold(value: Any, *, name: str) -> float:
    number = as_float(value, name=name)
    if not math.isfinite(number):
        raise ValueError(f"`{name}` must be a finite number, got {shown(value)}.")
    return number


def _as_top(value: Any, *, name: str) -> float | str:
    if isinstance(value, str):
        return as_choice(value, (EQUAL,), name=name)
    number = as_float(value, name=name, expected='a share of the pixels or "equal"')
    if not 0 < number <= 1:
        raise ValueError(
            f"`{name}` must be a share of the pixels above 0 and at most 1, got {shown(value)}."
        )
    return number


# The check of each option, called with a value and the name of the option. It returns the value.
CHECKS: Mapping[str, Callable[..., Any]] = {
    "tolerance": lambda value, *, name: as_number(value, name=name, low=0, high=math.inf),
    "ties": lambda value, *, name: as_choice(value, TIES, name=name),
    "negative": lambda value, *, name: as_choice(value, NEGATIVE, name=name),
    "k": as_count,
    "threshold": _as_threshold,
    "top": _as_top,
}
# Options of which a metric needs exactly one.
REQUIRED = {"top_k_intersection": ("k",), "iou": ("threshold", "top"), "dice": ("threshold", "top")}


def check_region_option(metric: str, option: str, value: Any, *, name: str) -> Any:
    """Return the value of an option of a metric of regions, or raise with the name given."""
    known = list(inspect.signature(REGION_METRICS[metric].function).parameters)[2:]
    known = [each for each in known if each in CHECKS]
    if option not in known:
        raise ValueError(
            f"`{name}` must hold options of {metric}, which has {', '.join(known) or 'none'}, got "
            f"{shown(option)}."
        )
    return CHECKS[option](value, name=f"{option}")


def missing_option(metric: str, given: Mapping[str, Any]) -> str:
    """Return the options of which a metric needs exactly one, empty if it has what it needs."""
    needed = REQUIRED.get(metric, ())
    ready = not needed or sum(option in given for option in needed) == 1
    return "" if ready else " or ".join(f"`{option}`" for option in needed)
