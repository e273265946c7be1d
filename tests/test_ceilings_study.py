"""Tests that the simulation of ceilings runs."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import gazesal

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "ceilings.py"))


def test_truth_of_the_simulation_is_what_a_perfect_map_scores():
    rng = np.random.default_rng(0)
    image = SCRIPT["simulated_image"](rng, 0.7, 1.5)
    fixations, maps = image.observers(rng, 3, 4)
    assert np.allclose([each.sum() for each in maps], 1)
    assert maps[0] == pytest.approx(
        gazesal.gaze_heatmap(fixations[0], SCRIPT["SHAPE"], sigma=1.5), abs=1e-3
    )
    new, _ = image.observers(rng, 300, 10)
    points = np.concatenate(new)
    truth = SCRIPT["best_score"]("information_gain", image, image.density)
    density = image.density.reshape(SCRIPT["SHAPE"])
    assert gazesal.information_gain(density, points, image.bias) == pytest.approx(truth, abs=0.1)
    for metric in SCRIPT["BOUNDED"]:
        best = SCRIPT["best_score"](metric, image, image.density)
        if metric in ("nss", "information_gain"):
            assert SCRIPT["limit_of_curve"](metric, image) < best


def test_short_simulation_has_a_line_for_each_metric_and_number_of_observers():
    one = SCRIPT["simulate_setting"](0, 2, 0, ("auc_borji", "information_gain"))
    for low, truth, high in ((row[1], row[0], row[2]) for row in one.values()):
        assert np.isfinite([low, truth, high]).all()
    assert SCRIPT["corrected"](3, 1, 0).startswith("| 3 |")
