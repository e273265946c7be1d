"""Cases by image and label of a REFLACX release, and the mean score of several maps."""

import warnings

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal import Case, Gaze, cases_from_reflacx, evaluate
from gazesal.datasets import REFLACX_TERMS, Reflacx, write_synthetic_reflacx
from gazesal.evaluation.several_maps import SeveralMaps

METRICS = ["ncc", "relevance_mass"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Write a small synthetic release, which tests must not change."""
    folder = tmp_path_factory.mktemp("release")
    return write_synthetic_reflacx(folder, n_images=4, n_readers=2, n_unread=0, side=96)


@pytest.fixture(scope="module")
def release(root):
    """Return the release."""
    return Reflacx(root)


@pytest.fixture(scope="module")
def maps(root):
    """Return maps by label and image, and maps by image."""
    folder = root / "maps_by_label"
    return {
        "class_map": gazesal.find_maps(folder / "class_map"),
        "all_lesions": gazesal.open_maps(folder / "all_lesions"),
    }


@pytest.fixture(scope="module")
def cases(release, maps):
    """Return the cases by label."""
    return cases_from_reflacx(release, maps, labels=True, regions="ellipses")


@pytest.fixture(scope="module")
def evaluation(cases):
    """Return their scores."""
    return evaluate(
        cases, outside="keep", resize="bilinear", ground_truth="all", leave_out="picture",
        metrics=METRICS, n_jobs=1,
    )  # fmt: skip


def test_case_of_each_label_that_a_reader_names(release, cases):
    for case in cases:
        assert case.image == f"{case.groups['picture']}|{case.groups['label']}"
        assert case.groups["label"] in REFLACX_TERMS
        for reading in case.gaze:
            assert release.labels.loc[reading, case.groups["label"]] >= 1
    named = {(case.groups["label"], reading) for case in cases for reading in case.gaze}
    kept = release.readings.index[~release.readings["discarded"]]
    marked = {
        (label, reading)
        for reading in kept
        for label in REFLACX_TERMS
        if label in release.labels and release.labels.loc[reading, label] >= 1
    }
    # the synthetic readers name each finding that they mark
    assert len(named) >= 0.9 * len(marked)
    assert named <= marked


def test_gaze_is_clipped_to_the_windows_of_the_label(release, cases):
    case = max(cases, key=lambda each: len(each.gaze))
    for reading, gaze in case.gaze.items():
        fixations, words = release.fixations(reading), release.transcription(reading)
        present = {
            label: terms
            for label, terms in REFLACX_TERMS.items()
            if label in release.labels and release.labels.loc[reading, label] >= 1
        }
        found = gazesal.gaze_when_named(fixations, words, present)
        expected = found[(found["label"] == case.groups["label"]) & (found["duration"] > 0)]
        if expected["sentence"].nunique() == 1:
            np.testing.assert_array_equal(gaze.points, expected[["x", "y"]])
            np.testing.assert_allclose(gaze.durations, expected["duration"], rtol=1e-12)
        assert gaze.durations.sum() < fixations["duration"].sum()


def test_regions_are_the_ellipses_of_the_label(release, cases):
    with_region = [case for case in cases if case.regions]
    assert with_region
    for case in with_region:
        assert list(case.regions) == [case.groups["label"]]
    whole = cases_from_reflacx(release, n_readers=2, regions="ellipses")
    certain = cases_from_reflacx(release, n_readers=2, regions="ellipses", certainty=4)
    counts = [
        sum(len(shapes) for case in found for shapes in case.regions.values())
        for found in (whole, certain)
    ]
    tables = pd.concat(release.ellipses(reading) for case in whole for reading in case.gaze)
    assert counts == [len(tables), int((tables["certainty"] >= 4).sum())]


def test_planted_truth_comes_out(evaluation):
    with warnings.catch_warnings():  # of few images
        warnings.simplefilter("ignore", gazesal.IntervalWarning)
        means = evaluation.summary(unit="picture")
    means = means.set_index(["method", "metric"])["estimate"]
    for metric in METRICS:
        assert means["class_map", metric] > means["class_map_other_labels", metric] + 0.05
    assert means["gaze", "relevance_mass"] > 2 * means["center_bias", "relevance_mass"]
    with warnings.catch_warnings():  # of labels on one image, which have no interval
        warnings.simplefilter("ignore")
        by_label = evaluation.summary(by="label", unit="picture")
    assert set(by_label["label"]) == {case.groups["label"] for case in evaluation.cases}


def test_control_is_the_mean_score_of_the_maps_of_the_other_labels(cases, evaluation, maps):
    case = next(case for case in cases if case.regions)
    picture, label = case.groups["picture"], case.groups["label"]
    others = {
        name: own[picture]
        for name, own in maps["class_map"].items()
        if name != label.replace("/", "-") and picture in own
    }
    assert len(others) > 5
    alone = [
        Case(
            image=each.image, shape=each.shape, gaze=each.gaze, maps=others if each is case else {},
            box=each.box, groups=each.groups, regions=each.regions, scored=each is case,
        )
        for each in cases
    ]  # fmt: skip
    singly = evaluate(
        alone, outside="keep", resize="bilinear", ground_truth="all", leave_out="picture",
        metrics=METRICS, n_jobs=1,
    ).scores  # fmt: skip
    expected = singly[singly["method"].isin(others)].groupby("metric")["score"].mean()
    rows = evaluation.scores
    rows = rows[(rows["image"] == case.image) & (rows["method"] == "class_map_other_labels")]
    assert rows["metric"].tolist() == METRICS
    np.testing.assert_allclose(rows.set_index("metric")["score"][METRICS], expected[METRICS])


def test_controls_of_maps_go_with_the_control_of_labels(cases):
    found = evaluate(
        cases, outside="keep", resize="bilinear", ground_truth="all", leave_out="picture",
        metrics=["ncc"], controls=["other_gaze", "mean_map"], n_jobs=1,
    )  # fmt: skip
    assert {"class_map_mean_map", "all_lesions_mean_map"} <= set(found.methods)
    assert "class_map_other_labels_mean_map" not in found.methods
    assert not [name for name in found.methods if name.endswith(tuple("0123456789"))]
    assert "class_map_other_labels" in set(found.controls["method"])


def test_saved_evaluation_keeps_several_maps(evaluation, tmp_path):
    pytest.importorskip("pyarrow")
    evaluation.save(tmp_path)
    loaded = gazesal.Evaluation.load(tmp_path)
    case = next(case for case in loaded.cases if case.scored)
    assert isinstance(case.maps["class_map_other_labels"], SeveralMaps)
    shown = loaded.maps_of(case.image)
    assert shown["class_map_other_labels"].shape == case.shape


def test_labels_and_terms_of_ones_own(release):
    some = cases_from_reflacx(release, labels=["Consolidation", "Atelectasis"])
    assert {case.groups["label"] for case in some} <= {"Consolidation", "Atelectasis"}
    lungs = cases_from_reflacx(release, labels={"right": ["right"], "left": ["left"]})
    assert {case.groups["label"] for case in lungs} == {"right", "left"}
    asked = []

    def first_word(reading, words):
        asked.append((reading, len(words)))
        return {"end": [len(words) - 1]}

    cases_from_reflacx(release, labels=first_word)
    assert {reading for reading, _ in asked} <= set(release.readings.index)


def test_first_second_is_a_window_of_ones_own(release):
    whole = {case.image: case for case in cases_from_reflacx(release, n_readers=1)}
    cases = cases_from_reflacx(release, labels=True, window=lambda _: (0.0, 1.0))
    for case in cases:
        for reading, gaze in case.gaze.items():
            assert gaze.durations.sum() <= 1.0 + 1e-9
            seen = whole[case.groups["picture"]].gaze[reading].points
            assert {tuple(point) for point in gaze.points} <= {tuple(point) for point in seen}


def test_reading_without_gaze_in_a_window_is_left_out_and_counted(release):
    with pytest.warns(gazesal.SkippedDataWarning, match="no fixation is on the image"):
        cases = cases_from_reflacx(
            release, labels=True, window=lambda named: (0, 5) if named.sentence else (90, 91)
        )
    assert cases


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": ["Cough"]}, "`labels` must be of"),
        ({"labels": []}, "`labels` must be of"),
        ({"regions": "boxes"}, "`regions` must be one of"),
        ({"certainty": 6}, "`certainty` must be"),
        ({"labels": True, "n_readers": 9}, "a label on an image"),
        ({"labels": True, "maps": {"mine": {"Mass": {}}}}, "'mine' has no map"),
        ({"labels": True, "maps": {"mine": {"a-b": {}, "A b": {}}}}, "must have different labels"),
    ],
)
def test_wrong_options_raise(release, options, words):
    with pytest.raises(ValueError, match=words):
        cases_from_reflacx(release, **options)


def test_mean_of_several_scores_leaves_out_undefined_ones():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 15, (8, 2))
    several = SeveralMaps((rng.random((16, 16)), np.ones((16, 16)), rng.random((16, 16))))
    single = {f"m{n}": source for n, source in enumerate(several.sources)}
    found = []
    for maps in ({"m": several}, single):
        cases = [
            Case(image=name, shape=(16, 16), gaze={"a": Gaze(points=points + n)}, maps=maps)
            for n, name in enumerate("xy")
        ]
        scores = evaluate(
            cases, sigma=2.0, ground_truth="all", metrics=["ncc"], outside="drop", n_jobs=1
        ).scores
        found.append(scores[scores["method"].str.startswith("m")].groupby("image")["score"].mean())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
