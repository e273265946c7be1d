"""Checks for maps that have height and width exchanged relative to their images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gazesal._warnings import warn
from gazesal.datasets.map_files import is_lossy
from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import FixationMap, is_gaze_map, load_source
from gazesal.exceptions import InputWarning

__all__ = ["looks_transposed", "report_lossy", "report_transposed", "require_upright"]

TRANSPOSE = "If they are, exchange height and width (`map.T`)."


def looks_transposed(found: tuple[int, ...], wanted: tuple[int, int]) -> bool:
    """Check whether a map has the proportions of an image with height and width exchanged.

    Sides may differ by less than a pixel, because making a map smaller rounds them.
    """
    (height, width), (rows, columns) = found, wanted
    ratio = columns / rows
    fits = abs(width - height * ratio) < 1 or abs(height - width / ratio) < 1
    turned = abs(height - width * ratio) < 1 or abs(width - height / ratio) < 1
    return turned and not fits


def require_upright(cases: list[Case]) -> None:
    """Raise if all maps of a method, all gaze maps or all own center biases are transposed.

    A single map may look transposed, because a network with a fixed input stretches images of
    either orientation. If all images are portraits, all maps of such a network do, so maps of a
    method are refused only if they have exactly the exchanged sides. `report_transposed` warns of
    the others after they are scored. Functions are not called here. If maps are upright, only the
    first is read.
    """
    scored = [case for case in cases if case.scored]
    methods = dict.fromkeys(method for case in scored for method in case.maps)
    for method in methods:
        pairs = [(case, case.maps[method]) for case in scored if method in case.maps]
        _require_upright(pairs, f"maps of {method!r}", exactly=True)
    gaze = [
        (case, source) for case in cases for source in case.gaze.values() if is_gaze_map(source)
    ]
    gaze += [(case, case.gaze_map) for case in cases if case.gaze_map is not None]
    _require_upright(gaze, "gaze maps")
    own = [(case, case.center_bias) for case in scored if case.center_bias is not None]
    _require_upright(own, "center biases")


def report_transposed(method: str, n_images: int) -> None:
    """Warn that all maps of a method look transposed."""
    warn(
        f"`cases` must have maps of shape (H, W), but all {n_images} maps of {method!r} look "
        f"transposed and were resized in that orientation. {TRANSPOSE}",
        InputWarning,
    )


def report_lossy(cases: list[Case]) -> None:
    """Warn once if maps or gaze maps are JPEG files, which change values when they are written.

    The threshold of a `FixationMap` separates fixated pixels from the changes.
    """
    sources = [
        getattr(source, "source", source)  # of a map in the frame of a network's input
        for case in cases
        for source in (*case.maps.values(), *case.gaze.values(), case.gaze_map)
        if not isinstance(source, FixationMap)
    ]
    files = [source for source in sources if isinstance(source, Path)]
    lossy = [path for path in files if is_lossy(path)]
    if lossy:
        warn(
            f"`cases` should have maps in files without loss, got {len(lossy)} JPEG files, such as "
            f"{lossy[0]}, and JPEG changes values when it is written. Export the maps as .npy or "
            ".png if you can.",
            InputWarning,
        )


def _require_upright(
    pairs: Sequence[tuple[Case, Any]], kind: str, *, exactly: bool = False
) -> None:
    """Raise if all maps of a kind look transposed, or have exactly the exchanged sides.

    Maps of square images are ignored, because they look the same.
    """
    pairs = [(case, source) for case, source in pairs if case.shape[0] != case.shape[1]]
    for case, source in pairs:
        shape = _shape_of(source)
        if shape is None or not looks_transposed(shape, case.shape):
            return
        if exactly and shape != case.shape[::-1]:
            return
    for case, source in pairs[:1]:
        height, width = case.shape
        raise ValueError(
            f"`cases` must have maps of shape (H, W), but all {len(pairs)} {kind} look transposed, "
            f"such as {_shape_of(source)} for image {case.image!r} of ({height}, {width}). "
            f"{TRANSPOSE}"
        )


def _shape_of(source: Any) -> tuple[int, ...] | None:
    """Return the shape of a map that is an array or in a file, None if it cannot be read."""
    if callable(source) and not isinstance(source, StoredMap):
        return None
    try:
        return load_source(source, name="map").shape
    except Exception:  # noqa: BLE001 (scoring the image raises it again and names the map)
        return None
