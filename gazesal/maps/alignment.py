"""Alignment of the gaze on one image with another image, by boxes or by relative position."""

import numpy as np

from gazesal.maps.resampling import interpolate
from gazesal.typing import Float64Array, FloatArray

__all__ = ["box_of", "moved_map", "moved_points"]


def box_of(shape: tuple[int, int], box: object = None) -> Float64Array:
    """Return the box of an image as (x_min, y_min, x_max, y_max), by default the whole image."""
    height, width = shape
    whole = (0.0, 0.0, float(width), float(height))
    return np.asarray(whole if box is None else box, dtype=np.float64)


def moved_points(points: Float64Array, boxes: Float64Array, onto: Float64Array) -> Float64Array:
    """Return points (N, 2) of images with boxes (4,) or (N, 4) in the pixels of another image.

    Their boxes are placed on the box `onto`. Points may fall outside the other image.
    """
    boxes = np.atleast_2d(boxes)
    scale = (onto[2:] - onto[:2]) / (boxes[:, 2:] - boxes[:, :2])
    # Written so that points are not changed by rounding if all images have the same size.
    shift = (onto[:2] - 0.5) - (boxes[:, :2] - 0.5) * scale
    return np.asarray(points * scale + shift)


def moved_map(
    values: FloatArray, box: Float64Array, shape: tuple[int, int], onto: Float64Array
) -> Float64Array:
    """Return a map on the pixels of another image (H, W), 0 at pixels that it does not cover.

    Its box is placed on the box `onto` by bilinear interpolation.
    """
    scale = (box[2:] - box[:2]) / (onto[2:] - onto[:2])
    shift = (box[:2] - 0.5) - (onto[:2] - 0.5) * scale
    (height, width), (rows, columns) = values.shape, shape
    y = np.arange(rows) * scale[1] + shift[1]
    x = np.arange(columns) * scale[0] + shift[0]
    moved = interpolate(values, y, x)
    moved[(y < -0.5) | (y > height - 0.5)] = 0.0
    moved[:, (x < -0.5) | (x > width - 0.5)] = 0.0
    return moved
