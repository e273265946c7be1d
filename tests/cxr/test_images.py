"""Tests of reading images as 8 bits: depths, windows, colors, DICOM and invalid files."""

import numpy as np
import pytest

from gazesal.cxr import read_image

Image = pytest.importorskip("PIL.Image")

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_eight_bit_images_are_unchanged(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(GRAY).save(path)
    for source in (path, str(path), GRAY, Image.open(path)):
        np.testing.assert_array_equal(read_image(source), GRAY)


def test_jpeg_is_read(tmp_path):
    path = tmp_path / "a.jpg"
    flat = np.full((16, 16), 77, np.uint8)
    Image.fromarray(flat).save(path, quality=95)
    np.testing.assert_array_equal(read_image(path), flat)


def test_equal_channels_become_gray(tmp_path):
    path = tmp_path / "a.png"
    equal = np.repeat(GRAY[..., None], 3, axis=2)
    Image.fromarray(equal).save(path)
    np.testing.assert_array_equal(read_image(path), GRAY)
    color = equal.copy()
    color[1, 2, 0] = 255
    Image.fromarray(color).save(path)
    np.testing.assert_array_equal(read_image(path), color)


def test_sixteen_bit_images_use_their_range_or_a_window(tmp_path):
    path = tmp_path / "a.png"
    deep = np.array([[100, 350, 1100]], np.uint16)
    Image.fromarray(deep).save(path)
    for source in (path, deep, deep.astype(np.int16)):
        assert read_image(source).tolist() == [[0, 64, 255]]
        assert read_image(source, window=(0, 510)).tolist() == [[50, 175, 255]]
        assert read_image(source, window="range").tolist() == [[0, 64, 255]]


def test_other_dtypes_need_a_window():
    for values in (np.array([[0.0, 0.5, 1.0]]), np.array([[0, 1, 2]])):
        with pytest.raises(TypeError, match="`window` must be given"):
            read_image(values)
        assert read_image(values, window="range").tolist() == [[0, 128, 255]]
    assert read_image(np.array([[True, False]])).tolist() == [[255, 0]]
    assert read_image(np.full((2, 2), 9, np.uint16)).tolist() == [[0, 0], [0, 0]]


def test_window_applies_to_eight_bit_images():
    assert read_image(GRAY, window=(20, 60))[0].tolist() == [0, 0, 128, 255]


def test_only_opaque_alpha_channels_are_accepted(tmp_path):
    path = tmp_path / "a.png"
    opaque = np.dstack([GRAY, GRAY, GRAY, np.full_like(GRAY, 255)])
    Image.fromarray(opaque).save(path)
    np.testing.assert_array_equal(read_image(path), GRAY)
    opaque[0, 0, 3] = 254
    Image.fromarray(opaque).save(path)
    with pytest.raises(ValueError, match=r"a\.png: it must be opaque"):
        read_image(path)


def write_dicom(path, stored, *, kind="MONOCHROME2", **tags):
    """Write a plain secondary-capture DICOM file of 16-bit pixels."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["gazesal"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    data.Rows, data.Columns = stored.shape[:2]
    data.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    if stored.ndim == 3:
        data.PlanarConfiguration = 0
    bits = stored.dtype.itemsize * 8
    data.PhotometricInterpretation = kind
    data.BitsAllocated = bits
    data.BitsStored = tags.pop("BitsStored", bits)
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(stored.dtype.kind == "i")
    data.PixelData = stored.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    assert pydicom.dcmread(path).Rows == stored.shape[0]
    return path


STORED = np.array([[0, 100, 200, 300]], np.uint16)


def test_dicom_without_a_window_uses_its_range(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED)
    assert read_image(path).tolist() == [[0, 85, 170, 255]]
    assert read_image(path, window=(0, 200)).tolist() == [[0, 128, 255, 255]]


def test_dicom_is_recognized_by_its_preamble(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED)
    assert read_image(path.rename(tmp_path / "no suffix")).tolist() == [[0, 85, 170, 255]]


def test_monochrome1_is_inverted(tmp_path):
    first = write_dicom(tmp_path / "1.dcm", STORED, kind="MONOCHROME1")
    second = write_dicom(tmp_path / "2.dcm", STORED)
    np.testing.assert_array_equal(read_image(first), 255 - read_image(second))


def test_dicom_window_follows_the_standard(tmp_path):
    """LINEAR maps a value x to (x - (c - 0.5)) / (w - 1) + 0.5 of the range."""
    path = write_dicom(tmp_path / "a.dcm", STORED, WindowCenter=[150.5, 9], WindowWidth=[201, 9])
    expected = np.floor(((STORED - 150.0) / 200 + 0.5).clip(0, 1) * 255 + 0.5)
    np.testing.assert_array_equal(read_image(path), expected)
    path = write_dicom(
        tmp_path / "b.dcm", STORED, WindowCenter=150, WindowWidth=200, VOILUTFunction="LINEAR_EXACT"
    )
    expected = np.floor(((STORED - 150.0) / 200 + 0.5).clip(0, 1) * 255 + 0.5)
    np.testing.assert_array_equal(read_image(path), expected)
    path = write_dicom(
        tmp_path / "c.dcm", STORED, WindowCenter=150, WindowWidth=200, VOILUTFunction="SIGMOID"
    )
    with pytest.raises(ValueError, match=r"SIGMOID.* Pass `window`"):
        read_image(path)


def test_dicom_rescaling_precedes_the_window(tmp_path):
    path = write_dicom(
        tmp_path / "a.dcm",
        STORED,
        RescaleSlope=2,
        RescaleIntercept=-100,
        WindowCenter=200,
        WindowWidth=600,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert read_image(path).tolist() == [[0, 85, 170, 255]]


def test_dicom_look_up_table_is_applied(tmp_path):
    from_table = [0, 10, 20, 255]
    pydicom = pytest.importorskip("pydicom")
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [4, 0, 8])
    item.add_new(0x00283006, "OW", np.array(from_table, np.uint16).tobytes())
    path = write_dicom(
        tmp_path / "a.dcm",
        np.array([[0, 1, 2, 3]], np.uint16),
        VOILUTSequence=pydicom.Sequence([item]),
    )
    assert read_image(path).tolist() == [from_table]


def test_given_window_replaces_the_files_window(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [4, 0, 8])
    item.add_new(0x00283006, "OW", np.array([0, 10, 20, 255], np.uint16).tobytes())
    plain = write_dicom(tmp_path / "a.dcm", STORED)
    table = write_dicom(tmp_path / "b.dcm", STORED, VOILUTSequence=pydicom.Sequence([item]))
    tags = {"WindowCenter": 5, "WindowWidth": 3, "VOILUTFunction": "SIGMOID"}
    curve = write_dicom(tmp_path / "c.dcm", STORED, **tags)
    for window in ("range", (10, 200)):
        expected = read_image(plain, window=window)
        assert len(np.unique(expected)) > 2
        for path in (table, curve):
            np.testing.assert_array_equal(read_image(path, window=window), expected)
    with pytest.raises(ValueError, match="Pass `window`"):
        read_image(curve)


def test_dicom_window_of_width_one_is_a_step(tmp_path):
    center = int(np.median(STORED))
    path = write_dicom(tmp_path / "a.dcm", STORED, WindowCenter=center, WindowWidth=1)
    expected = np.where(STORED.astype(float) <= center - 0.5, 0, 255)
    assert set(expected.ravel()) == {0, 255}
    np.testing.assert_array_equal(read_image(path), expected)


def test_dicom_in_color_is_read(tmp_path):
    color = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    path = write_dicom(tmp_path / "a.dcm", color, kind="RGB")
    np.testing.assert_array_equal(read_image(path), color)


def test_damaged_dicom_raises(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"a\.dcm: cannot be read as a DICOM image"):
        read_image(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"a\.dcm: cannot be read as a DICOM image"):
        read_image(path)


@pytest.mark.parametrize(
    ("image", "window", "error", "message"),
    [
        (np.zeros((2, 2, 4)), None, ValueError, "of shape"),
        (np.zeros((0, 2), np.uint8), None, ValueError, "non-empty"),
        (np.zeros(5, np.uint8), None, ValueError, "of shape"),
        (np.array([["a"]]), None, TypeError, "real numbers"),
        (np.array([[np.nan]]), "range", ValueError, "`image` must be finite"),
        (GRAY, (1, 1), ValueError, "`window` must be finite with low < high"),
        (GRAY, (0, np.inf), ValueError, "`window` must be finite"),
        (GRAY, "lung", ValueError, '`window` must be two numbers or "range"'),
        (GRAY, 3, TypeError, "`window` must be two numbers"),
        (7, None, TypeError, "must be a file, an array or a Pillow image, got int"),
    ],
)
def test_invalid_input_raises(image, window, error, message):
    with pytest.raises(error, match=message):
        read_image(image, window=window)


def test_invalid_files_raise(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be an image file"):
        read_image(tmp_path / "none.png")
    path = tmp_path / "a.png"
    Image.fromarray(GRAY).save(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"a\.png: cannot be read as an image"):
        read_image(path)
    Image.fromarray(GRAY).save(
        tmp_path / "a.gif", save_all=True, append_images=[Image.new("L", (4, 3))]
    )
    with pytest.raises(ValueError, match=r"a\.gif: .*one page or frame"):
        read_image(tmp_path / "a.gif")
    Image.new("CMYK", (4, 3)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg: .*got mode CMYK"):
        read_image(tmp_path / "a.jpg")
    Image.fromarray(np.float32(GRAY)).save(tmp_path / "f.tif")
    with pytest.raises(ValueError, match=r"f\.tif: `window` must be given"):
        read_image(tmp_path / "f.tif")
