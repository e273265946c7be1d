"""The registry of formats: facts, options, and errors that all formats share."""

import inspect

import pytest

import gazesal
from gazesal.datasets.gaze_formats.registry import FORMATS, read_format


@pytest.mark.parametrize("name", FORMATS)
def test_function_exists_and_is_short(name):
    form = FORMATS[name]
    function = form.load()
    first, *others = inspect.signature(function).parameters.values()
    assert first.name == "path"
    assert all(each.kind is each.KEYWORD_ONLY for each in others)
    assert form.options == tuple(each.name for each in others)
    assert len(inspect.getsource(function).splitlines()) <= 55  # 40 lines and the docstring


@pytest.mark.parametrize("name", FORMATS)
def test_facts_are_stated(name):
    form = FORMATS[name]
    assert form.name == name
    assert all([form.title, form.source, form.origin, form.unit])
    assert form.url.startswith("http")
    assert ("screen" in form.options) == (form.frame == "screen")


@pytest.mark.parametrize("name", FORMATS)
def test_missing_path_and_unknown_option(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="gone"):
        read_format(name, tmp_path / "gone", {})
    with pytest.raises(ValueError, match=f"`shape` must be an option of the format '{name}'"):
        read_format(name, tmp_path, {"shape": 1})


@pytest.mark.parametrize("name", FORMATS)
def test_empty_folder_is_refused(tmp_path, name):
    with pytest.raises((ValueError, FileNotFoundError), match=tmp_path.name):
        read_format(name, tmp_path, {})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cat2000", {"outside": "raise"}),
        ("cat2000", {"duplicates": "raise"}),
        ("cat2000", {"suffix": "no"}),
        ("mit1003", {"first": True}),
        ("mit1003", {"outside": None}),
        ("salicon", {"samples": "gaze"}),
        ("coco-search18", {"first": "no"}),
    ],
)
def test_invalid_option_is_named(tmp_path, name, options):
    (option,) = options
    with pytest.raises((ValueError, TypeError), match=f"`{option}` must"):
        read_format(name, tmp_path, options)


def test_egd_cxr_durations_are_in_ms(tmp_path):
    path = tmp_path / "fixations.csv"
    path.write_text("DICOM_ID,FPOGD,FPOGID,FPOGV,X_ORIGINAL,Y_ORIGINAL\n0a-1b,0.25,7,1,812,640\n")
    for source in (path, tmp_path):
        table = read_format("egd-cxr", source, {})
        assert table[["image", "x", "y", "duration"]].to_numpy().tolist() == [
            ["0a-1b", 812, 640, 250]
        ]


@pytest.mark.parametrize(
    ("file", "content", "form"),
    [
        ("fixations.mat", b"MATLAB 5.0", '"osie", "figrim", "cat2000"'),
        ("train.json", b"[]", '"coco-search18"'),
        ("events.hdf5", b"\x89HDF", '"psychopy"'),
        ("ann.ASC", b"** CONVERTED FROM ann.edf", '"eyelink-asc"'),
    ],
)
def test_file_that_is_no_table_needs_a_format(tmp_path, file, content, form):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"`format` must be given.*{form}.*\(--format\)"):
        gazesal.read_fixations(tmp_path / file)


def test_table_named_asc_is_read(tmp_path):
    (tmp_path / "a.asc").write_text("image,observer,x,y,duration\n1,ann,2,3,4\n")
    assert len(gazesal.read_fixations(tmp_path / "a.asc")) == 1


def test_folder_without_tables_needs_a_format(tmp_path):
    (tmp_path / "1001.mat").write_bytes(b"")
    with pytest.raises(ValueError, match=r"`format` of the data set \(--format\)"):
        gazesal.read_fixations(tmp_path)
