"""Read small MATLAB files in the layouts of OSIE, FIGRIM, SALICON, CAT2000 and MIT1003."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from gazesal import SkippedDataWarning
from gazesal.datasets.gaze_formats.registry import read_format


def cell(*values):
    """Return a cell (N, 1) of MATLAB."""
    array = np.empty((len(values), 1), object)
    for at, value in enumerate(values):
        array[at, 0] = value
    return array


def struct(**fields):
    """Return a struct (1, 1) of MATLAB."""
    array = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        array[0, 0][name] = value
    return array


def structs(*items):
    """Return a struct array (1, N) of MATLAB."""
    return np.concatenate(items, axis=1)


def write(path, version, **variables):
    """Write a MATLAB file of version 5 with SciPy, or of version 7.3 with mat-io."""
    if version == "5":
        savemat(path, variables)
    else:
        matio = pytest.importorskip("matio")
        matio.save_to_mat(str(path), variables, version="v7.3")


def places(table, *columns):
    return table[["image", "observer", "x", "y", *columns]].to_numpy().tolist()


VERSIONS = pytest.mark.parametrize("version", ["5", "7.3"])
pytestmark = pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")


@VERSIONS
def test_osie_durations_and_observers(tmp_path, version):
    looks = struct(
        fix_x=np.array([[1.0, 400.5]]),
        fix_y=np.array([[2.0, 300.0]]),
        fix_duration=np.array([[200, 65535]], np.uint16),
    )
    nothing = struct(
        fix_x=np.empty((1, 0)), fix_y=np.empty((1, 0)), fix_duration=np.empty((1, 0), np.uint16)
    )
    image = struct(img="1001.jpg", subjects=cell(nothing, looks))
    write(tmp_path / "fixations.mat", version, fixations=cell(image))
    table = read_format("osie", tmp_path / "fixations.mat", {})
    assert places(table, "duration", "order") == [
        ["1001", "2", 0.0, 1.0, 200.0, 1],
        ["1001", "2", 399.5, 299.0, 65535.0, 2],
    ]
    assert table.attrs["durations"] is True
    assert table.attrs["size"] == (600, 800)


@VERSIONS
def test_figrim_views_and_shared_initials(tmp_path, version):
    none = np.empty((1, 0))

    def person(initials, **views):
        fields = dict.fromkeys(("enc", "rec", "rec2"), np.empty((0, 0))) | views
        return struct(sinit=initials, fixations=struct(**fields) if views else none)

    def image(name, *people):
        return struct(filename=name, userdata=structs(*people))

    first, second = np.array([[1.0, 1.0]]), np.array([[11.5, 21.0], [1000.0, 1000.0]])
    content = structs(
        image("sun_b.jpg", person("ab", enc=first, rec=second), person("ab", enc=first)),
        image("sun_a.jpg", person(none), person("ab", rec2=first)),
    )
    write(tmp_path / "allImages_release.mat", version, allImages=content)
    table = read_format("figrim", tmp_path / "allImages_release.mat", {})
    assert places(table, "view", "duration") == [
        ["sun_b", "ab-1", 0.0, 0.0, "enc", 1.0],
        ["sun_b", "ab-1", 10.5, 20.0, "rec", 1.0],
        ["sun_b", "ab-1", 999.0, 999.0, "rec", 1.0],
        ["sun_b", "ab-2", 0.0, 0.0, "enc", 1.0],
        ["sun_a", "ab-2", 0.0, 0.0, "rec2", 1.0],
    ]
    assert table.attrs["durations"] is False


@VERSIONS
def test_salicon_unsigned_integers_do_not_wrap(tmp_path, version):
    worker = struct(
        location=np.array([[0, 3], [700, 2]], np.uint16),
        timestamp=np.array([[9.0], [18.0]]),
        fixations=np.array([[1, 1], [640, 480]], np.uint16),
    )
    idle = struct(
        location=np.empty((0, 2), np.uint16),
        timestamp=np.empty((0, 1)),
        fixations=np.empty((0, 0), np.uint16),
    )
    gaze = np.concatenate([idle, worker], axis=0)
    (tmp_path / "train").mkdir()
    for name in ("COCO_b", "COCO_a"):
        write(tmp_path / "train" / f"{name}.mat", version, image=name, gaze=gaze)
    (tmp_path / "train" / "._COCO_a.mat").write_bytes(b"resource fork of macOS")
    table = read_format("salicon", tmp_path, {})
    assert places(table) == [
        [name, "2", *place] for name in ("COCO_a", "COCO_b") for place in ((0, 0), (639, 479))
    ]
    mouse = read_format("salicon", tmp_path / "train" / "COCO_a.mat", {"samples": "mouse"})
    assert places(mouse, "timestamp") == [["COCO_a", "2", -1, 2, 9], ["COCO_a", "2", 699, 1, 18]]


@pytest.fixture
def cat2000(tmp_path):
    """Write a small ``allFixData.mat``, of both versions that MATLAB writes."""
    matio = pytest.importorskip("matio")
    matclass = pytest.importorskip("matio.utils.matclass")

    def to_file(version="v7"):
        looks = [[10, 20], [10, 20], [np.nan, np.nan], [10, 20], [0.4, 5], [1921, 5], [1920, 1080]]
        people = cell(
            struct(name="24-53-ak.eye", data=np.array(looks)),
            struct(name="1-2-bm.eye", data=np.array([[1920, 1080.0]])),
        )
        content = matclass.MatlabContainerMap({"Action/001.jpg": people, "Art/001.jpg": people})
        matio.save_to_mat(str(tmp_path / "allFixData.mat"), {"allData": content}, version=version)
        return tmp_path

    return to_file


@pytest.mark.parametrize("version", ["v7", "v7.3"])
def test_cat2000_leaves_out_and_counts(cat2000, version):
    expected = "omitted 8 of 16 fixations: 2 without a position .*, 4 beside the image, 2 equal"
    with pytest.warns(SkippedDataWarning, match=expected):
        table = read_format("cat2000", cat2000(version), {})
    ours = [["ak", 9, 19], ["ak", 9, 19], ["ak", 1919, 1079], ["bm", 1919, 1079]]
    assert places(table) == [
        [image, *each] for image in ("Action/001.jpg", "Art/001.jpg") for each in ours
    ]


def test_cat2000_keeps_all_with_a_position(cat2000):
    options = {"outside": "keep", "duplicates": "keep", "suffix": False}
    with pytest.warns(SkippedDataWarning, match=r"omitted 2 of 16 fixations: 2 without"):
        table = read_format("cat2000", cat2000() / "allFixData.mat", options)
    assert len(table) == 14
    assert set(table["image"]) == {"Action/001", "Art/001"}


@VERSIONS
def test_cat2000_pooled_maps_repeat_pixels_by_their_count(tmp_path, version):
    for category in ("Action", "Art"):
        counts = np.zeros((4, 6), np.uint8)
        counts[1, 4], counts[3, 0] = 2, 1
        (tmp_path / "FIXATIONLOCS" / category).mkdir(parents=True)
        write(tmp_path / "FIXATIONLOCS" / category / "001.mat", version, fixLocs=counts)
    table = read_format("cat2000", tmp_path, {})
    assert places(table) == [
        [f"{category}/001.jpg", "all", *place]
        for category in ("Action", "Art")
        for place in ((4, 1), (4, 1), (0, 3))
    ]


def test_map_of_matlab_without_the_extra_names_it(cat2000, monkeypatch):
    folder = cat2000()
    monkeypatch.setitem(sys.modules, "matio", None)
    with pytest.raises(ImportError, match=r"gazesal\[mat\]"):
        read_format("cat2000", folder, {})


def test_mat_io_leaves_the_options_of_pandas(cat2000):
    before = pd.Series(["a"]).dtype
    with pytest.warns(SkippedDataWarning):
        read_format("cat2000", cat2000(), {})
    assert pd.Series(["a"]).dtype == before


def gaze(*stops):
    """Return samples at 240 Hz that stay at each place, with saccades of five samples between."""
    parts = []
    for at, (x, y, samples) in enumerate(stops):
        if at:
            steps = np.array([0.05, 0.25, 0.5, 0.75, 0.95])[:, None]
            parts.append(parts[-1][-1] + steps * (np.array([x, y], float) - parts[-1][-1]))
        parts.append(np.full((samples, 2), [x, y], float))
    return np.concatenate(parts)


@pytest.fixture
def mit1003(tmp_path):
    """Write a recording whose variable's name MATLAB has cut off, and the files beside it."""
    name = "i" + 70 * "a"
    folder = tmp_path / "DATA" / "hp"
    folder.mkdir(parents=True)
    samples = gaze((501, 401, 60), (101, 201, 90), (-640, -480, 50), (301, 301, 80), (1101, 5, 70))
    recording = struct(DATA=struct(eyeData=samples), imgName=f"{name}.jpeg")
    savemat(folder / f"{name}.mat", {name[:31]: recording})
    savemat(folder / "CalibrationData.mat", {"calib": np.eye(2)})
    savemat(folder / "shuff_stimnames.mat", {"stimnames": cell(f"{name}.jpeg")})
    return tmp_path, name


def test_mit1003_detects_fixations(mit1003):
    folder, name = mit1003
    options = {"sizes": {name: (768, 1024)}}
    with pytest.warns(SkippedDataWarning, match="omitted 2 of 5 fixations: 2 beside the image"):
        table = read_format("mit1003", folder / "DATA", options)
    assert places(table) == [
        [name, "hp", 500.0, 400.0],
        [name, "hp", 100.0, 200.0],
        [name, "hp", 300.0, 300.0],
    ]
    # windows of speed reach into a fixation, so that up to 10 samples at its ends are missing
    lost = np.array([60, 90, 80]) * 1000 / 240 - table["duration"]
    assert ((lost >= 0) & (lost <= 10 * 1000 / 240)).all()
    assert table["start_sample"].iloc[0] == 1


def test_mit1003_without_sizes_leaves_out_blinks_only(mit1003):
    folder, _ = mit1003
    with pytest.warns(SkippedDataWarning, match="omitted 1 of 5"):
        table = read_format("mit1003", folder, {})
    assert table["x"].tolist() == [500, 100, 300, 1100]
    later = read_format("mit1003", folder, {"outside": "keep", "first": "drop"})
    assert later["x"].tolist() == [100, -641, 300, 1100]


def test_mit1003_short_fixations_are_part_of_a_saccade(mit1003):
    folder, name = mit1003
    samples = gaze((501, 401, 60), (101, 201, 6), (601, 201, 60))
    recording = struct(DATA=struct(eyeData=samples), imgName=f"{name}.jpeg")
    savemat(folder / "DATA" / "hp" / f"{name}.mat", {name[:31]: recording})
    table = read_format("mit1003", folder, {})
    assert table["x"].tolist() == [500, 600]


def test_mit1003_steady_gaze_is_one_fixation(mit1003):
    folder, name = mit1003
    recording = struct(DATA=struct(eyeData=gaze((501, 401, 24))), imgName=f"{name}.jpeg")
    savemat(folder / "DATA" / "hp" / f"{name}.mat", {name[:31]: recording})
    table = read_format("mit1003", folder, {})
    assert places(table, "duration") == [[name, "hp", 500, 400, 100]]


def test_mit1003_reads_detected_fixations_if_there_are_any(mit1003):
    folder, _ = mit1003
    (folder / "extracted").mkdir()
    savemat(
        folder / "extracted" / "i05_a.jpeg_ya.mat",
        {
            "fixations": np.array([[2.0, 3.5]]),
            "starts": np.array([[7]]),
            "durations": np.array([[101.5]]),
        },
    )
    table = read_format("mit1003", folder, {})
    assert places(table, "duration", "start_sample") == [["i05_a", "ya", 1.0, 2.5, 101.5, 7.0]]


@pytest.mark.parametrize("form", ["osie", "figrim", "salicon", "cat2000", "mit1003"])
def test_other_files_are_refused_by_name(tmp_path, form):
    path = tmp_path / "other.mat"
    savemat(path, {"a": np.eye(3), "b": "text"})
    with pytest.raises(ValueError, match=r"other\.mat: cannot be read as .* Check `format`"):
        read_format(form, path, {})
    path.write_bytes(b"no MATLAB file at all")
    with pytest.raises(ValueError, match=r"other\.mat: cannot be read as .* Check `format`"):
        read_format(form, path, {})


def test_links_to_other_files_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "fixations.mat"
    write(path, "7.3", fixations=np.eye(2))
    with h5py.File(path, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd.h5", "/a")
    with pytest.raises(ValueError, match="must not be a link"):
        read_format("osie", path, {})
