"""Class `MapOnImage`: a map in the frame of a network's input, resized to its image when read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from gazesal._validation import as_choice, as_shape
from gazesal._warnings import warn
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import MapSource, load_source
from gazesal.exceptions import InputWarning
from gazesal.maps.input_geometry import InputGeometry
from gazesal.typing import Float64Array

__all__ = ["Framing", "MapOnImage", "as_framing", "maps_on_image", "report_crops"]

Framing: TypeAlias = Literal["letterboxed", "center_cropped", "stretched"]
GeometryOf: TypeAlias = Callable[[tuple[int, int]], InputGeometry]
FRAMINGS = ("letterboxed", "center_cropped", "stretched")


@dataclass(frozen=True, slots=True)
class MapOnImage:
    """Map that spans the input of a network, resized to its image when it is called.

    Attributes
    ----------
    source : array, pathlib.Path or callable
        The map as stored, at any resolution.
    shape : tuple of int
        (H, W) of the image.
    framing : {"letterboxed", "center_cropped", "stretched"} or InputGeometry
        Position of the image in the input.
    """

    source: MapSource
    shape: tuple[int, int]
    framing: Framing | InputGeometry

    def __call__(self) -> Float64Array:
        """Return the map on the pixels of the image, shape (H, W)."""
        values = load_source(self.source, name="map")
        return self.geometry(values.shape).to_image(values)

    def geometry(self, map_shape: tuple[int, ...]) -> InputGeometry:
        """Return the position of the image in an input with the proportions of a map.

        Sides are not rounded to pixels, because the resolution of the input is not known.
        """
        if isinstance(self.framing, InputGeometry):
            return self.framing
        frame = (map_shape[0], map_shape[1])
        if self.framing == "stretched":
            return InputGeometry.stretched(self.shape, frame)
        scales = [new / old for new, old in zip(frame, self.shape, strict=True)]
        scale = min(scales) if self.framing == "letterboxed" else max(scales)
        height, width = (n * scale for n in self.shape)
        content = ((frame[0] - height) / 2, (frame[1] - width) / 2, height, width)
        return InputGeometry(image_shape=self.shape, input_shape=frame, content=content)

    def as_json(self) -> dict[str, Any]:
        """Return its attributes except the source as JSON."""
        framing = self.framing
        saved = framing if isinstance(framing, str) else asdict(framing)
        return {"shape": list(self.shape), "framing": saved}

    @classmethod
    def from_json(cls, source: MapSource, saved: Mapping[str, Any]) -> MapOnImage:
        """Return the map of a source with attributes that `as_json` wrote."""
        shape, framing = as_shape(saved["shape"], name="shape"), saved["framing"]
        if isinstance(framing, str):
            as_choice(framing, FRAMINGS, name="framing")
            return cls(source, shape, framing)  # type: ignore[arg-type]
        top, left, height, width = map(float, framing["content"])
        geometry = InputGeometry(
            image_shape=as_shape(framing["image_shape"], name="image_shape"),
            input_shape=as_shape(framing["input_shape"], name="input_shape"),
            content=(top, left, height, width),
        )
        return cls(source, shape, geometry)

    def __str__(self) -> str:
        return f"{self.source!r}, {self.framing}"


def as_framing(value: Any) -> Framing | GeometryOf | None:
    """Return the argument `input_geometry` if it is valid."""
    if value is None or (callable(value) and not isinstance(value, type)):
        return value
    if not isinstance(value, str):
        raise TypeError(
            f"`input_geometry` must be one of {', '.join(map(repr, FRAMINGS))}, or a function from "
            f"(H, W) of an image to its InputGeometry, got {type(value).__name__}."
        )
    as_choice(value, FRAMINGS, name="input_geometry")
    return value  # type: ignore[return-value]


def maps_on_image(
    case: Case, maps: dict[str, MapSource], framing: Framing | GeometryOf
) -> dict[str, MapSource]:
    """Return the maps of an image, each of which is resized to it when it is read."""
    found: Framing | InputGeometry
    if isinstance(framing, str):
        found = framing
    else:
        found = framing(case.shape)
        if not isinstance(found, InputGeometry):
            raise TypeError(
                "`input_geometry` must return an InputGeometry for (H, W) of an image, got "
                f"{type(found).__name__}."
            )
        if found.image_shape != case.shape:
            raise ValueError(
                f"`input_geometry` must return the geometry of image {case.image} of {case.shape}, "
                f"got one of {found.image_shape}."
            )
    return {method: MapOnImage(source, case.shape, found) for method, source in maps.items()}


def report_crops(cases: list[Case]) -> None:
    """Warn if maps do not cover their images, with the share of the pixels that they cover."""
    shares = []
    for case in cases:
        source = next(iter(case.maps.values()), None)
        if isinstance(source, MapOnImage) and source.framing == "center_cropped":
            height, width = case.shape
            shares.append(min(height, width) / max(height, width))  # of a square input
        elif isinstance(source, MapOnImage) and isinstance(source.framing, InputGeometry):
            shares.append(source.framing.covered)
    cut = sum(share < 1 for share in shares)
    if cut:
        warn(
            f"`input_geometry` should cover the images, but crops {cut} of {len(shares)} and keeps "
            f"{np.mean(shares):.0%} of their pixels on average. Pixels beside the crop have the "
            "value at the nearest edge of the map. Report this with the scores.",
            InputWarning,
        )
