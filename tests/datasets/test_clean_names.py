"""Spellings of a name are unified, and names that only look the same raise."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from gazesal import (
    cases_from_manifest,
    cases_from_tables,
    find_maps,
    open_maps,
    read_fixations,
    read_sizes,
)
from gazesal.reporting.pictures import find_picture

NFC = "n\u00e9"
NFD = unicodedata.normalize("NFD", NFC)
FORMS = [NFC, NFD, f" {NFC} ", f"{NFD}\t"]
UNSEEN = {"zero-width": "a\u200bb", "byte order": "a\ufeffb", "escape": "a\x1b[31m", "line": "a\nb"}
UNSEEN |= {"right-to-left": "a\u202eb", "soft hyphen": "a\u00adb", "line of Unicode": "a\u2028b"}


def table(*images, observers=("1",)):
    """Return a table with one fixation of each observer on each image."""
    rows = [(image, observer, 1.0, 1.0, 1.0) for image in images for observer in observers]
    return pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])


def folder_of_maps(root, name):
    (root / "m").mkdir(parents=True)
    np.save(root / "m" / f"{name}.npy", np.eye(5))
    return find_maps(root)


def npz_of_maps(root, name):
    root.mkdir()
    np.savez(root / "m.npz", **{name: np.eye(5)})
    return find_maps(root)


def stack_of_maps(root, name):
    root.mkdir()
    np.savez(root / "m.npz", maps=np.eye(5)[None], names=np.array([name]))
    return find_maps(root)


def hdf5_of_maps(root, name):
    h5py = pytest.importorskip("h5py")
    root.mkdir()
    with h5py.File(root / "m.h5", "w") as file:
        file[name] = np.eye(5)
    return find_maps(root)


def zarr_of_maps(root, name):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(root / "m.zarr", mode="w").create_array(name, data=np.eye(5))
    return find_maps(root)


def dict_of_maps(root, name):
    return {"m": {name: np.eye(5)}}


MAPS = [folder_of_maps, npz_of_maps, stack_of_maps, hdf5_of_maps, zarr_of_maps, dict_of_maps]


@pytest.mark.parametrize("make", MAPS)
@pytest.mark.parametrize("form", FORMS)
def test_maps_are_found_by_every_spelling_of_a_name(tmp_path, make, form):
    maps = make(tmp_path / "maps", form)
    for other in FORMS:
        for sizes in ((5, 5), {NFD: (5, 5)}, {f"{NFC} ": (5, 5)}):
            cases = cases_from_tables(table(other), maps, sizes)
            assert [case.image for case in cases] == [NFC]
            np.testing.assert_array_equal(cases[0].load_map("m"), np.eye(5))


@pytest.mark.parametrize("make", MAPS[:-1])
def test_maps_in_two_spellings_of_a_name_raise(tmp_path, make):
    if make is stack_of_maps:
        np.savez(tmp_path / "m.npz", maps=np.zeros((2, 3, 3)), names=np.array([NFC, NFD]))
        with pytest.raises(ValueError, match=r"m\.npz: image .n.. must have one map"):
            open_maps(tmp_path / "m.npz")
        return
    if make is folder_of_maps:
        folder_of_maps(tmp_path / "maps", NFC)
        np.save(tmp_path / "maps" / "m" / f"{NFD}.npy", np.eye(5))
    elif make is npz_of_maps:
        np.savez(tmp_path / "maps.npz", **{NFC: np.eye(5), NFD: np.eye(5)})
    elif make is hdf5_of_maps:
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "maps.h5", "w") as file:
            file[NFC], file[NFD] = np.eye(5), np.eye(5)
    else:
        zarr = pytest.importorskip("zarr")
        group = zarr.open_group(tmp_path / "maps.zarr", mode="w")
        group.create_array(NFC, data=np.eye(5))
        group.create_array(NFD, data=np.eye(5))
    with pytest.raises(ValueError, match=r"one map|different"):
        find_maps(next(tmp_path.iterdir()))


def test_mapping_with_two_spellings_of_a_name_raises():
    for maps, sizes in (({NFC: 1, NFD: 1}, (5, 5)), ({NFC: np.eye(5)}, {NFC: (5, 5), NFD: (5, 5)})):
        with pytest.raises(ValueError, match=r"must be different.*NFC and NFD"):
            cases_from_tables(table(NFC), {"m": maps}, sizes)
    with pytest.raises(ValueError, match="methods of `maps` must be different"):
        cases_from_tables(table("a"), {"m": {}, "m ": {}}, (5, 5))


def test_spellings_of_an_observer_are_unified():
    cases = cases_from_tables(table("a", observers=FORMS), {"m": {"a": np.eye(5)}}, (5, 5))
    assert {name: len(gaze.points) for name, gaze in cases[0].gaze.items()} == {NFC: len(FORMS)}


def test_names_of_tables_and_sizes_on_disk_are_clean(tmp_path):
    for form in FORMS:
        path = tmp_path / "a.csv"
        path.write_text(f"image, observer ,x,y,duration\n{form},{form},1,1,1\n", "utf-8")
        found = read_fixations(path)
        assert found[["image", "observer"]].to_numpy().tolist() == [[NFC, NFC]]
        path.write_text(f"image,width,height\n{form},2,3\n", "utf-8")
        assert read_sizes(path) == {NFC: (3, 2)}
    path.write_text(f"image,width,height\n{NFC},2,3\n{NFD},2,3\n", "utf-8")
    with pytest.raises(ValueError, match=r"a\.csv, line 3: images must differ"):
        read_sizes(path)


def test_pictures_are_found_by_every_spelling_of_a_name(tmp_path):
    np.save(tmp_path / f"{NFD}.npy", np.eye(3))
    for form in FORMS:
        np.testing.assert_array_equal(find_picture(tmp_path, form), np.eye(3))


def test_numbers_as_names_match_the_maps():
    """In a column with missing values, pandas stores integers as floats."""
    maps = {"m": {7: np.eye(5), "8": np.eye(5)}}
    for images in ([7, 8], [7.0, 8.0], ["7", "8"], pd.array([7, 8], dtype="Int64")):
        frame = table("a", "b").assign(image=images)
        assert [case.image for case in cases_from_tables(frame, maps, (5, 5))] == ["7", "8"]


@pytest.mark.parametrize("kind", UNSEEN)
@pytest.mark.parametrize("column", ["image", "observer"])
def test_invisible_characters_in_names_raise(tmp_path, kind, column):
    frame = table("a").assign(**{column: UNSEEN[kind]})
    with pytest.raises(ValueError, match=rf"column '{column}': .*control and zero-width.*U\+"):
        cases_from_tables(frame, {"m": {}}, (5, 5))
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(ValueError, match=rf"a\.csv, column '{column}': .*zero-width"):
        read_fixations(path)


@pytest.mark.parametrize("kind", UNSEEN)
def test_invisible_characters_in_methods_raise(kind):
    with pytest.raises(ValueError, match=r"methods of `maps` must be without control"):
        cases_from_tables(table("a"), {UNSEEN[kind]: {}}, (5, 5))


def test_observers_that_look_the_same_raise():
    for other in ("a\u00a0b", "a  b", "a\u200d b"):
        frame = table("i", observers=["a b", other])
        with pytest.raises(ValueError, match="names of observers must look different"):
            cases_from_tables(frame, {"m": {}}, (5, 5))


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest of one row and read it."""
    np.save(tmp_path / "m.npy", np.eye(3))
    (tmp_path / "f.csv").write_text("x,y,duration\n1,1,1\n")

    def read(header, row, suffix="csv"):
        path = tmp_path / f"manifest.{suffix}"
        frame = pd.DataFrame([row.split(",")], columns=header.split(","))
        if suffix == "csv":
            path.write_text(f"{header}\n{row}\n", "utf-8")
        elif suffix == "parquet":
            frame.to_parquet(path)
        else:
            path.write_text(frame.to_json(orient="records", force_ascii=False), "utf-8")
        return cases_from_manifest(path, unmapped="gaze_only")

    return read


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_blanks_in_headings_of_a_manifest_are_removed(manifest, suffix):
    case = manifest(" image ,width,height,map : a ,gaze: o", "1,3,3,m.npy,f.csv", suffix)[0]
    assert (case.image, list(case.maps), list(case.gaze)) == ("1", ["a"], ["o"])


SLIPS = {
    "gaze:o,gaze:o ": "'gaze:o'",
    "gaze:o,gaze: o": "'gaze:o' and 'gaze:o'",
    "gaze:o,gaze:O": "'gaze:o' and 'gaze:O'",
    f"map:{NFC},map:{NFD}": "map:n",
    "gaze:o p,gaze:o  p": "look different",
    "Map:a,gaze:o": "'Map:a' must be one of map:NAME",
    "GAZE:a,gaze:o": "'GAZE:a' must be one of",
    "gaze:a\u200bb,gaze:o": "zero-width",
    "Picture,gaze:o": "'Picture' must be written 'picture'",
    "center bias,gaze:o": "'center bias' must be written 'center_bias'",
}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
@pytest.mark.parametrize("headings", SLIPS)
def test_misspelled_headings_of_a_manifest_raise(manifest, suffix, headings):
    if suffix == "json" and len(set(headings.split(","))) < 2:
        return
    with pytest.raises(ValueError, match=rf"manifest\.{suffix}: .*{SLIPS[headings]}"):
        manifest(f"image,width,height,{headings}", "1,3,3,f.csv,f.csv", suffix)


def test_manifest_finds_files_by_every_spelling_of_a_name(manifest, tmp_path):
    np.save(tmp_path / f"{NFD}.npy", np.eye(3))
    np.savez(tmp_path / f"{NFD}.npz", **{NFD: np.eye(3)})
    for form in (NFC, NFD):
        for value in (f"{form}.npy", f"{form}.npz#{form}", f"{form}.npz"):
            case = manifest("image,width,height,map:a,gaze:o", f"{form},3,3,{value},f.csv")[0]
            assert case.image == NFC
            np.testing.assert_array_equal(case.load_map("a"), np.eye(3))
