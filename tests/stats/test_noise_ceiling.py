"""Ceilings of the NCC against other people's numbers, a simulation and their definitions."""

import json
import math

import numpy as np
import pytest

import gazesal
from gazesal.stats import noise_ceiling

NESTED = (3, 5, 10, 15)


def exact_or_nan(value):
    return pytest.approx(math.nan if value is None else value, rel=0, abs=1e-10, nan_ok=True)


@pytest.fixture(scope="module")
def references(shared):
    numbers = json.loads((shared / "references" / "ceilings.json").read_text("utf-8"))
    with np.load(shared / "references" / "ceilings.npz") as arrays:
        return numbers, dict(arrays)


@pytest.mark.parametrize("n", NESTED)
def test_ceilings_equal_those_of_pingouin_and_rsatoolbox(references, n):
    numbers, arrays = references
    expected = numbers["n"][str(n)]
    for i, gaze in enumerate(arrays["gaze"]):
        found, scaled = (noise_ceiling(gaze[:n], standardize=each) for each in (False, True))
        assert found.n_observers == n
        assert found.alpha == exact_or_nan(expected["alpha"][i])
        assert found.lower == exact_or_nan(expected["lower_raw"][i])
        assert found.upper == exact_or_nan(expected["upper_raw"][i])
        assert scaled.alpha == exact_or_nan(expected["alpha_standardised_observers"][i])
        assert scaled.lower == exact_or_nan(expected["lower_standardised"][i])
        assert scaled.upper == exact_or_nan(expected["upper_standardised"][i])
        covariance = expected["mean_off_diagonal_covariance"][i]
        assert found.covariance == pytest.approx(covariance, rel=1e-10)
        assert found.variance == pytest.approx(expected["mean_variance"][i], rel=1e-10)
        assert found.best_attainable == pytest.approx(math.sqrt(expected["alpha"][i]))
        for j, saliency in enumerate(arrays["saliency"][i]):
            corrected = expected["saliency_ncc_corrected_cov"][i][j]
            assert gazesal.corrected_ncc(saliency, gaze[:n]) == exact_or_nan(corrected)


def test_edges_equal_those_of_the_references(references):
    numbers, arrays = references
    for name, expected in numbers["edge"].items():
        gaze, saliency = arrays[name], arrays["edge_saliency"]
        if expected["lower_raw"] is None or expected["saliency_ncc_corrected"] is None:
            with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
                found = noise_ceiling(gaze)
        else:
            found = noise_ceiling(gaze)
        assert found.alpha == exact_or_nan(expected["alpha"])
        assert found.lower == exact_or_nan(expected["lower_raw"])
        assert found.upper == exact_or_nan(expected["upper_raw"])
        if expected["saliency_ncc_corrected"] is None:
            assert math.isnan(found.best_attainable)
            with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
                assert math.isnan(gazesal.corrected_ncc(saliency, gaze))
        else:
            corrected = gazesal.corrected_ncc(saliency, gaze)
            assert corrected == exact_or_nan(expected["saliency_ncc_corrected"])


def observers(rng, truth, n, n_fixations=15):
    """Gaze maps of observers whose fixations are drawn from a density, blurred by a box."""
    height, width = truth.shape
    found = []
    for _ in range(n):
        places = rng.choice(truth.size, n_fixations, p=truth.ravel())
        counts = np.bincount(places, minlength=truth.size).reshape(height, width)
        rows = sum(np.roll(counts, step, axis=0) for step in (-2, -1, 0, 1, 2))
        found.append(sum(np.roll(rows, step, axis=1) for step in (-2, -1, 0, 1, 2)) / 25)
    return np.array(found) / n_fixations


def blurred(truth):
    rows = sum(np.roll(truth, step, axis=0) for step in (-2, -1, 0, 1, 2))
    return sum(np.roll(rows, step, axis=1) for step in (-2, -1, 0, 1, 2)) / 25


@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_perfect_map_scores_the_best_attainable_ncc_on_average(n):
    rng = np.random.default_rng(n)
    y, x = np.mgrid[:40, :50]
    plain, attainable, one_vs_rest = [], [], []
    for _ in range(60):
        middle = rng.uniform([10, 10], [30, 40], (3, 2))
        truth = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in middle)
        truth /= truth.sum()
        gaze = observers(rng, truth, n)
        perfect, found = blurred(truth), noise_ceiling(gaze)
        plain.append(gazesal.ncc(perfect, gaze.mean(axis=0)))
        attainable.append(found.best_attainable)
        one_vs_rest.append(found.lower)
    error = 4 * np.std(np.subtract(plain, attainable)) / math.sqrt(60)
    assert np.mean(plain) == pytest.approx(np.mean(attainable), abs=error + 0.005)
    if n >= 5:  # the root of an alpha from fewer observers is too small on average
        assert np.mean(plain) / np.mean(attainable) == pytest.approx(1, abs=0.01)
    assert np.mean(one_vs_rest) < np.mean(plain) - 0.05


def test_corrected_ncc_is_ncc_over_the_root_of_alpha():
    rng = np.random.default_rng(0)
    gaze = rng.random((4, 6, 8)) + 3 * rng.random((6, 8))
    saliency = rng.random((6, 8)).astype(np.float32)
    expected = gazesal.ncc(saliency, gaze.mean(axis=0)) / math.sqrt(noise_ceiling(gaze).alpha)
    assert gazesal.corrected_ncc(saliency, gaze) == pytest.approx(expected, rel=1e-13)
    for scale in (1e-200, 1e200):
        scaled = gazesal.corrected_ncc(saliency.astype(float) * scale, gaze)
        assert scaled == pytest.approx(expected, rel=1e-12)


def test_attainable_follows_spearman_brown():
    rng = np.random.default_rng(1)
    gaze = rng.random((5, 6, 8)) + rng.random((6, 8))
    found = noise_ceiling(gaze)
    assert found.attainable(5) == pytest.approx(found.best_attainable, rel=1e-13)
    rho = found.attainable(1) ** 2
    assert found.attainable(7) ** 2 == pytest.approx(7 * rho / (1 + 6 * rho), rel=1e-13)
    assert found.attainable(10**6) == pytest.approx(1, abs=1e-5)


def test_opposed_observers_have_no_attainable_ncc():
    gaze = [[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]]
    with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
        found = noise_ceiling(gaze)
    assert found.alpha < 0
    assert math.isnan(found.best_attainable)
    assert math.isnan(found.attainable(3))


def test_observers_who_cancel_are_reported_as_undefined():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="gaze_maps"):
        found = noise_ceiling([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert math.isnan(found.alpha)
    assert math.isnan(found.best_attainable)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_the_scale_of_the_gaze_maps_does_not_matter(scale):
    rng = np.random.default_rng(2)
    gaze = rng.random((3, 6, 8)) + rng.random((6, 8))
    saliency, expected = rng.random((6, 8)), noise_ceiling(gaze)
    found = noise_ceiling(gaze * scale)
    assert found.attainable(7) == pytest.approx(expected.attainable(7), rel=1e-12)
    for name in ("alpha", "best_attainable", "pair_correlation", "lower", "upper"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    corrected = gazesal.corrected_ncc(saliency, gaze)
    assert gazesal.corrected_ncc(saliency, gaze * scale) == pytest.approx(corrected, rel=1e-12)


@pytest.mark.parametrize(
    ("gaze", "named"),
    [([[[1.0, 2.0]]], "gaze_maps"), ([[[1.0, 2.0]], [[1.0], [2.0]]], r"gaze_maps\[1\]")],
)
def test_wrong_gaze_maps_are_named(gaze, named):
    with pytest.raises(ValueError, match=named):
        noise_ceiling(gaze)
    with pytest.raises(ValueError, match=named):
        gazesal.corrected_ncc([[1.0, 2.0]], gaze)
