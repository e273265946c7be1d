"""Maps, fixations and center biases of many images, checked, for a fit."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, require_same_shape, shown
from gazesal.datasets.map_files import read_map
from gazesal.maps.binned_kde import UNIFORM, Kernel, cross_validated_kernel, kernel_density
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.metrics.densities import as_density
from gazesal.metrics.points import OutsidePoints, fixated_pixels
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = [
    "BiasSource",
    "ByImage",
    "PooledBias",
    "Scene",
    "as_bias",
    "as_bias_source",
    "log_of",
    "read_map_of",
    "scenes_of",
]

ByImage = Mapping[Any, Any]
BiasSource = Literal["images"] | ByImage | CenterBiasModel | None
MOST_PREDICTED = 50  # images for the choice of the bandwidth; with more, it hardly changes
SMALLEST_BIAS = 1e-12  # share of the uniform density, so that a fixation on a bias of 0 is finite


@dataclass(frozen=True, slots=True)
class Scene:
    """One image: the pixels of its fixations, and the logarithm of its center bias.

    Attributes
    ----------
    image : hashable
        Name of the image.
    shape : tuple of int
        (H, W).
    pixels : numpy.ndarray of int, shape (N,)
        Index in reading order of the pixel under each fixation.
    log_bias : numpy.ndarray of float64, shape (H * W,)
        Logarithm of the center bias, which sums to 1.
    fold : int
        Fold of the cross-validation.
    unit : int
        Index of the group of the image, or of the image.
    """

    image: Hashable
    shape: tuple[int, int]
    pixels: IntArray
    log_bias: Float64Array
    fold: int
    unit: int


@dataclass(frozen=True, slots=True)
class PooledBias:
    """The fixations on many images in fractions of the sides, as a center bias.

    `places` is (N, 2), and `units` holds the unit of each fixation, which is left out as a whole.
    Without fixations, the center bias is uniform.
    """

    places: Float64Array
    units: IntArray
    kernel: Kernel

    def on_image(self, shape: tuple[int, int], unit: int | None = None) -> Float64Array:
        """Return the density on an image of some (H, W), without the fixations of one unit."""
        kept = self.places if unit is None else self.places[self.units != unit]
        return kernel_density(kept * np.array([shape[1], shape[0]]) - 0.5, shape, *self.kernel)


def as_bias_source(value: Any) -> BiasSource:
    """Return the argument `center_bias`, or raise if it is of another kind."""
    known = isinstance(value, (Mapping, CenterBiasModel)) and not isinstance(value, type)
    if value is None or known or (isinstance(value, str) and value == "images"):
        source: BiasSource = value
        return source
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(
        "`center_bias` must be 'images', None, a mapping from image to density or an object with "
        f"a method `on_image`, got {shown(value)}."
    )


def read_map_of(value: Any, *, name: str) -> FloatArray:
    """Return a map that is an array or the path of a file, finite."""
    array = as_map(read_map(value) if isinstance(value, (str, Path)) else value, name=name)
    require_finite(array, name=name)
    return array


def scenes_of(
    maps: ByImage,
    fixations: ByImage,
    center_bias: BiasSource,
    groups: ByImage | None,
    *,
    n_folds: int,
    outside: OutsidePoints,
) -> tuple[list[Scene], PooledBias | None]:
    """Return the images with their folds, and the center bias if it is made of the fixations."""
    _require_images(maps, fixations)
    units = _units_of(fixations, groups)
    folds = _as_folds(max(units) + 1, n_folds)
    shapes, pixels = {}, {}
    for image, points in fixations.items():
        height, width = read_map_of(maps[image], name=f"maps[{image!r}]").shape
        shapes[image] = (height, width)
        name = f"fixations[{image!r}]"
        pixels[image] = fixated_pixels(points, (height, width), name=name, outside=outside)
    pooled = None
    if center_bias is None:
        pooled = PooledBias(np.empty((0, 2)), np.empty(0, np.int64), UNIFORM)
    elif isinstance(center_bias, str):
        pooled = _pooled(shapes, pixels, units)
    scenes = [
        Scene(
            image=image,
            shape=shapes[image],
            pixels=pixels[image],
            log_bias=log_of(_bias_on(center_bias, pooled, image, shapes[image], unit)),
            fold=folds[unit],
            unit=unit,
        )
        for image, unit in zip(fixations, units, strict=True)
    ]
    return scenes, pooled


def log_of(density: Float64Array) -> Float64Array:
    """Return the logarithm of a density as a flat array, with zeros raised to a small share."""
    return np.asarray(np.log(np.maximum(density.ravel(), SMALLEST_BIAS / density.size)))


def _as_folds(n_units: int, n_folds: int) -> list[int]:
    """Return the fold of each unit, which alternate, so that the folds differ by one unit."""
    return [unit % min(n_folds, n_units) for unit in range(n_units)]


def _require_images(maps: ByImage, fixations: ByImage) -> None:
    for value, name in ((maps, "maps"), (fixations, "fixations")):
        if not isinstance(value, Mapping):
            raise TypeError(
                f"`{name}` must be a mapping from image to its map or points (N, 2), got "
                f"{type(value).__name__}."
            )
    if len(fixations) < 2:
        raise ValueError(
            f"`fixations` must hold at least two images, to leave one out, got {len(fixations)}."
        )
    for image in fixations:
        if image not in maps:
            raise ValueError(
                f"`maps` must hold every image of `fixations`, but {image!r} is missing."
            )
    for image in maps:
        if image not in fixations:
            raise ValueError(
                f"`fixations` must hold every image of `maps`, but {image!r} is missing. Leave out "
                "the map."
            )


def _units_of(fixations: ByImage, groups: ByImage | None) -> list[int]:
    """Return the index of the group of each image, or of the image itself."""
    if groups is None:
        return list(range(len(fixations)))
    if not isinstance(groups, Mapping):
        raise TypeError(
            f"`groups` must be a mapping from image to its group, got {type(groups).__name__}."
        )
    for image in fixations:
        if image not in groups:
            raise ValueError(f"`groups` must hold every image, but {image!r} is missing.")
    names = {name: i for i, name in enumerate(dict.fromkeys(groups[each] for each in fixations))}
    if len(names) < 2:
        raise ValueError(f"`groups` must have at least two values, got {list(names)}.")
    return [names[groups[image]] for image in fixations]


def _pooled(
    shapes: Mapping[Any, tuple[int, int]], pixels: Mapping[Any, IntArray], units: list[int]
) -> PooledBias:
    """Return the center bias of the fixations, with its kernel."""
    parts, owners = [], []
    for (image, found), unit in zip(pixels.items(), units, strict=True):
        height, width = shapes[image]
        own = np.column_stack([found % width, found // width]) + 0.5
        parts.append(own / np.array([width, height]))
        owners.append(np.full(len(found), unit))
    places: Float64Array = np.concatenate(parts).astype(np.float64)
    of_unit: IntArray = np.concatenate(owners)
    step = -(-len(parts) // MOST_PREDICTED)

    def predicted() -> Iterator[tuple[Float64Array, Float64Array, tuple[int, int]]]:
        for part, image, unit in list(zip(parts, shapes, units, strict=True))[::step]:
            size = np.array([shapes[image][1], shapes[image][0]])
            yield part * size - 0.5, places[of_unit != unit] * size - 0.5, shapes[image]

    return PooledBias(places, of_unit, cross_validated_kernel(predicted()))


def _bias_on(
    source: BiasSource,
    pooled: PooledBias | None,
    image: Hashable,
    shape: tuple[int, int],
    unit: int,
) -> Float64Array:
    """Return the center bias of an image, summing to 1."""
    if pooled is not None:
        return pooled.on_image(shape, unit)
    if isinstance(source, Mapping):
        if image not in source:
            raise ValueError(f"`center_bias` must hold every image, but {image!r} is missing.")
        return as_bias(source[image], shape, name=f"center_bias[{image!r}]")
    assert isinstance(source, CenterBiasModel), "checked by the caller"  # noqa: S101 (for mypy)
    return as_bias(source.on_image(shape), shape, name="center_bias")


def as_bias(value: ArrayLike, shape: tuple[int, int], *, name: str) -> Float64Array:
    """Return a center bias that is given as a density, checked."""
    density, total = as_density(value, name=name)
    require_same_shape(np.empty(shape), density, names=("map", name))
    return np.asarray(density / np.float64(total), np.float64)
