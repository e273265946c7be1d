"""Saliency maps in results of SALICON."""

import base64
import io
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from gazesal.datasets import open_salicon_results


def encoded(values):
    picture = io.BytesIO()
    Image.fromarray(values).save(picture, "png")
    return base64.b64encode(picture.getvalue()).decode()


@pytest.fixture
def write(tmp_path):
    def to_file(*results, name="results.json"):
        path = tmp_path / name
        path.write_text(json.dumps([{"image_id": n, "saliency_map": text} for n, text in results]))
        return path

    return to_file


def test_values_are_read_as_stored(write):
    values = np.random.default_rng(0).integers(0, 256, (4, 6), np.uint8)
    maps = open_salicon_results(write((7, encoded(values)), (8, encoded(values[:2]))))
    assert list(maps) == ["7", "8"]
    np.testing.assert_array_equal(maps["7"](), values)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(maps["8"]))(), values[:2])  # noqa: S301 (its own bytes)


def test_names_of_the_annotations(write, tmp_path):
    path = write((7, encoded(np.eye(2, dtype=np.uint8))))
    annotations = tmp_path / "annotations.json"
    annotations.write_text(json.dumps({"images": [{"id": 7, "file_name": "COCO_7.jpg"}]}))
    assert list(open_salicon_results(path, annotations=annotations)) == ["COCO_7"]
    annotations.write_text(json.dumps({"images": [{"id": 9, "file_name": "COCO_9.jpg"}]}))
    with pytest.raises(ValueError, match="image 7 must be in `annotations`"):
        open_salicon_results(path, annotations=annotations)


def test_invalid_results_are_refused(write, tmp_path):
    gray = encoded(np.eye(2, dtype=np.uint8))
    for results in ([(7, gray), (7, gray)], [(7, 5)], []):
        with pytest.raises(ValueError, match=r"results\.json"):
            open_salicon_results(write(*results))
    with pytest.raises(FileNotFoundError):
        open_salicon_results(tmp_path / "gone.json")
    maps = open_salicon_results(write((7, "no base64"), (8, base64.b64encode(b"no PNG").decode())))
    for read in maps.values():
        with pytest.raises(ValueError, match=r"results\.json"):
            read()


def test_sample_gives_its_truth(shared):
    folder = shared / "formats" / "04_salicon"
    truths = sorted(folder.glob("truth_result_map_*.npz"))
    (path,) = folder.glob("*results.json")
    maps = open_salicon_results(path)
    assert len(maps) == len(truths)
    for truth in truths:
        with np.load(truth) as stored:
            (expected,) = stored.values()
        np.testing.assert_array_equal(maps[truth.stem.rpartition("_")[2]](), expected)
