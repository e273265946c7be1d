"""Options of an evaluation: registration, own sigmas, ground truth, and invalid values."""

import inspect
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation.options import CHECKS, EvaluationOptions

SHAPES = {"a": (24, 32), "b": (30, 28), "c": (26, 26)}
METRICS = {"ncc": gazesal.ncc, "auc_borji": gazesal.auc_borji}
SHUFFLED = {
    "sncc": gazesal.sncc,
    "sauc": gazesal.sauc,
    "residual_ncc": gazesal.residual_ncc,
}


def make_cases(*, boxes=True, own_sigma=True):
    """Return three images of different sizes with three readers each and one map."""
    rng = np.random.default_rng(3)
    cases = []
    for image, (height, width) in SHAPES.items():
        gaze = {}
        for reader in ("r1", "r2", "r3"):
            corner = rng.uniform(0, 6, (7, 2))
            gaze[reader] = gazesal.Gaze(
                points=rng.uniform(0, [width - 1, height - 1], (7, 2)),
                durations=rng.uniform(0.1, 1, 7),
                sigma=rng.uniform(1.5, 4, (7, 2)) if own_sigma else None,
                visible=np.column_stack([corner, corner + 20]).round() if own_sigma else None,
            )
        left, top = rng.uniform(2, 5, 2)
        cases.append(
            gazesal.Case(
                image=image,
                shape=(height, width),
                gaze=gaze,
                maps={"noise": rng.random((height, width))},
                box=(left, top, left + 18.0, top + 16.5) if boxes else None,
            )
        )
    return cases


def scores_by_definition(cases, *, left_out, ground_truth="rest"):
    """Compute every score from fresh averages, without a running sum."""
    own = {
        case.image: {
            reader: gazesal.gaze_heatmap(
                g.points, case.shape, sigma=g.sigma, weights=g.durations, visible=g.visible
            )
            for reader, g in case.gaze.items()
        }
        for case in cases
    }
    frame = gazesal.ReferenceFrame.from_boxes([c.box for c in cases], [c.shape for c in cases])
    scores = {}
    for case in cases:
        biases = {}
        for name, images in {
            "center_bias": [c for c in cases if c is not case],
            "center_bias_in_sample": cases,
        }.items():
            pairs = [(gaze_map, c.box) for c in images for gaze_map in own[c.image].values()]
            bias = gazesal.RegisteredCenterBias(frame, pairs)
            biases[name] = bias.on_image(case.shape, case.box)
        negatives = biases["center_bias" if left_out else "center_bias_in_sample"]
        maps = own[case.image]
        for reader, gaze_map in maps.items():
            rest = np.mean([m for name, m in maps.items() if name != reader], axis=0)
            truths = {reader: rest} if ground_truth == "rest" else {"all": sum(maps.values()) / 3}
            pairs = [("interobserver", reader, gaze_map, rest)]
            for label, truth in truths.items():
                pairs += [(name, label, bias, truth) for name, bias in biases.items()]
                pairs += [("noise", label, case.maps["noise"], truth)]
            for method, label, saliency, truth in pairs:
                key = (case.image, label, method)
                for name, metric in METRICS.items():
                    scores[*key, name] = metric(saliency, truth)
                for name, metric in SHUFFLED.items():
                    scores[*key, name] = metric(saliency, truth, negatives)
    return scores


def as_dict(evaluation):
    """Return scores by (image, observer, method, metric)."""
    keys = ["image", "observer", "method", "metric"]
    return evaluation.scores.set_index(keys)["score"].to_dict()


@pytest.mark.parametrize("ground_truth", ["rest", "all"])
@pytest.mark.parametrize("center_bias", ["left_out", "in_sample", "both"])
def test_registered_scores_equal_their_definition(center_bias, ground_truth):
    cases = make_cases()
    evaluation = gazesal.evaluate(cases, center_bias_rows=center_bias, ground_truth=ground_truth)
    expected = scores_by_definition(
        cases, left_out=center_bias != "in_sample", ground_truth=ground_truth
    )
    absent = {"left_out": "center_bias_in_sample", "in_sample": "center_bias"}.get(center_bias)
    expected = {key: score for key, score in expected.items() if key[2] != absent}
    assert as_dict(evaluation) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_equal_own_sigmas_equal_one_sigma():
    plain = make_cases(boxes=False, own_sigma=False)
    own = [
        replace(
            case, gaze={k: replace(g, sigma=np.full((7, 2), 2.0)) for k, g in case.gaze.items()}
        )
        for case in plain
    ]
    one = gazesal.evaluate(plain, sigma=2.0, resize="bilinear")
    assert as_dict(gazesal.evaluate(own, resize="bilinear")) == as_dict(one)


def test_registration_changes_the_center_bias():
    cases = make_cases()
    unboxed = [replace(case, box=None) for case in cases]
    registered = as_dict(gazesal.evaluate(cases))
    plain = as_dict(gazesal.evaluate(unboxed, resize="bilinear"))
    assert registered.keys() == plain.keys()
    changed = {key for key in plain if registered[key] != plain[key]}
    assert {key[3] for key in changed if key[2] == "noise"} == set(SHUFFLED)


def test_the_study_rounds():
    cases = make_cases()
    options = {"metrics": ["sauc"], "center_bias_rows": "in_sample"}
    with pytest.raises(ValueError, match="`rounding` must be 'none' unless `center_bias_rows`"):
        gazesal.evaluate(cases, rounding="study")
    rounded = gazesal.evaluate(cases, rounding="study", **options)
    assert rounded.center_bias.frame.rounding == "study"
    assert as_dict(rounded) != as_dict(gazesal.evaluate(cases, **options))


def test_jobs_do_not_change_registered_scores():
    one = gazesal.evaluate(make_cases(), ceilings=True, n_jobs=1)
    two = gazesal.evaluate(make_cases(), ceilings=True, n_jobs=2)
    pd.testing.assert_frame_equal(one.scores, two.scores)


def test_unscored_image_contributes_to_the_bias_only():
    cases = make_cases()
    one_reader = replace(cases[2], gaze={"r1": cases[2].gaze["r1"]}, scored=False, maps={})
    evaluation = gazesal.evaluate([*cases[:2], one_reader])
    assert set(evaluation.scores["image"]) == {"a", "b"}
    assert evaluation.center_bias.n_maps == 7


def test_maps_of_an_image_hold_every_row():
    evaluation = gazesal.evaluate(make_cases(), center_bias_rows="both", ground_truth="all")
    shown = evaluation.maps_of("b", "r2")
    assert set(shown) == {*evaluation.methods, "ground_truth"}
    assert {array.shape for array in shown.values()} == {SHAPES["b"]}
    rest = evaluation.maps_of("b")["ground_truth"]
    np.testing.assert_array_equal(rest, evaluation.maps_of("b", "r3")["ground_truth"])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"box": None}, {}, "`cases` must all have a box or all have no box, got image 'a'"),
        ({"scored": True, "gaze": {}}, {}, "image 'a' must have fixations of at least two"),
        ({}, {"sigma": 2.0}, "`sigma` must not be given if fixations have their own"),
        (
            {},
            {"center_bias_rows": "mine"},
            "`center_bias_rows` must be one of 'left_out', 'in_sample'",
        ),
        ({}, {"ground_truth": "most"}, "`ground_truth` must be one of 'rest', 'all'"),
        ({}, {"rounding": "up"}, "`rounding` must be one of 'none', 'study'"),
        ({"box": (1, 2, 1, 4)}, {}, r"`box of image \w+` must have x_min < x_max"),
    ],
)
def test_contradictory_options_raise(change, options, message):
    first, *others = make_cases()
    with pytest.raises(ValueError, match=message):
        gazesal.evaluate([replace(first, **change), *others], **options)


def test_sigma_is_required_without_own_sigmas():
    with pytest.raises(ValueError, match="`sigma` must be given unless all fixations have their"):
        gazesal.evaluate(make_cases(own_sigma=False))


def test_rounding_requires_boxes():
    cases = make_cases(boxes=False)
    with pytest.raises(ValueError, match="`rounding` must be 'none' unless cases have boxes"):
        gazesal.evaluate(cases, rounding="study", resize="bilinear")


def test_no_scored_image_raises():
    cases = [replace(case, scored=False) for case in make_cases()]
    with pytest.raises(ValueError, match="at least one image that is scored, got none"):
        gazesal.evaluate(cases)


@pytest.mark.parametrize(
    "name",
    ["interobserver", "Center bias", "ground_truth", "Centre bias"],  # codespell:ignore centre
)
def test_methods_named_like_a_baseline_raise(name):
    cases = [replace(case, maps={name: case.maps["noise"]}) for case in make_cases()]
    with pytest.raises(ValueError, match="`maps` must not name a method like a baseline"):
        gazesal.evaluate(cases)


def test_off_image_fixations_are_dropped_and_counted_or_kept():
    cases = make_cases()
    first = cases[0].gaze["r1"]
    points = first.points.copy()
    points[:2] = [[-3.0, 5.0], [40.0, 8.0]]
    off = replace(cases[0], gaze=cases[0].gaze | {"r1": replace(first, points=points)})
    with pytest.raises(ValueError, match=r"image a, observer r1: .* 2 of 7 do not"):
        gazesal.evaluate([off, *cases[1:]])
    with pytest.warns(gazesal.OffImageWarning, match="2 of 63 fixations lie outside their image"):
        dropped = gazesal.evaluate([off, *cases[1:]], outside="drop")
    five = gazesal.Gaze(
        points=first.points[2:],
        durations=first.durations[2:],
        sigma=first.sigma[2:],
        visible=first.visible[2:],
    )
    without = replace(cases[0], gaze=cases[0].gaze | {"r1": five})
    assert as_dict(dropped) == as_dict(gazesal.evaluate([without, *cases[1:]]))
    kept = gazesal.evaluate([off, *cases[1:]], outside="keep")
    assert as_dict(kept) != as_dict(dropped)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"gaze": None},
            "`gaze` of `cases\\[0\\]` must be a mapping of observers to Gaze or maps",
        ),
        (
            {"groups": "a"},
            "`groups` of `cases\\[0\\]` must be a mapping of columns to values, got str",
        ),
        ({"maps": None}, "`maps` of `cases\\[0\\]` must be a mapping of methods"),
        ({"scored": "no"}, "`scored` of `cases\\[0\\]` must be a bool, got str"),
        ({"image": 7}, "`image` of `cases\\[0\\]` must be a str, got int"),
    ],
)
def test_parts_of_the_wrong_kind_are_named(change, message):
    first, *others = make_cases()
    with pytest.raises(TypeError, match=message):
        gazesal.evaluate([replace(first, **change), *others])


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (None, "`cases` must be an iterable of Case, got NoneType"),
        (["a"], r"`cases\[0\]` must be a Case, got str"),
    ],
)
def test_other_objects_than_cases_raise(cases, message):
    with pytest.raises(TypeError, match=message):
        gazesal.evaluate(cases)


def test_metrics_must_be_a_list_of_names():
    with pytest.raises(TypeError, match="`metrics` must be an iterable"):
        gazesal.evaluate(make_cases(), metrics="ncc")


def test_gaze_requires_points():
    with pytest.raises(TypeError, match="`points` must be an array, got None"):
        gazesal.Gaze(points=None)


def test_aucs_are_within_the_tolerance():
    cases = make_cases()
    exact = as_dict(gazesal.evaluate(cases))
    within = as_dict(gazesal.evaluate(cases, tolerance=1e-3))
    assert within == pytest.approx(exact, abs=1e-3)
    with pytest.raises(ValueError, match="`tolerance` and `n_samples` must not both be given"):
        gazesal.evaluate(cases, tolerance=1e-3, n_samples=10)
    with pytest.raises(ValueError, match="`tolerance` must"):
        gazesal.evaluate(cases, tolerance=2)


def test_evaluate_has_every_option_with_its_default():
    keywords = inspect.signature(gazesal.evaluate).parameters
    defaults = {each.name: each.default for each in fields(EvaluationOptions)}
    del defaults["frame"]  # follows from the images
    del defaults["center_bias_rows"]  # follows from the center bias
    del defaults["own_metrics"]  # follows from `metrics`
    assert defaults.pop("ceilings") == ()  # kept as the names of the rows, of which False has none
    assert keywords["ceilings"].default is False
    assert {name: keywords[name].default for name in defaults} == defaults
    assert set(CHECKS) == {*defaults, "frame", "center_bias_rows", "ceilings"}
