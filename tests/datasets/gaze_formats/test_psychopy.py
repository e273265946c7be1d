"""Read small HDF5 files in the layout of PsychoPy's ioHub."""

import numpy as np
import pytest

from gazesal import InputWarning, SkippedDataWarning
from gazesal.datasets.gaze_formats.registry import read_format
from gazesal.datasets.screens import Screen

h5py = pytest.importorskip("h5py")
EVENTS = "data_collection/events/"
SIZES = {"harbour": (600, 800), "market": (800, 600)}


def table(columns, rows):
    return np.array([tuple(row) for row in rows], np.dtype(columns))


@pytest.fixture
def write(tmp_path):
    """Write fixations (session, eye, end, duration, x, y) and messages (session, time, text)."""

    def to_file(fixations, messages, codes=((1, b"ann"), (2, b""))):
        path = tmp_path / "events.hdf5"
        columns = [("session_id", "<u4"), ("eye", "u1"), ("time", "<f8"), ("duration", "<f4")]
        columns += [("average_gaze_x", "<f4"), ("average_gaze_y", "<f4")]
        with h5py.File(path, "w") as file:
            file[f"{EVENTS}eyetracker/FixationEndEvent"] = table(columns, fixations)
            file[f"{EVENTS}experiment/MessageEvent"] = table(
                [("session_id", "<u4"), ("time", "<f8"), ("text", "S40")], messages
            )
            file["data_collection/session_meta_data"] = table(
                [("session_id", "<u4"), ("code", "S8")], codes
            )
        return path

    return to_file


SHOWN = [
    (1, 10.0, b"image_onset harbour.png"),
    (1, 12.0, b"image_offset harbour.png"),
    (2, 10.0, b"image_onset market.png"),
]


def read(path, **options):
    return read_format("psychopy", path, {"sizes": SIZES} | options)


def test_positions_from_the_center_with_y_up(write):
    path = write([(1, 22, 11, 0.25, 0, 0), (1, 22, 11.5, 0.2654, -399.5, 299.5)], SHOWN)
    for options in ({}, {"screen": Screen(display=(1920, 1080), placement="center")}):
        found = read(path, **options)
        np.testing.assert_allclose(found[["x", "y"]], [[399.5, 299.5], [0, 0]], atol=1e-4)
        assert found["duration"].tolist() == [250, 265.4]
        assert found["observer"].tolist() == ["ann", "ann"]
        assert found["eye"].tolist() == ["right", "right"]
        np.testing.assert_allclose(found["start_from_onset"], [750, 1234.6], atol=1e-3)


def test_image_over_the_whole_screen(write):
    path = write([(1, 22, 11, 0.25, 480, 270)], SHOWN)
    found = read(path, screen=Screen(display=(1920, 1080)))
    assert found[["x", "y"]].to_numpy().tolist() == [[599.5, 149.5]]


def test_image_is_the_one_shown_in_the_session(write):
    fixations = [
        (1, 22, 9.5, 0.2, 50, 50),
        (1, 22, 10.1, 0.3, 50, 50),
        (1, 22, 12.5, 0.2, 50, 50),
        (2, 21, 12.5, 0.2, 50, 50),
    ]
    with pytest.warns(SkippedDataWarning, match="omitted 2 of 4"):
        found = read(write(fixations, SHOWN))
    assert found["image"].tolist() == ["harbour", "market"]
    assert found["observer"].tolist() == ["ann", "events-2"]  # a session without a code


def test_both_eyes_are_told(write):
    path = write([(1, eye, 11, 0.25, 50, 50) for eye in (21, 22)], SHOWN)
    with pytest.warns(InputWarning, match="eye="):
        read(path)
    assert read(path, eye="left")["eye"].tolist() == ["left"]


def test_other_units_are_refused(write):
    path = write([(1, 22, 11, 0.25, 0.4, -0.9), (1, 22, 11.5, 0.25, -12, 3)], SHOWN)
    with pytest.raises(ValueError, match=r"must be in pixels .* up to 12"):
        read(path)


def test_other_messages_need_a_pattern(write):
    path = write([(1, 22, 11, 0.25, 50, 50)], [(1, 10.0, b"trial harbour")])
    with pytest.raises(ValueError, match="Give `image_message`"):
        read(path)
    assert read(path, image_message=r"trial (\w+)")["image"].tolist() == ["harbour"]


def test_other_hdf5_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["maps"] = np.eye(3)
    with pytest.raises(ValueError, match=r"a\.hdf5: cannot be read as an HDF5 file of PsychoPy"):
        read(tmp_path)
