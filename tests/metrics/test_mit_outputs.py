"""The MIT benchmark's Matlab metrics on fixations of natural images, and exact areas beside them.

Every deterministic number is matched by the function that claims it, every random one within four
standard errors. CC is our NCC, and its EMD ours; the rest have names that say whose they are.
"""

import json
import math
import warnings

import numpy as np
import pytest

import gazesal

IMAGES = ["1003", "1052", "1129", "1210", "1347", "1466", "1581", "1690"]
EVERY = pytest.mark.parametrize("image", IMAGES)
CONSTANT = {"const", "zero"}
SAME = {"rel": 0, "abs": 1e-12}
NAIVE = {"rel": 1e-9, "abs": 1e-12}  # Octave's sums are naive
CALLS = 20  # of each random number of ours


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


def fixations(inputs, image):
    """Points (N, 2), with repetitions."""
    return np.column_stack([inputs[f"i{image}_fix_x"], inputs[f"i{image}_fix_y"]])


def others(inputs, image):
    """Points of the pixels fixated on the other images."""
    return np.argwhere(inputs[f"i{image}_othermap"])[:, ::-1]


def of_maps(function, gaze):
    """The function of the saliency map and another map of the image."""
    return lambda inputs, image, saliency: function(saliency, inputs[f"i{image}_{gaze}"])


def of_points(function, **options):
    """The function of the saliency map and the fixations."""

    def score(inputs, image, saliency, **more):
        return function(saliency, fixations(inputs, image), **options, **more)

    return score


# what the reference calls a number, and the function that claims it
CLAIMED = {
    "AUC_Judd_nojitter": of_points(gazesal.compat.mit_auc_judd, jitter=False),
    "CC": of_maps(gazesal.ncc, "gt"),
    "CC_fixmap": of_maps(gazesal.ncc, "fixmap"),
    "SIM": of_maps(gazesal.compat.mit_sim, "gt"),
    "SIM_fixmap": of_maps(gazesal.compat.mit_sim, "fixmap"),
    "KLdiv": of_maps(gazesal.compat.mit_kl, "gt"),
    "KLdiv_fixmap": of_maps(gazesal.compat.mit_kl, "fixmap"),
    "KLdiv_swapped": lambda inputs, image, saliency: gazesal.compat.mit_kl(
        inputs[f"i{image}_gt"], saliency
    ),
    "NSS": of_points(gazesal.compat.mit_nss),
    "InfoGain": lambda inputs, image, saliency: gazesal.compat.mit_ig(
        saliency, fixations(inputs, image), inputs[f"i{image}_baseline"]
    ),
    "InfoGain_uniformbase": lambda inputs, image, saliency: gazesal.compat.mit_ig(
        saliency, fixations(inputs, image), np.ones(saliency.shape)
    ),
}
RANDOM = {
    "AUC_Judd_jitter": of_points(gazesal.compat.mit_auc_judd),
    "AUC_Borji": of_points(gazesal.compat.mit_auc_borji),
    "AUC_Borji_step01": of_points(gazesal.compat.mit_auc_borji, step=0.01),
    "AUC_shuffled": of_points(gazesal.compat.mit_auc_shuffled),
    "AUC_shuffled_step01": of_points(gazesal.compat.mit_auc_shuffled, step=0.01),
}


def score_or_nan(function, *arguments, **options):
    """The score; `nan` must come with its warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = function(*arguments, **options)
    kinds = {each.category for each in caught}
    assert kinds == ({gazesal.UndefinedMetricWarning} if math.isnan(got) else set())
    return got


@EVERY
def test_every_number_is_claimed(image, expected):
    random = {f"{name}_{part}" for name in RANDOM for part in ("mean", "std")}
    for scores in expected["octave"][image].values():
        assert set(scores) <= set(CLAIMED) | random
        assert set(scores) >= {"CC", "AUC_Judd_nojitter", "NSS", "AUC_Borji_mean"}


@EVERY
@pytest.mark.parametrize("key", CLAIMED)
def test_deterministic_scores_equal_the_matlab_code(image, key, inputs, expected):
    for name, scores in expected["octave"][image].items():
        if key not in scores:
            continue
        saliency = inputs[f"i{image}_sal_{name}"]
        if isinstance(scores[key], str):  # the logarithm of a negative number
            assert "COMPLEX" in scores[key]
            with pytest.raises(ValueError, match=r"`(saliency|gaze)_map` must be non-negative"):
                CLAIMED[key](inputs, image, saliency)
            continue
        got = score_or_nan(CLAIMED[key], inputs, image, saliency)
        want = math.nan if scores[key] is None else scores[key]
        assert got == pytest.approx(want, nan_ok=True, **NAIVE), name


@pytest.mark.long
@EVERY
@pytest.mark.parametrize("key", RANDOM)
def test_random_scores_agree_with_the_matlab_code(image, key, inputs, expected):
    """Within four standard errors of the difference of two means."""
    for name, scores in expected["octave"][image].items():
        if f"{key}_mean" not in scores:
            continue
        saliency = inputs[f"i{image}_sal_{name}"]
        mean, spread = scores[f"{key}_mean"], scores[f"{key}_std"]
        function = RANDOM[key]
        options = {"other_fixations": others(inputs, image)} if "shuffled" in key else {}
        ours = [
            score_or_nan(function, inputs, image, saliency, rng=seed, **options)
            for seed in range(CALLS)
        ]
        if mean is None:
            assert np.isnan(ours).all()
            continue
        theirs = expected["n_runs"]["step01" if "step01" in key else key]
        variance = ((CALLS - 1) * np.var(ours, ddof=1) + (theirs - 1) * spread**2) / (
            CALLS + theirs - 2
        )
        error = math.sqrt(variance * (1 / CALLS + 1 / theirs))
        assert abs(np.mean(ours) - mean) <= 4 * error + 1e-9, name


def test_earth_movers_distance_agrees_with_the_matlab_code(inputs, expected):
    """Its solver rounds to integers, which is off by up to 7.5e-5 of the value here."""
    for name, theirs in expected["emd"].items():
        key = "emdrand" if name == "rand" else f"emd{name}"
        got = gazesal.emd(inputs[f"{key}_Q"], inputs[f"{key}_P"], shrink=1)
        assert got == pytest.approx(theirs, rel=1e-4, abs=0), name


@EVERY
def test_the_divergence_is_matlabs_where_both_are_defined(image, inputs, expected):
    for name, scores in expected["octave"][image].items():
        saliency = inputs[f"i{image}_sal_{name}"]
        if name in {"neg", "zero"}:
            with pytest.raises(ValueError, match="`saliency_map` must"):
                gazesal.kl_divergence(saliency, inputs[f"i{image}_gt"])
        else:
            got = gazesal.kl_divergence(saliency, inputs[f"i{image}_gt"])
            assert got == pytest.approx(scores["KLdiv"], **NAIVE), name


def test_all_images_are_here(expected):
    assert sorted(expected["octave"]) == sorted(expected["independent_exact_auc"]) == IMAGES


@EVERY
def test_areas_of_maps_equal_independent_exact_areas(image, inputs, expected):
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
def test_areas_of_points_equal_independent_exact_areas(image, inputs, expected):
    points, distinct = fixations(inputs, image), np.argwhere(inputs[f"i{image}_fixmap"])[:, ::-1]
    for name, exact in expected["independent_exact_auc"][image].items():
        saliency = inputs[f"i{image}_sal_{name}"]
        got = {
            "fixated_pixels_vs_all_pixels": gazesal.auc(saliency, distinct),
            "fixations_with_multiplicity_vs_all_pixels": gazesal.auc(saliency, points),
            "fixated_pixels_vs_all_other_pixels": gazesal.auc_judd(saliency, points),
            "fixations_with_multiplicity_vs_unfixated_pixels": gazesal.auc(
                saliency, points, "unfixated"
            ),
            "fixated_pixels_vs_othermap_pixels": gazesal.auc_shuffled(
                saliency, distinct, others(inputs, image)
            ),
        }
        assert set(got) == set(exact)
        for key, value in got.items():
            assert value == pytest.approx(exact[key], rel=0, abs=1e-15), (name, key)


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
