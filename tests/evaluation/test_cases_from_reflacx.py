"""Cases and scores from the files of a REFLACX release."""

import numpy as np
import pytest

import gazesal
from gazesal.cxr import find_lung_hulls


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a small synthetic release, which tests must not change."""
    folder = tmp_path_factory.mktemp("release")
    return gazesal.datasets.write_synthetic_reflacx(
        folder, n_images=6, n_readers=3, n_unread=0, side=120
    )


@pytest.fixture(scope="module")
def release(root):
    """Return phases 1 and 2 of the release."""
    return gazesal.datasets.Reflacx(root)


def test_case_holds_the_content_of_the_files(release):
    cases = {c.image: c for c in gazesal.cases_from_reflacx(release, n_readers=3, degrees=0.5)}
    kept = release.readings[~release.readings["discarded"]]
    assert set(cases) == set(kept["dicom_id"])
    assert list(cases) == sorted(cases)
    for dicom_id, rows in kept.groupby("dicom_id"):
        case = cases[dicom_id]
        assert case.shape == (rows["height"].iloc[0], rows["width"].iloc[0])
        assert list(case.gaze) == sorted(rows.index)
        assert case.scored == (len(rows) >= 3)
        np.testing.assert_array_equal(case.box, release.mean_box(rows["image"].iloc[0]))
        for reading, gaze in case.gaze.items():
            table = release.fixations(reading)
            np.testing.assert_array_equal(gaze.points, table[["x", "y"]])
            np.testing.assert_array_equal(gaze.durations, table["duration"])
            np.testing.assert_array_equal(gaze.sigma, 0.5 * table[["x_per_degree", "y_per_degree"]])
            shown = ["x_min_shown", "y_min_shown", "x_max_shown", "y_max_shown"]
            np.testing.assert_array_equal(gaze.visible, table[shown])
    assert sum(not case.scored for case in cases.values()) == 1  # a reading was discarded


def test_the_ceiling_is_above_the_floors(root, release):
    maps = {"segmentation": find_lung_hulls(root / "lung_masks")}
    cases = gazesal.cases_from_reflacx(release, maps, n_readers=3)
    evaluation = gazesal.evaluate(cases, outside="keep", center_bias_rows="both")
    assert evaluation.methods == [
        "interobserver",
        "segmentation",
        "center_bias",
        "center_bias_in_sample",
    ]
    assert evaluation.center_bias.n_maps == 17
    estimates = evaluation.summary(interval="normal").set_index(["metric", "method"])["estimate"]
    for metric in ("sauc", "sncc"):
        score = estimates[metric]
        assert score["interobserver"] > score["segmentation"]
        assert score["interobserver"] > score["center_bias_in_sample"] > score["center_bias"]
    hull = evaluation.maps_of(cases[0].image)["segmentation"]
    assert set(np.unique(hull)) == {0.0, 1.0}


def test_maps_are_named_by_dicom_id(release):
    names = [case.image for case in gazesal.cases_from_reflacx(release, n_readers=3)]
    some = {"mine": {name: np.eye(4) for name in names[:3]}}
    with pytest.raises(ValueError, match="method 'mine' has no map of image"):
        gazesal.cases_from_reflacx(release, some, n_readers=3)
    cases = gazesal.cases_from_reflacx(release, some, n_readers=3, unmapped="gaze_only")
    assert [case.image for case in cases] == names
    assert {case.image for case in cases if case.scored} <= set(names[:3])


def test_all_images_are_scored_with_one_reader(root):
    release = gazesal.datasets.Reflacx(root, phases=(1, 2, 3))
    maps = gazesal.find_maps(root / "maps")
    cases = gazesal.cases_from_reflacx(release, maps, n_readers=1)
    kept = release.readings[~release.readings["discarded"]]
    counts = kept.groupby("dicom_id").size()
    assert {case.image: len(case.gaze) for case in cases} == counts.to_dict()
    assert all(case.scored for case in cases)
    with pytest.raises(ValueError, match='ground_truth="all"'):
        gazesal.evaluate(cases, outside="keep", resize="bilinear")
    evaluation = gazesal.evaluate(
        cases, outside="keep", resize="bilinear", ground_truth="all", metrics=["ncc", "sauc"]
    )
    scores = evaluation.scores.groupby("method")["image"].nunique()
    assert scores["attention"] == scores["center_bias"] == len(counts)
    assert scores["interobserver"] == (counts > 1).sum() < len(counts)
    (found,) = evaluation.compare("attention", "interobserver", "sauc")
    assert found.n_unpaired == (counts == 1).sum() > 0


def test_image_whose_only_reading_is_discarded_has_no_case(root):
    release = gazesal.datasets.Reflacx(root, phases=(3,))
    first = release.readings.index[0]
    release.readings.loc[first, "discarded"] = True
    cases = gazesal.cases_from_reflacx(release, n_readers=1)
    assert release.readings.loc[first, "dicom_id"] not in {case.image for case in cases}
    assert len(cases) == len(release.readings) - 1
    evaluation = gazesal.evaluate(
        cases, outside="keep", ground_truth="all", center_bias_rows="both", metrics=["ncc"]
    )
    assert evaluation.methods == ["center_bias", "center_bias_in_sample"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_readers": 4}, "`n_readers` must be at most 3, the largest"),
        ({"n_readers": 0}, "`n_readers` must be at least 1, got 0"),
        ({"degrees": 0}, "`degrees` must be a positive number, got 0"),
        ({"degrees": [1, 2]}, "`degrees` must be a positive number"),
        ({"unmapped": "maybe"}, "`unmapped` must be one of"),
        ({"maps": {"center_bias": {}}}, "`maps` must not name a method like a baseline"),
    ],
)
def test_invalid_options_raise(release, options, message):
    with pytest.raises(ValueError, match=message):
        gazesal.cases_from_reflacx(release, **{"n_readers": 3} | options)


def test_one_dicom_id_for_two_images_raises(release):
    other = gazesal.datasets.Reflacx.__new__(gazesal.datasets.Reflacx)
    other.__dict__.update(release.__dict__)
    other.readings = release.readings.copy()
    other.readings["dicom_id"] = other.readings["dicom_id"].iloc[0]
    with pytest.raises(ValueError, match=r"name one dicom_id .*, got 6 images"):
        gazesal.cases_from_reflacx(other, n_readers=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("folder",), "`release` must be a Reflacx, got str"),
        ((None, {}), "`release` must be a Reflacx, got NoneType"),
    ],
)
def test_other_objects_than_a_release_raise(arguments, message):
    with pytest.raises(TypeError, match=message):
        gazesal.cases_from_reflacx(*arguments)


@pytest.mark.parametrize("maps", ["folder", [1], {1: "x"}])
def test_other_objects_than_maps_raise(release, maps):
    with pytest.raises(TypeError, match="`maps` must be a mapping of methods to mappings"):
        gazesal.cases_from_reflacx(release, maps)
