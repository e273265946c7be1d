"""Fixations from pymovements, with plain tables, and with the package if it is installed."""

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.adapters import fixations_from_pymovements

EVENTS = {
    "name": ["fixation_idt", "saccade", "fixation_idt", "fixation_idt"],
    "onset": [0, 200, 230, 500],
    "offset": [200, 230, 480, 900],
    "duration": [200, 30, 250, 400],
    "location": [[100.0, 50.0], None, [300.5, 80.25], [219.5, 69.5]],
    "stimulus": ["a", "a", "b", "b"],
}
PLACES = {"a": (60, 40, 260, 140), "b": (200, 50, 400, 150)}
SHAPES = {"a": (50, 100), "b": (200, 400)}
ORIGINS = {"upper left": "pixel_center", "center": "screen_center"}  # of the package


class Column:
    """Fake of a polars series. Iterating over a column of lists gives series."""

    def __init__(self, values):
        self.values = values

    def to_list(self):
        return list(self.values)

    def __iter__(self):
        raise AssertionError("a series is turned into a list by its own method")


class Frame:
    """Fake of a polars frame, with names of columns and columns by name."""

    def __init__(self, columns):
        self.columns = list(columns)
        self._columns = columns

    def __getitem__(self, name):
        return Column(self._columns[name])


class Holder:
    """Fake of Events, which have a frame, and of Gaze, which has events."""

    def __init__(self, **parts):
        vars(self).update(parts)


def convert(events=EVENTS, **options):
    """Convert events of one observer, with images from the column of stimuli."""
    given = {"image": EVENTS["stimulus"], "shapes": SHAPES, "on_screen": PLACES} | options
    return fixations_from_pymovements(events, observer="ann", **given)


KINDS = {
    "dictionary": EVENTS,
    "pandas": pd.DataFrame(EVENTS),
    "frame": Frame(EVENTS),
    "events": Holder(frame=Frame(EVENTS)),
    "gaze": Holder(events=Holder(frame=Frame(EVENTS)), samples=None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_fixations_are_converted_to_pixels_of_their_image(kind):
    """Image a is shown at twice its size, b at half of its size."""
    table = convert(KINDS[kind])
    assert list(table.columns) == ["image", "observer", "x", "y", "duration"]
    assert table["image"].tolist() == ["a", "b", "b"]
    assert table["observer"].tolist() == ["ann"] * 3
    assert table["duration"].tolist() == [200, 250, 400]
    assert table.index.tolist() == [0, 2, 3]
    assert table["x"].tolist() == pytest.approx([(100.5 - 60) / 2 - 0.5, 201.5, 39.5])
    assert table["y"].tolist() == pytest.approx([(50.5 - 40) / 2 - 0.5, 61.0, 39.5])


def test_corners_of_the_image_are_half_a_pixel_beyond_its_centers():
    corners = [[-0.5, -0.5], [1919.5, 1079.5]]  # of the screen, from the center of a pixel
    events = {"name": ["fixation"] * 2, "duration": [1, 1], "location": corners}
    table = convert(events, image="a", shapes=(20, 30), on_screen=(0, 0, 1920, 1080))
    assert table[["x", "y"]].to_numpy().tolist() == [[-0.5, -0.5], [29.5, 19.5]]


@pytest.mark.parametrize(
    ("origin", "shift"),
    [("pixel_center", 0), ("screen_center", [-959.5, -539.5]), ("pixel_corner", 0.5)],
)
def test_each_origin_gives_the_same_places(origin, shift):
    location = (np.array([[700.0, 300.0], [0.0, 0.0]]) + shift).tolist()
    events = {"name": ["fixation"] * 2, "duration": [1, 2], "location": location}
    table = convert(
        events,
        image="a",
        shapes=(400, 600),
        on_screen=(660, 340, 1260, 740),
        origin=origin,
        resolution=(1920, 1080),
    )
    assert table[["x", "y"]].to_numpy().tolist() == [[40.0, -40.0], [-660.0, -340.0]]


def test_locations_may_be_in_two_columns():
    parts = {"location_x": [100.0, None, 300.5, 219.5], "location_y": [50.0, None, 80.25, 69.5]}
    table = convert({**EVENTS, **parts}, location=("location_x", "location_y"))
    pd.testing.assert_frame_equal(table, convert())


def test_fixations_of_one_name_are_selected():
    names = ["fixation_idt", "saccade", "fixation_ivt", "fixation_ivt"]
    events = {**EVENTS, "name": names}
    with pytest.raises(ValueError, match=r"`name` must .* \['fixation_idt', 'fixation_ivt'\]"):
        convert(events)
    assert convert(events, name="fixation_ivt").index.tolist() == [2, 3]


def test_table_makes_cases():
    table = convert()
    cases = gazesal.cases_from_tables(table, {"m": {k: np.eye(3) for k in "ab"}}, SHAPES)
    assert [case.image for case in cases] == ["a", "b"]
    with pytest.raises(ValueError, match="pymovements events, row 0"):
        gazesal.cases_from_tables(table, {"m": {k: np.eye(3) for k in "ab"}}, (5, 5))


def without(name):
    """Return the events without a column."""
    return {key: values for key, values in EVENTS.items() if key != name}


@pytest.mark.parametrize(
    ("events", "options", "message"),
    [
        (without("name"), {}, "`events` must have the column 'name'"),
        (without("duration"), {}, "`events` must have the column 'duration'"),
        (without("location"), {}, "'location', got .*compute_event_properties"),
        ({**EVENTS, "name": ["blink"] * 4}, {}, r"must have fixations, got events named \['blink'"),
        (EVENTS, {"name": "fixation"}, "must have fixations"),
        ({**EVENTS, "location": [None] * 4}, {}, "pymovements events, row 0: x is missing"),
        (
            {**EVENTS, "location": [[1, 2], None, [1, np.nan], [1, 2]]},
            {},
            "row 2: y is missing or infinite, as in 1 of 3",
        ),
        ({**EVENTS, "location": [[1, 2, 3, 4]] * 4}, {}, r"row 0: 'location' must be \(x, y\)"),
        ({**EVENTS, "duration": [1, 1, -1, 1]}, {}, "row 2: duration is negative"),
        ({**EVENTS, "duration": [1, 1, None, 1]}, {}, "row 2: duration is missing"),
        ({**EVENTS, "duration": ["x"] * 4}, {}, "'duration', must hold one number per row"),
        (EVENTS, {"image": ["a"]}, "one for each of the 4 rows of `events`, got 1"),
        (EVENTS, {"image": ["a", "a", None, "b"]}, "row 2: image is missing"),
        (EVENTS, {"image": " "}, "row 0: image is missing"),
        (EVENTS, {"shapes": {"a": (5, 5)}}, "`shapes` must hold every image, but 'b'"),
        (EVENTS, {"on_screen": {"a": (0, 0, 5, 5)}}, "`on_screen` must have every image"),
        (EVENTS, {"on_screen": (0, 0, 0, 5)}, "`on_screen` must have x_min < x_max"),
        (EVENTS, {"origin": "lower left"}, "`origin` must be one of"),
        ({**EVENTS, "duration": [1, 2]}, {}, "got 4 rows of 'name' and 2 of 'duration'"),
        ({**EVENTS, "location": [[1, 2]]}, {}, "got 4 rows of 'name' and 1 of 'location'"),
        ({**EVENTS, "x": [1], "y": [2]}, {"location": ("x", "y")}, "4 rows of 'name' and 1 of 'x'"),
        (EVENTS, {"location": ("a", "b", "c")}, "`location` must be one name"),
        (EVENTS, {"origin": "screen_center"}, "`resolution` must be given"),
        (
            EVENTS,
            {"origin": "screen_center", "resolution": (0, 5)},
            "`resolution` must be the width",
        ),
    ],
)
def test_invalid_input_raises(events, options, message):
    with pytest.raises(ValueError, match=message):
        convert(events, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": 7}, "`image` must be an iterable of names, or one name, got int"),
        ({"image": None}, "`image` must be an iterable of names, or one name, got NoneType"),
        ({"location": None}, "`location` must be an iterable of two names, or one name, got None"),
        ({"location": (1, 2)}, "`location` must be a str, got 1"),
        ({"name": 7}, "`name` must be a str, got 7"),
        ({"events": {**EVENTS, "duration": 7}}, r"`events\['duration'\]` must be an iterable"),
    ],
)
def test_arguments_of_the_wrong_type_raise(options, message):
    with pytest.raises(TypeError, match=message):
        convert(**options)


def test_other_types_than_tables_raise():
    with pytest.raises(TypeError, match="`events` must be a pymovements Gaze or Events"):
        convert(3)


@pytest.fixture(scope="module")
def pymovements():
    """Return the package, or skip the test."""
    return pytest.importorskip("pymovements", reason="the extra `pymovements` is not installed")


ON_IMAGE = np.array([[40.0, 30.0], [250.5, 90.0], [120.0, 199.0]])  # of 300 x 200 pixels
PLACE = (660, 340, 1260, 740)  # twice its size


def record(pymovements, origin):
    """Return gaze on three places of the image for 300 ms each, sampled at 500 Hz."""
    screen = (ON_IMAGE + 0.5) * 2 + PLACE[:2] - 0.5  # pixel centers at integers
    if origin == "center":
        screen = screen - [959.5, 539.5]
    rng = np.random.default_rng(0)
    pixels = np.concatenate([rng.normal(place, 0.5, (150, 2)) for place in screen])
    experiment = pymovements.Experiment(
        screen_width_px=1920,
        screen_height_px=1080,
        screen_width_cm=53,
        screen_height_cm=30,
        distance_cm=60,
        origin=origin,
        sampling_rate=500,
    )
    gaze = pymovements.gaze.from_numpy(
        pixel=pixels.T, time=np.arange(len(pixels)) * 2, experiment=experiment
    )
    gaze.pix2deg()
    gaze.detect("idt", dispersion_threshold=1.0, minimum_duration=100)
    median = {"position_column": "pixel", "method": "median"}
    gaze.compute_event_properties(("location", median))
    return gaze


@pytest.mark.parametrize("origin", ["upper left", "center"])
def test_events_of_the_package_become_fixations_on_the_image(pymovements, origin):
    gaze = record(pymovements, origin)
    screen = gaze.experiment.screen
    tables = [
        fixations_from_pymovements(
            events,
            image="7",
            observer="ann",
            shapes=(200, 300),
            on_screen=PLACE,
            origin=ORIGINS[screen.origin],
            resolution=screen.resolution,
        )
        for events in (gaze, gaze.events, gaze.events.frame, gaze.events.fixations)
    ]
    for table in tables:
        pd.testing.assert_frame_equal(table, tables[0])
    assert tables[0][["x", "y"]].to_numpy() == pytest.approx(ON_IMAGE, abs=0.2)
    assert tables[0]["duration"].tolist() == pytest.approx([300] * 3, abs=5)


def test_both_origins_of_the_package_have_the_same_center(pymovements):
    """The package converts the pixels of both origins to the same angles."""
    angles = [
        np.array(record(pymovements, origin).samples["position"].to_list())
        for origin in ("upper left", "center")
    ]
    np.testing.assert_allclose(angles[0], angles[1], atol=1e-9)


def test_columns_of_the_package_as_names(pymovements):
    gaze = record(pymovements, "upper left")
    gaze.events.add_trial_column("stimulus", 7)
    frame = gaze.events.frame
    table = fixations_from_pymovements(
        frame,
        image=frame["stimulus"],
        observer=["ann"] * len(frame),
        shapes={"7": (200, 300)},
        on_screen={"7": PLACE},
    )
    assert table["image"].tolist() == ["7"] * 3
