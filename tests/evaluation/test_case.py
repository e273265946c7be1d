"""Cases from tables of fixations and maps."""

import re

import numpy as np
import pandas as pd
import pytest

from gazesal import OffImageWarning, cases_from_tables
from gazesal.evaluation.case import Case

SHAPE = (30, 40)


def table(**columns):
    """Two observers on two images, four fixations each, inside `SHAPE`."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "image": np.repeat(["b", "a"], 8),
            "observer": np.tile(["ann", "bob"], 8),
            "x": rng.uniform(0, 39, 16),
            "y": rng.uniform(0, 29, 16),
            "duration": rng.uniform(100, 300, 16),
        }
    )
    frame.index = pd.RangeIndex(2, 18, name="line")
    for column, values in columns.items():
        frame[column] = values
    return frame


def maps(images="ab", method="m"):
    """One method with a map of each image."""
    return {method: {image: np.eye(30, 40) for image in images}}


def test_cases_come_in_the_order_of_names_with_all_their_gaze():
    frame = table()
    cases = cases_from_tables(frame, maps(), SHAPE)
    assert [case.image for case in cases] == ["a", "b"]
    assert [list(case.gaze) for case in cases] == [["ann", "bob"]] * 2
    rows = frame[(frame["image"] == "a") & (frame["observer"] == "bob")]
    gaze = cases[0].gaze["bob"]
    np.testing.assert_array_equal(gaze.points, rows[["x", "y"]])
    np.testing.assert_array_equal(gaze.durations, rows["duration"])


def test_an_observer_without_fixations_on_an_image_is_absent_there():
    frame = table()
    gone = (frame["image"] == "a") & (frame["observer"] == "bob")
    cases = cases_from_tables(frame[~gone], maps(), SHAPE)
    assert [list(case.gaze) for case in cases] == [["ann"], ["ann", "bob"]]


def test_sizes_may_differ_and_are_required():
    cases = cases_from_tables(table(), maps(), {"a": (30, 40), "b": (50, 60)})
    assert [case.shape for case in cases] == [(30, 40), (50, 60)]
    with pytest.raises(
        ValueError, match=r"`shape` \(--size\) must give the size of every image, but has no 'b'"
    ):
        cases_from_tables(table(), maps(), {"a": (30, 40)})


def test_off_image_fixations_are_named_dropped_or_kept():
    frame = table()
    frame.loc[5, ["x", "y"]] = [39.5, 3.0]  # the smallest x outside the image
    frame.loc[6, ["x", "y"]] = [-0.5, -0.5]  # the smallest point inside the image
    with pytest.raises(
        ValueError, match=r"line 5: \(39\.5, 3\) of observer bob lies outside image b"
    ):
        cases_from_tables(frame, maps(), SHAPE)
    with pytest.warns(OffImageWarning, match=r"1 of 16 fixations .* 0 of 4 readings"):
        cases = cases_from_tables(frame, maps(), SHAPE, outside="drop")
    assert len(cases[1].gaze["bob"].points) == 3
    assert len(cases_from_tables(frame, maps(), SHAPE, outside="keep")[1].gaze["bob"].points) == 4


def test_exchanged_x_and_y_are_suggested():
    frame = table(x=np.linspace(0, 29, 16), y=np.linspace(0, 39, 16))
    hint = "All would lie inside with x and y, or height and width, exchanged."
    with pytest.raises(ValueError, match=rf"part of their Gaussian inside\. {re.escape(hint)}$"):
        cases_from_tables(frame, maps(), SHAPE)
    with pytest.raises(ValueError, match=r"part of their Gaussian inside\.$"):
        cases_from_tables(frame.assign(x=39.5), maps(), SHAPE)


def test_a_reading_that_loses_all_its_fixations_is_counted():
    frame = table()
    frame.loc[(frame["image"] == "a") & (frame["observer"] == "ann"), "x"] = 99.0
    with pytest.warns(OffImageWarning, match="4 of 16 fixations .* 1 of 4 readings"):
        cases = cases_from_tables(frame, maps(), SHAPE, outside="drop")
    assert list(cases[0].gaze) == ["bob"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("duration", 0.0, "line 10: the durations of observer ann on image a must be non-negat"),
        ("duration", -1.0, "line 10: the durations of observer ann on image a must be"),
        ("duration", np.nan, "line 2, column 'duration': must be a finite number, got"),
        ("x", np.nan, "line 2, column 'x': must be a finite number, got"),
        ("y", np.inf, "line 2, column 'y': must be a finite number, got"),
        ("y", "left", "line 2, column 'y': must be a finite number, got 'left'"),
        ("image", None, "line 2, column 'image': the value is missing"),
        ("observer", " ", "line 2, column 'observer': the value is missing"),
    ],
)
def test_invalid_numbers_raise(column, value, message):
    with pytest.raises(ValueError, match=message):
        cases_from_tables(table(**{column: value}), maps(), SHAPE)


def test_negative_duration_names_its_line():
    frame = table()
    row = frame.index[(frame["image"] == "a") & (frame["observer"] == "ann")][1]
    frame.loc[row, "duration"] = -0.1
    with pytest.raises(ValueError, match="durations of observer ann on image a must be non-neg"):
        cases_from_tables(frame, maps(), SHAPE)


def test_numbers_held_as_text_are_numbers():
    frame = table().astype({"x": str, "y": str, "duration": str})
    expected = cases_from_tables(table(), maps(), SHAPE)[0].gaze["ann"]
    got = cases_from_tables(frame, maps(), SHAPE)[0].gaze["ann"]
    np.testing.assert_array_equal(got.points, expected.points)
    np.testing.assert_array_equal(got.durations, expected.durations)
    frame.loc[5, "x"] = "99.0"
    with pytest.raises(ValueError, match=r"line 5: \(99, .* lies outside image b"):
        cases_from_tables(frame, maps(), SHAPE)


def test_a_negative_duration_among_positive_ones_is_refused_early():
    frame = table()
    frame.loc[12, "duration"] = -0.001
    message = "line 10: the durations of observer ann on image a must be non-negative"
    with pytest.raises(ValueError, match=message):
        cases_from_tables(frame, maps(), SHAPE)


COLUMNS = {name: table()[name].tolist() for name in table()}


def of_polars():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def of_arrow():
    return pytest.importorskip("pyarrow").table(COLUMNS)


def with_arrow_columns():
    pytest.importorskip("pyarrow")
    return pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow")


OTHER_TABLES = {
    "polars": of_polars,
    "arrow": of_arrow,
    "columns of arrow": with_arrow_columns,
    "nullable columns": lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    "categories": lambda: pd.DataFrame(COLUMNS).astype({"image": "category", "x": "category"}),
    "dict of columns": lambda: COLUMNS,
    "list of records": lambda: pd.DataFrame(COLUMNS).to_dict("records"),
    "text": lambda: pd.DataFrame(COLUMNS).astype(str),
}


@pytest.mark.parametrize("kind", OTHER_TABLES)
def test_tables_of_other_libraries_give_the_same_cases(kind):
    expected = cases_from_tables(table(), maps(), SHAPE)
    found = cases_from_tables(OTHER_TABLES[kind](), maps(), SHAPE)
    for case, other in zip(found, expected, strict=True):
        assert (case.image, list(case.gaze)) == (other.image, list(other.gaze))
        for observer in case.gaze:
            np.testing.assert_array_equal(case.gaze[observer].points, other.gaze[observer].points)
            ours, theirs = case.gaze[observer].durations, other.gaze[observer].durations
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("wrong", ["a.csv", 3, None, [1, 2], np.zeros((3, 2))])
def test_other_objects_than_tables_raise_with_the_remedy(wrong):
    with pytest.raises(TypeError, match=r"`fixations` must be a table.*to_pandas"):
        cases_from_tables(wrong, maps(), SHAPE)


NOT_NUMBERS = {
    "complex": 1 + 2j,
    "bool": True,
    "datetime": pd.Timestamp("2020-01-01"),
    "one bool among floats": pd.Series([True] + [1.0] * 15, dtype=object, index=range(2, 18)),
    "nullable bool": pd.array([True] * 16, dtype="boolean"),
    "one complex among floats": pd.Series([1j] + [1.0] * 15, dtype=object, index=range(2, 18)),
}


@pytest.mark.parametrize("column", ["x", "y", "duration"])
@pytest.mark.parametrize("kind", NOT_NUMBERS)
def test_columns_of_other_kinds_than_numbers_raise(kind, column):
    with pytest.raises(ValueError, match=f"column '{column}': must be numbers, got"):
        cases_from_tables(table(**{column: NOT_NUMBERS[kind]}), maps(), SHAPE)


def test_repeated_column_raises():
    frame = pd.concat([table(), table()[["x"]]], axis=1)
    with pytest.raises(ValueError, match="`fixations` must have one column 'x'"):
        cases_from_tables(frame, maps(), SHAPE)


def test_many_images_give_the_cases_of_each_alone():
    """Rows are interleaved, observers miss images, and sizes differ."""
    rng = np.random.default_rng(3)
    n = 600
    frame = pd.DataFrame(
        {
            "image": rng.integers(0, 40, n).astype(str),
            "observer": rng.choice(["b", "a", "c"], n),
            "x": rng.uniform(-3, 20, n),
            "y": rng.uniform(-3, 20, n),
            "duration": rng.uniform(0.1, 1, n),
        }
    )
    sizes = {str(i): (12 + i % 3, 14 + i % 2) for i in range(40)}
    images = {str(i): np.eye(3) for i in range(40)}
    with pytest.warns(OffImageWarning, match="fixations lie outside"):
        cases = cases_from_tables(frame, {"m": images}, sizes, outside="drop")
    assert [case.image for case in cases] == sorted(sizes)
    for case in cases:
        height, width = case.shape
        assert case.shape == sizes[case.image]
        rows = frame[frame["image"] == case.image]
        rows = rows[rows["x"].between(-0.5, width - 0.5, inclusive="left")]
        rows = rows[rows["y"].between(-0.5, height - 0.5, inclusive="left")]
        assert list(case.gaze) == sorted(set(rows["observer"]))
        for observer, gaze in case.gaze.items():
            part = rows[rows["observer"] == observer]
            np.testing.assert_array_equal(gaze.points, part[["x", "y"]])
            np.testing.assert_array_equal(gaze.durations, part["duration"])
            assert gaze.points.base is None  # a view would keep the rows of all cases


def test_truncated_and_missing_names_are_distinguished():
    whole = "aaaaaaaa-bbbbbbbb"
    frame = table(image=whole[:12])
    with pytest.raises(ValueError, match=f"'{whole}' begins with it"):
        cases_from_tables(frame, maps([whole]), SHAPE)


def test_methods_must_be_a_mapping():
    with pytest.raises(TypeError, match="`maps` must be a mapping of methods"):
        cases_from_tables(table(), "maps", SHAPE)


def test_a_zero_duration_among_others_is_fine():
    frame = table()
    frame.loc[2, "duration"] = 0.0
    assert cases_from_tables(frame, maps(), SHAPE)[1].gaze["ann"].durations[0] == 0.0


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match="must have the columns observer, duration"):
        cases_from_tables(table().drop(columns=["observer", "duration"]), maps(), SHAPE)


def test_images_without_a_map_raise_or_give_gaze_only():
    both = maps("ab", "full") | maps("b", "half")
    with pytest.raises(
        ValueError, match=r"1 of 2 images have no map: method 'half' has no map of .*'a'"
    ):
        cases_from_tables(table(), both, SHAPE)
    cases = cases_from_tables(table(), both, SHAPE, unmapped="gaze_only")
    assert [list(case.maps) for case in cases] == [[], ["full", "half"]]
    with pytest.raises(ValueError, match="2 of 2 images have no map"):
        cases_from_tables(table(), maps("z"), SHAPE, unmapped="gaze_only")


@pytest.mark.parametrize("name", ["interobserver", "Center bias", "ground_truth"])
def test_names_of_baselines_are_reserved(name):
    with pytest.raises(ValueError, match=f"must not name a method like a baseline, got '{name}'"):
        cases_from_tables(table(), maps(method=name), SHAPE)


def test_maps_come_from_arrays_files_and_functions(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "x.npy", values)
    sources = {"array": values, "file": tmp_path / "x.npy", "function": lambda: values}
    case = Case(image="a", shape=(2, 3), gaze={}, maps=sources)
    for method in sources:
        np.testing.assert_array_equal(case.load_map(method), values)


def test_invalid_map_names_image_and_method():
    case = Case(image="a", shape=(2, 3), gaze={}, maps={"m": lambda: [[np.nan, 1.0]]})
    with pytest.raises(ValueError, match="`m map of image a` must be finite"):
        case.load_map("m")


@pytest.mark.parametrize("what", ["gaze", "center_bias"])
def test_maps_constant_up_to_rounding_become_constant(what):
    """Rounding in float32 would count as content in the float64 density."""
    noise = np.random.default_rng(0).integers(-4, 5, (12, 16)) * np.float32(2.0**-26)
    given = np.float32(0.3) + noise.astype(np.float32)
    assert len(np.unique(given)) > 1
    case = Case(
        image="a",
        shape=(12, 16),
        maps={},
        gaze={"o": given},
        center_bias=given,
    )
    density = case.load_center_bias(None) if what == "center_bias" else case.load_gaze("o")
    assert np.unique(density).tolist() == [pytest.approx(1 / given.size, rel=1e-14)]
