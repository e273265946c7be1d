"""The synthetic study: the same from a seed, and what it says it is."""

import numpy as np
import pytest

from gazesal import find_maps, read_fixations, read_map
from gazesal.datasets.synthetic import SYNTHETIC_METHODS, write_synthetic_study


def contents(folder):
    """Bytes of every file of a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_synthetic_study(tmp_path / name, n_images=3, n_observers=2, seed=seed)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert first["fixations.csv"] != other["fixations.csv"]


def test_more_images_leave_the_first_ones_alone(tmp_path):
    write_synthetic_study(tmp_path / "few", n_images=2, n_observers=2)
    write_synthetic_study(tmp_path / "many", n_images=4, n_observers=2)
    few, many = contents(tmp_path / "few"), contents(tmp_path / "many")
    assert few["images/cxr000.npy"] == many["images/cxr000.npy"]
    assert few["maps/lesions/cxr001.npy"] == many["maps/lesions/cxr001.npy"]


def test_everybody_reads_every_image_and_every_map_is_there(tmp_path):
    write_synthetic_study(tmp_path, n_images=4, n_observers=3, seed=1)
    table = read_fixations(tmp_path / "fixations.csv")
    readings = table.groupby(["image", "observer"]).size()
    assert len(readings) == 12
    assert readings.min() >= 5
    assert table["x"].between(0, 255).all()
    assert table["y"].between(0, 299).all()
    maps = find_maps(tmp_path / "maps")
    assert set(maps) == set(SYNTHETIC_METHODS)
    for files in maps.values():
        assert list(files) == sorted(table["image"].unique())
        assert all(read_map(path).shape == (150, 128) for path in files.values())
    assert np.load(tmp_path / "images" / "cxr000.npy").shape == (300, 256)


@pytest.mark.parametrize("option", ["n_images", "n_observers"])
def test_too_few_are_refused(tmp_path, option):
    with pytest.raises(ValueError, match=f"`{option}` must be at least 2, got 1"):
        write_synthetic_study(tmp_path, **{option: 1})
