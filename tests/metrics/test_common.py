"""What must hold for every metric, by the facts in its registry row: a new one inherits it all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from tests import oracles
from tests.strategies import map_triples, plain_triples

NAMES = sorted(gazesal.METRICS)
MONOTONE = [name for name in NAMES if gazesal.METRICS[name].any_monotone_map]
AFFINE = [name for name in NAMES if gazesal.METRICS[name].any_affine_map]
SYMMETRIC = [name for name in NAMES if gazesal.METRICS[name].symmetric]
SAMPLED = [name for name in NAMES if gazesal.METRICS[name].can_sample]
EVERY = pytest.mark.parametrize("name", NAMES)

# rank metrics add weights in another order when pixels move; correlations add other terms
SAME = {"rel": 0, "abs": 1e-12}


def arguments(name, triple):
    """The maps that the metric takes."""
    return triple if gazesal.METRICS[name].needs_center_bias else triple[:2]


def score(name, triple, **options):
    """The metric, called as its registry row says."""
    return gazesal.METRICS[name].function(*arguments(name, triple), **options)


def is_constant(array):
    return array.min() == array.max()


def is_undefined(name, triple):
    """Whether the score of these maps is `nan`."""
    if gazesal.METRICS[name].constant_map is not None:
        return False
    return any(is_constant(array) for array in arguments(name, triple))


def score_or_nan(name, triple):
    """The score; where it is undefined, the warning that must come with it."""
    if is_undefined(name, triple):
        with pytest.warns(gazesal.UndefinedMetricWarning, match="constant"):
            return score(name, triple)
    return score(name, triple)


@EVERY
@given(triple=map_triples())
def test_agrees_with_the_definition(name, triple):
    got = score_or_nan(name, triple)
    assert type(got) is float
    expected = float(oracles.METRICS[name](*arguments(name, triple)))
    assert got == pytest.approx(expected, nan_ok=True, **SAME)


@EVERY
@given(triple=map_triples())
def test_stays_within_its_range(name, triple):
    metric = gazesal.METRICS[name]
    got = score_or_nan(name, triple)
    assert np.isnan(got) == is_undefined(name, triple)
    assert np.isnan(got) or metric.low <= got <= metric.high


@pytest.mark.parametrize("name", AFFINE)
@given(
    triple=plain_triples(),
    gain=st.sampled_from([0.25, 2.0, 1024.0, 2.0**-60, 2.0**80]),
    offset=st.integers(-8, 8),
)
def test_affine_rescaling_does_not_change_the_score(name, triple, gain, offset):
    saliency, *others = triple
    rescaled = (saliency + offset) * gain
    assert score(name, (rescaled, *others)) == pytest.approx(score(name, triple), **SAME)


@pytest.mark.parametrize("name", MONOTONE)
@given(triple=map_triples(), data=st.data())
def test_monotone_rescaling_does_not_change_the_score(name, triple, data):
    saliency, *others = triple
    distinct, rank = np.unique(saliency, return_inverse=True)
    step = st.floats(2.0**-40, 2.0**40)
    steps = data.draw(st.lists(step, min_size=distinct.size, max_size=distinct.size))
    new_values = np.nextafter(np.cumsum(steps) - 2.0**40, np.inf)
    if np.any(np.diff(new_values) <= 0):  # a step lost to rounding would tie what was not
        new_values = np.arange(distinct.size) ** 3.0 - 5
    reranked = new_values[rank.reshape(saliency.shape)]
    assert score(name, (reranked, *others)) == pytest.approx(score(name, triple), **SAME)


@EVERY
@given(triple=plain_triples())
@pytest.mark.parametrize("move", [np.flipud, np.fliplr, np.transpose, np.rot90])
def test_flips_and_transposition_do_not_change_the_score(name, triple, move):
    moved = tuple(move(array) for array in triple)
    assert score(name, moved) == pytest.approx(score(name, triple), **SAME)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(triple=plain_triples())
def test_symmetric_metrics_take_the_maps_in_either_order(name, triple):
    saliency, gaze, bias = triple
    assert score(name, (gaze, saliency, bias)) == pytest.approx(score(name, triple), **SAME)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(SYMMETRIC)))
def test_metrics_said_to_be_asymmetric_are(name):
    triple = (np.array([[0.0, 1, 2, 9]]), np.array([[0.0, 0, 3, 1]]), np.array([[1.0, 2, 2, 1]]))
    saliency, gaze, bias = triple
    assert abs(score(name, (gaze, saliency, bias)) - score(name, triple)) > 0.01


@EVERY
@given(triple=plain_triples())
def test_the_gaze_itself_scores_no_worse_than_chance(name, triple):
    _, gaze, _ = triple
    metric = gazesal.METRICS[name]
    if metric.needs_center_bias:
        # against itself as the bias: exactly what the shuffled metrics take away
        assert score(name, (gaze, gaze, gaze)) == pytest.approx(metric.chance, **SAME)
    elif metric.symmetric:
        assert score(name, (gaze, gaze)) == pytest.approx(metric.high, **SAME)
    else:
        assert score(name, (gaze, gaze)) > metric.chance


@EVERY
@given(shape=st.tuples(st.integers(1, 4), st.integers(1, 4)), value=st.floats(-1e30, 1e30))
def test_constant_saliency_map(name, shape, value):
    metric = gazesal.METRICS[name]
    gaze = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape)
    triple = (np.full(shape, value), gaze, gaze[::-1])
    got = score_or_nan(name, triple)
    assert np.isnan(got) if metric.constant_map is None else got == metric.constant_map


@EVERY
@given(triple=plain_triples())
@pytest.mark.parametrize("dtype", [np.float32, np.dtype(">f4"), np.dtype(">f8"), np.float16])
def test_dtype_does_not_matter(name, triple, dtype):
    """Multiples of 1/64 below 8 fit in every floating type, half precision included."""
    cast = tuple(array.astype(dtype) for array in triple)
    assert score(name, cast) == pytest.approx(score(name, triple), **SAME)


@EVERY
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_integer_and_boolean_maps_work(name, dtype):
    rng = np.random.default_rng(3)
    triple = tuple(rng.integers(0, 2, (5, 6)) for _ in range(3))
    cast = tuple(array.astype(dtype) for array in triple)
    floats = tuple(array.astype(np.float64) for array in triple)
    assert score(name, cast) == pytest.approx(score(name, floats), **SAME)


@EVERY
def test_memory_layout_does_not_matter(name):
    rng = np.random.default_rng(4)
    triple = tuple(rng.random((40, 30)) for _ in range(3))
    expected = score(name, triple)
    for layout in (
        np.asfortranarray,
        lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
        lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),  # read-only
        lambda a: a.tolist(),
    ):
        assert score(name, tuple(layout(array) for array in triple)) == expected


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_are_not_modified(name, dtype):
    rng = np.random.default_rng(5)
    triple = tuple((1e-210 if dtype is np.float64 else 1) * rng.random((9, 7)) for _ in range(3))
    triple = tuple(array.astype(dtype) for array in triple)
    copies = tuple(array.copy() for array in triple)
    score(name, triple)
    if gazesal.METRICS[name].can_sample:
        score(name, triple, n_samples=50, rng=0)
    for array, copy in zip(triple, copies, strict=True):
        assert np.array_equal(array, copy)


@EVERY
def test_the_same_maps_give_the_same_bits_again(name):
    rng = np.random.default_rng(6)
    triple = tuple(rng.random((200, 170)) for _ in range(3))
    assert len({score(name, triple) for _ in range(3)}) == 1


@pytest.mark.parametrize("name", SAMPLED)
@given(triple=map_triples(), seed=st.integers(0, 2**32))
def test_sampled_scores_stay_within_range_too(name, triple, seed):
    metric = gazesal.METRICS[name]
    assert metric.low <= score(name, triple, n_samples=7, rng=seed) <= metric.high
