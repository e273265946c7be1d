"""Tests of intervals of tables against plain loops, scipy and an exhaustive bootstrap."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gazesal
from gazesal.stats import Design, bootstrap, interval, interval_table
from gazesal.stats.score_cube import cubes_of
from tests.oracles import designs as oracle
from tests.stats.frames import cells_of, crossed_table

RESAMPLED = ["bootstrap", "basic", "bca", "studentized"]
SAME = {"rel": 1e-10, "abs": 1e-12}


def pair(found):
    return found.low, found.high


def shuffled(table, seed):
    return table.sample(frac=1.0, random_state=seed)


# -- one kind of units -------------------------------------------------------------------------


def test_t_equals_scipy_on_cluster_means():
    table = crossed_table(12, 4)
    found = interval(table, Design("image", averaged="model"))
    means = table.groupby("image")["score"].mean()
    expected = stats.t.interval(0.95, 11, means.mean(), stats.sem(means))
    assert pair(found) == pytest.approx(expected, **SAME)
    assert found.standard_error == pytest.approx(stats.sem(means), **SAME)
    assert (found.degrees_of_freedom, found.n_scores, found.n_clusters) == (11, 48, 12)
    assert found.units == (("image", 12),)


@pytest.mark.parametrize("method", ["normal", "t", *RESAMPLED, "study"])
def test_table_with_one_kind_of_unit_equals_array(method):
    table = crossed_table(12, 4).sort_values(["image", "model"])
    found = interval(table, Design("image", averaged="model"), interval=method, rng=3)
    array = gazesal.stats.confidence_interval(
        table["score"], clusters=table["image"], interval=method, rng=3
    )
    assert pair(found) == pytest.approx(pair(array), **SAME)
    assert found.estimate == pytest.approx(array.estimate, **SAME)


@pytest.mark.parametrize("method", ["bootstrap", "basic", "bca"])
@pytest.mark.parametrize("confidence_level", [0.8, 0.95])
def test_bounds_equal_scipy_for_the_same_resamples(method, confidence_level):
    values = np.random.default_rng(1).gamma(1.5, 0.2, 25)
    names = {"bootstrap": "percentile", "basic": "basic", "bca": "BCa"}
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=confidence_level,
        method=names[method],
        rng=5,
        n_resamples=2000,
    )
    resampled, center = theirs.bootstrap_distribution, values.mean()
    got = {
        "bootstrap": lambda: bootstrap.percentile_bounds(resampled, confidence_level),
        "basic": lambda: bootstrap.basic_bounds(center, resampled, confidence_level),
        "bca": lambda: bootstrap.bca_bounds(
            center, resampled, [(values.sum() - values) / (values.size - 1)], confidence_level
        ),
    }[method]()
    assert got == pytest.approx(tuple(theirs.confidence_interval), **SAME)


@pytest.mark.parametrize("method", ["bootstrap", "basic", "bca"])
def test_many_resamples_agree_with_scipy(method):
    values = np.random.default_rng(2).gamma(1.5, 0.2, 40)
    names = {"bootstrap": "percentile", "basic": "basic", "bca": "BCa"}
    theirs = stats.bootstrap(
        (values,), np.mean, method=names[method], rng=5, n_resamples=40_000
    ).confidence_interval
    ours = gazesal.stats.confidence_interval(values, interval=method, rng=6, n_resamples=40_000)
    # the density of the mean at a 2.5% quantile gives its error: about 2.7 / sqrt(n) deviations
    slack = 5 * 2.7 / math.sqrt(40_000) * values.std() / math.sqrt(40)
    assert pair(ours) == pytest.approx(tuple(theirs), rel=0, abs=slack)


def test_bca_equals_the_loop():
    table = crossed_table(9)
    values = table.sort_values("image")["score"].tolist()
    found = interval(table, Design("image"), interval="bca", n_resamples=999, rng=4)
    draws = np.random.default_rng(4).integers(9, size=(999, 9))
    resampled = [math.fsum(values[i] for i in row) / 9 for row in draws]
    assert pair(found) == pytest.approx(oracle.bca(values, resampled, 0.95), rel=1e-9)


def test_bca_counts_half_of_tied_resamples():
    values = [0.0, 0.0, 1.0, 2.0, 2.0, 7.0]
    table = pd.DataFrame({"image": range(6), "score": values})
    draws = np.random.default_rng(4).integers(6, size=(999, 6))
    resampled = np.array(values)[draws].mean(axis=1)
    assert np.count_nonzero(np.abs(resampled - 2) < 1e-12) > 50
    found = interval(table, Design("image"), interval="bca", n_resamples=999, rng=4)
    expected = oracle.bca(values, resampled.tolist(), 0.95)
    assert pair(found) == pytest.approx(expected, rel=1e-9)


def test_crossed_bca_equals_the_loop():
    """The acceleration combines the influences of both kinds of units, each on its own scale."""
    table = crossed_table(9, 3, spreads=(0.1, 0.3), seed=2)
    design = Design(["image", "model"])
    found = interval(table, design, interval="bca", n_resamples=999, rng=4)
    (cube,) = cubes_of(table, design).values()
    resampled = bootstrap.replicates(cube, 999, np.random.default_rng(4))[:, 0].tolist()
    cells = cells_of(table, "image", "model")
    left_out = [
        [oracle.mean_of({k: v for k, v in cells.items() if k[axis] != one}) for one in levels]
        for axis, levels in enumerate((range(9), range(3)))
    ]
    expected = oracle.bca_of(oracle.mean_of(cells), resampled, left_out, 0.95)
    assert pair(found) == pytest.approx(expected, rel=1e-9)


def test_studentized_equals_the_loop():
    table = crossed_table(15)
    values = table.sort_values("image")["score"].to_numpy()
    found = interval(table, Design("image"), interval="studentized", n_resamples=999, rng=4)
    pivots = []
    for row in np.random.default_rng(4).integers(15, size=(999, 15)):
        drawn = values[row].tolist()
        error = oracle.standard_error_of_resample(drawn)
        pivots.append((math.fsum(drawn) / 15 - values.mean()) / error)
    error = oracle.standard_error_of_resample(values.tolist())
    expected = [values.mean() - oracle.quantile(pivots, tail) * error for tail in (0.975, 0.025)]
    assert pair(found) == pytest.approx(expected, rel=1e-9)


# -- nested and crossed ------------------------------------------------------------------------


def test_crossed_t_equals_the_loop_over_mean_squares():
    table = crossed_table(14, 5)
    found = interval(table, Design(["image", "model"]))
    variance, freedom = oracle.error_of_mean(cells_of(table, "image", "model"))
    assert found.standard_error == pytest.approx(math.sqrt(variance), **SAME)
    assert found.degrees_of_freedom == pytest.approx(freedom, **SAME)
    expected = stats.t.interval(0.95, freedom, table["score"].mean(), math.sqrt(variance))
    assert pair(found) == pytest.approx(expected, **SAME)
    assert (found.n_clusters, found.units) == (5, (("image", 14), ("model", 5)))


def test_negative_component_is_omitted():
    """The models differ less than by noise, so that only images and noise remain."""
    table = crossed_table(14, 5)
    table["score"] -= table.groupby("model")["score"].transform("mean")
    found = interval(table, Design(["image", "model"]))
    variance, freedom = oracle.error_of_mean(cells_of(table, "image", "model"))
    assert found.standard_error == pytest.approx(math.sqrt(variance), **SAME)
    assert found.degrees_of_freedom == pytest.approx(freedom, **SAME)


def test_crossed_resamples_match_the_exhaustive_distribution():
    table = crossed_table(3, 2)
    every = oracle.crossed_resamples(cells_of(table, "image", "model"))
    (cube,) = cubes_of(table, Design(["image", "model"])).values()
    n = 40_000
    means = bootstrap.replicates(cube, n, np.random.default_rng(0))[:, 0]
    assert set(np.round(means, 9)) <= {round(value, 9) for value in every}
    assert means.mean() == pytest.approx(np.mean(every), abs=5 * np.std(every) / math.sqrt(n))
    assert means.var() == pytest.approx(np.var(every), rel=0.05)


def test_nested_resamples_match_the_exhaustive_distribution():
    rows = [(0, 0, 0.1), (0, 1, 0.5), (1, 0, 0.2), (1, 1, 0.3), (1, 2, 0.9), (2, 0, 0.7)]
    table = pd.DataFrame(rows, columns=["image", "reader", "score"])
    groups = [g["score"].tolist() for _, g in table.groupby("image")]
    every = oracle.nested_resamples(groups)
    (cube,) = cubes_of(table, Design("image", nested="reader")).values()
    n = 40_000
    means = bootstrap.replicates(cube, n, np.random.default_rng(0))[:, 0]
    assert set(np.round(means, 9)) <= {round(value, 9) for value, _ in every}
    center = math.fsum(v * p for v, p in every)
    variance = math.fsum((v - center) ** 2 * p for v, p in every)
    assert center == pytest.approx(np.mean([np.mean(g) for g in groups]))
    assert means.mean() == pytest.approx(center, abs=5 * math.sqrt(variance / n))
    assert means.var() == pytest.approx(variance, rel=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_three_crossed_kinds_of_units_equal_the_oracle(seed):
    table = crossed_table(8, 4, 3, seed=seed, spreads=(0.1, 0.02, 0.002))
    found = interval(table, Design(["image", "model", "reader"]))
    cells = cells_of(table, "image", "model", "reader")
    variance, degrees = oracle.error_of_mean_of_any(cells)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert found.degrees_of_freedom == pytest.approx(degrees, rel=1e-9)
    half = stats.t.ppf(0.975, degrees) * math.sqrt(variance)
    assert pair(found) == pytest.approx((found.estimate - half, found.estimate + half))


def test_three_crossed_kinds_of_units_can_be_resampled():
    table = crossed_table(20, 4, 3)
    found = interval(table, Design(["image", "model", "reader"]))
    assert found.n_clusters == 3
    means = interval(table, Design(["image", "model", "reader"]), interval="bca", rng=0)
    assert means.low < means.estimate < means.high


def test_units_that_do_not_differ_add_no_variance():
    """Every model has a copy of the score of the image, so the error is the error of the images."""
    table = (
        crossed_table(20, 1).drop(columns="model").merge(pd.DataFrame({"model": range(5)}), "cross")
    )
    crossed = interval(table, Design(["image", "model"]))
    plain = interval(table, Design("image", averaged="model"))
    assert pair(crossed) == pytest.approx(pair(plain), rel=1e-9)
    ours = interval(table, Design(["image", "model"]), interval="bootstrap", rng=0)
    assert ours.high - ours.low == pytest.approx(plain.high - plain.low, rel=0.15)


# -- weights and balance -----------------------------------------------------------------------


def test_equal_weights_weight_scores_equally():
    rows = [("a", 1, 0.0), ("a", 2, 0.0), ("a", 3, 0.3), ("b", 1, 1.0), ("c", 1, 0.5)]
    table = pd.DataFrame(rows, columns=["image", "reader", "score"]).assign(one=1.0)
    by_score = interval(table, Design("image", averaged="reader", weights="one"))
    assert by_score.estimate == pytest.approx(table["score"].mean())
    by_unit = interval(table, Design("image", averaged="reader", unbalanced="average"))
    assert by_unit.estimate == pytest.approx((0.1 + 1.0 + 0.5) / 3)


def test_equal_weights_of_balanced_units_do_not_change_the_result():
    table = crossed_table(12, 4).assign(w=2.5)
    plain, weighted = (
        Design("image", averaged="model", weights=weights) for weights in (None, "w")
    )
    for method in ["t", "normal", *RESAMPLED]:
        expected = interval(table, plain, interval=method, rng=0)
        found = interval(table, weighted, interval=method, rng=0)
        assert pair(found) == pytest.approx(pair(expected), rel=1e-9)
    crossed = [Design(["image", "model"], weights=weights) for weights in (None, "w")]
    for method in ["bootstrap", "basic", "bca"]:
        expected, found = (interval(table, each, interval=method, rng=0) for each in crossed)
        assert pair(found) == pytest.approx(pair(expected), rel=1e-9)


def test_weighted_resamples_are_ratios_of_sums():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"image": range(10), "score": rng.random(10), "w": rng.random(10) + 0.1})
    design = Design("image", weights="w")
    (cube,) = cubes_of(table, design).values()
    got = bootstrap.replicates(cube, 50, np.random.default_rng(1))[:, 0]
    draws = np.random.default_rng(1).integers(10, size=(50, 10))
    for row, value in zip(draws, got, strict=True):
        drawn = table.loc[row]
        assert value == pytest.approx(np.average(drawn["score"], weights=drawn["w"]))
    means, errors = bootstrap.replicates_with_errors(cube, 50, np.random.default_rng(1))
    assert means[:, 0] == pytest.approx(got)
    for row, mean, error in zip(draws, got, errors[:, 0], strict=True):
        drawn = table.loc[row]
        residuals = drawn["w"] * (drawn["score"] - mean)
        expected = math.sqrt((residuals**2).sum() * 10 / 9) / drawn["w"].sum()
        assert error == pytest.approx(expected)


def test_unbalanced_scores_require_an_option():
    table = crossed_table(6, 4).iloc[1:]
    with pytest.raises(ValueError, match="same set of model, got 3 to 4 scores"):
        interval(table, Design("image", averaged="model"))
    averaged = interval(table, Design("image", averaged="model", unbalanced="average"))
    expected = table.groupby("image")["score"].mean().mean()
    assert averaged.estimate == pytest.approx(expected)
    for unbalanced in ("raise", "average"):
        with pytest.raises(ValueError, match="1 of 24 cells empty"):
            interval(table, Design(["image", "model"], unbalanced=unbalanced))
    weighted = Design(["image", "model"], weights="one")
    found = interval(table.assign(one=1), weighted, interval="bca", rng=0)
    assert found.estimate == pytest.approx(table["score"].mean())
    assert found.low < found.estimate < found.high


def test_different_sets_of_equal_size_are_unbalanced():
    table = pd.DataFrame(
        {"image": [1, 1, 2, 2], "reader": list("abac"), "score": [0.1, 0.2, 0.3, 0.4]}
    )
    with pytest.raises(ValueError, match=r"same set of reader, .* 3 in the whole set"):
        interval(table, Design("image", averaged="reader"))


@pytest.mark.parametrize("method", ["t", "normal"])
def test_weights_of_three_crossed_kinds_of_units_are_resampled_only(method):
    table = crossed_table(6, 3, 3).assign(w=1.0)
    design = Design(["image", "model", "reader"], weights="w")
    with pytest.raises(ValueError, match='`interval` must be "bootstrap", "basic" or "bca"'):
        interval(table, design, interval=method)
    found = interval(table, design, interval="bootstrap", rng=0)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("spreads", [(0.1, 0.05), (0.1, 0.0), (0.0, 0.0)])
def test_equal_weights_of_complete_crossed_cells_do_not_change_the_result(spreads):
    table = crossed_table(9, 4, spreads=spreads).assign(w=2.5)
    plain = interval(table, Design(["image", "model"]))
    weighted = interval(table, Design(["image", "model"], weights="w"))
    assert pair(weighted) == pytest.approx(pair(plain), rel=1e-9)
    assert weighted.degrees_of_freedom == pytest.approx(plain.degrees_of_freedom, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spreads", [(0.1, 0.05), (0.1, 0.0), (0.0, 0.05)])
def test_missing_cells_have_the_variance_of_two_kinds_of_clusters(spreads, seed):
    rng = np.random.default_rng(seed)
    table = crossed_table(12, 4, spreads=spreads, seed=seed).assign(w=rng.uniform(0.5, 2, 48))
    table = table[rng.random(48) > 0.2]
    found = interval(table, Design(["image", "model"], weights="w"))
    rows = list(table[["image", "model", "score", "w"]].itertuples(index=False, name=None))
    mean, variance, degrees = oracle.clustered_error_of_mean(rows)
    assert found.estimate == pytest.approx(mean)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-8)
    assert found.degrees_of_freedom == pytest.approx(degrees, rel=1e-8)
    half = stats.t.ppf(0.975, degrees) * math.sqrt(variance)
    assert pair(found) == pytest.approx((mean - half, mean + half), rel=1e-8)


def test_equal_scores_with_missing_cells_have_an_interval_of_no_width():
    table = crossed_table(12, 4).assign(w=1.0, score=0.1 + 0.2).iloc[:40]
    found = interval(table, Design(["image", "model"], weights="w"))
    assert (found.standard_error, found.low, found.high) == (0.0, found.estimate, found.estimate)


def test_pooled_form_refuses_weights():
    with pytest.raises(ValueError, match="`weights` must be omitted"):
        interval(crossed_table(5).assign(w=1), Design("image", weights="w"), interval="study")


@pytest.mark.parametrize("design", [Design(["image", "model"]), Design("image", nested="model")])
def test_studentized_needs_one_kind_of_units(design):
    with pytest.raises(ValueError, match="studentized"):
        interval(crossed_table(5, 3), design, interval="studentized", rng=0)


def test_resample_without_weight_makes_interval_undefined():
    """Each image has a model of its own, and a resample may have images without their models."""
    table = pd.DataFrame({"image": [1, 2, 3], "model": [1, 2, 3], "score": [0.1, 0.4, 0.2]})
    design = Design(["image", "model"], weights="w")
    with pytest.warns(gazesal.UndefinedMetricWarning, match="have no weight"):
        found = interval(table.assign(w=1.0), design, interval="bootstrap", rng=0)
    assert math.isnan(found.low)


def test_units_without_weight_raise():
    table = pd.DataFrame({"image": range(4), "score": 0.1, "w": [0.0, 1.0, 0.0, 2.0]})
    with pytest.raises(ValueError, match="positive sum for each image, got 2 of 4 with zero"):
        interval(table, Design("image", weights="w"))


# -- the same bits -----------------------------------------------------------------------------

DESIGNS = [
    Design("image", averaged="model"),
    Design(["image", "model"]),
    Design("image", nested="model"),
]


@pytest.mark.parametrize("design", DESIGNS, ids=repr)
def test_any_block_size_has_the_same_bits(design):
    (cube,) = cubes_of(crossed_table(11, 5), design).values()
    whole = bootstrap.replicates(cube, 301, np.random.default_rng(3))
    for size in (1, 11 * 7, 1000):
        blocks = bootstrap.replicates(cube, 301, np.random.default_rng(3), at_once=size)
        assert np.array_equal(blocks, whole)


@pytest.mark.parametrize("design", DESIGNS, ids=repr)
@pytest.mark.parametrize("method", ["t", "bca"])
def test_any_order_and_kind_of_labels_has_the_same_bits(design, method):
    table = crossed_table(11, 5).astype({"image": str})
    table["image"] = table["image"].str.zfill(2)
    expected = interval(table, design, interval=method, n_resamples=100, rng=3)
    others = [
        shuffled(table, 9),
        table.astype({"image": "category"}),
        # more categories than are used, in another order
        table.assign(image=pd.Categorical(table["image"], [f"{i:02}" for i in range(20, -1, -1)])),
        table.astype({"score": "Float64", "model": "Int64"}),
    ]
    for other in others:
        assert interval(other, design, interval=method, n_resamples=100, rng=3) == expected


@pytest.mark.parametrize("method", ["t", *RESAMPLED])
def test_row_of_interval_table_equals_interval_of_its_group(method):
    parts = [crossed_table(n, 4, seed=s).assign(method=f"m{s}") for s, n in enumerate((91, 91, 7))]
    table = pd.concat(parts)
    design = Design("image", averaged="model")
    rows = interval_table(table, design, by="method", interval=method, rng=2, n_resamples=200)
    assert rows["method"].tolist() == ["m0", "m1", "m2"]
    for row, part in zip(rows.itertuples(), parts, strict=True):
        alone = interval(part, design, interval=method, rng=2, n_resamples=200)
        assert (row.estimate, row.low, row.high) == (alone.estimate, alone.low, alone.high)
        assert (row.n_image, row.n_scores, row.interval) == (
            part["image"].nunique(),
            len(part),
            method,
        )


def test_every_group_starts_from_the_same_generator_state():
    table = pd.concat(crossed_table(n, seed=n).assign(method=n) for n in (8, 9))
    design = Design("image")
    seeded = interval_table(table, design, by="method", interval="bca", rng=5)
    generator = np.random.default_rng(5)
    pd.testing.assert_frame_equal(
        interval_table(table, design, by="method", interval="bca", rng=generator), seeded
    )


def test_inputs_are_not_modified():
    table = crossed_table(6, 4)
    copy = table.copy()
    interval(table, Design(["image", "model"]), interval="bca", rng=0)
    pd.testing.assert_frame_equal(table, copy)


# -- bad and degenerate input ------------------------------------------------------------------


@pytest.mark.parametrize("method", ["t", "normal", "study", *RESAMPLED])
def test_one_unit_has_no_interval(method):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="there is one image"):
        found = interval(
            crossed_table(1, 4), Design("image", averaged="model"), interval=method, rng=0
        )
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_one_model_of_crossed_units_has_no_interval():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="there is one model"):
        found = interval(crossed_table(8, 1), Design(["image", "model"]))
    assert math.isnan(found.low)


@pytest.mark.parametrize("method", ["t", "normal", *RESAMPLED])
@pytest.mark.parametrize("design", DESIGNS, ids=repr)
def test_equal_scores_have_an_interval_of_no_width(design, method):
    if method == "studentized":
        design = DESIGNS[0]  # the others are refused
    table = crossed_table(6, 3).assign(score=0.1)
    found = interval(table, design, interval=method, rng=0)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1), rel=1e-12)


def test_two_units_are_too_few_for_the_studentized_form():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="studentized interval is undefined"):
        found = gazesal.stats.confidence_interval([0.1, 0.5], interval="studentized", rng=0)
    assert math.isnan(found.low)


def test_bca_is_undefined_if_all_resamples_lie_on_one_side():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="bca interval is undefined"):
        found = gazesal.stats.confidence_interval(
            [0.1, 0.5, 0.2], interval="bca", n_resamples=1, rng=1
        )
    assert math.isnan(found.low)


def test_undefined_scores_raise_or_are_dropped_and_counted():
    table = crossed_table(6, 2)
    table.loc[[0, 3], "score"] = np.nan
    with pytest.raises(ValueError, match=r"`score` must be finite, got 2 of 12"):
        interval(table, Design("image", averaged="model"))
    design = Design("image", averaged="model", missing="drop", unbalanced="average")
    found = interval(table, design)
    assert (found.n_dropped, found.n_scores) == (2, 10)
    kept = table.dropna()
    assert found == replace(interval(kept, design), n_dropped=2)
    assert "2 dropped" in repr(found)


def test_group_without_scores_is_named():
    table = pd.concat([crossed_table(3), crossed_table(3).assign(score=np.nan)])
    table["method"] = ["a"] * 3 + ["b"] * 3
    with pytest.raises(ValueError, match="not NaN for b"):
        interval_table(table, Design("image", missing="drop"), by="method")


def test_forgotten_columns_raise():
    table = crossed_table(6, 4)
    with pytest.raises(ValueError, match="identified by image, got 18 rows"):
        interval(table, Design("image"))
    with pytest.raises(ValueError, match="identified by image, model within method"):
        interval_table(
            pd.concat([table, table.iloc[:1]]).assign(method="x"),
            Design(["image", "model"]),
            by="method",
        )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"score": "a"}, TypeError, "`score` must hold real numbers"),
        ({"score": np.inf}, ValueError, "`score` must be finite"),
        ({"score": 1e200}, ValueError, "`score` must lie within"),
        ({"image": None}, ValueError, "`image` must name a unit for every score, got 8 missing"),
        ({"image": [(1,), 2] * 4}, TypeError, "`image` must hold labels of one kind"),
        ({"image": [1, "1"] * 4}, TypeError, "`image` must hold labels of one kind"),
        ({"w": -1.0}, ValueError, "`w` must be non-negative"),
        ({"w": 0.0}, ValueError, "`w` must have a positive sum for each image, got 8 of 8"),
        ({"w": np.nan}, ValueError, "`w` must be finite"),
    ],
)
def test_invalid_columns_raise(change, error, message):
    table = crossed_table(8).assign(w=1.0).assign(**change)
    with pytest.raises(error, match=message):
        interval(table, Design("image", weights="w"))


def test_invalid_tables_raise():
    with pytest.raises(TypeError, match="`table` must be a pandas DataFrame, got list"):
        interval([0.1], Design())
    with pytest.raises(ValueError, match="`table` must have each of the columns image, score once"):
        interval(pd.DataFrame({"score": [0.1]}), Design())
    with pytest.raises(ValueError, match="at least one score"):
        interval(crossed_table(3).iloc[:0], Design())
    with pytest.raises(ValueError, match="one role, got image with two"):
        interval_table(crossed_table(3), Design(), by="image")


def test_every_function_requires_a_design():
    table = crossed_table(4)
    options = {"method": "a", "reference": "b"}
    for call in (
        lambda: interval(table, "image"),
        lambda: interval_table(table, "image", by="image"),
        lambda: gazesal.stats.compare(table, "image"),
        lambda: gazesal.stats.compare_subgroups(table, "image", group="model", rng=0),
        lambda: gazesal.stats.normalized_score(
            table, "image", method="a", floor="b", ceiling="c", rng=0
        ),
        lambda: gazesal.stats.variance_components(table, "image"),
        lambda: gazesal.plots.plot_pairs(table, "image", **options),
    ):
        with pytest.raises(TypeError, match=r"`design` must be a gazesal\.stats\.Design, got str"):
            call()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"units": []}, ValueError, "`units` must name one to 3"),
        ({"units": list("abcd")}, ValueError, "`units` must name one to 3"),
        ({"units": [1]}, TypeError, "`units` must hold names"),
        ({"units": 5}, TypeError, "`units` must hold names"),
        ({"averaged": None}, TypeError, "`averaged` must hold names"),
        ({"units": ["a", "a"]}, ValueError, "a with two"),
        ({"averaged": "image"}, ValueError, "image with two"),
        ({"units": ["a", "b"], "nested": "c"}, ValueError, "`nested` must be given with one"),
        ({"nested": "c", "weights": "w"}, ValueError, "`weights` must be omitted"),
        ({"score": None}, TypeError, "`score` must be the name"),
        ({"unbalanced": "guess"}, ValueError, "`unbalanced` must be one of"),
        ({"missing": "ignore"}, ValueError, "`missing` must be one of"),
    ],
)
def test_invalid_designs_raise(options, error, message):
    with pytest.raises(error, match=message):
        Design(**options)


def test_to_frame_of_one_interval_has_one_row():
    frame = interval(crossed_table(8, 3), Design(["image", "model"])).to_frame()
    assert frame[["n_image", "n_model", "n_scores"]].to_numpy().tolist() == [[8, 3, 24]]
    assert set(frame) >= {"estimate", "low", "high", "standard_error", "degrees_of_freedom"}


@pytest.mark.parametrize("by", ["estimate", "low", "n_image", "confidence_level"])
def test_by_with_the_name_of_a_result_column_raises(by):
    table = crossed_table(4, 2).rename(columns={"model": by})
    with pytest.raises(ValueError, match=f"one meaning, got {by} with two. Rename"):
        gazesal.stats.interval_table(table, gazesal.stats.Design("image"), by=by)


@pytest.mark.parametrize("unit", ["scores", "clusters", "dropped"])
def test_units_with_the_name_of_a_count_raise_in_tables(unit):
    table = crossed_table(4).rename(columns={"image": unit})
    found = gazesal.stats.interval(table, gazesal.stats.Design(unit))
    with pytest.raises(ValueError, match=f"one meaning, got n_{unit} with two"):
        found.to_frame()


def test_columns_with_the_name_of_a_result_column_raise():
    table = crossed_table(6, 2, 2, names=("image", "method", "reader"))
    with pytest.raises(ValueError, match="one meaning, got method with two"):
        gazesal.stats.compare(table, gazesal.stats.Design("image"), contrast="reader", by="method")
    table = crossed_table(6).assign(low=[0, 1] * 3)
    found = gazesal.stats.compare_subgroups(
        table, gazesal.stats.Design("image"), group="low", rng=0
    )
    with pytest.raises(ValueError, match="one meaning, got low with two"):
        found.to_frame()


@pytest.mark.parametrize("column", ["image", "model", "method"])
@pytest.mark.parametrize(
    ("first", "error"),
    [
        (None, ValueError),
        (math.nan, ValueError),
        (pd.NA, ValueError),
        ("1", TypeError),
        (True, TypeError),
        ([1], TypeError),
        ({}, TypeError),
        (b"1", TypeError),
    ],
)
def test_missing_mixed_and_unhashable_labels_name_their_column(column, first, error):
    table = crossed_table(4, 3).assign(method=0).astype({"method": object})
    values = table[column].astype(object).tolist()
    table[column] = pd.Series([first, *values[1:]], dtype=object)
    with pytest.raises(error, match=f"`{column}`"):
        gazesal.stats.interval_table(table, Design(["image", "model"]), by="method")
