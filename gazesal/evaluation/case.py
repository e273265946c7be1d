"""One image to score: its gaze, its maps, and the sources that they are read from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, as_points, require_finite
from gazesal.datasets.map_files import map_of_file
from gazesal.datasets.map_stores import StoredMap
from gazesal.maps.constancy import as_weights
from gazesal.maps.heatmap import SHARES_REMEDY, are_shares
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array, FloatArray

__all__ = ["Case", "Gaze"]

# A callable may have an attribute `fingerprint`, a str that changes with the map. A checkpoint
# compares it instead of the state of the callable.
MapSource: TypeAlias = ArrayLike | Path | Callable[[], ArrayLike]
INTEROBSERVER = "interobserver"
CENTER_BIAS = "center_bias"
IN_SAMPLE_BIAS = "center_bias_in_sample"
GROUND_TRUTH = "ground_truth"
SEGMENTATION = "segmentation"  # a method whose maps are lung hulls; shown among the baselines
# Names that methods cannot have, also in British spelling, which a reader would mix up with ours.
BASELINES = {
    INTEROBSERVER,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    GROUND_TRUTH,
    *("centre_bias", "centre_bias_in_sample"),  # codespell:ignore centre
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaze:
    """Fixations of one observer on one image.

    Attributes
    ----------
    points : numpy.ndarray of float64, shape (N, 2)
        Columns x, y in image pixels, pixel centers at integers.
    durations : numpy.ndarray of float64, shape (N,)
        Weight of each fixation.
    sigma : numpy.ndarray of float64, shape (N, 1) or (N, 2), optional
        Standard deviation of each fixation's Gaussian in pixels, along x and y, if it differs
        between fixations. By default the `sigma` of the evaluation is used.
    visible : numpy.ndarray of float64, shape (N, 4), optional
        Part of the image that was shown during each fixation. See `gaze_heatmap`. By default all.
    """

    points: Float64Array
    durations: Float64Array
    sigma: Float64Array | None = None
    visible: Float64Array | None = None

    def __post_init__(self) -> None:
        if self.points is None or self.durations is None:
            raise TypeError("`points` and `durations` must be arrays, got None.")


GazeSource: TypeAlias = Gaze | MapSource | Callable[[], Gaze]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image with the gaze on it and the maps under test, which are read when needed.

    Attributes
    ----------
    image : str
        Name of the image.
    shape : tuple of int
        (H, W) of the image, in the pixels of the fixations.
    gaze : mapping of str to Gaze, array, pathlib.Path or callable
        By observer, fixations or a finished gaze map. A gaze map has the image's size, is
        non-negative and has a positive sum, by which it is divided. A function returns one of
        the two. It is called once for the center bias and once for the scores.
    maps : mapping of str to array, pathlib.Path or callable
        Saliency map by method: the array, a file that `read_map` reads, or a function without
        arguments that returns the array.
    scored : bool, default True
        True to score the image, False to use only its contribution to the center bias.
    box : tuple of float, optional
        (x_min, y_min, x_max, y_max) in pixels, the upper bounds exclusive. Images are registered
        to each other by their boxes for the center bias, such as the box of the chest.
    groups : mapping of str to str, int or float, optional
        Groups that the image belongs to, such as its finding or its hospital. They become columns
        of the table of scores, after the others.
    picture : pathlib.Path, optional
        File of the image itself, for display only.
    center_bias : array, pathlib.Path or callable, optional
        Finished center bias of this image, used instead of the mean over the other images. It is
        non-negative and has a positive sum, by which it is divided. If every scored image has
        one, no center bias is computed from the gaze on all images.
    """

    image: str
    shape: tuple[int, int]
    gaze: Mapping[str, GazeSource]
    maps: Mapping[str, MapSource]
    scored: bool = True
    box: tuple[float, float, float, float] | None = None
    groups: Mapping[str, str | int | float] = field(default_factory=dict)
    center_bias: MapSource | None = None
    picture: Path | None = None

    def load_map(self, method: str) -> FloatArray:
        """Return the saliency map of a method, checked.

        Parameters
        ----------
        method : str
            One of `maps`.

        Returns
        -------
        numpy.ndarray of float32 or float64, shape (H', W')
            The map, finite.

        Raises
        ------
        ValueError
            If it cannot be read or is not a finite 2-D map. The message names image and method.
        """
        return load_source(self.maps[method], name=f"{method} map of image {self.image}")

    def load_gaze(self, observer: str, resize: str | None = None) -> Gaze | Float64Array:
        """Return the fixations of an observer, or the gaze map, checked and summing to 1.

        Parameters
        ----------
        observer : str
            One of `gaze`.
        resize : {"bilinear"}, optional
            Resize a gaze map of another size to the image's pixels. See `resample`.

        Returns
        -------
        Gaze or numpy.ndarray of float64, shape (H, W)
            The fixations or the gaze map.

        Raises
        ------
        ValueError
            If it cannot be read, or is not a finite, non-negative map of the image's size with a
            positive sum. The message names image and observer.
        """
        source = self.gaze[observer]
        given = read_source(source)
        if isinstance(given, Gaze):
            if given is not source:  # `evaluate` checks the others, over all images together
                self._require_pixels(given, observer)
            return given
        return self._as_density(given, f"gaze map of observer {observer}", resize)

    def _require_pixels(self, gaze: Gaze, observer: str) -> None:
        """Raise if the fixations of an observer look like shares of the image's sides."""
        name = f"points of image {self.image}, observer {observer}"
        points = as_points(gaze.points, name=name)
        if are_shares(points, self.shape):
            raise ValueError(
                f"`{name}` must be pixels, but all {len(points)} lie within about one pixel of an "
                f"image of {self.shape[1]} x {self.shape[0]}, as shares of the sides from 0 to 1 "
                f"do. {SHARES_REMEDY}"
            )

    def load_center_bias(self, resize: str | None = None) -> Float64Array:
        """Return the image's own center bias, checked and summing to 1.

        Parameters
        ----------
        resize : {"bilinear"}, optional
            Resize a center bias of another size to the image's pixels. See `resample`.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            The center bias.

        Raises
        ------
        ValueError
            If the image has no center bias, it cannot be read, or it is not a finite,
            non-negative map of the image's size with a positive sum. The message names the image.
        """
        if self.center_bias is None:
            raise ValueError(f"image {self.image} has no center bias of its own.")
        return self._as_density(self.center_bias, "center bias", resize)

    def _as_density(self, source: MapSource, kind: str, resize: str | None) -> Float64Array:
        name = f"{kind} of image {self.image}"
        array = load_source(source, name=name)
        if array.shape != self.shape:
            if resize is None:
                raise ValueError(
                    f"`{name}` must have the image's size, {self.shape[1]} x {self.shape[0]} "
                    f"pixels, got {array.shape[1]} x {array.shape[0]}. "
                    'Give resize="bilinear" (--resize bilinear) to resize it.'
                )
            array = resample(array, self.shape)
        weights, mass = as_weights(array, name=name)
        return np.asarray(weights / np.float64(mass), dtype=np.float64)


def require_no_baseline(methods: Iterable[str]) -> None:
    """Raise if a method has the name of a baseline."""
    reserved = sorted(name for name in methods if name.lower().replace(" ", "_") in BASELINES)
    if reserved:
        raise ValueError(f"`maps` must not name a method like a baseline, got {reserved[0]!r}.")


def read_source(source: Any) -> Any:
    """Return the content of a source: read from its file, returned by its function, or itself.

    The worker processes treat every error raised in this function as an error of the input,
    whatever its type. See `gazesal.evaluation.worker`.
    """
    if isinstance(source, Path):
        return map_of_file(source)
    return source() if callable(source) else source


def load_source(source: Any, *, name: str) -> FloatArray:
    """Return the map of a source as a finite array."""
    values = read_source(source)
    if isinstance(source, Path):
        return np.asarray(values)
    array = as_map(values, name=name)
    require_finite(array, name=name)
    return array


def is_gaze_map(source: object) -> bool:
    """Check whether a source of gaze is certainly a map. A function may return fixations."""
    if isinstance(source, Gaze):
        return False
    was_array = getattr(source, "was_array", False)  # an array that a saved evaluation left out
    return not callable(source) or isinstance(source, StoredMap) or was_array
