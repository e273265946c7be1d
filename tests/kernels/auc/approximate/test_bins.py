"""Bins of rank keep the order of values, and bins of one value are marked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal.kernels.auc.approximate import bins


def laid(values, wanted, weights=None):
    """Return a map's bits, its bins, and a sample of all its pixels."""
    bits = values.view(f"u{values.itemsize}")
    weights = np.ones(values.size) if weights is None else weights
    sample = bins.sample_weights([weights], [None], values.size)
    extremes = float(values.min()), float(values.max())
    return bits, bins.lay_bins(bits, extremes, sample, wanted), sample


def bins_of(values, wanted):
    bits, found, _ = laid(values, wanted)
    filled = found.fill(bits, np.empty(bits.size, np.uint32))
    assert filled.max() < found.number <= wanted + 2
    return filled.astype(np.int64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    values=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=30),
    wanted=st.sampled_from([1, 7, 1000, 1 << 18]),
)
def test_bins_never_reverse_an_order(values, wanted, dtype):
    array = np.array(values, dtype)
    found = bins_of(array, wanted)
    order = np.argsort(array)
    assert np.all(np.diff(found[order]) >= 0)
    same = array[:, None] == array[None, :]
    assert np.all((found[:, None] == found[None, :])[same])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("draw", ["random", "normal", "exponential", "lognormal"])
def test_bins_hold_about_as_many_pixels_each(draw, dtype):
    """This holds in dense places too, and nearly all wanted bins are used."""
    values = getattr(np.random.default_rng(1), draw)(size=1 << 18).astype(dtype)
    counts = np.bincount(bins_of(values, 1 << 12))
    share = np.sum((counts / values.size) ** 2)
    assert share < 1.35 / (1 << 12)
    assert np.count_nonzero(counts) > 0.9 * (1 << 12)


def test_more_bins_than_keys_are_one_key_each():
    values = np.random.default_rng(2).permutation(1 << 10).astype(np.float32) + 2.0**22
    bits, found, sample = laid(values, 1 << 20)
    filled = found.fill(bits, np.empty(bits.size, np.uint32))
    assert np.unique(filled).size == values.size
    marks = bins.find_purity(bits, found, sample).marks
    assert (marks[filled] == 1).all()


def test_a_bin_with_smaller_values_before_its_cell_is_not_of_one_key():
    """Values without weight have no bin of their own and share the next bin."""
    values = np.arange(1.0, 2.0, 2.0**-14).astype(np.float32)
    weights = (values >= 1.5).astype(np.float64)
    bits, found, sample = laid(values, 1 << 20, weights)
    filled = found.fill(bits, np.empty(bits.size, np.uint32))
    purity = bins.find_purity(bits, found, sample)
    purity.look_at(bits, filled)
    several = np.bincount(filled, minlength=found.number) > 1
    assert several.any()
    assert not (several & (purity.marks > 0)).any()


def test_zeros_are_found_to_be_of_one_value():
    values = np.maximum(np.random.default_rng(3).normal(size=4000), 0.0).astype(np.float32)
    bits, found, sample = laid(values, 64)
    filled = found.fill(bits, np.empty(bits.size, np.uint32))
    purity = bins.find_purity(bits, found, sample)
    purity.look_at(bits, filled)
    assert purity.marks[filled[values == 0.0]].all()


def test_bins_of_several_values_lose_their_mark():
    bits = np.array([0.0, -0.0, 1.0, 1.0, 2.0, 3.0]).view("u8")
    where = np.array([0, 0, 1, 1, 2, 2], np.uint32)
    marks = np.array([2, 3, 4], np.uint32)
    bins.find_impure(bits, where, bins.Purity(marks, bits[[0, 0, 0, 2, 4]], 0, 2))
    assert marks.tolist() == [2, 3, 0]


def test_bins_of_one_key_keep_their_mark():
    bits = np.array([1.0, 2.0]).view("u8")
    marks = np.array([1], np.uint32)
    bins.find_impure(bits, np.zeros(2, np.uint32), bins.Purity(marks, bits, 0, 0))
    assert marks.tolist() == [1]


def test_a_sample_without_weight_has_equal_shares():
    size = 3 * bins.SAMPLE
    weights = np.zeros(size)
    weights[0] = 1.0
    sample = bins.sample_weights([weights], [None], size)
    assert sample.pixels[0] > 0
    assert sample.positives.tolist() == sample.negatives.tolist()
    assert sample.positives.sum() == pytest.approx(1.0)
