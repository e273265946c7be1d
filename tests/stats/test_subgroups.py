"""Tests of subgroups against scipy and loops."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gazesal
from gazesal.stats import Design, compare_subgroups, interval
from gazesal.stats.permutation_tests import order_test, welch_statistics
from tests.oracles import designs as oracle
from tests.stats.frames import crossed_table, two_methods

IMAGES = Design("image")


def grouped(n=16, seed=0, **sizes):
    table = crossed_table(n, *sizes.values(), names=("image", *sizes), seed=seed)
    return table.assign(abnormal=np.where(table["image"] % 3 == 0, "no", "yes"))


def test_means_and_difference_equal_separate_computations():
    table = grouped(16)
    found = compare_subgroups(table, IMAGES, group="abnormal", rng=0)
    parts = dict(iter(table.groupby("abnormal")))
    for name, part in parts.items():
        assert found.means[name] == interval(part, IMAGES)
    theirs = stats.ttest_ind(parts["yes"]["score"], parts["no"]["score"], equal_var=False)
    bounds = theirs.confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx((bounds.low, bounds.high))
    # with two groups the statistic is the square of Welch's t
    assert found.statistic == pytest.approx(theirs.statistic**2)


def test_statistic_equals_the_loop():
    rng = np.random.default_rng(0)
    values, codes = rng.normal(5, 1, 15), np.repeat([0, 1, 2], 5)
    orders = np.stack([codes, rng.permutation(codes)])
    for order, got in zip(orders, welch_statistics(values, orders), strict=True):
        groups = [values[order == code].tolist() for code in range(3)]
        assert got == pytest.approx(oracle.welch_statistic(groups))


def test_p_value_agrees_with_scipy_permutations():
    table = grouped(14)
    found = compare_subgroups(table, IMAGES, group="abnormal", rng=0, n_resamples=20_000)
    parts = [part["score"].to_numpy() for _, part in table.groupby("abnormal")]

    def squared_t(a, b, axis):
        return stats.ttest_ind(a, b, equal_var=False, axis=axis).statistic ** 2

    theirs = stats.permutation_test(
        parts, squared_t, alternative="greater", vectorized=True, n_resamples=20_000, rng=1
    ).pvalue
    assert found.p_value == pytest.approx(theirs, abs=0.015)


def test_observed_order_is_included():
    table = grouped(30)
    table["score"] += 10.0 * (table["abnormal"] == "yes")
    found = compare_subgroups(table, IMAGES, group="abnormal", rng=0, n_resamples=99)
    assert found.p_value == 1 / 100


def test_interaction_of_methods_and_groups_is_detected():
    """The lead of b over a is larger for abnormal images, which are as easy as normal ones."""
    rng = np.random.default_rng(1)
    table = two_methods(40, shift=0.0).reset_index(drop=True)
    table["score"] = rng.normal(0.5, 0.02, len(table))
    table["abnormal"] = table["image"] >= 25
    table.loc[table["abnormal"] & (table["method"] == "b"), "score"] += 0.1
    options = {"group": "abnormal", "contrast": "method", "rng": 0}
    found = compare_subgroups(table, IMAGES, method="b", reference="a", **options)
    assert found.p_value < 0.001
    assert found.difference.estimate == pytest.approx(0.1, abs=0.03)
    turned = compare_subgroups(table, IMAGES, method="a", reference="b", **options)
    assert turned.difference.estimate == pytest.approx(-found.difference.estimate)
    assert found.means[True].estimate > found.means[False].estimate


def test_three_groups_have_a_p_value_and_no_difference():
    table = grouped(15, model=4)
    table["view"] = table["image"].mod(3).map({0: "AP", 1: "PA", 2: "L"})
    design = Design("image", averaged="model")
    found = compare_subgroups(table, design, group="view", rng=0)
    assert list(found.means) == ["AP", "L", "PA"]
    assert found.difference is None
    assert 0 < found.p_value <= 1
    assert found.means["AP"].units == (("image", 5),)


def test_crossed_units_raise():
    """The error and the test would not include the variance between models."""
    table = grouped(12, model=4, reader=2)
    with pytest.raises(ValueError, match=r"`design`.*model in `averaged`"):
        compare_subgroups(
            table, Design(["image", "model"], averaged="reader"), group="abnormal", rng=0
        )


def test_weights_of_one_equal_no_weights():
    table = grouped(12, reader=3).assign(w=1.0)
    plain = compare_subgroups(table, Design("image", averaged="reader"), group="abnormal", rng=0)
    weighted = Design("image", averaged="reader", weights="w")
    found = compare_subgroups(table, weighted, group="abnormal", rng=0)
    assert found.means["no"].n_scores == plain.means["no"].n_scores == 12
    assert found.means["no"].estimate == pytest.approx(plain.means["no"].estimate)
    assert found.p_value == plain.p_value


def test_orders_do_not_depend_on_blocks():
    values, codes = np.random.default_rng(0).random(16), np.repeat([0, 1], 8)
    whole = order_test(values, codes, 301, np.random.default_rng(0))
    assert order_test(values, codes, 301, np.random.default_rng(0), at_once=40) == whole


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_groups_without_spread_or_with_one_unit_have_no_test(spread):
    table = pd.DataFrame({"image": range(5), "abnormal": [0, 0, 0, 0, 1]})
    table["score"] = np.arange(5) * spread
    with pytest.warns(gazesal.UndefinedMetricWarning):
        found = compare_subgroups(table, IMAGES, group="abnormal", rng=0)
    assert math.isnan(found.p_value)
    assert math.isnan(found.difference.low)


def test_equal_groups():
    table = grouped().assign(score=0.3)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="no spread"):
        found = compare_subgroups(table, IMAGES, group="abnormal", rng=0)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.0, 0.0), abs=1e-15)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"abnormal": "no"}, {}, "two groups or more, got 1"),
        ({"abnormal": None}, {}, "`abnormal` must name a unit for every score"),
        ({}, {"group": "x"}, "`table` must have each of the columns image, x"),
        ({}, {"method": "a"}, "`contrast` must name"),
        ({}, {"contrast": "x", "method": "a", "reference": "b"}, "the column x"),
        ({}, {"rng": None}, "`rng`"),
    ],
)
def test_invalid_input_raises(change, options, message):
    table = grouped().assign(**change)
    with pytest.raises(ValueError, match=message):
        compare_subgroups(table, IMAGES, **({"group": "abnormal", "rng": 0} | options))


def test_unit_in_two_groups_raises():
    table = grouped(8, reader=2)
    table.loc[0, "abnormal"] = "maybe"
    with pytest.raises(ValueError, match="the same in all rows of a unit, got 1 units"):
        compare_subgroups(table, Design("image", averaged="reader"), group="abnormal", rng=0)


def test_invalid_methods_raise():
    table = two_methods(6).assign(group=lambda t: t["image"] % 2)
    options = {"group": "group", "contrast": "method", "rng": 0}
    with pytest.raises(ValueError, match="`reference` must be a value"):
        compare_subgroups(table, IMAGES, method="a", reference="x", **options)
    with pytest.raises(ValueError, match="must hold two values to compare"):
        compare_subgroups(table, IMAGES, method="a", reference="a", **options)


def test_result_reads_well():
    found = compare_subgroups(grouped(), IMAGES, group="abnormal", rng=0)
    lines = repr(found).splitlines()
    assert lines[0].startswith("abnormal no: 0.")
    assert lines[-1].startswith("p = ")
    assert found.to_frame()["abnormal"].tolist() == ["no", "yes"]
