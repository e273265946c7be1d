"""What each metric takes from an image: maps as they are or as densities, and fixations.

`Metric.arguments` names what a metric takes and `MetricCalls` knows how to get each of these from
an image, so a new metric with known arguments needs nothing here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazesal._validation import (
    as_choice,
    as_count,
    as_points,
    as_real_array,
    require_finite,
    weight_sums,
)
from gazesal.evaluation.case import Case, Gaze
from gazesal.maps.constancy import is_flat
from gazesal.maps.heatmap import off_image
from gazesal.maps.resampling import resample
from gazesal.metrics.densities import METHODS, to_density
from gazesal.metrics.distribution import require_few_cells, require_solver
from gazesal.metrics.registry import METRICS, Metric
from gazesal.metrics.score import as_names
from gazesal.typing import Float64Array, FloatArray, IntArray

POINTS = {"fixations", "other_fixations"}  # arguments that are points


@dataclass(frozen=True, slots=True)
class AllFixations:
    """Fixations on many images, and the box of each image by which they are brought onto another.

    Without boxes of their own images are their own boxes, so that a fixation keeps its relative
    position: the same fraction of the width and of the height.
    """

    positions: Mapping[str, int]  # of images by name
    boxes: Float64Array  # (number of images, 4), x_min, y_min, x_max, y_max from the corner
    points: Float64Array  # (N, 2)
    image_of: IntArray  # (N,), positions of their images
    together: tuple[int, ...] = ()  # positions of images that are left out with the one scored

    def on_others(self, case: Case) -> Float64Array:
        """Return the fixations on other images, in the pixels of this one.

        Those that miss it are left out, and so are those on images of its group.
        """
        group = (self.positions[case.image], *self.together)
        kept = ~np.isin(self.image_of, group)
        boxes, points = self.boxes[self.image_of[kept]], self.points[kept]
        own = _box_of(case)
        scale = (own[2:] - own[:2]) / (boxes[:, 2:] - boxes[:, :2])
        # written so that images of one size leave every digit as it is
        shift = (own[:2] - 0.5) - (boxes[:, :2] - 0.5) * scale
        moved = points * scale + shift
        return np.asarray(moved[~off_image(moved, case.shape)])


def takes_others(metrics: Sequence[str]) -> bool:
    """Whether any metric takes the fixations on other images."""
    return any("other_fixations" in METRICS[name].arguments for name in metrics)


def fixations_on(case: Case) -> Float64Array:
    """The fixations on an image that point metrics count, of all observers."""
    parts = [counted_fixations(case, observer) for observer in case.gaze]
    return np.concatenate([np.empty((0, 2)), *parts])


def pool(each: Sequence[tuple[Case, Float64Array]]) -> AllFixations:
    """The fixations on many images as one, from those on each."""
    return AllFixations(
        positions={case.image: i for i, (case, _) in enumerate(each)},
        boxes=np.array([_box_of(case) for case, _ in each]),
        points=np.concatenate([np.empty((0, 2)), *(points for _, points in each)]),
        image_of=np.repeat(np.arange(len(each)), [len(points) for _, points in each]),
    )


def _box_of(case: Case) -> Float64Array:
    height, width = case.shape
    box = (0.0, 0.0, float(width), float(height)) if case.box is None else case.box
    return np.asarray(box, dtype=np.float64)


def counted_fixations(case: Case, observer: str) -> Float64Array:
    """Fixations that point metrics count, each once: on the image, on a part of it that was
    shown, and of a weight above 0, as those that a gaze map draws something at.
    """
    where = f"image {case.image}, observer {observer}"
    gaze = case.load_gaze(observer)
    if not isinstance(gaze, Gaze):
        raise TypeError(f"{where}: must be fixations for metrics of points, got a map.")
    points = as_points(gaze.points, name=f"points of {where}")
    durations = as_real_array(gaze.durations, name=f"durations of {where}")
    kept = ~off_image(points, case.shape) & (durations > 0)
    if gaze.visible is not None:
        shown = np.broadcast_to(np.round(gaze.visible), (len(points), 4))
        pixels = np.floor(points + 0.5)
        kept &= (pixels >= shown[:, :2]).all(axis=1) & (pixels < shown[:, 2:]).all(axis=1)
    return np.asarray(points[kept])


def takes_distribution(metric: Metric) -> bool:
    """Whether the saliency map is a distribution to a metric: non-negative, with a sum."""
    return "saliency_map" in (*metric.weights, *metric.densities)


def as_metrics(
    metrics: Sequence[str], *, density: Any, shrink: Any
) -> tuple[tuple[str, ...], str | None, int | None]:
    """Names of metrics, and the options that some of them need; each is checked."""
    names = tuple(as_choice(name, tuple(METRICS), name="metrics") for name in as_names(metrics))
    chosen = [METRICS[name] for name in names]
    if density is not None:
        as_choice(density, METHODS, name="density")
        _require_use("density", density, [m.name for m in chosen if takes_distribution(m)])
    needing = [metric.name for metric in chosen if "saliency_map" in metric.densities]
    if needing and density is None:
        raise ValueError(
            f"`density` (--density) must be given for {' and '.join(needing)}: which step makes a "
            f"density of a method's map, one of {', '.join(map(repr, METHODS))}; see `to_density`."
        )
    side = None if shrink is None else as_count(shrink, name="shrink")
    shrunk = [metric.name for metric in chosen if "shrink" in metric.required_options]
    if side is not None:
        _require_use("shrink", shrink, shrunk)
    elif shrunk:
        raise ValueError(
            f"`shrink` (--shrink) must be given for {' and '.join(shrunk)}: the side in pixels of "
            "the cells that mass is gathered in; it has no default and is part of the score."
        )
    if "emd" in names:
        require_solver()
    return names, density, side


def _require_use(option: str, value: Any, users: list[str]) -> None:
    if not users:
        raise ValueError(
            f"`{option}` must be None where no metric takes it, got {value!r}, which would change "
            "nothing."
        )


def require_fixations(cases: Sequence[Case], metrics: Sequence[str]) -> None:
    """Raise if a metric of points is asked for and somebody's gaze is not known as fixations."""
    taken = {name: POINTS.intersection(METRICS[name].arguments) for name in metrics}
    asking = [name for name, points in taken.items() if points]
    of_all = any("other_fixations" in points for points in taken.values())
    for case in cases:
        for observer, gaze in case.gaze.items():
            known = isinstance(gaze, Gaze) or callable(gaze)  # which may return fixations
            if asking and (case.scored or of_all) and not known:
                raise ValueError(
                    f"`metrics` must be metrics of gaze maps where gaze is given as maps, got "
                    f"{', '.join(asking)}, which need fixations, and a map for image "
                    f"{case.image}, observer {observer}."
                )


def require_distribution(
    values: FloatArray,
    shape: tuple[int, int],
    name: str,
    metrics: Sequence[str],
    density: str | None,
) -> None:
    """Raise if a metric needs a distribution on an image (H, W) and a finite map cannot be one.

    A map without mass passes, since its score is undefined.
    """
    asking = [each for each in metrics if takes_distribution(METRICS[each])]
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
    """Check whether nothing is left of a map as a density, so that its score is undefined.

    A Grad-CAM of zeros is an outcome of a model, not a fault of the input.
    """
    if density == "softmax":
        return False
    if density == "shift":
        return is_flat(values)
    return not values.any()


def _way_out(asking: list[str]) -> str:
    return (
        f" {' and '.join(asking)} compare distributions; density='softmax' (--density) makes one "
        "of any map, density='shift' of any that is not constant."
    )


def require_size(case: Case, metrics: Sequence[str], shrink: int | None) -> None:
    """Raise if an image is too large for a metric, before others are scored."""
    if shrink is not None and "emd" in metrics:
        try:
            require_few_cells(case.shape, shrink)
        except ValueError as error:
            raise ValueError(f"image {case.image}: {error}") from error


class MetricCalls:
    """Single calls of metrics on one image.

    Parameters
    ----------
    case : Case
        The image.
    negatives : numpy.ndarray of float64, shape (H, W), optional
        The center bias on its pixels, a density: for metrics that take one, or a baseline.
    fixations : AllFixations, optional
        Those on all images, where a metric takes those on other images.
    density : str, optional
        How a method's map becomes a density; see `to_density`. By default it is handed over as it
        is.
    options : mapping
        Values of what metrics have no default for.
    """

    def __init__(
        self,
        case: Case,
        negatives: Float64Array | None,
        fixations: AllFixations | None,
        *,
        density: Any,
        options: Mapping[str, Any],
    ) -> None:
        self._case = case
        self._negatives = negatives
        self._others = None if fixations is None else fixations.on_others(case)
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
    ) -> float:
        """Return one score; `nan` if no fixation is left, or no density can be made of the map.

        Parameters
        ----------
        metric : Metric
            Row of the registry.
        saliency : numpy.ndarray, shape (H, W)
            Map under test.
        truth : numpy.ndarray, shape (H, W)
            Mean gaze map of the observers who are the ground truth.
        left_out : tuple of str
            Observers who are not.
        is_density : bool
            Whether the map is a density as it is, as gaze maps and their means are.

        Returns
        -------
        float
            The score.
        """
        if takes_distribution(metric) and not is_density:
            if _has_no_mass(saliency, self._density):
                return math.nan
            if self._density is not None:
                saliency = self._as_density(saliency)
        given: dict[str, Any] = {"saliency_map": saliency, "gaze_map": truth}
        given["center_bias"] = given["baseline"] = self._negatives
        if "fixations" in metric.arguments:
            given["fixations"] = self._truth_points(left_out)
        given["other_fixations"] = self._others
        arguments = [given[name] for name in metric.arguments]
        if any(not len(given[name]) for name in POINTS.intersection(metric.arguments)):
            return math.nan
        options = {name: self._options[name] for name in metric.required_options}
        return metric.function(*arguments, **options)

    def _truth_points(self, left_out: tuple[str, ...]) -> Float64Array:
        if left_out not in self._points:
            if self._own is None:
                case = self._case
                self._own = {name: counted_fixations(case, name) for name in case.gaze}
            parts = [points for name, points in self._own.items() if name not in left_out]
            self._points[left_out] = np.concatenate(parts)
        return self._points[left_out]

    def _as_density(self, saliency: FloatArray) -> Float64Array:
        """The density of a map; that of the last one is kept, for maps come one after another."""
        if self._last is None or self._last[0] is not saliency:
            require_finite(saliency, name="saliency_map")
            self._last = saliency, to_density(saliency, self._density)
        return self._last[1]
