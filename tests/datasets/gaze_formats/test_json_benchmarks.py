"""Read small JSON files in the layouts of SALICON, COCO-Search18, GazeSearch and VQA-HAT."""

import json

import numpy as np
import pytest
from PIL import Image

from gazesal import SkippedDataWarning, read_map
from gazesal.datasets.gaze_formats.registry import read_format


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
    return path


def rows(table, *columns):
    return table[["image", "observer", "x", "y", *columns]].to_numpy().tolist()


def trial(name="000000000001.jpg", subject=1, **changed):
    """Return a trial of COCO-Search18."""
    found = {"name": name, "subject": subject, "task": "bottle", "condition": "present"}
    found |= {"X": [839.5, 140.0], "Y": [524.5, 0.0], "T": [190, 200], "length": 2}
    return found | {"split": "train"} | changed


def test_salicon_json_has_rows_before_columns(tmp_path):
    image = {"id": 7, "file_name": "COCO_train2014_000000000007.jpg", "height": 480, "width": 640}
    workers = [
        {"image_id": 7, "worker_id": 10, "fixations": [[1, 640], [480, 1]], "id": 1},
        {"image_id": 7, "worker_id": 3, "fixations": [], "id": 2},
    ]
    path = write(tmp_path / "a.json", {"images": [image], "annotations": workers})
    table = read_format("salicon-json", path, {})
    name = "COCO_train2014_000000000007"
    assert rows(table, "duration") == [[name, "10", 639, 0, 1], [name, "10", 0, 479, 1]]
    assert table.attrs["size"] == (480, 640)
    assert table.attrs["durations"] is False


def test_salicon_json_folder_reads_its_annotations(tmp_path):
    for number in (7, 8):
        image = {"id": number, "file_name": f"{number}.jpg", "height": 480, "width": 640}
        worker = {"image_id": number, "worker_id": 1, "fixations": [[2, 1]]}
        write(tmp_path / f"{number}.json", {"images": [image], "annotations": [worker]})
    write(tmp_path / "results.json", [{"image_id": 7, "saliency_map": "iVBORw0"}])
    table = read_format("salicon-json", tmp_path, {})
    assert rows(table) == [["7", "1", 0, 1], ["8", "1", 0, 1]]


def annotations(*fixations, image_id=7):
    image = {"id": 7, "file_name": "a.jpg", "height": 480, "width": 640}
    gaze = {"image_id": image_id, "worker_id": 1, "fixations": list(fixations)}
    return {"images": [image], "annotations": [gaze]}


def test_salicon_json_with_columns_before_rows_is_refused(tmp_path):
    path = write(tmp_path / "a.json", annotations([640, 480], [3, 9], [500, 2]))
    with pytest.raises(ValueError, match=r"\[row, column\].* 2 of 3 beside images of 640 x 480"):
        read_format("salicon-json", path, {})
    path = write(tmp_path / "a.json", annotations([480, 640], [3, 9], [500, 700]))
    assert len(read_format("salicon-json", path, {})) == 3


def test_salicon_json_of_an_unknown_image_is_refused(tmp_path):
    path = write(tmp_path / "a.json", annotations([3, 4], image_id=8))
    with pytest.raises(ValueError, match=r"'images', got image_id 8"):
        read_format("salicon-json", path, {})


def test_results_of_salicon_are_maps(tmp_path):
    path = write(tmp_path / "results.json", [{"image_id": 7, "saliency_map": "iVBORw0"}])
    with pytest.raises(ValueError, match="saliency maps, not fixations"):
        read_format("salicon-json", path, {})


def test_coco_search18_stays_in_the_frame_without_sizes(tmp_path):
    write(tmp_path / "tp.json", [trial()])
    absent = trial(condition="absent")
    write(tmp_path / "more" / "ta.json", [absent, trial(task="fork"), trial(subject=2)])
    write(tmp_path / "meta.json", {"unit": "pixels"})
    write(tmp_path / "other.json", [{"name": "no trial"}])
    table = read_format("coco-search18", tmp_path, {})
    assert len(table) == 8
    assert table["condition"].value_counts().to_dict() == {"present": 6, "absent": 2}
    assert table.attrs["size"] == (1050, 1680)
    assert rows(table, "duration")[1] == ["000000000001", "1", 140.0, 0.0, 200.0]


def test_coco_search18_is_converted_to_the_picture(tmp_path):
    path = write(tmp_path / "tp.json", [trial(), trial("tall.png")])
    sizes = {"000000000001": (480, 640), "tall": (1050, 420)}
    table = read_format("coco-search18", path, {"sizes": sizes})
    # 480 x 640 is scaled by 2.1875 to 1400 x 1050, between bars of 140; the other is not scaled
    left = (140 + 0.5 - 140) / 2.1875 - 0.5
    assert rows(table)[:2] == [
        ["000000000001", "1", 319.5, 239.5],
        ["000000000001", "1", pytest.approx(left), pytest.approx(0.5 / 2.1875 - 0.5)],
    ]
    np.testing.assert_allclose(table[["x", "y"]][2:], [[209.5, 524.5], [-490.0, 0.0]])
    first = read_format("coco-search18", path, {"sizes": sizes, "first": "drop"})
    assert first["order"].tolist() == [2, 2]


def test_sizes_must_have_every_image(tmp_path):
    path = write(tmp_path / "tp.json", [trial(), trial("other.jpg")])
    with pytest.raises(ValueError, match=r"`sizes` .* 1 of 2, such as 'other'"):
        read_format("coco-search18", path, {"sizes": {"000000000001": (480, 640)}})
    with pytest.raises(TypeError, match="`sizes`"):
        read_format("coco-search18", path, {"sizes": 5})


def test_trial_in_two_files_counts_once(tmp_path):
    for split in ("split1", "trainval"):
        write(tmp_path / f"{split}.json", [trial(split=split)])
    with pytest.warns(SkippedDataWarning, match="omitted 1 trials"):
        table = read_format("coco-search18", tmp_path, {})
    assert len(table) == 2


def test_gazesearch_seconds_and_squeezed_frame(tmp_path):
    found = trial("a-b.jpg", X=[0, 223], Y=[0, 111], T=[0.677, 0.44100000000000117])
    path = write(tmp_path / "g.json", [found])
    table = read_format("gazesearch", path, {})
    np.testing.assert_allclose(table["duration"], [677, 441], rtol=0, atol=1e-9)
    assert table.attrs["size"] == (224, 224)
    full = read_format("gazesearch", path, {"sizes": {"a-b": (2240, 448)}})
    np.testing.assert_allclose(full[["x", "y"]], [[0.5, 4.5], [446.5, 1114.5]])


def test_gazesearch_and_coco_search18_are_not_confused(tmp_path):
    path = write(tmp_path / "a.json", [trial(T=[0.19, 0.2], X=[3, 4], Y=[5, 6])])
    with pytest.raises(ValueError, match=r"must be in ms.*gazesearch"):
        read_format("coco-search18", path, {})
    for changed in ({"T": [190, 200], "X": [3, 4], "Y": [5, 6]}, {"T": [0.1, 0.2]}):
        path = write(tmp_path / "b.json", [trial(**changed)])
        with pytest.raises(ValueError, match=r"in seconds.*coco-search18"):
            read_format("gazesearch", path, {})


@pytest.mark.parametrize("content", [{"a": 1}, [], [{"name": "a"}], "text"])
def test_json_without_trials_is_refused(tmp_path, content):
    path = write(tmp_path / "a.json", content)
    with pytest.raises(ValueError, match="must have a list of trials"):
        read_format("coco-search18", path, {})


def test_damaged_trial_names_the_file(tmp_path):
    path = write(tmp_path / "a.json", [trial(), trial(subject=2, X=[1.0])])
    with pytest.raises(ValueError, match=r"a\.json: .* observer 2 on image 0+1\.jpg .* \[1, 2\]"):
        read_format("coco-search18", path, {})


@pytest.fixture
def vqa_hat(tmp_path):
    """Write three maps of two questions."""
    folder = tmp_path / "vqahat_val"
    folder.mkdir()
    for value, name in enumerate(("12_1", "12_2", "15_1"), 1):
        Image.fromarray(np.full((2, 3), value, np.uint8)).save(folder / f"{name}.png")
    listed = [{"question_id": 12, "image_id": 7}, {"question_id": 15, "image_id": 8}]
    write(tmp_path / "OpenEnded_questions.json", {"questions": listed})
    return folder


def test_vqa_hat_gives_maps_by_image_and_person(vqa_hat):
    for options in ({}, {"questions": vqa_hat.parent / "OpenEnded_questions.json"}):
        table = read_format("vqa-hat", vqa_hat, options)
        assert table[["image", "observer", "question"]].to_numpy().tolist() == [
            ["7", "1", "12"],
            ["7", "2", "12"],
            ["8", "1", "15"],
        ]
        assert [read_map(path).max() for path in table["map"]] == [1, 2, 3]


def test_vqa_hat_needs_the_questions(vqa_hat):
    path = vqa_hat.parent / "OpenEnded_questions.json"
    write(path, {"questions": [{"question_id": 12, "image_id": 7}]})
    with pytest.raises(ValueError, match=r"`questions`, .* 1 without a question, such as 15"):
        read_format("vqa-hat", vqa_hat, {})
    path.unlink()
    with pytest.raises(ValueError, match="`questions` must"):
        read_format("vqa-hat", vqa_hat, {})
