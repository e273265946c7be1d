"""Regions of many images from folders of masks and from files of COCO."""

import json

import numpy as np
import pytest
from PIL import Image

import gazesal
from gazesal.regions import Box, Polygon, RunLengths, read_regions

TRIANGLE = [5, 5, 9, 5, 5, 9]
# A mask of 60 x 80 pixels as pycocotools 2.0 encodes it.
COUNTS = "jU1n0n0000000000000000000TOSOi0m03000000000000000000000000000000000000Wc00i\\O000So0"


def mask_of_counts():
    mask = np.zeros((60, 80), np.bool_)
    mask[10:40, 20:50] = mask[25:55, 60:63] = True
    mask[12, 30] = False
    return mask


def coco(**changes):
    """A file of two images, of which the first has regions of two categories."""
    whole = {
        "images": [
            {"id": 7, "file_name": "scans/a.png", "height": 60, "width": 80},
            {"id": 8, "file_name": "b.jpg", "height": 6, "width": 8},
        ],
        "categories": [{"id": 1, "name": "nodule"}, {"id": 3, "name": "mass"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 2, 3]},
            {
                "image_id": 7,
                "category_id": 3,
                "bbox": [1, 1, 1, 1],
                "segmentation": [[5, 5, 9, 5, 5, 9]],
            },
            {"image_id": 7, "category_id": 3, "segmentation": {"size": [60, 80], "counts": COUNTS}},
            {"image_id": 7, "category_id": 1, "bbox": [3, 4, 0, 5], "segmentation": []},
        ],
    }
    return whole | changes


def write(path, whole):
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def test_masks_are_found_by_label_and_image(tmp_path):
    mask = np.zeros((6, 8), np.uint8)
    mask[1:3, 2:5] = 255
    for label in ("nodule", "mass"):
        (tmp_path / label).mkdir()
    Image.fromarray(mask).save(tmp_path / "nodule" / "a.png")
    Image.fromarray(mask).save(tmp_path / "nodule" / "b.png")
    np.save(tmp_path / "mass" / "b.npy", mask.T == 255)
    found = read_regions(tmp_path)
    assert {image: sorted(found[image]) for image in found} == {
        "a": ["nodule"],
        "b": ["mass", "nodule"],
    }
    assert repr(found) == "RegionsOfImages(2 images: mass, nodule)"
    cases = [gazesal.Case(image=name, shape=(6, 8), gaze={}, maps={}) for name in "abc"]
    cases = gazesal.add_regions(cases, found)
    assert np.array_equal(cases[0].load_region("nodule"), mask > 0)
    assert cases[2].regions == {}
    with pytest.raises(ValueError, match=r"region mass of image b.*transposed"):
        cases[1].load_region("mass")


def test_masks_of_one_folder_are_the_label_region(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(4))
    assert list(read_regions(tmp_path)["a"]) == ["region"]


def test_file_of_coco_gives_shapes_in_pixel_centers(tmp_path):
    with pytest.warns(gazesal.SkippedDataWarning, match="1 annotations without area"):
        found = read_regions(write(tmp_path / "regions.json", coco()))
    assert dict(found["b"]) == {}
    assert found.sizes == {"a": (60, 80), "b": (6, 8)}
    assert found["a"]["nodule"] == (Box(-0.5, -0.5, 1.5, 2.5),)
    triangle, runs = found["a"]["mass"]
    assert triangle == Polygon([(4.5, 4.5), (8.5, 4.5), (4.5, 8.5)])
    assert np.array_equal(runs.mask((60, 80)), mask_of_counts())
    case = gazesal.Case(image="a", shape=(60, 80), gaze={}, maps={})
    (case,) = gazesal.add_regions([case], found)
    assert case.load_region("nodule").sum() == 6
    assert np.array_equal(case.load_region("mass"), mask_of_counts() | triangle.mask((60, 80)))


def test_uncompressed_run_lengths_are_read(tmp_path):
    counts = {"size": [6, 8], "counts": [6, 12, 30]}
    annotation = {"image_id": 8, "category_id": 1, "segmentation": counts, "iscrowd": 1}
    found = read_regions(write(tmp_path / "regions.json", coco(annotations=[annotation])))
    assert found["b"]["nodule"] == (RunLengths([6, 12, 30], (6, 8)),)
    assert found["b"]["nodule"][0].mask((6, 8))[:, 1:3].all()


def annotated(**annotation):
    return coco(annotations=[{"image_id": 7, "category_id": 1, **annotation}])


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ([1], "format of COCO"),
        ({"images": []}, "format of COCO"),
        (coco(images=[{"id": 7, "file_name": "a"}]), "height"),
        (coco(images=[{"id": 7, "file_name": "a", "height": 10**9, "width": 10**9}]), "pixels"),
        (coco(categories=[{"id": 1, "name": "x"}, {"id": 2, "name": "x"}]), "differ"),
        (annotated(image_id=70, bbox=[1, 1, 2, 2]), r"annotations\[0\].*70"),
        (annotated(bbox=[1, 1, -2, 2]), r"annotations\[0\].*bbox"),
        (annotated(segmentation=[[1, 2, 3, 4]]), "three corners"),
        (annotated(segmentation=[[1, 2, 3]]), r"annotations\[0\]"),
        (annotated(segmentation={"size": [6, 8], "counts": COUNTS}), "height and width"),
        (annotated(segmentation={"size": [60, 80], "counts": COUNTS[:-1]}), "counts"),
        (annotated(segmentation={"size": [60, 80], "counts": COUNTS + "~"}), "counts"),
        (annotated(segmentation={"size": [60, 80], "counts": [5, 10**40]}), "counts"),
    ],
)
def test_malformed_file_is_refused(tmp_path, whole, words):
    path = write(tmp_path / "regions.json", whole)
    with pytest.raises(ValueError, match=words) as error:
        read_regions(path)
    assert str(path) in str(error.value)


def test_names_and_sizes_must_fit_the_cases(tmp_path):
    path = write(tmp_path / "regions.json", annotated(bbox=[1, 1, 2, 2]))
    found = read_regions(path)
    other = gazesal.Case(image="A", shape=(60, 80), gaze={}, maps={})
    with pytest.raises(ValueError, match="only in case"):
        gazesal.add_regions([other], found)
    small = gazesal.Case(image="a", shape=(30, 40), gaze={}, maps={})
    with pytest.raises(ValueError, match="80 x 60"):
        gazesal.add_regions([small], found)
    with pytest.raises(ValueError, match="`pattern`"):
        read_regions(path, pattern="{image}")
    with pytest.raises(FileNotFoundError):
        read_regions(tmp_path / "missing")
