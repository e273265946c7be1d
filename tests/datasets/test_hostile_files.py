"""Hostile files cannot run code, read other files, or fill the memory."""

import bz2
import gzip
import json
import lzma
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gazesal import open_maps, read_fixations, read_map
from gazesal.datasets import StoredMap
from gazesal.datasets._csv import _read_bytes
from gazesal.datasets._parquet import read_parquet
from gazesal.datasets.numpy_files import read_npy
from gazesal.evaluation.storage.center_bias_file import read_bias

MAP = np.arange(12.0).reshape(3, 4)


@pytest.fixture
def mark(tmp_path):
    """Return a path that exists only if code of a hostile file has run."""
    return tmp_path / "code_ran"


class Touch:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def old_pickle_codec():
    """The codec `pickle` of numcodecs before 0.16.6, which unpickles the content of a file."""
    numcodecs = pytest.importorskip("numcodecs")
    from numcodecs.registry import codec_registry, register_codec

    class Old(numcodecs.abc.Codec):
        codec_id = "pickle"

        def encode(self, buf):
            return pickle.dumps(buf)

        def decode(self, buf, out=None):  # noqa: ARG002
            return pickle.loads(bytes(buf))  # noqa: S301

    before = codec_registry.get("pickle")
    register_codec(Old)
    yield
    codec_registry["pickle"] = before


def zarr_2(folder, chunk, *, name="0.0", **changes):
    """Write a zarr array of version 2 with one chunk."""
    folder.mkdir(parents=True)
    described = {"zarr_format": 2, "shape": [3, 4], "chunks": [3, 4], "dtype": "<f8", "order": "C"}
    described |= {"fill_value": 0, "filters": None, "compressor": None} | changes
    (folder / ".zarray").write_text(json.dumps(described))
    (folder / name).write_bytes(chunk)
    (folder.parent / ".zgroup").write_text('{"zarr_format": 2}')
    return folder.parent


def zarr_3(folder, codecs, **changes):
    """Write a zarr array of version 3 with one chunk."""
    (folder / "c" / "0").mkdir(parents=True)
    (folder / "c" / "0" / "0").write_bytes(MAP.tobytes())
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    (folder.parent / "zarr.json").write_text(json.dumps(group))
    described = {"zarr_format": 3, "node_type": "array", "shape": [3, 4], "data_type": "float64"}
    described["chunk_grid"] = {"name": "regular", "configuration": {"chunk_shape": [3, 4]}}
    described["chunk_key_encoding"] = {"name": "default", "configuration": {"separator": "/"}}
    described |= {"fill_value": 0, "codecs": codecs, "attributes": {}} | changes
    (folder / "zarr.json").write_text(json.dumps(described))
    return folder.parent


def refused(path, key="1", match="codec"):
    """Check that listing and reading refuse the array."""
    for function in (lambda: open_maps(path), StoredMap(path, key)):
        with pytest.raises(ValueError, match=match):
            function()


OBJECT_CODECS = ["pickle", "json2", "msgpack2", "vlen-bytes", "vlen-array", "categorize", "unknown"]


@pytest.mark.parametrize("codec", OBJECT_CODECS)
@pytest.mark.parametrize("decoy", ["vlen-utf8", "vlen-bytes", None])
@pytest.mark.parametrize("place", ["filter", "compressor"])
@pytest.mark.parametrize("dtype", ["|O", "<f8"])
def test_object_codecs_are_refused_before_they_decode(
    tmp_path, mark, old_pickle_codec, codec, decoy, place, dtype
):
    pytest.importorskip("zarr")
    filters = [] if decoy is None else [{"id": decoy}]
    compressor = {"id": codec} if place == "compressor" else None
    if place == "filter":
        filters.append({"id": codec})
    options = {"filters": filters, "compressor": compressor, "dtype": dtype}
    payload = pickle.dumps(Touch(mark))
    refused(zarr_2(tmp_path / "a.zarr" / "1", payload, **options), match="codec|objects must be")
    # also for the names of a stack, which are read when it is listed
    names = {**options, "shape": [2], "chunks": [2]}
    path = zarr_2(tmp_path / "b.zarr" / "names", payload, name="0", **names)
    stack = {"shape": [2, 3, 4], "chunks": [2, 3, 4]}
    zarr_2(path / "maps", np.stack([MAP, MAP]).tobytes(), name="0.0.0", **stack)
    with pytest.raises(ValueError, match=r"b\.zarr: cannot be read as maps"):
        open_maps(path)
    assert not mark.exists()


def test_descriptions_that_hide_a_codec_are_refused(tmp_path, mark, old_pickle_codec):
    pytest.importorskip("zarr")
    payload = pickle.dumps(Touch(mark))
    path = zarr_2(tmp_path / "twice.zarr" / "1", payload)
    file = path / "1" / ".zarray"
    hidden = file.read_text()[:-1] + ', "compressor": {"id": "pickle"}}'
    file.write_text(hidden)
    refused(path, match="must differ, got 'compressor' 2 times")
    file.write_text(hidden.replace('"compressor": null, ', ""))
    refused(path)
    # consolidated metadata, which zarr prefers to the metadata of the array
    path = zarr_2(tmp_path / "consolidated.zarr" / "1", MAP.tobytes())
    described = json.loads((path / "1" / ".zarray").read_text())
    metadata = {"1/.zarray": {**described, "compressor": {"id": "pickle"}}, ".zgroup": {}}
    text = json.dumps({"zarr_consolidated_format": 1, "metadata": metadata})
    (path / ".zmetadata").write_text(text)
    np.testing.assert_array_equal(open_maps(path)["1"](), MAP)
    # both versions at once
    (path / "1" / "zarr.json").write_text("{}")
    refused(path, match="must have one description")
    assert not mark.exists()


BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
CODECS_3 = {
    "numcodecs.pickle": [BYTES, {"name": "numcodecs.pickle", "configuration": {}}],
    "numcodecs.json2": [BYTES, {"name": "numcodecs.json2", "configuration": {}}],
    "another id": [BYTES, {"name": "numcodecs.zstd", "configuration": {"id": "pickle"}}],
    "unknown": [BYTES, {"name": "https://example.org/codec"}],
    "in a shard": [
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [3, 4],
                "codecs": [BYTES, {"name": "numcodecs.pickle"}],
                "index_codecs": [BYTES],
            },
        }
    ],
    "in the index of a shard": [
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [3, 4],
                "codecs": [BYTES],
                "index_codecs": [BYTES, {"name": "numcodecs.pickle"}],
            },
        }
    ],
    "of objects": [BYTES, {"name": "numcodecs.delta", "configuration": {"dtype": "|O"}}],
    "nested": [BYTES, {"name": "numcodecs.zstd", "configuration": {"level": {"id": "pickle"}}}],
    "blosc before another": [BYTES, {"name": "blosc", "configuration": {}}, {"name": "crc32c"}],
}


@pytest.mark.parametrize("kind", CODECS_3)
def test_codecs_of_version_3_raise(tmp_path, kind):
    pytest.importorskip("zarr")
    refused(zarr_3(tmp_path / "a.zarr" / "1", CODECS_3[kind]))


def grid(*shape):
    return {"name": "regular", "configuration": {"chunk_shape": list(shape)}}


CHANGES = {
    "objects": ({"data_type": "object"}, "data type"),
    "structures": ({"data_type": {"name": "struct", "configuration": {}}}, "data type"),
    "transformers": ({"storage_transformers": [{"name": "x"}]}, "storage transformers"),
    "a separator": (
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "/../../"}}},
        "separator",
    ),
    "names": ({"chunk_key_encoding": {"name": "other"}}, "chunk names must be"),
    "a shape": ({"shape": [2**40, 2**40]}, "at most|chunks"),
    "chunks": ({"shape": [30_000, 8_000], "chunk_grid": grid(1, 1)}, "at most"),
    "no chunks": ({"chunk_grid": grid(0, 4)}, "chunks"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_other_descriptions_raise(tmp_path, kind):
    pytest.importorskip("zarr")
    changes, match = CHANGES[kind]
    path = zarr_3(tmp_path / "a.zarr" / "1", [BYTES], **changes)
    with pytest.raises(ValueError, match=match):
        StoredMap(path, "1")()


def test_allowed_codecs_are_read(tmp_path):
    zarr = pytest.importorskip("zarr")
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    for place, codec in enumerate((BloscCodec(), GzipCodec(), ZstdCodec(), None)):
        group = zarr.open_group(tmp_path / f"{place}.zarr", mode="w")
        options = {"compressors": codec, "chunks": (2, 3)}
        group.create_array("1", data=MAP, **options)
        group.create_array("2", data=MAP, shards=(4, 6), chunks=(2, 3))
        maps = open_maps(tmp_path / f"{place}.zarr")
        for name in "12":
            np.testing.assert_array_equal(maps[name](), MAP)


@pytest.mark.parametrize("how", ["longer", "shorter", "empty", "sizes"])
def test_blosc_chunk_whose_header_does_not_fit_raises(tmp_path, how):
    """numcodecs 0.16.6 reads beyond the end of such a chunk and can crash."""
    numcodecs = pytest.importorskip("numcodecs")
    pytest.importorskip("zarr")
    values = np.random.default_rng(0).integers(0, 255, (3, 4), dtype=np.uint8)
    chunk = bytearray(numcodecs.Blosc().encode(values))
    path = tmp_path / "a.zarr"
    zarr_2(path / "1", bytes(chunk), dtype="|u1", compressor={"id": "blosc"})
    np.testing.assert_array_equal(StoredMap(path, "1")(), values)
    if how == "sizes":
        struct.pack_into("<II", chunk, 4, 0x0200000C, 0x0200000C)
    damaged = {"longer": chunk + b"x", "shorter": chunk[:-3], "empty": b"", "sizes": chunk}[how]
    (path / "1" / "0.0").write_bytes(bytes(damaged))
    with pytest.raises(ValueError, match=r"0\.0 is (damaged|truncated)"):
        StoredMap(path, "1")()


def test_links_of_a_zarr_store_out_of_it_are_not_followed(tmp_path):
    pytest.importorskip("zarr")
    secret = zarr_2(tmp_path / "secret.zarr" / "1", (MAP + 5).tobytes())
    path = zarr_2(tmp_path / "a.zarr" / "own", MAP.tobytes())
    (path / "folder").symlink_to(secret / "1")
    zarr_2(path / "chunk", b"").joinpath("chunk", "0.0").unlink()
    (path / "chunk" / "0.0").symlink_to(secret / "1" / "0.0")
    zarr_2(path / "described", MAP.tobytes()).joinpath("described", ".zarray").unlink()
    (path / "described" / ".zarray").symlink_to(secret / "1" / ".zarray")
    for key in ("folder", "chunk", "described"):
        with pytest.raises(ValueError, match="link to another folder"):
            StoredMap(path, key)()
    for key in (
        "../secret.zarr/1",
        str(secret / "1"),
        "own/../../secret.zarr/1",
        ".",
        "own\\..\\x",
    ):
        with pytest.raises(ValueError, match="no such array"):
            StoredMap(path, key)()
    (path / "described" / ".zarray").unlink()
    assert set(open_maps(path)) == {"own", "chunk"}


def test_missing_chunk_without_a_fill_value_raises(tmp_path):
    pytest.importorskip("zarr")
    path = zarr_2(tmp_path / "a.zarr" / "1", MAP.tobytes(), fill_value=None)
    np.testing.assert_array_equal(StoredMap(path, "1")(), MAP)
    (path / "1" / "0.0").unlink()
    with pytest.raises(ValueError, match=r"0\.0 is missing, and the array has no fill value"):
        StoredMap(path, "1")()


def test_no_link_of_hdf5_is_followed(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["private"], file["g/private"] = MAP + 5, MAP + 6
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["own"], file["g/own"] = MAP, MAP
        file["ext"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/private")
        file["root"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/")
        file["soft"] = h5py.SoftLink("/ext")
        file["inner"] = h5py.SoftLink("/own")
        file["softgroup"] = h5py.SoftLink("/root/g")
        file["g/up"] = h5py.SoftLink("/root/private")
    below = ["root/private", "softgroup/private", "g/up", "/soft", "/g/up", "./soft", "g/../soft"]
    for key in ["ext", "soft", "inner", *below]:
        with pytest.raises(ValueError, match=r"must not be|must be in the store|no such array"):
            StoredMap(path, key)()
    assert set(open_maps(path)) == {"own", "g/own"}
    np.testing.assert_array_equal(StoredMap(path, "/g/own")(), MAP)


def test_hdf5_values_in_other_files_and_plugins_raise(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["reference"] = np.array([[file.ref]], dtype=h5py.ref_dtype)
        file["enum"] = np.array([[1]], dtype=h5py.enum_dtype({"a": 1}))
        ragged = file.create_dataset("ragged", (1, 1), h5py.vlen_dtype("f8"))
        ragged[0, 0] = MAP[0]
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk((3, 4))
        layout.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)  # Blosc, a plugin
        space = h5py.h5s.create_simple((3, 4))
        h5py.h5d.create(file.id, b"plugin", h5py.h5t.IEEE_F64LE, space, layout)
    for key, match in (
        ("reference", "must be of real numbers"),
        ("ragged", "must be of real numbers"),
        ("enum", "must be of real numbers, got an enum"),
        ("plugin", "got filter 32001"),
    ):
        with pytest.raises(ValueError, match=match):
            StoredMap(path, key)()


PACKED = {
    "scale_factor": 0.5,
    "add_offset": 3.0,
    "_FillValue": 11.0,
    "missing_value": np.array([0.0, -1.0]),
    "MATLAB_class": "double",
}


def with_attributes(tmp_path, suffix, attributes):
    path = tmp_path / f"a.{suffix}"
    if suffix == "h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file["1"] = MAP
            file["1"].attrs.update(attributes)
    else:
        zarr = pytest.importorskip("zarr")
        array = zarr.open_group(path, mode="w").create_array("1", data=MAP)
        plain = {key: np.asarray(value).tolist() for key, value in attributes.items()}
        array.attrs.update(plain)
    return open_maps(path)["1"]


@pytest.mark.parametrize("suffix", ["h5", "zarr"])
@pytest.mark.parametrize("name", PACKED)
def test_packed_and_missing_values_raise(tmp_path, suffix, name):
    stored = with_attributes(tmp_path, suffix, {name: PACKED[name]})
    with pytest.raises(ValueError, match=name):
        stored()


@pytest.mark.parametrize("suffix", ["h5", "zarr"])
def test_neutral_attributes_are_ignored(tmp_path, suffix):
    same = {"scale_factor": 1.0, "add_offset": 0.0, "_FillValue": -9.0, "units": "share"}
    np.testing.assert_array_equal(with_attributes(tmp_path, suffix, same)(), MAP)


@pytest.mark.parametrize("shape", [(2**20, 2**20), (2**62, 4), (-1, 4), (3, 5), (2, 4)])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_header_with_another_shape_raises(tmp_path, suffix, shape):
    path = tmp_path / f"a.{suffix}"
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + MAP.tobytes()
    )
    if suffix == "npy":
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.npy: cannot be read"):
            read_npy(path)
        return
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.npy", content)
    with pytest.raises(ValueError, match=r"a\.npz.*cannot be read"):
        open_maps(path)["1"]()


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip"])
def test_compressed_table_that_would_fill_the_memory_raises(tmp_path, suffix):
    text = b"image,observer,x,y,duration\n" + b"a,b,1,1,1\n" * 2**14
    path = tmp_path / f"table.csv.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("table.csv", text)
    else:
        path.write_bytes({"gz": gzip, "bz2": bz2, "xz": lzma}[suffix].compress(text))
    with pytest.raises(ValueError, match="Unpack it first"):
        _read_bytes(path, unpacked=2**12)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_with_unlimited_compression_raise(tmp_path, method):
    np.save(tmp_path / "a.npy", MAP)
    for name in ("a.npz", "a.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", method) as archive:
            archive.write(tmp_path / "a.npy")
    for read in (read_map, open_maps, read_bias):
        with pytest.raises(ValueError, match=r"a\.npz.*stored or deflated"):
            read(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.zip.*stored or deflated"):
        read_fixations(tmp_path / "a.zip")


def test_parquet_table_with_more_rows_than_bytes_raises(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"x": np.ones(100_000)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="at most 100 rows"):
        read_parquet(tmp_path / "a.parquet", most_rows=100)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_device_instead_of_a_table_raises():
    with pytest.raises(ValueError, match="got a device"):
        read_fixations("/dev/zero")


def test_hdf5_texts_that_would_fill_the_memory_raise(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["maps"] = np.zeros((2**20, 1, 1), "u1")
        file.create_dataset("names", (2**20,), dtype="S60000", chunks=(16,))
    with pytest.raises(ValueError, match="values of 60000 bytes"):
        open_maps(tmp_path / "a.h5")


def test_zarr_texts_that_would_fill_the_memory_raise(tmp_path):
    pytest.importorskip("zarr")
    options = {"shape": [2**16], "chunks": [16], "dtype": "<U60000", "fill_value": ""}
    path = zarr_2(tmp_path / "a.zarr" / "names", b"", name="x", **options)
    with pytest.raises(ValueError, match="values of 240000 bytes"):
        StoredMap(path, "names")()
