"""Metrics of regions in `evaluate`, with the gaze of the observers as rows of the table."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal import regions
from gazesal.regions import Box, Ellipse

SHAPE = (20, 26)
SIGMA = 2.0
OPTIONS = {"iou": {"top": "equal"}, "top_k_intersection": {"k": 30}}
EVERY = tuple(regions.REGION_METRICS)


def make_cases(n=4, seed=3):
    """Images whose observers look at a lesion. The odd ones have two regions, the last has none."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(n):
        center = rng.uniform(7, 13, 2)
        lesion = Ellipse(*center, 4, 3)
        found = {"lesion": lesion}
        if number % 2:
            found["other"] = [Box(0.5, 0.5, 5.5, 5.5), Box(10, 10, 14, 18)]
        cases.append(
            gazesal.Case(
                image=f"i{number}",
                shape=SHAPE,
                gaze={
                    name: gazesal.Gaze(points=np.clip(rng.normal(center, 2, (6, 2)), 0, 19))
                    for name in ("ann", "bob", "cyd")
                },
                maps={"good": lesion.mask(SHAPE) + rng.random(SHAPE), "noise": rng.random(SHAPE)},
                regions=found if number < n - 1 else {},
            )
        )
    return cases


def evaluate(cases, metrics=("localization_auc",), **options):
    return gazesal.evaluate(cases, sigma=SIGMA, metrics=metrics, **options)


def of(evaluation, **labels):
    """Return the scores with these labels."""
    scores = evaluation.scores
    for name, value in labels.items():
        scores = scores[scores[name] == value]
    return scores["score"].to_numpy()


def test_scores_equal_the_functions_for_maps_and_gaze():
    cases = make_cases()
    options = {**OPTIONS, "dice": {"threshold": 0.5}, "pointing_game": {"tolerance": 3}}
    evaluation = evaluate(cases, EVERY, region_options=options)
    own = [gazesal.gaze_heatmap(each.points, SHAPE, sigma=SIGMA) for each in cases[1].gaze.values()]
    maps = {"good": cases[1].maps["good"], "gaze": np.mean(own, axis=0)}
    for name in EVERY:
        function = getattr(regions, name)
        for label in ("lesion", "other"):
            mask = cases[1].load_region(label)
            place = {"image": "i1", "metric": name, "region": label}
            for method, values in maps.items():
                expected = function(values, mask, **options.get(name, {}))
                assert of(evaluation, method=method, **place) == pytest.approx([expected])
            each = [function(values, mask, **options.get(name, {})) for values in own]
            assert of(evaluation, method="gaze_of_one", **place) == pytest.approx(each)
    bias = evaluation.maps_of("i1")["center_bias"]
    mask = cases[1].load_region("other")
    place = {"image": "i1", "region": "other", "metric": "localization_auc"}
    expected = regions.localization_auc(bias, mask)
    assert of(evaluation, method="center_bias", **place) == pytest.approx([expected])


def test_image_without_regions_has_no_scores_of_them():
    evaluation = evaluate(make_cases(), ("ncc", "localization_auc"))
    columns = ["image", "observer", "method", "metric", "score", "region"]
    assert list(evaluation.scores.columns) == columns
    assert set(evaluation.scores["image"]) == {"i0", "i1", "i2", "i3"}
    found = evaluation.scores[evaluation.scores["metric"] == "localization_auc"]
    assert set(found["image"]) == {"i0", "i1", "i2"}
    assert set(evaluation.scores.loc[evaluation.scores["metric"] == "ncc", "region"]) == {""}


def test_scores_against_gaze_do_not_change_beside_regions():
    cases = make_cases()
    alone = evaluate([replace(case, regions={}) for case in cases], ("ncc", "sauc"))
    assert "region" not in alone.scores
    both = evaluate(cases, ("ncc", "localization_auc", "sauc")).scores
    beside = both[both["metric"] != "localization_auc"].drop(columns="region")
    assert beside.reset_index(drop=True).equals(alone.scores)


def test_union_is_scored_instead_of_or_beside_each_region():
    cases = make_cases()
    union = evaluate(cases, region_rows="union")
    assert set(union.scores["region"]) == {"union"}
    mask = cases[1].load_region("lesion") | cases[1].load_region("other")
    expected = regions.localization_auc(cases[1].maps["good"], mask)
    assert of(union, image="i1", method="good") == pytest.approx([expected])
    each, both = evaluate(cases), evaluate(cases, region_rows="both")
    assert len(both.scores) == len(each.scores) + len(union.scores)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.IntervalWarning)
        assert both.summary().equals(each.summary())  # the union would count twice


@pytest.mark.filterwarnings("ignore::gazesal.IntervalWarning")
class TestSummaries:
    def test_regions_of_an_image_are_averaged_unless_by_region(self):
        evaluation = evaluate(make_cases(6), ("ncc", "localization_auc"))
        of_each = evaluation.scores[evaluation.scores["metric"] == "localization_auc"]
        good = of_each[of_each["method"] == "good"]
        table = evaluation.summary().set_index(["method", "metric"])
        expected = good.groupby("image")["score"].mean().mean()
        row = table.loc["good", "localization_auc"]
        assert row["estimate"] == pytest.approx(expected)
        assert (row["n_images"], row["n_scores"]) == (5, 7)
        by_region = evaluation.summary(by="region").set_index(["region", "method"])
        assert set(by_region["metric"]) == {"localization_auc"}
        expected = good[good["region"] == "lesion"]["score"].mean()
        assert by_region.loc[("lesion", "good"), "estimate"] == pytest.approx(expected)
        assert by_region.loc[("other", "good"), "n_images"] == 2

    def test_rows_appear_only_with_the_metrics_they_have(self):
        summary = evaluate(make_cases(), ("ncc", "localization_auc")).summary()
        pairs = set(zip(summary["method"], summary["metric"], strict=True))
        assert ("gaze", "localization_auc") in pairs
        assert not {("gaze", "ncc"), ("interobserver", "localization_auc")} & pairs
        assert list(summary["method"].unique())[:3] == ["interobserver", "gaze", "gaze_of_one"]

    def test_map_and_gaze_are_compared_on_the_same_regions(self):
        evaluation = evaluate(make_cases(6), ("ncc", "localization_auc"))
        scores = evaluation.scores[evaluation.scores["metric"] == "localization_auc"]
        means = scores.groupby(["method", "image", "region"])["score"].mean()
        for other in ("gaze", "gaze_of_one"):
            of_image = (means["good"] - means[other]).groupby("image").mean()
            (found,) = evaluation.compare("good", other)
            assert dict(found.group)["metric"] == "localization_auc"
            assert found.difference.estimate == pytest.approx(of_image.mean())
        found = evaluation.compare("good", "gaze", by="region")
        assert [dict(each.group)["region"] for each in found] == ["lesion", "other"]

    def test_undefined_score_leaves_out_the_same_region_of_both_methods(self):
        cases = make_cases()
        cases[1] = replace(
            cases[1], regions={**cases[1].regions, "empty": np.zeros(SHAPE, np.bool_)}
        )
        evaluation = evaluate(cases)
        assert np.isnan(of(evaluation, region="empty")).all()
        expected = evaluate(make_cases()).compare("good", "noise")[0].difference.estimate
        found = evaluation.compare("good", "noise")[0].difference.estimate
        assert found == pytest.approx(expected)

    def test_region_is_not_an_independent_unit(self):
        evaluation = evaluate(make_cases())
        with pytest.raises(ValueError, match=r"`unit`.*by=\"region\""):
            evaluation.summary(unit="region")


@pytest.mark.parametrize(
    ("metrics", "options", "words"),
    [
        (("iou",), {}, "`region_options`.*`threshold` or `top` for iou"),
        (("iou",), {"region_options": {"iou": {"threshold": 1, "top": 0.1}}}, "one of"),
        (("top_k_intersection",), {}, "`k`"),
        (("dice",), {"region_options": {"dice": {"top": 2}}}, "`top`"),
        (("dice",), {"region_options": {"dice": {"tolerance": 2}}}, "threshold, top"),
        (("localization_auc",), {"region_options": {"dice": {"top": 0.1}}}, "Remove it"),
        (("localization_auc",), {"region_options": {"ncc": {}}}, "`region_options`"),
        (("ncc",), {"region_rows": "union"}, "`region_rows`"),
        (("localization_auc",), {"region_rows": "any"}, "`region_rows`"),
    ],
)
def test_invalid_options_are_refused(metrics, options, words):
    with pytest.raises(ValueError, match=words):
        evaluate(make_cases(), metrics, **options)


def test_options_that_are_no_mapping_are_refused():
    with pytest.raises(TypeError, match="`region_options`"):
        evaluate(make_cases(), region_options={"iou": 0.5})


def test_metrics_of_regions_need_regions():
    cases = [replace(case, regions={}) for case in make_cases()]
    with pytest.raises(ValueError, match="`regions` for localization_auc"):
        evaluate(cases)


def test_alias_names_the_metric_and_its_options():
    evaluation = evaluate(make_cases(), ("Jaccard index",), region_options={"IoU": {"top": 0.1}})
    assert evaluation.options.metrics == ("iou",)
    assert evaluation.options.region_options == {"iou": {"top": 0.1}}


def test_images_without_gaze_are_scored_against_regions():
    cases = [replace(case, gaze={}) for case in make_cases()]
    evaluation = gazesal.evaluate(cases, metrics=["localization_auc"], center_bias="none")
    assert evaluation.methods == ["good", "noise"]
    mask = cases[0].load_region("lesion")
    expected = regions.localization_auc(cases[0].maps["good"], mask)
    assert of(evaluation, image="i0", method="good") == pytest.approx([expected])


def test_single_observer_has_no_row_of_each_observer():
    cases = [replace(case, gaze={"ann": case.gaze["ann"]}) for case in make_cases()]
    evaluation = evaluate(cases)
    assert evaluation.methods == ["gaze", "center_bias", "good", "noise"]


def test_error_names_map_image_and_region():
    cases = make_cases()
    cases[0] = replace(cases[0], maps={**cases[0].maps, "good": -np.ones(SHAPE)})
    with pytest.raises(ValueError, match=r"good map of image i0, region lesion: .*negative"):
        evaluate(cases, ("relevance_mass",))


def test_own_metric_of_regions_is_called_with_the_mask():
    def share_above(saliency_map, region):
        return (saliency_map[region] > saliency_map.mean()).mean()

    own = gazesal.Metric(share_above, ground_truth="region", low=0, high=1)
    cases = make_cases()
    evaluation = evaluate(cases, [own])
    mask = cases[0].load_region("lesion")
    expected = share_above(cases[0].maps["good"], mask)
    assert of(evaluation, image="i0", method="good") == pytest.approx([expected])


def test_methods_cannot_have_the_names_of_gaze_rows():
    case = make_cases()[0]
    with pytest.raises(ValueError, match="baseline"):
        evaluate([replace(case, maps={"Gaze": np.ones(SHAPE)})])


def test_checkpoint_processes_and_saved_evaluations_keep_regions(tmp_path):
    cases = make_cases()
    options = {"metrics": ("ncc", "iou"), "region_options": {"iou": {"top": 0.1}}}
    expected = evaluate(cases, **options, region_rows="both")
    first = tmp_path / "run"
    for n_jobs in (1, 2):  # the second call resumes
        found = evaluate(cases, **options, region_rows="both", checkpoint=first, n_jobs=n_jobs)
        assert found.scores.equals(expected.scores)
    with pytest.raises(ValueError, match="region_rows"):
        evaluate(cases, **options, checkpoint=first)
    expected.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    assert loaded.scores.equals(expected.scores)
    assert loaded.options == expected.options
    assert loaded.methods == expected.methods


def test_changed_region_is_scored_again(tmp_path):
    cases = make_cases()
    evaluate(cases, checkpoint=tmp_path)
    cases[0] = replace(cases[0], regions={"lesion": Box(1, 1, 9, 9)})
    found = evaluate(cases, checkpoint=tmp_path)
    assert found.scores.equals(evaluate(cases).scores)
