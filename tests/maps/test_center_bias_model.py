"""The interface that all center biases share."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.maps.center_bias_model import CenterBiasModel, ImageGaze, LeaveOutCenterBias
from tests.evaluation.test_gaze_checks import SIGMA, make_cases
from tests.maps.test_registered_bias import BOXES, SHAPES, make_bias, make_maps

BY_IMAGE = {"a": [[3.0, 2.0], [7.5, 6.0]], "b": [[4.0, 4.0]], "c": [[9.0, 1.0], [1.0, 5.0]]}
SHAPE, BOX = (8, 12), (1.0, 1.0, 9.0, 7.0)


def gaze_maps(case):
    """The gaze map of each observer of an image."""
    return [gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA) for own in case.gaze.values()]


def kde(fixations=BY_IMAGE):
    """A kernel density estimate of three images."""
    return gazesal.KdeCenterBias(fixations, SHAPE, bandwidth=0.1, mixing=0.1)


MODELS = {
    "mean": lambda: gazesal.CenterBias(make_maps([SHAPE] * 3, [BOX] * 3)),
    "registered": make_bias,
    "gaussian": gazesal.GaussianCenterBias.clarke_tatler,
    "kde": kde,
}


@pytest.mark.parametrize("shape", [SHAPE, (9, 11), (24, 30)])
@pytest.mark.parametrize("kind", MODELS)
def test_every_model_is_a_density_on_an_image_of_any_shape(kind, shape):
    on_image = MODELS[kind]().on_image(shape, BOX)
    assert on_image.shape == shape
    assert on_image.dtype == np.float64
    assert on_image.min() >= 0
    assert on_image.sum() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_satisfies_the_protocol(kind):
    bias = MODELS[kind]()
    assert isinstance(bias, CenterBiasModel)
    assert isinstance(bias, LeaveOutCenterBias) == (kind != "gaussian")
    expected = inspect.signature(CenterBiasModel.on_image)
    assert list(inspect.signature(type(bias).on_image).parameters) == list(expected.parameters)


@pytest.mark.parametrize("kind", sorted(set(MODELS) - {"registered"}))
def test_models_without_registration_ignore_the_box(kind):
    bias = MODELS[kind]()
    np.testing.assert_array_equal(bias.on_image(SHAPE), bias.on_image(SHAPE, BOX))


def test_a_registered_bias_needs_the_box():
    with pytest.raises(ValueError, match="`box`"):
        make_bias().on_image(SHAPE)
    with pytest.raises(ValueError, match="`box` of image 'a'"):
        make_bias().without_images([ImageGaze("a", make_maps())])


@pytest.mark.parametrize("shape", [(0, 4), (3,), "ab"])
@pytest.mark.parametrize("kind", MODELS)
def test_invalid_shapes_are_named(kind, shape):
    with pytest.raises((ValueError, TypeError), match="`shape`"):
        MODELS[kind]().on_image(shape, BOX)


def test_a_mean_bias_is_resized_and_normalized():
    bias = MODELS["mean"]()
    resized = gazesal.resample(bias.density(), (5, 20))
    np.testing.assert_array_equal(bias.on_image((5, 20)), resized / resized.sum())
    np.testing.assert_allclose(bias.on_image(SHAPE), bias.density(), rtol=1e-15)


def test_a_mean_bias_between_the_pixel_centers_cannot_be_resized():
    values = np.zeros((9, 9))
    values[0, 0] = 1.0
    with pytest.raises(ValueError, match="`shape`"):
        gazesal.CenterBias([values]).on_image((1, 1))


@pytest.mark.parametrize("n_out", [1, 2])
def test_images_are_left_out_of_a_mean_bias(n_out):
    maps = make_maps([SHAPE] * 6, [BOX] * 6)
    bias = gazesal.CenterBias(maps)
    images = [ImageGaze(k, maps[2 * k : 2 * k + 2]) for k in range(n_out)]
    expected = bias.without(maps[: 2 * n_out])
    found = bias.without_images(iter(images))
    assert found.n_maps == expected.n_maps
    np.testing.assert_array_equal(found.density(), expected.density())


def test_maps_of_other_shapes_are_resized_before_they_are_left_out():
    maps = make_maps([SHAPE] * 3, [BOX] * 3)
    larger = make_maps([(16, 24)], [(2, 2, 18, 14)], seed=1)[0]
    bias = gazesal.CenterBias([*maps, gazesal.resample(larger, SHAPE)])
    found = bias.without_images([ImageGaze("larger", [larger])])
    np.testing.assert_allclose(found.density(), gazesal.CenterBias(maps).density(), rtol=1e-12)


def test_images_are_left_out_of_a_registered_bias():
    bias, maps = make_bias(), make_maps()
    images = [ImageGaze(k, iter([maps[k]]), BOXES[k]) for k in range(2)]
    expected = bias.without(zip(maps[:2], BOXES[:2], strict=True))
    np.testing.assert_array_equal(
        bias.without_images(images).on_image(SHAPES[0], BOXES[0]),
        expected.on_image(SHAPES[0], BOXES[0]),
    )


def test_images_are_left_out_of_a_kde_by_name():
    found = kde().without_images([ImageGaze("a", ()), ImageGaze("c", ())])
    expected = kde().without("a").without("c")
    np.testing.assert_array_equal(found.on_image(SHAPE), expected.on_image(SHAPE))
    with pytest.raises(ValueError, match="`image`"):
        kde().without_images([ImageGaze("z", ())])


@pytest.mark.parametrize("shapes", ["one", "several"])
def test_evaluate_uses_the_mean_bias_on_the_image(shapes):
    cases = make_cases(5)
    if shapes == "several":
        cases[0] = replace(cases[0], shape=(cases[0].shape[0] + 3, cases[0].shape[1] + 5))
        cases[0] = replace(cases[0], maps={"noise": np.ones(cases[0].shape)})
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear", center_bias_rows="both")
    case = cases[0]
    shown = evaluation.maps_of(case.image)
    bias = evaluation.center_bias
    left_out = bias.without_images([ImageGaze(case.image, gaze_maps(case))])
    np.testing.assert_array_equal(shown["center_bias"], left_out.on_image(case.shape))
    np.testing.assert_array_equal(shown["center_bias_in_sample"], bias.on_image(case.shape))


def test_evaluate_uses_the_registered_bias_on_the_image():
    cases = [replace(case, box=(2, 3, 28 + k % 2, 20)) for k, case in enumerate(make_cases(5))]
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, center_bias_rows="both")
    case, bias = cases[1], evaluation.center_bias
    shown = evaluation.maps_of(case.image)
    left_out = bias.without_images([ImageGaze(case.image, gaze_maps(case), case.box)])
    np.testing.assert_array_equal(shown["center_bias"], left_out.on_image(case.shape, case.box))
    np.testing.assert_array_equal(
        shown["center_bias_in_sample"], bias.on_image(case.shape, case.box)
    )
