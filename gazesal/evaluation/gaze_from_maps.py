"""Join maps of the gaze, as benchmarks publish them, with the fixations on the same images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gazesal._validation import as_shape
from gazesal.datasets._clean_names import by_clean_name, similar_name
from gazesal.datasets.map_sources import source_finder
from gazesal.evaluation.case import ALL_OBSERVERS, Case
from gazesal.evaluation.gaze_sources import FixationMap, Gaze, GazeSource, load_source

__all__ = ["MapsOfGaze", "cases_with_gaze", "joined_gaze", "size_finder"]

Shape = tuple[int, int]
MapsByImage = Mapping[str, Any]
MapsOfGaze = MapsByImage | Mapping[str, MapsByImage]


def cases_with_gaze(
    fixations: Mapping[str, tuple[Shape, dict[str, Gaze]]],
    fixation_maps: MapsOfGaze | None,
    gaze_maps: MapsOfGaze | None,
    size_of: Callable[[str], Shape],
    threshold: float | None,
) -> list[Case]:
    """Return a case without maps for each image with any gaze, sorted by name."""
    pixels = _by_observer(fixation_maps, name="fixation_maps")
    finished = _by_observer(gaze_maps, name="gaze_maps")
    together = finished.pop(ALL_OBSERVERS, None)
    parts = [*pixels.values(), *finished.values(), *([] if together is None else [together])]
    cases = []
    for image in sorted({*fixations, *(name for part in parts for name in part)}):
        shape, gaze = fixations.get(image) or (size_of(image), {})
        of_pixels = {
            observer: FixationMap(of[image], threshold)
            for observer, of in pixels.items()
            if image in of
        }
        of_maps = {observer: of[image] for observer, of in finished.items() if image in of}
        joined = joined_gaze(image, joined_gaze(image, gaze, of_pixels), of_maps)
        gaze_map = None if together is None else together.get(image)
        if together is not None and gaze_map is None:
            raise ValueError(
                f"`gaze_maps` must have every image with fixations, but has no {image!r}"
                f"{similar_name(image, together)}. Add its map, or leave the image out."
            )
        cases.append(Case(image=image, shape=shape, gaze=joined, maps={}, gaze_map=gaze_map))
    return cases


def joined_gaze(
    image: str, first: Mapping[str, GazeSource], second: Mapping[str, GazeSource]
) -> dict[str, GazeSource]:
    """Return the gaze of two sources by observer, or raise if both have the gaze of an observer."""
    twice = sorted(set(first) & set(second))
    if first and second and ALL_OBSERVERS in {*first, *second}:
        twice = [ALL_OBSERVERS]  # gaze of all observers together includes every single observer
    if twice:
        raise ValueError(
            f"observer {twice[0]!r} of image {image!r} must have one source of gaze, got two. "
            "Remove one of the fixations, maps of fixated pixels or gaze maps, or give a map that "
            "was made of the fixations as one of all observers (`gaze_maps`, column gaze_map)."
        )
    return dict(sorted({**first, **second}.items()))


def _by_observer(maps: MapsOfGaze | None, *, name: str) -> dict[str, dict[str, Any]]:
    """Return sources of maps by observer and image. Pooled maps are of `ALL_OBSERVERS`."""
    if maps is None:
        return {}
    if not isinstance(maps, Mapping) or not maps:
        raise TypeError(
            f"`{name}` must be a mapping of images to maps, or of observers to such mappings, got "
            f"{type(maps).__name__}. Open a folder of maps with `open_maps`."
        )
    single = all(isinstance(value, Mapping) for value in maps.values())
    by_observer = by_clean_name(maps, what=f"observers of `{name}`") if single else None
    if by_observer is None:
        return {ALL_OBSERVERS: _by_image(maps, name)}
    return {
        observer: _by_image(own, f"{name}[{observer!r}]") for observer, own in by_observer.items()
    }


def _by_image(maps: MapsByImage, name: str) -> dict[str, Any]:
    """Return the source of each image by its clean name."""
    find = source_finder(maps, name=name)
    return {image: find(image) for image in by_clean_name(maps, what=f"images of `{name}`")}


def size_finder(
    shape: Any, fixation_maps: MapsOfGaze | None, gaze_maps: MapsOfGaze | None
) -> Callable[[str], Shape]:
    """Return a function from the name of an image to its size, by default of its first map."""
    if shape is None:
        return _of_maps(fixation_maps, gaze_maps)
    if not isinstance(shape, Mapping):
        size = as_shape(shape, name="shape")
        return lambda _: size
    sizes = by_clean_name(shape, what="images of `shape`")

    def find(image: str) -> Shape:
        if image not in sizes:
            raise ValueError(
                f"`shape` (--size) must give the size of every image, but has no {image!r}"
                f"{similar_name(image, sizes)}."
            )
        return as_shape(sizes[image], name=f"shape of {image}")

    return find


def _of_maps(*given: MapsOfGaze | None) -> Callable[[str], Shape]:
    """Return a function from the name of an image to the size of its first map."""
    names = ("fixation_maps", "gaze_maps")
    parts = [
        own
        for maps, name in zip(given, names, strict=True)
        for own in _by_observer(maps, name=name).values()
    ]

    def find(image: str) -> Shape:
        source = next((own[image] for own in parts if image in own), None)
        if source is None:
            raise ValueError(
                f"`shape` (--size) must be given for images without a map of the gaze, got None "
                f"for {image!r}."
            )
        height, width = load_source(source, name=f"map of the gaze on image {image}").shape
        return height, width

    return find
