"""Generate arguments for every metric from the facts in its registry row."""

import math
import warnings

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gazesal
from tests.strategies import GRID, SHAPES, SHAPES_OF_TWO, saliency_maps, weight_maps

NAMES = sorted(gazesal.METRICS)
OPTIONS = {"emd": {"shrink": 1}}
POINTS = ("fixations", "other_fixations")
ON_MAPS = [name for name in NAMES if gazesal.METRICS[name].ground_truth == "map"]
ON_POINTS = [name for name in NAMES if gazesal.METRICS[name].ground_truth == "points"]
# Offsets within a pixel. The first is on the border, which belongs to the pixel.
PLACES = st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.49999])
INNER_PLACES = st.sampled_from([-0.25, 0.0, 0.25])
SIXTEENTHS = 16


def function(name):
    """Return the metric with its required options."""

    def score(*arguments, **options):
        return gazesal.METRICS[name].function(*arguments, **OPTIONS.get(name, {}), **options)

    return score


def score_or_nan(name, arguments, **options):
    """Return the score, a float, which must be `nan` if and only if a warning says so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = function(name)(*arguments, **options)
    assert type(got) is float
    assert not math.isinf(got)
    wanted = [gazesal.UndefinedMetricWarning] if math.isnan(got) else []
    assert [each.category for each in caught] == wanted
    return got


@st.composite
def points(draw, shape, places=PLACES):
    """Draw one to eight fixations inside the image, several of which may share a pixel."""
    height, width = shape
    n = draw(st.integers(1, 8))
    columns = draw(hnp.arrays(np.float64, n, elements=st.integers(0, width - 1)))
    rows = draw(hnp.arrays(np.float64, n, elements=st.integers(0, height - 1)))
    return np.column_stack([columns, rows]) + draw(hnp.arrays(np.float64, (n, 2), elements=places))


@st.composite
def densities(draw, shape):
    """Draw multiples of 1/16 that sum to 1, which every floating type holds exactly."""
    size = shape[0] * shape[1]
    drawn = draw(hnp.arrays(np.int64, SIXTEENTHS, elements=st.integers(0, size - 1)))
    return np.bincount(drawn, minlength=size).reshape(shape) / SIXTEENTHS


@st.composite
def _weights_to_one(draw, shape):
    weights = draw(weight_maps(shape)).astype(np.float64)
    return weights / weights.sum()


@st.composite
def _plain_maps(draw, shape, signed):
    array = draw(hnp.arrays(np.float64, shape, elements=GRID))
    array = array if signed else np.abs(array)
    if array.min() == array.max():
        array.flat[draw(st.integers(0, array.size - 1))] += 1.0
    return array


@st.composite
def arguments(draw, name, shapes=SHAPES):
    """Draw valid arguments: ties, zeros, deltas, extreme scales, repeated fixations."""
    metric = gazesal.METRICS[name]
    shape = draw(shapes)
    found = []
    for argument in metric.arguments:
        if argument in POINTS:
            found.append(draw(points(shape)))
        elif argument in metric.densities:
            found.append(draw(st.one_of(densities(shape), _weights_to_one(shape))))
        elif argument == "saliency_map" and argument not in metric.weights:
            found.append(draw(saliency_maps(shape)))
        else:
            found.append(draw(weight_maps(shape)))
    return tuple(found)


@st.composite
def plain_arguments(draw, name, shapes=SHAPES_OF_TWO):
    """Draw arguments with few bits. Only densities may be constant, fixations are off borders."""
    metric = gazesal.METRICS[name]
    shape = draw(shapes)
    found = []
    for argument in metric.arguments:
        if argument in POINTS:
            found.append(draw(points(shape, INNER_PLACES)))
        elif argument in metric.densities:
            found.append(draw(densities(shape)))
        else:
            signed = argument == "saliency_map" and argument not in metric.weights
            found.append(draw(_plain_maps(shape, signed)))
    return tuple(found)


def example(name, shape=(4, 6), seed=0):
    """Return valid arguments as a list, all of them different and the same in each call."""
    rng = np.random.default_rng(seed)
    metric = gazesal.METRICS[name]
    found = []
    for argument in metric.arguments:
        if argument in POINTS:
            found.append(rng.uniform(-0.49, 0.49, (5, 2)) + rng.integers(0, shape[::-1], (5, 2)))
        else:
            array = rng.random(shape) + 0.1
            found.append(array / array.sum() if argument in metric.densities else array)
    return found


# Functions that move a map, and points x, y given the last column and the last row.
MOVES = {
    "flipud": (np.flipud, lambda x, y, _column, row: (x, row - y)),
    "fliplr": (np.fliplr, lambda x, y, column, _row: (column - x, y)),
    "transpose": (np.transpose, lambda x, y, _column, _row: (y, x)),
    "rot90": (np.rot90, lambda x, y, column, _row: (y, column - x)),
}


def moved(name, given, move):
    """Return the arguments for the flipped or rotated image."""
    on_map, on_points = MOVES[move]
    height, width = given[0].shape
    return tuple(
        np.column_stack(on_points(*array.T, width - 1, height - 1))
        if argument in POINTS
        else on_map(array)
        for argument, array in zip(gazesal.METRICS[name].arguments, given, strict=True)
    )
