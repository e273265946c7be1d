"""The step from a saliency map to a density."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal import to_density
from tests.strategies import SHAPES, saliency_maps, weight_maps


def check(density, shape):
    assert density.dtype == np.float64
    assert density.shape == shape
    assert density.min() >= 0
    assert math.fsum(density.flat) == pytest.approx(1.0, rel=1e-12)


@given(data=st.data(), shape=SHAPES, temperature=st.sampled_from([1e-300, 0.1, 1.0, 1e300]))
def test_softmax_of_any_map_equals_its_formula(data, shape, temperature):
    saliency = data.draw(saliency_maps(shape))
    density = to_density(saliency, "softmax", temperature=temperature)
    check(density, shape)
    peak = float(saliency.max())
    logits = [(float(value) - peak) / temperature for value in saliency.ravel()]
    weights = [math.exp(logit) if logit > -745 else 0.0 for logit in logits]
    expected = np.array(weights).reshape(shape) / math.fsum(weights)
    assert density == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(data=st.data(), shape=SHAPES, minimum=st.sampled_from([0.0, 1e-3, 7.0]))
def test_shares_of_the_sum(data, shape, minimum):
    saliency = data.draw(weight_maps(shape))
    density = to_density(saliency, "sum", minimum=minimum)
    check(density, shape)
    raised = saliency.astype(np.float64) + minimum
    assert density == pytest.approx(raised / math.fsum(raised.flat), rel=1e-12, abs=0)


@given(data=st.data(), shape=SHAPES, minimum=st.sampled_from([0.0, 1e-3, 7.0]))
def test_shares_above_the_lowest(data, shape, minimum):
    saliency = data.draw(saliency_maps(shape))
    if minimum == 0.0 and saliency.min() == saliency.max():
        with pytest.raises(ValueError, match=r"`saliency_map` must not be constant.*`minimum`"):
            to_density(saliency, "shift")
        return
    density = to_density(saliency, "shift", minimum=minimum)
    check(density, shape)
    values = saliency.astype(np.float64)
    raised = values - values.min() + minimum
    assert density == pytest.approx(raised / math.fsum(raised.flat), rel=1e-12, abs=0)


@pytest.mark.parametrize("method", ["shift", "softmax"])
def test_range_of_all_doubles_does_not_overflow(method):
    largest = np.finfo(np.float64).max
    density = to_density([[-largest, 0.0, largest]], method)
    expected = [[0, 1 / 3, 2 / 3]] if method == "shift" else [[0, 0, 1]]
    assert density == pytest.approx(np.array(expected), rel=1e-12, abs=0)


def test_denormals_keep_their_shares():
    tiny = np.nextafter(0.0, 1.0)
    assert to_density([[0, tiny, 3 * tiny]], "sum").tolist() == [[0, 0.25, 0.75]]
    assert to_density([[tiny, 2 * tiny, 4 * tiny]], "shift").tolist() == [[0, 0.25, 0.75]]


def test_softmax_undoes_a_logarithm():
    density = to_density(np.random.default_rng(0).random((5, 6)), "sum")
    assert to_density(np.log(density) + 9, "softmax") == pytest.approx(density, rel=1e-12)


def test_a_constant_is_uniform_where_something_is_left_of_it():
    constant = np.full((2, 4), 3)
    for density in (
        to_density(constant, "sum"),
        to_density(constant, "shift", minimum=1e-9),
        to_density(constant, "softmax"),
    ):
        assert density.tolist() == [[0.125] * 4] * 2


def test_the_map_is_not_modified():
    saliency = np.random.default_rng(1).random((3, 4))
    copy = saliency.copy()
    for method in ("sum", "shift", "softmax"):
        density = to_density(saliency, method)
        assert not np.shares_memory(density, saliency)
        assert np.array_equal(saliency, copy)


class TestBadInput:
    """Nothing is repaired in silence."""

    GOOD = np.array([[1.0, 2.0], [0.0, 5.0]])

    @pytest.mark.parametrize("method", ["sum", "shift", "softmax"])
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_infinite_or_nan_raises(self, method, value):
        with pytest.raises(ValueError, match="`saliency_map` must be finite"):
            to_density([[1.0, value]], method)

    @pytest.mark.parametrize("minimum", [0.0, 10.0])
    def test_negative_values_are_not_shifted_unasked(self, minimum):
        with pytest.raises(ValueError, match="`saliency_map` must be non-negative"):
            to_density(self.GOOD - 1, "sum", minimum=minimum)

    def test_zeros_everywhere_raise(self):
        with pytest.raises(ValueError, match="`saliency_map` must have a positive sum"):
            to_density(0 * self.GOOD, "sum")

    def test_sum_beyond_float64_raises(self):
        with pytest.raises(ValueError, match="`saliency_map` must have a finite sum"):
            to_density(np.full((2, 2), 1e308), "sum")

    def test_method_is_not_guessed(self):
        with pytest.raises(TypeError, match="method"):
            to_density(self.GOOD)
        with pytest.raises(ValueError, match="`method` must be one of 'sum', 'shift', 'softmax'"):
            to_density(self.GOOD, "minmax")

    def test_options_of_another_method_raise(self):
        with pytest.raises(ValueError, match="`minimum` must be 0"):
            to_density(self.GOOD, "softmax", minimum=1)
        with pytest.raises(ValueError, match="`temperature` must be 1"):
            to_density(self.GOOD, "sum", temperature=2)

    @pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
    def test_options_out_of_range_raise(self, value):
        with pytest.raises(ValueError, match="`minimum` must be finite and 0 or more"):
            to_density(self.GOOD, "sum", minimum=value)
        with pytest.raises(ValueError, match="`temperature` must be finite and"):
            to_density(self.GOOD, "softmax", temperature=value)

    @pytest.mark.parametrize("value", ["1", None, True])
    def test_options_that_are_no_numbers(self, value):
        with pytest.raises(TypeError, match="`minimum` must be a number"):
            to_density(self.GOOD, "sum", minimum=value)

    def test_maps_of_other_dimensions_raise(self):
        with pytest.raises(ValueError, match="`saliency_map` must be a non-empty 2-D"):
            to_density([1.0, 2.0], "sum")


@pytest.mark.parametrize(
    ("method", "options"),
    [("sum", {}), ("softmax", {"temperature": 1e-9}), ("shift", {"minimum": 1e-9})],
)
def test_a_map_that_is_constant_up_to_rounding_has_a_uniform_density(method, options):
    noise = np.random.default_rng(0).integers(-4, 5, (5, 6)) * np.float32(2.0**-26)
    saliency = np.float32(0.3) + noise.astype(np.float32)
    assert len(np.unique(saliency)) > 1
    assert len(np.unique(to_density(saliency, method, **options))) == 1
