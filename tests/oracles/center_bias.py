"""Gaussian and kernel density center biases, by loops over fixations and pixels."""

import math


def gaussian(center, sigma, shape):
    """Gaussian at the pixel centers over its sum, in fractions of width and height."""
    height, width = shape
    values = [
        [
            math.exp(
                -0.5 * (((column + 0.5) / width - center[0]) / sigma[0]) ** 2
                - 0.5 * (((row + 0.5) / height - center[1]) / sigma[1]) ** 2
            )
            for column in range(width)
        ]
        for row in range(height)
    ]
    mass = math.fsum(value for line in values for value in line)
    return [[value / mass for value in line] for line in values]


def pooled(fixations, shapes):
    """(image, u, v) of every fixation, and the geometric mean of height over width."""
    rows = []
    for image, points in fixations.items():
        height, width = shapes[image]
        rows += [(image, (x + 0.5) / width, (y + 0.5) / height) for x, y in points]
    ratios = [shapes[image][0] / shapes[image][1] for image in fixations]
    return rows, math.prod(ratios) ** (1 / len(ratios))


def kernel_sum(u, v, rows, weights, bandwidth, aspect):
    """Weighted kernels at a position, divided by their mass in the unit square."""
    top = bottom = 0.0
    for (_, x, y), weight in zip(rows, weights, strict=True):
        across, down = (u - x) / bandwidth, aspect * (v - y) / bandwidth
        density = aspect / (2 * math.pi * bandwidth**2)
        top += weight * density * math.exp(-(across**2 + down**2) / 2)
        bottom += weight * inside(x, bandwidth) * inside(y, bandwidth / aspect)
    return top / bottom


def inside(center, sigma):
    """Share of a normal density that lies in [0, 1]."""
    upper = math.erf((1 - center) / (sigma * math.sqrt(2)))
    return (upper + math.erf(center / (sigma * math.sqrt(2)))) / 2


def cross_validated_bits(fixations, shapes, bandwidth, mixing, weights=None):
    """Mean log2 density of each fixation under the fixations of the other images."""
    rows, aspect = pooled(fixations, shapes)
    loads = [1.0] * len(rows)
    if weights is not None:
        loads = [weight for image in fixations for weight in weights[image]]
    bits = []
    for (image, u, v), load in zip(rows, loads, strict=True):
        others = [k for k, row in enumerate(rows) if row[0] != image]
        kernels = kernel_sum(
            u, v, [rows[k] for k in others], [loads[k] for k in others], bandwidth, aspect
        )
        bits.append(load * math.log2((1 - mixing) * kernels + mixing))
    return math.fsum(bits) / math.fsum(loads)


def kernel_density(fixations, shapes, shape, bandwidth, mixing, weights=None):
    """Kernels at the pixel centers over their sum, mixed with the uniform density."""
    rows, aspect = pooled(fixations, shapes)
    loads = [1.0] * len(rows)
    if weights is not None:
        loads = [weight for image in fixations for weight in weights[image]]
    height, width = shape
    values = [
        [
            kernel_sum((j + 0.5) / width, (i + 0.5) / height, rows, loads, bandwidth, aspect)
            for j in range(width)
        ]
        for i in range(height)
    ]
    mass = math.fsum(value for line in values for value in line)
    return [
        [(1 - mixing) * value / mass + mixing / (height * width) for value in line]
        for line in values
    ]
