"""The error of sampled AUCs against every pair, Monte Carlo and the study's own draws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import gazesal
from gazesal import sampled_auc_error, samples_for_error
from tests.oracles import ranks as oracle

SHAPE = (3, 4)


@st.composite
def maps(draw):
    saliency = draw(arrays(np.float64, SHAPE, elements=st.integers(-3, 3)))
    weights = [draw(arrays(np.float64, SHAPE, elements=st.integers(0, 5))) for _ in range(2)]
    for each in weights:
        each[0, 0] += 1
    return saliency, *weights


@given(case=maps(), m=st.integers(1, 50), n=st.integers(1, 50))
def test_error_equals_enumeration_of_all_pairs(case, m, n):
    got = sampled_auc_error(*case, n_samples=m, n_negatives=n)
    # as variances: the oracle's is a difference, which leaves rounding of about 1e-16
    assert got**2 == pytest.approx(oracle.standard_error(*case, m, n) ** 2, rel=1e-10, abs=1e-15)
    uniform = sampled_auc_error(*case[:2], n_samples=m, n_negatives=n)
    expected = oracle.standard_error(*case[:2], None, m, n)
    assert uniform**2 == pytest.approx(expected**2, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("bias", [False, True])
def test_error_is_the_spread_of_sampled_areas(bias):
    rng = np.random.default_rng(0)
    saliency, gaze, center = np.round(rng.random((12, 15)), 1), *rng.random((2, 12, 15)) ** 3
    metric, args = (gazesal.sauc, [center]) if bias else (gazesal.auc_borji, [])
    draws = [metric(saliency, gaze, *args, n_samples=50, rng=seed) for seed in range(4000)]
    error = sampled_auc_error(saliency, gaze, *args, n_samples=50)
    assert np.mean(draws) == pytest.approx(metric(saliency, gaze, *args), abs=5 * error / 63)
    # the standard deviation of 4000 draws is known to about 1 / sqrt(8000)
    assert np.std(draws) == pytest.approx(error, rel=5 / math.sqrt(8000))


@given(case=maps(), gain=st.sampled_from([1e-200, 0.5, 1e200]))
def test_scales_of_the_maps_do_not_matter(case, gain):
    saliency, gaze, bias = case
    expected = sampled_auc_error(saliency, gaze, bias, n_samples=10)
    got = sampled_auc_error(2 * saliency + 1, gain * gaze, bias / gain, n_samples=10)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(case=maps(), error=st.sampled_from([0.5, 0.1, 0.01, 0.001]))
def test_the_number_of_samples_is_the_smallest(case, error):
    n = samples_for_error(*case, error=error)
    assert sampled_auc_error(*case, n_samples=n) <= error * (1 + 1e-12)
    if n > 1:
        assert sampled_auc_error(*case, n_samples=n - 1) > error * (1 - 1e-12)


def test_a_constant_map_has_no_error():
    flat = np.full(SHAPE, 0.1)
    assert sampled_auc_error(flat, np.ones(SHAPE), n_samples=3) == 0.0
    assert samples_for_error(flat, np.ones(SHAPE), error=1e-9) == 1


def test_inputs_are_not_modified():
    arrays_ = [np.random.default_rng(s).random(SHAPE) for s in range(3)]
    copies = [each.copy() for each in arrays_]
    sampled_auc_error(*arrays_, n_samples=3)
    assert all(np.array_equal(a, b) for a, b in zip(arrays_, copies, strict=True))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"saliency_map": [[np.nan, 1.0]]}, ValueError, "`saliency_map` must be finite"),
        ({"gaze_map": [[0.0, 0.0]]}, ValueError, "`gaze_map` must have a positive sum"),
        ({"gaze_map": [[1.0]]}, ValueError, "`saliency_map` and `gaze_map` must have the same"),
        ({"center_bias": [[-1.0, 2.0]]}, ValueError, "`center_bias` must be non-negative"),
        ({"center_bias": [[1.0]]}, ValueError, "`saliency_map` and `center_bias`"),
        ({"n_samples": 0}, ValueError, "`n_samples` must be at least 1"),
        ({"n_samples": 1.5}, TypeError, "`n_samples` must be an integer"),
        ({"n_negatives": 0}, ValueError, "`n_negatives` must be at least 1"),
    ],
)
def test_invalid_arguments_raise(change, error, message):
    given_ = {"saliency_map": [[0.0, 1.0]], "gaze_map": [[1.0, 2.0]], "n_samples": 5} | change
    with pytest.raises(error, match=message):
        sampled_auc_error(**given_)


@pytest.mark.parametrize("error", [0, -1, 1e-200, math.inf, math.nan, "a", True])
def test_invalid_error_raises(error):
    kind = TypeError if error in {"a", True} else ValueError
    with pytest.raises(kind, match="`error` must be"):
        samples_for_error([[0.0, 1.0]], [[1.0, 2.0]], error=error)


def test_maps_constant_up_to_rounding_have_the_error_of_a_constant():
    noise = np.random.default_rng(0).integers(-2, 3, (8, 9)) * np.finfo(float).eps
    gaze = np.random.default_rng(1).random((8, 9))
    found = gazesal.sampled_auc_error(0.3 * (1 + noise), gaze, n_samples=100)
    assert found == gazesal.sampled_auc_error(np.full((8, 9), 0.3), gaze, n_samples=100)
