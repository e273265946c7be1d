"""Positions on a screen as pixels of images, with values worked out by hand."""

import numpy as np
import pytest

from gazesal import Screen, fixations_from_screen, read_fixations

HD = Screen(display=(1920, 1080))
CENTERED = Screen(display=(1920, 1080), placement="center")
DOUBLE = Screen(display=(1920, 1080), placement="center", scale=2)
SHAPE = (600, 800)


def test_each_placement_has_its_edges():
    assert HD.edges(SHAPE) == (0, 0, 1920, 1080)
    assert CENTERED.edges(SHAPE) == (560, 240, 1360, 840)
    assert DOUBLE.edges((300, 400)) == (560, 240, 1360, 840)
    letterbox = Screen(display=(1920, 1080), placement="letterbox")
    assert letterbox.edges((600, 800)) == (240, 0, 1680, 1080)
    assert letterbox.edges((100, 1000)) == (0, 444, 1920, 636)
    assert Screen(rectangle=(-5, 0.5, 10, 20)).edges(SHAPE) == (-5, 0.5, 10, 20)


# the upper left pixel of an image of 800 x 600 in the middle of the screen, in each kind of
# coordinates: its center is at (560.5, 240.5) from the outer corner
UPPER_LEFT = {
    "pixel_center": ({}, (560, 240)),
    "pixel_corner": ({"origin": "pixel_corner"}, (560.5, 240.5)),
    "one_based": ({"origin": "one_based"}, (561, 241)),
    "screen_center": ({"origin": "screen_center"}, (-399.5, -299.5)),
    "pixel_center up": ({"y_axis": "up"}, (560, 839)),
    "pixel_corner up": ({"origin": "pixel_corner", "y_axis": "up"}, (560.5, 839.5)),
    "one_based up": ({"origin": "one_based", "y_axis": "up"}, (561, 840)),
    "screen_center up": ({"origin": "screen_center", "y_axis": "up"}, (-399.5, 299.5)),
    "shares": ({"unit": "shares"}, (560.5 / 1920, 240.5 / 1080)),
    "shares up": ({"unit": "shares", "y_axis": "up"}, (560.5 / 1920, 839.5 / 1080)),
    "shares of the center": (
        {"unit": "shares", "origin": "screen_center", "y_axis": "up"},
        (-399.5 / 1920, 299.5 / 1080),
    ),
}


@pytest.mark.parametrize("kind", UPPER_LEFT)
def test_first_pixel_is_at_zero_in_all_coordinates(kind):
    options, point = UPPER_LEFT[kind]
    found = fixations_from_screen([point], SHAPE, CENTERED, **options)
    np.testing.assert_allclose(found, [[0, 0]], atol=1e-12)


def test_scale_is_relative_to_outer_edges():
    points = np.array([[0.0, 0.0], [100.5, 33.25]])
    screen = Screen(rectangle=(10, 20, 410, 320))
    expected = (points + 0.5 - [10, 20]) / [400, 300] * [800, 600] - 0.5
    assert np.array_equal(fixations_from_screen(points, SHAPE, screen), expected)


def test_points_are_not_modified():
    points = np.array([[1.0, 2.0]])
    fixations_from_screen(points, SHAPE, HD, unit="shares", y_axis="up")
    assert points.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({}, ValueError, "display"),
        ({"display": (1920.5, 1080)}, TypeError, "display"),
        ({"display": (0, 1080)}, ValueError, "display"),
        ({"display": (9, 9), "placement": "left"}, ValueError, "placement"),
        ({"display": (9, 9), "scale": 2}, ValueError, "scale"),
        ({"display": (9, 9), "placement": "center", "scale": 0}, ValueError, "scale"),
        ({"rectangle": (0, 0, 0, 9)}, ValueError, "rectangle"),
        ({"rectangle": (0, 0, 9)}, ValueError, "rectangle"),
        ({"rectangle": (0, 0, 9, 9), "placement": "center"}, ValueError, "placement"),
    ],
)
def test_invalid_screen_raises(options, error, named):
    with pytest.raises(error, match=f"`{named}`"):
        Screen(**options)


@pytest.mark.parametrize(
    "options", [{"unit": "shares"}, {"y_axis": "up"}, {"origin": "screen_center"}]
)
def test_size_of_the_screen_is_asked_for_if_needed(options):
    with pytest.raises(ValueError, match="`display` of `screen` must be given"):
        fixations_from_screen([[0, 0]], SHAPE, Screen(rectangle=(0, 0, 9, 9)), **options)


@pytest.mark.parametrize("origin", ["pixel_center", "one_based"])
def test_shares_have_no_pixel_as_origin(origin):
    with pytest.raises(ValueError, match=r"`origin` must be .* for shares"):
        fixations_from_screen([[0, 0]], SHAPE, HD, unit="shares", origin=origin)


def test_screen_must_be_a_screen():
    with pytest.raises(TypeError, match=r"`screen` must be a gazesal.Screen, got tuple"):
        fixations_from_screen([[0, 0]], SHAPE, (1920, 1080))


TABLE = {"image": ["a"], "observer": ["ann"], "x": [10.0], "y": [20.0], "duration": [9]}


@pytest.mark.parametrize("display", [False, True])
def test_screens_are_read_from_a_table(tmp_path, display):
    path = tmp_path / "screens.csv"
    more = (",display_width,display_height", ",100,50") if display else ("", "")
    path.write_text(f"image,x_min,y_min,x_max,y_max{more[0]}\na.png,10,20,50,40{more[1]}\n")
    found = read_fixations(TABLE, screen=path, sizes={"a.png": (20, 40)})
    assert found[["x", "y"]].to_numpy().tolist() == [[0, 0]]
    if display:
        shares = {**TABLE, "x": [0.1], "y": [0.4]}
        found = read_fixations(shares, screen=path, sizes=(20, 40), unit="shares")
        assert found[["x", "y"]].to_numpy().tolist() == [[-0.5, -0.5]]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("image,x_min,y_min,x_max\na,1,2,3\n", "'y_max' is missing"),
        ("image,x_min,y_min,x_max,y_max\na,1,2,1,4\n", "line 2: `rectangle`"),
        ("image,x_min,y_min,x_max,y_max\na,1,2,x,4\n", "line 2, column 'x_max'"),
        ("image,x_min,y_min,x_max,y_max\na,1,2,3,4\na,1,2,3,4\n", "line 3, column 'image'"),
        ("image,x_min,y_min,x_max,y_max\nb,1,2,3,4\n", "`screen` must have .* for 'a'"),
    ],
)
def test_invalid_table_of_screens_raises(tmp_path, text, named):
    path = tmp_path / "screens.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=named):
        read_fixations(TABLE, screen=path, sizes=(20, 40))
