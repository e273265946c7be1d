"""Pictures of all types are read with the stored values or refused with a reason."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from gazesal import read_map
from gazesal.cxr import read_image
from gazesal.datasets.map_files import map_of_file
from gazesal.datasets.stored_pictures import picture_size
from tests.datasets.picture_files import png, tiff

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 11))
REMEDIES = ("Save it", "save it", "Keep one", "Export the values of the map")


def read_or_refused(path, content, expected):
    """Return whether the map was read, and check its values or the message of the error."""
    path.write_bytes(content)
    try:
        found, message = read_map(path), ""
    except ValueError as error:
        found, message = None, str(error)
    if found is None:
        assert message.startswith(f"{path}: ")
        assert any(remedy in message for remedy in REMEDIES), message
        return False
    np.testing.assert_array_equal(found, expected)
    return True


def of_kind(dtype, shapes=SHAPES):
    """Return arrays with both ends of the range of their dtype."""
    if np.dtype(dtype).kind == "f":
        return hnp.arrays(dtype, shapes, elements=st.floats(-1e3, 1e3, width=16))
    ends = np.iinfo(dtype)
    return hnp.arrays(dtype, shapes, elements=st.integers(int(ends.min), int(ends.max)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@given(data=st.data(), bits=st.sampled_from([1, 2, 4, 8, 16]))
def test_gray_png_of_all_depths_is_read_as_stored(folder, data, bits):
    values = data.draw(hnp.arrays(np.uint16, SHAPES, elements=st.integers(0, 2**bits - 1)))
    clear = data.draw(st.none() | st.integers(0, 2**bits - 1))
    chunks = [] if clear is None else [(b"tRNS", struct.pack(">H", clear))]
    extra = data.draw(st.sampled_from([None, b"gAMA", b"sRGB", b"sBIT"]))
    body = {b"gAMA": struct.pack(">I", 100_000), b"sRGB": b"\0", b"sBIT": bytes([bits])}
    chunks = chunks + ([] if extra is None else [(extra, body[extra])])
    read = read_or_refused(folder / "a.png", png(values, bits, 0, *chunks), values)
    assert read == (clear is None or not (values == clear).any())


@given(data=st.data(), bits=st.sampled_from([8, 16]), color=st.sampled_from([2, 4, 6]))
def test_png_of_several_channels_is_read_if_gray_and_opaque(folder, data, bits, color):
    values = data.draw(hnp.arrays(np.uint16, SHAPES, elements=st.integers(0, 2**bits - 1)))
    top = 2**bits - 1
    alpha = np.full_like(values, top)
    opaque, gray = data.draw(st.booleans()), data.draw(st.booleans())
    if not opaque:
        alpha.flat[-1] = data.draw(st.integers(0, top - 1))
    channels = [values] if color == 4 else [values, values.copy(), values]
    if not gray and color != 4:
        channels[1].flat[0] ^= 1
    stack = np.dstack([*channels, alpha] if color != 2 else channels)
    read = read_or_refused(folder / "a.png", png(stack, bits, color), values)
    assert read == ((opaque or color == 2) and (gray or color == 4))


@given(data=st.data(), bits=st.sampled_from([8, 16]))
def test_png_with_a_transparent_color_is_refused_if_a_pixel_has_it(folder, data, bits):
    values = data.draw(hnp.arrays(np.uint16, SHAPES, elements=st.integers(0, 2**bits - 1)))
    clear = data.draw(st.sampled_from([int(values.flat[0]), 0, 2**bits - 1]))
    content = png(np.dstack([values] * 3), bits, 2, (b"tRNS", struct.pack(">HHH", *[clear] * 3)))
    assert read_or_refused(folder / "a.png", content, values) == (not (values == clear).any())


@given(data=st.data(), bits=st.sampled_from([1, 2, 4, 8]), alpha=st.sampled_from([None, 255, 9]))
def test_png_with_a_gray_palette_is_read_by_its_colors(folder, data, bits, alpha):
    n = data.draw(st.integers(1, 2**bits))
    values = data.draw(hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, n - 1)))
    colors = data.draw(hnp.arrays(np.uint8, n))
    chunks = [(b"PLTE", np.repeat(colors[:, None], 3, axis=1).tobytes())]
    if alpha is not None:
        chunks.append((b"tRNS", bytes([alpha])))
    read = read_or_refused(folder / "a.png", png(values, bits, 3, *chunks), colors[values])
    assert read == (alpha != 9 or not (values == 0).any())


def test_index_beyond_the_palette_raises(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(np.array([[0, 1, 2]]), 8, 3, (b"PLTE", bytes(6))))
    with pytest.raises(ValueError, match=r"a\.png: .*palette"):
        read_map(path)


KINDS = {1: ("u1", "u2", "u4"), 2: ("i1", "i2", "i4"), 3: ("f2", "f4", "f8")}


@given(
    data=st.data(),
    kind=st.sampled_from([(form, dtype) for form, dtypes in KINDS.items() for dtype in dtypes]),
    order=st.sampled_from("<>"),
    photometric=st.sampled_from([0, 1]),
)
def test_tiff_is_read_as_stored_or_refused(folder, data, kind, order, photometric):
    form, dtype = kind
    values = data.draw(of_kind(dtype))
    content = tiff(values, form, photometric, order=order)
    read = read_or_refused(folder / "a.tif", content, values)
    assert read == (photometric == 1)


@given(
    data=st.data(),
    dtype=st.sampled_from(["u1", "u2", "f4"]),
    samples=st.integers(2, 5),
    photometric=st.sampled_from([0, 1, 2]),
    extra=st.sampled_from([None, 0, 1, 2]),
    opaque=st.booleans(),
)
def test_tiff_of_several_channels_is_read_or_refused(
    folder, data, dtype, samples, photometric, extra, opaque
):
    values = data.draw(of_kind(dtype))
    stack = np.dstack([values] * samples)
    if opaque and samples in {2, 4} and dtype == "u1":
        stack[..., -1] = 255
    more = {} if extra is None else {"t338": (extra,)}
    form = 3 if dtype == "f4" else 1
    read_or_refused(folder / "a.tif", tiff(stack, form, photometric, **more), values)


@pytest.mark.parametrize("factor", [1, 256, 257])
def test_tiff_palette_of_sixteen_bits_is_read_if_it_is_of_eight(tmp_path, factor):
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    colors = tuple((np.arange(256) * factor).tolist()) * 3
    read = read_or_refused(tmp_path / "a.tif", tiff(values, 1, 3, t320=colors), values)
    assert read == (factor != 1)


@given(data=st.data())
def test_tiff_of_another_writer_is_read_or_refused(folder, data):
    tifffile = pytest.importorskip("tifffile")
    dtype = data.draw(st.sampled_from([each for group in KINDS.values() for each in group] + ["?"]))
    values = data.draw(hnp.arrays("?", SHAPES) if dtype == "?" else of_kind(dtype))
    options = {
        "byteorder": data.draw(st.sampled_from("<>")),
        "bigtiff": data.draw(st.booleans()),
        "photometric": data.draw(st.sampled_from(["minisblack", "miniswhite"])),
        "compression": data.draw(st.sampled_from([None, "zlib"])),
        "rowsperstrip": data.draw(st.sampled_from([None, 1, 2])),
        "tile": data.draw(st.sampled_from([None, (16, 16)])),
    }
    if options["tile"]:
        options["rowsperstrip"] = None
    tifffile.imwrite(folder / "source.tif", values, **options)
    read_or_refused(folder / "a.tif", (folder / "source.tif").read_bytes(), values)


@given(data=st.data(), mode=st.sampled_from(["1", "L", "LA", "RGB", "RGBA", "P", "I;16", "I", "F"]))
def test_pictures_by_pillow_are_read_or_refused(folder, data, mode):
    dtype = {"1": "?", "I;16": "u2", "I": "i4", "F": "f4"}.get(mode, "u1")
    values = data.draw(hnp.arrays("?", SHAPES) if dtype == "?" else of_kind(dtype))
    channels = {"LA": [values, np.full_like(values, 255)], "RGB": [values] * 3}
    channels["RGBA"] = [*channels["RGB"], np.full_like(values, 255)]
    stack = np.dstack(channels[mode]) if mode in channels else values
    image = Image.fromarray(values).convert("P") if mode == "P" else Image.fromarray(stack)
    assert image.mode == mode
    path = folder / f"a.{data.draw(st.sampled_from(['png', 'tif', 'tiff']))}"
    options = {}
    if path.suffix != ".png":
        choices = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"]
        options["compression"] = data.draw(st.sampled_from(choices))
    elif mode in {"F", "I"}:
        return  # PNG has no such tag
    image.save(path, **options)
    assert read_or_refused(path, path.read_bytes(), values)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_rotated_picture_is_not_a_map(tmp_path, suffix):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.eye(3, 4, dtype=np.uint8)).save(tmp_path / f"a.{suffix}", exif=exif)
    with pytest.raises(ValueError, match=rf"a\.{suffix}: must be upright, got EXIF orientation 6"):
        read_map(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_pictures_are_rotated_upright(tmp_path, orientation, suffix):
    """The first pixel is in the corner given by EXIF, and Pillow rotates it back."""
    values = np.zeros((16, 24), np.uint8)
    values[:8, :8] = 255
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(values).save(path, exif=exif)
    if suffix == "tif" and orientation >= 5:  # which Pillow 13 cuts off
        assert picture_size(path) == (24, 16)
        with pytest.raises(ValueError, match=r"a\.tif: must be upright"):
            read_image(path)
        return
    found = read_image(path)
    assert found.shape == picture_size(path) == ((24, 16) if orientation >= 5 else (16, 24))
    bottom = orientation in {3, 4, 7, 8}
    right = orientation in {2, 3, 6, 7}
    corner = found[-8:] if bottom else found[:8]
    assert (corner[:, -8:] if right else corner[:, :8]).min() > 250
    assert np.count_nonzero(found > 128) == 64


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_picture_with_zero_as_white_is_inverted(tmp_path, dtype):
    top = np.iinfo(dtype).max
    values = np.array([[0, top // 4, top]], dtype)
    (tmp_path / "a.tif").write_bytes(tiff(values, 1, 0))
    assert read_image(tmp_path / "a.tif").tolist() in ([[255, 191, 0]], [[255, 192, 0]])


def test_color_of_sixteen_bits_per_channel_is_scaled_to_its_range(tmp_path):
    stack = np.dstack([np.full((2, 3), value) for value in (1000, 1500, 2000)])
    (tmp_path / "a.png").write_bytes(png(stack, 16, 2))
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [0, 128, 255]
    with pytest.raises(ValueError, match=r"a\.png: must be a gray image"):
        read_map(tmp_path / "a.png")


def test_png_with_a_wrong_checksum_raises(tmp_path):
    content = bytearray(png(np.arange(6).reshape(2, 3), 8))
    content[content.index(b"IDAT") + 8] ^= 1
    (tmp_path / "a.png").write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"a\.png: .*checksum"):
        read_map(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "jpg", "bmp"])
@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n", b"GIF89a"]
)
def test_only_the_format_of_the_suffix_is_opened(tmp_path, monkeypatch, suffix, content):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    opened = Image.open

    def watched(*args, formats=None, **options):
        assert formats is not None
        assert len(formats) == 1
        return opened(*args, formats=formats, **options)

    monkeypatch.setattr(Image, "open", watched)
    for function in (read_image, picture_size, map_of_file):
        with pytest.raises(ValueError, match=rf"a\.{suffix}: cannot be read as an image"):
            function(path)


@pytest.mark.parametrize("side", [70_000, 2**31 - 1])
def test_picture_with_too_many_pixels_raises(tmp_path, monkeypatch, side):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as set by programs that read slides
    content = png(np.zeros((1, 1), np.uint8), 8)
    header = content[12:16] + struct.pack(">II", side, side) + content[24:29]
    import zlib

    whole = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    (tmp_path / "a.png").write_bytes(whole)
    with pytest.raises(ValueError, match=r"a\.png: .*(at most|too large|overflow)"):
        read_map(tmp_path / "a.png")
