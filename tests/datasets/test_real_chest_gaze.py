"""Gaze of a radiologist on 1,250 real chest X-rays: tables are read and gaze maps are made.

The data are of Saab et al., MICCAI 2021; places are shares of the image, and there is no column for
the observer. Nothing but numbers about the whole stands here.
"""

import numpy as np
import pandas as pd
import pytest

from gazesal import (
    CenterBias,
    OffImageWarning,
    auc_borji,
    gaze_heatmap,
    ncc,
    read_fixations,
    resample,
)

SIDE = 96  # pixels of the maps; the sizes of the images are not in the data
COLUMNS = {
    "image": "image_id",
    "observer": "",
    "x": "x_norm",
    "y": "y_norm",
    "duration": "dwell_samples",
}


@pytest.fixture(scope="module")
def fixations(shared):
    """Return all fixations, in pixels of a small square."""
    path = shared / "data" / "cxr_p" / "fixations.csv.gz"
    return read_fixations(path, columns=COLUMNS, sizes=(SIDE, SIDE))


@pytest.fixture(scope="module")
def gaze_maps(fixations):
    """Return the gaze map of each image, with the tails of fixations outside of it."""
    return {image: draw(rows, outside="keep") for image, rows in fixations.groupby("image")}


def draw(rows, **options):
    """Return the gaze map of one image."""
    points, weights = rows[["x", "y"]], rows["duration"]
    return gaze_heatmap(points, (SIDE, SIDE), sigma=SIDE / 20, weights=weights, **options)


def is_off(table):
    """Return whether each fixation is outside the image."""
    inside = (table[["x", "y"]] >= -0.5) & (table[["x", "y"]] < SIDE - 0.5)
    return ~inside.all(axis=1)


def test_every_row_is_read(fixations):
    assert len(fixations) == 59_283
    per_image = fixations.groupby("image").size()
    assert (len(per_image), per_image.min(), per_image.median(), per_image.max()) == (
        1250,
        5,
        38,
        255,
    )
    assert (fixations["duration"].min(), fixations["duration"].max()) == (1, 8)
    assert fixations["observer"].unique().tolist() == ["1"]
    off = is_off(fixations)
    assert off.sum() == 364  # 0.6%, all beyond the right or the lower border
    assert (fixations.loc[off, ["x", "y"]].max(axis=1) >= SIDE - 0.5).all()
    assert fixations.loc[off, "image"].nunique() == 174


def test_cases_of_pneumothorax_were_read_for_longer(shared, fixations):
    raw = pd.read_csv(shared / "data" / "cxr_p" / "fixations.csv.gz")
    cases = raw.groupby("image_id")["pneumothorax"].agg(["min", "max"])
    assert (cases["min"] == cases["max"]).all()
    assert cases["max"].sum() == 268
    seconds = fixations.groupby("image")["duration"].sum() / 60
    by_case = seconds.groupby(cases["max"]).mean()
    assert by_case.round(2).to_dict() == {0: 0.93, 1: 1.29}


def test_every_image_has_a_gaze_map(gaze_maps):
    assert len(gaze_maps) == 1250
    for gaze_map in gaze_maps.values():
        assert gaze_map.min() >= 0
        assert gaze_map.sum() == pytest.approx(1, abs=1e-12)


def test_dropped_and_kept_differ_only_where_gaze_left_the_image(fixations, gaze_maps):
    outside = is_off(fixations).groupby(fixations["image"]).sum()
    for image, rows in fixations.groupby("image"):
        if outside[image] == 0:
            continue
        with pytest.raises(ValueError, match=f"{outside[image]} of {len(rows)} do not"):
            draw(rows)
        with pytest.warns(OffImageWarning, match=f"{outside[image]} of {len(rows)} fixations"):
            dropped = draw(rows, outside="drop")
        assert 0.9 < ncc(dropped, gaze_maps[image]) < 1 - 1e-9
    whole = outside.index[outside == 0][0]
    rows = fixations[fixations["image"] == whole]
    np.testing.assert_array_equal(draw(rows, outside="raise"), gaze_maps[whole])


def test_map_and_fixations_have_the_same_center_of_mass(fixations, gaze_maps):
    """They differ only by the parts of Gaussians that are lost at the borders."""
    weighted = fixations[["x", "y"]].mul(fixations["duration"], axis=0)
    sums = weighted.groupby(fixations["image"]).sum()
    expected = sums.div(fixations.groupby("image")["duration"].sum(), axis=0).mean()
    bias = CenterBias(gaze_maps.values()).density()
    assert bias.sum() == pytest.approx(1)
    assert bias.sum(axis=0) @ np.arange(SIDE) == pytest.approx(expected["x"], abs=1)
    assert bias.sum(axis=1) @ np.arange(SIDE) == pytest.approx(expected["y"], abs=1)
    shares = (expected + 0.5) / SIDE
    assert shares.round(3).to_dict() == {"x": 0.534, "y": 0.357}  # above the middle


def test_center_bias_is_on_the_lungs_and_upright(shared, gaze_maps):
    """Flipped or with exchanged axes, it fits the lungs of other patients less well."""
    bias = CenterBias(gaze_maps.values()).density()
    with np.load(shared / "data" / "covid_lungs" / "covid_lungs_256.npz") as file:
        masks = file["masks"]
    lungs = resample(masks[masks.any(axis=(1, 2))].mean(axis=0), (SIDE, SIDE))
    upright = auc_borji(bias, lungs)
    assert upright > 0.65
    for turned in (bias[::-1], bias.T, bias[::-1, ::-1]):
        assert auc_borji(turned, lungs) < upright - 0.05


def test_leaving_an_image_out_of_1250_changes_little(gaze_maps):
    bias = CenterBias(gaze_maps.values())
    image, gaze_map = next(iter(gaze_maps.items()))
    left = bias.without([gaze_map])
    others = [other for name, other in gaze_maps.items() if name != image]
    np.testing.assert_allclose(left.density(), CenterBias(others).density(), rtol=1e-12)
    assert 0 < np.abs(left.density() - bias.density()).sum() < 2 / len(gaze_maps)


def test_fixations_are_complete_and_not_repeated(shared):
    """No position is repeated within an image, and the order is complete."""
    raw = pd.read_csv(shared / "data" / "cxr_p" / "fixations.csv.gz")
    assert not raw.duplicated(["image_id", "x_norm", "y_norm"]).any()
    assert (raw["index"] == raw.groupby("image_id").cumcount()).all()
    assert raw[["x_norm", "y_norm"]].min().tolist() == [0.0002, 0.00006]
