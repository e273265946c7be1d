"""Tests that the simulation of ceilings runs and that its results are in the documentation."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import gazesal

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "concepts" / "perfect_map.md").read_text("utf-8")
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "ceilings.py"))


def tables():
    """Return the cells of each table that the simulation writes, without heads and rules."""
    text = PAGE.partition(SCRIPT["BEGIN"])[2].partition(SCRIPT["END"])[0]
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in rows]
        for rows in (block.splitlines()[2:] for block in blocks)
    ]


def test_bounds_enclose_the_truth_in_nearly_all_settings():
    bounds, *_ = tables()
    enclosed = [[int(each) for each in row[-1].split(" of ")] for row in bounds]
    inside, settings = np.sum(enclosed, axis=0)
    assert [row[0] for row in bounds] == ["AUC", "AUC", "sAUC", "sAUC", "NSS", "NSS", "IG", "IG"]
    assert settings == len(SCRIPT["SETTINGS"]) * len(SCRIPT["BOUNDED"])
    assert inside / settings >= 0.95
    for _, _, low, truth, high, _ in bounds:
        assert float(low) < float(truth) < float(high)


def test_limits_of_areas_are_within_a_hundredth_on_average():
    _, limits, *_ = tables()
    errors = {(row[0], int(row[1])): float(row[3]) for row in limits}
    assert all(abs(errors[metric, 10]) <= 0.01 for metric in ("AUC", "sAUC"))
    assert len(errors) == 8


def test_pooled_corrected_ncc_is_near_the_truth_and_its_interval_covers_it():
    _, _, shares, _ = tables()
    assert [row[0] for row in shares] == ["3", "5", "10"]
    for _, _, pooled, of_images, covers in shares:
        assert abs(float(pooled)) <= min(0.0025, abs(float(of_images)))
        assert 93 <= float(covers.rstrip("%")) <= 97


def test_interval_with_same_observers_covers_the_truth_despite_habits():
    *_, habits = tables()
    assert [row[0] for row in habits] == ["5", "10"]
    for _, _, error, by_image, by_both in habits:
        assert abs(float(error)) <= 0.0025
        # the jackknife overestimates the variance over few observers
        assert float(by_image.rstrip("%")) < 93 <= float(by_both.rstrip("%")) <= 99


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
    assert SCRIPT["corrected_with_habits"](4, 1, 0).startswith("| 4 |")
