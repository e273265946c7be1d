"""Thresholds that are chosen on other images."""

import numpy as np
import pytest

from gazesal import regions
from gazesal.regions import thresholds_from_others


def made(n=6, seed=0):
    rng = np.random.default_rng(seed)
    masks = [rng.random((7, 9)) < 0.3 for _ in range(n)]
    maps = [np.round(rng.random((7, 9)) + 0.6 * mask, 2) for mask in masks]
    return maps, masks


@pytest.mark.parametrize("metric", ["iou", "dice"])
def test_each_threshold_is_the_best_on_the_other_images(metric):
    maps, masks = made()
    candidates = np.round(np.linspace(0, 1.6, 33), 3)
    found = thresholds_from_others(maps, masks, metric, candidates=candidates)
    function = getattr(regions, metric)
    for image, threshold in enumerate(found):
        means = [
            np.mean(
                [
                    function(maps[other], masks[other], threshold=candidate)
                    for other in range(len(maps))
                    if other != image
                ]
            )
            for candidate in candidates
        ]
        assert means[list(candidates).index(threshold)] == pytest.approx(max(means))


def test_own_map_does_not_change_the_own_threshold():
    maps, masks = made()
    candidates = np.linspace(0, 1.6, 17)
    expected = thresholds_from_others(maps, masks, candidates=candidates)
    changed = [1 - maps[0], *maps[1:]]
    assert thresholds_from_others(changed, masks, candidates=candidates)[0] == expected[0]


def test_default_candidates_reach_from_the_lowest_to_the_highest_value():
    maps, masks = made()
    found = thresholds_from_others(maps, masks)
    assert np.isin(found, np.linspace(np.min(maps), np.max(maps), 101)).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"saliency_maps": [np.ones((2, 2))]}, "at least two"),
        ({"regions": [np.ones((7, 9), bool)]}, "same images"),
        ({"regions": [np.zeros((7, 9), bool)] * 6}, "index 0"),
        ({"regions": [np.ones((2, 2), bool)] * 6}, "index 0"),
        ({"metric": "ncc"}, "`metric`"),
        ({"candidates": [np.nan]}, "`candidates`"),
        ({"candidates": []}, "`candidates`"),
    ],
)
def test_invalid_input_is_refused(changes, words):
    maps, masks = made()
    with pytest.raises(ValueError, match=words):
        thresholds_from_others(**{"saliency_maps": maps, "regions": masks} | changes)
