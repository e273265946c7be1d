"""Reading of EGD-CXR: columns, omitted rows, and errors about invalid files."""

import pytest

from gazesal import SkippedDataWarning, gaze_heatmap
from gazesal.datasets import read_egd_fixations

HEADER = (
    "SESSION_ID,DICOM_ID,CNT,Time (in secs),TIMETICK(f=10000000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,"
    "FPOGV,X_ORIGINAL,Y_ORIGINAL"
)


def row(image="0a-1b", number=1, x=812, y=640, duration=0.25, valid=1, session=1):
    """Return a line of the table."""
    return f"{session},{image},9,1.5,77,0.4,0.5,1.2,{duration},{number},{valid},{x},{y}"


@pytest.fixture
def write(tmp_path):
    """Write lines to a file and return its path."""

    def to_file(*lines, newline="\n"):
        path = tmp_path / "fixations.csv"
        path.write_bytes((newline.join([HEADER, *lines]) + newline).encode())
        return path

    return to_file


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_reads_all_columns(write, newline):
    path = write(row(), row(number=2, x=0, y=0), row("0a-2c", duration=0), newline=newline)
    table = read_egd_fixations(path)
    assert list(table.columns) == ["image", "observer", "x", "y", "duration"]
    assert table.index.tolist() == [2, 3, 4]
    assert table["image"].tolist() == ["0a-1b", "0a-1b", "0a-2c"]
    assert table["observer"].nunique() == 1
    assert table.loc[2, ["x", "y", "duration"]].tolist() == [812, 640, 0.25]
    assert table.attrs == {
        "source": str(path),
        "n_invalid": 0,
        "n_off_image": 0,
        "images_lost": [],
    }


def test_truncated_positions_are_pixel_centers(write):
    """A position from the corner, truncated to a whole number, is the pixel that contains it."""
    from_corner = [(10.0, 4.0), (10.99, 4.5), (0.2, 0.99)]
    lines = [row(number=i, x=int(x), y=int(y)) for i, (x, y) in enumerate(from_corner)]
    table = read_egd_fixations(write(*lines))
    for (x, y), (ours_x, ours_y) in zip(from_corner, table[["x", "y"]].to_numpy(), strict=True):
        assert ours_x - 0.5 <= x - 0.5 < ours_x + 0.5
        assert ours_y - 0.5 <= y - 0.5 < ours_y + 0.5
    moved = read_egd_fixations(write(row(x=10.75, y=4)), origin="pixel_corner")
    assert moved.loc[2, ["x", "y"]].tolist() == [10.25, 3.5]


def test_invalid_rows_are_omitted_and_counted(write):
    path = write(
        row(number=1),
        row(number=2, valid=0, x="", y=""),
        row(number=3, x=-2, y=-2),
        row("0a-2c", number=4, x=-2, y=-3),
    )
    with pytest.warns(
        SkippedDataWarning, match="1 of 4 rows .* invalid and 2 without a position"
    ) as w:
        table = read_egd_fixations(path)
    assert "No row is left of 1 images" in str(w[0].message)
    assert table.index.tolist() == [2]
    assert (table.attrs["n_invalid"], table.attrs["n_off_image"]) == (1, 2)
    assert table.attrs["images_lost"] == ["0a-2c"]


def test_positions_beyond_the_border_are_kept(write):
    table = read_egd_fixations(write(row(x=20, y=3), row(number=2, x=5, y=3)))
    with pytest.raises(ValueError, match="1 of 2 do not"):
        gaze_heatmap(table[["x", "y"]], (10, 20), sigma=2)
    gaze = gaze_heatmap(table[["x", "y"]], (10, 20), sigma=2, outside="keep")
    assert gaze.sum() == pytest.approx(1)


def test_repeated_rows_of_a_fixation_raise_or_keep_the_longest(write):
    lines = [row(duration=d, x=x) for d, x in ((0.1, 1), (0.3, 2), (0.3, 3), (0.2, 4))]
    path = write(*lines, row(number=2), row("0a-2c"), row(session=2))
    with pytest.raises(ValueError, match=r"line 3, column 'FPOGID': must have one row.* 3 such"):
        read_egd_fixations(path)
    table = read_egd_fixations(path, duplicates="longest")
    assert table.index.tolist() == [3, 6, 7, 8]  # rows of other fixations, images and sessions stay


BAD = {
    "flag": (row(valid=2), "line 2, column 'FPOGV': must be 0 or 1, got '2'"),
    "no flag": (row(valid=""), "line 2, column 'FPOGV': must be a finite number"),
    "duration": (row(duration=-0.1), "line 2, column 'FPOGD': must be a non-negative duration"),
    "place": (row(x="nan"), "line 2, column 'X_ORIGINAL': must be a finite number"),
    "no place": (row(y=""), "line 2, column 'Y_ORIGINAL': must be a finite number"),
    "no image": (row(image=" "), "line 2, column 'DICOM_ID': must be the image's id"),
    "nothing valid": (row(valid=0), "must hold at least one valid fixation"),
    "nothing on the image": (row(x=-1, y=-1), "must hold at least one valid fixation"),
}


@pytest.mark.parametrize("kind", BAD)
def test_invalid_rows_raise(write, kind):
    line, message = BAD[kind]
    with pytest.raises(ValueError, match=rf"fixations\.csv.*{message}"):
        read_egd_fixations(write(line))


def test_invalid_files_and_options_raise(write, tmp_path):
    with pytest.raises(ValueError, match="must have at least one fixation"):
        read_egd_fixations(write())
    path = write(row())
    path.write_text(path.read_text().replace("X_ORIGINAL", "X"))
    with pytest.raises(ValueError, match="column 'X_ORIGINAL' is missing"):
        read_egd_fixations(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="cannot be read as a CSV table"):
        read_egd_fixations(path)
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_egd_fixations(tmp_path / "none.csv")
    with pytest.raises(TypeError, match=r"`path` must be a path, .* got None"):
        read_egd_fixations(None)
    with pytest.raises(ValueError, match="`origin` must be one of"):
        read_egd_fixations(path, origin="top")
    with pytest.raises(ValueError, match="`duplicates` must be one of"):
        read_egd_fixations(path, duplicates="drop")


def test_ids_that_are_cut_off_warn(write):
    whole = "-".join([each * 8 for each in "abcde"])
    with pytest.warns(UserWarning, match=r"fixations\.csv: 2 ids .* fewer than 44 .* cut off"):
        table = read_egd_fixations(write(row(whole[:39]), row(whole[:35]), row(whole)))
    assert set(table["image"]) == {whole[:39], whole[:35], whole}
    assert len(read_egd_fixations(write(row(whole)))) == 1  # without a warning
