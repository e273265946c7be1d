"""Tests of the normalized score against its definition."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gazesal
from gazesal.stats import Design, normalized_score
from tests.oracles import designs as oracle
from tests.stats.frames import crossed_table

NAMES = {"method": "mine", "floor": "center", "ceiling": "readers"}


def three_methods(n=20, model=None, gaps=(0.0, 0.05, 0.2), seed=0):
    sizes = (n,) if model is None else (n, model)
    rng = np.random.default_rng(seed)
    base = crossed_table(*sizes, seed=seed)
    frames = [
        base.assign(method=name, score=base["score"] + gap + rng.normal(0, 0.02, len(base)))
        for name, gap in zip(("center", "mine", "readers"), gaps, strict=True)
    ]
    return pd.concat(frames)


def ratio(table):
    means = table.groupby("method")["score"].mean()
    return (means["mine"] - means["center"]) / (means["readers"] - means["center"])


@pytest.mark.parametrize("interval", ["t", "normal", "bootstrap", "basic", "bca"])
def test_estimate_and_scale(interval):
    table = three_methods()
    found = normalized_score(table, Design("image"), **NAMES, interval=interval, rng=0)
    assert found.estimate == pytest.approx(ratio(table))
    assert found.low < found.estimate < found.high
    scaled = table.assign(score=3 - 2 * table["score"])
    options = {"interval": interval, "higher_is_better": False, "rng": 0}
    again = normalized_score(scaled, Design("image"), **NAMES, **options)
    assert (again.low, again.high) == pytest.approx((found.low, found.high))


def wide_ratio(wide):
    means = wide.mean()
    return (means["mine"] - means["center"]) / (means["readers"] - means["center"])


@pytest.mark.parametrize("interval", ["bootstrap", "basic", "bca"])
def test_bounds_equal_quantiles_of_resampled_ratios(interval):
    table = three_methods(n=8)
    table.loc[(table["method"] == "mine") & (table["image"] == 3), "score"] += 0.2  # skewed
    found = normalized_score(
        table, Design("image"), **NAMES, interval=interval, rng=1, n_resamples=200
    )
    draws = np.random.default_rng(1).integers(8, size=(200, 8))
    wide = table.pivot_table(index="image", columns="method", values="score")
    ratios = [wide_ratio(wide.iloc[row]) for row in draws]
    low, high = np.quantile(ratios, [0.025, 0.975])
    if interval == "basic":
        low, high = 2 * wide_ratio(wide) - high, 2 * wide_ratio(wide) - low
    elif interval == "bca":
        left_out = [wide_ratio(wide.drop(index=image)) for image in range(8)]
        low, high = oracle.bca_of(wide_ratio(wide), ratios, [left_out], 0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_effects_common_to_all_methods_cancel():
    """The images differ by far more than the methods."""
    table = three_methods()
    table["score"] += 100 * table["image"]
    found = normalized_score(table, Design("image"), **NAMES, rng=0)
    plain = normalized_score(three_methods(), Design("image"), **NAMES, rng=0)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-6)


def test_crossed_units():
    table = three_methods(model=4)
    found = normalized_score(table, Design(["image", "model"]), **NAMES, rng=0)
    assert found.estimate == pytest.approx(ratio(table))
    assert found.units == (("image", 20), ("model", 4))


def shifted_ceiling(design):
    """Return scores of three methods, with a floor and a ceiling that differ by less than noise."""
    table = three_methods(model=3 if len(design.units) > 1 else None, gaps=(0.0, 0.05, 0.0))
    means = table.groupby("method")["score"].mean()
    inside = table["method"] == "readers"
    table.loc[inside, "score"] += means["center"] - means["readers"] + 0.001
    return table


@pytest.mark.parametrize("design", [Design("image"), Design(["image", "model"])])
def test_the_interval_is_unbounded_if_floor_and_ceiling_do_not_differ_significantly(design):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="unbounded"):
        found = normalized_score(shifted_ceiling(design), design, **NAMES)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("interval", ["bootstrap", "basic", "bca"])
def test_bootstrap_bounds_are_undefined_if_floor_and_ceiling_cross_in_too_many_resamples(interval):
    table = shifted_ceiling(Design("image"))
    with pytest.warns(gazesal.UndefinedMetricWarning, match="too many resamples"):
        found = normalized_score(table, Design("image"), **NAMES, interval=interval, rng=0)
    assert math.isnan(found.low)


@pytest.mark.parametrize("interval", ["bootstrap", "basic", "bca"])
def test_rare_crossed_resamples_keep_bounds_finite(interval):
    """A ceiling 3.5 standard errors above the floor is crossed in about 2 of 10,000 resamples."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (2, 50))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    scores = {
        "center": noise[0] * 0,
        "mine": 0.2 + noise[1] * 0.1,
        "readers": 3.5 / 50**0.5 + noise[0],
    }
    table = pd.concat(
        pd.DataFrame({"method": name, "image": range(50), "score": values})
        for name, values in scores.items()
    )
    found = [
        normalized_score(table, Design("image"), **NAMES, interval=interval, rng=0, n_resamples=n)
        for n in (500, 50_000)
    ]
    assert all(math.isfinite(each.low) and math.isfinite(each.high) for each in found)


def residuals(table, value):
    """Return values of the images with a mean of zero if `value` is the normalized score."""
    wide = table.pivot_table(index="image", columns="method", values="score")
    return (wide["mine"] - wide["center"]) - value * (wide["readers"] - wide["center"])


@pytest.mark.parametrize("confidence_level", [0.5, 0.95, 0.99])
def test_t_test_rejects_beyond_fieller_bounds(confidence_level):
    table = three_methods(n=12)
    found = normalized_score(table, Design("image"), **NAMES, confidence_level=confidence_level)
    assert found.interval == "t"
    for bound, outwards in ((found.low, -1), (found.high, 1)):
        assert stats.ttest_1samp(residuals(table, bound), 0).pvalue == pytest.approx(
            1 - confidence_level
        )
        beyond = bound + outwards * 0.01
        assert stats.ttest_1samp(residuals(table, beyond), 0).pvalue < 1 - confidence_level


def test_weights_of_one_do_not_change_the_result():
    table = three_methods().assign(w=1.0)
    plain = normalized_score(table, Design("image"), **NAMES)
    weighted = normalized_score(table, Design("image", weights="w"), **NAMES)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high))


def test_t_test_rejects_beyond_bounds_of_crossed_units():
    table = three_methods(model=4)
    found = normalized_score(table, Design(["image", "model"]), **NAMES)
    wide = table.pivot_table(index=["image", "model"], columns="method", values="score")
    for bound in (found.low, found.high):
        values = (wide["mine"] - wide["center"]) - bound * (wide["readers"] - wide["center"])
        cells = dict(values.items())
        variance, degrees = oracle.error_of_mean(cells)
        t = abs(oracle.mean_of(cells)) / math.sqrt(variance)
        assert 2 * stats.t.sf(t, degrees) == pytest.approx(0.05, rel=1e-6)
    assert found.low < found.estimate < found.high


def test_weights_of_crossed_units_require_a_bootstrap():
    table = three_methods(model=4).assign(w=1.0)
    design = Design(["image", "model"], weights="w")
    with pytest.raises(ValueError, match="`interval`"):
        normalized_score(table, design, **NAMES)
    found = normalized_score(table, design, **NAMES, interval="bootstrap", rng=0)
    assert found.low < found.estimate < found.high


def test_a_method_halfway_on_every_image_has_an_interval_of_no_width():
    table = three_methods()
    wide = table.pivot_table(index="image", columns="method", values="score")
    halfway = (wide["center"] + wide["readers"]) / 2
    inside = table["method"] == "mine"
    table.loc[inside, "score"] = table.loc[inside, "image"].map(halfway)
    for interval in ("t", "bootstrap", "bca"):
        found = normalized_score(table, Design("image"), **NAMES, interval=interval, rng=0)
        assert (found.low, found.high) == pytest.approx((0.5, 0.5), abs=1e-9)


@pytest.mark.parametrize(
    ("options", "metric", "sign"),
    [
        ({}, None, 1),
        ({}, "ncc", 1),
        ({}, "kl_divergence", -1),
        ({"higher_is_better": False}, None, -1),
    ],
)
def test_ceiling_worse_than_floor_raises(options, metric, sign):
    table = three_methods()
    table["score"] *= sign
    if metric:
        table["metric"] = metric
    found = normalized_score(table, Design("image"), **NAMES, **options)
    assert found.estimate == pytest.approx(ratio(table))
    table["score"] *= -1
    with pytest.raises(ValueError, match="`ceiling`"):
        normalized_score(table, Design("image"), **NAMES, **options)


def test_higher_is_better_must_be_boolean():
    with pytest.raises(TypeError, match="`higher_is_better`"):
        normalized_score(three_methods(), Design("image"), **NAMES, higher_is_better="no")


def test_too_few_resamples_give_nan_with_a_warning():
    options = {"interval": "bca", "rng": 0, "n_resamples": 1}
    with pytest.warns(gazesal.UndefinedMetricWarning, match="one side"):
        found = normalized_score(three_methods(), Design("image"), **NAMES, **options)
    assert math.isnan(found.low)


def test_one_unit_gives_nan_with_a_warning():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="one unit"):
        found = normalized_score(three_methods(n=1), Design("image"), **NAMES, rng=0)
    assert math.isnan(found.high)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "x"}, "`method` must be a value"),
        ({"method": "readers"}, "must differ"),
        ({"interval": "studentized"}, "`interval` must be one of"),
        ({"contrast": "x"}, "the column x"),
        ({"interval": "bca", "rng": None}, "`rng`"),
    ],
)
def test_invalid_options_raise(options, message):
    with pytest.raises(ValueError, match=message):
        normalized_score(three_methods(), Design("image"), **({**NAMES, "rng": 0} | options))


def test_methods_with_different_units_raise():
    table = three_methods()
    table = table[(table["method"] != "mine") | (table["image"] != 3)]
    with pytest.raises(ValueError, match="the same units"):
        normalized_score(table, Design("image"), **NAMES, rng=0)


@pytest.mark.parametrize("name", ["method", "floor", "ceiling"])
def test_list_of_methods_raises(name):
    with pytest.raises(TypeError, match=rf"`{name}` must be one value of method, got \['a'\]"):
        normalized_score(three_methods(), Design("image"), **{**NAMES, name: ["a"]}, rng=0)
