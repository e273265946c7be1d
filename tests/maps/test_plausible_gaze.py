"""Tests of the rules for implausible places and durations."""

import numpy as np
import pytest

from gazesal.maps.plausible_gaze import in_one_corner, misfit_durations, unit_of


@pytest.mark.parametrize(
    ("median", "unit"),
    [(0.25, "s"), (250.0, "ms"), (250_000.0, "us"), (0.002, None), (10.0, None), (5e6, None)],
)
def test_unit_of_a_median(median, unit):
    assert unit_of(median) == unit


@pytest.mark.parametrize(
    ("durations", "marked"),
    [
        ([200, 180, 0.09, 250], [2]),
        ([0.2, 0.18, 90, 0.25], [2]),
        ([200, 180, 1, 250], []),  # a stray sample
        ([200, 180, 0, 250], []),
        ([200, 0.2], []),  # two do not show which is usual
        ([1, 2000, 3, 4], []),  # no unit is usual
        ([], []),
    ],
)
def test_durations_of_another_unit_are_marked(durations, marked):
    marks = misfit_durations(np.array(durations, float))
    assert np.flatnonzero(marks).tolist() == marked


def test_corner_of_the_gaze():
    rng = np.random.default_rng(0)
    sides = rng.uniform(0, 0.5, (200, 2))
    assert in_one_corner(sides, 10) == "upper left"
    assert in_one_corner(1 - sides, 10) == "lower right"
    assert in_one_corner(sides * [1, -1] + [0, 1], 10) == "lower left"
    assert in_one_corner(sides * 2, 10) == ""
    assert in_one_corner(sides, 4) == ""
    assert in_one_corner(sides[:50], 10) == ""
