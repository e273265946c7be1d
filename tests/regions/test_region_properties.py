"""Edges, ties and invariances of the metrics of regions."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gazesal
from gazesal import regions

SHAPE = (6, 8)
BY_ORDER = {
    "pointing_game": {},
    "relevance_rank": {},
    "top_k_intersection": {"k": 7},
    "localization_auc": {},
    "average_precision": {},
    "iou": {"top": 0.2},
    "dice": {"top": "equal"},
}
ALL = {**BY_ORDER, "relevance_mass": {}}
METRICS = pytest.mark.parametrize(("name", "options"), ALL.items(), ids=list(ALL))


def score(name, saliency, region, options):
    return getattr(regions, name)(saliency, region, **options)


@st.composite
def maps_and_regions(draw):
    """Draw a non-negative map of few levels, and a region that is neither empty nor full."""
    saliency = draw(hnp.arrays(np.int64, SHAPE, elements=st.integers(0, 5))).astype(float)
    region = draw(hnp.arrays(np.bool_, SHAPE))
    assume(saliency.min() < saliency.max())
    assume(0 < region.sum() < region.size)
    return saliency, region


@METRICS
@given(drawn=maps_and_regions())
def test_score_is_in_its_range_and_inputs_are_not_modified(name, options, drawn):
    saliency, region = drawn
    before = saliency.copy(), region.copy()
    assert 0 <= score(name, saliency, region, options) <= 1
    assert np.array_equal(saliency, before[0])
    assert np.array_equal(region, before[1])


@METRICS
@given(drawn=maps_and_regions())
def test_mirrored_and_transposed_arrays_have_the_same_score(name, options, drawn):
    saliency, region = drawn
    expected = score(name, saliency, region, options)
    for change in (np.fliplr, np.flipud, np.transpose):
        found = score(name, change(saliency), change(region), options)
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("name", "options"), BY_ORDER.items(), ids=list(BY_ORDER))
@given(drawn=maps_and_regions())
def test_increasing_functions_of_the_map_keep_the_score(name, options, drawn):
    saliency, region = drawn
    expected = score(name, saliency, region, options)
    for changed in (3 * saliency - 50, np.exp(saliency), saliency**3):
        assert score(name, changed, region, options) == expected


@METRICS
@given(drawn=maps_and_regions())
def test_types_of_arrays_do_not_change_the_score(name, options, drawn):
    saliency, region = drawn
    expected = score(name, saliency, region, options)
    for dtype in (np.float32, np.float16, np.uint8, np.int32):
        assert score(name, saliency.astype(dtype), region, options) == expected
    for dtype in (np.uint8, np.float64):
        assert score(name, saliency, region.astype(dtype), options) == expected
    strided = np.repeat(saliency, 2, axis=1)[:, ::2]
    assert score(name, strided, region.tolist(), options) == expected


@METRICS
def test_map_of_the_region_scores_one(name, options):
    region = np.zeros(SHAPE, bool)
    region[2:4, 3:7] = True
    options = {"top": "equal"} if "top" in options else options
    assert score(name, region, region, options) == 1


@METRICS
def test_constant_map_scores_chance(name, options):
    region = np.zeros(SHAPE, bool)
    region[2:4, 3:7] = True
    area, top = 8 / 48, 10 / 48  # a share of 0.2 is 9.6 pixels
    chance = {"localization_auc": 0.5, "iou": top * area / (top + area - top * area)}
    found = score(name, np.full(SHAPE, 0.3), region, options)
    assert found == pytest.approx(chance.get(name, area), abs=1e-15)


@pytest.mark.parametrize(("name", "options"), BY_ORDER.items(), ids=list(BY_ORDER))
def test_map_that_is_constant_up_to_rounding_is_told_and_scores_as_constant(name, options):
    region = np.zeros(SHAPE, bool)
    region[2:4, 3:7] = True
    nearly = 0.3 + np.random.default_rng(0).integers(-2, 3, SHAPE) * 2.0**-54
    with pytest.warns(gazesal.UndefinedMetricWarning, match="saliency_map"):
        found = score(name, nearly, region, options)
    assert found == score(name, np.full(SHAPE, 0.3), region, options)


@pytest.mark.parametrize("name", ["relevance_rank", "top_k_intersection", "dice"])
@given(drawn=maps_and_regions(), seed=st.integers(0, 2**32))
def test_ties_count_by_their_mean_over_random_orders(name, drawn, seed):
    saliency, region = drawn
    orders = np.random.default_rng(seed).random((400, *SHAPE)) * 0.5
    scores = [score(name, saliency + order, region, ALL[name]) for order in orders]
    found = score(name, saliency, region, ALL[name])
    assert found == pytest.approx(np.mean(scores), abs=6 * np.std(scores) / 20 + 1e-12)


@pytest.mark.parametrize("name", ["localization_auc", "relevance_mass"])
@given(drawn=maps_and_regions())
def test_scores_of_a_region_and_the_rest_of_the_image_sum_to_one(name, drawn):
    saliency, region = drawn
    total = score(name, saliency, region, {}) + score(name, saliency, ~region, {})
    assert total == pytest.approx(1, abs=1e-12)


@given(drawn=maps_and_regions())
def test_localization_auc_is_sauc_and_a_line_of_the_auc_with_all_negatives(drawn):
    saliency, region = drawn
    found, share = regions.localization_auc(saliency, region), region.mean()
    assert found == pytest.approx(gazesal.sauc(saliency, region, ~region), abs=1e-12)
    density = gazesal.auc_borji(saliency, region)
    assert density == pytest.approx(share / 2 + (1 - share) * found, abs=1e-12)


@given(drawn=maps_and_regions(), top=st.sampled_from([0.1, 0.5, 1, "equal"]))
def test_dice_follows_from_iou(drawn, top):
    j = regions.iou(*drawn, top=top)
    assert regions.dice(*drawn, top=top) == pytest.approx(2 * j / (1 + j), abs=1e-15)


@given(drawn=maps_and_regions())
def test_pointing_game_grows_with_the_tolerance_up_to_one(drawn):
    hits = [regions.pointing_game(*drawn, tolerance) for tolerance in (0, 1, 1.2, 2, 3, 1e9)]
    assert hits == sorted(hits)
    assert hits[0] == hits[1]
    assert hits[-1] == 1


@given(drawn=maps_and_regions(), tolerance=st.sampled_from([0, 2]))
def test_rules_for_several_maxima_have_an_order(drawn, tolerance):
    by_rule = {
        ties: regions.pointing_game(*drawn, tolerance, ties=ties)
        for ties in ("mean", "any", "first")
    }
    assert by_rule["any"] == math.ceil(by_rule["mean"])
    assert by_rule["first"] <= by_rule["any"]


@METRICS
def test_empty_region_is_undefined(name, options):
    saliency, empty = np.arange(48.0).reshape(SHAPE), np.zeros(SHAPE, bool)
    options = {"top": "equal"} if "top" in options else options
    with pytest.warns(gazesal.UndefinedMetricWarning, match="region"):
        assert math.isnan(score(name, saliency, empty, options))


@pytest.mark.parametrize("name", ["iou", "dice"])
def test_overlap_with_an_empty_region_is_zero_if_pixels_are_selected(name):
    saliency, empty = np.arange(48.0).reshape(SHAPE), np.zeros(SHAPE, bool)
    assert score(name, saliency, empty, {"threshold": 40}) == 0
    assert score(name, saliency, empty, {"top": 0.1}) == 0
    with pytest.warns(gazesal.UndefinedMetricWarning, match="region"):
        assert math.isnan(score(name, saliency, empty, {"threshold": 48}))


@METRICS
def test_region_of_the_whole_image(name, options):
    saliency, full = np.arange(48.0).reshape(SHAPE), np.ones(SHAPE, bool)
    if name == "localization_auc":
        with pytest.warns(gazesal.UndefinedMetricWarning, match="region"):
            assert math.isnan(score(name, saliency, full, options))
    else:
        expected = 10 / 48 if options == {"top": 0.2} else 1
        assert score(name, saliency, full, options) == expected


def test_map_without_positive_values_has_no_relevance_mass():
    region = np.eye(6, 8, dtype=bool)
    for saliency, negative in ((np.zeros(SHAPE), "raise"), (-np.ones(SHAPE), "clip")):
        with pytest.warns(gazesal.UndefinedMetricWarning, match="saliency_map"):
            assert math.isnan(regions.relevance_mass(saliency, region, negative=negative))


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e307])
def test_relevance_mass_of_extreme_values(scale):
    saliency = np.full(SHAPE, scale)
    region = np.eye(6, 8, dtype=bool)
    assert regions.relevance_mass(saliency, region) == pytest.approx(1 / 8, abs=1e-15)


@METRICS
@pytest.mark.parametrize(
    "region",
    [
        np.full(SHAPE, 255),
        np.full(SHAPE, 0.5),
        np.full(SHAPE, np.nan),
        [2, 1, 5, 4],
        np.ones((8, 6)),
    ],
    ids=["0 or 255", "soft", "nan", "box", "transposed"],
)
def test_region_that_is_not_a_mask_of_the_map_is_an_error(name, options, region):
    with pytest.raises(ValueError, match="`region`"):
        score(name, np.ones(SHAPE), region, options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@METRICS
def test_map_that_is_not_finite_is_an_error(name, options, value):
    saliency = np.ones(SHAPE)
    saliency[1, 1] = value
    with pytest.raises(ValueError, match="`saliency_map`"):
        score(name, saliency, np.eye(6, 8, dtype=bool), options)


@pytest.mark.parametrize(
    "options",
    [{}, {"threshold": 1, "top": 0.5}, {"top": 10}, {"top": 0}, {"top": "same"}, {"top": 0.001}],
)
@pytest.mark.parametrize("metric", [regions.iou, regions.dice])
def test_selection_that_is_missing_or_out_of_range_is_an_error(metric, options):
    with pytest.raises(ValueError, match="`top`"):
        metric(np.ones(SHAPE), np.eye(6, 8, dtype=bool), **options)


def test_threshold_is_compared_in_double_precision():
    saliency = np.array([[0.7, 0.1]], np.float32)  # a little below 0.7
    region = [[True, False]]
    for dtype in (np.float32, np.float64):
        assert regions.iou(saliency.astype(dtype), region, threshold=0.7) == 0
