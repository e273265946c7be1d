"""The gaze on other images, as sums over all images from which images can be left out.

A score that is linear in the gaze has the same mean over many images as its score against their
mean. For NCC, the mean is of standardized gaze maps, and for residual NCC of standardized
differences from the center bias.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.metric_calls import counted_fixations
from gazesal.evaluation.options import EvaluationOptions, Frame
from gazesal.kernels.moments import centered_spread
from gazesal.maps.alignment import box_of, moved_points
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.constancy import is_flat
from gazesal.maps.heatmap import off_image
from gazesal.maps.observers import one_vs_rest
from gazesal.maps.reference_frame import ReferenceFrame, as_box
from gazesal.maps.registration import canvas_places, place_on_canvas
from gazesal.maps.resampling import interpolate, resample
from gazesal.metrics.bias_corrected import excess_map, rest_map
from gazesal.metrics.correlation import ranks
from gazesal.metrics.metric import Metric
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = [
    "LINEAR",
    "WITH_BIAS_OF_GAZE",
    "FramedSum",
    "OtherFixations",
    "OtherGaze",
    "features_in_frame",
    "fixation_weights",
    "frame_without_rounding",
    "framed_gaze_of",
    "in_frame",
    "kinds_of",
    "other_fixations_of",
    "truths_of",
]

# Metrics that are linear in the gaze, with the kind of mean that has the mean score.
LINEAR = {
    "auc_borji": "mean",
    "sauc": "mean",
    "residual_nss": "mean",
    "ncc": "ncc",
    "sncc": "ncc",
    "spearman": "spearman",
    "residual_ncc": "residual_ncc",
    "semipartial_ncc": "semipartial_ncc",
    "nss": "points",
    "snss": "points",
    "auc": "points",
    "auc_shuffled": "points",
    "information_gain": "points",
    "log_likelihood": "points",
}
WITH_BIAS_OF_GAZE = ("residual_ncc", "semipartial_ncc")  # kinds whose truth includes the bias


def kinds_of(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the kinds of means that metrics need, except the mean of fixations."""
    kinds = dict.fromkeys(LINEAR[metric.name] for metric in metrics if metric.name in LINEAR)
    return tuple(kind for kind in kinds if kind != "points")


def truths_of(own_maps: Sequence[Float64Array], options: EvaluationOptions) -> list[Float64Array]:
    """Return the ground truths of the maps of an image."""
    if options.ground_truth == "all":
        return [np.asarray(np.mean(own_maps, axis=0))]
    return [rest for _, rest in one_vs_rest(own_maps)]


def _feature(
    kind: str, truths: Sequence[Float64Array], bias: Float64Array | None
) -> Float64Array | None:
    """Return the map of an image that enters a mean, or None if its scores are undefined."""
    each = (_standardized(kind, truth, bias) for truth in truths)
    found = [values for values in each if values is not None]
    return np.asarray(np.mean(found, axis=0)) if found else None


def _standardized(kind: str, truth: Float64Array, bias: Float64Array | None) -> Float64Array | None:
    if kind == "mean":
        return truth
    values: Float64Array | None = truth
    if kind in WITH_BIAS_OF_GAZE:
        assert bias is not None, "refused without a center bias"  # noqa: S101 (for mypy)
        values = excess_map(truth, bias) if kind == "residual_ncc" else rest_map(truth, bias)
    if values is None or is_flat(values):
        return None
    scaled = ranks(values) if kind == "spearman" else values
    return standardized(scaled).reshape(truth.shape)


def standardized(values: FloatArray) -> Float64Array:
    """Return the values of a map of usual scale with mean 0 and population deviation 1.

    The sums are compiled, because the threads of BLAS hinder each other in several workers.
    """
    flat = np.ascontiguousarray(values).ravel()
    mean, squares = centered_spread(flat)
    return np.asarray((flat - (float(flat[0]) + mean)) / math.sqrt(squares / flat.size))


@dataclass(frozen=True, slots=True)
class FramedSum:
    """Sum of one map per image on the pixels of a common frame.

    Attributes
    ----------
    total : numpy.ndarray of float64, shape of the frame
        Sum of the maps, 0 outside the images.
    reach : numpy.ndarray of float64, shape of the frame or (1, 1)
        Number of images that cover each pixel.
    """

    total: Float64Array
    reach: Float64Array

    def plus(self, other: "FramedSum", sign: float = 1.0) -> "FramedSum":
        """Return the sum with the maps of another sum, or without them for a sign of -1."""
        return FramedSum(self.total + sign * other.total, self.reach + sign * other.reach)

    def on_image(self, case: Case, frame: Frame, *, density: bool) -> Float64Array | None:
        """Return the mean on the pixels of an image, or None without any map.

        A density is non-negative and sums to 1.
        """
        if not self.reach.max() > 0.5:
            return None
        if isinstance(frame, ReferenceFrame):
            box = as_box(np.asarray(case.box), name=f"box of image {case.image}")
            rows, columns = canvas_places(frame, box, *case.shape)
            reach = interpolate(self.reach, rows, columns)
            reach[reach < 1e-9] = 1.0  # the sum is 0 there as well
            mean = interpolate(self.total, rows, columns) / reach
        else:
            mean = self.total / self.reach
            mean = mean if mean.shape == case.shape else resample(mean, case.shape)
        if not density:
            return mean
        np.maximum(mean, 0.0, out=mean)  # rounding of the subtracted maps
        mass = mean.sum()
        return np.asarray(mean / mass) if mass > 0 else None


def in_frame(values: FloatArray, case: Case, frame: Frame, *, density: bool) -> FramedSum:
    """Return the map of one image in the frame. A density sums to 1 there."""
    if isinstance(frame, ReferenceFrame):
        total, reach = np.zeros(frame.shape), np.zeros(frame.shape)
        box = as_box(np.asarray(case.box), name=f"box of image {case.image}")
        placed, top, left = place_on_canvas(frame, values, box)
        there = (slice(top, top + placed.shape[0]), slice(left, left + placed.shape[1]))
        total[there], reach[there] = placed, 1.0
    else:
        whole = values if values.shape == frame else resample(values, frame)
        total, reach = np.array(whole, np.float64), np.ones((1, 1))
    if density and (mass := total.sum()) > 0:
        total /= mass
    return FramedSum(total, reach)


def framed_gaze_of(
    case: Case,
    kinds: Sequence[str],
    frame: Frame,
    options: EvaluationOptions,
    bias: CenterBiasModel | None,
    together: Sequence[Case],
) -> dict[str, FramedSum]:
    """Return the gaze on an image as it enters the sums, by kind.

    The images of `together` are left out of the image's center bias with it.
    """
    own_maps = gaze_maps(case, options)
    of_image = None
    if set(kinds).intersection(WITH_BIAS_OF_GAZE):
        biases = biases_on_image(case, own_maps, bias, options, together)
        of_image = biases[options.negatives]
    return features_in_frame(case, truths_of(own_maps, options), of_image, kinds, frame)


def features_in_frame(
    case: Case,
    truths: Sequence[Float64Array],
    bias: Float64Array | None,
    kinds: Sequence[str],
    frame: Frame,
) -> dict[str, FramedSum]:
    """Return the contributions of one image to the sums, by kind."""
    found = {}
    for kind in kinds:
        feature = _feature(kind, truths, bias)
        if feature is not None:
            found[kind] = in_frame(feature, case, frame, density=kind == "mean")
    return found


@dataclass(frozen=True, slots=True)
class OtherFixations:
    """Fixations on many images with weights, which sum to 1 for each image.

    Attributes
    ----------
    images : tuple of str
        Names of the images.
    boxes : numpy.ndarray, shape (number of images, 4)
        Boxes that align the images, by default the whole image.
    points, weights, image_of : numpy.ndarray, shapes (N, 2), (N,) and (N,)
        Fixations, their weights, and the index of their image.
    """

    images: tuple[str, ...]
    boxes: Float64Array
    points: Float64Array
    weights: Float64Array
    image_of: IntArray

    def shares_on(self, case: Case, left_out: Sequence[str]) -> Float64Array | None:
        """Return the share of the fixations on other images at each pixel of an image (H, W).

        Fixations that fall outside the image are left out.
        """
        out = [i for i, name in enumerate(self.images) if name in left_out]
        kept = ~np.isin(self.image_of, out)
        boxes = self.boxes[self.image_of[kept]]
        moved = moved_points(self.points[kept], boxes, box_of(case.shape, case.box))
        inside = ~off_image(moved, case.shape)
        weights = self.weights[kept][inside]
        if not weights.size:
            return None
        columns, rows = np.floor(moved[inside] + 0.5).astype(np.int64).T
        size = case.shape[0] * case.shape[1]
        counts = np.bincount(rows * case.shape[1] + columns, weights, minlength=size)
        return np.asarray(counts / weights.sum()).reshape(case.shape)


def fixation_weights(
    case: Case, options: EvaluationOptions
) -> tuple[Float64Array, Float64Array] | None:
    """Return the fixations on an image and their weights in the mean over its ground truths.

    None if an image has no fixations in any ground truth, so that its scores are undefined.
    """
    each = {name: counted_fixations(case, name, options.outside) for name in case.gaze}
    counts = {name: len(points) for name, points in each.items()}
    n_all = sum(counts.values())
    nobody = ""
    left_out = [nobody] if options.ground_truth == "all" else list(each)
    sizes = {out: n_all - (counts[out] if len(left_out) > 1 else 0) for out in left_out}
    defined = [out for out, size in sizes.items() if size]
    if not defined:
        return None
    weights = []
    for name, n in counts.items():
        mean = sum(1 / sizes[out] for out in defined if out != name) / len(defined)
        weights.append(np.full(n, mean))
    return np.concatenate(list(each.values())), np.concatenate(weights)


def other_fixations_of(
    found: Iterable[tuple[Case, tuple[Float64Array, Float64Array]]],
) -> OtherFixations:
    """Collect the weighted fixations of many images."""
    listed = list(found)
    lengths = [len(weights) for _, (_, weights) in listed]
    return OtherFixations(
        images=tuple(case.image for case, _ in listed),
        boxes=np.array([box_of(c.shape, c.box) for c, _ in listed]).reshape(-1, 4),
        points=np.concatenate([np.empty((0, 2)), *(points for _, (points, _) in listed)]),
        weights=np.concatenate([np.empty(0), *(weights for _, (_, weights) in listed)]),
        image_of=np.repeat(np.arange(len(listed)), lengths),
    )


@dataclass(frozen=True, slots=True)
class OtherGaze:
    """Everything about the gaze on other images that the scores of one image use.

    Attributes
    ----------
    frame : tuple of int or ReferenceFrame
        Frame in which maps are summed.
    sums : dict of FramedSum
        Sums over all images by kind.
    maps : dict of FramedSum
        Sums over all images of the maps of each method, by method and form of the map.
    fixations : OtherFixations or None
        Fixations on all images, if a metric takes fixations.
    """

    frame: Frame
    sums: Mapping[str, FramedSum]
    maps: Mapping[tuple[str, str], FramedSum]
    fixations: OtherFixations | None = None

    def to_parts(self) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Split into facts and arrays, which processes share."""
        named = {("gaze", kind): one for kind, one in self.sums.items()} | {
            ("maps", *key): one for key, one in self.maps.items()
        }
        arrays: list[Any] = [a for one in named.values() for a in (one.total, one.reach)]
        facts: dict[str, Any] = {"frame": self.frame, "sums": tuple(named), "images": None}
        if self.fixations is not None:
            own = self.fixations
            facts["images"] = own.images
            arrays += [own.boxes, own.points, own.weights, own.image_of]
        return facts, arrays

    @classmethod
    def from_parts(cls, facts: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> "OtherGaze":
        """Join parts that `to_parts` returned, without copying."""
        plain: list[Any] = [np.asarray(array) for array in arrays]
        sums, maps = {}, {}
        for place, key in enumerate(facts["sums"]):
            one = FramedSum(*plain[2 * place : 2 * place + 2])
            if key[0] == "gaze":
                sums[key[1]] = one
            else:
                maps[key[1], key[2]] = one
        rest = plain[2 * len(facts["sums"]) :]
        fixations = OtherFixations(facts["images"], *rest) if rest else None
        return cls(facts["frame"], sums, maps, fixations)


def frame_without_rounding(frame: Frame) -> Frame:
    """Return a frame at sub-pixel precision."""
    return replace(frame, rounding="none") if isinstance(frame, ReferenceFrame) else frame
