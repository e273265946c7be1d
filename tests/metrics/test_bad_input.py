"""Every metric refuses what is not a map, by a message that names the argument."""

import numpy as np
import pandas as pd
import pytest

import gazesal
from tests.metric_cases import NAMES, ON_MAPS, POINTS, example, function

GOOD = np.random.default_rng(0).random((4, 6)) + 0.1
DENSE = GOOD / GOOD.sum()
METRICS = gazesal.METRICS
ARGUMENTS = [(name, argument) for name in NAMES for argument in METRICS[name].arguments]
ON_A_MAP = [pair for pair in ARGUMENTS if pair[1] not in POINTS]
EVERY = pytest.mark.parametrize(("name", "argument"), ON_A_MAP)
BOTH = pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
WEIGHTS = pytest.mark.parametrize(
    ("name", "argument"),
    [
        pair
        for pair in ARGUMENTS
        if pair[1] in METRICS[pair[0]].weights + METRICS[pair[0]].densities
    ],
)
OF_POINTS = pytest.mark.parametrize(
    ("name", "argument"), [pair for pair in ARGUMENTS if pair[1] in POINTS]
)
SAMPLED = pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].can_sample])


def score(name, argument="saliency_map", bad=None, *, shape=(4, 6), **options):
    """Call a metric with valid arguments, except the one that is named."""
    given = example(name, shape)
    if bad is not None:
        given[METRICS[name].arguments.index(argument)] = bad
    return function(name)(*given, **options)


def with_value(value, dtype=np.float64, place=(3, 5)):
    """Return a valid map with one value replaced."""
    array = GOOD.astype(dtype)
    array[place] = value
    return array


@EVERY
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [(0, 0), (3, 5)])
def test_values_that_are_not_finite(name, argument, value, dtype, place):
    with pytest.raises(ValueError, match=f"`{argument}`.* 1 of 24 values"):
        score(name, argument, with_value(value, dtype, place))


@OF_POINTS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_raise(name, argument, value):
    with pytest.raises(ValueError, match=f"`{argument}`.* 1 of 4 values"):
        score(name, argument, [[1.0, 2.0], [value, 0.0]])


@EVERY
def test_nan_is_found_in_the_last_block_of_a_large_map(name, argument):
    given = example(name, (301, 257))
    given[METRICS[name].arguments.index(argument)][-1, -1] = np.nan
    with pytest.raises(ValueError, match=f"`{argument}`"):
        function(name)(*given)


@EVERY
@pytest.mark.filterwarnings("ignore::gazesal.UndefinedMetricWarning")
@pytest.mark.parametrize("constant", ["saliency", "all"])
def test_nan_raises_even_if_the_other_map_is_constant(name, argument, constant):
    """Not an undefined score: the other map is looked at all the same."""
    given = example(name, (2, 3))
    for i, each in enumerate(METRICS[name].arguments):
        if each not in POINTS and (i == 0 or constant == "all"):
            given[i] = np.full((2, 3), 1 / 6)
    given[METRICS[name].arguments.index(argument)] = np.array([[1, 2, 3], [4, 5, np.nan]])
    with pytest.raises(ValueError, match=f"`{argument}`"):
        function(name)(*given)


@EVERY
@pytest.mark.parametrize("shape", [(0, 0), (0, 6), (4, 0), (), (24,), (1, 4, 6), (4, 6, 1)])
def test_other_dimensions_and_empty_maps_raise(name, argument, shape):
    with pytest.raises(ValueError, match=f"`{argument}`.*2-D"):
        score(name, argument, np.ones(shape))


@OF_POINTS
@pytest.mark.parametrize("shape", [(), (2,), (3, 1), (3, 3), (1, 2, 2), (4, 6), (2, 0)])
def test_points_of_another_shape_raise(name, argument, shape):
    with pytest.raises(ValueError, match=rf"`{argument}`.*\(N, 2\) with columns x and y"):
        score(name, argument, np.zeros(shape))


@OF_POINTS
def test_no_points_raise(name, argument):
    with pytest.raises(ValueError, match=f"`{argument}`.*at least one"):
        score(name, argument, np.empty((0, 2)))
    with pytest.raises(ValueError, match=f"`{argument}`.*at least one fixation, got none"):
        score(name, argument, [])


@OF_POINTS
def test_columns_of_a_table_are_x_and_y_in_this_order(name, argument):
    place = METRICS[name].arguments.index(argument)
    table = pd.DataFrame(example(name)[place], columns=["x", "y"])
    assert score(name, argument, table) == score(name)
    assert score(name, argument, pd.DataFrame(example(name)[place])) == score(name)
    for columns in (["X_ORIGINAL", "Y_ORIGINAL"], ["a", "b"]):
        assert score(name, argument, table.set_axis(columns, axis=1)) == score(name)
    for columns in (["y", "x"], ["y_position", "x_position"], ["Y", "col"]):
        with pytest.raises(TypeError, match=rf"`{argument}`.*columns x and y.*table\[\["):
            score(name, argument, table.set_axis(columns, axis=1))
    with pytest.raises(ValueError, match=rf"`{argument}`.*shape \(N, 2\)"):
        score(name, argument, table.assign(duration=1.0))


def test_columns_of_negatives_are_x_and_y_too():
    points = pd.DataFrame([[0, 1], [2, 1]], columns=["x", "y"])
    assert gazesal.auc(GOOD, points, points) == 0.5
    with pytest.raises(TypeError, match=r"`negatives`.*columns x and y"):
        gazesal.auc(GOOD, points, points[["y", "x"]])


@BOTH
@pytest.mark.parametrize("dtype", ["Float64", "Float32"])
def test_nullable_tables_score_as_arrays_and_missing_values_raise(name, argument, dtype):
    columns = ["x", "y"] if argument in POINTS else None
    sound = example(name)[METRICS[name].arguments.index(argument)]
    table = pd.DataFrame(sound, columns=columns).astype(dtype)
    assert score(name, argument, table) == pytest.approx(score(name), rel=1e-4, abs=1e-6)
    table.iloc[0, 0] = pd.NA
    with pytest.raises((TypeError, ValueError), match=f"`{argument}` must"):
        score(name, argument, table)


@BOTH
def test_masked_rows_in_a_list_are_refused(name, argument):
    rows = list(np.ma.masked_array(example(name)[METRICS[name].arguments.index(argument)]))
    assert score(name, argument, rows) == score(name)
    rows[1] = np.ma.masked_array(rows[1], np.arange(len(rows[1])) == 1)
    with pytest.raises(TypeError, match=f"`{argument}` must not be masked"):
        score(name, argument, rows)
    rows[1] = [1.0] * (len(rows[0]) - 1) + [np.ma.masked]
    with pytest.raises(TypeError, match=f"`{argument}` must not be masked"):
        score(name, argument, tuple(rows))


@BOTH
def test_long_doubles_past_float64_are_refused_without_a_warning(name, argument):
    bad = np.asarray(example(name)[METRICS[name].arguments.index(argument)], np.longdouble)
    bad[0, 0] = np.finfo(np.longdouble).max
    if not np.isfinite(np.finfo(np.longdouble).max) or bad.dtype == np.float64:
        pytest.skip("long doubles are doubles here")
    with pytest.raises(ValueError, match=f"`{argument}` must be finite"):
        score(name, argument, bad)


@pytest.mark.parametrize(
    "outside", [np.array(["raise", "drop"]), np.array(["raise"]), ["raise"], 1]
)
def test_a_choice_is_a_string(outside):
    with pytest.raises(ValueError, match="`outside` must be one of 'raise', 'drop'"):
        gazesal.nss(GOOD, [[1, 1]], outside=outside)


@OF_POINTS
def test_map_given_as_points_raises_with_the_metrics_of_maps(name, argument):
    with pytest.raises(
        ValueError, match=rf"`{argument}`.*looks like a map.*fixations_from_map.*`ncc`"
    ):
        score(name, argument, GOOD > 0.5)


@pytest.mark.parametrize("name", ON_MAPS)
def test_points_given_as_a_map_raise_with_the_metric_of_points(name):
    with pytest.raises(ValueError, match=r"`gaze_map`.*shape.*`gaze_heatmap`"):
        score(name, "gaze_map", [[1.0, 2.0], [3.0, 0.0], [3.0, 1.0]])


@OF_POINTS
@pytest.mark.parametrize("point", [(-0.51, 0), (5.5, 0), (0, -0.51), (0, 3.5), (1e300, 0)])
class TestOutside:
    """Never wrapped, never moved to the edge."""

    def test_points_outside_raise(self, name, argument, point):
        with pytest.raises(ValueError, match=rf"`{argument}` must lie in.* 1 of 2 .*index 1"):
            score(name, argument, [(0, 0), point])

    def test_points_outside_are_dropped_on_request(self, name, argument, point):
        with pytest.warns(gazesal.OffImageWarning, match=f"1 of 2 `{argument}`") as caught:
            got = score(name, argument, [(0, 0), point], outside="drop")
        assert caught[0].filename.endswith("metric_cases.py")  # whoever called the metric
        assert got == score(name, argument, [(0, 0)])

    def test_fixations_all_outside_raise(self, name, argument, point):
        with pytest.raises(ValueError, match=f"`{argument}` must lie in.* 1 of 1 "):
            score(name, argument, [point], outside="drop")

    def test_keep_is_for_gaze_maps(self, name, argument, point):
        with pytest.raises(ValueError, match="`outside` must be one of 'raise', 'drop'"):
            score(name, argument, [point], outside="keep")


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        GOOD.astype(object),
        GOOD.astype(str),
        GOOD.astype(complex),
        np.zeros((4, 6), "datetime64[s]"),
        "map",
        {"a": 1},
    ],
    ids=["object", "string", "complex", "dates", "text", "dict"],
)
def test_values_other_than_real_numbers_raise(name, argument, bad):
    with pytest.raises(TypeError, match=f"`{argument}`"):
        score(name, argument, bad)


@OF_POINTS
def test_booleans_are_not_points(name, argument):
    with pytest.raises(TypeError, match=f"`{argument}` must hold real numbers, got booleans"):
        score(name, argument, np.ones((5, 2), bool))


@OF_POINTS
def test_points_that_may_be_shares_of_the_sides_warn(name, argument):
    points = np.random.default_rng(0).random((9, 2))
    with pytest.warns(gazesal.InputWarning, match=f"`{argument}` must be pixels") as caught:
        score(name, argument, points, shape=(20, 30))
    assert caught[0].filename.endswith("metric_cases.py")  # whoever called the metric


@pytest.mark.parametrize("option", ["sigma", "weights", "visible"])
def test_booleans_are_not_options_of_gaze_maps(option):
    given = {"sigma": 1.0, option: np.ones((2,), bool) if option != "visible" else [True] * 4}
    with pytest.raises(TypeError, match=f"`{option}` must hold real numbers, got booleans"):
        gazesal.gaze_heatmap([[1, 2], [3, 4]], (6, 7), **given)


def test_gaze_maps_and_center_biases_warn_of_shares_of_the_sides():
    points = np.random.default_rng(0).random((9, 2))
    makers = (
        lambda: gazesal.gaze_heatmap(points, (20, 30), sigma=2),
        lambda: gazesal.GaussianCenterBias.fit({"a": points, "b": points}, (20, 30)),
        lambda: gazesal.KdeCenterBias(
            {"a": points[:2], "b": points}, (20, 30), bandwidth=0.1, mixing=0
        ),
    )
    for make in makers:
        with pytest.warns(gazesal.InputWarning, match="`fixations` must be pixels") as caught:
            make()
        assert caught[0].filename == __file__


@BOTH
def test_no_fixations_raise(name, argument):
    given = example(name)
    given[METRICS[name].arguments.index(argument)] = None
    with pytest.raises(TypeError, match=f"`{argument}`"):
        function(name)(*given)


@BOTH
def test_ragged_lists(name, argument):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        score(name, argument, [[1.0, 2.0], [3.0]])


@BOTH
def test_masked_values_raise_and_empty_masks_do_not(name, argument):
    sound = example(name)[METRICS[name].arguments.index(argument)]
    masked = np.ma.masked_array(sound, np.zeros(sound.shape, bool))
    assert score(name, argument, masked) == score(name)
    masked[1, 1] = np.ma.masked
    with pytest.raises(TypeError, match=f"`{argument}`.*masked"):
        score(name, argument, masked)


@EVERY
def test_integers_that_float64_cannot_hold(name, argument):
    with pytest.raises(ValueError, match=rf"`{argument}`.*2\*\*53"):
        score(name, argument, np.full((4, 6), 2**53 + 1))


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        pair
        for pair in ON_A_MAP
        if sum(each not in POINTS for each in METRICS[pair[0]].arguments) > 1
    ],
)
@pytest.mark.parametrize("shape", [(6, 4), (1, 6), (4, 1), (1, 1), (4, 7), (2, 12)])
def test_shapes_that_differ_are_neither_transposed_nor_broadcast(name, argument, shape):
    bad = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape)
    with pytest.raises(ValueError, match=r"same shape.*resample") as caught:
        score(name, argument, bad / bad.sum())
    assert f"`{argument}`" in str(caught.value)
    assert str(shape) in str(caught.value)


@WEIGHTS
class TestWeights:
    """Arguments that are weights or densities."""

    def options(self, name):
        return [{}, {"n_samples": 5, "rng": 0}] if METRICS[name].can_sample else [{}]

    @pytest.mark.parametrize("value", [-1.0, -1e-30])
    def test_negative_values_raise(self, name, argument, value):
        for options in self.options(name):
            with pytest.raises(ValueError, match=f"`{argument}`.*non-negative"):
                score(name, argument, with_value(value), **options)

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_zeros_everywhere_raise(self, name, argument, zero):
        for options in self.options(name):
            with pytest.raises(ValueError, match=f"`{argument}`.*positive sum"):
                score(name, argument, np.full(GOOD.shape, zero), **options)

    def test_sum_beyond_float64_raises(self, name, argument):
        for options in self.options(name):
            with pytest.raises(ValueError, match=f"`{argument}`.*finite sum"):
                score(name, argument, np.full(GOOD.shape, 1e308), **options)

    def test_weights_are_checked_even_if_the_saliency_map_is_constant(self, name, argument):
        given = [
            np.full((2, 2), 0.25) if each not in POINTS else [[0, 0]]
            for each in METRICS[name].arguments
        ]
        given[METRICS[name].arguments.index(argument)] = np.array([[1.0, -1.0], [2.0, 2.0]])
        for options in self.options(name):
            with pytest.raises(ValueError, match=f"`{argument}`"):
                function(name)(*given, **options)


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name in NAMES for argument in METRICS[name].densities],
)
@pytest.mark.parametrize("total", [0.0, 0.999, 1.001, 255.0])
def test_densities_sum_to_one(name, argument, total):
    if total == 0.0:
        with pytest.raises(ValueError, match=f"`{argument}`.*positive sum"):
            score(name, argument, DENSE * total)
        return
    with pytest.raises(ValueError, match=f"`{argument}` must be a density.*`to_density`"):
        score(name, argument, DENSE * total)


@pytest.mark.parametrize("name", ["information_gain", "log_likelihood", "kl_divergence"])
class TestEps:
    """The constant under the logarithm."""

    @pytest.mark.parametrize("eps", [-1e-9, 1.1, np.nan, np.inf, 1e-301])
    def test_sample_sizes_out_of_range_raise(self, name, eps):
        with pytest.raises(ValueError, match="`eps` must be"):
            score(name, eps=eps)

    @pytest.mark.parametrize("eps", [None, "0", True, [0.1]])
    def test_other_than_a_number_raises(self, name, eps):
        with pytest.raises(TypeError, match="`eps` must be a number"):
            score(name, eps=eps)


@SAMPLED
class TestSampling:
    """Number of draws and their source."""

    @pytest.mark.parametrize("n_samples", [0, -1])
    def test_fewer_than_one_sample_raises(self, name, n_samples):
        with pytest.raises(ValueError, match=r"`n_samples`.*at least 1"):
            score(name, n_samples=n_samples, rng=0)

    @pytest.mark.parametrize("n_samples", [1.5, 1.0, True, np.True_, "10", [10]])
    def test_number_of_samples_that_is_not_an_integer_raises(self, name, n_samples):
        with pytest.raises(TypeError, match=r"`n_samples`.*integer"):
            score(name, n_samples=n_samples, rng=0)

    def test_numpy_integers_count(self, name):
        assert score(name, n_samples=np.int64(9), rng=1) == score(name, n_samples=9, rng=1)

    def test_sampling_without_a_seed_raises(self, name):
        with pytest.raises(ValueError, match=r"`rng`.*seed"):
            score(name, n_samples=10)

    @pytest.mark.parametrize("rng", ["seed", 1.5, object()])
    def test_other_than_a_seed_raises(self, name, rng):
        with pytest.raises(TypeError, match="`rng`"):
            score(name, n_samples=10, rng=rng)

    def test_negative_seed_raises(self, name):
        with pytest.raises(ValueError, match=r"`rng`.*non-negative"):
            score(name, n_samples=10, rng=-1)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"auc"}))  # negatives come third there
def test_options_are_keyword_only(name):
    with pytest.raises(TypeError, match="positional"):
        METRICS[name].function(*example(name), 100)


def test_center_bias_object_raises_with_its_density_as_remedy():
    gaze_map = np.eye(3)
    bias = gazesal.CenterBias([gaze_map])
    with pytest.raises(TypeError, match=r"`center_bias` must hold real .* CenterBias.*`on_image`"):
        gazesal.sauc(gaze_map, gaze_map, bias)


@pytest.mark.parametrize("value", [None, 3, "maps"])
def test_a_value_that_is_not_iterable_is_named(value):
    with pytest.raises(TypeError, match="`maps` must be an iterable of gaze maps"):
        gazesal.one_vs_rest(value)
    with pytest.raises(TypeError, match="`gaze_maps` must be an iterable of gaze maps"):
        gazesal.CenterBias(value)


def test_sums_beyond_float64_raise():
    with pytest.raises(ValueError, match="`maps` must have a finite sum"):
        gazesal.one_vs_rest([np.full((1, 2), 1.7e308)] * 3)
    with pytest.raises(ValueError, match="`scores` must lie within 1e"):
        gazesal.stats.confidence_interval([1e308, 1.5e308, -1e308])


def test_other_arguments_are_named():
    with pytest.raises(TypeError, match="`shape` must be two integers"):
        gazesal.resample(np.eye(3), (True, True))
    with pytest.raises(TypeError, match="`other` must be a CenterBias, got int"):
        gazesal.CenterBias([np.eye(3)]).merged(3)
    with pytest.raises(ValueError, match="`confidence_level` must be a number between 0 and 1"):
        gazesal.stats.confidence_interval([1.0, 2.0], confidence_level=0.9999999999999999)
    with pytest.raises(TypeError, match="`clusters` must hold labels of one kind"):
        gazesal.stats.confidence_interval([1.0, 2.0, 3.0], clusters=[1, "1", "b"])
