"""The area of one pair of weightings by bins is within its bound, and invalid weights are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal.kernels.auc import areas
from gazesal.kernels.auc.approximate import pair_bins
from tests.oracles import ranks as oracle

SIZE = 2 * pair_bins.CHUNK + 37


def made(kind, rng, dtype):
    noise = rng.normal(size=SIZE)
    values = {
        "noise": noise,
        "ties": np.round(noise),
        "zeros": np.maximum(noise, 0),
        "smooth": np.sin(np.arange(SIZE) / 900.0),
        "one outlier": np.append(noise[:-1] * 1e-6, 1e6),
    }[kind]
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wanted", [1, 64, 4096])
@pytest.mark.parametrize("kind", ["noise", "ties", "zeros", "smooth", "one outlier"])
def test_error_is_within_the_bound(dtype, wanted, kind):
    rng = np.random.default_rng(wanted)
    values = made(kind, rng, dtype)
    positives, negatives = rng.integers(0, 4, (2, SIZE))
    extremes = float(values.min()), float(values.max())
    for q, weights in ((negatives, negatives.astype(np.float64)), (np.ones_like(negatives), None)):
        expected = float(oracle.weighted_auc_of_integers(values, positives, q))
        given_weights = positives.astype(np.float32), weights
        area, bound = pair_bins.paired_area(values, extremes, given_weights, 1e-3, wanted)
        assert abs(area - expected) <= bound + areas.SLACK
    if kind == "ties" and wanted > 1:
        assert bound < 0.01  # the sample is the whole map here, and finds them all


@pytest.mark.parametrize("kind", ["noise", "zeros", "smooth"])
def test_error_is_within_the_bound_where_rounding_is_coarse(kind):
    """With few steps, rounding is most of the bound."""
    rng = np.random.default_rng(8)
    values = made(kind, rng, np.float64)
    positives = rng.integers(0, 1000, SIZE) ** 3
    negatives = rng.integers(0, 1000, SIZE)
    negatives[values > 0.5] *= 7
    expected = float(oracle.weighted_auc_of_integers(values, positives, negatives))
    weights = positives.astype(np.float64), negatives.astype(np.float64)
    extremes = float(values.min()), float(values.max())
    area, bound = pair_bins.paired_area(values, extremes, weights, 1e-3, 8192, steps_per_pixel=1e-3)
    assert 1e-3 < bound < 0.5
    assert abs(area - expected) <= bound


def test_pairs_of_a_pixel_with_itself_are_not_in_the_bound():
    """Each value has its own bin without a mark, so all ties are certain."""
    values = np.linspace(1.0, 2.0, SIZE)
    weights = np.ones(SIZE), None
    area, bound = pair_bins.paired_area(values, (1.0, 2.0), weights, 1e-3, 1 << 20)
    assert area == pytest.approx(0.5, abs=1e-12)
    assert bound < 1e-6 < 0.5 / SIZE


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1e-300, -1.0, 1e6, 1e300])
@pytest.mark.parametrize("where", [0, 77, SIZE - 1])
@pytest.mark.parametrize("which", [0, 1])
def test_invalid_or_overflowing_weights_return_none(bad, where, which):
    """The sampled pixels may or may not include the invalid weight."""
    rng = np.random.default_rng(5)
    weights = [rng.random(SIZE), rng.random(SIZE)]
    weights[which][where] = bad
    values = rng.random(SIZE)
    for sampled in (SIZE, 100):
        extremes = values.min(), values.max()
        found = pair_bins.paired_area(values, extremes, weights, 1e-6, 1000, sampled=sampled)
        if bad > 0 and np.isfinite(bad) and sampled == SIZE:
            assert found is not None  # seen first, it is given room
            continue
        assert found is None


def test_infinities_of_both_signs_in_the_sample_return_none():
    weights = np.ones(SIZE)
    weights[::3], weights[1::3] = np.inf, -np.inf
    values = np.arange(float(SIZE))
    assert pair_bins.paired_area(values, (0.0, SIZE - 1.0), (weights, None), 1e-6, 1000) is None


@pytest.mark.parametrize("weights", [np.zeros(SIZE), np.full(SIZE, 5e-324), np.full(SIZE, 1e308)])
def test_overflowing_sums_return_none(weights):
    values = np.arange(float(SIZE))
    assert pair_bins.paired_area(values, (0.0, SIZE - 1.0), (weights, None), 1e-6, 1000) is None


@given(
    words=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 2**31 - 1) | st.just(2**31 - 1),
            st.integers(0, 2**31 - 1) | st.just(2**31 - 1),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_sums_larger_than_a_word_do_not_overflow(words):
    bins = np.array([b for b, _, _ in words], np.uint32)
    packed = np.array([(p << 32) | q for _, p, q in words], np.uint64)
    table, full = np.zeros(4, np.uint64), np.zeros((4, 2), np.uint64)
    moved = pair_bins.add_words(bins, packed, table, full)
    kept = full if moved else full[:0]
    *_, sums, others = pair_bins.add_up(table, kept, np.zeros(4, np.uint16))
    assert sums == sum(p for _, p, _ in words)
    assert others == sum(q for _, _, q in words)
    if sums < 2**31 and others < 2**31:
        assert moved == 0


def test_wins_do_not_overflow_where_steps_are_near_2_to_the_62():
    """Put all negatives in the lower bin and all positives in the upper one."""
    table = np.array([0, 1 << 32], np.uint64)
    full = np.array([[0, 2**62], [0, 0]], np.uint64)
    wins, _, _, positives, negatives = pair_bins.add_up(table, full, np.zeros(2, np.uint16))
    assert (positives, negatives) == (1.0, 2.0**62)
    assert wins / (2.0 * positives * negatives) == 1.0
