"""One bad image among many is named with the reason, in an error or in a list."""

import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation.passes import BadImages
from gazesal.evaluation.score_rows import BadImage
from gazesal.reporting.captions import describe
from tests.evaluation.large_study import SHAPE, SIGMA, LoggedMap, calls, make_cases, table_bytes

N = 40
BAD = "i017"


class Broken:
    """Raise an error."""

    def __call__(self):
        raise KeyError("layer4")


def unreadable(folder):
    path = folder / "torn.npy"
    np.save(path, np.zeros(SHAPE))
    path.write_bytes(path.read_bytes()[:300])
    return path


class Exits:
    """End the program, as scripts turned into functions do."""

    def __call__(self):
        sys.exit(0)


KINDS = {
    "unreadable": (unreadable, r"torn\.npy: cannot be read as a \.npy array"),
    "absent": (lambda folder: folder / "none.npy", r"No such file or directory: .*none\.npy"),
    "wrong shape": (
        lambda _: np.zeros((5, 7)),
        f"the map of image {BAD} must have the image's size, 32 x 24 pixels, got 7 x 5",
    ),
    "wrong shape when made": (
        lambda _: LoggedMap(BAD, shape=(5, 7)),
        f"the map of image {BAD} must have the image's size, 32 x 24 pixels, got 7 x 5",
    ),
    "nan": (
        lambda _: np.full(SHAPE, np.nan),
        f"map of image {BAD}` must be finite, got 768 of 768",
    ),
    "raises": (lambda _: Broken(), f"image {BAD}: KeyError: 'layer4'"),
    "exits": (lambda _: Exits(), f"image {BAD}: SystemExit: 0"),
    "no map": (lambda _: None, f"map of image {BAD}` must"),
}


def with_bad_map(kind, tmp_path, log=None, delay=0.0):
    """Return cases of which one has a given map."""
    cases = make_cases(N, log, delay)
    position = int(BAD[1:])
    maps = {**cases[position].maps, "mine": KINDS[kind][0](tmp_path)}
    return [
        replace(case, maps=maps if case.image == BAD else {**case.maps, "mine": case.maps["noise"]})
        for case in cases
    ]


ENDS = [*((kind, first, 1) for kind in KINDS for first in (True, False)), ("nan", False, 2)]


@pytest.mark.parametrize(("kind", "check_first", "n_jobs"), ENDS)
def test_invalid_map_ends_the_run(kind, check_first, n_jobs, tmp_path):
    log = tmp_path / "log"
    # longer than the 10 ms between two checks of joblib for results
    cases = with_bad_map(kind, tmp_path, log, delay=0.0 if n_jobs == 1 else 0.03)
    with pytest.raises(ValueError, match=KINDS[kind][1]) as raised:
        gazesal.evaluate(cases, sigma=SIGMA, n_jobs=n_jobs, check_first=check_first)
    if check_first and kind not in {"raises", "exits", "wrong shape when made"}:
        assert not calls(log)
    else:  # images in progress finish and others do not start; each image has two maps
        assert sum(calls(log).values()) <= 2 * (int(BAD[1:]) + 4 * n_jobs)
    if kind == "raises":
        assert 'raise KeyError("layer4")' in raised.value.__notes__[0]


@pytest.mark.parametrize(("kind", "n_jobs"), [*((kind, 1) for kind in KINDS), ("raises", 2)])
def test_invalid_map_is_listed(kind, n_jobs, tmp_path):
    log = tmp_path / "log"
    cases = with_bad_map(kind, tmp_path, log)
    got = gazesal.evaluate(cases, sigma=SIGMA, n_jobs=n_jobs, bad_images="list")
    assert got.bad_images["image"].tolist() == [BAD]
    assert list(got.bad_images.columns) == ["image", "reason"]
    assert BAD in got.bad_images["reason"][0] or "npy" in got.bad_images["reason"][0]
    assert got.scores["image"].nunique() == N - 1
    assert BAD not in set(got.scores["image"])
    # Its gaze is in the center bias, so the scores of the others equal those with a valid map.
    good = gazesal.evaluate(_mended(cases), sigma=SIGMA)
    rest = good.scores[good.scores["image"] != BAD]
    assert rest["score"].to_numpy().tobytes() == got.scores["score"].to_numpy().tobytes()


def _mended(cases):
    return [
        replace(case, maps={**case.maps, "mine": case.maps["noise"]}) if case.image == BAD else case
        for case in cases
    ]


def with_bad_gaze(points):
    """Return cases of which one has given fixations of one observer."""
    cases = make_cases(N)
    position = int(BAD[1:])
    gaze = cases[position].gaze
    bob = replace(gaze["bob"], points=points)
    cases[position] = replace(cases[position], gaze={**gaze, "bob": bob})
    return cases


BAD_POINTS = {
    "nan": (np.full((6, 2), np.nan), "must be finite"),
    "outside": (np.full((6, 2), 99.0), "must lie in the image"),
    "shape": (np.zeros((6, 3)), r"must have shape \(N, 2\)"),
}


@pytest.mark.parametrize("kind", BAD_POINTS)
def test_invalid_fixations_are_listed_or_end_the_run(kind, tmp_path):
    points, message = BAD_POINTS[kind]
    cases = with_bad_gaze(points)
    with pytest.raises(ValueError, match=f"image {BAD}, observer bob: .*{message}"):
        gazesal.evaluate(cases, sigma=SIGMA)
    options = {"sigma": SIGMA, "bad_images": "list"}
    got = gazesal.evaluate(cases, **options, checkpoint=tmp_path / "kept")
    assert got.bad_images["image"].tolist() == [BAD]
    assert got.bad_images["reason"].str.contains(message, regex=True).all()
    # invalid gaze is not in the center bias
    without = gazesal.evaluate([c for c in cases if c.image != BAD], sigma=SIGMA)
    assert got.scores["score"].to_numpy().tobytes() == without.scores["score"].to_numpy().tobytes()
    again = gazesal.evaluate(cases, **options, checkpoint=tmp_path / "kept", n_jobs=2)
    assert again.bad_images.equals(got.bad_images)
    assert table_bytes(again) == table_bytes(got)


def test_resume_scores_bad_images_again(tmp_path):
    cases = with_bad_map("unreadable", tmp_path)
    options = {"sigma": SIGMA, "bad_images": "list", "checkpoint": tmp_path / "kept"}
    assert len(gazesal.evaluate(cases, **options).bad_images) == 1
    np.save(tmp_path / "torn.npy", np.random.default_rng(0).random(SHAPE))
    whole = gazesal.evaluate(cases, **options)
    assert whole.bad_images.empty
    assert table_bytes(whole) == table_bytes(gazesal.evaluate(cases, sigma=SIGMA))


def test_an_image_with_one_observer_is_listed():
    cases = make_cases(6)
    cases[2] = replace(cases[2], gaze={"ann": cases[2].gaze["ann"]})
    with pytest.raises(ValueError, match="image 'i002' must have fixations of at least two"):
        gazesal.evaluate(cases, sigma=SIGMA)
    got = gazesal.evaluate(cases, sigma=SIGMA, bad_images="list")
    assert got.bad_images["image"].tolist() == ["i002"]
    assert got.center_bias.n_maps == 5 * 3 + 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shape": (20, 32)}, "image i017 must have the most common size, 32 x 24 pixels"),
        ({"box": (9.0, 9.0, 3.0, 3.0)}, "`box of image i017` must"),
        ({"box": (3.0, 3.0, np.nan, 9.0)}, "`box of image i017` must"),
    ],
)
def test_image_outside_the_frame_is_listed_and_left_out_of_the_bias(change, reason):
    boxes = {} if "shape" in change else {"box": (2.0, 2.0, 20.0, 18.0)}
    cases = [replace(case, **boxes) for case in make_cases(N)]
    position = int(BAD[1:])
    spoilt = [*cases[:position], replace(cases[position], **change), *cases[position + 1 :]]
    found = gazesal.evaluate(spoilt, sigma=SIGMA, bad_images="list")
    assert found.bad_images["image"].tolist() == [BAD]
    assert reason in found.bad_images["reason"].item()
    without = gazesal.evaluate([*cases[:position], *cases[position + 1 :]], sigma=SIGMA)
    # the sums are over other chunks of images
    np.testing.assert_allclose(found.scores["score"], without.scores["score"], atol=1e-12)
    with pytest.raises(ValueError, match=BAD):
        gazesal.evaluate(spoilt, sigma=SIGMA)


def test_boxes_that_only_align_fixations_are_checked():
    """Boxes are checked even if every image has its own center bias and there is no frame."""
    box = (2.0, 2.0, 20.0, 18.0)
    cases = [replace(c, center_bias=np.ones(SHAPE), box=box) for c in make_cases(4)]
    turned = [replace(cases[0], box=(9.0, 9.0, 3.0, 3.0)), *cases[1:]]
    with pytest.raises(ValueError, match="box of image i000"):
        gazesal.evaluate(turned, sigma=SIGMA, metrics=["snss"])
    with pytest.raises(ValueError, match=r"`cases` must all have a box .* got image 'i000'"):
        gazesal.evaluate([replace(cases[0], box=None), *cases[1:]], sigma=SIGMA, metrics=["snss"])
    words = describe(
        found := gazesal.evaluate(cases, sigma=SIGMA, metrics=["snss"]), found.summary()
    )
    assert "aligned by their boxes" in words


def test_gaze_on_an_image_with_one_observer_counts_for_other_images():
    """It is in the center bias and among the fixations on others, as if it were not scored."""
    cases = make_cases(5)
    lonely = replace(cases[2], gaze=dict(list(cases[2].gaze.items())[:1]))
    options = {"sigma": SIGMA, "metrics": ["sauc", "snss"], "bad_images": "list"}
    listed = gazesal.evaluate([*cases[:2], lonely, *cases[3:]], **options)
    assert listed.bad_images["image"].tolist() == ["i002"]
    aside = gazesal.evaluate([*cases[:2], replace(lonely, scored=False), *cases[3:]], **options)
    pd.testing.assert_frame_equal(listed.scores, aside.scores)


@pytest.mark.parametrize("error", [OSError("no such disk"), KeyError("x")])
def test_unreadable_fixations_on_other_images_are_listed(error):
    """They are listed even without a center bias, which would read them first."""

    def fails():
        raise error

    cases = [replace(case, center_bias=np.ones(SHAPE)) for case in make_cases(3)]
    broken = replace(cases[1], gaze={**cases[1].gaze, "ann": fails})
    found = gazesal.evaluate(
        [cases[0], broken, cases[2]], sigma=SIGMA, metrics=["snss"], bad_images="list"
    )
    assert found.bad_images["image"].tolist() == ["i001"]
    assert str(error) in found.bad_images["reason"].item()


@pytest.mark.parametrize("check_first", [True, False])
@pytest.mark.parametrize("bad_images", ["raise", "list"])
def test_interrupt_in_a_kernel_is_not_a_bad_image(bad_images, check_first):
    """A compiled function turns Ctrl-C into a SystemError caused by the interrupt."""

    def interrupted():
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    cases = make_cases(3)
    hit = replace(cases[1], maps={"noise": interrupted})
    with pytest.raises(KeyboardInterrupt):
        gazesal.evaluate(
            [cases[0], hit, cases[2]], sigma=SIGMA, bad_images=bad_images, check_first=check_first
        )
    of_gaze = replace(cases[1], gaze={**cases[1].gaze, "ann": interrupted})
    with pytest.raises(KeyboardInterrupt):
        gazesal.evaluate([cases[0], of_gaze, cases[2]], sigma=SIGMA, bad_images=bad_images)


@pytest.mark.skipif(os.name != "posix", reason="a signal to oneself is of POSIX")
def test_exit_in_a_signal_handler_ends_the_run():
    """The handler raises SystemExit, which is not an error of the image."""

    def end(number, frame):
        raise SystemExit(128 + number)

    def signaled():
        signal.raise_signal(signal.SIGTERM)

    cases = make_cases(3)
    hit = replace(cases[1], maps={"noise": signaled})
    before = signal.signal(signal.SIGTERM, end)
    try:
        with pytest.raises(SystemExit, match="143"):
            gazesal.evaluate([cases[0], hit, cases[2]], sigma=SIGMA, bad_images="list")
    finally:
        signal.signal(signal.SIGTERM, before)


def test_memory_error_ends_the_run_and_names_the_image():
    def too_large():
        raise MemoryError("too large")

    cases = make_cases(3)
    bad = replace(cases[1], maps={"noise": too_large})
    with pytest.raises(MemoryError, match=f"image {bad.image}: too large"):
        gazesal.evaluate([cases[0], bad, cases[2]], sigma=SIGMA, bad_images="list")


def test_undecodable_bytes_are_escaped_in_a_reason():
    def fails():
        raise ValueError("no pic\udce9.png")

    cases = make_cases(3)
    bad = replace(cases[1], maps={"noise": fails})
    found = gazesal.evaluate([cases[0], bad, cases[2]], sigma=SIGMA, bad_images="list")
    assert found.bad_images["reason"].item() == f"image {bad.image}: no pic\\udce9.png"


@pytest.mark.parametrize("part", ["image", "observer", "method", "group"])
def test_undecodable_names_raise(part):
    case, *others = make_cases(3)
    name = "pic\udce9"
    changes = {
        "image": {"image": name},
        "observer": {"gaze": {**case.gaze, name: case.gaze["ann"]}},
        "method": {"maps": {**case.maps, name: case.maps["noise"]}},
        "group": {"groups": {"finding": name}},
    }[part]
    with pytest.raises(ValueError, match=r"`cases\[0\]` must have names that are text in UTF-8"):
        gazesal.evaluate([replace(case, **changes), *others], sigma=SIGMA)


def test_short_image_name_is_in_the_reason():
    def fails():
        raise ValueError("a bad map")

    cases = make_cases(3)
    bad = replace(cases[0], image="a", maps={"noise": fails})
    found = gazesal.evaluate([bad, *cases[1:]], sigma=SIGMA, bad_images="list")
    assert found.bad_images["reason"].item() == "image a: a bad map"


def test_maps_in_a_store_are_checked_first(tmp_path):
    log = tmp_path / "log"
    cases = make_cases(4, log)
    np.savez(tmp_path / "maps.npz", **{c.image: np.full(SHAPE, np.nan) for c in cases[3:]})
    stored = gazesal.open_maps(tmp_path / "maps.npz")
    cases[3] = replace(cases[3], maps={**cases[3].maps, "stored": stored["i003"]})
    with pytest.raises(ValueError, match="i003"):
        gazesal.evaluate(cases, sigma=SIGMA)
    assert not calls(log)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"confidence_level": "high"}, "must not name a column of .*, got 'confidence_level'"),
        ({"score_a": 1.0}, "must not name a column of .*, got 'score_a'"),
        ({"age": float("nan")}, "of image 'i000' must not be nan, got nan for 'age'"),
    ],
)
def test_groups_with_nan_or_other_kinds_raise(groups, message):
    cases = [replace(case, groups=groups) for case in make_cases(2)]
    with pytest.raises(ValueError, match=message):
        gazesal.evaluate(cases, sigma=SIGMA)


@pytest.mark.parametrize(("option", "value"), [("n_samples", 1), ("tolerance", 1e-3)])
def test_options_without_effect_raise(option, value):
    with pytest.raises(ValueError, match=f"`{option}` must be None if no metric"):
        gazesal.evaluate(make_cases(2), sigma=SIGMA, metrics=["ncc", "nss"], **{option: value})


def test_invalid_shape_names_its_image():
    cases = make_cases(2)
    with pytest.raises(TypeError, match="shape of image i001"):
        gazesal.evaluate([cases[0], replace(cases[1], shape=(24,))], sigma=SIGMA)


def test_bad_images_are_listed_in_order_and_counted(tmp_path):
    cases = make_cases(9)
    for position in (7, 1, 4):
        cases[position] = replace(cases[position], maps={"noise": tmp_path / f"{position}.npy"})
    got = gazesal.evaluate(cases, sigma=SIGMA, bad_images="list", n_jobs=2)
    assert got.bad_images["image"].tolist() == ["i001", "i004", "i007"]
    assert "3 bad images" in repr(got)


def test_only_bad_images_raise(tmp_path):
    cases = [replace(case, maps={"noise": tmp_path / "none.npy"}) for case in make_cases(3)]
    with pytest.raises(ValueError, match="`cases` must have at least one image that can be scored"):
        gazesal.evaluate(cases, sigma=SIGMA, bad_images="list")


def test_killed_worker_raises_child_process_error(tmp_path):
    cases = make_cases(6)
    cases[3] = replace(cases[3], maps={"noise": _die})
    started = time.monotonic()
    with pytest.raises(ChildProcessError, match="a worker process ended while scoring") as raised:
        gazesal.evaluate(cases, sigma=SIGMA, n_jobs=2, bad_images="list")
    *_, last = str(raised.value).splitlines()
    assert last.startswith("The images in progress were ")
    assert "i003" in last
    assert time.monotonic() - started < 60


def _die():
    import os

    os._exit(9)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"bad_images": "drop"}, ValueError, "`bad_images` must be one of 'raise', 'list'"),
        ({"check_first": "yes"}, TypeError, "`check_first` must be True or False"),
        ({"checkpoint": 3}, TypeError, "`checkpoint` must"),
    ],
)
def test_invalid_options_raise(options, kind, message):
    with pytest.raises(kind, match=message):
        gazesal.evaluate(make_cases(3), sigma=SIGMA, **options)


class Unsent:
    """A map that cannot be pickled."""

    def __call__(self):
        return np.random.default_rng(0).random(SHAPE)

    def __reduce__(self):
        raise TypeError("cannot pickle an open file")


@pytest.mark.parametrize("bad_images", ["raise", "list"])
def test_unpicklable_image_is_named(bad_images):
    cases = make_cases(N)
    position = int(BAD[1:])
    cases[position] = replace(cases[position], maps={"noise": Unsent()})
    told = f"image {BAD}: .* must be objects that can be pickled, .* cannot pickle an open file"
    with pytest.raises(ValueError, match=told):
        gazesal.evaluate(cases, sigma=SIGMA, n_jobs=2, bad_images=bad_images)
    assert gazesal.evaluate(cases, sigma=SIGMA).scores["image"].nunique() == N


def test_the_first_reason_of_an_image_is_kept():
    bad = BadImages(stop=False)
    bad.add([BadImage("i000", "its gaze")], of_gaze=True)
    bad.add([BadImage("i000", "its map"), BadImage("i001", "its map")])
    table = bad.to_frame(make_cases(3))
    assert dict(zip(table["image"], table["reason"], strict=True)) == {
        "i000": "its gaze",
        "i001": "its map",
    }


def test_an_image_that_is_invalid_twice_is_listed_for_its_gaze():
    cases = make_cases(4)
    far = gazesal.Gaze(points=np.array([[900.0, 900.0]]), durations=np.ones(1))
    gaze = {**cases[1].gaze, "ann": far}
    cases[1] = replace(cases[1], gaze=gaze, maps={"noise": np.full(SHAPE, np.nan)})
    listed = gazesal.evaluate(cases, sigma=SIGMA, bad_images="list").bad_images
    assert list(listed["image"]) == ["i001"]
    assert "must lie in the image" in listed["reason"].item()


class TestInternalErrors:
    """An error inside the library is not an error of an image."""

    @pytest.mark.parametrize("bad_images", ["raise", "list"])
    def test_internal_error_ends_the_run_unchanged(self, bad_images, monkeypatch):
        def broken(*_args, **_options):
            raise IndexError("of the library")

        monkeypatch.setattr("gazesal.evaluation.score_pairs.score", broken)
        with pytest.raises(IndexError, match="of the library") as raised:
            gazesal.evaluate(make_cases(4), sigma=SIGMA, bad_images=bad_images)
        assert "image 'i000'" in raised.value.__notes__[0]

    def test_compiler_error_of_any_type_ends_the_run(self, monkeypatch):
        compiler = {"__name__": "numba.core.caching"}
        exec("def load(*_, **__): raise OSError('torn')", compiler)  # noqa: S102
        monkeypatch.setattr("gazesal.evaluation.score_pairs.score", compiler["load"])
        with pytest.raises(OSError, match="torn"):
            gazesal.evaluate(make_cases(4), sigma=SIGMA, bad_images="list")

    def test_internal_error_in_the_center_bias_ends_the_run(self, monkeypatch):
        def broken(*_args, **_options):
            raise ZeroDivisionError("of the library")

        monkeypatch.setattr("gazesal.evaluation.gaze_of_image.gaze_heatmap", broken)
        with pytest.raises(ZeroDivisionError, match="of the library"):
            gazesal.evaluate(make_cases(4), sigma=SIGMA, bad_images="list")

    def test_lazy_array_that_fails_is_an_error_of_the_input(self):
        class Late:
            """A lazy array of another library."""

            def __array__(self, *_args, **_options):
                raise KeyError("chunk 3")

        cases = make_cases(4)
        cases[1] = replace(cases[1], maps={"noise": Late()})
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, bad_images="list")
        assert list(evaluation.bad_images["image"]) == ["i001"]
