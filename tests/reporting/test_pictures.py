"""Reading of pictures, which are displayed as image viewers display them."""

import numpy as np
import pytest
from PIL import Image

from gazesal.reporting.pictures import PLAIN, find_picture, for_display, read_picture, to_unit_range

RAMP = np.linspace(0, 1, 48 * 64).reshape(48, 64)
DEEP = (RAMP * 65535).astype(np.uint16)


@pytest.mark.parametrize(
    ("values", "suffix"),
    [
        (DEEP, ".png"),
        ((RAMP * 4095).astype(np.uint16), ".png"),
        (DEEP, ".tif"),
        ((RAMP * 1e6).astype(np.int32), ".tif"),
        (RAMP.astype(np.float32), ".tif"),
        (DEEP, ".npy"),
    ],
    ids=["16 bits", "12 bits in 16", "TIFF of 16", "TIFF of 32", "TIFF of floats", "array"],
)
def test_pictures_of_more_than_8_bits_keep_all_levels(tmp_path, values, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)
    np.testing.assert_array_equal(find_picture(tmp_path, "a"), values)
    assert np.unique(to_unit_range(for_display(read_picture(path)))).size > 1000


@pytest.mark.parametrize("values", [np.uint8(RAMP * 255), DEEP], ids=["8 bits", "16 bits"])
def test_negatives_are_inverted_at_all_bit_depths(tmp_path, values):
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    entry = bytes.fromhex("0601 0300 01000000")  # tag 262 with one short integer
    stored = path.read_bytes()
    assert stored.count(entry + b"\x01") == 1  # 1 means that the smallest value is black
    path.write_bytes(stored.replace(entry + b"\x01", entry + b"\x00"))
    shown = to_unit_range(for_display(read_picture(path)))
    shown = shown.mean(axis=2) if shown.ndim == 3 else shown
    np.testing.assert_allclose(shown, 1 - RAMP, atol=0.005)


@pytest.mark.parametrize("values", [np.uint8(RAMP * 255), DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_exif_orientation_is_applied(tmp_path, values, suffix):
    path = tmp_path / f"a{suffix}"
    image = Image.fromarray(values)
    exif = image.getexif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    image.save(path, exif=exif)
    shown = for_display(read_picture(path))
    shown = shown[..., 0] if shown.ndim == 3 else shown
    np.testing.assert_array_equal(shown, np.rot90(values, -1))


def test_transparent_pixels_become_white(tmp_path):
    colors = np.zeros((2, 2, 4), np.uint8)
    colors[0] = [10, 20, 30, 255]
    for mode, opaque in (("RGBA", [10, 20, 30]), ("LA", [18, 18, 18])):
        Image.fromarray(colors).convert(mode).save(tmp_path / "a.png")
        shown = for_display(read_picture(tmp_path / "a.png"))
        np.testing.assert_array_equal(shown[0, 0], opaque)
        np.testing.assert_array_equal(shown[1, 1], [255, 255, 255])
    np.testing.assert_array_equal(for_display(colors)[1, 1], [255, 255, 255])
    np.testing.assert_array_equal(for_display(colors)[0, 0], [10, 20, 30])


def test_colors_of_16_bits_are_rescaled():
    deep = np.stack([RAMP * 65535] * 3, axis=2).astype(np.uint16)
    shown = for_display(deep)
    assert (shown.min(), shown.max()) == (0, 1)
    np.testing.assert_allclose(shown[..., 1], RAMP, atol=1e-4)
    small = np.stack([RAMP] * 3, axis=2) * 0.5
    np.testing.assert_array_equal(for_display(small), small)


def test_pictures_without_contrast_or_with_nan_are_gray():
    assert (to_unit_range(np.full((2, 3), 7.0)) == PLAIN).all()
    shown = to_unit_range(np.array([[0.0, 2.0, np.nan, np.inf]]))
    assert shown.tolist() == [[0.0, 1.0, PLAIN, PLAIN]]


def test_postscript_named_png_is_refused_without_running_ghostscript(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(np.uint8(RAMP * 255)).save(path, format="EPS")
    with Image.open(path) as image:
        assert image.format == "EPS"
    started = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *each, **_: started.append(each))
    with pytest.raises(ValueError, match=r"a\.png: cannot be read as a picture"):
        read_picture(path)
    assert started == []
