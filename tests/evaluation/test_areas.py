"""Valid areas of images in `evaluate`: pixels outside count in nothing."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal import regions
from gazesal.regions import Box
from gazesal.reporting.captions import describe

SHAPE = (14, 17)
SIGMA = 2.0
MAPS = ("ncc", "auc_borji", "sncc", "sauc", "residual_ncc", "kl_divergence", "sim", "spearman")
POINTS = ("nss", "auc", "auc_shuffled", "information_gain", "snss")
REGIONS = ("localization_auc", "pointing_game", "relevance_rank")
EXACT = {"rel": 0, "abs": 1e-12}


def make_cases(area="mask", n=3, **more):
    """Images with an area that leaves out the border, and other pixels of each image."""
    rng = np.random.default_rng(4)
    cases = []
    for number in range(n):
        mask = np.ones(SHAPE, bool)
        mask[:3] = mask[:, -2:] = False
        mask[8, number : number + 3] = False
        found = {
            "mask": mask,
            "weights": mask * rng.uniform(1, 2, SHAPE),
            "all": np.ones(SHAPE, bool),
            "none": None,
        }
        points = {name: rng.uniform(0, 13, (12, 2)) for name in ("ann", "bob")}
        cases.append(
            gazesal.Case(
                image=f"i{number}",
                shape=SHAPE,
                gaze={name: gazesal.Gaze(points=each) for name, each in points.items()},
                maps={"one": rng.random(SHAPE), "two": rng.random(SHAPE).astype(np.float32)},
                regions={"lesion": Box(4, 4, 9, 9)},
                area=found[area],
                **more,
            )
        )
    return cases


def evaluate(cases, metrics=MAPS, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.OffImageWarning)
        density = "shift" if {"kl_divergence", "information_gain"} & set(metrics) else None
        return gazesal.evaluate(cases, sigma=SIGMA, metrics=metrics, density=density, **options)


def outside_as(cases, value):
    """Return the cases with another value outside the area in all maps."""
    return [
        replace(
            case,
            maps={
                name: np.where(np.asarray(case.area) > 0, values, np.float32(value))
                for name, values in case.maps.items()
            },
        )
        for case in cases
    ]


@pytest.mark.parametrize("kind", ["mask", "weights"])
def test_scores_equal_the_functions_with_area(kind):
    cases = make_cases(kind)
    evaluation = evaluate(cases, (*MAPS, "nss", *(REGIONS[:1])))
    scores = evaluation.scores.set_index(["image", "method", "observer", "metric"])["score"]
    drawn = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gazesal.OffImageWarning)
        for case in cases:
            for name, gaze in case.gaze.items():
                drawn[case.image, name] = gazesal.gaze_heatmap(
                    gaze.points, SHAPE, sigma=SIGMA, area=case.area
                )
        case = cases[1]
        others = [each for (image, _), each in drawn.items() if image != case.image]
        given = {"saliency_map": case.maps["one"], "center_bias": np.mean(others, axis=0)}
        given |= {"gaze_map": drawn["i1", "bob"], "fixations": case.gaze["bob"].points}
        for name in (*MAPS, "nss"):
            metric = gazesal.METRICS[name]
            arguments = [given[each] for each in metric.arguments]
            if "saliency_map" in metric.weights:
                chosen = arguments[0][case.area > 0]
                arguments[0] = np.where(case.area > 0, arguments[0] - chosen.min(), 0)
            expected = metric(*arguments, area=case.area)
            assert scores["i1", "one", "ann", name] == pytest.approx(expected, **EXACT)
    region = regions.localization_auc(case.maps["one"], case.load_region("lesion"), area=case.area)
    assert scores["i1", "one", "all", "localization_auc"] == region


def test_pixels_outside_the_area_change_nothing_and_may_be_nan():
    metrics = (*MAPS, *POINTS, *REGIONS)
    cases = make_cases()
    expected = evaluate(cases, metrics).scores
    for value in (np.nan, -1e30):
        pd.testing.assert_frame_equal(evaluate(outside_as(cases, value), metrics).scores, expected)


def test_an_area_of_all_pixels_changes_no_bit():
    metrics = (*MAPS, *POINTS, *REGIONS)
    found = evaluate(make_cases("all"), metrics).scores
    expected = evaluate(make_cases("none"), metrics).scores
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_finished_gaze_maps_are_restricted_to_the_area():
    cases = make_cases()
    rng = np.random.default_rng(0)
    whole, cut = [], []
    for case in cases:
        maps = {name: rng.random(SHAPE) for name in case.gaze}
        noisy = {name: np.where(case.area, each, np.nan) for name, each in maps.items()}
        whole.append(replace(case, gaze=maps))
        cut.append(replace(case, gaze=noisy))
    options = {"metrics": MAPS, "density": "shift"}
    expected = gazesal.evaluate(whole, **options).scores
    pd.testing.assert_frame_equal(gazesal.evaluate(cut, **options).scores, expected)


def test_fixations_outside_the_area_are_dropped_with_a_warning():
    cases = make_cases()
    n = 0
    kept = []
    for case in cases:
        gaze = {}
        for name, each in case.gaze.items():
            column, row = np.floor(each.points + 0.5).astype(int).T
            inside = case.area[row, column]
            gaze[name] = gazesal.Gaze(points=each.points[inside])
            n += int((~inside).sum())
        kept.append(replace(case, gaze=gaze))
    options = {"sigma": SIGMA, "metrics": ["ncc", *POINTS], "density": "shift"}
    with pytest.warns(gazesal.OffImageWarning, match=f"^{n} fixations lie outside the `area`"):
        found = gazesal.evaluate(cases, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = gazesal.evaluate(kept, **options)
    pd.testing.assert_frame_equal(found.scores, expected.scores)


def test_sources_of_areas_give_the_same_scores(tmp_path):
    cases = make_cases()
    expected = evaluate(cases, ("ncc", "nss")).scores
    from_files = []
    for case in cases:
        np.save(tmp_path / f"{case.image}.npy", case.area)
        from_files.append(replace(case, area=tmp_path / f"{case.image}.npy"))
    called = [replace(case, area=lambda own=case.area: own) for case in cases]
    added = gazesal.add_areas(make_cases("none"), gazesal.open_maps(tmp_path))
    for each in (from_files, called, added):
        pd.testing.assert_frame_equal(evaluate(each, ("ncc", "nss")).scores, expected)
    workers = evaluate(from_files, ("ncc", "nss"), n_jobs=2).scores
    pd.testing.assert_frame_equal(workers, expected)


def test_area_is_saved_described_and_part_of_the_fingerprint(tmp_path):
    cases = make_cases()
    saved = []
    for case in cases:
        np.save(tmp_path / f"{case.image}.npy", case.area)
        saved.append(replace(case, area=tmp_path / f"{case.image}.npy"))
    store = tmp_path / "checkpoint"
    evaluation = evaluate(saved, ("ncc",), checkpoint=store)
    resumed = evaluate(saved, ("ncc",), checkpoint=store)
    pd.testing.assert_frame_equal(resumed.scores, evaluation.scores)
    with pytest.raises(ValueError, match="checkpoint"):
        evaluate(make_cases("none"), ("ncc",), checkpoint=store)
    share = np.mean([case.area.mean() for case in cases])
    summary = evaluation.summary()
    words = describe(evaluation, summary)
    assert f"on 3 of 3 images: {share:.1%} of their pixels count" in words
    evaluation.save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    assert loaded.cases[0].load_area().size == cases[0].area.sum()
    in_memory = evaluate(cases, ("ncc",))
    in_memory.save(tmp_path / "arrays")
    loaded = gazesal.Evaluation.load(tmp_path / "arrays")
    words = describe(loaded, summary)
    assert "on 3 of 3 images." in words


def test_invalid_use_of_areas_is_an_error():
    cases = make_cases()
    with pytest.raises(ValueError, match="area of image i0"):
        evaluate([replace(each, area=np.ones((3, 4))) for each in cases], ("ncc",))
    with pytest.raises(ValueError, match="`ceilings`"):
        evaluate(cases, ("ncc",), ceilings=True)
    with pytest.raises(ValueError, match="`controls`"):
        evaluate(cases, ("ncc",), controls=["other_gaze"])

    def own(saliency_map, gaze_map):
        return float(saliency_map.sum() + gaze_map.sum())

    with pytest.raises(ValueError, match="`area`"):
        evaluate(cases, [gazesal.Metric(own)])
    with pytest.raises(ValueError, match="`areas`"):
        gazesal.add_areas(make_cases("none"), {"other": cases[0].area})


def test_manifest_has_a_column_of_areas(tmp_path):
    mask = make_cases()[0].area
    np.save(tmp_path / "mask.npy", mask)
    text = f"image,width,height,area\na,{SHAPE[1]},{SHAPE[0]},mask.npy\nb,5,6,\n"
    (tmp_path / "manifest.csv").write_text(text)
    first, second = gazesal.cases_from_manifest(tmp_path / "manifest.csv")
    assert first.load_area().size == mask.sum()
    assert second.load_area() is None
