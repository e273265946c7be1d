"""Many weightings under one ordering: every path of the slabs, buckets and ties."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings

from gazesal.kernels import moments
from gazesal.kernels.auc import shared_order
from tests.kernels.sizes import SIZES
from tests.oracles import ranks as oracle
from tests.strategies import map_triples

EXAMPLES = settings(max_examples=20 if numba.config.DISABLE_JIT else settings().max_examples)


def areas(values, positives, negatives):
    values = np.ascontiguousarray(values).ravel()
    positives = [np.asarray(p).ravel() for p in positives]
    total = 1.0
    if negatives is not None:
        negatives = np.asarray(negatives).ravel()
        total = float(negatives.astype(np.float64).sum())
    extremes = float(values.min()), float(values.max())
    wins = shared_order.shared_wins(values, extremes, positives, negatives, total, SIZES)
    return wins / np.array([[p.astype(np.float64).sum()] for p in positives])


@EXAMPLES
@given(case=map_triples())
def test_every_pair_is_counted(case):
    saliency, gaze, bias = case
    saliency = saliency if saliency.dtype.kind == "f" else saliency.astype(np.float32)
    got = areas(saliency, [gaze, bias], bias)
    for r, positives in enumerate((gaze, bias)):
        uniform = float(oracle.weighted_auc(saliency, positives))
        shuffled = float(oracle.weighted_auc(saliency, positives, bias))
        assert got[r] == pytest.approx([uniform, shuffled], rel=0, abs=1e-12)
    assert areas(saliency, [gaze], None)[0, 0] == pytest.approx(got[0, 0], rel=0, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "kind",
    [
        "noise",
        "ties",
        "one cell",
        "two ties",
        "zeros and noise",
        "mostly zeros",
        "mostly -0.0",
        "largest",
    ],
)
def test_maps_of_many_buckets_give_exact_areas(dtype, kind):
    rng = np.random.default_rng(1)
    size = 3 * SIZES.bucket + 17
    noise = rng.integers(-4000, 4000, size)
    values = {
        "noise": noise / 7,
        "ties": noise // 2000,
        "one cell": np.where(np.arange(size) == 3, -9e9, 1 + np.finfo(dtype).eps * noise),
        "two ties": np.where(noise < 900, 0.0, 3.0),
        "zeros and noise": np.maximum(noise, 0),
        "mostly zeros": np.maximum(noise - 3000, 0),  # one bucket of one value is not ordered
        "mostly -0.0": np.where(noise < 3000, np.where(noise % 2, -0.0, 0.0), noise / 7 - 500),
        "largest": np.minimum(noise, -3000),
    }[kind].astype(dtype)
    positives, others, negatives = rng.integers(0, 4, (3, size))
    got = areas(values, [positives.astype(np.float32), others], negatives.astype(np.float64))
    for r, p in enumerate((positives, others)):
        shuffled = oracle.weighted_auc_of_integers(values, p, negatives)
        uniform = oracle.weighted_auc_of_integers(values, p, np.ones_like(p))
        expected = [float(uniform), float(shuffled)]
        assert got[r] == pytest.approx(expected, rel=0, abs=1e-13)


def test_sums_over_many_blocks_lose_no_digits():
    rng = np.random.default_rng(2)
    weights, shares = rng.random(5000), rng.random((2, 1300))
    pixels = rng.permutation(5000)[:1300].astype(np.uint32)
    out = np.empty(2)
    shared_order.add_wins(weights, pixels, shares, out)
    expected = [math.fsum(weights[pixels] * row) for row in shares]
    assert out.tolist() == pytest.approx(expected, rel=1e-14)


def test_small_weights_are_not_lost_beside_large_ones():
    """Lanes over all pixels would lose them, and lanes within blocks lose few."""
    size = 20 * moments.BLOCK
    weights = np.full(size, 2.0**-54)
    weights[: moments.LANES] = 1.0
    pixels = np.arange(size, dtype=np.uint32)
    out = np.empty(2)
    shared_order.add_wins(weights, pixels, np.array([[1.0], [0.5]]) * np.ones(size), out)
    expected = moments.LANES + (size - moments.LANES) * 2.0**-54
    sums = [shared_order.sum_at(weights, pixels), out[0], 2 * out[1]]
    assert sums == pytest.approx([expected] * 3, rel=4e-15, abs=0)
