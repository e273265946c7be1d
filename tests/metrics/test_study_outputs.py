"""Scores of the study's own functions on 21 cases, and exact values beside them.

The study draws its negatives before its positives from numpy's legacy generator, so a seed
does not repeat its single draws. It repeats means, spreads and exact values.
"""

import json
import math

import numpy as np
import pytest

import gazesal

CASES = [
    "random_f64", "random_f32", "blobs_f32", "blobs_f64", "binary_mask_f32", "relu_zeros_f32",
    "ties_u8", "const_f32_0p1", "const_f64_0p3", "const_zero", "identical", "negated", "sm_is_cb",
    "gt_unnormalised", "f64_near_ties", "delta_gt", "disjoint_auc1", "half_zero_weights",
    "large_offset_f32", "tiny_scale_f32", "large_f32",
]  # fmt: skip
CONSTANT = {"const_f32_0p1", "const_f64_0p3", "const_zero"}
UNDERFLOW = "tiny_scale_f32"  # the study's float32 deviation is 0 there, and its score nan
OFFSET = "large_offset_f32"  # the study's float32 sums lose digits there: its score is 3e-6 off
EVERY = pytest.mark.parametrize("case", CASES)
VARYING = pytest.mark.parametrize("case", [case for case in CASES if case not in CONSTANT])
SEEDS = 300


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "oracles" / "metrics"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "paper_metrics.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def inputs(folder):
    with np.load(folder / "paper_metrics_inputs.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def maps(inputs, case):
    """(saliency map, gaze map, center bias)."""
    return tuple(inputs[f"{case}_{part}"] for part in ("sm", "gt", "cb"))


def test_all_cases_are_here(expected):
    assert set(CASES) == set(expected)


@VARYING
class TestCorrelation:
    """NCC and sNCC."""

    def test_correlations_equal_exact_values(self, case, inputs, expected):
        saliency, gaze, bias = maps(inputs, case)
        ncc, sncc = gazesal.ncc(saliency, gaze), gazesal.sncc(saliency, gaze, bias)
        assert ncc == pytest.approx(float(expected[case]["ncc_exact"]), rel=0, abs=1e-12)
        assert sncc == pytest.approx(float(expected[case]["sncc_exact"]), rel=0, abs=1e-12)

    def test_correlations_equal_the_study_code(self, case, inputs, expected):
        saliency, gaze, bias = maps(inputs, case)
        theirs = expected[case]
        ncc = gazesal.ncc(saliency, gaze)
        sncc = gazesal.sncc(saliency, gaze, bias.astype(np.float32))
        in_double = theirs["ncc_paper_on_float64_inputs"]
        assert ncc == pytest.approx(in_double, rel=0, abs=1e-12)
        if case == UNDERFLOW:
            assert math.isnan(theirs["ncc_paper"])
            return
        if case == OFFSET:
            assert abs(theirs["ncc_paper"] / in_double - 1) > 1e-6
            return
        assert ncc == pytest.approx(theirs["ncc_paper"], rel=1e-6, abs=0)
        # a difference of two correlations, each good to 1e-6 of itself: where they nearly
        # cancel, nothing is left to be relative to
        terms = max(abs(ncc), abs(ncc - sncc))
        assert sncc == pytest.approx(theirs["sncc_paper"], rel=0, abs=1e-6 * terms)

    def test_with_the_bias_rounded_as_the_study_rounds_it(self, case, inputs, expected):
        saliency, gaze, bias = maps(inputs, case)
        got = gazesal.sncc(saliency, gaze, bias.astype(np.float32))
        exact = float(expected[case]["sncc_exact_cbfloat32"])
        assert got == pytest.approx(exact, rel=0, abs=1e-12)


@pytest.mark.parametrize("case", sorted(CONSTANT))
def test_constant_maps_are_undefined_or_at_chance(case, inputs, expected):
    """The study returns rounding noise or a nan without a warning."""
    saliency, gaze, bias = maps(inputs, case)
    assert expected[case]["ncc_exact"] is None
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
        assert math.isnan(gazesal.ncc(saliency, gaze))
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant"):
        assert math.isnan(gazesal.sncc(saliency, gaze, bias))
    assert gazesal.auc_borji(saliency, gaze) == gazesal.sauc(saliency, gaze, bias) == 0.5


def areas(inputs, case, *, single=False, **options):
    """Both AUCs of a case; with the saliency map in single precision as the study has it."""
    saliency, gaze, bias = maps(inputs, case)
    saliency = saliency.astype(np.float32) if single else saliency
    return {
        "auc": gazesal.auc_borji(saliency, gaze, **options),
        "sauc": gazesal.sauc(saliency, gaze, bias, **options),
    }


@EVERY
class TestAreas:
    """AUC and sAUC."""

    def test_areas_equal_exact_values(self, case, inputs, expected):
        for name, got in areas(inputs, case).items():
            exact = float(expected[case][name]["exact_dec"])
            assert got == pytest.approx(exact, rel=0, abs=1e-12)

    def test_areas_in_single_precision_equal_exact_values(self, case, inputs, expected):
        for name, got in areas(inputs, case, single=True).items():
            exact = float(expected[case][name]["exact_sm_float32_dec"])
            assert got == pytest.approx(exact, rel=0, abs=1e-12)

    def test_the_studys_mean_is_around_ours(self, case, inputs, expected):
        for name, got in areas(inputs, case, single=True).items():
            theirs = expected[case][name]
            error = theirs["exact_std_1000x1000"] / math.sqrt(theirs["n_runs"])
            # 1e-12 for cases without any spread
            assert abs(theirs["mean"] - got) <= 4 * error + 1e-12

    def test_our_draws_have_the_studys_mean_and_spread(self, case, inputs, expected):
        runs = [areas(inputs, case, n_samples=1000, rng=seed) for seed in range(SEEDS)]
        for name in ("auc", "sauc"):
            drawn = np.array([run[name] for run in runs])
            exact = float(expected[case][name]["exact_dec"])
            spread = expected[case][name]["exact_std_1000x1000"]
            assert abs(drawn.mean() - exact) <= 4 * spread / math.sqrt(SEEDS) + 1e-12
            if spread:
                assert drawn.std(ddof=1) == pytest.approx(spread, rel=5 / math.sqrt(2 * SEEDS))


def test_double_precision_separates_ties_of_single_precision(inputs, expected):
    case = "f64_near_ties"
    assert expected[case]["auc"]["mean"] == 0.5
    single, double = areas(inputs, case, single=True), areas(inputs, case)
    assert single == {"auc": 0.5, "sauc": 0.5}
    assert abs(double["auc"] - 0.5) > 1e-3
    assert double["sauc"] != 0.5


@pytest.mark.parametrize("metric", gazesal.STUDY_METRICS)
def test_input_that_the_study_accepts_silently_raises(metric, inputs):
    """A transposed or a broadcastable saliency map."""
    saliency, gaze, bias = maps(inputs, "blobs_f64")
    others = (gaze, bias) if gazesal.METRICS[metric].needs_center_bias else (gaze,)
    for bad in (saliency.T, saliency[:1]):
        with pytest.raises(ValueError, match="same shape"):
            gazesal.METRICS[metric].function(bad, *others)


def test_scale_of_the_bias_does_not_matter(inputs):
    """The study wants it to sum to 1 and fails otherwise."""
    saliency, gaze, bias = maps(inputs, "blobs_f64")
    assert gazesal.sauc(saliency, gaze, 2 * bias) == gazesal.sauc(saliency, gaze, bias)
