"""Metrics of regions on the valid area of an image."""

import json
import math
import warnings

import numpy as np
import pytest

import gazesal
from gazesal import regions

CALLS = {
    "localization_auc": {},
    "average_precision": {},
    "relevance_mass": {},
    "relevance_rank": {},
    "top_k_intersection": {"k": 5},
    "iou": {"threshold": 0.5},
    "dice": {"top": 0.2},
}
COUNTING = sorted(CALLS.keys() - {"localization_auc", "average_precision"})


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    return rng.random((8, 9)).round(1), rng.random((8, 9)) < 0.4, rng.integers(0, 3, (8, 9))


@pytest.mark.parametrize("name", CALLS)
def test_a_mask_gives_the_score_of_the_selected_pixels(name, arrays):
    saliency, region, weights = arrays
    mask, call = weights > 0, getattr(regions, name)
    expected = call(saliency[mask][None], region[mask][None], **CALLS[name])
    outside = np.where(mask, saliency, np.nan)
    assert call(outside, region, **CALLS[name], area=mask) == pytest.approx(expected, abs=1e-12)
    everywhere = call(saliency, region, **CALLS[name], area=np.ones_like(mask))
    assert everywhere == call(saliency, region, **CALLS[name])


@pytest.mark.parametrize("name", ["localization_auc", "average_precision"])
def test_a_weight_counts_a_pixel_as_often(name, arrays):
    saliency, region, weights = arrays
    call, repeats = getattr(regions, name), weights.ravel()
    repeated = [np.repeat(each.ravel(), repeats)[None] for each in (saliency, region)]
    assert call(saliency, region, area=weights) == pytest.approx(call(*repeated), abs=1e-12)


def test_pointing_game_counts_maxima_and_regions_in_the_area_only():
    saliency = np.array([[9.0, 1, 5], [5, 0, 2]])
    region = np.array([[True, False, True], [False, False, False]])
    area = np.array([[False, True, True], [True, True, True]])
    for outside in (9.0, np.nan, -np.inf):
        given = np.where(area, saliency, outside)
        assert regions.pointing_game(given, region, area=area) == 0.5
    assert regions.pointing_game(saliency, region, area=np.ones_like(area)) == 1
    only = np.array([[True, False, False], [False, False, False]])
    with pytest.warns(gazesal.UndefinedMetricWarning):
        assert math.isnan(regions.pointing_game(saliency, only, area=area))
    with pytest.raises(ValueError, match="`area` must be a mask"):
        regions.pointing_game(saliency, region, area=area * [[1, 2, 3]])


@pytest.mark.parametrize("name", COUNTING)
def test_metrics_that_count_pixels_refuse_weights(name, arrays):
    saliency, region, weights = arrays
    with pytest.raises(ValueError, match="`area` must be a mask"):
        getattr(regions, name)(saliency, region, **CALLS[name], area=weights)


def test_areas_and_weights_agree_with_scikit_learn(shared):
    numbers = json.loads((shared / "references" / "regions.json").read_text("utf-8"))
    with np.load(shared / "references" / "regions.npz") as stored:
        found = dict(stored)
    compared = 0
    for record in numbers["maps"]:
        saliency = found[record["map"]]
        size = "x".join(map(str, saliency.shape))
        areas = {"valid": "valid", "cosine": "weights_cosine", "random": "weights_random"}
        for j in range(len(record["regions"])):
            region = found[f"region_{record['map'][4:]}_{j}"]
            expected = record["numbers"][str(j)]
            for ending, key in areas.items():
                area = found[f"{key}_{size}"]
                for name, call in (
                    ("auc", regions.localization_auc),
                    ("average_precision", regions.average_precision),
                ):
                    if f"{name}_{ending}" not in expected:
                        continue
                    value = expected[f"{name}_{ending}"]
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        got = call(saliency, region, area=area)
                    wanted = math.nan if value is None else value
                    assert got == pytest.approx(wanted, rel=0, abs=1e-10, nan_ok=True)
                    compared += 1
            for each in expected["thresholds"]:
                if each.get("iou_ge_valid") is not None:
                    area = found[f"valid_{size}"]
                    got = regions.iou(saliency, region, threshold=each["threshold"], area=area)
                    assert got == pytest.approx(each["iou_ge_valid"], rel=0, abs=1e-12)
    assert compared > 100
