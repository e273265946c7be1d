"""Interpolation between grids against the formula, place by place."""

import math

import numpy as np
import pytest

from gazesal.kernels.bilinear import Neighbors, interpolate_grid, sum_of_parts


def by_definition(values, rows, columns):
    """Weights of the four neighbors, one place at a time."""
    height, width = values.shape
    out = np.empty((len(rows), len(columns)))
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            y0, x0 = min(math.floor(y), height - 1), min(math.floor(x), width - 1)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            dy, dx = y - y0, x - x0
            upper = (1 - dx) * values[y0, x0] + dx * values[y0, x1]
            lower = (1 - dx) * values[y1, x0] + dx * values[y1, x1]
            out[i, j] = (1 - dy) * upper + dy * lower
    return out


def interpolate(values, rows, columns):
    """Call the kernel with the neighbors of some places."""
    out = np.full((len(rows), len(columns)), -7.0)
    parts = []
    for places, length in ((rows, values.shape[0]), (columns, values.shape[1])):
        before = np.minimum(np.floor(places).astype(np.int64), length - 1)
        after = np.minimum(before + 1, length - 1)
        parts.append(Neighbors(before, after, places - before))
    interpolate_grid(values, *parts, out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (5, 7)])
@pytest.mark.parametrize("ordered", [True, False])
def test_values_follow_the_formula(shape, dtype, ordered):
    rng = np.random.default_rng(shape[1])
    values = (100 * rng.random(shape)).astype(dtype)
    rows, columns = rng.uniform(0, shape[0] - 1, 11), rng.uniform(0, shape[1] - 1, 9)
    rows[:2] = 0, shape[0] - 1
    if ordered:
        rows.sort()
    expected = by_definition(values.astype(float), rows, columns)
    np.testing.assert_allclose(interpolate(values, rows, columns), expected, rtol=1e-13)


def test_a_constant_stays_constant_to_the_bit():
    rng = np.random.default_rng(1)
    values = np.full((6, 5), 0.1 + 0.2)
    out = interpolate(values, np.sort(rng.uniform(0, 5, 40)), rng.uniform(0, 4, 40))
    assert np.all(out == 0.1 + 0.2)


def test_nan_stays_nan():
    values = np.zeros((3, 4))
    values[1, 2] = np.nan
    out = interpolate(values, np.array([0.0, 0.5, 1.0, 1.5]), np.array([0.5, 1.5, 2.0, 2.5]))
    np.testing.assert_array_equal(np.isnan(out[:, 1:]), [[True] * 3] * 4)
    assert np.all(out[:, 0] == 0)


def test_sums_below_the_least_are_zero():
    high, low = np.array([1.0, 1e-30, 0.5, -1e-31]), np.array([1e-20, 0.0, -1e-18, 0.0])
    out = np.full(4, np.nan)
    sum_of_parts(high, low, 1e-24, out)
    assert out.tolist() == [1.0, 0.0, 0.5, 0.0]
