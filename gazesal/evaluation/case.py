"""One image to score: its gaze and its maps, read from their sources when needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gazesal._validation import as_points
from gazesal.evaluation.area_sources import AreaSource, load_area
from gazesal.evaluation.gaze_sources import (
    FixationMap,
    Gaze,
    GazeSource,
    MapSource,
    TwoValued,
    load_density,
    load_source,
    read_source,
)
from gazesal.evaluation.region_sources import RegionSource, load_region
from gazesal.maps.area import Area
from gazesal.maps.heatmap import SHARES_REMEDY, are_shares
from gazesal.regions.inputs import Mask
from gazesal.typing import Float64Array, FloatArray

__all__ = ["Case", "is_pooled", "n_gaze_maps"]

INTEROBSERVER = "interobserver"
CENTER_BIAS = "center_bias"
IN_SAMPLE_BIAS = "center_bias_in_sample"
REST_PREDICTS_ONE = "rest_predicts_one"
ALL_PREDICT_ONE = "all_predict_one"
ATTAINABLE = "attainable"
CEILINGS = (REST_PREDICTS_ONE, ALL_PREDICT_ONE, ATTAINABLE)  # rows on the score of a perfect map
GROUND_TRUTH = "ground_truth"
ALL_OBSERVERS = "all"  # the observer of pooled gaze, and of scores that leave out no observer
GAZE = "gaze"  # the gaze map of all observers, scored against regions
GAZE_OF_ONE = "gaze_of_one"  # the gaze map of each observer, scored against regions
OTHER_GAZE = "other_images"  # the observer of scores against the gaze on other images
INVERSE_BIAS = "inverse_center_bias"
INVERSE_SEGMENTATION = "inverse_segmentation"
MEAN_MAP = "{}_mean_map"  # the mean map of a method over other images
SEGMENTATION = "segmentation"  # a method whose maps are lung hulls; shown among the baselines
# Rows of tables before the methods, in their order.
FIRST_ROWS = (
    INTEROBSERVER,
    *CEILINGS,
    GAZE,
    GAZE_OF_ONE,
    SEGMENTATION,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    INVERSE_SEGMENTATION,
    INVERSE_BIAS,
)
# Names that methods cannot have, also in British spelling, which a reader would mix up with ours.
BASELINES = {
    INTEROBSERVER,
    *CEILINGS,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    GROUND_TRUTH,
    GAZE,
    GAZE_OF_ONE,
    INVERSE_BIAS,
    INVERSE_SEGMENTATION,
    *("centre_bias", "centre_bias_in_sample"),  # codespell:ignore centre
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image with the gaze on it and the maps under test, which are read when needed.

    Attributes
    ----------
    image : str
        Name of the image.
    shape : tuple of int
        (H, W) of the image, in the pixels of the fixations.
    gaze : mapping of str to Gaze, FixationMap, array, pathlib.Path or callable
        By observer, fixations, a map of fixated pixels, or a finished gaze map. A gaze map is
        continuous and non-negative, has the image's size and a positive sum, by which it is
        divided. A function returns fixations or a gaze map. It is called once for the center bias
        and once for the scores. Gaze of all observers together is given as a single observer.
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
    gaze_map : array, pathlib.Path or callable, optional
        Finished gaze map of all observers together, such as the map that a benchmark made of its
        fixations. Metrics of maps and the center bias use it instead of gaze maps drawn from
        `gaze`, and metrics of points use the fixations in `gaze`, which may be empty. Needs
        ``ground_truth="all"``.
    picture : pathlib.Path, optional
        File of the image itself, for display only.
    center_bias : array, pathlib.Path or callable, optional
        Finished center bias of this image, used instead of the mean over the other images. It is
        non-negative and has a positive sum, by which it is divided. If every scored image has
        one, no center bias is computed from the gaze on all images.
    regions : mapping of str to shapes, array, pathlib.Path or callable, optional
        Regions of the image by label, such as the lesions of each kind, for metrics of regions.
        Each is a `Box`, `Ellipse` or `Polygon` of `gazesal.regions` or a list of them, a mask of
        the image's size that is true inside, the file of a mask of 0 and one other value, or a
        function without arguments that returns shapes or a mask. Several shapes of one label are
        one region. An image without a label has no region of it.
    area : array, pathlib.Path or callable, optional
        Pixels of the image that count: a mask of the image's size that is true where they do, or
        a non-negative weight for each pixel. Pixels outside count in nothing, maps may be NaN
        there, and fixations there are dropped. By default all pixels count. See :ref:`area`.
    """

    image: str
    shape: tuple[int, int]
    gaze: Mapping[str, GazeSource]
    maps: Mapping[str, MapSource]
    scored: bool = True
    box: tuple[float, float, float, float] | None = None
    groups: Mapping[str, str | int | float] = field(default_factory=dict)
    center_bias: MapSource | None = None
    gaze_map: MapSource | None = None
    picture: Path | None = None
    regions: Mapping[str, RegionSource] = field(default_factory=dict)
    area: AreaSource | None = None

    def load_map(self, method: str) -> FloatArray:
        """Return the saliency map of a method, checked.

        Parameters
        ----------
        method : str
            One of `maps`.

        Returns
        -------
        numpy.ndarray of float32 or float64, shape (H', W')
            The map, finite. Pixels outside the image's area, which may be NaN, have the lowest
            value inside.

        Raises
        ------
        ValueError
            If it cannot be read or is not a finite 2-D map. The message names image and method.
        """
        name = f"{method} map of image {self.image}"
        return load_source(self.maps[method], name=name, area=self.load_area())

    def load_gaze(
        self, observer: str, resize: str | None = None, two_valued: TwoValued = "raise"
    ) -> Gaze | Float64Array:
        """Return the fixations of an observer, or the gaze map, checked and summing to 1.

        Parameters
        ----------
        observer : str
            One of `gaze`.
        resize : {"bilinear"}, optional
            Resize a gaze map of another size to the image's pixels. See `resample`.
        two_valued : {"raise", "region"}, default "raise"
            Treatment of a gaze map of two values. See `evaluate`.

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
        if isinstance(source, FixationMap):
            name = f"fixation map of observer {observer} of image {self.image}"
            return source(self.shape, name)
        given = read_source(source)
        if isinstance(given, Gaze):
            if given is not source:  # `evaluate` checks the others, over all images together
                self._require_pixels(given, observer)
            return given
        name = f"gaze map of observer {observer} of image {self.image}"
        return load_density(
            given,
            self.shape,
            name=name,
            resize=resize,
            two_valued=two_valued,
            area=self.load_area(),
        )

    def load_gaze_map(
        self, resize: str | None = None, two_valued: TwoValued = "raise"
    ) -> Float64Array:
        """Return the gaze map of all observers together, checked and summing to 1.

        Parameters
        ----------
        resize : {"bilinear"}, optional
            Resize a gaze map of another size to the image's pixels. See `resample`.
        two_valued : {"raise", "region"}, default "raise"
            Treatment of a gaze map of two values. See `evaluate`.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            The gaze map.

        Raises
        ------
        ValueError
            If the image has no such gaze map, it cannot be read, or it is not a finite,
            non-negative map of the image's size with a positive sum. The message names the image.
        """
        if self.gaze_map is None:
            raise ValueError(f"image {self.image} has no gaze map of all observers together.")
        name = f"gaze map of image {self.image}"
        return load_density(
            self.gaze_map,
            self.shape,
            name=name,
            resize=resize,
            two_valued=two_valued,
            area=self.load_area(),
        )

    def load_region(self, label: str) -> Mask:
        """Return the mask of a region, checked.

        Parameters
        ----------
        label : str
            One of `regions`.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True inside the region.

        Raises
        ------
        ValueError
            If it cannot be read or is not a mask of the image's size. The message names image and
            label.
        """
        name = f"region {label} of image {self.image}"
        return load_region(self.regions[label], self.shape, name=name)

    def load_area(self) -> Area | None:
        """Return the valid area, checked, or None if all pixels count alike.

        Returns
        -------
        Area or None
            The runs of valid pixels, and their weights.

        Raises
        ------
        ValueError
            If it cannot be read, is not a mask or non-negative weights of the image's size, or no
            pixel is valid. The message names the image.
        """
        return load_area(self.area, self.shape, name=f"area of image {self.image}")

    def with_loaded_area(self) -> "Case":
        """Return the case with its area in memory, so that it is read only once.

        Returns
        -------
        Case
            The same case if it has no area.

        Raises
        ------
        ValueError
            As for `load_area`.
        """
        return self if self.area is None else replace(self, area=self.load_area())

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
        name = f"center bias of image {self.image}"
        return load_density(
            self.center_bias, self.shape, name=name, resize=resize, area=self.load_area()
        )


def require_no_baseline(methods: Iterable[str]) -> None:
    """Raise if a method has the name of a baseline."""
    reserved = sorted(name for name in methods if name.lower().replace(" ", "_") in BASELINES)
    if reserved:
        raise ValueError(f"`maps` must not name a method like a baseline, got {reserved[0]!r}.")


def is_pooled(case: Case) -> bool:
    """Return whether the gaze on an image is of all observers together."""
    return case.gaze_map is not None or list(case.gaze) == [ALL_OBSERVERS]


def n_gaze_maps(case: Case) -> int:
    """Return the number of gaze maps that an image contributes to the center bias."""
    return len(case.gaze) if case.gaze_map is None else 1
