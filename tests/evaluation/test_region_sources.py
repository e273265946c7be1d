"""Regions of a case from shapes, arrays, files and functions."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import gazesal
from gazesal.evaluation.case_checks import as_cases
from gazesal.evaluation.storage.fingerprints import gaze_fingerprint, image_fingerprint
from gazesal.evaluation.storage.saved_cases import Places, case_from_json, case_to_json
from gazesal.regions import Box, Ellipse, Polygon

SHAPE = (8, 10)
BOX, DISC = Box(1, 1, 4, 4), Ellipse(6, 5, 2.5, 1.5)


def make_case(regions):
    points = np.array([[2.0, 2.0]])
    gaze = {"ann": gazesal.Gaze(points=points), "bob": gazesal.Gaze(points=points)}
    return gazesal.Case(image="a", shape=SHAPE, gaze=gaze, maps={}, regions=regions)


def test_every_kind_of_source_gives_the_same_mask(tmp_path):
    mask = BOX.mask(SHAPE) | DISC.mask(SHAPE)
    Image.fromarray(np.uint8(mask * 255)).save(tmp_path / "mask.png")
    np.save(tmp_path / "mask.npy", mask.astype(np.uint8))
    sources = {
        "shapes": [BOX, DISC],
        "bool": mask,
        "numbers": mask.astype(float),
        "nested": mask.tolist(),
        "picture": tmp_path / "mask.png",
        "array file": tmp_path / "mask.npy",
        "function of shapes": lambda: [BOX, DISC],
        "function of a mask": lambda: mask,
    }
    case = make_case(sources)
    for label in sources:
        found = case.load_region(label)
        assert found.dtype == bool
        assert np.array_equal(found, mask), label


def test_empty_mask_is_an_empty_region(tmp_path):
    np.save(tmp_path / "mask.npy", np.zeros(SHAPE))
    assert not make_case({"none": tmp_path / "mask.npy"}).load_region("none").any()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones(SHAPE[::-1]), "transposed"),
        (np.full(SHAPE, 255), "got the values 255"),
        (np.arange(80.0).reshape(SHAPE), "0, 1, 2, 3"),
        (np.full(SHAPE, np.nan), "finite"),
    ],
)
def test_array_that_is_no_mask_is_refused(values, words):
    with pytest.raises(ValueError, match=f"region lesion of image a.*{words}"):
        make_case({"lesion": values}).load_region("lesion")


def test_file_of_several_labels_is_refused(tmp_path):
    np.save(tmp_path / "labels.npy", (np.arange(80) % 3).reshape(SHAPE))
    with pytest.raises(ValueError, match="Write one mask for each label"):
        make_case({"lesion": tmp_path / "labels.npy"}).load_region("lesion")


@pytest.mark.parametrize("regions", [{"union": BOX}, {"": BOX}, {3: BOX}, {"lesion": []}])
def test_invalid_labels_and_empty_lists_are_refused(regions):
    with pytest.raises(ValueError, match="`regions` of image 'a'"):
        as_cases([make_case(regions)])


def test_text_instead_of_a_path_is_refused():
    with pytest.raises(TypeError, match=r"pathlib\.Path"):
        as_cases([make_case({"lesion": "mask.png"})])


def test_fingerprint_changes_with_the_regions():
    regions = [{}, {"a": BOX}, {"b": BOX}, {"a": [BOX, DISC]}, {"a": BOX.mask(SHAPE)}]
    cases = [make_case(each) for each in regions]
    assert len({gaze_fingerprint(case) for case in cases}) == 1
    assert len({image_fingerprint(case, "") for case in cases}) == len(cases)


def test_saved_case_keeps_shapes_and_files(tmp_path):
    np.save(tmp_path / "mask.npy", np.zeros(SHAPE))
    polygon = Polygon([(0.5, 1), (7, 2.25), (3, 6)])
    case = make_case({"a": [BOX, polygon], "b": DISC, "c": tmp_path / "mask.npy", "d": np.eye(8)})
    places = Places(tmp_path)
    found = case_from_json(case_to_json(case, places), dict(case.gaze), places)
    assert found.regions["a"] == (BOX, polygon)
    assert found.regions["b"] == (DISC,)
    assert found.regions["c"] == tmp_path / "mask.npy"
    with pytest.raises(ValueError, match="region d of image a"):
        found.load_region("d")
    assert replace(case, regions={}).regions == {}
