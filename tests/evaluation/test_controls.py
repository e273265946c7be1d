"""Scores against the gaze on other images, mean maps and inverses, in `evaluate`."""

import warnings
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation import control_passes
from tests.evaluation.test_groups import of_other_patients, of_patients

SHAPE, SIGMA, N = (12, 16), 1.5, 6
LINEAR = [
    "ncc", "auc_borji", "sncc", "sauc", "spearman", "residual_ncc", "residual_nss",
    "semipartial_ncc", "nss", "snss", "auc", "auc_shuffled", "information_gain", "log_likelihood",
]  # fmt: skip
OTHERS = ["sim", "kl_divergence", "auc_judd"]


def make_cases(maps=None, n=N, n_points=(5, 5, 5), shapes=None, boxes=None):
    """Return images with three observers, whose gaze is at a place of the image."""
    rng = np.random.default_rng(7)
    maps = {"noise": [rng.random(SHAPE) for _ in range(n)]} if maps is None else maps
    found = []
    for k in range(n):
        shape = SHAPE if shapes is None else shapes[k]
        center = rng.uniform(3, 9, 2)
        gaze = {
            name: gazesal.Gaze(
                points=np.clip(rng.normal(center, 2, (number, 2)), 0, 11), durations=np.ones(number)
            )
            for name, number in zip(("ann", "bob", "cy"), n_points, strict=True)
        }
        found.append(
            gazesal.Case(
                image=f"i{k}",
                shape=shape,
                gaze=gaze,
                maps={name: each[k] for name, each in maps.items()},
                box=None if boxes is None else boxes[k],
            )
        )
    return found


def evaluate(cases, metrics=("ncc",), controls="other_gaze", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        return gazesal.evaluate(
            cases, sigma=SIGMA, metrics=list(metrics), controls=controls, **options
        )


def gaze_maps(case):
    return [gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA) for own in case.gaze.values()]


def truths(case, ground_truth):
    """Return pairs of a gaze map and fixations, one for each observer left out."""
    maps, points = gaze_maps(case), [own.points for own in case.gaze.values()]
    if ground_truth == "all":
        return [(np.mean(maps, axis=0), np.concatenate(points))]
    return [
        (np.mean(np.delete(maps, k, 0), axis=0), np.concatenate(points[:k] + points[k + 1 :]))
        for k in range(3)
    ]


def mean_score(name, saliency, others, ground_truth, *more):
    """Return the mean score of a map against each image, each the mean over its ground truths."""
    metric = gazesal.METRICS[name]
    place = 0 if metric.ground_truth == "map" else 1
    return np.mean(
        [
            np.mean(
                [metric(saliency, truth[place], *more) for truth in truths(other, ground_truth)]
            )
            for other in others
        ]
    )


@pytest.mark.parametrize("ground_truth", ["rest", "all"])
def test_other_is_the_mean_score_on_each_other_image(ground_truth):
    cases = make_cases(n_points=(3, 5, 8))
    metrics = [*LINEAR, "sim"]
    options = {"ground_truth": ground_truth, "density": "sum", "baseline": "center_bias"}
    evaluation = evaluate(cases, metrics, control_images=N - 1, **options)
    table = evaluation.controls.query("method == 'noise' and image == 'i2'").set_index("metric")
    case, others = cases[2], [case for case in cases if case.image != "i2"]
    saliency = case.maps["noise"]
    bias = evaluation.maps_of("i2")["center_bias"]
    for name in ("ncc", "auc_borji", "spearman", "nss", "auc"):
        expected = mean_score(name, saliency, others, ground_truth)
        assert table.loc[name, "other"] == pytest.approx(expected, abs=1e-12), name
    for name in ("sncc", "sauc", "residual_nss"):
        expected = mean_score(name, saliency, others, ground_truth, bias)
        assert table.loc[name, "other"] == pytest.approx(expected, abs=1e-12), name
    points = [own.points for other in others for own in other.gaze.values()]
    for name in ("snss", "auc_shuffled"):
        expected = mean_score(name, saliency, others, ground_truth, np.concatenate(points))
        assert table.loc[name, "other"] == pytest.approx(expected, abs=1e-12), name
    for name in ("residual_ncc", "semipartial_ncc"):  # with the center bias of the other image
        expected = np.mean(
            [
                mean_score(
                    name, saliency, [o], ground_truth, evaluation.maps_of(o.image)["center_bias"]
                )
                for o in others
            ]
        )
        assert table.loc[name, "other"] == pytest.approx(expected, abs=1e-12), name
    density = saliency / saliency.sum()
    bits = mean_score("log_likelihood", density, others, ground_truth)
    assert table.loc["log_likelihood", "other"] == pytest.approx(bits, abs=1e-12)
    both = table.loc[["information_gain", "log_likelihood"], "difference"]
    assert both.iloc[0] == pytest.approx(both.iloc[1], abs=1e-12)  # the baseline cancels
    own = evaluation.scores.query("method == 'noise' and image == 'i2'")
    own = own.groupby("metric")["score"].mean()
    assert table["own"].to_numpy() == pytest.approx(own[table.index].to_numpy(), abs=1e-15)
    if ground_truth == "all":  # the sample is all other images
        expected = mean_score("sim", saliency, others, ground_truth)
        assert table.loc["sim", "other"] == pytest.approx(expected, abs=1e-12)


def fixed_maps():
    """Return maps that are the same for all images, with the center bias and its inverse."""
    rng = np.random.default_rng(3)
    bias = np.mean([one for case in make_cases({}) for one in gaze_maps(case)], axis=0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    border = np.maximum(abs(y - 5.5) / 6, abs(x - 7.5) / 8)
    found = {"bias": bias, "inverse": bias.max() - bias, "border": border}
    return found | {f"random{k}": rng.random(SHAPE) ** 3 for k in range(3)}


@pytest.mark.parametrize("ground_truth", ["rest", "all"])
def test_a_map_that_is_the_same_on_all_images_owes_nothing_to_the_image(ground_truth):
    maps = {name: [one] * N for name, one in fixed_maps().items()}
    metrics = LINEAR if ground_truth == "rest" else [*LINEAR, *OTHERS]
    evaluation = evaluate(make_cases(maps), metrics, ground_truth=ground_truth, density="sum")
    summary = evaluation.control_summary()
    summary = summary[summary["method"].isin(maps)]
    assert summary["difference"].abs().max() < 1e-12
    assert ((summary["low"] < 0) & (summary["high"] > 0)).all()
    means = evaluation.scores.groupby(["metric", "method"])["score"].mean()
    for method in maps:  # the metrics that need no control
        for name in ("residual_nss", "snss"):
            assert means[name, method] == pytest.approx(0, abs=1e-12)
        for name in ("sauc", "auc_shuffled"):
            assert means[name, method] == pytest.approx(0.5, abs=1e-12)


def test_maps_of_the_gaze_itself_owe_much_to_the_image():
    own = {"looked": [np.mean(gaze_maps(case), axis=0) for case in make_cases({})]}
    evaluation = evaluate(make_cases(own), ["ncc", "residual_ncc", "sauc"])
    summary = evaluation.control_summary().set_index(["method", "metric"]).sort_index()
    assert (summary.loc["looked", "difference"] > 0.1).all()
    assert (summary.loc["looked", "p_value"] == 2 / 2**N).all()
    assert (summary["n_images"] == N).all()


def test_metrics_that_are_not_linear_use_each_image_equally_often():
    cases = make_cases()
    options = gazesal.evaluate(cases, sigma=SIGMA, metrics=["ncc"]).options
    for number in (2, None):
        sampled = control_passes.sampled_others(cases, replace(options, control_images=number))
        named = pd.Series([other.image for each in sampled.values() for other in each])
        assert (named.value_counts() == (number or 5)).all()
        assert all(image not in {o.image for o in each} for image, each in sampled.items())


def test_groups_leave_the_other_gaze_together():
    cases = of_patients()
    shape, sigma = cases[0].shape, 3.0
    evaluation = gazesal.evaluate(
        cases,
        sigma=sigma,
        metrics=["auc_borji", "residual_ncc", "nss", "sim"],
        leave_out="patient",
        ground_truth="all",
        controls=["other_gaze", "mean_map"],
    )
    table = evaluation.controls.query("image == 'i3' and method == 'noise'").set_index("metric")
    assert list(table.columns[-2:]) == ["patient", "visit"]
    case, others = cases[3], of_other_patients(cases, cases[3])

    def maps_of(one):
        return [gazesal.gaze_heatmap(g.points, shape, sigma=sigma) for g in one.gaze.values()]

    saliency = case.maps["noise"]
    expected = np.mean([gazesal.auc_borji(saliency, np.mean(maps_of(o), 0)) for o in others])
    assert table.loc["auc_borji", "other"] == pytest.approx(expected, abs=1e-12)
    points = [np.concatenate([g.points for g in o.gaze.values()]) for o in others]
    expected = np.mean([gazesal.nss(saliency, each) for each in points])
    assert table.loc["nss", "other"] == pytest.approx(expected, abs=1e-12)
    expected = np.mean(
        [
            gazesal.residual_ncc(
                saliency, np.mean(maps_of(o), 0), evaluation.maps_of(o.image)["center_bias"]
            )
            for o in others
        ]
    )
    assert table.loc["residual_ncc", "other"] == pytest.approx(expected, abs=1e-12)
    expected = np.mean([gazesal.sim(saliency, np.mean(maps_of(o), 0)) for o in others])
    assert table.loc["sim", "other"] == pytest.approx(expected, abs=1e-12)  # four other images
    shown = np.mean([z_scores(other.maps["noise"]) for other in others], axis=0)
    rows = evaluation.scores.query("image == 'i3' and method == 'noise_mean_map'")
    found = rows.set_index("metric")["score"]
    expected = gazesal.auc_borji(shown, np.mean(maps_of(case), axis=0))
    assert found["auc_borji"] == pytest.approx(expected, abs=1e-12)


def z_scores(values):
    return (values - values.mean()) / values.std()


def test_mean_map_is_of_the_other_images():
    cases = make_cases()
    metrics = ["ncc", "sim", "kl_divergence"]
    evaluation = evaluate(cases, metrics, "mean_map", ground_truth="all")
    assert evaluation.controls is None
    assert evaluation.methods[-2:] == ["noise", "noise_mean_map"]
    found = evaluation.scores.query("method == 'noise_mean_map'").set_index(["image", "metric"])
    for case in cases:
        truth = np.mean(gaze_maps(case), axis=0)
        maps = [other.maps["noise"] for other in cases if other.image != case.image]
        expected = gazesal.ncc(np.mean([z_scores(each) for each in maps], axis=0), truth)
        assert found["score"][case.image, "ncc"] == pytest.approx(expected, abs=1e-12)
        density = np.mean([each / each.sum() for each in maps], axis=0)
        for name in ("sim", "kl_divergence"):
            expected = gazesal.METRICS[name](density, truth)
            assert found["score"][case.image, name] == pytest.approx(expected, abs=1e-12)
    same = evaluate(make_cases({"m": [cases[0].maps["noise"]] * N}), ["auc_borji"], "mean_map")
    means = same.scores.groupby("method")["score"].mean()
    assert means["m_mean_map"] == pytest.approx(means["m"], abs=1e-12)


def test_inverse_of_the_floor_has_minus_its_sncc():
    cases = make_cases({"segmentation": [np.eye(*SHAPE) + k for k in range(N)]})
    evaluation = evaluate(cases, ["ncc", "sncc"], "inverse")
    scores = evaluation.scores.set_index(["method", "metric", "image", "observer"])["score"]
    scores = scores.sort_index()
    for name in ("center_bias", "segmentation"):
        assert (scores[f"inverse_{name}", "sncc"] == -scores[name, "sncc"]).all()
        assert f"inverse_{name}" in evaluation.methods
    assert "ncc" not in scores["inverse_center_bias"].index.unique("metric")
    inverted = 1 - cases[0].maps["segmentation"]
    pair = [evaluation.maps_of("i0", "ann")[name] for name in ("ground_truth", "center_bias")]
    expected = gazesal.sncc(inverted, *pair)
    assert scores["inverse_segmentation", "sncc", "i0", "ann"] == pytest.approx(expected)


def test_images_of_several_sizes_and_with_boxes_agree_with_control_scores():
    shapes = [SHAPE, (18, 24), SHAPE, (12, 20), SHAPE, SHAPE]
    rng = np.random.default_rng(1)
    maps = {"noise": [gazesal.resample(rng.random((6, 8)), shape) for shape in shapes]}
    boxes = [(1, 1, shape[1] - 2, shape[0] - 1) for shape in shapes]
    for placed in (None, boxes):
        cases = make_cases(maps, shapes=shapes, boxes=placed)
        options = {"ground_truth": "all", "resize": "bilinear", "control_images": N - 1}
        evaluation = evaluate(cases, ["ncc", "nss", "auc_borji", "sim"], **options)
        table = evaluation.controls.query("method == 'noise'").set_index("metric")
        for name in ("ncc", "auc_borji", "sim"):
            gaze = [np.mean(gaze_maps(case), axis=0) for case in cases]
            found = gazesal.stats.control_scores(name, maps["noise"], gaze, boxes=placed)
            assert table.loc[name, "own"].to_numpy() == pytest.approx(found.own, abs=1e-12)
            # Means in the frame of all images interpolate each gaze map twice.
            close = 1e-12 if name == "sim" else 0.03
            assert table.loc[name, "other"].to_numpy() == pytest.approx(found.other_gaze, abs=close)
        points = [np.concatenate([g.points for g in case.gaze.values()]) for case in cases]
        found = gazesal.stats.control_scores("nss", maps["noise"], points, boxes=placed)
        others = table.loc["nss", "other"].to_numpy()
        assert others == pytest.approx(found.other_gaze, abs=1e-9 if placed is None else 0.1)


def test_workers_and_a_resumed_run_give_the_same_table(tmp_path):
    pytest.importorskip("pyarrow")
    cases = make_cases()
    controls = ["other_gaze", "mean_map", "inverse"]
    metrics = ["sncc", "nss", "sim", "residual_ncc"]
    plain = evaluate(cases, metrics, controls)
    with joblib.parallel_config("threading", n_jobs=2):
        parallel = evaluate(cases, metrics, controls, checkpoint=tmp_path / "run")
    pd.testing.assert_frame_equal(parallel.controls, plain.controls, check_exact=True)
    pd.testing.assert_frame_equal(parallel.scores, plain.scores, check_exact=True)
    next((tmp_path / "run" / "parts").glob("*.parquet")).unlink()
    resumed = evaluate(cases, metrics, controls, checkpoint=tmp_path / "run")
    pd.testing.assert_frame_equal(resumed.controls, plain.controls, check_exact=True)
    changed = [replace(cases[0], maps={"noise": np.eye(*SHAPE)}), *cases[1:]]
    again = evaluate(changed, metrics, controls, checkpoint=tmp_path / "run")
    pd.testing.assert_frame_equal(again.scores, evaluate(changed, metrics, controls).scores)
    with pytest.raises(ValueError, match="controls"):
        evaluate(cases, metrics, "other_gaze", checkpoint=tmp_path / "run")
    moved = replace(cases[0], gaze=cases[1].gaze)
    with pytest.raises(ValueError, match="gaze"):
        evaluate([moved, *cases[1:]], metrics, controls, checkpoint=tmp_path / "run")


def test_saved_controls_are_loaded_to_the_bit(tmp_path):
    pytest.importorskip("pyarrow")
    evaluation = evaluate(make_cases(), ["ncc", "sim"], ["other_gaze", "mean_map"])
    evaluation.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.controls, evaluation.controls, check_exact=True)
    pd.testing.assert_frame_equal(loaded.control_summary(), evaluation.control_summary())
    assert loaded.options == evaluation.options
    replace(evaluation, controls=evaluation.controls.drop(columns="own")).save(tmp_path / "saved")
    with pytest.raises(ValueError, match=r"controls\.parquet"):
        gazesal.Evaluation.load(tmp_path / "saved")
    evaluate(make_cases(), controls=()).save(tmp_path / "saved")
    assert gazesal.Evaluation.load(tmp_path / "saved").controls is None


def test_gaze_of_images_with_an_invalid_map_is_other_gaze():
    cases = make_cases()
    broken = [replace(cases[0], maps={"noise": np.full(SHAPE, np.nan)}), *cases[1:]]
    controls = ["other_gaze", "mean_map"]
    whole = evaluate(cases, controls=controls).controls
    found = evaluate(broken, controls=controls, bad_images="list")
    assert list(found.bad_images["image"]) == ["i0"]
    kept = whole[whole["image"] != "i0"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.controls, kept)
    far = gazesal.Gaze(points=np.array([[900.0, 900.0]]), durations=np.ones(1))
    lost = [replace(cases[0], gaze=dict.fromkeys(("ann", "bob", "cy"), far)), *cases[1:]]
    found = evaluate(lost, controls=controls, bad_images="list", center_bias="none")
    without = evaluate(cases[1:], controls=controls, center_bias="none")
    pd.testing.assert_frame_equal(found.controls, without.controls)
    pd.testing.assert_frame_equal(found.scores, without.scores)


def test_one_observer_and_unscored_images():
    cases = [replace(case, gaze={"ann": case.gaze["ann"]}) for case in make_cases()]
    cases[5] = replace(cases[5], scored=False)
    evaluation = evaluate(cases, ["auc_borji"], ground_truth="all")
    table = evaluation.controls.query("method == 'noise'").set_index("image")
    others = [gaze_maps(case)[0] for case in cases[1:5]]
    expected = np.mean([gazesal.auc_borji(cases[0].maps["noise"], each) for each in others])
    assert table.loc["i0", "other"] == pytest.approx(expected, abs=1e-12)
    assert "interobserver" not in set(evaluation.controls["method"])


def test_constant_maps_are_undefined_where_their_scores_are():
    maps = {"flat": [np.ones(SHAPE)] * N}
    evaluation = evaluate(make_cases(maps), ["ncc", "auc_borji"], ["other_gaze", "mean_map"])
    table = evaluation.controls.query("method == 'flat'").set_index("metric")
    assert table.loc["ncc", ["own", "other"]].isna().all(axis=None)
    assert (table.loc["auc_borji", ["own", "other"]] == 0.5).all(axis=None)
    rows = evaluation.scores.query("method == 'flat_mean_map' and metric == 'auc_borji'")
    assert (rows["score"] == 0.5).all()


def test_summary_by_and_unit_need_groups():
    cases = [replace(case, groups={"patient": f"p{k // 2}"}) for k, case in enumerate(make_cases())]
    evaluation = evaluate(cases)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = evaluation.control_summary(unit="patient", adjust="none")
        by = evaluation.control_summary(by="patient")
    assert len(by) == 3 * len(summary)
    means = evaluation.controls.query("method == 'noise'").groupby("patient")["difference"].mean()
    assert summary.set_index("method")["difference"]["noise"] == pytest.approx(means.mean())
    with pytest.raises(ValueError, match="`by`"):
        evaluation.control_summary(by="hospital")
    with pytest.raises(ValueError, match="`controls`"):
        evaluate(cases, controls=()).control_summary()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"controls": ["other"]}, "controls"),
        ({"controls": "inverse"}, "controls"),
        ({"controls": (), "control_images": 3}, "control_images"),
        ({"control_images": 3}, "control_images"),
        ({"control_images": 0, "metrics": ["sim"]}, "control_images"),
    ],
)
def test_options_without_use_are_refused(change, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        evaluate(make_cases(), **change)


def test_images_that_do_not_fit_the_controls_are_refused():
    cases = make_cases({"m": [np.eye(*SHAPE)] * N, "m_mean_map": [np.eye(*SHAPE)] * N})
    with pytest.raises(ValueError, match="`maps`"):
        evaluate(cases, controls="mean_map")
    named = replace(
        cases[0], gaze={"other_images": cases[0].gaze["ann"], "bob": cases[0].gaze["bob"]}
    )
    with pytest.raises(ValueError, match="`gaze`"):
        evaluate([named, *cases[1:]])
    sized = [replace(cases[0], shape=(24, 32), maps={}), *cases[1:]]
    with pytest.raises(ValueError, match="resize"):
        evaluate(sized, center_bias="none")
    lone = [cases[0], *(replace(case, scored=False) for case in cases[1:])]
    with pytest.raises(ValueError, match="`controls`"):
        evaluate(lone)
