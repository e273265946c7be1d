"""Slices of fixations in time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal import InputWarning, fixations_between

TABLE = pd.DataFrame(
    {
        "start": [0.0, 0.5, 1.2, 2.0],
        "end": [0.4, 1.1, 1.9, 2.6],
        "duration": [400.0, 600.0, 700.0, 600.0],
        "x": [1, 2, 3, 4],
    },
    index=pd.Index([2, 3, 4, 6], name="line"),
)


def test_clips_at_both_ends_and_keeps_index_and_columns():
    found = fixations_between(TABLE, 0.7, 2.0)
    assert list(found.columns) == list(TABLE.columns)
    assert found.index.tolist() == [3, 4]
    assert found["start"].tolist() == [0.7, 1.2]
    assert found["end"].tolist() == [1.1, 1.9]
    assert found["duration"].tolist() == pytest.approx([400, 700])
    assert TABLE["start"].tolist() == [0.0, 0.5, 1.2, 2.0]


def test_end_is_computed_from_the_duration_in_the_same_unit():
    table = TABLE.drop(columns="end").assign(duration=[0.4, 0.6, 0.7, 0.6])
    assert fixations_between(table, 0, 0.8)["duration"].tolist() == pytest.approx([0.4, 0.3])


def test_mixed_units_of_start_and_duration_are_reported():
    with pytest.warns(InputWarning, match="one unit"):
        fixations_between(TABLE.drop(columns="end"), 0, 1)


def test_interval_without_fixations_gives_an_empty_table():
    assert fixations_between(TABLE, 5, 6).empty


@given(cut=st.floats(0.01, 2.59))
def test_durations_of_two_halves_add_up(cut):
    halves = [fixations_between(TABLE, a, b)["duration"].sum() for a, b in ((0, cut), (cut, 3))]
    assert sum(halves) == pytest.approx(TABLE["duration"].sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TABLE.drop(columns="start"), "start"),
        (TABLE.drop(columns=["end", "duration"]), "duration"),
        (TABLE.assign(end=0.3), "line 3: a fixation must end after"),
        (TABLE.assign(start=np.nan), "'start': must be a finite number"),
    ],
)
def test_missing_and_invalid_times_raise(table, words):
    with pytest.raises(ValueError, match=words):
        fixations_between(table, 0, 1)


def test_empty_interval_raises():
    with pytest.raises(ValueError, match="`start` must be before `end`"):
        fixations_between(TABLE, 1, 1)
