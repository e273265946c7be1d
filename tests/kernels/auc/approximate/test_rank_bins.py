"""Areas by bins of rank for many weightings are within their bound."""

import numpy as np
import pytest

from gazesal.kernels.auc import areas
from gazesal.kernels.auc.approximate import bins, rank_bins
from tests.oracles import ranks as oracle

ROUNDING = areas.ROUNDING + areas.SLACK


@pytest.mark.parametrize("half", [0.0, 1e-12, 3e-8, 1e-7, 7e-7, 1e-5, 9e-4, 2e-3, 0.3, 0.5])
def test_packed_halves_are_rounded_up_and_shares_are_near(half):
    lowest, halves = rank_bins.halves_of_codes(1e-6)
    tally = np.array([0.2, 2 * half, 0.8 - 2 * half if half < 0.4 else 0.0])
    total = tally.sum()
    packed = np.empty((3, 1), np.uint32)
    rank_bins.pack_shares(tally, total, np.zeros(3, np.uint32), lowest, packed[:, 0])
    entries = np.empty((1, 3), np.uint32)
    rank_bins.look_up(np.arange(3, dtype=np.uint32), packed, entries)
    rows = np.empty((2, 3), np.float32)
    rank_bins.unpack(entries, halves, rows)
    beaten = (np.cumsum(tally) - tally / 2) / total
    assert rows[0] == pytest.approx(beaten, rel=0, abs=areas.ROUNDING)
    true = 0.5 * tally / total
    assert np.all(rows[1] >= true)
    if 1e-7 <= true[1] <= 9e-4:
        assert rows[1, 1] <= 1.26 * true[1]
    if half == 0.0:
        assert rows[1, 1] == 0.0


def test_a_bin_marked_as_one_value_does_not_change_the_bound():
    lowest, halves = rank_bins.halves_of_codes(1e-6)
    packed = np.empty((2, 1), np.uint32)
    marks = np.array([1, 0], np.uint32)
    rank_bins.pack_shares(np.array([3.0, 1.0]), 4.0, marks, lowest, packed[:, 0])
    assert halves[packed[:, 0] & rank_bins.LAST_CODE].tolist() == [0.0, 0.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wanted", [1, 64, 4096])
@pytest.mark.parametrize("kind", ["noise", "ties", "zeros"])
def test_error_is_within_the_bound(dtype, wanted, kind):
    rng = np.random.default_rng(wanted)
    size = 2 * rank_bins.LANES + 37
    noise = rng.normal(size=size)
    values = {"noise": noise, "ties": np.round(noise), "zeros": np.maximum(noise, 0)}[kind]
    values = values.astype(dtype)
    positives, others, negatives = rng.integers(0, 4, (3, size))
    weights = [positives.astype(np.float32), others.astype(np.float64)]
    kinds = [None, negatives.astype(np.float32)]
    sample = bins.sample_weights(weights, kinds, size)
    extremes = float(values.min()), float(values.max())
    totals = [float(size), float(negatives.sum())]
    wins, halves = rank_bins.binned_wins(
        values, extremes, weights, kinds, totals, sample, 1e-3, wanted
    )
    for r, p in enumerate((positives, others)):
        for k, q in enumerate((np.ones_like(p), negatives)):
            expected = float(oracle.weighted_auc_of_integers(values, p, q))
            bound = halves[r] / p.sum() + ROUNDING
            assert abs(wins[r, k] / p.sum() - expected) <= bound
    if kind == "ties" and wanted > 1:  # the sample is the whole map here, and finds them all
        assert halves.max() / positives.sum() < 0.01
