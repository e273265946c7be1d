"""The segmentation floor, against the study's steps and on real lung masks."""

import json

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.cxr.lung_hull import box_of_mask, clean_lung_mask, lung_hull

CASES = [
    "two_lungs_holes_specks",
    "region_on_bottom_border",
    "diagonal_contact_border",
    "empty",
    "one_region_below_2pct_area",
    "band_touching_border_with_pocket",
    "slanted_parts",
    "exactly_half_is_background",
    "non_square_200x300",
    "tiny_40x50",
    "exactly_40px_kept_39px_removed_40x50",
]


@pytest.fixture(scope="module")
def study(shared):
    """Probability maps and the study's masks after each step."""
    folder = shared / "oracles" / "models"
    with np.load(folder / "segmentation.npz") as file:
        arrays = dict(file)
    return arrays, json.loads((folder / "segmentation.json").read_text())


def unpack(study, case, step):
    """One of the study's masks, from its packed bits."""
    arrays, facts = study
    height, width = facts[case]["shape"]
    bits = np.unpackbits(arrays[f"{case}__{step}_bits"], count=height * width)
    return bits.reshape(height, width).astype(bool)


def test_every_case_is_tried(study):
    assert sorted(study[1]) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_every_pixel_is_that_of_the_study(study, case):
    probability = study[0][f"{case}__prob"]
    np.testing.assert_array_equal(clean_lung_mask(probability), unpack(study, case, "noBorder"))
    np.testing.assert_array_equal(lung_hull(probability), unpack(study, case, "hull"))


def test_real_lungs(shared):
    """Every row of a public set: hull over the mask, box of the mask near the published one."""
    folder = shared / "data" / "covid_lungs"
    table = pd.read_csv(folder / "covid_lungs.csv")
    with np.load(folder / "covid_lungs_256.npz") as file:
        arrays = dict(file)
    masks = next(v for k, v in arrays.items() if "mask" in k and v.ndim == 3)
    assert len(masks) in (83, len(table))
    hulls = 0
    for mask in masks:
        if not mask.any():
            continue
        cleaned, hull = clean_lung_mask(mask > 0), lung_hull(mask > 0)
        assert (hull >= cleaned).all()
        if hull.any():
            hulls += 1
            outer = np.array(box_of_mask(hull)) - box_of_mask(cleaned)
            assert np.abs(outer).max() <= 1  # a hull reaches no further than what it is around
    assert hulls >= 70


def test_binary_map_has_the_auc_of_its_rates():
    rng = np.random.default_rng(0)
    lungs = np.zeros((40, 50), bool)
    lungs[8:32, 8:20] = lungs[8:32, 28:42] = True
    hull = lung_hull(lungs)
    gaze = rng.random(hull.shape)
    hit = gaze[hull].sum() / gaze.sum()
    assert gazesal.auc_borji(hull, gaze) == pytest.approx(0.5 + (hit - hull.mean()) / 2)


def test_nothing_left_is_an_empty_mask():
    assert not lung_hull(np.zeros((20, 30))).any()
    assert not lung_hull(np.ones((20, 30))).any()  # touches the border


@pytest.mark.parametrize(
    ("probability", "options", "error", "message"),
    [
        (np.zeros(5), {}, ValueError, "`probability` must be a non-empty 2-D"),
        (np.full((4, 4), np.nan), {}, ValueError, "`probability` must be finite"),
        (np.array([["a"]]), {}, TypeError, "`probability` must hold real numbers"),
        (np.zeros((4, 4)), {"threshold": 1.0}, ValueError, "`threshold` must be at least 0"),
        (np.zeros((4, 4)), {"smallest_share": -0.1}, ValueError, "`smallest_share` must be"),
        (np.zeros((4, 4)), {"smallest_share": np.nan}, ValueError, "`smallest_share` must be"),
    ],
)
def test_bad_input_is_named(probability, options, error, message):
    with pytest.raises(error, match=message):
        lung_hull(probability, **options)


def test_a_mask_without_a_box_is_refused():
    with pytest.raises(ValueError, match="`mask` must be non-zero somewhere"):
        box_of_mask(np.zeros((3, 4)))
