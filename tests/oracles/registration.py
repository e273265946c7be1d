"""Registration to a common box, pixel by pixel. Imports nothing from gazesal."""

import math


def bilinear(values, row, column):
    """Value between pixel centers, the edge value beyond the outermost."""
    height, width = len(values), len(values[0])
    row = min(max(row, 0.0), height - 1.0)
    column = min(max(column, 0.0), width - 1.0)
    top, left = math.floor(row), math.floor(column)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = row - top, column - left
    return (
        values[top][left] * (1 - down) * (1 - across)
        + values[top][right] * (1 - down) * across
        + values[bottom][left] * down * (1 - across)
        + values[bottom][right] * down * across
    )


def frame(boxes, shapes):
    """Size of the mean box, its corner on the canvas, and the canvas's (H, W)."""
    mean = [sum(box[i] for box in boxes) / len(boxes) for i in range(4)]
    size = (mean[2] - mean[0], mean[3] - mean[1])
    before, after = [0.0, 0.0], [0.0, 0.0]
    for box, (height, width) in zip(boxes, shapes, strict=True):
        for axis, length in ((0, width), (1, height)):
            scale = size[axis] / (box[axis + 2] - box[axis])
            before[axis] = max(before[axis], box[axis] * scale)
            after[axis] = max(after[axis], (length - box[axis + 2]) * scale)
    sides = [math.ceil(before[axis] + size[axis] + after[axis]) for axis in (0, 1)]
    return size, tuple(before), (sides[1], sides[0])


def on_canvas(values, box, size, origin, shape):
    """A map on the canvas, summing to 1, and which canvas pixels its image covers."""
    height, width = len(values), len(values[0])
    scale = [size[axis] / (box[axis + 2] - box[axis]) for axis in (0, 1)]
    placed = [[0.0] * shape[1] for _ in range(shape[0])]
    covered = [[0] * shape[1] for _ in range(shape[0])]
    for i in range(shape[0]):
        for j in range(shape[1]):
            # measured from the outer corner, a pixel's center is half a pixel in
            x = (j + 0.5 - origin[0]) / scale[0] + box[0]
            y = (i + 0.5 - origin[1]) / scale[1] + box[1]
            if -1e-9 <= x <= width + 1e-9 and -1e-9 <= y <= height + 1e-9:
                covered[i][j] = 1
                placed[i][j] = bilinear(values, y - 0.5, x - 0.5)
    total = sum(map(sum, placed))
    return [[value / total for value in row] for row in placed], covered


def warped(mass, coverage, box, shape, size, origin):
    """The average on an image, from separately interpolated sum and coverage; sums to 1."""
    scale = [size[axis] / (box[axis + 2] - box[axis]) for axis in (0, 1)]
    out = [[0.0] * shape[1] for _ in range(shape[0])]
    for i in range(shape[0]):
        for j in range(shape[1]):
            column = origin[0] + (j + 0.5 - box[0]) * scale[0] - 0.5
            row = origin[1] + (i + 0.5 - box[1]) * scale[1] - 0.5
            reach = bilinear(coverage, row, column)
            out[i][j] = bilinear(mass, row, column) / reach if reach > 0 else 0.0
    total = sum(map(sum, out))
    return [[value / total for value in row] for row in out]
