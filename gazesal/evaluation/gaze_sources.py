"""Sources of the gaze on an image and of its maps, and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite
from gazesal.datasets.map_files import map_of_file
from gazesal.datasets.map_stores import StoredMap
from gazesal.maps.area import Area
from gazesal.maps.constancy import as_weights
from gazesal.maps.fixation_map import fixations_from_map
from gazesal.maps.heatmap import SMALLEST_SIDE
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array, FloatArray

__all__ = [
    "FixationMap",
    "Gaze",
    "GazeKind",
    "GazeSource",
    "MapSource",
    "TwoValued",
    "is_gaze_map",
    "kind_of",
    "load_density",
    "load_source",
    "read_source",
]

# A callable may have an attribute `fingerprint`, a str that changes with the map. A checkpoint
# compares it instead of the state of the callable.
MapSource: TypeAlias = ArrayLike | Path | Callable[[], ArrayLike]
GazeKind: TypeAlias = Literal["fixations", "fixation_map", "gaze_map", "function"]
TwoValued: TypeAlias = Literal["raise", "region"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaze:
    """Fixations of one observer on one image.

    Attributes
    ----------
    points : numpy.ndarray of float64, shape (N, 2)
        Columns x, y in image pixels, pixel centers at integers.
    durations : numpy.ndarray of float64, shape (N,), optional
        Weight of each fixation. By default 1 for each.
    sigma : numpy.ndarray of float64, shape (N, 1) or (N, 2), optional
        Standard deviation of each fixation's Gaussian in pixels, along x and y, if it differs
        between fixations. By default the `sigma` of the evaluation is used.
    visible : numpy.ndarray of float64, shape (N, 4), optional
        Part of the image that was shown during each fixation. See `gaze_heatmap`. By default all.
    """

    points: Float64Array
    durations: Float64Array = None  # type: ignore[assignment]  # set below
    sigma: Float64Array | None = None
    visible: Float64Array | None = None

    def __post_init__(self) -> None:
        if self.points is None:
            raise TypeError("`points` must be an array, got None.")
        if self.durations is None:
            object.__setattr__(self, "durations", np.ones(np.shape(self.points)[:1]))


@dataclass(frozen=True, slots=True)
class FixationMap:
    """Map of the pixels that one observer, or all together, fixated on one image.

    It is given as the gaze of a `Case` and is read when needed. Metrics of points use its
    fixations, and metrics of maps blur them with ``sigma``.

    Attributes
    ----------
    source : array_like, pathlib.Path or callable
        Marks or counts as for `fixations_from_map`: the array of the image's size, a file that
        `read_map` reads, or a function without arguments that returns the array.
    threshold : float, optional
        Pixels with a larger value are fixated. See `fixations_from_map`.

    Examples
    --------
    >>> import gazesal
    >>> gazesal.FixationMap([[0, 2], [1, 0]])().points.tolist()
    [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """

    gaze_kind: ClassVar[GazeKind] = "fixation_map"

    source: MapSource
    threshold: float | None = None

    def __call__(self, shape: tuple[int, int] | None = None, name: str = "fixation map") -> Gaze:
        """Return the fixations.

        Parameters
        ----------
        shape : tuple of int, optional
            (H, W) that the map must have.
        name : str, default "fixation map"
            Name of the map in messages.

        Returns
        -------
        Gaze
            The fixations, each with duration 1.

        Raises
        ------
        ValueError
            If the map cannot be read, has another shape or has no fixation, and for the reasons
            listed in `fixations_from_map`.
        """
        array = load_source(self.source, name=name)
        if shape is not None and array.shape != shape:
            turned = " It may be transposed." if array.shape == shape[::-1] else ""
            raise ValueError(
                f"`{name}` must have the image's size, {shape[1]} x {shape[0]} pixels, got "
                f"{array.shape[1]} x {array.shape[0]}.{turned} Fixated pixels cannot be resized, "
                "so give the case the size of this map, or scale the points of "
                "`fixations_from_map`."
            )
        try:
            points = fixations_from_map(array, threshold=self.threshold)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if not len(points):
            raise ValueError(f"`{name}` must mark at least one fixated pixel, got none.")
        return Gaze(points=points)


GazeSource: TypeAlias = Gaze | FixationMap | MapSource | Callable[[], Gaze]


def read_source(source: Any, *, finite: bool = True) -> Any:
    """Return the content of a source: read from its file, returned by its function, or itself.

    The worker processes treat every error raised in this function as an error of the input,
    whatever its type. See `gazesal.evaluation.worker`.
    """
    if isinstance(source, Path):
        return map_of_file(source, finite=finite)
    return source() if callable(source) else source


def load_source(source: Any, *, name: str, area: Area | None = None) -> FloatArray:
    """Return the map of a source as a finite array.

    Pixels outside an area may have any value, and get the lowest value inside, unless the map has
    another size than the image.
    """
    values = read_source(source, finite=area is None)
    if isinstance(source, Path) and area is None:
        return np.asarray(values)
    array = as_map(values, name=name)
    if area is not None and array.shape == area.shape:
        array = area.cover(array)
    require_finite(array, name=name)
    return array


def load_density(
    source: Any,
    shape: tuple[int, int],
    *,
    name: str,
    resize: str | None,
    two_valued: TwoValued = "region",
    area: Area | None = None,
) -> Float64Array:
    """Return the map of a source as a density of a shape (H, W), which sums to 1.

    With an area, it is 0 outside.
    """
    array = load_source(source, name=name, area=area)
    if two_valued == "raise":
        _require_levels(array, name=name)
    if array.shape != shape:
        if resize is None:
            raise ValueError(
                f"`{name}` must have the image's size, {shape[1]} x {shape[0]} "
                f"pixels, got {array.shape[1]} x {array.shape[0]}. "
                'Give resize="bilinear" (--resize bilinear) to resize it.'
            )
        array = resample(array, shape)
    if area is not None:
        array = area.within(array)
    weights, mass = as_weights(array, name=name)
    return np.asarray(weights / np.float64(mass), dtype=np.float64)


def _require_levels(array: FloatArray, *, name: str) -> None:
    """Raise if a gaze map has two values, as a map of fixated pixels has.

    A tiny map may have two values by chance.
    """
    low, high = float(array.min()), float(array.max())
    if low == high or min(array.shape) < SMALLEST_SIDE:
        return
    if np.count_nonzero(array == low) + np.count_nonzero(array == high) == array.size:
        raise ValueError(
            f"`{name}` must be a continuous map, got the two values {low:g} and {high:g}, as a map "
            "of fixated pixels has. Give it as a `FixationMap` (column fixation_map, "
            '--fixation-maps) with `sigma`, or give two_valued="region" (--two-valued region) if '
            "it is a region."
        )


def kind_of(source: object) -> GazeKind:
    """Return the kind of a source of gaze. A function may return fixations or a gaze map."""
    if isinstance(source, Gaze):
        return "fixations"
    own: GazeKind | None = getattr(source, "gaze_kind", None)
    if own is not None:
        return own
    was_array = getattr(source, "was_array", False)  # an array that a saved evaluation left out
    if callable(source) and not isinstance(source, StoredMap) and not was_array:
        return "function"
    return "gaze_map"


def is_gaze_map(source: object) -> bool:
    """Check whether a source of gaze is certainly a map. A function may return fixations."""
    return kind_of(source) == "gaze_map"
