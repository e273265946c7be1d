"""The sampled AUCs: unbiased, as spread as theory says, repeatable to the bit."""

import numpy as np
import pytest

from gazesal import auc_borji, sauc
from gazesal.kernels.moments import block_totals
from gazesal.kernels.sampling import BLOCK
from gazesal.metrics.auc import draw_pixels
from tests.oracles import ranks as oracle

SEEDS = 400
RNG = np.random.default_rng(0)


def maps(kind):
    """(saliency, gaze, bias) with or without ties and zero weights."""
    rng = np.random.default_rng(1)
    saliency, gaze, bias = rng.random((3, 24, 26))
    if kind == "ties":
        saliency = np.floor(3 * saliency)
    elif kind == "sparse":
        gaze, bias = gaze * (gaze > 0.9), bias * (bias > 0.7)
    elif kind == "related":
        saliency, gaze = saliency + gaze, gaze**6
    return saliency, gaze, bias


@pytest.mark.parametrize("kind", ["plain", "ties", "sparse", "related"])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("n_samples", [1, 40, 1000])
def test_mean_and_spread_over_many_seeds(kind, shuffled, n_samples):
    saliency, gaze, bias = maps(kind)
    bias = bias if shuffled else None

    def score(**options):
        if shuffled:
            return sauc(saliency, gaze, bias, **options)
        return auc_borji(saliency, gaze, **options)

    scores = [score(n_samples=n_samples, rng=seed) for seed in range(SEEDS)]
    spread = oracle.standard_error(saliency, gaze, bias, n_samples, n_samples)
    assert abs(np.mean(scores) - score()) < 4 * spread / np.sqrt(SEEDS)
    # an sd from 400 draws is itself known to 1 in sqrt(2 * 400) for a normal, 5 of them here
    assert np.std(scores, ddof=1) == pytest.approx(spread, rel=5 / np.sqrt(2 * SEEDS))


def test_the_same_seed_gives_the_same_bits():
    saliency, gaze, bias = maps("plain")
    for seed in (0, 7, np.random.SeedSequence(3)):
        first, again = (sauc(saliency, gaze, bias, n_samples=50, rng=seed) for _ in range(2))
        assert first == again
    assert len({sauc(saliency, gaze, bias, n_samples=50, rng=seed) for seed in range(20)}) > 10


def test_a_generator_is_drawn_from_and_moves_on():
    saliency, gaze, _ = maps("plain")
    generator = np.random.default_rng(5)
    first, second = (auc_borji(saliency, gaze, n_samples=50, rng=generator) for _ in range(2))
    assert first == auc_borji(saliency, gaze, n_samples=50, rng=5)
    assert first != second


def test_no_state_is_shared_with_numpy():
    """The legacy global generator is neither read nor moved."""
    saliency, gaze, _ = maps("plain")
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    auc_borji(saliency, gaze, n_samples=50, rng=5)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("seed", range(20))
def test_pixels_of_weight_zero_are_never_drawn(seed):
    """Positives and negatives on disjoint pixels: a single stray draw would show."""
    rng = np.random.default_rng(seed)
    gaze = rng.random((40, 50)) * 10.0 ** rng.integers(-12, 12, (40, 50))
    gaze[rng.random(gaze.shape) < 0.5] = 0.0
    gaze[0, 0] = 1.0
    bias = np.where(gaze > 0, 0.0, rng.random(gaze.shape))
    saliency = (gaze > 0).astype(np.float64)
    assert sauc(saliency, gaze, bias, n_samples=5000, rng=seed) == 1.0
    assert sauc(saliency, bias, gaze, n_samples=5000, rng=seed) == 0.0


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e-300])
def test_pixels_are_drawn_in_proportion_to_their_weights(scale):
    counts = np.array([3.0, 0.0, 1.0, 4.0] + [0.0] * 600 + [8.0])
    sums, _ = block_totals(counts * scale, BLOCK)
    n = 40_000
    drawn = draw_pixels(counts * scale, sums, n, np.random.default_rng(2))
    assert np.all(np.diff(drawn) >= 0)
    share = counts / counts.sum()
    error = np.sqrt(share * (1 - share) / n)
    assert np.all(np.abs(np.bincount(drawn, minlength=counts.size) / n - share) <= 4.5 * error)


def test_delta_gaze_draws_one_pixel():
    saliency = np.arange(1200.0).reshape(30, 40)
    gaze = np.zeros((30, 40))
    gaze[29, 39] = 1e-30
    score = auc_borji(saliency, gaze, n_samples=3000, rng=0)
    assert score == pytest.approx(1199.5 / 1200, abs=1e-3)
    assert sauc(saliency, gaze, gaze, n_samples=3000, rng=0) == 0.5


def test_exact_score_does_not_touch_the_source():
    saliency, gaze, _ = maps("plain")
    generator = np.random.default_rng(9)
    auc_borji(saliency, gaze, rng=generator)
    assert generator.random() == np.random.default_rng(9).random()


@pytest.mark.parametrize("unit", [1.0, 5e-324, 1e-310])
def test_subnormal_weights_are_drawn_in_proportion_too(unit):
    """A product of a random number and such a sum would be rounded to a multiple of `unit`."""
    saliency, counts = np.array([[0.0, 1.0, 2.0]]), np.array([[1.0, 3.0, 2.0]])
    n = 20_000
    expected = float(oracle.weighted_auc(saliency, counts))
    spread = oracle.standard_error(saliency, counts, None, n, n)
    score = auc_borji(saliency, unit * counts, n_samples=n, rng=0)
    assert abs(score - expected) < 4 * spread
