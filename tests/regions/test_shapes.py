"""Boxes, ellipses and polygons as masks, against stored masks and an exact test of each pixel."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gazesal.regions import Box, Ellipse, Polygon, RunLengths

MADE = {"box": lambda g: Box(*g), "ellipse": lambda g: Ellipse(*g), "polygon": Polygon}


def test_masks_equal_the_stored_masks(shared):
    numbers = json.loads((shared / "references" / "regions.json").read_text("utf-8"))
    compared = dict.fromkeys(MADE, 0)
    with np.load(shared / "references" / "regions.npz") as arrays:
        for record in numbers["maps"]:
            for j, region in enumerate(record["regions"]):
                if region["kind"] in MADE:
                    expected = arrays[f"region_{record['map'][4:]}_{j}"]
                    made = MADE[region["kind"]](region["geometry"])
                    assert np.array_equal(made.mask(expected.shape), expected)
                    compared[region["kind"]] += 1
    assert min(compared.values()) > 0


def is_inside(points, x, y):
    """Even-odd rule in exact arithmetic. A point on an edge is outside."""
    inside = False
    for (x_1, y_1), (x_2, y_2) in zip(points, (*points[1:], points[0]), strict=True):
        turn = (x - x_1) * (y_2 - y_1) - (y - y_1) * (x_2 - x_1)
        between = min(x_1, x_2) <= x <= max(x_1, x_2) and min(y_1, y_2) <= y <= max(y_1, y_2)
        if turn == 0 and between:
            return False
        if (y_1 > y) != (y_2 > y):
            inside ^= x > x_1 + Fraction((y - y_1) * (x_2 - x_1), y_2 - y_1)
    return inside


CORNER = st.tuples(st.integers(-3, 13), st.integers(-3, 11))


@given(points=st.lists(CORNER, min_size=3, max_size=7))
def test_polygon_equals_an_exact_test_of_each_pixel(points):
    expected = [[is_inside(points, x, y) for x in range(10)] for y in range(8)]
    assert np.array_equal(Polygon(points).mask((8, 10)), expected)


@given(sides=st.tuples(*[st.integers(-3, 12)] * 4))
def test_box_equals_the_polygon_of_its_corners(sides):
    x_min, y_min, width, height = sides[0], sides[1], abs(sides[2]) + 1, abs(sides[3]) + 1
    box = Box(x_min, y_min, x_min + width, y_min + height)
    (left, top), (right, bottom) = (box.x_min, box.y_min), (box.x_max, box.y_max)
    corners = Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])
    assert np.array_equal(box.mask((8, 10)), corners.mask((8, 10)))


def test_ellipse_between_sides_lies_strictly_inside_them():
    ellipse = Ellipse.between(1, 2, 7, 6)
    assert ellipse == Ellipse(x=4, y=4, radius_x=3, radius_y=2)
    rows, columns = np.nonzero(ellipse.mask((10, 10)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 5, 2, 6)


@given(mask=hnp.arrays(np.bool_, (5, 4)))
def test_run_lengths_give_the_mask_back(mask):
    changes = np.flatnonzero(np.diff(np.r_[False, mask.ravel(order="F")]))
    counts = np.diff([0, *changes.tolist(), mask.size]).tolist()
    assert np.array_equal(RunLengths(counts, (5, 4)).mask((5, 4)), mask)


def test_shapes_may_reach_over_or_lie_beyond_the_border():
    assert Box(-5, -5, 50, 50).mask((3, 4)).all()
    assert not Ellipse(-20, 5, 3, 3).mask((3, 4)).any()
    assert not Polygon([(20, 20), (30, 20), (25, 30)]).mask((3, 4)).any()


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Box(3, 0, 3, 2), "x_max"),
        (lambda: Box(0, 4, 3, 2), "y_max"),
        (lambda: Ellipse(0, 0, 0, 1), "radius_x"),
        (lambda: Ellipse(0, float("nan"), 1, 1), "y"),
        (lambda: Polygon([(0, 0), (1, 1)]), "points"),
        (lambda: RunLengths([2, 3], (2, 3)), "counts"),
        (lambda: RunLengths([-1, 7], (2, 3)), "counts"),
        (lambda: RunLengths([6], (2, 3)).mask((3, 2)), "shape"),
    ],
)
def test_invalid_shape_names_its_attribute(make, argument):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        make()
