"""The center bias made by the study's own code on a small synthetic release."""

from types import SimpleNamespace

import numpy as np
import pytest

from gazesal import ReferenceFrame, RegisteredCenterBias, gaze_heatmap, ncc
from gazesal.datasets import Reflacx


def read_images(folder):
    """Images with a reading: key of the expected arrays, mean box, shape, gaze maps by id."""
    release = Reflacx(folder)
    kept = release.readings[~release.readings["discarded"]]
    images = []
    for phase, readings in kept.groupby("phase"):
        for trial, (image, rows) in enumerate(readings.groupby("image")):
            shape = (int(rows["height"].iloc[0]), int(rows["width"].iloc[0]))
            maps = {}
            for reading in rows.index:
                fixations = release.fixations(reading)
                maps[reading] = gaze_heatmap(
                    fixations[["x", "y"]],
                    shape,
                    sigma=fixations[["x_per_degree", "y_per_degree"]],
                    weights=fixations["duration"],
                    visible=fixations[["x_min_shown", "y_min_shown", "x_max_shown", "y_max_shown"]],
                    outside="keep",
                )
            name = f"cb_phase{phase}_trial{trial}"
            box = release.mean_box(image)
            images.append(SimpleNamespace(name=name, box=box, shape=shape, maps=maps))
    return images


@pytest.fixture(scope="module")
def study(shared):
    """Return the images, the results of the study's code, and the center bias in both modes."""
    folder = shared / "oracles" / "center_bias"
    images = read_images(folder / "dataset_et")
    boxes, shapes = [i.box for i in images], [i.shape for i in images]
    pairs = [(m, i.box) for i in images for m in i.maps.values()]
    with np.load(folder / "expected.npz") as file:
        expected = dict(file)
    bias = {}
    for rounding in ("study", "none"):
        frame = ReferenceFrame.from_boxes(boxes, shapes, rounding=rounding)
        bias[rounding] = RegisteredCenterBias(frame, pairs)
    return SimpleNamespace(images=images, expected=expected, bias=bias)


def of_peak(got, expected):
    """Largest difference as a share of the peak."""
    return np.nanmax(np.abs(got - expected)) / np.nanmax(expected)


def test_readings_and_frame_equal_those_of_the_study(study):
    frame = study.bias["study"].frame
    assert sum(len(image.maps) for image in study.images) == study.bias["study"].n_maps == 36
    x_min, y_min, x_max, y_max = study.expected["averages_boxes"]
    assert frame.box_size == pytest.approx((x_max - x_min, y_max - y_min), rel=1e-14)
    assert frame.box_corner == pytest.approx(study.expected["max_margins"][:2], rel=1e-14)
    assert frame.shape == tuple(study.expected["final_shape_yx"])


def test_gaze_maps_of_readings_equal_the_study_code(study):
    seen = 0
    for image in study.images:
        for reading, gaze_map in image.maps.items():
            if f"et_{reading}" in study.expected:
                assert of_peak(gaze_map, study.expected[f"et_{reading}"]) < 1e-6
                seen += 1
    assert seen == 3


def test_average_on_the_canvas_equals_the_study_code(study):
    average, expected = study.bias["study"].average(), study.expected["average_heatmap"]
    np.testing.assert_array_equal(np.isnan(average), np.isnan(expected))
    np.testing.assert_array_equal(
        study.bias["study"].coverage(), study.expected["total_counts_views"]
    )
    assert of_peak(average, expected) < 1e-6


def test_every_warped_map_equals_the_study_code(study):
    names = [image.name for image in study.images]
    assert sorted(names) == sorted(key for key in study.expected if key.startswith("cb_"))
    for image in study.images:
        warped = study.bias["study"].on_image(image.shape, image.box)
        assert of_peak(warped, study.expected[image.name]) < 1e-6, image.name


def test_sub_pixel_registration_is_close_to_the_study(study):
    """Whole-pixel rounding on images of about 175 pixels has the effect stated in the docs."""
    differences, correlations = [], []
    for image in study.images:
        warped = study.bias["none"].on_image(image.shape, image.box)
        differences.append(of_peak(warped, study.expected[image.name]))
        correlations.append(ncc(warped, study.expected[image.name]))
    assert 0.01 < min(differences) < max(differences) < 0.06
    assert min(correlations) > 0.999


def test_the_study_is_undefined_where_the_default_is_not(study):
    """Leave out the only image at some pixels, which are NaN inside another map in the study."""
    image = study.images[0]
    pairs = [(gaze_map, image.box) for gaze_map in image.maps.values()]
    left_out = study.bias["none"].without(pairs).on_image(image.shape, image.box)
    assert np.isfinite(left_out).all()
    assert left_out.sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="`box`"):
        study.bias["study"].without(pairs).on_image(image.shape, image.box)
