"""Many maps at once: the same numbers as one by one, and whatever is asked for."""

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gazesal
from gazesal.kernels.auc import areas
from tests import oracles
from tests.strategies import SHAPES, saliency_maps, weight_maps

ALL = ("ncc", "auc_borji", "sncc", "sauc")
BEYOND_BIAS = ("residual_ncc", "residual_nss", "semipartial_ncc")
NEED_BIAS = {"sncc", "sauc", *BEYOND_BIAS}
RNG = np.random.default_rng(0)
SALIENCY = {"cam": RNG.random((6, 7)), "noise": RNG.normal(size=(6, 7)), "bias": RNG.random((6, 7))}
GAZE = [RNG.random((6, 7)) ** 3 for _ in range(4)]
BIAS = RNG.random((6, 7))


def one(name, saliency, gaze, bias):
    function = gazesal.METRICS[name].function
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        return function(saliency, gaze, bias) if name in NEED_BIAS else function(saliency, gaze)


def one_by_one(saliency_maps_, gaze_maps, bias, metrics=ALL):
    return np.array(
        [[[one(k, s, g, bias) for k in metrics] for g in gaze_maps] for s in saliency_maps_]
    )


def at_once(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        return gazesal.score(*arguments, **options)


@st.composite
def images(draw):
    """Saliency maps, gaze maps and a center bias of one shape."""
    shape = draw(SHAPES)
    n_tested, n_truths = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    tested = [draw(saliency_maps(shape)) for _ in range(n_tested)]
    truths = [draw(weight_maps(shape)) for _ in range(n_truths)]
    return tested, truths, draw(weight_maps(shape))


@given(image=images())
def test_scores_equal_separate_calls(image):
    metrics = (*ALL, *BEYOND_BIAS)
    got = at_once(*image, metrics).values
    np.testing.assert_allclose(got, one_by_one(*image, metrics), rtol=0, atol=1e-12)


@settings(max_examples=25)
@given(image=images())
def test_scores_equal_the_definitions(image):
    tested, truths, bias = image
    metrics = (*ALL, *BEYOND_BIAS)
    got = at_once(*image, metrics).values
    for (i, s), (j, g), (k, name) in itertools.product(
        enumerate(tested), enumerate(truths), enumerate(metrics)
    ):
        maps = (s, g, bias) if name in NEED_BIAS else (s, g)
        expected = float(oracles.METRICS[name](*maps))
        assert got[i, j, k] == pytest.approx(expected, rel=0, abs=1e-12, nan_ok=True)


@given(image=images(), data=st.data())
def test_pairs_select_scores_without_changing_them(image, data):
    n = (len(image[0]), len(image[1]))
    flags = st.lists(st.booleans(), min_size=n[0] * n[1], max_size=n[0] * n[1]).filter(any)
    pairs = np.array(data.draw(flags)).reshape(n)
    some, whole = at_once(*image, pairs=pairs), at_once(*image)
    assert np.array_equal(some.pairs, pairs)
    assert np.isnan(some.values[~pairs]).all()
    # other sets of negatives and positives may take another way through the kernels
    np.testing.assert_allclose(some.values[pairs], whole.values[pairs], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "metrics", [m for n in range(1, 5) for m in itertools.combinations(ALL, n)]
)
def test_metrics_can_be_chosen_in_any_order(metrics):
    for order in (metrics, metrics[::-1]):
        got = gazesal.score(SALIENCY, GAZE, BIAS, order)
        assert got.metrics == order
        expected = one_by_one(SALIENCY.values(), GAZE, BIAS, order)
        np.testing.assert_allclose(got.values, expected, rtol=0, atol=1e-12)


def test_center_bias_is_optional_for_plain_metrics():
    got = gazesal.score(SALIENCY, GAZE, metrics=["auc_borji", "ncc"])
    expected = one_by_one(SALIENCY.values(), GAZE, None, ("auc_borji", "ncc"))
    np.testing.assert_allclose(got.values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtypes", [("f4", "f4", "f4"), ("f4", "f8", "f4"), ("f8", "u1", "f4")])
@pytest.mark.parametrize("shape", [(31, 47), (300, 401)])
def test_large_maps_of_mixed_types_score_as_in_separate_calls(dtypes, shape):
    rng = np.random.default_rng(1)
    tested = [(9 * rng.random(shape)).astype(dtypes[0]), rng.integers(0, 9, shape)]
    truths = [(99 * rng.random(shape)).astype(dtypes[1]), rng.random(shape)]
    bias = (9 * rng.random(shape)).astype(dtypes[2])
    metrics = (*ALL, *BEYOND_BIAS)
    got = gazesal.score(tested, truths, bias, metrics).values
    np.testing.assert_allclose(got, one_by_one(tested, truths, bias, metrics), rtol=0, atol=1e-12)


@pytest.mark.parametrize("tolerance", [None, 1e-3])
def test_the_number_of_threads_changes_no_bit(tolerance, monkeypatch):
    monkeypatch.setattr(areas, "LEAST_PIXELS", 0)
    rng = np.random.default_rng(2)
    tested, truths = rng.random((3, 900, 700)), rng.random((3, 900, 700)).astype(np.float32)
    bias = rng.random((900, 700))
    results = [
        gazesal.score(tested, truths, bias, tolerance=tolerance, n_threads=n_threads).values
        for n_threads in (1, 2, 3, 8)
    ]
    for result in results[1:]:
        assert np.array_equal(result, results[0])


def test_pairs_score_one_observer_against_the_others():
    splits = gazesal.one_vs_rest(GAZE)
    own = {f"own {i}": split.own for i, split in enumerate(splits)}
    tested, rests = {**SALIENCY, **own}, [split.rest for split in splits]
    pairs = np.vstack([np.ones((3, 4), bool), np.eye(4, dtype=bool)])
    got = gazesal.score(tested, rests, BIAS, pairs=pairs)
    for i, split in enumerate(splits):
        expected = one_by_one([split.own], [split.rest], BIAS)[0, 0]
        np.testing.assert_allclose(got.values[3 + i, i], expected, rtol=0, atol=1e-12)
    assert len(got.to_frame()) == (3 * 4 + 4) * 4


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_maps_of_extreme_scale_do_not_change_other_scores(scale):
    tested = [SALIENCY["cam"], scale * SALIENCY["noise"]]
    truths = [GAZE[0], scale * GAZE[1]]
    metrics = (*ALL, *BEYOND_BIAS)
    got = gazesal.score(tested, truths, BIAS, metrics).values
    np.testing.assert_allclose(got, one_by_one(tested, truths, BIAS, metrics), rtol=0, atol=1e-12)


@pytest.mark.parametrize("closeness", [1.0, 0.3, 0.05, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_gaze_close_to_the_center_bias_scores_as_in_separate_calls(closeness, offset):
    truths = [(1 - closeness) * BIAS + closeness * GAZE[0] + offset, GAZE[1]]
    got = at_once(SALIENCY, truths, BIAS + offset, BEYOND_BIAS).values
    expected = one_by_one(SALIENCY.values(), truths, BIAS + offset, BEYOND_BIAS)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_gaze_equal_to_the_center_bias_is_undefined_beyond_it():
    with pytest.warns(gazesal.UndefinedMetricWarning) as caught:
        got = gazesal.score([*SALIENCY.values(), np.ones((6, 7))], [2 * BIAS, GAZE[0]], BIAS,
                            BEYOND_BIAS)  # fmt: skip
    assert [np.isnan(got.values[:3, 0, k]).all() for k in range(3)] == [True, False, True]
    assert got.values[:3, 0, 1].tolist() == [0.0] * 3
    assert np.isfinite(got.values[:3, 1]).all()
    assert np.isnan(got.values[3]).all()
    texts = [str(each.message) for each in caught]
    assert len(texts) == 3
    assert "residual_ncc and residual_nss and semipartial_ncc" in texts[0]
    assert "`saliency_maps[3]`" in texts[0]
    assert all("`gaze_maps[0]`" in text and "gaze_maps[1]" not in text for text in texts[1:])


def test_a_map_is_itself_and_the_bias_is_chance():
    got = gazesal.score([BIAS], [BIAS, GAZE[0]], BIAS)
    assert got.values[0, 0] == pytest.approx(
        [1.0, gazesal.auc_borji(BIAS, BIAS), 0.0, 0.5], rel=0, abs=1e-12
    )


class Quiet:
    """A key that does not say which it is."""

    def __repr__(self):
        return "K"


@pytest.mark.parametrize(
    "keys", [(Quiet(), Quiet()), (float("nan"), float("nan")), (1, np.int8(2))]
)
def test_names_with_the_same_text_are_two_maps(keys):
    assert len(dict.fromkeys(keys)) == 2
    tested = list(SALIENCY.values())[:2]
    expected = gazesal.score(tested, GAZE[:2], BIAS).values
    got = gazesal.score(
        dict(zip(keys, tested, strict=True)), dict(zip(keys, GAZE[:2], strict=True)), BIAS
    )
    assert np.array_equal(got.values, expected)
    assert len(got.to_frame()) == 2 * 2 * 4


class TestUndefined:
    """One warning for all, naming the maps."""

    def test_constant_maps_are_named_in_one_warning(self):
        flat = np.full((6, 7), 0.1)
        with pytest.warns(gazesal.UndefinedMetricWarning) as caught:
            got = gazesal.score({"cam": BIAS, "flat": flat}, [GAZE[0], flat], flat)
        assert len(caught) == 1
        message = str(caught[0].message)
        assert message == (
            "ncc and sncc cannot be computed for maps that are constant: `saliency_maps['flat']`, "
            "`gaze_maps[1]`, `center_bias`."
        )
        assert caught[0].filename == __file__
        defined = np.isfinite(got.values)
        assert defined[:, :, [1, 3]].all()
        assert defined[:, :, 0].tolist() == [[True, False], [False, False]]
        assert not defined[:, :, 2].any()
        assert got.values[1, :, [1, 3]].tolist() == [[0.5, 0.5], [0.5, 0.5]]

    def test_constant_maps_that_no_score_needs_give_no_warning(self):
        flat = np.full((6, 7), 0.1)
        got = gazesal.score([BIAS, flat], GAZE[:2], pairs=[[True, True], [False, False]],
                            metrics=["ncc"])  # fmt: skip
        assert np.isfinite(got.values[0]).all()
        gazesal.score([BIAS, flat], [GAZE[0], flat], flat, metrics=["auc_borji", "sauc"])


class TestResult:
    """Names, table and repr."""

    def test_frame_has_one_row_per_score(self):
        got = gazesal.score(SALIENCY, dict(zip("abcd", GAZE, strict=True)), BIAS)
        frame = got.to_frame()
        assert frame.columns.tolist() == ["saliency_map", "gaze_map", "metric", "score"]
        row = frame.set_index(["saliency_map", "gaze_map", "metric"]).loc[("noise", "c", "sncc")]
        assert row["score"] == got.values[1, 2, 2]
        assert len(frame) == 3 * 4 * 4

    def test_repr_has_the_means_over_gaze_maps(self):
        text = repr(gazesal.score(SALIENCY, GAZE, BIAS))
        means = one_by_one(SALIENCY.values(), GAZE, BIAS).mean(axis=1)
        assert text.startswith("Scores of 3 saliency maps against 4 gaze maps: 48")
        line = next(line for line in text.splitlines() if line.startswith("cam"))
        assert line.split()[1:] == [f"{mean:.4f}" for mean in means[0]]

    def test_repr_of_a_map_without_requested_pairs_shows_nan(self):
        got = gazesal.score(GAZE[:2], GAZE[:1], metrics=["ncc"], pairs=[[True], [False]])
        assert repr(got).splitlines()[-1].split() == ["1", "nan"]


class TestBadInput:
    """Errors name the argument and the map."""

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_values_that_are_not_finite_raise(self, value):
        bad = GAZE[1].copy()
        bad[3, 4] = value
        with pytest.raises(ValueError, match=r"`saliency_maps\['x'\]` must be finite, got 1"):
            gazesal.score({"x": bad}, GAZE, BIAS)
        with pytest.raises(ValueError, match=r"`gaze_maps\[2\]` must be finite"):
            gazesal.score(SALIENCY, [*GAZE[:2], bad], BIAS, ["ncc"])
        with pytest.raises(ValueError, match="`center_bias` must be finite"):
            gazesal.score(SALIENCY, GAZE, bad)

    @pytest.mark.parametrize("metric", ["auc_borji", "sauc"])
    def test_invalid_weights_raise(self, metric):
        with pytest.raises(ValueError, match=r"`gaze_maps\[1\]` must be non-negative"):
            gazesal.score(SALIENCY, [GAZE[0], -GAZE[1]], BIAS, [metric])
        with pytest.raises(ValueError, match=r"`gaze_maps\['a'\]` must have a positive sum"):
            gazesal.score(SALIENCY, {"a": 0 * BIAS}, BIAS, [metric])
        with pytest.raises(ValueError, match="`center_bias` must be non-negative"):
            gazesal.score(SALIENCY, GAZE, -BIAS, ["sauc"])

    def test_correlations_take_negative_values(self):
        got = gazesal.score(SALIENCY, [-GAZE[1]], -BIAS, ["ncc", "sncc"]).values
        expected = one_by_one(SALIENCY.values(), [-GAZE[1]], -BIAS, ("ncc", "sncc"))
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)

    def test_different_shapes_raise(self):
        with pytest.raises(
            ValueError, match=r"`saliency_maps\['cam'\]` and `gaze_maps\[0\]`.*same"
        ):
            gazesal.score(SALIENCY, [BIAS.T], BIAS)
        with pytest.raises(ValueError, match=r"`saliency_maps\['cam'\]` and `center_bias`.*same"):
            gazesal.score(SALIENCY, GAZE, BIAS[:5])
        with pytest.raises(ValueError, match=r"`saliency_maps\[0\]` must be a non-empty 2-D"):
            gazesal.score([BIAS[0]], GAZE, BIAS)

    @pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, pd.DataFrame])
    def test_one_map_instead_of_several_raises(self, kind):
        with pytest.raises(TypeError, match=r"`saliency_maps` must be a list or a mapping of maps"):
            gazesal.score(kind(BIAS), GAZE, BIAS)
        with pytest.raises(TypeError, match="`gaze_maps` must be a list or a mapping of maps"):
            gazesal.score(GAZE, kind(BIAS), BIAS)

    def test_no_maps_raise(self):
        with pytest.raises(ValueError, match="`gaze_maps` must hold at least one map"):
            gazesal.score(SALIENCY, [], BIAS)
        with pytest.raises(TypeError, match="`saliency_maps` must be an iterable of maps"):
            gazesal.score(3, GAZE, BIAS)

    def test_invalid_metrics_raise(self):
        with pytest.raises(ValueError, match=r"`metrics` must be metrics of gaze maps.*got 'nss'"):
            gazesal.score(SALIENCY, GAZE, BIAS, ["ncc", "nss"])
        with pytest.raises(ValueError, match="`metrics` must name at least one"):
            gazesal.score(SALIENCY, GAZE, BIAS, [])
        with pytest.raises(ValueError, match="each once"):
            gazesal.score(SALIENCY, GAZE, BIAS, ["ncc", "ncc"])
        with pytest.raises(TypeError, match="`metrics` must be an iterable"):
            gazesal.score(SALIENCY, GAZE, BIAS, "ncc")

    def test_missing_center_bias_raises(self):
        with pytest.raises(ValueError, match="`center_bias` must be given for sncc and sauc"):
            gazesal.score(SALIENCY, GAZE)

    def test_invalid_pairs_raise(self):
        with pytest.raises(ValueError, match=r"`pairs` must have a row.*\(3, 4\), got shape \(4,"):
            gazesal.score(SALIENCY, GAZE, BIAS, pairs=np.eye(4, dtype=bool))
        with pytest.raises(TypeError, match="`pairs` must be boolean"):
            gazesal.score(SALIENCY, GAZE, BIAS, pairs=np.ones((3, 4)))
        with pytest.raises(ValueError, match="`pairs` must hold at least one"):
            gazesal.score(SALIENCY, GAZE, BIAS, pairs=np.zeros((3, 4), bool))

    def test_invalid_threads_and_tolerance_raise(self):
        with pytest.raises(ValueError, match="`n_threads` must be at least 1"):
            gazesal.score(SALIENCY, GAZE, BIAS, n_threads=0)
        with pytest.raises(ValueError, match="`tolerance` must be between 0 and 1"):
            gazesal.score(SALIENCY, GAZE, BIAS, tolerance=-1e-6)


def test_inputs_are_not_modified():
    copies = [array.copy() for array in (*SALIENCY.values(), *GAZE, BIAS)]
    gazesal.score(SALIENCY, GAZE, BIAS)
    for array, copy in zip((*SALIENCY.values(), *GAZE, BIAS), copies, strict=True):
        assert np.array_equal(array, copy)


def test_tiny_weights_keep_their_digits():
    got = gazesal.score(SALIENCY, [1e-300 * GAZE[0]], 1e-300 * BIAS, ["auc_borji", "sauc"])
    expected = gazesal.score(SALIENCY, [GAZE[0]], BIAS, ["auc_borji", "sauc"])
    np.testing.assert_allclose(got.values, expected.values, rtol=0, atol=1e-12)
    assert math.isfinite(got.values.sum())
