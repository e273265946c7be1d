"""Chance and range, as the registry states them: neither can be changed there unnoticed."""

import inspect
import math
import re

import numpy as np
import pytest

import gazesal
from tests.metric_cases import NAMES, function
from tests.oracles import HIGHEST, LOWEST

METRICS = gazesal.METRICS
WITH_CHANCE = [name for name in NAMES if not math.isnan(METRICS[name].chance)]
SHAPE = (24, 32)
N_IMAGES = 200
BORDER = np.pad(np.zeros((SHAPE[0] - 8, SHAPE[1] - 8)), 4, constant_values=1.0)
# Fixed maps are at chance here, but not if the spread of the gaze differs between images.
NEARLY = {"residual_ncc", "semipartial_ncc"}
ERRORS = 5.0  # standard errors of a mean that a mean may be off by


def simulated_fixations(rng, n_images):
    """Twelve fixations on each image, around a place that differs and is most often central."""
    middle = (np.array(SHAPE[::-1]) - 1) / 2
    places = rng.normal(middle, [5.0, 4.0], (n_images, 1, 2))
    points = rng.normal(places, 2.0, (n_images, 12, 2))
    return np.clip(np.round(points), 0, np.array(SHAPE[::-1]) - 1)


def drawn(fixations):
    """Number of fixations at each pixel."""
    counts = np.zeros(SHAPE)
    x, y = fixations.reshape(-1, 2).astype(int).T
    np.add.at(counts, (y, x), 1.0)
    return counts


def scores_of_images(name, saliency_map_of):
    """The metric on independent images, with the gaze on thousands of others for what it needs."""
    rng = np.random.default_rng(20)
    metric = METRICS[name]
    elsewhere = simulated_fixations(rng, 4000)
    needed = {"center_bias": drawn(elsewhere), "other_fixations": elsewhere[:500].reshape(-1, 2)}
    extra = [needed[metric.needs]] if metric.needs else []
    found = []
    for fixations in simulated_fixations(rng, N_IMAGES):
        gaze = drawn(fixations) if metric.ground_truth == "map" else fixations
        found.append(function(name)(saliency_map_of(rng), gaze, *extra))
    return np.array(found)


def distance_in_errors(found, value):
    """Return the distance of the mean from a value in standard errors."""
    return abs(found.mean() - value) / (found.std(ddof=1) / math.sqrt(found.size))


@pytest.mark.parametrize("name", WITH_CHANCE)
def test_noise_is_at_chance(name):
    found = scores_of_images(name, lambda rng: rng.random(SHAPE))
    assert found.std() > 0
    assert distance_in_errors(found, METRICS[name].chance) < ERRORS


@pytest.mark.parametrize("name", WITH_CHANCE)
def test_one_map_for_all_images_is_at_chance_only_if_the_facts_say_so(name):
    """The mean of the gaze on other images, and the border: nothing in them is about the image."""
    blob = drawn(simulated_fixations(np.random.default_rng(21), 4000))
    distance = max(
        distance_in_errors(scores_of_images(name, lambda _rng, m=each: m), METRICS[name].chance)
        for each in (blob, BORDER)
    )
    assert (distance < ERRORS) == (METRICS[name].chance_of_any_map or name in NEARLY)
    assert distance < ERRORS or distance > 3 * ERRORS  # no close call


def test_without_a_chance_no_map_is_at_it():
    for name in set(NAMES) - set(WITH_CHANCE):
        assert not METRICS[name].chance_of_any_map


def score(name, arguments):
    """With another argument of `auc` for its negatives, which is an option."""
    if name == "auc":
        return function(name)(*arguments[:2], negatives=arguments[2])
    return function(name)(*arguments)


@pytest.mark.parametrize("name", NAMES)
def test_finite_ends_of_the_range_are_reached(name):
    slack = 1e-4 if name == "auc_borji" else 1e-15
    for ends, end in ((LOWEST, METRICS[name].low), (HIGHEST, METRICS[name].high)):
        assert (name in ends) == math.isfinite(end), f"add maps that reach {end} to the oracles"
        if name in ends:
            assert score(name, ends[name]) == pytest.approx(end, rel=0, abs=slack)


@pytest.mark.parametrize("name", NAMES)
def test_docstring_states_the_range(name):
    text = inspect.cleandoc(METRICS[name].function.__doc__)
    returns = re.search(r"Returns\n-+\n(.*?)\n\n[A-Z]", text, re.DOTALL)[1]
    low, high = METRICS[name].low, METRICS[name].high
    if math.isfinite(low) and math.isfinite(high):
        assert f"[{low:g}, {high:g}]" in returns
    elif math.isfinite(low):
        assert (low, high) == (0.0, math.inf)
        assert re.search("Non-negative|from 0 to", returns)
    else:
        assert (low, high) == (-math.inf, math.inf)
        assert "nbounded" in returns
    if name in WITH_CHANCE:
        assert f"Chance is {METRICS[name].chance:g}" in returns
