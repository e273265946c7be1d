"""Damaged files of every format are read or raise an error with their name, without a crash."""

import gzip
import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_array

from gazesal import cases_from_manifest, open_maps, read_fixations, read_map, read_sizes
from gazesal.cxr import read_image
from gazesal.datasets import read_egd_fixations
from tests.datasets.picture_files import png, tiff

N = 60  # damaged versions of each source
NOISE = np.random.default_rng(1).integers(0, 255, (9, 11), dtype=np.uint8)
OPAQUE = np.dstack([NOISE.astype(np.uint16), np.full(NOISE.shape, 65535, np.uint16)])
SPARSE_SHAPE = (3, 4)
SPARSE = {"data": [1.0, 2.0], "ir": np.array([0, 2]), "jc": np.array([0, 1, 1, 2, 2])}
TABLE = "image,observer,x,y,duration\n" + "".join(f"{i % 3},ann,{i}.5,{i},9{i}\n" for i in range(9))


def read_all(path):
    """Read every map of a store."""
    return [source() for source in open_maps(path).values()]


def read_manifest(path):
    cases = cases_from_manifest(path, unmapped="gaze_only")
    return [case.load_gaze(observer) for case in cases for observer in case.gaze]


def save(function, *args, **options):
    return lambda path: function(path, *args, **options)


def picture(values, **options):
    return lambda path: Image.fromarray(values).save(path, **options)


def write(content):
    return lambda path: path.write_bytes(content)


def hdf5(values, *names, **options):
    def make(path):
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file.create_dataset("a", data=values, **options)
            if names:  # of fixed length, because HDF5 2.0 hangs on a damaged heap of other texts
                file["names"] = np.array(names, dtype="S")

    return make


def zarr(version):
    def make(path):
        library = pytest.importorskip("zarr")
        group = library.open_group(path, mode="w", zarr_format=version)
        group.create_array("a", data=NOISE, chunks=(5, 4))
        group.create_array("b", data=NOISE / 7)

    return make


def deep_tiff(**options):
    def make(path):
        pytest.importorskip("tifffile").imwrite(path, NOISE / 7, **options)

    return make


def matlab(values, **options):
    def make(path):
        savemat(path, {"map": values, "names": ["a", "b"], "note": {"by": 1.0}}, **options)

    return make


def structs(**options):
    """Return a function that writes fixations in the layout of OSIE."""

    def make(path):
        people = np.empty((2, 1), object)
        for at in range(2):
            x = np.arange(1.0, 7)[None]
            people[at, 0] = {"fix_x": x, "fix_y": x + 3, "fix_duration": x.astype(np.uint16)}
        images = np.empty((1, 1), object)
        images[0, 0] = {"img": "1001.jpg", "subjects": people}
        savemat(path, {"fixations": images}, **options)

    return make


def read_structs(path):
    return read_fixations(path, "osie")


def matlab_4(path):
    savemat(path, {"map": NOISE / 7}, format="4")


def matlab_7_3(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        file["map"] = NOISE.T / 7
        file["map"].attrs["MATLAB_class"] = np.bytes_("double")


def matlab_7_3_sparse(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in SPARSE.items():
            file[f"map/{name}"] = values
        file["map"].attrs["MATLAB_class"] = np.bytes_("double")
        file["map"].attrs["MATLAB_sparse"] = np.uint64(SPARSE_SHAPE[0])


def tensors(path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.from_numpy(NOISE / 7), "b": torch.from_numpy(NOISE.copy())}, path)


def manifest(path):
    np.save(path.with_name("m.npy"), NOISE)
    path.with_name("f.csv").write_text("x,y,duration\n1,1,1\n2,2,2\n")
    record = {"image": "1", "width": 11, "height": 9, "map:a": "m.npy", "gaze:o": "f.csv"}
    rows = [record, {**record, "image": "2", "group:g": "x"}]
    text = pd.DataFrame(rows).to_csv(index=False) if path.suffix == ".csv" else json.dumps(rows)
    if path.suffix == ".jsonl":
        text = "\n".join(map(json.dumps, rows))
    path.write_text(text)


def parquet(path):
    frame = pd.DataFrame({"image": "1", "observer": "a", "x": np.arange(9.0), "y": 1.0})
    frame.assign(duration=1.0, nested=[[1]] * 9).to_parquet(path)


EGD = "DICOM_ID,FPOGD,FPOGID,FPOGV,X_ORIGINAL,Y_ORIGINAL\n0a-1b,0.25,7,1,812,640\n"
SOURCES = {
    "a.npy": (save(np.save, NOISE), read_map),
    "fortran.npy": (save(np.save, np.asfortranarray(NOISE / 7)), read_map),
    "a.npz": (save(np.savez, a=NOISE, b=NOISE / 7), read_all),
    "packed.npz": (
        save(np.savez_compressed, maps=NOISE[None] / 7, names=np.array(["a"])),
        read_all,
    ),
    "a.png": (picture(NOISE), read_map),
    "deep.png": (picture(NOISE.astype(np.uint16) * 200), read_image),
    "color.png": (picture(np.dstack([NOISE] * 3)), read_image),
    "deep color.png": (write(png(np.dstack([NOISE * 200.0] * 3).astype("u2"), 16, 2)), read_map),
    "deep alpha.png": (write(png(OPAQUE, 16, 4)), read_map),
    "double.tif": (deep_tiff(), read_map),
    "deflated.tif": (deep_tiff(compression="zlib", rowsperstrip=4), read_map),
    "tiled.tif": (deep_tiff(tile=(16, 16), byteorder=">", bigtiff=True), read_map),
    "five.mat": (matlab(NOISE / 7), read_map),
    "packed.mat": (matlab(NOISE / 7, do_compression=True), read_map),
    "structs.mat": (structs(), read_structs),
    "packed structs.mat": (structs(do_compression=True), read_structs),
    "four.mat": (matlab_4, read_map),
    "sparse.mat": (matlab(csc_array(NOISE > 200)), read_map),
    "seven.mat": (matlab_7_3, read_map),
    "sparse seven.mat": (matlab_7_3_sparse, read_map),
    "a.pt": (tensors, read_all),
    "a.tif": (picture(NOISE), read_map),
    "lzw.tif": (picture(NOISE, compression="tiff_lzw"), read_image),
    "floats.tif": (write(tiff(NOISE.astype(np.float32), 3)), read_map),
    "a.jpg": (picture(NOISE), read_image),
    "a.bmp": (picture(NOISE), read_image),
    "a.gif": (picture(NOISE), read_image),
    "a.h5": (hdf5(NOISE), read_all),
    "gzip.h5": (hdf5(NOISE, compression="gzip", chunks=(4, 5)), read_all),
    "stack.h5": (hdf5(NOISE[None, None] / 7, "b"), read_all),
    "two.zarr": (zarr(2), read_all),
    "three.zarr": (zarr(3), read_all),
    "a.csv": (write(TABLE.encode()), read_fixations),
    "semicolon.csv": (write(TABLE.replace(",", ";").replace(".", ",").encode()), read_fixations),
    "wide.csv": (write(TABLE.encode("utf-16")), read_fixations),
    "a.csv.gz": (write(gzip.compress(TABLE.encode())), read_fixations),
    "a.parquet": (parquet, read_fixations),
    "sizes.csv": (write(b"image,width,height\n1,20,30\n2,40,50\n"), read_sizes),
    "egd.csv": (write(EGD.encode()), read_egd_fixations),
    "manifest.csv": (manifest, read_manifest),
    "manifest.json": (manifest, read_manifest),
    "manifest.jsonl": (manifest, read_manifest),
}


def damaged(data, rng):
    """Return bytes with flipped bits, a missing end, changed bytes at the start, or new bytes."""
    data = bytearray(data)
    kind = rng.integers(4)
    if kind == 0 and data:
        for place in rng.integers(0, len(data), 3):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[int(rng.integers(len(data) + 1)) :]
    elif kind == 2 and data:
        for place in rng.integers(0, min(len(data), 200), 4):
            data[place] = int(rng.integers(256))
    else:
        at = int(rng.integers(len(data) + 1))
        data[at : at + int(rng.integers(20))] = rng.bytes(int(rng.integers(20)))
    return bytes(data)


@pytest.mark.parametrize("name", SOURCES)
def test_damaged_files_are_read_or_raise_with_their_name(tmp_path, name):
    """An error names the file, or the argument with an invalid value."""
    make, function = SOURCES[name]
    sound, broken = tmp_path / name, tmp_path / f"broken {name}"
    make(sound)
    function(sound)
    rng = np.random.default_rng(0)
    files = [file for file in sorted(sound.rglob("*")) if file.is_file()] or [sound]
    n_errors = 0
    for _ in range(N):
        if sound.is_dir():
            shutil.rmtree(broken, ignore_errors=True)
            shutil.copytree(sound, broken)
        file = files[rng.integers(len(files))]
        target = broken / file.relative_to(sound) if sound.is_dir() else broken
        target.write_bytes(damaged(file.read_bytes(), rng))
        message = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                function(broken)
            except (ValueError, TypeError, OSError) as error:
                message = str(error)
        if message is not None:
            n_errors += 1
            assert broken.name in message or "`" in message, message
        else:
            unnamed = [str(each.message) for each in caught if broken.name not in str(each.message)]
            assert not unnamed
    assert n_errors > N // 20
