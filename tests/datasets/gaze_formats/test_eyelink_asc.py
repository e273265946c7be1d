"""Read small ASC files, with the messages of several laboratories."""

import pytest

from gazesal import InputWarning, SkippedDataWarning
from gazesal.datasets.gaze_formats.registry import read_format
from gazesal.datasets.screens import Screen

SIZES = {"harbour": (600, 800), "market": (600, 800)}
FULL = Screen(display=(1280, 1024))


def efix(start, end, x=640.0, y=512.0, eye="R", step=4, more=""):
    """Return the line of a fixation; the tracker counts its last sample as well."""
    return f"EFIX {eye}   {start}\t{end}\t{end - start + step}\t  {x}\t  {y}\t    780{more}"


def trial(number, *lines, start=1000):
    return [
        f"MSG\t{start - 100} TRIALID {number}",
        f"START\t{start} \tRIGHT\tSAMPLES\tEVENTS",
        f"{start}\t  640.1\t  512.0\t  780.0\t...",
        *lines,
        f"END\t{start + 900} \tSAMPLES\tEVENTS\tRES\t  37.17\t  37.75",
    ]


@pytest.fixture
def write(tmp_path):
    """Write the lines of a recording, and return the path of the file."""

    def to_file(*lines, name="ann", encoding="utf-8"):
        path = tmp_path / f"{name}.asc"
        head = ["** CONVERTED FROM a.edf", "MSG\t10 DISPLAY_COORDS 0 0 1279 1023"]
        path.write_bytes("\n".join([*head, *lines, ""]).encode(encoding))
        return path

    return to_file


def read(path, **options):
    return read_format("eyelink-asc", path, {"sizes": SIZES} | options)


def test_image_and_place_are_read_from_imgload(write, tmp_path):
    loaded = "!V IMGLOAD CENTER ../my images/harbour.JPG 640 512"
    write(*trial(1, efix(952, 1140), f"MSG\t1000 {loaded}", efix(1200, 1300, -35.5, 0)))
    write(*trial(1, f"MSG\t1000 {loaded}", efix(1100, 1108, 239.5, 211.5)), name="bob")
    table = read(tmp_path)
    assert table["observer"].tolist() == ["ann", "ann", "bob"]
    assert set(table["image"]) == {"harbour"}
    # the image has its own size, so its left edge is at 240 and its center at (640, 512)
    assert table[["x", "y"]].to_numpy().tolist() == [[400, 300], [-275.5, -212], [-0.5, -0.5]]
    assert table["duration"].tolist() == [192, 104, 12]
    assert table["start_from_onset"].tolist() == [-48, 200, 100]
    assert table["eye"].tolist() == ["right"] * 3
    assert table["trial"].tolist() == [1] * 3


def test_files_of_the_same_name_are_different_observers(write, tmp_path):
    for folder in ("s1", "s2"):
        (tmp_path / folder).mkdir()
        write(
            *trial(1, "MSG\t1000 !V IMGLOAD FILL harbour.jpg", efix(1100, 1200)),
            name=f"{folder}/recording",
        )
    assert read(tmp_path)["observer"].tolist() == ["s1/recording", "s2/recording"]


def test_suffix_may_have_capital_letters(write, tmp_path):
    path = write(*trial(1, "MSG\t1000 !V IMGLOAD FILL harbour.jpg", efix(1100, 1200)))
    path.rename(tmp_path / "ANN.ASC")
    assert read(tmp_path)["observer"].tolist() == ["ANN"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("!V IMGLOAD FILL harbour.jpg", (640.5 * 800 / 1280 - 0.5, 512.5 * 600 / 1024 - 0.5)),
        ("!V IMGLOAD TOP_LEFT harbour.jpg 100 200", (540, 312)),
        ("!V IMGLOAD TOP_LEFT harbour.jpg 100 200 400 300", (1080.5, 624.5)),
        ("!V IMGLOAD CENTER harbour.jpg 640 512 1600 1200", (399.75, 299.75)),
    ],
)
def test_places_of_imgload(write, message, expected):
    table = read(write(*trial(1, f"MSG\t1000 {message}", efix(1100, 1200))))
    assert table[["x", "y"]].to_numpy()[0] == pytest.approx(expected)


def test_place_may_differ_from_trial_to_trial(write):
    lines = [
        *trial(1, "MSG\t1000 !V IMGLOAD TOP_LEFT harbour.jpg 0 0", efix(1100, 1200)),
        *trial(
            2,
            "MSG\t3000 !V IMGLOAD TOP_LEFT harbour.jpg 400 0",
            efix(3100, 3200),
            start=3000,
        ),
    ]
    assert read(write(*lines))["x"].tolist() == pytest.approx([640, 240])


def test_image_of_a_variable_after_the_trial(write):
    lines = [
        *trial(1, efix(1100, 1200)),
        "MSG\t1901 !V TRIAL_VAR image images\\harbour.jpg",
        "MSG\t1902 !V TRIAL_VAR condition 3",
        *trial(2, efix(3100, 3200), start=3000),
        "MSG\t3901 !V TRIAL_VAR image market.jpg",
    ]
    table = read(write(*lines), screen=FULL)
    assert table["image"].tolist() == ["harbour", "market"]
    assert table["start_from_onset"].isna().all()
    with pytest.raises(ValueError, match="`screen` must"):
        read(write(*lines))


@pytest.mark.parametrize(
    ("on", "off"),
    [
        ("SHOW image=harbour.png", "HIDE image=harbour.png"),
        ("image_onset harbour", "image_offset harbour"),
        ("stim onset: 'pictures/harbour.png'", "harbour.png removed"),
    ],
)
def test_own_messages_begin_and_end_an_image(write, on, off):
    lines = trial(
        1,
        efix(900, 996),
        f"MSG\t1000 {on}",
        efix(1100, 1200),
        f"MSG\t1500 {off}",
        efix(1450, 1600),
        efix(1604, 1700),
    )
    with pytest.warns(SkippedDataWarning, match="omitted 2 of 4 fixations: 2 during which no"):
        table = read(write(*lines), screen=FULL)
    assert table["start"].tolist() == [1100, 1450]
    assert set(table["image"]) == {"harbour"}


def test_pattern_of_own_messages(write):
    lines = trial(
        1, "MSG\t1000 !V IMGLOAD FILL cross.jpg", "MSG\t1000 scene harbour", efix(1, 1200)
    )
    table = read(write(*lines), screen=FULL, image_message=r"scene (\w+)")
    assert table["image"].tolist() == ["harbour"]
    for pattern in ("scene", "scene (", 5):
        with pytest.raises(ValueError, match="`image_message` must"):
            read(write(*lines), screen=FULL, image_message=pattern)


def test_recording_without_images_names_the_remedy(write):
    with pytest.raises(ValueError, match="Give `image_message`"):
        read(write(*trial(1, "MSG\t1000 SYNCTIME", efix(1100, 1200))), screen=FULL)


def test_offset_of_a_message_is_subtracted(write):
    lines = trial(1, "MSG\t1006 6 !V IMGLOAD FILL harbour.jpg", efix(1100, 1200))
    assert read(write(*lines))["start_from_onset"].tolist() == [100]


def test_both_eyes_are_told_and_chosen(write):
    shown = "MSG\t1000 !V IMGLOAD FILL harbour.jpg"
    path = write(*trial(1, shown, efix(1100, 1200, eye="L"), efix(1102, 1202, eye="R", step=2)))
    with pytest.warns(InputWarning, match='eye="left"'):
        assert len(read(path)) == 2
    assert len(read(path, eye="both")) == 2
    assert read(path, eye="right")["duration"].tolist() == [102]
    with pytest.raises(ValueError, match="`eye` must"):
        read(path, eye="R")


def test_missing_positions_resolution_and_half_milliseconds(write):
    shown = "MSG\t1000 !V IMGLOAD FILL harbour.jpg"
    lines = trial(
        1,
        shown,
        efix(1100, 1200, ".", "."),
        efix(1300.5, 1400, step=0.5, more="\t37.17\t37.75"),
    )
    with pytest.warns(SkippedDataWarning, match="1 without a position"):
        table = read(write(*lines))
    assert table["duration"].tolist() == [100]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_names_of_images_in_either_encoding(write, encoding):
    lines = trial(1, "MSG\t1000 !V IMGLOAD FILL mär.jpg", efix(1100, 1200))
    table = read(write(*lines, encoding=encoding), sizes={"mär": (600, 800)})
    assert table["image"].tolist() == ["mär"]


def test_recording_without_trialid_begins_trials_with_start(write):
    lines = [
        line
        for number in (1, 2)
        for line in trial(
            number,
            f"MSG\t{number * 2000} !V IMGLOAD FILL harbour.jpg",
            efix(number * 2000 + 100, number * 2000 + 200),
            start=number * 2000,
        )
        if "TRIALID" not in line
    ]
    assert read(write(*lines))["trial"].tolist() == [1, 2]


def test_damaged_line_names_the_file(write):
    path = write(*trial(1, "MSG\t1000 !V IMGLOAD FILL harbour.jpg", "EFIX R 1100 x 3"))
    with pytest.raises(ValueError, match=r"ann\.asc: cannot be read as an ASC file"):
        read(path)


def test_screen_of_another_size_than_stated_is_a_warning(write):
    path = write(*trial(1, "MSG\t1000 show harbour.png", efix(1200, 1300)))
    with pytest.warns(InputWarning, match="`display`.*1280 x 1024, got 1920 x 1080"):
        read(path, screen=Screen(display=(1920, 1080), placement="center"))
    assert len(read(path, screen=FULL)) == 1
