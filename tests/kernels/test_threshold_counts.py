"""Counts at thresholds against single comparisons, for floats of every magnitude."""

import numpy as np
import pytest

from gazesal.kernels import threshold_counts

MANY = threshold_counts.CHUNK + 77  # more than one chunk of values, and of thresholds


def counted(values, thresholds):
    found = np.zeros(2 * thresholds.size + 1, np.int64)
    with np.errstate(over="ignore"):  # rounding to single precision, in the interpreter
        threshold_counts.count_at_thresholds(values, thresholds, found)
    return found.tolist()


def expected(values, thresholds):
    found = [0] * (2 * len(thresholds) + 1)
    for value in values.tolist():
        below = sum(threshold < value for threshold in thresholds.tolist())
        found[2 * below + (value in thresholds.tolist())] += 1
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_thresholds", [1, 2, 7, 40])
@pytest.mark.parametrize("kind", ["normal", "tied", "near", "wide"])
def test_every_kind_of_value_is_counted(dtype, n_thresholds, kind):
    rng = np.random.default_rng(n_thresholds)
    values = rng.normal(0, 1, 300)
    if kind == "tied":
        values = np.round(values)
    elif kind == "near":  # one cell for all of them
        values = 1.0 + rng.integers(0, 50, 300) * np.finfo(dtype).eps
    elif kind == "wide":
        values = np.sign(values) * 10.0 ** rng.uniform(-37, 37, 300)
    values = values.astype(dtype)
    thresholds = np.unique(rng.choice(values, n_thresholds))
    assert counted(values, thresholds) == expected(values, thresholds)


def test_values_beyond_single_precision_are_counted():
    """They round to infinity or 0, which keeps their order, and are then compared exactly."""
    values = np.array([-1e300, -1e299, -1e-300, -0.0, 0.0, 1e-310, 1e-300, 1e39, 1e40, 1e300])
    assert counted(values, values[[0, 1, 2, 3, 5, 6, 7, 8, 9]]) == [
        0, 1, 0, 1, 0, 1, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
    ]  # fmt: skip


def test_more_values_than_a_chunk_are_counted():
    values = np.arange(MANY, dtype=np.float64)
    thresholds = np.array([0.0, 4096.0, MANY - 1.0])
    assert counted(values, thresholds) == [0, 1, 4095, 1, MANY - 4098, 1, 0]


def test_more_thresholds_than_a_chunk_are_counted():
    thresholds = np.arange(MANY, dtype=np.float32)
    values = np.array([-1.0, 0.5, 4096.0, 1e9], np.float32)
    found = counted(values, thresholds)
    places = {0: 1, 2: 1, 2 * 4096 + 1: 1, 2 * MANY: 1}
    assert {place: count for place, count in enumerate(found) if count} == places


def test_counts_are_added_to_existing_counts():
    found = np.array([5, 5, 5])
    threshold_counts.count_at_thresholds(np.array([1.0, 2.0]), np.array([1.0]), found)
    assert found.tolist() == [5, 6, 6]
