"""Reading of saliency maps and sizes, and errors about invalid files."""

import numpy as np
import pytest
from PIL import Image

from gazesal import find_maps, read_map, read_sizes

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int64, np.float16, np.float32, np.float64, bool]
)
def test_npy_values_are_kept(tmp_path, dtype):
    values = GRAY.astype(dtype)
    np.save(tmp_path / "a.npy", values)
    read = read_map(tmp_path / "a.npy")
    assert read.dtype in (np.float32, np.float64)
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_images_are_kept_unscaled(tmp_path, suffix, dtype):
    values = GRAY.astype(dtype) * (1 if dtype is np.uint8 else 5000)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_map(tmp_path / f"a.{suffix}"), values)


def test_float_tiff_is_kept(tmp_path):
    values = GRAY.astype(np.float32) / 7
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_map(tmp_path / "a.tif"), values)


def test_gray_stored_as_rgb_is_read_and_color_raises(tmp_path):
    gray = np.repeat(GRAY[..., None], 3, axis=2)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_map(tmp_path / "gray.png"), GRAY)
    gray[0, 0, 0] += 1
    Image.fromarray(gray).save(tmp_path / "color.png")
    with pytest.raises(ValueError, match=r"color\.png: must be a gray image"):
        read_map(tmp_path / "color.png")


def test_transparency_and_pages_raise(tmp_path):
    Image.fromarray(np.zeros((3, 4, 4), np.uint8)).save(tmp_path / "clear.png")
    with pytest.raises(ValueError, match=r"clear\.png: it must be opaque"):
        read_map(tmp_path / "clear.png")
    pages = [Image.fromarray(GRAY), Image.fromarray(GRAY)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"pages\.tif: .*one page"):
        read_map(tmp_path / "pages.tif")


BAD_ARRAYS = {
    "nan": np.array([[0.0, np.nan]]),
    "infinite": np.array([[0.0, np.inf]]),
    "empty": np.zeros((0, 4)),
    "1-D": np.zeros(4),
    "3-D": np.zeros((3, 4, 3)),
    "complex": np.zeros((3, 4), complex),
}


@pytest.mark.parametrize("kind", BAD_ARRAYS)
def test_invalid_array_raises(tmp_path, kind):
    np.save(tmp_path / "a.npy", BAD_ARRAYS[kind])
    with pytest.raises(ValueError, match=r"a\.npy: `map` must"):
        read_map(tmp_path / "a.npy")


def test_pickled_arrays_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1, None]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy: cannot be read as a \.npy array"):
        read_map(tmp_path / "a.npy")


@pytest.mark.parametrize("keep", [0, 40, 150])
def test_truncated_npy_raises(tmp_path, keep):
    np.save(tmp_path / "a.npy", np.ones((30, 40)))
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data[:keep])
    with pytest.raises(ValueError, match=r"a\.npy: cannot be read"):
        read_map(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_truncated_image_raises(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ValueError, match=rf"a\.{suffix}: cannot be read as an image"):
        read_map(path)


def test_archive_of_several_arrays_is_not_a_map(tmp_path):
    np.savez(tmp_path / "a.npz", GRAY)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"a\.npy: must have one array"):
        read_map(tmp_path / "a.npy")


def test_other_formats_and_missing_files_raise(tmp_path):
    with pytest.raises(ValueError, match=r"a\.gif: a map must be one of"):
        read_map(tmp_path / "a.gif")
    for name in ("a.npy", "a.png", "a.jpg", "a.bmp", "a.npz", "a.mat"):
        with pytest.raises(FileNotFoundError, match=name):
            read_map(tmp_path / name)


def test_maps_are_found_by_method_and_image(tmp_path):
    for name in ("b/2.npy", "b/1.npy", "a/1.png", "a/.hidden.npy", "a/notes.txt", ".cache/1.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_maps(tmp_path)
    assert {method: list(files) for method, files in found.items()} == {"a": ["1"], "b": ["1", "2"]}
    assert found["b"]["2"] == tmp_path / "b" / "2.npy"


def test_two_files_for_one_map_raise(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.npy").touch()
    (tmp_path / "a" / "1.png").touch()
    with pytest.raises(ValueError, match=r"image '1' must have one map, got '1\.npy' and '1\.png'"):
        find_maps(tmp_path)


def test_folder_without_map_files_raises(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.npy").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.gif").touch()
    with pytest.raises(ValueError, match="photos: maps must be one of"):
        find_maps(tmp_path)


@pytest.mark.parametrize("suffix", ["npy", "png", "tif"])
def test_flipped_bytes_raise_value_error_only(tmp_path, suffix):
    """A damaged file is read or raises a ValueError with its name."""
    rng = np.random.default_rng(0)
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "npy":
        np.save(whole, rng.random((9, 11)))
    else:
        Image.fromarray(rng.integers(0, 255, (9, 11), dtype=np.uint8)).save(whole)
    data = np.frombuffer(whole.read_bytes(), np.uint8)
    broken = tmp_path / f"broken.{suffix}"
    messages = []
    for _ in range(150):
        copy = data.copy()
        places = rng.integers(0, min(len(data), 160), 3)
        copy[places] = rng.integers(0, 256, 3)
        broken.write_bytes(copy.tobytes())
        try:
            read_map(broken)
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 10
    assert all(f"broken.{suffix}" in message for message in messages)


def test_folders_without_maps_raise(tmp_path):
    with pytest.raises(ValueError, match="must have maps"):
        find_maps(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_maps(tmp_path / "none")


def test_sizes_are_height_and_width(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text("image,height,width\n01,600,800\n2,480,640\n")
    assert read_sizes(path) == {"01": (600, 800), "2": (480, 640)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,width\n1,2\n", "column 'height' is missing"),
        ("image,width,height\n1,2.5,3\n", "line 2: width and height must be whole numbers"),
        ("image,width,height\n1,2,-3\n", "line 2: width and height must be whole numbers"),
        ("image,width,height\n1,2,0\n", "line 2: width and height must be at least 1"),
        ("image,width,height\n1,2,3\n1,2,3\n", "line 3: images must differ, got '1'"),
        ("image,width,height\n1,2,3\n,,\n", "line 3: width and height must be whole numbers"),
        ("", "cannot be read as a CSV table"),
    ],
)
def test_invalid_sizes_raise(tmp_path, text, message):
    path = tmp_path / "sizes.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"sizes\.csv.*{message}"):
        read_sizes(path)


@pytest.mark.parametrize("function", [find_maps, read_map, read_sizes])
def test_paths_of_the_wrong_type_raise(function):
    with pytest.raises(TypeError, match=r"`(path|folder)` must be a path, .* got None"):
        function(None)
