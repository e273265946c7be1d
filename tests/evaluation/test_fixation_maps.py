"""Maps of fixated pixels, and maps that others made of the gaze, as gaze of an evaluation."""

from dataclasses import replace

import numpy as np
import pytest

import gazesal
from gazesal.evaluation.storage.fingerprints import gaze_fingerprint
from gazesal.reporting.captions import describe

SHAPE = (24, 32)
SIGMA = 2.5
POINTS = ("nss", "auc_judd", "auc_shuffled", "snss")


def marked(points):
    """Return the counts of points at pixel centers."""
    counts = np.zeros(SHAPE, np.uint8)
    x, y = np.asarray(points, np.int64).T
    np.add.at(counts, (y, x), 1)
    return counts


def make_cases(observers=("ann", "bob"), n=4):
    """Return images with fixations at pixel centers, some of them repeated."""
    rng = np.random.default_rng(3)

    def points():
        found = rng.integers(0, SHAPE[::-1], (7, 2)).astype(float)
        return np.concatenate([found, found[:2]])

    return [
        gazesal.Case(
            image=f"i{number}",
            shape=SHAPE,
            gaze={name: gazesal.Gaze(points=points()) for name in observers},
            maps={"noise": rng.random(SHAPE)},
        )
        for number in range(n)
    ]


def as_maps(case, kind=gazesal.FixationMap):
    """Return the case with maps of fixated pixels instead of fixations."""
    return replace(case, gaze={name: kind(marked(own.points)) for name, own in case.gaze.items()})


def scores(cases, **options):
    """Return the scores of an evaluation as an array."""
    return gazesal.evaluate(cases, **options).scores["score"].to_numpy()


def words_of(evaluation):
    return describe(evaluation, evaluation.summary())


class TestDurations:
    def test_default_to_equal_weights(self):
        gaze = gazesal.Gaze(points=np.ones((3, 2)))
        assert gaze.durations.tolist() == [1.0, 1.0, 1.0]


class TestEqualScores:
    """Maps of fixated pixels have the scores of their fixations, to the bit."""

    @pytest.mark.parametrize("observers", [("ann", "bob"), ("all",)])
    def test_counts(self, observers):
        cases = make_cases(observers)
        options = {
            "sigma": SIGMA,
            "ground_truth": "all" if len(observers) == 1 else "rest",
            "metrics": (*gazesal.STUDY_METRICS, *POINTS),
        }
        expected = scores(cases, **options)
        assert np.isfinite(expected).all()
        np.testing.assert_array_equal(scores(map(as_maps, cases), **options), expected)

    def test_binary_maps_of_any_source(self, tmp_path):
        cases = []
        for case in make_cases():
            gaze = {
                name: gazesal.Gaze(points=np.unique(own.points, axis=0))
                for name, own in case.gaze.items()
            }
            cases.append(replace(case, gaze=gaze))
        expected = scores(cases, sigma=SIGMA, metrics=("ncc", *POINTS))

        def in_file(values):
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
            np.save(path, 255 * values)
            return gazesal.FixationMap(path)

        kinds = (
            in_file,
            lambda values: gazesal.FixationMap(values > 0),
            lambda values: gazesal.FixationMap(lambda: values),
            lambda values: gazesal.FixationMap(values * 200 + 3, threshold=127),
        )
        for kind in kinds:
            found = scores([as_maps(c, kind) for c in cases], sigma=SIGMA, metrics=("ncc", *POINTS))
            np.testing.assert_array_equal(found, expected)


class TestReading:
    def test_another_size_is_a_bad_image(self):
        cases = list(map(as_maps, make_cases()))
        gaze = {**cases[0].gaze, "ann": gazesal.FixationMap(np.eye(32, 24))}
        evaluation = gazesal.evaluate(
            [replace(cases[0], gaze=gaze), *cases[1:]], sigma=SIGMA, bad_images="list"
        )
        (reason,) = evaluation.bad_images["reason"]
        assert "`fixation map of observer ann of image i0` must have the image's size" in reason
        assert "transposed" in reason

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (np.zeros(SHAPE), "must mark at least one fixated pixel"),
            (np.random.default_rng(0).random(SHAPE), "several positive values"),
            (np.full(SHAPE, np.nan), "must be finite"),
        ],
    )
    def test_a_map_without_fixations_names_its_image(self, values, words):
        case, *others = map(as_maps, make_cases())
        gaze = {**case.gaze, "ann": gazesal.FixationMap(values)}
        with pytest.raises(ValueError, match=f"fixation map of observer ann of image i0.*{words}"):
            gazesal.evaluate([replace(case, gaze=gaze), *others], sigma=SIGMA)

    def test_a_torn_file_is_a_bad_image(self, tmp_path):
        (tmp_path / "map.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        case, *others = map(as_maps, make_cases())
        gaze = {**case.gaze, "ann": gazesal.FixationMap(tmp_path / "map.png")}
        evaluation = gazesal.evaluate(
            [replace(case, gaze=gaze), *others], sigma=SIGMA, bad_images="list"
        )
        assert list(evaluation.bad_images["image"]) == ["i0"]

    def test_sigma_is_required(self):
        with pytest.raises(ValueError, match=r"`sigma` must be given.* 8 of 8 readings without"):
            gazesal.evaluate(map(as_maps, make_cases()))


class TestGazeMap:
    """A map of all observers is the ground truth of maps, and fixations the one of points."""

    def cases(self, *, with_points=True):
        made = []
        for case in make_cases():
            points = np.concatenate([own.points for own in case.gaze.values()])
            gaze_map = gazesal.gaze_heatmap(points, SHAPE, sigma=4.0)
            made.append(replace(case, gaze=case.gaze if with_points else {}, gaze_map=gaze_map))
        return made

    def test_each_metric_takes_its_kind(self):
        cases = self.cases()
        found = gazesal.evaluate(cases, ground_truth="all", metrics=("ncc", "nss", "auc_shuffled"))
        of_map = found.scores[found.scores["method"] == "noise"].set_index(["image", "metric"])
        for case in cases:
            points = np.concatenate([own.points for own in case.gaze.values()])
            noise = case.maps["noise"]
            own = of_map.loc[case.image, "score"]
            assert own["nss"] == gazesal.nss(noise, points)
            assert own["ncc"] == pytest.approx(gazesal.ncc(noise, case.gaze_map), abs=1e-12)

    def test_is_the_same_as_the_gaze_of_one_observer(self):
        cases = self.cases(with_points=False)
        single = [replace(c, gaze={"all": c.gaze_map}, gaze_map=None) for c in cases]
        np.testing.assert_array_equal(
            scores(cases, ground_truth="all"), scores(single, ground_truth="all")
        )

    def test_has_no_interobserver_row(self):
        evaluation = gazesal.evaluate(self.cases(), ground_truth="all")
        assert evaluation.methods == ["center_bias", "noise"]

    def test_needs_ground_truth_all(self):
        with pytest.raises(ValueError, match=r"image 'i0' .* Give ground_truth=\"all\""):
            gazesal.evaluate(self.cases())

    def test_makes_sigma_an_error(self):
        with pytest.raises(ValueError, match="`sigma` must be left out"):
            gazesal.evaluate(self.cases(), ground_truth="all", sigma=SIGMA)

    def test_without_fixations_has_no_metric_of_points(self):
        with pytest.raises(ValueError, match="`gaze` of image 'i0' must have fixations for nss"):
            gazesal.evaluate(
                self.cases(with_points=False), ground_truth="all", metrics=("ncc", "nss")
            )

    def test_beside_a_gaze_map_of_an_observer_raises(self):
        case, *others = self.cases()
        doubled = replace(case, gaze={"ann": case.gaze_map})
        with pytest.raises(ValueError, match="`gaze` of image 'i0' must hold fixations"):
            gazesal.evaluate([doubled, *others], ground_truth="all")

    def test_is_loaded_alone(self):
        case = self.cases()[0]
        np.testing.assert_allclose(case.load_gaze_map(), case.gaze_map, atol=1e-15)
        with pytest.raises(ValueError, match="image i0 has no gaze map"):
            replace(case, gaze_map=None).load_gaze_map()

    def test_is_drawn_and_shown(self):
        evaluation = gazesal.evaluate(self.cases(with_points=False), ground_truth="all")
        assert set(evaluation.maps_of("i0")) == {"center_bias", "noise", "ground_truth"}
        evaluation.plot_maps()


class TestStated:
    """Summaries state each kind of gaze and its treatment."""

    def test_fixation_maps(self):
        evaluation = gazesal.evaluate(map(as_maps, make_cases()), sigma=SIGMA)
        expected = (
            "Gaze: maps of fixated pixels, each pixel a fixation as often as its count, blurred "
            "with sigma 2.5 x 2.5 pixels."
        )
        assert expected in words_of(evaluation)

    def test_pooled_fixation_maps(self):
        cases = map(as_maps, make_cases(["all"]))
        evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
        first = words_of(evaluation).splitlines()[0]
        assert first == (
            "4 images, all observers together on each. Ground truth: the gaze map of all observers."
        )
        words = gazesal.reporting.summary_text(evaluation.summary())
        assert "Images have one pooled reading each, so there is no row" in words

    def test_gaze_maps_of_all_observers(self):
        cases = TestGazeMap().cases()
        evaluation = gazesal.evaluate(cases, ground_truth="all", resize="bilinear")
        expected = (
            "Gaze: one gaze map of all observers per image, used as given, resized to the image if "
            "of another size, with fixations for the metrics of points only."
        )
        assert expected in words_of(evaluation)
        alone = TestGazeMap().cases(with_points=False)
        words = words_of(gazesal.evaluate(alone, ground_truth="all"))
        assert "Gaze: one gaze map of all observers per image, used as given." in words

    def test_several_kinds(self):
        first, second, third, _ = make_cases(["all"])
        cases = [first, as_maps(second), as_maps(third), TestGazeMap().cases()[3]]
        with pytest.warns(gazesal.InputWarning, match="`sigma` is used only by .* of 3 readings"):
            evaluation = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
        words = words_of(evaluation)
        assert "Gaze: fixations (1 of 4 readings), blurred" in words
        assert "maps of fixated pixels (2 of 4 readings)" in words
        assert "one gaze map of all observers per image (1 of 4 readings), used as given" in words


class TestKept:
    """Checkpoints detect changes, and saved evaluations keep the sources."""

    def test_fingerprints_change_with_the_map(self, tmp_path):
        case = as_maps(make_cases()[0])
        other = gazesal.FixationMap(marked([(0, 0)]))
        changes = [
            replace(case, gaze={**case.gaze, "ann": other}),
            replace(case, gaze={**case.gaze, "ann": replace(other, threshold=0.5)}),
            replace(case, gaze={**case.gaze, "ann": replace(other, source=tmp_path / "a.npy")}),
            replace(case, gaze_map=np.ones(SHAPE)),
        ]
        found = {gaze_fingerprint(each) for each in (case, *changes)}
        assert len(found) == 5
        assert gaze_fingerprint(as_maps(make_cases()[0])) == gaze_fingerprint(case)

    def test_checkpoint_resumes_and_detects_changes(self, tmp_path):
        pytest.importorskip("pyarrow")
        cases = list(map(as_maps, make_cases()))
        options = {"sigma": SIGMA, "checkpoint": tmp_path / "kept"}
        first = scores(cases, **options)
        np.testing.assert_array_equal(scores(cases, **options), first)
        gaze = {**cases[0].gaze, "ann": gazesal.FixationMap(marked([(0, 0)]))}
        with pytest.raises(ValueError, match="gaze"):
            scores([replace(cases[0], gaze=gaze), *cases[1:]], **options)

    def test_saved_cases_keep_files(self, tmp_path):
        pytest.importorskip("pyarrow")
        cases = []
        for case in make_cases():
            gaze = {}
            for name, own in case.gaze.items():
                path = tmp_path / f"{case.image}_{name}.npy"
                np.save(path, marked(own.points))
                gaze[name] = gazesal.FixationMap(path, threshold=0.5)
            cases.append(replace(case, gaze=gaze))
        evaluation = gazesal.evaluate(cases, sigma=SIGMA)
        evaluation.save(tmp_path / "saved")
        loaded = gazesal.Evaluation.load(tmp_path / "saved")
        assert [case.gaze for case in loaded.cases] == [case.gaze for case in cases]
        assert words_of(loaded) == words_of(evaluation)
        found = loaded.cases[0].load_gaze("ann").points
        np.testing.assert_array_equal(found, cases[0].load_gaze("ann").points)

    def test_saved_cases_keep_the_kind_of_lost_arrays(self, tmp_path):
        pytest.importorskip("pyarrow")
        cases = TestGazeMap().cases()
        cases = [*map(as_maps, cases[:2]), *cases[2:]]
        evaluation = gazesal.evaluate(cases, ground_truth="all")
        evaluation.save(tmp_path / "saved")
        loaded = gazesal.Evaluation.load(tmp_path / "saved")
        assert words_of(loaded) == words_of(evaluation)
        with pytest.raises(ValueError, match="the gaze map of image i0 must be in a file"):
            loaded.cases[0].load_gaze_map()
