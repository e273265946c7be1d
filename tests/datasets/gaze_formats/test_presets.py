"""Tables of trackers, read by presets, on small files and on the shared samples."""

import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gazesal import InputWarning, Screen, SkippedDataWarning, read_fixations, read_sizes
from gazesal.datasets.gaze_formats.preset_tables import presets, read_preset
from gazesal.datasets.gaze_formats.registry import FORMATS

HD = Screen(display=(1920, 1080))
TOBII = [
    "Recording timestamp", "Sensor", "Participant name", "Recording name", "Presented Media name",
    "Presented Media width", "Presented Media height", "Presented Media position X (DACSpx)",
    "Presented Media position Y (DACSpx)", "Original Media width", "Original Media height",
    "Eye movement type", "Gaze event duration", "Eye movement type index", "Fixation point X",
    "Fixation point Y", "Fixation point X (MCSnorm)", "Fixation point Y (MCSnorm)",
]  # fmt: skip
PRESENTED = ["800", "600", "560", "240", "400", "300"]  # twice as large as the medium


def tobii_rows():
    def sample(media, kind, time, index, *places):
        shown = PRESENTED if media else [""] * 6
        return ["0", "Eye Tracker", "ann", "R1", media, *shown, kind, time, index, *places]

    fixation = sample("7.png", "Fixation", "167", "1", "561", "241", "0,00125", "0,001667")
    return [
        ["0", "", "ann", "R1", *[""] * 14],
        sample("7.png", "Saccade", "50", "1", *[""] * 4),
        fixation,
        ["1", "Mouse", "ann", "R1", "7.png", *PRESENTED, *[""] * 7],
        fixation,
        sample("", "Fixation", "99", "2", "5", "5", "", ""),
        sample("7.png", "Fixation", "250", "3", "960", "540", "0,5", "0,5"),
        sample("7.png", "EyesNotFound", "83", "1", *[""] * 4),
    ]


def write(path, rows, *, delimiter="\t", encoding="utf-8"):
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    path.write_bytes(text.encode(encoding))
    return path


def places(table):
    return table[["x", "y", "duration"]].to_numpy().tolist()


def test_tobii_takes_one_row_per_fixation_on_an_image(tmp_path):
    path = write(tmp_path / "export.tsv", [TOBII, *tobii_rows()], encoding="utf-16")
    with pytest.warns(SkippedDataWarning, match="omitted 1 fixations while no image was shown"):
        table = read_fixations(path, "tobii")
    assert table[["image", "observer"]].to_numpy().tolist() == [["7", "ann"]] * 2
    # (561 - 560) / 800 * 400 - 0.5 and (960 - 560) / 800 * 400 - 0.5
    assert places(table) == [[0, 0, 167], [199.5, 149.5, 250]]
    assert table["index"].tolist() == [1, 3]


@pytest.mark.filterwarnings("ignore:.*while no image was shown")
def test_tobii_fixations_while_the_image_has_no_place_are_omitted(tmp_path):
    """A calibration is named like an image, but has no place on the screen."""
    rows = tobii_rows()
    calibration = [*rows[2]]
    calibration[4:11] = ["Eyetracker Calibration", *[""] * 6]
    calibration[13] = "9"
    path = write(tmp_path / "export.tsv", [TOBII, calibration, *rows])
    with pytest.warns(SkippedDataWarning, match="without the place of the image"):
        table = read_fixations(path, "tobii")
    assert set(table["image"]) == {"7"}


@pytest.mark.filterwarnings("ignore::gazesal.SkippedDataWarning")
def test_large_export_takes_seconds(tmp_path):
    rows = []
    for at in range(4000):
        fixation = [*tobii_rows()[6]]
        fixation[13] = str(at)
        rows += [fixation] * 25
    path = write(tmp_path / "export.tsv", [TOBII, *rows])
    start = time.process_time()
    assert len(read_fixations(path, "tobii")) == 4000
    assert time.process_time() - start < 5


NEW = {
    "Gaze event duration": "Eye movement event duration [ms]",
    "Fixation point X": "Fixation point X [DACS px]",
    "Fixation point Y": "Fixation point Y [DACS px]",
    "Fixation point X (MCSnorm)": "Fixation point X [MCS norm]",
    "Fixation point Y (MCSnorm)": "Fixation point Y [MCS norm]",
    "Presented Media position X (DACSpx)": "Presented Media position X [DACS px]",
    "Presented Media position Y (DACSpx)": "Presented Media position Y [DACS px]",
    "Presented Media width": "Presented Media width [px]",
    "Presented Media height": "Presented Media height [px]",
}


@pytest.mark.filterwarnings("ignore::gazesal.SkippedDataWarning")
def test_tobii_names_with_units_are_the_same(tmp_path):
    new = [NEW.get(name, name) for name in TOBII]
    first = read_fixations(write(tmp_path / "a.tsv", [TOBII, *tobii_rows()]), "tobii")
    second = read_fixations(write(tmp_path / "b.tsv", [new, *tobii_rows()]), "tobii")
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.filterwarnings("ignore::gazesal.SkippedDataWarning")
def test_tobii_without_places_of_media_takes_shares_or_a_screen(tmp_path):
    kept = [at for at, name in enumerate(TOBII) if not name.startswith("Presented Media p")]
    rows = [[row[at] for at in kept] for row in [TOBII, *tobii_rows()]]
    path = write(tmp_path / "export.tsv", rows)
    np.testing.assert_allclose(
        read_fixations(path, "tobii")[["x", "y"]], [[0, 0], [199.5, 149.5]], atol=1e-3
    )
    screen = Screen(rectangle=(560, 240, 1360, 840))
    assert places(read_fixations(path, "tobii", screen=screen)) == [
        [0, 0, 167],
        [199.5, 149.5, 250],
    ]


EYELINK = [
    "RECORDING_SESSION_LABEL", "TRIAL_INDEX", "EYE_USED", "CURRENT_FIX_DURATION", "CURRENT_FIX_X",
    "CURRENT_FIX_Y", "image",
]  # fmt: skip


def eyelink_rows(eyes=("RIGHT", "RIGHT")):
    return [
        EYELINK,
        ["ann", "1", eyes[0], "192", "560,00", "240,00", "7.jpg"],
        ["ann", "1", eyes[1], "112", "959,50", "539,50", "7.jpg"],
        ["ann", "1", eyes[0], "100", ".", ".", "7.jpg"],
    ]


def test_eyelink_needs_the_place_on_the_screen(tmp_path):
    path = write(tmp_path / "report.xls", eyelink_rows())
    with (
        pytest.raises(ValueError, match="`screen` must say where"),
        pytest.warns(SkippedDataWarning),
    ):
        read_fixations(path, "eyelink", sizes=(600, 800))
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 3 rows"):
        table = read_fixations(
            path,
            "eyelink",
            sizes={"7.jpg": (600, 800)},
            screen=Screen(display=(1920, 1080), placement="center"),
        )
    assert places(table) == [[0, 0, 192], [399.5, 299.5, 112]]
    assert table["image"].tolist() == ["7", "7"]


def test_fixations_of_both_eyes_are_told_and_one_can_be_chosen(tmp_path):
    path = write(tmp_path / "report.txt", eyelink_rows(("LEFT", "RIGHT"))[:3])
    options = {"sizes": (1080, 1920), "screen": HD}
    with pytest.warns(InputWarning, match="1 readings have fixations of both eyes"):
        assert len(read_fixations(path, "eyelink", **options)) == 2
    assert len(read_fixations(path, "eyelink", eye="both", **options)) == 2
    assert places(read_fixations(path, "eyelink", eye="right", **options)) == [[959.5, 539.5, 112]]


def test_eyelink_names_the_columns_that_a_laboratory_calls_otherwise(tmp_path):
    rows = eyelink_rows()[:3]
    rows[0] = [*EYELINK[:-1], "what"]
    path = write(tmp_path / "report.txt", rows)
    options = {"sizes": (1080, 1920), "screen": HD}
    with pytest.raises(ValueError, match=r"column 'image' is missing.*`columns`"):
        read_fixations(path, "eyelink", **options)
    assert len(read_fixations(path, "eyelink", columns={"image": "what"}, **options)) == 2


@pytest.mark.parametrize("mark", [".", "UNDEFINEDnull", ""])
def test_eyelink_rows_without_an_image_are_omitted(tmp_path, mark):
    rows = [*eyelink_rows()[:3], ["ann", "2", "RIGHT", "90", "5,5", "5,5", mark]]
    path = write(tmp_path / "report.txt", rows)
    with pytest.warns(SkippedDataWarning, match="omitted 1 fixations while no image was shown"):
        table = read_fixations(path, "eyelink", sizes=(1080, 1920), screen=HD)
    assert table["image"].tolist() == ["7", "7"]


def core_folder(root, observers=("ann", "bob")):
    for observer in observers:
        folder = root / observer / "exports" / "000" / "surfaces"
        folder.mkdir(parents=True)
        (folder / "fixations_on_surface_7.csv").write_text(
            "world_timestamp,fixation_id,start_timestamp,duration,norm_pos_x,norm_pos_y,on_surf\n"
            "1,1,1,390.5,0.5,0.75,True\n2,1,1,390.5,0.5,0.75,True\n3,2,2,120,-0.5,0,False\n"
        )
        (folder.parent / "fixations.csv").write_text("id,gaze_point_3d_x\n1,2\n")
    return root


def test_pupil_reads_each_fixation_once_with_y_up(tmp_path):
    table = read_fixations(core_folder(tmp_path), "pupil", sizes=(100, 200))
    assert table["observer"].tolist() == ["ann", "ann", "bob", "bob"]
    assert table["image"].tolist() == ["7"] * 4
    assert places(table)[:2] == [[99.5, 24.5, 390.5], [-100.5, 99.5, 120]]


def test_pupil_recordings_in_numbered_folders_are_named_for_the_folder_above(tmp_path):
    core_folder(tmp_path / "2026_01_02", ["000"])
    table = read_fixations(tmp_path, "pupil", sizes=(100, 200))
    assert set(table["observer"]) == {"2026_01_02"}


def test_observer_that_follows_from_no_folder_names_the_remedy(tmp_path):
    file = core_folder(tmp_path, ["ann"]) / "ann/exports/000/surfaces/fixations_on_surface_7.csv"
    moved = file.rename(tmp_path / file.name)
    with pytest.raises(ValueError, match=r"'observer' is missing.*names of folders"):
        read_fixations(moved, "pupil", sizes=(100, 100))
    table = read_fixations(moved, "pupil", sizes=(100, 100), columns={"observer": ""})
    assert set(table["observer"]) == {"1"}


def test_positions_of_the_scene_camera_are_refused(tmp_path):
    core_folder(tmp_path)
    with pytest.raises(ValueError, match="'gaze_point_3d_x' shows that it has positions of the"):
        read_fixations(tmp_path / "ann" / "exports" / "000" / "fixations.csv", "pupil")
    neon = tmp_path / "fixations.csv"
    neon.write_text("recording id,duration [ms],fixation x [px],fixation y [px],azimuth [deg]\n")
    with pytest.raises(ValueError, match="scene camera"):
        read_fixations(neon, "pupil-cloud")


def test_two_exports_of_one_recording_are_refused(tmp_path):
    core_folder(tmp_path, ["ann"])
    (tmp_path / "ann" / "exports" / "001").symlink_to(tmp_path / "ann" / "exports" / "000")
    extra = tmp_path / "ann" / "exports" / "002" / "surfaces"
    extra.mkdir(parents=True)
    (extra / "fixations_on_surface_7.csv").write_text(
        "fixation_id,start_timestamp,duration,norm_pos_x,norm_pos_y\n1,1,390.5,0.5,0.75\n"
    )
    with pytest.raises(ValueError, match="both have fixations of observer 'ann' on image '7'"):
        read_fixations(tmp_path, "pupil", sizes=(100, 200))


def cloud_folder(root):
    marker, mapper = root / "MARKER-MAPPER_7_csv", root / "REFERENCE-IMAGE-MAPPER_7_csv"
    for folder in (marker, mapper):
        folder.mkdir()
        (folder / "sections.csv").write_text("section id,recording id,wearer name\ns,r1,ann\n")
    head = "recording id,fixation id,start timestamp [ns],duration [ms],"
    (marker / "fixations.csv").write_text(
        f"{head}fixation x [normalized],fixation y [normalized]\nr1,1,5,364,0.5,0.25\n"
    )
    (mapper / "fixations.csv").write_text(
        f"{head}fixation x [px],fixation y [px]\nr1,1,5,364,12.5,3\nr1,2,9,50,,\n"
    )
    return root


def test_pupil_cloud_names_observers_by_the_table_beside(tmp_path):
    cloud_folder(tmp_path)
    marker = read_fixations(tmp_path / "MARKER-MAPPER_7_csv", "pupil-cloud", sizes=(100, 200))
    assert marker["observer"].tolist() == ["ann"]
    assert places(marker) == [[99.5, 24.5, 364]]
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 2"):
        mapper = read_fixations(tmp_path, "pupil-cloud", files="REFERENCE*/*.csv")
    assert places(mapper) == [[12.5, 3, 364]]
    with (
        pytest.raises(ValueError, match=r"both have fixations .*`files`"),
        pytest.warns(SkippedDataWarning),
    ):
        read_fixations(tmp_path, "pupil-cloud", sizes=(100, 200))


@pytest.mark.parametrize("category", ["Fixation", "Visual Intake"])
@pytest.mark.parametrize("comma", [False, True])
def test_smi_reads_fixations_only(tmp_path, category, comma):
    rows = [
        ["Trial", "Stimulus", "Participant", "Category", "Eye L/R", "Index",
         "Event Duration [ms]", "Fixation Position X [px]", "Fixation Position Y [px]"],
        ["T1", "7.jpg", "ann", "Separator", *["-"] * 5],
        ["T1", "7.jpg", "ann", category, "Right", "1", "377.5", "783.2", "-18.4"],
        ["T1", "7.jpg", "ann", "Saccade", "Right", "1", "40.0", "-", "-"],
        ["T1", "7.jpg", "ann", "Blink", "Right", "1", "120.0", "-", "-"],
    ]  # fmt: skip
    if comma:
        rows = [[field.replace(".", ",") if field[0].isdigit() or field[1:2].isdigit() else field
                 for field in row] for row in rows]  # fmt: skip
    table = read_fixations(write(tmp_path / "Event Statistics.txt", rows), "smi")
    assert places(table) == [[783.2, -18.4, 377.5]]
    assert table["eye"].tolist() == ["Right"]


def gazepoint_folder(root):
    head = "MEDIA_ID,MEDIA_NAME,FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,\n"
    (root / "ann_fixations.csv").write_text(f"{head}0,7,0.5,0.25,0,0.12,1,1,\n")
    (root / "ann_all_gaze.csv").write_text(
        f"{head}0,7,0.5,0.25,0,0.05,1,1,\n0,7,0.5,0.25,0,0.12,1,1,\n0,7,0.5,0.25,0,0.12,1,0,\n"
    )
    return root


@pytest.mark.parametrize("files", [None, "*_all_gaze.csv"])
def test_gazepoint_reads_the_longest_valid_row(tmp_path, files):
    gazepoint_folder(tmp_path)
    table = read_fixations(tmp_path, "gazepoint", files=files, screen=HD, sizes=(1080, 1920))
    assert table["observer"].tolist() == ["ann"]
    assert places(table) == [[959.5, 269.5, 120]]


MINE = """\
image = "stim"
observer = ["subj", "participant"]
x = "gx"
y = "gy"
duration = "dur"
time_unit = "s"
unit = "shares"
y_axis = "up"
missing = ["lost"]
fixations = { column = "type", values = ["FIX"] }
"""


def test_preset_of_a_user_is_ten_lines(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    path = tmp_path / "table.csv"
    path.write_text(
        "stim,participant,gx,gy,dur,type\n7,ann,0.5,0.75,0.2,FIX\n7,ann,0,0,0.1,SACC\n"
        "7,ann,lost,lost,0.1,FIX\n"
    )
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 2"):
        table = read_fixations(path, tmp_path / "mine.toml", sizes=(100, 200))
    assert places(table) == [[99.5, 24.5, 200]]
    assert read_preset(tmp_path / "mine.toml").name == "mine"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("time_unit", "time_units"), "time_units"),
        (('"s"', '"h"'), "time_unit"),
        (('"up"', '"left"'), "y_axis"),
        (("column =", "col ="), "col"),
        (('x = "gx"', ""), "x"),
        (('x = "gx"', "x = 7"), "x"),
        (('"gx"', '"/(/"'), "no preset"),
        (("image =", "image"), "TOML"),
        (('unit = "shares"', 'unit = "shares"\norigin = "one_based"'), "origin"),
    ],
)
def test_invalid_preset_raises_with_file_and_key(tmp_path, change, named):
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(*change, 1))
    with pytest.raises(ValueError, match=rf"mine\.toml.*{named}"):
        read_preset(path)


def test_missing_preset_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_fixations(tmp_path, format=tmp_path / "none.toml")


def test_unknown_format_raises_with_all_names():
    with pytest.raises(ValueError, match=r"`format` must be one of .*'tobii'.*'osie'"):
        read_fixations("table.csv", "toby")


def test_no_name_has_two_formats():
    assert not set(presets()) & set(FORMATS)


def test_format_is_named_for_its_columns(tmp_path):
    for name, rows in {"tobii": [TOBII, *tobii_rows()], "eyelink": eyelink_rows()}.items():
        path = write(tmp_path / "table.txt", rows)
        with pytest.raises(ValueError, match=f'those of format="{name}"'):
            read_fixations(path)


EDGES = {"rectangle": (240, 212, 1040, 812)}
SAMPLES = {
    "eyelink": ("eyelink", "07_eyelink/fixation_report.txt", "truth_report", EDGES, None),
    "tobii": ("tobii", "08_tobii/export.tsv", "truth", None, None),
    "pupil": ("pupil", "10_pupil/core", "truth_core", None, None),
    "marker mapper": ("pupil-cloud", "10_pupil/cloud", "truth_marker_mapper", None, "MARKER*/fix*"),
    "reference image": (
        "pupil-cloud",
        "10_pupil/cloud",
        "truth_reference_image",
        None,
        "REFERENCE*/fix*",
    ),
    "smi": ("smi", "15_smi_begaze/Event Statistics - Single.txt", "truth", None, None),
    "gazepoint": ("gazepoint", "15_gazepoint", "truth", {"display": (1920, 1080)}, None),
    "all gaze": (
        "gazepoint",
        "15_gazepoint",
        "truth",
        {"display": (1920, 1080)},
        "*_all_gaze.csv",
    ),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_shared_sample_has_its_truth(shared, sample):
    name, source, truth, screen, files = SAMPLES[sample]
    folder = shared / "formats" / Path(source).parts[0]
    needs_sizes = name not in {"tobii", "smi"} and sample != "reference image"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedDataWarning)
        table = read_fixations(
            shared / "formats" / source,
            name,
            sizes=read_sizes(folder / "sizes.csv") if needs_sizes else None,
            screen=Screen(**screen) if screen else None,
            files=files,
        )
    expected = pd.read_csv(folder / f"{truth}.csv")
    order = ["image", "observer", "duration", "x", "y"]
    found = table[order].sort_values(order).reset_index(drop=True)
    expected = expected[order].sort_values(order).reset_index(drop=True)
    assert found[order[:2]].to_numpy().tolist() == expected[order[:2]].to_numpy().tolist()
    np.testing.assert_allclose(found[["x", "y"]], expected[["x", "y"]], atol=1e-6)
    np.testing.assert_allclose(found["duration"], expected["duration"], atol=1e-6)


DIALECTS = {
    "semicolon_comma.csv": {}, "utf16.csv": {}, "bom.csv": {}, "latin1.csv": {}, "tab.tsv": {},
    "thousands.csv": {}, "normalised.csv": {"sizes": "sizes.csv"},  # codespell:ignore
    "screen.csv": {"sizes": "sizes.csv", "screen": "display.csv"}, "start_end.csv": {},
    "missing.csv": {}, "comments.csv": {}, "quoted.csv": {},
    "duplicates.csv": {"duplicates": "keep"}, "packed.csv.gz": {},
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_shared_dialect_has_its_truth(shared, name):
    folder = shared / "formats" / "11_csv"
    options = {
        key: folder / value if value.endswith(".csv") else value
        for key, value in DIALECTS[name].items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedDataWarning)
        warnings.simplefilter("ignore", InputWarning)
        table = read_fixations(folder / name, **options)
    truth = pd.read_csv(folder / f"truth_{name.partition('.')[0]}.csv")
    assert table[["image", "observer"]].to_numpy().tolist() == (
        truth[["image", "observer"]].to_numpy().tolist()
    )
    numbers = ["x", "y", "duration"]
    np.testing.assert_allclose(table[numbers], truth[numbers], atol=1e-6)
