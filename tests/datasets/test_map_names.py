"""Suggest patterns of names, if maps are named differently than images."""

import pytest

from gazesal.datasets._map_names import pattern_hint


@pytest.mark.parametrize(
    ("image", "name", "words"),
    [
        ("1001", "1001_cam", ('pattern="{image}_cam" (--pattern)', "'1001_cam' is its map")),
        ("1001", "saliency_1001", ('pattern="saliency_{image}" (--pattern)',)),
        ("1001_fixMap", "1001", ("--gaze-maps DIR/{image}_fixMap", "'1001' is its map")),
        ("gaze-1001", "1001", ("--gaze-maps DIR/gaze-{image}",)),
    ],
)
def test_pattern_of_the_longer_name_is_suggested(image, name, words):
    hint = pattern_hint(image, ["other", name])
    assert all(each in hint for each in words)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("Action/001.jpg", "Action/001"),  # only the suffix differs
        ("1088f6ef-2458fab1-6182112d", "1088f6ef-2458fab1"),  # one is cut off
        ("1001_2", "1001"),  # perhaps another image
        ("1001", "1002"),
        ("1001", "21001"),
        ("1001", "10012"),
    ],
)
def test_no_pattern_is_suggested_for_other_differences(image, name):
    assert pattern_hint(image, [name]) == ""
