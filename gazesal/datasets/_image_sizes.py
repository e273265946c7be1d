"""Sizes of images by name, from any form in which a caller gives them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gazesal._validation import as_shape
from gazesal.datasets._clean_names import by_clean_name, picture_stems
from gazesal.datasets.map_files import read_sizes

Shape: TypeAlias = tuple[int, int]
SizeOf: TypeAlias = Callable[[str], Shape | None]
Sizes: TypeAlias = Shape | Mapping[str, Shape] | str | Path


def sizes_by_image(sizes: Any) -> SizeOf | None:
    """Return a function from the name of an image to its (H, W), or None without sizes.

    The function returns None for an image without a size. Names are compared with and without the
    suffix of a picture.
    """
    if sizes is None:
        return None
    if isinstance(sizes, (str, Path)):
        sizes = read_sizes(sizes)
    if not isinstance(sizes, Mapping):
        size = as_shape(sizes, name="sizes")
        return lambda _: size
    by_name = by_clean_name(sizes, what="images of `sizes`")
    names = list(by_name)
    stems = dict(zip(picture_stems(names), names, strict=True))

    def find(image: str) -> Shape | None:
        for name in (image, *picture_stems([image])):
            found = name if name in by_name else stems.get(name)
            if found is not None:
                return as_shape(by_name[found], name=f"sizes of {image}")
        return None

    return find
