"""Arrays of all types in .npy, .npz, HDF5 and zarr are returned as stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal import open_maps, read_map

KINDS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
EXACT = 2**53


@st.composite
def arrays(draw):
    """Return maps of every type of real number and both byte orders, in C and Fortran order."""
    dtype = np.dtype(draw(st.sampled_from("<>")) + draw(st.sampled_from(KINDS)).replace("?", "b1"))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 7)))
    if dtype.kind == "b":
        values = draw(hnp.arrays(dtype, shape))
    elif dtype.kind == "f":
        values = draw(hnp.arrays(dtype, shape, elements=st.floats(-6e4, 6e4, width=16)))
    else:
        ends = np.iinfo(dtype)
        low, high = max(int(ends.min), -EXACT), min(int(ends.max), EXACT)
        values = draw(hnp.arrays(dtype, shape, elements=st.integers(low, high)))
    return np.asfortranarray(values) if draw(st.booleans()) else values


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("values")


def same(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert found.dtype in (np.float32, np.float64)
    assert found.flags.c_contiguous


@given(values=arrays())
def test_arrays_of_numpy_files_are_kept(folder, values):
    np.save(folder / "a.npy", values)
    same(read_map(folder / "a.npy"), values)
    for write in (np.savez, np.savez_compressed):
        write(folder / "a.npz", one=values)
        same(read_map(folder / "a.npz"), values)
        same(open_maps(folder / "a.npz")["one"](), values)


@given(data=st.data(), layout=st.sampled_from(["(N, H, W)", "(N, 1, H, W)", "(N, H, W, 1)"]))
def test_stacks_give_the_map_of_each_image(folder, data, layout):
    h5py = pytest.importorskip("h5py")
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(2, 5)))
    stack = data.draw(hnp.arrays("f4", shape, elements=st.floats(0, 9, width=16)))
    names = [f"i{k}" for k in range(len(stack))]
    stored = {"(N, 1, H, W)": stack[:, None], "(N, H, W, 1)": stack[..., None]}.get(layout, stack)
    np.savez(folder / "a.npz", maps=stored, names=np.array(names))
    with h5py.File(folder / "a.h5", "w") as file:
        file["maps"], file["names"] = stored, names
    for path in (folder / "a.npz", folder / "a.h5"):
        maps = open_maps(path)
        assert list(maps) == names
        for name, values in zip(names, stack, strict=True):
            same(maps[name](), values)


@given(data=st.data(), values=arrays())
def test_arrays_of_hdf5_are_kept(folder, data, values):
    h5py = pytest.importorskip("h5py")
    options = {
        "compression": data.draw(st.sampled_from([None, "gzip", "lzf"])),
        "shuffle": data.draw(st.booleans()),
        "fletcher32": data.draw(st.booleans()),
        "chunks": data.draw(st.sampled_from([True, (1, 1)])),
    }
    with h5py.File(folder / "b.h5", "w") as file:
        file.create_dataset("one", data=values, **options)
        if values.dtype.kind in "iu":  # the number of bits that the values need
            file.create_dataset("scaled", data=values, scaleoffset=0)
        partly = file.create_dataset("partly", (4, 4), "f4", chunks=(2, 2), fillvalue=7)
        partly[:2, :2] = 1
    maps = open_maps(folder / "b.h5")
    same(maps["one"](), values)
    if "scaled" in maps:
        same(maps["scaled"](), values)
    assert maps["partly"]().sum() == 4 + 12 * 7


@given(data=st.data(), values=arrays())
def test_arrays_of_zarr_are_kept(folder, data, values):
    zarr = pytest.importorskip("zarr")
    version = data.draw(st.sampled_from([2, 3]))
    group = zarr.open_group(folder / "a.zarr", mode="w", zarr_format=version)
    options = {"chunks": data.draw(st.sampled_from(["auto", (1, 1), (2, 3)]))}
    if version == 2:
        options["order"] = data.draw(st.sampled_from("CF"))
    elif options["chunks"] == (1, 1) and data.draw(st.booleans()):
        options["shards"] = (2, 2)
    if values.dtype.kind == "f":
        options["fill_value"] = data.draw(st.sampled_from([0.0, 3.0]))
    array = group.create_array("one", shape=values.shape, dtype=values.dtype, **options)
    array[...] = values
    same(open_maps(folder / "a.zarr")["one"](), values)


OTHERS = {
    "complex": np.zeros((2, 2), complex),
    "dates": np.zeros((2, 2), "M8[s]"),
    "durations": np.zeros((2, 2), "m8[s]"),
    "text": np.full((2, 2), "1"),
    "bytes": np.full((2, 2), b"1"),
    "structures": np.zeros((2, 2), [("a", "f4")]),
    "large integers": np.full((2, 2), 2**60 + 1),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_arrays_of_other_types_raise(tmp_path, kind):
    np.save(tmp_path / "a.npy", OTHERS[kind])
    with pytest.raises(ValueError, match=r"a\.npy: `map` must"):
        read_map(tmp_path / "a.npy")


def test_damaged_array_of_an_archive_raises(tmp_path):
    """Without compression, numpy reads up to the last value and not up to the checksum."""
    path = tmp_path / "a.npz"
    np.savez(path, one=np.ones((30, 40)), maps=np.ones((3, 4, 5)))
    content = bytearray(path.read_bytes())
    for place in range(300, 6000, 300):
        changed = content.copy()
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises(ValueError, match=r"a\.npz"):
            open_maps(path)["one"]()
