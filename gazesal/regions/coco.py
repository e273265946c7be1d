"""Read regions from files in the format of COCO: boxes, polygons and masks as run lengths."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gazesal._validation import as_float, as_shape, shown
from gazesal._warnings import warn
from gazesal.datasets._clean_names import clean_name
from gazesal.datasets._json import parse_json
from gazesal.exceptions import SkippedDataWarning
from gazesal.regions.shapes import Box, Polygon, RunLengths, Shape

__all__ = ["coco_regions"]

CORNER = 0.5  # pixels; COCO measures from the corner of the first pixel, not from its center
MOST_BYTES = 2**30  # of a file; the instances of COCO 2017 take 0.5 GB
LOWEST = 48  # code of the first character of compressed run lengths

Regions = dict[str, dict[str, tuple[Shape, ...]]]


def coco_regions(path: Path) -> tuple[Regions, dict[str, tuple[int, int]]]:
    """Return the shapes of each image by category, and the size (H, W) of each image.

    Raises
    ------
    ValueError
        If the file is not of this format. The message names the file and the annotation.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: must have at most {MOST_BYTES} bytes. Split it.")
    try:
        whole = parse_json(path.read_text("utf-8"))
        images, names = _images(whole), _categories(whole)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: must be JSON in the format of COCO, with images, annotations and categories: "
            f"{type(error).__name__}: {error}"
        ) from error
    found: Regions = {image: {} for image, _ in images.values()}
    skipped = 0
    for index, annotation in enumerate(whole["annotations"]):
        try:
            image, shape = images[annotation["image_id"]]
            label = names[annotation["category_id"]]
            shapes = tuple(_shapes(annotation, shape))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: annotations[{index}] must have the image_id and category_id of one image "
                f"and category, and a segmentation or bbox: {type(error).__name__}: {error}"
            ) from error
        skipped += not shapes
        if shapes:
            found[image][label] = (*found[image].get(label, ()), *shapes)
    if skipped:
        warn(f"{path}: {skipped} annotations without area were left out.", SkippedDataWarning)
    return found, dict(images.values())


def _images(whole: Mapping[str, Any]) -> dict[Any, tuple[str, tuple[int, int]]]:
    """Return the name and the size of each image by its id."""
    found = {}
    for image in whole["images"]:
        name = PurePosixPath(str(image["file_name"]).replace("\\", "/")).stem
        size = as_shape((image["height"], image["width"]), name="height and width")
        found[image["id"]] = (clean_name(name, what="names of images"), size)
    names = [name for name, _ in found.values()]
    if len(set(names)) < len(whole["images"]):
        raise ValueError("images must differ in their id and in the name of their file")
    if not isinstance(whole["annotations"], list):
        raise TypeError("annotations must be a list")
    return found


def _categories(whole: Mapping[str, Any]) -> dict[Any, str]:
    """Return the name of each category by its id."""
    found = {
        each["id"]: clean_name(str(each["name"]), what="names of categories")
        for each in whole["categories"]
    }
    if len(set(found.values())) < len(whole["categories"]):
        raise ValueError("categories must differ in their id and in their name")
    return found


def _shapes(annotation: Mapping[str, Any], shape: tuple[int, int]) -> Iterator[Shape]:
    """Yield the shapes of an annotation: of its segmentation, or else its box."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        yield _run_lengths(segmentation, shape)
    elif segmentation:
        for numbers in segmentation:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            yield Polygon([(float(x) - CORNER, float(y) - CORNER) for x, y in pairs])
    else:
        x, y, width, height = (as_float(side, name="bbox") for side in annotation["bbox"])
        if width < 0 or height < 0:
            raise ValueError(f"bbox must have a width and height of at least 0, got {shown(width)}")
        if width and height:
            x, y = x - CORNER, y - CORNER
            yield Box(x, y, x + width, y + height)


def _run_lengths(segmentation: Mapping[str, Any], shape: tuple[int, int]) -> RunLengths:
    """Return a mask as run lengths, which must have the size of the image."""
    size = as_shape(segmentation["size"], name="size")
    if size != shape:
        raise ValueError(f"size must be the image's height and width {shape}, got {size}")
    counts = segmentation["counts"]
    return RunLengths(_numbers(counts) if isinstance(counts, str) else tuple(counts), size)


def _numbers(text: str) -> tuple[int, ...]:
    """Decode compressed run lengths.

    Each character holds 5 bits, the lowest first, and one bit that says if more follow. From the
    fourth number on, the number before the last is subtracted.
    """
    numbers: list[int] = []
    value = bits = 0
    for letter in text:
        code = ord(letter) - LOWEST
        if not 0 <= code < 64 or bits > 60:
            raise ValueError(f"counts must be compressed run lengths, got {shown(letter)}")
        value |= (code & 31) << bits
        bits += 5
        if code & 32:
            continue
        if code & 16:  # negative
            value -= 1 << bits
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = bits = 0
    if bits:
        raise ValueError("counts must not end within a number")
    return tuple(numbers)
