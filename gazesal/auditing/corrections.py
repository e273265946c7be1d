"""Corrections of fixations that were read with a wrong orientation, origin or scale."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["CORRECTIONS", "Correction"]

# Share of the points that a correction must leave inside the images. Others are not tested, so that
# fewer tests share the error.
INSIDE = 0.75
SHIFT = 0.125  # share of a side by which points are shifted; smaller shifts need more images


@dataclass(frozen=True, slots=True)
class Correction:
    """A way in which all coordinates may be wrong, with the correction.

    Attributes
    ----------
    name : str
        Name of the finding, such as ``"mirrored"``.
    words : str
        Description of the corrected gaze, as in "fits better ...".
    remedy : str
        Advice, a sentence.
    correct : callable
        Takes points (N, 2) and the size (width, height) of the image, or of the image of each
        point (N, 2), and returns corrected points.
    """

    name: str
    words: str
    remedy: str
    correct: Callable[[Float64Array, Float64Array], Float64Array]


def _linear(matrix: list[list[int]]) -> Callable[[Float64Array, Float64Array], Float64Array]:
    """Return a mirroring or quarter turn of pixel coordinates, which keeps the first pixel at 0.

    Axes that are exchanged keep their length, so that the turned image has the exchanged size.
    """
    turn = np.array(matrix, np.float64)

    def correct(points: Float64Array, size: Float64Array) -> Float64Array:
        offset = np.where(turn.sum(axis=1) < 0, size - 1.0, 0.0)
        return np.asarray(points @ turn.T + offset)

    return correct


def _scaled(
    scale: Callable[[Float64Array], Float64Array | float], shift: Float64Array | float = 0.0
) -> Callable[[Float64Array, Float64Array], Float64Array]:
    """Return a scaling of outer edges, then a shift by shares of the sides."""
    return lambda points, size: (points + 0.5) * scale(size) - 0.5 + np.asarray(shift) * size


def _centered(up: float) -> Callable[[Float64Array, Float64Array], Float64Array]:
    return lambda points, size: points * np.array([1.0, up]) + (size - 1.0) / 2


MIRROR = (
    "If the gaze is mirrored, replace x by width - 1 - x. If the maps are, give `map[:, ::-1]`."
)
FLIP = (
    'If y points up in the table of fixations, read it with y_axis="up" (--y-axis up). If the maps '
    "are upside down, give `map[::-1]`."
)
EXCHANGE = (
    'If x and y are exchanged, read the table with columns={"x": "y", "y": "x"} (--column x=y '
    "--column y=x). If the maps are transposed, give `map.T`."
)
TURN = "Rotate the maps or the coordinates, for instance maps of photographs by their EXIF tag."
SCREEN = (
    "Few scales and shifts are tested, so the right one may be near this one. If the coordinates "
    "are pixels of a screen or of a resized image, describe it with a `Screen` (--display, "
    "--placement, --scale), and `read_fixations` converts them to pixels of the image."
)
CENTER = (
    'Read them with origin="screen_center" (--origin screen_center) and the `Screen`, which '
    "converts them to pixels of the image."
)
CORRECTIONS = [
    Correction("mirrored", "mirrored left to right", MIRROR, _linear([[-1, 0], [0, 1]])),
    Correction("upside_down", "with y pointing up", FLIP, _linear([[1, 0], [0, -1]])),
    Correction("rotated_180", "rotated by 180 degrees", TURN, _linear([[-1, 0], [0, -1]])),
    Correction("transposed", "with x and y exchanged", EXCHANGE, _linear([[0, 1], [1, 0]])),
    Correction("rotated_90", "rotated by 90 degrees", TURN, _linear([[0, 1], [-1, 0]])),
    Correction("rotated_270", "rotated by 270 degrees", TURN, _linear([[0, -1], [1, 0]])),
    Correction(
        "transposed_180", "transposed and rotated by 180 degrees", TURN, _linear([[0, -1], [-1, 0]])
    ),
    Correction(
        "transposed_shares",
        "with the axes exchanged relative to the sides",
        EXCHANGE,
        lambda points, size: (points[:, ::-1] + 0.5) / size[..., ::-1] * size - 0.5,
    ),
    Correction(
        "shares",
        "multiplied by the sides, as shares of them",
        'Read them with unit="shares" (--unit shares), or multiply x by the width and y by the '
        "height and subtract 0.5.",
        lambda points, size: points * size - 0.5,
    ),
    Correction(
        "percent",
        "multiplied by the sides, as percent of them",
        "Multiply x by width / 100 and y by height / 100, and subtract 0.5.",
        lambda points, size: points * size / 100.0 - 0.5,
    ),
    Correction("half_size", "at twice the size", SCREEN, _scaled(lambda _: 2.0)),
    Correction("quarter_size", "at four times the size", SCREEN, _scaled(lambda _: 4.0)),
    Correction("double_size", "at half the size", SCREEN, _scaled(lambda _: 0.5)),
    Correction("quadruple_size", "at a quarter of the size", SCREEN, _scaled(lambda _: 0.25)),
    Correction("centered", "with the origin at the center of the image", CENTER, _centered(1.0)),
    Correction(
        "centered_upside_down",
        "with the origin at the center of the image and y pointing up",
        CENTER + ' Also give y_axis="up".',
        _centered(-1.0),
    ),
    Correction(
        "negative_y", "with the sign of y changed", "Replace y by -y.", lambda p, _: p * [1.0, -1.0]
    ),
    *(
        Correction(
            f"shifted_{name}",
            f"shifted {words} by about {SHIFT:.0%} of the side",
            SCREEN,
            _scaled(lambda _: 1.0, np.array(shift) * SHIFT),
        )
        for name, words, shift in (
            ("left", "to the left", (-1.0, 0.0)),
            ("right", "to the right", (1.0, 0.0)),
            ("up", "up", (0.0, -1.0)),
            ("down", "down", (0.0, 1.0)),
        )
    ),
]
