"""Reading of tables of fixations, and errors about invalid files."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from gazesal import InputWarning, SkippedDataWarning, read_fixations

GOOD = "image,observer,x,y,duration\n1,ann,10,20,300\n1,bob,11.5,19,250\n2,ann,0,0,100\n"


def zipped(content):
    """Return an archive of one table."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("fixations.csv", content)
    return file.getvalue()


@pytest.fixture
def write(tmp_path):
    """Write text or bytes as a CSV file and return its path."""

    def _write(content, name="fixations.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def test_several_columns_that_are_missing(write):
    with pytest.raises(ValueError, match=r"columns 'x', 'y' are missing, got 'image'"):
        read_fixations(write("image,observer,duration\n1,ann,300\n"))


def test_reads_columns_and_lines(write):
    table = read_fixations(write(GOOD))
    assert list(table.columns) == ["image", "observer", "x", "y", "duration"]
    assert list(table.index) == [2, 3, 4]
    assert table["image"].tolist() == ["1", "1", "2"]
    assert table["x"].tolist() == [10.0, 11.5, 0.0]


@pytest.mark.parametrize(
    ("origin", "shift"), [("pixel_center", 0.0), ("pixel_corner", 0.5), ("one_based", 1.0)]
)
def test_origin_is_subtracted_from_x_and_y_only(write, origin, shift):
    table = read_fixations(write(GOOD), origin=origin)
    assert table["x"].tolist() == [10 - shift, 11.5 - shift, -shift]
    assert table["y"].tolist() == [20 - shift, 19 - shift, -shift]
    assert table["duration"].tolist() == [300, 250, 100]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_do_not_matter(write, newline):
    plain, other = write(GOOD, "a.csv"), write(GOOD.replace("\n", newline), "b.csv")
    pd.testing.assert_frame_equal(read_fixations(plain), read_fixations(other))


def test_image_names_stay_text(write):
    table = read_fixations(write("image,observer,x,y,duration\n007,1.0,1,2,3\nNA,null,1,2,3\n"))
    assert table["image"].tolist() == ["007", "NA"]
    assert table["observer"].tolist() == ["1.0", "null"]


def test_reads_compressed(write):
    path = write(gzip.compress(GOOD.encode()), "fixations.csv.gz")
    pd.testing.assert_frame_equal(read_fixations(path), read_fixations(write(GOOD)))


def test_reads_parquet_by_row(tmp_path):
    path = tmp_path / "fixations.parquet"
    frame = pd.DataFrame(
        {
            "image": [1001, 1002],
            "observer": [3, 4],
            "x": [1.0, 2.0],
            "y": [0, 5],
            "duration": [9, 8],
        }
    )
    frame.to_parquet(path)
    table = read_fixations(path, origin="pixel_corner")
    assert table.index.tolist() == [1, 2]
    assert table.index.name == "row"
    assert table["image"].tolist() == ["1001", "1002"]
    assert table["y"].tolist() == [-0.5, 4.5]


def test_columns_can_be_renamed_and_durations_omitted(write):
    path = write("image,observer,x,y,duration_ms\n1,a,1,2,300\n")
    assert read_fixations(path, columns={"duration": "duration_ms"})["duration"].tolist() == [300]
    assert read_fixations(path, columns={"duration": ""})["duration"].tolist() == [1.0]


def test_duplicates_raise_or_are_dropped_or_kept(write):
    path = write(GOOD + "1,bob,11.5,19,250\n")
    with pytest.raises(ValueError, match=r"fixations\.csv, line 5: repeats line 3 in every column"):
        read_fixations(path)
    assert read_fixations(path, duplicates="drop").index.tolist() == [2, 3, 4]
    assert len(read_fixations(path, duplicates="keep")) == 4


def test_rows_that_differ_in_any_column_are_not_duplicates(write):
    path = write("image,observer,index,x,y,duration\n1,a,0,5,5,200\n1,a,1,5,5,200\n")
    assert len(read_fixations(path)) == 2


BAD_ROWS = {
    "nan": ("1,ann,nan,20,300", r"line 2, column 'x': must be a finite number, got 'nan'"),
    "empty": ("1,ann,10,,300", r"line 2, column 'y': must be a finite number, got ''"),
    "infinite": ("1,ann,10,20,inf", r"line 2, column 'duration': must be a finite number"),
    "word": ("1,ann,ten,20,300", r"line 2, column 'x': must be a finite number, got 'ten'"),
    "negative": ("1,ann,10,20,-1", r"line 2, column 'duration': must be non-negative"),
    "no image": (",ann,10,20,300", r"line 2, column 'image': the value is missing"),
    "no observer": ("1, ,10,20,300", r"line 2, column 'observer': the value is missing"),
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_invalid_row_raises(write, row):
    text, message = BAD_ROWS[row]
    with pytest.raises(ValueError, match=r"fixations\.csv, " + message):
        read_fixations(
            write(f"image,observer,x,y,duration\n{text}\n1,bob,1,1,1\n"), missing="raise"
        )


BAD_FILES = {
    "missing column": (b"image,observer,x,y\n1,a,1,1\n", r"column 'duration' is missing, got"),
    "no rows": (b"image,observer,x,y,duration\n", r"must have at least one fixation"),
    "nothing": (b"", r"cannot be read as a CSV table"),
    "not utf-8": (b"image,observer,x,y,duration\n\x81,a,1,1,1\n", r"cannot be read as a CSV"),
    "long first row": (b"image,observer,x,y,duration\n1,a,1,1,1,9\n", r"cannot be read as a CSV"),
    "long row": (b"image,observer,x,y,duration\n1,a,1,1,1\n1,b,1,1,1,9\n", r"cannot be read as"),
}


@pytest.mark.parametrize("file", BAD_FILES)
def test_invalid_file_raises(write, file):
    content, message = BAD_FILES[file]
    with pytest.raises(ValueError, match=r"fixations\.csv: " + message):
        read_fixations(write(content))


def test_truncated_archive_raises(write):
    rng = np.random.default_rng(0)
    lines = [f"1,a,{x:.6f},{x:.6f},1" for x in rng.random(500)]
    whole = gzip.compress(("image,observer,x,y,duration\n" + "\n".join(lines)).encode())
    with pytest.raises(ValueError, match=r"cut\.csv\.gz: cannot be read as a CSV table"):
        read_fixations(write(whole[: len(whole) // 2], "cut.csv.gz"))


def test_truncated_parquet_file_raises(write, tmp_path):
    path = tmp_path / "whole.parquet"
    pd.DataFrame(
        {"image": ["1"] * 99, "observer": "a", "x": 1.0, "y": 1.0, "duration": 1.0}
    ).to_parquet(path)
    cut = write(path.read_bytes()[:200], "cut.parquet")
    with pytest.raises(ValueError, match=r"cut\.parquet: cannot be read as a Parquet table"):
        read_fixations(cut)


def test_blank_lines_are_counted_and_omitted(write):
    path = write("image,observer,x,y,duration\n\n1,a,1,1,1\n\n1,b,2,2,2\n")
    assert read_fixations(path).index.tolist() == [3, 5]
    path = write("image,observer,x,y,duration\n\n1,a,1,1,1\n1,b,nan,2,2\n")
    with pytest.raises(ValueError, match="line 4, column 'x'"):
        read_fixations(path, missing="raise")


PACKED = {
    "csv": bytes,
    "csv.gz": gzip.compress,
    "csv.bz2": bz2.compress,
    "csv.xz": lzma.compress,
    "csv.zip": zipped,
}


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_commas_are_rows_and_blank_lines_are_not(write, suffix, newline):
    header, note = "image,observer,x,y,duration,note", '1,b,2,2,2,"two\n\nparagraphs"'
    lines = [header, "", '"1",a,1,1,1,', "", "", note, ""]
    path = write(PACKED[suffix](newline.join(lines).encode()), f"fixations.{suffix}")
    assert read_fixations(path).index.tolist() == [3, 6]
    for commas in (",,,,", ",", '""'):
        text = newline.join([*lines[:4], commas, *lines[5:]])
        write(PACKED[suffix](text.encode()), f"fixations.{suffix}")
        with pytest.raises(ValueError, match="line 5, column 'image': the value is missing"):
            read_fixations(path, missing="raise")


def test_byte_order_mark_is_not_part_of_the_first_name(write):
    assert len(read_fixations(write(b"\xef\xbb\xbf" + GOOD.encode()))) == 3


def test_columns_with_the_same_name_raise(write):
    with pytest.raises(ValueError, match="must have different names, got 'x' 2 times"):
        read_fixations(write("image,observer,x,y,duration,x\n1,a,1,1,1,2\n"))


@pytest.mark.parametrize("columns", [{"x": ""}, {"x": "y"}, {"duration": "x"}])
def test_columns_must_be_different(write, columns):
    with pytest.raises(ValueError, match="`columns` must"):
        read_fixations(write(GOOD), columns=columns)


@pytest.mark.parametrize("suffix", ["csv.zip", "csv.gz", "parquet"])
def test_flipped_bytes_raise_value_error_only(tmp_path, suffix):
    """A damaged file is read or raises a ValueError with its name."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"image": "1", "observer": "a", "x": 99 * rng.random(40), "y": 1.0})
    table["duration"] = 1.0
    whole, broken = tmp_path / f"whole.{suffix}", tmp_path / f"broken.{suffix}"
    if suffix == "parquet":
        table.to_parquet(whole)
    else:
        table.to_csv(whole, index=False)
    data = np.frombuffer(whole.read_bytes(), np.uint8)
    messages = []
    for _ in range(100):
        copy = data.copy()
        copy[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        broken.write_bytes(copy.tobytes())
        try:
            read_fixations(broken)
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 10
    assert all(f"broken.{suffix}" in message for message in messages)


def test_parquet_columns_of_other_types_raise(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame({"image": ["1"], "observer": "a", "x": pd.Timestamp("2020"), "y": 1.0})
    frame.assign(duration=1.0).to_parquet(path)
    with pytest.raises(ValueError, match=r"a\.parquet.*column 'x'"):
        read_fixations(path)


def test_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_fixations(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match=r"none\.parquet"):
        read_fixations(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("option", "value"),
    [("origin", "middle"), ("duplicates", "ignore"), ("columns", {"time": "t"})],
)
def test_invalid_options_raise(write, option, value):
    with pytest.raises(ValueError, match=f"`{option}` must"):
        read_fixations(write(GOOD), **{option: value})


def test_arguments_of_the_wrong_type_raise(write):
    for source in (None, b"a.csv", 7):
        with pytest.raises(TypeError, match="`source` must be a path, as str or "):
            read_fixations(source)
    with pytest.raises(TypeError, match=r"`columns` must be a mapping .*, got str"):
        read_fixations(write(GOOD), columns="x")


def test_table_of_one_observer_needs_no_names(write):
    path = write("image,x,y\n1,1,2\n2,3,4\n")
    table = read_fixations(path, columns={"observer": "", "duration": ""})
    assert table["observer"].tolist() == ["1", "1"]
    assert table["duration"].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="Only observer and duration may be empty"):
        read_fixations(path, columns={"observer": "", "x": ""})


DELIMITERS = {"semicolon": ";", "tab": "\t", "bar": "|", "comma": ","}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-32"]


def encoded(text, encoding):
    if encoding == "utf-16-le-bom":
        return b"\xff\xfe" + text.encode("utf-16-le")
    return text.encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", DELIMITERS.values(), ids=DELIMITERS)
@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_clear_dialects_are_detected(write, encoding, delimiter, comma, newline):
    expected = read_fixations(write(GOOD, "a.csv"))
    text = GOOD.replace(",", delimiter)
    if comma and delimiter == ",":
        text = text.replace("11.5", '"11,5"')
    elif comma:
        text = text.replace("11.5", "11,5")
    path = write(encoded(text.replace("\n", newline), encoding), "b.csv")
    pd.testing.assert_frame_equal(read_fixations(path), expected)


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n"])
def test_line_with_the_delimiter_is_used_and_counted(write, line):
    table = read_fixations(write(line + GOOD.replace(",", ";")))
    assert table.index.tolist() == [3, 4, 5]
    assert table["x"].tolist() == [10.0, 11.5, 0.0]


UNCLEAR = {
    "thousands": (GOOD.replace(",", ";").replace("11.5", "1,234"), "decimal"),
    "mixed signs": (GOOD.replace(",", ";").replace(";19;", ";1,9;"), "decimal"),
    "points": (GOOD.replace(",", ";").replace("11.5", "1.234"), "decimal"),
    "even": ("image;observer|x;y|duration\n1;a;1;1;1\n", "delimiter"),
    "blanks": ("image observer x y duration\n1 a 1 1\n", "delimiter"),
    "unquoted decimal commas": ("image,observer,x,y,duration\n1,a,1,5,2,240\n", "decimal"),
    "not Windows": (GOOD.encode().replace(b"ann", b"\x81\x8d"), "encoding"),
}


@pytest.mark.parametrize("kind", UNCLEAR)
def test_unclear_dialects_raise_with_the_argument(write, kind):
    content, named = UNCLEAR[kind]
    with pytest.raises(ValueError, match=rf"fixations\.csv.*{named}"):
        read_fixations(write(content))


FOUND_OUT = {
    "both signs": (GOOD.replace(",", ";").replace("11.5", "1.234,5"), 1234.5),
    "both signs, commas": (GOOD.replace("11.5", '"1,234.5"'), 1234.5),
    "thousands twice": (GOOD.replace("11.5", '"1,234,500"'), 1234500),
    "no-break spaces": (GOOD.replace("11.5", "1\u00a0234.5"), 1234.5),
    "narrow spaces": (GOOD.replace(",", ";").replace("11.5", "1\u202f234,5"), 1234.5),
    "apostrophes": (GOOD.replace("11.5", "1'234.5"), 1234.5),
    "a comma in one name": ("image;observer;x;y;a,b;duration\n0;a;0;0;k;1\n1;a;5;1;2;1\n", 5),
    "blanks": ("image observer   x y duration\n0 a 1 1 1\n1 a 2.5 1 1\n", 2.5),
    "no mark": (GOOD.encode("utf-16-le"), 11.5),
    "no mark, big-endian": (GOOD.encode("utf-16-be"), 11.5),
    "comments": (f"# a tracker, 1.0\n% px; ms; s; s; s; s\n\n{GOOD}# the end\n", 11.5),
    "header in a comment": (
        "# image,observer,x,y,duration\n1,1,10,20,300\n1,2,11.5,19,250\n",
        11.5,
    ),
    "units": (GOOD.replace("duration\n", "duration\n,,px,px,ms\n"), 11.5),
    "delimiters at the ends": (GOOD.replace("\n", ",\n").replace("duration,", "duration"), 11.5),
}


@pytest.mark.parametrize("kind", FOUND_OUT)
def test_other_dialects_are_found_out(write, kind):
    content, x = FOUND_OUT[kind]
    assert read_fixations(write(content))["x"].iloc[1] == x


def test_windows_encoding_is_read_with_a_warning(write):
    path = write("image,observer,x,y,duration\n1,Andr\u00e9,1,1,1\n".encode("cp1252"))
    with pytest.warns(InputWarning, match=r"Windows-1252.*'Andr\u00e9'.*encoding="):
        assert read_fixations(path)["observer"].tolist() == ["Andr\u00e9"]


NAMES = {
    "other words": "stimulus,participant,fix_x,fix_y,dur",
    "units": "Image Name,Subject ID,X [px],Y [px],Duration (ms)",
    "capitals": "imageName,Reader,FixationX,FixationY,fixDuration",
    "our own first": "image,observer,x,y,duration,fix_x",
}


@pytest.mark.parametrize("kind", NAMES)
def test_columns_of_usual_names_are_found(write, kind):
    table = read_fixations(
        write(f"{NAMES[kind]}\n7.png,ann,1,2,3{',9' * (kind == 'our own first')}\n")
    )
    assert table.iloc[0].tolist() == ["7", "ann", 1, 2, 3]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("image,observer,fix_x,fix_y,gaze_x,gaze_y,duration", "columns for x and y"),
        ("image,subject,reader,x,y,duration,k", "column for observer"),
        ("image,observer,x,y,fix_duration,dwell_time,k", "column for duration"),
        ("image,observer,x_deg,y_deg,duration,k,l", "'x_deg'.* must be pixels or shares"),
        ("image,observer,x_px,y_norm,duration,k,l", "must have the same unit"),
        ("image,observer,screen_x,screen_y,duration,k,l", "`screen` must say"),
        ("image,observer,x_norm,y_norm,duration,k,l", "`sizes` must give"),
    ],
)
def test_columns_that_are_not_clear_raise(write, header, named):
    with pytest.raises(ValueError, match=named):
        read_fixations(write(f"{header}\n1,1,1,1,1,1,1\n"))


def test_durations_follow_from_start_and_end_in_milliseconds(write):
    path = write("image,observer,x,y,onset_s,offset_s\n1,a,1,2,0.5,0.75\n1,a,1,2,0.9,1.5\n")
    np.testing.assert_allclose(read_fixations(path)["duration"], [250, 600])
    assert read_fixations(path, time_unit="ms")["duration"].tolist() == [0.25, 0.6]
    path = write("image,observer,x,y,start,end\n1,a,1,2,5,4\n")
    with pytest.raises(ValueError, match="line 2, column 'end': must be non-negative"):
        read_fixations(path)


def test_other_events_than_fixations_are_omitted_and_counted(write):
    rows = "1,a,1,2,3,FIX\n1,a,9,9,9,SACC\n1,a,8,8,8,blink\n"
    path = write(f"image,observer,x,y,duration,event\n{rows}")
    with pytest.warns(SkippedDataWarning, match="omitted 2 of 3 rows .* 'SACC', 'blink'"):
        assert read_fixations(path)["x"].tolist() == [1]
    path = write(f"image,observer,x,y,duration,event\n{rows[14:]}")
    with pytest.raises(ValueError, match="column 'event': must have fixations"):
        read_fixations(path)


def test_names_lose_the_suffix_of_a_picture_unless_two_become_the_same(write):
    rows = ["a/7.png", "8.v2", "b/9.JPG"]
    text = "".join(f"{name},ann,1,2,3\n" for name in rows)
    table = read_fixations(write(f"image,observer,x,y,duration\n{text}"))
    assert table["image"].tolist() == ["7", "8.v2", "9"]
    table = read_fixations(write(f"image,observer,x,y,duration\n{text}b/7.png,ann,1,2,3\n"))
    assert table["image"].tolist() == ["a/7", "8.v2", "b/9", "b/7"]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_workbook_raises(write, start):
    with pytest.raises(ValueError, match=r"workbook.*Save its sheet as CSV"):
        read_fixations(write(start + bytes(99), "fixations.xlsx"))


def test_dialect_can_be_given(write):
    path = write("image;observer;x;y;a,b;duration\n1;a;1,234;2;k;1\n")
    table = read_fixations(path, delimiter=";", decimal=",")
    assert table[["x", "y", "duration"]].to_numpy().tolist() == [[1.234, 2, 1]]
    path = write("image  observer x   y duration\n1 a  1.5 2 3\n")
    assert read_fixations(path, delimiter=" ")["x"].tolist() == [1.5]
    path = write("image,observer,x,y,duration\n1,Andr\u00e9,1,1,1\n".encode("cp1252"))
    assert read_fixations(path, encoding="cp1252")["observer"].tolist() == ["Andr\u00e9"]
    path = write(GOOD.encode("utf-16-le"))
    assert len(read_fixations(path, encoding="utf-16-le")) == 3
    with pytest.raises(ValueError, match=r'with decimal=","'):
        read_fixations(write(GOOD), decimal=",")


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("delimiter", "", ValueError),
        ("delimiter", "ab", ValueError),
        ("delimiter", 3, TypeError),
        ("decimal", ";", ValueError),
        ("encoding", "klingon", ValueError),
        ("encoding", 8, TypeError),
        ("missing", "ignore", ValueError),
    ],
)
def test_invalid_dialects_raise(write, option, value, error):
    with pytest.raises(error, match=f"`{option}` must"):
        read_fixations(write(GOOD), **{option: value})


def test_dialect_of_parquet_raises(tmp_path):
    pd.DataFrame({"image": ["1"], "observer": "a", "x": 1.0, "y": 1.0, "duration": 1.0}).to_parquet(
        tmp_path / "a.parquet"
    )
    with pytest.raises(ValueError, match=r"a\.parquet: `delimiter`, .* must be used with"):
        read_fixations(tmp_path / "a.parquet", delimiter=";")


@pytest.mark.parametrize("mark", [".", "n/a", "NaN", "", "-", "NULL", "N/A", " . "])
def test_rows_without_a_position_raise_or_are_omitted(write, mark):
    path = write(GOOD + f"2,bob,{mark},{mark},90\n2,cem,5,5,{mark}\n")
    with pytest.raises(ValueError, match=r"line 5, column 'x': .*missing=\"drop\""):
        read_fixations(path, missing="raise")
    with pytest.warns(SkippedDataWarning, match=r"fixations\.csv: omitted 2 of 5 rows"):
        table = read_fixations(path)
    pd.testing.assert_frame_equal(table, read_fixations(write(GOOD, "good.csv")))


def test_rows_without_a_position_in_parquet_are_omitted(tmp_path):
    frame = pd.DataFrame({"image": ["1", "1"], "observer": "a", "x": [1.0, None], "y": 1.0})
    frame.assign(duration=1.0).to_parquet(tmp_path / "a.parquet")
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 2 rows"):
        table = read_fixations(tmp_path / "a.parquet", missing="drop")
    assert table.index.tolist() == [1]


def test_table_of_missing_positions_raises(write):
    path = write("image,observer,x,y,duration\n1,a,.,.,1\n")
    with (
        pytest.warns(SkippedDataWarning),
        pytest.raises(ValueError, match="must have at least one fixation"),
    ):
        read_fixations(path, missing="drop")


@pytest.mark.parametrize("duplicates", ["raise", "drop", "keep"])
def test_nested_columns_of_parquet_are_compared(tmp_path, duplicates):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    base = {"image": ["1", "1"], "observer": ["a", "a"], "x": [1.0, 1], "y": [1.0, 1]}
    base["duration"] = [1.0, 1.0]
    extras = {
        "list": pa.array([[1.0], [2.0]]),
        "struct": pa.array([{"a": 1}, {"a": 2}]),
        "map": pa.array([[("a", 1)], [("b", 1)]], pa.map_(pa.string(), pa.int64())),
        "long": pa.array([list(range(5000)), [*range(4999), 0]]),
    }
    for name, extra in extras.items():
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({**base, "extra": extra}), path)
        assert len(read_fixations(path, duplicates=duplicates)) == 2
        pq.write_table(pa.table({**base, "extra": extra.take(pa.array([0, 0]))}), path)
        if duplicates == "raise":
            with pytest.raises(ValueError, match="row 2: repeats row 1"):
                read_fixations(path)
        else:
            assert len(read_fixations(path, duplicates=duplicates)) == 1 + (duplicates == "keep")


def test_folder_names_do_not_become_parquet_columns(tmp_path):
    folder = tmp_path / "observer=eve"
    folder.mkdir()
    frame = pd.DataFrame({"image": ["1"], "observer": "ann", "x": 1.0, "y": 1.0, "duration": 1.0})
    frame.to_parquet(folder / "a.parquet")
    assert read_fixations(folder / "a.parquet")["observer"].tolist() == ["ann"]


def test_parquet_columns_of_bools_raise_and_times_become_milliseconds(tmp_path):
    frame = pd.DataFrame({"image": ["1", "2"], "observer": "a", "x": 1.0, "y": 1.0})
    times = pd.to_timedelta([0.25, 1.5], unit="s")
    frame.assign(duration=times).to_parquet(tmp_path / "a.parquet")
    assert read_fixations(tmp_path / "a.parquet")["duration"].tolist() == [250, 1500]
    frame.assign(duration=[True, False]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet, column 'duration': must be numbers"):
        read_fixations(tmp_path / "a.parquet")


def test_pixels_that_look_like_shares_are_told(tmp_path):
    path = tmp_path / "table.csv"
    rows = "".join(f"7,ann,0.{i}5,0.{9 - i},200\n" for i in range(9))
    path.write_text("image,observer,x,y,duration\n" + rows)
    with pytest.warns(InputWarning, match='unit="shares"'):
        as_pixels = read_fixations(path)
    as_shares = read_fixations(path, unit="shares", sizes=(100, 200))
    np.testing.assert_allclose(as_shares["x"], as_pixels["x"] * 200 - 0.5)
