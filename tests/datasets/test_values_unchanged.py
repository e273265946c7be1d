"""Every format and type that usual writers make is read with the same values, or is an error."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gazesal import open_maps, read_map

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 7))
NUMBERS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("unchanged")


@st.composite
def arrays(draw, kinds=tuple(NUMBERS), orders="<>"):
    """Return arrays of every value of a type, also not finite, in any byte and memory order."""
    kind = draw(st.sampled_from(kinds))
    dtype = np.dtype(kind).newbyteorder(draw(st.sampled_from(orders)))
    values = draw(hnp.arrays(dtype, draw(SHAPES)))
    return np.asfortranarray(values) if draw(st.booleans()) else values


def read(source):
    """Return a map, or None if it is refused with an error that names the file."""
    path = getattr(source, "path", source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about JPEG
        try:
            return read_map(source) if isinstance(source, Path) else source()
        except ValueError as error:
            message = str(error)
    assert str(path) in message
    return None


def same(found, expected):
    """Compare as Python's numbers, which are exact also for integers beyond 2**53."""
    assert found.tolist() == np.asarray(expected).tolist()


def same_or_refused(source, expected):
    """Check a map, and return whether it was read. A plain map must be."""
    found = read(source)
    if found is not None:
        same(found, expected)
    plain = np.isfinite(expected).all() and (np.abs(expected.astype(float)) <= 2**53).all()
    assert found is not None or not plain
    return found is not None


@given(values=arrays(), packed=st.booleans(), fortran=st.booleans())
def test_numpy(folder, values, packed, fortran):
    values = np.asfortranarray(values) if fortran else values
    np.save(folder / "a.npy", values)
    same_or_refused(folder / "a.npy", values)
    (np.savez_compressed if packed else np.savez)(folder / "a.npz", one=values)
    same_or_refused(folder / "a.npz", values)


@given(
    values=arrays([*NUMBERS, "g"]),
    version=st.sampled_from(["4", "5"]),
    packed=st.booleans(),
    sparse=st.booleans(),
)
def test_matlab(folder, values, version, packed, sparse):
    """SciPy stores some types of version 4 as others, but not without an error."""
    import scipy.io
    import scipy.sparse

    stored = values
    if sparse:
        if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
            return
        stored = scipy.sparse.csc_array(values.astype(values.dtype.newbyteorder("=")))
    options = {"do_compression": packed} if version == "5" else {}
    try:
        scipy.io.savemat(folder / "a.mat", {"one": stored}, format=version, **options)
    except (TypeError, ValueError, KeyError):  # the writer refuses the type
        return
    written = scipy.io.loadmat(folder / "a.mat")["one"]
    written = written.toarray() if sparse else written
    if written.tolist() != values.tolist() and np.isfinite(values).all():
        return  # the writer has changed the values
    found = read(folder / "a.mat")
    if found is not None:
        same(found, values)
    elif values.shape != (1, 1) and np.isfinite(values).all():
        assert (np.abs(values.astype(float)) > 2**53).any()


@given(values=arrays(), kind=st.sampled_from(["double", "single", "logical", "uint8", "int16"]))
def test_matlab_of_version_7_3(folder, values, kind):
    h5py = pytest.importorskip("h5py")
    kind = "logical" if values.dtype.kind == "b" else kind
    values = values.astype("u1") if values.dtype.kind == "b" else values
    with h5py.File(folder / "b.mat", "w", userblock_size=512) as file:
        file["one"] = values.T
        file["one"].attrs["MATLAB_class"] = np.bytes_(kind)
    if values.shape != (1, 1):  # a single number of MATLAB
        same_or_refused(folder / "b.mat", values)


@given(values=arrays(orders="="), dtype=st.sampled_from([None, "bfloat16", "float8_e4m3fn"]))
def test_torch(folder, values, dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(values.copy())
    if dtype is not None:
        tensor = tensor.to(torch.float32).to(getattr(torch, dtype))
        values = tensor.to(torch.float64).numpy()
    torch.save(tensor, folder / "a.pt")
    read_it = read(folder / "a.pt")
    torch.save({"one": tensor.T, "two": tensor}, folder / "b.pt")  # transposed by its strides
    if dtype == "float8_e4m3fn":  # NumPy has no such type
        assert read_it is None
        return
    same_or_refused(folder / "a.pt", values)
    stored = open_maps(folder / "b.pt")
    same_or_refused(stored["one"], values.T)
    same_or_refused(stored["two"], values)


@given(
    values=arrays(),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from([None, "gzip", "lzf"]),
            "shuffle": st.booleans(),
            "fletcher32": st.booleans(),
        }
    ),
)
def test_hdf5(folder, values, options):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("one", data=values, chunks=True, **options)
    same_or_refused(open_maps(folder / "a.h5")["one"], values)


@given(values=arrays(), version=st.sampled_from([2, 3]))
def test_zarr(folder, values, version):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(folder / "a.zarr", mode="w", zarr_format=version)
    group.create_array("one", data=np.ascontiguousarray(values))
    same_or_refused(open_maps(folder / "a.zarr")["one"], values)


MODES = {"1": "?", "I;16": "u2", "I": "i4", "F": "f4"}  # the other modes have bytes
CHANNELS = {"LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3, "LAB": 3}


@given(
    data=st.data(),
    mode=st.sampled_from([*MODES, "L", "P", *CHANNELS]),
    suffix=st.sampled_from([".png", ".tif", ".tiff", ".bmp", ".jpg"]),
)
def test_pillow(folder, data, mode, suffix):
    """Channels are equal or random, and alpha is full or random."""
    values = data.draw(hnp.arrays(MODES.get(mode, "u1"), SHAPES))
    stack = values
    if mode in CHANNELS:
        stack = np.dstack([values] * CHANNELS[mode])
        if data.draw(st.booleans()):
            stack = data.draw(hnp.arrays("u1", stack.shape))
        if mode in {"LA", "RGBA"} and data.draw(st.booleans()):
            stack[..., -1] = 255
    image = Image.fromarray(values).convert("P") if mode == "P" else Image.fromarray(stack)
    image = image if mode in {"P", image.mode} else Image.fromarray(stack, mode)
    options = {}
    if suffix.startswith(".tif"):
        kinds = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"]
        options["compression"] = data.draw(st.sampled_from(kinds))
    path = folder / f"a{suffix}"
    try:
        image.save(path, **options)
    except (OSError, KeyError):  # the format lacks the mode
        return
    found = read(path)
    if suffix == ".jpg":  # lossy, so its values are those that are decoded
        with Image.open(path) as decoded:
            stack = np.asarray(decoded)
    colors = stack[..., :-1] if mode in {"LA", "RGBA"} else stack
    gray = colors if colors.ndim == 2 else colors[..., 0]
    is_gray = colors.ndim == 2 or (colors == colors[..., :1]).all()
    opaque = mode not in {"LA", "RGBA"} or (stack[..., -1] == 255).all()
    if found is not None:
        assert is_gray
        assert opaque
        same(found, gray)
    elif mode in {"1", "L", "P", "I;16", "I", "LA", "RGB", "RGBA"}:
        assert not (is_gray and opaque) or (suffix == ".bmp" and mode == "RGBA")


@given(data=st.data())
def test_tifffile(folder, data):
    tifffile = pytest.importorskip("tifffile")
    values = data.draw(arrays(orders="="))
    samples = data.draw(st.sampled_from([1, 1, 2, 3, 4]))
    separate = samples > 1 and data.draw(st.booleans())
    photometrics = ["rgb"] if samples > 2 else ["minisblack", "miniswhite"]
    options = {
        "byteorder": data.draw(st.sampled_from("<>")),
        "bigtiff": data.draw(st.booleans()),
        "photometric": data.draw(st.sampled_from(photometrics)),
        "compression": data.draw(st.sampled_from([None, "zlib", "lzma", "packbits"])),
        "tile": data.draw(st.sampled_from([None, (16, 16)])),
    }
    options["predictor"] = bool(options["compression"]) and data.draw(st.booleans())
    if not options["tile"]:
        options["rowsperstrip"] = data.draw(st.sampled_from([None, 1, 2]))
    stack = np.stack([values] * samples, axis=0 if separate else -1) if samples > 1 else values
    equal = samples < 3 or data.draw(st.booleans())
    opaque = samples in {1, 3}
    if samples in {2, 4}:
        top = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
        opaque = values.dtype.kind in "uf" and data.draw(st.booleans())
        stack[-1 if separate else ..., ... if separate else -1] = top if opaque else 0
        options["extrasamples"] = [data.draw(st.sampled_from(["unassalpha", "unspecified"]))]
    if not equal:
        stack[1 if separate else ..., ... if separate else 1] = 1
    if samples > 1:
        options["planarconfig"] = "separate" if separate else "contig"
    try:
        tifffile.imwrite(folder / "a.tif", stack, **options)
    except (ValueError, KeyError, ImportError, NotImplementedError):  # the writer refuses
        return
    found = read(folder / "a.tif")
    first = stack if samples == 1 else stack[0] if separate else stack[..., 0]
    if found is not None:
        assert options["photometric"] != "miniswhite"
        assert opaque or samples in {1, 3}
        colors = stack if separate else np.moveaxis(stack, -1, 0)
        assert samples < 3 or (colors[:3] == colors[0]).all()
        same(found, first)
    elif samples == 1 and options["photometric"] == "minisblack" and np.isfinite(values).all():
        large = (np.abs(values.astype(float)) > 2**53).any()
        assert large or options["compression"] in {"lzma", "packbits"} or options["predictor"]
