"""Inverse-CDF sampling against a full cumulative sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal.kernels.moments import block_totals
from gazesal.kernels.sampling import BLOCK, locate


def locate_all(weights, targets):
    """Call the kernel as the metrics do, with the sums of its blocks."""
    sums, _ = block_totals(weights, BLOCK)
    return locate(weights, sums, np.asarray(targets, dtype=np.float64))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 5, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 77])
def test_agrees_with_a_full_cumulative_sum(size, dtype):
    """With integer weights every partial sum is exact, so every index must agree."""
    rng = np.random.default_rng(size)
    weights = rng.integers(0, 3, size).astype(dtype)
    weights[rng.integers(size)] = 2
    cumulative = np.cumsum(weights.astype(np.float64))
    on_borders = np.concatenate([[0.0], cumulative[:-1]])
    targets = np.concatenate([on_borders, rng.random(400) * cumulative[-1]])
    targets = np.sort(targets[targets < cumulative[-1]])
    expected = np.searchsorted(cumulative, targets, side="right")
    assert np.array_equal(locate_all(weights, targets), expected)


@given(
    weights=st.lists(st.sampled_from([0.0, 0.0, 1.0, 3.0]), min_size=1, max_size=40),
    shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30),
)
def test_small_maps_agree_too(weights, shares):
    array = np.array(weights)
    if not array.any():
        array[-1] = 1.0
    cumulative = np.cumsum(array)
    targets = np.sort(np.array(shares)) * cumulative[-1]
    expected = np.searchsorted(cumulative, targets, side="right")
    assert np.array_equal(locate_all(array, targets), expected)


@pytest.mark.parametrize("place", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 3, 3 * BLOCK])
def test_delta_is_always_found(place):
    weights = np.zeros(3 * BLOCK + 1)
    weights[place] = 1e-30
    targets = np.array([0.0, 0.5e-30, np.nextafter(1e-30, 0.0)])
    assert locate_all(weights, targets).tolist() == [place] * 3


def test_empty_blocks_are_skipped():
    weights = np.zeros(5 * BLOCK)
    weights[BLOCK + 1] = weights[4 * BLOCK + 2] = 1.0
    assert (
        locate_all(weights, [0.0, 0.5, 1.0, 1.5]).tolist() == [BLOCK + 1] * 2 + [4 * BLOCK + 2] * 2
    )


@pytest.mark.parametrize("seed", range(5))
def test_pixels_of_weight_zero_are_never_sampled(seed):
    """Lanes and loop add in different orders, and a sample in the gap must still have weight."""
    rng = np.random.default_rng(seed)
    weights = rng.random(4 * BLOCK + 9) * 10.0 ** rng.integers(-9, 9, 4 * BLOCK + 9)
    weights[rng.random(weights.size) < 0.5] = 0.0
    weights[-3:] = 0.0
    sums, _ = block_totals(weights, BLOCK)
    end = np.cumsum(sums)
    just_below = np.nextafter(end, 0.0)
    at_ends = np.concatenate([end[:-1], np.nextafter(end[:-1], np.inf)])
    targets = np.sort(np.concatenate([just_below, at_ends]))
    targets = targets[targets < end[-1]]
    found = locate(weights, sums, targets)
    assert found.min() >= 0
    assert np.all(weights[found] > 0)
    assert np.all(np.diff(found) >= 0)
