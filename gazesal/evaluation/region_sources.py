"""Sources of the regions of an image, and how they are read as masks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite
from gazesal.datasets.map_files import is_lossy
from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.gaze_sources import read_source
from gazesal.regions.inputs import Mask
from gazesal.regions.shapes import SHAPES, Shape
from gazesal.typing import FloatArray

__all__ = [
    "UNION",
    "RegionSource",
    "as_shapes",
    "load_region",
    "require_regions",
    "shapes_from_json",
    "shapes_to_json",
]

RegionSource: TypeAlias = (
    Shape | Iterable[Shape] | ArrayLike | Path | Callable[[], Shape | Iterable[Shape] | ArrayLike]
)
NAMED = 4  # values that a message names
UNION = "union"  # label of all regions of an image together


def as_shapes(source: Any) -> tuple[Shape, ...]:
    """Return the shapes of a source, empty if it is a mask or is read later."""
    if isinstance(source, get_args(Shape)):
        return (source,)
    listed = source if isinstance(source, (list, tuple)) else ()
    return tuple(listed) if all(isinstance(each, get_args(Shape)) for each in listed) else ()


def load_region(source: Any, shape: tuple[int, int], *, name: str) -> Mask:
    """Return the mask of a region, True inside.

    Raises
    ------
    ValueError
        If the source is not a mask of this shape. The message begins with `name`.
    """
    given = read_source(source) if isinstance(source, Path) or callable(source) else source
    if shapes := as_shapes(given):
        return np.asarray(np.logical_or.reduce([each.mask(shape) for each in shapes]))
    values = as_map(given, name=name)
    require_finite(values, name=name)
    if values.shape != shape:
        turned = " It may be transposed." if values.shape == shape[::-1] else ""
        raise ValueError(
            f"`{name}` must have the image's size, {shape[1]} x {shape[0]} pixels, got "
            f"{values.shape[1]} x {values.shape[0]}.{turned} Resize the mask by nearest neighbors, "
            "or give its shapes in the pixels of the image."
        )
    return _as_mask(values, source, name)


def _as_mask(values: FloatArray, source: Any, name: str) -> Mask:
    """Return a mask of 0 and 1, or of 0 and one other value in a file, as booleans."""
    is_file = isinstance(source, (Path, StoredMap))
    highest = float(values.max())
    inside = (values == highest) & (highest != 0)
    other = values[~inside & (values != 0)]
    if not other.size and (highest == 0 or (highest > 0 if is_file else highest == 1)):
        return np.asarray(inside)
    rule = "0 and one other value" if is_file else "0 and 1"
    remedy = "Use `mask > 0` if all other values are inside."
    if is_file:
        lossy = "JPEG changes values when it is written, so write the mask as .png."
        is_jpeg = isinstance(source, Path) and is_lossy(source)
        remedy = lossy if is_jpeg else "Write one mask for each label."
    found = ", ".join(f"{value:g}" for value in np.unique(values)[:NAMED])
    raise ValueError(f"`{name}` must be a mask of {rule}, got the values {found}. {remedy}")


def require_regions(regions: Mapping[str, Any], image: str) -> None:
    """Raise unless the labels of an image's regions are texts and no label is reserved."""
    for label, source in regions.items():
        if not isinstance(label, str) or not label.strip() or label == UNION:
            raise ValueError(
                f"`regions` of image {image!r} must have labels that are texts and not "
                f"{UNION!r}, which is all regions together, got {label!r}. Rename it."
            )
        if isinstance(source, (list, tuple)) and not len(source):
            raise ValueError(
                f"`regions` of image {image!r} must have a shape or a mask for each label, got "
                f"none for {label!r}. Leave the label out if the image has no such region."
            )
        if isinstance(source, str):
            raise TypeError(
                f"`regions` of image {image!r} must hold masks, shapes or paths, got the text "
                f"{source!r} for {label!r}. Give a file as pathlib.Path."
            )


def shapes_to_json(shapes: tuple[Shape, ...]) -> list[dict[str, Any]]:
    """Return shapes as values that JSON can hold."""
    return [{"kind": each.kind, "values": list(astuple(each))} for each in shapes]


def shapes_from_json(saved: list[dict[str, Any]]) -> tuple[Shape, ...]:
    """Return the shapes that `shapes_to_json` wrote."""
    return tuple(SHAPES[each["kind"]](*each["values"]) for each in saved)
