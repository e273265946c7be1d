"""Gaze of images, read once for all checks of an audit."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazesal._validation import as_points
from gazesal.auditing.area_means import on_grid
from gazesal.evaluation.case import ALL_OBSERVERS, Case
from gazesal.evaluation.gaze_sources import FixationMap, Gaze, load_density, read_source
from gazesal.typing import Float64Array

__all__ = ["ImageGaze", "Reading", "named", "read_gaze"]

NAMED = 3  # readings that a message names
MAP_SIDE = 64  # cells along a side to which a gaze map is reduced


@dataclass(frozen=True, slots=True)
class Reading:
    """Fixations of one observer on one image.

    Attributes
    ----------
    image, observer : str
        Names.
    shape : tuple of int
        (H, W) of the image.
    points : numpy.ndarray of float64, shape (N, 2)
        Columns x, y in image pixels, in the given order.
    durations : numpy.ndarray of float64, shape (N,) or (0,)
        Duration of each fixation, empty if they are not numbers.
    """

    image: str
    observer: str
    shape: tuple[int, int]
    points: Float64Array
    durations: Float64Array

    @property
    def sides(self) -> Float64Array:
        """Points as shares of the sides of the image."""
        return np.asarray((self.points + 0.5) / self.shape[::-1])


@dataclass(frozen=True, slots=True)
class ImageGaze:
    """Gaze of all observers on an image as weighted points.

    Attributes
    ----------
    image : str
        Name of the image.
    shape : tuple of int
        (H, W) of the image.
    points : numpy.ndarray of float64, shape (N, 2)
        Fixations, also of fixation maps, or the cells of reduced gaze maps.
    weights : numpy.ndarray of float64, shape (N,)
        One for a fixation, and the mass of a cell.
    readings : list of Reading
        Readings given as fixations and not as maps.
    faults : list of str
        Messages of readings that cannot be read.
    """

    image: str
    shape: tuple[int, int]
    points: Float64Array
    weights: Float64Array
    readings: list[Reading] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def size(self) -> Float64Array:
        """Width and height of the image."""
        return np.array(self.shape[::-1], np.float64)


def read_gaze(case: Case) -> ImageGaze:
    """Read the gaze of all observers on an image. Errors become messages."""
    readings, faults = [], []
    points: list[Float64Array] = []
    weights: list[Float64Array] = []
    sources = case.gaze if case.gaze or case.gaze_map is None else {ALL_OBSERVERS: case.gaze_map}
    for observer, source in sources.items():
        name = f"gaze of image {case.image}, observer {observer}"
        try:
            given: Any = (
                source(case.shape, name) if isinstance(source, FixationMap) else read_source(source)
            )
            if isinstance(given, Gaze):
                places = as_points(given.points, name=name)
                mass = np.ones(len(places))
            else:
                places, mass = _cells(given, case.shape, name)
        except Exception as error:  # noqa: BLE001 (files and functions raise errors of many types)
            faults.append(str(error) if name in str(error) else f"{name}: {error}")
            continue
        if isinstance(given, Gaze) and not isinstance(source, FixationMap):
            durations = _numbers(given.durations)
            readings.append(Reading(case.image, observer, case.shape, places, durations))
        points.append(places)
        weights.append(mass)
    every = np.concatenate([np.empty((0, 2)), *points])
    return ImageGaze(
        case.image, case.shape, every, np.concatenate([np.empty(0), *weights]), readings, faults
    )


def named(readings: list[Reading]) -> str:
    """Return the image and observer of some readings for a message."""
    more = f" and {len(readings) - NAMED} more" if len(readings) > NAMED else ""
    return ", ".join(f"{e.image!r} by {e.observer!r}" for e in readings[:NAMED]) + more


def _numbers(durations: Any) -> Float64Array:
    """Return durations, and an empty array without durations that are numbers."""
    if durations is None:
        return np.empty(0)
    try:
        return np.asarray(durations, np.float64).ravel()
    except (ValueError, TypeError):
        return np.empty(0)


def _cells(given: Any, shape: tuple[int, int], name: str) -> tuple[Float64Array, Float64Array]:
    """Return the centers of the cells of a reduced gaze map in image pixels, and their mass."""
    density = load_density(given, shape, name=name, resize="bilinear", two_valued="raise")
    mass = on_grid(density, MAP_SIDE).ravel()
    share = (np.arange(MAP_SIDE) + 0.5) / MAP_SIDE
    column, row = np.meshgrid(share * shape[1] - 0.5, share * shape[0] - 0.5)
    kept = mass > 0
    return np.stack([column.ravel(), row.ravel()], axis=1)[kept], mass[kept]
