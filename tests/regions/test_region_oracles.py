"""Metrics of regions against definitions that share no code with them."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gazesal
from gazesal import regions
from tests.oracles import regions as oracles
from tests.strategies import saliency_maps

SMALL = st.tuples(st.integers(1, 3), st.integers(1, 4))
LARGER = st.tuples(st.integers(1, 7), st.integers(1, 8))


@st.composite
def maps_and_regions(draw, shapes=LARGER):
    """Draw a map with ties, of any dtype, and a region with at least one pixel."""
    shape = draw(shapes)
    saliency = draw(saliency_maps(shape))
    region = draw(hnp.arrays(np.bool_, shape))
    region.flat[draw(st.integers(0, region.size - 1))] = True
    return saliency, region


def scored(metric, *args, **options):
    """Score, with the map made constant first if it is constant up to rounding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        return metric(*args, **options)


def plain(saliency):
    """Return the map as exact numbers in lists, constant if its differences are rounding."""
    values = np.asarray(saliency, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
        if np.isnan(gazesal.ncc(saliency, np.arange(values.size).reshape(values.shape))):
            values = np.full_like(values, values.flat[0])
    return values.tolist()


@given(drawn=maps_and_regions(), ties=st.sampled_from(["mean", "any", "first"]))
@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 2, 5])
def test_pointing_game_equals_its_definition(drawn, ties, tolerance):
    saliency, region = drawn
    expected = oracles.pointing_game(plain(saliency), region.tolist(), tolerance, ties)
    found = scored(regions.pointing_game, saliency, region, tolerance, ties=ties)
    assert found == pytest.approx(float(expected), abs=1e-15)


@given(drawn=maps_and_regions(SMALL), data=st.data())
def test_highest_pixels_equal_all_ways_to_break_ties(drawn, data):
    saliency, region = drawn
    values, inside = plain(saliency), region.tolist()
    k = data.draw(st.integers(1, region.size))
    found = scored(regions.top_k_intersection, saliency, region, k)
    expected = oracles.top_k_intersection(values, inside, k)
    assert found == pytest.approx(float(expected), abs=1e-15)
    found = scored(regions.relevance_rank, saliency, region)
    assert found == pytest.approx(float(oracles.relevance_rank(values, inside)), abs=1e-15)


@given(drawn=maps_and_regions())
def test_areas_equal_their_definitions(drawn):
    saliency, region = drawn
    values, inside = plain(saliency), region.tolist()
    found = scored(regions.average_precision, saliency, region)
    assert found == pytest.approx(float(oracles.average_precision(values, inside)), abs=1e-14)
    if not region.all():
        found = scored(regions.localization_auc, saliency, region)
        assert found == pytest.approx(float(oracles.localization_auc(values, inside)), abs=1e-9)


@given(drawn=maps_and_regions())
def test_relevance_mass_equals_its_definition(drawn):
    saliency, region = drawn
    positive = np.maximum(np.asarray(saliency, np.float64), 0)
    assume(positive.any())
    expected = oracles.relevance_mass(positive.tolist(), region.tolist())
    found = regions.relevance_mass(saliency, region, negative="clip")
    assert found == pytest.approx(float(expected), abs=1e-12)


@given(drawn=maps_and_regions(), data=st.data())
@pytest.mark.parametrize("metric", ["iou", "dice"])
def test_overlaps_equal_their_definitions(drawn, data, metric):
    saliency, region = drawn
    inside, score, oracle = region.tolist(), getattr(regions, metric), getattr(oracles, metric)
    threshold = float(data.draw(st.sampled_from(np.asarray(saliency, np.float64).ravel())))
    exact = np.asarray(saliency, np.float64).tolist()
    assert scored(score, saliency, region, threshold=threshold) == pytest.approx(
        float(oracle(exact, inside, threshold=threshold)), abs=1e-15
    )
    k = data.draw(st.integers(1, region.size))
    values = plain(saliency)
    assert scored(score, saliency, region, top=k / region.size) == pytest.approx(
        float(oracle(values, inside, k=k)), abs=1e-15
    )
    area = int(region.sum())
    assert scored(score, saliency, region, top="equal") == pytest.approx(
        float(oracle(values, inside, k=area)), abs=1e-15
    )
