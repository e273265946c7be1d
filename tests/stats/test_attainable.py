"""Bounds of the best attainable score against references, their definition and a known truth."""

import json
import math

import numpy as np
import pytest

import gazesal
from gazesal.stats import attainable
from gazesal.stats.density_mixture import PRIOR, mixture_shares
from gazesal.stats.observers_as_maps import ObserversAsMaps

LINEAR_OF_MAPS = ("auc_borji", "sauc", "residual_nss")


def simulated(rng, n, n_fixations=15, shape=(24, 32)):
    """Density of an image, a center bias, and fixations and gaze maps of n observers."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    middles = rng.uniform([4, 4], [shape[0] - 4, shape[1] - 4], (3, 2))
    density = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 18) for a, b in middles) + 0.02
    bias = np.exp(-((y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2) / 150) + 0.1
    density *= bias
    density, bias = density / density.sum(), bias / bias.sum()
    fixations = []
    for _ in range(n):
        places = rng.choice(density.size, n_fixations, p=density.ravel())
        fixations.append(np.stack([places % shape[1], places // shape[1]], axis=1))
    maps = [gazesal.gaze_heatmap(each, shape, sigma=1.5) for each in fixations]
    return density, bias, fixations, maps


@pytest.mark.parametrize("n", [5, 15])
def test_rest_predicts_one_as_in_the_references(shared, n):
    folder = shared / "references"
    expected = json.loads((folder / "ceilings.json").read_text("utf-8"))["n"][str(n)]
    with np.load(folder / "ceilings.npz") as arrays:
        gaze, of_image = arrays["gaze"][:, :n], arrays["fix_image"]
        of_observer = arrays["fix_observer"]
        points = np.stack([arrays["fix_x"], arrays["fix_y"]], axis=1)
    for i in range(2):
        fixations = [points[(of_image == i) & (of_observer == k)] for k in range(n)]
        area = attainable("auc_borji", gaze[i]).rest_predicts_one
        assert area == pytest.approx(expected["one_vs_rest_auc_rest_as_map"][i], abs=1e-10)
        found = attainable("nss", gaze[i], fixations=fixations).rest_predicts_one
        assert found == pytest.approx(expected["one_vs_rest_nss_rest_as_map"][i], abs=1e-10)
        correlation = attainable("ncc", gaze[i]).rest_by_observer
        assert correlation == pytest.approx(expected["one_vs_rest_ncc_by_observer"][i], abs=1e-10)


@pytest.mark.parametrize("metric", LINEAR_OF_MAPS)
def test_bounds_are_the_means_of_their_definition(metric):
    _, bias, _, maps = simulated(np.random.default_rng(0), 3)
    third = () if metric == "auc_borji" else (bias,)
    function = gazesal.METRICS[metric].function
    whole = gazesal.maps_for_metric(np.mean(maps, axis=0), metric, bias)
    rest = [
        function(gazesal.maps_for_metric(each, metric, bias), own, *third)
        for own, each in gazesal.one_vs_rest(maps)
    ]
    found = attainable(metric, maps, bias)
    assert found.rest_by_observer == pytest.approx(rest, abs=1e-12)
    assert found.rest_predicts_one == pytest.approx(np.mean(rest), abs=1e-12)
    against_all = function(whole, np.mean(maps, axis=0), *third)
    assert found.all_predict_one == pytest.approx(against_all, abs=1e-12)
    assert found.n_observers == 3


@pytest.mark.parametrize("metric", [*LINEAR_OF_MAPS, "information_gain", "log_likelihood", "nss"])
def test_bounds_enclose_the_score_of_the_true_density(metric):
    rng = np.random.default_rng(1)
    facts = gazesal.METRICS[metric]
    low, truth, high = [], [], []
    for _ in range(6):
        density, bias, fixations, maps = simulated(rng, 5)
        best = gazesal.maps_for_metric(density, metric, bias)
        third = () if facts.needs is None else (bias,)
        if facts.ground_truth == "points":
            counts = rng.multinomial(4000, density.ravel())
            new = np.repeat(np.arange(density.size), counts)
            gaze = np.stack([new % density.shape[1], new // density.shape[1]], axis=1)
        else:  # the expected gaze map, which is the blurred density
            gaze = gazesal.gaze_heatmap(
                np.argwhere(density > 0)[:, ::-1],
                density.shape,
                sigma=1.5,
                weights=density.ravel(),
            )
            best = gazesal.maps_for_metric(gaze, metric, bias)
        found = attainable(metric, maps, bias, fixations=fixations)
        low.append(found.rest_predicts_one)
        truth.append(facts.function(best, gaze, *third))
        high.append(found.all_predict_one)
    assert np.mean(low) < np.mean(truth) < np.mean(high)


@pytest.mark.parametrize("metric", ["kl_divergence", "sim", "emd", "ncc", "spearman"])
def test_metrics_that_are_not_linear_have_one_bound(metric):
    _, _, _, maps = simulated(np.random.default_rng(2), 3)
    found = attainable(metric, maps, shrink=8)
    assert math.isfinite(found.rest_predicts_one)
    assert math.isnan(found.all_predict_one)


def test_prediction_of_an_observer_does_not_use_the_observer():
    _, bias, fixations, maps = simulated(np.random.default_rng(3), 4)
    found = attainable("information_gain", maps, bias, fixations=fixations).rest_by_observer
    other = [maps[0], *maps[1:3], maps[0]]
    moved = ObserversAsMaps(
        "information_gain", other, bias, [*fixations[:3], fixations[0]], None, None
    )
    shares = moved.shares([0, 1, 2], 3)
    density = moved.map_of([0, 1, 2], 3)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert gazesal.information_gain(density, fixations[3], bias) == pytest.approx(found[3])


def test_shares_maximize_the_likelihood_with_the_prior():
    rng = np.random.default_rng(4)
    densities = rng.random((3, 40))
    counts = np.full(40, 5 / 40)

    def objective(shares):
        return counts @ np.log(shares @ densities) + PRIOR * np.log(shares).sum()

    shares = mixture_shares(densities, counts)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    others = np.abs(shares + 0.01 * rng.normal(size=(200, 3)))
    others /= others.sum(axis=1, keepdims=True)
    assert objective(shares) >= max(map(objective, others))


def test_two_observers_and_a_missing_center_bias_have_finite_likelihoods():
    _, _, fixations, maps = simulated(np.random.default_rng(5), 2)
    found = attainable("log_likelihood", maps, fixations=fixations)
    assert np.isfinite([found.rest_predicts_one, found.all_predict_one]).all()
    assert found.rest_predicts_one < found.all_predict_one


def test_missing_arguments_are_named():
    _, bias, fixations, maps = simulated(np.random.default_rng(6), 2)
    for metric, named in {
        "nss": "fixations",
        "sauc": "center_bias",
        "emd": "shrink",
        "snss": "other_fixations",
        "mit_sim": "metric",
    }.items():
        points = None if metric == "nss" else fixations
        third = None if metric == "sauc" else bias
        with pytest.raises(ValueError, match=named):
            attainable(metric, maps, third, fixations=points)
    with pytest.raises(ValueError, match="fixations"):
        attainable("nss", maps, fixations=fixations[:1])
    with pytest.raises(ValueError, match="gaze_maps"):
        attainable("auc_borji", maps[:1])
