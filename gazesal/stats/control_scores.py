"""Scores of each map against the gaze on every image, and a test that maps fit their images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_count, as_generator, as_iterable, as_map, as_points
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.alignment import box_of, moved_map, moved_points
from gazesal.maps.heatmap import off_image
from gazesal.maps.reference_frame import as_box
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.metrics.score import score
from gazesal.typing import Float64Array, FloatArray, RandomState

__all__ = ["ControlScores", "control_scores"]

EXACT = 50_000  # matchings; up to 8 images, all of them are computed

PerImage = Mapping[Any, ArrayLike] | Iterable[ArrayLike]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScores:
    """Scores of the maps of N images against the gaze on each of these images.

    Attributes
    ----------
    matrix : numpy.ndarray of float64, shape (N, N)
        Score of the map of image i (row) against the gaze on image j (column).
    own : numpy.ndarray of float64, shape (N,)
        Score of each map against the gaze on its own image: the diagonal.
    other_gaze : numpy.ndarray of float64, shape (N,)
        Mean score of each map against the gaze on the other images.
    other_maps : numpy.ndarray of float64, shape (N,)
        Mean score of the maps of the other images against the gaze on each image.
    difference : numpy.ndarray of float64, shape (N,)
        Own minus other gaze, for each map.
    images : tuple
        Names of the images, or their positions.
    higher_is_better : bool
        Direction of the metric.
    """

    matrix: Float64Array
    images: tuple[Any, ...]
    higher_is_better: bool = True

    @property
    def own(self) -> Float64Array:
        """Score of each map against the gaze on its own image."""
        return self.matrix.diagonal().copy()

    @property
    def other_gaze(self) -> Float64Array:
        """Mean score of each map against the gaze on the other images."""
        return _mean_of_others(self.matrix)

    @property
    def other_maps(self) -> Float64Array:
        """Mean score of the maps of the other images against the gaze on each image."""
        return _mean_of_others(self.matrix.T)

    @property
    def difference(self) -> Float64Array:
        """Own minus other gaze, for each map."""
        return np.asarray(self.own - self.other_gaze)

    @property
    def own_mean(self) -> float:
        """Mean score of the maps against the gaze on their own images."""
        return float(self.own.mean())

    @property
    def other_mean(self) -> float:
        """Mean score of the maps against the gaze on other images."""
        return float(self.other_gaze.mean())

    def p_value(self, *, n_resamples: int = 9999, rng: RandomState | None = None) -> float:
        """Return the p-value of the matching of maps and images.

        Parameters
        ----------
        n_resamples : int, default 9999
            Number of random matchings. For up to 8 images, all matchings are computed instead.
        rng : int or numpy.random.Generator, optional
            Seed or generator of the random matchings, required for more than 8 images.

        Returns
        -------
        float
            One-sided: the share of matchings of the maps with the gaze whose mean score is at
            least as good as with the true matching. The true matching counts as one of them, so
            the smallest value is 1 / N! or 1 / (`n_resamples` + 1). ``nan`` if a score is
            undefined.

        Raises
        ------
        ValueError
            If `n_resamples` is not positive, or `rng` is missing for more than 8 images.

        Warns
        -----
        UndefinedMetricWarning
            If the p-value is undefined.

        Notes
        -----
        The null hypothesis is that the maps are exchangeable between the images: each map fits the
        gaze on its own image no better than the gaze on another. A method whose maps are all
        the same has the p-value 1. See ``scipy.stats.permutation_test``.

        Examples
        --------
        >>> import numpy as np
        >>> import gazesal
        >>> gaze = np.random.default_rng(0).random((4, 6, 8))
        >>> gazesal.stats.control_scores("ncc", gaze, gaze).p_value() == 1 / 24
        True
        """
        from scipy.stats import permutation_test  # noqa: PLC0415  (slow to import)

        n = len(self.matrix)
        drawn = as_count(n_resamples, name="n_resamples", most=10**7)
        if np.isnan(self.matrix).any():
            warn(
                "The p-value of the matching is undefined: some scores are undefined.",
                UndefinedMetricWarning,
            )
            return math.nan
        exact = math.factorial(n) <= EXACT

        def mean_of(places: Any, axis: int) -> Any:
            return self.matrix[np.arange(n), places].mean(axis=axis)

        number: Any = np.inf if exact else drawn
        found: Any = permutation_test(
            (np.arange(n),),
            mean_of,
            permutation_type="pairings",
            alternative="greater" if self.higher_is_better else "less",
            vectorized=True,
            n_resamples=number,
            batch=None if exact else max(1, 2**20 // n),
            rng=None if exact else as_generator(rng, why=f"to sample matchings of {n} images"),
        )
        return float(found.pvalue)


def control_scores(
    metric: str | Metric,
    saliency_maps: PerImage,
    gaze: PerImage,
    center_bias: PerImage | None = None,
    *,
    boxes: PerImage | None = None,
    options: Mapping[str, Any] | None = None,
    rng: RandomState | None = None,
) -> ControlScores:
    r"""Compute the score of each image's map against the gaze on every image.

    A map that shows the same on all images can agree with the gaze, because people look at similar
    positions on all images. The score against the gaze on *other* images measures this part, and
    own minus other measures how much of the score is owed to the image.

    Parameters
    ----------
    metric : str or Metric
        Name or alias of a metric in `METRICS`, or your own `Metric`.
    saliency_maps : mapping or iterable of array_like, each of shape (H, W)
        Map of each of at least two images, as the metric takes it. A mapping names the images.
    gaze : mapping or iterable of array_like, each of shape (H, W) or (N, 2)
        Gaze on the same images in the same order, or by the same names: gaze maps, or fixations in
        pixels (x, y) if the metric takes fixations.
    center_bias : mapping or iterable of array_like, each of shape (H, W), optional
        Center bias or baseline on each image, for the metrics that take one. A map is scored
        against the gaze on an image with the center bias of that image, and metrics of the
        fixations on other images take those on the images other than that image.
    boxes : mapping or iterable of array_like, each of shape (4,), optional
        Box of each image, (x_min, y_min, x_max, y_max) in pixels, the upper bounds exclusive. The
        gaze on other images is registered by the boxes. By default it keeps its relative position,
        the same fraction of the width and of the height.
    options : mapping, optional
        Options of the metric by name, such as ``{"shrink": 8}`` for ``"emd"``.
    rng : int or numpy.random.Generator, optional
        Seed or generator for a metric that needs random numbers.

    Returns
    -------
    ControlScores
        The matrix of scores, its means, and a test of the matching.

    Raises
    ------
    ValueError
        If there are fewer than two images, the images of the arguments differ, `center_bias` is
        missing or unused, or the metric does not accept a map.
    TypeError
        If a map does not hold real numbers.

    Warns
    -----
    UndefinedMetricWarning
        If a score is undefined, as with a constant map for NCC.

    See Also
    --------
    evaluate : Computes own and other for every method with ``controls="other_gaze"``, without the
        whole matrix.

    Notes
    -----
    With the score :math:`s_{ij}` of the map of image :math:`i` against the gaze on image :math:`j`,

    .. math:: \text{own}_i = s_{ii}, \qquad
              \text{other}_i = \frac{1}{N-1} \sum_{j \ne i} s_{ij}

    If all maps are the same and all images have one size, the mean of own minus other is exactly 0
    for every metric, whatever the map shows. The matrix takes N times N calls of the metric. The
    gaze on other images as a control is from :footcite:t:`tatler2005`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> gaze = np.random.default_rng(0).random((4, 6, 8))
    >>> found = gazesal.stats.control_scores("ncc", gaze ** 2, gaze)
    >>> round(found.own_mean, 2), round(found.other_mean, 2), round(found.p_value(), 3)
    (0.97, -0.04, 0.042)
    >>> same = gazesal.stats.control_scores("ncc", [gaze[0]] * 4, gaze)
    >>> bool(abs(same.difference.mean()) < 1e-15)
    True
    """
    chosen = as_metrics([metric])[0]
    names, maps = _by_image(saliency_maps, name="saliency_maps")
    shown = [
        as_map(value, name=f"saliency_maps[{k!r}]") for k, value in zip(names, maps, strict=True)
    ]
    if len(names) < 2:
        raise ValueError(f"`saliency_maps` must be of at least two images, got {len(names)}.")
    looked = _like(gaze, names, name="gaze")
    of_points = chosen.ground_truth == "points"
    check = as_points if of_points else as_map
    looked = [check(value, name=f"gaze[{k!r}]") for k, value in zip(names, looked, strict=True)]
    placed = [None] * len(names) if boxes is None else _like(boxes, names, name="boxes")
    corners = [
        box_of(each.shape, None if box is None else as_box(box, name=f"boxes[{k!r}]"))
        for k, each, box in zip(names, shown, placed, strict=True)
    ]
    images = _Images(shown, looked, corners, _biases(center_bias, chosen, names, shown))
    given = dict(options or {})
    if chosen.random:
        given["rng"] = as_generator(rng, why=f"for {chosen.name}")
    rows = [_row(chosen, images, i, given) for i in range(len(names))]
    matrix = np.array(rows, np.float64)
    return ControlScores(
        matrix=matrix, images=tuple(names), higher_is_better=chosen.higher_is_better
    )


@dataclass(frozen=True, slots=True)
class _Images:
    """Maps, gaze, boxes and center biases of all images."""

    maps: list[FloatArray]
    gaze: list[Any]
    boxes: list[Float64Array]
    biases: list[FloatArray] | None

    def map_on(self, i: int, j: int, values: FloatArray) -> FloatArray:
        """Return a map of image j on the pixels of image i."""
        shape = self.maps[i].shape
        same = values.shape == shape and np.array_equal(self.boxes[i], self.boxes[j])
        if i == j or same:
            return values
        return moved_map(values, self.boxes[j], (shape[0], shape[1]), self.boxes[i])

    def points_on(self, i: int, j: int) -> Float64Array:
        """Return the fixations on image j in the pixels of image i, without any outside."""
        if i == j:
            return np.asarray(self.gaze[i])
        points = moved_points(self.gaze[j], self.boxes[j], self.boxes[i])
        return np.asarray(points[~off_image(points, self.maps[i].shape[:2])])


def _row(metric: Metric, images: _Images, i: int, options: dict[str, Any]) -> list[float]:
    """Return the scores of the map of image i against the gaze on every image."""
    saliency, everyone = images.maps[i], range(len(images.maps))
    if metric.name in {"ncc", "auc_borji"} and not options:  # each map is sorted once
        gaze_maps = [images.map_on(i, j, images.gaze[j]) for j in everyone]
        found = score([saliency], gaze_maps, None, [metric])
        return [float(value) for value in found.values[0, :, 0]]
    if metric.ground_truth == "map":
        gaze = [images.map_on(i, j, images.gaze[j]) for j in everyone]
    else:
        gaze = [images.points_on(i, j) for j in everyone]
    row = []
    for j in everyone:
        given = [gaze[j]]
        if images.biases is not None:
            given.append(images.map_on(i, j, images.biases[j]))
        elif metric.needs == "other_fixations":
            given.append(np.concatenate([points for k, points in enumerate(gaze) if k != j]))
        empty = any(not len(values) for values in given)  # fixations outside the image
        row.append(math.nan if empty else metric(saliency, *given, **options))
    return row


def _mean_of_others(matrix: Float64Array) -> Float64Array:
    """Return the mean of each row without its diagonal element."""
    others = ~np.eye(len(matrix), dtype=bool)
    return np.asarray(matrix.mean(axis=1, where=others))


def _biases(
    center_bias: PerImage | None, metric: Metric, names: list[Any], maps: Sequence[FloatArray]
) -> list[FloatArray] | None:
    """Return the center bias of each image, or raise if it is missing or unused."""
    needed = metric.needs in {"center_bias", "baseline"}
    if needed != (center_bias is not None):
        how = "given for" if needed else "None for"
        raise ValueError(
            f"`center_bias` must be {how} {metric.name!r}, got "
            f"{'None' if center_bias is None else 'maps'}."
        )
    if center_bias is None:
        return None
    listed = _like(center_bias, names, name="center_bias")
    found = [as_map(v, name=f"center_bias[{k!r}]") for k, v in zip(names, listed, strict=True)]
    for key, bias, own in zip(names, found, maps, strict=True):
        if bias.shape != own.shape:
            raise ValueError(
                f"`center_bias[{key!r}]` must have the shape of `saliency_maps[{key!r}]`, "
                f"{own.shape}, got {bias.shape}."
            )
    return found


def _by_image(values: PerImage, *, name: str) -> tuple[list[Any], list[Any]]:
    """Return the names of images and their values."""
    if isinstance(values, Mapping):
        return list(values), list(values.values())
    listed = list(as_iterable(values, name=name, of="one array per image"))
    return list(range(len(listed))), listed


def _like(values: PerImage, names: list[Any], *, name: str) -> list[Any]:
    """Return the values of an argument in the order of the images, or raise if images differ."""
    own, listed = _by_image(values, name=name)
    if isinstance(values, Mapping) and set(own) == set(names):
        return [values[key] for key in names]
    if own != names:
        odd = next((key for key in [*own, *names] if (key in own) != (key in names)), None)
        raise ValueError(
            f"`{name}` must be of the images of `saliency_maps`, {len(names)} in number, got "
            f"{len(own)}{'' if odd is None else f' and a difference at {odd!r}'}."
        )
    return listed
