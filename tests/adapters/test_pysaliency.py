"""Fixations of pysaliency, with plain arrays, and with the package if it is installed."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal.adapters import fixations_from_pysaliency, fixations_to_pysaliency

ARRAYS = {
    "x": [0.5, 799.5, 100.0],
    "y": [0.5, 2.0, 599.0],
    "n": [1, 0, 1],
    "subjects": [0, 1, 0],
    "duration": [0.2, 0.3, 0.4],
}


def without(name):
    """Return the arrays without one of them."""
    return {key: values for key, values in ARRAYS.items() if key != name}


@pytest.mark.parametrize(
    "fixations",
    [
        ARRAYS,
        SimpleNamespace(**ARRAYS),
        {key: np.asarray(values) for key, values in ARRAYS.items()},
        {**without("subjects"), "subject": ARRAYS["subjects"]},
        {**ARRAYS, "subjects": [0.0, 1.0, 0.0]},
    ],
)
def test_table_names_images_and_observers(fixations):
    table = fixations_from_pysaliency(
        fixations, images=["a.png", "b.png"], observers=["ann", "bob"], duration="duration"
    )
    assert table["image"].tolist() == ["b.png", "a.png", "b.png"]
    assert table["observer"].tolist() == ["ann", "bob", "ann"]
    assert table["x"].tolist() == [0.0, 799.0, 99.5]
    assert table["y"].tolist() == [0.0, 1.5, 598.5]
    assert table["duration"].tolist() == [0.2, 0.3, 0.4]


def test_default_names_are_indices_and_default_weights_are_equal():
    table = fixations_from_pysaliency(ARRAYS)
    assert table["image"].tolist() == ["1", "0", "1"]
    assert table["observer"].tolist() == ["0", "1", "0"]
    assert table["duration"].tolist() == [1.0] * 3
    named = fixations_from_pysaliency(without("subjects"), observers="ann")
    assert named["observer"].tolist() == ["ann"] * 3


@given(x=st.floats(0, 4000, exclude_max=True))
def test_fixations_are_in_the_same_pixel_as_in_pysaliency(x):
    """pysaliency takes the whole part, and gazesal takes the nearest center, with halves up."""
    arrays = {"x": [x], "y": [0.0], "n": [0], "subjects": [0]}
    ours = fixations_from_pysaliency(arrays)["x"].iloc[0]
    assert np.floor(ours + 0.5) == int(x)


@pytest.mark.parametrize(
    ("origin", "shift"), [("pixel_corner", 0.5), ("pixel_center", 0), ("one_based", 1)]
)
def test_round_trip_keeps_fixations(origin, shift):
    table = pd.DataFrame(
        {
            "image": ["b", "a", "b"],
            "observer": ["z", "z", "y"],
            "x": [1.0, 2.5, 3.0],
            "y": [0.0, 7.0, 1.25],
            "duration": [3.0, 2.0, 1.0],
        }
    )
    arrays = fixations_to_pysaliency(table, origin=origin)
    assert arrays.x.tolist() == [1.0 + shift, 2.5 + shift, 3.0 + shift]
    assert (arrays.n.tolist(), arrays.images) == ([1, 0, 1], ("a", "b"))
    assert (arrays.subjects.tolist(), arrays.observers) == ([1, 1, 0], ("y", "z"))
    back = fixations_from_pysaliency(
        arrays, images=arrays.images, observers=arrays.observers, origin=origin, duration="duration"
    )
    pd.testing.assert_frame_equal(back, table, check_names=False, check_dtype=False)


def test_images_keep_the_order_of_the_argument():
    table = fixations_from_pysaliency(ARRAYS)
    arrays = fixations_to_pysaliency(table, images=["2", "1", "0"])
    assert arrays.n.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("fixations", "options", "message"),
    [
        (without("x"), {}, "must have the array 'x'"),
        (without("subjects"), {}, "'subjects' or 'subject', got dict without it. Use observers="),
        (ARRAYS, {"duration": "durations"}, "must have the array 'durations'"),
        ({**ARRAYS, "y": [1, 2]}, {}, "`fixations.y` must hold one number for each x, 3, got 2"),
        ({**ARRAYS, "n": [0, -1, 0]}, {}, "fixation 1: n must be an index from 0, got -1"),
        ({**ARRAYS, "n": [0, 0.5, 0]}, {}, "fixation 1: n must be an index from 0, got 0.5"),
        ({**ARRAYS, "n": [0, 1, 2]}, {"images": ["a"]}, "1 names and n 1 at fixation 1"),
        (ARRAYS, {"observers": ["ann"]}, "`observers` must have a name for every index"),
        ({**ARRAYS, "x": [1, np.nan, 2]}, {}, "fixation 1: x is missing or infinite"),
        ({**ARRAYS, "x": [[1], [2], [3]]}, {}, "`fixations.x` must hold one number per row"),
        ({**ARRAYS, "duration": [1, 1, -1]}, {"duration": "duration"}, "2: duration is negative"),
        ({key: [] for key in ARRAYS}, {}, "at least one fixation"),
        (ARRAYS, {"origin": "lower left"}, "`origin` must be one of"),
        (ARRAYS, {"images": ["a", "a"]}, "`images` must name every image once, got 'a' 2 times"),
        (ARRAYS, {"observers": ["a", "a"]}, "`observers` must name every observer once, got 'a'"),
    ],
)
def test_invalid_fixations_raise(fixations, options, message):
    with pytest.raises(ValueError, match=message):
        fixations_from_pysaliency(fixations, **options)


@pytest.mark.parametrize(
    ("images", "message"), [(["1"], "'0' is missing"), (["0", "1", "0"], "every image once")]
)
def test_invalid_images_raise(images, message):
    with pytest.raises(ValueError, match=message):
        fixations_to_pysaliency(fixations_from_pysaliency(ARRAYS), images=images)


@pytest.mark.parametrize(("images", "given"), [("ab", "'ab'"), (7, "int")])
def test_text_instead_of_a_sequence_of_names_raises(images, given):
    message = f"`images` must be an iterable of names, got {given}"
    with pytest.raises(TypeError, match=message):
        fixations_from_pysaliency(ARRAYS, images=images)
    with pytest.raises(TypeError, match=message):
        fixations_to_pysaliency(fixations_from_pysaliency(ARRAYS), images=images)
    with pytest.raises(TypeError, match="`observers` must be an iterable of names, got int"):
        fixations_from_pysaliency(ARRAYS, observers=3)


def test_tables_of_other_libraries_are_accepted():
    table = fixations_from_pysaliency(ARRAYS)
    expected = fixations_to_pysaliency(table)
    found = fixations_to_pysaliency(table.to_dict("list"))
    np.testing.assert_array_equal(found.x, expected.x)
    assert found.images == expected.images
    with pytest.raises(TypeError, match=r"`table` must be a table.*to_pandas"):
        fixations_to_pysaliency("path.csv")


def test_missing_column_raises():
    with pytest.raises(ValueError, match="`table` must have the columns y"):
        fixations_to_pysaliency(fixations_from_pysaliency(ARRAYS).drop(columns="y"))


@pytest.fixture(scope="module")
def pysaliency():
    """Return the package, whose import warns about deprecated functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "pysaliency", reason="pysaliency is not installed; it needs an environment of its own"
        )


def test_the_package_takes_the_same_pixels(pysaliency):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "image": rng.choice(["a", "b"], 50),
            "observer": rng.choice(["ann", "bob"], 50),
            "x": rng.uniform(-0.5, 39.5, 50),
            "y": rng.uniform(-0.5, 29.5, 50),
            "duration": 1.0,
        }
    )
    arrays = fixations_to_pysaliency(table)
    theirs = pysaliency.Fixations.create_without_history(
        arrays.x, arrays.y, arrays.n, arrays.subjects
    )
    assert theirs.x_int.tolist() == np.floor(table["x"] + 0.5).astype(int).tolist()
    assert theirs.y_int.tolist() == np.floor(table["y"] + 0.5).astype(int).tolist()
    back = fixations_from_pysaliency(theirs, images=arrays.images, observers=arrays.observers)
    pd.testing.assert_frame_equal(
        back, table, check_names=False, check_index_type=False, check_dtype=False
    )


def test_durations_of_scanpaths_of_the_package_are_kept(pysaliency):
    trains = pysaliency.FixationTrains.from_fixation_trains(
        xs=[[0.5, 3.0], [7.5]],
        ys=[[0.5, 1.0], [2.5]],
        ts=[[0, 1], [0]],
        ns=[1, 0],
        subjects=[0, 3],
        scanpath_fixation_attributes={"durations": [[0.2, 0.3], [0.4]]},
        scanpath_attribute_mapping={"durations": "duration"},
    )
    table = fixations_from_pysaliency(trains, duration="duration")
    assert table["x"].tolist() == [0.0, 2.5, 7.0]
    assert table["image"].tolist() == ["1", "1", "0"]
    assert table["observer"].tolist() == ["0", "0", "3"]
    assert table["duration"].tolist() == [0.2, 0.3, 0.4]
