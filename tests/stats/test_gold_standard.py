"""The gold standard against pysaliency's numbers, its formula and its own densities."""

import json
import math

import numpy as np
import pytest

import gazesal
from gazesal.stats import gold_standard, ratio_interval

SHAPE = (12, 16)


def gaze(rng, n, n_fixations=8):
    return [rng.normal([8, 6], 2, (n_fixations, 2)).clip(0, 11) for _ in range(n)]


@pytest.mark.parametrize("n", [5, 15])
def test_likelihoods_equal_those_of_pysaliency(shared, n):
    folder = shared / "references"
    everything = json.loads((folder / "ceilings.json").read_text("utf-8"))["gold_standard"]
    with np.load(folder / "ceilings.npz") as arrays:
        of_image, observer = arrays["fix_image"], arrays["fix_observer"]
        points = np.stack([arrays["fix_x"], arrays["fix_y"]], axis=1)
        baseline = arrays["baseline"]
    numbers = everything["n"][str(n)]
    for setting, expected in zip(everything["settings"], numbers["gold"], strict=True):
        shares = (1 - setting["eps"], 0, setting["eps"])
        likelihood = expected["left_one_observer_out_vs_uniform"]
        gain = expected["left_one_observer_out_vs_baseline"]
        kept = expected["own_fixations_kept_vs_baseline"]["by_fixation"]
        gains = []
        for i, bias in enumerate(baseline):
            fixations = [points[(of_image == i) & (observer == k)] for k in range(n)]
            found = gold_standard(
                fixations, bias.shape, setting["sigma_px"], center_bias=bias, shares=shares
            )
            means = [each.mean() for each in found.log_likelihoods]
            assert found.log_likelihood == pytest.approx(likelihood["by_fixation"][i], abs=1e-8)
            assert means == pytest.approx(likelihood["observer_means"][i], abs=1e-8)
            assert found.information_gain == pytest.approx(gain["by_fixation"][i], abs=1e-8)
            all_points = np.concatenate(fixations)
            own = gazesal.information_gain(found.density(), all_points, bias)
            assert own == pytest.approx(kept[i], abs=1e-8)
            gains.append(found.information_gain)
        for method, explained in zip(
            numbers["maps"], expected["explained_vs_baseline"], strict=True
        ):
            of_map = np.array(method["ig_vs_baseline"]["by_fixation"])
            ratio = ratio_interval(of_map, gains).estimate
            assert ratio == pytest.approx(explained["ratio_of_means"], abs=1e-8)
            assert of_map / gains == pytest.approx(np.array(explained["by_image"]), rel=1e-7)


def test_likelihoods_follow_the_formula():
    fixations = gaze(np.random.default_rng(0), 3)
    bias = np.random.default_rng(1).random(SHAPE)
    found = gold_standard(fixations, SHAPE, 1.7, center_bias=bias, shares=(0.6, 0.3, 0.1))
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    others = np.concatenate([fixations[0], fixations[2]])
    kde = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 1.7**2)) for a, b in others)
    density = 0.6 * kde / kde.sum() + 0.3 * bias / bias.sum() + 0.1 / kde.size
    column, row = np.floor(fixations[1] + 0.5).astype(int).T
    expected = np.log2(density[row, column] * kde.size)
    assert found.log_likelihoods[1] == pytest.approx(expected, abs=1e-12)
    assert found.density(1) == pytest.approx(density, abs=1e-15)
    gains = expected - np.log2(bias[row, column] / bias.sum() * kde.size)
    assert found.information_gains[1] == pytest.approx(gains, abs=1e-12)


def test_fitted_shares_do_not_use_the_observer_who_is_scored():
    fixations = gaze(np.random.default_rng(2), 4)
    bias = np.random.default_rng(3).random(SHAPE)
    found = gold_standard(fixations, SHAPE, 1.5, center_bias=bias)
    moved = gold_standard([*fixations[:3], [[0, 0]]], SHAPE, 1.5, center_bias=bias)
    assert moved.shares[3] == pytest.approx(found.shares[3], abs=1e-12)
    assert np.abs(moved.shares[0] - found.shares[0]).max() > 1e-3
    assert found.shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert found.shares.min() > 0


def test_fitted_shares_are_better_than_a_kernel_alone():
    rng = np.random.default_rng(4)
    fixations = [rng.uniform(0, 11, (8, 2)) for _ in range(4)]  # nobody agrees
    fitted = gold_standard(fixations, SHAPE, 1.0)
    alone = gold_standard(fixations, SHAPE, 1.0, shares=(0.99, 0, 0.01))
    assert fitted.log_likelihood > alone.log_likelihood + 0.2
    assert fitted.shares[:, 0].max() < 0.6
    assert (fitted.shares[:, 1] == 0).all()  # there is no center bias
    assert math.isnan(fitted.information_gain)


def test_a_fixation_without_probability_is_undefined():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="shares"):
        found = gold_standard([[[0, 0]], [[900, 900]]], (901, 901), 0.5, shares=(1, 0, 0))
    assert math.isnan(found.log_likelihood)


def test_two_observers_are_predicted_by_each_other():
    found = gold_standard(gaze(np.random.default_rng(5), 2), SHAPE, 2.0)
    assert math.isfinite(found.log_likelihood)
    assert found.shares.shape == (2, 3)


@pytest.mark.parametrize(
    ("named", "changed"),
    [
        ("fixations", {"fixations": [[[1, 1]]]}),
        (r"fixations\[1\]", {"fixations": [[[1, 1]], [[100, 1]]]}),
        ("sigma", {"sigma": 0.1}),
        ("center_bias", {"center_bias": np.ones((3, 3))}),
        ("center_bias", {"shares": (0.5, 0.4, 0.1)}),
        ("shares", {"shares": (0.5, 0.4)}),
        ("shares", {"shares": (0.5, 0.0, 0.1)}),
    ],
)
def test_wrong_arguments_are_named(named, changed):
    call = {"fixations": [[[1, 1]], [[2, 2]]], "shape": SHAPE, "sigma": 1.0}
    with pytest.raises(ValueError, match=named):
        gold_standard(**{**call, **changed})
