"""Tests of the segmentation baseline, against the study's code and on real lung masks."""

import json

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.cxr.lung_hull import box_of_mask, clean_lung_mask, find_lung_hulls, lung_hull

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
    """Unpack one of the study's masks."""
    arrays, facts = study
    height, width = facts[case]["shape"]
    bits = np.unpackbits(arrays[f"{case}__{step}_bits"], count=height * width)
    return bits.reshape(height, width).astype(bool)


def test_every_stored_case_is_tested(study):
    assert sorted(study[1]) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_every_pixel_equals_the_studys_code(study, case):
    probability = study[0][f"{case}__prob"]
    np.testing.assert_array_equal(clean_lung_mask(probability), unpack(study, case, "noBorder"))
    np.testing.assert_array_equal(lung_hull(probability), unpack(study, case, "hull"))


@pytest.fixture(scope="module")
def real_lungs(shared):
    """Table, masks, and box around both lungs of 112 public chest X-rays."""
    folder = shared / "data" / "covid_lungs"
    table = pd.read_csv(folder / "covid_lungs.csv")
    with np.load(folder / "covid_lungs_256.npz") as file:
        masks = file["masks"] > 0
    sides = [
        np.array([json.loads(box) for box in table[f"{side}_lung_bbox"]])  # x, y, width, height
        for side in ("right", "left")
    ]
    first = np.minimum(*(side[:, :2] for side in sides))
    last = np.maximum(*(side[:, :2] + side[:, 2:] for side in sides))
    return table, masks, np.hstack([first, last]).astype(float)


def test_every_real_box_makes_a_frame(real_lungs):
    table, _, boxes = real_lungs
    shapes = list(zip(table["height"], table["width"], strict=True))
    assert len(boxes) == 112
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= table[["width", "height"]].to_numpy()).all()
    frame = gazesal.ReferenceFrame.from_boxes(boxes, shapes)
    np.testing.assert_allclose(frame.box_size, (boxes[:, 2:] - boxes[:, :2]).mean(axis=0))
    # every image scaled by its box fits on the canvas
    for box, (height, width) in zip(boxes, shapes, strict=True):
        x, y = frame.scale(tuple(box))
        assert frame.box_corner[0] - box[0] * x >= -1e-9
        assert frame.box_corner[1] - box[1] * y >= -1e-9
        assert frame.box_corner[0] + (width - box[0]) * x <= frame.shape[1] + 1e-9
        assert frame.box_corner[1] + (height - box[1]) * y <= frame.shape[0] + 1e-9


def test_every_real_box_registers(real_lungs):
    """Spots at the centers of all boxes meet at the center of the common box."""
    table, _, boxes = real_lungs
    scale, pad = table["scale"].to_numpy()[:, None], table[["pad_x", "pad_y"] * 2].to_numpy()
    boxes = boxes * scale + pad  # in the letterboxed squares
    frame = gazesal.ReferenceFrame.from_boxes(boxes, [(256, 256)] * len(boxes))
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5  # centers of pixels, not their corners
    pairs = [
        (gazesal.gaze_heatmap([middle], (256, 256), sigma=4), box)
        for middle, box in zip(middles, boxes, strict=True)
    ]
    bias = gazesal.RegisteredCenterBias(frame, pairs)
    assert bias.n_maps == 112
    for middle, box in zip(middles, boxes, strict=True):
        warped = bias.on_image((256, 256), box)
        place = warped.sum(axis=0) @ np.arange(256), warped.sum(axis=1) @ np.arange(256)
        np.testing.assert_allclose(place, middle, atol=0.5)


def test_real_masks_have_hulls_and_the_published_boxes(real_lungs):
    """Every mask of a public set has a hull around it, and a box near the published one."""
    table, masks, boxes = real_lungs
    has_mask = table["has_lung_mask"].to_numpy()
    assert has_mask.sum() == 83
    assert (masks.any(axis=(1, 2)) == has_mask).all()
    empty = one_lung = 0
    for row in np.flatnonzero(has_mask):
        mask = masks[row]
        cleaned, hull = clean_lung_mask(mask), lung_hull(mask)
        assert (hull >= cleaned).all()
        empty += not hull.any()
        if hull.any():
            outer = np.array(box_of_mask(hull)) - box_of_mask(cleaned)
            assert np.abs(outer).max() <= 1  # the hull lies within the box of its mask
            one_lung += (mask & hull).sum() < 0.9 * mask.sum()
        scale, pad = table["scale"][row], table[["pad_x", "pad_y"] * 2].to_numpy()[row]
        assert overlap(box_of_mask(mask), boxes[row] * scale + pad) > 0.75
    # close crops: lungs that touch the border are removed, as in the study
    touches = [m[[0, -1]].any() or m[:, [0, -1]].any() for m in masks[has_mask]]
    assert (sum(touches), empty, one_lung) == (31, 2, 29)


def overlap(first, second):
    """Compute the intersection over union of two boxes."""
    first, second = np.array(first), np.array(second)
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    both = sides.clip(0).prod()
    return both / ((first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - both)


def test_binary_map_has_the_auc_of_its_rates():
    rng = np.random.default_rng(0)
    lungs = np.zeros((40, 50), bool)
    lungs[8:32, 8:20] = lungs[8:32, 28:42] = True
    hull = lung_hull(lungs)
    gaze = rng.random(hull.shape)
    hit = gaze[hull].sum() / gaze.sum()
    assert gazesal.auc_borji(hull, gaze) == pytest.approx(0.5 + (hit - hull.mean()) / 2)


def test_no_lung_gives_an_empty_mask():
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
def test_invalid_input_raises(probability, options, error, message):
    with pytest.raises(error, match=message):
        lung_hull(probability, **options)


def test_empty_mask_has_no_box():
    with pytest.raises(ValueError, match="`mask` must be non-zero somewhere"):
        box_of_mask(np.zeros((3, 4)))


LUNGS = np.zeros((60, 80), np.uint8)
LUNGS[10:50, 10:30] = LUNGS[10:50, 50:70] = 1


@pytest.mark.parametrize(
    "values",
    [
        LUNGS,
        255 * LUNGS,
        LUNGS.astype(bool),
        0.9 * LUNGS,
        np.float32(1.0000001) * LUNGS,
        np.where(LUNGS == 1, 255, 100).astype(np.uint8),
    ],
    ids=["0 and 1", "0 and 255", "bool", "probability", "overshoot", "8 bits"],
)
def test_mask_files_give_their_hull(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    hull = find_lung_hulls(tmp_path)["a"]()
    np.testing.assert_array_equal(hull, lung_hull(LUNGS))


@pytest.mark.parametrize(
    "values",
    [LUNGS + LUNGS * (np.arange(80) > 40), 100.0 * LUNGS, 300.0 * LUNGS, -1.0 * LUNGS, 254 * LUNGS],
    ids=["a number a lung", "percent", "16 bits", "negative", "no 255"],
)
def test_files_of_unknown_scale_raise(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ValueError, match=r"a.npy: a lung mask must hold 0 and 1, probabilities"):
        find_lung_hulls(tmp_path)["a"]()


def test_folder_without_masks_raises(tmp_path):
    with pytest.raises(ValueError, match="must hold lung masks"):
        find_lung_hulls(tmp_path)
    with pytest.raises(FileNotFoundError, match="must be a folder of lung masks"):
        find_lung_hulls(tmp_path / "nowhere")


def test_non_numeric_threshold_raises():
    with pytest.raises(TypeError, match="`threshold` must be a number, got 'a'"):
        lung_hull(LUNGS, threshold="a")
