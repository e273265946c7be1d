"""The MIT benchmark's Matlab metrics on fixations of natural images, and exact areas beside them.

CC is our NCC. The benchmark's AUCs are other quantities (thresholds at steps of 0.1); the exact
areas over pixels are those of the density AUC under delta weights.
"""

import json
import math

import numpy as np
import pytest

import gazesal

IMAGES = ["1003", "1052", "1129", "1210", "1347", "1466", "1581", "1690"]
EVERY = pytest.mark.parametrize("image", IMAGES)
CONSTANT = {"const", "zero"}
SAME = {"rel": 0, "abs": 1e-12}


@pytest.fixture(scope="module")
def expected(shared):
    path = shared / "oracles" / "metrics" / "mit_outputs.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def inputs(shared):
    with np.load(shared / "oracles" / "metrics" / "mit_inputs.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def counts(inputs, image):
    """Number of fixations on each pixel."""
    gaze = np.zeros(inputs[f"i{image}_fixmap"].shape)
    np.add.at(gaze, (inputs[f"i{image}_fix_y"], inputs[f"i{image}_fix_x"]), 1)
    return gaze


def test_all_images_are_here(expected):
    assert sorted(expected["octave"]) == sorted(expected["independent_exact_auc"]) == IMAGES


@EVERY
@pytest.mark.parametrize(("target", "key"), [("gt", "CC"), ("fixmap", "CC_fixmap")])
def test_correlation(image, target, key, inputs, expected):
    gaze = inputs[f"i{image}_{target}"]
    for name, scores in expected["octave"][image].items():
        saliency = inputs[f"i{image}_sal_{name}"]
        if name in CONSTANT:
            assert scores[key] is None
            with pytest.warns(gazesal.UndefinedMetricWarning):
                assert math.isnan(gazesal.ncc(saliency, gaze))
        else:
            # Octave's sums are naive
            assert gazesal.ncc(saliency, gaze) == pytest.approx(scores[key], rel=1e-9, abs=1e-12)


@EVERY
def test_exact_areas(image, inputs, expected):
    fixated = inputs[f"i{image}_fixmap"]
    others = inputs[f"i{image}_othermap"]
    with_multiplicity = counts(inputs, image)
    assert np.array_equal(with_multiplicity > 0, fixated > 0)
    for name, exact in expected["independent_exact_auc"][image].items():
        saliency = inputs[f"i{image}_sal_{name}"]
        got = {
            "fixated_pixels_vs_all_pixels": gazesal.auc_borji(saliency, fixated),
            "fixations_with_multiplicity_vs_all_pixels": gazesal.auc_borji(
                saliency, with_multiplicity
            ),
            "fixated_pixels_vs_all_other_pixels": gazesal.sauc(saliency, fixated, 1 - fixated),
            "fixations_with_multiplicity_vs_unfixated_pixels": gazesal.sauc(
                saliency, with_multiplicity, 1 - fixated
            ),
            "fixated_pixels_vs_othermap_pixels": gazesal.sauc(saliency, fixated, others),
        }
        assert set(got) == set(exact)
        for key, value in got.items():
            assert value == pytest.approx(exact[key], **SAME), (name, key)


@EVERY
def test_judds_area_is_ours_and_its_known_bias(image, inputs, expected):
    """Without ties it exceeds the exact area by the share above the lowest fixation, over 2 n."""
    fixated = inputs[f"i{image}_fixmap"] > 0
    for name, scores in expected["octave"][image].items():
        saliency = inputs[f"i{image}_sal_{name}"]
        if (
            np.unique(saliency[fixated]).size < fixated.sum()
            or np.isin(saliency[~fixated], saliency[fixated]).any()
        ):
            continue
        above = np.mean(saliency[~fixated] >= saliency[fixated].min())
        exact = gazesal.sauc(saliency, fixated, ~fixated)
        judd = exact + above / (2 * fixated.sum())
        assert judd == pytest.approx(scores["AUC_Judd_nojitter"], rel=0, abs=1e-9)


def test_the_coarse_thresholds_of_the_benchmark_are_not_ours(inputs, expected):
    """Its score of a peaky map is far below the exact area that ours is."""
    scores = expected["octave"]["1003"]["half"]
    ours = gazesal.auc_borji(inputs["i1003_sal_half"], inputs["i1003_fixmap"])
    assert ours - scores["AUC_Borji_mean"] > 20 * scores["AUC_Borji_std"]
