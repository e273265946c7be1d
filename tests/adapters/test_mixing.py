"""Mixing maps over classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

torch = pytest.importorskip("torch")

from gazesal.adapters.mixing import class_weights, mix_classes

SCHEMES = ["uniform", "weighted", "thresholded", "highest"]
LOGITS = hnp.arrays(np.float64, (2, 4), elements=st.floats(-30, 30))


def by_hand(logits, scheme):
    """Return the weights of the equation."""
    if scheme == "uniform":
        return [1.0] * len(logits)
    if scheme == "weighted":
        return [1 / (1 + np.exp(-y)) for y in logits]
    if scheme == "highest":
        return [float(i == list(logits).index(max(logits))) for i in range(len(logits))]
    above = [float(y >= 0) for y in logits]
    return above if any(above) else [1.0, *[0.0] * (len(logits) - 1)]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(logits=LOGITS, seed=st.integers(0, 99))
def test_mixed_maps_equal_the_equation(scheme, logits, seed):
    maps = np.random.default_rng(seed).random((2, 4, 3, 5))
    mixed = mix_classes(maps, logits, scheme)
    plain = mix_classes(maps, logits, scheme, normalize=False)
    for i in range(2):
        psi = by_hand(logits[i], scheme)
        total = sum(p * m for p, m in zip(psi, maps[i], strict=True))
        np.testing.assert_allclose(plain[i], total, rtol=1e-9)
        np.testing.assert_allclose(mixed[i], total / sum(psi), rtol=1e-9)
        np.testing.assert_array_equal(mixed[i], mix_classes(maps[i], logits[i], scheme))
        np.testing.assert_allclose(class_weights(logits[i], scheme), psi, rtol=1e-9)


@pytest.mark.parametrize("scheme", [*SCHEMES, [1.0, 0.0, 2.0, 0.5]])
def test_tensors_and_arrays_give_the_same(scheme):
    rng = np.random.default_rng(0)
    maps, logits = rng.random((3, 4, 5, 6), np.float32), rng.normal(0, 3, (3, 4))
    array = mix_classes(maps, logits, scheme)
    tensor = mix_classes(torch.from_numpy(maps), torch.from_numpy(logits), scheme)
    assert isinstance(array, np.ndarray)
    assert tensor.dtype == torch.float32
    assert array.dtype == np.float32
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_no_finding_can_be_any_class():
    maps = np.arange(3.0)[:, None, None]
    assert mix_classes(maps, [-1, -2, -3], "thresholded", no_finding=2) == 2.0
    assert mix_classes(maps, [-1, 0, -3], "thresholded", no_finding=2) == 1.0


def test_given_weights_can_be_negative_but_not_sum_to_zero():
    maps = np.array([[[1.0]], [[3.0]]])
    assert mix_classes(maps, [0, 0], [-1, 2]) == 5.0
    assert mix_classes(maps, [0, 0], [-1, 1], normalize=False) == 2.0
    with pytest.raises(ValueError, match="weights with a positive sum, got 0"):
        mix_classes(maps, [0, 0], [-1, 1])


def test_input_is_not_modified():
    maps, logits = np.random.default_rng(0).random((2, 3, 4)), np.array([1.0, -1.0])
    kept = maps.copy(), logits.copy()
    for scheme in (*SCHEMES, np.array([1.0, 2.0])):
        mix_classes(maps, logits, scheme)
    np.testing.assert_array_equal(maps, kept[0])
    np.testing.assert_array_equal(logits, kept[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"maps": np.zeros((3, 4))}, ValueError, "`maps` must have shape"),
        ({"maps": [[[1.0]]]}, TypeError, "`maps` must be a tensor or an array, got list"),
        ({"logits": [1.0]}, ValueError, r"`logits` must have the shape \(2,\)"),
        ({"logits": 1.0}, ValueError, "`logits` must be non-empty, of shape"),
        ({"logits": [1.0, np.nan]}, ValueError, "`logits` must be finite"),
        ({"logits": ["a", "b"]}, TypeError, "`logits` must hold real numbers"),
        ({"scheme": "other"}, ValueError, "`scheme` must be one of 'uniform'"),
        ({"scheme": [1.0]}, ValueError, r"`scheme` must be weights of shape \(2,\)"),
        ({"scheme": [1.0, np.inf]}, ValueError, "`scheme` must be finite"),
        (
            {"scheme": "thresholded", "no_finding": 2},
            ValueError,
            "`no_finding` must be less than 2, got 2",
        ),
    ],
)
def test_invalid_input_raises(options, error, message):
    good = {"maps": np.zeros((2, 3, 4)), "logits": [0.0, 1.0]}
    with pytest.raises(error, match=message):
        mix_classes(**{**good, **options})


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16"])
def test_maps_of_few_bits_are_mixed_in_floating_point(make, dtype):
    maps = make(np.array([[[0, 20]], [[41, 0]]]).astype(dtype))
    assert mix_classes(maps, [0.0, -3.0]).tolist() == [[20.5, 10.0]]
    large = make(np.full((2, 1, 2), 250 if dtype == "uint8" else 40000).astype(dtype))
    assert mix_classes(large, [0.0, 1.0], normalize=False)[0, 0] == 2 * float(large[0, 0, 0])


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_maps_that_are_not_finite_raise(make, value):
    with pytest.raises(ValueError, match="`maps` must be finite"):
        mix_classes(make(np.array([[[value, 1.0]], [[0.0, 1.0]]])), [0.0, 1.0])
    with pytest.raises(TypeError, match="real numbers"):
        mix_classes(make(np.full((2, 1, 1), 1j)), [0.0, 1.0])


@pytest.mark.parametrize("scheme", ["weighted", "thresholded"])
def test_probabilities_instead_of_logits_raise(scheme):
    """Probabilities are positive, so every class would be above the threshold."""
    logits = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -3.0]])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    maps = np.ones((2, 3, 4, 4), np.float32)
    for logits_given in (probabilities, probabilities.astype(np.float32)):
        with pytest.raises(ValueError, match=r"`logits` must be logits .* the weights as `scheme`"):
            mix_classes(maps, logits_given, scheme)
    assert mix_classes(maps, logits, scheme).shape == (2, 4, 4)
    assert mix_classes(maps, probabilities, probabilities).shape == (2, 4, 4)
    assert mix_classes(maps, probabilities, "highest").shape == (2, 4, 4)
