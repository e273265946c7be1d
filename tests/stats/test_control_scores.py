"""Scores against the gaze on other images: other people's numbers, definitions and the null."""

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.stats import control_scores

RNG = np.random.default_rng(5)
MAPS, GAZE = RNG.random((2, 5, 6, 9))
POINTS = [RNG.uniform(0, 5, (n, 2)) for n in (3, 4, 5, 6, 7)]
BIASES = [np.delete(GAZE, i, 0).mean(axis=0) for i in range(5)]


@pytest.fixture(scope="module")
def references(shared):
    numbers = json.loads((shared / "references" / "control.json").read_text("utf-8"))
    with np.load(shared / "references" / "control.npz") as arrays:
        return numbers["scores"], dict(arrays)


def points_of(arrays):
    """Return the fixations of each image, whatever the layout of their table."""
    images = np.asarray(arrays["fix_image"])
    kinds = (
        range(len(arrays["images"])) if images.max() < len(arrays["images"]) else arrays["images"]
    )
    both = np.column_stack([arrays["fix_x"], arrays["fix_y"]])
    return [both[images == each] for each in kinds]


@pytest.mark.parametrize("metric", ["ncc", "auc_borji", "nss"])
def test_matrix_and_p_values_equal_those_of_scipy_and_sklearn(references, metric):
    scores, arrays = references
    gaze = points_of(arrays) if metric == "nss" else list(arrays["gaze"])
    for m, (method, expected) in enumerate(scores.items()):
        wanted = expected[metric.removesuffix("_borji")]
        found = control_scores(metric, arrays["saliency"][:, m], gaze)
        assert found.matrix == pytest.approx(np.array(wanted["matrix"]), abs=1e-10), method
        for name in ("own", "other_gaze", "other_maps"):
            assert getattr(found, name) == pytest.approx(np.array(wanted[name]), abs=1e-10)
        assert found.own_mean == pytest.approx(wanted["own_mean"], abs=1e-12)
        assert found.other_mean == pytest.approx(wanted["other_mean"], abs=1e-12)
        assert found.difference.mean() == pytest.approx(wanted["difference"], abs=1e-12)
        exact = {"first_6": slice(6), "first_7": slice(7), "last_7": slice(-7, None)}
        for name, part in exact.items():
            of_part = replace(found, matrix=found.matrix[part, part])
            assert of_part.p_value() == pytest.approx(wanted[f"p_exact_{name}"]["p"], abs=1e-12)
        p = wanted[f"p_monte_carlo_{len(gaze)}"]["p"]
        error = 4 * math.sqrt(p * (1 - p) * 2 / 9999) + 1e-4
        assert found.p_value(rng=3) == pytest.approx(p, abs=error)


def test_matrix_is_the_metric_of_each_pair():
    for name in ("ncc", "sim", "kl_divergence"):
        found = control_scores(name, MAPS, GAZE)
        metric = gazesal.METRICS[name]
        for i, j in itertools.product(range(5), repeat=2):
            assert found.matrix[i, j] == pytest.approx(metric(MAPS[i], GAZE[j]), abs=1e-14)
    found = control_scores("nss", MAPS, POINTS)
    assert found.matrix[1, 3] == pytest.approx(gazesal.nss(MAPS[1], POINTS[3]), abs=1e-14)
    assert found.own == pytest.approx(found.matrix.diagonal())
    assert found.other_gaze[0] == pytest.approx(found.matrix[0, 1:].mean())
    assert found.other_maps[0] == pytest.approx(found.matrix[1:, 0].mean())


def test_center_bias_is_of_the_image_of_the_gaze():
    for name in ("sncc", "sauc"):
        found = control_scores(name, MAPS, GAZE, BIASES)
        expected = gazesal.METRICS[name](MAPS[1], GAZE[3], BIASES[3])
        assert found.matrix[1, 3] == pytest.approx(expected)
    found = control_scores("residual_ncc", MAPS, GAZE, BIASES)
    assert found.matrix[1, 3] == pytest.approx(gazesal.residual_ncc(MAPS[1], GAZE[3], BIASES[3]))
    found = control_scores("auc_shuffled", MAPS, POINTS)
    others = np.concatenate([each for k, each in enumerate(POINTS) if k != 3])
    assert found.matrix[1, 3] == pytest.approx(gazesal.auc_shuffled(MAPS[1], POINTS[3], others))


def test_exact_p_value_is_the_share_of_all_matchings():
    found = control_scores("sim", MAPS, GAZE**3)
    means = [found.matrix[range(5), order].mean() for order in itertools.permutations(range(5))]
    share = np.mean(np.array(means) >= found.own_mean - 1e-12)
    assert found.p_value() == pytest.approx(share, abs=1e-12)
    lower = control_scores("kl_divergence", MAPS, GAZE)
    means = [lower.matrix[range(5), order].mean() for order in itertools.permutations(range(5))]
    assert lower.p_value() == pytest.approx(np.mean(np.array(means) <= lower.own_mean + 1e-12))


@pytest.mark.parametrize(
    "name", ["ncc", "auc_borji", "sim", "spearman", "residual_ncc", "sncc", "sauc"]
)
def test_a_map_that_is_the_same_on_all_images_has_a_difference_of_zero(name):
    biases = BIASES if gazesal.METRICS[name].needs else None
    for fixed in (MAPS[0], GAZE.mean(axis=0), 1 - GAZE.mean(axis=0)):
        found = control_scores(name, [fixed] * 5, GAZE, biases)
        assert found.difference.mean() == pytest.approx(0, abs=1e-14)
        assert found.p_value() == 1.0


def test_gaze_of_another_size_keeps_its_relative_position():
    small = [MAPS[0], gazesal.resample(MAPS[1], (12, 18))]
    gaze = [GAZE[0], gazesal.resample(GAZE[1], (12, 18))]
    found = control_scores("ncc", small, gaze)
    expected = gazesal.ncc(small[1], gazesal.resample(gaze[0], (12, 18)))
    assert found.matrix[1, 0] == pytest.approx(expected, abs=1e-12)
    points = [np.array([[4.0, 2.5]]), np.array([[8.5, 5.5]])]
    found = control_scores("nss", small, points)
    assert found.matrix[0, 1] == pytest.approx(gazesal.nss(small[0], points[0]), abs=1e-12)


def test_boxes_register_gaze_on_other_images():
    wide = np.zeros((6, 12))
    wide[:, 3:] = GAZE[1]
    found = control_scores("ncc", MAPS[:2], [GAZE[0], GAZE[1]], boxes=[[0, 0, 9, 6]] * 2)
    padded = control_scores(
        "ncc", [MAPS[0], wide], [GAZE[0], wide], boxes=[[0, 0, 9, 6], [3, 0, 12, 6]]
    )
    assert padded.matrix[0, 1] == pytest.approx(found.matrix[0, 1], abs=1e-12)


def test_undefined_scores_leave_the_p_value_undefined():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant"):
        found = control_scores("ncc", [MAPS[0], np.ones((6, 9))], GAZE[:2])
    with pytest.warns(gazesal.UndefinedMetricWarning, match="undefined"):
        assert math.isnan(found.p_value())


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("ncc", MAPS[:1], GAZE[:1]), "saliency_maps"),
        (("ncc", MAPS, GAZE[:4]), "gaze"),
        (("ncc", dict(enumerate(MAPS)), dict(zip("abcde", GAZE, strict=True))), "gaze"),
        (("sncc", MAPS, GAZE), "center_bias"),
        (("ncc", MAPS, GAZE, GAZE), "center_bias"),
        (("sncc", MAPS, GAZE, GAZE[:, :4]), "center_bias"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}"):
        control_scores(*arguments)


def test_names_pair_maps_and_gaze():
    names = "abcde"
    maps, gaze = dict(zip(names, MAPS, strict=True)), dict(zip(names, GAZE, strict=True))
    found = control_scores("ncc", maps, dict(reversed(gaze.items())))
    assert found.images == tuple(names)
    assert found.own == pytest.approx(control_scores("ncc", MAPS, GAZE).own)
