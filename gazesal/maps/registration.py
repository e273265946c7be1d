"""Transforms of maps between images and the canvas of a reference frame."""

import numpy as np
from numpy.typing import NDArray

from gazesal.maps.reference_frame import Box, ReferenceFrame, whole_place
from gazesal.maps.resampling import interpolate, resample
from gazesal.typing import Float64Array, FloatArray


def place_on_canvas(
    frame: ReferenceFrame, array: FloatArray, box: Box
) -> tuple[Float64Array, int, int]:
    """Scale a map to the canvas, and return it with its first row and column there."""
    height, width = array.shape
    scale_x, scale_y = frame.scale(box)
    start_x = frame.box_corner[0] - box[0] * scale_x
    start_y = frame.box_corner[1] - box[1] * scale_y
    if frame.rounding == "study":
        left, columns = whole_place(start_x, width * scale_x)
        top, rows = whole_place(start_y, height * scale_y)
        return resample(array, (max(rows, 1), max(columns, 1))), top, left
    covered_x = _centers_inside(start_x, start_x + width * scale_x)
    covered_y = _centers_inside(start_y, start_y + height * scale_y)
    columns_at = (covered_x + 0.5 - start_x) / scale_x - 0.5
    rows_at = (covered_y + 0.5 - start_y) / scale_y - 0.5
    if covered_x.size == 0 or covered_y.size == 0:
        return np.zeros((0, 0)), 0, 0
    return interpolate(array, rows_at, columns_at), int(covered_y[0]), int(covered_x[0])


def canvas_places(
    frame: ReferenceFrame, box: Box, height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    """Return the positions of an image's rows and columns on the canvas, centers at integers."""
    scale_x, scale_y = frame.scale(box)
    columns = frame.box_corner[0] + (np.arange(width) + 0.5 - box[0]) * scale_x - 0.5
    rows = frame.box_corner[1] + (np.arange(height) + 0.5 - box[1]) * scale_y - 0.5
    return rows, columns


def warp_in_whole_pixels(
    average: Float64Array, frame: ReferenceFrame, box: Box, shape: tuple[int, int]
) -> Float64Array:
    """Warp an average from the canvas to an image as the code of the study does."""
    height, width = shape
    scale_x, scale_y = frame.scale(box)
    canvas_height, canvas_width = frame.shape
    left, columns = whole_place(frame.box_corner[0] / scale_x - box[0], canvas_width / scale_x)
    top, rows = whole_place(frame.box_corner[1] / scale_y - box[1], canvas_height / scale_y)
    whole = interpolate(
        average,
        (np.arange(rows) + 0.5) * (canvas_height / rows) - 0.5,
        (np.arange(columns) + 0.5) * (canvas_width / columns) - 0.5,
    )
    if min(top, left) < 0 or top + height > rows or left + width > columns:
        raise ValueError(
            f"`box` must place the image on the canvas, got {box} for an image of {width} x "
            f"{height} pixels. Make the frame from the boxes and shapes of all images."
        )
    warped = whole[top : top + height, left : left + width].copy()
    for edge in (warped[0], warped[-1], warped[:, 0], warped[:, -1]):
        edge[np.isnan(edge)] = 0.0
    if np.isnan(warped).any():
        raise ValueError(
            f"`box` must place the image where other images lie, got {box} for an image of "
            f'{width} x {height} pixels with undefined values inside. Use rounding="none", '
            "which has no undefined values."
        )
    return warped


def _centers_inside(start: float, stop: float) -> NDArray[np.int64]:
    """Return canvas pixels whose centers lie in [start, stop], measured from the outer corner."""
    return np.arange(int(np.ceil(start - 0.5)), int(np.floor(stop - 0.5)) + 1)
