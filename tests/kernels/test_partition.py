"""The parts of a map: in order, each pixel once, and of bounded size."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal.kernels import partition
from gazesal.kernels.cells import key_of
from gazesal.kernels.partition import Slab, Tie


def keys_of(values):
    """Keys of all pixels, by the scalar function."""
    bits = values.view(f"u{values.itemsize}")
    sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
    mask = (1 << 8 * bits.itemsize) - 1
    return [int(key_of(pattern, sign)) & mask for pattern in bits]


def values_by_part(values, room):
    """Part by part: the part, and the values in it, found by comparing keys."""
    extremes = float(values.min()), float(values.max())
    keys = keys_of(values)
    found = []
    for part in partition.parts_of(values, extremes, room):
        if isinstance(part, Tie):
            inside = values[values == values[part.example]]
        else:
            cells = [(key - int(part.lowest)) >> part.shift for key in keys]
            buckets = [
                int(part.bucket_of_cell[cell]) if 0 <= cell <= part.last_cell else -1
                for cell in cells
            ]
            inside = values[[part.first <= bucket < part.last for bucket in buckets]]
            place, step = part.places()
            held = np.diff(part.starts)
            assert place[-1] == part.size
            assert step.sum() == (held > 0).sum()
            assert np.bincount(buckets, minlength=part.last)[part.first :].size >= held.size
        found.append((part, inside))
    return found


def check(values, room):
    """Every pixel is in one part, and parts ascend."""
    found = values_by_part(values, room)
    below = 0
    for part, inside in found:
        assert part.size == inside.size > 0
        assert part.below == below
        below += part.size
    assert below == values.size
    for (_, low), (_, high) in pairwise(found):
        assert low.max() < high.min()
    return [part for part, _ in found]


SIZES = st.integers(1, 120)
FLOATS = {
    np.float32: st.floats(-(2.0**90), 2.0**90, width=32),
    np.float64: st.floats(-(2.0**900), 2.0**900),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_every_pixel_is_in_one_part(dtype, data):
    elements = st.one_of(FLOATS[dtype], st.sampled_from([0.0, -0.0, 1.0, 2.0]))
    values = data.draw(hnp.arrays(dtype, SIZES, elements=elements))
    check(values, data.draw(st.integers(1, 200)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestLargeBuckets:
    """What a bucket with most of the pixels becomes; kernels are compiled with their constants,
    so the sizes are the real ones.
    """

    SIZE = 9 * partition.BUCKET

    def test_ties_are_parts_by_themselves(self, dtype):
        values = np.random.default_rng(0).random(self.SIZE).astype(dtype)
        values[: self.SIZE // 2] = 0.0
        values[self.SIZE // 4 : self.SIZE // 2] = -0.0
        parts = list(partition.parts_of(values, (0.0, float(values.max())), self.SIZE))
        assert [type(part) for part in parts] == [Tie, Slab]
        assert parts[0].size == self.SIZE // 2 + (values[self.SIZE // 2 :] == 0).sum()

    def test_values_beside_an_outlier_are_told_apart(self, dtype):
        rng = np.random.default_rng(1)
        noise = 1 + np.finfo(dtype).eps * rng.integers(0, 4000, self.SIZE)
        values = noise.astype(dtype)
        values[7] = -1e30
        extremes = float(values.min()), float(values.max())
        parts = list(partition.parts_of(values, extremes, self.SIZE))
        assert sum(part.size for part in parts) == self.SIZE
        largest = max(np.diff(part.starts).max() for part in parts if isinstance(part, Slab))
        assert largest <= max(partition.BUCKET, self.SIZE // partition.TOO_LARGE)

    def test_slabs_are_no_larger_than_asked_by_more_than_a_bucket(self, dtype):
        values = np.random.default_rng(2).normal(size=self.SIZE).astype(dtype)
        extremes = float(values.min()), float(values.max())
        parts = list(partition.parts_of(values, extremes, self.SIZE // 3))
        assert len(parts) in {3, 4}
        assert max(part.size for part in parts) <= self.SIZE // 3 + partition.BUCKET


def test_cells_are_joined_to_buckets_of_bounded_size():
    counts = np.random.default_rng(3).integers(0, 9, 65536)
    bucket_of_cell = np.empty(counts.size, np.uint32)
    starts = partition.assign_buckets(counts, bucket_of_cell)
    assert (starts[0], starts[-1]) == (0, counts.sum())
    assert starts.size > 3
    assert np.diff(starts).max() <= partition.BUCKET
    assert np.array_equal(np.diff(starts), np.bincount(bucket_of_cell, counts))
    assert np.all(np.diff(bucket_of_cell.astype(np.int64)) >= 0)


@pytest.mark.parametrize(
    ("starts", "wanted", "expected"),
    [
        ([0, 10], 2, [(0, 1)]),
        ([0, 5, 10], 2, [(0, 1), (1, 2)]),
        ([0, 9, 10], 2, [(0, 1), (1, 2)]),
        ([0, 1, 10], 2, [(0, 2)]),
        ([0, 2, 4, 6, 8], 2, [(0, 2), (2, 4)]),
        ([0, 2, 4, 6, 8], 4, [(0, 1), (1, 2), (2, 3), (3, 4)]),
    ],
)
def test_slabs_hold_every_bucket_once(starts, wanted, expected):
    slabs = partition.slabs_of(np.array(starts), wanted)
    assert slabs == expected
    assert [b for first, last in slabs for b in range(first, last)] == list(range(len(starts) - 1))
