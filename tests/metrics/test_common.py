"""Properties of every metric by the facts in its registry row, which a new metric inherits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from tests import oracles
from tests.metric_cases import (
    MOVES,
    NAMES,
    ON_MAPS,
    ON_POINTS,
    POINTS,
    arguments,
    example,
    function,
    moved,
    plain_arguments,
    score_or_nan,
)
from tests.strategies import SHAPES

METRICS = gazesal.METRICS
MONOTONE = [name for name in NAMES if METRICS[name].any_monotone_map]
AFFINE = [name for name in NAMES if METRICS[name].any_affine_map]
SCALED = [name for name in NAMES if METRICS[name].any_scaled_map]
SYMMETRIC = [name for name in NAMES if METRICS[name].symmetric]
SAMPLED = [name for name in NAMES if METRICS[name].can_sample]
NO_REST = {"residual_ncc", "semipartial_ncc"}  # undefined if the gaze is the center bias
EVERY = pytest.mark.parametrize("name", NAMES)

# rank metrics add weights in another order when pixels move; correlations add other terms
SAME = {"rel": 1e-12, "abs": 1e-12, "nan_ok": True}
ORACLE = {
    "emd": {"rel": 0, "abs": 1e-6},  # a linear program, feasible to 1e-7
    "auc": {"rel": 0, "abs": 0},  # counted in integers, as pairs are
    "auc_judd": {"rel": 0, "abs": 0, "nan_ok": True},
}


@EVERY
@given(data=st.data())
def test_agrees_with_the_definition(name, data):
    found = data.draw(arguments(name))
    expected = float(oracles.METRICS[name](*found))
    assert score_or_nan(name, found) == pytest.approx(expected, **ORACLE.get(name, SAME))


@EVERY
@given(data=st.data())
def test_stays_within_its_range(name, data):
    got = score_or_nan(name, data.draw(arguments(name)))
    assert np.isnan(got) or METRICS[name].low <= got <= METRICS[name].high


@pytest.mark.parametrize("name", AFFINE)
@given(
    data=st.data(),
    gain=st.sampled_from([0.25, 2.0, 1024.0, 2.0**-60, 2.0**80]),
    offset=st.integers(-8, 8),
)
def test_affine_rescaling_does_not_change_the_score(name, data, gain, offset):
    saliency, *others = data.draw(plain_arguments(name))
    rescaled = (saliency + offset) * gain
    expected = score_or_nan(name, (saliency, *others))
    assert score_or_nan(name, (rescaled, *others)) == pytest.approx(expected, **SAME)


@pytest.mark.parametrize("name", SCALED)
@given(data=st.data(), gain=st.sampled_from([0.1, 3.0, 1e-30, 1e30, 1e-290, 1e290]))
def test_scaling_does_not_change_the_score(name, data, gain):
    saliency, *others = data.draw(plain_arguments(name))
    expected = score_or_nan(name, (saliency, *others))
    assert score_or_nan(name, (saliency * gain, *others)) == pytest.approx(expected, **SAME)


@pytest.mark.parametrize("name", MONOTONE)
@given(data=st.data())
def test_monotone_rescaling_does_not_change_the_score(name, data):
    saliency, *others = data.draw(arguments(name))
    distinct, rank = np.unique(saliency, return_inverse=True)
    step = st.floats(2.0**-40, 2.0**40)
    steps = data.draw(st.lists(step, min_size=distinct.size, max_size=distinct.size))
    new_values = np.nextafter(np.cumsum(steps) - 2.0**40, np.inf)
    lost = np.any(np.diff(new_values) <= 0)  # a step lost to rounding would tie what was not
    if lost or np.ptp(new_values) < 1e-5 * np.abs(new_values).max():  # nearly constant
        new_values = np.arange(distinct.size) ** 3.0 - 5
    reranked = new_values[rank.reshape(saliency.shape)]
    expected = score_or_nan(name, (saliency, *others))
    assert score_or_nan(name, (reranked, *others)) == pytest.approx(expected, **SAME)


@pytest.mark.parametrize("name", NAMES)
def test_changes_excluded_by_the_registry_change_the_score(name):
    """The facts are neither too bold, as above, nor too shy."""
    metric = METRICS[name]
    saliency, *others = example(name)
    expected = function(name)(saliency, *others)
    if metric.densities:
        with pytest.raises(ValueError, match="must be a density"):
            function(name)(2 * saliency, *others)
        return
    assert metric.any_scaled_map  # nothing but a density is tied to a scale
    shifted = abs(function(name)(saliency + 1, *others) - expected)
    assert (shifted > 1e-3) != metric.any_affine_map
    cubed = abs(function(name)(saliency**3, *others) - expected)
    assert (cubed > 1e-3) != metric.any_monotone_map


@EVERY
@given(data=st.data(), move=st.sampled_from(sorted(MOVES)))
def test_flips_and_transposition_do_not_change_the_score(name, data, move):
    found = data.draw(plain_arguments(name))
    tolerance = {**SAME, "abs": 1e-9} if name == "emd" else SAME
    expected = score_or_nan(name, found)
    assert score_or_nan(name, moved(name, found, move)) == pytest.approx(expected, **tolerance)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(data=st.data())
def test_symmetric_metrics_take_the_maps_in_either_order(name, data):
    saliency, gaze, *others = data.draw(plain_arguments(name))
    expected = score_or_nan(name, (saliency, gaze, *others))
    assert score_or_nan(name, (gaze, saliency, *others)) == pytest.approx(expected, **SAME)


@pytest.mark.parametrize("name", sorted(set(ON_MAPS) - set(SYMMETRIC)))
def test_metrics_declared_asymmetric_are_asymmetric(name):
    maps = [np.array([[0.1, 1, 2, 9]]), np.array([[0.1, 0.2, 3, 1]]), np.array([[1.0, 3, 2, 1]])]
    saliency, gaze, *others = maps[: len(METRICS[name].arguments)]
    exchanged = function(name)(gaze, saliency, *others)
    assert abs(exchanged - function(name)(saliency, gaze, *others)) > 0.01


@pytest.mark.parametrize("name", ON_MAPS)
@given(data=st.data())
def test_the_gaze_itself_scores_no_worse_than_chance(name, data):
    _, gaze, *_ = data.draw(plain_arguments(name))
    metric = METRICS[name]
    best = metric.high if metric.higher_is_better else metric.low
    if metric.needs_center_bias:
        # against itself as the bias: exactly what the shuffled metrics take away
        got = score_or_nan(name, (gaze, gaze, gaze))
        if name in NO_REST:
            assert math.isnan(got)
        else:
            assert got == pytest.approx(metric.chance, rel=0, abs=1e-12)
    elif metric.any_monotone_map:
        assert function(name)(gaze, gaze) > metric.chance
    else:
        assert function(name)(gaze, gaze) == pytest.approx(best, **SAME)


@pytest.mark.parametrize("name", ON_POINTS)
@given(data=st.data())
def test_a_map_of_the_fixations_scores_no_worse_than_chance(name, data):
    metric = METRICS[name]
    saliency, fixations, *_ = data.draw(plain_arguments(name))
    counts = np.zeros(saliency.shape)
    column, row = np.floor(fixations + 0.5).astype(int).T
    np.add.at(counts, (row, column), 1)
    if metric.densities:
        counts /= counts.sum()
    if metric.needs == "other_fixations":
        got = score_or_nan(name, (counts, fixations, fixations))
        assert np.isnan(got) or got == metric.chance
    elif metric.needs == "baseline":
        assert function(name)(counts, fixations, counts) == 0.0
        uniform = np.full(counts.shape, 1 / counts.size)
        assert function(name)(counts, fixations, uniform) >= -1e-12
    else:
        got = score_or_nan(name, (counts, fixations))
        assert np.isnan(got) or got >= (0 if metric.densities else metric.chance) - 1e-12


@EVERY
@given(shape=SHAPES, value=st.floats(2.0**-90, 2.0**90), negative=st.booleans())
def test_constant_saliency_map_scores_as_registered(name, shape, value, negative):
    metric = METRICS[name]
    found = example(name, shape)
    signed = not (metric.weights and metric.weights[0] == "saliency_map")
    found[0] = np.full(shape, -value if negative and signed else value)
    if metric.densities:
        found[0] = np.full(shape, 1 / (shape[0] * shape[1]))
    if name == "auc_judd" and shape[0] * shape[1] <= len(found[1]):
        found[1] = found[1][:1]
        if found[0].size == 1:
            return  # one pixel, and fixated: nothing is left to compare with
    got = score_or_nan(name, found)
    if metric.constant_map is None:
        assert not np.isnan(got)
    elif metric.constant_map == 0.5:
        assert got == 0.5
    else:
        assert got == pytest.approx(metric.constant_map, **SAME)


@EVERY
@given(data=st.data(), dtype=st.sampled_from(["f4", ">f4", ">f8", "f2"]))
def test_dtype_does_not_matter(name, data, dtype):
    """Multiples of 1/64 below 8 fit in every floating type, half precision included."""
    found = data.draw(plain_arguments(name))
    cast = tuple(array.astype(dtype) for array in found)
    assert score_or_nan(name, cast) == pytest.approx(score_or_nan(name, found), **SAME)


@EVERY
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_integer_and_boolean_maps_work(name, dtype):
    rng = np.random.default_rng(3)
    found = []
    for argument in METRICS[name].arguments:
        array = rng.integers(0, 2, (5, 6))
        if argument in POINTS:
            array = rng.integers(0, 2, (7, 2))
        elif argument in METRICS[name].densities:
            array = np.arange(30).reshape(5, 6) == rng.integers(0, 2)
        found.append(array)
    cast = tuple(
        array if each in POINTS and dtype is np.bool_ else array.astype(dtype)
        for each, array in zip(METRICS[name].arguments, found, strict=True)
    )
    floats = tuple(array.astype(np.float64) for array in found)
    assert function(name)(*cast) == pytest.approx(function(name)(*floats), **SAME)


@EVERY
def test_memory_layout_does_not_matter(name):
    found = example(name, (40, 30), seed=4)
    expected = function(name)(*found)
    for layout in (
        np.asfortranarray,
        lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
        lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),  # read-only
        lambda a: a.tolist(),
    ):
        assert function(name)(*(layout(array) for array in found)) == expected


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1.0, 1e-210])
def test_inputs_are_not_modified(name, dtype, scale):
    """At a tiny scale, maps are brought to another one first."""
    found = [
        array * (scale if dtype is np.float64 and METRICS[name].any_scaled_map else 1.0)
        if argument not in POINTS
        else array
        for argument, array in zip(METRICS[name].arguments, example(name, (9, 7)), strict=True)
    ]
    found = [array.astype(dtype) for array in found]
    copies = [array.copy() for array in found]
    function(name)(*found)
    if METRICS[name].can_sample:
        function(name)(*found, n_samples=50, rng=0)
    for array, copy in zip(found, copies, strict=True):
        assert np.array_equal(array, copy)


@EVERY
def test_the_same_maps_give_the_same_bits_again(name):
    found = example(name, (200, 170) if name != "emd" else (20, 17), seed=6)
    assert len({function(name)(*found) for _ in range(3)}) == 1


@pytest.mark.parametrize("name", ON_POINTS)
class TestFixations:
    """Fixations are a collection of pixels: order, place within the pixel and copies of all."""

    @given(data=st.data())
    def test_their_order_does_not_matter(self, name, data):
        saliency, fixations, *others = data.draw(arguments(name))
        order = data.draw(st.permutations(range(len(fixations))))
        expected = score_or_nan(name, (saliency, fixations, *others))
        got = score_or_nan(name, (saliency, fixations[order], *others))
        assert np.isnan(expected) or got == expected  # to the bit

    @given(data=st.data())
    def test_repeating_all_fixations_does_not_change_the_score(self, name, data):
        saliency, fixations, *others = data.draw(arguments(name))
        twice = np.repeat(fixations, 2, axis=0)
        expected = score_or_nan(name, (saliency, fixations, *others))
        assert score_or_nan(name, (saliency, twice, *others)) == pytest.approx(expected, **SAME)

    @given(data=st.data())
    def test_the_place_within_a_pixel_does_not_matter(self, name, data):
        saliency, fixations, *others = data.draw(arguments(name))
        centers = np.floor(fixations + 0.5)
        expected = score_or_nan(name, (saliency, fixations, *others))
        got = score_or_nan(name, (saliency, centers, *others))
        assert np.isnan(expected) or got == expected


@pytest.mark.parametrize("name", ON_POINTS)
def test_a_fixation_that_is_repeated_counts_again(name):
    """But in Judd's binary map of fixated pixels."""
    saliency, fixations, *others = example(name)
    more = np.concatenate([fixations, fixations[:1], fixations[:1]])
    changed = function(name)(saliency, more, *others) != function(name)(
        saliency, fixations, *others
    )
    assert changed == (name != "auc_judd")


@pytest.mark.parametrize("name", SAMPLED)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_sampled_scores_stay_within_range_too(name, data, seed):
    found = data.draw(arguments(name))
    got = score_or_nan(name, found, n_samples=7, rng=seed)
    assert METRICS[name].low <= got <= METRICS[name].high


def test_labels_and_facts_are_consistent():
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    for metric in METRICS.values():
        assert metric.any_monotone_map <= metric.any_affine_map <= metric.any_scaled_map
        assert set(metric.weights) | set(metric.densities) <= set(metric.arguments)
        assert math.isnan(metric.chance) or metric.low <= metric.chance <= metric.high
