"""Tests of intervals of an array against plain loops and an exhaustive bootstrap."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import gazesal
from gazesal.stats import ConfidenceInterval, bootstrap, confidence_interval
from gazesal.stats.score_cube import ScoreCube
from tests.oracles import intervals as oracle

SCORE = st.floats(-2, 2, allow_subnormal=False)


@st.composite
def samples(draw):
    """Draw scores and their clusters, at least two, of unequal sizes."""
    n = draw(st.integers(2, 12))
    scores = draw(st.lists(SCORE, min_size=n, max_size=n))
    clusters = draw(st.lists(st.sampled_from("abcde"), min_size=n, max_size=n))
    clusters[:2] = ["a", "b"]
    return scores, clusters


def triple(interval):
    return interval.estimate, interval.low, interval.high


SAME = {"rel": 0, "abs": 1e-12}


@given(sample=samples(), confidence_level=st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_normal_interval_equals_the_oracle(sample, confidence_level):
    got = confidence_interval(
        sample[0], clusters=sample[1], interval="normal", confidence_level=confidence_level
    )
    assert triple(got) == pytest.approx(oracle.normal(*sample, confidence_level), **SAME)
    assert (got.n_scores, got.n_clusters) == (len(sample[0]), len(set(sample[1])))
    assert (got.confidence_level, got.interval) == (confidence_level, "normal")


@given(sample=samples(), confidence_level=st.sampled_from([0.5, 0.95, 0.999]))
def test_default_is_the_t_interval_of_the_cluster_means(sample, confidence_level):
    got = confidence_interval(sample[0], clusters=sample[1], confidence_level=confidence_level)
    means = oracle.cluster_means(*sample)
    center, error = np.mean(means), stats.sem(means)
    half = stats.t.ppf(0.5 + confidence_level / 2, len(means) - 1) * error
    assert got.interval == "t"
    assert triple(got) == pytest.approx((center, center - half, center + half), rel=1e-9, abs=1e-11)


@given(sample=samples())
def test_study_interval_equals_the_oracle(sample):
    got = confidence_interval(sample[0], clusters=sample[1], interval="study")
    assert triple(got) == pytest.approx(oracle.study(*sample), **SAME)
    assert (got.confidence_level, got.interval) == (0.95, "study")


@given(scores=st.lists(SCORE, min_size=2, max_size=12))
def test_every_score_is_a_cluster_by_default(scores):
    names = list(range(len(scores)))
    for options in (
        {},
        {"interval": "study"},
        {"interval": "bootstrap", "rng": 1, "n_resamples": 50},
    ):
        plain = confidence_interval(scores, **options)
        named = confidence_interval(scores, clusters=names, **options)
        assert triple(plain) == pytest.approx(triple(named), **SAME)
        assert plain.n_clusters == len(scores)


@given(sample=samples(), data=st.data())
def test_order_of_scores_and_names_of_clusters_do_not_matter(sample, data):
    scores, clusters = sample
    expected = triple(confidence_interval(scores, clusters=clusters))
    order = data.draw(st.permutations(range(len(scores))))
    renamed = [{"a": 7, "b": -1, "c": 3, "d": 0, "e": 12}[clusters[i]] for i in order]
    got = confidence_interval([scores[i] for i in order], clusters=renamed)
    assert triple(got) == pytest.approx(expected, **SAME)


def test_clusters_of_any_size_have_equal_weight():
    got = confidence_interval([0, 0, 0, 0, 1], clusters=[1, 1, 1, 1, 2])
    assert got.estimate == 0.5
    assert (
        confidence_interval([0, 0, 0, 0, 1], clusters=[1] * 4 + [2], interval="study").estimate
        == 0.2
    )


@pytest.mark.parametrize("confidence_level", [0.5, 0.8, 0.95])
@pytest.mark.parametrize(
    ("scores", "clusters"),
    [
        ([0.1, 0.4, 0.35, 0.9, 0.2], list("abcde")),
        ([0.1, 0.4, 0.35, 0.9, 0.2, 0.65], list("aabbcd")),
        ([0.0, 1.0], list("ab")),
    ],
)
def test_bootstrap_matches_the_exhaustive_distribution(scores, clusters, confidence_level):
    """All resamples of few clusters can be listed, so that the limit is known exactly."""
    chances = oracle.bootstrap_distribution(scores, clusters)
    n = 40_000
    got = confidence_interval(
        scores,
        clusters=clusters,
        interval="bootstrap",
        confidence_level=confidence_level,
        n_resamples=n,
        rng=0,
    )
    assert got.estimate == pytest.approx(np.mean(oracle.cluster_means(scores, clusters)), **SAME)
    assert got.interval == "bootstrap"
    for bound, tail in (
        (got.low, (1 - confidence_level) / 2),
        (got.high, (1 + confidence_level) / 2),
    ):
        # four standard errors of the share of draws below the quantile
        slack = 4 * math.sqrt(tail * (1 - tail) / n)
        low = oracle.quantile_of(chances, tail - slack)
        high = oracle.quantile_of(chances, tail + slack)
        assert low - 1e-9 <= bound <= high + 1e-9


def test_bootstrap_resamples_whole_clusters():
    """Scores within clusters are constant, so that an interval by resampled scores is narrower."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=20)
    got = confidence_interval(
        np.repeat(means, 50), clusters=np.repeat(np.arange(20), 50), interval="bootstrap", rng=0
    )
    expected = confidence_interval(means)
    assert got.high - got.low == pytest.approx(expected.high - expected.low, rel=0.1)
    assert got.n_scores == 1000


def test_bootstrap_is_repeatable_and_seeded():
    scores = np.random.default_rng(1).random(30)
    runs = [confidence_interval(scores, interval="bootstrap", rng=seed) for seed in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]
    generator = np.random.default_rng(5)
    assert confidence_interval(scores, interval="bootstrap", rng=generator) == runs[0]


def test_resamples_do_not_depend_on_blocks():
    """Memory is bounded by drawing in blocks; the bounds must not depend on their size."""
    scores = np.random.default_rng(2).random(30)
    cube = ScoreCube.of_units(scores, scores)
    whole = bootstrap.replicates(cube, 501, np.random.default_rng(3))
    blocks = bootstrap.replicates(cube, 501, np.random.default_rng(3), at_once=30 * 7)
    assert np.array_equal(whole, blocks)


@pytest.mark.parametrize("method", ["normal", "study", "bootstrap"])
def test_one_cluster_has_no_interval(method):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="one cluster"):
        got = confidence_interval([0.2, 0.4], clusters=["a", "a"], interval=method, rng=0)
    assert got.estimate == pytest.approx(0.3)
    assert math.isnan(got.low)
    assert math.isnan(got.high)
    assert (got.n_clusters, got.n_scores) == (1, 2)


def test_warning_names_the_line_of_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        confidence_interval([0.2])
    assert [each.filename for each in caught] == [__file__]


def test_equal_scores_have_an_interval_of_no_width():
    got = confidence_interval([0.5, 0.5, 0.5], interval="bootstrap", rng=0)
    assert triple(got) == pytest.approx((0.5, 0.5, 0.5), **SAME)


@pytest.mark.parametrize("scores", [[1, 0, 1], [True, False, True], np.array([1, 0, 1], "u1")])
def test_integer_and_boolean_scores(scores):
    assert confidence_interval(scores) == confidence_interval([1.0, 0.0, 1.0])


def test_inputs_are_not_modified():
    scores, clusters = np.random.default_rng(3).random(6), np.array(list("abcabc"))
    copies = scores.copy(), clusters.copy()
    confidence_interval(scores, clusters=clusters, interval="bootstrap", rng=0)
    assert np.array_equal(scores, copies[0])
    assert np.array_equal(clusters, copies[1])


def test_result_is_frozen_and_readable():
    got = confidence_interval([0.1, 0.2, 0.6], interval="normal")
    assert isinstance(got, ConfidenceInterval)
    assert str(got) == "0.300 [0.001, 0.599]"
    assert "estimate=0.3" in repr(got)
    with pytest.raises(AttributeError):
        got.low = 0.0


@pytest.mark.parametrize("scores", [[], 1.0, [[0.1, 0.2]]])
def test_scores_of_other_shapes_raise(scores):
    with pytest.raises(ValueError, match=r"`scores`.*1-D"):
        confidence_interval(scores)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_raise(value):
    with pytest.raises(ValueError, match="`scores` must be finite, got 1 of 3"):
        confidence_interval([0.1, value, 0.3])


def test_scores_with_infinite_squares_raise():
    with pytest.raises(ValueError, match="`scores` must lie within"):
        confidence_interval([0.1, 1e200])


@pytest.mark.parametrize("scores", [["a", "b"], [1j, 2], [None, 0.1]])
def test_scores_that_are_not_numbers_raise(scores):
    with pytest.raises(TypeError, match="`scores`"):
        confidence_interval(scores)


@pytest.mark.parametrize("clusters", [["a"], list("abcd"), [["a", "b", "c"]], "abc"])
def test_clusters_of_other_shapes_raise(clusters):
    with pytest.raises(ValueError, match=r"`clusters`.*3 scores"):
        confidence_interval([0.1, 0.2, 0.3], clusters=clusters)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_clusters_raise(missing):
    clusters = np.array(["a", missing, "b"], dtype=object)
    with pytest.raises(ValueError, match=r"`clusters`.*1 missing"):
        confidence_interval([0.1, 0.2, 0.3], clusters=clusters)


def test_clusters_of_mixed_types_raise():
    clusters = np.array(["a", 3, "b"], dtype=object)
    with pytest.raises(TypeError, match="`clusters`"):
        confidence_interval([0.1, 0.2, 0.3], clusters=clusters)


@pytest.mark.parametrize(
    ("clusters", "error"),
    [
        (np.ma.masked_array([1, 2, 3], [False, True, False]), ValueError),
        (np.ma.masked_array(["a", "b", "c"], [False, True, False]), ValueError),
        (["a", np.ma.masked, "c"], ValueError),
        ([1, np.ma.masked, 3], ValueError),
        ([[1, 2], [3], 4], (TypeError, ValueError)),
        ([[1, 2], [3], [4]], (TypeError, ValueError)),
        ([True, 1, 2], TypeError),
        (np.array([True, 1, 2], dtype=object), TypeError),
        ([b"a", "a", "b"], TypeError),
        (["a", 1.5, "b"], TypeError),
        ([{}, {}, {}], TypeError),
        (np.array([[1], [2], [3]]), ValueError),
    ],
)
def test_masked_ragged_and_mixed_clusters_raise(clusters, error):
    with pytest.raises(error, match="`clusters`"):
        confidence_interval([0.1, 0.2, 0.3], clusters=clusters)


def test_masked_arrays_without_a_mask_are_labels():
    clusters = np.ma.masked_array([1, 1, 2])
    expected = confidence_interval([0.1, 0.2, 0.3], clusters=[1, 1, 2])
    assert confidence_interval([0.1, 0.2, 0.3], clusters=clusters) == expected


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"interval": "BCa"}, ValueError, "`interval` must be one of"),
        ({"confidence_level": 0}, ValueError, "`confidence_level`"),
        ({"confidence_level": 1}, ValueError, "`confidence_level`"),
        ({"confidence_level": 95}, ValueError, "`confidence_level`"),
        ({"confidence_level": float("nan")}, ValueError, "`confidence_level`"),
        ({"confidence_level": "0.95"}, ValueError, "`confidence_level`"),
        (
            {"confidence_level": 0.9, "interval": "study"},
            ValueError,
            "`confidence_level` must be 0.95",
        ),
        ({"interval": "bootstrap"}, ValueError, "`rng`"),
        ({"interval": "bootstrap", "rng": "x"}, TypeError, "`rng`"),
        ({"interval": "bootstrap", "rng": 0, "n_resamples": 0}, ValueError, "`n_resamples`"),
        ({"interval": "bootstrap", "rng": 0, "n_resamples": 1.5}, TypeError, "`n_resamples`"),
        ({"interval": "bootstrap", "rng": 0, "n_resamples": True}, TypeError, "`n_resamples`"),
    ],
)
def test_invalid_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        confidence_interval([0.1, 0.2, 0.3], **options)


def test_confidence_level_may_be_a_numpy_scalar():
    expected = confidence_interval([0.1, 0.2, 0.4], confidence_level=0.5)
    assert confidence_interval([0.1, 0.2, 0.4], confidence_level=np.float32(0.5)) == expected
    assert confidence_interval([0.1, 0.2, 0.4], confidence_level=np.float64(0.5)) == expected
