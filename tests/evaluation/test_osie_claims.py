"""Statements of the documentation on observers and sNCC, checked on real gaze."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gazesal

DOCS = Path(__file__).resolve().parents[2] / "docs"
H, W, SIGMA = 150, 200, 6.0  # a quarter of the size of the images; about one degree


SHUFFLED = ["sncc", "sauc", "residual_ncc", "semipartial_ncc"]


@pytest.fixture(scope="module")
def fixations(shared):
    table = gazesal.read_fixations(
        shared / "data" / "osie" / "fixations.csv.gz",
        origin="one_based",
        columns={"duration": "duration_ms"},
    )
    table[["x", "y"]] = (table[["x", "y"]] + 0.5) / 4 - 0.5  # pixel centers at integers
    return table


@pytest.fixture(scope="module")
def means(shared, fixations):
    """Return mean sNCC and sAUC of maps that use the image, and of maps that ignore it."""
    y, x = np.mgrid[:H, :W]
    from_border = np.minimum(np.minimum(x, W - 1 - x), np.minimum(y, H - 1 - y))
    wide = np.exp(-(((x - (W - 1) / 2) / (W / 4)) ** 2 + ((y - (H - 1) / 2) / (H / 4)) ** 2) / 2)
    found = dict(gazesal.find_maps(shared / "data" / "osie" / "maps"))["spectral_residual"]
    maps = {
        "spectral residual": found,
        "border": dict.fromkeys(found, np.exp(-from_border / 20)),
        "Gaussian": dict.fromkeys(found, wide),
    }
    cases = gazesal.cases_from_tables(fixations, maps, (H, W), unmapped="gaze_only")
    evaluation = gazesal.evaluate(cases, sigma=SIGMA, metrics=SHUFFLED, n_jobs=-1)
    return evaluation.summary(interval="t").pivot(
        index="method", columns="metric", values="estimate"
    )


def test_maps_that_ignore_the_image_score_as_documented(means):
    expected = {
        "interobserver": (0.466, 0.783, 0.642, 0.638),
        "spectral residual": (0.181, 0.708, 0.296, 0.284),
        "center_bias": (-0.706, 0.498, -0.003, 0.0),
        "Gaussian": (-0.657, 0.507, 0.009, 0.012),
        "border": (0.595, 0.494, -0.005, -0.008),
    }
    text = (DOCS / "concepts" / "center_bias.md").read_text(encoding="utf-8")
    for method, scores in expected.items():
        assert means.loc[method].loc[SHUFFLED].tolist() == pytest.approx(scores, abs=5e-4)
        cells = "".join(f"| {score:.3f} " for score in scores) + "|"
        assert cells.replace("-", "\N{MINUS SIGN}") in text


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
        for own, rest in gazesal.one_vs_rest(maps):
            ncc.append(gazesal.ncc(own, rest))
            everybody = (own + 14 * rest) / 15
            auc.append([gazesal.auc_borji(a, b) for a, b in ((own, rest), (rest, own))])
            auc[-1].append(gazesal.auc_borji(everybody, own))
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
