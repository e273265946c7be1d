"""Means of maps in exact arithmetic, each from its own sum."""

from fractions import Fraction

import numpy as np


def _exact(array) -> list[list[Fraction]]:
    return [[Fraction(pixel) for pixel in row] for row in np.asarray(array).tolist()]


def _mean(maps: list[list[list[Fraction]]]) -> list[list[Fraction]]:
    height, width = len(maps[0]), len(maps[0][0])
    return [
        [sum(one[row][column] for one in maps) / len(maps) for column in range(width)]
        for row in range(height)
    ]


def _to_floats(array: list[list[Fraction]]) -> np.ndarray:
    return np.array([[float(pixel) for pixel in row] for row in array])


def rest_of(maps, observer: int) -> np.ndarray:
    """Mean of all maps except one."""
    return _to_floats(_mean([_exact(one) for i, one in enumerate(maps) if i != observer]))


def center_bias(maps) -> np.ndarray:
    """Mean of maps that are each divided by their sum first."""
    shares = []
    for one in map(_exact, maps):
        mass = sum(pixel for row in one for pixel in row)
        shares.append([[pixel / mass for pixel in row] for row in one])
    return _to_floats(_mean(shares))
