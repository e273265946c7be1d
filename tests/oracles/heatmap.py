"""The gaze map, pixel by pixel and fixation by fixation."""

import math


def gaze_heatmap(fixations, shape, sigmas, weights, rectangles=None):
    """Sum of weighted Gaussian densities inside each fixation's rectangle, divided by its sum.

    `sigmas` holds (sigma_x, sigma_y) and `rectangles` (x_min, y_min, x_max, y_max), one a
    fixation. Python's `round` takes halves to even, as the study does.
    """
    height, width = shape
    drawn = [[[] for _ in range(width)] for _ in range(height)]
    for index, (x, y) in enumerate(fixations):
        sigma_x, sigma_y = sigmas[index]
        left, top, right, bottom = (0, 0, width, height)
        if rectangles is not None:
            left, top, right, bottom = (round(bound) for bound in rectangles[index])
        for row in range(height):
            for column in range(width):
                if left <= column < right and top <= row < bottom:
                    across = (column - x) / sigma_x
                    down = (row - y) / sigma_y
                    peak = weights[index] / (2 * math.pi * sigma_x * sigma_y)
                    drawn[row][column].append(peak * math.exp(-(across**2 + down**2) / 2))
    summed = [[math.fsum(pixel) for pixel in line] for line in drawn]
    mass = math.fsum(value for line in summed for value in line)
    return [[value / mass for value in line] for line in summed]
