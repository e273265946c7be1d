"""Gaze that is certainly or probably a mistake raises or warns."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import gazesal
from gazesal.reporting.captions import describe

SHAPE = (24, 32)
SIGMA = 2.5


def make_cases(n=4, scale=(31.0, 23.0), shape=SHAPE):
    """Return images with fixations in a rectangle from the corner, and a map of noise."""
    rng = np.random.default_rng(3)
    return [
        gazesal.Case(
            image=f"i{number}",
            shape=shape,
            gaze={
                name: gazesal.Gaze(points=rng.uniform(0, scale, (6, 2)), durations=np.ones(6))
                for name in ("ann", "bob")
            },
            maps={"noise": rng.random(shape)},
        )
        for number in range(n)
    ]


def drawn(case):
    """Return the case with gaze maps instead of fixations."""
    gaze = {
        name: gazesal.gaze_heatmap(own.points, case.shape, sigma=SIGMA)
        for name, own in case.gaze.items()
    }
    return replace(case, gaze=gaze)


class TestSharesOfTheSides:
    """Coordinates from 0 to 1 are not scored as pixels."""

    @pytest.mark.parametrize("bad_images", ["raise", "list"])
    def test_of_all_images_raise(self, bad_images):
        with pytest.raises(ValueError, match="`cases` must have fixations in pixels, but all 48"):
            gazesal.evaluate(make_cases(scale=(1.0, 1.0)), sigma=SIGMA, bad_images=bad_images)

    def test_beyond_the_screen_raise(self):
        with pytest.raises(ValueError, match="`cases` must have fixations in pixels"):
            gazesal.evaluate(make_cases(scale=(1.3, 1.2)), sigma=SIGMA)

    def test_with_few_fixations_per_image_raise(self):
        cases = []
        for case in make_cases(scale=(1.0, 1.0)):
            gaze = {
                name: gazesal.Gaze(points=own.points[:1], durations=own.durations[:1])
                for name, own in case.gaze.items()
            }
            cases.append(replace(case, gaze=gaze))
        with pytest.raises(ValueError, match="`cases` must have fixations in pixels, but all 8"):
            gazesal.evaluate(cases, sigma=SIGMA)

    def test_of_some_images_warn(self):
        cases = [*make_cases(1, scale=(1.0, 1.0)), *make_cases()[1:]]
        with pytest.warns(
            gazesal.InputWarning, match=r"`cases` must have .* on 'i0' by 'ann', 'i0' by 'bob' all"
        ):
            gazesal.evaluate(cases, sigma=SIGMA)

    def test_shares_of_one_observer_warn(self):
        shares = make_cases(scale=(1.0, 1.0))
        cases = [
            replace(case, gaze={**case.gaze, "bob": other.gaze["bob"]})
            for case, other in zip(make_cases(), shares, strict=True)
        ]
        match = r"`cases` must have .* 'i0' by 'bob', 'i1' by 'bob', 'i2' by 'bob' and 1 more all"
        with pytest.warns(gazesal.InputWarning, match=match):
            gazesal.evaluate(cases, sigma=SIGMA)

    def test_in_files_of_single_observers_raise(self, tmp_path):
        rows = "".join(f"0.{k},0.{9 - k},1\n" for k in range(1, 9))
        (tmp_path / "a.csv").write_text("x,y,duration\n" + rows)
        np.save(tmp_path / "map.npy", np.random.default_rng(0).random(SHAPE))
        lines = [f"i{k},32,24,map.npy,a.csv,a.csv\n" for k in range(2)]
        path = tmp_path / "manifest.csv"
        path.write_text("image,width,height,map:m,gaze:ann,gaze:bob\n" + "".join(lines))
        with pytest.raises(ValueError, match="`points of image i0, observer ann` must be pixels"):
            gazesal.evaluate(gazesal.cases_from_manifest(path), sigma=SIGMA)

    def test_returned_by_functions_raise(self):
        cases = [
            replace(case, gaze={name: partial(dict.get, case.gaze, name) for name in case.gaze})
            for case in make_cases(scale=(1.0, 1.0))
        ]
        with pytest.raises(ValueError, match="`points of image i0, observer ann` must be pixels"):
            gazesal.evaluate(cases, sigma=SIGMA)


class TestSigma:
    """Sigma blurs fixations, and the report states that gaze maps are used as they are."""

    def test_raises_if_all_gaze_is_maps(self):
        cases = [drawn(case) for case in make_cases()]
        with pytest.raises(ValueError, match="`sigma` must be left out"):
            gazesal.evaluate(cases, sigma=SIGMA)
        evaluation = gazesal.evaluate(cases)
        words = describe(evaluation, evaluation.summary())
        assert "Gaze: gaze maps, used as given." in words
        assert "sigma" not in words

    def test_for_some_of_the_gaze_warns_and_is_reported(self):
        first, *others = make_cases()
        cases = [drawn(first), *others]
        with pytest.warns(gazesal.InputWarning, match="`sigma` is used only by the fixations of 6"):
            evaluation = gazesal.evaluate(cases, sigma=SIGMA)
        words = describe(evaluation, evaluation.summary())
        assert (
            "Gaze: fixations (6 of 8 readings), blurred with sigma 2.5 x 2.5 pixels; "
            "gaze maps (2 of 8 readings), used as given." in words
        )

    def test_unused_by_maps_of_functions_warns(self):
        cases = [
            replace(case, gaze={name: lambda m=m: m for name, m in drawn(case).gaze.items()})
            for case in make_cases()
        ]
        with pytest.warns(gazesal.InputWarning, match="`sigma` was not used by 8 readings"):
            evaluation = gazesal.evaluate(cases, sigma=SIGMA)
        words = describe(evaluation, evaluation.summary())
        assert "Gaze: gaze maps, used as given." in words
        assert "2.5 x 2.5" not in words

    def test_of_loaded_evaluations_is_reported_as_before(self, tmp_path):
        pytest.importorskip("pyarrow")
        evaluation = gazesal.evaluate([drawn(case) for case in make_cases()])
        evaluation.save(tmp_path / "saved")
        loaded = gazesal.Evaluation.load(tmp_path / "saved")
        summary = evaluation.summary()
        assert describe(loaded, summary) == describe(evaluation, summary)


class TestMapsOfFixatedPixels:
    """A gaze map of two values probably marks fixated pixels, and is refused."""

    def binary(self, value=255.0):
        rng = np.random.default_rng(8)
        cases = []
        for case in make_cases():
            gaze = {name: np.zeros(SHAPE) for name in case.gaze}
            for array in gaze.values():
                array[rng.integers(0, 24, 9), rng.integers(0, 32, 9)] = value
            cases.append(replace(case, gaze=gaze))
        return cases

    @pytest.mark.parametrize("value", [1.0, 255.0])
    def test_raise(self, value):
        match = rf"`gaze map of observer ann of image i0`.* two values 0 and {value:g}.*FixationMap"
        with pytest.raises(ValueError, match=match):
            gazesal.evaluate(self.binary(value))

    def test_in_files_and_functions_raise(self, tmp_path):
        case = self.binary()[0]
        np.save(tmp_path / "ann.npy", case.gaze["ann"])
        for source in (tmp_path / "ann.npy", lambda: case.gaze["bob"]):
            changed = replace(case, gaze={**drawn(make_cases()[0]).gaze, "ann": source})
            with pytest.raises(ValueError, match=r"observer ann of image i0`.*two values"):
                gazesal.evaluate([changed, *map(drawn, make_cases()[1:])])

    def test_as_the_map_of_all_observers_raise(self):
        cases = [replace(case, gaze={}, gaze_map=case.gaze["ann"]) for case in self.binary()]
        with pytest.raises(ValueError, match=r"`gaze map of image i0`.*two values"):
            gazesal.evaluate(cases, ground_truth="all")

    def test_are_bad_images_if_listed(self):
        cases = [*map(drawn, make_cases()[:3]), self.binary()[3]]
        evaluation = gazesal.evaluate(cases, bad_images="list")
        assert list(evaluation.bad_images["image"]) == ["i3"]

    def test_as_regions_are_used(self):
        evaluation = gazesal.evaluate(self.binary(), two_valued="region")
        assert len(evaluation.scores)

    def test_with_sigma_name_the_remedy(self):
        with pytest.raises(ValueError, match=r"`sigma` must be left out.*`FixationMap`"):
            gazesal.evaluate(self.binary(), sigma=SIGMA)


def test_gaze_of_many_images_in_one_corner_warns():
    cases = make_cases(n=10, scale=(16.0, 12.0))
    with pytest.warns(gazesal.InputWarning, match="`cases`.*upper left quarter"):
        gazesal.evaluate(cases, sigma=SIGMA, metrics=["ncc"])


def test_durations_that_mix_units_warn():
    cases = make_cases()
    seconds = cases[2].gaze["bob"]
    durations = np.array([210.0, 190.0, 0.3, 250.0, 0.2, 300.0])
    mixed = {**cases[2].gaze, "bob": replace(seconds, durations=durations)}
    cases[2] = replace(cases[2], gaze=mixed)
    with pytest.warns(gazesal.InputWarning, match="`durations`.*'i2' by 'bob'"):
        gazesal.evaluate(cases, sigma=SIGMA, metrics=["ncc"])


def test_weights_of_any_other_kind_do_not_warn():
    cases = make_cases()
    weights = np.array([1e-3, 1.0, 5.0, 1e4, 20.0, 7.0])
    gaze = {name: replace(own, durations=weights) for name, own in cases[0].gaze.items()}
    gazesal.evaluate([replace(case, gaze=gaze) for case in cases], sigma=SIGMA, metrics=["ncc"])
