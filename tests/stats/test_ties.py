"""Tests of scores and differences that are equal, exactly or up to rounding."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal.kernels.bootstrap import resampled_ratios
from gazesal.stats import Design, compare, compare_subgroups, confidence_interval, interval
from gazesal.stats.bootstrap import studentized_bounds
from gazesal.stats.rounding import ROUNDING, all_equal, merge_ties, resolution
from tests.oracles import designs as oracle

REFERENCE = np.random.default_rng(0).uniform(0.4, 0.9, 18)
ONE = {"image": range(18)}
CROSSED = {"image": np.repeat(range(6), 3), "model": np.tile(range(3), 6)}


def shifted(shift, ids, reference=REFERENCE):
    """Return scores of two methods that differ by a constant, up to rounding."""
    scores = {"a": reference, "b": reference + shift}
    return pd.concat(
        [pd.DataFrame({"method": name, **ids, "score": each}) for name, each in scores.items()]
    )


# -- the studentized bootstrap -----------------------------------------------------------------


@pytest.mark.parametrize(
    "scores",
    [
        [1.0] * 29 + [0.0],
        [0.5] * 48 + [0.0] * 2,
        [0.9] * 99 + [0.0],
        [0.3, 0.1 + 0.2, 0.3] * 16 + [0.0],
        [7.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ],
)
def test_studentized_interval_of_mostly_tied_scores_is_undefined(scores):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="tied"):
        found = confidence_interval(scores, interval="studentized", n_resamples=2000, rng=0)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_weights_do_not_separate_tied_scores():
    """Scores of 0.9 are multiplied by weights whose division is not exact."""
    weights = np.random.default_rng(0).uniform(0.1, 3, 30)
    score = np.where(np.arange(30) == 0, 0.0, 0.9)
    assert (score * weights / weights != score).any()
    table = pd.DataFrame({"image": range(30), "score": score, "w": weights})
    with pytest.warns(gazesal.UndefinedMetricWarning, match="tied"):
        found = interval(table, Design("image", weights="w"), interval="studentized", rng=0)
    assert math.isnan(found.low)


def test_few_tied_resamples_keep_studentized_interval_finite():
    """A resample holds zeros only with probability (12/30)^30."""
    scores = [0.0] * 12 + np.random.default_rng(0).normal(1, 0.1, 18).tolist()
    found = confidence_interval(scores, interval="studentized", rng=0)
    assert 0 < found.low < found.estimate < found.high < 1.2


def test_few_undefined_pivots_count_as_infinite():
    """Resamples at the estimate without a spread have no pivot and do not narrow the interval."""
    rng = np.random.default_rng(0)
    resampled, errors = rng.normal(0, 1, 1000), np.ones(1000)
    resampled[:20], errors[:20] = 0.0, 0.0
    pivots = np.where(errors > 0, resampled, math.inf)
    low, high = studentized_bounds(0.0, 1.0, resampled, errors, 0.95)
    assert high == -oracle.quantile(pivots.tolist(), 0.025)
    assert low == -oracle.quantile(pivots.tolist(), 0.975)
    resampled[:26], errors[:26] = 0.0, 0.0
    assert all(map(math.isnan, studentized_bounds(0.0, 1.0, resampled, errors, 0.95)))
    assert not any(map(math.isnan, studentized_bounds(0.0, 1.0, resampled, errors, 0.9)))


def test_infinite_pivots_of_both_sides_are_summed():
    """Two percent of the pivots are infinite in each tail, which are four percent together."""
    resampled, errors = np.random.default_rng(0).normal(0, 1, 1000), np.ones(1000)
    resampled[:20], resampled[20:40], errors[:40] = 1.0, -1.0, 0.0
    assert all(map(math.isnan, studentized_bounds(0.0, 1.0, resampled, errors, 0.95)))
    assert not any(map(math.isnan, studentized_bounds(0.0, 1.0, resampled, errors, 0.9)))


def test_pivots_without_spread_make_interval_undefined():
    """In 7.8 % of the resamples of these five values, all are zero and the pivot is 0/0."""
    with pytest.warns(gazesal.UndefinedMetricWarning, match="tied"):
        found = confidence_interval([0, 0, 0, 1, -1], interval="studentized", rng=0)
    assert math.isnan(found.low)


@given(
    values=st.lists(st.floats(-5, 5), min_size=2, max_size=6),
    seed=st.integers(0, 99),
    weighted=st.booleans(),
)
def test_kernel_computes_means_and_errors_of_resamples(values, seed, weighted):
    rng = np.random.default_rng(seed)
    k = len(values)
    ratios = np.array(values)[:, None]
    sizes = rng.uniform(0.5, 2, (k, 1)) if weighted else np.ones((k, 1))
    drawn = rng.integers(k, size=(20, k))
    counts = np.stack([np.bincount(row, minlength=k) for row in drawn])
    means, errors = np.empty((20, 1)), np.empty((20, 1))
    resampled_ratios(counts, ratios.T.copy(), sizes.T.copy(), means, errors)
    for row, mean, error in zip(drawn, means[:, 0], errors[:, 0], strict=True):
        total = math.fsum(sizes[row, 0])
        expected = math.fsum(sizes[row, 0] * ratios[row, 0]) / total
        squares = math.fsum((sizes[row, 0] * (ratios[row, 0] - expected)) ** 2)
        assert mean == pytest.approx(expected, abs=1e-12)
        assert error == pytest.approx(math.sqrt(squares * k / (k - 1)) / total, abs=1e-12)
        if len(set(ratios[row, 0])) == 1:
            assert error == 0.0


# -- differences -------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.1, -0.3, 1e-6])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
@pytest.mark.parametrize(("ids", "units"), [(ONE, "image"), (CROSSED, ["image", "model"])])
def test_differences_equal_up_to_rounding_have_no_effect_size(ids, units, shift, scale):
    table = shifted(shift * scale, ids, REFERENCE * scale)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (found,) = compare(table, Design(units), rng=0)
    assert math.isnan(found.effect_size)
    d = found.difference
    assert d.standard_error == 0.0
    assert (d.low, d.high) == (d.estimate, d.estimate)
    assert d.estimate == pytest.approx(shift * scale, rel=1e-9)


@pytest.mark.parametrize("units", ["image", ["image", "model"]])
@pytest.mark.parametrize("method", ["t", "normal", "bootstrap", "basic", "bca"])
def test_methods_equal_up_to_rounding_have_no_difference(units, method):
    """The scores differ as averages of the same numbers in another order do."""
    ids = ONE if units == "image" else CROSSED
    table = shifted(0.0, ids)
    noise = np.random.default_rng(1).integers(-1, 2, 18) * 1e-16
    table.loc[table["method"] == "b", "score"] += noise
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (found,) = compare(table, Design(units), interval=method, margin=0.01, rng=0)
    assert (found.p_value, found.difference.estimate) == (1.0, 0.0)
    assert found.equivalence.shown


def test_float32_scores_are_equal_up_to_their_own_rounding():
    table = shifted(np.float32(0.1), ONE, REFERENCE.astype(np.float32))
    assert table["score"].dtype == np.float32
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (found,) = compare(table, Design("image"), rng=0)
    assert found.difference.standard_error == 0.0
    # as `.item()` of a float32 tensor has it
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (converted,) = compare(table.astype({"score": float}), Design("image"), rng=0)
    assert converted.difference.standard_error == 0.0
    # float64 scores that differ by that much do differ
    (exact,) = compare(table.assign(score=table["score"].astype(float) / 3), Design("image"), rng=0)
    assert exact.effect_size > 1e5


def test_separate_trainings_that_differ_by_one_amount():
    table = shifted(0.1, CROSSED)
    table["model"] = table["method"] + table["model"].astype(str)
    design = Design("image", averaged="model")
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (found,) = compare(table, design, independent="model", rng=0)
    assert found.difference.standard_error == 0.0


def test_small_differences_above_rounding_have_an_effect_size():
    rng = np.random.default_rng(0)
    table = shifted(0.1, ONE)
    noise = 1e-9 * rng.normal(size=18)
    table.loc[table["method"] == "b", "score"] += noise
    (found,) = compare(table, Design("image"), rng=0)
    wide = table.pivot_table(index="image", columns="method", values="score")
    expected = wide["b"] - wide["a"]
    assert found.effect_size == pytest.approx(expected.mean() / expected.std(), rel=1e-3)


def test_sum_that_cancels_is_compared_up_to_rounding():
    """The sum 0.1 + 0.2 - 0.3 is 5.6e-17, and no pattern of signs has a sum nearer to zero."""
    table = pd.DataFrame(
        {
            "method": ["a"] * 6 + ["b"] * 6,
            "image": list(range(6)) * 2,
            "score": [0.0, 0.0, 0.3] * 2 + [0.1, 0.2, 0.0] * 2,
        }
    )
    (found,) = compare(table, Design("image"))
    assert found.p_value == 1.0


# -- groups, parts of the variance -------------------------------------------------------------


def groups(*values):
    sizes = [len(each) for each in values]
    names = np.repeat([f"g{i}" for i in range(len(values))], sizes)
    return pd.DataFrame(
        {"image": range(sum(sizes)), "group": names, "score": np.concatenate(values)}
    )


def test_group_equal_up_to_rounding_has_no_spread():
    equal = np.full(7, 0.7)
    table = groups(equal, np.linspace(0.2, 0.4, 6))
    with pytest.warns(gazesal.UndefinedMetricWarning, match="no spread"):
        found = compare_subgroups(table, Design("image"), group="group", rng=0)
    assert math.isnan(found.statistic)
    mean = found.means["g0"]
    assert mean.standard_error == 0.0
    assert found.difference.standard_error == pytest.approx(found.means["g1"].standard_error)
    assert found.difference.degrees_of_freedom == pytest.approx(5)


def test_groups_of_equal_mean_have_a_p_value_of_one():
    table = groups([2.5, 2.4, 0.9, 1.7], [2.6, 1.4, 2.7, 0.8])
    found = compare_subgroups(table, Design("image"), group="group", rng=0, n_resamples=999)
    assert found.statistic == pytest.approx(0, abs=1e-20)
    assert found.p_value == 1.0


def test_effects_as_small_as_rounding_have_no_variance():
    """Scores that are a sum of effects of images and models have no joint effect."""
    image, model = np.repeat(np.arange(7), 4), np.tile(np.arange(4), 7)
    rng = np.random.default_rng(0)
    score = rng.uniform(0.3, 0.6, 7)[image] + rng.uniform(0, 0.2, 4)[model]
    table = pd.DataFrame({"image": image, "model": model, "score": score})
    parts = gazesal.stats.variance_components(table, Design(["image", "model"]))
    assert parts.components["image:model"] == 0.0
    assert parts.mean_squares["image"] > 1e-3
    constant = table.assign(score=0.1 + 0.2)
    parts = gazesal.stats.variance_components(constant, Design(["image", "model"]))
    assert set(parts.components.values()) == {0.0}
    assert parts.half_width() == 0.0
    assert gazesal.stats.plan_study(parts, 1e-12, units="image")["image"].tolist() == [2]


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg", "none"])
def test_p_values_above_one_by_rounding_are_one(method):
    assert gazesal.stats.adjust_p_values([1 + 1e-15, 0.1], method=method).max() == 1.0
    with pytest.raises(ValueError, match="`p_values`"):
        gazesal.stats.adjust_p_values([1.001])


# -- the rule ----------------------------------------------------------------------------------


def test_merge_ties_merges_only_narrow_runs():
    values = np.array([0.3, 0.1 + 0.2, 0.5, 1e-17, -2e-17])
    assert merge_ties(values, 1e-12).tolist() == [0.3, 0.3, 0.5, 0.0, 0.0]
    dense = np.linspace(0.1, 0.2, 1000)
    assert merge_ties(dense, 2e-4) is dense or merge_ties(dense, 2e-4).tolist() == dense.tolist()
    apart = np.array([0.1, 0.2])
    assert merge_ties(apart, 1e-12) is apart


def test_resolution_of_a_type_is_its_last_place():
    double, single = np.array([0.1, 0.2]), np.array([0.1, 0.2], np.float32).astype(float)
    for dtype in (np.float64, object):
        assert resolution(np.dtype(dtype), double) == ROUNDING
    for dtype in (np.dtype(np.float32), pd.Float32Dtype(), np.dtype(np.float64)):
        assert resolution(dtype, np.append(single, np.nan)) == 2.0**-22
    assert resolution(np.dtype(np.float64), np.array([1.0, 2.0**24])) == ROUNDING  # counts
    assert all_equal(np.array([0.3, 0.1 + 0.2]))
    assert not all_equal(np.array([0.3, 0.3 + 1e-11]))
