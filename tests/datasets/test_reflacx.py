"""Reading of a REFLACX release, and errors about malformed files."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gazesal import SkippedDataWarning, cases_from_reflacx, evaluate
from gazesal.datasets import MimicCxrJpg, Reflacx
from tests.datasets.test_mimic_cxr_jpg import write_release

HEADER = (
    "id,split,eye_tracking_data_discarded,image,dicom_id,subject_id,image_size_x,image_size_y,"
    "Atelectasis,Other,Quality issue,Support devices"
)
FIXATIONS = (
    "timestamp_start_fixation,timestamp_end_fixation,x_position,y_position,pupil_area_normalized,"
    "angular_resolution_x_pixels_per_degree,angular_resolution_y_pixels_per_degree,window_width,"
    "window_level,xmin_shown_from_image,ymin_shown_from_image,xmax_shown_from_image,"
    "ymax_shown_from_image,xmin_in_screen_coordinates,ymin_in_screen_coordinates,"
    "xmax_in_screen_coordinates,ymax_in_screen_coordinates"
)
FIXATION = "7.08,7.293,405,420,1.131,94,92,0.99829,0.49841,0,303,2521,2463,661,0,3180,2160"
SECOND = FIXATION.replace("7.08,7.293,405,420", "7.31,7.5,800,900")
IMAGE = "physionet.org/files/mimic-cxr/2.0.0/files/p10/p10000001/s50000001/aaa.dcm"


def make_release(root, newline="\r\n"):
    """Write three readings of one image, the last discarded, in the layout of the release."""
    folder = root / "main_data"
    rows = [
        f"P101R00000{i},train,{gone},{IMAGE},aaa,10000001,2500,3000,{mark},{other},False,True"
        for i, gone, mark, other in (
            (1, "False", 3, ""),
            (2, "False", 0, "x|y"),
            (3, "True", 5, ""),
        )
    ]
    write(folder / "metadata_phase_1.csv", [HEADER, *rows], newline)
    for i, gone in ((1, False), (2, False), (3, True)):
        reading = folder / f"P101R00000{i}"
        box = [f"{380 + i},508,2295,2441"]
        write(reading / "chest_bounding_box.csv", ["xmin,ymin,xmax,ymax", *box], newline)
        ellipse = ["10,20,30,40,3,True,False"] if i == 1 else []
        head = "xmin,ymin,xmax,ymax,certainty,Atelectasis,Other"
        write(reading / "anomaly_location_ellipses.csv", [head, *ellipse], newline)
        if not gone:
            write(reading / "fixations.csv", [FIXATIONS, FIXATION, SECOND], newline)
    return folder


def write(path, lines, newline="\r\n"):
    """Write lines with the line ends of the release."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((newline.join(lines) + newline).encode())


@pytest.fixture
def folder(tmp_path):
    """Return a valid release, which tests damage."""
    return make_release(tmp_path)


def read(folder):
    """Read phase 1 of a release."""
    return Reflacx(folder.parent, phases=(1,))


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_reads_all_columns(tmp_path, newline):
    release = read(make_release(tmp_path, newline))
    assert repr(release) == "Reflacx(3 readings of 1 images, 1 discarded)"
    row = release.readings.loc["P101R000002"]
    assert (row["height"], row["width"], row["split"]) == (3000, 2500, "train")
    assert row["subject_id"] == "10000001"
    fixations = release.fixations("P101R000001")
    assert fixations.index.tolist() == [2, 3]
    assert fixations.loc[2].to_dict() == pytest.approx(
        {
            "duration": 0.213,
            "x": 405,
            "y": 420,
            "x_per_degree": 94,
            "y_per_degree": 92,
            "x_min_shown": 0,
            "y_min_shown": 303,
            "x_max_shown": 2521,
            "y_max_shown": 2463,
            "start": 7.08,
            "end": 7.293,
        }
    )
    assert release.chest_box("P101R000003") == (383, 508, 2295, 2441)
    np.testing.assert_allclose(release.mean_box(IMAGE), [381.5, 508, 2295, 2441])
    ellipses = release.ellipses("P101R000001")
    assert ellipses.to_dict("records") == [
        {"xmin": 10, "ymin": 20, "xmax": 30, "ymax": 40, "certainty": 3}
        | {"Atelectasis": True, "Other": False}
    ]
    assert release.ellipses("P101R000002").empty


def test_kept_by_all_and_abnormal(folder):
    release = read(folder)
    assert release.kept_by_all(2) == [IMAGE]
    assert release.kept_by_all(3) == []
    assert release.abnormal().to_dict() == {IMAGE: True}  # two of three readers
    assert release.labels.loc["P101R000002", "Other"] == 1.0
    assert release.labels.loc["P101R000002", "Support devices"] == 1.0


@pytest.mark.parametrize(
    ("certainties", "expected"),
    [((1, 1, 0), True), ((1, 0), False), ((1, 1, 0, 0), False), ((1,), True), ((0, 5, 0), False)],
)
def test_an_image_is_abnormal_if_more_than_half_of_its_readers_are_certain_at_all(
    folder, certainties, expected
):
    rows = [
        f"P101R00000{i},train,True,{IMAGE},aaa,10000001,2500,3000,{certainty},,False,False"
        for i, certainty in enumerate(certainties, 1)
    ]
    write(folder / "metadata_phase_1.csv", [HEADER, *rows])
    assert read(folder).abnormal().to_dict() == {IMAGE: expected}


def test_support_devices_and_quality_are_not_abnormal(folder):
    text = (folder / "metadata_phase_1.csv").read_bytes().replace(b",3,,", b",0,,")
    (folder / "metadata_phase_1.csv").write_bytes(text.replace(b",5,,", b",0,,"))
    assert read(folder).abnormal().to_dict() == {IMAGE: False}


def test_a_discarded_reading_has_no_fixations(folder):
    with pytest.raises(ValueError, match=r"`reading` must have eye tracking.*P101R000003"):
        read(folder).fixations("P101R000003")


def test_unknown_readings_and_missing_files_raise(folder):
    release = read(folder)
    for reading in ("P101R000009", "../P101R000001"):
        with pytest.raises(ValueError, match="`reading` must be one of the tables' ids"):
            release.fixations(reading)
    (folder / "P101R000001" / "fixations.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"fixations\.csv"):
        release.fixations("P101R000001")
    with pytest.raises(FileNotFoundError, match="no such folder of REFLACX"):
        Reflacx(folder.parent / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"metadata_phase_2\.csv"):
        Reflacx(folder)
    with pytest.raises(ValueError, match="`phases` must be among 1, 2 and 3"):
        Reflacx(folder, phases=(4,))


SPOILT_TABLES = {
    "climbing id": ("P101R000001,", "../../etc,", r"line 2, column 'id': must be like"),
    "no image": (f"{IMAGE},aaa", ",aaa", r"line 2, column 'image': the value is missing"),
    "bool": (",train,False", ",train,maybe", r"line 2, column 'eye_tracking_data_discarded'"),
    "size": (",2500,3000", ",2500,0", r"line 2, column 'image_size_y': must be a whole number"),
    "half a pixel": (",2500,3000", ",2500.5,3000", r"line 2, column 'image_size_x'"),
    "wide": (",2500,3000", ",1000000,3000", r"line 2, column 'image_size_x': .*from 1 to 65535"),
    "huge": (",2500,3000", ",2500,1e300", r"line 2, column 'image_size_y': .*, got '1e300'"),
    "label": (",3,,", ",high,,", r"line 2, column 'Atelectasis': must be a finite number"),
    "too certain": (",3,,", ",6,,", r"line 2, column 'Atelectasis': must be from 0 to 5, got '6'"),
    "below zero": (",0,x", ",-1,x", r"line 3, column 'Atelectasis': must be from 0 to 5, got '-1'"),
    "only commas": ("P101R000002,", f"{',' * 11}\nP101R000002,", r"line 3, column 'id': must be"),
    "column": ("dicom_id", "dicom", r"column 'dicom_id' is missing"),
    "twice": (
        "P101R000002",
        "P101R000001",
        r"1\.csv, line 3, column 'id': .*got P101R000001 again, after "
        r".*metadata_phase_1\.csv, line 2\.",
    ),
    "subject": (",10000001,", ",../x,", r"line 2, column 'subject_id': must be a number of eight"),
    "image climbs": (
        IMAGE,
        f"physionet.org/../../{IMAGE}",
        r"line 2, column 'image': must be a path",
    ),
    "image is absolute": (IMAGE, "/etc/passwd", r"line 2, column 'image': must be a path that"),
    "image of Windows": (IMAGE, r"p10\..\..\a.dcm", r"line 2, column 'image': must be a path that"),
    "dicom ids": (f"{IMAGE},aaa", f"{IMAGE},bbb", "give image .* different DICOM ids"),
    "subjects": ("aaa,10000001", "aaa,10000002", "give image .* different subjects"),
}


@pytest.mark.parametrize("kind", SPOILT_TABLES)
def test_malformed_table_raises(folder, kind):
    old, new, message = SPOILT_TABLES[kind]
    path = folder / "metadata_phase_1.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read(folder)


def test_readings_that_disagree_on_the_size_raise(folder):
    path = folder / "metadata_phase_1.csv"
    path.write_text(path.read_text().replace("2500,3000", "2500,3001", 1))
    message = (
        rf"1\.csv, line 3: the readings P101R000001, P101R000002 give image {IMAGE} different "
        r"sizes, \[2500, 3001\] in .*1\.csv, line 2 and here \[2500, 3000\]"
    )
    with pytest.raises(ValueError, match=message):
        read(folder)


def test_reading_in_the_tables_of_two_phases_raises(folder):
    shutil.copy(folder / "metadata_phase_1.csv", folder / "metadata_phase_2.csv")
    message = r"2\.csv, line 2, .* got P101R000001 again, after .*1\.csv, line 2"
    with pytest.raises(ValueError, match=message):
        Reflacx(folder)


def test_the_largest_image_and_whole_numbers_written_otherwise(folder):
    path = folder / "metadata_phase_1.csv"
    path.write_text(path.read_text().replace("2500,3000", "65535,3e3"))
    assert read(folder).readings[["width", "height"]].iloc[0].tolist() == [65535, 3000]


def test_bytes_that_are_not_utf8_raise(folder):
    path = folder / "metadata_phase_1.csv"
    path.write_bytes(path.read_bytes().replace(b"x|y", b"\xff\xfe"))
    with pytest.raises(ValueError, match=r"metadata_phase_1\.csv: cannot be read as a CSV table"):
        read(folder)


SPOILT_FIXATIONS = {
    "backwards": ("7.08,7.293", "7.293,7.08", "line 2, column 'timestamp_end_fixation'"),
    "word": ("405,420", "left,420", "line 2, column 'x_position': must be a finite number"),
    "nan": ("405,420", "405,nan", "line 2, column 'y_position': must be a finite number"),
    "resolution": (",94,92", ",0,92", "line 2, column 'angular_resolution_x_pixels_per_degree'"),
    "shown": ("0,303,2521", "9999,303,2521", "line 2, column 'xmax_shown_from_image'"),
    "column": ("x_position", "x", "column 'x_position' is missing"),
    "twice": (SECOND, FIXATION, "line 3: repeats line 2 in every column"),
    "only commas": (SECOND, "," * 16, "line 3, column 'timestamp_start_fixation': must be a fin"),
}


@pytest.mark.parametrize("kind", SPOILT_FIXATIONS)
def test_malformed_fixations_raise(folder, kind):
    old, new, message = SPOILT_FIXATIONS[kind]
    path = folder / "P101R000001" / "fixations.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=r"fixations\.csv.*" + message):
        read(folder).fixations("P101R000001")


def test_blank_lines_are_not_fixations(folder):
    path = folder / "P101R000001" / "fixations.csv"
    write(path, [FIXATIONS, "", FIXATION, "", "", SECOND, ""])
    assert read(folder).fixations("P101R000001").index.tolist() == [3, 6]


def gaze(points, lasts=0.2, shown=(0, 0, 2500, 3000)):
    """Return the lines of a fixation file."""
    tail = FIXATION.split(",")[4:9]
    lines = [
        ",".join(map(str, (i, i + lasts, *point, *tail, *shown, 661, 0, 3180, 2160)))
        for i, point in enumerate(points)
    ]
    return [FIXATIONS, *lines]


NO_GAZE = {
    "no durations": (
        gaze([(9, 9), (8, 8)], lasts=0),
        "column 'timestamp_end_fixation': .*none of 2 lasts longer than 0",
    ),
    "empty rectangles": (
        gaze([(9, 9), (8, 8)], shown=(5, 0, 5, 3000)),
        "columns 'xmin_shown_from_image' to 'ymax_shown_from_image': .*none of 2 lasts",
    ),
    "rectangles of less than a pixel": (
        gaze([(9, 9)], shown=(5.1, 0, 5.4, 3000)),
        "columns 'xmin_shown_from_image' to",
    ),
    "rectangles beside the image": (
        gaze([(2600, 9)], shown=(2500, 0, 2700, 3000)),
        "columns 'xmin_shown_from_image' to .* The image is 2500 wide and 3000 high",
    ),
    "far off the image": (
        gaze([(1e6, 9), (9, -1e6)]),
        "columns 'x_position' and 'y_position': .*none of 2 lasts and is in the part",
    ),
    "out of what is shown": (
        gaze([(100, 100)], shown=(1000, 1000, 2000, 2000)),
        "columns 'x_position' and 'y_position'",
    ),
    "on the far border": (gaze([(2499.5, 9)]), "columns 'x_position' and 'y_position'"),
}


@pytest.mark.parametrize("kind", NO_GAZE)
def test_unusable_gaze_raises(folder, kind):
    lines, message = NO_GAZE[kind]
    write(folder / "P101R000001" / "fixations.csv", lines)
    with pytest.raises(ValueError, match=rf"P101R000001.fixations\.csv, from line 2 on, {message}"):
        read(folder).fixations("P101R000001")
    with pytest.warns(SkippedDataWarning, match=r"1 of 2 readings .*fixations\.csv, from line 2"):
        release = Reflacx(folder.parent, phases=(1,), on_bad_reading="skip")
    assert list(release.skipped) == ["P101R000001"]


@pytest.mark.parametrize("place", [(-0.5, -0.5), (2499, 2999), (2499.4, 9)])
def test_one_fixation_on_the_image_is_enough(folder, place):
    lines = gaze([(-40, 9), place, (1e5, 1e5)])
    write(folder / "P101R000001" / "fixations.csv", lines)
    assert len(read(folder).fixations("P101R000001")) == 3


def test_empty_fixations_raise(folder):
    write(folder / "P101R000001" / "fixations.csv", [FIXATIONS])
    with pytest.raises(ValueError, match=r"fixations\.csv: must have at least one fixation"):
        read(folder).fixations("P101R000001")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["xmin,ymin,xmax,ymax"], "must have one box, got 0"),
        (["xmin,ymin,xmax,ymax", "1,2,3,4", "1,2,3,4"], "must have one box, got 2"),
        (["xmin,ymin,xmax,ymax", "3,2,3,4"], "must be at least 1 pixel"),
        (["xmin,ymin,xmax", "1,2,3"], "column 'ymax' is missing"),
        (["xmin,ymin,xmax,ymax", "3,2,3.9,4"], "line 2, column 'xmax': .*at least 1 pixel"),
        (["xmin,ymin,xmax,ymax", "3,2,9,2.001"], "line 2, column 'ymax': .*at least 1 pixel"),
        (["xmin,ymin,xmax,ymax", "3,2,3.000001,4"], "line 2, column 'xmax'"),
        (["xmin,ymin,xmax,ymax", "1,2,3,4", ",,,"], "must have one box, got 2"),
        (["xmin,ymin,xmax,ymax", "2500,2,2600,4"], r"line 2, columns .*box \[2500.* inside the"),
        (["xmin,ymin,xmax,ymax", "-10,2,9,4"], "inside the image.*, got 0.47"),
        (["xmin,ymin,xmax,ymax", "-4,-4,6,6"], "inside the image.*, got 0.36"),
        (["xmin,ymin,xmax,ymax", "1,2,1e200,4"], "columns 'xmin' to 'ymax'.* inside the image"),
        (["xmin,ymin,xmax,ymax", "-1e308,2,1e308,4"], "must be inside the image.*, got 0"),
        (
            ["xmin,ymin,xmax,ymax", "1,-9,3,0"],
            "must be inside the image, which is 2500 wide and 3000 high",
        ),
    ],
)
def test_malformed_boxes_raise(folder, lines, message):
    write(folder / "P101R000001" / "chest_bounding_box.csv", lines)
    with pytest.raises(ValueError, match=r"chest_bounding_box\.csv.*" + message):
        read(folder).chest_box("P101R000001")


def test_box_that_exceeds_the_image_is_not_clipped(folder):
    lines = ["xmin,ymin,xmax,ymax", "-3,508,2501,3010"]
    write(folder / "P101R000001" / "chest_bounding_box.csv", lines)
    assert read(folder).chest_box("P101R000001") == (-3, 508, 2501, 3010)
    write(folder / "P101R000001" / "chest_bounding_box.csv", [lines[0], "-100,0,100,3000"])
    assert read(folder).chest_box("P101R000001") == (-100, 0, 100, 3000)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("True", "yes", "column 'Atelectasis': must be True or False"),
        (
            "10,20,30",
            "31,20,30",
            "column 'xmax': must be at least 'xmin' of its line, got '30'",
        ),
        (",3,", ",,", "column 'certainty': must be a finite number"),
        (",3,", ",5.5,", "column 'certainty': must be from 0 to 5, got '5.5'"),
        (",3,True", ",True,True", "column 'certainty': must be a finite number, got 'True'"),
        ("10,20,30,40,3,True,False", ",,,,,,", "column 'xmin': must be a finite number, got ''"),
    ],
)
def test_malformed_ellipses_raise(folder, old, new, message):
    path = folder / "P101R000001" / "anomaly_location_ellipses.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf"ellipses\.csv, line 2, {message}"):
        read(folder).ellipses("P101R000001")


def test_files_of_a_discarded_reading_can_be_missing(folder):
    shutil.rmtree(folder / "P101R000003")
    for choice in ("raise", "skip"):
        release = Reflacx(folder.parent, phases=(1,), on_bad_reading=choice)
        assert release.kept_by_all(2) == [IMAGE]
        assert release.mean_box(IMAGE).shape == (4,)
        assert release.skipped == {}


SPOILT_READINGS = {
    "no fixations file": lambda folder: (folder / "fixations.csv").unlink(),
    "empty fixations": lambda folder: write(folder / "fixations.csv", [FIXATIONS]),
    "not utf-8": lambda folder: (folder / "fixations.csv").write_bytes(b"\xff\xfe,"),
    "no box": lambda folder: (folder / "chest_bounding_box.csv").unlink(),
    "box without size": lambda folder: write(
        folder / "chest_bounding_box.csv", ["xmin,ymin,xmax,ymax", "1,1,1,5"]
    ),
    "no folder": shutil.rmtree,
}


def ask_for_gaze(release, reading):
    """Read the fixations and the box of a reading."""
    return release.fixations(reading), release.chest_box(reading)


@pytest.mark.parametrize("kind", SPOILT_READINGS)
def test_bad_readings_are_skipped_on_request(folder, kind):
    SPOILT_READINGS[kind](folder / "P101R000001")
    lazy = read(folder)
    assert len(lazy.readings) == 3
    with pytest.raises((ValueError, FileNotFoundError), match="P101R000001"):
        ask_for_gaze(lazy, "P101R000001")
    with pytest.warns(SkippedDataWarning, match="1 of 2 readings .*P101R000001"):
        release = Reflacx(folder.parent, phases=(1,), on_bad_reading="skip")
    assert list(release.skipped) == ["P101R000001"]
    assert repr(release) == "Reflacx(3 readings of 1 images, 1 discarded, 1 skipped)"
    assert release.readings["discarded"].tolist() == [True, False, True]
    pd.testing.assert_frame_equal(release.labels, lazy.labels)
    assert release.abnormal().equals(lazy.abnormal())
    assert release.kept_by_all(1) == [IMAGE]
    assert release.kept_by_all(2) == []
    assert release.mean_box(IMAGE).tolist() == [382, 508, 2295, 2441]
    with pytest.raises(ValueError, match=r"P101R000001 was skipped: .*P101R000001"):
        release.fixations("P101R000001")


def test_gaze_does_not_need_ellipses(folder):
    for name in ("P101R000001", "P101R000002"):
        (folder / name / "anomaly_location_ellipses.csv").unlink()
    release = Reflacx(folder.parent, phases=(1,), on_bad_reading="skip")
    assert release.skipped == {}
    with pytest.raises(FileNotFoundError, match="ellipses"):
        release.ellipses("P101R000001")


def test_readings_left_after_skipping_can_be_scored(folder):
    path = folder / "metadata_phase_1.csv"
    other = IMAGE.replace("s50000001/aaa", "s50000002/bbb")
    head, *rows = path.read_text().replace("2500,3000", "250,300").splitlines()
    for i in range(3):
        rows.append(rows[i].replace("P101R", "P102R").replace(f"{IMAGE},aaa", f"{other},bbb"))
    write(path, [head, *rows])
    for reading in list(folder.glob("P101*")):
        write(reading / "chest_bounding_box.csv", ["xmin,ymin,xmax,ymax", "30,30,220,260"])
        if "3" not in reading.name[-1]:
            write(reading / "fixations.csv", gaze([(99, 90), (150, 180)], shown=(0, 0, 250, 300)))
        shutil.copytree(reading, folder / reading.name.replace("P101", "P102"))
    write(folder / "P102R000002" / "fixations.csv", gaze([(99, 90)], lasts=0))
    with pytest.warns(SkippedDataWarning, match="1 of 4 readings"):
        release = Reflacx(folder.parent, phases=(1,), on_bad_reading="skip")
    cases = cases_from_reflacx(release, n_readers=2)
    assert [len(case.gaze) for case in cases] == [2, 1]
    scores = evaluate(cases, outside="keep").scores
    assert set(scores["image"]) == {"aaa"}
    assert release.abnormal().to_dict() == {IMAGE: True, other: True}


def test_subjects_include_skipped_readings(folder):
    for name in ("P101R000001", "P101R000002"):
        shutil.rmtree(folder / name)
    table = folder / "metadata_phase_1.csv"
    other = IMAGE.replace("10000001", "10000002")
    text = table.read_text().replace(f"{IMAGE},aaa,10000001", f"{other},aaa,10000002", 1)
    table.write_text(text)
    with pytest.warns(SkippedDataWarning, match="2 of 2"):
        release = Reflacx(folder.parent, phases=(1,), on_bad_reading="skip")
    assert release.subjects() == ["10000001", "10000002"]


def test_subjects_join_the_two_releases(folder, tmp_path):
    mimic = MimicCxrJpg(write_release(tmp_path))
    images = mimic.classification_images(gaze_subjects=read(folder).subjects())
    assert images.loc[images["subject_id"] == "10000001", "split"].tolist() == ["test"]
    assert images.attrs["moved_to_test"] == 1


def test_picture_path_is_below_the_folder_of_mimic_cxr_jpg(folder, tmp_path):
    path = read(folder).picture_path(IMAGE, tmp_path)
    assert path == tmp_path / "files" / "p10" / "p10000001" / "s50000001" / "aaa.jpg"
    with pytest.raises(ValueError, match="`image` must be one of the tables' images"):
        read(folder).picture_path(f"../{IMAGE}", tmp_path)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("a/b/aaa.dcm", "`image` must be like physionet.org"),
        (IMAGE.replace("p10/", "p11/"), "`image` must agree with subject 10000001"),
        (IMAGE.replace("10000001", "10000002"), "`image` must agree with subject 10000001"),
        (IMAGE.replace("aaa", "bbb"), "DICOM id aaa of reading P101R000001"),
        (IMAGE.replace("s50000001", "x"), "`image` must be like"),
    ],
)
def test_images_of_another_form_raise(folder, tmp_path, image, message):
    table = folder / "metadata_phase_1.csv"
    table.write_text(table.read_text().replace(IMAGE, image))
    with pytest.raises(ValueError, match=message):
        read(folder).picture_path(image, tmp_path)


def save_picture(path, width, height):
    """Save an empty JPEG of a given size."""
    Image.new("L", (width, height)).save(path)


def test_picture_sizes_must_match_the_tables(folder, tmp_path):
    release = read(folder)
    path = release.picture_path(IMAGE, tmp_path)
    path.parent.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"aaa\.jpg"):
        release.check_picture_sizes(tmp_path)
    save_picture(path, 2500, 3000)
    assert release.check_picture_sizes(tmp_path) == 1
    assert release.check_picture_sizes(tmp_path, images=[]) == 0
    save_picture(path, 3000, 2500)
    message = r"aaa\.jpg must be 2500 wide and 3000 high .* got 3000 and 2500. 1 of 1"
    with pytest.raises(ValueError, match=message):
        release.check_picture_sizes(tmp_path, images=[IMAGE])
    path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"aaa\.jpg: cannot be read as an image"):
        release.check_picture_sizes(tmp_path)


def test_image_without_a_kept_reading_raises(folder):
    path = folder / "metadata_phase_1.csv"
    path.write_text(path.read_text().replace("train,False", "train,True"))
    with pytest.raises(ValueError, match="`image` must have a reading"):
        read(folder).mean_box(IMAGE)


def test_release_of_the_study_equals_its_arrays(shared):
    release = Reflacx(shared / "oracles" / "center_bias" / "dataset_et")
    assert repr(release) == "Reflacx(45 readings of 9 images, 9 discarded)"
    assert len(release.kept_by_all()) == 5
    kept = release.readings.index[~release.readings["discarded"]]
    assert all(len(release.fixations(reading)) > 0 for reading in kept)


WRONG_KINDS = {
    "root none": (lambda _: Reflacx(None), "`root` must be a path, as str or pathlib.Path, got No"),
    "root bytes": (lambda _: Reflacx(b"x"), "`root` must be a path"),
    "one phase": (lambda r: Reflacx(r, phases=1), "`phases` must be an iterable of int, got int"),
    "phases in text": (lambda r: Reflacx(r, phases="12"), "`phases` must be an iterable of int"),
    "phase true": (lambda r: Reflacx(r, phases=[True]), "`phases` must be integers, got True"),
    "phase 1.0": (lambda r: Reflacx(r, phases=[1.0]), "`phases` must be integers, got 1.0"),
    "list": (lambda r: read(r).fixations(["P101R000001"]), "`reading` must be a str, got ['P101"),
    "box": (lambda r: read(r).chest_box(None), "`reading` must be a str, got None"),
    "ellipses": (lambda r: read(r).ellipses(7), "`reading` must be a str, got 7"),
    "mean box": (lambda r: read(r).mean_box([IMAGE]), "`image` must be a str, got ['physio"),
    "picture": (lambda r: read(r).picture_path([IMAGE], r), "`image` must be a str"),
    "mimic": (lambda r: read(r).picture_path(IMAGE, None), "`mimic_root` must be a path"),
    "sizes": (lambda r: read(r).check_picture_sizes(None), "`mimic_root` must be a path"),
    "images": (lambda r: read(r).check_picture_sizes(r, images=[7]), "`image` must be a str"),
    "readers in text": (lambda r: read(r).kept_by_all("x"), "`n_readers` must be an integer"),
    "half a reader": (lambda r: read(r).kept_by_all(1.5), "`n_readers` must be an integer"),
}


@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_arguments_of_the_wrong_type_raise(folder, kind):
    call, message = WRONG_KINDS[kind]
    with pytest.raises(TypeError, match=re.escape(message)):
        call(folder)


def test_invalid_numbers_of_readers_and_phases_raise(folder):
    with pytest.raises(ValueError, match="`n_readers` must be at least 1, got 0"):
        read(folder).kept_by_all(0)
    with pytest.raises(ValueError, match="`phases` must be among 1, 2 and 3, got "):
        Reflacx(folder, phases=[])
    assert len(Reflacx(folder, phases=np.array([1, 1])).readings) == 3


WORDS = [
    "word,timestamp_start_word,timestamp_end_word",
    "lungs,-0.1,0.4",
    '",",0.4,0.5',
    "clear,0.6,1.0",
    ".,1.0,1.1",
]


def transcribed(folder, lines):
    """Write the dictation of a reading and return it."""
    write(folder / "P101R000001" / "timestamps_transcription.csv", lines)
    return read(folder).transcription("P101R000001")


def test_reads_the_words_of_a_dictation(folder):
    words = transcribed(folder, WORDS)
    assert words["word"].tolist() == ["lungs", ",", "clear", "."]
    assert words[["start", "end"]].to_numpy().tolist()[0] == [-0.1, 0.4]
    assert words.index.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["word,timestamp_start_word", "lungs,1"], "'timestamp_end_word' is missing"),
        ([WORDS[0], ",1,2"], "line 2, column 'word': must be a word"),
        ([WORDS[0], "lungs,2,1"], "line 2, column 'timestamp_end_word': must be at least"),
        ([*WORDS, "heart,0.5,3"], "line 6, column 'timestamp_start_word': must be at least"),
        ([WORDS[0], "lungs,x,1"], "must be a finite number"),
    ],
)
def test_malformed_dictation_raises(folder, lines, words):
    with pytest.raises(ValueError, match=words):
        transcribed(folder, lines)


def test_dictation_that_is_missing_or_discarded_raises(folder):
    with pytest.raises(FileNotFoundError, match="timestamps_transcription"):
        read(folder).transcription("P101R000001")
    with pytest.raises(ValueError, match="discarded"):
        read(folder).transcription("P101R000003")
