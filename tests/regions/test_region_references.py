"""Metrics of regions against output of Quantus, TorchRay, scikit-learn and NumPy."""

import json
import math
import warnings

import numpy as np
import pytest

import gazesal
from gazesal import regions

EXACT, CLOSE = 1e-12, 1e-10  # tolerances of the reference outputs
N_MAPS = 25


def is_exact(value, tolerance=EXACT):
    return pytest.approx(math.nan if value is None else value, rel=0, abs=tolerance, nan_ok=True)


@pytest.fixture(scope="module")
def references(shared):
    numbers = json.loads((shared / "references" / "regions.json").read_text("utf-8"))
    with np.load(shared / "references" / "regions.npz") as arrays:
        return numbers, dict(arrays)


@pytest.fixture(params=range(N_MAPS))
def cases(references, request):
    """The regions of one map, with the numbers of other code."""
    numbers, arrays = references
    record = numbers["maps"][request.param]
    saliency = arrays[record["map"]]
    masks = {
        str(j): arrays[f"region_{record['map'][4:]}_{j}"] for j in range(len(record["regions"]))
    }
    masks["union"] = np.logical_or.reduce(list(masks.values()))
    return [(saliency, masks[key], expected) for key, expected in record["numbers"].items()]


def test_areas_equal_those_of_scikit_learn(cases):
    for saliency, region, expected in cases:
        assert expected["area"] == region.sum()
        found = regions.average_precision(saliency, region)
        assert found == is_exact(expected["average_precision"], CLOSE)
        assert regions.localization_auc(saliency, region) == is_exact(expected["auc"], CLOSE)
        share = region.mean()
        density = gazesal.auc_borji(saliency, region)
        assert density == is_exact(share / 2 + (1 - share) * expected["auc"], CLOSE)


def test_overlap_above_thresholds_equals_that_of_scikit_learn(cases):
    for saliency, region, expected in cases:
        for each in expected["thresholds"]:
            above = {"ge": each["threshold"], "gt": np.nextafter(each["threshold"], np.inf)}
            for rule, threshold in above.items():
                found = regions.iou(saliency, region, threshold=threshold)
                assert found == is_exact(each[f"iou_{rule}"])
                found = regions.dice(saliency, region, threshold=threshold)
                assert found == is_exact(each[f"dice_{rule}"])


def test_overlap_of_the_highest_pixels_equals_that_of_scikit_learn(cases):
    for saliency, region, expected in cases:
        for each in expected["quantiles"]:
            if each["iou_exact"] is not None:
                found = regions.iou(saliency, region, top=each["share"])
                assert found == is_exact(each["iou_exact"])
                found = regions.dice(saliency, region, top=each["share"])
                assert found == is_exact(each["dice_exact"])
        each = expected["equal_area"]
        found = regions.dice(saliency, region, top="equal")
        assert found == is_exact(regions.relevance_rank(saliency, region))
        if each["iou"] is not None:
            assert found == is_exact(each["dice"])
            assert regions.iou(saliency, region, top="equal") == is_exact(each["iou"])


def test_highest_pixels_equal_the_expectation_over_ties_and_quantus_without_them(cases):
    for saliency, region, expected in cases:
        for name, each in expected["top_k_ties"].items():
            found = regions.top_k_intersection(saliency, region, k=each["k"])
            assert found == is_exact(each["hits_expected"] / each["k"])
            if name == "area":
                assert regions.relevance_rank(saliency, region) == is_exact(found)
            quantus = expected["quantus"]["rank" if name == "area" else f"top_{name}"]
            if not each["tied"] and not isinstance(quantus, dict):
                assert found == is_exact(quantus)


def test_relevance_mass_equals_that_of_quantus(cases):
    for saliency, region, expected in cases:
        quantus = expected["quantus"]
        if "quantus_evaluate_batch" in expected:  # maps that Quantus refuses
            quantus = expected["quantus_evaluate_batch"]
        if saliency.min() < 0:
            with pytest.raises(ValueError, match="saliency_map"):
                regions.relevance_mass(saliency, region)
        elif not saliency.any():
            assert quantus["mass"] is None
            with pytest.warns(gazesal.UndefinedMetricWarning, match="saliency_map"):
                assert math.isnan(regions.relevance_mass(saliency, region))
        else:
            assert regions.relevance_mass(saliency, region) == is_exact(quantus["mass"])
        if saliency.any() and "mass_abs" in quantus and not isinstance(quantus["mass_abs"], dict):
            found = regions.relevance_mass(saliency, region, negative="abs")
            assert found == is_exact(quantus["mass_abs"])
        positive = expected.get("quantus_positive_part")
        if positive:
            found = regions.relevance_mass(saliency, region, negative="clip")
            assert found == is_exact(positive["mass"])


def test_pointing_game_equals_that_of_quantus_and_torchray(cases):
    for saliency, region, expected in cases:
        maxima = expected["maxima"]
        inside = maxima["inside"] / maxima["count"]
        assert regions.pointing_game(saliency, region) == is_exact(inside)
        quantus = expected["quantus"]
        if "quantus_evaluate_batch" in expected:
            quantus = expected["quantus_evaluate_batch"]
        assert regions.pointing_game(saliency, region, ties="any") == quantus["pointing_game"]
        first = regions.pointing_game(saliency, region, ties="first")
        assert first == maxima["first_inside"]
        every = expected["torchray"].get("all_maxima_tolerance_3")
        if every:
            share = (np.mean(every) + 1) / 2
            assert regions.pointing_game(saliency, region, tolerance=3) == is_exact(share)
        for name, hit in expected["torchray"].items():
            kind, _, distance = name.rpartition("_")
            if kind == "tolerance" and distance != "0":  # with 0, TorchRay always misses
                found = regions.pointing_game(saliency, region, int(distance), ties="first")
                assert found == (hit + 1) / 2


def test_distances_within_the_tolerance_equal_those_of_torchray(references):
    numbers, arrays = references
    saliency = arrays["point_map"]
    for each in numbers["distances"]:
        x, y = each["offset_xy"]
        region = np.zeros(saliency.shape, bool)
        region[30 + y, 40 + x] = True
        assert regions.pointing_game(saliency, region) == each["quantus"]
        for tolerance in (15, 5, 3, 1):
            hit = (each[f"torchray_tolerance_{tolerance}"] + 1) / 2
            assert regions.pointing_game(saliency, region, tolerance) == hit


def test_edges_equal_those_of_the_references(references):
    numbers, arrays = references
    saliency = arrays["point_map"]
    for name, expected in numbers["edge"].items():
        region = arrays[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
            assert regions.relevance_mass(saliency, region) == is_exact(expected["mass"])
            assert regions.relevance_rank(saliency, region) == is_exact(expected["rank"])
            found = regions.top_k_intersection(saliency, region, k=100)
            assert found == is_exact(expected["top_100"])
            assert regions.localization_auc(saliency, region) == is_exact(expected["auc"], CLOSE)
            if region.any():  # Quantus hits an empty region
                assert regions.pointing_game(saliency, region) == expected["pointing_game"]
                hit = (expected["torchray_tolerance_15"] + 1) / 2
                assert regions.pointing_game(saliency, region, tolerance=15) == hit
