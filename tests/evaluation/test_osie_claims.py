"""Statements of the documentation on observers and sNCC, checked on real gaze."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gazesal

DOCS = Path(__file__).resolve().parents[2] / "docs"
H, W, SIGMA = 150, 200, 6.0  # a quarter of the size of the images; about one degree


@pytest.fixture(scope="module")
def fixations(shared):
    table = gazesal.read_fixations(
        shared / "data" / "osie" / "fixations.csv.gz",
        origin="one_based",
        columns={"duration": "duration_ms"},
    )
    table[["x", "y"]] = (table[["x", "y"]] + 0.5) / 4 - 0.5  # pixel centers at integers
    return table


def test_observers_predict_each_other_as_documented(fixations):
    pairs, halves, ncc, auc = [], [], [], []
    rng = np.random.default_rng(0)
    for _, rows in list(fixations.groupby("image"))[:100]:
        maps = [
            gazesal.gaze_heatmap(own[["x", "y"]], (H, W), sigma=SIGMA, weights=own["duration"])
            for _, own in rows.groupby("observer")
        ]
        correlations = np.corrcoef([each.ravel() for each in maps])
        pairs.append(correlations[np.triu_indices(len(maps), 1)].mean())
        order = rng.permutation(len(maps))
        first, second = ([maps[i] for i in order[a : a + 7]] for a in (0, 7))
        halves.append(gazesal.ncc(np.mean(first, axis=0), np.mean(second, axis=0)))
        rests = [split.rest for split in gazesal.one_vs_rest(maps)]
        same = np.eye(len(maps), dtype=bool)
        of_one = gazesal.score(maps, rests, metrics=["ncc", "auc_borji"], pairs=same).values[same]
        of_rest = gazesal.score(rests, maps, metrics=["auc_borji"], pairs=same).values[same]
        of_all = gazesal.score([np.mean(maps, axis=0)], maps, metrics=["auc_borji"]).values[0]
        ncc.extend(of_one[:, 0])
        auc.extend(np.column_stack([of_one[:, 1], of_rest, of_all]))
    one = np.mean(pairs)

    def of_group(m):
        return m * one / (1 + (m - 1) * one)

    found = [one, np.mean(ncc), np.sqrt(one * of_group(14)), np.sqrt(of_group(14)), of_group(7)]
    found += [np.mean(halves), *np.mean(auc, axis=0)]
    expected = [0.499, 0.678, 0.683, 0.966, 0.875, 0.863, 0.851, 0.909, 0.929]
    assert found == pytest.approx(expected, abs=6e-4)
    text = (DOCS / "concepts" / "observers.md").read_text(encoding="utf-8")
    assert all(f"{value:.3f}" in text for value in expected)


def test_lung_hull_scores_as_documented(shared):
    table = pd.read_csv(shared / "paper" / "scores.csv.gz").query("method == 'thresholded'")
    own = table.groupby("metric")[["score_convex", "score_interobserver"]].mean()
    assert own.loc["sncc"].tolist() == pytest.approx([-0.187, 0.028], abs=5e-4)
    hull, readers = own.loc["ncc"]
    assert (hull, readers) == pytest.approx((0.637, 0.632), abs=5e-4)
    # the correlation of two readers that gives the printed mean against four readers
    grid = np.linspace(0, 1, 100_001)
    one = grid[np.argmin(abs(np.sqrt(grid * 4 * grid / (1 + 3 * grid)) - readers))]
    best = np.sqrt(4 * one / (1 + 3 * one))
    assert (one, best, hull / best) == pytest.approx((0.50, 0.89, 0.71), abs=5e-3)
