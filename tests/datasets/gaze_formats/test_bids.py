"""Read small data sets in the layout of BIDS."""

import gzip
import json
import warnings

import pytest

from gazesal import InputWarning, SkippedDataWarning
from gazesal.datasets.gaze_formats.registry import read_format
from gazesal.datasets.screens import Screen

RUN = "sub-01_task-view"
SIZES = {"harbour": (60, 80)}
CENTERED = Screen(display=(100, 100), placement="center")


@pytest.fixture
def write(tmp_path):
    """Write a run at 100 Hz, in which gaze rests at (30, 40) from 0.5 s to 0.7 s of the task."""

    def to_folder(
        eye="eye1",
        duration=200,
        physio=(),
        events=(),
        task=(),
        fixations=None,
        stimuli="harbour",
        everywhere=False,
    ):
        folder = tmp_path / "sub-01" / "beh"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{RUN}_recording-{eye}"
        samples = ["n/a\tn/a" if row < 60 or row > 79 else "30.0\t40.0" for row in range(100)]
        lines = [f"{1000 + 10 * row}\t{sample}\t0" for row, sample in enumerate(samples)]
        found = [f"1600\t{duration}\tfixation\t0\tn/a"] if fixations is None else fixations
        pack(folder / f"{name}_physio.tsv.gz", lines)
        pack(
            folder / f"{name}_physioevents.tsv.gz",
            ['900\tn/a\tn/a\tn/a\t"RECCFG', *found, "1800\t50\tsaccade\t0\tn/a"],
        )
        facts = {
            f"{name}_physio": {
                "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
                "SamplingFrequency": 100.0,
                "StartTime": -0.1,
                "RecordedEye": "left" if eye == "eye1" else "right",
            }
            | dict(physio),
            f"{name}_physioevents": {
                "Columns": ["onset", "duration", "trial_type", "blink", "message"],
                "OnsetSource": "timestamp",
            }
            | dict(events),
            f"{RUN}_events": {
                "StimulusPresentation": {"ScreenResolution": [100, 100]} | dict(task)
            },
        }
        for file, content in facts.items():
            place = folder / file
            if everywhere:  # the facts of all subjects, in the folder of the data set
                place = tmp_path / file.removeprefix("sub-01_")
            place.with_name(f"{place.name}.json").write_text(json.dumps(content))
        (folder / f"{RUN}_events.tsv").write_text(
            "onset\tduration\tstim_file\n0.3\t0.4\timages/" + stimuli + ".png\n0.7\t0.5\tn/a\n"
        )
        return tmp_path

    return to_folder


def pack(path, lines):
    with gzip.open(path, "wt") as file:
        file.write("\n".join([*lines, ""]))


def read(folder, **options):
    return read_format("bids", folder, {"sizes": SIZES, "screen": CENTERED} | options)


@pytest.mark.parametrize(
    ("duration", "events"),
    [
        (200, {"duration": {"Units": "ms"}}),
        (0.2, {"duration": {"Units": "s"}}),
        (200, {}),
        (0.2, {}),
    ],
)
def test_duration_in_the_stated_or_the_clear_unit(write, duration, events):
    table = read(write(duration=duration, events=events))
    row = table.loc[1, ["image", "observer", "x", "y", "duration", "eye"]].tolist()
    assert row == ["harbour", "sub-01", 20.0, 20.0, pytest.approx(200), "left"]
    assert table["onset_seconds"].tolist() == pytest.approx([0.5])


def test_onset_may_be_the_row_of_a_sample(write):
    folder = write(fixations=["60\t200\tfixation\t0\tn/a"], events={"OnsetSource": "n/a"})
    table = read(folder)
    assert table["onset_seconds"].tolist() == pytest.approx([0.5])
    assert table["x"].tolist() == [20]


def test_facts_in_the_folder_of_the_data_set_apply(write):
    assert len(read(write(everywhere=True))) == 1


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (["top", "left"], (20, 20)),
        (["bottom", "left"], (20, 39)),
        (["center"], (69.5, 69.5)),
    ],
)
def test_origin_of_the_screen(write, origin, expected):
    table = read(write(task={"ScreenOrigin": origin}), screen=Screen(rectangle=(10, 20, 90, 80)))
    assert table[["x", "y"]].to_numpy().tolist()[0] == pytest.approx(expected)


def test_unknown_origin_unit_and_system_are_refused(write):
    with pytest.raises(ValueError, match="ScreenOrigin must"):
        read(write(task={"ScreenOrigin": ["middle"]}))
    with pytest.raises(ValueError, match="durations must be in s or ms"):
        read(write(events={"duration": {"Units": "frames"}}))
    with pytest.raises(ValueError, match="must be pixels of the screen, got 'deg'"):
        read(write(physio={"x_coordinate": {"Units": "deg"}}))


def test_place_on_the_screen_must_be_given(write):
    with pytest.raises(ValueError, match="`screen` must"):
        read_format("bids", write(), {"sizes": SIZES})


def test_fixations_without_image_or_samples_are_counted(write):
    found = [f"{onset}\t100\tfixation\t0\tn/a" for onset in (1300, 1500, 1650, 1850)]
    with pytest.warns(SkippedDataWarning, match="3 without a position"):
        table = read(write(fixations=found))
    assert len(table) == 1
    with pytest.raises(ValueError, match="stim_file"):
        read(write(fixations=["1950\t10\tfixation\t0\tn/a"]))


def test_both_eyes_are_told(write):
    write(eye="eye1")
    folder = write(eye="eye2")
    with pytest.warns(InputWarning, match="eye="):
        table = read(folder)
    assert table["eye"].tolist() == ["left", "right"]
    assert read(folder, eye="right")["eye"].tolist() == ["right"]


def test_damaged_recording_names_the_file(write):
    folder = write()
    path = folder / "sub-01" / "beh" / f"{RUN}_recording-eye1_physio.tsv.gz"
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(ValueError, match=r"physioevents\.tsv\.gz: cannot be read as a recording"):
        read(folder)


def test_folder_without_recordings(tmp_path):
    with pytest.raises(ValueError, match=r"must have files \*_physioevents"):
        read(tmp_path)


def test_screen_of_another_size_than_stated_is_a_warning(write):
    folder = write()
    with pytest.warns(InputWarning, match="`display`.*100 x 100, got 1920 x 1080"):
        read(folder, screen=Screen(display=(1920, 1080), placement="center"))
    with pytest.warns(InputWarning, match="`display`"):
        read(folder, screen={"harbour": Screen(display=(100, 99))})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(folder)
        read(folder, screen=Screen(rectangle=(0, 0, 80, 60)))


def test_missing_screen_is_an_error_that_names_argument_and_option(write):
    with pytest.raises(ValueError, match=r"`screen`.*--display.*--placement center"):
        read(write(), screen=None)
