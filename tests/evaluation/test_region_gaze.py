"""Fixations, dwell time and time to first fixation in regions."""

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.regions import Box, Ellipse

SHAPE = (20, 30)
REGIONS = {
    "a": {"left": Box(-1, -1, 9.5, 30), "disc": Ellipse(20, 10, 4, 4)},
    "b": {"left": Box(-1, -1, 9.5, 30)},
    "c": {},
}


def table(n=200, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "image": rng.choice(list("abc"), n),
            "observer": rng.choice(["ann", "bob"], n),
            "x": rng.uniform(0, 29, n),
            "y": rng.uniform(0, 19, n),
            "duration": rng.uniform(0.1, 0.5, n),
            "start": np.cumsum(rng.uniform(0.1, 0.5, n)),
        }
    )


def test_measures_equal_a_loop_over_fixations():
    fixations = table()
    found = gazesal.gaze_in_regions(fixations, REGIONS, SHAPE, onset=0.05)
    assert list(found["region"].unique()) == ["left", "disc"]
    assert set(found["image"]) == {"a", "b"}
    for row in found.itertuples():
        mask = REGIONS[row.image][row.region].mask(SHAPE)
        n = n_all = dwell = dwell_all = 0
        first = float("inf")
        for each in fixations.itertuples():
            if (each.image, each.observer) != (row.image, row.observer):
                continue
            n_all, dwell_all = n_all + 1, dwell_all + each.duration
            if mask[round(each.y), round(each.x)]:
                n, dwell = n + 1, dwell + each.duration
                first = min(first, each.start - 0.05)
        assert (row.n_fixations, row.share_of_fixations) == (n, n / n_all)
        assert row.dwell_time == pytest.approx(dwell)
        assert row.share_of_dwell_time == pytest.approx(dwell / dwell_all)
        assert row.time_to_first_fixation == pytest.approx(first)
        assert row.share_of_area == mask.mean()


def test_order_of_rows_and_other_columns_do_not_matter():
    fixations = table()
    expected = gazesal.gaze_in_regions(fixations, REGIONS, SHAPE)
    mixed = fixations.sample(frac=1, random_state=0).assign(note="x").astype({"x": object})
    found = gazesal.gaze_in_regions(mixed, REGIONS, SHAPE)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_time_counts_from_the_first_fixation_of_the_observer():
    fixations = table().query("image == 'a'").assign(x=20.0, y=10.0)
    found = gazesal.gaze_in_regions(fixations, {"a": {"disc": REGIONS["a"]["disc"]}}, SHAPE)
    assert (found["time_to_first_fixation"] == 0).all()
    assert (found["share_of_fixations"] == 1).all()


def test_region_that_is_not_fixated_has_no_time_to_first_fixation():
    fixations = table().assign(x=1.0)
    with pytest.warns(gazesal.UndefinedMetricWarning, match="time_to_first_fixation"):
        found = gazesal.gaze_in_regions(fixations, {"a": REGIONS["a"]}, SHAPE)
    on_disc = found[found["region"] == "disc"]
    assert on_disc["time_to_first_fixation"].isna().all()
    assert (on_disc["dwell_time"] == 0).all()


def test_durations_of_zero_have_no_share():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="durations are 0"):
        found = gazesal.gaze_in_regions(table().assign(duration=0), REGIONS, SHAPE)
    assert found["share_of_dwell_time"].isna().all()


def test_times_are_optional():
    found = gazesal.gaze_in_regions(table().drop(columns="start"), REGIONS, SHAPE)
    assert "time_to_first_fixation" not in found


def test_fixations_outside_are_refused_or_dropped():
    fixations = table()
    off = fixations.copy()
    off.loc[len(off)] = ["a", "ann", -30.0, 5.0, 9.0, 99.0]
    with pytest.raises(ValueError, match=r"row 200.*'a'"):
        gazesal.gaze_in_regions(off, REGIONS, SHAPE)
    with pytest.warns(gazesal.OffImageWarning, match="1 fixations"):
        found = gazesal.gaze_in_regions(off, REGIONS, SHAPE, outside="drop")
    assert found.equals(gazesal.gaze_in_regions(fixations, REGIONS, SHAPE))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"regions": {"z": REGIONS["a"]}}, "`regions`"),
        ({"regions": {"a": {"left": np.ones((3, 3))}}}, "region left of image a"),
        ({"regions": {"a": {"left": []}}}, "left"),
        ({"shape": None}, "`shape`"),
        ({"shape": {"a": SHAPE}}, "image 'b'"),
        ({"fixations": table().drop(columns="duration")}, "duration"),
        ({"fixations": table().assign(duration=-1.0)}, "row 0.*duration"),
        ({"fixations": table().assign(x="left")}, "'x'"),
    ],
)
def test_invalid_input_is_refused(changes, words):
    given = {"fixations": table(), "regions": REGIONS, "shape": SHAPE} | changes
    with pytest.raises(ValueError, match=words):
        gazesal.gaze_in_regions(**given)
