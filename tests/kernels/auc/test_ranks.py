"""The exact weighted AUC: every path of the partition and of the sort."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazesal.kernels.auc import ranks
from tests.kernels.sizes import SIZES, SMALL
from tests.oracles import ranks as oracle
from tests.strategies import map_triples

# each call walks 65,536 cells, which takes the interpreter some 20 ms
EXAMPLES = settings(max_examples=20 if numba.config.DISABLE_JIT else settings().max_examples)
TINY = np.nextafter(0.0, 1.0)


def auc(values, positives, negatives, sizes=SIZES):
    """Flatten and call the kernel as the metrics do."""
    positives = np.asarray(positives).ravel()
    negatives = np.asarray(negatives).ravel()
    total = float(negatives.astype(np.float64).sum())
    values = np.ascontiguousarray(values).ravel()
    extremes = float(values.min()), float(values.max())
    return ranks.weighted_auc(values, extremes, positives, negatives, total, sizes)


def integer_weights(rng, size):
    """Return weights whose sums are exact, many of them zero."""
    return rng.integers(0, 4, size).astype(np.float64), rng.integers(0, 4, size).astype(np.float64)


def check(values, rng):
    """Compare with tallies in integers, under random integer weights."""
    positives, negatives = integer_weights(rng, values.size)
    expected = oracle.weighted_auc_of_integers(
        values, positives.astype(np.int64), negatives.astype(np.int64)
    )
    assert auc(values, positives, negatives) == pytest.approx(float(expected), rel=0, abs=1e-13)


def check_sort(keys):
    """Compare with numpy's stable sort."""
    key_a, key_b = np.empty_like(keys), np.empty_like(keys)
    order_a, order_b = np.empty(keys.size, np.uint32), np.empty(keys.size, np.uint32)
    counts = np.empty(1 << ranks.LONG_DIGIT, np.uint32)
    workspace = ranks.SortWorkspace(key_a, key_b, order_a, order_b, counts)
    ordered, order = ranks.sort_bucket(keys, workspace)
    expected = np.argsort(keys, kind="stable")
    assert np.array_equal(order, expected)
    assert np.array_equal(ordered, keys[expected] - keys.min())


@EXAMPLES
@given(case=map_triples())
def test_every_pair_is_counted(case):
    saliency, gaze, bias = (
        array if array.dtype.kind == "f" else array.astype(np.float32) for array in case
    )
    expected = float(oracle.weighted_auc(saliency, gaze, bias))
    assert auc(saliency, gaze, bias) == pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestPartition:
    """Maps with many buckets, one bucket and buckets above the usual size."""

    def test_several_buckets_of_several_cells_give_the_exact_area(self, dtype):
        rng = np.random.default_rng(1)
        values = rng.normal(size=3 * SIZES.bucket + 17).astype(dtype)
        check(values, rng)

    def test_one_cell_larger_than_a_bucket_is_sorted(self, dtype):
        """Nearly equal values share their leading 16 bits, so only the sort separates them."""
        rng = np.random.default_rng(2)
        step = np.finfo(dtype).eps
        values = (1 + step * rng.integers(0, 1000, 2 * SIZES.bucket + 5)).astype(dtype)
        assert np.unique(values).size > 200
        check(values, rng)

    def test_giant_cell_between_small_ones_gives_the_exact_area(self, dtype):
        rng = np.random.default_rng(3)
        giant = 1 + np.finfo(dtype).eps * rng.integers(0, 50, 2 * SIZES.bucket)
        values = np.concatenate([giant, rng.normal(size=SIZES.bucket // 2), [-5.0, 5.0]]).astype(
            dtype
        )
        rng.shuffle(values)
        check(values, rng)

    def test_two_huge_ties_give_the_exact_area(self, dtype):
        """A bucket of one value is summed and not sorted."""
        rng = np.random.default_rng(4)
        values = np.repeat([0.0, 3.0], SIZES.bucket + 3).astype(dtype)
        rng.shuffle(values)
        check(values, rng)

    def test_all_tied_values_give_one_half(self, dtype):
        rng = np.random.default_rng(5)
        positives, negatives = integer_weights(rng, SIZES.bucket + 9)
        assert auc(np.full(SIZES.bucket + 9, 0.1, dtype), positives, negatives) == 0.5

    def test_quantized_map_gives_the_exact_area(self, dtype):
        rng = np.random.default_rng(6)
        check(rng.integers(-4, 5, 2 * SIZES.bucket + 1).astype(dtype), rng)

    def test_large_maps_have_larger_buckets(self, dtype):
        """Above a number of pixels, the buckets grow instead of multiplying."""
        size = SMALL.streams * SMALL.bucket + 512
        rng = np.random.default_rng(7)
        # a coarse grid: the tallies of the oracle stay short, the partition sees all pixels
        values = (rng.integers(-3000, 3000, size) / 7).astype(dtype)
        positives, negatives = integer_weights(rng, size)
        at_value = np.unique(values, return_inverse=True)[1]
        p = np.bincount(at_value, positives).astype(np.int64)
        q = np.bincount(at_value, negatives).astype(np.int64)
        expected = oracle.weighted_auc_of_integers(np.arange(p.size), p, q)
        got = auc(values, positives, negatives, SMALL)
        assert got == pytest.approx(float(expected), rel=0, abs=1e-13)


class TestOrder:
    """Bit patterns keep the order of the numbers."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_signed_zeros_tie(self, dtype):
        values = np.array([-0.0, 0.0, -0.0, 0.0], dtype)
        weights = np.array([1.0, 0.0, 0.0, 0.0])
        assert auc(values, weights, weights[::-1].copy()) == 0.5

    def test_denormals_are_distinguished(self):
        values = np.array([TINY, 3 * TINY, 2 * TINY, -TINY])
        only = np.eye(4)
        assert auc(values, only[1], only[2]) == 1.0
        assert auc(values, only[3], only[0]) == 0.0

    def test_values_from_1e_minus_300_to_1e300_keep_their_order(self):
        rng = np.random.default_rng(8)
        sign = rng.choice([-1.0, 1.0], 2 * SIZES.bucket)
        check(sign * 10.0 ** rng.integers(-300, 301, 2 * SIZES.bucket), rng)

    def test_keys_that_differ_in_the_highest_byte_too(self):
        """A bucket whose spread needs every pass of the sort, up to the last byte."""
        values = np.array([-1e300, 1e300, -1.0, 1.0, 0.0, 1e-300, -1e-300, TINY])
        check(values, np.random.default_rng(9))

    @given(case=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60))
    def test_radix_sort_sorts_stably(self, case):
        check_sort(np.array(case, np.uint64))

    @pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
    @pytest.mark.parametrize("extra", [0, 1, 900])
    @pytest.mark.parametrize("spread_bits", [0, 3, 8, 11, 12, 22, 32])
    def test_radix_sort_with_either_digit(self, dtype, extra, spread_bits):
        """Test sizes around the limit for long digits, and each number of passes."""
        rng = np.random.default_rng(10)
        size = ranks.SHORT_BUCKET + extra
        check_sort(rng.integers(0, 1 << spread_bits, size, dtype=np.uint64).astype(dtype))


class TestFromSorted:
    """The AUC of two sorted samples."""

    @given(
        positives=st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0]), min_size=1, max_size=20),
        negatives=st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 3.0]), min_size=1, max_size=20),
    )
    def test_every_pair_is_counted(self, positives, negatives):
        got = ranks.auc_from_sorted(np.sort(positives), np.sort(negatives))
        expected = float(oracle.auc_of_points(positives, negatives))
        assert got == pytest.approx(expected, rel=0, abs=1e-15)

    @pytest.mark.parametrize(
        ("positives", "negatives", "expected"),
        [([1.0], [0.0], 1.0), ([0.0], [1.0], 0.0), ([1.0], [1.0], 0.5), ([0, 1, 1], [1, 1], 1 / 3)],
    )
    def test_small_cases_give_the_expected_area(self, positives, negatives, expected):
        got = ranks.auc_from_sorted(np.array(positives, float), np.array(negatives, float))
        assert got == pytest.approx(expected, rel=1e-15)
