"""Center biases that the caller gives to `evaluate` as objects."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.exceptions import InputWarning, SkippedDataWarning
from gazesal.reporting.results_folder import describe
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA, make_cases

GAUSSIAN = gazesal.GaussianCenterBias.clarke_tatler()


class Uniform:
    """A center bias of the user, without a method to leave out images."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def on_image(self, shape, box=None):  # noqa: ARG002 (the interface)
        return np.full(shape, self.scale)


def gaze_maps(case):
    """The gaze map of each observer of an image."""
    return [gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA) for own in case.gaze.values()]


def mean_bias(cases):
    """The center bias that `evaluate` makes from images without boxes."""
    return gazesal.CenterBias(each for case in cases for each in gaze_maps(case))


def boxed(n=5):
    """Images with boxes."""
    return [replace(case, box=(2, 3, 28 + k % 2, 20)) for k, case in enumerate(make_cases(n))]


def registered_bias(cases):
    """The center bias that `evaluate` makes from images with boxes."""
    frame = gazesal.ReferenceFrame.from_boxes([c.box for c in cases], [c.shape for c in cases])
    return gazesal.RegisteredCenterBias(frame, [(m, c.box) for c in cases for m in gaze_maps(c)])


def kde_bias(cases, **options):
    """A kernel density estimate of the gaze on all images, by their names."""
    fixations = {c.image: np.concatenate([g.points for g in c.gaze.values()]) for c in cases}
    shapes = {case.image: case.shape for case in cases}
    return gazesal.KdeCenterBias(fixations, shapes, bandwidth=0.1, mixing=0.1, **options)


def scores_of(cases, **options):
    """The table of scores."""
    return gazesal.evaluate(cases, sigma=SIGMA, **options).scores


@pytest.mark.parametrize("rows", ["left_out", "in_sample", "both"])
@pytest.mark.parametrize("make", ["mean", "registered"])
def test_a_bias_of_all_images_gives_the_scores_of_the_default(make, rows):
    cases = make_cases(5) if make == "mean" else boxed()
    bias = mean_bias(cases) if make == "mean" else registered_bias(cases)
    expected = scores_of(cases, center_bias_rows=rows)
    found = scores_of(cases, center_bias=bias, center_bias_rows=rows)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_a_bias_of_all_images_leaves_out_groups_as_the_default_does():
    cases = [
        replace(case, groups={"patient": f"p{k // 2}"}) for k, case in enumerate(make_cases(6))
    ]
    options = {"leave_out": "patient", "n_jobs": 2}
    expected = scores_of(cases, **options)
    bias = mean_bias(cases)
    found = scores_of(cases, center_bias=bias, center_bias_rows="left_out", **options)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_kde_leaves_out_each_image_by_name(n_jobs):
    cases = make_cases(4)
    bias = kde_bias(cases)
    options = {"center_bias": bias, "n_jobs": n_jobs}
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, center_bias_rows="both", **options)
    for case in cases:
        shown = evaluation.maps_of(case.image)
        expected = bias.without(case.image).on_image(case.shape)
        np.testing.assert_array_equal(shown["center_bias"], expected)
        np.testing.assert_array_equal(shown["center_bias_in_sample"], bias.on_image(case.shape))
        scores = evaluation.scores.query("image == @case.image and observer == 'ann'")
        scores = scores.set_index(["method", "metric"])["score"]
        rest = gaze_maps(case)[1]
        assert scores["noise", "sauc"] == pytest.approx(
            gazesal.sauc(case.maps["noise"], rest, expected), rel=1e-12
        )


def test_a_kde_without_an_image_is_an_error_that_names_the_image():
    cases = make_cases(3)
    with pytest.raises(ValueError, match="`image` must be one of"):
        scores_of(cases, center_bias=kde_bias(cases[:2]), center_bias_rows="left_out")


@pytest.mark.parametrize("bias", [GAUSSIAN, Uniform(), Uniform(3.0)])
def test_a_bias_that_leaves_out_nothing_is_used_as_given(bias):
    cases = make_cases(3)
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, center_bias=bias)
    assert evaluation.options.center_bias_rows == "given"
    assert evaluation.options.frame is None
    case = cases[0]
    expected = bias.on_image(case.shape) / bias.on_image(case.shape).sum()
    found = evaluation.maps_of(case.image)["center_bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert set(evaluation.scores["method"]) == {"interobserver", "center_bias", "noise"}


def test_a_bias_of_other_images_is_used_as_given():
    cases = make_cases(6)
    bias = mean_bias(cases[3:])
    options = {"center_bias": bias, "center_bias_rows": "given"}
    evaluation = gazesal.evaluate(cases[:3], sigma=SIGMA, **options)
    for case in cases[:3]:
        found = evaluation.maps_of(case.image)["center_bias"]
        np.testing.assert_array_equal(found, bias.on_image(case.shape))


def test_one_image_is_enough_with_a_bias_of_other_images():
    cases = make_cases(1)
    assert len(scores_of(cases, center_bias=GAUSSIAN)) == 2 * 3 * 5


def test_an_images_own_center_bias_replaces_the_given_one():
    cases = make_cases(2)
    own = np.random.default_rng(0).random(SHAPE)
    cases[0] = replace(cases[0], center_bias=own)
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, center_bias=GAUSSIAN)
    shown = evaluation.maps_of(cases[0].image)["center_bias"]
    np.testing.assert_allclose(shown, own / own.sum(), rtol=1e-15)
    with pytest.raises(ValueError, match="`center_bias`"):
        scores_of([replace(case, center_bias=own) for case in cases], center_bias=GAUSSIAN)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"center_bias": "left_out"}, "center_bias_rows"),
        ({"center_bias": "both", "center_bias_rows": "both"}, "center_bias_rows"),
        ({"center_bias": "gaussian"}, "center_bias"),
        ({"center_bias": None}, "center_bias"),
        ({"center_bias": "none", "center_bias_rows": "left_out"}, "center_bias_rows"),
        ({"center_bias": "none", "rounding": "study"}, "rounding"),
        ({"center_bias_rows": "none"}, "center_bias_rows"),
        ({"center_bias": np.ones(SHAPE)}, "center_bias"),
        ({"center_bias": gazesal.GaussianCenterBias}, "center_bias"),
        ({"center_bias_rows": "given"}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "center_bias_rows": "left_out"}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "center_bias_rows": "both"}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "center_bias_rows": "none"}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "center_bias_rows": "mine"}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "rounding": "study"}, "rounding"),
        ({"center_bias": mean_bias(make_cases(2))}, "center_bias_rows"),
        ({"center_bias": GAUSSIAN, "leave_out": "patient"}, "leave_out"),
    ],
)
def test_contradicting_options_are_errors(options, name):
    cases = [replace(case, groups={"patient": k}) for k, case in enumerate(make_cases(3))]
    with pytest.raises((ValueError, TypeError), match=f"`{name}`"):
        scores_of(cases, **{"metrics": ["ncc"], **options})


class Wrong(Uniform):
    """A center bias that returns an invalid map."""

    def on_image(self, shape, box=None):  # noqa: ARG002 (the interface)
        return self.scale


@pytest.mark.parametrize("values", [np.ones((2, 2)), -np.ones(SHAPE), np.full(SHAPE, np.nan)])
def test_invalid_maps_of_a_users_bias_name_the_image(values):
    with pytest.raises(ValueError, match="center bias of image i0"):
        scores_of(make_cases(2), center_bias=Wrong(values))


class Failing(Uniform):
    """A center bias that raises an error on images of one size."""

    def on_image(self, shape, box=None):
        if shape != SHAPE:
            raise RuntimeError("no map of this size")
        return super().on_image(shape, box)


def test_error_of_a_users_bias_makes_an_image_bad():
    cases = make_cases(4)
    wide = (SHAPE[0], SHAPE[1] + 1)
    cases[2] = replace(cases[2], shape=wide, maps={"noise": np.ones(wide)})
    options = {"sigma": SIGMA, "center_bias": Failing(), "metrics": ["sncc"]}
    message = f"image {cases[2].image}: RuntimeError: no map of this size"
    with pytest.raises(ValueError, match=message):
        gazesal.evaluate(cases, **options)
    found = gazesal.evaluate(cases, **options, bad_images="list")
    assert found.bad_images["reason"].tolist() == [message]
    assert found.scores["image"].nunique() == 3


def test_a_mean_bias_of_another_size_needs_resize():
    cases = make_cases(2)
    bias = gazesal.CenterBias([np.ones((5, 5))])
    options = {"center_bias": bias, "center_bias_rows": "given"}
    with pytest.raises(ValueError, match="resize"):
        scores_of(cases, **options)
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear", **options)
    assert evaluation.maps_of(cases[0].image)["center_bias"].shape == SHAPE


def test_a_registered_bias_needs_boxes():
    bias = registered_bias(boxed(3))
    options = {"center_bias": bias, "center_bias_rows": "given"}
    with pytest.raises(ValueError, match="box"):
        scores_of(make_cases(2), **options)


MAKE = {
    "mean": mean_bias,
    "registered": registered_bias,
    "gaussian": lambda _: GAUSSIAN,
    "kde": kde_bias,
}


@pytest.mark.parametrize("kind", MAKE)
def test_saved_evaluations_contain_the_center_bias(kind, tmp_path):
    pytest.importorskip("pyarrow")
    cases = [replace(case, maps={}) for case in boxed(4)]
    rows = "given" if kind == "gaussian" else "left_out"
    evaluation = gazesal.evaluate(
        cases, sigma=SIGMA, resize="bilinear", center_bias=MAKE[kind](cases), center_bias_rows=rows
    )
    evaluation.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    assert loaded.options == evaluation.options
    np.testing.assert_array_equal(
        loaded.maps_of("i1")["center_bias"], evaluation.maps_of("i1")["center_bias"]
    )


def test_an_evaluation_is_saved_without_a_users_bias(tmp_path):
    pytest.importorskip("pyarrow")
    evaluation = gazesal.evaluate(make_cases(2), sigma=SIGMA, center_bias=Uniform())
    with pytest.warns(SkippedDataWarning, match="Uniform"):
        evaluation.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.scores, evaluation.scores)
    with pytest.raises(ValueError, match="`center_bias`"):
        loaded.maps_of("i0")


class Leaving(Uniform):
    """A center bias of the user that can leave out images."""

    def without_images(self, images):  # noqa: ARG002 (the interface)
        return Uniform(self.scale + 1)


def test_maps_of_names_a_bias_that_could_not_be_saved(tmp_path):
    pytest.importorskip("pyarrow")
    options = {"center_bias": Leaving(), "center_bias_rows": "left_out"}
    with pytest.warns(SkippedDataWarning):
        gazesal.evaluate(make_cases(2), sigma=SIGMA, **options).save(tmp_path)
    with pytest.raises(ValueError, match="`center_bias` of image i0"):
        gazesal.Evaluation.load(tmp_path).maps_of("i0")


def test_a_checkpoint_is_resumed_with_the_same_bias_only(tmp_path):
    pytest.importorskip("pyarrow")
    cases = make_cases(2)
    options = {"sigma": SIGMA, "checkpoint": tmp_path / "checkpoint"}
    first = gazesal.evaluate(cases, center_bias=Uniform(2.0), **options)
    again = gazesal.evaluate(cases, center_bias=Uniform(2.0), **options)
    pd.testing.assert_frame_equal(again.scores, first.scores)
    for other in (Uniform(3.0), GAUSSIAN, "images"):
        with pytest.raises(ValueError, match="center_bias"):
            gazesal.evaluate(cases, center_bias=other, **options)


def test_a_checkpoint_warns_of_a_bias_without_a_fingerprint(tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.warns(InputWarning, match="`center_bias`, a Uniform"):
        gazesal.evaluate(
            make_cases(2),
            sigma=SIGMA,
            checkpoint=tmp_path / "checkpoint",
            center_bias=with_source(tmp_path),  # files in a folder have no fingerprint
        )


def with_source(source):
    """A center bias with one more attribute."""
    bias = Uniform()
    bias.source = source
    return bias


def test_a_bias_that_cannot_be_pickled_is_an_error():
    with pytest.raises(TypeError, match="`center_bias`"):
        scores_of(make_cases(2), center_bias=with_source(each for each in range(3)))


@pytest.mark.parametrize("kind", MAKE)
def test_reports_state_the_center_bias(kind):
    cases = boxed(3)
    bias = MAKE[kind](cases)
    rows = "given" if kind == "gaussian" else "left_out"
    evaluation = gazesal.evaluate(
        cases, sigma=SIGMA, resize="bilinear", center_bias=bias, center_bias_rows=rows
    )
    text = describe(evaluation, evaluation.summary())
    assert f"Center bias: {bias!r}" in text
