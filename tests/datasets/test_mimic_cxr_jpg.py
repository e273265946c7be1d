"""MIMIC-CXR-JPG: tables joined as in the study, and errors about malformed tables."""

import gzip

import numpy as np
import pandas as pd
import pytest

from gazesal.datasets import MIMIC_LABELS, MimicCxrJpg

ALPHABETICAL = (
    "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,"
    "Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices"
)
A, B, C = "10000001", "10000002", "10000003"  # subjects
# dicom_id, subject, study, split, view, and in comments the result for each image
IMAGES = [
    ("a0-1", A, "50000001", "train", "PA"),  # kept
    ("a0-2", A, "50000001", "train", "LATERAL"),  # not frontal
    ("a0-3", A, "50000002", "train", "AP"),  # one of two frontals
    ("a0-4", A, "50000002", "train", "PA"),  # one of two frontals
    ("b0-1", B, "50000003", "validate", "AP"),  # kept
    ("b0-2", B, "50000004", "train", ""),  # no view
    ("b0-3", B, "50000005", "train", "PA"),  # no labels
    ("c0-1", C, "50000006", "train", "PA"),  # kept, every label blank
    ("c0-2", C, "50000007", "test", "PA"),  # kept
]
LABELS = {
    ("50000001", A): {"Atelectasis": "1.0", "Edema": "-1.0", "Support Devices": "1.0"},
    ("50000002", A): {"No Finding": "1.0"},
    ("50000003", B): {"Pneumonia": "0.0", "No Finding": "1"},
    ("50000004", B): {"Fracture": "1.0"},
    ("50000006", C): {},
    ("50000007", C): {"Pneumothorax": "1.0"},
}


def write_release(root, newline="\r\n", packed=False):
    """Write a release of nine images of three fictitious subjects."""
    metadata = ["dicom_id,subject_id,study_id,ViewPosition,Rows,Columns,StudyDate"]
    split = ["dicom_id,study_id,subject_id,split"]
    for dicom, subject, study, part, view in IMAGES:
        metadata.append(f"{dicom},{subject},{study},{view},3056,2544,21800506")
        split.append(f"{dicom},{study},{subject},{part}")
    chexpert = [f"subject_id,study_id,{ALPHABETICAL}"]
    for (study, subject), labels in LABELS.items():
        values = ",".join(labels.get(name, "") for name in ALPHABETICAL.split(","))
        chexpert.append(f"{subject},{study},{values}")
    for name, lines in (("metadata", metadata), ("split", split), ("chexpert", chexpert)):
        content = (newline.join(lines) + newline).encode()
        if packed:
            (root / f"mimic-cxr-2.0.0-{name}.csv.gz").write_bytes(gzip.compress(content))
        else:
            (root / f"mimic-cxr-2.0.0-{name}.csv").write_bytes(content)
    return root


@pytest.fixture
def root(tmp_path):
    """Return a valid release, which tests damage."""
    return write_release(tmp_path)


def spoil(root, name, old, new):
    """Replace text of a table once."""
    path = root / f"mimic-cxr-2.0.0-{name}.csv"
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_reads_all_columns(tmp_path, newline, packed):
    release = MimicCxrJpg(write_release(tmp_path, newline, packed))
    assert release.images.index.tolist() == [image[0] for image in IMAGES]
    assert release.images.loc["b0-1"].to_dict() == {
        "subject_id": B,
        "study_id": "50000003",
        "split": "validate",
        "view": "AP",
        "height": 3056,
        "width": 2544,
    }
    assert release.images.loc["b0-2", "view"] == ""
    assert set(release.images.attrs["excluded"].values()) == {0}
    assert tuple(release.labels.columns) == MIMIC_LABELS
    first = release.labels.loc[(A, "50000001")]
    assert first[first.notna()].to_dict() == {"Edema": -1, "Atelectasis": 1, "Support Devices": 1}


def test_labels_are_in_the_order_of_the_study():
    assert sorted(MIMIC_LABELS) == ALPHABETICAL.split(",")
    assert (MIMIC_LABELS[0], MIMIC_LABELS[9], MIMIC_LABELS[13]) == (
        "No Finding",
        "Pneumothorax",
        "Support Devices",
    )


def test_classification_images_follow_the_rules_of_the_study(root):
    images = MimicCxrJpg(root).classification_images(gaze_subjects=[])
    assert images["split"].to_dict() == {
        "a0-1": "train",
        "b0-1": "validate",
        "c0-1": "train",
        "c0-2": "test",
    }
    assert {reason: n for reason, n in images.attrs["excluded"].items() if n} == {
        "not frontal": 2,
        "several frontal images in the study": 2,
        "no labels of the study": 1,
    }
    assert len(images) + sum(images.attrs["excluded"].values()) == len(IMAGES)


@pytest.mark.parametrize("subject", [C, int(C), np.int64(C), f" {C}"])
def test_images_of_gaze_subjects_are_moved_to_the_test_set(root, subject):
    release = MimicCxrJpg(root)
    images = release.classification_images(gaze_subjects=[subject, "19999999"])
    assert (images.loc[images["subject_id"] == C, "split"] == "test").all()
    assert images.loc["a0-1", "split"] == "train"
    assert images.attrs["moved_to_test"] == 1  # the other image was in the test set already
    assert release.images.loc["c0-1", "split"] == "train"  # not changed


@pytest.mark.parametrize("bad", ["p10000001", "1000001", 1.5, None, True, ""])
def test_malformed_subjects_raise(root, bad):
    with pytest.raises(ValueError, match="`gaze_subjects` must be subject numbers"):
        MimicCxrJpg(root).classification_images(gaze_subjects=[bad])
    with pytest.raises(TypeError, match="`gaze_subjects` must be an iterable"):
        MimicCxrJpg(root).classification_images(gaze_subjects="10000001")


def slow_classification_images(gaze_subjects):
    """Apply the rules of the study image by image."""
    kept = {}
    for dicom, subject, study, part, view in IMAGES:
        frontals = [i for i in IMAGES if i[2] == study and i[4] in ("PA", "AP")]
        if view in ("PA", "AP") and len(frontals) == 1 and (study, subject) in LABELS:
            kept[dicom] = "test" if subject in gaze_subjects else part
    return kept


@pytest.mark.parametrize("subjects", [[], [A], [B, C], [A, B, C]])
def test_classification_images_equal_a_slow_version(root, subjects):
    images = MimicCxrJpg(root).classification_images(gaze_subjects=subjects)
    assert images["split"].to_dict() == slow_classification_images(subjects)


def test_targets_are_positive_labels_only(root):
    release = MimicCxrJpg(root)
    targets = release.targets(["c0-1", "a0-1", "b0-1"])
    assert targets.index.tolist() == ["c0-1", "a0-1", "b0-1"]
    assert targets.to_numpy().dtype == bool
    positive = {
        image: [name for name in MIMIC_LABELS if row[name]] for image, row in targets.T.items()
    }
    assert positive == {
        "c0-1": [],
        "a0-1": ["Atelectasis", "Support Devices"],  # uncertain edema is not positive
        "b0-1": ["No Finding"],
    }
    with pytest.raises(ValueError, match=r"1 of 2 images are not in .*chexpert.*'b0-3'"):
        release.targets(["a0-1", "b0-3"])
    with pytest.raises(ValueError, match=r"1 of 2 are not, such as '\.\./a0-1'"):
        release.targets(["a0-1", "../a0-1"])


def test_paths_lie_below_the_root(root):
    release = MimicCxrJpg(root)
    path = release.path("c0-1")
    assert path == root / "files" / "p10" / f"p{C}" / "s50000006" / "c0-1.jpg"
    with pytest.raises(FileNotFoundError, match=r"c0-1\.jpg: no such picture"):
        release.path("c0-1", must_exist=True)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert release.path("c0-1", must_exist=True) == path
    for unknown in ("../c0-1", "c0-9", ""):
        with pytest.raises(ValueError, match="`dicom_id` must be an image of the tables"):
            release.path(unknown)
    names = ["c0-2", "a0-1", "c0-2"]
    assert release.paths(names) == [release.path(name) for name in names]
    with pytest.raises(ValueError, match="2 of 3 are not, such as 'c0-9'"):
        release.paths(["c0-1", "c0-9", "../c0-1"])


def test_rows_without_a_partner_are_counted(root):
    spoil(root, "split", f"a0-2,50000001,{A},train\r\n", "")
    spoil(root, "split", "c0-2,", "c0-7,")
    release = MimicCxrJpg(root)
    assert release.images.attrs["excluded"] == {
        "not in the table of splits": 2,
        "not in the metadata": 1,
    }
    assert {"a0-2", "c0-2", "c0-7"}.isdisjoint(release.images.index)
    assert release.classification_images(gaze_subjects=[]).attrs["excluded"].items() >= {
        ("not in the table of splits", 2)
    }


SPOILT = {
    "dicom climbs": ("metadata", "a0-1", "../a0", r"line 2, column 'dicom_id': must be letters"),
    "dicom is absolute": ("split", "a0-1", "/etc", r"split\.csv, line 2, column 'dicom_id'"),
    "subject climbs": ("metadata", A, "..", r"line 2, column 'subject_id': must be a number of"),
    "subject as float": ("split", A, f"{A}.0", r"line 2, column 'subject_id'.*'10000001\.0'"),
    "no study": ("metadata", ",50000001,", ",,", r"line 2, column 'study_id'.*got ''"),
    "split": ("split", "validate", "valid", r"line 6, column 'split': must be one of train"),
    "rows": ("metadata", "3056", "0", r"line 2, column 'Rows': must be a positive whole"),
    "columns": ("metadata", "2544", "2544.5", r"line 2, column 'Columns': must be a positive"),
    "wide": (
        "metadata",
        "2544",
        "65536",
        r"line 2, column 'Columns': .*at most 65535, got '65536'",
    ),
    "image twice": ("metadata", "a0-2", "a0-1", r"line 3, column 'dicom_id': a0-1 is repeated"),
    "split twice": ("split", "a0-2", "a0-1", r"split\.csv, line 3, .*repeated, after line 2"),
    "other subject": (
        "split",
        f"50000001,{A}",
        f"50000001,{B}",
        r"one value, got 10000002, and 1000",
    ),
    "other study": ("split", "50000001", "50000009", r"line 2, column 'study_id': image a0-1"),
    "missing column": ("metadata", "ViewPosition", "View", r"column 'ViewPosition' is missing"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_malformed_images_raise(root, kind):
    name, old, new, message = SPOILT[kind]
    spoil(root, name, old, new)
    with pytest.raises(ValueError, match=message):
        _ = MimicCxrJpg(root).images


def test_study_with_two_subjects_raises(root):
    spoil(root, "split", f"b0-1,50000003,{B}", f"b0-1,50000001,{B}")
    spoil(root, "metadata", f"b0-1,{B},50000003", f"b0-1,{B},50000001")
    with pytest.raises(ValueError, match="line 6, column 'study_id': 50000001 has two subjects"):
        _ = MimicCxrJpg(root).images


SPOILT_LABELS = {
    "value": ("1.0", "2.0", r"line 2, column 'Atelectasis': must be 1\.0, 0\.0, -1\.0 or empty"),
    "word": ("1.0", "yes", r"line 2, column 'Atelectasis'.*'yes'"),
    "twice": ("50000002", "50000001", r"line 3, column 'study_id': 50000001 is repeated"),
    "missing column": ("Pneumonia", "Pneumonie", r"column 'Pneumonia' is missing"),
}


@pytest.mark.parametrize("kind", SPOILT_LABELS)
def test_malformed_labels_raise(root, kind):
    old, new, message = SPOILT_LABELS[kind]
    spoil(root, "chexpert", old, new)
    with pytest.raises(ValueError, match=r"chexpert\.csv.*" + message):
        _ = MimicCxrJpg(root).labels


def test_labels_of_another_subject_raise(root):
    spoil(root, "chexpert", f"{B},50000003", f"{C},50000003")
    with pytest.raises(ValueError, match=r"study 50000003 must have one subject, got 10000003"):
        MimicCxrJpg(root).classification_images(gaze_subjects=[])


def test_bytes_that_are_not_utf8_raise(root):
    path = root / "mimic-cxr-2.0.0-metadata.csv"
    path.write_bytes(path.read_bytes().replace(b"LATERAL", b"\xff"))
    with pytest.raises(ValueError, match=r"metadata\.csv: cannot be read as a CSV table"):
        _ = MimicCxrJpg(root).images


def test_missing_files_raise_and_tables_are_read_when_needed(root):
    with pytest.raises(FileNotFoundError, match="no such folder of MIMIC-CXR-JPG"):
        MimicCxrJpg(root / "nowhere")
    spoil(root, "chexpert", "1.0", "2.0")
    release = MimicCxrJpg(root)  # tables are read when they are needed
    assert repr(release) == f"MimicCxrJpg({str(root)!r})"
    assert len(release.images) == len(IMAGES)
    (root / "mimic-cxr-2.0.0-split.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"split\.csv: no such table, nor"):
        MimicCxrJpg(root)


def test_tables_without_rows_are_read(root):
    for name in ("metadata", "split", "chexpert"):
        path = root / f"mimic-cxr-2.0.0-{name}.csv"
        path.write_text(path.read_text().splitlines()[0] + "\n")
    release = MimicCxrJpg(root)
    assert release.images.empty
    assert release.classification_images(gaze_subjects=[A]).empty
    assert isinstance(release.labels.index, pd.MultiIndex)


def test_arguments_of_the_wrong_type_raise(root):
    with pytest.raises(TypeError, match=r"`root` must be a path, .* got None"):
        MimicCxrJpg(None)
    mimic = MimicCxrJpg(root)
    with pytest.raises(TypeError, match=r"`dicom_id` must be a str, got \['a0-1'\]"):
        mimic.path(["a0-1"])
    with pytest.raises(TypeError, match=r"`dicom_ids` must be a str, got \['a0-1'\]"):
        mimic.targets([["a0-1"]])
