"""Rows of ceilings: their values by definition, their place, and every way through `evaluate`."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.evaluation.case import CEILINGS
from gazesal.evaluation.ceilings import ceiling_rows
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA

OBSERVERS = ("ann", "bob", "cat")
METRICS = ("ncc", "auc_borji", "sncc", "sauc", "residual_ncc", "semipartial_ncc", "nss", "sim")


def make_cases(n=4, observers=OBSERVERS):
    """Return images with several observers who look at one place of the image."""
    rng = np.random.default_rng(5)
    cases = []
    for k in range(n):
        place = rng.uniform(0.3, 0.7, 2) * SHAPE[::-1]
        gaze = {
            name: gazesal.Gaze(
                points=rng.normal(place, 4, (9, 2)).clip(0, 22), durations=np.ones(9)
            )
            for name in observers
        }
        maps = {"mine": gazesal.gaze_heatmap([place], SHAPE, sigma=6), "noise": rng.random(SHAPE)}
        cases.append(gazesal.Case(image=f"i{k}", shape=SHAPE, gaze=gaze, maps=maps))
    return cases


def evaluate(cases, **options):
    """Score cases with all ceilings."""
    return gazesal.evaluate(
        cases, **{"sigma": SIGMA, "metrics": METRICS, "ceilings": True} | options
    )


@pytest.fixture(scope="module")
def cases():
    """Return images with three observers each."""
    return make_cases()


@pytest.fixture(scope="module")
def result(cases):
    """Return an evaluation with all ceilings."""
    return evaluate(cases)


def maps_on(cases, image):
    """Return the gaze maps on an image, and the center bias of the others."""
    own = {
        case.image: [gazesal.gaze_heatmap(g.points, SHAPE, sigma=SIGMA) for g in case.gaze.values()]
        for case in cases
    }
    others = [each for name, found in own.items() if name != image for each in found]
    return own[image], gazesal.CenterBias(others).density()


def scores_of(result, image, method, metric):
    """Return the scores of a row by observer."""
    rows = result.scores.query("image == @image and method == @method and metric == @metric")
    return dict(zip(rows["observer"], rows["score"], strict=True))


@pytest.mark.parametrize("metric", ["auc_borji", "sauc", "nss", "sim"])
def test_observers_predict_the_gaze_of_one(cases, result, metric):
    own, bias = maps_on(cases, "i1")
    third = [bias] if metric == "sauc" else []
    mean = np.mean(own, axis=0)
    for k, name in enumerate(OBSERVERS):
        points = cases[1].gaze[name].points
        truth = points if metric == "nss" else own[k]
        rest = np.mean(own[:k] + own[k + 1 :], axis=0)
        expected = {}
        for row, density in (("rest_predicts_one", rest), ("all_predict_one", mean)):
            best = gazesal.maps_for_metric(density, metric, bias)
            expected[row] = getattr(gazesal, metric)(best, truth, *third)
        found = scores_of(result, "i1", "rest_predicts_one", metric)[name]
        assert found == pytest.approx(expected["rest_predicts_one"], abs=1e-12)
        above = scores_of(result, "i1", "all_predict_one", metric)
        if metric == "sim":
            assert not above  # not linear, so that this is not a bound
        else:
            assert above[name] == pytest.approx(expected["all_predict_one"], abs=1e-12)


@pytest.mark.parametrize("ground_truth", ["rest", "all"])
def test_attainable_correlations_follow_from_the_agreement(cases, ground_truth):
    result = evaluate(cases, ground_truth=ground_truth, ceilings="attainable")
    own, bias = maps_on(cases, "i2")
    n_truth = 3 if ground_truth == "all" else 2
    slope = [np.cov(each.ravel(), bias.ravel())[0, 1] / bias.var(ddof=1) for each in own]
    changed = {
        "ncc": own,
        "residual_ncc": [each - bias for each in own],
        "semipartial_ncc": [each - s * bias for each, s in zip(own, slope, strict=True)],
    }
    best = {
        name: gazesal.stats.noise_ceiling(maps).attainable(n_truth)
        for name, maps in changed.items()
    }
    rests = [rest for _, rest in gazesal.one_vs_rest(own)]
    truths = rests if ground_truth == "rest" else [np.mean(own, axis=0)]
    with_bias = np.mean([gazesal.ncc(bias, truth) for truth in truths])
    best["sncc"] = np.sqrt(1 + best["ncc"] ** 2 - 2 * with_bias)
    for name, expected in best.items():
        found = scores_of(result, "i2", "attainable", name)
        assert found == {"all": pytest.approx(expected, abs=1e-10)}


def test_the_best_map_by_sncc_has_the_attainable_score():
    rng = np.random.default_rng(0)
    gaze, bias = rng.random((2, 30, 30)) ** 3
    with_noise = [gaze + 0.6 * rng.normal(0, gaze.std(), gaze.shape) for _ in range(400)]
    alpha = gazesal.stats.noise_ceiling(with_noise).attainable(1)
    scaled = [(each - each.mean()) / each.std() for each in (gaze, bias)]
    best = alpha * scaled[0] - scaled[1]
    found = np.mean([gazesal.sncc(best, each, bias) for each in with_noise])
    r = np.mean([gazesal.ncc(bias, each) for each in with_noise])
    assert found == pytest.approx(np.sqrt(1 + alpha**2 - 2 * r), abs=2e-3)


def test_rows_exist_only_where_they_are_bounds(result):
    found = result.scores.groupby("metric")["method"].unique().map(set)
    for metric in METRICS:
        assert found[metric] & set(CEILINGS) == set(ceiling_rows(gazesal.METRICS[metric]))
    summary = result.summary()
    assert summary.loc[summary["method"].isin(CEILINGS), "estimate"].notna().all()
    assert result.methods[:5] == ["interobserver", *CEILINGS, "center_bias"]


def test_other_scores_do_not_change(cases, result):
    plain = evaluate(cases, ceilings=False)
    kept = result.scores[~result.scores["method"].isin(CEILINGS)]
    assert not set(plain.scores["method"]) & set(CEILINGS)
    assert kept.reset_index(drop=True).equals(plain.scores)


def test_linear_bounds_enclose_each_other(result):
    means = result.summary().set_index(["metric", "method"])["estimate"]
    for metric in ("auc_borji", "sauc", "nss"):
        assert means[metric, "rest_predicts_one"] < means[metric, "all_predict_one"]


def test_shares_of_the_attainable_score_are_ratios_of_means(result):
    summary = result.summary().set_index(["method", "metric"])
    means = summary["estimate"]
    for method in ("mine", "interobserver", "center_bias"):
        share = summary.loc[(method, "ncc"), "of_attainable"]
        assert share == pytest.approx(means[method, "ncc"] / means["attainable", "ncc"], abs=1e-9)
    row = summary.loc["mine", "ncc"]
    assert row["of_attainable_low"] < row["of_attainable"] < row["of_attainable_high"]
    assert np.isnan(summary.loc[("mine", "auc_borji"), "of_attainable"])
    assert np.isnan(summary.loc[("attainable", "ncc"), "of_attainable"])
    assert "of_attainable" not in evaluate(make_cases(), ceilings=False).summary()


def test_every_row_can_be_the_ceiling_of_a_normalized_score(result):
    design = gazesal.stats.Design("image", averaged="observer", unbalanced="average")
    for metric, ceiling in (("ncc", "attainable"), ("sauc", "all_predict_one")):
        table = result.scores[result.scores["metric"] == metric]
        names = {"method": "mine", "floor": "center_bias", "ceiling": ceiling}
        found = gazesal.stats.normalized_score(table, design, **names)
        assert 0 < found.estimate < 2
        names |= {"floor": ceiling, "ceiling": "center_bias"}
        with pytest.raises(ValueError, match=r"`ceiling`.*center_bias.*" + ceiling):
            gazesal.stats.normalized_score(table, design, **names)


def test_resumed_and_loaded_runs_give_the_same_rows(cases, result, tmp_path):
    pytest.importorskip("pyarrow")
    first = evaluate(cases, checkpoint=tmp_path / "kept")
    again = evaluate(cases, checkpoint=tmp_path / "kept")
    first.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    for found in (first, again, loaded):
        assert found.scores.equals(result.scores)
        assert found.options.ceilings == CEILINGS
    with pytest.raises(ValueError, match="ceilings"):
        evaluate(cases, checkpoint=tmp_path / "kept", ceilings=False)


def test_images_with_one_observer_have_no_rows(cases):
    mixed = [replace(c, gaze={"ann": c.gaze["ann"]}) if k < 2 else c for k, c in enumerate(cases)]
    found = evaluate(mixed, ground_truth="all")
    own = found.scores[found.scores["method"].isin(CEILINGS)]
    assert set(own["image"]) == {"i2", "i3"}
    assert "perfect map are over the 2 of 4 images" in found.summary().attrs["observers"]
    ones = [replace(c, gaze={"ann": c.gaze["ann"]}) for c in cases]
    alone = evaluate(ones, ground_truth="all")
    assert not set(alone.scores["method"]) & set(CEILINGS)
    assert "none of a perfect map" in alone.summary().attrs["observers"]


def test_images_may_have_different_numbers_of_observers(cases):
    more = make_cases(observers=(*OBSERVERS, "dan", "eve"))
    found = evaluate([*cases[:2], *more[2:]])
    counts = found.scores.query("method == 'rest_predicts_one' and metric == 'sauc'")
    assert counts.groupby("image").size().tolist() == [3, 3, 5, 5]


def test_observers_who_disagree_leave_the_attainable_score_undefined():
    cases = make_cases(3, observers=("ann", "bob"))
    apart = {
        name: gazesal.Gaze(points=np.full((5, 2), place), durations=np.ones(5))
        for name, place in (("ann", 3.0), ("bob", 17.0))
    }
    found = evaluate([replace(cases[0], gaze=apart), *cases[1:]], metrics=["ncc"])
    assert np.isnan(scores_of(found, "i0", "attainable", "ncc")["all"])
    row = found.summary().set_index("method").loc["attainable"]
    assert row["n_undefined"] == 1


@pytest.mark.parametrize(
    ("value", "error"), [("highest", ValueError), (["attainable", 3], ValueError), (3, TypeError)]
)
def test_other_rows_are_refused(cases, value, error):
    with pytest.raises(error, match="`ceilings` must be"):
        evaluate(cases, ceilings=value)


def test_sampled_areas_and_points_have_the_rows(cases):
    found = evaluate(cases, metrics=["sauc", "auc_shuffled"], n_samples=200)
    means = found.summary().set_index(["metric", "method"])["estimate"]
    exact = evaluate(cases, metrics=["sauc"]).summary().set_index("method")["estimate"]
    for row in ("rest_predicts_one", "all_predict_one"):
        assert means["sauc", row] == pytest.approx(exact[row], abs=0.05)
        assert means["auc_shuffled", row] > 0.5


def test_ceilings_are_missing_from_methods_named_like_them():
    case = make_cases(1)[0]
    for name in CEILINGS:
        with pytest.raises(ValueError, match="like a baseline"):
            evaluate([replace(case, maps={name: np.ones(SHAPE)})])


@pytest.mark.parametrize(
    "metric", ["sauc", "nss", "information_gain", "log_likelihood", "kl_divergence"]
)
def test_rows_equal_the_bounds_of_one_image(cases, metric):
    with_points = gazesal.METRICS[metric].ground_truth == "points"
    points = {"fixations": [each.points for each in cases[1].gaze.values()]} if with_points else {}
    options = {"density": "sum"} if gazesal.METRICS[metric].densities else {}
    if metric == "information_gain":
        options["baseline"] = "center_bias"
    found = evaluate(cases, metrics=[metric], **options)
    own, bias = maps_on(cases, "i1")
    expected = gazesal.stats.attainable(metric, own, bias, **points)
    for row, scores in (
        ("rest_predicts_one", expected.rest_by_observer),
        ("all_predict_one", expected.all_by_observer),
    ):
        by_name = scores_of(found, "i1", row, metric)
        if np.isnan(scores).all():
            assert not by_name
        else:
            assert [by_name[name] for name in OBSERVERS] == pytest.approx(scores, abs=1e-10)


@pytest.mark.parametrize(("metrics", "rows"), [(["spearman"], True), (["auc_borji"], "attainable")])
def test_ceilings_that_no_metric_has_are_refused(cases, metrics, rows):
    with pytest.raises(ValueError, match="`ceilings`"):
        evaluate(cases, metrics=metrics, ceilings=rows)


def test_observer_has_no_share_of_a_ground_truth_of_more_observers(cases, result):
    def share(evaluation):
        table = evaluation.summary().set_index(["method", "metric"])["of_attainable"]
        return table["interobserver", "ncc"], table["mine", "ncc"]

    assert np.isfinite(share(result)).all()
    observer, mine = share(evaluate(cases, metrics=["ncc"], ground_truth="all"))
    assert np.isnan(observer)
    assert np.isfinite(mine)


def test_areas_of_observers_from_samples_are_those_of_all_pixels():
    rng = np.random.default_rng(2)
    shape, sigma = (400, 500), 24.0
    cases = []
    for k in range(3):
        gaze = {
            name: gazesal.Gaze(points=rng.normal([240, 190], 80, (8, 2)).clip(0, 399))
            for name in OBSERVERS
        }
        cases.append(gazesal.Case(image=f"i{k}", shape=shape, gaze=gaze, maps={}))
    finished = [
        replace(
            case,
            gaze={
                name: gazesal.gaze_heatmap(one.points, shape, sigma=sigma)
                for name, one in case.gaze.items()
            },
        )
        for case in cases
    ]
    options = {"metrics": ["auc_borji", "sauc"], "ceilings": True}
    sampled = gazesal.evaluate(cases, sigma=sigma, **options).scores
    whole = gazesal.evaluate(finished, **options).scores
    bounds = sampled["method"].isin(CEILINGS)
    difference = (sampled["score"] - whole["score"]).abs()
    assert 0 < difference[bounds].max() < 5e-4
    assert difference[~bounds].max() < 1e-12
