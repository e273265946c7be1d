"""Evaluations equal their definition, and do not depend on workers or on other images."""

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.evaluation import passes

SHAPE = (24, 32)
SIGMA = 2.5


def make_fixations(images="abcd", observers=("ann", "bob", "cy"), shape=SHAPE, seed=0):
    """Return eight fixations of every observer on every image."""
    rng = np.random.default_rng(seed)
    rows = [
        (image, observer, rng.uniform(0, shape[1] - 1), rng.uniform(0, shape[0] - 1), rng.random())
        for image in images
        for observer in observers
        for _ in range(8)
    ]
    return pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])


def make_maps(images="abcd", shape=SHAPE, seed=1):
    """Return maps of two methods: noise, and noise with ties."""
    rng = np.random.default_rng(seed)
    return {
        "noise": {image: rng.random(shape) for image in images},
        "steps": {image: np.round(3 * rng.random(shape)) for image in images},
    }


def evaluate(fixations=None, maps=None, shape=SHAPE, case_options=None, **options):
    """Evaluate the small study, or given parts of it."""
    cases = gazesal.cases_from_tables(
        make_fixations() if fixations is None else fixations,
        make_maps() if maps is None else maps,
        shape,
        **(case_options or {}),
    )
    return gazesal.evaluate(cases, sigma=SIGMA, **options)


def scores_by_definition(fixations, maps):
    """Compute every score by plain averages, without running sums or shared work."""
    gaze = {
        image: {
            observer: gazesal.gaze_heatmap(
                part[["x", "y"]], SHAPE, sigma=SIGMA, weights=part["duration"]
            )
            for observer, part in rows.groupby("observer")
        }
        for image, rows in fixations.groupby("image")
    }
    scores = {}
    for image, own in gaze.items():
        others = [m for name, by in gaze.items() if name != image for m in by.values()]
        bias = np.mean(others, axis=0)
        for observer, gaze_map in own.items():
            truth = np.mean([m for name, m in own.items() if name != observer], axis=0)
            tested = {"interobserver": gaze_map, "center_bias": bias}
            tested |= {method: files[image] for method, files in maps.items()}
            for method, saliency in tested.items():
                key = (image, observer, method)
                scores[*key, "ncc"] = gazesal.ncc(saliency, truth)
                scores[*key, "auc_borji"] = gazesal.auc_borji(saliency, truth)
                scores[*key, "sncc"] = gazesal.sncc(saliency, truth, bias)
                scores[*key, "sauc"] = gazesal.sauc(saliency, truth, bias)
                scores[*key, "residual_ncc"] = gazesal.residual_ncc(saliency, truth, bias)
    return scores


def as_dict(evaluation):
    """Scores by (image, observer, method, metric)."""
    keys = ["image", "observer", "method", "metric"]
    return evaluation.scores.set_index(keys)["score"].to_dict()


def test_every_score_equals_its_definition():
    fixations, maps = make_fixations(), make_maps()
    expected = scores_by_definition(fixations, maps)
    got = as_dict(evaluate(fixations, maps))
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        # A last bit decides if pixels of the center bias tie, which is worth a pixel's weight.
        assert got[key] == pytest.approx(value, abs=1e-9), key


def test_missing_observers_are_left_out_of_their_image_only():
    fixations, maps = make_fixations(), make_maps()
    fixations = fixations[~((fixations["image"] == "b") & (fixations["observer"] == "cy"))]
    expected = scores_by_definition(fixations, maps)
    assert as_dict(evaluate(fixations, maps)) == pytest.approx(expected, abs=1e-9)


def test_scores_do_not_depend_on_workers():
    one, two = (evaluate(n_jobs=n_jobs, n_samples=50) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(one.scores, two.scores, check_exact=True)
    pd.testing.assert_frame_equal(one.summary(), two.summary(), check_exact=True)
    np.testing.assert_array_equal(one.center_bias.density(), two.center_bias.density())


def test_sampled_scores_have_streams_of_their_own():
    maps = make_maps()
    both = as_dict(evaluate(maps=maps, n_samples=50, seed=7))
    assert as_dict(evaluate(maps=maps, n_samples=50, seed=7)) == both
    alone = as_dict(evaluate(maps={"steps": maps["steps"]}, n_samples=50, seed=7))
    assert {key: both[key] for key in alone} == alone
    other = as_dict(evaluate(maps=maps, n_samples=50, seed=8))
    assert all(other[key] == both[key] for key in both if "auc" not in key[-1])
    assert any(other[key] != both[key] for key in both if "auc" in key[-1])


def test_streams_of_all_sampled_scores_differ(monkeypatch):
    seeds = []
    real = np.random.default_rng

    def noted(seed=None):
        if isinstance(seed, list):
            seeds.append(tuple(seed))
        return real(seed)

    monkeypatch.setattr(np.random, "default_rng", noted)
    evaluation = evaluate(n_samples=50, seed=7)
    drawn = evaluation.scores["metric"].isin(["auc_borji", "sauc"]).sum()
    assert len(seeds) == len(set(seeds)) == drawn


def test_equal_maps_are_sampled_independently():
    fixations = make_fixations()
    first = fixations[fixations["image"] == "a"]
    twins = pd.concat([first, first.assign(image="b"), fixations[fixations["image"] == "c"]])
    array = np.random.default_rng(3).random(SHAPE)
    maps = {name: dict.fromkeys("abc", array) for name in ("one", "two")}
    scores = as_dict(evaluate(twins, maps, n_samples=50, metrics=["auc_borji"]))
    found = [
        scores[image, observer, method, "auc_borji"]
        for image in "ab"
        for observer in ("ann", "bob", "cy")
        for method in maps
    ]
    assert (
        len(set(found)) > len(found) / 2
    )  # AUCs of 50 samples have 2,500 values, so a few agree by chance


def test_sampled_scores_lie_about_the_exact_ones():
    n = 200_000
    exact, sampled = as_dict(evaluate()), as_dict(evaluate(n_samples=n))
    errors = np.array([sampled[key] - exact[key] for key in exact if "auc" in key[-1]])
    # The variance of a sampled AUC is at most 1/(4 n) per side, so no score is off by 1 %.
    assert np.abs(errors).max() < 5 * np.sqrt(0.5 / n) < 0.01
    assert np.abs(errors).max() > 0
    assert abs(errors.mean()) < 5 * np.sqrt(0.5 / n / len(errors)) < 0.002


def test_images_without_maps_contribute_to_the_bias_only():
    maps = {"noise": {image: np.eye(*SHAPE) for image in "ab"}}
    lent = evaluate(maps=maps, case_options={"unmapped": "gaze_only"})
    assert sorted(lent.scores["image"].unique()) == ["a", "b"]
    assert lent.center_bias.n_maps == 12
    fixations = make_fixations()
    alone = evaluate(fixations[fixations["image"].isin(["a", "b"])], maps)
    assert as_dict(alone)["a", "ann", "noise", "sauc"] != as_dict(lent)["a", "ann", "noise", "sauc"]
    assert as_dict(alone)["a", "ann", "noise", "ncc"] == as_dict(lent)["a", "ann", "noise", "ncc"]


def test_maps_of_another_size_need_resize():
    maps = make_maps(shape=(12, 16))
    with pytest.raises(ValueError, match=r"noise: the map of image a must have .* got 16 x 12"):
        evaluate(maps=maps)
    resized = as_dict(evaluate(maps=maps, resize="bilinear"))
    by_hand = {
        method: {image: gazesal.resample(values, SHAPE) for image, values in files.items()}
        for method, files in maps.items()
    }
    assert resized == as_dict(evaluate(maps=by_hand))


def test_images_of_different_sizes_need_resize_and_get_their_own_bias():
    shape = {image: (30, 40) if image == "d" else SHAPE for image in "abcd"}
    maps = {"noise": {image: np.random.default_rng(0).random(shape[image]) for image in "abcd"}}
    with pytest.raises(ValueError, match=r"`cases` must be images of one size.*\(image 'd'\)\. Gi"):
        evaluate(maps=maps, shape=shape)
    result = evaluate(maps=maps, shape=shape, resize="bilinear")
    assert result.center_bias.shape == SHAPE
    bias = result.maps_of("d")["center_bias"]
    assert bias.shape == (30, 40)
    assert bias.sum() == pytest.approx(1.0)
    assert result.scores["score"].notna().all()


def test_everything_is_checked_before_anything_is_scored(monkeypatch):
    scored = []
    monkeypatch.setattr(passes, "score_case", lambda *a: scored.append(a))
    maps = make_maps()
    maps["noise"]["d"] = np.full(SHAPE, np.nan)
    with pytest.raises(ValueError, match="`noise map of image d` must be finite"):
        evaluate(maps=maps)
    assert scored == []


def test_first_invalid_map_is_named_for_any_n_jobs():
    maps = make_maps()
    for image in "cbd":
        maps["noise"][image] = np.full(SHAPE, np.nan)
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match=r"`noise map of image b` .* \(2 more images"):
            evaluate(maps=maps, n_jobs=n_jobs)


def test_maps_too_large_to_resample_are_found_at_once():
    maps = make_maps(shape=(12, 16))
    maps["noise"]["c"] = maps["noise"]["c"] * 1e305
    with pytest.raises(ValueError, match="`noise map of image c`"):
        evaluate(maps=maps, resize="bilinear")
    maps = make_maps()
    maps["noise"]["c"] = maps["noise"]["c"] * 1e305
    assert evaluate(maps=maps).scores["score"].notna().all()


def test_invalid_gaze_names_image_and_observer():
    fixations = make_fixations()
    lost = (fixations["image"] == "b") & (fixations["observer"] == "cy")
    fixations.loc[lost, "x"] = -9999.0
    with pytest.raises(ValueError, match="image b, observer cy: `fixations`"):
        evaluate(fixations, case_options={"outside": "keep"}, outside="keep")


def test_undefined_scores_are_kept_counted_and_left_out_of_means():
    maps = make_maps()
    maps["noise"]["a"] = np.full(SHAPE, 0.1)
    result = evaluate(maps=maps)
    scores = as_dict(result)
    assert np.isnan(scores["a", "ann", "noise", "ncc"])
    assert np.isnan(scores["a", "ann", "noise", "sncc"])
    assert scores["a", "ann", "noise", "auc_borji"] == 0.5
    assert scores["a", "ann", "noise", "sauc"] == 0.5
    summary = result.summary().set_index(["method", "metric"])
    assert summary.loc[("noise", "ncc"), "n_undefined"] == 3
    assert summary.loc[("noise", "ncc"), "n_images"] == 3
    assert summary.loc[("noise", "sauc"), "n_undefined"] == 0
    rest = [scores[i, o, "noise", "ncc"] for i in "bcd" for o in ("ann", "bob", "cy")]
    assert summary.loc[("noise", "ncc"), "estimate"] == pytest.approx(np.mean(rest))


def test_a_method_that_is_never_defined_is_nan_in_the_summary():
    maps = {"flat": {image: np.zeros(SHAPE) for image in "abcd"}}
    summary = evaluate(maps=maps).summary().set_index(["method", "metric"])
    assert np.isnan(summary.loc[("flat", "ncc"), ["estimate", "low", "high"]].astype(float)).all()
    assert summary.loc[("flat", "ncc"), "n_undefined"] == 12


def test_summary_equals_the_interval_function():
    result = evaluate()
    cell = result.scores[(result.scores["method"] == "noise") & (result.scores["metric"] == "sauc")]
    for method in ("t", "bootstrap", "bca", "normal", "study"):
        expected = gazesal.stats.confidence_interval(
            cell["score"], clusters=cell["image"], interval=method, rng=0
        )
        row = result.summary(interval=method).set_index(["method", "metric"]).loc[("noise", "sauc")]
        assert (row["estimate"], row["low"], row["high"]) == (
            expected.estimate,
            expected.low,
            expected.high,
        )


def test_metrics_can_be_chosen_and_rows_come_in_order():
    result = evaluate(metrics=("sauc", "ncc"))
    assert result.scores["metric"].unique().tolist() == ["sauc", "ncc"]
    assert result.methods == ["interobserver", "center_bias", "noise", "steps"]
    assert "4 images, 4 rows, sAUC, NCC" in repr(result)


def test_maps_of_an_image_are_those_that_were_scored():
    result = evaluate()
    maps = result.maps_of("b", "cy")
    score = as_dict(result)["b", "cy", "interobserver", "sauc"]
    again = gazesal.sauc(maps["interobserver"], maps["ground_truth"], maps["center_bias"])
    assert again == pytest.approx(score, abs=1e-12)
    with pytest.raises(ValueError, match="`image` must be one of the cases, got 'z'"):
        result.maps_of("z")
    with pytest.raises(ValueError, match="`observer` must be one of ann, bob, cy"):
        result.maps_of("a", "dan")


def test_inputs_are_not_modified():
    fixations, maps = make_fixations(), make_maps()
    before = fixations.copy(), {m: {i: v.copy() for i, v in f.items()} for m, f in maps.items()}
    evaluate(fixations, maps)
    pd.testing.assert_frame_equal(fixations, before[0])
    for method, files in maps.items():
        for image, values in files.items():
            np.testing.assert_array_equal(values, before[1][method][image])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ()}, "`metrics` must name at least one metric, each once"),
        ({"metrics": ("ncc", "ncc")}, "`metrics` must name at least one metric, each once"),
        ({"outside": "kep"}, "`outside` must be one of 'raise'"),
        ({"metrics": ("area",)}, "`metrics` must be one of 'ncc'"),
        ({"resize": "nearest"}, "`resize` must be one of 'bilinear'"),
        ({"n_samples": 0}, "`n_samples` must be at least 1"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"n_jobs": 0}, "`n_jobs` must be a non-zero integer"),
        ({"n_jobs": 1.5}, "`n_jobs` must be a non-zero integer"),
    ],
)
def test_invalid_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(**options)


@pytest.mark.parametrize("sigma", [0, -1.0, np.nan, (1, 2, 3)])
def test_invalid_sigma_is_named(sigma):
    cases = gazesal.cases_from_tables(make_fixations(), make_maps(), SHAPE)
    with pytest.raises(ValueError, match="`sigma` must"):
        gazesal.evaluate(cases, sigma=sigma)


def test_one_observer_or_one_image_raises():
    fixations = make_fixations(observers=("ann",))
    with pytest.raises(ValueError, match="image 'a' must have fixations of at least two observers"):
        evaluate(fixations)
    fixations = make_fixations(images="a")
    with pytest.raises(ValueError, match="`cases` must be at least two images, got 1"):
        evaluate(fixations)
    with pytest.raises(ValueError, match="`cases` must be at least two images, got 0"):
        gazesal.evaluate([], sigma=1.0)
    cases = gazesal.cases_from_tables(make_fixations(), make_maps(), SHAPE)
    with pytest.raises(ValueError, match="must name each image once, got 'a' 2 times"):
        gazesal.evaluate([*cases, cases[0]], sigma=1.0)
