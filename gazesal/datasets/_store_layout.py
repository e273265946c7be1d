"""Find the map of each image in an archive or store: its own array, or a row of a stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from gazesal.datasets._clean_names import by_clean_name, clean_names, name_as_text
from gazesal.datasets.map_stores import StoredArray, StoredMap


class UnclearLayoutError(ValueError):
    """Error about the layout of maps in a file that can be read."""


def maps_by_image(
    path: Path,
    arrays: Mapping[str, StoredArray],
    stack: str | None,
    images: str | Sequence[str] | None,
) -> dict[str, StoredMap]:
    """Return the maps of a store by image: one array per image, or the rows of a stack."""
    numbers = {key: array.shape for key, array in arrays.items() if not array.is_text}
    flat = [key for key, shape in numbers.items() if len(shape) == 2]
    deep = [key for key, shape in numbers.items() if _is_stack(shape)]
    if stack is None and images is None and not flat and _are_single(deep, arrays):
        flat = deep
    if stack is None and images is None and (flat or not deep):
        # stacks among them are errors, which reading reports
        found = {
            key: StoredMap(path, key) for key in numbers if key in flat or (flat and key in deep)
        }
        if not found and numbers:
            key, shape = next(iter(numbers.items()))
            raise UnclearLayoutError(
                f"{path}: must have an array (H, W) for each image, or a stack (N, H, W) with the "
                f"names of its images, got {key!r} of shape {shape}."
            )
        return by_clean_name(found, what=f"{path}: names of images")
    if stack is None:
        if len(deep) != 1:
            raise UnclearLayoutError(
                f"{path}: `stack` must name one of "
                f"{', '.join(f'{key!r} {numbers[key]}' for key in deep[:9]) or 'no arrays'}, got "
                "None."
            )
        stack = deep[0]
    if not _is_stack(numbers.get(stack, ())):
        given = f" of shape {numbers[stack]}" if stack in numbers else ""
        raise UnclearLayoutError(
            f"{path}: `stack` must be an array (N, H, W) in it, got {stack!r}{given}."
        )
    names = _names(path, arrays, stack, images)
    n = numbers[stack][0]
    if len(names) != n:
        raise UnclearLayoutError(
            f"{path}: {stack!r} must have a name for each of {n} maps, got {len(names)}."
        )
    cleaned = clean_names(names, what=f"{path}: names of images")
    names = [cleaned[name] for name in names]
    if len(set(names)) < n:
        twice, times = Counter(names).most_common(1)[0]
        raise UnclearLayoutError(
            f"{path}: image {twice!r} must have one map in {stack!r}, got {times}."
        )
    return {name: StoredMap(path, stack, row) for row, name in enumerate(names)}


def _is_stack(shape: Sequence[int]) -> bool:
    """Return whether the rows of an array are maps, possibly with an axis of one channel."""
    return len(shape) == 3 or (len(shape) == 4 and 1 in (shape[1], shape[3]))


def _are_single(keys: Sequence[str], arrays: Mapping[str, StoredArray]) -> bool:
    """Return whether each array has one map, such as (1, H, W), and no names for its rows."""
    texts = any(array.is_text and array.shape == (1,) for array in arrays.values())
    return not texts and all(
        arrays[key].shape[0] == 1 and arrays[key].labels is None for key in keys
    )


def only_map(path: Path, arrays: Mapping[str, StoredArray]) -> str:
    """Return the name of the only array of a file that can be a map.

    Single numbers, vectors and text beside it are ignored.
    """
    numbers = {key: array.shape for key, array in arrays.items() if not array.is_text}
    planes = [key for key, shape in numbers.items() if sum(side > 1 for side in shape) == 2]
    found = planes or list(numbers)
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"{key!r} {numbers[key]}" for key in found[:9])
    raise UnclearLayoutError(
        f"{path}: must have one map, got {len(found)} arrays{': ' if shown else ''}{shown}. Name "
        "one with `array`, or use `open_maps` for the maps of several images."
    )


def _names(
    path: Path, arrays: Mapping[str, StoredArray], stack: str, images: str | Sequence[str] | None
) -> list[str]:
    """Return the names of the images of a stack."""
    if images is not None and not isinstance(images, str):
        return [str(name) for name in images]
    if images is None:
        labels = arrays[stack].labels
        if labels is not None:
            return labels
        length = arrays[stack].shape[:1]
        texts = [key for key, array in arrays.items() if array.is_text and array.shape == length]
        if len(texts) != 1:
            raise UnclearLayoutError(
                f"{path}: the images of {stack!r} must be named by its attribute 'images' or by "
                f"one array of text of its length, got {len(texts)} such arrays. Give the names or "
                "the name of an array as `images`."
            )
        images = texts[0]
    if images not in arrays or len(arrays[images].shape) != 1:
        raise UnclearLayoutError(f"{path}: `images` must name an array (N,) in it, got {images!r}.")
    names = arrays[images].read().tolist()
    return [each.decode() if isinstance(each, bytes) else name_as_text(each) for each in names]
