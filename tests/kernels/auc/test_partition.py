"""The buckets of a map: in order, each pixel once, and of bounded size."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal.kernels.auc import cells, partition, shared_order

# each call walks 65,536 cells, which takes the interpreter some 20 ms
EXAMPLES = settings(max_examples=20 if numba.config.DISABLE_JIT else settings().max_examples)
DTYPES = [np.float32, np.float64]


def written(values, parted, room):
    """Return the pixels of each bucket from the slabs, and the pixels of ties by their values."""
    bits = values.view(f"u{values.itemsize}")
    ties = dict(zip(parted.tied.tolist(), parted.tied_values.tolist(), strict=True))
    found = []
    for slab in parted.slabs(room):
        assert slab.first == len(found)
        keys, pixels = np.empty(slab.size + 1, bits.dtype), np.empty(slab.size + 1, np.uint32)
        shared_order.scatter_pixels(bits, parted.tree, slab.targets(), keys, pixels)
        for bucket, (start, stop) in enumerate(pairwise(slab.starts), slab.first):
            if bucket in ties:
                assert start == stop
                found.append(np.flatnonzero(values == ties[bucket]))
            else:
                here = pixels[start:stop]
                assert np.all(np.diff(here.astype(np.int64)) > 0)  # in reading order
                assert np.array_equal(np.argsort(keys[start:stop]), np.argsort(values[here]))
                found.append(here)
    assert len(found) == parted.sizes.size
    return found


def check(values, room, bucket):
    """Check that each pixel is in one ascending bucket, small if it has several values."""
    sizes = partition.Sizes(bucket=bucket)
    parted = partition.part(values, (values.min(), values.max()), sizes)
    found = written(values, parted, room)
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(values.size))
    assert parted.sizes.tolist() == [pixels.size for pixels in found]
    below = 0
    limit = max(bucket, values.size // partition.TOO_LARGE)
    for b, pixels in enumerate(found):
        assert parted.below[b] == below
        below += pixels.size
        inside = values[pixels]
        assert (b in parted.tied) == (pixels.size > limit)
        assert pixels.size <= limit or inside.min() == inside.max()
    for low, high in pairwise(found):
        assert values[low].max() < values[high].min()
    largest = max((p.size for b, p in enumerate(found) if b not in parted.tied), default=0)
    slabs = parted.slabs(room)
    assert max(slab.size for slab in slabs) <= room + largest
    return parted


FLOATS = {
    np.float32: st.floats(-(2.0**90), 2.0**90, width=32),
    np.float64: st.floats(-(2.0**900), 2.0**900),
}


@pytest.mark.parametrize("dtype", DTYPES)
@EXAMPLES
@given(data=st.data())
def test_every_pixel_is_in_one_bucket(dtype, data):
    """Clusters of neighboring values, whose cells are divided, beside ties and outliers."""
    info = np.finfo(dtype)
    near = st.tuples(st.sampled_from([1.0, -2.0, 2.0**40]), st.integers(0, 9)).map(
        lambda pair: pair[0] * (1 + float(info.eps) * pair[1])
    )
    denormal = st.integers(-9, 9).map(lambda k: k * float(info.smallest_subnormal))
    elements = st.one_of(near, denormal, st.sampled_from([0.0, -0.0, 1.0]), FLOATS[dtype])
    values = data.draw(hnp.arrays(dtype, st.integers(1, 120), elements=elements))
    check(values, data.draw(st.integers(1, 200)), data.draw(st.sampled_from([1, 4, 16, 200])))


@pytest.mark.parametrize("dtype", DTYPES)
class TestLargeCells:
    """Cells with more than a sixteenth of the pixels."""

    SIZE = 8000
    BUCKET = 128

    def test_a_large_cell_of_one_value_is_a_tie(self, dtype):
        values = np.random.default_rng(0).random(self.SIZE).astype(dtype)
        values[: self.SIZE // 2] = 0.0
        values[self.SIZE // 4 : self.SIZE // 2] = -0.0
        values[-self.SIZE // 8 :] = 3.0
        parted = check(values, self.SIZE, self.BUCKET)
        assert parted.tied_values.tolist() == [0.0, 3.0]
        assert parted.tree.first.size == 1

    @pytest.mark.parametrize("parts", [4, 16])
    @pytest.mark.parametrize("more", [-1, 0, 1])
    def test_cells_of_more_than_a_sixteenth_of_the_pixels_are_divided(self, dtype, parts, more):
        values = np.random.default_rng(1).random(self.SIZE).astype(dtype)
        values[: self.SIZE // parts + more] = 3.0
        parted = check(values, self.SIZE // 2, self.BUCKET)
        assert parted.tied.size == (parts == 4 or more == 1)

    def test_a_large_cell_of_several_values_is_divided(self, dtype):
        rng = np.random.default_rng(2)
        values = (1 + np.finfo(dtype).eps * rng.integers(0, 4000, self.SIZE)).astype(dtype)
        values[:2] = -1e30, 1e30
        parted = check(values, self.SIZE // 2, self.BUCKET)
        assert parted.tied.size == 0
        assert parted.tree.first.size in {2, 3}  # they may lie on both sides of a cell's end
        assert parted.sizes.max() <= max(self.BUCKET, self.SIZE // partition.TOO_LARGE)

    def test_clusters_within_clusters_are_split(self, dtype):
        """Each level has a value in between, so that the next level agrees in its leading bits."""
        rng = np.random.default_rng(3)
        info = np.finfo(dtype)
        values = 2.0 ** rng.integers(-3, 3, self.SIZE)
        values *= 1 + info.eps * rng.integers(0, 60, self.SIZE)
        for bits in range(4, info.nmant - 6, 6):
            for level in range(-3, 3):
                values[rng.integers(0, self.SIZE)] = 2.0**level * (1 + 2.0**-bits)
        values[rng.random(self.SIZE) < 0.2] = 1.0
        values[:2] = -1e30, 1e30
        parted = check(values.astype(dtype), self.SIZE // 3, self.BUCKET)
        assert parted.tree.first.size >= 7
        assert 1.0 in parted.tied_values.tolist()

    def test_all_large_cells_may_be_ties(self, dtype):
        values = (np.arange(self.SIZE) % 2).astype(dtype)
        parted = check(values, 100, self.BUCKET)
        assert parted.tied.tolist() == [0, 1]
        assert [slab.size for slab in parted.slabs(100)] == [0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_maps_are_split_into_the_fewest_slabs(dtype):
    values = np.random.default_rng(4).normal(size=8000).astype(dtype)
    parted = check(values, 8000 // 3, 128)
    assert len(parted.slabs(8000 // 3)) in {3, 4}
    assert len(parted.slabs(8000)) == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_more_values_than_a_bucket_make_several_buckets(dtype, more):
    values = np.random.default_rng(5).normal(size=512 + more).astype(dtype)
    assert check(values, 512, 512).sizes.size == (1 if more < 1 else 2)


def test_weights_of_ties_are_added_up_block_by_block():
    """Lanes over the whole map would lose the small weights beside a large one."""
    size = 20 * partition.BLOCK
    values = np.zeros(size, np.float32)
    values[1::2] = 1.0
    weights = np.full(size, 2.0**-54)
    weights[: partition.LANES] = 1.0
    parted = partition.part(values, (0.0, 1.0))
    sums = parted.tied_sums(values, weights)
    expected = partition.LANES / 2 + (size - partition.LANES) / 2 * 2.0**-54
    assert sums.tolist() == pytest.approx([expected] * 2, rel=2e-15, abs=0)
    one_bucket = partition.part(values, (0.0, 1.0), partition.Sizes(bucket=size))
    assert not one_bucket.tied_sums(values, weights).any()


def test_cells_are_joined_to_buckets_of_bounded_size():
    counts = np.random.default_rng(6).integers(0, 9, cells.CELLS)
    bucket_of_cell = np.empty(counts.size, np.uint32)
    bucket = partition.SIZES.bucket
    sizes = partition.assign_buckets(counts, bucket, bucket_of_cell)
    assert sizes.size > 3
    assert bucket - 8 <= sizes[:-1].min() <= sizes.max() <= bucket
    assert np.array_equal(sizes, np.bincount(bucket_of_cell, counts))
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
    slabs = partition.runs(np.array(starts), wanted)
    assert slabs == expected
    assert [b for first, last in slabs for b in range(first, last)] == list(range(len(starts) - 1))
