"""Every metric of the registry in an evaluation equals single calls."""

import inspect
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.cli.evaluate import evaluate as command
from gazesal.evaluation import metric_calls, score_pairs
from gazesal.evaluation.options import EvaluationOptions
from gazesal.metrics.names import as_metrics
from gazesal.reporting.captions import describe
from gazesal.reporting.metric_captions import chance_words, metric_words

SIGMA, SHRINK = 2.0, 6
SHAPES = {"a": (24, 32), "b": (30, 28), "c": (26, 26)}
EVERY = tuple(gazesal.METRICS)
NEW = tuple(name for name in EVERY if name not in gazesal.STUDY_METRICS)
OF_POINTS = tuple(name for name in EVERY if gazesal.METRICS[name].ground_truth == "points")
DISTRIBUTIONS = tuple(name for name in EVERY if "saliency_map" in gazesal.METRICS[name].weights)
DENSITIES = tuple(name for name in EVERY if "saliency_map" in gazesal.METRICS[name].densities)
OPTIONS = {"density": "shift", "shrink": SHRINK}


def make_cases(*, boxes=False, shapes=SHAPES, signed=True):
    """Return images with fixations outside, on hidden parts and of weight 0 among the others."""
    rng = np.random.default_rng(5)
    cases = []
    for image, (height, width) in shapes.items():
        gaze = {}
        for reader, n in (("r1", 6), ("r2", 9), ("r3", 12)):
            points = rng.uniform(0, [width - 1, height - 1], (n, 2))
            points[1] = -3.0, 5.0  # outside
            points[2] = points[3]  # repeated
            visible = np.tile([0.0, 0.0, width, height], (n, 1))
            visible[4] = 0, 0, 3, 3  # its place was not shown
            points[4] = 20.0, 20.0
            durations = rng.uniform(0.1, 1, n)
            durations[5] = 0.0
            gaze[reader] = gazesal.Gaze(points=points, durations=durations, visible=visible)
        left, top = rng.uniform(2, 5, 2)
        values = rng.normal(size=(height, width)) if signed else rng.random((height, width))
        cases.append(
            gazesal.Case(
                image=image,
                shape=(height, width),
                gaze=gaze,
                maps={"mine": values, "segmentation": np.round(np.abs(values))},
                box=(left, top, left + 18.0, top + 16.5) if boxes else None,
            )
        )
    return cases


def evaluate(cases, **options):
    """Evaluate with the options that these images and metrics require."""
    return gazesal.evaluate(cases, sigma=SIGMA, outside="keep", resize="bilinear", **options)


def pooled(cases):
    """Return the fixations on all images."""
    return metric_calls.pool([(case, metric_calls.fixations_on(case, "keep")) for case in cases])


def as_dict(evaluation):
    """Return scores by (image, observer, method, metric)."""
    keys = ["image", "observer", "method", "metric"]
    return evaluation.scores.set_index(keys)["score"].to_dict()


def counted(case, reader):
    """Return the fixations without those outside, on hidden parts or of weight 0."""
    assert (case.gaze[reader].points[1] == [-3, 5]).all()
    return np.delete(case.gaze[reader].points, [1, 4, 5], axis=0)


def moved(point, case, other, boxes):
    """Return a fixation on another image at the same place in the box, or in the image."""
    (x, y), to_x, to_y = point, [], []
    if boxes:
        from_x, from_y = case.box[0::2], case.box[1::2]
        to_x, to_y = other.box[0::2], other.box[1::2]
    else:
        from_x, from_y = (0, case.shape[1]), (0, case.shape[0])
        to_x, to_y = (0, other.shape[1]), (0, other.shape[0])
    share_x = (x + 0.5 - from_x[0]) / (from_x[1] - from_x[0])
    share_y = (y + 0.5 - from_y[0]) / (from_y[1] - from_y[0])
    return (
        to_x[0] + share_x * (to_x[1] - to_x[0]) - 0.5,
        to_y[0] + share_y * (to_y[1] - to_y[0]) - 0.5,
    )


def inside(points, shape):
    """Return the points on the image."""
    return [(x, y) for x, y in points if -0.5 <= x < shape[1] - 0.5 and -0.5 <= y < shape[0] - 0.5]


def by_hand(cases, evaluation, name, *, boxes, ground_truth, negatives, density="shift"):
    """Compute the scores of a metric by single calls on the maps of `maps_of`."""
    metric = gazesal.METRICS[name]
    expected = {}
    for case in cases:
        others = [
            moved(point, other, case, boxes)
            for other in cases
            if other.image != case.image
            for reader in other.gaze
            for point in counted(other, reader)
        ]
        everybody = np.mean(
            [evaluation.maps_of(case.image, r)["interobserver"] for r in case.gaze], axis=0
        )
        for reader in case.gaze:
            maps = evaluation.maps_of(case.image, reader)
            rest = [r for r in case.gaze if r != reader]
            mean = np.mean(
                [evaluation.maps_of(case.image, r)["interobserver"] for r in rest], axis=0
            )
            for method, saliency in maps.items():
                if method == "ground_truth":
                    continue
                of_all = ground_truth == "all" and method != "interobserver"
                readers = list(case.gaze) if of_all else rest
                distribution = name in {*DISTRIBUTIONS, *DENSITIES}
                if method in case.maps and distribution and density:
                    saliency = gazesal.to_density(saliency, density)  # noqa: PLW2901
                given = {
                    "saliency_map": saliency,
                    "gaze_map": everybody if of_all else mean,
                    "center_bias": maps[negatives],
                    "baseline": maps[negatives],
                    "fixations": np.concatenate([counted(case, r) for r in readers]),
                    "other_fixations": inside(others, case.shape),
                }
                extra = {"shrink": SHRINK} if name == "emd" else {}
                key = (case.image, "all" if of_all else reader, method, name)
                expected[key] = metric.function(*(given[a] for a in metric.arguments), **extra)
    return expected


@pytest.fixture(scope="module")
def evaluations():
    """Evaluate every metric at once, by boxes, ground truth and center bias."""
    pytest.importorskip("ot")
    made = {}
    for boxes, ground_truth, center_bias in (
        (False, "rest", "both"),
        (True, "all", "both"),
        (True, "rest", "in_sample"),
    ):
        cases = make_cases(boxes=boxes)
        made[boxes, ground_truth, center_bias] = (
            cases,
            evaluate(
                cases,
                metrics=EVERY,
                ground_truth=ground_truth,
                center_bias_rows=center_bias,
                baseline="center_bias",
                **OPTIONS,
            ),
        )
    return made


@pytest.mark.parametrize("name", EVERY)
def test_every_score_equals_a_single_call(evaluations, name):
    for (boxes, ground_truth, center_bias), (cases, evaluation) in evaluations.items():
        negatives = "center_bias_in_sample" if center_bias == "in_sample" else "center_bias"
        expected = by_hand(
            cases, evaluation, name, boxes=boxes, ground_truth=ground_truth, negatives=negatives
        )
        got = {key: score for key, score in as_dict(evaluation).items() if key[3] == name}
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-6 if name == "emd" else 1e-9)
        assert np.isfinite(list(got.values())).all()


def test_the_baseline_gains_nothing_on_itself(evaluations):
    scores = as_dict(evaluations[False, "rest", "both"][1])
    own = [v for k, v in scores.items() if k[2:] == ("center_bias", "information_gain")]
    assert own == [0.0] * 9
    other = [v for k, v in scores.items() if k[2:] == ("center_bias_in_sample", "information_gain")]
    assert min(other) > 0  # its center bias includes the image


def test_other_metrics_do_not_change_the_default_metrics(evaluations):
    """Scores are equal to the bit with and without other metrics."""
    cases, evaluation = evaluations[False, "rest", "both"]
    alone = as_dict(evaluate(cases, center_bias_rows="both"))
    assert {metric for *_, metric in alone} == set(gazesal.DEFAULT_METRICS)
    together = as_dict(evaluation)
    assert {key: together[key] for key in alone} == alone


def test_scores_do_not_depend_on_workers_to_the_bit(evaluations):
    cases, one = evaluations[False, "rest", "both"]
    same = {"center_bias_rows": "both", "baseline": "center_bias", **OPTIONS}
    two = evaluate(cases, metrics=EVERY, n_jobs=2, **same)
    pd.testing.assert_frame_equal(one.scores, two.scores, check_exact=True)


@pytest.mark.parametrize("density", [None, "sum"])
def test_maps_without_negative_values_are_divided_by_their_sum(density):
    pytest.importorskip("ot")
    cases = make_cases(signed=False)
    evaluation = evaluate(cases, metrics=DISTRIBUTIONS, density=density, shrink=SHRINK)
    for name in DISTRIBUTIONS:
        expected = by_hand(
            cases,
            evaluation,
            name,
            boxes=False,
            ground_truth="rest",
            negatives="center_bias",
            density=density,
        )
        got = {key: score for key, score in as_dict(evaluation).items() if key[3] == name}
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_fixations_on_images_of_one_size_keep_their_pixels():
    cases = make_cases(shapes=dict.fromkeys("abc", (24, 32)))
    border = np.array([[0.49999999999999994, 3.5], [-0.5, 23.4], [1 / 3, 2 / 3]])
    cases[1] = replace(
        cases[1], gaze={"r1": gazesal.Gaze(points=border, durations=np.ones(3))}, scored=False
    )
    fixations = pooled(cases[:2])
    np.testing.assert_array_equal(fixations.on_others(cases[0]), border)


def test_fixations_on_unscored_images_are_used():
    cases = make_cases()
    lent = [*cases[:2], replace(cases[2], scored=False, maps={})]
    whole, part = (
        as_dict(evaluate(some, metrics=("auc_shuffled", "snss"))) for some in (cases, lent)
    )
    assert set(part) < set(whole)
    assert part == {key: whole[key] for key in part}


def test_point_scores_do_not_depend_on_the_images_own_negatives():
    """Fixations on an image are not its negatives, for any reader left out."""
    cases = make_cases()
    doubled = [
        replace(
            cases[0],
            gaze={**cases[0].gaze, "r4": cases[0].gaze["r1"], "r5": cases[0].gaze["r1"]},
        ),
        *cases[1:],
    ]
    fixations, more = (pooled(some) for some in (cases, doubled))
    np.testing.assert_array_equal(fixations.on_others(cases[0]), more.on_others(cases[0]))
    assert len(more.on_others(cases[1])) > len(fixations.on_others(cases[1]))


def test_no_fixation_on_the_image_is_undefined_and_counted():
    """Gaussians of fixations outside reach into the image, but no pixel was fixated."""
    cases = make_cases()
    gaze = {
        reader: replace(each, points=np.full_like(each.points, -1.0), visible=None)
        for reader, each in cases[0].gaze.items()
    }
    evaluation = evaluate([replace(cases[0], gaze=gaze), *cases[1:]], metrics=("ncc", "nss", "auc"))
    summary = evaluation.summary().set_index(["method", "metric"])
    assert summary.loc[("mine", "nss"), "n_undefined"] == 3
    assert summary.loc[("mine", "auc"), "n_undefined"] == 3
    assert summary.loc[("mine", "ncc"), "n_undefined"] == 0
    words = describe(evaluation, evaluation.summary())
    assert "AUC (points) scores are undefined (no fixation, or only fixated pixels" in words
    assert "NSS scores are undefined (a constant map or no fixation" in words


def test_constant_map_is_undefined_only_for_its_metrics():
    cases = make_cases()
    flat = [replace(case, maps={"flat": np.full(case.shape, 0.3)}) for case in cases]
    names = [n for n in EVERY if n != "emd"]
    scores = as_dict(evaluate(flat, metrics=names, density="sum"))
    for (_, _, method, name), score in scores.items():
        constant = gazesal.METRICS[name].constant_map
        if method == "flat" and constant is not None:
            assert score == pytest.approx(constant, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_invalid_distributions_are_named_before_scoring(name, monkeypatch):
    pytest.importorskip("ot")
    worked = []
    monkeypatch.setattr(score_pairs, "score", lambda *a, **_: worked.append(a))
    options = {"shrink": SHRINK} if name == "emd" else {}
    cases = make_cases(signed=False)
    cases[1].maps["mine"][3, 4] = -0.25
    with pytest.raises(
        ValueError, match=rf"`mine map of image b` must be non-negative, .*-0.25.*{name} compare"
    ):
        evaluate(cases, metrics=("ncc", name), **options)
    assert worked == []
    monkeypatch.undo()
    got = as_dict(evaluate(cases, metrics=(name,), density="softmax", **options))
    assert np.isfinite(list(got.values())).all()
    # Other metrics take the map as it is.
    assert evaluate(cases, metrics=("auc", "ncc")).scores["score"].size > 0


def densities(name):
    """Return each `density` that a metric takes, with a constant map that has no mass under it."""
    needed = "saliency_map" in gazesal.METRICS[name].densities
    return [("sum", 0.0), ("shift", 0.7), *([] if needed else [(None, 0.0)])]


@pytest.mark.parametrize("bad_images", ["raise", "list"])
@pytest.mark.parametrize(
    ("name", "density", "value"),
    [(name, *each) for name in (*DISTRIBUTIONS, *DENSITIES) for each in densities(name)],
)
def test_a_map_without_mass_is_undefined_for_its_method_and_metric_only(
    name, density, value, bad_images
):
    pytest.importorskip("ot")
    options = {"shrink": SHRINK} if name == "emd" else {}
    options |= {"density": density, "bad_images": bad_images, "metrics": ("auc", name)}
    cases = make_cases(signed=False)
    cases = [replace(case, maps={**case.maps, "other": case.maps["mine"]}) for case in cases]
    sound = as_dict(evaluate(cases, **options))
    flat = np.full(cases[1].maps["mine"].shape, value)
    cases[1] = replace(cases[1], maps={**cases[1].maps, "mine": flat})
    evaluation = evaluate(cases, **options)
    assert evaluation.bad_images.empty
    for key, score in as_dict(evaluation).items():
        image, _, method, metric = key
        if (image, method) != ("b", "mine"):
            assert score == sound[key]
        elif metric == name:
            assert np.isnan(score)
        else:
            assert score == 0.5
    summary = evaluation.summary().set_index(["method", "metric"])
    assert summary.loc[("mine", name), "n_undefined"] == len(cases[1].gaze)
    assert summary.loc[("other", name), "n_undefined"] == 0
    words = describe(evaluation, evaluation.summary())
    assert "scores are undefined (a map that cannot become a density" in words


def test_a_map_that_vanishes_on_the_image_is_undefined():
    cases = make_cases()
    peak = np.zeros((240, 320))
    peak[3, 4] = 1.0  # lies between the pixel centers of the smaller image
    cases[0] = replace(cases[0], maps={**cases[0].maps, "mine": peak})
    for case in cases:
        np.abs(case.maps["mine"], out=case.maps["mine"])
    scores = evaluate(cases, metrics=("sim",)).scores.set_index(["image", "method"])["score"]
    assert scores["a", "mine"].isna().all()
    assert scores["b", "mine"].notna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ("information_gain",)}, "`density` .* must be given for information_gain"),
        ({"metrics": ("log_likelihood", "ncc")}, "`density`.*must be given for log_likelihood"),
        ({"metrics": ("log_likelihood",), "density": "max"}, "`density` must be one of 'sum'"),
        ({"metrics": ("emd",)}, "`shrink` .* must be given for emd"),
        ({"metrics": ("emd",), "shrink": 0}, "`shrink` must be at least 1"),
        ({"shrink": 3}, "`shrink` must be None.*got 3"),
        ({"density": "sum"}, "`density` must be None.*got 'sum'"),
    ],
)
def test_missing_options_and_options_without_effect_raise(options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(make_cases(), **options)


def test_images_too_large_for_a_distance_are_named_at_once():
    pytest.importorskip("ot")
    with pytest.raises(ValueError, match="image a: `shrink` must leave fewer cells for `emd`"):
        evaluate(
            make_cases(shapes=dict.fromkeys("ab", (200, 300)), signed=False),
            metrics=("emd",),
            shrink=1,
        )


def test_missing_solver_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"gazesal\[emd\]"):
        evaluate(make_cases(), metrics=("emd",), shrink=4)


@pytest.mark.parametrize("name", OF_POINTS)
def test_gaze_maps_raise_for_point_metrics_only(name):
    class Stub:
        image, scored = "q", True
        gaze = {"r1": np.ones((3, 3))}  # noqa: RUF012

    with pytest.raises(ValueError, match=rf"got {name} and a map for image"):
        metric_calls.require_fixations([Stub()], as_metrics([name]), of_all=False)
    metric_calls.require_fixations([Stub()], as_metrics(gazesal.STUDY_METRICS), of_all=False)
    Stub.scored = False  # its gaze is in the center bias, and may be negatives of others
    with pytest.raises(ValueError, match=rf"got {name} and a map"):
        metric_calls.require_fixations([Stub()], as_metrics([name]), of_all=True)
    metric_calls.require_fixations([Stub()], as_metrics([name]), of_all=False)


def test_changed_facts_of_a_metric_make_a_metric_of_a_user():
    def twice_nss(saliency_map, fixations):
        return 2 * gazesal.nss(saliency_map, fixations)

    new = replace(gazesal.METRICS["nss"], name="twice_nss", label="2 NSS", function=twice_nss)
    scores = evaluate(make_cases(), metrics=("nss", new)).scores
    both = scores.pivot_table(
        index=["image", "observer", "method"], columns="metric", values="score"
    )
    np.testing.assert_array_equal(both["twice_nss"], 2 * both["nss"])


def test_options_of_metrics_exist_in_python_and_on_the_command_line():
    """A required option of a new metric must be added to all of these."""
    flags = {parameter.name: parameter for parameter in command.params}
    asked = {"density", *(o for m in gazesal.METRICS.values() for o in m.required_options)}
    assert asked <= set(inspect.signature(gazesal.evaluate).parameters)
    assert asked <= set(EvaluationOptions.__slots__)
    assert asked <= set(flags)
    assert all(flags["metrics"].type.convert(name, None, None) == name for name in EVERY)
    known = {"saliency_map", "gaze_map", "center_bias", "baseline", *metric_calls.POINTS}
    assert {a for m in gazesal.METRICS.values() for a in m.arguments} == known


def labels(chosen):
    """Return the labels of the chosen metrics, in the order of the registry."""
    return ", ".join(metric.label for metric in gazesal.METRICS.values() if chosen(metric))


def test_words_follow_the_registry(evaluations):
    _, evaluation = evaluations[True, "all", "both"]
    text = describe(evaluation, evaluation.summary(interval="normal"))
    chance = next(line for line in text.splitlines() if line.startswith("Chance"))
    for metric in gazesal.METRICS.values():
        assert metric.label in chance
    assert "sNSS 0 for any map that is the same for all images" in chance
    assert f"{labels(lambda metric: np.isnan(metric.chance))}: no fixed level" in chance
    assert f"Lower is better: {labels(lambda metric: not metric.higher_is_better)}." in text
    assert f"{labels(lambda metric: metric.name in (*DISTRIBUTIONS, *DENSITIES))}." in text
    assert "maps minus their minimum, divided by the sum" in text
    assert "aligned by their boxes: sAUC (points), sNSS." in text
    assert "cells of 6 x 6 pixels" in text
    assert "nan" not in text
    plain = evaluate(make_cases(), metrics=("snss",))
    assert "aligned by position in the image: sNSS" in describe(plain, plain.summary())
    study = evaluate(make_cases())
    assert metric_words(study.options, boxes=False) == []
    assert chance_words(gazesal.STUDY_METRICS) == (
        "sAUC 0.5 for any map that is the same for all images; "
        "NCC 0, AUC 0.5, sNCC 0 for a map of noise"
    )


def test_fixations_left_out_by_point_metrics_do_not_warn():
    """Fixations outside are expected with ``outside="keep"``, but single calls warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(make_cases(), metrics=OF_POINTS, density="shift")


def test_invalid_fixations_of_an_image_are_not_negatives():
    cases = make_cases()
    broken = replace(cases[1].gaze["r1"], points=np.full((3, 2), np.nan), durations=np.ones(3))
    cases = [replace(case, center_bias=np.ones(case.shape)) for case in cases]
    spoilt = [cases[0], replace(cases[1], gaze={**cases[1].gaze, "r1": broken}), cases[2]]
    found = evaluate(spoilt, metrics=("snss", "auc_shuffled"), bad_images="list")
    assert found.bad_images["image"].tolist() == ["b"]
    without = evaluate([cases[0], cases[2]], metrics=("snss", "auc_shuffled"))
    pd.testing.assert_frame_equal(found.scores, without.scores)


def test_resume_with_other_negatives_raises(tmp_path):
    """Fixations on other images are input of a score even without a center bias."""
    bias = {"a": np.ones((24, 32)), "b": np.ones((30, 28)), "c": np.ones((26, 26))}
    cases = [replace(case, center_bias=bias[case.image]) for case in make_cases()]
    whole = evaluate(cases, metrics=("auc_shuffled",), checkpoint=tmp_path)
    again = evaluate(cases, metrics=("auc_shuffled",), checkpoint=tmp_path)
    pd.testing.assert_frame_equal(whole.scores, again.scores)
    moved = replace(cases[1].gaze["r1"], points=cases[1].gaze["r1"].points[::-1].copy())
    with pytest.raises(ValueError, match="differs in the gaze on 'b'"):
        evaluate(
            [cases[0], replace(cases[1], gaze={**cases[1].gaze, "r1": moved}), cases[2]],
            metrics=("auc_shuffled",),
            checkpoint=tmp_path,
        )
