"""Every metric refuses what is not a map, by a message that names the argument."""

import numpy as np
import pytest

import gazesal

RNG = np.random.default_rng(0)
GOOD = RNG.random((4, 6)) + 0.1
NAMES = sorted(gazesal.METRICS)
ARGUMENTS = [
    (name, position)
    for name in NAMES
    for position in range(3 if gazesal.METRICS[name].needs_center_bias else 2)
]
EVERY = pytest.mark.parametrize(
    ("name", "position"),
    ARGUMENTS,
    ids=[f"{name}-{('saliency_map', 'gaze_map', 'center_bias')[i]}" for name, i in ARGUMENTS],
)
WEIGHTS = pytest.mark.parametrize(
    ("name", "position"), [(n, i) for n, i in ARGUMENTS if gazesal.METRICS[n].can_sample and i]
)
SAMPLED = pytest.mark.parametrize("name", [n for n in NAMES if gazesal.METRICS[n].can_sample])


def score(name, position=0, bad=GOOD, **options):
    """The metric of good maps, but for the one at `position`."""
    maps = [GOOD, GOOD[::-1], GOOD[:, ::-1]][: 3 if gazesal.METRICS[name].needs_center_bias else 2]
    maps[position] = bad
    return gazesal.METRICS[name].function(*maps, **options)


def argument(position):
    return "`" + ("saliency_map", "gaze_map", "center_bias")[position] + "`"


def with_value(value, dtype=np.float64, place=(3, 5)):
    array = GOOD.astype(dtype)
    array[place] = value
    return array


@EVERY
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [(0, 0), (3, 5)])
def test_values_that_are_not_finite(name, position, value, dtype, place):
    with pytest.raises(ValueError, match=argument(position) + r".* 1 of 24 values"):
        score(name, position, with_value(value, dtype, place))


@EVERY
def test_nan_is_found_in_the_last_block_of_a_large_map(name, position):
    shape = (301, 257)
    maps = [RNG.random(shape) for _ in range(3 if gazesal.METRICS[name].needs_center_bias else 2)]
    maps[position][-1, -1] = np.nan
    with pytest.raises(ValueError, match=argument(position)):
        gazesal.METRICS[name].function(*maps)


@EVERY
@pytest.mark.filterwarnings("ignore::gazesal.UndefinedMetricWarning")
@pytest.mark.parametrize("constant", ["saliency", "all"])
def test_nan_is_an_error_beside_a_constant_map_too(name, position, constant):
    """Not an undefined score: the other map is looked at all the same."""
    maps = [np.ones((2, 3)), GOOD[:2, :3], GOOD[2:, :3]]
    if constant == "all":
        maps = [np.ones((2, 3))] * 3
    maps = maps[: 3 if gazesal.METRICS[name].needs_center_bias else 2]
    maps[position] = np.array([[1, 2, 3], [4, 5, np.nan]])
    with pytest.raises(ValueError, match=argument(position)):
        gazesal.METRICS[name].function(*maps)


@EVERY
@pytest.mark.parametrize("shape", [(0, 0), (0, 6), (4, 0), (), (24,), (1, 4, 6), (4, 6, 1)])
def test_other_dimensions_and_empty_maps(name, position, shape):
    with pytest.raises(ValueError, match=argument(position) + ".*2-D"):
        score(name, position, np.ones(shape))


@EVERY
@pytest.mark.parametrize(
    "bad",
    [
        GOOD.astype(object),
        GOOD.astype(str),
        GOOD.astype(complex),
        np.zeros((4, 6), "datetime64[s]"),
        None,
        "map",
        {"a": 1},
    ],
    ids=["object", "string", "complex", "dates", "none", "text", "dict"],
)
def test_other_than_real_numbers(name, position, bad):
    with pytest.raises(TypeError, match=argument(position)):
        score(name, position, bad)


@EVERY
def test_ragged_lists(name, position):
    with pytest.raises(ValueError, match=argument(position)):
        score(name, position, [[1.0, 2.0], [3.0]])


@EVERY
def test_masked_pixels_are_refused_and_masks_of_nothing_are_not(name, position):
    masked = np.ma.masked_array(GOOD, np.zeros(GOOD.shape, bool))
    assert score(name, position, masked) == score(name, position)
    masked[1, 1] = np.ma.masked
    with pytest.raises(TypeError, match=argument(position) + ".*masked"):
        score(name, position, masked)


@EVERY
def test_integers_that_float64_cannot_hold(name, position):
    with pytest.raises(ValueError, match=argument(position) + r".*2\*\*53"):
        score(name, position, np.full((4, 6), 2**53 + 1))


@EVERY
@pytest.mark.parametrize("shape", [(6, 4), (1, 6), (4, 1), (1, 1), (4, 7), (2, 12)])
def test_shapes_that_differ_are_neither_transposed_nor_broadcast(name, position, shape):
    bad = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape)
    with pytest.raises(ValueError, match=r"same shape.*resample") as caught:
        score(name, position, bad)
    assert argument(position) in str(caught.value)
    assert str(shape) in str(caught.value)


@WEIGHTS
@pytest.mark.parametrize("options", [{}, {"n_samples": 5, "rng": 0}], ids=["exact", "sampled"])
class TestWeights:
    """Gaze map and centre bias of the AUCs are weights."""

    @pytest.mark.parametrize("value", [-1.0, -1e-30])
    def test_negative(self, name, position, options, value):
        with pytest.raises(ValueError, match=argument(position) + ".*non-negative"):
            score(name, position, with_value(value), **options)

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_all_zero(self, name, position, options, zero):
        with pytest.raises(ValueError, match=argument(position) + ".*positive sum"):
            score(name, position, np.full(GOOD.shape, zero), **options)

    def test_sum_beyond_float64(self, name, position, options):
        with pytest.raises(ValueError, match=argument(position) + ".*finite sum"):
            score(name, position, np.full(GOOD.shape, 1e308), **options)

    def test_weights_are_looked_at_beside_a_constant_map(self, name, position, options):
        maps = [np.ones((2, 2))] * (3 if gazesal.METRICS[name].needs_center_bias else 2)
        maps[position] = np.array([[1.0, -1.0], [2.0, 2.0]])
        with pytest.raises(ValueError, match=argument(position)):
            gazesal.METRICS[name].function(*maps, **options)


@SAMPLED
class TestSampling:
    """Number of draws and their source."""

    @pytest.mark.parametrize("n_samples", [0, -1])
    def test_no_draws(self, name, n_samples):
        with pytest.raises(ValueError, match=r"`n_samples`.*at least 1"):
            score(name, n_samples=n_samples, rng=0)

    @pytest.mark.parametrize("n_samples", [1.5, 1.0, True, np.True_, "10", [10]])
    def test_not_a_count(self, name, n_samples):
        with pytest.raises(TypeError, match=r"`n_samples`.*integer"):
            score(name, n_samples=n_samples, rng=0)

    def test_numpy_integers_count(self, name):
        assert score(name, n_samples=np.int64(9), rng=1) == score(name, n_samples=9, rng=1)

    def test_no_source(self, name):
        with pytest.raises(ValueError, match=r"`rng`.*seed"):
            score(name, n_samples=10)

    @pytest.mark.parametrize("rng", ["seed", 1.5, object()])
    def test_not_a_source(self, name, rng):
        with pytest.raises(TypeError, match="`rng`"):
            score(name, n_samples=10, rng=rng)

    def test_negative_seed(self, name):
        with pytest.raises(ValueError, match=r"`rng`.*non-negative"):
            score(name, n_samples=10, rng=-1)


@pytest.mark.parametrize("name", sorted(gazesal.METRICS))
def test_options_are_keyword_only(name):
    maps = [GOOD] * (3 if gazesal.METRICS[name].needs_center_bias else 2)
    with pytest.raises(TypeError, match="positional"):
        gazesal.METRICS[name].function(*maps, 100)


def test_a_center_bias_object_is_told_to_give_its_density():
    gaze_map = np.eye(3)
    bias = gazesal.CenterBias([gaze_map])
    with pytest.raises(
        TypeError, match=r"`center_bias` must hold real .* CenterBias; its `density"
    ):
        gazesal.sauc(gaze_map, gaze_map, bias)


@pytest.mark.parametrize("value", [None, 3, "maps"])
def test_what_cannot_be_iterated_over_is_named(value):
    with pytest.raises(TypeError, match="`maps` must be an iterable of gaze maps"):
        gazesal.one_vs_rest(value)
    with pytest.raises(TypeError, match="`gaze_maps` must be an iterable of gaze maps"):
        gazesal.CenterBias(value)


def test_sums_past_float64_are_refused():
    with pytest.raises(ValueError, match="`maps` must have a finite sum"):
        gazesal.one_vs_rest([np.full((1, 2), 1.7e308)] * 3)
    with pytest.raises(ValueError, match="`scores` must lie within 1e"):
        gazesal.confidence_interval([1e308, 1.5e308, -1e308])


def test_other_arguments_are_named():
    with pytest.raises(TypeError, match="`shape` must be two integers"):
        gazesal.resample(np.eye(3), (True, True))
    with pytest.raises(TypeError, match="`other` must be a CenterBias, got int"):
        gazesal.CenterBias([np.eye(3)]).merged(3)
    with pytest.raises(ValueError, match="`level` must be a number between 0 and 1"):
        gazesal.confidence_interval([1.0, 2.0], level=0.9999999999999999)
    with pytest.raises(TypeError, match="`clusters` must hold labels of one kind"):
        gazesal.confidence_interval([1.0, 2.0, 3.0], clusters=[1, "1", "b"])
