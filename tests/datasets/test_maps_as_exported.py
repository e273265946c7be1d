"""Maps as usual programs export them: one call gives the values, or an error with the reason."""

import json
import pickle
import struct
import unicodedata
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gazesal
from gazesal import find_maps, open_maps, read_map

MAP = np.linspace(0, 1, 12).reshape(3, 4).astype(np.float32)


def values_of(source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_map(source) if isinstance(source, Path) else source()


@pytest.fixture
def samples(shared):
    """The invented samples, with their values."""
    folder = shared / "formats" / "13_maps"
    return folder, json.loads((folder / "meta.json").read_text("utf-8"))


def patterns(found):
    """Return the pattern for each folder, from a file of it and the name of its image."""
    rules = {}
    for key, remark in found["files"].items():
        folder, _, name = key.partition("/")
        if name and "image '" in remark:
            image = unicodedata.normalize("NFC", remark.rpartition("image '")[2].rstrip("'"))
            stem = Path(name).with_suffix("").name
            known = unicodedata.normalize("NFC", stem).replace(image, "{image}")
            rules.setdefault(folder, None if known == "{image}" else known)
    return rules


def test_samples_are_read_as_stored(samples):
    folder, found = samples
    truth = np.load(folder / "truth_maps.npz")
    assert len(truth.files) == found["rows"]["truth_maps.npz"]
    maps = {}
    for path in sorted((folder / "files").iterdir()):
        maps[f"files|{path.name}"] = path
    for path in sorted(folder.glob("stack.*")):
        maps |= {f"{path.name}::{image}": source for image, source in open_maps(path).items()}
    for name, pattern in patterns(found).items():
        methods = find_maps(folder / name, pattern=pattern)
        for image, path in next(iter(methods.values())).items():
            assert not path.name.startswith(".")
            assert unicodedata.is_normalized("NFC", image)
            key = "|".join(path.relative_to(folder).parts)
            maps[next(one for one in truth if same_name(one, key))] = path
    for key in truth:
        values = values_of(maps[key])
        assert values.shape == truth[key].shape, key
        assert values.tolist() == truth[key].astype(values.dtype).tolist(), key
        np.testing.assert_array_equal(values.astype(truth[key].dtype), truth[key], err_msg=key)


def same_name(first, second):
    return unicodedata.normalize("NFC", first) == unicodedata.normalize("NFC", second) and (
        first.split("|")[0] == second.split("|")[0]
    )


def test_samples_to_refuse_are_refused(samples):
    folder, found = samples
    for name in found["refuse"]:
        with pytest.raises(ValueError, match=Path(name).name):
            read_map(folder / name)


def test_samples_of_torch(samples):
    pytest.importorskip("torch")
    folder = samples[0] / "torch"
    found = json.loads((folder / "meta.json").read_text("utf-8"))
    truth = np.load(folder / "truth_maps.npz")
    for key in truth:
        name, _, image = key.partition("::")
        values = open_maps(folder / name)[image]() if image else read_map(folder / name)
        np.testing.assert_array_equal(values, truth[key])
    for name in found["refuse"]:
        with pytest.raises(ValueError, match=name):
            read_map(folder / name)


@pytest.mark.parametrize("shape", [(1, 1, 3, 4), (1, 3, 4), (3, 4, 1), (1, 3, 4, 1)])
def test_axes_of_one_channel_are_removed(tmp_path, shape):
    np.save(tmp_path / "a.npy", MAP.reshape(shape))
    np.testing.assert_array_equal(read_map(tmp_path / "a.npy"), MAP)
    np.savez(tmp_path / "a.npz", **{"1": MAP.reshape(shape), "2": MAP.reshape(shape)})
    if shape[0] == 1:
        np.testing.assert_array_equal(open_maps(tmp_path / "a.npz")["2"](), MAP)


def test_jpeg_and_bmp_are_read(tmp_path):
    gray = Image.fromarray((MAP * 255).astype(np.uint8))
    for suffix in ("jpg", "jpeg", "bmp"):
        gray.save(tmp_path / f"a.{suffix}")
        with Image.open(tmp_path / f"a.{suffix}") as decoded:
            expected = np.asarray(decoded)
        if suffix == "bmp":
            np.testing.assert_array_equal(read_map(tmp_path / "a.bmp"), expected)
            continue
        with pytest.warns(gazesal.InputWarning, match="JPEG"):
            np.testing.assert_array_equal(read_map(tmp_path / f"a.{suffix}"), expected)


def test_colored_map_is_refused_with_the_reason(tmp_path):
    Image.fromarray(np.dstack([MAP * 255, 255 - MAP * 255, MAP]).astype(np.uint8)).save(
        tmp_path / "jet.png"
    )
    with pytest.raises(ValueError, match=r"jet\.png: .* a color map cannot be inverted"):
        read_map(tmp_path / "jet.png")


def test_png_that_is_named_jpeg_is_not_told_as_lossy(tmp_path):
    Image.fromarray((MAP * 255).astype(np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="content is not JPEG"):
            read_map(tmp_path / "a.jpg")
    assert not caught


@pytest.mark.parametrize("version", ["4", "5", "7.3"])
def test_matlab_file_of_one_map(tmp_path, version):
    """Numbers, vectors and text beside the map are ignored."""
    from scipy.io import savemat

    path = tmp_path / "a.mat"
    if version == "7.3":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, values in {"map": MAP.T, "sigma": np.ones((1, 1))}.items():
                file[name] = values
                file[name].attrs["MATLAB_class"] = np.bytes_("double")
            file["note"] = np.array([[104]], "u2")
            file["note"].attrs["MATLAB_class"] = np.bytes_("char")
    else:
        more = {"sigma": 24.0, "note": "by me", "sizes": [3.0, 4.0]}
        savemat(path, {"map": MAP, **more}, format=version)
    np.testing.assert_array_equal(read_map(path), MAP)
    assert {name: list(images) for name, images in find_maps(path).items()} == {"a": ["map"]}
    np.testing.assert_array_equal(read_map(path, array="map"), MAP)
    with pytest.raises(ValueError, match="no such array"):
        read_map(path, array="gone")


def test_stack_of_matlab_with_names(tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"maps": np.stack([MAP, MAP + 1]), "names": ["t1", "t02é"]})
    maps = open_maps(tmp_path / "a.mat")
    assert list(maps) == ["t1", "t02é"]
    np.testing.assert_array_equal(maps["t02é"](), MAP + 1)


def test_matlab_objects_are_refused(tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"found": {"map": MAP}, "cells": np.array([MAP, "a"], object)})
    with pytest.raises(ValueError, match=r"a\.mat: .* only variables of class cell and struct"):
        read_map(tmp_path / "a.mat")


def test_sparse_matrices_beyond_their_shape_are_refused(tmp_path):
    """SciPy would write outside its memory."""
    h5py = pytest.importorskip("h5py")
    for rows, starts in (
        ([0, 9], [0, 1, 2, 2, 2]),
        ([0, -1], [0, 1, 2, 2, 2]),
        ([0, 1], [0, 9, 2, 2, 2]),
    ):
        with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
            file["map/data"], file["map/ir"], file["map/jc"] = [1.0, 2.0], rows, starts
            file["map"].attrs["MATLAB_class"] = np.bytes_("double")
            file["map"].attrs["MATLAB_sparse"] = np.uint64(3)
        with pytest.raises(ValueError, match=r"a\.mat"):
            read_map(tmp_path / "a.mat")


def test_matlab_variables_that_claim_too_much_are_refused(tmp_path):
    """A few compressed bytes unpack to any number of zeros."""
    for side, zeros in ((2**20, 0), (100, 2**24)):
        shape = struct.pack("<IIii", 5, 8, side, side)
        body = (
            struct.pack("<IIII", 6, 8, 6, 0)
            + shape
            + struct.pack("<II", 1, 1)
            + b"m".ljust(8, b"\0")
        )
        body += struct.pack("<II", 9, 2**31) + bytes(zeros)
        packed = zlib.compress(struct.pack("<II", 14, len(body)) + body)
        header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
        (tmp_path / "a.mat").write_bytes(header + struct.pack("<II", 15, len(packed)) + packed)
        with pytest.raises(ValueError, match=r"a\.mat.*(at most|larger than its values)"):
            read_map(tmp_path / "a.mat")


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_torch_file_does_not_run_code(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": Touch(tmp_path / "ran")}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"a\.pt: .* could run code"):
        read_map(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    with pytest.raises(ValueError, match=r"b\.pt: .* must be an archive"):
        read_map(tmp_path / "b.pt")
    assert not (tmp_path / "ran").exists()


def test_torch_tensors_that_claim_too_much_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.zeros(1, 1).expand(2**20, 2**20), tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"a\.pt.*at most"):
        read_map(tmp_path / "a.pt")
    torch.save(torch.zeros(3, 4), tmp_path / "b.pt")
    with (
        zipfile.ZipFile(tmp_path / "b.pt") as whole,
        zipfile.ZipFile(tmp_path / "c.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
    with pytest.raises(ValueError, match=r"c\.pt: .* must not be compressed"):
        read_map(tmp_path / "c.pt")


def test_torch_stack_with_names(tmp_path):
    torch = pytest.importorskip("torch")
    stack = torch.from_numpy(np.stack([MAP, MAP + 1])[:, None])
    torch.save({"maps": stack, "names": ["t1", "t2"], "epoch": 3}, tmp_path / "a.pt")
    maps = open_maps(tmp_path / "a.pt")
    np.testing.assert_array_equal(maps["t2"](), MAP + 1)
    torch.save(stack, tmp_path / "b.pt")
    maps = open_maps(tmp_path / "b.pt", images=["u1", "u2"])
    np.testing.assert_array_equal(maps["u1"](), MAP)


def written(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, MAP)
    return folder


@pytest.mark.parametrize(
    ("names", "pattern", "images"),
    [
        (["t01_cam.npy", "t02_cam.npy"], "{image}_cam", ["t01", "t02"]),
        (["saliency_t01.npy"], "saliency_{image}", ["t01"]),
        (["t01.jpg.npy"], "{image}.jpg", ["t01"]),
        (["t01_e3_cam.npy"], "{image}_e*_cam", ["t01"]),
        (["test/t01.npy", "train/t02.npy"], None, ["t01", "t02"]),
        (["test/t01_cam.npy", "train/a/t02_cam.npy"], "{image}_cam", ["t01", "t02"]),
        (["test/t01.npy", "train/t01.npy"], "test/{image}", ["t01"]),
        (["test/t01.npy", "t02.npy"], "**/{image}", ["t02", "t01"]),
        (["Action/001.npy", "Art/001.npy"], "{folder}/{image}", ["Action/001", "Art/001"]),
        (["u\u0308ber_cam.npy"], "{image}_cam", ["\u00fcber"]),
        (["t01_cam.npy", "t01_gt.npy", "._t01_cam.npy", ".DS_Store.npy"], "{image}_cam", ["t01"]),
    ],
)
def test_names_of_files_by_a_pattern(tmp_path, names, pattern, images):
    written(tmp_path / "model", *names)
    (tmp_path / "model" / "Thumbs.db").touch()
    (tmp_path / "model" / "__MACOSX").mkdir()
    assert list(open_maps(tmp_path / "model", pattern=pattern)) == images
    assert list(find_maps(tmp_path, pattern=pattern)["model"]) == images


def test_folder_of_one_method_is_found(tmp_path):
    written(tmp_path / "model", "t01.npy", "t02.npy")
    assert list(find_maps(tmp_path / "model")["model"]) == ["t01", "t02"]


def test_folder_of_one_method_with_files_of_arrays(tmp_path):
    """Without an option, each file could also have the maps of a method."""
    from scipy.io import savemat

    for image in ("t01", "t02"):
        savemat(tmp_path / f"{image}.mat", {"map": MAP, "other": MAP + 1})
    for options in ({"pattern": "{image}"}, {"array": "map"}):
        assert list(find_maps(tmp_path, **options)[tmp_path.name]) == ["t01", "t02"]
    assert list(find_maps(tmp_path)) == ["t01", "t02"]


def test_images_of_the_same_name_in_two_folders_raise(tmp_path):
    written(tmp_path, "test/t01.npy", "train/t01.npy")
    with pytest.raises(ValueError, match=r"image 't01' must have one map.*\{folder\}/\{image\}"):
        open_maps(tmp_path)


@pytest.mark.parametrize("pattern", ["", "cam", "{image}{image}", "{image}_{model}", "{image"])
def test_invalid_patterns_raise(tmp_path, pattern):
    written(tmp_path, "t01.npy")
    for function in (open_maps, find_maps):
        with pytest.raises(ValueError, match="`pattern` must have"):
            function(tmp_path, pattern=pattern)


@pytest.mark.parametrize("option", ["pattern", "array"])
@pytest.mark.parametrize("value", [3, b"{image}", ["{image}"], Path("{image}")])
def test_options_of_other_types_raise(tmp_path, option, value):
    written(tmp_path, "a/t01.npy")
    for function in (find_maps, open_maps) + (read_map,) * (option == "array"):
        with pytest.raises(TypeError, match=f"`{option}` must be a str"):
            function(tmp_path, **{option: value})


def test_pattern_that_fits_no_file_raises(tmp_path):
    written(tmp_path, "t01.npy")
    with pytest.raises(ValueError, match=r"`pattern` must fit .* such as 't01'"):
        open_maps(tmp_path, pattern="{image}_cam")


def test_array_of_each_file_by_name(tmp_path):
    for image in ("t01", "t02"):
        np.savez(tmp_path / f"{image}.npz", cam=MAP, logits=MAP + 1)
    with pytest.raises(ValueError, match="must have one map, got 2 arrays"):
        read_map(open_maps(tmp_path)["t01"])
    maps = open_maps(tmp_path, array="logits")
    np.testing.assert_array_equal(maps["t02"](), MAP + 1)
    with pytest.raises(ValueError, match="`array` must be used with"):
        read_map(tmp_path / "a.npy", array="cam")
    with pytest.raises(ValueError, match="`pattern` and `array` must be used with a folder"):
        open_maps(tmp_path / "t01.npz", pattern="{image}")


def test_manifest_takes_new_files(tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "1.mat", {"map": MAP, "other": MAP + 1})
    Image.fromarray((MAP * 255).astype(np.uint8)).save(tmp_path / "1.bmp")
    (tmp_path / "ann.csv").write_text("x,y,duration\n1,2,0.3\n")
    (tmp_path / "m.csv").write_text(
        "image,width,height,map:a,map:b,gaze:ann\n1,4,3,1.mat#other,1.bmp,ann.csv\n"
    )
    case = gazesal.cases_from_manifest(tmp_path / "m.csv")[0]
    np.testing.assert_array_equal(case.load_map("a"), MAP + 1)
    assert case.load_map("b").max() == 255
