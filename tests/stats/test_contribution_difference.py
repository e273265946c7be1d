"""The cluster-permutation test of the contributions of two methods."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import t

import gazesal

pytest.importorskip("mne", reason="the extra `clusters` is not installed")


def stacks(n=8, shape=(6, 7), effect=2.0, seed=0):
    """Return contributions that differ in a rectangle."""
    rng = np.random.default_rng(seed)
    second = rng.normal(size=(n, *shape))
    first = second + rng.normal(size=(n, *shape))
    first[:, 1:4, 2:5] += effect
    return first, second


def masses(differences, limit):
    """Return the labels of clusters of one sign, and their sums of t-values."""
    n = len(differences)
    values = differences.mean(axis=0) / differences.std(axis=0, ddof=1) * np.sqrt(n)
    found = []
    for sign in (1, -1):
        labels, count = ndimage.label(sign * values > limit)
        found += [(labels == k, values[labels == k].sum()) for k in range(1, count + 1)]
    return found


def test_p_values_are_those_of_all_sign_patterns():
    first, second = stacks(n=6)
    differences = first - second
    found = gazesal.stats.contribution_difference(first, second)
    limit = t.ppf(0.975, 5)
    assert found.threshold == pytest.approx(limit)
    largest = []
    for signs in product([1], *[[1, -1]] * 5):
        flipped = differences * np.array(signs)[:, None, None]
        largest.append(max((abs(mass) for _, mass in masses(flipped, limit)), default=0.0))
    expected = masses(differences, limit)
    assert len(found.clusters) == len(expected)
    for pixels, mass in expected:
        (number,) = np.unique(found.labels[pixels])
        row = found.clusters.set_index("cluster").loc[number]
        assert row["n_pixels"] == pixels.sum()
        assert row["mass"] == pytest.approx(mass)
        assert row["difference"] == pytest.approx(differences.mean(axis=0)[pixels].sum())
        p_value = np.mean(np.array(largest) >= abs(mass) - 1e-9)
        assert row["p_value"] == pytest.approx(p_value)
        assert row["higher"] == ("first" if mass > 0 else "second")
    assert found.clusters["p_value"].is_monotonic_increasing


def test_the_sum_is_the_difference_of_the_mean_scores():
    rng = np.random.default_rng(1)
    gaze, a, b = rng.random((3, 7, 8, 9))
    parts = [
        [gazesal.contributions("ncc", m, g) for m, g in zip(maps, gaze, strict=True)]
        for maps in (a, b)
    ]
    scores = [
        np.mean([gazesal.ncc(m, g) for m, g in zip(maps, gaze, strict=True)]) for maps in (a, b)
    ]
    found = gazesal.stats.contribution_difference(*parts, rng=0)
    assert found.difference.sum() == pytest.approx(scores[0] - scores[1], abs=1e-12)
    assert "units" in repr(found)


def test_images_of_a_unit_are_averaged():
    first, second = stacks()
    twice = [np.concatenate([stack, stack]) for stack in (first, second)]
    units = list(range(8)) * 2
    one = gazesal.stats.contribution_difference(first, second, rng=0)
    two = gazesal.stats.contribution_difference(*twice, units=units, rng=0)
    assert two.n_units == one.n_units == 8
    np.testing.assert_allclose(two.difference, one.difference)
    np.testing.assert_allclose(two.clusters["p_value"], one.clusters["p_value"])


def test_exchanged_methods_exchange_the_sign():
    first, second = stacks()
    one = gazesal.stats.contribution_difference(first, second, rng=0)
    other = gazesal.stats.contribution_difference(second, first, rng=0)
    np.testing.assert_allclose(other.difference, -one.difference)
    np.testing.assert_array_equal(other.labels > 0, one.labels > 0)
    assert set(other.clusters["higher"]) <= {"first", "second"}


def test_pixels_without_any_difference_are_in_no_cluster():
    first, second = stacks()
    first[:, 5], second[:, 5] = 0.0, 0.0
    found = gazesal.stats.contribution_difference(first, second, rng=0)
    assert (found.t_values[5] == 0).all()
    assert (found.labels[5] == 0).all()
    assert found.significant().sum() >= 6
    equal = gazesal.stats.contribution_difference(first, first, rng=0)
    assert len(equal.clusters) == 0
    assert not equal.significant().any()


def test_random_numbers_are_required_with_many_units():
    first, second = stacks(n=14)
    with pytest.raises(ValueError, match="`rng`"):
        gazesal.stats.contribution_difference(first, second, n_permutations=100)
    same = [
        gazesal.stats.contribution_difference(first, second, n_permutations=100, rng=3)
        for _ in range(2)
    ]
    assert same[0].clusters.equals(same[1].clusters)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda a: a[:5], "`first`"),
        (lambda a: a[0], "`first`"),
        (lambda a: np.where(a > 2, np.nan, a), "`first`"),
    ],
)
def test_invalid_stacks_are_refused(change, match):
    first, second = stacks(seed=2)
    with pytest.raises(ValueError, match=match):
        gazesal.stats.contribution_difference(change(first), change(second), rng=0)
    with pytest.raises(ValueError, match="`second`"):
        gazesal.stats.contribution_difference(first, second[:, :3], rng=0)
    with pytest.raises(ValueError, match="`units`"):
        gazesal.stats.contribution_difference(first, second, units=[1, 2], rng=0)


def test_figure_encloses_clusters():
    pytest.importorskip("matplotlib")
    found = gazesal.stats.contribution_difference(*stacks(effect=4.0), rng=0)
    figure = gazesal.plots.plot_contribution_difference(found, note="NCC")
    assert len(figure.axes[0].collections) > 0
    assert figure.axes[0].get_title().startswith("sum = ")
    with pytest.raises(TypeError, match="`result`"):
        gazesal.plots.plot_contribution_difference(found.difference)
