"""The best map by each metric: no other map scores better in expectation, on small grids."""

import itertools
import math

import numpy as np
import pytest

import gazesal
from gazesal.metrics.maps_for_metric import BY_DENSITY, LINEAR_METRICS, WITH_BIAS, maps_for_metric

SHAPE = (3, 4)
COUNTS = np.array([[0, 3, 9, 1], [2, 14, 6, 1], [1, 5, 0, 2]])  # of fixations on this image
OTHERS = np.array([[1, 4, 2, 1], [3, 8, 9, 2], [1, 2, 3, 1]])
SMALL = np.array([[0.1, 0.35, 0.05], [0.2, 0.18, 0.12]])
OPTIONS = {"emd": {"shrink": 1}}


def points(counts):
    y, x = np.nonzero(counts)
    return np.repeat(np.stack([x, y], axis=1), counts[y, x], axis=0)


def expected_auc_judd(saliency):
    """Mean over all triples of fixations of a density, each with its probability."""
    places = np.stack(np.indices(SMALL.shape)[::-1], axis=-1).reshape(-1, 2)
    total = 0.0
    for chosen in itertools.combinations_with_replacement(range(SMALL.size), 3):
        counts = np.bincount(chosen, minlength=SMALL.size)
        orders = math.factorial(3) / math.prod(math.factorial(n) for n in counts)
        probability = orders * math.prod(SMALL.ravel()[list(chosen)])
        score = gazesal.auc_judd(saliency, places[list(chosen)])
        total += probability * score
    return total


def expected(metric, saliency):
    """Score of a map against the truth, which is exact for metrics that are linear in the gaze."""
    facts = gazesal.METRICS[metric]
    if metric == "auc_judd":
        return expected_auc_judd(saliency)
    truth = points(COUNTS) if facts.ground_truth == "points" else COUNTS
    third = {
        None: (),
        "center_bias": (OTHERS,),
        "other_fixations": (points(OTHERS),),
        "baseline": (OTHERS / OTHERS.sum(),),
    }[facts.needs]
    if facts.densities:
        saliency = saliency / saliency.sum()
    return facts.function(saliency, truth, *third, **OPTIONS.get(metric, {}))


@pytest.mark.parametrize("metric", gazesal.METRICS)
def test_no_other_map_scores_better(metric):
    sign = 1 if gazesal.METRICS[metric].higher_is_better else -1
    truth, bias = (SMALL, None) if metric == "auc_judd" else (COUNTS, OTHERS)
    best = maps_for_metric(truth, metric, bias)
    highest = sign * expected(metric, best)
    rng = np.random.default_rng(1)
    signed = best.min() < 0
    found = []
    for step in (1e-3, 0.03, 0.3, 1.0):
        for _ in range(4 if metric in {"auc_judd", "emd"} else 25):
            other = best + step * np.ptp(best) * rng.normal(size=best.shape)
            found.append(sign * expected(metric, other if signed else np.abs(other)))
    found += [sign * expected(metric, maps_for_metric(COUNTS, "nss"))] if best.size == 12 else []
    assert max(found) <= highest + 1e-12
    assert min(found) < highest - 1e-3  # the other maps differ enough to be worse


def test_every_metric_of_the_registry_is_known():
    assert {*BY_DENSITY, *WITH_BIAS} == {*gazesal.METRICS}
    assert {*LINEAR_METRICS} <= {*gazesal.METRICS}


@pytest.mark.parametrize("metric", LINEAR_METRICS)
def test_linear_metrics_average_to_the_score_against_the_mean(metric):
    """E f(S, G) = f(S, E G): the expected score does not depend on the number of fixations."""
    rng = np.random.default_rng(2)
    saliency = rng.random(SHAPE) + 0.1
    facts = gazesal.METRICS[metric]
    of_points = facts.ground_truth == "points"
    third = {
        None: (),
        "center_bias": (OTHERS,),
        "other_fixations": (points(OTHERS),),
        "baseline": (OTHERS / OTHERS.sum(),),
    }[facts.needs]
    if facts.densities:
        saliency = saliency / saliency.sum()
    total = 0.0
    for y, x in zip(*np.nonzero(COUNTS), strict=True):
        one = np.zeros(SHAPE, int)
        one[y, x] = 1
        total += COUNTS[y, x] * facts.function(saliency, points(one) if of_points else one, *third)
    assert total / COUNTS.sum() == pytest.approx(expected(metric, saliency), abs=1e-13)


def test_pixels_without_bias_rank_highest_if_there_is_gaze_and_lowest_if_not():
    found = maps_for_metric([[0.0, 1.0, 2.0, 1.0]], "sauc", [[0.0, 0.0, 1.0, 1.0]])
    assert found[0, 1] > found[0, 2] > found[0, 3] > found[0, 0] == 0
    huge = maps_for_metric([[1.0, 1e-3]], "sauc", [[1e-320, 1.0]])
    assert np.isfinite(huge).all()
    assert huge[0, 0] > huge[0, 1]


@pytest.mark.parametrize("metric", ["sncc", "residual_ncc", "residual_nss", "semipartial_ncc"])
def test_no_map_is_best_if_the_density_is_the_center_bias(metric):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="density"):
        assert not maps_for_metric(OTHERS, metric, 3.0 * OTHERS).any()


def test_unknown_metrics_and_a_missing_center_bias_are_refused():
    def own(saliency_map, gaze_map):
        return 0.0

    with pytest.raises(ValueError, match="metric"):
        maps_for_metric(COUNTS, gazesal.Metric(own))
    with pytest.raises(ValueError, match="mit_sim"):
        maps_for_metric(COUNTS, "mit_sim")
    with pytest.raises(ValueError, match="center_bias"):
        maps_for_metric(COUNTS, "sauc")
    with pytest.raises(ValueError, match="shape"):
        maps_for_metric(COUNTS, "sauc", OTHERS[:2])
