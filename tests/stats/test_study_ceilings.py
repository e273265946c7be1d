"""What the released scores of Bigolin Lanfredi et al. (2021) say about ceilings, as documented."""

import math
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gazesal
from gazesal.stats import implied_ceiling, noise_ceiling

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = runpy.run_path(str(ROOT / "examples" / "study_ceilings.py"))


@pytest.fixture(scope="module")
def means(shared):
    return EXAMPLE["by_image"](pd.read_csv(shared / "paper" / "scores.csv.gz"))


@pytest.fixture(scope="module")
def page():
    """Return the rows of the tables on the page, by their first cell and by table."""
    text = (ROOT / "docs" / "replication.md").read_text("utf-8")
    text = text.partition("### Scores and ceilings")[2].partition("\n## ")[0]
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        cells = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in block.splitlines()
        ]
        tables.append({row[0]: row[1:] for row in cells[2:]})
    return re.sub(r"\s+", " ", text), tables


def test_page_has_the_shares_of_the_attainable_ncc(means, page):
    ceiling, shares = EXAMPLE["shares_of_attainable"](means)
    text, (table, _) = page
    assert f"{ceiling:.3f} on average over the images" in text
    assert round(100 * shares["interobserver"].estimate) == 71
    assert round(100 * shares["segmentation"].estimate) == 71
    assert all(share.high < 0.53 for name, share in list(shares.items())[2:])
    assert round(implied_ceiling(0.632, 5).pair_correlation, 2) == 0.5
    for name, share in shares.items():
        ncc, sncc = (means.loc[metric, name].mean() for metric in ("ncc", "sncc"))
        expected = [f"{ncc:.3f}", str(share), f"{ncc - sncc:.3f}", f"{sncc:.3f}", f"{-sncc:.3f}"]
        assert table[name] == [cell.replace("-", "\N{MINUS SIGN}") for cell in expected]


def test_page_has_the_order_by_the_residual_ncc(means, page):
    _, (_, table) = page
    spreads = (0.5, 0.6, 0.7, 0.8, 0.9)
    found = pd.DataFrame({each: EXAMPLE["residual_numerators"](means, each) for each in spreads})
    for name, row in found.iterrows():
        assert table[name] == [f"{value:.3f}".replace("-", "\N{MINUS SIGN}") for value in row]
    maps = found.drop(index="interobserver")
    assert (maps < found.loc["interobserver"]).all(axis=None)
    assert (maps.idxmax().iloc[1:] == "wAG uniform").all()
    assert round(100 * found.loc["wAG uniform", 0.7] / found.loc["interobserver", 0.7]) == 59


def test_difference_of_the_two_correlations_orders_maps_as_the_residual_ncc():
    rng = np.random.default_rng(0)
    gaze, bias = rng.random((2, 8, 10)) + 0.1
    gaze, bias = gaze / gaze.sum(), bias / bias.sum()
    spread = bias.std() / gaze.std()
    ratios = []
    for saliency in rng.random((5, 8, 10)):
        ncc, sncc = gazesal.ncc(saliency, gaze), gazesal.sncc(saliency, gaze, bias)
        numerator = ncc - spread * (ncc - sncc)
        ratios.append(gazesal.residual_ncc(saliency, gaze, bias) / numerator)
    assert ratios == pytest.approx(np.full(5, ratios[0]), rel=1e-9)
    assert ratios[0] > 0


@pytest.mark.parametrize("n", [2, 3, 5, 15])
def test_implied_ceiling_inverts_the_agreement_of_equal_observers(n):
    rho = 0.37
    reliability = (n - 1) * rho / (1 + (n - 2) * rho)
    found = implied_ceiling(math.sqrt(rho * reliability), n)
    assert found.pair_correlation == pytest.approx(rho, rel=1e-12)
    assert found.best_attainable == pytest.approx(math.sqrt(reliability), rel=1e-12)
    assert implied_ceiling(0.0, n) == (0.0, 0.0)
    assert implied_ceiling(1.0, n) == pytest.approx((1.0, 1.0))


def test_implied_ceiling_is_near_that_of_the_gaze_maps():
    rng = np.random.default_rng(1)
    maps = rng.random((20, 25)) + rng.random((5, 20, 25))
    ceiling = noise_ceiling(maps)
    found = implied_ceiling(ceiling.lower, 5)
    assert found.pair_correlation == pytest.approx(ceiling.pair_correlation, abs=0.01)
    assert found.best_attainable == pytest.approx(ceiling.attainable(4), abs=0.01)


def test_observers_who_disagree_have_no_implied_ceiling():
    with pytest.warns(gazesal.UndefinedMetricWarning, match="one_vs_rest"):
        assert math.isnan(implied_ceiling(-0.1, 5).best_attainable)
