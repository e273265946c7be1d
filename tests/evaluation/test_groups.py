"""Images of one group leave the center bias together."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.reporting.captions import describe
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA, make_cases


def of_patients(n=6, **fields):
    """Return images of patients with two images each."""
    return [
        replace(case, groups={"patient": f"p{k // 2}", "visit": k % 2}, **fields)
        for k, case in enumerate(make_cases(n))
    ]


def gaze_maps(case):
    """Return the gaze map of each observer."""
    return [gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA) for own in case.gaze.values()]


def of_other_patients(cases, case):
    """Return the images of other patients."""
    return [other for other in cases if other.groups["patient"] != case.groups["patient"]]


def test_center_bias_excludes_images_of_the_same_patient():
    cases = of_patients()
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, leave_out="patient", n_jobs=2)
    for case in cases:
        others = of_other_patients(cases, case)
        expected = gazesal.CenterBias(m for other in others for m in gaze_maps(other)).density()
        found = evaluation.maps_of(case.image)["center_bias"]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        rest = gaze_maps(case)[1]
        scores = evaluation.scores.query("image == @case.image and observer == 'ann'")
        scores = scores.set_index(["method", "metric"])["score"]
        assert scores["noise", "sncc"] == pytest.approx(
            gazesal.sncc(case.maps["noise"], rest, expected), rel=1e-9
        )
        assert scores["noise", "sauc"] == pytest.approx(
            gazesal.sauc(case.maps["noise"], rest, expected), rel=1e-9
        )


def test_registered_images_leave_the_bias_together():
    cases = [replace(case, box=(2, 3, 28 + k % 2, 20)) for k, case in enumerate(of_patients())]
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, leave_out="patient")
    others = of_other_patients(cases, cases[0])
    pairs = [(m, other.box) for other in others for m in gaze_maps(other)]
    bias = gazesal.RegisteredCenterBias(evaluation.options.frame, pairs)
    np.testing.assert_allclose(
        evaluation.maps_of("i0")["center_bias"], bias.on_image(SHAPE, cases[0].box), rtol=1e-9
    )


def test_fixations_on_other_images_exclude_the_same_patient():
    cases = of_patients()
    metrics = ["auc_shuffled", "snss"]
    options = {"sigma": SIGMA, "metrics": metrics, "center_bias": "none"}
    evaluation = gazesal.evaluate(cases, leave_out="patient", **options)
    case = cases[3]
    others = np.concatenate(
        [own.points for other in of_other_patients(cases, case) for own in other.gaze.values()]
    )
    scores = evaluation.scores.query("image == 'i3' and method == 'noise' and observer == 'ann'")
    for name, score in zip(scores["metric"], scores["score"], strict=True):
        function = gazesal.METRICS[name].function
        expected = function(case.maps["noise"], case.gaze["bob"].points, others)
        assert score == pytest.approx(expected, rel=1e-12)


def test_groups_of_one_image_change_no_score():
    cases = [replace(case, groups={"patient": k}) for k, case in enumerate(make_cases())]
    plain = gazesal.evaluate(cases, sigma=SIGMA).scores
    assert gazesal.evaluate(cases, sigma=SIGMA, leave_out="patient").scores.equals(plain)


def test_an_image_with_invalid_gaze_is_not_left_out_twice():
    cases = of_patients()
    far = gazesal.Gaze(points=np.array([[900.0, 900.0]]), durations=np.ones(1))
    cases[1] = replace(cases[1], gaze={"ann": far, "bob": far})
    options = {"sigma": SIGMA, "leave_out": "patient", "bad_images": "list"}
    evaluation = gazesal.evaluate(cases, **options)
    without = gazesal.evaluate([cases[0], *cases[2:]], **options)
    assert list(evaluation.bad_images["image"]) == ["i1"]
    assert evaluation.scores.equals(without.scores)
    np.testing.assert_array_equal(
        evaluation.maps_of("i0")["center_bias"], without.maps_of("i0")["center_bias"]
    )


def test_report_states_the_group_left_out():
    cases = of_patients()
    evaluation = gazesal.evaluate(
        cases, sigma=SIGMA, leave_out="patient", metrics=["ncc", "auc_shuffled"]
    )
    words = describe(evaluation, evaluation.summary())
    assert "without the image that is scored and all others of the same patient." in words
    assert "the fixations on the images of every other patient, aligned" in words


def test_saved_evaluation_leaves_out_the_same_images(tmp_path):
    pytest.importorskip("pyarrow")
    evaluation = gazesal.evaluate(of_patients(), sigma=SIGMA, leave_out="patient")
    evaluation.save(tmp_path / "saved")
    cases = [replace(c, maps={}) for c in gazesal.Evaluation.load(tmp_path / "saved").cases]
    loaded = replace(gazesal.Evaluation.load(tmp_path / "saved"), cases=cases)
    np.testing.assert_array_equal(
        loaded.maps_of("i2")["center_bias"], evaluation.maps_of("i2")["center_bias"]
    )


def test_resume_scores_images_whose_group_changed(tmp_path):
    pytest.importorskip("pyarrow")
    cases = of_patients()
    options = {"sigma": SIGMA, "leave_out": "patient", "checkpoint": tmp_path / "kept"}
    gazesal.evaluate(cases, **options)
    moved = [*cases[:5], replace(cases[5], groups={"patient": "p0", "visit": 1})]
    again = gazesal.evaluate(moved, **options)
    fresh = gazesal.evaluate(moved, sigma=SIGMA, leave_out="patient")
    assert again.scores.equals(fresh.scores)
    with pytest.raises(ValueError, match="leave_out"):
        gazesal.evaluate(cases, **{**options, "leave_out": None})


@pytest.mark.parametrize(
    ("leave_out", "options", "kind"),
    [
        ("site", {}, ValueError),
        (3, {}, TypeError),
        ("all", {}, ValueError),
        ("patient", {"center_bias_rows": "in_sample"}, ValueError),
        ("patient", {"center_bias": "none", "metrics": ["ncc"]}, ValueError),
    ],
)
def test_unknown_group_or_group_without_effect_raises(leave_out, options, kind):
    cases = [replace(case, groups={**case.groups, "all": 1}) for case in of_patients()]
    with pytest.raises(kind, match="`leave_out`"):
        gazesal.evaluate(cases, sigma=SIGMA, leave_out=leave_out, **options)


def test_images_only_in_the_bias_need_the_group():
    cases = of_patients()
    cases[4] = replace(cases[4], scored=False, groups={})
    with pytest.raises(ValueError, match=r"`leave_out` .*image 'i4'"):
        gazesal.evaluate(cases, sigma=SIGMA, leave_out="patient")
