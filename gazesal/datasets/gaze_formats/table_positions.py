"""Convert the positions in a table to pixels of the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gazesal._warnings import warn
from gazesal.datasets._columns import number_column
from gazesal.datasets.gaze_formats.column_names import Columns
from gazesal.datasets.gaze_formats.preset_tables import Preset
from gazesal.datasets.gaze_formats.table_rows import hint
from gazesal.datasets.screens import (
    GIVE_SCREEN,
    IMAGE_ORIGINS,
    Coordinates,
    Screen,
    frame_of,
    on_images,
    screen_of,
)
from gazesal.exceptions import InputWarning
from gazesal.typing import Float64Array

__all__ = ["Geometry", "image_positions", "report_shares"]

FEWEST = 5  # positions; fewer may be pixels at a corner
FAR = 3.0  # shares beyond this are not positions on or beside a screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Options of `read_fixations` that say where positions are.

    Attributes
    ----------
    unit, origin, y_axis : str, optional
        See `Coordinates`. None for the one of the format.
    size_of : callable, optional
        Function from the name of an image to its (H, W), or to None.
    screen : Screen or mapping of str to Screen, optional
        Screen of all images, or by image.
    """

    unit: str | None = None
    origin: str | None = None
    y_axis: str | None = None
    size_of: Callable[[str], tuple[int, int] | None] | None = None
    screen: Screen | Mapping[str, Screen] | None = None


def image_positions(
    raw: pd.DataFrame, images: pd.Series, columns: Columns, preset: Preset, given: Geometry
) -> Float64Array:
    """Return positions (N, 2) in pixels of the images, from the columns of a table."""
    source, row, place = raw.attrs["source"], str(raw.index.name), columns.place
    points = np.stack(
        [
            number_column(raw[name], source=source, row=row, hint=hint)
            for name in (columns.x, columns.y)
        ],
        axis=1,
    )
    coordinates = Coordinates(
        unit=given.unit or place.unit,
        origin=given.origin or (place.origin or None if given.unit in {None, place.unit} else None),
        y_axis=given.y_axis or place.y_axis,
    )
    _require_plausible(points, coordinates, columns, source)
    on_screen = place.of == "screen" or (preset.loose and given.screen is not None)
    if not on_screen and given.screen is not None:
        raise ValueError(
            f"{source}: `screen` is not used, because columns {columns.x!r} and {columns.y!r} are "
            "positions on the image. Omit it."
        )
    if not on_screen and coordinates.origin == "screen_center" and not preset.loose:
        raise ValueError(f'{source}: origin="screen_center" needs positions on a screen. Omit it.')
    if not on_screen and not coordinates.need_frame:
        return np.asarray(points - IMAGE_ORIGINS[str(coordinates.origin)])
    if on_screen and given.screen is None and not columns.rectangle:
        raise ValueError(
            f"{source}: `screen` must say where the images were on the screen, because columns "
            f"{columns.x!r} and {columns.y!r} are positions on it. {GIVE_SCREEN}"
        )
    shapes = _sizes(raw, images, columns, given, source)
    if not on_screen:
        edges = np.concatenate([np.zeros_like(shapes), shapes[:, ::-1]], axis=1)
        return on_images(points, coordinates, frame=shapes[:, ::-1], edges=edges, shapes=shapes)
    frame, edges = _on_screen(raw, images, shapes, columns, coordinates, given, source)
    return on_images(points, coordinates, frame=frame, edges=edges, shapes=shapes)


def _sizes(
    raw: pd.DataFrame, images: pd.Series, columns: Columns, given: Geometry, source: str
) -> Float64Array:
    """Return (H, W) of the image of each row, from its columns or from the caller."""
    if columns.size and given.size_of is None:
        sides = [
            number_column(raw[name], source=source, row=str(raw.index.name))
            for name in columns.size[::-1]
        ]
        return np.stack(sides, axis=1)
    sizes = {image: given.size_of(image) if given.size_of else None for image in images.unique()}
    unknown = [image for image, size in sizes.items() if size is None]
    if unknown:
        raise ValueError(
            f"{source}: `sizes` must give the size of every image, because columns {columns.x!r} "
            f"and {columns.y!r} are not pixels of the image, but {unknown[0]!r} has none. Give "
            "(H, W), a mapping from images to (H, W), or the path of a table with the columns "
            "image, width and height."
        )
    return np.array([sizes[image] for image in images], np.float64)


def _on_screen(
    raw: pd.DataFrame,
    images: pd.Series,
    shapes: Float64Array,
    columns: Columns,
    coordinates: Coordinates,
    given: Geometry,
    source: str,
) -> tuple[Float64Array | None, Float64Array]:
    """Return the width and height of the screen and the edges of the image, for each row."""
    if columns.rectangle:
        numbers = [
            number_column(raw[name], source=source, row=str(raw.index.name))
            for name in columns.rectangle
        ]
        left, top, width, height = numbers
        return None, np.stack([left, top, left + width, top + height], axis=1)
    screens = {image: screen_of(given.screen or {}, image) for image in images.unique()}
    frames: dict[str, Any] = {
        image: frame_of(screen, coordinates, name="screen") for image, screen in screens.items()
    }
    first = dict(zip(images, shapes.astype(int).tolist(), strict=True))
    edges = {image: screen.edges(tuple(first[image])) for image, screen in screens.items()}
    known = all(frame is not None for frame in frames.values())
    frame = np.array([frames[image] for image in images]) if known else None
    return frame, np.array([edges[image] for image in images])


def report_shares(table: pd.DataFrame) -> None:
    """Warn if the positions of a table of fixations look like shares that were read as pixels."""
    points = table[["x", "y"]].to_numpy(np.float64)
    within = points.min() >= -1.0 and points.max() <= 1.5  # gaze may leave the screen
    if within and len(points) >= FEWEST and (points % 0.5).any():
        warn(
            f"{table.attrs['source']}: positions must be pixels, but all {len(points)} lie between "
            "0 and 1 or close to it, so they may be shares of the width and height. Give "
            'unit="shares" (--unit shares) and `sizes` (--size) if they are.',
            InputWarning,
        )


def _require_plausible(
    points: Float64Array, coordinates: Coordinates, columns: Columns, source: str
) -> None:
    """Raise if shares are certainly pixels. The reverse is checked with the sizes of the images."""
    names = f"columns {columns.x!r} and {columns.y!r}"
    if coordinates.unit == "shares" and np.median(np.abs(points)) > FAR:
        raise ValueError(
            f"{source}: {names} must be shares of the width and height, got positions such as "
            f'({points[0, 0]:g}, {points[0, 1]:g}). Give unit="pixels" if they are pixels.'
        )
    if coordinates.unit == "shares" and (np.abs(points) > FAR).any():
        warn(
            f"{source}: {names} have positions beyond {FAR:g} times the width or height, which "
            "marks of missing values may be.",
            InputWarning,
        )
