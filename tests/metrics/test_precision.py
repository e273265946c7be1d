"""float32 maps against extended precision, and exact areas against exact rationals."""

import numpy as np
import pytest

import gazesal
from tests.oracles import correlation, ranks

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="no extended precision on this machine"
)
DEGENERATE = ["plain", "offset", "tiny", "huge", "denormal", "peak", "tiny peak", "drift"]


def as_float32(kind, noise):
    """A float32 map of noise in [0, 1), bent until single precision shows."""
    noise = noise.astype(np.float32)
    peak = np.zeros_like(noise)
    peak[noise.shape[0] // 3, noise.shape[1] // 2] = 1.0
    return {
        "plain": lambda: noise,
        "offset": lambda: 1e5 + noise,
        "tiny": lambda: noise * np.float32(1e-30),
        "huge": lambda: noise * np.float32(1e30),
        "denormal": lambda: np.round(noise * 50) * np.float32(1.4e-45),
        "peak": lambda: peak,
        "tiny peak": lambda: peak * np.float32(1e-44),
        "drift": lambda: noise + 300 * np.linspace(0, 1, noise.shape[1]),
    }[kind]().astype(np.float32)


def check_ncc(kind, shape, seed):
    rng = np.random.default_rng(seed)
    noise = rng.random(shape, np.float32)
    saliency = as_float32(kind, noise)
    gaze = (noise**4 + rng.random(shape, np.float32)) * np.float32(1e-7)
    expected = correlation.ncc_in_long_double(saliency, gaze)
    assert gazesal.ncc(saliency, gaze) == pytest.approx(expected, rel=0, abs=1e-12)
    assert gazesal.ncc(gaze, saliency) == pytest.approx(expected, rel=0, abs=1e-12)
    at_once = gazesal.score([saliency], [gaze], metrics=["ncc"]).values[0, 0, 0]
    assert at_once == pytest.approx(expected, rel=0, abs=1e-12)


def test_extended_precision_agrees_with_exact_arithmetic():
    x, y = np.random.default_rng(0).random((2, 9, 11))
    expected = correlation.ncc(x, y)
    assert correlation.ncc_in_long_double(x, y) == pytest.approx(expected, rel=0, abs=1e-15)


@pytest.mark.parametrize("kind", DEGENERATE)
def test_ncc_of_float32_maps_is_exact(kind):
    check_ncc(kind, (501, 413), DEGENERATE.index(kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", DEGENERATE)
def test_ncc_of_float32_maps_of_16_megapixels_is_exact(kind):
    check_ncc(kind, (4096, 4096), 20 + DEGENERATE.index(kind))


@pytest.mark.parametrize("kind", DEGENERATE)
def test_areas_of_float32_maps_are_exact(kind):
    """Only the order counts, and single precision must not change it."""
    rng = np.random.default_rng(40 + DEGENERATE.index(kind))
    saliency = as_float32(kind, rng.random((101, 97)))
    positives, negatives = rng.integers(0, 9, (2, *saliency.shape))
    expected = float(ranks.weighted_auc_of_integers(saliency, positives, negatives))
    scale = np.float32(2.0**-120)  # a power of two, which changes no digit
    maps = [saliency, *(array.astype(np.float32) * scale for array in (positives, negatives))]
    assert gazesal.sauc(*maps) == pytest.approx(expected, rel=0, abs=1e-12)
    got = gazesal.score(maps[:1], maps[1:], maps[2], ["sauc"]).values[0, :, 0]
    assert got == pytest.approx([expected, 0.5], rel=0, abs=1e-12)


ADVERSARIAL = ["all magnitudes", "one giant", "giants tied", "rising", "falling", "tiny", "mixed"]


def adversarial(kind, size, rng):
    """Weights between 1e-300 and 1e300."""
    spread = 10.0 ** rng.uniform(-300, 300, size)
    return {
        "all magnitudes": lambda: spread,
        "one giant": lambda: np.where(np.arange(size) == size // 2, 1e300, rng.random(size)),
        "giants tied": lambda: np.where(np.arange(size) % 7 == 0, 1e300, 1e283 * rng.random(size)),
        "rising": lambda: 10.0 ** np.linspace(-300, 300, size),
        "falling": lambda: 10.0 ** np.linspace(300, -300, size),
        "tiny": lambda: 1e-300 * rng.random(size),
        "mixed": lambda: rng.permutation(np.r_[spread[: size // 2], np.zeros(size - size // 2)]),
    }[kind]()


@pytest.mark.parametrize("positive", ADVERSARIAL)
@pytest.mark.parametrize("negative", ADVERSARIAL)
@pytest.mark.parametrize("distinct", [3, 40, 10**9])
def test_weights_of_all_magnitudes_give_exact_areas(positive, negative, distinct):
    rng = np.random.default_rng([ADVERSARIAL.index(positive), ADVERSARIAL.index(negative)])
    saliency = np.sort(rng.integers(0, distinct, 60)).reshape(6, 10) / 7
    gaze, bias = (adversarial(kind, 60, rng).reshape(6, 10) for kind in (positive, negative))
    shuffled = float(ranks.weighted_auc(saliency, gaze, bias))
    uniform = float(ranks.weighted_auc(saliency, gaze))
    assert gazesal.sauc(saliency, gaze, bias) == pytest.approx(shuffled, rel=0, abs=1e-13)
    assert gazesal.auc_borji(saliency, gaze) == pytest.approx(uniform, rel=0, abs=1e-13)
    both = gazesal.score([saliency], [gaze, bias], bias, ["sauc", "auc_borji"]).values[0, 0]
    assert both == pytest.approx([shuffled, uniform], rel=0, abs=1e-13)


def test_a_long_run_of_small_weights_beside_a_large_one_is_not_lost():
    """Added one by one in float64, weights below half a unit of the first would all vanish."""
    size = 40_000
    weights = np.full(size, 2.0**-54)
    weights[0] = 1.0
    saliency = 1.0 + 2.0**-52 * np.arange(size)  # one cell, told apart by sorting only
    saliency = saliency.reshape(200, 200)
    gaze = weights.reshape(200, 200) * 2.0**54
    expected = float(
        ranks.weighted_auc_of_integers(
            saliency,
            np.array([[int(w) for w in row] for row in gaze.tolist()], dtype=object),
            np.ones((200, 200), dtype=object),
        )
    )
    got = gazesal.auc_borji(saliency, gaze)
    assert got == pytest.approx(expected, rel=1e-13)
    negatives_first = gazesal.sauc(saliency, np.ones((200, 200)), gaze)
    assert negatives_first == pytest.approx(1 - gazesal.sauc(saliency, gaze, np.ones((200, 200))),
                                            rel=0, abs=1e-15)  # fmt: skip
