"""Gaze maps, center biases and groups given with the cases."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.reporting.captions import describe

SHAPE = (20, 26)


def make_cases(n=4, readers=("r1", "r2", "r3"), seed=5):
    """Images of one size with fixations and a map of noise."""
    rng = np.random.default_rng(seed)
    return [
        gazesal.Case(
            image=f"i{number}",
            shape=SHAPE,
            gaze={
                reader: gazesal.Gaze(
                    points=rng.uniform(0, [SHAPE[1] - 1, SHAPE[0] - 1], (6, 2)),
                    durations=rng.uniform(0.1, 1, 6),
                )
                for reader in readers
            },
            maps={"noise": rng.random(SHAPE)},
        )
        for number in range(n)
    ]


def drawn(case):
    """Return the case with gaze maps instead of fixations."""
    gaze = {
        reader: gazesal.gaze_heatmap(g.points, SHAPE, sigma=2.0, weights=g.durations)
        for reader, g in case.gaze.items()
    }
    return replace(case, gaze=gaze)


def as_dict(evaluation):
    """Return scores by (image, observer, method, metric)."""
    keys = ["image", "observer", "method", "metric"]
    return evaluation.scores.set_index(keys)["score"].to_dict()


def test_gaze_maps_are_scored_instead_of_fixations(tmp_path):
    cases = make_cases()
    expected = as_dict(gazesal.evaluate(cases, sigma=2.0))
    maps = [drawn(case) for case in cases]
    assert as_dict(gazesal.evaluate(maps)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    # Scaled, from a file and from a function, each is divided by its sum.
    first = maps[0].gaze
    path = tmp_path / "r1.npy"
    np.save(path, 3 * first["r1"])
    mixed = {"r1": path, "r2": lambda: first["r2"], "r3": lambda: cases[0].gaze["r3"]}
    both = [replace(maps[0], gaze=mixed), *maps[1:]]
    with pytest.raises(ValueError, match="image i0, observer r3: `sigma` must be given"):
        gazesal.evaluate(both)
    with pytest.warns(UserWarning, match="`sigma`") as caught:
        got = gazesal.evaluate([replace(maps[0], gaze=mixed), *maps[1:]], sigma=2.0)
    said = [str(each.message) for each in caught]
    assert "`sigma` is used only by the fixations of 2 readings" in said[0]
    assert "`sigma` was not used by 1 readings" in said[1]
    assert as_dict(got) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("gaze_map", "message"),
    [
        (np.full(SHAPE, -1.0), "`gaze map of observer r1 of image i0` must be non-negative"),
        (np.zeros(SHAPE), "`gaze map of observer r1 of image i0` must have a positive sum"),
        (np.full(SHAPE, np.nan), "`gaze map of observer r1 of image i0` must be finite"),
        (np.ones((3, 4)), "`gaze map of observer r1 of image i0` must have the image's size, 26 x"),
    ],
)
def test_invalid_gaze_maps_are_named(gaze_map, message):
    first, *others = make_cases()
    bad = replace(first, gaze={**first.gaze, "r1": gaze_map})
    with (
        pytest.raises(ValueError, match=message),
        pytest.warns(UserWarning, match="`sigma` is used only by"),
    ):
        gazesal.evaluate([bad, *others], sigma=2.0)


def test_own_center_biases_replace_the_one_left_out():
    cases = make_cases()
    plain = gazesal.evaluate(cases, sigma=2.0)
    own = [
        replace(case, center_bias=7 * plain.maps_of(case.image)["center_bias"]) for case in cases
    ]
    evaluation = gazesal.evaluate(own, sigma=2.0)
    assert evaluation.center_bias is None
    assert as_dict(evaluation) == pytest.approx(as_dict(plain), rel=1e-9, abs=1e-12)
    # one image has its own, and the pass over all images makes one for the others
    mixed = gazesal.evaluate([own[0], *cases[1:]], sigma=2.0)
    assert mixed.center_bias.n_maps == 12
    assert as_dict(mixed) == pytest.approx(as_dict(plain), rel=1e-9, abs=1e-12)
    both = gazesal.evaluate(own, sigma=2.0, center_bias_rows="both")
    assert both.methods == ["interobserver", "center_bias", "center_bias_in_sample", "noise"]
    with pytest.raises(ValueError, match="`center_bias_rows`"):
        gazesal.evaluate(own, sigma=2.0, center_bias_rows="in_sample")


def test_one_image_of_any_size_is_enough_with_its_own_center_bias():
    case = replace(make_cases(1)[0], center_bias=lambda: np.ones((10, 13)))
    with pytest.raises(ValueError, match="`center bias of image i0` must have the image's size"):
        gazesal.evaluate([case], sigma=2.0)
    evaluation = gazesal.evaluate([case], sigma=2.0, resize="bilinear")
    assert len(evaluation.scores) == 3 * 3 * 5


def test_groups_are_columns_after_the_others():
    cases = [
        replace(case, groups={"finding": "abc"[i % 3], "age": 40 + i, "dose": i / 2})
        for i, case in enumerate(make_cases())
    ]
    scores = gazesal.evaluate(cases, sigma=2.0).scores
    assert list(scores.columns) == [
        *("image", "observer", "method", "metric", "score"),
        *("finding", "age", "dose"),
    ]
    assert scores["age"].dtype == np.int64
    assert scores["dose"].dtype == np.float64
    assert set(scores.loc[scores["image"] == "i2", "finding"]) == {"c"}


@pytest.mark.parametrize(
    ("groups", "kind", "message"),
    [
        (
            {"score": 1},
            ValueError,
            "`groups` must not name a column of .*image, .*'score'",
        ),
        ({"age": "old"}, TypeError, "column 'age' one of them for every image, got 'old'"),
        ({}, ValueError, "`groups` must have the same columns for every image"),
    ],
)
def test_invalid_groups_are_named(groups, kind, message):
    cases = [replace(case, groups={"age": 4}) for case in make_cases()]
    if "score" in groups:
        cases = [replace(case, groups=groups) for case in cases]
    with pytest.raises(kind, match=message):
        gazesal.evaluate([*cases[:-1], replace(cases[-1], groups=groups)], sigma=2.0)


def test_report_states_the_source_of_the_center_bias():
    cases = make_cases()
    own = [replace(case, center_bias=np.ones(SHAPE)) for case in cases]
    words = {
        "given with each image": own,
        "without the image that is scored; the center bias of 1 of them was given": [
            own[0],
            *cases[1:],
        ],
    }
    for expected, given in words.items():
        evaluation = gazesal.evaluate(given, sigma=2.0)
        text = describe(evaluation, evaluation.summary(interval="normal"))
        assert f"{expected}." in text
