"""Tests of paired comparisons against loops, scipy and cases made by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import multitest, weightstats

import gazesal
from gazesal.stats import Design, adjust_p_values, compare, interval
from gazesal.stats.permutation_tests import sign_flips
from tests.oracles import designs as oracle
from tests.stats.frames import two_methods

IMAGES = Design("image")


def differences(table):
    """Return the scores of b minus the scores of a, by image."""
    wide = table.pivot_table(index="image", columns="method", values="score")
    return (wide["b"] - wide["a"]).to_numpy()


def test_interval_equals_interval_of_the_differences():
    table = two_methods(12, model=4)
    design = Design(["image", "model"])
    (found,) = compare(table, design, interval="bca", rng=2)
    keys = ["image", "model"]
    first, second = (table[table["method"] == name].set_index(keys)["score"] for name in "ab")
    paired = (second - first).reset_index()
    assert found.difference == interval(paired, design, interval="bca", rng=2)
    assert (found.method, found.reference) == ("b", "a")


@pytest.mark.parametrize("n", [2, 5, 10])
def test_few_units_use_all_sign_flips(n):
    table = two_methods(n)
    (found,) = compare(table, IMAGES)
    assert found.test == "all sign flips"
    assert found.p_value == pytest.approx(oracle.sign_flip_p(differences(table).tolist()))


def test_many_units_use_random_sign_flips():
    table = two_methods(14, shift=0.02)
    (found,) = compare(table, IMAGES, rng=0, n_resamples=9_999)
    exact = oracle.sign_flip_p(differences(table).tolist())
    assert found.test == "random sign flips"
    assert found.p_value == pytest.approx(exact, abs=5 * math.sqrt(exact / 9_999))
    (theirs,) = compare(table, IMAGES, rng=0, n_resamples=2**14)
    assert theirs.test == "all sign flips"
    assert theirs.p_value == pytest.approx(exact)


def test_sign_flips_agree_with_scipy():
    table = two_methods(9, shift=0.02)
    (found,) = compare(table, IMAGES)
    values = differences(table)
    theirs = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=512)
    assert found.p_value == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("k", [8, 20])
def test_sign_flips_do_not_depend_on_blocks(k):
    values = differences(two_methods(k, shift=0.01))[:, None]
    whole, exact = sign_flips(values, 501, np.random.default_rng(1))
    blocks, _ = sign_flips(values, 501, np.random.default_rng(1), at_once=50)
    assert (blocks, exact) == (whole, k == 8)


def test_random_sign_flips_include_the_observed_pattern():
    """No random pattern reaches the sum of 30 differences of one sign."""
    table = two_methods(30, shift=1.0)
    (found,) = compare(table, IMAGES, rng=0, n_resamples=99)
    assert found.test == "random sign flips"
    assert found.p_value == 1 / 100


def test_constant_shift_has_the_least_p_value():
    table = two_methods(8)
    table["score"] = table["image"] / 8 + (table["method"] == "b") * 0.5
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size is undefined"):
        (found,) = compare(table, IMAGES)
    assert found.p_value == 2 / 2**8
    assert found.share_higher == 1
    assert math.isnan(found.effect_size)


def test_equal_methods_have_a_p_value_of_one():
    table = two_methods(6).assign(score=0.25)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (found,) = compare(table, IMAGES, margin=0.1)
    assert (found.p_value, found.share_higher) == (1.0, 0.5)
    assert found.equivalence.shown
    with pytest.warns(gazesal.UndefinedMetricWarning, match="effect size"):
        (crossed,) = compare(two_methods(6, model=3).assign(score=0.25), Design(["image", "model"]))
    assert crossed.p_value == 1.0


def test_crossed_units_are_tested_by_t():
    table = two_methods(12, model=4)
    (found,) = compare(table, Design(["image", "model"]))
    d = found.difference
    expected = 2 * stats.t.sf(abs(d.estimate) / d.standard_error, d.degrees_of_freedom)
    assert found.test == "t"
    assert found.p_value == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-0.2, -0.01, 0.0, 0.01, 0.2])
def test_p_value_does_not_depend_on_the_order_of_methods(shift):
    table = two_methods(12, model=4, shift=shift)
    (plus,) = compare(table, Design(["image", "model"]), reference="a")
    (minus,) = compare(table, Design(["image", "model"]), reference="b")
    assert minus.difference.estimate == pytest.approx(-plus.difference.estimate)
    assert minus.p_value == pytest.approx(plus.p_value, rel=1e-12)
    d = plus.difference
    expected = 2 * stats.t.sf(abs(d.estimate) / d.standard_error, d.degrees_of_freedom)
    assert plus.p_value == pytest.approx(expected)


def test_effect_size_and_share():
    table = two_methods(12, model=4)
    values = differences(table)
    (found,) = compare(table, Design("image", averaged="model"))
    assert found.effect_size == pytest.approx(values.mean() / values.std(ddof=1))
    assert found.share_higher == pytest.approx((values > 0).mean())


def test_equivalence_is_two_one_sided_t_tests():
    table = two_methods(11, shift=0.01)
    values = differences(table)
    (found,) = compare(table, IMAGES, margin=0.05)
    below = stats.ttest_1samp(values, -0.05, alternative="greater").pvalue
    above = stats.ttest_1samp(values, 0.05, alternative="less").pvalue
    got = found.equivalence
    assert got.p_value == pytest.approx(max(below, above))
    expected = stats.t.interval(0.9, 10, values.mean(), stats.sem(values))
    assert (got.low, got.high) == pytest.approx(expected)
    assert got.shown == (got.p_value < 0.05) == (got.low > -0.05 and got.high < 0.05)


def test_equivalence_agrees_with_statsmodels():
    table = two_methods(15, shift=0.01)
    (found,) = compare(table, IMAGES, margin=0.03, rng=0)
    p_value, *_ = weightstats.ttost_paired(differences(table), np.zeros(15), -0.03, 0.03)
    assert found.equivalence.p_value == pytest.approx(p_value)


def test_equivalence_uses_the_adjusted_p_value():
    """An equivalence that is shown alone is not shown among four."""
    for seed in range(50):
        tables = [two_methods(12, shift=0.01, seed=seed + i).assign(metric=i) for i in range(4)]
        found = compare(pd.concat(tables), IMAGES, by="metric", margin=0.04, rng=0)
        between = [
            e for e in (row.equivalence for row in found) if e.p_value < 0.05 <= e.p_adjusted
        ]
        if between:
            break
    assert between
    assert not any(e.shown for e in between)
    raw = compare(pd.concat(tables), IMAGES, by="metric", margin=0.04, adjust="none", rng=0)
    assert [row.equivalence.shown for row in raw] == [row.equivalence.p_value < 0.05 for row in raw]


KINDS = ["t", "normal", "bootstrap", "basic", "bca", "studentized"]


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize("confidence_level", [0.9, 0.95])
def test_equivalence_is_shown_if_and_only_if_interval_lies_within_margin(method, confidence_level):
    table = two_methods(25, shift=0.02)
    wide = table.pivot_table(index="image", columns="method", values="score")
    paired = (wide["b"] - wide["a"]).rename("score").reset_index()
    options = {"interval": method, "rng": 3, "n_resamples": 4000}
    inner = interval(paired, IMAGES, confidence_level=2 * confidence_level - 1, **options)
    reach = max(-inner.low, inner.high)
    for margin, shown in ((reach * 1.001, True), (reach * 0.999, False)):
        (found,) = compare(
            table, IMAGES, margin=margin, confidence_level=confidence_level, **options
        )
        assert (found.equivalence.low, found.equivalence.high) == pytest.approx(
            (inner.low, inner.high), rel=1e-12
        )
        assert found.equivalence.shown == shown
        assert (found.equivalence.p_value < 1 - confidence_level) == shown


@pytest.mark.parametrize("method", KINDS)
def test_p_value_of_equivalence_is_the_error_at_which_the_interval_fits(method):
    table = two_methods(25, shift=0.02)
    options = {"interval": method, "rng": 3, "n_resamples": 4000}
    (found,) = compare(table, IMAGES, margin=0.035, **options)
    p = found.equivalence.p_value
    assert 0.001 < p < 0.5
    for factor, shown in ((1.02, True), (0.98, False)):
        (again,) = compare(table, IMAGES, margin=0.035, confidence_level=1 - factor * p, **options)
        assert again.equivalence.shown == shown
        inside = again.equivalence.low > -0.035 and again.equivalence.high < 0.035
        assert inside == shown


@pytest.mark.parametrize("method", ["bootstrap", "basic", "bca", "studentized"])
def test_resamples_bound_the_p_value_of_equivalence(method):
    table = two_methods(25)
    options = {"interval": method, "rng": 3, "n_resamples": 199}
    assert compare(table, IMAGES, margin=5.0, **options)[0].equivalence.p_value == 1 / 200
    far = compare(two_methods(25, shift=1.0), IMAGES, margin=0.01, **options)[0].equivalence
    assert far.p_value > 0.99
    assert not far.shown


def test_equivalence_is_undefined_with_an_undefined_interval():
    table = two_methods(8)
    wide = pd.DataFrame({"image": range(8), "a": 0.0, "b": [0.1] + [0.0] * 7})
    table = wide.melt("image", ["a", "b"], "method", "score")
    with pytest.warns(gazesal.UndefinedMetricWarning, match="tied"):
        (found,) = compare(table, IMAGES, interval="studentized", margin=0.5, rng=0)
    assert not found.equivalence.shown


def test_a_wide_interval_shows_neither_difference_nor_equivalence():
    rng = np.random.default_rng(4)
    table = two_methods(10)
    table["score"] = rng.normal(0.5, 0.1, len(table))
    (found,) = compare(table, IMAGES, margin=0.02)
    assert found.p_value > 0.05
    assert not found.equivalence.shown


def test_families_are_adjusted_over_all_groups():
    tables = [two_methods(9, seed=s, shift=0.02).assign(metric=f"m{s}") for s in range(3)]
    found = compare(pd.concat(tables), IMAGES, by="metric")
    raw = [row.p_value for row in found]
    assert [row.p_adjusted for row in found] == adjust_p_values(raw).tolist()
    assert [row.group for row in found] == [(("metric", f"m{s}"),) for s in range(3)]
    alone = compare(tables[1], IMAGES)[0]
    assert found[1].difference == alone.difference
    assert found[1].p_value == alone.p_value


def test_all_pairs_or_pairs_with_a_reference_are_compared():
    third = two_methods(6, seed=1).replace({"method": {"a": "c"}}).query("method == 'c'")
    table = pd.concat([two_methods(6), third])
    every = compare(table, IMAGES)
    assert [(row.method, row.reference) for row in every] == [("b", "a"), ("c", "a"), ("c", "b")]
    against = compare(table, IMAGES, reference="b")
    assert [(row.method, row.reference) for row in against] == [("a", "b"), ("c", "b")]
    assert against[0].difference.estimate == pytest.approx(-every[0].difference.estimate)


def test_margins_may_differ_by_metric():
    table = pd.concat([two_methods(8).assign(metric=name) for name in ("ncc", "sauc")])
    found = compare(table, IMAGES, by="metric", margin={"ncc": 0.2, "sauc": 0.01})
    assert [row.equivalence.margin for row in found] == [0.2, 0.01]
    with pytest.raises(ValueError, match="`margin` must have a value for sauc"):
        compare(table, IMAGES, by="metric", margin={"ncc": 0.2})
    with pytest.raises(ValueError, match="unless `by` is one column"):
        compare(table[table["metric"] == "ncc"], IMAGES, margin={"ncc": 0.2})


def test_missing_partners_raise_or_are_dropped_and_counted():
    table = two_methods(8).sort_values(["method", "image"]).iloc[1:]
    with pytest.raises(ValueError, match="must have a partner of a, got 1 without"):
        compare(table, IMAGES)
    (found,) = compare(table, Design("image", missing="drop"))
    assert (found.n_unpaired, found.difference.n_scores) == (1, 7)
    undefined = two_methods(8)
    undefined.loc[undefined.index[0], "score"] = np.nan
    with pytest.raises(ValueError, match=r"must be finite, got 1 of"):
        compare(undefined, IMAGES)
    (found,) = compare(undefined, Design("image", missing="drop"))
    assert (found.n_unpaired, found.difference.n_dropped, found.difference.n_scores) == (0, 1, 7)


def test_methods_without_common_units_raise():
    table = two_methods(4)
    table.loc[table["method"] == "b", "image"] += 10
    with pytest.raises(ValueError, match="must share a unit, got none"):
        compare(table, Design("image", missing="drop"))


def test_weights_must_agree_within_a_pair():
    table = two_methods(8).assign(w=1.0)
    (plain,) = compare(table, IMAGES)
    (weighted,) = compare(table, Design("image", weights="w"))
    assert weighted.difference.estimate == pytest.approx(plain.difference.estimate)
    assert weighted.p_value == plain.p_value
    table.loc[table.index[0], "w"] = 2.0
    with pytest.raises(ValueError, match="`w` must be the same for both"):
        compare(table, Design("image", weights="w"))


def test_weights_of_crossed_units_are_tested_by_t():
    table = two_methods(8, model=3).assign(w=1.0)
    (plain,) = compare(table, Design(["image", "model"]), margin=0.2)
    (found,) = compare(table, Design(["image", "model"], weights="w"), margin=0.2)
    assert found.test == "t"
    assert found.p_value == pytest.approx(plain.p_value)
    assert found.equivalence.p_value == pytest.approx(plain.equivalence.p_value)


def test_missing_cells_are_dropped_for_both_methods():
    table = two_methods(12, model=3).assign(w=1.0)
    table = table[~((table["method"] == "a") & (table["image"] == 2) & (table["model"] == 1))]
    design = Design(["image", "model"], weights="w", missing="drop")
    (found,) = compare(table, design)
    assert (found.n_unpaired, found.difference.n_scores, found.test) == (1, 35, "t")
    assert found.difference.low < found.difference.estimate < found.difference.high


def test_weights_of_three_crossed_kinds_of_units_have_an_interval_and_no_test():
    table = two_methods(8, model=3, reader=3).assign(w=1.0)
    design = Design(["image", "model", "reader"], weights="w")
    with pytest.warns(gazesal.UndefinedMetricWarning, match="p-value is undefined"):
        (found,) = compare(table, design, interval="bca", margin=0.2, rng=0)
    assert math.isnan(found.p_value)
    assert found.difference.low < found.difference.estimate
    assert found.equivalence.shown


def test_metric_of_one_method_only_is_skipped():
    table = pd.concat([two_methods(6).assign(metric=name) for name in ("ncc", "nss")])
    table = table[(table["metric"] == "ncc") | (table["method"] == "a")]
    found = compare(table, IMAGES, by="metric")
    assert [row.group for row in found] == [(("metric", "ncc"),)]


def test_one_unit_has_no_test():
    with pytest.warns(gazesal.UndefinedMetricWarning):
        (found,) = compare(two_methods(1), IMAGES, margin=0.1)
    assert math.isnan(found.p_value)
    assert math.isnan(found.equivalence.p_value)
    assert not found.equivalence.shown


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"reference": "x"}, ValueError, "`reference` must be one of a, b"),
        ({"margin": 0}, ValueError, "`margin` must be positive"),
        ({"margin": "a"}, TypeError, "`margin` must be a number"),
        ({"interval": "study"}, ValueError, "`interval` must be an interval of differences"),
        ({"adjust": "bonferroni"}, ValueError, "`adjust` must be one of"),
        ({"contrast": "model"}, ValueError, "columns model, image, score once"),
        ({"n_resamples": 0}, ValueError, "`n_resamples`"),
    ],
)
def test_invalid_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        compare(two_methods(5), IMAGES, **options)


def test_one_method_raises():
    with pytest.raises(ValueError, match="`method` must hold two values"):
        compare(two_methods(5).query("method == 'a'"), IMAGES)


def test_random_sign_flips_require_rng():
    with pytest.raises(ValueError, match=r"`rng` must be a seed .* of 20 units"):
        compare(two_methods(20), IMAGES)


def test_result_reads_well():
    found = compare(two_methods(6).assign(metric="ncc"), IMAGES, by="metric", margin=0.1)
    assert repr(found).splitlines()[0] == "1 comparisons (p: holm)"
    assert repr(found).splitlines()[1].startswith("ncc: b - a = +0.0")
    assert str(found[0]).endswith("; equivalence within 0.1 shown")
    wanted = compare(two_methods(6), IMAGES, margin=0.001)
    assert str(wanted[0]).endswith("; equivalence within 0.001 not shown")
    assert "equivalence" not in str(compare(two_methods(6), IMAGES)[0])
    frame = found.to_frame()
    assert frame.loc[0, ["metric", "method", "reference"]].tolist() == ["ncc", "b", "a"]
    assert {"p_adjusted", "equivalent", "n_image", "low"} <= set(frame)
    assert "<table" in found._repr_html_()
    assert len(found) == 1


# -- families of tests -------------------------------------------------------------------------

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p=P_VALUES)
def test_holm_follows_its_definition(p):
    order = sorted(range(len(p)), key=p.__getitem__)
    expected, highest = [0.0] * len(p), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - place) * p[index]))
        expected[index] = highest
    assert adjust_p_values(p).tolist() == pytest.approx(expected)


@given(p=P_VALUES)
def test_benjamini_hochberg_follows_its_definition(p):
    order = sorted(range(len(p)), key=p.__getitem__)
    expected, lowest = [0.0] * len(p), 1.0
    for place in reversed(range(len(p))):
        lowest = min(lowest, p[order[place]] * len(p) / (place + 1))
        expected[order[place]] = lowest
    assert adjust_p_values(p, method="benjamini-hochberg").tolist() == pytest.approx(expected)


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg"])
def test_adjustments_equal_statsmodels(method):
    p = np.random.default_rng(0).random(20) ** 3
    name = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}[method]
    assert adjust_p_values(p, method=method) == pytest.approx(
        multitest.multipletests(p, method=name)[1]
    )


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg", "none"])
def test_undefined_p_values_do_not_count(method):
    got = adjust_p_values([0.02, math.nan, 0.04], method=method)
    assert math.isnan(got[1])
    assert got[[0, 2]].tolist() == adjust_p_values([0.02, 0.04], method=method).tolist()
    assert adjust_p_values([], method=method).size == 0


@pytest.mark.parametrize("p", [[1.1], [-0.1], [[0.1]]])
def test_invalid_p_values_raise(p):
    with pytest.raises(ValueError, match="`p_values`"):
        adjust_p_values(p)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adjust": "bonf"}, "`adjust` must be one of 'holm', .* got 'bonf'"),
        (
            {"margin": 0.1, "confidence_level": 0.5},
            "`confidence_level` must be above 0.5 with `margin`, got 0.5",
        ),
        ({"margin": {"x": 0.1, "y": 0.1}, "by": "metric"}, "values of x only, got 'y'"),
    ],
)
def test_error_names_the_invalid_option(options, message):
    with pytest.raises(ValueError, match=message):
        compare(two_methods(5).assign(metric="x"), IMAGES, **options)
