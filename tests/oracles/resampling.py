"""Bilinear interpolation with half-pixel centers, pixel by pixel."""

import math


def _neighbors(index: int, new: int, old: int) -> tuple[int, int, float]:
    """The two old pixels around a new one, and the share of the second."""
    center = (index + 0.5) * old / new - 0.5
    first = math.floor(center)
    share = center - first
    return min(max(first, 0), old - 1), min(max(first + 1, 0), old - 1), share


def bilinear(array, shape):
    """Resample nested lists to `shape`, with the edge value beyond the outermost centers."""
    old_height, old_width = len(array), len(array[0])
    height, width = shape
    out = []
    for row in range(height):
        upper, lower, down = _neighbors(row, height, old_height)
        line = []
        for column in range(width):
            left, right, across = _neighbors(column, width, old_width)
            top = (1 - across) * array[upper][left] + across * array[upper][right]
            bottom = (1 - across) * array[lower][left] + across * array[lower][right]
            line.append((1 - down) * top + down * bottom)
        out.append(line)
    return out
