"""Scores of one image by metrics of regions: of its maps, its center bias and the gaze on it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gazesal._validation import as_choice
from gazesal.evaluation.case import ALL_OBSERVERS, GAZE, GAZE_OF_ONE, Case
from gazesal.evaluation.region_sources import UNION
from gazesal.evaluation.score_rows import Score
from gazesal.maps.area import Area
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import name_among
from gazesal.regions.inputs import Mask
from gazesal.regions.registry import REGION_METRICS, check_region_option, missing_option
from gazesal.typing import Float64Array, FloatArray

__all__ = ["as_region_options", "region_scores", "require_region_use"]

RegionOptions = Mapping[str, Mapping[str, Any]]


def as_region_options(value: Any, *, name: str) -> dict[str, dict[str, Any]]:
    """Return options of metrics of regions by the name of the metric, each option checked."""
    if not isinstance(value, Mapping) or not all(isinstance(e, Mapping) for e in value.values()):
        raise TypeError(
            f"`{name}` must be a mapping of metrics to their options, got {value!r}. Write it as "
            '{"iou": {"top": 0.05}}.'
        )
    found: dict[str, dict[str, Any]] = {}
    for given, options in value.items():
        metric = name_among(list(REGION_METRICS), given)
        as_choice(metric, list(REGION_METRICS), name=name)
        found[metric] = {
            str(option): check_region_option(metric, option, each, name=name)
            for option, each in options.items()
        }
    return found


def require_region_use(
    cases: Sequence[Case], metrics: Sequence[Metric], given: RegionOptions | None, rows: str
) -> None:
    """Raise if metrics of regions lack an option or a region, or an option has no use."""
    options = given or {}
    chosen = [metric.name for metric in metrics]
    for name in options:
        if name not in chosen:
            raise ValueError(
                f"`region_options` (--region-option) must be for metrics in `metrics`, got "
                f"{name!r}. Remove it."
            )
    for name in chosen:
        if missing := missing_option(name, options.get(name, {})):
            raise ValueError(
                f"`region_options` (--region-option) must have one of {missing} for {name}, got "
                f"{dict(options.get(name, {}))!r}. There is no default, because it changes the "
                "score."
            )
    if not chosen and rows != "each":
        raise ValueError(
            f"`region_rows` must be 'each' if no metric in `metrics` is of regions, got {rows!r}. "
            "Remove it."
        )
    if chosen and not any(case.regions for case in cases if case.scored):
        raise ValueError(
            f"`cases` must have `regions` for {' and '.join(chosen)}, got none. Add them to the "
            "cases (--regions), or choose other `metrics`."
        )


def region_scores(
    case: Case,
    own_maps: Sequence[Float64Array],
    tested: Iterable[tuple[str, FloatArray]],
    metrics: Sequence[Metric],
    options: RegionOptions | None,
    rows: str,
) -> list[Score]:
    """Return the scores of one image by metrics of regions, none for an image without regions.

    Parameters
    ----------
    case : Case
        The image.
    own_maps : sequence of numpy.ndarray, each (H, W)
        Gaze map of each observer, in the order of the case.
    tested : iterable of tuple
        The other rows, such as the methods: name and map (H, W) of each.
    metrics : sequence of Metric
        Metrics of regions.
    options : mapping, optional
        Their options by the name of the metric.
    rows : {"each", "union", "both"}
        Regions that are scored.

    Returns
    -------
    list of Score
        By map, region and metric.
    """
    if not metrics or not case.regions:
        return []
    masks, area = _masks(case, rows), case.load_area()
    on_area = {} if area is None else {"area": area}
    return [
        Score(case.image, observer, method, metric.name, value, label)
        for method, observer, values in (*_gaze(case, own_maps), *_all(tested))
        for label, mask in masks.items()
        for metric in metrics
        for value in [
            _score(metric, values, mask, options or {}, (method, case.image, label), on_area)
        ]
    ]


def _masks(case: Case, rows: str) -> dict[str, Mask]:
    """Return the masks of the regions that are scored, by label."""
    masks = {label: case.load_region(label) for label in case.regions}
    union = {UNION: np.logical_or.reduce(list(masks.values()))}
    return {**(masks if rows != "union" else {}), **(union if rows != "each" else {})}


def _gaze(case: Case, own_maps: Sequence[Float64Array]) -> Iterator[tuple[str, str, Float64Array]]:
    """Yield the mean gaze map of all observers, and the gaze map of each if they are several."""
    if own_maps:
        yield GAZE, ALL_OBSERVERS, np.asarray(np.mean(own_maps, axis=0))
    if len(own_maps) > 1:
        yield from ((GAZE_OF_ONE, name, own) for name, own in zip(case.gaze, own_maps, strict=True))


def _all(tested: Iterable[tuple[str, FloatArray]]) -> Iterator[tuple[str, str, FloatArray]]:
    return ((method, ALL_OBSERVERS, values) for method, values in tested)


def _score(
    metric: Metric,
    values: FloatArray,
    mask: Mask,
    options: RegionOptions,
    names: tuple[str, str, str],
    on_area: Mapping[str, Area],
) -> float:
    """Return one score, or raise with the names of the map, the image and the region."""
    try:
        return metric(values, mask, **options.get(metric.name, {}), **on_area)
    except ValueError as error:
        method, image, label = names
        raise ValueError(f"{method} map of image {image}, region {label}: {error}") from error
