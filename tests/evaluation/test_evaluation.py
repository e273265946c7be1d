"""Summaries, comparisons, plots and saved copies of an evaluation."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.cxr import find_lung_hulls
from gazesal.evaluation.summaries import summarize
from tests.evaluation.large_study import SHAPE, SIGMA, LoggedMap, make_cases


@pytest.fixture(scope="module")
def result():
    """Return twelve images in two groups with two methods, of which one map is constant."""
    cases = []
    for case in make_cases(12):
        rng = np.random.default_rng(case.groups["number"])
        cases.append(replace(case, maps={"noise": rng.random(SHAPE), "more": rng.random(SHAPE)}))
    cases[3] = replace(cases[3], maps={**cases[3].maps, "noise": np.zeros(SHAPE)})
    return gazesal.evaluate(cases, sigma=SIGMA)


def test_summary_by_group_equals_summary_of_its_images(result):
    by_half = result.summary(by="half")
    assert list(by_half.columns[:3]) == ["half", "method", "metric"]
    for half, rows in by_half.groupby("half"):
        part = replace(result, scores=result.scores[result.scores["half"] == half])
        expected = part.summary()
        pd.testing.assert_frame_equal(
            rows.drop(columns="half").reset_index(drop=True), expected, check_exact=True
        )
    with pytest.warns(gazesal.UndefinedMetricWarning, match="there is one image"):
        two = result.summary(by=["half", "number"], interval="normal")
    assert len(two) == 12 * 4 * 5
    with pytest.raises(ValueError, match=r"`by` must name groups of the images.*'half', 'number'"):
        result.summary(by="ward")


def test_comparison_equals_comparison_of_image_means(result):
    found = result.compare("noise", "more", "sauc", by="half")
    assert len(found) == 2
    scores = result.scores[result.scores["metric"] == "sauc"]
    means = scores.groupby(["half", "image", "method"])["score"].mean().unstack()
    for one in found:
        half = dict(one.group)["half"]
        expected = (means.loc[half, "noise"] - means.loc[half, "more"]).mean()
        assert one.difference.estimate == pytest.approx(expected, rel=1e-12)
        assert (one.method, one.reference) == ("noise", "more")
    assert len(result.compare("noise", "center_bias")) == 5
    again = result.compare("noise", "more", "sauc", by="half")
    assert [one.p_value for one in again] == [one.p_value for one in found]


def test_undefined_scores_leave_their_pair_out(result):
    (found,) = result.compare("noise", "more", "ncc")
    scores = result.scores[(result.scores["metric"] == "ncc") & (result.scores["image"] != "i003")]
    means = scores.groupby(["image", "method"])["score"].mean().unstack()
    expected = (means["noise"] - means["more"]).mean()
    assert found.difference.estimate == pytest.approx(expected, rel=1e-12)
    assert found.difference.n_clusters == 11


def test_ceiling_against_a_map_that_is_scored_against_all():
    cases = make_cases(5)
    result = gazesal.evaluate(cases, sigma=SIGMA, ground_truth="all")
    (found,) = result.compare("interobserver", "noise", "ncc")
    means = result.scores[result.scores["metric"] == "ncc"].groupby(["image", "method"])["score"]
    table = means.mean().unstack()
    expected = (table["interobserver"] - table["noise"]).mean()
    assert found.difference.estimate == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("noise", "mine"), "`a` and `b` must be of 'interobserver'.*got 'mine'"),
        (("noise", "noise"), "`a` and `b` must be two methods, got 'noise' twice"),
        (("noise", "more", "area"), "`metric` must be of 'ncc', .*got 'area'"),
    ],
)
def test_invalid_comparisons_are_named(result, arguments, message):
    with pytest.raises(ValueError, match=message):
        result.compare(*arguments)


def test_notebooks_show_a_table(result):
    shown = result._repr_html_()
    assert shown.startswith("<table>\n<caption>Evaluation(")
    assert "sAUC" in shown


def test_summary_caveats_name_argument_and_option():
    few = gazesal.evaluate(make_cases(4), sigma=SIGMA)
    words = summarize(few).attrs["caveats"]
    assert 'interval="studentized", --interval studentized' in words


def test_plots_are_drawn(result):
    pytest.importorskip("matplotlib")
    assert len(result.plot_intervals(interval="normal").axes) == 5
    assert len(result.plot_differences("noise", "more", metric="ncc").axes) == 1
    assert len(result.plot_maps("i002").axes) > 4


def test_loaded_evaluation_equals_the_saved_one(tmp_path):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(2)
    cases = []
    for case in make_cases(6):
        path = tmp_path / f"{case.image}.npy"
        np.save(path, rng.random(SHAPE))
        cases.append(replace(case, maps={"noise": path, "mine": rng.random(SHAPE)}))
    gaze = cases[1].gaze
    own = {
        name: replace(g, sigma=rng.uniform(1, 3, (6, 2)), visible=np.tile([0.0, 0, 20, 20], (6, 1)))
        for name, g in gaze.items()
    }
    cases[1] = replace(cases[1], gaze=own)
    cases[1:] = [
        replace(c, gaze={n: replace(g, sigma=np.full((6, 1), 2.0)) for n, g in c.gaze.items()})
        if c.image != "i001"
        else c
        for c in cases[1:]
    ]
    cases[0] = replace(
        cases[0], gaze={n: replace(g, sigma=np.full((6, 2), 2.0)) for n, g in cases[0].gaze.items()}
    )
    cases[4] = replace(cases[4], maps={"noise": tmp_path / "none.npy"})
    result = gazesal.evaluate(cases, bad_images="list", center_bias_rows="both")
    result.save(tmp_path / "saved")
    result.save(tmp_path / "saved")  # replaces the saved evaluation
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.scores, result.scores, check_exact=True)
    pd.testing.assert_frame_equal(loaded.summary(), result.summary(), check_exact=True)
    pd.testing.assert_frame_equal(loaded.bad_images, result.bad_images)
    assert loaded.options == result.options
    assert loaded.versions == result.versions
    np.testing.assert_array_equal(loaded.center_bias.density(), result.center_bias.density())
    for first, again in zip(result.cases, loaded.cases, strict=True):
        assert (first.image, first.shape, first.groups) == (again.image, again.shape, again.groups)
        assert again.maps["noise"] == first.maps["noise"].absolute()
    with pytest.raises(
        ValueError, match="mine map of image i002 must be in a file, but was an array"
    ):
        loaded.maps_of("i002")
    mended = [replace(case, maps={"noise": case.maps["noise"]}) for case in loaded.cases]
    shown = replace(loaded, cases=mended).maps_of("i001")
    expected = result.maps_of("i001")
    for name, array in shown.items():
        np.testing.assert_array_equal(array, expected[name])


def test_unsaved_map_is_named_on_use(tmp_path):
    pytest.importorskip("pyarrow")
    cases = make_cases(3)
    drawn = np.ones(SHAPE)
    cases[0] = replace(
        cases[0], gaze={**cases[0].gaze, "dee": drawn}, center_bias=lambda: np.ones(SHAPE)
    )
    with pytest.warns(UserWarning, match="`sigma` is used only by the fixations of 9"):
        gazesal.evaluate(cases, sigma=SIGMA).save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    with pytest.raises(ValueError, match="gaze of observer dee of image i000 must be in a file"):
        loaded.maps_of("i000")
    with pytest.raises(ValueError, match=r"noise map of image i001 .* a function \(LoggedMap\)"):
        loaded.maps_of("i001")
    moved = tmp_path / "elsewhere"
    (tmp_path / "saved").rename(moved)
    assert len(gazesal.Evaluation.load(moved).scores) == len(loaded.scores)
    assert loaded.cases[0].load_gaze("ann").points.shape == (6, 2)
    with pytest.raises(ValueError, match="center bias of image i000 "):
        loaded.cases[0].load_center_bias()


@pytest.mark.parametrize("name", ["os:system", "gazesal:write_synthetic_reflacx"])
def test_only_registered_functions_are_loaded(tmp_path, name):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "saved"
    gazesal.evaluate(make_cases(3), sigma=SIGMA).save(folder)
    text = (folder / "cases.jsonl").read_text()
    foreign = text.replace(
        '{"lost": "a function (LoggedMap)"}', f'{{"function": "{name}", "files": []}}'
    )
    assert foreign != text
    (folder / "cases.jsonl").write_text(foreign)
    with pytest.raises(ValueError, match=f"a saved function must be one of .*, got '{name}'"):
        gazesal.Evaluation.load(folder)


@pytest.mark.parametrize("name", ["scores.parquet", "cases.jsonl", "evaluation.json"])
def test_torn_files_are_named(tmp_path, name):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "saved"
    gazesal.evaluate(make_cases(3), sigma=SIGMA).save(folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=f"{name}: cannot be read as a saved evaluation"):
        gazesal.Evaluation.load(folder)
    (folder / "evaluation.json").unlink()
    with pytest.raises(FileNotFoundError, match="there is no saved evaluation"):
        gazesal.Evaluation.load(folder)


def test_saving_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    result = gazesal.evaluate(make_cases(3), sigma=SIGMA)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'gazesal\[parquet\]'"):
        result.save(tmp_path / "saved")


def test_a_configured_backend_is_used(tmp_path):
    import joblib

    log = tmp_path / "log"
    cases = make_cases(5, log)
    alone = gazesal.evaluate(cases, sigma=SIGMA)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        threaded = gazesal.evaluate(cases, sigma=SIGMA)
    pd.testing.assert_frame_equal(alone.scores, threaded.scores, check_exact=True)


class Threads(LoggedMap):
    """Return a map that holds the number of threads that libraries may use."""

    def __call__(self):
        import os

        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        with open(self.log, "a") as file:  # noqa: PTH123
            file.write(",".join(os.environ.get(name, "-") for name in names) + "\n")
        return super().__call__()


def test_workers_do_not_oversubscribe_cores(tmp_path):
    import joblib

    n_jobs = max(2, joblib.cpu_count())
    cases = [
        replace(case, maps={"noise": Threads(case.image, tmp_path / "threads")})
        for case in make_cases(2 * n_jobs)
    ]
    gazesal.evaluate(cases, sigma=SIGMA, n_jobs=n_jobs)
    limits = {line for line in (tmp_path / "threads").read_text().split() if "," in line}
    assert limits == {"1,1,1,1"}


def test_lung_hulls_are_saved_as_their_mask_files(tmp_path):
    pytest.importorskip("pyarrow")
    pytest.importorskip("skimage")
    cases = make_cases(3)
    mask = np.zeros(cases[0].shape)
    mask[2:8, 2:6] = mask[2:8, 8:12] = 1
    for case in cases:
        np.save(tmp_path / f"{case.image}.npy", mask)
    hulls = find_lung_hulls(tmp_path)
    with_hulls = [replace(case, maps={"segmentation": hulls[case.image]}) for case in cases]
    gazesal.evaluate(with_hulls, sigma=SIGMA).save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved").cases[0]
    np.testing.assert_array_equal(loaded.load_map("segmentation"), hulls[cases[0].image]())
