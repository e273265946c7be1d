"""Fixations of many images, pooled in fractions of the sides of their images."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_points, as_real_array, as_shape, require_finite
from gazesal._warnings import warn
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import off_image, refuse_off_image, report_shares
from gazesal.typing import Float64Array, IntArray

RaiseOrDrop = Literal["raise", "drop"]
ByImage = Mapping[Any, ArrayLike]
Shapes = tuple[int, int] | Mapping[Any, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledFixations:
    """Fixations of many images, sorted by image, in fractions of the sides of their image.

    `points` (N, 2) lie in [0, 1) and `weights` (N,) are at most 1. The fixations of image k have
    the indices ``starts[k]`` to ``starts[k + 1] - 1``. `aspects` (K,) are height over width.
    """

    images: tuple[Hashable, ...]
    starts: IntArray
    points: Float64Array
    weights: Float64Array
    aspects: Float64Array

    @property
    def owners(self) -> IntArray:
        """Index of the image of each fixation."""
        return np.repeat(np.arange(len(self.images)), np.diff(self.starts))

    def without(self, image: Hashable) -> PooledFixations:
        """Return the fixations of all images except one."""
        if image not in self.images:
            raise ValueError(
                f"`image` must be one of the {len(self.images)} images of this center bias, got "
                f"{image!r}."
            )
        left_out = self.images.index(image)
        kept = self.owners != left_out
        if not self.weights[kept].any():
            raise ValueError(
                f"`image` must leave fixations of positive weight on other images, got {image!r}, "
                "which has all of them."
            )
        others = np.arange(len(self.images)) != left_out
        return PooledFixations(
            images=tuple(name for name in self.images if name != image),
            starts=np.concatenate([[0], np.cumsum(np.diff(self.starts)[others])]),
            points=self.points[kept],
            weights=self.weights[kept],
            aspects=self.aspects[others],
        )


def pool_fixations(
    fixations: ByImage, shapes: Shapes, weights: ByImage | None, outside: str
) -> PooledFixations:
    """Check fixations by image and convert them to fractions of the sides of their images."""
    as_choice(outside, ("raise", "drop"), name="outside")
    if not isinstance(fixations, Mapping):
        raise TypeError(
            "`fixations` must be a mapping from image to its points (N, 2), got "
            f"{type(fixations).__name__}."
        )
    if not fixations:
        raise ValueError("`fixations` must hold at least one image, got none.")
    points, loads, aspects = [], [], []
    given, smallest = [], math.inf
    n_outside = 0
    for image in fixations:
        name = f"fixations[{image!r}]"
        here = as_points(fixations[image], name=name)
        load = _weights_of(weights, image, len(here))
        height, width = shape_of(shapes, image)
        given.append(here)
        smallest = min(smallest, height, width)
        off = off_image(here, (height, width))
        if off.any() and outside == "raise":
            remedy = 'Use outside="drop" to drop them.'
            refuse_off_image(here, off, (height, width), name=name, remedy=remedy)
        n_outside += int(off.sum())
        points.append((here[~off] + 0.5) / np.array([width, height]))
        loads.append(load[~off])
        aspects.append(height / width)
    side = int(smallest)
    report_shares(np.concatenate(given), (side, side), name="fixations")
    if n_outside:
        warn(
            f"{n_outside} of {sum(map(len, points)) + n_outside} fixations lie outside their "
            "image and were dropped.",
            OffImageWarning,
        )
    heaviest = max((load.max(initial=0.0) for load in loads), default=0.0)
    if not heaviest > 0:
        raise ValueError(
            "`fixations` must include one of positive weight inside its image, but all "
            f"{sum(map(len, given))} were dropped or have weight zero. Check `weights` and "
            "`shapes`."
        )
    return PooledFixations(
        images=tuple(fixations),
        starts=np.concatenate([[0], np.cumsum([len(part) for part in points])]),
        points=np.concatenate(points),
        weights=np.concatenate(loads) / heaviest,
        aspects=np.array(aspects),
    )


def shape_of(shapes: Shapes, image: Hashable) -> tuple[int, int]:
    """Return (H, W) of one image."""
    if not isinstance(shapes, Mapping):
        return as_shape(shapes, name="shapes")
    if image not in shapes:
        raise ValueError(f"`shapes` must hold every image, but {image!r} is missing.")
    return as_shape(shapes[image], name=f"shapes[{image!r}]")


def _weights_of(weights: ByImage | None, image: Hashable, n: int) -> Float64Array:
    """Return the weights of the n fixations of one image, by default ones."""
    if weights is None:
        return np.ones(n)
    if not isinstance(weights, Mapping):
        raise TypeError(
            "`weights` must be a mapping from image to one number for each fixation, got "
            f"{type(weights).__name__}."
        )
    if image not in weights:
        raise ValueError(f"`weights` must hold every image, but {image!r} is missing.")
    name = f"weights[{image!r}]"
    array = as_real_array(weights[image], name=name).astype(np.float64)
    if array.shape != (n,):
        raise ValueError(
            f"`{name}` must hold one number for each fixation, shape ({n},), got {array.shape}."
        )
    require_finite(array, name=name)
    if array.min() < 0:
        raise ValueError(f"`{name}` must be non-negative, got {array.min():g}.")
    return array
