"""Maps with height and width exchanged."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import gazesal
from gazesal.evaluation.map_checks import looks_transposed, report_lossy
from tests.evaluation.test_gaze_checks import SHAPE, SIGMA, drawn, make_cases


def with_maps(make, cases=None):
    """Return cases with a further map beside the valid one."""
    return [
        replace(case, maps={**case.maps, "turned": make(case)}) for case in cases or make_cases()
    ]


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ((32, 24), (24, 32), True),
        ((8, 6), (24, 32), True),
        ((25, 19), (600, 800), True),
        ((18, 25), (800, 600), True),
        ((24, 32), (24, 32), False),
        ((6, 8), (24, 32), False),
        ((7, 7), (24, 32), False),
        ((7, 8), (64, 48), False),
        ((14, 14), (500, 512), False),
        ((30, 30), (30, 30), False),
        ((1, 1), (24, 32), False),
    ],
)
def test_exchanged_proportions_are_recognized(found, wanted, expected):
    assert looks_transposed(found, wanted) is expected


@pytest.mark.parametrize("bad_images", ["raise", "list"])
def test_transposed_maps_of_a_method_raise(bad_images):
    cases = with_maps(lambda case: case.maps["noise"].T)
    with pytest.raises(ValueError, match="all 4 maps of 'turned' look transposed"):
        gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear", bad_images=bad_images)


@pytest.mark.parametrize("late", [False, True])
def test_maps_of_transposed_proportions_warn(late):
    """A network with one input size makes such maps if all images are portraits."""
    cases = make_cases(scale=(23.0, 31.0), shape=SHAPE[::-1])
    fixed = np.random.default_rng(4).random((6, 8))
    cases = with_maps(lambda _: (lambda: fixed) if late else fixed, cases)
    with pytest.warns(gazesal.InputWarning, match="all 4 maps of 'turned' look transposed") as told:
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear")
    assert len(told) == 1
    assert evaluation.scores["score"].notna().all()


def test_transposed_maps_in_files_raise(tmp_path):
    for case in make_cases():
        np.save(tmp_path / f"{case.image}.npy", case.maps["noise"].T)
    cases = with_maps(lambda case: tmp_path / f"{case.image}.npy")
    with pytest.raises(ValueError, match="all 4 maps of 'turned' look transposed"):
        gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear")


def test_transposed_maps_of_functions_warn():
    cases = with_maps(lambda case: lambda: case.maps["noise"].T)
    with pytest.warns(gazesal.InputWarning, match="all 4 maps of 'turned' look transposed"):
        gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear")


@pytest.mark.parametrize("late", [False, True])
def test_network_with_one_input_size_does_not_warn(late):
    """It resizes images of either orientation to one shape."""
    cases = make_cases(2) + [
        replace(case, image=f"turned {case.image}")
        for case in make_cases(2, scale=(23.0, 31.0), shape=SHAPE[::-1])
    ]
    fixed = np.random.default_rng(4).random((6, 8))
    cases = with_maps(lambda _: (lambda: fixed) if late else fixed, cases)
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, resize="bilinear")
    assert evaluation.bad_images.empty


def test_error_of_a_transposed_map_does_not_advise_to_resize():
    cases = with_maps(lambda case: case.maps["noise"].T)
    with pytest.raises(ValueError, match=r"32 x 24 pixels, got 24 x 32, .* transposed") as found:
        gazesal.evaluate(cases, sigma=SIGMA)
    assert "resize" not in str(found.value)


def test_transposed_gaze_maps_and_center_biases_raise():
    cases = make_cases()
    gaze = [
        replace(case, gaze={name: own.T for name, own in drawn(case).gaze.items()})
        for case in cases
    ]
    with pytest.raises(ValueError, match="all 8 gaze maps look transposed"):
        gazesal.evaluate(gaze, resize="bilinear")
    own = [replace(case, center_bias=np.ones(SHAPE[::-1])) for case in cases]
    with pytest.raises(ValueError, match="all 4 center biases look transposed"):
        gazesal.evaluate(own, sigma=SIGMA, resize="bilinear")


def test_square_images_do_not_hide_transposed_maps():
    """A map of a square image looks the same."""
    square = make_cases(1, scale=(27.0, 27.0), shape=(28, 28))
    cases = [replace(case, image=f"0 {case.image}") for case in square] + make_cases()
    for make in (lambda case: case.maps["noise"].T, lambda case: lambda: case.maps["noise"].T):
        late = callable(make(cases[0]))
        found = pytest.warns(gazesal.InputWarning, match="4 maps of 'turned' look transposed")
        if not late:
            found = pytest.raises(ValueError, match="all 4 maps of 'turned' look transposed")
        with found:
            gazesal.evaluate(with_maps(make, cases), sigma=SIGMA, resize="bilinear")


def test_lossy_files_warn_once(tmp_path):
    cases = make_cases()
    for case in cases:
        gray = (case.maps["noise"] * 255).astype(np.uint8)
        Image.fromarray(gray).save(tmp_path / f"{case.image}.jpg")
    cases = with_maps(lambda case: tmp_path / f"{case.image}.jpg", cases)
    with pytest.warns(gazesal.InputWarning) as told:
        gazesal.evaluate(cases, sigma=SIGMA)
    assert len(told) == 1
    assert "4 JPEG files" in str(told[0].message)


def test_lossy_gaze_maps_warn_and_fixation_maps_do_not(tmp_path):
    path = tmp_path / "gaze.jpg"
    path.touch()
    case = gazesal.Case(image="a", shape=(9, 9), gaze={}, maps={}, gaze_map=path)
    with pytest.warns(gazesal.InputWarning, match=r"got 1 JPEG files, such as .*gaze\.jpg"):
        report_lossy([case])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report_lossy([replace(case, gaze_map=None, gaze={"all": gazesal.FixationMap(path, 127)})])
