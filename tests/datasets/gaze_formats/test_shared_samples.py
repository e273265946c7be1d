"""Each sample of the shared formats gives its truth in one call."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from gazesal import InputWarning, SkippedDataWarning, read_sizes
from gazesal.datasets.gaze_formats.registry import read_format
from gazesal.datasets.screens import Screen

# format, source, truth, options, and tolerances of positions in pixels and of durations in ms
EXACT = (1e-6, 1e-6)
ROUNDED = (1e-6, 5e-5)  # the truth has four decimals
DETECTED = (0.5, 25.0)  # fixations that are detected in samples
SAMPLES = {
    "osie": ("osie", "05_osie/fixations.mat", "truth", {}, EXACT),
    "figrim": ("figrim", "05_figrim/allImages_release.mat", "truth", {}, EXACT),
    "mit1003": ("mit1003", "02_mit1003", "truth", {"sizes": "sizes"}, ROUNDED),
    "mit1003 samples": ("mit1003", "02_mit1003/DATA", "truth", {"sizes": "sizes"}, DETECTED),
    "cat2000": ("cat2000", "03_cat2000", "truth", {}, EXACT),
    "cat2000 all": (
        "cat2000",
        "03_cat2000/trainSet/allFixData.mat",
        "truth_all",
        {"outside": "keep", "duplicates": "keep"},
        EXACT,
    ),
    "salicon": ("salicon", "04_salicon/train", "truth_mat_fixations", {}, EXACT),
    "salicon mouse": (
        "salicon",
        "04_salicon/train",
        "truth_mat_mouse",
        {"samples": "mouse"},
        EXACT,
    ),
    "salicon json": (
        "salicon-json",
        "04_salicon/fixations_train2014examples.json",
        "truth_json",
        {},
        EXACT,
    ),
    "coco-search18": ("coco-search18", "06_coco_search18", "truth", {}, EXACT),
    "coco-search18 pictures": (
        "coco-search18",
        "06_coco_search18",
        "truth_original_frame",
        {"sizes": "sizes_original"},
        EXACT,
    ),
    "gazesearch": ("gazesearch", "06_gazesearch", "truth", {}, EXACT),
    "gazesearch pictures": (
        "gazesearch",
        "06_gazesearch",
        "truth_full_size",
        {"sizes": "sizes_full"},
        EXACT,
    ),
    "eyelink": ("eyelink-asc", "07_eyelink/mono", "truth_mono", {"sizes": "sizes"}, EXACT),
    "eyelink screen": (
        "eyelink-asc",
        "07_eyelink/mono",
        "truth_mono",
        {"sizes": "sizes", "screen": True},
        EXACT,
    ),
    "eyelink both eyes": (
        "eyelink-asc",
        "07_eyelink/bino",
        "truth_bino",
        {"sizes": "sizes", "eye": "both", "screen": True},
        EXACT,
    ),
    "bids": ("bids", "09_bids/dataset", "truth", {"sizes": "sizes", "screen": True}, EXACT),
    "psychopy": ("psychopy", "15_psychopy", "truth", {"sizes": "sizes"}, EXACT),
}
KEYS = ["image", "observer", "x", "y", "duration"]


def sample(shared, name):
    """Return the table that is read, the truth, and the tolerances."""
    form, source, truth, options, tolerances = SAMPLES[name]
    folder = shared / "formats" / source.partition("/")[0]
    options = dict(options)
    if "sizes" in options:
        options["sizes"] = read_sizes(folder / f"{options['sizes']}.csv")
    if "screen" in options:
        places = json.loads((folder / "meta.json").read_text())["on_screen"]
        options["screen"] = {
            image: Screen(rectangle=tuple(edges)) for image, edges in places.items()
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedDataWarning)
        warnings.simplefilter("ignore", InputWarning)
        table = read_format(form, shared / "formats" / source, options)
    expected = pd.read_csv(folder / f"{truth}.csv", dtype={"image": str, "observer": str})
    return table, expected, tolerances


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_gives_its_truth(shared, name):
    table, expected, (pixels, milliseconds) = sample(shared, name)
    durations = bool(expected["duration"].notna().all())
    assert table.attrs["durations"] is durations
    if not durations:
        expected["duration"] = 1.0
    assert len(table) == len(expected)
    left = table.sort_values(KEYS, kind="stable").reset_index(drop=True)
    right = expected.sort_values(KEYS, kind="stable").reset_index(drop=True)
    if pixels == DETECTED[0]:  # positions differ, so that only time sorts them
        keys = ["image", "observer", "start_sample"]
        left = table.sort_values(keys).reset_index(drop=True)
        right = expected.sort_values(keys).reset_index(drop=True)
    assert left["image"].tolist() == right["image"].tolist()
    assert left["observer"].tolist() == right["observer"].tolist()
    np.testing.assert_allclose(left[["x", "y"]], right[["x", "y"]], rtol=0, atol=pixels)
    np.testing.assert_allclose(left["duration"], right["duration"], rtol=0, atol=milliseconds)
    for column in ("view", "task", "condition"):
        if column in expected:
            assert left[column].tolist() == right[column].tolist()
    for column in ("timestamp", "start", "end", "start_from_onset", "onset_seconds"):
        if column in expected:
            np.testing.assert_allclose(left[column], right[column], rtol=0, atol=1e-6)


def test_positions_off_the_image_are_the_ones_of_the_truth(shared):
    folder = shared / "formats" / "02_mit1003"
    everything = read_format("mit1003", folder, {"outside": "keep"})
    parts = [pd.read_csv(folder / f"truth{part}.csv") for part in ("", "_off_image")]
    expected = pd.concat(parts).sort_values(["image", "observer", "start_sample"])
    found = everything.sort_values(["image", "observer", "start_sample"])
    np.testing.assert_allclose(found[["x", "y"]], expected[["x", "y"]], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["duration"], expected["duration"], rtol=0, atol=5e-5)


def test_pooled_fixations_of_cat2000_are_the_ones_of_the_truth(shared):
    folder = shared / "formats" / "03_cat2000"
    table = read_format("cat2000", folder / "trainSet" / "FIXATIONLOCS", {})
    for image, rows in table.groupby("image"):
        name = str(image).removesuffix(".jpg").replace("/", "_")
        expected = pd.read_csv(folder / f"truth_fixlocs_{name}.csv")
        assert set(rows["observer"]) == {"all"}
        np.testing.assert_array_equal(
            rows.sort_values(["x", "y"])[["x", "y"]], expected.sort_values(["x", "y"])[["x", "y"]]
        )


def test_both_eyes_are_reported(shared):
    folder = shared / "formats" / "07_eyelink"
    options = {"sizes": folder / "sizes.csv"}
    with pytest.warns(InputWarning, match="eye="):
        both = read_format("eyelink-asc", folder / "bino", options)
    left = read_format("eyelink-asc", folder / "bino", options | {"eye": "left"})
    assert set(left["eye"]) == {"left"}
    assert len(left) == len(both) / 2


def test_maps_of_vqa_hat_have_image_and_observer(shared):
    folder = shared / "formats" / "15_vqa_hat"
    expected = pd.read_csv(folder / "truth.csv", dtype=str)
    table = read_format("vqa-hat", folder, {})
    assert [path.name for path in table["map"]] == expected["file"].tolist()
    assert table["image"].tolist() == expected["image"].tolist()
    assert table["observer"].tolist() == expected["observer"].tolist()
