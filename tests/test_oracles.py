"""The oracles do not use the library, and agree with each other and with known cases."""

import ast
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.oracles import (
    correlation,
    distribution,
    heatmap,
    intervals,
    location,
    points,
    ranks,
    resampling,
    thresholds,
)

FILES = sorted((Path(__file__).parent / "oracles").glob("*.py"))


def imported(source):
    """Top-level names of the packages that a source text imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides what it imports"
            yield node.module.split(".")[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_oracles_import_nothing_from_the_library(file):
    source = file.read_text(encoding="utf-8")
    assert "gazesal" not in set(imported(source))
    assert "import_module" not in source
    assert "__import__" not in source


def test_there_are_oracles():
    assert len(FILES) >= 6


def test_the_scan_would_find_an_import():
    assert "gazesal" in set(imported("def f():\n    from gazesal.metrics import auc\n"))


def test_auc_of_points_equals_a_hand_computation():
    assert ranks.auc_of_points([1, 2], [0, 1]) == Fraction(7, 8)


def test_weighted_auc_equals_a_hand_computation():
    # positives 3/4 at 0.9 (beats 0, .2, .1, .2, .4; ties itself), 1/4 at .2 (beats 0, .1; 2 ties)
    saliency = [[0.0, 0.2, 0.9], [0.1, 0.2, 0.4]]
    expected = Fraction(3, 4) * Fraction(11, 12) + Fraction(1, 4) * Fraction(6, 12)
    assert ranks.weighted_auc(saliency, [[0, 0, 3], [0, 1, 0]]) == expected


def test_tallies_agree_with_pairs():
    rng = np.random.default_rng(0)
    values, p, q = rng.integers(0, 5, (3, 4, 6))
    assert ranks.weighted_auc_of_integers(values, p, q) == ranks.weighted_auc(values, p, q)


def test_standard_error_equals_enumeration():
    """With one positive and one negative, the variance of the AUC is known."""
    saliency, p, q = [[0.0, 1.0, 1.0]], [[1.0, 1.0, 2.0]], [[1.0, 2.0, 1.0]]
    h = {0: {0: 0.5, 1: 0, 2: 0}, 1: {0: 1, 1: 0.5, 2: 0.5}, 2: {0: 1, 1: 0.5, 2: 0.5}}
    cells = [(p[0][i] * q[0][j] / 16, h[i][j]) for i in range(3) for j in range(3)]
    mean = sum(share * value for share, value in cells)
    variance = sum(share * (value - mean) ** 2 for share, value in cells)
    assert ranks.standard_error(saliency, p, q, 1, 1) == pytest.approx(variance**0.5, rel=1e-12)


def test_correlation_agrees_with_numpy():
    x, y = np.random.default_rng(1).random((2, 3, 5))
    expected = np.corrcoef(x.ravel(), y.ravel())[0, 1]
    assert correlation.ncc(x, y) == pytest.approx(expected, rel=1e-13)


def test_heatmap_of_one_fixation_has_its_ratios():
    (line,) = heatmap.gaze_heatmap([(1.0, 0.0)], (1, 3), [(2.0, 9.0)], [7.0])
    assert line[0] == line[2]
    assert line[0] / line[1] == pytest.approx(np.exp(-1 / 8), rel=1e-15)


def test_bilinear_equals_a_hand_computation():
    assert resampling.bilinear([[0.0, 4.0]], (1, 4)) == [[0.0, 1.0, 3.0, 4.0]]
    assert resampling.bilinear([[0.0, 1.0, 2.0, 3.0]], (1, 2)) == [[0.5, 2.5]]


def test_bootstrap_probabilities_sum_to_one():
    chances = intervals.bootstrap_distribution([0.0, 1.0, 5.0], ["a", "b", "c"])
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances[2.0] == pytest.approx(6 / 27)  # every order of (0, 1, 5)


def test_normal_quantile_is_the_tabulated_one():
    assert intervals.normal_quantile(0.975) == pytest.approx(1.959963984540054, rel=1e-14)


def test_scores_at_fixations_by_hand():
    saliency = [[0.0, 0.0, 4.0], [0.0, 1.0, 1.0]]  # mean 1, variance 2
    assert location.nss(saliency, [(2.4, -0.5), (0.5, 0.5)]) == pytest.approx(1.5 / 2**0.5)
    assert location.log_likelihood([[0.5, 0.25, 0.25, 0.0]], [(0, 0), (1, 0)], 0) == 0.5
    assert location.pixels_of(saliency, [(0.5, 0.49), (-0.5, 0.5)]) == [(0, 1), (1, 0)]


def test_areas_at_fixations_equal_a_hand_computation():
    saliency = [[0.0, 1.0, 1.0, 2.0]]
    assert points.auc(saliency, [(1, 0), (1, 0), (3, 0)]) == (0.5 + 0.5 + 0.875) / 3
    assert points.auc(saliency, [(1, 0), (3, 0)], "unfixated") == (0.75 + 1) / 2
    assert points.auc_judd(saliency, [(1, 0), (1, 0), (3, 0)]) == (0.75 + 1) / 2


def test_distributions_equal_a_hand_computation():
    assert distribution.sim([[1, 1, 2]], [[0, 1, 1]]) == 0.75
    assert distribution.kl_divergence([[1, 1]], [[1, 3]], 0) == pytest.approx(
        0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    )
    assert distribution.emd([[3, 0], [0, 0]], [[0, 0], [0, 1]]) == pytest.approx(2**0.5)
    assert distribution.emd([[1, 0, 0, 1]], [[0, 0, 0, 1]], 2) == pytest.approx(1.0)


def test_curves_equal_a_hand_computation():
    # fixated 0.9 and 0.3 among 0, 0.3, 0.5, 0.9: (0, 0), (0, 1/2), (1/2, 1), (1, 1)
    assert thresholds.matlab_judd([0.0, 0.3, 0.5, 0.9], [1, 3]) == pytest.approx(0.875)
    assert thresholds.pysaliency_judd([0.0, 0.3, 0.5, 0.9], [1, 3]) == pytest.approx(0.875)
    assert thresholds.grid_area([0.9], [0.35], [0.0, 0.5]) == 1.0
    assert thresholds.grid_area([0.45], [0.35], [0.0, 0.5]) == 0.5
