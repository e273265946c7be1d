"""A user's own metric, aliases, and metrics of other code in an evaluation."""

import dataclasses
import json
import threading

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main

SHAPE = (30, 40)
NAMES = list(gazesal.compat.COMPAT_METRICS)


def mean_error(saliency_map, gaze_map):
    return np.abs(saliency_map - gaze_map).mean()


def other_error(saliency_map, gaze_map):
    return np.abs(saliency_map - gaze_map).max()


def n_others(saliency_map, fixations, other_fixations):
    assert len(fixations)
    return len(other_fixations)


def noisy(saliency_map, gaze_map, *, rng):
    return rng.random()


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    fixations = pd.DataFrame(
        {
            "image": np.repeat(["a", "b", "c"], 20),
            "observer": np.tile(["ann", "bob"], 30),
            "x": rng.uniform(0, 39, 60),
            "y": rng.uniform(0, 29, 60),
            "duration": 1.0,
        }
    )
    maps = {"noise": {image: rng.random(SHAPE) for image in "abc"}}
    return gazesal.cases_from_tables(fixations, maps, SHAPE)


@pytest.fixture(autouse=True)
def _no_earlier_metrics(monkeypatch):
    """Forget the metrics of other tests, which may have the same names."""
    monkeypatch.setattr("gazesal.metrics.names._users", {})


@pytest.fixture(scope="module")
def own():
    return [
        gazesal.Metric(mean_error, label="MAE", higher_is_better=False, low=0.0),
        gazesal.Metric(n_others, ground_truth="points", needs="other_fixations"),
        gazesal.Metric(noisy, random=True),
    ]


def evaluate(cases, metrics, **options):
    return gazesal.evaluate(cases, sigma=3.0, metrics=metrics, **{"n_jobs": 1, **options})


def test_own_metrics_are_scored_with_the_metrics_of_the_library(cases, own):
    evaluation = evaluate(cases, ["CC", *own])
    assert evaluation.options.metrics == ("ncc", "mean_error", "n_others", "noisy")
    assert repr(evaluation).endswith("NCC, MAE, n_others, noisy)")
    scores = evaluation.scores.set_index(["image", "observer", "method", "metric"])["score"]
    gaze = evaluate(cases, ["ncc"]).scores.set_index(["image", "observer", "method", "metric"])
    assert scores.loc[gaze.index].equals(gaze["score"])
    assert set(scores.xs("n_others", level="metric")) == {40.0}
    assert scores.xs("noisy", level="metric").nunique() == len(scores) / 4


def test_scores_are_the_same_in_two_processes(cases, own):
    metrics = [*own, gazesal.Metric(lambda s, g: float((s > g).mean()), name="above")]
    alone, together = (evaluate(cases, metrics, n_jobs=n).scores for n in (1, 2))
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_a_checkpoint_is_of_one_function_and_its_facts(cases, own, tmp_path):
    first = evaluate(cases, own, checkpoint=tmp_path)
    again = evaluate(cases, own, checkpoint=tmp_path)
    pd.testing.assert_frame_equal(first.scores, again.scores, check_exact=True)
    function = gazesal.Metric(
        other_error, name="mean_error", label="MAE", higher_is_better=False, low=0.0
    )
    direction = dataclasses.replace(own[0], higher_is_better=True)
    with pytest.raises(ValueError, match="mean_error"):
        evaluate(cases, [function, *own[1:]], checkpoint=tmp_path)
    with (
        pytest.raises(ValueError, match="mean_error"),
        pytest.warns(gazesal.InputWarning, match="'mean_error'"),
    ):
        evaluate(cases, [direction, *own[1:]], checkpoint=tmp_path)


def test_a_loaded_evaluation_knows_the_facts_and_lacks_the_functions(cases, own, tmp_path):
    evaluate(cases, own).save(tmp_path / "saved")
    loaded = gazesal.Evaluation.load(tmp_path / "saved")
    assert [metric.label for metric in loaded.options.chosen] == ["MAE", "n_others", "noisy"]
    assert not loaded.options.chosen[0].higher_is_better
    with pytest.raises(TypeError, match=r"`metrics`.*'mean_error'"):
        evaluate(cases, loaded.options.own_metrics)


def test_tables_know_label_and_direction_of_an_own_metric(cases, own):
    maps = {"near": {image: np.full(SHAPE, 0.001) for image in "abc"}}
    both = [
        dataclasses.replace(case, maps={**case.maps, "near": maps["near"][case.image]})
        for case in cases
    ]
    summary = evaluate(both, [own[0]]).summary()
    assert "MAE" in gazesal.reporting.summary_text(summary)
    lines = gazesal.reporting.summary_latex(summary).splitlines()
    assert [line.startswith("near") for line in lines if "textbf" in line] == [True]


def test_the_report_names_an_own_metric(cases, own, tmp_path):
    pytest.importorskip("matplotlib")
    evaluation = evaluate(cases, ["ncc", own[0]])
    gazesal.reporting.write_report(evaluation, tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text("utf-8"))
    assert settings["own_metrics"][0]["label"] == "MAE"
    assert "MAE" in (tmp_path / "summary.md").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_metrics_of_other_code_give_the_numbers_of_their_functions(cases, name):
    """Their noise and draws come from a stream of each score, so a seed repeats them."""
    scores = evaluate(cases, [name]).scores
    assert scores["score"].notna().all()
    again = evaluate(cases, [name]).scores
    pd.testing.assert_frame_equal(scores, again, check_exact=True)
    metric = gazesal.compat.COMPAT_METRICS[name]
    other = evaluate(cases, [name], seed=1).scores
    assert metric.random != other["score"].equals(scores["score"])


def test_an_error_of_an_own_function_names_the_image(cases):
    def fails(saliency_map, gaze_map):
        raise ValueError("of my own")

    with pytest.raises(ValueError, match="of my own"):
        evaluate(cases, [gazesal.Metric(fails)])


@pytest.mark.parametrize("error", [RuntimeError, ZeroDivisionError, OverflowError])
def test_any_error_of_an_own_function_lists_the_image(cases, error):
    first = cases[0].maps["noise"]

    def fails(saliency_map, gaze_map):
        if np.array_equal(saliency_map, first):
            raise error("of my own")
        return 1.0

    found = gazesal.evaluate(cases, sigma=2, metrics=[gazesal.Metric(fails)], bad_images="list")
    assert found.bad_images["image"].tolist() == [cases[0].image]
    with pytest.raises(ValueError, match=f"{error.__name__}: of my own"):
        evaluate(cases, [gazesal.Metric(fails)])


def test_a_function_that_cannot_be_pickled_is_named(cases):
    lock = threading.Lock()

    def locked(saliency_map, gaze_map):
        with lock:
            return 1.0

    with pytest.raises(ValueError, match=r"`metrics`.*'locked'"):
        evaluate(cases, [gazesal.Metric(locked)], n_jobs=2)


def test_infinity_is_not_a_score(cases):
    own = gazesal.Metric(lambda *_: np.inf, name="infinite")
    with pytest.raises(ValueError, match=r"`metrics`.*'infinite'"):
        evaluate(cases, [own])


def test_the_command_line_takes_aliases_and_names_wrong_ones():
    listed = CliRunner().invoke(main, ["evaluate", "--metric", "nsss"])
    assert listed.exit_code == 2
    assert "Did you mean 'nss'" in " ".join(listed.output.split())
    missing = CliRunner().invoke(main, ["evaluate", "--metric", "KLD", "--metric", "mit_kl"])
    assert "--metric" not in missing.output.split("Error")[-1]
