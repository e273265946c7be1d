"""Arguments of the metrics on one image: maps, densities and fixations.

`Metric.arguments` names the arguments of a metric, and `MetricCalls` makes each argument from the
image. A new metric with the same arguments needs no change here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazesal._validation import (
    as_points,
    as_real_array,
    require_finite,
    weight_sums,
)
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import Gaze
from gazesal.maps.alignment import box_of, moved_points
from gazesal.maps.constancy import is_flat
from gazesal.maps.heatmap import Outside, inside_area, off_image, require_drawable
from gazesal.maps.resampling import resample
from gazesal.metrics.densities import METHODS, to_density
from gazesal.metrics.distribution import require_few_cells, require_solver
from gazesal.metrics.metric import Metric, MissingFunction
from gazesal.typing import Float64Array, FloatArray, IntArray

POINTS = {"fixations", "other_fixations"}  # arguments of shape (N, 2)


@dataclass(frozen=True, slots=True)
class AllFixations:
    """Fixations on many images, and the boxes that align the images with each other.

    The box of an image without one is the whole image. A fixation then keeps its relative position:
    the same fraction of the width and of the height.
    """

    positions: Mapping[str, int]  # index of each image by its name
    boxes: Float64Array  # (number of images, 4), x_min, y_min, x_max, y_max from the corner
    points: Float64Array  # (N, 2)
    image_of: IntArray  # (N,), index of the image of each fixation
    together: tuple[int, ...] = ()  # indices of the images that are left out with the scored one

    def on_others(self, case: Case) -> Float64Array:
        """Return the fixations on other images, in the pixels of this image.

        Fixations that fall outside this image, or are on images of its group, are left out.
        """
        group = (self.positions[case.image], *self.together)
        return self._moved(case, ~np.isin(self.image_of, group))

    def on_all(self, case: Case) -> Float64Array:
        """Return the fixations on all images, in the pixels of this image and inside it."""
        return self._moved(case, np.ones(len(self.points), np.bool_))

    def on_image(self, case: Case) -> Float64Array:
        """Return the fixations on this image."""
        return np.asarray(self.points[self.image_of == self.positions[case.image]])

    def left_out_with(self, together: tuple[int, ...]) -> "AllFixations":
        """Return the same fixations, with other images that are left out with the scored one."""
        return replace(self, together=together)

    def _moved(self, case: Case, kept: NDArray[np.bool_]) -> Float64Array:
        boxes, points = self.boxes[self.image_of[kept]], self.points[kept]
        moved = moved_points(points, boxes, box_of(case.shape, case.box))
        return np.asarray(moved[~off_image(moved, case.shape)])


def fixations_on(case: Case, outside: Outside) -> Float64Array:
    """Return the fixations of all observers on an image that the metrics of fixations use."""
    case = case.with_loaded_area()
    parts = [counted_fixations(case, observer, outside) for observer in case.gaze]
    return np.concatenate([np.empty((0, 2)), *parts])


def pool(each: Sequence[tuple[Case, Float64Array]]) -> AllFixations:
    """Collect the fixations on many images."""
    return AllFixations(
        positions={case.image: i for i, (case, _) in enumerate(each)},
        boxes=np.array([box_of(case.shape, case.box) for case, _ in each]),
        points=np.concatenate([np.empty((0, 2)), *(points for _, points in each)]),
        image_of=np.repeat(np.arange(len(each)), [len(points) for _, points in each]),
    )


def counted_fixations(case: Case, observer: str, outside: Outside) -> Float64Array:
    """Return the fixations of one observer that the metrics of fixations use.

    These are the fixations on a part of the image that was visible and counts, with a duration
    above 0. Only they contribute to a gaze map as well. Invalid fixations raise as they do there,
    because a gaze map need not be drawn of them.
    """
    where = f"image {case.image}, observer {observer}"
    gaze = case.load_gaze(observer)
    if not isinstance(gaze, Gaze):
        raise TypeError(
            f"{where}: gaze must be fixations for the chosen `metrics`, got a map. Give fixations, "
            "or other metrics."
        )
    points = as_points(gaze.points, name=f"points of {where}")
    try:
        require_drawable(
            points, case.shape, weights=gaze.durations, visible=gaze.visible, outside=outside
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    durations = as_real_array(gaze.durations, name=f"durations of {where}")
    kept = ~off_image(points, case.shape) & (durations > 0)
    if (area := case.load_area()) is not None:
        kept &= inside_area(points, area)
    if gaze.visible is not None:
        shown = np.broadcast_to(np.round(gaze.visible), (len(points), 4))
        pixels = np.floor(points + 0.5)
        kept &= (pixels >= shown[:, :2]).all(axis=1) & (pixels < shown[:, 2:]).all(axis=1)
    return np.asarray(points[kept])


def takes_distribution(metric: Metric) -> bool:
    """Return whether a metric treats the saliency map as a distribution."""
    return "saliency_map" in (*metric.weights, *metric.densities)


def require_metric_options(
    metrics: Sequence[Metric], *, density: str | None, shrink: int | None
) -> None:
    """Raise if a metric needs an option that is missing, or no metric uses an option."""
    for metric in metrics:
        if isinstance(metric.function, MissingFunction):
            metric()
    if density is not None:
        _require_use("density", density, [m.name for m in metrics if takes_distribution(m)])
    needing = [metric.name for metric in metrics if "saliency_map" in metric.densities]
    if needing and density is None:
        raise ValueError(
            f"`density` (--density) must be given for {' and '.join(needing)}, got None. Choose "
            f"{', '.join(map(repr, METHODS[:-1]))} or {METHODS[-1]!r}, the way in which "
            "`to_density` turns each map into a density."
        )
    shrunk = [metric.name for metric in metrics if "shrink" in metric.required_options]
    if shrink is not None:
        _require_use("shrink", shrink, shrunk)
    elif shrunk:
        raise ValueError(
            f"`shrink` (--shrink) must be given for {' and '.join(shrunk)}, got None. Give the "
            "side of the cells in pixels, which has no default because it changes the score."
        )
    if shrunk:
        require_solver()


def _require_use(option: str, value: Any, users: list[str]) -> None:
    """Raise if no metric uses an option that is given."""
    if not users:
        raise ValueError(
            f"`{option}` must be None if no metric in `metrics` uses it, got {value!r}. Remove it."
        )


def require_fixations(cases: Sequence[Case], metrics: Sequence[Metric], *, of_all: bool) -> None:
    """Raise if a metric needs fixations and the gaze of an observer is given as a map.

    With `of_all`, images that are not scored need fixations too.
    """
    taken = {metric.name: POINTS.intersection(metric.arguments) for metric in metrics}
    asking = [name for name, points in taken.items() if points]
    for case in cases:
        if asking and (case.scored or of_all) and not case.gaze:
            raise ValueError(
                f"`gaze` of image {case.image!r} must have fixations for {', '.join(asking)}, got "
                "none. Give the fixations that its gaze map was made of, or other metrics."
            )
        for observer, gaze in case.gaze.items():
            known = isinstance(gaze, Gaze) or callable(gaze)  # a function may return fixations
            if asking and (case.scored or of_all) and not known:
                raise ValueError(
                    f"`metrics` must be metrics of gaze maps if gaze is given as maps, got "
                    f"{', '.join(asking)} and a map for image {case.image}, observer "
                    f"{observer}. Give fixations, or other metrics."
                )


def require_distribution(
    values: FloatArray,
    shape: tuple[int, int],
    name: str,
    metrics: Sequence[Metric],
    density: str | None,
) -> None:
    """Raise if a metric needs a distribution on an image (H, W) and a map cannot be made one.

    The map must be finite. A map without mass passes, because its score is undefined.
    """
    asking = [metric.name for metric in metrics if takes_distribution(metric)]
    if not asking or density == "softmax":
        return
    values = resample(values, shape)
    if density == "shift" or _has_no_mass(values, density):
        return
    try:
        weight_sums(values, name=name)
    except ValueError as error:
        raise ValueError(f"{error}{_way_out(asking)}") from error


def _has_no_mass(values: FloatArray, density: str | None) -> bool:
    """Return whether a map has no mass as a density, so that its score is undefined.

    A Grad-CAM map of zeros is a valid result of a model and not invalid input.
    """
    if density == "softmax":
        return False
    if density == "shift":
        return is_flat(values)
    return not values.any()


def _way_out(asking: list[str]) -> str:
    """Return the remedies for a map that is not a distribution."""
    return (
        f" {' and '.join(asking)} compare distributions. Give density='softmax' (--density), which "
        "accepts every map, or density='shift', which accepts every map that is not constant."
    )


def require_size(case: Case, metrics: Sequence[Metric], shrink: int | None) -> None:
    """Raise if an image is too large for a metric, before other images are scored."""
    if shrink is not None and any("shrink" in metric.required_options for metric in metrics):
        try:
            require_few_cells(case.shape, shrink)
        except ValueError as error:
            raise ValueError(f"image {case.image}: {error}") from error


class MetricCalls:
    """Calls of metrics on one image.

    Parameters
    ----------
    case : Case
        The image.
    negatives : numpy.ndarray of float64, shape (H, W), optional
        Center bias on the pixels of the image, a density, for metrics that take a center bias or
        a baseline.
    fixations : AllFixations, optional
        Fixations on all images, if a metric takes the fixations on other images.
    density : str, optional
        Step that makes a density from a method's map; see `to_density`. By default the map is
        passed on unchanged.
    options : mapping
        Values of the options for which metrics have no default.
    outside : {"raise", "drop", "keep"}
        Treatment of fixations outside the image. See `gaze_heatmap`.
    baseline : numpy.ndarray of float64, shape (H, W), optional
        Density for the metrics that take a density as baseline. By default the center bias.
    """

    def __init__(
        self,
        case: Case,
        negatives: Float64Array | None,
        fixations: AllFixations | None,
        *,
        density: Any,
        options: Mapping[str, Any],
        outside: Outside,
        baseline: Float64Array | None = None,
    ) -> None:
        self._outside = outside
        self._case = case
        self._negatives = negatives
        self.baseline = negatives if baseline is None else baseline
        self.area = case.load_area()
        others = None if fixations is None else fixations.on_others(case)
        if others is not None and self.area is not None:
            others = others[inside_area(others, self.area)]
        self._others = others
        self._density = density
        self._options = options
        self._own: dict[str, Float64Array] | None = None
        self._points: dict[tuple[str, ...], Float64Array] = {}
        self._last: tuple[FloatArray, Float64Array] | None = None

    def score(
        self,
        metric: Metric,
        saliency: FloatArray,
        truth: Float64Array,
        left_out: tuple[str, ...],
        *,
        is_density: bool,
        rng: np.random.Generator | None = None,
        fixations: Float64Array | None = None,
    ) -> float:
        """Return one score, or `nan` if there are no fixations or the map has no mass.

        Parameters
        ----------
        metric : Metric
            Metric to call.
        saliency : numpy.ndarray, shape (H, W)
            Map under test.
        truth : numpy.ndarray, shape (H, W)
            Mean gaze map of the observers who are the ground truth.
        left_out : tuple of str
            Observers who are not part of the ground truth.
        is_density : bool
            True if the map is already a density, as gaze maps and their means are.
        rng : numpy.random.Generator, optional
            Random numbers, for metrics that need them.
        fixations : numpy.ndarray, shape (N, 2), optional
            Fixations of another ground truth, instead of the fixations on this image.

        Returns
        -------
        float
            The score.
        """
        prepared = self.prepared(metric, saliency, is_density=is_density)
        if prepared is None:
            return math.nan
        given: dict[str, Any] = {"saliency_map": prepared, "gaze_map": truth}
        given["center_bias"] = self._negatives
        of_density = "baseline" in metric.densities  # only these take the fitted one
        given["baseline"] = self.baseline if of_density else self._negatives
        if "fixations" in metric.arguments:
            if fixations is None:
                fixations = self.points_without(left_out)
            given["fixations"] = fixations
        given["other_fixations"] = self._others
        arguments = [given[name] for name in metric.arguments]
        if any(not len(given[name]) for name in POINTS.intersection(metric.arguments)):
            return math.nan
        options = {name: self._options[name] for name in metric.required_options}
        if metric.random:
            options["rng"] = rng
        if self.area is not None:
            options["area"] = self.area
        return metric(*arguments, **options)

    def prepared(
        self, metric: Metric, saliency: FloatArray, *, is_density: bool
    ) -> FloatArray | None:
        """Return a map as a metric takes it, or None if the metric needs a density without mass."""
        if not takes_distribution(metric) or is_density:
            return saliency
        if _has_no_mass(self._counted(saliency), self._density):
            return None
        return saliency if self._density is None else self._as_density(saliency)

    @property
    def other_fixations(self) -> Float64Array | None:
        """Fixations on other images, if a metric takes them."""
        return self._others

    def points_without(self, left_out: tuple[str, ...]) -> Float64Array:
        """Return the fixations of all observers except those left out, and keep them."""
        if left_out not in self._points:
            if self._own is None:
                case = self._case
                self._own = {
                    name: counted_fixations(case, name, self._outside) for name in case.gaze
                }
            parts = [points for name, points in self._own.items() if name not in left_out]
            self._points[left_out] = np.concatenate(parts)
        return self._points[left_out]

    def _as_density(self, saliency: FloatArray) -> Float64Array:
        """Return a map as a density. Keep the last density for further scores of the same map."""
        if self._last is None or self._last[0] is not saliency:
            require_finite(saliency, name="saliency_map")
            density = to_density(self._counted(saliency), self._density)
            if self.area is not None:
                density, chosen = np.zeros(self.area.shape), density
                density[self.area.mask()] = chosen[0]
            self._last = saliency, density
        return self._last[1]

    def _counted(self, saliency: FloatArray) -> FloatArray:
        """Return the pixels of a map that count, as a map."""
        return saliency if self.area is None else self.area.select(saliency)
