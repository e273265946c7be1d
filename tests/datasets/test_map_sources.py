"""Lazy reading of maps in archives, stores and objects, and errors about invalid sources."""

import json
import os
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest

from gazesal import find_maps, open_maps, read_map
from gazesal.datasets import MapItem, StoredMap
from gazesal.datasets.map_sources import source_finder

NAMES = ["1001", "été", "p10/7"]
MAPS = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)


def write_npz(path, stacked):
    np.savez_compressed(path, **dict(zip(NAMES, MAPS, strict=True)))


def write_hdf5(path, stacked):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        if stacked:
            file["group/maps"], file["group/ids"] = MAPS, NAMES
        else:
            for name, values in zip(NAMES, MAPS, strict=True):
                file[name] = values


def write_zarr(path, stacked):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(path, mode="w")
    if stacked:
        array = group.create_array("maps", data=MAPS, chunks=(1, 4, 5))
        array.attrs["images"] = NAMES
    else:
        for name, values in zip(NAMES, MAPS, strict=True):
            group.create_array(name, data=values)


WRITERS = {".npz": write_npz, ".h5": write_hdf5, ".hdf5": write_hdf5, ".zarr": write_zarr}
LAYOUTS = [(suffix, False) for suffix in WRITERS] + [(".h5", True), (".zarr", True)]


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout[0] + "-stacked" * layout[1])
def store(request, tmp_path):
    suffix, stacked = request.param
    path = tmp_path / f"grad_cam{suffix}"
    WRITERS[suffix](path, stacked)
    return path


def test_every_map_is_read_by_its_image(store):
    maps = open_maps(store)
    assert sorted(maps) == sorted(NAMES)
    for name, values in zip(NAMES, MAPS, strict=True):
        np.testing.assert_array_equal(maps[name](), values)


def call(source):
    return os.getpid(), source()


def test_pickled_sources_open_the_file_themselves(tmp_path):
    sources = []
    for suffix, stacked in LAYOUTS:
        path = tmp_path / f"{stacked}{suffix}"
        WRITERS[suffix](path, stacked)
        sources += open_maps(path).values()
    copies = pickle.loads(pickle.dumps(sources))  # noqa: S301
    assert copies == sources
    assert len(pickle.dumps(sources[0])) < 500  # the pickle has a path, not the maps
    read = joblib.Parallel(n_jobs=2)(joblib.delayed(call)(source) for source in sources)
    assert os.getpid() not in {pid for pid, _ in read}
    for source, (_, values) in zip(sources, read, strict=True):
        np.testing.assert_array_equal(values, source())


def test_methods_are_folders_and_stores_side_by_side(tmp_path):
    for suffix, name in ((".npz", "a"), (".h5", "c"), (".zarr", "d")):
        WRITERS[suffix](tmp_path / f"{name}{suffix}", False)
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "1001.npy", MAPS[0])
    np.savez(tmp_path / "b" / "x.npz", MAPS[1])
    (tmp_path / "notes.txt").touch()
    found = find_maps(tmp_path)
    assert {method: len(maps) for method, maps in found.items()} == {"a": 3, "b": 2, "c": 3, "d": 3}
    np.testing.assert_array_equal(read_map(found["b"]["x"]), MAPS[1])
    assert list(find_maps(tmp_path / "c.h5")) == ["c"]
    np.savez(tmp_path / "b.npz", MAPS[0])
    with pytest.raises(ValueError, match=r"method 'b' must have one source of maps, got b and b\."):
        find_maps(tmp_path)


def test_one_map_of_a_stack_is_read_without_the_others(tmp_path, monkeypatch):
    """The chunks of other maps are damaged, so an error would show that they were read."""
    path = tmp_path / "maps.zarr"
    write_zarr(path, stacked=True)
    for chunk in (path / "maps" / "c").iterdir():
        if chunk.name != "1":
            (chunk / "0" / "0").write_bytes(b"damaged")
    maps = open_maps(path)
    np.testing.assert_array_equal(maps[NAMES[1]](), MAPS[1])
    with pytest.raises(ValueError, match=r"maps\.zarr, 'maps', row 0: cannot be read"):
        maps[NAMES[0]]()


def test_stack_and_its_images_can_be_chosen(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "maps.h5"
    with h5py.File(path, "w") as file:
        file["first"], file["second"] = MAPS, MAPS + 1
        file["ids"], file["others"], file["numbers"] = NAMES, ["x", "y", "z"], [7, 8, 9]
    with pytest.raises(ValueError, match=r"`stack` must name one of 'first' \(3, 4, 5\), 'second'"):
        open_maps(path)
    with pytest.raises(ValueError, match="or by one array of text of its length, got 2 such"):
        open_maps(path, stack="second")
    second = open_maps(path, stack="second", images="ids")
    np.testing.assert_array_equal(second[NAMES[2]](), MAPS[2] + 1)
    assert list(open_maps(path, stack="first", images="numbers")) == ["7", "8", "9"]
    assert list(open_maps(path, stack="first", images=["u", "v", "w"])) == ["u", "v", "w"]
    with pytest.raises(ValueError, match=r"'first' must have a name for each of 3 maps, got 2"):
        open_maps(path, stack="first", images=["u", "v"])
    with pytest.raises(ValueError, match=r"image 'u' must have one map in 'first', got 2"):
        open_maps(path, stack="first", images=["u", "v", "u"])
    with pytest.raises(ValueError, match=r"`stack` must be an array \(N, H, W\) in it, got 'ids'"):
        open_maps(path, stack="ids")
    with pytest.raises(ValueError, match=r"`images` must name an array \(N,\) in it, got 'none'"):
        open_maps(path, stack="first", images="none")


def test_single_zarr_array_is_a_stack(tmp_path):
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(tmp_path / "a.zarr", mode="w", shape=MAPS.shape, dtype="f4")
    array[:] = MAPS
    array.attrs["images"] = NAMES
    np.testing.assert_array_equal(open_maps(tmp_path / "a.zarr")[NAMES[1]](), MAPS[1])


@pytest.mark.parametrize("suffix", WRITERS)
def test_invalid_array_raises_with_file_and_key(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, False)
    bad = MAPS[0].copy()
    bad[1, 1] = np.nan
    if suffix == ".npz":
        np.savez(path, bad=bad, wrong=MAPS)
    elif suffix == ".zarr":
        import zarr

        group = zarr.open_group(path, mode="a")
        group.create_array("bad", data=bad)
        group.create_array("wrong", data=MAPS)
    else:
        import h5py

        with h5py.File(path, "a") as file:
            file["bad"], file["wrong"] = bad, MAPS
    maps = open_maps(path)
    with pytest.raises(ValueError, match=rf"a\{suffix}, 'bad': `map` must be finite, got 1 of 20"):
        maps["bad"]()
    with pytest.raises(ValueError, match=rf"a\{suffix}, 'wrong': `map` must be a non-empty 2-D"):
        maps["wrong"]()
    with pytest.raises(ValueError, match=rf"a\{suffix}, 'gone': the file has no such array"):
        StoredMap(path, "gone")()


@pytest.mark.parametrize("suffix", WRITERS)
def test_file_that_is_not_a_store_raises(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(FileNotFoundError, match=rf"a\{suffix}: no such file"):
        open_maps(path)
    with pytest.raises(FileNotFoundError, match=rf"a\{suffix}: no such file"):
        StoredMap(path, "1001")()
    path.write_bytes(b"not a store")
    if suffix in {".h5", ".hdf5"}:
        pytest.importorskip("h5py")
    if suffix == ".zarr":
        pytest.importorskip("zarr")
    with pytest.raises(ValueError, match=rf"a\{suffix}: cannot be read as maps"):
        open_maps(path)
    with pytest.raises(ValueError, match=rf"a\{suffix}, '1001': cannot be read"):
        StoredMap(path, "1001")()


def test_truncated_archive_raises(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, stacked=False)
    maps = open_maps(path)
    data = bytearray(path.read_bytes())
    data[60:120] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.npz, '1001': cannot be read"):
        maps["1001"]()


class Dangerous:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_no_pickle_is_loaded(tmp_path):
    mark = tmp_path / "loaded"
    objects = np.empty((1, 1), object)
    objects[0, 0] = Dangerous(mark)
    np.savez(tmp_path / "a.npz", **{"1": objects})
    with pytest.raises(ValueError, match=r"a\.npz, '1': cannot be read: Object arrays cannot"):
        open_maps(tmp_path / "a.npz")["1"]()
    pytest.importorskip("zarr")
    for place in ("compressor", "filters"):
        store = tmp_path / f"{place}.zarr" / "1"
        store.mkdir(parents=True)
        (store.parent / ".zgroup").write_text('{"zarr_format": 2}')
        layout = {"zarr_format": 2, "shape": [1, 1], "chunks": [1, 1], "dtype": "<f8"}
        layout |= {"fill_value": 0, "order": "C", "compressor": None, "filters": None}
        layout[place] = {"id": "pickle"} if place == "compressor" else [{"id": "pickle"}]
        (store / ".zarray").write_text(json.dumps(layout))
        (store / "0.0").write_bytes(pickle.dumps(Dangerous(mark)))
        with pytest.raises(ValueError, match=rf"{place}\.zarr"):
            StoredMap(store.parent, "1")()
    assert not mark.exists()


def test_no_other_file_is_read(tmp_path):
    """Links and external storage of HDF5 would let a file of maps read any other file."""
    h5py = pytest.importorskip("h5py")
    write_hdf5(tmp_path / "secret.h5", stacked=False)
    (tmp_path / "secret.raw").write_bytes(MAPS[0].tobytes())
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["own"] = MAPS[0]
        file["link"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/1001")
        outside = [(str(tmp_path / "secret.raw"), 0, MAPS[0].nbytes)]
        file.create_dataset("raw", MAPS[0].shape, "f4", external=outside)
        layout = h5py.VirtualLayout(MAPS[0].shape, "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "1001", MAPS[0].shape)
        file.create_virtual_dataset("virtual", layout)
    maps = open_maps(path)
    assert set(maps) == {"own", "raw", "virtual"}
    for name in ("raw", "virtual"):
        with pytest.raises(ValueError, match=rf"a\.h5, '{name}': .*must be in the file itself"):
            maps[name]()
    with pytest.raises(ValueError, match=r"a\.h5, 'link': .*must not be a soft or external link"):
        StoredMap(path, "link")()


@pytest.mark.parametrize(("module", "suffix"), [("h5py", ".h5"), ("zarr", ".zarr")])
def test_missing_library_raises_with_the_extra(tmp_path, monkeypatch, module, suffix):
    (tmp_path / f"a{suffix}").touch()
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ImportError, match=rf"a\{suffix}: reading .* needs {module}: pip install"):
        open_maps(tmp_path / f"a{suffix}")


def test_invalid_sources_raise(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ValueError, match=r"a\.jpg: `source` must be a folder or one of \.npz"):
        open_maps(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="`stack` and `images` must be used with"):
        open_maps(tmp_path, stack="maps")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: must have at least one map"):
        open_maps(tmp_path / "empty")
    with pytest.raises(TypeError, match=r"`source` must be a path, .* got 3"):
        open_maps(3)


class Folder:
    """A user's own object that makes maps on request and does not list its images."""

    def __getitem__(self, image):
        if image == "gone":
            raise KeyError(image)
        return {"path": Path("nowhere.npy"), "late": lambda: MAPS[1]}.get(image, MAPS[0])


def test_objects_are_looked_up_when_the_map_is_needed():
    find = source_finder(Folder(), name="maps")
    item = find("any")
    assert isinstance(item, MapItem)
    assert repr(item) == "MapItem(Folder['any'])"
    np.testing.assert_array_equal(item(), MAPS[0])
    np.testing.assert_array_equal(find("late")(), MAPS[1])
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npy"):
        find("path")()
    with pytest.raises(ValueError, match=r"Folder\['gone'\]: the mapping has no such map"):
        find("gone")()


def test_dictionaries_keep_their_values_and_open_files_raise(tmp_path):
    own = MAPS[0]
    find = source_finder({"1": own}, name="maps")
    assert find("1") is own
    assert find("2") is None
    write_npz(tmp_path / "a.npz", stacked=False)
    message = "`maps` must not be an open file, .* got NpzFile"
    with np.load(tmp_path / "a.npz") as archive, pytest.raises(TypeError, match=message):
        source_finder(archive, name="maps")
    for wrong in ("text", [1, 2], 3, None):
        with pytest.raises(TypeError, match="`maps` must be a mapping of images to maps"):
            source_finder(wrong, name="maps")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("chunks", [(1, 3, 4), (2, 2, 2), MAPS.shape])
def test_fingerprint_changes_when_a_zarr_map_changes(tmp_path, zarr_format, chunks):
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "a.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    stack = group.create_array("stack", data=MAPS, chunks=chunks)
    alone = group.create_array("alone", data=MAPS[0])
    maps = [StoredMap(path, "stack", row) for row in range(len(MAPS))]
    maps.append(StoredMap(path, "alone"))
    before = [each.fingerprint for each in maps]
    assert [each.fingerprint for each in maps] == before
    last = len(MAPS) - 1
    stack[last, -1, -1] = 7
    after = [each.fingerprint for each in maps]
    changed = [row for row in range(len(maps)) if after[row] != before[row]]
    assert changed == [row for row in range(len(MAPS)) if row // chunks[0] == last // chunks[0]]
    alone[-1, -1] = 7
    assert maps[-1].fingerprint != after[-1]


def test_fingerprint_of_an_unknown_layout_uses_all_files(tmp_path):
    folder = tmp_path / "a.zarr" / "maps" / "c"
    folder.mkdir(parents=True)
    (folder.parent / "zarr.json").write_text('{"chunk_grid": {"name": "another"}}')
    (folder / "0").write_bytes(b"some")
    stored = StoredMap(tmp_path / "a.zarr", "maps", 0)
    before = stored.fingerprint
    assert ", 2 files, " in before
    (folder / "0").write_bytes(b"other")
    assert stored.fingerprint != before


def test_unclear_layout_raises_a_plain_value_error(tmp_path):
    write_hdf5(tmp_path / "a.h5", stacked=True)
    with pytest.raises(ValueError, match="`stack` must be an array") as caught:
        open_maps(tmp_path / "a.h5", stack="gone")
    assert caught.type is ValueError
