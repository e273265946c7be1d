"""Tests of the sizes of pictures, which `read_sizes` returns for a folder."""

import numpy as np
import pytest
from PIL import Image

from gazesal import read_sizes


def write_pictures(folder, sizes):
    """Write black pictures by name and (H, W)."""
    for name, size in sizes.items():
        Image.fromarray(np.zeros(size, np.uint8)).save(folder / name)


def test_sizes_come_from_the_headers_of_the_pictures(tmp_path):
    sizes = {"a.png": (6, 8), "b.JPG": (5, 3), "c.d.tif": (2, 9)}
    write_pictures(tmp_path, sizes)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".a.png").write_text("")
    (tmp_path / "folder.png").mkdir()
    assert read_sizes(tmp_path) == {"a": (6, 8), "b": (5, 3), "c.d": (2, 9)}


def test_rotated_picture_has_its_upright_size(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.zeros((4, 7), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_sizes(tmp_path) == {"a": (7, 4)}


def test_pictures_of_one_image_and_two_sizes_are_refused(tmp_path):
    write_pictures(tmp_path, {"a.png": (6, 8), "a.jpg": (6, 8)})
    assert read_sizes(tmp_path) == {"a": (6, 8)}
    write_pictures(tmp_path, {"a.tif": (3, 4)})
    with pytest.raises(ValueError, match="'a' must have one size"):
        read_sizes(tmp_path)


def test_folder_without_pictures_and_broken_picture_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"must have pictures.*got none"):
        read_sizes(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png"):
        read_sizes(tmp_path)
